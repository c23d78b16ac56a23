//! What handlers take from a request: a JSON body, the session, the caller's address, the
//! idempotency key. A request that cannot be read becomes a problem with a stable code.

use crate::{
    Shared,
    error::{Error, Result},
    secret::sha256_hex,
    store::sessions::{self, Session},
};
use axum::{
    body::Bytes,
    extract::{ConnectInfo, FromRequest, FromRequestParts, Request, rejection::BytesRejection},
    http::{HeaderMap, StatusCode, header, request::Parts},
};
use laika_core::time::Instant;
use serde::de::DeserializeOwned;
use std::net::{IpAddr, SocketAddr};

/// The session cookie's name; the prefix makes browsers insist on Secure, Path=/ and no Domain.
pub const COOKIE: &str = "__Host-laika";

/// A JSON body.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Shared> for Body<T> {
    type Rejection = Error;

    async fn from_request(request: Request, app: &Shared) -> Result<Body<T>> {
        let kind = header_text(request.headers(), header::CONTENT_TYPE.as_str()).unwrap_or("");
        if !kind.split(';').next().unwrap_or("").trim().eq_ignore_ascii_case("application/json") {
            return Err(Error::problem(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "not_json",
                "Send application/json.",
            ));
        }
        let bytes = Bytes::from_request(request, app).await.map_err(unreadable)?;
        object(&bytes).map(Body)
    }
}

/// Reads a JSON object. *Errors*: `bad_json`, also for a list of its members, from which it could
/// be read as well.
pub fn object<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    if bytes.trim_ascii_start().first().is_some_and(|first| *first != b'{') {
        return Err(Error::bad_request("bad_json", "The body is not a JSON object."));
    }
    serde_json::from_slice(bytes).map_err(|error| Error::bad_request("bad_json", error.to_string()))
}

/// A body that did not come whole.
fn unreadable(rejection: BytesRejection) -> Error {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Error::too_large(),
        _ => Error::bad_request("unreadable_body", rejection.body_text()),
    }
}

/// A body as it came: what is signed is its bytes.
#[derive(Debug)]
pub struct Raw(pub Bytes);

impl FromRequest<Shared> for Raw {
    type Rejection = Error;

    async fn from_request(request: Request, app: &Shared) -> Result<Raw> {
        Bytes::from_request(request, app).await.map(Raw).map_err(unreadable)
    }
}

/// The text of a header, if it has one.
pub fn header_text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The token in the session cookie.
fn token(headers: &HeaderMap) -> Option<&str> {
    headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok()).find_map(
        |cookies| {
            let mut pairs = cookies.split(';').filter_map(|pair| pair.trim().split_once('='));
            pairs.find(|(name, _)| *name == COOKIE).map(|(_, value)| value)
        },
    )
}

/// The hash under which the session of that token is kept.
pub fn token_hash(headers: &HeaderMap) -> Option<String> {
    token(headers).map(|token| sha256_hex(token.as_bytes()))
}

/// Nobody, or somebody signed in.
#[derive(Clone, Debug)]
pub struct MaybeSignedIn(pub Option<Session>);

impl FromRequestParts<Shared> for MaybeSignedIn {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<MaybeSignedIn> {
        let Some(hashed) = token_hash(&parts.headers) else { return Ok(MaybeSignedIn(None)) };
        let wall = app.clock.wall();
        let session = sessions::get(&mut *app.store.read().await?, &hashed, wall).await?;
        if session.as_ref().is_some_and(|session| session.stale) {
            let mut tx = app.store.write().await?;
            sessions::seen(&mut tx, &hashed, wall).await?;
            tx.commit().await;
        }
        Ok(MaybeSignedIn(session))
    }
}

/// Somebody signed in; otherwise the answer is 401.
#[derive(Clone, Debug)]
pub struct SignedIn(pub Session);

impl SignedIn {
    /// The account's id, as statements take it.
    pub fn account(&self) -> &str {
        self.0.account_id.as_str()
    }

    /// Until when the last password entry allows what needs a fresh one.
    pub fn stepped_up_until(&self) -> Instant {
        self.0.stepped_up_at.plus(sessions::STEP_UP)
    }

    /// *Errors*: 403 `step_up_required` when the password was entered too long ago.
    pub fn require_step_up(&self, wall: Instant) -> Result<()> {
        if wall < self.stepped_up_until() {
            return Ok(());
        }
        Err(Error::forbidden("step_up_required", "Enter the password again first."))
    }
}

impl FromRequestParts<Shared> for SignedIn {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<SignedIn> {
        let MaybeSignedIn(session) = MaybeSignedIn::from_request_parts(parts, app).await?;
        session.map(SignedIn).ok_or_else(Error::unauthenticated)
    }
}

/// The address that the connection comes from; forwarded headers are not believed. Of IPv6 it is
/// the network: whoever has one address there has 2^64 of them.
#[derive(Clone, Debug)]
pub struct CallerAddress(pub String);

impl FromRequestParts<Shared> for CallerAddress {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &Shared) -> Result<CallerAddress> {
        let info = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        Ok(CallerAddress(info.map(|info| network(info.0.ip())).unwrap_or_default()))
    }
}

fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

/// `Idempotency-Key`: 1 to 80 letters, digits, `-`, `_`, `.`; required where it is taken.
#[derive(Clone, Debug)]
pub struct RequestKey(pub String);

impl FromRequestParts<Shared> for RequestKey {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &Shared) -> Result<RequestKey> {
        let text = header_text(&parts.headers, "idempotency-key").unwrap_or("");
        laika_core::id::IdempotencyKey::new(text)
            .map(|key| RequestKey(key.as_str().to_string()))
            .ok_or_else(|| {
                Error::bad_request("idempotency_key", "Send an Idempotency-Key of 1-80 characters.")
            })
    }
}

#[cfg(test)]
mod tests {
    use super::network;

    #[test]
    fn a_caller_with_many_addresses_is_one_caller() {
        let of = |text: &str| network(text.parse().expect("an address"));
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:192.0.2.7"), "192.0.2.7");
        assert_ne!(of("192.0.2.7"), of("192.0.2.8"));
    }
}
