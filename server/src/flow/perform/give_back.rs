//! A refund after a recharge's end is sent, under its own derived key: the first time or again.

use super::{Next, soon};
use crate::{
    Shared,
    error::Result,
    fault::{self, Point},
    flow::returns::hear,
    gateway::Failure,
    store::{jobs::Claimed, returns},
};
use laika_core::{
    id::{IdempotencyKey, RechargeId},
    returns::{Refund, RefundStatus, ReturnFact, Returns},
    time::Span,
};

/// Gateways forget keys after 24 h; so long after it was asked for, the payment itself is asked
/// whether the money is back. *Source*: rules.md, "Unknown".
const RESEND_WITHIN: Span = Span::hours(20);

/// Sends the refund of this number of an attempt's payment, if it is still to be sent.
pub(super) async fn give_back(
    app: &Shared,
    job: &Claimed,
    recharge_id: &RechargeId,
    attempt: u32,
    number: u32,
) -> Result<Next> {
    let account = job.account_id.as_str();
    let kept = {
        let mut snapshot = app.store.read().await?;
        returns::get(&mut snapshot, account, recharge_id.as_str(), attempt).await?
    };
    let Some(run) = kept.map(|kept| kept.returns) else { return Ok(Next::Nothing) };
    let Some((refund, key)) = to_send(&run, number) else { return Ok(Next::Nothing) };
    let fact = match send(app, job, &run, refund, key).await? {
        Some(fact) => fact,
        None => return Ok(soon(job)),
    };
    hear(app, &job.account_id, recharge_id, attempt, &fact, Some(job)).await?;
    Ok(Next::Written)
}

/// A refund that was asked for here and has not ended, with its key.
fn to_send(run: &Returns, number: u32) -> Option<(&Refund, &IdempotencyKey)> {
    let refund = run.refunds.iter().find(|refund| refund.number == number)?;
    match refund.status {
        RefundStatus::Asked | RefundStatus::Unknown => {
            refund.idempotency_key.as_ref().map(|key| (refund, key))
        }
        RefundStatus::Done | RefundStatus::Failed => None,
    }
}

/// What was heard; nothing when it cannot be sent yet.
async fn send(
    app: &Shared,
    job: &Claimed,
    run: &Returns,
    refund: &Refund,
    key: &IdempotencyKey,
) -> Result<Option<ReturnFact>> {
    let gateway = app.gateway()?;
    let amount = refund.amount;
    let done = |name: String| ReturnFact::Refunded { key: Some(key.clone()), refund: name, amount };
    if app.clock.now().since(refund.since) >= RESEND_WITHIN {
        let Ok(payment) = gateway.payment(&run.payment).await else { return Ok(None) };
        if payment.refunded_minor >= returned_minor(run).saturating_add(amount.amount_minor) {
            return Ok(Some(done(key.to_string())));
        }
    }
    let answer = gateway.refund(key, &run.payment, amount).await;
    fault::at(Point::RefundAnswered)?;
    Ok(Some(match answer {
        Ok(name) => done(name),
        Err(Failure::Unknown(no)) if no.never_sent && job.attempts < super::TRIES => {
            return Ok(None);
        }
        Err(Failure::Unknown(no)) => {
            let number = refund.number;
            tracing::warn!(recharge = %run.recharge_id, number, why = no.why, "refund unanswered");
            ReturnFact::RefundUnanswered { number }
        }
        Err(Failure::Refused { code }) => ReturnFact::RefundFailed { number: refund.number, code },
    }))
}

/// What our record has given back of the payment so far, in minor units.
fn returned_minor(run: &Returns) -> i64 {
    let done = run.refunds.iter().filter(|refund| refund.status == RefundStatus::Done);
    done.map(|refund| refund.amount.amount_minor)
        .fold(run.returned_before_minor, i64::saturating_add)
}
