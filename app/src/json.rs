//! Reads JSON into core's types. The same text that `serde_json` reads, with one error that says
//! nothing: whoever gets it can only reload.
//!
//! Each kind of value asks its visitor for that kind alone: what JSON never gives is not compiled.
//!
//! Why not `serde_json::from_str`: its errors name what was expected where, for every field of
//! every type, which was a third of the module. Measured on this app: see the README's sizes.

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess,
};
use serde::de::{Error, VariantAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// The text is not what it should be.
#[derive(Debug)]
pub(crate) struct Unreadable;

impl fmt::Display for Unreadable {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl std::error::Error for Unreadable {}

impl Error for Unreadable {
    fn custom<T: fmt::Display>(_: T) -> Unreadable {
        Unreadable
    }
}

type Read<T> = Result<T, Unreadable>;

/// Reads a whole text as one value.
pub(crate) fn read<T: DeserializeOwned>(text: &str) -> Read<T> {
    let mut reader = Reader { text, at: 0, deep: 0 };
    let value = T::deserialize(&mut reader)?;
    reader.space();
    if reader.at == text.len() { Ok(value) } else { Err(Unreadable) }
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
    fn peek(&mut self) -> Read<u8> {
        self.space();
        self.byte().ok_or(Unreadable)
    }

    /// Takes this byte if it is the next.
    #[inline(never)]
    fn take(&mut self, wanted: u8) -> bool {
        let there = self.peek().is_ok_and(|byte| byte == wanted);
        if there {
            self.at += 1;
        }
        there
    }

    #[inline(never)]
    fn expect(&mut self, wanted: u8) -> Read<()> {
        if self.take(wanted) { Ok(()) } else { Err(Unreadable) }
    }

    #[inline(never)]
    fn word(&mut self, word: &str) -> Read<()> {
        let there = self.text.get(self.at..).is_some_and(|rest| rest.starts_with(word));
        self.at += word.len();
        if there { Ok(()) } else { Err(Unreadable) }
    }

    /// The digits of a whole number; ours has no other numbers.
    #[inline(never)]
    fn number(&mut self) -> Read<&'a str> {
        self.space();
        let start = self.at;
        while matches!(self.byte(), Some(b'-' | b'0'..=b'9')) {
            self.at += 1;
        }
        let fraction = matches!(self.byte(), Some(b'.' | b'e' | b'E'));
        let digits = self.text.get(start..self.at).ok_or(Unreadable)?;
        if fraction { Err(Unreadable) } else { Ok(digits) }
    }

    /// The text between two quotes, borrowed where nothing in it is escaped.
    #[inline(never)]
    fn string(&mut self) -> Read<Cow<'a, str>> {
        self.expect(b'"')?;
        let start = self.at;
        loop {
            match self.byte() {
                Some(b'"') => {
                    let plain = self.text.get(start..self.at).ok_or(Unreadable)?;
                    self.at += 1;
                    return Ok(Cow::Borrowed(plain));
                }
                Some(b'\\') => return self.escaped(start).map(Cow::Owned),
                Some(b) if b >= 0x20 => self.at += 1,
                _ => return Err(Unreadable),
            }
        }
    }

    fn escaped(&mut self, start: usize) -> Read<String> {
        let mut text = self.text.get(start..self.at).ok_or(Unreadable)?.to_owned();
        loop {
            let rest = self.text.get(self.at..).ok_or(Unreadable)?;
            let next = rest.chars().next().ok_or(Unreadable)?;
            self.at += next.len_utf8();
            match next {
                '"' => return Ok(text),
                '\\' => text.push(self.escape()?),
                c if c >= ' ' => text.push(c),
                _ => return Err(Unreadable),
            }
        }
    }

    fn escape(&mut self) -> Read<char> {
        let byte = self.byte().ok_or(Unreadable)?;
        self.at += 1;
        Ok(match byte {
            b'n' => '\n',
            b't' => '\t',
            b'r' => '\r',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'"' | b'\\' | b'/' => char::from(byte),
            b'u' => {
                let high = self.hex()?;
                let code = if (0xd800..0xdc00).contains(&high) {
                    self.word("\\u")?;
                    let low = self.hex()?;
                    let low = low.checked_sub(0xdc00).filter(|l| *l < 0x400).ok_or(Unreadable)?;
                    0x10000 + ((high - 0xd800) << 10) + low
                } else {
                    high
                };
                char::from_u32(code).ok_or(Unreadable)?
            }
            _ => return Err(Unreadable),
        })
    }

    fn hex(&mut self) -> Read<u32> {
        let digits = self.text.get(self.at..self.at + 4).ok_or(Unreadable)?;
        self.at += 4;
        u32::from_str_radix(digits, 16).map_err(|_| Unreadable)
    }

    #[inline(never)]
    fn enter(&mut self, open: u8) -> Read<()> {
        self.expect(open)?;
        self.deep += 1;
        if self.deep > DEEPEST { Err(Unreadable) } else { Ok(()) }
    }

    #[inline(never)]
    fn leave(&mut self, close: u8) -> Read<()> {
        self.deep -= 1;
        self.expect(close)
    }
}

impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = Unreadable;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        match self.peek()? {
            b'n' => self.word("null").and_then(|()| visitor.visit_unit()),
            b't' => self.word("true").and_then(|()| visitor.visit_bool(true)),
            b'f' => self.word("false").and_then(|()| visitor.visit_bool(false)),
            b'"' => self.deserialize_str(visitor),
            b'[' => self.deserialize_seq(visitor),
            b'{' => self.deserialize_map(visitor),
            _ => {
                let digits = self.number()?;
                match digits.parse::<u64>() {
                    Ok(number) => visitor.visit_u64(number),
                    Err(_) => visitor.visit_i64(digits.parse().map_err(|_| Unreadable)?),
                }
            }
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Read<V::Value> {
        self.deserialize_map(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        self.enter(b'{')?;
        let value = visitor.visit_map(Items { reader: self, first: true })?;
        self.leave(b'}').map(|()| value)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        self.enter(b'[')?;
        let value = visitor.visit_seq(Items { reader: self, first: true })?;
        self.leave(b']').map(|()| value)
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
        visitor.visit_str(&self.string()?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        let yes = self.peek()? == b't';
        self.word(if yes { "true" } else { "false" }).and_then(|()| visitor.visit_bool(yes))
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        let number = self.number()?.parse().map_err(|_| Unreadable)?;
        visitor.visit_u64(number)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        let number = self.number()?.parse().map_err(|_| Unreadable)?;
        visitor.visit_i64(number)
    }

    fn deserialize_i32<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        self.deserialize_i64(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        if self.peek()? == b'n' {
            self.word("null").and_then(|()| visitor.visit_none())
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
        if self.peek()? == b'{' {
            self.enter(b'{')?;
            let value = visitor.visit_enum(Variant { reader: self })?;
            self.leave(b'}').map(|()| value)
        } else {
            let name = self.string()?;
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
    fn more(&mut self, end: u8) -> Read<bool> {
        if self.reader.peek()? == end {
            return Ok(false);
        }
        if !std::mem::replace(&mut self.first, false) {
            self.reader.expect(b',')?;
        }
        Ok(true)
    }
}

impl<'de> SeqAccess<'de> for Items<'_, 'de> {
    type Error = Unreadable;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Read<Option<T::Value>> {
        if self.more(b']')? { seed.deserialize(&mut *self.reader).map(Some) } else { Ok(None) }
    }
}

impl<'de> MapAccess<'de> for Items<'_, 'de> {
    type Error = Unreadable;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Read<Option<K::Value>> {
        if !self.more(b'}')? {
            return Ok(None);
        }
        let key = self.reader.string()?;
        seed.deserialize(StrDeserializer::new(&key)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Read<V::Value> {
        self.reader.expect(b':')?;
        seed.deserialize(&mut *self.reader)
    }
}

/// `{"name": content}`: an enum's variant with something in it.
struct Variant<'r, 'de> {
    reader: &'r mut Reader<'de>,
}

impl<'de> EnumAccess<'de> for Variant<'_, 'de> {
    type Error = Unreadable;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Read<(V::Value, Self)> {
        let name = self.reader.string()?;
        let value = seed.deserialize(StrDeserializer::new(&name))?;
        self.reader.expect(b':').map(|()| (value, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_, 'de> {
    type Error = Unreadable;

    fn unit_variant(self) -> Read<()> {
        Err(Unreadable)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Read<T::Value> {
        seed.deserialize(self.reader)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Read<V::Value> {
        self.reader.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Read<V::Value> {
        self.reader.deserialize_map(visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::read;
    use laika_core::api::{Language, Problem, SessionView};
    use laika_core::decide::Decision;
    use laika_core::schedule::Schedule;

    #[test]
    fn it_reads_what_serde_json_reads() {
        for text in [
            r#"{"decision":"wait","reason":{"code":"paused","until":"2026-11-22T00:00:00Z"},"until":"2026-11-22T00:00:00Z"}"#,
            r#" { "decision" : "skip" , "reason" : {"code":"not_due"} , "next_look_at" : null } "#,
        ] {
            let ours = read::<Decision>(text).ok();
            assert_eq!(ours, serde_json::from_str(text).ok(), "{text}");
            assert!(ours.is_some(), "{text}");
        }
        let text =
            r#"{"every":2,"unit":"week","weekdays":["MO"],"at":"09:00","start":"2026-01-01"}"#;
        assert_eq!(read::<Schedule>(text).ok(), serde_json::from_str(text).ok());
        let text = r#"{"type":"/problems/fields","title":"t","status":422,"code":"fields","errors":[{"field":"password","code":"too_short","params":{"min":8}}],"request_id":"r"}"#;
        assert_eq!(read::<Problem>(text).ok(), serde_json::from_str(text).ok());
        assert_eq!(read::<Language>("\"zh-CN\"").ok(), Some(Language::ZhCn));
    }

    #[test]
    fn escapes_are_read_and_nonsense_is_refused() {
        let text = "\"a\\n\\u4e2d\\ud83d\\ude00\\\"é\"";
        assert_eq!(read::<String>(text).ok().as_deref(), Some("a\n中😀\"é"));
        for bad in ["", "\"", "{", "[1,]", "[1 2]", "tru", "1.5", "\"\\ud83d\"", "\"\\x\"", "1 2"] {
            assert!(read::<Vec<i64>>(bad).is_err() && read::<String>(bad).is_err(), "{bad}");
        }
        assert!(read::<SessionView>("{}").is_err());
        assert_eq!(read::<Vec<i64>>("[-1, 2]").ok(), Some(vec![-1, 2]));
    }
}
