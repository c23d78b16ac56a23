//! Enums whose variant a word in the same JSON object names: `{"kind": "credit", …}`. They are read
//! as an object with the fields of all variants, any of which may be absent; then the word says
//! which of them are needed. They are written as serde derives it.
//!
//! Why reading is not derived too: what is derived first copies the object into a tree, and reads
//! everything in it from that tree by code of its own, beside the code that reads it from the text.

use serde::de;

/// Makes `$enum` readable. Of each variant: its word, its fields, and after a semicolon those that
/// may be absent. After `=` stands what reads a field otherwise than its type does. `by` names the
/// field of the word; after `from`, the fields stand in an object of their own, and whoever reads
/// that calls `$enum::read_as`.
macro_rules! read_tagged {
    ($enum:ident by $tag:ident, $fields:ident {
        $($field:ident: $type:ty $(= $read:literal)?),* $(,)?
    } $($arms:tt)*) => {
        impl<'de> serde::Deserialize<'de> for $enum {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                #[derive(serde::Deserialize)]
                struct Whole {
                    $tag: String,
                    $(#[serde(default $(, deserialize_with = $read)?)] $field: Option<$type>,)*
                }
                let Whole { $tag, $($field),* } = Whole::deserialize(deserializer)?;
                $enum::read_as(&$tag, $fields { $($field),* })
            }
        }

        /// The fields of all variants.
        struct $fields {
            $($field: Option<$type>,)*
        }

        read_tagged!(@pick $enum, $fields $($arms)*);
    };
    ($enum:ident from $fields:ident {
        $($field:ident: $type:ty $(= $read:literal)?),* $(,)?
    } $($arms:tt)*) => {
        /// The fields of all variants.
        #[derive(Default, serde::Deserialize)]
        struct $fields {
            $(#[serde(default $(, deserialize_with = $read)?)] $field: Option<$type>,)*
        }

        read_tagged!(@pick $enum, $fields $($arms)*);
    };
    (@pick $enum:ident, $fields:ident $(
        $word:literal => $variant:ident
            $({ $($has:ident),* $(; $($may:ident),*)? })?
            $(($inner:ident { $($part:ident),* }))?
    ),* $(,)?) => {
        impl $enum {
            fn read_as<E: serde::de::Error>(word: &str, fields: $fields) -> Result<Self, E> {
                use crate::tagged::required;
                Ok(match word {
                    $($word => $enum::$variant
                        $({
                            $($has: required(fields.$has, stringify!($has))?,)*
                            $($($may: fields.$may,)*)?
                        })?
                        $(($inner { $($part: required(fields.$part, stringify!($part))?),* }))?,)*
                    other => return Err(E::unknown_variant(other, &[$($word),*])),
                })
            }
        }

        #[cfg(test)]
        impl $enum {
            /// The word of each variant, as it is read.
            pub(crate) const WORDS: &'static [&'static str] = &[$($word),*];
        }

        // Why: a variant that could be written and not read would only show where it is read.
        const _: fn(&$enum) = |value| match value {
            $($enum::$variant { .. })|* => (),
        };
    };
}
pub(crate) use read_tagged;

/// A field that its variant needs, as the type that it has there. *Errors*: when it is absent or
/// does not fit.
pub(crate) fn required<T, U: TryFrom<T>, E: de::Error>(
    value: Option<T>,
    name: &'static str,
) -> Result<U, E> {
    let value = value.ok_or_else(|| E::missing_field(name))?;
    U::try_from(value).map_err(|_| E::custom(format_args!("{name} is out of range")))
}

#[cfg(test)]
mod tests {
    use crate::decide::{Cause, Decision, Reason, TriggerDue, Unusable};
    use crate::field::FieldCode;
    use crate::field::FieldError;
    use crate::recharge::{Fact, Outcome};
    use crate::rule::{Adds, Amount, Threshold};
    use crate::schedule::{Schedule, Unit};
    use serde::{Serialize, de::DeserializeOwned};
    use serde_json::{Value, json};
    use std::fmt::Debug;

    /// Each field that any of them has.
    const EVERYTHING: &str = r#"{
        "since": "2026-11-22T10:00:00Z", "unknown": true, "ended_on": "2026-11-22",
        "starts_on": "2026-11-22", "starts_at": "2026-11-22T10:00:00Z",
        "until": "2026-11-22T10:00:00Z", "why": "declined", "at": "2026-11-22T10:00:00Z",
        "charge_at": "2026-11-22T10:00:00Z", "resets_at": "2026-11-22T10:00:00Z",
        "opens_at": "2026-11-22T10:00:00Z", "expires_at": "2026-11-22T10:00:00Z",
        "next_look_at": "2026-11-22T10:00:00Z", "first": "2026-11-22", "start": "2026-11-22",
        "at_most": {"amount_minor": 900, "currency": "EUR"},
        "cap": {"amount_minor": 900, "currency": "EUR"},
        "spent": {"amount_minor": 900, "currency": "EUR"},
        "needed": {"amount_minor": 900, "currency": "EUR"},
        "amount": {"amount_minor": 900, "currency": "EUR"},
        "cost": {"amount_minor": 900, "currency": "EUR"},
        "most": {"amount_minor": 900, "currency": "EUR"},
        "order": {
            "amount": {"amount_minor": 900, "currency": "EUR"},
            "adds": {"kind": "credit", "amount_minor": 900, "currency": "EUR"},
            "payment_methods": ["card"], "triggers": []
        },
        "reason": {"code": "not_due"}, "triggers": [], "bytes": 7, "steps": 1,
        "validity_days": 30, "amount_minor": 900, "currency": "EUR", "attempt": 1,
        "payment": "p", "code": "c", "hard": true, "url": "u", "top_up": "t",
        "delivered_at": "2026-11-22T10:00:00Z", "refund": "r",
        "refunded": true, "weekdays": ["MO"], "day": 31, "every": 1, "min": 1, "max": 2,
        "calling_code": 34, "digits": 9, "character": "U+202E", "target": 7, "step": 7,
        "rail": "card", "last_day": 28, "days": 3
    }"#;

    fn everything() -> Value {
        serde_json::from_str(EVERYTHING).unwrap_or_default()
    }

    /// Read by each word from more than it needs, each is written with its word, is read again as
    /// itself, and is not read without a field that it was written with.
    fn keeps_each<T: Serialize + DeserializeOwned + PartialEq + Debug>(
        tag: &str,
        words: &[&str],
        also: &[(&str, Value)],
    ) {
        for word in words {
            let mut whole = everything();
            for (name, value) in also.iter().chain([&(tag, json!(word))]) {
                whole.as_object_mut().map(|all| all.insert((*name).to_owned(), value.clone()));
            }
            let read: T = serde_json::from_value(whole).unwrap_or_else(|e| unreachable!("{e}"));
            let written = serde_json::to_value(&read).unwrap_or_default();
            assert_eq!(written.get(tag), Some(&json!(word)), "{read:?}");
            assert_eq!(serde_json::from_value::<T>(written.clone()).ok(), Some(read));
            for name in written.as_object().into_iter().flat_map(|fields| fields.keys()) {
                let mut less = written.clone();
                less.as_object_mut().and_then(|fields| fields.remove(name));
                let optional = [("skip", "next_look_at"), ("delivered", "delivered_at")];
                let optional = optional.contains(&(*word, name.as_str()));
                assert_eq!(serde_json::from_value::<T>(less).is_ok(), optional, "{word} {name}");
            }
        }
        let unknown = json!({tag: "another"});
        assert!(serde_json::from_value::<T>(unknown).is_err());
    }

    #[test]
    fn every_variant_is_read_as_it_is_written() {
        keeps_each::<Reason>("code", Reason::WORDS, &[]);
        keeps_each::<Cause>("kind", Cause::WORDS, &[]);
        keeps_each::<TriggerDue>("kind", TriggerDue::WORDS, &[]);
        keeps_each::<Decision>("decision", Decision::WORDS, &[]);
        keeps_each::<Unusable>("code", Unusable::WORDS, &[]);
        keeps_each::<Threshold>("kind", Threshold::WORDS, &[]);
        keeps_each::<Amount>("kind", Amount::WORDS, &[]);
        keeps_each::<Adds>("kind", Adds::WORDS, &[]);
        keeps_each::<Fact>("kind", Fact::WORDS, &[("reason", json!("cool_down"))]);
        keeps_each::<Outcome>("kind", Outcome::WORDS, &[]);
        keeps_each::<Schedule>("unit", Unit::WORDS, &[("at", json!("09:30"))]);
        for word in FieldCode::WORDS {
            let whole = json!({"field": "amount", "code": word, "params": everything()});
            let read: FieldError =
                serde_json::from_value(whole).unwrap_or_else(|e| unreachable!("{e}"));
            let written = serde_json::to_value(read).unwrap_or_default();
            assert_eq!(written.get("code"), Some(&json!(word)), "{read:?}");
            assert_eq!(serde_json::from_value(written).ok(), Some(read));
        }
    }
}
