//! Phone, e-mail, password and one-time code: the same answer in the browser and on the server.
//! Each function takes what was typed and gives the one normal form, or the reason why not.
//! None of them knows whether a contact has an account.

mod calling_codes;
mod phone;

use crate::api::Registration;
use crate::field::{Field, FieldCode, FieldError};

pub use phone::phone;

/// Shortest password, in code points.
pub const PASSWORD_MIN: u32 = 8;
/// Longest password, in code points.
pub const PASSWORD_MAX: u32 = 128;

/// The contacts of a registration that can be accepted, each in its one form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contacts {
    /// E.164.
    pub phone: String,
    /// With the domain in lower case.
    pub email: String,
}

/// The whole registration form, or everything that is wrong with it, in form order.
///
/// Whether the time zone exists only the server knows, which adds that error at its place.
pub fn registration(typed: &Registration) -> Result<Contacts, Vec<FieldError>> {
    let (phone, email) = (phone(&typed.phone), email(&typed.email));
    let known = |contact| Result::as_deref(contact).unwrap_or_default();
    let password = password(&typed.password, known(&phone), known(&email));
    match (phone, email, password) {
        (Ok(phone), Ok(email), Ok(())) => Ok(Contacts { phone, email }),
        (phone, email, password) => {
            let codes = [
                (Field::Phone, phone.err()),
                (Field::Email, email.err()),
                (Field::Password, password.err()),
            ];
            let error = |(field, code): (Field, Option<FieldCode>)| {
                code.map(|code| FieldError::new(field, code))
            };
            Err(codes.into_iter().filter_map(error).collect())
        }
    }
}

/// An e-mail address by the HTML standard's rule (consecutive dots before the `@` and names without
/// a dot after it are allowed), at most 254 characters, 64 before the `@`; the domain in lower
/// case.
///
/// *Source*: HTML Standard, "valid e-mail address"; RFC 5321 for the lengths. *Errors*: `required`,
/// `not_an_email`, `too_long`.
pub fn email(typed: &str) -> Result<String, FieldCode> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Err(FieldCode::Required);
    }
    let (local, domain) = typed.rsplit_once('@').ok_or(FieldCode::NotAnEmail)?;
    let local_ok = (1..=64).contains(&local.len())
        && local.bytes().all(|b| b.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&b));
    let label_ok = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if !local_ok || !domain.split('.').all(label_ok) {
        return Err(FieldCode::NotAnEmail);
    }
    if typed.len() > 254 {
        return Err(FieldCode::TooLong { max: 254 });
    }
    Ok(format!("{local}@{}", domain.to_ascii_lowercase()))
}

/// Whether a password is long enough, not too long, and not one of the person's own contacts, given
/// in their one form or empty. Anything may stand in it but control characters; nothing is trimmed.
///
/// *Units*: code points, as typed. *Source*: NIST SP 800-63B (each code point is one character, no
/// rules of composition); RFC 8265, OpaqueString, for control characters and for how the server
/// prepares it (NFC, every space U+0020) before it is hashed. *Errors*: `required`, `too_short`,
/// `too_long`, `unusable_character`, `same_as_contact`.
pub fn password(typed: &str, phone: &str, email: &str) -> Result<(), FieldCode> {
    let length = u32::try_from(typed.chars().count()).unwrap_or(u32::MAX);
    if length == 0 {
        return Err(FieldCode::Required);
    }
    if let Some(control) = typed.chars().find(|c| c.is_control()) {
        return Err(FieldCode::unusable(control));
    }
    if length < PASSWORD_MIN {
        return Err(FieldCode::TooShort { min: PASSWORD_MIN });
    }
    if length > PASSWORD_MAX {
        return Err(FieldCode::TooLong { max: PASSWORD_MAX });
    }
    if is_phone(typed, phone) || is_email(typed.trim(), email) {
        return Err(FieldCode::SameAsContact);
    }
    Ok(())
}

/// Whether `typed` is this phone number, however written: with or without its calling code, and
/// with up to two digits more, for `00` or for what is dialled before it at home.
fn is_phone(typed: &str, phone: &str) -> bool {
    let Some(national) = phone::national(phone) else { return false };
    let same =
        |digits: &str| digits.ends_with(national) && digits.len() <= phone.len().saturating_add(1);
    phone::read(typed).is_some_and(|(_, digits)| same(&digits))
}

/// Whether `typed` is this e-mail address, or what stands before its `@`.
fn is_email(typed: &str, email: &str) -> bool {
    let Some((local, _)) = email.rsplit_once('@') else { return false };
    typed.eq_ignore_ascii_case(email) || typed.eq_ignore_ascii_case(local)
}

/// A decimal digit as its ASCII digit: ASCII, full-width, Arabic, Persian, Devanagari, Bengali.
fn digit(c: char) -> Option<char> {
    ['0', '０', '٠', '۰', '०', '০'].into_iter().find_map(|zero| {
        let value = u32::from(c).checked_sub(u32::from(zero))?;
        char::from_digit(value, 10)
    })
}

/// A one-time code: six digits, of the scripts that phone numbers are read in; white space is
/// dropped. *Errors*: `required`, `not_a_code`.
pub fn one_time_code(typed: &str) -> Result<String, FieldCode> {
    let digits = typed.chars().filter(|c| !c.is_whitespace()).map(digit);
    let code: String = digits.collect::<Option<String>>().ok_or(FieldCode::NotACode)?;
    match code.len() {
        0 => Err(FieldCode::Required),
        6 => Ok(code),
        _ => Err(FieldCode::NotACode),
    }
}

/// A contact as it may stand on a screen or in a log: `+34 ••• ••• 789`, `a•••@example.org`.
pub fn mask(contact: &str) -> String {
    match contact.rsplit_once('@') {
        Some((local, domain)) => {
            format!("{}•••@{domain}", local.chars().take(1).collect::<String>())
        }
        None => {
            let length = contact.chars().count();
            let start: String = contact.chars().take(3).collect();
            let end: String = contact.chars().skip(length.saturating_sub(3)).collect();
            format!("{start} ••• ••• {end}")
        }
    }
}

#[cfg(test)]
mod tests;
