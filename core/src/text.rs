//! Values that are one text in JSON: an instant, a currency, an id. They are read where they stand,
//! without a copy of the text first. Nothing here knows what a text means.

use serde::{Deserializer, de};
use std::fmt;

/// Reads a text as the value that it means. *Errors*: `otherwise`, when it means none.
pub(crate) fn read<'de, T, D: Deserializer<'de>>(
    deserializer: D,
    meaning: fn(&str) -> Option<T>,
    otherwise: &'static str,
) -> Result<T, D::Error> {
    deserializer.deserialize_str(Text { meaning, otherwise })
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
