//! A second bound, slow and plain, from `rules.md` and the section of `docs/rules.md` that says
//! what a bound counts. It goes through every day of a rule's life, steps from one opening to the
//! next, asks every date, and tries every sum of sizes; it shares no code with the first.

use crate::oracle::calendar;
use chrono::{Days, NaiveDate};
use laika_core::decide::{Account, MethodFacts};
use laika_core::rule::{Amount, Rule, Threshold};
use laika_core::time::Instant;
use laika_core::zone::Zone;
use std::collections::BTreeMap;

const DAY: i64 = 24 * 3_600_000_000;

/// In one recharge, a day, a month and twelve months, in minor units.
pub(crate) type Most = [i64; 4];

/// A rule's life in plain figures; times are microseconds, stretches have no end in them.
struct Plain {
    begins: i64,
    ends: i64,
    /// Its local days and months.
    days: Vec<(i64, i64)>,
    months: Vec<(i64, i64)>,
    cool_down: i64,
    per_day: Option<i64>,
    by_use: bool,
    /// Each date, when it is due at the earliest, and when it is over.
    dates: Vec<(i64, i64, i64)>,
    /// When the first one before an expiry can come, and how far apart they are.
    expiries: Option<(i64, i64)>,
    largest: i64,
    /// Under the cap: every sum there is, with the fewest recharges that come to it.
    sums: Option<BTreeMap<i64, i64>>,
}

/// What `bound` should say.
pub(crate) fn most(rule: &Rule, account: &Account) -> Most {
    let plain = Plain::of(rule, account);
    let in_a_day = plain.days.iter().map(|day| plain.count(*day)).max().unwrap_or(0);
    let by_month: Vec<i64> = plain.months.iter().map(|m| plain.sum(plain.count(*m))).collect();
    let per_month = by_month.iter().copied().max().unwrap_or(0);
    let mut per_year = 0;
    let twelve = by_month.len().clamp(1, 12);
    for first in 0..=plain.months.len().saturating_sub(twelve) {
        let Some(last) = plain.months.get(first + twelve - 1) else { break };
        let one_by_one: i64 = by_month[first..first + twelve].iter().sum();
        let together = plain.count((plain.months[first].0, last.1)) * plain.largest;
        per_year = per_year.max(one_by_one.min(together));
    }
    [plain.sum(1).min(per_month), plain.sum(in_a_day), per_month, per_year]
}

/// The announcement's length, by the account's lead and each method's own.
fn lead(rule: &Rule, account: &Account) -> i64 {
    let named = |method: &&MethodFacts| rule.payment_methods.contains(&method.id);
    let methods = account.payment_methods.iter().filter(named);
    let own = i64::from(account.notice_lead_hours) * 3_600_000_000;
    methods.map(|method| method.rail.longest_wait().0).fold(own, i64::max)
}

/// The cycle and the night that the slowest method waits for.
fn waits(rule: &Rule, account: &Account) -> i64 {
    let named = |method: &&MethodFacts| rule.payment_methods.contains(&method.id);
    let wait = |method: &MethodFacts| {
        let rail = method.rail.facts();
        let cycle = method.agreement.map_or(0, |agreed| agreed.cycle_days.max(rail.cycle_days));
        (i64::from(cycle) + i64::from(rail.hours.is_some())) * DAY
    };
    account.payment_methods.iter().filter(named).map(wait).max().unwrap_or(0)
}

impl Plain {
    fn of(rule: &Rule, account: &Account) -> Plain {
        let (zone, limits) = (&account.zone, &rule.limits);
        let start = |date: NaiveDate| calendar::start_of(zone, date).micros();
        let armed = rule.armed_at.micros();
        let begins = limits.starts_on.map_or(armed, |date| armed.max(start(date)));
        let ten_years = begins + 3653 * DAY;
        let ends =
            limits.ends_on.map_or(ten_years, |date| ten_years.min(start(date + Days::new(1))));
        let told = begins + lead(rule, account);
        let mut dates = Vec::new();
        if let Some(schedule) = &rule.triggers.scheduled {
            let last = calendar::date(zone, Instant::from_micros(ends));
            for at in calendar::instants(schedule, zone, last).map(Instant::micros) {
                if at > armed && at >= begins {
                    let over = at + 3 * DAY + lead(rule, account) + waits(rule, account);
                    dates.push((at, at.max(told), over));
                }
            }
        }
        let apart = |before: u32| {
            let validity = match (rule.amount, rule.step) {
                (Amount::FixedCredit(_), _) | (_, None) => 0,
                (_, Some(step)) => step.validity_days,
            };
            ((i64::from(validity) - i64::from(before)) * DAY).max(lead(rule, account))
        };
        let sizes = sizes(rule);
        Plain {
            begins,
            ends,
            days: stretches(begins, ends, zone, |date| date + Days::new(1)),
            months: stretches(begins, ends, zone, |date| calendar::month_of(date, 1)),
            cool_down: i64::from(limits.cool_down_minutes) * 60_000_000,
            per_day: limits.max_per_day.map(i64::from),
            by_use: rule.triggers.low_balance.is_some(),
            dates,
            expiries: rule.triggers.expiring_days.map(|days| (told, apart(days))),
            largest: sizes.iter().copied().max().unwrap_or(0),
            sums: limits.cap_per_month.map(|cap| sums(&sizes, cap.amount_minor)),
        }
    }

    /// How many recharges a stretch can hold.
    fn count(&self, (from, until): (i64, i64)) -> i64 {
        let until = until.min(self.ends);
        // One opened as soon as the rule could charge, and reserved anew in this stretch.
        let before = from > self.begins;
        let first = if before { from.max(self.begins + self.cool_down) } else { from };
        let mut most = i64::from(before) + steps(first, until, self.cool_down);
        if let Some(per_day) = self.per_day {
            let days = self.days.iter().filter(|day| from <= day.0 && day.0 < until);
            most = most.min(days.count() as i64 * per_day);
        }
        if self.by_use {
            return most;
        }
        let in_it = |(_, due, over): &&(i64, i64, i64)| *due < until && *over > from;
        let dated = self.dates.iter().filter(in_it).count() as i64;
        let expiring =
            self.expiries.map_or(0, |(first, apart)| steps(from.max(first), until, apart));
        most.min(dated + expiring)
    }

    /// The most that so many recharges of one month come to.
    fn sum(&self, count: i64) -> i64 {
        let Some(sums) = &self.sums else { return count * self.largest };
        let within = sums.iter().filter(|(_, fewest)| **fewest <= count);
        within.map(|(sum, _)| *sum).max().unwrap_or(0)
    }
}

/// One at the beginning, one after each distance, none at the end.
fn steps(from: i64, until: i64, apart: i64) -> i64 {
    // No distance is no limit.
    if apart == 0 && from < until {
        return i64::MAX / 4;
    }
    let mut count = 0;
    let mut at = from;
    while at < until {
        count += 1;
        at += apart;
    }
    count
}

/// The parts of a life between the starts of the dates that `next` gives.
fn stretches(
    begins: i64,
    ends: i64,
    zone: &Zone,
    next: impl Fn(NaiveDate) -> NaiveDate,
) -> Vec<(i64, i64)> {
    let mut date = calendar::date(zone, Instant::from_micros(begins));
    let mut found = Vec::new();
    let mut from = begins;
    while from < ends {
        date = next(date);
        let until = calendar::start_of(zone, date).micros().min(ends);
        found.push((from, until));
        from = until;
    }
    found
}

/// What one recharge can cost: for every amount that may be left, or none of it.
fn sizes(rule: &Rule) -> Vec<i64> {
    let costs = |wanted: u64| -> Option<i64> {
        let step = rule.step?;
        let price = step.price.amount_minor;
        let most = rule.limits.max_per_recharge.map_or(i64::MAX, |most| most.amount_minor);
        let bought = (1..=wanted as i64).take_while(|steps| steps * price <= most).last()?;
        Some(bought * price)
    };
    let step = rule.step.map_or(1, |step| step.bytes.get());
    match rule.amount {
        Amount::FixedCredit(money) => vec![money.amount_minor],
        Amount::FixedData { bytes } => costs(bytes.get() / step).into_iter().collect(),
        Amount::Target { bytes: target } => {
            let triggers = &rule.triggers;
            let by_date = triggers.scheduled.is_some() || triggers.expiring_days.is_some();
            let most_left = match triggers.low_balance {
                Some(Threshold::Data { bytes }) if !by_date => bytes.get(),
                _ => u64::MAX,
            };
            let lefts = (0..).map(|tenths: u64| tenths * step / 10);
            let lefts = lefts.take_while(|left| *left < target.get() && *left <= most_left);
            lefts.filter_map(|left| costs((target.get() - left).div_ceil(step))).collect()
        }
    }
}

/// Every sum of sizes within a cap, and the fewest recharges that come to it.
fn sums(sizes: &[i64], cap: i64) -> BTreeMap<i64, i64> {
    let mut fewest = BTreeMap::from([(0, 0)]);
    let mut newest = vec![0];
    for count in 1.. {
        let more = newest.iter().flat_map(|sum| sizes.iter().map(move |size| sum + size));
        let mut more: Vec<i64> = more.filter(|s| *s <= cap && !fewest.contains_key(s)).collect();
        more.sort_unstable();
        more.dedup();
        if more.is_empty() {
            break;
        }
        fewest.extend(more.iter().map(|sum| (*sum, count)));
        newest = more;
    }
    fewest
}
