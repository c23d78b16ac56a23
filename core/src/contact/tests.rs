//! Claims about contacts, a reader's handful of each; the thousands are in `tests/vectors`.

use super::*;
use crate::api::Language;

fn length(calling_code: u16, digits: u32, min: u32, max: u32) -> FieldCode {
    FieldCode::PhoneLength { calling_code, digits, min, max }
}

#[test]
fn phones_have_one_form() {
    for (typed, result) in [
        ("+34 612 345 678", "+34612345678"),
        ("0034 612-345-678", "+34612345678"),
        ("＋８６ １３８００１３８０００", "+8613800138000"),
        ("+1 (415) 555-0132", "+14155550132"),
        ("+49 170/1234567", "+491701234567"),
        ("\u{202a}+34 612 345 678\u{202c}", "+34612345678"),
        ("+٩٧١ ٥٠ ١٢٣ ٤٥٦٧", "+971501234567"),
        ("+৮৮০ ১৭১২ ৩৪৫৬৭৮", "+8801712345678"),
        ("+34 612\u{2011}345\u{2013}678", "+34612345678"),
    ] {
        assert_eq!(phone(typed).as_deref(), Ok(result), "{typed}");
    }
}

#[test]
fn what_is_dialled_only_at_home_is_dropped_after_the_calling_code() {
    for (typed, result) in [
        ("+44 (0)20 7946 0018", "+442079460018"),
        ("+44 07911 123456", "+447911123456"),
        ("0049 (0) 170 1234567", "+491701234567"),
        ("+7 8 495 123 45 67", "+74951234567"),
        ("+1 1 415 555 0132", "+14155550132"),
        ("+36 06 20 123 4567", "+36201234567"),
        ("+370 8 612 34567", "+37061234567"),
        ("+375 029 123 45 67", "+375291234567"),
        ("+49 00 170 1234567", "+491701234567"),
    ] {
        assert_eq!(phone(typed).as_deref(), Ok(result), "{typed}");
    }
    assert_eq!(phone("+39 06 698 12345").as_deref(), Ok("+390669812345"), "part of the number");
    assert_eq!(phone("+7 800 555 35 35").as_deref(), Ok("+78005553535"), "part of the number");
    assert_eq!(phone("+34 (0) 612 345 678"), Err(length(34, 10, 9, 9)), "not said in Spain");
}

#[test]
fn a_wrong_length_says_what_is_right() {
    for (typed, code) in [
        ("+34 61234567", length(34, 8, 9, 9)),
        ("+34 6123456789", length(34, 10, 9, 9)),
        ("+44 12345678", length(44, 8, 7, 10)),
        ("+34", length(34, 0, 9, 9)),
        ("+49 12345678901234", length(49, 14, 4, 13)),
        ("+612345678901234567890", length(61, 19, 5, 12)),
        ("612345678", FieldCode::NotAPhone),
        ("+", FieldCode::NotAPhone),
        ("00", FieldCode::NotAPhone),
        ("+34 612 345 678 ext 5", FieldCode::NotAPhone),
        ("tel:+34612345678", FieldCode::NotAPhone),
        ("+34 612+345678", FieldCode::NotAPhone),
        ("+999 1234567", FieldCode::UnknownCallingCode),
        ("+0034 612 345 678", FieldCode::UnknownCallingCode),
        ("+044 7911 123456", FieldCode::UnknownCallingCode),
        ("+3", FieldCode::UnknownCallingCode),
        ("", FieldCode::Required),
        (" ( ) ", FieldCode::Required),
    ] {
        assert_eq!(phone(typed), Err(code), "{typed}");
    }
}

#[test]
fn passwords_are_counted_in_code_points_and_not_composed_by_rule() {
    for (typed, result) in [
        ("", Err(FieldCode::Required)),
        ("1234567", Err(FieldCode::TooShort { min: 8 })),
        ("aaaaaaaa", Ok(())),
        ("        ", Ok(())),
        ("密码密码密码密码", Ok(())),
        ("密码密码密码密", Err(FieldCode::TooShort { min: 8 })),
        ("पासवर्ड लम्बा", Ok(())),
        ("🐴🔋🐴🔋🐴🔋🐴🔋", Ok(())),
        ("correct\thorse", Err(FieldCode::unusable('\t'))),
        ("correct horse\n", Err(FieldCode::unusable('\n'))),
        ("correct\u{0}horse", Err(FieldCode::unusable('\u{0}'))),
        ("correct\u{85}horse", Err(FieldCode::unusable('\u{85}'))),
    ] {
        assert_eq!(password(typed, "", ""), result, "{typed}");
    }
    assert_eq!(password(&"密".repeat(128), "", ""), Ok(()));
    assert_eq!(password(&"密".repeat(129), "", ""), Err(FieldCode::TooLong { max: 128 }));
}

#[test]
fn a_password_is_no_contact_of_its_owner_however_written() {
    for (typed, same) in [
        ("+34612345678", true),
        ("34612345678", true),
        ("0034 612 345 678", true),
        ("612345678", true),
        ("0612345678", true),
        ("（612）345-678", true),
        ("６１２３４５６７８", true),
        ("+33612345678", true),
        ("612345679", false),
        ("9999612345678", true),
        ("99999612345678", false),
        ("6123456789", false),
        ("ana.maria@example.org", true),
        (" ANA.MARIA@example.ORG ", true),
        ("Ana.Maria", true),
        ("ana.maria1", false),
        ("ana.maria@example.com", false),
    ] {
        let result = password(typed, "+34612345678", "ana.maria@example.org");
        assert_eq!(result == Err(FieldCode::SameAsContact), same, "{typed}");
    }
    assert_eq!(password("ana@example.org", "", "ana@example.org"), Err(FieldCode::SameAsContact));
    assert_eq!(password("any password", "", ""), Ok(()));
}

#[test]
fn a_form_tells_everything_at_once_in_its_order() {
    let typed = |phone: &str, email: &str, password: &str| Registration {
        phone: phone.to_owned(),
        email: email.to_owned(),
        password: password.to_owned(),
        language: Language::En,
        time_zone: "Europe/Madrid".to_owned(),
    };
    let errors = |all: &[(Field, FieldCode)]| {
        Err(all.iter().cloned().map(|(field, code)| FieldError::new(field, code)).collect())
    };
    assert_eq!(
        registration(&typed("+34 612", "ana@", "short")),
        errors(&[
            (Field::Phone, length(34, 3, 9, 9)),
            (Field::Email, FieldCode::NotAnEmail),
            (Field::Password, FieldCode::TooShort { min: 8 }),
        ])
    );
    assert_eq!(
        registration(&typed("0034 612 345 678", "", "612 345 678")),
        errors(
            &[(Field::Email, FieldCode::Required), (Field::Password, FieldCode::SameAsContact),]
        )
    );
    assert_eq!(
        registration(&typed("0034 612 345 678", "Ana@Example.ORG", "correct horse")),
        Ok(Contacts { phone: "+34612345678".to_owned(), email: "Ana@example.org".to_owned() })
    );
}

#[test]
fn codes_are_six_digits_of_any_script_read() {
    for (typed, result) in [
        ("123456", Ok("123456")),
        (" 123 456 ", Ok("123456")),
        ("１２３４５６", Ok("123456")),
        ("۱۲۳۴۵۶", Ok("123456")),
        ("", Err(FieldCode::Required)),
        ("   ", Err(FieldCode::Required)),
        ("12345", Err(FieldCode::NotACode)),
        ("1234567", Err(FieldCode::NotACode)),
        ("12345a", Err(FieldCode::NotACode)),
        ("-12345", Err(FieldCode::NotACode)),
    ] {
        assert_eq!(one_time_code(typed), result.map(str::to_owned), "{typed}");
    }
}

#[test]
fn masks_keep_no_contact_readable() {
    assert_eq!(mask("+34612345678"), "+34 ••• ••• 678");
    assert_eq!(mask("ana@example.org"), "a•••@example.org");
}
