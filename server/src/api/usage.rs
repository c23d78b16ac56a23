//! Usage over HTTP: a signed CloudEvents request, single or batch, or a plain JSON array of events.

use super::{
    extract::{Raw, header_text},
    signature,
};
use crate::{
    Shared,
    error::{Error, Result},
    flow::{
        handle_usage::{self, Receipt, Row},
        usage_event,
    },
};
use axum::{Json, extract::State, http::HeaderMap};
use serde_json::value::RawValue;

/// The media types that are read.
pub const KINDS: [&str; 3] =
    ["application/cloudevents-batch+json", "application/cloudevents+json", "application/json"];

/// `POST /usage`: answers once everything that it says is durable. When too much waits already,
/// it is refused before anything is read, which costs next to nothing: 503 with `Retry-After`.
pub async fn receive(
    State(app): State<Shared>,
    headers: HeaderMap,
    Raw(body): Raw,
) -> Result<Json<Receipt>> {
    app.usage.admit(1).inspect_err(|_| app.metrics.usage_refused())?;
    let secrets = app.config.usage_secrets.iter().map(|secret| secret.expose());
    signature::check(signature::LAIKA, &headers, &body, secrets, app.clock.wall())?;
    Ok(Json(handle_usage::handle(&app, rows(&headers, &body)?).await?))
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
