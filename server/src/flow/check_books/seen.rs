//! What a statement has and our record has not: refunds that somebody gave at the gateway, and
//! what the carrier gave after all. They are heard like any other fact, so that the books say what
//! is so.

use crate::{
    Shared,
    error::Result,
    flow::{
        advance::advance,
        perform::delivered,
        returns::{attempt_of, hear},
    },
    store::lines::Line,
};
use laika_core::{
    bytes::Bytes,
    id::IdempotencyKey,
    money::Money,
    recharge::{Fact, Outcome, Recharge, Status},
    reconcile::{Decided, Decisions, Given, Payment, PaymentState, RefundState, Statement, TopUp},
    returns::{RefundStatus, ReturnFact},
    rule::Adds,
};

/// Takes in what the carrier gave of recharges whose money goes back, or went: it refused, and a
/// request that was on its way all that time came through later. The line has it, so the customer
/// sees it.
pub(super) async fn take_in_deliveries(
    app: &Shared,
    lines: &[Line],
    decisions: &Decisions,
    carrier: &Statement<TopUp>,
) -> Result<()> {
    for decided in &decisions.recharges {
        let recharge = &decided.recharge;
        let heard = recharge.facts.iter().any(|it| matches!(it.fact, Fact::Delivered { .. }));
        if heard || !matches!(recharge.status, Status::Refunding | Status::Refunded) {
            continue;
        }
        let key = IdempotencyKey::of_top_up(&recharge.id);
        let given = carrier.rows.iter().find(|it| it.key.as_ref() == Some(&key));
        // Why: something else than what was agreed is a case for a person.
        let Some(given) = given.filter(|it| it.given == agreed(recharge)) else { continue };
        let Some(line) = lines.iter().find(|line| line.id == recharge.line_id) else { continue };
        let fact = delivered(given.clone());
        advance(app, &line.account_id, &recharge.id, &fact, None).await?;
        tracing::warn!(recharge = %recharge.id, "the carrier delivered after all");
    }
    Ok(())
}

fn agreed(recharge: &Recharge) -> Given {
    match recharge.order.adds {
        Adds::Data { bytes, .. } => Given { bytes, credit: None },
        Adds::Credit(credit) => Given { bytes: Bytes::ZERO, credit: Some(credit) },
    }
}

/// Takes in what is new of these recharges' payments.
pub(super) async fn take_in(
    app: &Shared,
    lines: &[Line],
    decisions: &Decisions,
    gateway: &Statement<Payment>,
) -> Result<()> {
    for payment in gateway.rows.iter().filter(|row| !row.refunds.is_empty()) {
        let owner = decisions
            .recharges
            .iter()
            .find_map(|decided| Some((decided, attempt_of(&decided.recharge, &payment.id)?)));
        let Some((decided, attempt)) = owner else { continue };
        let recharge = &decided.recharge;
        let line = lines.iter().find(|line| line.id == recharge.line_id);
        let Some(line) = line.filter(|_| recharge.status.is_end()) else { continue };
        for fact in unheard(decided, attempt, payment) {
            let heard = hear(app, &line.account_id, &recharge.id, attempt, &fact, None).await?;
            if heard.changed {
                tracing::warn!(recharge = %recharge.id, "money was given back at the gateway");
            }
        }
    }
    Ok(())
}

/// The refunds that our record does not know, where they explain exactly what it lacks.
fn unheard(decided: &Decided, attempt: u32, payment: &Payment) -> Vec<ReturnFact> {
    let own = decided.recharge.attempt(attempt).and_then(|it| it.outcome.as_ref());
    let goes_back = decided.recharge.goes_back(attempt);
    let PaymentState::Captured { amount: captured, .. } = payment.state else { return Vec::new() };
    // Why: what the recharge itself gives back, it gives back whole and hears of by itself.
    if goes_back || matches!(own, Some(Outcome::Captured { refunded: true, .. })) {
        return Vec::new();
    }
    let known = decided.returns.iter().filter(|it| it.payment == payment.id);
    let known: Vec<_> = known.flat_map(|it| &it.refunds).collect();
    let done = known.iter().filter(|refund| refund.status == RefundStatus::Done);
    let ours_minor: i64 = done.map(|refund| refund.amount.amount_minor).sum();
    let theirs = payment.refunds.iter().filter(|refund| refund.state == RefundState::Done);
    let theirs_minor: i64 = theirs.clone().map(|refund| refund.amount_minor).sum();
    let is_known = |id: &str| known.iter().any(|refund| refund.refund.as_deref() == Some(id));
    let new: Vec<_> = theirs.filter(|refund| !is_known(&refund.id)).collect();
    let new_minor: i64 = new.iter().map(|refund| refund.amount_minor).sum();
    if new_minor != theirs_minor.saturating_sub(ours_minor) {
        return Vec::new();
    }
    let fact = |refund: &&laika_core::reconcile::Refund| ReturnFact::Refunded {
        key: None,
        refund: refund.id.clone(),
        amount: Money::new(refund.amount_minor, captured.currency),
    };
    new.iter().map(fact).collect()
}
