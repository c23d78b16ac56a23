//! How quantities are written: the same on every screen, in mail and on receipts. Amounts always
//! carry their currency, in front; digits group by threes with a comma; times have 24 hours.

use crate::api::Language;
use crate::bytes::Bytes;
use crate::money::Money;
use crate::time::Instant;
use crate::zone::Zone;
use chrono::{Datelike, NaiveDate, Timelike};

/// Short English month names.
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Money with its currency: `EUR 1,234.50`, `JPY 500`.
pub fn money(money: Money) -> String {
    let digits = decimal_places(money.amount_minor, money.currency.exponent());
    format!("{} {}", money.currency, grouped(&digits))
}

/// Money without its currency or grouping, as it would be typed: `30.00`.
pub fn amount(money: Money) -> String {
    decimal_places(money.amount_minor, money.currency.exponent())
}

/// A card as people know it: `Visa •••• 4242`.
pub fn method_name(brand: &str, last4: &str) -> String {
    let mut letters = brand.chars();
    let first = letters.next().map(|c| c.to_ascii_uppercase());
    let brand: String = first.into_iter().chain(letters).collect();
    if last4.is_empty() { brand } else { format!("{brand} •••• {last4}") }
}

/// Data rounded down to what matters: `3.42 GB`, `512 MB`, `0 MB`. Never more than is there.
pub fn bytes(bytes: Bytes) -> String {
    let n = bytes.get();
    if n >= Bytes::GB.get() {
        let hundredths = i64::try_from(n.checked_div(10_000_000).unwrap_or(0)).unwrap_or(i64::MAX);
        format!("{} GB", grouped(&decimal(hundredths, 2)))
    } else if n >= Bytes::MB.get() {
        format!("{} MB", n.checked_div(1_000_000).unwrap_or(0))
    } else if n > 0 {
        format!("{} kB", n.checked_div(1000).unwrap_or(0).max(1))
    } else {
        "0 MB".to_owned()
    }
}

/// Data exactly, as a rule says it: `1 GB`, `1.5 GB`, `750 MB`.
pub fn bytes_exact(bytes: Bytes) -> String {
    if bytes >= Bytes::GB || bytes.is_zero() {
        format!("{} GB", grouped(&decimal(bytes.to_i64(), 9)))
    } else {
        format!("{} MB", decimal(bytes.to_i64(), 6))
    }
}

/// A scaled integer as a decimal number without trailing zeros: 1500 at scale 3 is `1.5`.
pub fn decimal(value: i64, scale: u32) -> String {
    let places = decimal_places(value, scale);
    match places.split_once('.') {
        Some((whole, fraction)) => match fraction.trim_end_matches('0') {
            "" => whole.to_owned(),
            fraction => format!("{whole}.{fraction}"),
        },
        None => places,
    }
}

/// A scaled integer with exactly `scale` decimals.
fn decimal_places(value: i64, scale: u32) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let unit = 10_u64.saturating_pow(scale);
    let value = value.unsigned_abs();
    let whole = value.checked_div(unit).unwrap_or(0);
    let fraction = value.checked_rem(unit).unwrap_or(0);
    if scale == 0 {
        format!("{sign}{whole}")
    } else {
        let width = usize::try_from(scale).unwrap_or(0);
        format!("{sign}{whole}.{fraction:0width$}")
    }
}

/// Digits before the decimal point in groups of three.
fn grouped(number: &str) -> String {
    let (whole, rest) = match number.find('.') {
        Some(point) => number.split_at_checked(point).unwrap_or((number, "")),
        None => (number, ""),
    };
    let length = whole.trim_start_matches('-').len();
    let mut text = String::new();
    for (index, c) in whole.chars().enumerate() {
        let sign = whole.len().saturating_sub(length);
        let left = whole.len().saturating_sub(index);
        if index > sign && left.checked_rem(3) == Some(0) {
            text.push(',');
        }
        text.push(c);
    }
    text.push_str(rest);
    text
}

/// A date: `1 Dec 2026`, `2026 年 12 月 1 日`.
pub fn date(date: NaiveDate, language: Language) -> String {
    match language {
        Language::En => format!("{} {}", day(date, language), date.year()),
        Language::ZhCn => format!("{} 年 {}", date.year(), day(date, language)),
    }
}

/// A date of a year that is understood: `1 Dec`, `12 月 1 日`.
pub fn day(date: NaiveDate, language: Language) -> String {
    let month = usize::try_from(date.month0()).ok().and_then(|m| MONTHS.get(m)).unwrap_or(&"");
    match language {
        Language::En => format!("{} {month}", date.day()),
        Language::ZhCn => format!("{} 月 {} 日", date.month(), date.day()),
    }
}

/// A local time: `14:07`.
pub fn time(at: Instant, zone: &Zone) -> String {
    let local = zone.local(at);
    format!("{:02}:{:02}", local.hour(), local.minute())
}

/// A local date and time, with the year where it is not this one: `24 Nov, 09:00`.
pub fn date_time(at: Instant, zone: &Zone, language: Language, now: Instant) -> String {
    let local = zone.date(at);
    let same_year = local.year() == zone.date(now).year();
    let day = if same_year { day(local, language) } else { date(local, language) };
    match language {
        Language::En => format!("{day}, {}", time(at, zone)),
        Language::ZhCn => format!("{day} {}", time(at, zone)),
    }
}
