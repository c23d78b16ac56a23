//! What people type: one field by itself, and the whole form of a rule.

use super::edits::{Choices, edited};
use crate::cases::{now, world, zone};
use laika_core::api::{Language, Registration};
use laika_core::bytes::{Bytes, DataUnit};
use laika_core::contact::{
    PASSWORD_MAX, PASSWORD_MIN, email, mask, one_time_code, password, phone, registration,
};
use laika_core::draft::{RuleDraft, validate};
use laika_core::forecast::bound;
use laika_core::id::LineId;
use laika_core::label::{LABEL_MAX, characters, label};
use laika_core::money::{Currency, Money};
use laika_core::number::parse_scaled;
use laika_core::say::{self, Speech};
use laika_core::schedule::TimeOfDay;
use laika_core::time::Instant;

/// What was accepted has one form, which is accepted as itself.
fn settles<E: PartialEq + std::fmt::Debug>(parse: impl Fn(&str) -> Result<String, E>, text: &str) {
    if let Ok(one_form) = parse(text) {
        assert_eq!(parse(&one_form), Ok(one_form.clone()), "{text:?}");
    }
}

/// A number as it would have to be typed: `1.125` may be a thousand to some and is refused.
fn decimal(value: i64, scale: u32) -> String {
    let text = say::decimal(value, scale);
    let ambiguous = scale != 3 && text.rsplit_once('.').is_some_and(|(_, after)| after.len() == 3);
    if ambiguous { text + "0" } else { text }
}

/// One field: the first byte says which, the rest is the text.
pub(super) fn text(bytes: &[u8]) {
    let Some((which, text)) = bytes.split_first() else { return };
    let text = &*String::from_utf8_lossy(text);
    match which % 10 {
        0 => {
            settles(phone, text);
            if let Ok(number) = phone(text) {
                assert!(number.starts_with('+') && number.len() <= 16, "{text:?}: {number}");
                assert!(number.bytes().skip(1).all(|b| b.is_ascii_digit()), "{text:?}: {number}");
                assert_ne!(mask(&number), number);
            }
        }
        1 => {
            settles(email, text);
            if let Ok(address) = email(text) {
                assert!(address.len() <= 254 && address.is_ascii(), "{text:?}: {address}");
            }
            mask(text);
        }
        2 => form(text),
        3 => settles(one_time_code, text),
        4 => {
            settles(label, text);
            if let Ok(name) = label(text) {
                assert!((1..=LABEL_MAX).contains(&characters(&name)), "{text:?}");
                assert!(!name.chars().any(char::is_control), "{text:?}");
            }
        }
        5 => {
            for scale in [0, 2, 3, 6, 9, 18, 28] {
                settles(|text| parse_scaled(text, scale).map(|n| decimal(n, scale)), text);
            }
        }
        6 => {
            for code in ["EUR", "JPY", "KWD", "UYW"] {
                let currency = Currency::from_code(code).expect("a currency");
                settles(|text| Money::parse(text, currency).map(say::amount), text);
            }
            assert!(Currency::from_code(text).is_none_or(|currency| currency.code() == text));
        }
        7 => {
            for (unit, scale) in [(DataUnit::GB, 9), (DataUnit::MB, 6)] {
                let shown = |bytes: Bytes| decimal(bytes.to_i64(), scale);
                settles(|text| Bytes::parse(text, unit).map(shown), text);
            }
        }
        8 => {
            settles(|text| TimeOfDay::parse(text).map(|time| time.to_string()).ok_or(()), text);
            settles(|text| Instant::parse(text).map(|at| at.to_string()).ok_or(()), text);
        }
        _ => {
            settles(|text| LineId::new(text).map(|id| id.as_str().to_owned()).ok_or(()), text);
            Language::from_tag(text);
        }
    }
}

/// The registration form, a field a line.
fn form(text: &str) {
    let mut fields = text.split('\n').map(str::to_owned);
    let mut field = || fields.next().unwrap_or_default();
    let (phone, email, typed) = (field(), field(), field());
    if password(&typed, &phone, &email).is_ok() {
        let characters = u32::try_from(typed.chars().count()).expect("few");
        assert!((PASSWORD_MIN..=PASSWORD_MAX).contains(&characters), "{typed:?}");
    }
    let typed = Registration {
        phone,
        email,
        password: typed,
        language: Language::En,
        time_zone: "Europe/Madrid".to_owned(),
    };
    match registration(&typed) {
        Ok(contacts) => {
            assert_ne!(typed.password, contacts.phone);
            assert_ne!(typed.password, contacts.email);
        }
        Err(errors) => assert!((1..=3).contains(&errors.len()), "{errors:?}"),
    }
}

/// The form of a rule: a rule or its errors, in order, each in words; never both, never neither.
pub(super) fn draft(bytes: &[u8]) {
    let choices = &mut Choices(bytes);
    let (_, mut account, _) = world();
    account.zone = zone(["Europe/Madrid", "Asia/Shanghai"][choices.seed() as usize % 2]);
    let suggested = RuleDraft::suggested(&account, now());
    let other = RuleDraft {
        low_balance: !suggested.low_balance,
        scheduled: !suggested.scheduled,
        expiring: !suggested.expiring,
        ..suggested.clone()
    };
    let Some(draft) = edited(choices, &suggested, &other) else { return };
    let speak = |language| Speech { language, zone: &account.zone, now: now() };
    match validate(&draft, &account, now()) {
        Ok(rule) => {
            assert!(!rule.on && rule.version == 0);
            let most = bound(&rule, &account);
            for language in [Language::En, Language::ZhCn] {
                assert!(
                    !speak(language).consent(&rule, &account.payment_methods, &most).is_empty()
                );
            }
            // Why: what is kept has to be read again, by the next version of the page too.
            let text = serde_json::to_string(&rule).expect("JSON");
            assert_eq!(serde_json::from_str(&text).ok(), Some(rule));
        }
        Err(errors) => {
            assert!(!errors.is_empty());
            assert!(errors.is_sorted_by_key(|error| error.field), "{errors:?}");
            for error in &errors {
                for language in [Language::En, Language::ZhCn] {
                    assert!(!say::field_error(language, error.field, &error.code).is_empty());
                }
            }
        }
    }
}
