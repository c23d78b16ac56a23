//! Usage over HTTP: a signed CloudEvents request, single or batch, or a plain JSON array of events.

use super::{
    extract::{Raw, header_text},
    operation::{Operation, Taken},
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
use axum::{
    Json,
    body::Bytes,
    extract::{FromRequest, Request, State},
    http::{HeaderMap, header},
};
use http_body_util::BodyExt;
use serde_json::value::RawValue;

/// The media types that are read.
pub const KINDS: [&str; 3] =
    ["application/cloudevents-batch+json", "application/cloudevents+json", "application/json"];

/// As much of a body is passed over before its sender is told to come again: more than what most
/// send at once.
const PASSED_OVER: usize = 1 << 20;

/// A body, kept only where there is room for what it says. Otherwise it is refused, which costs
/// next to nothing: 503 with `Retry-After`.
#[derive(Debug)]
pub struct Admitted(pub Bytes);

impl FromRequest<Shared> for Admitted {
    type Rejection = Error;

    async fn from_request(request: Request, app: &Shared) -> Result<Admitted> {
        if let Err(busy) = app.usage.admit(1) {
            app.metrics.usage_refused();
            pass_over(request).await;
            return Err(busy);
        }
        Raw::from_request(request, app).await.map(|Raw(body)| Admitted(body))
    }
}

impl Taken for Admitted {
    fn describe(operation: &mut Operation) {
        Raw::describe(operation);
    }
}

/// Reads a body and keeps nothing of it.
///
/// Why at all: a connection that is closed on somebody who still sends is reset, and the answer
/// may be lost with it. Who waits to be told to go on sends nothing before.
async fn pass_over(request: Request) {
    if request.headers().contains_key(header::EXPECT) {
        return;
    }
    let (mut body, mut left) = (request.into_body(), PASSED_OVER);
    while let Some(Ok(frame)) = body.frame().await {
        match left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) {
            Some(less) => left = less,
            None => return,
        }
    }
}

/// `POST /usage`: answers once everything that it says is durable. When too much waits already,
/// it is refused, and nothing of the body is kept: 503 with `Retry-After`.
pub async fn receive(
    State(app): State<Shared>,
    headers: HeaderMap,
    Admitted(body): Admitted,
) -> Result<Json<Receipt>> {
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
