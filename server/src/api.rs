//! The endpoints, as one plain list: state -> session -> input -> typed answer. It holds no rule.

pub mod account;
pub mod assets;
pub mod document;
pub mod events;
pub mod extract;
pub mod guard;
pub mod lines;
pub mod observe;
pub mod operation;
pub mod payment_methods;
pub mod problems;
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
    response::{IntoResponse, Response},
};
use laika_core::{api::SessionView, record::SignedReceipt};
use operation::{Operation, delete, get, patch, post, put};
use std::sync::Arc;
use tracing::Instrument;

/// No request of a browser is larger; usage batches have their own limit.
const BODY_MOST: usize = 64 * 1024;

/// An event of Stripe's holds the whole of what it is about.
const EVENT_MOST: usize = 512 * 1024;

/// A batch of usage: some 30,000 events.
const USAGE_MOST: usize = 8 * 1024 * 1024;

/// Everything that the API answers, as one plain list. What an operation takes and answers, its
/// handler's own signature says; here stands what that does not tell: another status than the
/// usual one, and the problems of its own that it may answer. The router and `docs/openapi.json`
/// are both made from it.
pub fn operations() -> Vec<Operation> {
    let subjects = [of_people(), of_lines(), of_payment_methods(), of_machines(), of_the_process()];
    subjects.into_iter().flatten().collect()
}

fn of_people() -> Vec<Operation> {
    vec![
        get("/api/v1/session", sessions::current),
        post("/api/v1/registrations", registrations::create)
            .status(202)
            .may(&["fields", "too_many_tries"]),
        post("/api/v1/registrations/{id}/confirm", registrations::confirm)
            .gives::<SessionView>(201)
            .may(&["fields", "codes_ended", "too_many_tries"]),
        post("/api/v1/registrations/{id}/codes", registrations::resend)
            .status(202)
            .may(&["too_many_tries"]),
        post("/api/v1/sessions", sessions::create)
            .gives::<SessionView>(201)
            .may(&["wrong_credentials", "too_many_tries"]),
        delete("/api/v1/sessions/current", sessions::delete).status(204),
        post("/api/v1/sessions/current/step-up", sessions::step_up)
            .status(204)
            .may(&["wrong_password", "too_many_tries"]),
        patch("/api/v1/account", account::change).may(&["fields"]),
        get("/api/v1/events", events::stream).gives_other(&["text/event-stream"], "text"),
    ]
}

fn of_lines() -> Vec<Operation> {
    vec![
        get("/api/v1/lines", lines::list),
        patch("/api/v1/lines/{id}", lines::change).may(&["fields"]),
        get("/api/v1/lines/{id}/preview-inputs", rules::preview_inputs),
        get("/api/v1/lines/{id}/rule", rules::show),
        put("/api/v1/lines/{id}/rule", rules::save).may(&[
            "fields",
            "preview_stale",
            "preview_mismatch",
            "idempotency_key_reused",
        ]),
        post("/api/v1/lines/{id}/rule/on", rules::on).may(&[
            "step_up_required",
            "consent_stale",
            "no_usable_method",
        ]),
        post("/api/v1/lines/{id}/rule/off", rules::off),
        post("/api/v1/lines/{id}/rule/pause", rules::pause).may(&["fields"]),
        post("/api/v1/lines/{id}/rule/resume", rules::resume),
        post("/api/v1/lines/{id}/rule/skip", rules::skip).may(&["nothing_to_skip"]),
        get("/api/v1/lines/{id}/rule/receipts", receipts::list),
        get("/api/v1/lines/{id}/rule/receipts/{version}", receipts::show)
            .gives::<SignedReceipt>(200),
        get("/api/v1/signing-keys", receipts::keys),
        get("/api/v1/lines/{id}/looks", rules::looks),
        get("/api/v1/lines/{id}/recharges", recharges::list),
        post("/api/v1/lines/{id}/recharges", recharges::buy).may(&[
            "bad_steps",
            "idempotency_mismatch",
            "stopped_by_operator",
            "line_closed",
            "terms_changed",
            "no_usable_method",
            "clock_apart",
            "no_gateway",
        ]),
        get("/api/v1/recharges/{id}/record", recharges::record),
    ]
}

fn of_payment_methods() -> Vec<Operation> {
    vec![
        get("/api/v1/payment-methods", payment_methods::list),
        get("/api/v1/payment-methods/wallets", payment_methods::wallets).may(&["no_gateway"]),
        post("/api/v1/payment-methods", payment_methods::add).may(&[
            "step_up_required",
            "wallet_not_offered",
            "no_gateway",
            "gateway_unavailable",
        ]),
        post("/api/v1/payment-methods/setups", payment_methods::begin).may(&[
            "step_up_required",
            "no_gateway",
            "gateway_unavailable",
        ]),
        post("/api/v1/payment-methods/setups/{id}/complete", payment_methods::complete).may(&[
            "setup_open",
            "setup_cancelled",
            "no_gateway",
            "gateway_unavailable",
        ]),
        post("/api/v1/payment-methods/order", payment_methods::order).may(&["list_changed"]),
        delete("/api/v1/payment-methods/{id}", payment_methods::remove),
    ]
}

/// Signed feeds, and the sandbox bar.
fn of_machines() -> Vec<Operation> {
    let webhook = &["no_gateway", "gateway_silent"];
    vec![
        post("/api/v1/usage", usage::receive)
            .signed(signature::LAIKA, &usage::KINDS, "usage")
            .body_most(USAGE_MOST)
            .may(&["not_cloudevents", "busy"]),
        post("/api/v1/webhooks/sandbox", webhooks::sandbox)
            .signed(signature::LAIKA, &["application/json"], "event")
            .may(webhook)
            .may(&["not_found"]),
        post("/api/v1/webhooks/stripe", webhooks::stripe)
            .signed(signature::STRIPE, &["application/json"], "event")
            .body_most(EVENT_MOST)
            .may(webhook)
            .may(&["not_found"]),
        post("/api/v1/sandbox/usage", sandbox::use_data).may(&["not_found", "busy"]),
        post("/api/v1/sandbox/time", sandbox::let_time_pass).may(&["not_found"]),
        post("/api/v1/sandbox/next-charge", sandbox::next_charge).may(&[
            "not_found",
            "not_the_sandbox",
            "no_gateway",
            "gateway_unavailable",
        ]),
        get("/api/v1/sandbox/outbox", sandbox::outbox).may(&["not_found"]),
    ]
}

fn of_the_process() -> Vec<Operation> {
    vec![
        get("/api/v1/openapi.json", document::show).gives_other(&["application/json"], "document"),
        get("/problems/{code}", problems::show).gives_other(&["text/plain"], "text"),
        get("/livez", live),
        get("/readyz", ready).may(&["not_ready"]),
    ]
}

/// Everything that is served on the app's address.
pub fn router(app: Shared) -> Router {
    let mut router = Router::new();
    for operation in operations() {
        router = router.route(operation.path, operation.route);
    }
    router
        .method_not_allowed_fallback(other_method)
        .fallback(elsewhere)
        .layer(DefaultBodyLimit::max(BODY_MOST))
        .layer(middleware::from_fn(|request, next| guard::in_time(guard::LONGEST, request, next)))
        .layer(middleware::from_fn(guard::plain_body))
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

/// What is none of the list is the app's, but for what an API would be.
async fn elsewhere(request: Request) -> Response {
    match request.uri().path().strip_prefix("/api") {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => {
            Error::not_found().into_response()
        }
        _ => assets::serve(request).await,
    }
}

async fn other_method() -> Error {
    let status = axum::http::StatusCode::METHOD_NOT_ALLOWED;
    Error::problem(status, "other_method", "This address does not take this method.")
}

/// Gives each request its id, under which the log has it, and turns errors into problems.
async fn render_errors(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let request_id = secret::id("req");
    let span = observe::span(&request, &request_id);
    let response = next.run(request).instrument(span.clone()).await;
    if let Some(error) = response.extensions().get::<Arc<Error>>() {
        app.metrics.failed(error);
    }
    span.in_scope(|| error::render(response, &request_id))
}

#[cfg(test)]
mod tests;
