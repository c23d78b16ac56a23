//! Random schedules in every zone: the next instants, by the calendar's short cuts and by asking
//! every date.

use super::{calendar::instants, on_all_cores, worlds::weekdays, worlds_asked};
use crate::parity::Dice;
use chrono::{Days, NaiveDate, Timelike};
use laika_core::schedule::{Schedule, TimeOfDay, Unit};
use laika_core::time::{Instant, Span};
use laika_core::zone::{Transition, Zone};

/// So many instants are compared.
const NEXT: usize = 12;

/// The zones of the vectors, and two that were: one that left a day out, one with double summer
/// time.
fn zones() -> Vec<Zone> {
    let zones = include_str!("../../../tests/vectors/zones.jsonl").lines();
    let mut zones: Vec<Zone> = zones.map(|z| serde_json::from_str(z).expect("a zone")).collect();
    let change = |text: &str, offset_s| {
        Transition(Instant::parse(text).expect("an instant").seconds(), offset_s)
    };
    let zone = |name: &str, first_offset_s, transitions| Zone {
        name: name.to_owned(),
        tz_version: "test".to_owned(),
        first_offset_s,
        transitions,
    };
    zones.push(zone("a day left out", -36_000, vec![change("2026-12-30T10:00:00Z", 50_400)]));
    let double = [
        ("2026-02-23T01:00:00Z", 3600),
        ("2026-04-01T01:00:00Z", 7200),
        ("2026-04-02T00:30:00Z", 3600),
        ("2026-08-10T00:00:00Z", 0),
    ];
    let double = double.map(|(text, offset_s)| change(text, offset_s));
    zones.push(zone("double summer time", 0, double.to_vec()));
    zones
}

/// A schedule that starts at or before some day of 2025 to 2028, and an instant to look from.
fn question(dice: &mut Dice, zones: &[Zone]) -> (Schedule, Zone, Instant) {
    let zone = dice.pick(zones).clone();
    let first = NaiveDate::from_ymd_opt(2025, 1, 1).expect("a date");
    let mut start = first + Days::new(dice.roll(3 * 365));
    let unit = match dice.roll(3) {
        0 => Unit::Day,
        1 => Unit::Week { weekdays: weekdays(dice) },
        _ => Unit::Month { day: dice.roll(31) as u32 + 1 },
    };
    let mut minute = dice.roll(1440) as u32;
    // Where the zone changes its offset: that day, at a time that is skipped or comes twice.
    let changes = zone.transitions.iter().filter(|change| change.0 > 1_735_689_600);
    let changes: Vec<_> = changes.collect();
    if !changes.is_empty() && !dice.one_in(3) {
        let change = dice.pick(&changes);
        let near = change.0 + i64::from(change.1) + dice.roll(3 * 7200) as i64 - 7200;
        let local = chrono::DateTime::from_timestamp(near, 0).expect("a time").naive_utc();
        minute = local.hour() * 60 + local.minute();
        start = local.date() - Days::new(dice.roll(60));
    }
    let at = TimeOfDay::parse(&format!("{:02}:{:02}", minute / 60, minute % 60)).expect("a time");
    let every = *dice.pick(&[1, 1, 1, 2, 3, 4, 7]);
    let schedule = Schedule { every, unit, at, start };
    let days = Span::days(dice.roll(140) as i64 - 20);
    let from = Instant::from_seconds(start.and_time(at.time()).and_utc().timestamp()).plus(days);
    (schedule, zone, dice.near(from))
}

fn agrees(zones: &[Zone], number: u64) {
    let dice = &mut Dice(number.wrapping_mul(0x2545_F491_4F6C_DD1D));
    let (schedule, zone, mut after) = question(dice, zones);
    let found: Vec<Instant> = schedule.upcoming(after, &zone).take(NEXT).collect();
    let Some(last) = found.last() else { panic!("{number}: {schedule:?} never comes") };
    // Every later date is at most a day and an offset before its instant.
    let date = super::calendar::date(&zone, *last) + Days::new(2);
    let mut naive: Vec<Instant> = instants(&schedule, &zone, date).collect();
    naive.sort_unstable();
    naive.dedup();
    naive.retain(|at| *at > after);
    naive.truncate(NEXT);
    assert_eq!(found, naive, "{number}: {schedule:?} in {} after {after}", zone.name);
    for at in found {
        assert_eq!(schedule.next(after, &zone), Some(at), "{number}: strictly after {after}");
        after = at;
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn schedules_come_when_their_words_say() {
    let zones = zones();
    on_all_cores(worlds_asked() / 10, |numbers| numbers.for_each(|n| agrees(&zones, n)));
}
