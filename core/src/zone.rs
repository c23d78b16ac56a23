//! A time zone as data: a name, the tz database's version and its changes of offset. The server
//! makes it from one pinned tz database, so browser and server cannot disagree about local time.

use crate::time::{Instant, Span};
use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

/// A zone, as far as it is known: after the last transition its offset stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Zone {
    /// IANA name, such as `Europe/Madrid`.
    pub name: String,
    /// Version of the tz database it was made from, such as `2026b`.
    pub tz_version: String,
    /// Seconds east of UTC before the first transition.
    pub first_offset_s: i32,
    /// Changes of offset, ascending in time.
    #[serde(deserialize_with = "ascending")]
    pub transitions: Vec<Transition>,
}

/// From this Unix second on, this many seconds east of UTC. JSON: `[unix_s, offset_s]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transition(pub i64, pub i32);

/// No zone on earth is further from UTC, in seconds; used to look round a local time.
const WIDEST_S: i64 = 26 * 3600;
const DAY_S: i64 = 24 * 3600;

/// Changes of offset that can be looked up: in ascending order, and to offsets that exist.
fn ascending<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Transition>, D::Error> {
    let read = Vec::<Transition>::deserialize(deserializer)?;
    let far = |t: &Transition| i64::from(t.1).saturating_abs() > WIDEST_S;
    if read.is_sorted_by(|one, next| one.0 < next.0) && !read.iter().any(far) {
        Ok(read)
    } else {
        Err(D::Error::custom("changes of offset out of order, or too far from UTC"))
    }
}

impl Zone {
    /// UTC itself: for lines without an account and for tests.
    pub fn utc() -> Zone {
        Zone {
            name: "UTC".to_owned(),
            tz_version: String::new(),
            first_offset_s: 0,
            transitions: Vec::new(),
        }
    }

    /// Seconds east of UTC at this instant.
    pub fn offset_s(&self, at: Instant) -> i32 {
        self.offset_after(self.passed(at.seconds()))
    }

    /// How many transitions have passed at a Unix second.
    fn passed(&self, second: i64) -> usize {
        self.transitions.partition_point(|t| t.0 <= second)
    }

    /// Seconds east of UTC after so many transitions.
    fn offset_after(&self, passed: usize) -> i32 {
        let last = passed.checked_sub(1).and_then(|last| self.transitions.get(last));
        last.map_or(self.first_offset_s, |t| t.1)
    }

    /// The local date and time at this instant, to the second.
    pub fn local(&self, at: Instant) -> NaiveDateTime {
        let local = at.seconds().saturating_add(i64::from(self.offset_s(at)));
        chrono::DateTime::from_timestamp(local, 0).unwrap_or_default().naive_utc()
    }

    /// The local date at this instant.
    pub fn date(&self, at: Instant) -> NaiveDate {
        self.local(at).date()
    }

    /// The instant at which this local time comes. *Source*: RFC 5545: a skipped time uses the
    /// offset before the change, a repeated one is the first of the two.
    pub fn instant(&self, local: NaiveDateTime) -> Instant {
        let wall = local.and_utc().timestamp();
        let passed = self.passed(wall.saturating_sub(WIDEST_S));
        let later = self.transitions.iter().skip(passed);
        let nearby = later.take_while(|t| t.0 <= wall.saturating_add(WIDEST_S));
        let mut offset = self.offset_after(passed);
        for change in nearby {
            // The wall clock reads `change.0 + offset` just before the change and jumps from there.
            // A local time below both readings is before it; one between them, when the clock goes
            // forward, is skipped and keeps the old offset; when it goes back, it is the first.
            let reading_before = change.0.saturating_add(i64::from(offset));
            let reading_after = change.0.saturating_add(i64::from(change.1));
            if wall < reading_before.max(reading_after) {
                break;
            }
            offset = change.1;
        }
        Instant::from_seconds(wall.saturating_sub(i64::from(offset)))
    }

    /// The first instant of a local date (00:00, or when the date begins after a skipped one).
    pub fn start_of_day(&self, date: NaiveDate) -> Instant {
        self.instant(date.and_time(NaiveTime::MIN))
    }

    /// The first instant of the local date after the one that holds `at`.
    pub fn next_day(&self, at: Instant) -> Instant {
        // Why: years of midnights are asked for, and most days have 24 h.
        let (tomorrow, offset_s) = (at.plus(Span::days(1)), self.offset_s(at));
        let wall_s = at.seconds().saturating_add(i64::from(offset_s));
        if wall_s.rem_euclid(DAY_S) == 0 && self.offset_s(tomorrow) == offset_s {
            return Instant::from_seconds(tomorrow.seconds());
        }
        let date = self.date(at);
        self.start_of_day(date.checked_add_days(Days::new(1)).unwrap_or(date))
    }

    /// The first instant of the local month after the one that holds `at`.
    pub fn next_month(&self, at: Instant) -> Instant {
        let first = first_of_month(self.date(at));
        self.start_of_day(first.checked_add_months(chrono::Months::new(1)).unwrap_or(first))
    }
}

/// The first day of the month that holds `date`.
pub fn first_of_month(date: NaiveDate) -> NaiveDate {
    date.with_day(1).unwrap_or(date)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn madrid() -> Zone {
        Zone {
            name: "Europe/Madrid".to_owned(),
            tz_version: "test".to_owned(),
            first_offset_s: 3600,
            // 2026-03-29T01:00Z forward, 2026-10-25T01:00Z back.
            transitions: vec![Transition(1_774_746_000, 7200), Transition(1_792_890_000, 3600)],
        }
    }

    fn at(local: &str) -> String {
        let local = NaiveDateTime::parse_from_str(local, "%Y-%m-%d %H:%M").unwrap_or_default();
        madrid().instant(local).to_string()
    }

    #[test]
    fn skipped_and_repeated_times_follow_rfc_5545() {
        assert_eq!(at("2026-03-29 01:59"), "2026-03-29T00:59:00Z");
        assert_eq!(at("2026-03-29 02:30"), "2026-03-29T01:30:00Z", "skipped: the offset before");
        assert_eq!(at("2026-03-29 03:00"), "2026-03-29T01:00:00Z");
        assert_eq!(at("2026-10-25 02:30"), "2026-10-25T00:30:00Z", "repeated: the first");
        assert_eq!(at("2026-10-25 03:00"), "2026-10-25T02:00:00Z");
        assert_eq!(at("2026-07-01 12:00"), "2026-07-01T10:00:00Z");
    }

    #[test]
    fn changes_that_cannot_be_looked_up_are_not_read() {
        let with = |changes: &str| {
            format!(r#"{{"name":"X","tz_version":"","first_offset_s":0,"transitions":{changes}}}"#)
        };
        let reads = |changes| serde_json::from_str::<Zone>(&with(changes)).is_ok();
        assert!(reads("[]") && reads("[[1,3600],[2,-3600]]"));
        assert!(!reads("[[2,3600],[1,0]]"), "out of order");
        assert!(!reads("[[1,3600],[1,0]]"), "two at once");
        assert!(!reads("[[1,93601]]"), "further than any zone");
    }

    #[test]
    fn days_and_months_end_in_the_zone() {
        let late = Instant::parse("2026-10-31T23:30:00Z").unwrap_or(Instant::MIN);
        assert_eq!(madrid().date(late).to_string(), "2026-11-01");
        assert_eq!(madrid().next_month(late).to_string(), "2026-11-30T23:00:00Z");
        assert_eq!(madrid().next_day(late).to_string(), "2026-11-01T23:00:00Z");
    }
}
