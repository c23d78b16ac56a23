//! JSON as these types write it: fields in the order of declaration, no spaces. It is what is
//! hashed, kept and sent. Writing it (`json/write.rs`) is the same everywhere; `json/read.rs` reads
//! it quickly on the server, where rows, records and questions are written so, and leaves whatever
//! is written otherwise to `serde_json`. The app's own reader is made to be small instead.

mod read;
mod write;

use serde::{Deserialize, Serialize};

pub use write::Unwritable;

/// Writes a value. *Errors*: when it holds something that none of our types does.
pub fn write<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, Unwritable> {
    let mut writer = write::Writer::new();
    value.serialize(&mut writer)?;
    Ok(writer.0)
}

/// Reads a whole text as one value, however it is written. *Errors*: those of `serde_json`.
pub fn read<'de, T: Deserialize<'de>>(text: &'de str) -> Result<T, serde_json::Error> {
    read_canonical(text).map_or_else(|| serde_json::from_str(text), Ok)
}

/// Reads what [`write`](write()) writes; nothing where it is anything else, right or wrong, where
/// something in it is escaped, and for the few types that are not read field by field.
pub fn read_canonical<'de, T: Deserialize<'de>>(text: &'de str) -> Option<T> {
    read::canonical(text).ok()
}

/// One in each of the eight bytes of a word.
const EACH: u64 = u64::from_le_bytes([1; 8]);
/// The highest bit of each.
const HIGHEST: u64 = u64::from_le_bytes([0x80; 8]);

/// How many bytes come before the first that is a quote, escapes something or may not stand in a
/// text. Eight at a time: texts are most of what is read.
///
/// *Source*: S. E. Anderson, Bit Twiddling Hacks, "Determine if a word has a byte less than n".
fn plain(text: &[u8]) -> Option<usize> {
    // Why only the first: what a higher byte comes to may be wrong after one that is below.
    let below =
        |word: u64, n: u8| word.wrapping_sub(EACH.wrapping_mul(u64::from(n))) & !word & HIGHEST;
    let is = |word: u64, byte: u8| below(word ^ EACH.wrapping_mul(u64::from(byte)), 1);
    let (eights, rest) = text.as_chunks();
    let mut before = 0_usize;
    for eight in eights {
        let word = u64::from_le_bytes(*eight);
        let found = is(word, b'"') | is(word, b'\\') | below(word, b' ');
        if found != 0 {
            let here = usize::try_from(found.trailing_zeros()).ok()?.wrapping_shr(3);
            return Some(before.saturating_add(here));
        }
        before = before.saturating_add(8);
    }
    let special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..b' ');
    rest.iter().position(special).map(|here| before.saturating_add(here))
}

#[cfg(test)]
mod tests;
