//! The most a rule can take: over any usage, any gap and any outcome, from empty history, at the
//! consented price, gross of refunds. It is computed from the rule, not stepped: stepping one
//! usage would understate what another makes it do.

use crate::decide::{Account, largest_recharge};
use crate::money::Money;
use crate::rule::{Amount, Rule, Threshold};
use serde::{Deserialize, Serialize};

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

/// Minutes of the longest local day: two clock changes never meet in one.
const LONGEST_DAY_MINUTES: i64 = 25 * 60;
/// Days of the longest month, and of twelve months with a leap day.
const LONGEST_MONTH_DAYS: i64 = 31;
const LONGEST_YEAR_DAYS: i64 = 366;

/// The most this rule can take. *Units*: minor units of the line's currency.
pub fn bound(rule: &Rule, account: &Account) -> Bound {
    let currency = account.terms.currency();
    let largest = largest_recharge(rule, account).map_or(0, |(cost, _)| cost.amount_minor);
    let cap = rule.limits.cap_per_month.map(|cap| cap.amount_minor);
    let sizes = Sizes::of(rule, account, largest);
    let day_count = most_in_a_day(rule);
    let month_count = most_in(rule, LONGEST_MONTH_DAYS, 1, day_count);
    let year_count = most_in(rule, LONGEST_YEAR_DAYS, 12, day_count);
    let per_month = sizes.most(month_count, cap);
    // Why: each of the twelve months has its own cap, and the count over a year may be less than
    // twelve times that of the longest month.
    let per_year = sizes.most(year_count, None).min(per_month.saturating_mul(12));
    let money = |minor: i64| Money::new(minor, currency);
    Bound {
        per_recharge: money(largest),
        per_day: money(sizes.most(day_count, cap)),
        per_month: money(per_month),
        per_year: money(per_year),
    }
}

/// What one recharge can cost: from `least` to `largest`, in steps of `unit`.
struct Sizes {
    unit: i64,
    least: i64,
    largest: i64,
}

impl Sizes {
    fn of(rule: &Rule, account: &Account, largest: i64) -> Sizes {
        let step = account.terms.step;
        match (rule.amount, step) {
            (Amount::Target { bytes: target }, Some(step)) => {
                // Why: by threshold alone the gap is at least target - threshold; by date it may be
                // a single byte. Sizes change only the reachable sums under a cap.
                let by_date =
                    rule.triggers.scheduled.is_some() || rule.triggers.expiring_days.is_some();
                let steps = match rule.triggers.low_balance {
                    Some(Threshold::Data { bytes }) if !by_date => {
                        target.minus(bytes).steps_up(step.bytes).unwrap_or(1)
                    }
                    Some(_) | None => 1,
                };
                let unit = step.price.amount_minor;
                let least = i64::try_from(steps).unwrap_or(1).saturating_mul(unit);
                Sizes { unit, least: least.min(largest), largest }
            }
            (Amount::FixedCredit(_) | Amount::FixedData { .. } | Amount::Target { .. }, _) => {
                Sizes { unit: largest, least: largest, largest }
            }
        }
    }

    /// The most that so many recharges come to within a cap.
    fn most(&self, count: i64, cap: Option<i64>) -> i64 {
        let free = self.largest.saturating_mul(count);
        let Some(cap) = cap.filter(|cap| *cap < free) else { return free };
        let fitting = cap.checked_div(self.unit).unwrap_or(0).saturating_mul(self.unit);
        // Why: n recharges come to any multiple of the unit from n * least to n * largest; the most
        // recharges that fit under the cap reach furthest.
        let recharges = fitting.checked_div(self.least).unwrap_or(0).min(count);
        fitting.min(self.largest.saturating_mul(recharges))
    }
}

/// How many recharges a day can have.
fn most_in_a_day(rule: &Rule) -> i64 {
    let apart = i64::from(rule.limits.cool_down_minutes.max(1));
    // Why: openings at the first instant of the day and every `apart` minutes after it.
    let by_pause = LONGEST_DAY_MINUTES
        .saturating_add(apart)
        .saturating_sub(1)
        .checked_div(apart)
        .unwrap_or(LONGEST_DAY_MINUTES);
    let by_count = rule.limits.max_per_day.map_or(by_pause, i64::from);
    by_pause.min(by_count)
}

/// How many recharges so many days in so many months can have.
fn most_in(rule: &Rule, days: i64, months: i64, day_count: i64) -> i64 {
    let by_days = day_count.saturating_mul(days);
    let only_by_date = rule.triggers.low_balance.is_none() && rule.triggers.expiring_days.is_none();
    match &rule.triggers.scheduled {
        Some(schedule) if only_by_date => {
            let dates = dates_in(schedule, days, months);
            by_days.min(dates)
        }
        Some(_) | None => by_days,
    }
}

/// The most instants of a schedule that such a stretch can hold. One that waited out a pause, a
/// window or an announcement may be charged in it as well.
fn dates_in(schedule: &crate::schedule::Schedule, days: i64, months: i64) -> i64 {
    use crate::schedule::Unit;
    let every = i64::from(schedule.every.max(1));
    let spans = |length: i64, each: i64| {
        let period = length.saturating_mul(every);
        let partly = days.saturating_add(period).saturating_sub(1);
        partly.checked_div(period).unwrap_or(days).saturating_mul(each)
    };
    let within = match &schedule.unit {
        Unit::Day => spans(1, 1),
        Unit::Week { weekdays } => {
            // Why: a month may begin within one counted week and end within another.
            let each = i64::try_from(weekdays.len()).unwrap_or(7);
            spans(7, each).saturating_add(each).min(days)
        }
        Unit::Month { .. } => {
            let partly = months.saturating_add(every).saturating_sub(1);
            partly.checked_div(every).unwrap_or(months)
        }
    };
    within.saturating_add(1)
}
