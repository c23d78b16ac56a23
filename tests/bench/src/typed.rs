//! `decide` on values that are already in memory, as the server has them: how many a second, and
//! whether every side comes to the same.

use crate::dice::Dice;
use crate::worlds::{self, World};
use laika_core::decide::{Decision, Order, Reason, decide};
use laika_core::record::sha256_hex;
use std::cell::RefCell;
use std::hint::black_box;

thread_local! {
    /// The worlds of the kind asked for last: making them is not what is measured.
    static WORLDS: RefCell<(String, Vec<World>)> = const { RefCell::new((String::new(), vec![])) };
}

fn with_worlds<T>(kind: &str, work: impl FnOnce(&[World]) -> T) -> T {
    WORLDS.with_borrow_mut(|(known, worlds)| {
        if known != kind {
            *worlds = worlds::of_kind(kind);
            *known = kind.to_owned();
        }
        work(worlds)
    })
}

fn decision(world: &World) -> Decision {
    let World { rule, account, history, cause, now } = black_box(world);
    decide(rule, account, history, cause, *now)
}

/// So many decisions of a kind, one after another.
pub(crate) fn decide_many(kind: &str, count: u64) -> u64 {
    with_worlds(kind, |worlds| {
        let stream = worlds.iter().cycle().zip(0..count);
        stream.fold(0, |sum, (world, _)| fold(sum, &black_box(decision(world))))
    })
}

/// The SHA-256 of all decisions of a kind, whole, and that each is what its kind says.
pub(crate) fn hash_of_all(kind: &str) -> String {
    with_worlds(kind, |worlds| {
        let decisions: Vec<Decision> = worlds.iter().map(decision).collect();
        let code = |decision: &Decision| decision.reason().map_or("recharge", Reason::code);
        let expected = match kind {
            "mix" => return sha256_hex(&decisions),
            "dated" => "not_due",
            "cap" => "monthly_cap_reached",
            "cool_down" => "cooling_down",
            "notice" => "notice_running",
            other => other,
        };
        for decision in &decisions {
            assert_eq!(code(decision), expected, "{decision:?}");
        }
        sha256_hex(&decisions)
    })
}

/// So many decisions in random worlds, made as they are needed.
pub(crate) fn decide_random(seed: u64, count: u64) -> u64 {
    let mut dice = Dice(seed);
    (0..count).fold(0, |sum, _| fold(sum, &decision(&worlds::random(&mut dice))))
}

/// A sum that another decision, or another order of the same ones, would change. Cheap, so that it
/// hardly counts in the time.
pub(crate) fn fold(sum: u64, decision: &Decision) -> u64 {
    let (kind, number) = match decision {
        Decision::Recharge { order: Order { amount, adds, .. } } => {
            ("recharge", amount.amount_minor as u64 ^ adds.bytes().get())
        }
        Decision::Wait { reason, until, .. } => (reason.code(), until.seconds() as u64),
        Decision::Skip { reason, .. } => (reason.code(), 0),
    };
    let next = decision.next_look_at().map_or(0, |at| at.seconds() as u64);
    // Why: length and first letter tell all reasons apart.
    let kind = (kind.len() as u64) << 8 | u64::from(kind.as_bytes()[0]);
    let mark = number ^ next.rotate_left(20) ^ kind.rotate_left(48);
    (sum ^ mark).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(23)
}
