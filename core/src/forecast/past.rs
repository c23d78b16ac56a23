//! What a line used lately, hour by hour: what a replay steps, what advice and expected dates are
//! computed from. The server counts it; nothing here measures.

use crate::bytes::Bytes;
use crate::time::{Instant, Span};
use serde::{Deserialize, Serialize};

/// How far back a replay goes, in times 24 h.
pub const PAST_DAYS: i64 = 90;
/// How far back the present habit goes, in times 24 h.
const RECENT_DAYS: usize = 28;
const DAY_HOURS: usize = 24;

/// Usage of the last hours, at most [`PAST_DAYS`] of them; none for a line that never used any.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PastUse {
    /// What was used in each whole hour, the oldest first; the last one ends at `as_of`.
    pub hours: Vec<Bytes>,
}

/// Usage of the last days, as a rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecentUse {
    /// Over how many times 24 h, at most 28; 0 when the line is new.
    pub days: u32,
    /// How much.
    pub bytes: Bytes,
}

impl RecentUse {
    /// The average of 24 h; nothing for a line without usage.
    pub fn daily(&self) -> Bytes {
        let days = u64::from(self.days);
        self.bytes.get().checked_div(days).and_then(Bytes::new).unwrap_or_default()
    }
}

impl PastUse {
    /// From events, `(when, how much)` in any order, of which the oldest begins the first day.
    pub fn of(events: &[(Instant, Bytes)], as_of: Instant) -> PastUse {
        let Some(first) = events.iter().map(|(at, _)| *at).min() else {
            return PastUse::default();
        };
        // Why: whole days back from now, or the average of a day would rest on a part of one.
        let day = Span::days(1).0;
        let age = as_of.since(first).0.max(1);
        let days = age.saturating_add(day).saturating_sub(1).div_euclid(day).clamp(1, PAST_DAYS);
        let hours = usize::try_from(days.saturating_mul(24)).unwrap_or(0);
        let mut past = PastUse { hours: vec![Bytes::ZERO; hours] };
        let from = as_of.minus(Span::days(days));
        for (at, bytes) in events {
            let hour = at.since(from).0.div_euclid(Span::hours(1).0);
            let hour = usize::try_from(hour).ok().and_then(|hour| past.hours.get_mut(hour));
            if let Some(sum) = hour {
                *sum = sum.plus(*bytes);
            }
        }
        past
    }

    /// When the first hour begins, if the last ends at `as_of`.
    pub fn from(&self, as_of: Instant) -> Instant {
        as_of.minus(Span::hours(i64::try_from(self.hours.len()).unwrap_or(0)))
    }

    /// The sums of the last times 24 h, at most 28, the oldest first.
    pub fn recent_days(&self) -> Vec<Bytes> {
        let whole = self.hours.rchunks_exact(DAY_HOURS).take(RECENT_DAYS);
        let mut days: Vec<Bytes> = whole.map(|day| day.iter().copied().sum()).collect();
        days.reverse();
        days
    }

    /// The present habit as one figure.
    pub fn recent(&self) -> RecentUse {
        let days = self.recent_days();
        let bytes = days.iter().copied().sum();
        RecentUse { days: u32::try_from(days.len()).unwrap_or(0), bytes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hour(n: i64) -> Instant {
        Instant::from_seconds(1_800_000_000).plus(Span::hours(n))
    }

    fn mb(n: u64) -> Bytes {
        Bytes::MB.checked_mul(n).unwrap_or_default()
    }

    #[test]
    fn hours_are_counted_back_from_now_in_whole_days() {
        let events = [(hour(0), mb(1)), (hour(25), mb(2)), (hour(25), mb(3)), (hour(29), mb(4))];
        let past = PastUse::of(&events, hour(30));
        assert_eq!(past.hours.len(), 48, "30 h are two days begun");
        assert_eq!(past.from(hour(30)), hour(-18));
        assert_eq!(past.hours.iter().copied().sum::<Bytes>(), mb(10));
        assert_eq!(past.hours.get(43).copied(), Some(mb(5)), "the 26th hour");
        assert_eq!(past.recent_days(), [mb(1), mb(9)]);
        assert_eq!(past.recent().daily(), mb(5));
    }

    #[test]
    fn what_is_older_than_90_days_is_left_out() {
        let events = [(hour(-24 * 100), mb(7)), (hour(-1), mb(1))];
        let past = PastUse::of(&events, hour(0));
        assert_eq!(past.hours.len(), 90 * 24);
        assert_eq!(past.hours.iter().copied().sum::<Bytes>(), mb(1));
        assert_eq!(past.recent().days, 28);
    }

    #[test]
    fn a_new_line_used_nothing() {
        assert_eq!(PastUse::of(&[], hour(0)), PastUse::default());
        assert_eq!(PastUse::default().recent().daily(), Bytes::ZERO);
    }
}
