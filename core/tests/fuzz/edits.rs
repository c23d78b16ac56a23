//! Values changed as bytes say: a random search seldom writes JSON that can be read, but it soon
//! learns which bytes change what in JSON that can.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Bytes read as choices. At their end nothing is chosen any more.
pub(super) struct Choices<'b>(pub(super) &'b [u8]);

impl Choices<'_> {
    /// The next, below 256.
    pub(super) fn next(&mut self) -> Option<usize> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(usize::from(*first))
    }

    /// The next as a number to start a world from, 0 at the end.
    pub(super) fn seed(&mut self) -> u64 {
        self.next().unwrap_or(0) as u64
    }
}

/// Numbers at which something may turn over.
const NUMBERS: [i64; 20] = [
    0,
    1,
    -1,
    2,
    27,
    31,
    255,
    1_000_000,
    1_000_000_000,
    -1_000_000_000,
    i32::MAX as i64,
    u32::MAX as i64,
    i64::MAX,
    i64::MIN,
    i64::MAX / 2,
    1_000_000_000_000_000_000,
    253_402_300_799,
    -62_135_596_800,
    9_007_199_254_740_993,
    1_795_000_000,
];

/// Texts of every kind that is read: dates and instants at their ends, names, nonsense.
const TEXTS: [&str; 40] = [
    "",
    "x",
    "0001-01-01",
    "9999-12-31",
    "2026-02-28",
    "2028-02-29",
    "2026-11-22",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999Z",
    "2026-11-22T11:00:00Z",
    "2026-11-22T10:59:59.999999Z",
    "2026-10-25T00:59:59Z",
    "00:00",
    "23:59",
    "02:30",
    "EUR",
    "JPY",
    "KWD",
    "monday",
    "sunday",
    "card",
    "alipay_cycle",
    "wechat_deduction",
    "on_session",
    "open",
    "unknown",
    "spent",
    "released",
    "timer",
    "usage",
    "day",
    "week",
    "month",
    "data",
    "credit",
    "30.00",
    "1e9",
    "９９",
    "-0.000000001",
    "\u{202e}\u{0}\u{301}😀",
];

/// A place in a value, going down by the choices, as a JSON pointer.
fn place(choices: &mut Choices<'_>, within: &Value) -> Option<String> {
    let (mut at, mut here) = (String::new(), within);
    loop {
        let inside = match here {
            Value::Object(fields) => fields.len(),
            Value::Array(items) => items.len(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
        };
        if inside == 0 {
            return Some(at);
        }
        // Why one more than there is inside: it stops here.
        let which = choices.next()? % (inside + 1);
        let next = match here {
            Value::Object(fields) => fields.iter().nth(which),
            _ => None,
        };
        match (next, here.get(which)) {
            (Some((name, value)), _) => (at, here) = (format!("{at}/{name}"), value),
            (None, Some(value)) => (at, here) = (format!("{at}/{which}"), value),
            (None, None) => return Some(at),
        }
    }
}

/// Another value in the place of this one.
fn changed(choices: &mut Choices<'_>, value: &Value, whole: &Value, at: &str) -> Option<Value> {
    let by = |choices: &mut Choices<'_>| Some(choices.next()? as i64 - 128);
    Some(match (choices.next()? % 8, value) {
        (0, Value::Number(was)) => json!(was.as_i64().unwrap_or(0).saturating_add(by(choices)?)),
        (1, Value::Array(items)) => {
            let (which, mut items) = (choices.next()?, items.clone());
            if which % 2 == 0 && !items.is_empty() {
                items.remove(which / 2 % items.len());
            } else if let Some(item) = items.get(which / 2 % items.len().max(1)).cloned() {
                items.insert(which / 2 % items.len(), item);
            }
            Value::Array(items)
        }
        (0..=3, Value::Bool(was)) => json!(!was),
        (0..=3, Value::Number(_)) => json!(NUMBERS[choices.next()? % NUMBERS.len()]),
        (0..=3, Value::String(_)) => json!(TEXTS[choices.next()? % TEXTS.len()]),
        (4, Value::String(was)) => {
            let (cut, mut text) = (choices.next()?, was.clone());
            let cut = text.char_indices().nth(cut % (was.chars().count() + 1));
            text.truncate(cut.map_or(was.len(), |(index, _)| index));
            text.extend(choices.next().map(|more| char::from(more as u8)));
            json!(text)
        }
        (5, _) => json!(null),
        (6, _) => whole.pointer(&place(choices, whole)?)?.clone(),
        // Why: what is a choice in Rust is an object or a word in JSON; another world has others.
        (_, _) => whole.pointer(at).cloned()?,
    })
}

/// This value after the changes that the choices make of it, what they take from elsewhere taken
/// from `other`; nothing if that cannot be read any more.
pub(super) fn edited<T: Serialize + DeserializeOwned>(
    choices: &mut Choices<'_>,
    value: &T,
    other: &T,
) -> Option<T> {
    let mut whole = serde_json::to_value(value).expect("JSON");
    let other = serde_json::to_value(other).expect("JSON");
    while let Some(at) = place(choices, &whole) {
        let here = whole.pointer(&at).expect("a place in it").clone();
        let from = if choices.0.len().is_multiple_of(2) { &other } else { &whole };
        let Some(new) = changed(choices, &here, from, &at) else { break };
        *whole.pointer_mut(&at).expect("a place in it") = new;
    }
    serde_json::from_value(whole).ok()
}
