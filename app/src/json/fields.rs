//! The fields of a struct, given to its visitor as a list in the order in which it declares them.
//!
//! Why not as the map that they are in JSON: for a map every type brings code that knows its fields
//! by name, in any order, once and not twice. For a list it only takes one value after the other;
//! the names are looked for here, by one piece of code for all types.
//!
//! What the text has and the type does not know is passed over, whatever it is. What the text lacks
//! is the field's default, where it has one.

use super::{Never, Read, Reader, give_up};
use serde::de::{DeserializeSeed, SeqAccess, Visitor};

/// Reads an object as the fields of these names.
pub(super) fn read<'de, V: Visitor<'de>>(
    reader: &mut Reader<'de>,
    names: &'static [&'static str],
    visitor: V,
) -> Read<V::Value> {
    reader.enter(b'{');
    let begin = reader.at;
    let value = visitor.visit_seq(Fields { reader, names, begin })?;
    reader.pass_rest(begin);
    reader.leave(b'}');
    Ok(value)
}

struct Fields<'r, 'de> {
    reader: &'r mut Reader<'de>,
    /// Those that are still to come.
    names: &'static [&'static str],
    /// Where the first field of the object stands.
    begin: usize,
}

impl<'de> SeqAccess<'de> for Fields<'_, 'de> {
    type Error = Never;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Read<Option<T::Value>> {
        let Some((name, rest)) = self.names.split_first() else { give_up() };
        self.names = rest;
        let here = self.reader.at;
        match self.reader.find(name, self.begin) {
            Place::Nowhere => Ok(None),
            Place::Next => seed.deserialize(&mut *self.reader).map(Some),
            Place::Elsewhere => {
                let Ok(value) = seed.deserialize(&mut *self.reader);
                self.reader.at = here;
                Ok(Some(value))
            }
        }
    }
}

/// Where a field was found.
enum Place {
    /// Where the reader was: objects are written in the order of their types.
    Next,
    /// Before or after that.
    Elsewhere,
    Nowhere,
}

impl Reader<'_> {
    /// Goes to the value of this field, if the object has it.
    #[inline(never)]
    fn find(&mut self, name: &str, begin: usize) -> Place {
        let here = self.at;
        if self.is_next(name, begin) == Some(true) {
            return Place::Next;
        }
        self.at = begin;
        while let Some(found) = self.is_next(name, begin) {
            if found {
                return Place::Elsewhere;
            }
            self.pass();
        }
        self.at = here;
        Place::Nowhere
    }

    /// Whether the next field has this name; nothing at the end of the object. Goes to its value.
    #[inline(never)]
    fn is_next(&mut self, name: &str, begin: usize) -> Option<bool> {
        let first = self.at == begin;
        if self.peek() == b'}' {
            return None;
        }
        if !first {
            self.expect(b',');
        }
        let found = self.string() == name;
        self.expect(b':');
        Some(found)
    }

    /// Goes to the end of the object.
    #[inline(never)]
    fn pass_rest(&mut self, begin: usize) {
        while self.is_next("", begin).is_some() {
            self.pass();
        }
    }

    /// Goes past a value, whatever it is.
    fn pass(&mut self) {
        let mut open = 0_u32;
        loop {
            match self.peek() {
                b'"' => drop(self.string()),
                b'{' | b'[' => {
                    self.at += 1;
                    open += 1;
                }
                b'}' | b']' => {
                    self.at += 1;
                    open = open.checked_sub(1).unwrap_or_else(|| give_up());
                }
                b',' | b':' if open > 0 => self.at += 1,
                b',' | b':' => give_up(),
                _ => self.pass_word(),
            }
            if open == 0 {
                return;
            }
        }
    }

    /// Goes past a number, `true`, `false` or `null`.
    fn pass_word(&mut self) {
        while matches!(
            self.byte(),
            Some(b'-' | b'+' | b'.' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z')
        ) {
            self.at += 1;
        }
        if !matches!(self.byte(), Some(b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t')) {
            give_up();
        }
    }
}
