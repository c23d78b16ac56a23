//! Reading what is written as these types write it, and giving up at the first other thing.
//!
//! Why it is quick: it never looks at what comes next, it only compares it with what has to come.
//! A struct asks for its values one after the other, as a list does, and each name is compared
//! where it has to stand.

use super::{EACH, HIGHEST, plain};
use serde::Deserialize;
use serde::de::value::BorrowedStrDeserializer;
use serde::de::{DeserializeSeed, Deserializer, Error, SeqAccess, Visitor};
use std::fmt;

/// Reads a whole text. *Errors*: where it is written otherwise.
pub(super) fn canonical<'de, T: Deserialize<'de>>(text: &'de str) -> Result<T, Otherwise> {
    let mut reader = Reader { text, rest: text.as_bytes() };
    let value = T::deserialize(&mut reader)?;
    if reader.rest.is_empty() { Ok(value) } else { Err(Otherwise) }
}

/// The text is another one, right or wrong: somebody else has to read it from the start.
#[derive(Debug)]
pub(super) struct Otherwise;

impl fmt::Display for Otherwise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("written otherwise")
    }
}

impl std::error::Error for Otherwise {}

impl Error for Otherwise {
    fn custom<T: fmt::Display>(_: T) -> Otherwise {
        Otherwise
    }
}

type Read<T> = Result<T, Otherwise>;

struct Reader<'de> {
    /// The whole.
    text: &'de str,
    /// What is still to be read of it.
    rest: &'de [u8],
}

impl<'de> Reader<'de> {
    /// Takes this if it is what comes next.
    #[inline]
    fn take<const N: usize>(&mut self, next: &[u8; N]) -> bool {
        match self.rest.split_first_chunk() {
            Some((first, rest)) if first == next => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    #[inline]
    fn expect<const N: usize>(&mut self, next: &[u8; N]) -> Read<()> {
        if self.take(next) { Ok(()) } else { Err(Otherwise) }
    }

    /// The text between two quotes.
    fn string(&mut self) -> Read<&'de str> {
        self.expect(b"\"")?;
        let begin = self.text.len().saturating_sub(self.rest.len());
        let length = plain(self.rest).ok_or(Otherwise)?;
        self.rest = self.rest.get(length..).ok_or(Otherwise)?;
        self.expect(b"\"")?;
        self.text.get(begin..begin.saturating_add(length)).ok_or(Otherwise)
    }

    /// A whole number without its sign. More than 18 digits, which might not fit, are another's.
    fn digits(&mut self) -> Read<u64> {
        let start = self.rest;
        let mut number = 0_u64;
        while let Some(eight) = self.rest.first_chunk() {
            let (length, value) = leading_digits(*eight);
            let worth = TENS.get(length).ok_or(Otherwise)?;
            number = number.wrapping_mul(*worth).wrapping_add(value);
            self.rest = self.rest.get(length..).ok_or(Otherwise)?;
            if length < eight.len() {
                break;
            }
        }
        // Only near the end of the text, where no eight bytes are left.
        while let [digit @ b'0'..=b'9', more @ ..] = self.rest {
            number = number.wrapping_mul(10).wrapping_add(u64::from(digit & 15));
            self.rest = more;
        }
        let length = start.len().saturating_sub(self.rest.len());
        let right = (1..=18).contains(&length) && (length == 1 || !start.starts_with(b"0"));
        if right { Ok(number) } else { Err(Otherwise) }
    }
}

/// What so many digits are worth.
const TENS: [u64; 9] = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

/// How many of eight bytes are digits before the first that is none, and the number that they are:
/// all at once, joined to pairs, fours and the eight.
///
/// *Source*: D. Lemire, "Quickly parsing eight digits", 2018.
fn leading_digits(text: [u8; 8]) -> (usize, u64) {
    let digits = u64::from_le_bytes(text) ^ EACH.wrapping_mul(u64::from(b'0'));
    // Why 0x76: from ten on it takes a byte to its highest bit.
    let beyond_nine = (digits | digits.wrapping_add(EACH.wrapping_mul(0x76))) & HIGHEST;
    let length = beyond_nine.trailing_zeros().wrapping_shr(3);
    // Why: with nothing before them, they are as eight with zeros in front.
    let bits = 64_u32.saturating_sub(length.wrapping_shl(3));
    let digits = digits.checked_shl(bits).unwrap_or(0);
    let join = |parts: u64, bits: u32, tens: u64| {
        parts.wrapping_mul(tens).wrapping_add(parts.wrapping_shr(bits))
    };
    let pairs = join(digits, 8, 10) & 0x00ff_00ff_00ff_00ff;
    let fours = join(pairs, 16, 100) & 0x0000_ffff_0000_ffff;
    (usize::try_from(length).unwrap_or(0), join(fours, 32, 10_000) & 0xffff_ffff)
}

impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = Otherwise;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Read<V::Value> {
        Err(Otherwise)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        names: &'static [&'static str],
        visitor: V,
    ) -> Read<V::Value> {
        self.expect(b"{")?;
        let value = visitor.visit_seq(Fields { reader: self, names: names.iter(), first: true })?;
        self.expect(b"}")?;
        Ok(value)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        self.expect(b"[")?;
        let value = visitor.visit_seq(Items { reader: self, first: true })?;
        self.expect(b"]")?;
        Ok(value)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Read<V::Value> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Read<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        if self.take(b"null") { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Read<V::Value> {
        visitor.visit_enum(BorrowedStrDeserializer::new(self.string()?))
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        visitor.visit_borrowed_str(self.string()?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        if self.take(b"true") {
            return visitor.visit_bool(true);
        }
        self.expect(b"false")?;
        visitor.visit_bool(false)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        visitor.visit_u64(self.digits()?)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        let negative = self.take(b"-");
        let number = self.digits()?;
        let number = i64::try_from(number).map_err(|_| Otherwise)?;
        match (negative, number) {
            // Why: "-0" is a number with a fraction to JSON, whatever it is to us.
            (true, 0) => Err(Otherwise),
            (true, _) => visitor.visit_i64(number.wrapping_neg()),
            (false, _) => visitor.visit_i64(number),
        }
    }

    fn deserialize_i32<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        self.deserialize_i64(visitor)
    }

    serde::forward_to_deserialize_any! {
        i8 i16 i128 u8 u16 u128 f32 f64 char bytes byte_buf unit unit_struct identifier
        ignored_any map tuple
    }
}

/// The fields of a struct. One that is not where it would stand is absent: if it may be, its
/// visitor says so, and if it stands elsewhere, the end of the struct is not where it has to be.
struct Fields<'r, 'de> {
    reader: &'r mut Reader<'de>,
    names: std::slice::Iter<'static, &'static str>,
    first: bool,
}

impl Fields<'_, '_> {
    /// Goes to the value of the next field, if that comes next.
    #[inline]
    fn comes(&mut self, name: &str) -> bool {
        let Some(value) = value_of(name, self.reader.rest, self.first) else { return false };
        (self.reader.rest, self.first) = (value, false);
        true
    }
}

/// What follows the name of a field, if the text begins with it.
#[inline]
fn value_of<'a>(name: &str, text: &'a [u8], first: bool) -> Option<&'a [u8]> {
    let quoted = if first { text } else { text.strip_prefix(b",")? };
    let (named, value) = quoted.strip_prefix(b"\"")?.split_at_checked(name.len())?;
    (named == name.as_bytes()).then_some(value)?.strip_prefix(b"\":")
}

impl<'de> SeqAccess<'de> for Fields<'_, 'de> {
    type Error = Otherwise;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Read<Option<T::Value>> {
        let name = self.names.next().ok_or(Otherwise)?;
        if self.comes(name) { seed.deserialize(&mut *self.reader).map(Some) } else { Ok(None) }
    }
}

/// The items of a list.
struct Items<'r, 'de> {
    reader: &'r mut Reader<'de>,
    first: bool,
}

impl<'de> SeqAccess<'de> for Items<'_, 'de> {
    type Error = Otherwise;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Read<Option<T::Value>> {
        let first = std::mem::replace(&mut self.first, false);
        let more = if first { !self.reader.rest.starts_with(b"]") } else { self.reader.take(b",") };
        if more { seed.deserialize(&mut *self.reader).map(Some) } else { Ok(None) }
    }
}
