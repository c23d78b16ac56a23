//! `tests/cases/bound.txt`: the small worlds that are searched. A row says what the rule is; the
//! instants at which something may happen follow from it: its first, each midnight, each date and
//! its announcement, each end of a pause, and what the row adds. Rows are also made by dice.

use super::search::World;
use crate::cases::{money, world, zone};
use crate::parity::Dice;
use chrono::{Days, NaiveDate, NaiveDateTime};
use laika_core::bytes::Bytes;
use laika_core::decide::{Account, Period};
use laika_core::rule::{Amount, Rule, Threshold};
use laika_core::schedule::{Schedule, TimeOfDay, Unit, Weekday};
use laika_core::time::{Instant, Span};
use laika_core::zone::first_of_month;
use std::collections::BTreeSet;

const TABLE: &str = include_str!("../../../tests/cases/bound.txt");

/// A row: a world, and what is expected of it in minor units, in a day, a month and in all.
pub(crate) struct Small {
    pub(crate) world: World,
    /// What `bound` says.
    pub(crate) bound: [i64; 3],
    /// What a search finds.
    pub(crate) found: [i64; 3],
    until: Instant,
}

/// What a search of it found.
pub(crate) struct Found {
    pub(crate) most: [i64; 3],
    pub(crate) states: usize,
}

pub(crate) fn rows() -> impl Iterator<Item = &'static str> {
    TABLE.lines().filter(|line| !line.starts_with('#') && !line.is_empty())
}

/// A row as the dice fall; what is expected of it is not in it.
pub(crate) fn random(dice: &mut Dice) -> String {
    let (name, month_end) = one(dice, &ENDS);
    let hour = dice.roll(24);
    let from = month_end.parse::<NaiveDate>().expect("a date") - Days::new(dice.roll(3));
    let by_use = ["low 1", "low 1", "low 1 + days 1 09:00", "low 1 + expiring 1 of 2"];
    let by_date = ["days 5 09:00", "weeks 1 MO 22:00", "months 1 31 23:30", "days 6 00:00"];
    let by_expiry = ["expiring 1 of 2", "expiring 2 of 4", "expiring 1 of 3"];
    let (when, days) = match dice.roll(4) {
        0 | 1 => (one(dice, &by_use), 1),
        2 => (one(dice, &by_date), 7 + dice.roll(4)),
        _ => (one(dice, &by_expiry), 2 + dice.roll(3)),
    };
    let amount = one(dice, &["2 GB", "to 2 GB", "to 3 GB", "to 4 GB"]);
    let cap = one(dice, &["-", "-", "12.00", "15.00", "20.00"]);
    let a_day = one(dice, &["-", "-", "1", "2", "3"]);
    let pause = one(dice, &["10", "12", "16", "36"]);
    let told = one(dice, &["24", "24", "24", "30"]);
    let to = from + Days::new(days);
    let when = [when, amount, cap, a_day, pause, told, name].join(" | ");
    format!("{when} | {from}T{hour:02}:00 | {to} | | 0.00 | 0.00 | 0.00")
}

/// Where a month ends, and where a clock changes.
const ENDS: [(&str, &str); 4] = [
    ("Asia/Shanghai", "2026-11-30"),
    ("Europe/Madrid", "2026-10-25"),
    ("Europe/Madrid", "2027-03-28"),
    ("Etc/UTC", "2027-02-28"),
];

fn one<T: Copy>(dice: &mut Dice, of: &[T]) -> T {
    of[dice.roll(of.len() as u64) as usize]
}

fn gb(number: u64) -> Bytes {
    Bytes::GB.checked_mul(number).expect("few bytes")
}

fn number(text: &str) -> u32 {
    text.parse().unwrap_or_else(|_| panic!("{text:?} is no number"))
}

/// Reads a row.
pub(crate) fn read(row: &str) -> Small {
    let cells: Vec<&str> = row.split('|').map(str::trim).collect();
    let [when, amount, cap, a_day, pause, told, name, from, to, looks, day, month, all] = cells[..]
    else {
        panic!("{row}")
    };
    let (mut rule, mut account, _) = world();
    account.zone = zone(name);
    account.notice_lead_hours = number(told);
    let local = NaiveDateTime::parse_from_str(from, "%Y-%m-%dT%H:%M").expect("a local time");
    rule.armed_at = account.zone.instant(local);
    let last: NaiveDate = to.parse().expect("a date");
    rule.limits.ends_on = Some(last);
    rule.limits.cap_per_month = (cap != "-").then(|| money(cap));
    rule.limits.max_per_day = (a_day != "-").then(|| number(a_day));
    rule.limits.cool_down_minutes = minutes(pause) as u32;
    rule.amount = match amount.trim_end_matches(" GB").strip_prefix("to ") {
        Some(target) => Amount::Target { bytes: gb(u64::from(number(target))) },
        None => Amount::FixedData { bytes: gb(u64::from(number(amount.trim_end_matches(" GB")))) },
    };
    when.split(" + ").for_each(|trigger| add(trigger, &mut rule, &mut account));
    let until = account.zone.start_of_day(last + Days::new(1));
    // Why: a world is copied for every thing that is tried.
    let near = |at: i64| (rule.armed_at.seconds() - 86_400..until.seconds() + 86_400).contains(&at);
    account.zone.first_offset_s = account.zone.offset_s(rule.armed_at.minus(Span::days(1)));
    account.zone.transitions.retain(|change| near(change.0));
    let world =
        World { left: left(&rule), grid: grid(&rule, &account, until, looks), rule, account };
    let expected = [day, month, all].map(|cell| {
        let (bound, found) = cell.split_once(" > ").unwrap_or((cell, cell));
        [bound, found].map(|text| money(text).amount_minor)
    });
    let (bound, found) = (expected.map(|of| of[0]), expected.map(|of| of[1]));
    Small { world, bound, found, until }
}

/// So many hours, in minutes; a part of one after a point.
fn minutes(hours: &str) -> i64 {
    let (whole, part) = hours.split_once('.').unwrap_or((hours, "0"));
    let part = number(part) * 60 / 10_u32.pow(part.len() as u32);
    i64::from(number(whole)) * 60 + i64::from(part)
}

fn add(trigger: &str, rule: &mut Rule, account: &mut Account) {
    let words: Vec<&str> = trigger.split(' ').collect();
    let mut schedule = |every: &str, unit: Unit, at: &str| {
        let start = NaiveDate::from_ymd_opt(2026, 1, 1).expect("a date");
        let at = TimeOfDay::parse(at).expect("a time");
        rule.triggers.scheduled = Some(Schedule { every: number(every), unit, at, start });
    };
    match words[..] {
        ["low", left] => {
            let bytes = gb(u64::from(number(left)));
            rule.triggers.low_balance = Some(Threshold::Data { bytes });
        }
        ["days", every, at] => schedule(every, Unit::Day, at),
        ["months", every, day, at] => schedule(every, Unit::Month { day: number(day) }, at),
        ["weeks", every, days, at] => {
            let day = |day: &str| serde_json::from_str::<Weekday>(&format!("{day:?}"));
            let weekdays = days.split(',').map(|name| day(name).expect("a weekday")).collect();
            schedule(every, Unit::Week { weekdays }, at);
        }
        ["expiring", before, "of", validity] => {
            rule.triggers.expiring_days = Some(number(before));
            rule.step.as_mut().expect("a step").validity_days = number(validity);
            account.terms.step = rule.step;
        }
        ["from", date] => rule.limits.starts_on = Some(date.parse().expect("a date")),
        _ => panic!("what is {trigger:?}?"),
    }
}

/// How much may be left: whole steps below a target, or nothing.
fn left(rule: &Rule) -> Vec<Bytes> {
    match rule.amount {
        Amount::Target { bytes } => (0..).map(gb).take_while(|left| *left < bytes).collect(),
        Amount::FixedData { .. } | Amount::FixedCredit(_) => vec![Bytes::ZERO],
    }
}

/// The instants at which something may happen.
fn grid(rule: &Rule, account: &Account, until: Instant, looks: &str) -> Vec<Instant> {
    let (zone, from) = (&account.zone, rule.armed_at);
    let hours = |text: &str| -> Vec<Instant> {
        text.split_whitespace().map(|hours| from.plus(Span::minutes(minutes(hours)))).collect()
    };
    if let Some(only) = looks.strip_prefix("only ") {
        return hours(only);
    }
    let mut grid: BTreeSet<Instant> = hours(looks).into_iter().chain([from]).collect();
    let midnights = std::iter::successors(Some(from), |at| Some(zone.next_day(*at)));
    let midnights: Vec<Instant> = midnights.take_while(|at| *at < until).collect();
    grid.extend(&midnights);
    let lead = Span::hours(i64::from(account.notice_lead_hours));
    let mut chain = |first: Instant, apart: Span| {
        let times = std::iter::successors(Some(first), |at| Some(at.plus(apart)));
        grid.extend(times.take_while(|at| *at < until));
    };
    if rule.triggers.low_balance.is_some() {
        midnights.iter().for_each(|at| chain(*at, rule.limits.cool_down()));
    }
    if let (Some(days), Some(step)) = (rule.triggers.expiring_days, rule.step) {
        let apart = Span::days(i64::from(step.validity_days) - i64::from(days));
        let apart = Span(apart.0.max(lead.0));
        midnights.iter().for_each(|at| chain(at.plus(lead), apart));
        midnights.iter().for_each(|at| chain(at.plus(apart), apart));
    }
    if let Some(schedule) = &rule.triggers.scheduled {
        grid.insert(from.plus(lead));
        let dates = schedule.upcoming(from, zone).take_while(|at| *at < until);
        grid.extend(dates.flat_map(|at| [at, Instant::from_micros(at.micros() - lead.0)]));
    }
    grid.into_iter().filter(|at| (from..until).contains(at)).collect()
}

impl Small {
    /// The most that can be taken in any of its days, any of its months, and in all; nothing when
    /// it has more states than so many.
    pub(crate) fn search(&self, states: usize) -> Option<Found> {
        let zone = &self.world.account.zone;
        let (rule, grid) = (&self.world.rule, &self.world.grid);
        let day = |at: &Instant| (zone.start_of_day(zone.date(*at)), zone.next_day(*at));
        let month = |at: &Instant| {
            (zone.start_of_day(first_of_month(zone.date(*at))), zone.next_month(*at))
        };
        let days: BTreeSet<_> = grid.iter().map(day).collect();
        let months: BTreeSet<_> = grid.iter().map(month).collect();
        let all = (Instant::MIN, self.until);
        let stretches = days.iter().chain(&months).copied().chain([all]);
        let stretches: Vec<Period> =
            stretches.map(|(from, until)| Period { from, until }).collect();
        // The line's own data expires latest just when that is announced, or never.
        let days_before = rule.triggers.expiring_days.map(|days| Span::days(i64::from(days)));
        let ends = grid.iter().filter_map(|at| Some(Some(at.plus(days_before?))));
        let ends: Vec<Option<Instant>> = ends.chain([None]).collect();
        let found = self.world.most_in(&stretches, &ends, states)?;
        let most = |of: &[i64]| of.iter().copied().max().unwrap_or(0);
        let (by_day, rest) = found.most_minor.split_at(days.len());
        let (by_month, all) = rest.split_at(months.len());
        Some(Found { most: [most(by_day), most(by_month), most(all)], states: found.states })
    }
}
