//! A purchase by hand: the same path as an automatic recharge, on the customer's own confirmation.
//!
//! Place in the flow: `api/recharges` -> one transaction -> the worker's loop. It counts under no
//! cap and needs no rule; it is charged only at the price that was on screen, and only once per
//! key.

use super::{advance::ring, kill_switch, open::open};
use crate::{
    Shared,
    error::{Error, Result},
    fault::Kept,
    secret::sha256_hex,
    store::{
        Tx, lines,
        lines::Line,
        payment_methods,
        recharges::{self, Request, Stored},
        rules::json,
    },
};
use axum::http::StatusCode;
use laika_core::{
    api::RechargeNow,
    decide::{Order, Unusable},
    rail::{Rail, Wallet},
    rule::Adds,
};

/// The most steps bought at once: a typing error beyond that.
const MOST_STEPS: u32 = 100;

/// Opens it, or finds what the same request opened before.
///
/// *Errors*: 404; 409 `idempotency_mismatch`, `stopped_by_operator`, `line_closed`,
/// `terms_changed`, `no_usable_method`; 422 `bad_steps`; 503 `clock_apart`.
pub async fn recharge_now(
    app: &Shared,
    account_id: &str,
    line_id: &str,
    key: &str,
    asked: &RechargeNow,
) -> Result<Stored> {
    let key = format!("{line_id}/{key}");
    let sha256 = sha256_hex(json(asked)?.as_bytes());
    let mut tx = app.store.write().await?;
    let line = lines::lock(&mut tx, account_id, line_id, app.clock.now()).await?;
    let line = line.ok_or_else(Error::not_found)?;
    // Why: the answer to a repeated request comes before anything that may have changed since.
    if let Some(before) = recharges::by_request(&mut tx, account_id, &key).await? {
        tx.rollback().await?;
        if before.request_sha256.as_deref() == Some(sha256.as_str()) {
            return Ok(before);
        }
        let words = "This Idempotency-Key was used for another purchase.";
        return Err(Error::conflict("idempotency_mismatch", words));
    }
    if app.clock.is_ahead(line.newest_at) {
        // Why: it would be charged once the clock has come as far, when nobody waits for it.
        let status = StatusCode::SERVICE_UNAVAILABLE;
        let words = "Charging is stopped at the moment. Nothing was charged.";
        return Err(Error::problem(status, "clock_apart", words));
    }
    let order = order(app, &mut tx, &line, asked).await?;
    let request = Request { key: &key, sha256: &sha256 };
    let id = open(&mut tx, &line, None, order, &[], None, Some(request)).await?;
    let opened = recharges::get(&mut tx, account_id, id.as_str()).await?;
    tx.commit_as(Kept::Purchase).await?;
    ring(app);
    opened.ok_or_else(|| Error::internal("an opened recharge is not there"))
}

/// What is bought, if the price on screen is the present one and the method can be charged.
async fn order(app: &Shared, tx: &mut Tx, line: &Line, asked: &RechargeNow) -> Result<Order> {
    if kill_switch::is_on(tx, line).await? {
        let words = "Charging is stopped at the moment. Nothing was charged.";
        return Err(Error::conflict("stopped_by_operator", words));
    }
    if line.closed {
        return Err(Error::conflict("line_closed", "This line is closed."));
    }
    if asked.steps == 0 || asked.steps > MOST_STEPS {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return Err(Error::problem(status, "bad_steps", "Buy between 1 and 100 steps at once."));
    }
    let changed = || {
        let words = "The price is not the one that was on screen. Nothing was charged.";
        Error::conflict("terms_changed", words)
    };
    let step = line.terms().step.ok_or_else(changed)?;
    let amount = step.price.checked_mul(i64::from(asked.steps)).ok_or_else(changed)?;
    let bytes = step.bytes.checked_mul(u64::from(asked.steps)).ok_or_else(changed)?;
    if amount != asked.amount {
        return Err(changed());
    }
    let (account, id) = (line.account_id.as_str(), asked.payment_method_id.as_str());
    let method = payment_methods::get(tx, account, id).await?.ok_or_else(Error::not_found)?;
    let now = line.newest_at;
    let facts = payment_methods::facts(tx, line, now).await?;
    let known = facts.iter().find(|facts| facts.id == method.id);
    // Why: a wallet without an agreement takes some currencies, and may be switched off by now.
    let taken = |wallet: &Wallet| wallet.code() == method.token;
    let offered =
        method.rail != Rail::OnSession || app.gateway()?.wallets(amount.currency).iter().any(taken);
    let forbidden =
        known.is_none_or(|facts| facts.unusable(now).is_some_and(Unusable::forbids_by_hand));
    if forbidden || !offered {
        let words = "This payment method cannot be charged. Choose another one.";
        return Err(Error::conflict("no_usable_method", words));
    }
    let adds = Adds::Data { bytes, steps: asked.steps, validity_days: step.validity_days };
    Ok(Order { amount, adds, payment_methods: vec![method.id], triggers: Vec::new() })
}
