//! Handing out what was paid for, or the money back: the carrier is asked for an hour, and a refund
//! follows only when it definitely did not deliver.

use super::{Effect, Grant, News, Outcome, Phase, Status, Step, next_look_up};
use crate::decide::Suspension;
use crate::id::BucketId;
use crate::ledger::{Book, Posting};
use crate::rule::Adds;
use crate::time::{Instant, Span};

/// How long the carrier is asked again.
const RETRY_FOR: Span = Span::hours(1);

/// The carrier delivered: the line gets it, the money is earned.
pub(super) fn delivered(step: &mut Step, now: Instant) -> bool {
    if step.recharge.status.phase() != Phase::Paid {
        return false;
    }
    let amount = step.recharge.order.amount;
    let adds = step.recharge.order.adds;
    let expires_at = match adds {
        Adds::Data { bytes, validity_days, .. } => {
            step.postings.push(Posting::bytes(Book::Carrier, Book::LineData, bytes));
            step.postings.push(Posting::money(Book::Prepaid, Book::Sales, amount));
            Some(now.plus(Span::days(i64::from(validity_days))))
        }
        Adds::Credit(credit) => {
            step.postings.push(Posting::money(Book::Prepaid, Book::LineCredit, credit));
            None
        }
    };
    let bucket_id = BucketId::of_recharge(&step.recharge.id);
    step.grant = Some(Grant { bucket_id, adds, expires_at });
    step.recharge.status = Status::Done;
    step.tell(now, News::Recharged);
    step.then(now, Effect::Evaluate);
    true
}

/// The carrier definitely did not deliver: again within the hour, then the money back.
pub(super) fn not_delivered(step: &mut Step, now: Instant) -> bool {
    let Some(paid_at) = waiting_since(step) else { return false };
    step.recharge.deliveries = step.recharge.deliveries.saturating_add(1);
    if now.since(paid_at) < RETRY_FOR {
        // Why: after no answer this is the first that is heard; it can be asked again at once.
        // After a refusal it waits a little.
        let unheard = step.recharge.status == Status::DeliveryUnknown;
        step.recharge.status = Status::Delivering;
        let later = next_look_up(paid_at, now).min(paid_at.plus(RETRY_FOR));
        let at = if unheard { now } else { later };
        step.then(at, Effect::TopUp);
        return true;
    }
    let kept = step.recharge.kept_capture().map_or(0, |a| a.number);
    if step.recharge.automatic() {
        step.then(now, Effect::Suspend { why: Suspension::NotDelivered });
    }
    give_back(step, kept, now);
    true
}

/// The carrier was asked and did not answer: look, then ask again under the same key.
pub(super) fn unanswered(step: &mut Step, now: Instant) -> bool {
    let Some(paid_at) = waiting_since(step) else { return false };
    let fresh = step.recharge.status != Status::DeliveryUnknown;
    step.recharge.status = Status::DeliveryUnknown;
    step.then(next_look_up(paid_at, now), Effect::LookUpTopUp);
    fresh
}

/// The money goes back in full.
pub(super) fn give_back(step: &mut Step, attempt: u32, now: Instant) {
    step.recharge.status = Status::Refunding;
    step.tell(now, News::Refunding);
    step.then(now, Effect::Refund { attempt });
}

/// The money is back.
pub(super) fn refunded(step: &mut Step, number: u32, now: Instant) -> bool {
    let Some(attempt) = step.recharge.attempt_mut(number) else { return false };
    let Some(Outcome::Captured { amount, refunded, .. }) = &mut attempt.outcome else {
        return false;
    };
    if *refunded {
        return false;
    }
    *refunded = true;
    let amount = *amount;
    step.postings.push(Posting::money(Book::Prepaid, Book::Customer, amount));
    // Why: the refund of another attempt's late capture says nothing about this one.
    if step.recharge.status == Status::Refunding && step.recharge.kept_capture().is_none() {
        step.recharge.status = Status::Refunded;
        step.then(now, Effect::Evaluate);
    }
    step.tell(now, News::Refunded);
    true
}

/// The refund was asked for and not answered: again, under the same key.
pub(super) fn refund_unanswered(step: &mut Step, number: u32, now: Instant) -> bool {
    let open = step
        .recharge
        .attempt(number)
        .is_some_and(|a| matches!(a.outcome, Some(Outcome::Captured { refunded: false, .. })));
    if open {
        step.then(now.plus(Span::minutes(5)), Effect::Refund { attempt: number });
    }
    false
}

/// Since when the customer waits for the delivery; nothing when it is not waited for.
fn waiting_since(step: &Step) -> Option<Instant> {
    let waits = step.recharge.status.phase() == Phase::Paid;
    step.recharge.paid_at.filter(|_| waits)
}
