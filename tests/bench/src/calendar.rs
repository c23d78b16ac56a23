//! The next twelve instants of 300 schedules, by the rules and by walking day after day: the plain
//! way, which is the measure beside it. Both must come to what the vectors say.

use crate::worlds::zone;
use chrono::{Datelike, Days, NaiveDate};
use laika_core::api::query::{ScheduleAnswer, ScheduleQuery};
use laika_core::schedule::{Schedule, Unit};
use laika_core::time::Instant;
use laika_core::zone::Zone;
use std::collections::BTreeMap;
use std::hint::black_box;

const VECTORS: &str = include_str!("../../vectors/schedules.jsonl");
const COUNT: usize = 12;

struct Case {
    query: ScheduleQuery,
    zone: Zone,
}

thread_local! {
    static CASES: Vec<Case> = cases();
}

fn cases() -> Vec<Case> {
    let mut zones: BTreeMap<String, Zone> = BTreeMap::new();
    let case = |line: &str| {
        let query: ScheduleQuery = serde_json::from_str(line).expect("a query");
        let answer: ScheduleAnswer = serde_json::from_str(line).expect("an answer");
        let name = query.time_zone.clone();
        let zone = zones.entry(name).or_insert_with_key(|name| zone(name)).clone();
        let case = Case { query, zone };
        assert_eq!(next(&case), answer.next, "{line}");
        assert_eq!(walk(&case), answer.next, "{line}");
        case
    };
    VECTORS.lines().map(case).collect()
}

/// By the rules: all 300 schedules, so many times.
pub(crate) fn by_rule(rounds: u64) -> u64 {
    every_case(rounds, next)
}

/// By walking: the same.
pub(crate) fn by_day(rounds: u64) -> u64 {
    every_case(rounds, walk)
}

/// By the rules: one schedule, so many times.
pub(crate) fn one(number: u64, rounds: u64) -> u64 {
    CASES.with(|cases| {
        let case = &cases[usize::try_from(number).expect("a small number")];
        (0..rounds).fold(0, |sum, _| next(black_box(case)).into_iter().fold(sum, add))
    })
}

fn every_case(rounds: u64, way: impl Fn(&Case) -> Vec<Instant>) -> u64 {
    CASES.with(|cases| {
        let cases = (0..rounds).flat_map(|_| cases);
        cases.fold(0, |sum, case| way(black_box(case)).into_iter().fold(sum, add))
    })
}

fn next(case: &Case) -> Vec<Instant> {
    case.query.schedule.upcoming(case.query.after, &case.zone).take(COUNT).collect()
}

fn add(sum: u64, at: Instant) -> u64 {
    sum.rotate_left(7) ^ at.seconds() as u64
}

fn walk(case: &Case) -> Vec<Instant> {
    let Case { query: ScheduleQuery { schedule, after, .. }, zone } = case;
    let mut date = zone.date(*after).max(schedule.start);
    let mut found = vec![];
    while found.len() < COUNT {
        if falls_on(schedule, date) {
            found.push(zone.instant(date.and_time(schedule.at.time())));
            found.retain(|at| at > after);
        }
        date = date + Days::new(1);
    }
    found
}

fn falls_on(schedule: &Schedule, date: NaiveDate) -> bool {
    let start = schedule.start;
    let every = i64::from(schedule.every);
    match &schedule.unit {
        Unit::Day => (date - start).num_days() % every == 0,
        Unit::Week { weekdays } => {
            let monday = start.week(chrono::Weekday::Mon).first_day();
            let weekday = date.weekday().num_days_from_monday();
            (date - monday).num_days() / 7 % every == 0
                && weekdays.iter().any(|day| day.days_from_monday() == weekday)
        }
        Unit::Month { day } => {
            let months = |d: NaiveDate| i64::from(d.year()) * 12 + i64::from(d.month0());
            let last = u32::from(date.num_days_in_month());
            (months(date) - months(start)) % every == 0 && date.day() == (*day).min(last)
        }
    }
}
