//! Recharges: the history of a line, one bought by hand, and why each was charged or not.

use super::extract::{Body, RequestKey, SignedIn};
use crate::{
    Shared,
    error::{Error, Result},
    flow::recharge_now::recharge_now,
    store::{
        lines,
        recharges::{self, Stored},
        rules::from_json,
    },
};
use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use laika_core::{
    api::{Check, RechargeNow, RechargeView},
    recharge::{Outcome, Status},
    record::DecisionRecord,
};

/// `GET /lines/{id}/recharges`: the newest first.
pub async fn list(
    State(app): State<Shared>,
    session: SignedIn,
    Path(line_id): Path<String>,
) -> Result<Json<Vec<RechargeView>>> {
    let mut snapshot = app.store.read().await?;
    let line = lines::get(&mut snapshot, session.account(), &line_id).await?;
    let line = line.ok_or_else(Error::not_found)?;
    let all = recharges::of_line(&mut snapshot, session.account(), line.id.as_str()).await?;
    Ok(Json(all.into_iter().map(view).collect()))
}

/// `POST /lines/{id}/recharges`, with an `Idempotency-Key`: bought by hand.
pub async fn buy(
    State(app): State<Shared>,
    session: SignedIn,
    Path(line_id): Path<String>,
    RequestKey(key): RequestKey,
    Body(asked): Body<RechargeNow>,
) -> Result<(StatusCode, Json<RechargeView>)> {
    let stored = recharge_now(&app, session.account(), &line_id, &key, &asked).await?;
    Ok((StatusCode::CREATED, Json(view(stored))))
}

/// `GET /recharges/{id}/record`: the decision that justifies it; 404 where a hand bought it.
pub async fn record(
    State(app): State<Shared>,
    session: SignedIn,
    Path(id): Path<String>,
) -> Result<Json<DecisionRecord>> {
    let mut snapshot = app.store.read().await?;
    let record = recharges::record(&mut snapshot, session.account(), &id).await?;
    Ok(Json(from_json(&record.ok_or_else(Error::not_found)?)?))
}

/// Expected, charged and credited, side by side, each from its own source.
fn view(stored: Stored) -> RechargeView {
    let recharge = stored.recharge;
    let charged = recharge.kept_capture().and_then(|attempt| match attempt.outcome {
        Some(Outcome::Captured { amount, .. }) => Some(amount),
        _ => None,
    });
    let credited = recharge.status == Status::Done && stored.after.is_some();
    let check = Check {
        expected: recharge.order.amount,
        charged,
        credited: credited.then_some(recharge.order.adds),
    };
    RechargeView { check, balance_before: stored.before, balance_after: stored.after, recharge }
}
