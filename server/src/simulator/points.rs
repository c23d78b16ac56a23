//! Crash points over many seeds: a simulated process has died at every one that it comes by. What
//! it never comes by is named here with why, and dies in a process of its own, in `tests/chaos`.

use super::STEPS;
use crate::fault;
use std::collections::BTreeMap;

/// So many seeds pass every point often enough.
const ENOUGH: usize = 1_000;
/// The same for [`RARE`].
const ENOUGH_FOR_RARE: usize = 10_000;

/// Points of which two thousand seeds may miss one: a night that finds a difference is one in some
/// hundred, and the process has to die in it just there. A real process does in every run of the
/// tests.
const RARE: [&str; 2] = ["case.before", "case.after"];

/// What a simulated process never comes by, point or transaction, and why.
const ONLY_REAL: [(&str, &str); 16] = [
    ("lease", "a step checks the books and audits at once, with nobody to share that with"),
    ("audit", "the whole audit reads; what a watch keeps of it is a server's"),
    ("release", "a process is begun before it can be told to die"),
    ("turn", "no loop runs: a step does what a server would in its turn"),
    ("retry", "nothing goes wrong on our own side but that the process dies"),
    ("customer", "who they are at the gateway is known before anything can die, and stays so"),
    ("webhook.before", "of the sandbox's events none is kept, only Stripe's are"),
    ("webhook.after", "the same"),
    ("messages", "nobody sends what is told: the checks read it where it waits"),
    ("message", "the same"),
    ("sweep", "no step sweeps"),
    ("prepared", "the database is a copy of one that is made once for all seeds"),
    ("migration", "the same"),
    ("backup", "a command's, about the file"),
    ("restore", "the same"),
    ("restored", "the same"),
];

fn is_of(point: &str, name: &str) -> bool {
    point.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn is_only_real(point: &str) -> bool {
    ONLY_REAL.iter().any(|(name, _)| is_of(point, name))
}

/// The points that so many seeds should have died at, and none did.
fn missed(seeds: usize, died_at: &BTreeMap<&str, u64>) -> Vec<String> {
    let expected = |point: &String| {
        let rare = RARE.contains(&point.as_str());
        !is_only_real(point) && seeds >= if rare { ENOUGH_FOR_RARE } else { ENOUGH }
    };
    let missed = |point: &String| expected(point) && !died_at.contains_key(point.as_str());
    fault::names().into_iter().filter(missed).collect()
}

/// Checks where so many seeds of so many steps died, and how often at each.
pub(super) fn check(seeds: usize, steps: u64, died_at: &BTreeMap<&str, u64>) {
    let real: Vec<_> = died_at.keys().filter(|point| is_only_real(point)).collect();
    assert!(real.is_empty(), "a simulated process does come by {real:?}");
    if steps >= STEPS {
        let missed = missed(seeds, died_at);
        assert!(missed.is_empty(), "of {seeds} seeds none died at {missed:?}");
    }
}

#[test]
fn a_point_that_no_seed_died_at_is_missed_once_there_were_enough() {
    let names = fault::names();
    for (name, _) in ONLY_REAL {
        assert!(names.iter().any(|point| is_of(point, name)), "there is no {name}");
    }
    for name in RARE {
        assert!(names.iter().any(|point| point == name), "there is no {name}");
    }
    let all: BTreeMap<&str, u64> = names.iter().map(|point| (point.as_str(), 1)).collect();
    assert_eq!(missed(ENOUGH_FOR_RARE, &all), Vec::<String>::new());
    assert_eq!(missed(ENOUGH - 1, &BTreeMap::new()), Vec::<String>::new());
    let few = missed(ENOUGH, &BTreeMap::new());
    assert!(few.len() > 40 && !few.iter().any(|point| RARE.contains(&point.as_str())), "{few:?}");
    for point in missed(ENOUGH_FOR_RARE, &BTreeMap::new()) {
        let mut others = all.clone();
        others.remove(point.as_str());
        assert_eq!(missed(ENOUGH_FOR_RARE, &others), [point]);
    }
}
