//! Money that goes back in the worlds of these tests: at the gateway, and in our record. What is
//! left of a payment is worked out here once more, without core.

use super::world::World;
use crate::cases::money;
use laika_core::bytes::Bytes;
use laika_core::id::RechargeId;
use laika_core::money::Money;
use laika_core::reconcile::{Decided, Dispute, Given, Payment, PaymentState, Refund, RefundState};
use laika_core::returns::{self, RefundReason, ReturnFact, Returns};
use laika_core::rule::Adds;
use laika_core::time::Instant;

/// Our record decides to give back, and hears that it is done.
pub(super) fn decides_to_give_back(
    decided: &mut Decided,
    attempt: u32,
    amount: Money,
    why: RefundReason,
    at: Instant,
) {
    let known = decided.returns.iter().position(|returns| returns.attempt == attempt);
    let returns = match known {
        Some(place) => decided.returns.remove(place),
        None => Returns::of(&decided.recharge, attempt).expect("a captured payment"),
    };
    let known = returns.refunds.len();
    let mut asked = returns::apply(returns, &ReturnFact::RefundAsked { amount, why }, at).returns;
    // Our record may know of no room for it: then it is the gateway alone that tells.
    if let Some(refund) = asked.refunds.get(known) {
        let key = refund.idempotency_key.clone();
        let done = ReturnFact::Refunded { key, refund: format!("f{}", refund.number), amount };
        asked = returns::apply(asked, &done, at).returns;
    }
    decided.returns.push(asked);
}

/// Our record hears of something that it did not decide.
pub(super) fn hears(decided: &mut Decided, fact: &ReturnFact, at: Instant) {
    let kept = decided.recharge.kept_capture().map_or(0, |attempt| attempt.number);
    let known = decided.returns.iter().position(|returns| returns.attempt == kept);
    let returns = match known {
        Some(place) => decided.returns.remove(place),
        None => Returns::of(&decided.recharge, kept).expect("a captured payment"),
    };
    decided.returns.push(returns::apply(returns, fact, at).returns);
}

pub(super) fn given(adds: Adds) -> Given {
    match adds {
        Adds::Data { bytes, .. } => Given { bytes, credit: None },
        Adds::Credit(credit) => Given { bytes: Bytes::ZERO, credit: Some(credit) },
    }
}

/// A dispute whose money came back.
pub(super) fn won(payment: &str, changed_at: Instant) -> Dispute {
    let id = format!("d-{payment}");
    Dispute { id, open: false, withdrawn_minor: 500, reinstated_minor: 500, changed_at }
}

/// Gives back all that is left of a payment, in so many parts.
pub(super) fn give_back(row: &mut Payment, parts: i64, changed_at: Instant) {
    let mut left_minor = kept(row).amount_minor;
    for part in 1..=parts {
        let id = format!("f-{}-{}", row.id, row.refunds.len());
        let amount_minor = if part == parts { left_minor } else { left_minor / parts };
        left_minor -= amount_minor;
        row.refunds.push(Refund { id, amount_minor, state: RefundState::Done, changed_at });
    }
}

/// What is left of a payment: worked out here once more, without core.
pub(super) fn kept(row: &Payment) -> Money {
    let PaymentState::Captured { amount, .. } = row.state else { return money("0.00") };
    let done = row.refunds.iter().filter(|refund| refund.state == RefundState::Done);
    let refunded: i64 = done.map(|refund| refund.amount_minor).sum();
    let disputed: i64 = row.disputes.iter().map(|d| d.withdrawn_minor - d.reinstated_minor).sum();
    Money::new(amount.amount_minor - refunded - disputed, amount.currency)
}

/// The recharge that a key's payment is of.
pub(super) fn recharge_of(world: &World, payment: &Payment) -> Option<RechargeId> {
    let key = payment.key.as_ref()?;
    let of = |d: &&Decided| d.recharge.attempts.iter().any(|a| a.idempotency_key == *key);
    world.decisions.recharges.iter().find(of).map(|d| d.recharge.id.clone())
}
