//! `bound` is what it says: a second, naive one agrees on thousands of rules, and in small worlds
//! everything that can happen is tried on the real `decide`: nothing takes more, and something
//! takes as much, but in the classes of rules that `docs/rules.md` names.
//!
//! `LAIKA_BOUNDS=100000 cargo test -p laika-core --test all bound` compares so many rules instead
//! of 10,000 and searches a hundredth as many random worlds; `-- --nocapture` prints the figures.

mod oracle;
mod rules;
mod search;
mod worlds;

use crate::oracle::calendar;
use crate::parity::Dice;
use laika_core::decide::Account;
use laika_core::forecast::{Bound, bound};
use laika_core::rule::{Amount, Rule};
use worlds::Small;

/// How many rules are compared. WASM has the same code, and less time.
const RULES: u64 = if cfg!(target_arch = "wasm32") { 500 } else { 10_000 };
/// A random world with more states than this is left.
const STATES: usize = 3_000;

fn number() -> u64 {
    let asked = std::env::var("LAIKA_BOUNDS").ok();
    asked.map_or(RULES, |number| number.parse().expect("how many rules"))
}

fn minor(bound: Bound) -> oracle::Most {
    let Bound { per_recharge, per_day, per_month, per_year } = bound;
    [per_recharge, per_day, per_month, per_year].map(|money| money.amount_minor)
}

/// In a day, in a month, in all.
fn said(small: &Small) -> [i64; 3] {
    let [_, day, month, all] = minor(bound(&small.world.rule, &small.world.account));
    [day, month, all]
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn a_second_bound_agrees() {
    let zones = rules::Zones::read();
    let mut dice = Dice(2026);
    let mut none = 0;
    for _ in 0..number() {
        let (rule, account) = rules::rule(&mut dice, &zones);
        let (first, second) = (minor(bound(&rule, &account)), oracle::most(&rule, &account));
        assert_eq!(first, second, "{rule:?} told {} h before", account.notice_lead_hours);
        none += u64::from(first[3] == 0);
    }
    println!("{} bounds agree, {none} of them are nothing", number());
    assert!(none * 4 < number(), "{none} of the rules can take nothing");
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn nothing_that_can_happen_takes_more_and_something_takes_as_much() {
    let (mut worlds, mut states) = (0, 0);
    for row in worlds::rows() {
        let small = worlds::read(row);
        let found = small.search(usize::MAX).expect("all of it");
        assert_eq!(said(&small), small.bound, "bound of {row}");
        assert_eq!(found.most, small.found, "found in {row}");
        holds(row, &small, found.most);
        (worlds, states) = (worlds + 1, states + found.states);
    }
    println!("{worlds} worlds, {states} states");
    assert!(worlds > 20, "only {worlds} worlds were read");
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn nor_does_it_in_random_worlds() {
    let mut dice = Dice(7);
    let (mut exact, mut classed, mut big) = (0, 0, 0);
    for _ in 0..number() / 100 {
        let row = worlds::random(&mut dice);
        let small = worlds::read(&row);
        let Some(found) = small.search(STATES) else {
            big += 1;
            continue;
        };
        holds(&row, &small, found.most);
        if may_say_more(&small.world.rule, &small.world.account).is_none() {
            exact += 1;
        } else {
            classed += 1;
        }
    }
    println!("{exact} random worlds take just as much, {classed} no more; {big} were too big");
    assert!(exact * 400 > number(), "only {exact} were searched");
}

/// Nothing takes more; something takes as much, unless the rule is in a class that may say more.
fn holds(row: &str, small: &Small, found: [i64; 3]) {
    let said = said(small);
    assert!(said.iter().zip(found).all(|(said, found)| found <= *said), "{found:?} in {row}");
    if may_say_more(&small.world.rule, &small.world.account).is_none() {
        let capped = small.world.rule.limits.cap_per_month.is_some();
        assert_eq!(said[..2], found[..2], "{row}");
        assert!(capped || said[2] == found[2], "{found:?} in {row}");
    }
}

/// Why a bound may be more than can happen: the classes of `docs/rules.md`, but for the one that
/// is about twelve months.
fn may_say_more(rule: &Rule, account: &Account) -> Option<&'static str> {
    let (triggers, limits) = (&rule.triggers, &rule.limits);
    let hours = |days: u32| 24 * i64::from(days);
    let lead = i64::from(account.notice_lead_hours);
    let cool_down = i64::from(limits.cool_down_minutes) / 60;
    let apart = match (&triggers.scheduled, triggers.expiring_days, rule.step) {
        _ if triggers.low_balance.is_some() => cool_down,
        (Some(_), Some(_), _) => return Some("dates beside expiries"),
        (Some(schedule), None, _) => hours(calendar::gap_days(schedule)),
        (None, Some(before), Some(step)) => lead.max(hours(step.validity_days - before)),
        (None, ..) => return None,
    };
    let dated = triggers.scheduled.is_some() || triggers.expiring_days.is_some();
    let target = matches!(rule.amount, Amount::Target { .. }) && limits.cap_per_month.is_some();
    if triggers.low_balance.is_some() && dated && target {
        return Some("small recharges by date in a month that may have none");
    }
    let by_date = triggers.low_balance.is_none() && triggers.scheduled.is_some();
    if by_date && apart <= 72 + lead {
        return Some("dates close together");
    }
    if apart < cool_down {
        return Some("a long cool-down");
    }
    if by_date {
        return None;
    }
    let binds = |most: i64| most * apart > 23 && (most - 1) * cool_down < 25;
    let count = limits.max_per_day.filter(|most| binds(i64::from(*most)));
    count.map(|_| "a count per day that cool-downs do not fit in")
}
