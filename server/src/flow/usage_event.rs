//! One usage event as it arrives: CloudEvents 1.0 JSON in, a checked event or the reason why not
//! out. It reads no clock and no database.

use laika_core::{bytes::Bytes, time::Instant};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The one type of event that is usage.
pub const TYPE: &str = "laika.usage.v1";
/// Longest `source` and `id`, in bytes.
const NAME_MOST: usize = 200;

/// A row that was not accepted; it changed nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RowError {
    /// Counted from 1.
    pub row: usize,
    /// The stable code.
    pub code: &'static str,
    /// One sentence.
    pub detail: String,
}

/// Why a row was not accepted.
pub type Refusal = (&'static str, String);

/// A usage event with everything checked that its own text can tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Who sent it.
    pub source: String,
    /// Its name there.
    pub id: String,
    /// Which eSIM.
    pub iccid: String,
    /// When the data was used.
    pub time: Instant,
    /// How much.
    pub bytes: Bytes,
    /// Where, if told.
    pub country: Option<String>,
}

impl Event {
    /// Its place among events of one time: unique, since no source has a space.
    pub fn place_id(&self) -> String {
        format!("{} {}", self.source, self.id)
    }

    /// What makes two events under one name the same event.
    pub fn content(&self) -> String {
        let Event { iccid, time, bytes, country, .. } = self;
        format!("{iccid} {} {} {}", time.micros(), bytes.get(), country.as_deref().unwrap_or("-"))
    }
}

/// What is only looked at is not copied, unless it is written with escapes.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    specversion: Cow<'a, str>,
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    source: String,
    id: String,
    subject: String,
    #[serde(borrow)]
    time: Cow<'a, str>,
    #[serde(borrow)]
    datacontenttype: Option<Cow<'a, str>>,
    #[serde(borrow)]
    data: &'a RawValue,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    bytes: &'a RawValue,
    country: Option<String>,
}

/// Reads one event. *Errors*: `bad_json`, `not_an_event`, `unknown_type`, `bad_time`, `bad_bytes`,
/// `negative_bytes`.
pub fn read(text: &[u8]) -> Result<Event, Refusal> {
    let envelope: Envelope<'_> = serde_json::from_slice(text).map_err(|error| {
        let code = if error.is_data() { "not_an_event" } else { "bad_json" };
        (code, error.to_string())
    })?;
    if envelope.specversion != "1.0" {
        return Err(("not_an_event", "specversion is not 1.0".into()));
    }
    if envelope.kind != TYPE {
        return Err(("unknown_type", format!("type is not {TYPE}")));
    }
    let json = envelope.datacontenttype.as_deref().unwrap_or("application/json");
    if !json.split(';').next().unwrap_or("").trim().eq_ignore_ascii_case("application/json") {
        return Err(("not_an_event", "datacontenttype is not application/json".into()));
    }
    for (name, text) in [("source", &envelope.source), ("id", &envelope.id)] {
        if text.is_empty() || text.len() > NAME_MOST || !text.chars().all(|c| c.is_ascii_graphic())
        {
            let words = format!("{name} is not 1-{NAME_MOST} visible ASCII characters");
            return Err(("not_an_event", words));
        }
    }
    let data: Data<'_> = serde_json::from_str(envelope.data.get())
        .map_err(|error| ("not_an_event", format!("data: {error}")))?;
    let time = Instant::parse(&envelope.time)
        .ok_or_else(|| ("bad_time", "time is not RFC 3339".to_string()))?;
    let bytes = bytes(data.bytes.get())?;
    let country = data.country.map(country).transpose()?;
    let iccid = envelope.subject;
    Ok(Event { source: envelope.source, id: envelope.id, iccid, time, bytes, country })
}

/// A whole number of bytes; JSON's `1e3` and `1.0` are not taken for one.
fn bytes(text: &str) -> Result<Bytes, Refusal> {
    if text.starts_with('-') {
        return Err(("negative_bytes", "bytes is negative".into()));
    }
    let whole = text.parse::<u64>().ok().and_then(Bytes::new);
    whole.ok_or_else(|| ("bad_bytes", "bytes is not a whole number of bytes".into()))
}

fn country(text: String) -> Result<String, Refusal> {
    let good = text.len() == 2 && text.bytes().all(|b| b.is_ascii_uppercase());
    if good { Ok(text) } else { Err(("not_an_event", "country is not two capital letters".into())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(from: &str, to: &str) -> Result<Event, &'static str> {
        let good = r#"{"specversion":"1.0","type":"laika.usage.v1","source":"c/eu","id":"1",
            "subject":"89","time":"2026-08-24T00:59:08Z","datacontenttype":"application/json",
            "data":{"bytes":7,"country":"TH"}}"#;
        read(good.replace(from, to).as_bytes()).map_err(|(code, _)| code)
    }

    #[test]
    fn a_good_event_is_read() {
        let event = with("", "").expect("read");
        assert_eq!((event.iccid.as_str(), event.bytes.get()), ("89", 7));
        assert_eq!(event.place_id(), "c/eu 1");
    }

    #[test]
    fn each_broken_part_has_its_code() {
        for (from, to, code) in [
            ("{\"spec", "{{\"spec", "bad_json"),
            ("\"subject\":\"89\",", "", "not_an_event"),
            ("\"1.0\"", "\"0.3\"", "not_an_event"),
            ("laika.usage.v1", "laika.usage.v2", "unknown_type"),
            ("c/eu", "", "not_an_event"),
            ("c/eu", "c eu", "not_an_event"),
            ("c/eu", "c\\u0000", "not_an_event"),
            ("2026-08-24T00:59:08Z", "2026-08-24", "bad_time"),
            (":7,", ":-7,", "negative_bytes"),
            (":7,", ":7.0,", "bad_bytes"),
            (":7,", ":\"7\",", "bad_bytes"),
            (":7,", ":99999999999999999999,", "bad_bytes"),
            (":7,", ":null,", "bad_bytes"),
            ("\"TH\"", "\"Thai\"", "not_an_event"),
        ] {
            assert_eq!(with(from, to), Err(code), "{from} -> {to}");
        }
    }
}
