//! Webhooks: the gateway says that something happened. It is not believed but looked up.

use super::signature;
use crate::{
    Shared,
    error::{Error, Result},
    flow::reconcile,
    gateway::Failure,
    sandbox::{WEBHOOK_SECRET, provider::records::Webhook},
};
use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
};

/// `POST /webhooks/sandbox`. Anything but 204 makes the provider send it again.
pub async fn sandbox(
    State(app): State<Shared>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode> {
    let taken = take(&app, &headers, &body).await;
    app.metrics.webhook(match &taken {
        Ok(result) => result,
        Err(Error::Problem(problem)) if problem.status.is_client_error() => "refused",
        Err(_) => "failed",
    });
    taken.map(|_| StatusCode::NO_CONTENT)
}

/// Looks up what it is about; what became of it.
async fn take(app: &Shared, headers: &HeaderMap, body: &[u8]) -> Result<&'static str> {
    signature::check(headers, body, [WEBHOOK_SECRET], app.clock.wall())?;
    let event: Webhook = serde_json::from_slice(body)
        .map_err(|error| Error::bad_request("bad_json", error.to_string()))?;
    let shaped = event.about.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !event.kind.starts_with("payment.") || !shaped {
        return Ok("ignored");
    }
    match app.gateway()?.payment(&event.about).await {
        Ok(payment) => reconcile::compare(app, &payment).await?,
        // A payment that the gateway does not know: forged, or another's.
        Err(Failure::Refused { .. }) => return Ok("ignored"),
        Err(Failure::Unknown(no)) => {
            let status = StatusCode::SERVICE_UNAVAILABLE;
            return Err(Error::problem(status, "gateway_silent", no.why));
        }
    }
    Ok("looked_up")
}
