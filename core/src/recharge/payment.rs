//! Taking the money: attempts, declines and their ladder, authentication, no answer, stops. The
//! next attempt starts only when the last has definitely failed and can no longer capture.

use super::{
    Attempt, Effect, Fact, NOT_FOUND_APART, News, Outcome, Phase, Recharge, Status, Step, Tries,
    delivery, next_look_up,
};
use crate::decide::Suspension;
use crate::id::{IdempotencyKey, PaymentMethodId};
use crate::ledger::{Book, Posting};
use crate::money::Money;
use crate::retry::Ladder;
use crate::time::{Instant, Span};

/// "Not found" counts only this long after the last submission.
const NOT_FOUND_AFTER: Span = Span::hours(24);
/// From so long without an answer on, the gateway is asked to cancel.
const CANCEL_AFTER: Span = Span::hours(2);
/// For so long a customer who bought by hand is taken to wait for it.
pub(super) const BY_HAND_WITHIN: Span = Span::hours(1);

/// Plans the next attempt: the method whose next try comes first, in order where several can be
/// tried at once. Returns whether there is one.
pub(super) fn plan_next(step: &mut Step, now: Instant) -> bool {
    let recharge = &step.recharge;
    if recharge.stopped {
        return false;
    }
    let Some((at, tries)) = next_try(recharge, now) else { return false };
    let number = recharge.attempts.last().map_or(0, |a| a.number).saturating_add(1);
    let attempt = Attempt {
        number,
        payment_method_id: tries.payment_method_id.clone(),
        rung: tries.ladder.failures,
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

/// The next try and when: the earliest, and of those the first in order.
fn next_try(recharge: &Recharge, now: Instant) -> Option<(Instant, &Tries)> {
    let next = |tries| Some((next_try_of(recharge, tries, now)?, tries));
    recharge.tries.iter().filter_map(next).min_by_key(|(at, _)| *at)
}

/// When a method is tried next, if it is. A purchase by hand tries each method once, at once: the
/// customer is there to decide about another.
fn next_try_of(recharge: &Recharge, tries: &Tries, now: Instant) -> Option<Instant> {
    let id = &tries.payment_method_id;
    let mut tried = recharge.attempts.iter().filter(|a| a.payment_method_id == *id);
    if !recharge.automatic() {
        return tried.next().is_none().then_some(now);
    }
    let hard = tried.any(|a| matches!(a.outcome, Some(Outcome::Declined { hard: true, .. })));
    let next_at = tries.ladder.next_try_at(now).filter(|_| !hard)?;
    Some(tries.rail.opens_at(next_at)).filter(|at| tries.is_good(*at))
}

/// A definite failure: its method comes one rung further down. A purchase by hand moves no ladder.
fn fail(step: &mut Step, method: &PaymentMethodId, now: Instant) {
    if step.recharge.automatic()
        && let Some(ladder) = step.recharge.ladder_mut(method)
    {
        ladder.fail(now);
    }
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
    // Why: sent again in a later day or month, it may be taken in that one.
    step.recharge.reserved_at = now;
    if status != Status::Unknown {
        step.recharge.status = Status::Charging;
    }
    // Why: should this process die before it has an answer, the look-up finds out.
    step.then(next_look_up(now, now), Effect::LookUpPayment { attempt: number });
    true
}

/// Decided again before sending, and the answer was no.
pub(super) fn withdrawn(step: &mut Step, number: u32, now: Instant) -> bool {
    if step.recharge.attempt(number).is_none_or(|attempt| attempt.outcome.is_some()) {
        return false;
    }
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
    let settled = step.recharge.is_settled();
    if step.recharge.has_captured(payment) {
        return false;
    }
    let outcome = Outcome::Captured { payment: payment.to_owned(), amount, refunded: false };
    let Some(number) = record_capture(&mut step.recharge, number, outcome) else { return false };
    let method = step.recharge.attempt(number).map(|attempt| attempt.payment_method_id.clone());
    if let Some(method) = method {
        end_ladder(step, &method);
    }
    step.postings.push(Posting::money(Book::Customer, Book::Prepaid, amount));
    if settled {
        // Why: the recharge is over or has its money; this capture can only go back, in full.
        delivery::give_back(step, number, News::WronglyTaken { amount }, now);
        return true;
    }
    step.recharge.paid_at = Some(now);
    if amount != asked {
        step.recharge.status = Status::Refunding;
        delivery::give_back(step, number, News::WronglyTaken { amount }, now);
        return true;
    }
    step.recharge.status = Status::Paid;
    step.then(now, Effect::TopUp);
    true
}

/// Writes a capture to its attempt; the number under which it stands. A second payment for one
/// attempt, which no gateway should make, stands as an attempt of its own, so that it goes back.
fn record_capture(recharge: &mut Recharge, number: u32, outcome: Outcome) -> Option<u32> {
    let next = recharge.attempts.last().map_or(0, |a| a.number).saturating_add(1);
    let second = IdempotencyKey::of_attempt(&recharge.id, next);
    let attempt = recharge.attempt_mut(number)?;
    if !matches!(attempt.outcome, Some(Outcome::Captured { .. })) {
        attempt.outcome = Some(outcome);
        return Some(number);
    }
    let extra = Attempt {
        number: next,
        payment_method_id: attempt.payment_method_id.clone(),
        rung: attempt.rung,
        idempotency_key: second,
        submitted_at: None,
        last_submitted_at: None,
        not_found_at: None,
        outcome: Some(outcome),
    };
    recharge.attempts.push(extra);
    Some(next)
}

/// A payment that went through ends its method's ladder.
fn end_ladder(step: &mut Step, method: &PaymentMethodId) {
    if let Some(ladder) = step.recharge.ladder_mut(method) {
        *ladder = Ladder::default();
    }
}

/// The bank said no. The customer hears at the first decline.
pub(super) fn declined(step: &mut Step, number: u32, code: &str, hard: bool, now: Instant) -> bool {
    let settled = step.recharge.is_settled();
    let first =
        !step.recharge.attempts.iter().any(|a| matches!(a.outcome, Some(Outcome::Declined { .. })));
    let outcome = Outcome::Declined { code: code.to_owned(), hard };
    let Some(method) = close(step, number, outcome) else { return false };
    if !hard {
        fail(step, &method, now);
    } else if step.recharge.automatic() {
        step.then(now, Effect::Bar { payment_method_id: method });
    }
    if settled {
        // Why: an earlier attempt turned out to have the money; this one is only closed.
        return true;
    }
    step.recharge.status = Status::Declined;
    let next = plan_next(step, now);
    let mut charges = step.effects.iter().filter(|d| matches!(d.effect, Effect::Charge { .. }));
    let next_try_at = charges.next().map(|due| due.at);
    if first {
        step.tell(now, News::Declined { next_try_at });
    }
    if !next {
        suspend_unless_stopped(step, Suspension::Declined, now);
        // Why: "not tried again" is told once.
        return if first {
            over(step, Status::Failed, now)
        } else {
            end(step, Status::Failed, now)
        };
    }
    true
}

/// The bank wants the customer: another method if there is one, otherwise a link, for a while.
/// Heard of only when the payment is given up, it is cancelled, and its method has failed.
pub(super) fn action_required(
    step: &mut Step,
    number: u32,
    payment: &str,
    url: &str,
    now: Instant,
) -> bool {
    let others = {
        let recharge = &step.recharge;
        let this = recharge.attempt(number).map(|a| &a.payment_method_id);
        let mut others = recharge.tries.iter().filter(|t| Some(&t.payment_method_id) != this);
        recharge.automatic() && others.any(|tries| next_try_of(recharge, tries, now) == Some(now))
    };
    let (stopped, settled) = (step.recharge.stopped, step.recharge.is_settled());
    let lives = link_lives(step.recharge.automatic());
    let until = now.plus(lives);
    let Some(attempt) = step.recharge.attempt_mut(number).filter(|a| a.is_unheard()) else {
        return false;
    };
    // Why: a payment that is not answered for so long is cancelled, and nobody waits for its link.
    let late = attempt.last_submitted_at.is_some_and(|at| now.since(at) >= lives.min(CANCEL_AFTER));
    let outcome =
        Outcome::ActionRequired { payment: payment.to_owned(), url: url.to_owned(), until };
    attempt.outcome = Some(outcome);
    if settled {
        step.then(now, Effect::CancelPayment { attempt: number });
    } else if others || stopped || late {
        step.recharge.status = Status::Charging;
        step.then(now, Effect::CancelPayment { attempt: number });
    } else {
        step.recharge.status = Status::NeedsCustomer;
        step.tell(now, News::CustomerNeeded { url: url.to_owned(), until });
        step.then(until, Effect::CancelPayment { attempt: number });
    }
    true
}

/// How long the customer may confirm a payment.
///
/// Why not as long by hand: the customer is there, and what waits counts as coming, so that a
/// purchase that was given up would keep the rule from recharging for a day.
fn link_lives(automatic: bool) -> Span {
    if automatic { Span::hours(24) } else { BY_HAND_WITHIN }
}

/// Sent, and no usable answer: look, never charge anew.
pub(super) fn unanswered(step: &mut Step, number: u32, now: Instant) -> bool {
    let Some(attempt) = step.recharge.attempt(number).filter(|a| a.is_unheard()) else {
        return false;
    };
    let (first, last) = (attempt.submitted_at, attempt.last_submitted_at);
    let (since, last) = (first.unwrap_or(now), last.unwrap_or(now));
    // Why: once an attempt has the money, another that is not answered is only looked up.
    let fresh = !step.recharge.is_settled() && step.recharge.status != Status::Unknown;
    if fresh {
        step.recharge.status = Status::Unknown;
        step.tell(now, News::Unknown);
    }
    let at = next_look_up(since, now);
    step.then(at, Effect::LookUpPayment { attempt: number });
    // Why the last time: what was sent again just now is looked for first, in its time. A cancel
    // that finds nothing has it sent again at once, and so would never end.
    if step.recharge.stopped || now.since(last) >= CANCEL_AFTER {
        step.then(now, Effect::CancelPayment { attempt: number });
    }
    fresh
}

/// The gateway has nothing: send again under the same key while that is safe, otherwise wait until
/// "not found" counts, twice, an hour apart.
pub(super) fn not_found(step: &mut Step, number: u32, now: Instant) -> bool {
    let (stopped, settled) = (step.recharge.stopped, step.recharge.is_settled());
    let mut news = !step.recharge.heard_last(&Fact::NotFound { attempt: number });
    let Some(attempt) = step.recharge.attempt_mut(number).filter(|a| a.is_unheard()) else {
        return false;
    };
    let (Some(first), Some(last)) = (attempt.submitted_at, attempt.last_submitted_at) else {
        return false;
    };
    let counts = now.since(last) >= NOT_FOUND_AFTER;
    if !stopped && !settled && attempt.may_be_sent(now) {
        step.then(now, Effect::Charge { attempt: number });
    } else if counts && attempt.not_found_at.is_some_and(|at| now.since(at) >= NOT_FOUND_APART) {
        attempt.outcome = Some(Outcome::NeverArrived);
        return settled || end(step, Status::Failed, now);
    } else {
        if counts && attempt.not_found_at.is_none() {
            attempt.not_found_at = Some(now);
            news = true;
        }
        step.then(next_look_up(first, now), Effect::LookUpPayment { attempt: number });
    }
    if !settled && step.recharge.status != Status::Unknown {
        step.recharge.status = Status::Unknown;
        news = true;
    }
    news
}

/// The payment can no longer capture: a definite failure.
pub(super) fn cancelled(step: &mut Step, number: u32, now: Instant) -> bool {
    let ignored = step.recharge.status == Status::NeedsCustomer;
    let settled = step.recharge.is_settled();
    let Some(method) = close(step, number, Outcome::Cancelled) else { return false };
    // Why: what the customer stopped says nothing of the method; a bank's no does, whenever heard.
    if !step.recharge.stopped {
        fail(step, &method, now);
    }
    if settled {
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
            if step.recharge.status == Status::NeedsCustomer {
                // Why: the link is dead from here on, also before the gateway says so.
                step.recharge.status = Status::Charging;
            }
            step.then(now, Effect::CancelPayment { attempt: last });
            true
        }
        Phase::Paid | Phase::Refunding | Phase::Ended => false,
    }
}

/// Gives an attempt its definite failure; nothing when it was never sent or had an end already.
fn close(step: &mut Step, number: u32, outcome: Outcome) -> Option<PaymentMethodId> {
    let attempt = step.recharge.attempt_mut(number)?;
    match attempt.outcome {
        None if attempt.submitted_at.is_none() => return None,
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

/// Ends without a charge, says so, and looks at the line again.
pub(super) fn end(step: &mut Step, status: Status, now: Instant) -> bool {
    step.tell(now, News::NotCharged);
    over(step, status, now)
}

fn over(step: &mut Step, status: Status, now: Instant) -> bool {
    step.recharge.status = status;
    step.then(now, Effect::Evaluate);
    true
}
