//! What people type, against other implementations: phone numbers against libphonenumber, e-mail
//! addresses against the HTML Standard's expression, labels against Unicode's grapheme clusters;
//! and what holds for any text at all. `tests/vectors/make_*.py` made the vectors.

use crate::parity::Dice;
use laika_core::contact::{email, one_time_code, password, phone};
use laika_core::field::{CodePoint, FieldCode};
use laika_core::label::{characters, label};
use laika_core::say;
use serde_json::Value;

const PHONES: &str = include_str!("../../tests/vectors/phones.jsonl");
const EMAILS: &str = include_str!("../../tests/vectors/emails.jsonl");
const LABELS: &str = include_str!("../../tests/vectors/labels.jsonl");

fn lines(vectors: &'static str) -> impl Iterator<Item = Value> {
    vectors.lines().map(|line| serde_json::from_str(line).expect("JSON"))
}

fn text<'a>(line: &'a Value, name: &str) -> Option<&'a str> {
    line[name].as_str()
}

/// Whether an error is the one that libphonenumber's reason stands for.
fn fits(code: &FieldCode, reason: Option<&str>) -> bool {
    match (code, reason) {
        (FieldCode::PhoneLength { digits, min, .. }, Some("too_short")) => digits < min,
        (FieldCode::PhoneLength { digits, max, .. }, Some("too_long")) => digits > max,
        (FieldCode::PhoneLength { digits, min, max, .. }, Some("invalid_length")) => {
            min < digits && digits < max
        }
        // Possible in its own area, so it has any length but those that can be called from abroad;
        // or too short to be looked at.
        (FieldCode::PhoneLength { .. }, Some("local_only") | None) => true,
        (FieldCode::UnknownCallingCode, Some("unknown_calling_code")) => true,
        _ => false,
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn phone_numbers_agree_with_libphonenumber() {
    let (mut count, mut possible) = (0, 0);
    for line in lines(PHONES) {
        let number = text(&line, "number").expect("a number");
        match phone(number) {
            Ok(kept) => {
                assert_eq!(line["possible"], true, "{line}");
                assert_eq!(kept, text(&line, "e164").unwrap_or(number), "{line}");
                possible += 1;
            }
            Err(code) => {
                assert_eq!(line["possible"], false, "{line}: {code:?}");
                assert!(fits(&code, text(&line, "reason")), "{line}: {code:?}");
            }
        }
        count += 1;
    }
    assert_eq!((count, possible), (6985, 2541));
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn addresses_agree_with_the_html_standard() {
    let mut count = 0;
    for line in lines(EMAILS) {
        let typed = text(&line, "email").expect("an address");
        let kept = email(typed);
        assert_eq!(kept.is_ok(), line["good"] == true, "{line}: {kept:?}");
        assert!(kept.is_ok_and(|kept| kept.eq_ignore_ascii_case(typed)) || line["good"] == false);
        count += 1;
    }
    assert_eq!(count, 2178);
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn labels_of_every_script_are_judged_as_listed() {
    let mut count = 0;
    for line in lines(LABELS) {
        let typed = text(&line, "typed").expect("a text");
        let wanted = if let Some(kept) = text(&line, "label") {
            Ok(kept.to_owned())
        } else if let Some(character) = text(&line, "unusable") {
            let character = CodePoint::try_from(character.to_owned()).expect("a code point");
            Err(FieldCode::UnusableCharacter { character })
        } else if line["long"] == true {
            Err(FieldCode::TooLong { max: 40 })
        } else {
            assert_eq!(line["empty"], true, "{line}");
            Err(FieldCode::Required)
        };
        assert_eq!(label(typed), wanted, "{line}");
        if let Some(clusters) = line["characters"].as_u64() {
            assert_eq!(u64::from(characters(typed)), clusters, "{line}");
        }
        count += 1;
    }
    assert_eq!(count, 256);
}

/// What each rule looks at; the first four are what a good text begins with.
const PIECES: [&[&str]; 4] = [
    &[
        "+44",
        "00",
        "＋39",
        "+1",
        "(0)",
        "0",
        "612345678",
        "８６",
        "٠١٢",
        "612",
        " ",
        "-",
        "\u{202a}",
    ],
    &["ana", "b.", "9", "_", "@", "@x.org", "@x", ".", "-", "+", ".org", "\"", " "],
    &["1", "23", "456", "123456", "７", "۰", " ", "\u{a0}", "a"],
    &[
        " ",
        "a",
        "线",
        "🏴",
        "नि",
        "क\u{94d}",
        "ᄒ",
        "ᅡ",
        "👩",
        "🏽",
        "🇪",
        "\u{200d}",
        "\u{301}",
        "=",
        "\u{fe0f}",
        "\u{200b}",
        "\u{e0067}",
        "\u{202e}",
        "\u{2066}",
        "\n",
        "\0",
        "\u{3000}",
    ],
];

/// Text that is likely to be trouble: the pieces of one rule, and now and then any character.
fn any_text(dice: &mut Dice) -> String {
    let pieces = PIECES[dice.roll(4) as usize];
    let strange = dice.roll(3) + 1;
    let mut text = pieces[dice.roll(4) as usize].to_owned();
    for _ in 0..dice.roll(9) {
        match dice.roll(strange * 8) {
            0 if strange > 1 => text.extend(char::from_u32(dice.roll(0x11_0000) as u32)),
            1 if strange > 1 => text.extend(char::from_u32(dice.roll(0x800) as u32)),
            _ => text.push_str(pieces[dice.roll(pieces.len() as u64) as usize]),
        }
    }
    text
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn what_is_accepted_stays_as_it_is() {
    type Rule = fn(&str) -> Result<String, FieldCode>;
    let rules: [(&str, Rule); 4] =
        [("phone", phone), ("email", email), ("one_time_code", one_time_code), ("label", label)];
    let mut dice = Dice(3);
    let mut accepted = [0; 4];
    for _ in 0..20_000 {
        let typed = any_text(&mut dice);
        for ((name, rule), accepted) in rules.iter().zip(&mut accepted) {
            if let Ok(kept) = rule(&typed) {
                assert_eq!(rule(&kept).as_ref(), Ok(&kept), "{name} of {typed:?}");
                *accepted += 1;
            }
        }
        let fine = password(&typed, "+34612345678", "ana@x.org").is_ok();
        let length = typed.chars().count();
        assert!(!fine || (8..=128).contains(&length) && !typed.contains(char::is_control));
    }
    assert!(accepted.iter().all(|n| *n > 100), "the text is not all refused: {accepted:?}");
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn no_label_reorders_or_hides_or_reaches_its_neighbours() {
    let mut dice = Dice(5);
    for _ in 0..20_000 {
        let typed = any_text(&mut dice);
        let Ok(kept) = label(&typed) else { continue };
        assert!(!kept.contains(['\u{202e}', '\u{2066}', '\0', '\n', '\u{2028}']), "{kept:?}");
        assert!(!kept.starts_with([' ', '\u{301}', '\u{fe0f}', '\u{200d}']), "{kept:?}");
        assert!(!kept.ends_with(' ') && !kept.contains("  "), "{kept:?}");
        assert!((1..=40).contains(&characters(&kept)), "{kept:?}");
        let together = characters(&format!("a{kept}b"));
        assert!(together > characters(&kept), "attaches to what is before it: {kept:?}");
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn every_wrong_length_is_said_with_its_figures() {
    use laika_core::api::Language::{En, ZhCn};
    use laika_core::field::Field::Phone;
    for (typed, en, zh) in [
        (
            "+34 61234567",
            "Too short: 9 digits come after +34, here 8.",
            "位数不足：+34 之后应为 9 位数字，现为 8 位。",
        ),
        (
            "+44 12345678",
            "No number has this length: 7 to 10 digits come after +44, here 8.",
            "没有这种位数的号码：+44 之后应为 7 至 10 位数字，现为 8 位。",
        ),
        (
            "+86 1380013800012",
            "Too long: 7 to 12 digits come after +86, here 13.",
            "位数过多：+86 之后应为 7 至 12 位数字，现为 13 位。",
        ),
    ] {
        let code = phone(typed).expect_err(typed);
        assert_eq!(say::field_error(En, Phone, &code), en);
        assert_eq!(say::field_error(ZhCn, Phone, &code), zh);
    }
}
