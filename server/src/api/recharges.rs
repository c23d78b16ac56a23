//! Recharges: the history of a line, one bought by hand, and why each was charged or not.

use super::extract::{Body, RequestKey, SignedIn};
use crate::{
    Shared,
    error::{Error, Result},
    flow::recharge_now::recharge_now,
    store::{
        lines,
        recharges::{self, Stored},
        returns,
        rules::from_json,
    },
};
use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use laika_core::{
    api::{Check, RechargeNow, RechargeView, Returned},
    money::Money,
    recharge::{Outcome, Status},
    record::DecisionRecord,
    returns::Returns,
};

/// `GET /lines/{id}/recharges`: its history, the newest first.
pub async fn list(
    State(app): State<Shared>,
    session: SignedIn,
    Path(line_id): Path<String>,
) -> Result<Json<Vec<RechargeView>>> {
    let mut snapshot = app.store.read().await?;
    let line = lines::get(&mut snapshot, session.account(), &line_id).await?;
    let line = line.ok_or_else(Error::not_found)?;
    let all = recharges::of_line(&mut snapshot, session.account(), line.id.as_str()).await?;
    let returned = returns::of_lines(&mut snapshot, &[&line]).await?.pop().unwrap_or_default();
    Ok(Json(all.into_iter().map(|stored| view(stored, &returned)).collect()))
}

/// `POST /lines/{id}/recharges`: buys by hand.
pub async fn buy(
    State(app): State<Shared>,
    session: SignedIn,
    Path(line_id): Path<String>,
    RequestKey(key): RequestKey,
    Body(asked): Body<RechargeNow>,
) -> Result<(StatusCode, Json<RechargeView>)> {
    let stored = recharge_now(&app, session.account(), &line_id, &key, &asked).await?;
    Ok((StatusCode::CREATED, Json(view(stored, &[]))))
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

/// Expected, charged and credited, side by side, each from its own source; of what was charged,
/// what is kept. `returned` is what went back of any recharge of the line.
fn view(stored: Stored, returned: &[returns::Stored]) -> RechargeView {
    let recharge = stored.recharge;
    let mine = || returned.iter().map(|it| &it.returns).filter(|it| it.recharge_id == recharge.id);
    let charged = recharge.kept_capture().and_then(|attempt| match attempt.outcome {
        Some(Outcome::Captured { amount, .. }) => {
            // Why not while it goes back: it is not back yet, whatever a bank does beside it.
            let back = mine().find(|it| it.attempt == attempt.number);
            let back = back.filter(|_| !recharge.goes_back(attempt.number));
            let kept_minor = back.map_or(amount.amount_minor, Returns::kept_minor);
            (kept_minor > 0).then_some(Money::new(kept_minor, amount.currency))
        }
        _ => None,
    });
    let mut lines: Vec<Returned> = mine().flat_map(Returned::of).collect();
    lines.sort_by_key(|line| line.at);
    let credited = recharge.status == Status::Done && stored.after.is_some();
    let check = Check {
        expected: recharge.order.amount,
        charged,
        credited: credited.then_some(recharge.order.adds),
    };
    RechargeView {
        check,
        balance_before: stored.before,
        balance_after: stored.after,
        returned: lines,
        recharge,
    }
}
