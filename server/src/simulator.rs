//! The simulator: the real flow, store and adapters in one thread, on a clock of its own, with a
//! gateway, a carrier and processes that fail as a seed says. Same seed, same run, to the byte.
//!
//! Place in the flow: none; it stands around all of it, in tests only. `world` is a seed's world,
//! `step` what happens in it, `check` and `rest` what must hold; `defects` are planted to see that
//! they are found. What it does and how to run a seed: `docs/simulator.md`.

mod alerts;
mod check;
mod customer;
pub(crate) mod defects;
mod ladder;
mod outside;
mod points;
mod rails;
mod rest;
mod step;
mod trace;
mod truth;
mod usage;
mod world;

use crate::{clock::Stopwatch, fault, secret::seeded};
use defects::Defect;
use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
};
use world::World;

/// Seeds in each run of the tests, and steps in each seed.
const SEEDS: u64 = 2_000;
const STEPS: u64 = 200;
/// Steps between two looks at everything.
const WHOLE_EVERY: u64 = 50;
/// Seeds beyond the first that found something: they are run for as long as they mean the same.
/// None does: jobs are claimed in another order since.
const REGRESSIONS: &[u64] = &[];

/// What became of a seed.
struct Ran {
    seed: u64,
    hash: String,
    /// What is broken, and after how many steps.
    broken: Option<(u64, String)>,
    lines: Vec<String>,
    died_at: Vec<String>,
}

/// Runs one seed, on a runtime of this thread alone.
fn run(runtime: &tokio::runtime::Runtime, seed: u64, steps: u64, defect: Option<Defect>) -> Ran {
    defects::plant(defect);
    let ran = runtime.block_on(async {
        let mut world = World::new(seed).await;
        let broken = live(&mut world, steps).await;
        fault::end();
        world.app.store.close().await;
        Ran {
            seed,
            hash: world.trace.hash(),
            broken,
            lines: std::mem::take(&mut world.trace.lines),
            died_at: std::mem::take(&mut world.died_at),
        }
    });
    seeded::by(None);
    defects::plant(None);
    ran
}

/// Everything that a seed goes through; what is broken, and after how many steps.
async fn live(world: &mut World, steps: u64) -> Option<(u64, String)> {
    if let Err(broken) = step::begin(world).await {
        return Some((0, broken));
    }
    for number in 1..=steps {
        if let Err(broken) = step::step(world).await {
            return Some((number, broken));
        }
        if number % WHOLE_EVERY == 0
            && let Err(broken) = check::whole(world).await
        {
            return Some((number, broken));
        }
    }
    rest::rest(world).await.err().map(|broken| (steps, broken))
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// Runs seeds on two threads, until there are no more or, where one is enough, until one is broken.
fn run_all(seeds: &[u64], steps: u64, one_is_enough: bool) -> Vec<Ran> {
    let (next, enough, ran) = (AtomicU64::new(0), AtomicBool::new(false), Mutex::new(Vec::new()));
    let work = || {
        let runtime = runtime();
        while !enough.load(SeqCst) {
            let place = usize::try_from(next.fetch_add(1, SeqCst)).unwrap_or(usize::MAX);
            let Some(seed) = seeds.get(place) else { return };
            let mut one = run(&runtime, *seed, steps, None);
            if one.broken.is_some() {
                eprintln!("seed {} is broken: {:?}", one.seed, one.broken);
                enough.store(one_is_enough, SeqCst);
            } else {
                one.lines = Vec::new();
            }
            ran.lock().expect("no panic").push(one);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(work);
        }
    });
    let mut ran = ran.into_inner().expect("no panic");
    ran.sort_by_key(|one| one.seed);
    ran
}

/// A number of the environment's, for whoever looks at more seeds or at one.
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect(name))
}

#[test]
fn no_seed_breaks_an_invariant() {
    let steps = number("LAIKA_STEPS").unwrap_or(STEPS);
    let (one, many) = (number("LAIKA_SEED"), number("LAIKA_SEEDS"));
    let seeds: Vec<u64> = match one {
        Some(seed) => vec![seed],
        None => {
            let first = number("LAIKA_FIRST").unwrap_or(1);
            let kept = REGRESSIONS.iter().copied().filter(|_| many.is_none());
            (first..first + many.unwrap_or(SEEDS)).chain(kept).collect()
        }
    };
    let began = Stopwatch::start();
    let ran = run_all(&seeds, steps, many.is_none());
    let mut died_at: BTreeMap<&str, u64> = BTreeMap::new();
    for point in ran.iter().flat_map(|one| &one.died_at) {
        *died_at.entry(point).or_default() += 1;
    }
    let (seconds, count) = (began.seconds(), ran.len());
    println!("{count} seeds of {steps} steps in {seconds:.0} s; died at {died_at:?}");
    let mut broken = ran.iter().filter_map(|it| Some((it, it.broken.as_ref()?)));
    if let Some((ran, (step, broken))) = broken.next() {
        eprintln!("{}", ran.lines.join("\n"));
        panic!("seed {} is broken after step {step}: {broken}", ran.seed);
    }
    points::check(count, steps, &died_at);
}

#[test]
fn a_seed_runs_the_same_twice() {
    let runtime = runtime();
    for seed in 1..=3 {
        let (first, again) = (run(&runtime, seed, STEPS, None), run(&runtime, seed, STEPS, None));
        let same = first.lines.iter().zip(&again.lines).take_while(|(a, b)| a == b).count();
        let differ = (first.lines.get(same), again.lines.get(same));
        assert_eq!(first.hash, again.hash, "seed {seed} differs at {differ:?}");
    }
}

/// The seeds that find each defect are looked for from the first on, unless one is known.
#[test]
fn every_planted_defect_is_found() {
    let most = number("LAIKA_DEFECT_SEEDS").unwrap_or(300);
    let only = std::env::var("LAIKA_DEFECT").ok();
    let wanted =
        |it: &&(Defect, &str, u64)| only.as_ref().is_none_or(|name| *name == format!("{:?}", it.0));
    let wanted: Vec<_> = defects::ALL.iter().filter(wanted).collect();
    let (next, silent) = (AtomicU64::new(0), Mutex::new(Vec::new()));
    let work = || {
        let runtime = runtime();
        loop {
            let place = usize::try_from(next.fetch_add(1, SeqCst)).unwrap_or(usize::MAX);
            let Some((defect, whose, known)) = wanted.get(place) else { return };
            let known = Some(*known).filter(|_| number("LAIKA_DEFECT_SEEDS").is_none());
            let seeds = known.filter(|seed| *seed > 0).into_iter().chain(1..=most);
            let mut found = seeds.filter_map(|seed| {
                let ran = run(&runtime, seed, STEPS, Some(*defect));
                Some((ran.lines, seed, ran.broken?))
            });
            match found.next() {
                Some((lines, seed, (step, broken))) => {
                    println!("{defect:?} ({whose}): seed {seed}, step {step}: {broken}");
                    if only.is_some() {
                        println!("{}", lines.join("\n"));
                    }
                }
                None => silent.lock().expect("no panic").push(*defect),
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(work);
        }
    });
    let silent = silent.into_inner().expect("no panic");
    assert!(silent.is_empty(), "not found by {most} seeds: {silent:?}");
}
