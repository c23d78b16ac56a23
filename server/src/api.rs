//! The endpoints, as one plain list: state -> session -> input -> typed answer. It holds no rule.

pub mod account;
pub mod assets;
pub mod events;
pub mod extract;
pub mod guard;
pub mod lines;
pub mod observe;
pub mod payment_methods;
pub mod receipts;
pub mod recharges;
pub mod registrations;
pub mod rules;
pub mod sandbox;
pub mod sessions;
pub mod signature;
pub mod usage;
pub mod webhooks;

use crate::{
    Shared,
    error::{self, Error, Result},
    health, secret,
};
use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    middleware::{self, Next},
    response::Response,
    routing::{delete, get, patch, post},
};
use std::sync::Arc;

/// No request of a browser is larger; usage batches have their own limit.
const BODY_MOST: usize = 64 * 1024;

/// An event of Stripe's holds the whole of what it is about.
const EVENT_MOST: usize = 512 * 1024;

/// A batch of usage: some 30,000 events.
const USAGE_MOST: usize = 8 * 1024 * 1024;

/// Everything that is served on the app's address.
pub fn router(app: Shared) -> Router {
    let v1 = Router::new()
        .route("/session", get(sessions::current))
        .route("/registrations", post(registrations::create))
        .route("/registrations/{id}/confirm", post(registrations::confirm))
        .route("/registrations/{id}/codes", post(registrations::resend))
        .route("/sessions", post(sessions::create))
        .route("/sessions/current", delete(sessions::delete))
        .route("/sessions/current/step-up", post(sessions::step_up))
        .route("/account", patch(account::change))
        .route("/lines", get(lines::list))
        .route("/lines/{id}", patch(lines::change))
        .route("/lines/{id}/preview-inputs", get(rules::preview_inputs))
        .route("/lines/{id}/rule", get(rules::show).put(rules::save))
        .route("/lines/{id}/rule/on", post(rules::on))
        .route("/lines/{id}/rule/off", post(rules::off))
        .route("/lines/{id}/rule/pause", post(rules::pause))
        .route("/lines/{id}/rule/resume", post(rules::resume))
        .route("/lines/{id}/rule/skip", post(rules::skip))
        .route("/lines/{id}/rule/receipts", get(receipts::list))
        .route("/lines/{id}/rule/receipts/{version}", get(receipts::show))
        .route("/signing-keys", get(receipts::keys))
        .route("/lines/{id}/looks", get(rules::looks))
        .route("/events", get(events::stream))
        .route("/usage", post(usage::receive).layer(DefaultBodyLimit::max(USAGE_MOST)))
        .route("/payment-methods", get(payment_methods::list))
        .route("/payment-methods/setups", post(payment_methods::begin))
        .route("/payment-methods/setups/{id}/complete", post(payment_methods::complete))
        .route("/payment-methods/order", post(payment_methods::order))
        .route("/payment-methods/{id}", delete(payment_methods::remove))
        .route("/lines/{id}/recharges", get(recharges::list).post(recharges::buy))
        .route("/recharges/{id}/record", get(recharges::record))
        .route("/webhooks/sandbox", post(webhooks::sandbox))
        .route("/webhooks/stripe", post(webhooks::stripe).layer(DefaultBodyLimit::max(EVENT_MOST)))
        .route("/sandbox/usage", post(sandbox::use_data))
        .route("/sandbox/time", post(sandbox::let_time_pass))
        .route("/sandbox/next-charge", post(sandbox::next_charge))
        .route("/sandbox/outbox", get(sandbox::outbox))
        .fallback(nothing_here)
        .method_not_allowed_fallback(other_method)
        .layer(DefaultBodyLimit::max(BODY_MOST));
    Router::new()
        .nest("/api/v1", v1)
        .route("/livez", get(live))
        .route("/readyz", get(ready))
        .fallback(assets::serve)
        .layer(middleware::from_fn(guard::in_time))
        .layer(middleware::from_fn(guard::readable_path))
        .layer(middleware::from_fn(guard::same_origin))
        .layer(middleware::from_fn_with_state(app.clone(), render_errors))
        .layer(middleware::from_fn(guard::headers))
        .layer(middleware::from_fn_with_state(app.clone(), observe::observe))
        .with_state(app)
}

/// The process runs.
async fn live() -> &'static str {
    "live\n"
}

/// The process can do its work.
async fn ready(State(app): State<Shared>) -> Result<&'static str> {
    health::ready(&app).await?;
    Ok("ready\n")
}

async fn nothing_here() -> Error {
    Error::not_found()
}

async fn other_method() -> Error {
    let status = axum::http::StatusCode::METHOD_NOT_ALLOWED;
    Error::problem(status, "other_method", "This address does not take this method.")
}

/// Gives each request its id and turns errors into problems.
async fn render_errors(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let request_id = secret::id("req");
    let response = next.run(request).await;
    if let Some(error) = response.extensions().get::<Arc<Error>>() {
        app.metrics.failed(error);
    }
    error::render(response, &request_id)
}

#[cfg(test)]
mod tests;
