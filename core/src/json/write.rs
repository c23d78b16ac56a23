//! Writing: fields in the order of declaration, no spaces, byte for byte what `serde_json` writes.
//!
//! Why not `serde_json` here: every field of every type brings code that hands up an error which a
//! text in memory never has. What is not written is what no type of ours holds: a float, raw bytes.

use super::plain;
use serde::Serialize;
use serde::ser::{
    self, Error, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant,
    SerializeTuple, SerializeTupleStruct, SerializeTupleVariant, Serializer,
};
use std::fmt;

/// It holds something that none of our types does.
#[derive(Debug)]
pub struct Unwritable;

impl fmt::Display for Unwritable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a value of ours")
    }
}

impl std::error::Error for Unwritable {}

impl Error for Unwritable {
    fn custom<T: fmt::Display>(_: T) -> Unwritable {
        Unwritable
    }
}

type Written = Result<(), Unwritable>;

/// What is written so far.
pub(super) struct Writer(pub(super) Vec<u8>);

impl Writer {
    /// Nothing yet. Almost everything that is written is longer than this.
    pub(super) fn new() -> Writer {
        Writer(Vec::with_capacity(128))
    }

    #[inline(never)]
    fn put(&mut self, text: &str) {
        self.0.extend_from_slice(text.as_bytes());
    }

    #[inline(never)]
    fn string(&mut self, text: &str) {
        self.put("\"");
        self.escaped(text);
        self.put("\"");
    }

    fn escaped(&mut self, text: &str) {
        let mut rest = text.as_bytes();
        while let Some((before, [special, after @ ..])) =
            plain(rest).and_then(|length| rest.split_at_checked(length))
        {
            self.0.extend_from_slice(before);
            self.escape(*special);
            rest = after;
        }
        self.0.extend_from_slice(rest);
    }

    #[cold]
    fn escape(&mut self, byte: u8) {
        let short = match byte {
            b'"' | b'\\' => byte,
            0x08 => b'b',
            0x0c => b'f',
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            _ => {
                let hex = |digit: u32| char::from_digit(digit, 16).unwrap_or('0');
                let digits = [hex(u32::from(byte.wrapping_shr(4))), hex(u32::from(byte & 15))];
                self.put("\\u00");
                self.0.extend(digits.iter().filter_map(|digit| u8::try_from(*digit).ok()));
                return;
            }
        };
        self.0.extend([b'\\', short]);
    }

    #[inline(never)]
    fn number(&mut self, negative: bool, mut number: u64) {
        if negative {
            self.put("-");
        }
        let mut digits = [b'0'; 20];
        let mut first = digits.len();
        for place in digits.iter_mut().rev() {
            *place = b'0' | u8::try_from(number.wrapping_rem(10)).unwrap_or(0);
            number = number.wrapping_div(10);
            first = first.saturating_sub(1);
            if number == 0 {
                break;
            }
        }
        self.0.extend_from_slice(digits.get(first..).unwrap_or_default());
    }

    fn parts(&mut self, begin: &str, end: &'static str) -> Parts<'_> {
        self.put(begin);
        Parts { writer: self, first: true, end }
    }

    /// The same inside of `{"name": … }`.
    fn parts_named(&mut self, name: &str, begin: &str, end: &'static str) -> Parts<'_> {
        self.put("{");
        self.string(name);
        self.put(":");
        self.parts(begin, end)
    }
}

impl fmt::Write for Writer {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.escaped(text);
        Ok(())
    }
}

impl<'w> Serializer for &'w mut Writer {
    type Ok = ();
    type Error = Unwritable;
    type SerializeSeq = Parts<'w>;
    type SerializeTuple = Parts<'w>;
    type SerializeTupleStruct = Parts<'w>;
    type SerializeTupleVariant = Parts<'w>;
    type SerializeMap = Parts<'w>;
    type SerializeStruct = Parts<'w>;
    type SerializeStructVariant = Parts<'w>;

    fn serialize_bool(self, value: bool) -> Written {
        self.put(if value { "true" } else { "false" });
        Ok(())
    }

    fn serialize_i8(self, value: i8) -> Written {
        self.serialize_i64(i64::from(value))
    }

    fn serialize_i16(self, value: i16) -> Written {
        self.serialize_i64(i64::from(value))
    }

    fn serialize_i32(self, value: i32) -> Written {
        self.serialize_i64(i64::from(value))
    }

    fn serialize_i64(self, value: i64) -> Written {
        self.number(value < 0, value.unsigned_abs());
        Ok(())
    }

    fn serialize_u8(self, value: u8) -> Written {
        self.serialize_u64(u64::from(value))
    }

    fn serialize_u16(self, value: u16) -> Written {
        self.serialize_u64(u64::from(value))
    }

    fn serialize_u32(self, value: u32) -> Written {
        self.serialize_u64(u64::from(value))
    }

    fn serialize_u64(self, value: u64) -> Written {
        self.number(false, value);
        Ok(())
    }

    fn serialize_f32(self, _: f32) -> Written {
        Err(Unwritable)
    }

    fn serialize_f64(self, _: f64) -> Written {
        Err(Unwritable)
    }

    fn serialize_char(self, value: char) -> Written {
        self.collect_str(&value)
    }

    fn serialize_str(self, value: &str) -> Written {
        self.string(value);
        Ok(())
    }

    fn serialize_bytes(self, _: &[u8]) -> Written {
        Err(Unwritable)
    }

    fn serialize_none(self) -> Written {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Written {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Written {
        self.put("null");
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Written {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, name: &'static str) -> Written {
        self.serialize_str(name)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Written {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        value: &T,
    ) -> Written {
        let mut parts = self.parts("{", "}");
        parts.field(name);
        value.serialize(&mut *parts.writer)?;
        parts.close()
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Parts<'w>, Unwritable> {
        Ok(self.parts("[", "]"))
    }

    fn serialize_tuple(self, _: usize) -> Result<Parts<'w>, Unwritable> {
        Ok(self.parts("[", "]"))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Parts<'w>, Unwritable> {
        Ok(self.parts("[", "]"))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        _: usize,
    ) -> Result<Parts<'w>, Unwritable> {
        Ok(self.parts_named(name, "[", "]}"))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Parts<'w>, Unwritable> {
        Ok(self.parts("{", "}"))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Parts<'w>, Unwritable> {
        Ok(self.parts("{", "}"))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        _: usize,
    ) -> Result<Parts<'w>, Unwritable> {
        Ok(self.parts_named(name, "{", "}}"))
    }

    fn collect_str<T: fmt::Display + ?Sized>(self, value: &T) -> Written {
        self.put("\"");
        fmt::write(self, format_args!("{value}")).map_err(|_| Unwritable)?;
        self.put("\"");
        Ok(())
    }
}

/// The items of a list or the fields of an object.
pub(super) struct Parts<'w> {
    writer: &'w mut Writer,
    first: bool,
    end: &'static str,
}

impl Parts<'_> {
    /// What stands between two.
    #[inline(never)]
    fn next(&mut self) {
        if !std::mem::replace(&mut self.first, false) {
            self.writer.put(",");
        }
    }

    #[inline(never)]
    fn field(&mut self, name: &str) {
        self.next();
        self.writer.string(name);
        self.writer.put(":");
    }

    fn close(self) -> Written {
        self.writer.put(self.end);
        Ok(())
    }
}

/// Every kind of list takes its items alike.
macro_rules! items {
    ($($kind:ident :: $take:ident)*) => {$(
        impl $kind for Parts<'_> {
            type Ok = ();
            type Error = Unwritable;

            fn $take<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
                self.next();
                value.serialize(&mut *self.writer)
            }

            fn end(self) -> Written {
                self.close()
            }
        }
    )*};
}

items! {
    SerializeSeq::serialize_element
    SerializeTuple::serialize_element
    SerializeTupleStruct::serialize_field
    SerializeTupleVariant::serialize_field
}

/// Every kind of object takes its fields alike.
macro_rules! fields {
    ($($kind:ident)*) => {$(
        impl $kind for Parts<'_> {
            type Ok = ();
            type Error = Unwritable;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Written {
                self.field(name);
                value.serialize(&mut *self.writer)
            }

            fn end(self) -> Written {
                self.close()
            }
        }
    )*};
}

fields! { SerializeStruct SerializeStructVariant }

impl SerializeMap for Parts<'_> {
    type Ok = ();
    type Error = Unwritable;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Written {
        self.next();
        let before = self.writer.0.len();
        key.serialize(&mut *self.writer)?;
        // Why: a name is a text; none of ours is anything else.
        match self.writer.0.get(before) {
            Some(b'"') => Ok(()),
            Some(_) | None => Err(ser::Error::custom("")),
        }
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
        self.writer.put(":");
        value.serialize(&mut *self.writer)
    }

    fn end(self) -> Written {
        self.close()
    }
}
