//! Taking the money: attempts, declines and their ladder, authentication, no answer, stops. The
//! next attempt starts only when the last has definitely failed and can no longer capture.

use super::{
    Attempt, Effect, Fact, News, Outcome, Phase, Recharge, Status, Step, delivery, next_look_up,
};
use crate::decide::Suspension;
use crate::id::{IdempotencyKey, PaymentMethodId};
use crate::ledger::{Book, Posting};
use crate::money::Money;
use crate::time::{Instant, Span};

/// Rounds over all methods: at once, then so long after the first decline.
const RUNGS: [Span; 4] = [Span::hours(0), Span::hours(1), Span::hours(2), Span::hours(4)];
/// How long a link for the customer lives.
const LINK_LIVES: Span = Span::hours(24);
/// "Not found" counts only this long after the last submission.
const NOT_FOUND_AFTER: Span = Span::hours(24);
/// Two looks that found nothing must lie this far apart to count.
const NOT_FOUND_APART: Span = Span::hours(1);
/// From so long without an answer on, the gateway is asked to cancel.
const CANCEL_AFTER: Span = Span::hours(2);

/// Plans the next attempt: the next method of this round, or the first of the next rung.
/// Returns whether there is one.
pub(super) fn plan_next(step: &mut Step, now: Instant) -> bool {
    let recharge = &step.recharge;
    if recharge.stopped {
        return false;
    }
    let rung = recharge.attempts.last().map_or(0, |a| a.rung);
    let same = next_method(recharge, rung).map(|method| (method, rung, now));
    let Some((payment_method_id, rung, at)) = same.or_else(|| next_rung(recharge, rung, now))
    else {
        return false;
    };
    let number = recharge.attempts.last().map_or(0, |a| a.number).saturating_add(1);
    let attempt = Attempt {
        number,
        payment_method_id,
        rung,
        idempotency_key: IdempotencyKey::of_attempt(&recharge.id, number),
        submitted_at: None,
        last_submitted_at: None,
        not_found_at: None,
        outcome: None,
    };
    step.recharge.attempts.push(attempt);
    step.then(at, Effect::Charge { attempt: number });
    true
}

/// The first method in order that this round has not tried and no hard decline has ended.
fn next_method(recharge: &Recharge, rung: u32) -> Option<PaymentMethodId> {
    let spent = |id: &PaymentMethodId| {
        recharge.attempts.iter().any(|a| {
            a.payment_method_id == *id
                && (a.rung == rung
                    || matches!(a.outcome, Some(Outcome::Declined { hard: true, .. })))
        })
    };
    recharge.order.payment_methods.iter().find(|id| !spent(id)).cloned()
}

/// The next rung of the ladder. A purchase by hand has none: the customer is there to decide.
fn next_rung(
    recharge: &Recharge,
    rung: u32,
    now: Instant,
) -> Option<(PaymentMethodId, u32, Instant)> {
    if !recharge.automatic() {
        return None;
    }
    let next = rung.saturating_add(1);
    let wait = RUNGS.get(usize::try_from(next).ok()?)?;
    let declines = recharge.facts.iter().filter(|s| matches!(s.fact, Fact::Declined { .. }));
    let first_decline = declines.map(|seen| seen.at).next();
    let at = first_decline.unwrap_or(now).plus(*wait).max(now);
    next_method(recharge, next).map(|method| (method, next, at))
}

/// An attempt is about to be sent, for the first time or again under the same key.
pub(super) fn submitted(step: &mut Step, number: u32, now: Instant) -> bool {
    let status = step.recharge.status;
    let sendable = match status.phase() {
        Phase::Unsent => true,
        Phase::Sent => status != Status::NeedsCustomer,
        Phase::Paid | Phase::Refunding | Phase::Ended => false,
    };
    let stopped = step.recharge.stopped;
    let Some(attempt) = step.recharge.attempt_mut(number) else { return false };
    if !sendable || stopped || attempt.outcome.is_some() || !attempt.may_be_sent(now) {
        return false;
    }
    attempt.submitted_at.get_or_insert(now);
    attempt.last_submitted_at = Some(now);
    if status != Status::Unknown {
        step.recharge.status = Status::Charging;
        step.recharge.reserved_at = now;
    }
    // Why: should this process die before it has an answer, the look-up finds out.
    step.then(next_look_up(now, now), Effect::LookUpPayment { attempt: number });
    true
}

/// Decided again before sending, and the answer was no.
pub(super) fn withdrawn(step: &mut Step, number: u32, now: Instant) -> bool {
    match step.recharge.status.phase() {
        Phase::Unsent => end(step, Status::Cancelled, now),
        Phase::Sent if step.recharge.stopped => false,
        Phase::Sent => {
            // Why: it may have been charged already; from here on only look-up and cancel.
            step.recharge.stopped = true;
            step.then(now, Effect::CancelPayment { attempt: number });
            true
        }
        Phase::Paid | Phase::Refunding | Phase::Ended => false,
    }
}

/// The money was taken. Kept once, and only if it is exactly what was asked.
pub(super) fn captured(
    step: &mut Step,
    number: u32,
    payment: &str,
    amount: Money,
    now: Instant,
) -> bool {
    let asked = step.recharge.order.amount;
    let ended = step.recharge.status.is_end();
    let paid = step.recharge.kept_capture().is_some() || step.recharge.paid_at.is_some();
    let Some(attempt) = step.recharge.attempt_mut(number) else { return false };
    if matches!(attempt.outcome, Some(Outcome::Captured { .. })) {
        return false;
    }
    attempt.outcome =
        Some(Outcome::Captured { payment: payment.to_owned(), amount, refunded: false });
    step.postings.push(Posting::money(Book::Customer, Book::Prepaid, amount));
    if ended || paid {
        // Why: the recharge is over or has its money; this capture can only go back, in full.
        step.then(now, Effect::Refund { attempt: number });
        return true;
    }
    step.recharge.paid_at = Some(now);
    if amount != asked {
        delivery::give_back(step, number, now);
        return true;
    }
    step.recharge.status = Status::Paid;
    step.then(now, Effect::TopUp);
    true
}

/// The bank said no. The customer hears at the first decline.
pub(super) fn declined(step: &mut Step, number: u32, code: &str, hard: bool, now: Instant) -> bool {
    let first =
        !step.recharge.attempts.iter().any(|a| matches!(a.outcome, Some(Outcome::Declined { .. })));
    let outcome = Outcome::Declined { code: code.to_owned(), hard };
    let Some(method) = close(step, number, outcome) else { return false };
    if hard && step.recharge.automatic() {
        step.then(now, Effect::Bar { payment_method_id: method });
    }
    if step.recharge.paid_at.is_some() {
        // Why: an earlier attempt turned out to have the money; this one is only closed.
        return true;
    }
    step.recharge.status = Status::Declined;
    // Why: `next_rung` counts from the first decline, which is this fact; it is not recorded yet,
    // so `now` stands for it.
    let next = plan_next(step, now);
    let mut charges = step.effects.iter().filter(|d| matches!(d.effect, Effect::Charge { .. }));
    let next_try_at = charges.next().map(|due| due.at);
    if first {
        step.tell(now, News::Declined { next_try_at });
    }
    if !next {
        suspend_unless_stopped(step, Suspension::Declined, now);
        end(step, Status::Failed, now);
    }
    true
}

/// The bank wants the customer: another method if there is one, otherwise a link for 24 h.
pub(super) fn action_required(
    step: &mut Step,
    number: u32,
    payment: &str,
    url: &str,
    now: Instant,
) -> bool {
    let others = {
        let rung = step.recharge.attempt(number).map_or(0, |a| a.rung);
        step.recharge.automatic() && next_method(&step.recharge, rung).is_some()
    };
    let stopped = step.recharge.stopped;
    let until = now.plus(LINK_LIVES);
    let waiting = matches!(step.recharge.status, Status::Charging | Status::Unknown);
    let Some(attempt) = step.recharge.attempt_mut(number) else { return false };
    if attempt.outcome.is_some() || !waiting {
        return false;
    }
    let outcome =
        Outcome::ActionRequired { payment: payment.to_owned(), url: url.to_owned(), until };
    attempt.outcome = Some(outcome);
    if others || stopped {
        step.recharge.status = Status::Charging;
        step.then(now, Effect::CancelPayment { attempt: number });
    } else {
        step.recharge.status = Status::NeedsCustomer;
        step.tell(now, News::CustomerNeeded { url: url.to_owned(), until });
        step.then(until, Effect::CancelPayment { attempt: number });
    }
    true
}

/// Sent, and no usable answer: look, never charge anew.
pub(super) fn unanswered(step: &mut Step, number: u32, now: Instant) -> bool {
    let Some(attempt) = step.recharge.attempt(number) else { return false };
    if attempt.outcome.is_some() || step.recharge.status.is_end() {
        return false;
    }
    let since = attempt.submitted_at.unwrap_or(now);
    // Why: once an attempt has the money, another that is not answered is only looked up.
    let fresh = step.recharge.paid_at.is_none() && step.recharge.status != Status::Unknown;
    if fresh {
        step.recharge.status = Status::Unknown;
        step.tell(now, News::Unknown);
    }
    let at = next_look_up(since, now);
    step.then(at, Effect::LookUpPayment { attempt: number });
    if now.since(since) >= CANCEL_AFTER {
        step.then(now, Effect::CancelPayment { attempt: number });
    }
    fresh
}

/// The gateway has nothing: send again under the same key while that is safe, otherwise wait until
/// "not found" counts, twice, an hour apart.
pub(super) fn not_found(step: &mut Step, number: u32, now: Instant) -> bool {
    let stopped = step.recharge.stopped;
    let waiting = matches!(step.recharge.status, Status::Charging | Status::Unknown);
    let Some(attempt) = step.recharge.attempt_mut(number) else { return false };
    let (Some(first), Some(last)) = (attempt.submitted_at, attempt.last_submitted_at) else {
        return false;
    };
    if attempt.outcome.is_some() || !waiting {
        return false;
    }
    if !stopped && attempt.may_be_sent(now) {
        step.recharge.status = Status::Unknown;
        step.then(now, Effect::Charge { attempt: number });
        return true;
    }
    let counts = now.since(last) >= NOT_FOUND_AFTER;
    match attempt.not_found_at {
        Some(before) if counts && now.since(before) >= NOT_FOUND_APART => {
            attempt.outcome = Some(Outcome::NeverArrived);
            end(step, Status::Failed, now);
        }
        before => {
            if counts && before.is_none() {
                attempt.not_found_at = Some(now);
            }
            step.recharge.status = Status::Unknown;
            step.then(next_look_up(first, now), Effect::LookUpPayment { attempt: number });
        }
    }
    true
}

/// The payment can no longer capture: a definite failure.
pub(super) fn cancelled(step: &mut Step, number: u32, now: Instant) -> bool {
    let ignored = step.recharge.status == Status::NeedsCustomer;
    let ended = step.recharge.status.is_end();
    let Some(attempt) = step.recharge.attempt_mut(number) else { return false };
    let open = matches!(attempt.outcome, None | Some(Outcome::ActionRequired { .. }));
    if !open || ended {
        return false;
    }
    attempt.outcome = Some(Outcome::Cancelled);
    if step.recharge.paid_at.is_some() {
        return true;
    }
    if !ignored && plan_next(step, now) {
        step.recharge.status = Status::Declined;
        return true;
    }
    if ignored {
        suspend_unless_stopped(step, Suspension::CustomerNeeded, now);
    }
    let end_as = if step.recharge.stopped { Status::Cancelled } else { Status::Failed };
    end(step, end_as, now)
}

/// Off, paused or without its method: what was not sent is never sent.
pub(super) fn stopped(step: &mut Step, now: Instant) -> bool {
    if step.recharge.stopped {
        return false;
    }
    let last = step.recharge.attempts.last().map_or(0, |a| a.number);
    match step.recharge.status.phase() {
        Phase::Unsent => {
            step.recharge.stopped = true;
            end(step, Status::Cancelled, now)
        }
        Phase::Sent => {
            step.recharge.stopped = true;
            step.then(now, Effect::CancelPayment { attempt: last });
            true
        }
        Phase::Paid | Phase::Refunding | Phase::Ended => false,
    }
}

/// Gives an attempt its definite failure; nothing when it had an end already.
fn close(step: &mut Step, number: u32, outcome: Outcome) -> Option<PaymentMethodId> {
    if step.recharge.status.is_end() {
        return None;
    }
    let attempt = step.recharge.attempt_mut(number)?;
    match attempt.outcome {
        None | Some(Outcome::ActionRequired { .. }) => {}
        Some(
            Outcome::Captured { .. }
            | Outcome::Declined { .. }
            | Outcome::Cancelled
            | Outcome::NeverArrived,
        ) => return None,
    }
    attempt.outcome = Some(outcome);
    Some(attempt.payment_method_id.clone())
}

/// A rule whose money could not be taken waits for the customer; a purchase by hand or a stopped
/// recharge suspends nothing.
fn suspend_unless_stopped(step: &mut Step, why: Suspension, now: Instant) {
    if step.recharge.automatic() && !step.recharge.stopped {
        step.then(now, Effect::Suspend { why });
    }
}

/// Ends without a charge and looks at the line again.
fn end(step: &mut Step, status: Status, now: Instant) -> bool {
    step.recharge.status = status;
    step.tell(now, News::NotCharged);
    step.then(now, Effect::Evaluate);
    true
}
