//! The sandbox over HTTP: the provider's JSON endpoints as one plain list, the carrier's in
//! `carrier`.
//!
//! Place in the flow: request -> bearer key -> journal and state machine -> answer, or none when
//! the script says that answers get lost. `/pay/…` are the hosted pages. `/charges` is the
//! provider's own list, open to audits and tests. It holds no rule.

mod carrier;

use super::provider::records::{Charge, Metadata, NextCharge, Payment, Terms, Transport};
use super::provider::{Answer as Provided, Request as ToProvider};
use super::{API_KEY, Answer, IDENTITY, NOW_HEADER, Refusal, Request, Sandbox, pages};
use axum::extract::{DefaultBodyLimit, FromRequestParts, Path, Query, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;

/// How late a slow answer is.
const SLOW: Duration = Duration::from_secs(5);

/// Marks a response whose connection closes without a byte.
#[derive(Clone, Copy)]
pub(super) struct Lost;

/// Everything the sandbox serves.
pub(super) fn router(sandbox: Sandbox) -> Router {
    Router::new()
        .route("/identity", get(identity))
        .route("/charges", get(charges))
        .route("/provider/v1/customers", post(create_customer))
        .route("/provider/v1/customers/{id}/next-charge", put(script_charge))
        .route("/provider/v1/setups", post(create_setup))
        .route("/provider/v1/setups/{id}", get(setup))
        .route("/provider/v1/payment-methods/{id}", get(payment_method))
        .route("/provider/v1/payment-methods/{id}", delete(detach))
        .route("/provider/v1/payments", post(pay).get(list_payments))
        .route("/provider/v1/payments/{id}", get(payment))
        .route("/provider/v1/payments/{id}/cancel", post(cancel_payment))
        .route("/provider/v1/payments/{id}/refunds", post(refund))
        .route("/provider/v1/payments/{id}/disputes", post(dispute))
        .route("/provider/v1/disputes", get(list_disputes))
        .route("/provider/v1/disputes/{id}/decision", put(decide_dispute))
        .route("/provider/v1/statement", get(settlement))
        .route("/provider/v1/webhook", put(set_webhook))
        .merge(carrier::router())
        .merge(pages::router())
        .layer(DefaultBodyLimit::max(64 * 1024))
        .with_state(sandbox)
}

/// Proof of the bearer key; it also carries the caller's headers.
struct Caller(HeaderMap);

impl FromRequestParts<Sandbox> for Caller {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &Sandbox) -> Result<Self, Response> {
        let bearer = parts.headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok());
        if bearer.and_then(|value| value.strip_prefix("Bearer ")) != Some(API_KEY) {
            return Err(problem(&Refusal {
                status: 401,
                code: "unauthenticated".to_owned(),
                detail: "a bearer key is needed".to_owned(),
                decline: None,
            }));
        }
        Ok(Self(parts.headers.clone()))
    }
}

impl Caller {
    fn key(&self) -> Option<String> {
        let key = self.0.get("idempotency-key")?.to_str().ok()?;
        (!key.is_empty()).then(|| key.to_owned())
    }

    /// The caller's time, where it has one of its own.
    fn now(&self) -> Option<i64> {
        self.0.get(NOW_HEADER).and_then(|now| now.to_str().ok()?.parse().ok())
    }

    async fn ask(&self, sandbox: &Sandbox, request: Request) -> Response {
        let reply = sandbox.take(request, self.now()).await;
        carried(reply.transport, reply.answer).await
    }
}

/// An answer on its way, which may be long or end nowhere.
async fn carried(transport: Transport, answered: Result<Answer, Refusal>) -> Response {
    match transport {
        Transport::Normal => {}
        Transport::Slow => tokio::time::sleep(SLOW).await,
        Transport::ServerError => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Transport::Lost => {
            let mut response = StatusCode::BAD_GATEWAY.into_response();
            response.extensions_mut().insert(Lost);
            return response;
        }
    }
    answer(answered)
}

fn answer(answer: Result<Answer, Refusal>) -> Response {
    match answer {
        Ok(answer) => Json(answer).into_response(),
        Err(refusal) => problem(&refusal),
    }
}

fn problem(refusal: &Refusal) -> Response {
    let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::BAD_REQUEST);
    let kind = [(header::CONTENT_TYPE, "application/problem+json")];
    (status, kind, json!(refusal).to_string()).into_response()
}

fn found<T: serde::Serialize>(thing: Option<T>) -> Response {
    match thing {
        Some(thing) => Json(thing).into_response(),
        None => problem(&Refusal {
            status: 404,
            code: "not_found".to_owned(),
            detail: "there is nothing here".to_owned(),
            decline: None,
        }),
    }
}

async fn identity() -> Json<Value> {
    Json(json!({ "laika_sandbox": IDENTITY }))
}

/// The provider's own list of what it charged, with refunds: no names, no tokens to charge with.
async fn charges(State(sandbox): State<Sandbox>) -> Json<Value> {
    let row = |payment: &Payment| {
        json!({
            "id": payment.id,
            "status": payment.status,
            "decline": payment.decline,
            "amount_minor": payment.charge.amount_minor,
            "captured_minor": payment.captured_minor,
            "refunded_minor": payment.refunded_minor(),
            "currency": payment.charge.currency,
            "idempotency_key": payment.idempotency_key,
            "metadata": payment.charge.metadata,
            "created_at": payment.created_at,
        })
    };
    let rows: Vec<Value> =
        sandbox.look(|state| state.provider.payments().iter().map(row).collect());
    Json(json!({ "charges": rows }))
}

#[derive(Deserialize)]
struct NewCustomer {
    #[serde(default)]
    metadata: Metadata,
}

async fn create_customer(
    caller: Caller,
    State(sandbox): State<Sandbox>,
    Json(new): Json<NewCustomer>,
) -> Response {
    let request = ToProvider::CreateCustomer { metadata: new.metadata };
    caller.ask(&sandbox, Request::Provider(request)).await
}

#[derive(Deserialize)]
struct NewSetup {
    customer: String,
    return_url: String,
    terms: Option<Terms>,
}

async fn create_setup(
    caller: Caller,
    State(sandbox): State<Sandbox>,
    Json(new): Json<NewSetup>,
) -> Response {
    let request = ToProvider::CreateSetup { customer: new.customer, return_url: new.return_url };
    let made = sandbox.take(Request::Provider(request), caller.now()).await.answer;
    match (made, new.terms) {
        (Ok(Answer::Provider(Provided::Setup(setup))), Some(terms)) => {
            let request = ToProvider::OfferAgreement { setup: setup.id, terms };
            caller.ask(&sandbox, Request::Provider(request)).await
        }
        (made, _) => answer(made),
    }
}

async fn setup(_: Caller, State(sandbox): State<Sandbox>, Path(id): Path<String>) -> Response {
    found(sandbox.look(|state| state.provider.setup(&id).cloned()))
}

async fn payment_method(
    _: Caller,
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
) -> Response {
    found(sandbox.look(|state| state.provider.payment_method(&id).cloned()))
}

async fn detach(
    caller: Caller,
    State(sandbox): State<Sandbox>,
    Path(payment_method): Path<String>,
) -> Response {
    caller.ask(&sandbox, Request::Provider(ToProvider::Detach { payment_method })).await
}

async fn pay(
    caller: Caller,
    State(sandbox): State<Sandbox>,
    Json(charge): Json<Charge>,
) -> Response {
    let request = ToProvider::Pay { key: caller.key(), charge };
    caller.ask(&sandbox, Request::Provider(request)).await
}

/// Which payments: by the key they were asked with, by metadata, or since an instant.
#[derive(Deserialize)]
struct Which {
    key: Option<String>,
    recharge_id: Option<String>,
    since: Option<i64>,
}

async fn list_payments(
    _: Caller,
    State(sandbox): State<Sandbox>,
    Query(which): Query<Which>,
) -> Response {
    let wanted = |payment: &&Payment| {
        let recharge = payment.charge.metadata.get("recharge_id");
        which.key.as_ref().is_none_or(|key| payment.idempotency_key.as_ref() == Some(key))
            && which.recharge_id.as_ref().is_none_or(|id| recharge == Some(id))
            && which.since.is_none_or(|since| payment.created_at >= since)
    };
    let payments: Vec<Payment> =
        sandbox.look(|state| state.provider.payments().iter().filter(wanted).cloned().collect());
    Json(json!({ "payments": payments })).into_response()
}

async fn payment(_: Caller, State(sandbox): State<Sandbox>, Path(id): Path<String>) -> Response {
    found(sandbox.look(|state| state.provider.payment(&id).cloned()))
}

async fn cancel_payment(
    caller: Caller,
    State(sandbox): State<Sandbox>,
    Path(payment): Path<String>,
) -> Response {
    caller.ask(&sandbox, Request::Provider(ToProvider::CancelPayment { payment })).await
}

#[derive(Deserialize)]
struct NewRefund {
    amount_minor: i64,
}

async fn refund(
    caller: Caller,
    State(sandbox): State<Sandbox>,
    Path(payment): Path<String>,
    Json(NewRefund { amount_minor }): Json<NewRefund>,
) -> Response {
    let request = ToProvider::Refund { key: caller.key(), payment, amount_minor };
    caller.ask(&sandbox, Request::Provider(request)).await
}

async fn dispute(
    caller: Caller,
    State(sandbox): State<Sandbox>,
    Path(payment): Path<String>,
) -> Response {
    caller.ask(&sandbox, Request::Provider(ToProvider::Dispute { payment })).await
}

#[derive(Deserialize)]
struct Since {
    since: i64,
}

/// Payments that were disputed since an instant, each with all its disputes.
async fn list_disputes(
    _: Caller,
    State(sandbox): State<Sandbox>,
    Query(Since { since }): Query<Since>,
) -> Response {
    let disputed = |payment: &&Payment| payment.disputes.iter().any(|it| it.created_at >= since);
    let payments: Vec<Payment> =
        sandbox.look(|state| state.provider.payments().iter().filter(disputed).cloned().collect());
    Json(json!({ "payments": payments })).into_response()
}

#[derive(Deserialize)]
struct Decision {
    won: bool,
}

async fn decide_dispute(
    caller: Caller,
    State(sandbox): State<Sandbox>,
    Path(dispute): Path<String>,
    Json(Decision { won }): Json<Decision>,
) -> Response {
    caller.ask(&sandbox, Request::Provider(ToProvider::DecideDispute { dispute, won })).await
}

#[derive(Deserialize)]
struct Period {
    from: i64,
    until: i64,
    after: Option<String>,
}

async fn settlement(
    caller: Caller,
    State(sandbox): State<Sandbox>,
    Query(Period { from, until, after }): Query<Period>,
) -> Response {
    let page = sandbox.look_at(caller.now(), |state| {
        state.provider.settlement(from, until.min(state.now).max(from), after.as_deref())
    });
    Json(page).into_response()
}

#[derive(Deserialize)]
struct Next<T> {
    next: T,
}

async fn script_charge(
    caller: Caller,
    State(sandbox): State<Sandbox>,
    Path(customer): Path<String>,
    Json(Next { next }): Json<Next<NextCharge>>,
) -> Response {
    caller.ask(&sandbox, Request::Provider(ToProvider::Script { customer, next })).await
}

#[derive(Deserialize)]
struct Endpoint {
    url: String,
}

async fn set_webhook(
    caller: Caller,
    State(sandbox): State<Sandbox>,
    Json(Endpoint { url }): Json<Endpoint>,
) -> Response {
    // Why: a server announces itself at every start; an unchanged address is no news.
    if sandbox.look(|state| state.provider.outstanding().0 == Some(&url)) {
        return Json(json!({})).into_response();
    }
    caller.ask(&sandbox, Request::Provider(ToProvider::SetWebhook { url })).await
}
