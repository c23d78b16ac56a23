//! The most a rule can take: over any usage, gap, method, outcome and outage, from empty history,
//! at the consented price, gross of refunds, per local day, calendar month and twelve calendar
//! months. It is computed from the rule, not stepped: stepping one usage would understate what
//! another makes it do. `core/tests/bound.rs` proves it against `decide`.
//!
//! `bound/count.rs` says how many recharges a stretch of time can hold, `bound/size.rs` what so
//! many of them come to under a cap. It is never too low; `docs/rules.md` says what it takes as
//! given, and for which rules it is more than can happen.

mod count;
mod size;

use crate::decide::{Account, Period};
use crate::money::Money;
use crate::rule::Rule;
use crate::time::Instant;
use crate::zone::Zone;
use count::Counts;
use serde::{Deserialize, Serialize};
use size::Sizes;

/// The worst case, per local day, calendar month and twelve calendar months.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bound {
    /// In one recharge.
    pub per_recharge: Money,
    /// In one local day, a day of 25 h included.
    pub per_day: Money,
    /// In one local calendar month.
    pub per_month: Money,
    /// In twelve calendar months.
    pub per_year: Money,
}

/// The most this rule can take. *Units*: minor units of the line's currency. Its switch, a pause
/// and a skip make no difference: the customer can change each without agreeing anew.
pub fn bound(rule: &Rule, account: &Account) -> Bound {
    let (zone, sizes) = (&account.zone, Sizes::of(rule));
    let counts = Counts::of(rule, account);
    let (mut in_a_day, mut per_month, mut per_year) = (0, 0, 0);
    for day in stretches(counts.life, zone, Zone::next_day) {
        in_a_day = counts.most(day).max(in_a_day);
    }
    let mut months: Vec<(Instant, i64)> = Vec::new();
    for Period { from, until } in stretches(counts.life, zone, Zone::next_month) {
        let taken = sizes.most(counts.most(Period { from, until }));
        per_month = taken.max(per_month);
        months.push((from, taken));
        let (mut begins, mut capped) = (from, 0_i64);
        for (from, taken) in months.iter().rev().take(12) {
            (begins, capped) = (*from, capped.saturating_add(*taken));
        }
        // Why: each month has its own cap, and a year may hold fewer than its months one by one.
        let together = sizes.uncapped(counts.most(Period { from: begins, until }));
        per_year = capped.min(together).max(per_year);
    }
    let money = |minor: i64| Money::new(minor, account.terms.currency());
    Bound {
        per_recharge: money(sizes.most(1).min(per_month)),
        per_day: money(sizes.most(in_a_day)),
        per_month: money(per_month),
        per_year: money(per_year),
    }
}

/// A life cut where `next` cuts it: into its days or its months, of which the first and the last
/// may be parts.
fn stretches(
    life: Period,
    zone: &Zone,
    next: fn(&Zone, Instant) -> Instant,
) -> impl Iterator<Item = Period> {
    let mut from = life.from;
    std::iter::from_fn(move || {
        let stretch = Period { from, until: next(zone, from).min(life.until) };
        from = stretch.until;
        (stretch.from < stretch.until).then_some(stretch)
    })
}
