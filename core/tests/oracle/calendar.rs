//! Local time and schedules, as slowly as they are defined: every transition is looked at, every
//! date is asked whether the schedule names it. Written from `rules.md`, not from the code.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime};
use laika_core::schedule::{Schedule, Unit};
use laika_core::time::Instant;
use laika_core::zone::Zone;

/// The last instant at or before `at` decides; before all of them it is the first offset.
fn offset_s(zone: &Zone, at_s: i64) -> i64 {
    let mut offset = zone.first_offset_s;
    for change in &zone.transitions {
        if change.0 <= at_s {
            offset = change.1;
        }
    }
    i64::from(offset)
}

/// What a clock on the wall shows.
fn local(zone: &Zone, at: Instant) -> NaiveDateTime {
    let wall_s = at.seconds() + offset_s(zone, at.seconds());
    DateTime::from_timestamp(wall_s, 0).expect("a time").naive_utc()
}

/// The date on the wall.
pub(crate) fn date(zone: &Zone, at: Instant) -> NaiveDate {
    local(zone, at).date()
}

/// The first instant at which the wall shows this; where it never does, the instant that the
/// offset before the change gives.
pub(crate) fn instant(zone: &Zone, wall: NaiveDateTime) -> Instant {
    let wall_s = wall.and_utc().timestamp();
    let mut offset = i64::from(zone.first_offset_s);
    for change in &zone.transitions {
        if wall_s - offset < change.0 {
            return Instant::from_seconds(wall_s - offset);
        }
        let next = i64::from(change.1);
        if wall_s - next < change.0 {
            // Neither before the change nor after it: skipped.
            return Instant::from_seconds(wall_s - offset);
        }
        offset = next;
    }
    Instant::from_seconds(wall_s - offset)
}

/// The first instant of a date.
pub(crate) fn start_of(zone: &Zone, date: NaiveDate) -> Instant {
    instant(zone, date.and_time(NaiveTime::MIN))
}

/// The first day of the month that is `months` later.
pub(crate) fn month_of(date: NaiveDate, months: i32) -> NaiveDate {
    let count = date.year() * 12 + date.month0() as i32 + months;
    NaiveDate::from_ymd_opt(count.div_euclid(12), count.rem_euclid(12) as u32 + 1, 1)
        .expect("a month")
}

/// Whether the schedule's words name this date.
fn names(schedule: &Schedule, date: NaiveDate) -> bool {
    let every = i64::from(schedule.every);
    if date < schedule.start {
        return false;
    }
    match &schedule.unit {
        Unit::Day => (date - schedule.start).num_days() % every == 0,
        Unit::Week { weekdays } => {
            let weekday = date.weekday().num_days_from_monday();
            let monday = schedule.start.week(chrono::Weekday::Mon).first_day();
            let weeks = (date - monday).num_days() / 7;
            weeks % every == 0 && weekdays.iter().any(|day| day.days_from_monday() == weekday)
        }
        Unit::Month { day } => {
            let month = |date: NaiveDate| i64::from(date.year()) * 12 + i64::from(date.month());
            let last = month_of(date, 1).pred_opt().expect("a date").day();
            (month(date) - month(schedule.start)) % every == 0 && date.day() == (*day).min(last)
        }
    }
}

/// The schedule's instants with their dates, from its start through `last`.
pub(crate) fn instants(
    schedule: &Schedule,
    zone: &Zone,
    last: NaiveDate,
) -> impl Iterator<Item = Instant> {
    let dates = schedule.start.iter_days().take_while(move |date| *date <= last);
    let named = dates.filter(|date| names(schedule, *date));
    named.map(|date| instant(zone, date.and_time(schedule.at.time())))
}

/// The fewest days between two of its dates.
pub(crate) fn gap_days(schedule: &Schedule) -> u32 {
    match &schedule.unit {
        Unit::Day => schedule.every,
        Unit::Month { .. } => 28 * schedule.every,
        Unit::Week { weekdays } => {
            let on = |day: u32| weekdays.iter().any(|weekday| weekday.days_from_monday() == day);
            let week = 7 * schedule.every;
            let named: Vec<u32> = (0..2 * week).filter(|n| n % week < 7 && on(n % week)).collect();
            named.windows(2).map(|pair| pair[1] - pair[0]).min().expect("a weekday")
        }
    }
}
