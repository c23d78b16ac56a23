//! Phone, e-mail, password and one-time code: the same answer in the browser and on the server.
//! Each function takes what was typed and gives the one normal form, or the reason why not.

use crate::field::FieldCode;

/// Shortest password, in characters.
pub const PASSWORD_MIN: u32 = 8;
/// Longest password, in characters.
pub const PASSWORD_MAX: u32 = 128;

/// Calling codes in use, by length. *Source*: ITU-T E.164 list of assigned country codes, 2026.
const CALLING_CODES: [&str; 3] = [
    "1 7",
    "20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 \
     65 66 81 82 84 86 90 91 92 93 94 95 98",
    "211 212 213 216 218 220 221 222 223 224 225 226 227 228 229 230 231 232 233 234 235 236 237 \
     238 239 240 241 242 243 244 245 246 247 248 249 250 251 252 253 254 255 256 257 258 260 261 \
     262 263 264 265 266 267 268 269 290 291 297 298 299 350 351 352 353 354 355 356 357 358 359 \
     370 371 372 373 374 375 376 377 378 380 381 382 383 385 386 387 389 420 421 423 500 501 502 \
     503 504 505 506 507 508 509 590 591 592 593 594 595 596 597 598 599 670 672 673 674 675 676 \
     677 678 679 680 681 682 683 685 686 687 688 689 690 691 692 850 852 853 855 856 880 886 960 \
     961 962 963 964 965 966 967 968 970 971 972 973 974 975 976 977 979 992 993 994 995 996 998",
];

/// A phone number in E.164: `+`, calling code and national number, 7 to 15 digits in all.
///
/// *Shape*: spaces, hyphens, dots and brackets are dropped, full-width digits are read, a leading
/// `00` stands for `+`. *Errors*: `required`, `not_a_phone`, `unknown_calling_code`.
pub fn phone(typed: &str) -> Result<String, FieldCode> {
    let mut digits = String::new();
    let mut plus = false;
    for c in typed.trim().chars() {
        match c {
            '+' | '＋' if digits.is_empty() && !plus => plus = true,
            '0'..='9' => digits.push(c),
            '０'..='９' => {
                let value = u32::from(c).saturating_sub(u32::from('０'));
                digits.push(char::from_digit(value, 10).unwrap_or('0'));
            }
            ' ' | '\u{a0}' | '\u{3000}' | '-' | '‐' | '.' | '(' | ')' | '（' | '）' => {}
            _ => return Err(FieldCode::NotAPhone),
        }
    }
    if digits.is_empty() {
        return Err(if plus { FieldCode::NotAPhone } else { FieldCode::Required });
    }
    if !plus {
        digits = digits.strip_prefix("00").ok_or(FieldCode::NotAPhone)?.to_owned();
    }
    if !(7..=15).contains(&digits.len()) {
        return Err(FieldCode::NotAPhone);
    }
    let known = CALLING_CODES.iter().zip(1..).any(|(codes, length)| {
        digits.get(..length).is_some_and(|start| codes.split(' ').any(|code| code == start))
    });
    if known { Ok(format!("+{digits}")) } else { Err(FieldCode::UnknownCallingCode) }
}

/// An e-mail address by the HTML standard's rule, at most 254 bytes, 64 before the `@`; the domain
/// in lower case. *Errors*: `required`, `too_long`, `not_an_email`.
pub fn email(typed: &str) -> Result<String, FieldCode> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Err(FieldCode::Required);
    }
    if typed.len() > 254 {
        return Err(FieldCode::TooLong { max: 254 });
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
    if local_ok && domain.split('.').all(label_ok) {
        Ok(format!("{local}@{}", domain.to_ascii_lowercase()))
    } else {
        Err(FieldCode::NotAnEmail)
    }
}

/// Whether a password is long enough, not too long, and not one of the person's own contacts.
/// Characters are counted as people count them, near enough: code points. Nothing is trimmed.
pub fn password(typed: &str, phone: &str, email: &str) -> Result<(), FieldCode> {
    let length = u32::try_from(typed.chars().count()).unwrap_or(u32::MAX);
    if length == 0 {
        return Err(FieldCode::Required);
    }
    if length < PASSWORD_MIN {
        return Err(FieldCode::TooShort { min: PASSWORD_MIN });
    }
    if length > PASSWORD_MAX {
        return Err(FieldCode::TooLong { max: PASSWORD_MAX });
    }
    let same = |contact: &str| !contact.is_empty() && typed.trim().eq_ignore_ascii_case(contact);
    if same(phone) || same(email) || same(phone.trim_start_matches('+')) {
        return Err(FieldCode::SameAsContact);
    }
    Ok(())
}

/// A one-time code: six digits, full-width ones and spaces allowed. *Errors*: `required`,
/// `not_a_code`.
pub fn one_time_code(typed: &str) -> Result<String, FieldCode> {
    let mut code = String::new();
    for c in typed.chars().filter(|c| !c.is_whitespace()) {
        let value = match c {
            '0'..='9' => u32::from(c).saturating_sub(u32::from('0')),
            '０'..='９' => u32::from(c).saturating_sub(u32::from('０')),
            _ => return Err(FieldCode::NotACode),
        };
        code.push(char::from_digit(value, 10).unwrap_or('0'));
    }
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
mod tests {
    use super::*;

    #[test]
    fn phones_have_one_form() {
        for (typed, result) in [
            ("+34 612 345 678", Ok("+34612345678")),
            ("0034 612-345-678", Ok("+34612345678")),
            ("＋８６ １３８００１３８０００", Ok("+8613800138000")),
            ("+1 (415) 555-0132", Ok("+14155550132")),
            ("612345678", Err(FieldCode::NotAPhone)),
            ("+34", Err(FieldCode::NotAPhone)),
            ("+999 1234567", Err(FieldCode::UnknownCallingCode)),
            ("+34 61234567890123", Err(FieldCode::NotAPhone)),
            ("+34 61a", Err(FieldCode::NotAPhone)),
            ("", Err(FieldCode::Required)),
        ] {
            assert_eq!(phone(typed), result.map(str::to_owned), "{typed}");
        }
    }

    #[test]
    fn emails_follow_the_html_rule() {
        for (typed, good) in [
            ("ana@example.org", true),
            ("a+b@sub.example.org", true),
            ("ana@localhost", true),
            ("ana@-bad.org", false),
            ("ana@", false),
            ("@example.org", false),
            ("ana example@x.org", false),
            ("ana@x..org", false),
            ("ana@例子.中国", false),
            ("ana\u{0}@x.org", false),
        ] {
            assert_eq!(email(typed).is_ok(), good, "{typed}");
        }
        assert_eq!(email(" Ana@Example.ORG ").as_deref(), Ok("Ana@example.org"));
    }

    #[test]
    fn passwords_are_long_and_not_a_contact() {
        assert_eq!(password("short", "", ""), Err(FieldCode::TooShort { min: 8 }));
        assert_eq!(password("密码密码密码密码", "", ""), Ok(()));
        assert_eq!(
            password("ana@example.org", "+34612345678", "ana@example.org"),
            Err(FieldCode::SameAsContact)
        );
    }

    #[test]
    fn masks_keep_no_contact_readable() {
        assert_eq!(mask("+34612345678"), "+34 ••• ••• 678");
        assert_eq!(mask("ana@example.org"), "a•••@example.org");
    }
}
