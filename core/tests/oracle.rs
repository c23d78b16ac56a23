//! The oracle: a second, naive `decide`, `announce` and schedule, written from `rules.md` and not
//! from the code, asked about as many worlds as there is time for. Both must answer the same.
//!
//! What is compared: a recharge's amount, what it adds, its methods in order, and the set of its
//! triggers (as if due, no trigger is: they are not compared); any other decision's reason with all
//! its figures, and when it ends; the set of announcements. A next look is not compared but has to
//! be early enough (`oracle/looks.rs`).
//!
//! `LAIKA_ORACLE_WORLDS=10000000` asks ten times as often as a normal run does.

pub(crate) mod calendar;
mod looks;
pub(crate) mod naive;
mod past;
mod schedules;
mod shrink;
mod triggers;
pub(crate) mod worlds;

use laika_core::decide::{Cause, Decision, Notice, Order, Reason, TriggerDue, announce, decide};
use laika_core::time::Instant;
use naive::World;
use std::collections::BTreeMap;
use worlds::Worlds;

/// How many worlds a normal run decides, and ten times as many as the schedules; fewer where there
/// is one slow thread.
const WORLDS: u64 = if cfg!(target_arch = "wasm32") { 20_000 } else { 1_000_000 };
/// Of so many, one is watched until its next look.
const WATCHED: u64 = 10;

/// What was seen, by name: how often.
type Counts = BTreeMap<&'static str, u64>;

/// What both must say of a world.
#[derive(Debug, PartialEq)]
struct Answer {
    decided: Result<Order, (Reason, Option<Instant>)>,
    announced: Vec<Notice>,
}

fn asks_the_clock(cause: &Cause) -> bool {
    !matches!(cause, Cause::AsIfDue | Cause::Submission { .. })
}

fn answer(world: &World, mut decided: Result<Order, (Reason, Option<Instant>)>) -> Answer {
    if let Ok(order) = &mut decided {
        order.triggers.sort_by_key(|trigger| format!("{trigger:?}"));
        if world.cause == Cause::AsIfDue {
            order.triggers.clear();
        }
    }
    Answer { decided, announced: Vec::new() }
}

fn by_trigger(mut notices: Vec<Notice>) -> Vec<Notice> {
    notices.sort_by_key(|notice| format!("{:?}", notice.trigger));
    notices
}

fn naive(world: &World) -> Answer {
    let decided = world.answer().map_err(|reason| {
        let until = naive::until(&reason);
        (reason, until)
    });
    let announced = if asks_the_clock(&world.cause) { world.to_announce() } else { Vec::new() };
    Answer { announced: by_trigger(announced), ..answer(world, decided) }
}

fn engine(world: &World) -> Answer {
    let World { rule, account, history, cause, now } = world;
    let decided = match decide(rule, account, history, cause, *now) {
        Decision::Recharge { order } => Ok(order),
        Decision::Wait { reason, until, .. } => Err((reason, Some(until))),
        Decision::Skip { reason, .. } => Err((reason, None)),
    };
    let announced = || announce(rule, account, history, *now);
    let announced = if asks_the_clock(cause) { announced() } else { Vec::new() };
    Answer { announced: by_trigger(announced), ..answer(world, decided) }
}

fn differs(world: &World) -> bool {
    naive(world) != engine(world)
}

/// Asks both about the worlds of these numbers. *Panics*: with the smallest world in which they
/// differ, or in which a look comes too late.
fn ask(worlds: &Worlds, numbers: impl Iterator<Item = u64>) -> Counts {
    let mut counts = Counts::new();
    for number in numbers {
        let world = worlds.make(number);
        let found = engine(&world);
        if found != naive(&world) {
            let small = shrink::shrink(world, differs);
            let (engine, naive) = (engine(&small), naive(&small));
            let shown = shrink::show(&small);
            panic!("world {number}:\n{shown}\nthe engine {engine:?}\nthe document {naive:?}");
        }
        if number % WATCHED == 0 && looks::missed(&world).is_some() {
            let small = shrink::shrink(world, |world| looks::missed(world).is_some());
            panic!("world {number}:\n{}{:?}", shrink::show(&small), looks::missed(&small));
        }
        count(&mut counts, &world, &found);
    }
    counts
}

/// What this world was good for.
fn count(counts: &mut Counts, world: &World, found: &Answer) {
    let mut saw = |what| *counts.entry(what).or_default() += 1;
    if !found.announced.is_empty() {
        saw("something to announce");
    }
    if world.account.kept_periods.is_some() {
        saw("after a change of zone");
    }
    let order = match &found.decided {
        Err((reason, _)) => return saw(reason.code()),
        Ok(order) => order,
    };
    saw("recharge");
    if !asks_the_clock(&world.cause) {
        return;
    }
    match order.triggers.as_slice() {
        [TriggerDue::LowBalance] => saw("recharge by low balance"),
        [TriggerDue::Scheduled { .. }] => saw("recharge by date"),
        [TriggerDue::Expiring { .. }] => saw("recharge by expiry"),
        [_, ..] => saw("recharge by several"),
        [] => saw("recharge by nothing"),
    }
    let limits = &world.rule.limits;
    let spent: i64 = world.counted(&world.month()).map(|r| r.amount.amount_minor).sum();
    let full = |cap| spent + order.amount.amount_minor == cap;
    if limits.cap_per_month.is_some_and(|cap| full(cap.amount_minor)) {
        saw("recharge that fills the cap");
    }
    let method = world.usable(Some(order.amount)).into_iter().next();
    if method.is_some_and(|method| method.rail.facts().advance.is_some()) {
        saw("recharge on a rail that is told");
    }
}

/// Every reason comes up in one world of 200, and so does what is asked for above.
fn all_came_up(counts: &Counts, worlds: u64) {
    for (what, count) in counts {
        println!("{count:>9} {what}");
    }
    assert_eq!(counts.len(), 27, "{counts:?}");
    assert!(!counts.contains_key("recharge by nothing"));
    let rare: Vec<_> = counts.iter().filter(|(_, count)| **count < worlds / 200).collect();
    assert!(rare.is_empty(), "too rare of {worlds}: {rare:?}");
    assert!(counts["recharge"] > worlds / 8, "{counts:?}");
}

/// How many worlds this run decides.
fn worlds_asked() -> u64 {
    let text = std::env::var("LAIKA_ORACLE_WORLDS").ok();
    text.map_or(WORLDS, |text| text.parse().expect("a number"))
}

/// Does this for all numbers up to `end`, on every core there is.
fn on_all_cores<T: Send>(
    end: u64,
    run: impl Fn(std::iter::StepBy<std::ops::Range<u64>>) -> T + Sync,
) -> Vec<T> {
    if cfg!(target_arch = "wasm32") {
        return vec![run((0..end).step_by(1))];
    }
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    std::thread::scope(|scope| {
        let run = &run;
        let part = |core: usize| scope.spawn(move || run((core as u64..end).step_by(cores)));
        let parts: Vec<_> = (0..cores).map(part).collect();
        parts.into_iter().map(|part| part.join().expect("it agreed")).collect()
    })
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn decide_says_what_the_document_says() {
    let (worlds, asked) = (Worlds::new(), worlds_asked());
    let parts = on_all_cores(asked, |numbers| ask(&worlds, numbers));
    let mut all = Counts::new();
    for (what, count) in parts.into_iter().flatten() {
        *all.entry(what).or_default() += count;
    }
    all_came_up(&all, asked);
}
