//! Instants: UTC, in microseconds, as the database holds them and RFC 3339 in JSON. Nothing here
//! reads a clock; civil dates and times need a [`Zone`](crate::zone::Zone).

use crate::text;
use chrono::{DateTime, Datelike, NaiveDate};
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
        let mut rest = text.as_bytes();
        let date = take_date(&mut rest)?;
        take(&mut rest, b"Tt ")?;
        let (hour, minute) = take_clock(&mut rest)?;
        // Why 60: a leap second counts as the first one of the next minute.
        let [b':', s1, s2, tail @ ..] = rest else { return None };
        let second = number(&[*s1, *s2]).filter(|second| *second <= 60)?;
        rest = tail;
        let micros = take_micros(&mut rest)?;
        let east = match take(&mut rest, b"Zz+-")? {
            sign @ (b'+' | b'-') => {
                let (hours, minutes) = take_clock(&mut rest)?;
                let east = Span::minutes(hours.saturating_mul(60).saturating_add(minutes));
                if sign == b'+' { east } else { Span(east.0.saturating_neg()) }
            }
            _ => Span(0),
        };
        let days = i64::from(date.num_days_from_ce()).saturating_sub(DAYS_BEFORE_1970);
        let local = [Span::days(days), Span::hours(hour), Span::minutes(minute)];
        let local =
            local.iter().fold(Span::seconds(second).0, |sum, part| sum.saturating_add(part.0));
        let micros = local.saturating_add(micros).saturating_sub(east.0);
        let known = (Instant::MIN.0..=Instant::MAX.0).contains(&micros) && rest.is_empty();
        known.then_some(Instant(micros))
    }
}

/// Days from the calendar's first one, which is day 1, to 1970-01-01.
const DAYS_BEFORE_1970: i64 = 719_163;

/// Reads a date: `2026-12-01` and nothing else. *Errors*: nothing when the text is not one.
pub fn parse_date(text: &str) -> Option<NaiveDate> {
    let mut rest = text.as_bytes();
    take_date(&mut rest).filter(|_| rest.is_empty())
}

// Why by hand: the one way in which dates and instants are written here is short to read, and
// chrono's reading of every way there is was a sixtieth of the browser's module.
fn take_date(rest: &mut &[u8]) -> Option<NaiveDate> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, tail @ ..] = *rest else { return None };
    let year = i32::try_from(number(&[*y1, *y2, *y3, *y4])?).ok()?;
    let month = u32::try_from(number(&[*m1, *m2])?).ok()?;
    *rest = tail;
    NaiveDate::from_ymd_opt(year, month, u32::try_from(number(&[*d1, *d2])?).ok()?)
}

/// Hours and minutes, with a colon between them.
fn take_clock(rest: &mut &[u8]) -> Option<(i64, i64)> {
    let [h1, h2, b':', m1, m2, tail @ ..] = *rest else { return None };
    let hour = number(&[*h1, *h2]).filter(|hour| *hour < 24)?;
    let minute = number(&[*m1, *m2]).filter(|minute| *minute < 60)?;
    *rest = tail;
    Some((hour, minute))
}

/// The part of a second after its point, rounded down to microseconds; 0 where there is none.
fn take_micros(rest: &mut &[u8]) -> Option<i64> {
    if take(rest, b".").is_none() {
        return Some(0);
    }
    let mut micros = 0_i64;
    let mut worth = 100_000_i64;
    let mut some = None;
    while let [digit @ b'0'..=b'9', tail @ ..] = *rest {
        micros = micros.saturating_add(i64::from(digit & 15).saturating_mul(worth));
        worth = worth.div_euclid(10);
        some = Some(micros);
        *rest = tail;
    }
    some
}

/// The number that these digits are.
fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0_i64, |sum, digit| {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit < 10)?;
        Some(sum.saturating_mul(10).saturating_add(i64::from(digit)))
    })
}

/// The next byte, if it is one of these.
fn take(rest: &mut &[u8], these: &[u8]) -> Option<u8> {
    let (first, tail) = rest.split_first().filter(|(first, _)| these.contains(first))?;
    *rest = tail;
    Some(*first)
}

impl fmt::Display for Instant {
    /// RFC 3339 in UTC with `Z`; to the second when nothing is below it, else to the microsecond.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let second = self.seconds().rem_euclid(86_400);
        let date = DateTime::from_timestamp(self.seconds(), 0).unwrap_or_default().date_naive();
        let below = self.0.rem_euclid(1_000_000);
        let numbers = [
            i64::from(date.year()),
            i64::from(date.month()),
            i64::from(date.day()),
            second.div_euclid(3600),
            second.div_euclid(60).rem_euclid(60),
            second.rem_euclid(60),
            below,
        ];
        let (mut whole, mut exact) = (*b"0000-00-00T00:00:00Z", *b"0000-00-00T00:00:00.000000Z");
        let text = if below == 0 { &mut whole[..] } else { &mut exact[..] };
        let places = text.split_mut(|byte| !byte.is_ascii_digit());
        for (places, mut number) in places.zip(numbers) {
            for place in places.iter_mut().rev() {
                *place = b'0' | u8::try_from(number.rem_euclid(10)).unwrap_or(0);
                number = number.div_euclid(10);
            }
        }
        f.write_str(std::str::from_utf8(text).unwrap_or_default())
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

    /// What chrono makes of it, within our range.
    fn by_chrono(text: &str) -> Option<Instant> {
        let micros = DateTime::parse_from_rfc3339(text).ok()?.timestamp_micros();
        (Instant::MIN.0..=Instant::MAX.0).contains(&micros).then_some(Instant(micros))
    }

    #[test]
    fn instants_are_read_as_chrono_reads_them() {
        let good = [
            "2026-11-22T11:00:00+01:00",
            "1969-12-31T23:59:59.9999999Z",
            "2024-02-29 23:59:60.25-23:59",
            "0001-01-01T00:00:00Z",
            "0001-01-01T00:00:00+00:01",
            "9999-12-31t23:59:59.999999z",
            "9999-12-31T23:59:59-00:01",
            "2026-11-22T00:00:00.1234567890123+05:45",
        ];
        let mut read = 0;
        for text in good {
            assert_eq!(Instant::parse(text), by_chrono(text), "{text}");
            for at in 0..text.len() {
                for other in ["", "0", "9", "6", "3", "-", "+", ":", ".", "T", "Z", " ", "x", "00"]
                {
                    let mut mutated = text.to_owned();
                    mutated.replace_range(at..=at, other);
                    assert_eq!(Instant::parse(&mutated), by_chrono(&mutated), "{mutated}");
                    read += usize::from(Instant::parse(&mutated).is_some());
                }
            }
        }
        assert!(read > 500, "{read}");
    }

    #[test]
    fn dates_are_read_one_way() {
        let date = NaiveDate::from_ymd_opt(2024, 2, 29);
        assert_eq!(parse_date("2024-02-29"), date);
        for bad in
            ["2023-02-29", "2024-2-29", "24-02-29", " 2024-02-29", "2024-02-29T", "+2024-2-9"]
        {
            assert_eq!(parse_date(bad), None, "{bad}");
        }
    }
}
