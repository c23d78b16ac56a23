//! Instants: UTC, in microseconds, as the database holds them and RFC 3339 in JSON. Nothing here
//! reads a clock; civil dates and times need a [`Zone`](crate::zone::Zone).

use crate::text;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// A span of time, in microseconds. Never negative where a rule uses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(pub i64);

impl Span {
    /// So many seconds.
    pub const fn seconds(n: i64) -> Span {
        Span(n.saturating_mul(1_000_000))
    }
    /// So many minutes.
    pub const fn minutes(n: i64) -> Span {
        Span::seconds(n.saturating_mul(60))
    }
    /// So many hours.
    pub const fn hours(n: i64) -> Span {
        Span::minutes(n.saturating_mul(60))
    }
    /// So many times 24 hours: not a civil day.
    pub const fn days(n: i64) -> Span {
        Span::hours(n.saturating_mul(24))
    }
}

/// A point in time. *Units*: microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(i64);

impl Instant {
    /// The earliest and the latest that can be written as a four-digit year.
    pub const MIN: Instant = Instant(-62_135_596_800_000_000);
    /// 9999-12-31T23:59:59.999999Z.
    pub const MAX: Instant = Instant(253_402_300_799_999_999);

    /// From microseconds since 1970; held within [`Instant::MIN`] and [`Instant::MAX`].
    pub const fn from_micros(micros: i64) -> Instant {
        if micros < Instant::MIN.0 {
            Instant::MIN
        } else if micros > Instant::MAX.0 {
            Instant::MAX
        } else {
            Instant(micros)
        }
    }

    /// From whole seconds since 1970.
    pub const fn from_seconds(seconds: i64) -> Instant {
        Instant::from_micros(seconds.saturating_mul(1_000_000))
    }

    /// Microseconds since 1970, for a BIGINT column.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// Later by a span; stops at [`Instant::MAX`].
    pub const fn plus(self, span: Span) -> Instant {
        Instant::from_micros(self.0.saturating_add(span.0))
    }

    /// Earlier by a span; stops at [`Instant::MIN`].
    pub const fn minus(self, span: Span) -> Instant {
        Instant::from_micros(self.0.saturating_sub(span.0))
    }

    /// How long after `earlier` this is; negative when it is before.
    pub const fn since(self, earlier: Instant) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }

    /// Reads RFC 3339 with any offset. *Errors*: nothing when the text is not one.
    pub fn parse(text: &str) -> Option<Instant> {
        let at = DateTime::parse_from_rfc3339(text).ok()?;
        let micros = at.with_timezone(&Utc).timestamp_micros();
        (Instant::MIN.0..=Instant::MAX.0).contains(&micros).then_some(Instant(micros))
    }
}

impl fmt::Display for Instant {
    /// RFC 3339 in UTC with `Z`; to the second when nothing is below it, else to the microsecond.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = if self.0.rem_euclid(1_000_000) == 0 {
            SecondsFormat::Secs
        } else {
            SecondsFormat::Micros
        };
        let at = DateTime::<Utc>::from_timestamp_micros(self.0).unwrap_or_default();
        f.write_str(&at.to_rfc3339_opts(digits, true))
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text::read(deserializer, Instant::parse, "not an RFC 3339 instant")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_written_one_way() {
        for (text, written) in [
            ("2026-11-22T10:00:00Z", "2026-11-22T10:00:00Z"),
            ("2026-11-22T11:00:00+01:00", "2026-11-22T10:00:00Z"),
            ("2026-11-22T10:00:00.5Z", "2026-11-22T10:00:00.500000Z"),
        ] {
            assert_eq!(Instant::parse(text).map(|i| i.to_string()).as_deref(), Some(written));
        }
        for bad in ["2026-11-22", "2026-02-30T00:00:00Z", "2026-11-22T10:00:00", ""] {
            assert_eq!(Instant::parse(bad), None, "{bad}");
        }
    }
}
