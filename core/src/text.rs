//! Values that are one text in JSON: an instant, a date, a currency, an id. They are read where
//! they stand, without a copy of the text first. Nothing here knows what a text means.

use crate::time::parse_date;
use chrono::NaiveDate;
use serde::{Deserialize, Deserializer, de};
use std::fmt;

/// Reads a text as the value that it means. *Errors*: `otherwise`, when it means none.
pub(crate) fn read<'de, T, D: Deserializer<'de>>(
    deserializer: D,
    meaning: fn(&str) -> Option<T>,
    otherwise: &'static str,
) -> Result<T, D::Error> {
    deserializer.deserialize_str(Text { meaning, otherwise })
}

/// Reads a date, as every field with a date does. *Errors*: where it is none.
pub(crate) fn date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NaiveDate, D::Error> {
    read(deserializer, parse_date, "not a date")
}

/// Reads a date that may be absent.
pub(crate) fn maybe_date<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<NaiveDate>, D::Error> {
    #[derive(Deserialize)]
    struct Date(#[serde(deserialize_with = "date")] NaiveDate);
    Ok(Option::<Date>::deserialize(deserializer)?.map(|date| date.0))
}

struct Text<T> {
    meaning: fn(&str) -> Option<T>,
    otherwise: &'static str,
}

impl<T> de::Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        (self.meaning)(text).ok_or_else(|| E::custom(self.otherwise))
    }
}
