//! Handing out what was paid for, or the money back: the carrier is asked for an hour, and a refund
//! follows only when it definitely did not deliver.

use super::{
    Effect, Fact, Grant, NOT_FOUND_APART, News, Outcome, Phase, Status, Step, next_look_up,
};
use crate::decide::Suspension;
use crate::id::BucketId;
use crate::ledger::{Book, Posting};
use crate::rule::Adds;
use crate::time::{Instant, Span};

/// How long the carrier is asked again.
const RETRY_FOR: Span = Span::hours(1);

/// The carrier delivered: the line gets it, the money is earned. Where the money goes back already
/// the line gets it all the same, as the carrier gave it, and nothing is charged for it later.
pub(super) fn delivered(step: &mut Step, at: Option<Instant>, now: Instant) -> bool {
    let status = step.recharge.status;
    let mut facts = step.recharge.facts.iter();
    let again = facts.any(|seen| matches!(seen.fact, Fact::Delivered { .. }));
    let paid = status.phase() == Phase::Paid;
    if again || !(paid || matches!(status, Status::Refunding | Status::Refunded)) {
        return false;
    }
    let from = if paid { Book::Prepaid } else { Book::Sales };
    let (amount, adds) = (step.recharge.order.amount, step.recharge.order.adds);
    let expires_at = match adds {
        Adds::Data { bytes, validity_days, .. } => {
            step.postings.push(Posting::bytes(Book::Carrier, Book::LineData, bytes));
            if paid {
                step.postings.push(Posting::money(Book::Prepaid, Book::Sales, amount));
            }
            // Why: for the carrier the data is valid from when it gave it, whenever that is heard.
            // Its clock may be wrong; it gave nothing before it was asked, and nothing yet to come.
            let asked_at = step.recharge.paid_at.unwrap_or(now);
            let given_at = at.map_or(now, |at| at.max(asked_at).min(now));
            Some(given_at.plus(Span::days(i64::from(validity_days))))
        }
        Adds::Credit(credit) => {
            step.postings.push(Posting::money(from, Book::LineCredit, credit));
            None
        }
    };
    let bucket_id = BucketId::of_recharge(&step.recharge.id);
    step.grant = Some(Grant { bucket_id, adds, expires_at });
    if paid {
        step.recharge.status = Status::Done;
    }
    step.tell(now, if paid { News::Recharged } else { News::DeliveredAfterAll });
    step.then(now, Effect::Evaluate);
    true
}

/// The carrier definitely did not deliver: again within the hour, then the money back.
pub(super) fn not_delivered(step: &mut Step, now: Instant) -> bool {
    let Some(paid_at) = waiting_since(step) else { return false };
    if now.since(paid_at) < RETRY_FOR {
        // Why: after no answer this is the first that is heard; it can be asked again at once.
        // After a refusal it waits a little.
        let unheard = step.recharge.status == Status::DeliveryUnknown;
        let later = next_look_up(paid_at, now).min(paid_at.plus(RETRY_FOR));
        let at = if unheard { now } else { later };
        return ask_again(step, &Fact::NotDelivered, at);
    }
    undeliverable(step, now)
}

/// The carrier has nothing under the key. Within the hour it is asked again, under the same key;
/// then nothing counts as a definite no only twice, an hour apart.
pub(super) fn not_found(step: &mut Step, now: Instant) -> bool {
    let Some(paid_at) = waiting_since(step) else { return false };
    if now.since(paid_at) < RETRY_FOR {
        return ask_again(step, &Fact::TopUpNotFound, now);
    }
    match step.recharge.top_up_not_found_at {
        Some(before) if now.since(before) >= NOT_FOUND_APART => undeliverable(step, now),
        before => {
            let first = before.unwrap_or(now);
            let news = before.is_none() || step.recharge.status != Status::DeliveryUnknown;
            step.recharge.status = Status::DeliveryUnknown;
            step.recharge.top_up_not_found_at = Some(first);
            step.then(first.plus(NOT_FOUND_APART), Effect::LookUpTopUp);
            news
        }
    }
}

/// Asks the carrier again, under the same key.
fn ask_again(step: &mut Step, heard: &Fact, at: Instant) -> bool {
    let news = step.recharge.status != Status::Delivering || !step.recharge.heard_last(heard);
    step.recharge.status = Status::Delivering;
    step.then(at, Effect::TopUp);
    news
}

/// It cannot be had: the rule waits for the customer, the money goes back.
fn undeliverable(step: &mut Step, now: Instant) -> bool {
    let kept = step.recharge.kept_capture().map_or(0, |a| a.number);
    if step.recharge.automatic() {
        step.then(now, Effect::Suspend { why: Suspension::NotDelivered });
    }
    step.recharge.status = Status::Refunding;
    give_back(step, kept, News::Refunding, now);
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

/// A capture goes back in full.
pub(super) fn give_back(step: &mut Step, attempt: u32, news: News, now: Instant) {
    step.tell(now, news);
    step.then(now, Effect::Refund { attempt });
}

/// The money is back.
pub(super) fn refunded(step: &mut Step, number: u32, now: Instant) -> bool {
    if !step.recharge.goes_back(number) {
        return false;
    }
    let Some(attempt) = step.recharge.attempt_mut(number) else { return false };
    let Some(Outcome::Captured { amount, refunded, .. }) = &mut attempt.outcome else {
        return false;
    };
    *refunded = true;
    let amount = *amount;
    step.postings.push(Posting::money(Book::Prepaid, Book::Customer, amount));
    step.tell(now, News::Refunded { amount });
    // Why: it is over once all of it is back, the captures of other attempts too.
    let open = step.recharge.attempts.iter().any(|a| step.recharge.goes_back(a.number));
    if step.recharge.status == Status::Refunding && !open {
        step.recharge.status = Status::Refunded;
        step.then(now, Effect::Evaluate);
    }
    true
}

/// The refund was asked for and not answered: again, under the same key.
pub(super) fn refund_unanswered(step: &mut Step, number: u32, now: Instant) -> bool {
    if step.recharge.goes_back(number) {
        step.then(now.plus(Span::minutes(5)), Effect::Refund { attempt: number });
    }
    false
}

/// Since when the customer waits for the delivery; nothing when it is not waited for.
fn waiting_since(step: &Step) -> Option<Instant> {
    let waits = step.recharge.status.phase() == Phase::Paid;
    step.recharge.paid_at.filter(|_| waits)
}
