//! The sandbox's carrier over HTTP, by the contract in `docs/carrier.md`, and its script.
//!
//! A no says `"delivered": false` where it is one; the same key for something else says nothing of
//! the kind, because something was delivered under it.

use super::{Caller, Next};
use crate::carrier::contract::{Give, Problem};
use crate::sandbox::carrier::{NextTopUp, Request as ToCarrier};
use crate::sandbox::provider::records::Transport;
use crate::sandbox::{Refusal, Request, Sandbox};
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use laika_core::time::Instant;
use serde::Deserialize;
use serde_json::json;

pub(super) fn router() -> Router<Sandbox> {
    Router::new()
        .route("/carrier/v1/top-ups", post(top_up).get(find))
        .route("/carrier/v1/lines/{iccid}", get(balance))
        .route("/carrier/v1/statement", get(statement))
        .route("/carrier/v1/lines/{iccid}/next-top-up", put(script))
}

async fn top_up(
    caller: Caller,
    State(sandbox): State<Sandbox>,
    give: Result<Json<Give>, JsonRejection>,
) -> Response {
    let Ok(Json(give)) = give else { return problem(400, "bad_request", "not a top-up") };
    let request = ToCarrier::TopUp { key: caller.key().unwrap_or_default(), give };
    let reply = sandbox.take(Request::Carrier(request), caller.now()).await;
    match (reply.transport, reply.answer) {
        (Transport::Normal, Err(refusal)) => refused(&refusal),
        (transport, answer) => super::carried(transport, answer).await,
    }
}

#[derive(Deserialize)]
struct ByKey {
    key: String,
}

async fn find(
    _: Caller,
    State(sandbox): State<Sandbox>,
    by: Result<Query<ByKey>, QueryRejection>,
) -> Response {
    let Ok(Query(ByKey { key })) = by else { return problem(400, "bad_request", "no key") };
    match sandbox.look(|state| state.carrier.find(&key).cloned()) {
        Some(top_up) => Json(top_up).into_response(),
        None => problem(404, "not_found", "nothing was given under this key"),
    }
}

async fn balance(
    caller: Caller,
    State(sandbox): State<Sandbox>,
    Path(iccid): Path<String>,
) -> Response {
    Json(sandbox.look_at(caller.now(), |state| {
        state.carrier.told_balance(&iccid, Instant::from_micros(state.now))
    }))
    .into_response()
}

#[derive(Deserialize)]
struct Period {
    from: Instant,
    until: Instant,
    after: Option<String>,
}

async fn statement(
    caller: Caller,
    State(sandbox): State<Sandbox>,
    period: Result<Query<Period>, QueryRejection>,
) -> Response {
    let Ok(Query(Period { from, until, after })) = period else {
        return problem(400, "bad_request", "from and until are instants");
    };
    if from > until {
        return problem(400, "bad_request", "from is after until");
    }
    let page = sandbox.look_at(caller.now(), |state| {
        let known = until.min(Instant::from_micros(state.now)).max(from);
        state.carrier.statement(from, known, after.as_deref())
    });
    Json(page).into_response()
}

async fn script(
    caller: Caller,
    State(sandbox): State<Sandbox>,
    Path(iccid): Path<String>,
    Json(Next { next }): Json<Next<NextTopUp>>,
) -> Response {
    caller.ask(&sandbox, Request::Carrier(ToCarrier::Script { iccid, next })).await
}

fn refused(refusal: &Refusal) -> Response {
    problem(refusal.status, &refusal.code, &refusal.detail)
}

fn problem(status: u16, code: &str, detail: &str) -> Response {
    let delivered = matches!(status, 404 | 410 | 422).then_some(false);
    let problem = Problem { code: code.to_owned(), detail: detail.to_owned(), delivered };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    let kind = [(header::CONTENT_TYPE, "application/problem+json")];
    (status, kind, json!(problem).to_string()).into_response()
}
