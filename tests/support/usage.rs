//! Usage as a carrier sends it: CloudEvents, signed.

use hmac::{Hmac, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use super::http::Request;

/// What both sides sign with.
pub const SECRET: &str = "a-secret-of-the-tests";

/// One usage event.
pub fn event(source: &str, id: &str, iccid: &str, at: &str, bytes: u64) -> Value {
    json!({
        "specversion": "1.0",
        "type": "laika.usage.v1",
        "source": source,
        "id": id,
        "subject": iccid,
        "time": at,
        "datacontenttype": "application/json",
        "data": { "bytes": bytes, "country": "ES" },
    })
}

/// A signed batch for a server, ready to be sent.
pub fn batch(origin: &str, events: &[Value]) -> Request {
    let body = Value::from(events.to_vec()).to_string();
    let kind = "application/cloudevents-batch+json";
    signed(origin, kind, body.into_bytes(), SECRET, now())
}

/// One signed event for a server, ready to be sent.
pub fn single(origin: &str, event: &Value) -> Request {
    let kind = "application/cloudevents+json";
    signed(origin, kind, event.to_string().into_bytes(), SECRET, now())
}

/// A body signed with a secret at a Unix second.
pub fn signed(origin: &str, kind: &str, body: Vec<u8>, secret: &str, at: u64) -> Request {
    Request::new("POST", &format!("{origin}/api/v1/usage"))
        .header("Laika-Signature", &signature(&body, secret, at))
        .body(kind, body)
}

/// The signature of a body by a secret at a Unix second, as its header has it.
pub fn signature(body: &[u8], secret: &str, at: u64) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any key length");
    mac.update(format!("{at}.").as_bytes());
    mac.update(body);
    let hex: String = mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect();
    format!("t={at},v1={hex}")
}

/// This instant, as an event has it.
pub fn stamp() -> String {
    laika_core::time::Instant::from_seconds(i64::try_from(now()).expect("a year we know"))
        .to_string()
}

/// The Unix second.
pub fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.expect("a clock after 1970").as_secs()
}
