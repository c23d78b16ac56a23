//! Decimal numbers as people type them, read exactly into integers: the one parser behind money
//! and data fields. It guesses nothing: what could be read two ways is refused.

/// Why typed text is not a usable number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberError {
    /// Nothing was typed.
    Empty,
    /// Something other than digits, one decimal mark and grouping.
    NotANumber,
    /// One mark followed by exactly three digits: `1,000` is a thousand or one.
    Ambiguous,
    /// More digits after the decimal mark than the unit has.
    TooPrecise,
    /// Larger than any amount this program handles.
    TooLarge,
}

/// Reads `text` as a non-negative number scaled by `10^scale`.
///
/// *Shape*: ASCII or full-width digits, one `.` or `,` (also full-width and `。`) as the decimal
/// mark, grouping by spaces, apostrophes or the other mark. *Units*: `"9.5"` with scale 2 is `950`.
/// *Errors*: see [`NumberError`]; a sign, an exponent or a currency mark is `NotANumber`.
pub fn parse_scaled(text: &str, scale: u32) -> Result<i64, NumberError> {
    let plain = normalise(text)?;
    let (whole, fraction) = split(&plain, scale)?;
    let fraction = fraction.trim_end_matches('0');
    let fraction_digits = u32::try_from(fraction.len()).map_err(|_| NumberError::TooPrecise)?;
    let missing = scale.checked_sub(fraction_digits).ok_or(NumberError::TooPrecise)?;
    let mut value: i64 = 0;
    let zeros = std::iter::repeat_n('0', usize::try_from(missing).unwrap_or(0));
    for digit in whole.chars().chain(fraction.chars()).chain(zeros) {
        let digit = digit.to_digit(10).ok_or(NumberError::NotANumber)?;
        value = value
            .checked_mul(10)
            .and_then(|v| v.checked_add(i64::from(digit)))
            .ok_or(NumberError::TooLarge)?;
    }
    if value > MAX_SCALED { Err(NumberError::TooLarge) } else { Ok(value) }
}

/// The largest value any field accepts: far above every real amount, far below overflow.
const MAX_SCALED: i64 = 1_000_000_000_000_000_000;

/// Digits and the marks `.` and `,` only; grouping that cannot be a decimal mark is dropped.
fn normalise(text: &str) -> Result<String, NumberError> {
    let mut plain = String::new();
    for c in text.trim().chars() {
        match c {
            '0'..='9' | '.' | ',' => plain.push(c),
            '０'..='９' => {
                let value = u32::from(c).saturating_sub(u32::from('０'));
                plain.push(char::from_digit(value, 10).ok_or(NumberError::NotANumber)?);
            }
            '．' | '。' => plain.push('.'),
            '，' => plain.push(','),
            ' ' | '\u{a0}' | '\u{202f}' | '\u{3000}' | '\'' | '’' => {}
            _ => return Err(NumberError::NotANumber),
        }
    }
    if plain.is_empty() { Err(NumberError::Empty) } else { Ok(plain) }
}

/// Splits at the decimal mark; the other mark, or a repeated one, must group by threes.
fn split(plain: &str, scale: u32) -> Result<(String, &str), NumberError> {
    let Some(last) = plain.rfind(['.', ',']) else { return Ok((plain.to_owned(), "")) };
    let (head, tail) = plain.split_at_checked(last).ok_or(NumberError::NotANumber)?;
    let mark = tail.chars().next().ok_or(NumberError::NotANumber)?;
    let after = tail.strip_prefix(mark).ok_or(NumberError::NotANumber)?;
    let repeated = head.contains(mark);
    let other = head.contains(if mark == '.' { ',' } else { '.' });
    if repeated {
        // `1.000.000`: every mark groups.
        return grouped(plain, mark).map(|whole| (whole, ""));
    }
    if other {
        let group = if mark == '.' { ',' } else { '.' };
        return grouped(head, group).map(|whole| (whole, after));
    }
    if head.is_empty() && after.is_empty() {
        return Err(NumberError::NotANumber);
    }
    // `1,000`: a thousand to some, one to others. `0,125` and `,125` can only be a fraction.
    let leads_with_zero = head.is_empty() || head.starts_with('0');
    if after.len() == 3 && scale != 3 && !leads_with_zero && head.len() <= 3 {
        return Err(NumberError::Ambiguous);
    }
    Ok((head.to_owned(), after))
}

/// The digits of `text` where `mark` separates groups of three, or an error.
fn grouped(text: &str, mark: char) -> Result<String, NumberError> {
    let mut groups = text.split(mark);
    let first = groups.next().unwrap_or("");
    let mut whole = String::from(first);
    let mut good = (1..=3).contains(&first.len());
    for group in groups {
        good &= group.len() == 3 && group.chars().all(|c| c.is_ascii_digit());
        whole.push_str(group);
    }
    if good { Ok(whole) } else { Err(NumberError::NotANumber) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_type() {
        for (text, scale, value) in [
            ("30", 2, Ok(3000)),
            ("9,5", 2, Ok(950)),
            ("９．５０", 2, Ok(950)),
            ("1 234.56", 2, Ok(123_456)),
            ("1,234.56", 2, Ok(123_456)),
            ("1.234.567", 2, Ok(123_456_700)),
            ("0,125", 3, Ok(125)),
            ("0.500", 2, Ok(50)),
            ("1.500", 3, Ok(1500)),
            ("1,000", 2, Err(NumberError::Ambiguous)),
            ("0.005", 2, Err(NumberError::TooPrecise)),
            ("0.5", 0, Err(NumberError::TooPrecise)),
            ("", 2, Err(NumberError::Empty)),
            ("-5", 2, Err(NumberError::NotANumber)),
            ("1e3", 2, Err(NumberError::NotANumber)),
            (".", 2, Err(NumberError::NotANumber)),
            ("1..5", 2, Err(NumberError::NotANumber)),
            ("12,34.5", 2, Err(NumberError::NotANumber)),
            ("99999999999999999999", 2, Err(NumberError::TooLarge)),
        ] {
            assert_eq!(parse_scaled(text, scale), value, "{text:?} at scale {scale}");
        }
    }
}
