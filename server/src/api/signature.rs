//! Signed requests of machines: `Laika-Signature: t=<unix seconds>,v1=<HMAC-SHA-256 of "t.body">`.

use super::extract::header_text;
use crate::{
    error::{Error, Result},
    secret::hmac_agrees,
};
use axum::http::{HeaderMap, StatusCode};
use laika_core::time::Instant;

/// A signature is believed for this long either way.
const TOLERANCE_S: i64 = 300;

/// Checks the signature of a raw body against every secret that is valid now.
///
/// *Errors*: 401 with one code, whatever is wrong.
pub fn check<'a>(
    headers: &HeaderMap,
    body: &[u8],
    secrets: impl IntoIterator<Item = &'a str>,
    wall: Instant,
) -> Result<()> {
    let refused = || {
        let words = "Laika-Signature is missing, wrong or too old.";
        Error::problem(StatusCode::UNAUTHORIZED, "bad_signature", words)
    };
    let text = header_text(headers, "laika-signature").ok_or_else(refused)?;
    let part = |name: &str| {
        let mut parts = text.split(',').filter_map(|part| part.trim().split_once('='));
        parts.find(|(key, _)| *key == name).map(|(_, value)| value)
    };
    let (time, v1) = part("t").zip(part("v1")).ok_or_else(refused)?;
    let signed_at: i64 = time.parse().map_err(|_| refused())?;
    let age = wall.seconds().saturating_sub(signed_at);
    let message = [time.as_bytes(), b".", body].concat();
    let agrees = secrets.into_iter().filter(|secret| hmac_agrees(secret, &message, v1)).count() > 0;
    if agrees && age.saturating_abs() <= TOLERANCE_S { Ok(()) } else { Err(refused()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::hmac_hex;

    fn headers(text: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("laika-signature", text.parse().expect("a header"));
        headers
    }

    #[test]
    fn only_the_right_body_secret_and_time_pass() {
        let wall = Instant::from_seconds(1_000);
        let good = |t: i64, secret: &str| {
            format!("t={t},v1={}", hmac_hex(secret, format!("{t}.body").as_bytes()))
        };
        let passes =
            |text: &str, body: &[u8]| check(&headers(text), body, ["new", "old"], wall).is_ok();
        assert!(passes(&good(1_000, "new"), b"body") && passes(&good(701, "old"), b"body"));
        assert!(!passes(&good(1_000, "new"), b"other"), "another body");
        assert!(!passes(&good(1_000, "else"), b"body"), "another secret");
        assert!(!passes(&good(699, "new"), b"body"), "too old");
        assert!(!passes(&good(1_301, "new"), b"body"), "too new");
        assert!(!passes("t=1000", b"body") && !passes("v1=00", b"body"), "half a signature");
        assert!(check(&HeaderMap::new(), b"body", ["new"], wall).is_err(), "none");
    }
}
