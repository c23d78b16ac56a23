//! Phone numbers: what a person types, the one form that is kept, and whether a number of that
//! length can exist. Whether it does exist, and who answers it, only the code sent to it shows.

use super::calling_codes::{CALLING_CODES, TRUNKS};
use crate::field::FieldCode;

/// A phone number in E.164: `+`, calling code and national number.
///
/// *Shape*: white space, hyphens, dashes, dots, slashes, brackets and the invisible marks that come
/// along when one is copied are dropped; digits of several scripts are read; a leading `00` stands
/// for `+`. A prefix that is dialled only at home is dropped after the calling code, as in
/// `+44 (0)20 …`, `+7 8 495 …` or `+36 06 …`; Italy's `0` is part of its numbers and stays.
/// Letters, extensions and numbers without a calling code are refused.
///
/// Accepted are exactly the numbers that libphonenumber calls possible: a length that the calling
/// code's plan has, and that can be dialled from abroad. Codes of no country (`+800`, `+881`, …)
/// are judged in the same way: who cannot get a code there cannot register with it.
///
/// *Errors*: `required`, `not_a_phone`, `unknown_calling_code`, `phone_length`.
pub fn phone(typed: &str) -> Result<String, FieldCode> {
    let (plus, digits) = read(typed).ok_or(FieldCode::NotAPhone)?;
    if digits.is_empty() && !plus {
        return Err(FieldCode::Required);
    }
    let digits = if plus { Some(digits.as_str()) } else { digits.strip_prefix("00") };
    let digits = digits.filter(|digits| !digits.is_empty()).ok_or(FieldCode::NotAPhone)?;
    let number = Number::of(digits).ok_or(FieldCode::UnknownCallingCode)?.without_trunk();
    let (code, national) = (number.code, number.national);
    if number.is_possible() {
        Ok(format!("+{code}{national}"))
    } else {
        Err(FieldCode::PhoneLength {
            calling_code: code.parse().unwrap_or_default(),
            digits: length(national),
            min: number.lengths.trailing_zeros(),
            max: number.longest(),
        })
    }
}

/// The national part of a number in E.164.
pub(super) fn national(e164: &str) -> Option<&str> {
    e164.strip_prefix('+').and_then(Number::of).map(|number| number.national)
}

/// Whether there was a `+`, and the digits; nothing where something else was typed.
pub(super) fn read(typed: &str) -> Option<(bool, String)> {
    let mut digits = String::new();
    let mut plus = false;
    for c in typed.chars() {
        match c {
            '+' | '＋' if digits.is_empty() && !plus => plus = true,
            '-' | '.' | '/' | '(' | ')' | '（' | '）' | '[' | ']' | '－' | '−' => {}
            // Hyphens and dashes; zero-width and direction marks, as copied from a contact.
            '\u{2010}'..='\u{2015}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' => {}
            '\u{2060}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => {}
            c if c.is_whitespace() => {}
            c => digits.push(super::digit(c)?),
        }
    }
    Some((plus, digits))
}

fn length(digits: &str) -> u32 {
    u32::try_from(digits.len()).unwrap_or(u32::MAX)
}

/// The digits of a number, taken apart.
#[derive(Clone, Copy)]
struct Number<'a> {
    code: &'a str,
    national: &'a str,
    /// Bit n: a national number may have n digits.
    lengths: u16,
    trunks: &'static [&'static str],
}

impl<'a> Number<'a> {
    /// No calling code is the beginning of another, so there is one way at most.
    fn of(digits: &'a str) -> Option<Number<'a>> {
        (1..=3).filter(|_| !digits.starts_with('0')).find_map(|length| {
            let (code, national) = digits.split_at_checked(length)?;
            let wanted = code.parse::<u16>().ok()?;
            let (_, bits) = CALLING_CODES.iter().find(|(known, _)| *known == wanted)?;
            let trunks = TRUNKS.get(usize::from(bits & 0xf)).copied().unwrap_or_default();
            Some(Number { code, national, lengths: bits & 0xfff0, trunks })
        })
    }

    fn longest(self) -> u32 {
        self.lengths.checked_ilog2().unwrap_or_default()
    }

    fn is_possible(self) -> bool {
        1_u16.checked_shl(length(self.national)).is_some_and(|bit| self.lengths & bit != 0)
    }

    /// Without what is dialled only at home. *Source*: libphonenumber drops it unless what is left
    /// would be too short: `+7 800 …` keeps its 8. Typed twice, it goes twice, so that what is kept
    /// stays as it is when it is read again.
    fn without_trunk(self) -> Number<'a> {
        let rest = self.trunks.iter().find_map(|trunk| self.national.strip_prefix(trunk));
        match rest.map(|national| Number { national, ..self }) {
            Some(rest) if rest.is_possible() => rest.without_trunk(),
            Some(rest) if length(rest.national) > self.longest() => rest,
            Some(_) | None => self,
        }
    }
}
