//! When a scheduled recharge falls due: every N days, weeks on weekdays, or months on a day, at a
//! local time, from a start date, in a zone. Pure calendar; whether it is charged is `decide`'s.

use crate::tagged::read_tagged;
use crate::text;
use crate::time::Instant;
use crate::zone::{Zone, first_of_month};
use chrono::{Datelike, Days, Months, NaiveDate, NaiveTime};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use std::fmt;

/// A recurring local date and time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Schedule {
    /// Every so many days, weeks or months; at least 1.
    pub every: u32,
    /// What is counted, and the day within it.
    #[serde(flatten)]
    pub unit: Unit,
    /// The local time of day.
    pub at: TimeOfDay,
    /// Nothing falls before this local date; counting starts with its day, week or month.
    pub start: NaiveDate,
}

/// What a schedule counts in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "unit", rename_all = "snake_case")]
pub enum Unit {
    /// Days from the start date.
    Day,
    /// Weeks from the Monday of the start date's week.
    Week {
        /// The days in such a week, Monday first; at least one.
        weekdays: Vec<Weekday>,
    },
    /// Months from the start date's month.
    Month {
        /// 1-31; in a shorter month its last day, without drift.
        day: u32,
    },
}

read_tagged! {
    Unit from UnitFields { weekdays: Vec<Weekday>, day: u32 }
    "day" => Day,
    "week" => Week { weekdays },
    "month" => Month { day },
}

impl<'de> Deserialize<'de> for Schedule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// What is counted stands in the same object.
        #[derive(Deserialize)]
        struct Whole {
            #[serde(deserialize_with = "at_least_one")]
            every: u32,
            unit: String,
            #[serde(default, deserialize_with = "some_weekdays")]
            weekdays: Option<Vec<Weekday>>,
            #[serde(default, deserialize_with = "day_of_month")]
            day: Option<u32>,
            at: TimeOfDay,
            #[serde(deserialize_with = "crate::text::date")]
            start: NaiveDate,
        }
        let Whole { every, unit, weekdays, day, at, start } = Whole::deserialize(deserializer)?;
        let unit = Unit::read_as(&unit, UnitFields { weekdays, day })?;
        Ok(Schedule { every, unit, at, start })
    }
}

/// A day of the week. JSON: two letters, as in RFC 5545.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the days of the week")]
pub enum Weekday {
    #[serde(rename = "MO")]
    Monday,
    #[serde(rename = "TU")]
    Tuesday,
    #[serde(rename = "WE")]
    Wednesday,
    #[serde(rename = "TH")]
    Thursday,
    #[serde(rename = "FR")]
    Friday,
    #[serde(rename = "SA")]
    Saturday,
    #[serde(rename = "SU")]
    Sunday,
}

impl Weekday {
    /// These days in the order of the week, each once.
    pub fn in_week(days: &[Weekday]) -> impl Iterator<Item = Weekday> + '_ {
        Weekday::ALL.into_iter().filter(|day| days.contains(day))
    }

    /// Monday to Sunday.
    pub const ALL: [Weekday; 7] = [
        Weekday::Monday,
        Weekday::Tuesday,
        Weekday::Wednesday,
        Weekday::Thursday,
        Weekday::Friday,
        Weekday::Saturday,
        Weekday::Sunday,
    ];

    /// Days after Monday.
    pub fn days_from_monday(self) -> u32 {
        match self {
            Weekday::Monday => 0,
            Weekday::Tuesday => 1,
            Weekday::Wednesday => 2,
            Weekday::Thursday => 3,
            Weekday::Friday => 4,
            Weekday::Saturday => 5,
            Weekday::Sunday => 6,
        }
    }
}

/// A local time of day to the minute. JSON: `"HH:MM"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeOfDay(NaiveTime);

impl TimeOfDay {
    /// From `"HH:MM"`, `"H:MM"` and the full-width colon; nothing for anything else.
    pub fn parse(text: &str) -> Option<TimeOfDay> {
        let (hour, minute) = text.trim().split_once([':', '：'])?;
        let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit()) && (1..=2).contains(&t.len());
        if !digits(hour) || !digits(minute) || minute.len() != 2 {
            return None;
        }
        let time = NaiveTime::from_hms_opt(hour.parse().ok()?, minute.parse().ok()?, 0)?;
        Some(TimeOfDay(time))
    }

    /// As chrono has it.
    pub fn time(self) -> NaiveTime {
        self.0
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use chrono::Timelike;
        write!(f, "{:02}:{:02}", self.0.hour(), self.0.minute())
    }
}

impl Serialize for TimeOfDay {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TimeOfDay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text::read(deserializer, TimeOfDay::parse, "not a time as HH:MM")
    }
}

impl Schedule {
    /// The first instant strictly after `after`; nothing when the calendar ends before one.
    pub fn next(&self, after: Instant, zone: &Zone) -> Option<Instant> {
        self.upcoming(after, zone).next()
    }

    /// All instants strictly after `after`, ascending. Two dates have one where a zone leaves a day
    /// out: it comes once.
    pub fn upcoming<'a>(
        &'a self,
        after: Instant,
        zone: &'a Zone,
    ) -> impl Iterator<Item = Instant> + 'a {
        // Why: no local time is more than a day from its UTC date, nor moved further by a change.
        let local = zone.date(after);
        let from = local.checked_sub_days(Days::new(2)).unwrap_or(local);
        let mut last = after;
        self.dates(from)
            .map(|date| zone.instant(date.and_time(self.at.time())))
            // Why: first, or nothing would end the search for an instant after the last one.
            .take_while(|at| *at < Instant::MAX)
            .filter(move |at| {
                let comes = *at > last;
                last = last.max(*at);
                comes
            })
    }

    /// The same schedule as if it had begun long ago: started so many whole periods earlier that it
    /// begins on this date or before.
    pub fn since(&self, date: NaiveDate) -> Schedule {
        let behind = days_between(date, self.start).max(0);
        let (days, months) = match self.unit {
            Unit::Day => (1, 0),
            Unit::Week { .. } => (7, 0),
            Unit::Month { .. } => (28, 1),
        };
        let period = i64::from(self.every).saturating_mul(days);
        let periods = behind.checked_div(period).unwrap_or(0).saturating_add(1);
        let count = u32::try_from(periods).unwrap_or(0).saturating_mul(self.every);
        let start = if months > 0 {
            // Why: the first of the month, or a start late in its month would shut out a date.
            first_of_month(self.start).checked_sub_months(Months::new(count))
        } else {
            let back = u64::from(count).saturating_mul(u64::try_from(days).unwrap_or(1));
            self.start.checked_sub_days(Days::new(back))
        };
        Schedule { start: start.unwrap_or(self.start), ..self.clone() }
    }

    /// So many days at least lie between two of its dates.
    pub fn shortest_gap_days(&self) -> u32 {
        match &self.unit {
            Unit::Day => self.every,
            Unit::Month { .. } => self.every.saturating_mul(28),
            Unit::Week { weekdays } => {
                let days: Vec<u32> =
                    Weekday::in_week(weekdays).map(|d| d.days_from_monday()).collect();
                let next_week = self.every.saturating_mul(7);
                let again = days.first().map(|first| first.saturating_add(next_week));
                let after = days.iter().copied().skip(1).chain(again);
                let gaps = days.iter().zip(after).map(|(day, next)| next.saturating_sub(*day));
                gaps.min().unwrap_or(next_week)
            }
        }
    }

    /// The local dates from `from` on, ascending.
    fn dates(&self, from: NaiveDate) -> impl Iterator<Item = NaiveDate> + '_ {
        let from = from.max(self.start);
        // Why: three such days can share one month, so a period may be short of its predecessor.
        let first = self.period_of(from);
        (first..=u32::MAX)
            .map_while(|period| self.first_of(period))
            .flat_map(|first| self.dates_from(first))
            .filter(move |date| *date >= from)
    }

    /// The index of the counted period that holds `date`, or the one before it.
    fn period_of(&self, date: NaiveDate) -> u32 {
        let elapsed = match &self.unit {
            Unit::Day => days_between(self.start, date),
            Unit::Week { .. } => days_between(monday_of(self.start), date).div_euclid(7),
            Unit::Month { .. } => {
                let months = |d: NaiveDate| {
                    i64::from(d.year()).saturating_mul(12).saturating_add(i64::from(d.month0()))
                };
                months(date).saturating_sub(months(self.start))
            }
        };
        let periods = elapsed.checked_div(i64::from(self.every)).unwrap_or(0);
        u32::try_from(periods).unwrap_or(0)
    }

    /// The date on which the `period`th counted day or month falls, or the Monday of its week;
    /// nothing past the calendar's end.
    fn first_of(&self, period: u32) -> Option<NaiveDate> {
        let count = self.every.max(1).checked_mul(period)?;
        match &self.unit {
            Unit::Day => self.start.checked_add_days(Days::new(u64::from(count))),
            Unit::Week { weekdays } if weekdays.is_empty() => None,
            Unit::Week { .. } => {
                let days = u64::from(count).saturating_mul(7);
                monday_of(self.start).checked_add_days(Days::new(days))
            }
            Unit::Month { day } => {
                let first = first_of_month(self.start).checked_add_months(Months::new(count))?;
                let last = u32::from(first.num_days_in_month());
                first.with_day((*day).clamp(1, last))
            }
        }
    }

    /// The dates of the period that this is the first of: in a week its weekdays, else just it.
    fn dates_from(&self, first: NaiveDate) -> impl Iterator<Item = NaiveDate> + '_ {
        let falls = |day: &Weekday| match &self.unit {
            Unit::Week { weekdays } => weekdays.contains(day),
            Unit::Day | Unit::Month { .. } => *day == Weekday::Monday,
        };
        let after_first = |day: Weekday| u64::from(day.days_from_monday());
        let days = Weekday::ALL.into_iter().filter(move |day| falls(day)).map(after_first);
        days.filter_map(move |days| first.checked_add_days(Days::new(days)))
    }
}

fn at_least_one<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let every = u32::deserialize(deserializer)?;
    if every > 0 { Ok(every) } else { Err(D::Error::custom("every is not at least 1")) }
}

fn some_weekdays<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<Weekday>>, D::Error> {
    let days: Vec<Weekday> = Vec::deserialize(deserializer)?;
    if days.is_empty() { Err(D::Error::custom("weekdays is empty")) } else { Ok(Some(days)) }
}

fn day_of_month<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    let day = u32::deserialize(deserializer)?;
    let exists = (1..=31).contains(&day);
    if exists { Ok(Some(day)) } else { Err(D::Error::custom("day is not 1 to 31")) }
}

fn days_between(start: NaiveDate, date: NaiveDate) -> i64 {
    date.signed_duration_since(start).num_days()
}

fn monday_of(date: NaiveDate) -> NaiveDate {
    let back = u64::from(date.weekday().num_days_from_monday());
    date.checked_sub_days(Days::new(back)).unwrap_or(date)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(json: &str) -> Schedule {
        serde_json::from_str(json).unwrap_or_else(|e| unreachable!("{e}: {json}"))
    }

    fn dates(json: &str, after: &str, count: usize) -> Vec<String> {
        let after = Instant::parse(after).unwrap_or(Instant::MIN);
        let all = schedule(json);
        all.upcoming(after, &Zone::utc())
            .take(count)
            .map(|at| at.to_string().split('T').next().unwrap_or("").to_owned())
            .collect()
    }

    #[test]
    fn the_31st_is_the_last_day_and_does_not_drift() {
        let json = r#"{"every":1,"unit":"month","day":31,"at":"09:00","start":"2027-01-05"}"#;
        assert_eq!(
            dates(json, "2027-01-01T00:00:00Z", 4),
            ["2027-01-31", "2027-02-28", "2027-03-31", "2027-04-30"]
        );
    }

    #[test]
    fn weeks_count_from_the_monday_of_the_start() {
        let json =
            r#"{"every":2,"unit":"week","weekdays":["FR","MO"],"at":"09:00","start":"2026-11-25"}"#;
        assert_eq!(
            dates(json, "2026-11-01T00:00:00Z", 3),
            ["2026-11-27", "2026-12-07", "2026-12-11"]
        );
    }

    #[test]
    fn next_is_strictly_after() {
        let json = r#"{"every":3,"unit":"day","at":"09:00","start":"2026-11-22"}"#;
        assert_eq!(dates(json, "2026-11-22T09:00:00Z", 1), ["2026-11-25"]);
        assert_eq!(dates(json, "2026-11-22T08:59:59Z", 1), ["2026-11-22"]);
    }

    #[test]
    fn moved_back_it_keeps_its_dates() {
        for unit in [
            r#""every":3,"unit":"day""#,
            r#""every":2,"unit":"week","weekdays":["MO","SA"]"#,
            r#""every":1,"unit":"month","day":31"#,
            r#""every":5,"unit":"month","day":1"#,
        ] {
            let json = format!(r#"{{{unit},"at":"09:00","start":"2026-11-26"}}"#);
            let long_ago = NaiveDate::from_ymd_opt(2026, 3, 3).unwrap_or_default();
            let (now, before) = (schedule(&json), schedule(&json).since(long_ago));
            assert!(before.start <= long_ago, "{unit}");
            let after = Instant::parse("2026-12-07T00:00:00Z").unwrap_or(Instant::MIN);
            let utc = Zone::utc();
            let next = |s: &Schedule| s.upcoming(after, &utc).take(9).collect::<Vec<_>>();
            assert_eq!(next(&before), next(&now), "{unit}");
        }
    }

    #[test]
    fn the_shortest_gap_is_that_of_its_dates() {
        for (unit, gap) in [
            (r#""every":3,"unit":"day""#, 3),
            (r#""every":1,"unit":"week","weekdays":["MO"]"#, 7),
            (r#""every":1,"unit":"week","weekdays":["MO","SU"]"#, 1),
            (r#""every":2,"unit":"week","weekdays":["MO","TH","MO"]"#, 3),
            (r#""every":2,"unit":"week","weekdays":["MO","SU"]"#, 6),
            (r#""every":1,"unit":"month","day":31"#, 28),
        ] {
            let json = format!(r#"{{{unit},"at":"09:00","start":"2027-01-01"}}"#);
            let all = schedule(&json);
            assert_eq!(all.shortest_gap_days(), gap, "{unit}");
            let at: Vec<Instant> =
                all.upcoming(Instant::from_seconds(1_700_000_000), &Zone::utc()).take(60).collect();
            let found = at.windows(2).filter_map(|pair| match pair {
                [a, b] => Some(b.since(*a)),
                _ => None,
            });
            let days = crate::time::Span::days(i64::from(gap));
            assert_eq!(found.min(), Some(days), "{unit}");
        }
    }

    #[test]
    fn nothing_comes_after_the_last_instant() {
        let json = r#"{"every":1,"unit":"day","at":"09:00","start":"2026-11-22"}"#;
        let all = schedule(json);
        assert_eq!(all.next(Instant::MAX, &Zone::utc()), None);
        assert_eq!(all.dates(NaiveDate::MAX).count(), 1, "the calendar goes on for longer");
    }

    #[test]
    fn the_json_is_that_of_the_vectors() {
        let json = r#"{"every":1,"unit":"month","day":28,"at":"02:07","start":"2027-03-27"}"#;
        let again = serde_json::to_string(&schedule(json)).unwrap_or_default();
        assert_eq!(again, json);
        for (from, to) in [
            ("month", "year"),
            ("\"every\":1", "\"every\":0"),
            ("28", "0"),
            ("28", "32"),
            ("\"month\",\"day\":28", "\"week\",\"weekdays\":[]"),
            ("02:07", "24:00"),
            ("2027-03-27", "2027-02-29"),
        ] {
            let bad = json.replacen(from, to, 1);
            assert_ne!(bad, json);
            assert!(serde_json::from_str::<Schedule>(&bad).is_err(), "{bad}");
        }
    }
}
