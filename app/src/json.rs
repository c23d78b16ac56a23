//! Reads JSON into core's types: the same text that `serde_json` reads. What cannot be read ends in
//! one error that says nothing, because whoever gets it can only reload.
//!
//! Why not `serde_json::from_str`: its errors name what was expected where, for every field of
//! every type, and every function between hands them up: a third of the module. Here a text that
//! cannot be read throws, as JavaScript does, past all of them, to the one place that catches it.
//! Each kind of value asks its visitor for that kind alone: what JSON never gives is not compiled.
//! Measured on this app's module, brotli: from 284 KB with `serde_json` to 249 KB with one error of
//! our own; throwing it took another 10 KB.

mod fields;

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess,
};
use serde::de::{Error, VariantAccess, Visitor};
use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;
use std::rc::Rc;

/// The text is not what it should be.
#[derive(Debug)]
pub(crate) struct Unreadable;

/// The error inside: there is never a value of it, so nothing has to be done for one.
#[derive(Debug)]
enum Never {}

impl fmt::Display for Never {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {}
    }
}

impl std::error::Error for Never {}

impl Error for Never {
    fn custom<T: fmt::Display>(_: T) -> Never {
        give_up()
    }
}

type Read<T> = Result<T, Never>;

/// Reads a whole text as one value.
pub(crate) fn read<T: DeserializeOwned + 'static>(text: &str) -> Result<T, Unreadable> {
    let (value, kept) = (Rc::new(Cell::new(None)), text.to_owned());
    let place = Rc::clone(&value);
    catch(Box::new(move || {
        let mut reader = Reader { text: &kept, at: 0, deep: 0 };
        let Ok(value) = T::deserialize(&mut reader);
        reader.space();
        if reader.at == kept.len() {
            place.set(Some(value));
        }
    }));
    value.take().ok_or(Unreadable)
}

/// Leaves the reading at once.
#[cold]
#[inline(never)]
fn give_up() -> ! {
    wasm_bindgen::throw_str("unreadable")
}

/// Does the work and comes back, whether it was left early or not.
#[cfg(target_arch = "wasm32")]
fn catch(work: Box<dyn FnOnce()>) {
    use wasm_bindgen::{JsCast, JsValue, closure::Closure};
    let work = Closure::once_into_js(work);
    // Why through JavaScript: only there can be caught what was thrown. The stack of the frames
    // that are left early is given back when this one returns.
    let _ = work.unchecked_ref::<js_sys::Function>().call0(&JsValue::NULL);
}

/// The same where tests run.
#[cfg(not(target_arch = "wasm32"))]
fn catch(work: Box<dyn FnOnce()>) {
    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
}

/// How deep values may lie in each other: far more than ours do, far less than the stack holds.
const DEEPEST: u32 = 64;

struct Reader<'a> {
    text: &'a str,
    at: usize,
    deep: u32,
}

impl<'a> Reader<'a> {
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    #[inline(never)]
    fn space(&mut self) {
        while matches!(self.byte(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    /// The next byte that is no space, not taken.
    #[inline(never)]
    fn peek(&mut self) -> u8 {
        self.space();
        self.byte().unwrap_or_else(|| give_up())
    }

    /// Takes this byte if it is the next.
    #[inline(never)]
    fn take(&mut self, wanted: u8) -> bool {
        let there = self.peek() == wanted;
        if there {
            self.at += 1;
        }
        there
    }

    #[inline(never)]
    fn expect(&mut self, wanted: u8) {
        if !self.take(wanted) {
            give_up();
        }
    }

    #[inline(never)]
    fn word(&mut self, word: &str) {
        let there = self.text.get(self.at..).is_some_and(|rest| rest.starts_with(word));
        self.at += word.len();
        if !there {
            give_up();
        }
    }

    /// The digits of a whole number; ours has no other numbers.
    #[inline(never)]
    fn number(&mut self) -> &'a str {
        self.space();
        let start = self.at;
        while matches!(self.byte(), Some(b'-' | b'0'..=b'9')) {
            self.at += 1;
        }
        let fraction = matches!(self.byte(), Some(b'.' | b'e' | b'E'));
        let digits = self.text.get(start..self.at).unwrap_or_else(|| give_up());
        if fraction { give_up() } else { digits }
    }

    /// The text between two quotes, borrowed where nothing in it is escaped.
    #[inline(never)]
    fn string(&mut self) -> Cow<'a, str> {
        self.expect(b'"');
        let start = self.at;
        loop {
            match self.byte() {
                Some(b'"') => {
                    let plain = self.text.get(start..self.at).unwrap_or_else(|| give_up());
                    self.at += 1;
                    return Cow::Borrowed(plain);
                }
                Some(b'\\') => return Cow::Owned(self.escaped(start)),
                Some(b) if b >= 0x20 => self.at += 1,
                _ => give_up(),
            }
        }
    }

    fn escaped(&mut self, start: usize) -> String {
        let mut text = self.text.get(start..self.at).unwrap_or_else(|| give_up()).to_owned();
        loop {
            let rest = self.text.get(self.at..).unwrap_or_else(|| give_up());
            let next = rest.chars().next().unwrap_or_else(|| give_up());
            self.at += next.len_utf8();
            match next {
                '"' => return text,
                '\\' => text.push(self.escape()),
                c if c >= ' ' => text.push(c),
                _ => give_up(),
            }
        }
    }

    fn escape(&mut self) -> char {
        let byte = self.byte().unwrap_or_else(|| give_up());
        self.at += 1;
        match byte {
            b'n' => '\n',
            b't' => '\t',
            b'r' => '\r',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'"' | b'\\' | b'/' => char::from(byte),
            b'u' => {
                let high = self.hex();
                let code = if (0xd800..0xdc00).contains(&high) {
                    self.word("\\u");
                    let low = self.hex();
                    let low =
                        low.checked_sub(0xdc00).filter(|l| *l < 0x400).unwrap_or_else(|| give_up());
                    0x10000 + ((high - 0xd800) << 10) + low
                } else {
                    high
                };
                char::from_u32(code).unwrap_or_else(|| give_up())
            }
            _ => give_up(),
        }
    }

    fn hex(&mut self) -> u32 {
        let digits = self.text.get(self.at..self.at + 4).unwrap_or_else(|| give_up());
        self.at += 4;
        u32::from_str_radix(digits, 16).unwrap_or_else(|_| give_up())
    }

    #[inline(never)]
    fn enter(&mut self, open: u8) {
        self.expect(open);
        self.deep += 1;
        if self.deep > DEEPEST {
            give_up();
        }
    }

    #[inline(never)]
    fn leave(&mut self, close: u8) {
        self.deep -= 1;
        self.expect(close);
    }
}

impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = Never;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        match self.peek() {
            b'n' => {
                self.word("null");
                visitor.visit_unit()
            }
            b't' | b'f' => self.deserialize_bool(visitor),
            b'"' => self.deserialize_str(visitor),
            b'[' => self.deserialize_seq(visitor),
            b'{' => self.deserialize_map(visitor),
            _ => {
                let digits = self.number();
                match digits.parse::<u64>() {
                    Ok(number) => visitor.visit_u64(number),
                    Err(_) => visitor.visit_i64(digits.parse().unwrap_or_else(|_| give_up())),
                }
            }
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        names: &'static [&'static str],
        visitor: V,
    ) -> Read<V::Value> {
        fields::read(self, names, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        self.enter(b'{');
        let value = visitor.visit_map(Items { reader: self, first: true })?;
        self.leave(b'}');
        Ok(value)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        self.enter(b'[');
        let value = visitor.visit_seq(Items { reader: self, first: true })?;
        self.leave(b']');
        Ok(value)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Read<V::Value> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Read<V::Value> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        visitor.visit_str(&self.string())
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        let yes = self.peek() == b't';
        self.word(if yes { "true" } else { "false" });
        visitor.visit_bool(yes)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        let number = self.number().parse().unwrap_or_else(|_| give_up());
        visitor.visit_u64(number)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        let number = self.number().parse().unwrap_or_else(|_| give_up());
        visitor.visit_i64(number)
    }

    fn deserialize_i32<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        self.deserialize_i64(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        if self.peek() == b'n' {
            self.word("null");
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Read<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Read<V::Value> {
        if self.peek() == b'{' {
            self.enter(b'{');
            let value = visitor.visit_enum(Variant { reader: self })?;
            self.leave(b'}');
            Ok(value)
        } else {
            let name = self.string();
            visitor.visit_enum(StrDeserializer::new(&name))
        }
    }

    serde::forward_to_deserialize_any! {
        i8 i16 i128 u8 u128 f32 f64 char bytes byte_buf unit unit_struct identifier ignored_any
    }
}

/// The items of a list or an object, separated by commas.
struct Items<'r, 'de> {
    reader: &'r mut Reader<'de>,
    first: bool,
}

impl Items<'_, '_> {
    /// Whether another one follows.
    #[inline(never)]
    fn more(&mut self, end: u8) -> bool {
        if self.reader.peek() == end {
            return false;
        }
        if !std::mem::replace(&mut self.first, false) {
            self.reader.expect(b',');
        }
        true
    }
}

impl<'de> SeqAccess<'de> for Items<'_, 'de> {
    type Error = Never;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Read<Option<T::Value>> {
        if self.more(b']') { seed.deserialize(&mut *self.reader).map(Some) } else { Ok(None) }
    }
}

impl<'de> MapAccess<'de> for Items<'_, 'de> {
    type Error = Never;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Read<Option<K::Value>> {
        if !self.more(b'}') {
            return Ok(None);
        }
        let key = self.reader.string();
        seed.deserialize(StrDeserializer::new(&key)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Read<V::Value> {
        self.reader.expect(b':');
        seed.deserialize(&mut *self.reader)
    }
}

/// `{"name": content}`: an enum's variant with something in it.
struct Variant<'r, 'de> {
    reader: &'r mut Reader<'de>,
}

impl<'de> EnumAccess<'de> for Variant<'_, 'de> {
    type Error = Never;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Read<(V::Value, Self)> {
        let name = self.reader.string();
        let value = seed.deserialize(StrDeserializer::new(&name))?;
        self.reader.expect(b':');
        Ok((value, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_, 'de> {
    type Error = Never;

    fn unit_variant(self) -> Read<()> {
        give_up()
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Read<T::Value> {
        seed.deserialize(self.reader)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Read<V::Value> {
        self.reader.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        names: &'static [&'static str],
        visitor: V,
    ) -> Read<V::Value> {
        fields::read(self.reader, names, visitor)
    }
}

#[cfg(test)]
mod tests;
