//! Signed requests of machines: `t=<unix seconds>,v1=<HMAC-SHA-256 of "t.body">` in a header of the
//! machine's own, `Laika-Signature` for usage. Nothing signed is read before it has been checked.

use super::extract::header_text;
use crate::{
    error::{Error, Result},
    secret::hmac_agrees,
};
use axum::http::{HeaderMap, StatusCode};
use laika_core::time::Instant;

/// A signature is believed for this long either way.
const TOLERANCE_S: i64 = 300;

/// The header of usage feeds and of the sandbox's webhooks.
pub const LAIKA: &str = "Laika-Signature";
/// The header of Stripe's webhooks.
pub const STRIPE: &str = "Stripe-Signature";

/// Checks the signature of a raw body against every secret that is valid now. While a secret is
/// being replaced, a header may carry one signature by each.
///
/// *Errors*: 401 with one code, whatever is wrong.
pub fn check<'a>(
    header: &str,
    headers: &HeaderMap,
    body: &[u8],
    secrets: impl IntoIterator<Item = &'a str>,
    wall: Instant,
) -> Result<()> {
    let refused = || {
        let words = format!("{header} is missing, wrong or too old.");
        Error::problem(StatusCode::UNAUTHORIZED, "bad_signature", words)
    };
    let text = header_text(headers, header).ok_or_else(refused)?;
    let parts = || text.split(',').filter_map(|part| part.trim().split_once('='));
    let (_, time) = parts().find(|(key, _)| *key == "t").ok_or_else(refused)?;
    let given: Vec<&str> = parts().filter(|(key, _)| *key == "v1").map(|(_, v1)| v1).collect();
    let signed_at: i64 = time.parse().map_err(|_| refused())?;
    let age = wall.seconds().saturating_sub(signed_at);
    let message = [time.as_bytes(), b".", body].concat();
    // Why: every secret is tried with every signature, so that the time tells nothing.
    let each = |secret: &str| given.iter().filter(|v1| hmac_agrees(secret, &message, v1)).count();
    let agrees = secrets.into_iter().map(each).sum::<usize>() > 0;
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
        let passes = |text: &str, body: &[u8]| {
            check(LAIKA, &headers(text), body, ["new", "old"], wall).is_ok()
        };
        assert!(passes(&good(1_000, "new"), b"body") && passes(&good(701, "old"), b"body"));
        let both = format!("t=1000,v1=00,{},v0=11", &good(1_000, "new")[7..]);
        assert!(passes(&both, b"body"), "one of two signatures");
        assert!(!passes(&both.replace("v1=", "v0="), b"body"), "another scheme");
        assert!(!passes(&good(1_000, "new"), b"other"), "another body");
        assert!(!passes(&good(1_000, "else"), b"body"), "another secret");
        assert!(!passes(&good(699, "new"), b"body"), "too old");
        assert!(!passes(&good(1_301, "new"), b"body"), "too new");
        assert!(!passes("t=1000", b"body") && !passes("v1=00", b"body"), "half a signature");
        assert!(check(LAIKA, &HeaderMap::new(), b"body", ["new"], wall).is_err(), "none");
    }
}
