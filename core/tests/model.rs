//! Every world that one line can come to, searched breadth first with the real core inside: two
//! usage events and one date, two workers, a gateway and a carrier that answer, refuse, lose
//! answers or lose requests, messages that come twice and late, a death between any two steps, one
//! jump of the clock. After every step the invariants of the rules are checked, by their numbers;
//! a broken one prints the shortest way to it.
//!
//! `model/world.rs` is the state, `model/shell.rs` the server's transactions, `model/outside.rs`
//! the gateway and the carrier, `model/moves.rs` what can happen, `model/laws.rs` what must hold,
//! `model/key.rs` which worlds are the same, `model/search.rs` the search.
//!
//! `LAIKA_MODEL=1 cargo test -p laika-core --test all model -- --nocapture` also searches larger
//! worlds, in which more goes wrong at once: minutes, and some gigabytes.

mod key;
mod laws;
mod moves;
mod outside;
mod search;
mod shell;
mod world;

use search::{search, two_futures};
use world::{Fault, Left};

/// The world of every run: one spell of bad answers, one mishap of a worker, one jump.
const WORLD: Left =
    Left { spells: 1, mishaps: 1, jumps: 1, offs: 0, overtaking: false, fault: None };
/// Another, in which the customer turns the rule off.
const OFF: Left = Left { jumps: 0, offs: 1, ..WORLD };
/// One small enough to be searched without leaving anything out of its key.
const SMALL: Left = Left { mishaps: 0, jumps: 0, ..WORLD };

/// What only a larger search looks at.
const LARGER: [(&str, Left); 5] = [
    ("two spells", Left { spells: 2, jumps: 0, ..WORLD }),
    ("two spells and a jump", Left { spells: 2, mishaps: 0, ..WORLD }),
    ("two mishaps", Left { mishaps: 2, jumps: 0, ..WORLD }),
    ("webhooks overtake look-ups", Left { overtaking: true, ..WORLD }),
    ("off and a jump", Left { offs: 1, ..WORLD }),
];

fn larger() -> bool {
    std::env::var_os("LAIKA_MODEL").is_some()
}

fn holds(name: &str, left: Left) {
    let found = search(left);
    println!("{name}: {found}");
    if let Some((law, way)) = found.broken {
        panic!("{law}, {way}");
    }
}

#[test]
fn no_order_of_events_breaks_an_invariant() {
    holds("one line", WORLD);
    let larger = if larger() { &LARGER[..] } else { &[] };
    larger.iter().for_each(|(name, left)| holds(name, *left));
}

#[test]
fn no_order_of_events_breaks_an_invariant_around_off() {
    holds("off", OFF);
}

#[test]
fn worlds_of_one_key_have_the_same_future() {
    let small = [SMALL, Left { spells: 0, jumps: 1, ..SMALL }, Left { spells: 0, ..OFF }];
    let more =
        [Left { mishaps: 1, ..SMALL }, Left { jumps: 1, ..SMALL }, Left { offs: 1, ..SMALL }];
    for left in if larger() { more } else { small } {
        let (worlds, keys, other) = two_futures(left);
        println!("{worlds} worlds of {keys} keys");
        assert!(keys < worlds, "the key leaves something out");
        assert_eq!(other, None, "a key with two futures");
    }
}

/// The laws can be broken: each of these worlds breaks one, and the search finds it.
#[test]
fn a_faulty_world_is_found_by_its_law() {
    let faults = [
        (Fault::GatewayForgetsKeys, WORLD, "2. one key took money twice"),
        (Fault::OffStopsNothing, OFF, "6. submitted after off"),
        (Fault::NoticeIsNotKept, WORLD, "11. told 2 times: announced"),
    ];
    for (fault, left, law) in faults {
        let found = search(Left { fault: Some(fault), ..left });
        println!("{fault:?}: {found}");
        let (broken, way) = found.broken.expect("a broken law");
        assert_eq!(broken, law, "{fault:?}, {way}");
    }
}
