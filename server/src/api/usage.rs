//! Usage over HTTP: a signed CloudEvents request, single or batch, or a plain JSON array of events.

use super::extract::header_text;
use crate::{
    Shared,
    error::{Error, Result},
    flow::{
        handle_usage::{self, CHUNK, Receipt, Row},
        usage_event,
    },
    secret::hmac_agrees,
};
use axum::{Json, body::Bytes, extract::State, http::HeaderMap};
use serde_json::value::RawValue;

/// A signature is believed for this long either way.
const TOLERANCE_S: i64 = 300;

/// `POST /usage`: answers once everything that it says is durable.
pub async fn receive(
    State(app): State<Shared>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Receipt>> {
    signed(&app, &headers, &body)?;
    let mut receipt = Receipt::default();
    for rows in rows(&headers, &body)?.chunks(CHUNK) {
        receipt.add(handle_usage::handle(&app, rows.to_vec()).await?);
    }
    Ok(Json(receipt))
}

/// *Errors*: 401 with one code, whatever is wrong with the signature.
fn signed(app: &Shared, headers: &HeaderMap, body: &[u8]) -> Result<()> {
    let refused = || {
        let words = "Laika-Signature is missing, wrong or too old.";
        Error::problem(axum::http::StatusCode::UNAUTHORIZED, "bad_signature", words)
    };
    let text = header_text(headers, "laika-signature").ok_or_else(refused)?;
    let part = |name: &str| {
        let mut parts = text.split(',').filter_map(|part| part.trim().split_once('='));
        parts.find(|(key, _)| *key == name).map(|(_, value)| value)
    };
    let (time, v1) = part("t").zip(part("v1")).ok_or_else(refused)?;
    let signed_at: i64 = time.parse().map_err(|_| refused())?;
    let age = app.clock.wall().seconds().saturating_sub(signed_at);
    let message = [time.as_bytes(), b".", body].concat();
    let known = app.config.usage_secrets.iter();
    let agrees = known.filter(|secret| hmac_agrees(secret.expose(), &message, v1)).count() > 0;
    if agrees && age.saturating_abs() <= TOLERANCE_S { Ok(()) } else { Err(refused()) }
}

/// The rows of a body by its media type, counted from 1.
fn rows(headers: &HeaderMap, body: &[u8]) -> Result<Vec<Row>> {
    let kind = header_text(headers, "content-type").unwrap_or("").to_ascii_lowercase();
    let batch = match kind.split(';').next().unwrap_or("").trim() {
        "application/cloudevents+json" => false,
        "application/cloudevents-batch+json" => true,
        "application/json" => body.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'['),
        _ => {
            return Err(Error::problem(
                axum::http::StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "not_cloudevents",
                "Send application/cloudevents+json or application/cloudevents-batch+json.",
            ));
        }
    };
    if !batch {
        return Ok(vec![(1, usage_event::read(body))]);
    }
    let events: Vec<&RawValue> = serde_json::from_slice(body)
        .map_err(|error| Error::bad_request("bad_json", error.to_string()))?;
    let read = events.iter().map(|event| usage_event::read(event.get().as_bytes()));
    Ok((1..).zip(read).collect())
}
