//! Money that goes back beside a recharge: refunds after its end and disputes, a run of its own
//! for each payment. `apply(returns, fact, now) -> ReturnStep`, like a recharge: a repeated fact
//! changes nothing, ends stay, and refunds never exceed what was captured. Refunds before the end
//! belong to [`recharge`](crate::recharge).

use crate::id::{IdempotencyKey, RechargeId};
use crate::ledger::{Book, Posting};
use crate::money::Money;
use crate::recharge::{Outcome, Recharge};
use crate::time::{Instant, Span};
use serde::{Deserialize, Serialize};
use std::ops::Not;

mod dispute;
pub use dispute::{Dispute, DisputeStatus};

/// A captured payment and what went back of it beside what its recharge gives back itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Returns {
    /// The recharge that it paid for.
    pub recharge_id: RechargeId,
    /// Which of its attempts captured.
    pub attempt: u32,
    /// The gateway's name for the payment.
    pub payment: String,
    /// What was captured.
    pub captured: Money,
    /// What the recharge itself gave back or is to give back, in minor units: all of it or nothing.
    pub returned_before_minor: i64,
    /// The refunds, in the order in which they were asked for or seen.
    pub refunds: Vec<Refund>,
    /// The disputes, in the order in which they were seen.
    pub disputes: Vec<Dispute>,
}

/// Giving money back on our own account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refund {
    /// From 1.
    pub number: u32,
    /// What the gateway has to see again to recognise it. One that it told us of has none of ours.
    pub idempotency_key: Option<IdempotencyKey>,
    /// How much.
    pub amount: Money,
    /// Why.
    pub why: RefundReason,
    /// Where it stands.
    pub status: RefundStatus,
    /// The gateway's name for it, once it has one.
    pub refund: Option<String>,
    /// When it was asked for, or seen.
    pub since: Instant,
}

/// Why money is given back. The first six are what a reconciliation finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundReason {
    /// It was charged, and nothing came for it.
    MissingCredit,
    /// More was charged than agreed, or another amount and nothing came for it.
    Amount,
    /// Another currency was charged than agreed.
    Currency,
    /// The same was charged twice.
    Duplicate,
    /// It was charged after the rule was off, paused or without its method.
    AfterOff,
    /// It was charged above the month's cap.
    OverCap,
    /// The operator decided so.
    Operator,
    /// The gateway reports a refund that was not asked for here.
    SeenAtGateway,
}

/// Where a refund stands. The last two are ends: they stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundStatus {
    /// Recorded, to be sent.
    Asked,
    /// Sent, and nobody knows what became of it.
    Unknown,
    /// The money is back.
    Done,
    /// The gateway refused it.
    Failed,
}

/// What was seen or asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ReturnFact {
    /// A refund is wanted. Refused, changing nothing, when less than that is left of the payment.
    RefundAsked {
        /// How much.
        amount: Money,
        /// Why.
        why: RefundReason,
    },
    /// The gateway gave money back; `key` is ours if it was asked for here.
    Refunded {
        /// The key that was sent.
        key: Option<IdempotencyKey>,
        /// The gateway's name for the refund.
        refund: String,
        /// How much.
        amount: Money,
    },
    /// A refund was sent, and no usable answer.
    RefundUnanswered {
        /// Which.
        number: u32,
    },
    /// The gateway refused a refund for good.
    RefundFailed {
        /// Which.
        number: u32,
        /// The gateway's code.
        code: String,
    },
    /// What the gateway says of a dispute.
    Disputed {
        /// The gateway's name for it.
        dispute: String,
        /// How much.
        amount: Money,
        /// Where it stands.
        status: DisputeStatus,
        /// Whether it is about money that the recharge is to give back itself, or has by it.
        #[serde(default, skip_serializing_if = "Not::not")]
        instead: bool,
    },
}

/// What the shell has to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ReturnEffect {
    /// Send a refund, the first time or again, under its key.
    Refund {
        /// Which.
        number: u32,
    },
    /// Tell the operator: somebody has to look.
    Alert {
        /// What.
        why: ReturnAlert,
    },
    /// Tell the customer that money is back.
    TellRefunded {
        /// How much.
        amount: Money,
    },
    /// Tell the customer that the rule waits, or goes on.
    TellDispute {
        /// Whether it waits from now on.
        open: bool,
    },
    /// Look at the line again.
    Evaluate,
}

/// What an operator has to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReturnAlert {
    /// A refund was refused by the gateway.
    RefundFailed,
    /// More went back than was captured: refunded and disputed both.
    ReturnedTwice,
    /// A dispute has to be answered.
    DisputeOpened,
    /// A dispute that was lost is won after all.
    DisputeTurned,
}

/// An effect and when it is due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReturnDue {
    /// Not before this.
    pub at: Instant,
    /// What.
    pub effect: ReturnEffect,
}

/// What follows from a fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReturnStep {
    /// The payment afterwards.
    pub returns: Returns,
    /// What moves in the books.
    pub postings: Vec<Posting>,
    /// What is to be done.
    pub effects: Vec<ReturnDue>,
}

/// How long to wait before a refund without an answer is sent again under its key.
const ASK_AGAIN: Span = Span::minutes(5);

impl Returns {
    /// The payment of one attempt that took money, once the recharge has ended or gives this back.
    pub fn of(recharge: &Recharge, attempt: u32) -> Option<Returns> {
        let Some(Outcome::Captured { payment, amount, refunded }) =
            &recharge.attempt(attempt)?.outcome
        else {
            return None;
        };
        let back = *refunded || recharge.goes_back(attempt);
        (recharge.status.is_end() || back).then(|| Returns {
            recharge_id: recharge.id.clone(),
            attempt,
            payment: payment.clone(),
            captured: *amount,
            returned_before_minor: if back { amount.amount_minor } else { 0 },
            refunds: Vec::new(),
            disputes: Vec::new(),
        })
    }

    /// What can still be refunded, in minor units: what was captured less what went back, is on its
    /// way back, or is held by a dispute.
    pub fn refundable_minor(&self) -> i64 {
        let counts = |refund: &&Refund| match refund.status {
            RefundStatus::Asked | RefundStatus::Unknown | RefundStatus::Done => true,
            RefundStatus::Failed => false,
        };
        let refunds = self.refunds.iter().filter(counts).map(|r| r.amount.amount_minor);
        let disputes = self.disputes.iter().map(Dispute::held_minor);
        let left = self.captured.amount_minor.saturating_sub(self.returned_before_minor);
        refunds.chain(disputes).fold(left, i64::saturating_sub)
    }

    /// What is left of the capture now, in minor units: refunds on their way have not left yet,
    /// what a dispute holds and what the recharge itself gives back have.
    pub fn kept_minor(&self) -> i64 {
        let done = self.refunds.iter().filter(|refund| refund.status == RefundStatus::Done);
        let back = done.map(|refund| refund.amount.amount_minor);
        let back = back.chain(self.disputes.iter().map(Dispute::held_minor));
        let left = self.captured.amount_minor.saturating_sub(self.returned_before_minor);
        back.fold(left, i64::saturating_sub)
    }

    /// Whether a dispute is open: the line's rule waits as long.
    pub fn is_disputed(&self) -> bool {
        self.disputes.iter().any(|d| d.status.is_open())
    }
}

/// What follows from a fact. A repeated fact, or one that no longer matters, changes nothing.
pub fn apply(returns: Returns, fact: &ReturnFact, now: Instant) -> ReturnStep {
    let mut step = ReturnStep { returns, postings: Vec::new(), effects: Vec::new() };
    match fact {
        ReturnFact::RefundAsked { amount, why } => asked(&mut step, *amount, *why, now),
        ReturnFact::Refunded { key, refund, amount } => {
            refunded(&mut step, key.as_ref(), refund, *amount, now);
        }
        ReturnFact::RefundUnanswered { number } => unanswered(&mut step, *number, now),
        ReturnFact::RefundFailed { number, .. } => failed(&mut step, *number, now),
        ReturnFact::Disputed { dispute, amount, status, instead } => {
            dispute::heard(&mut step, dispute, *amount, (*status, *instead), now);
        }
    }
    step
}

impl ReturnStep {
    fn then(&mut self, at: Instant, effect: ReturnEffect) {
        self.effects.push(ReturnDue { at, effect });
    }

    fn open_refund(&mut self, number: u32) -> Option<&mut Refund> {
        let open = |refund: &&mut Refund| match refund.status {
            RefundStatus::Asked | RefundStatus::Unknown => refund.number == number,
            RefundStatus::Done | RefundStatus::Failed => false,
        };
        self.returns.refunds.iter_mut().find(open)
    }

    fn next_number(&self) -> u32 {
        self.returns.refunds.last().map_or(0, |refund| refund.number).saturating_add(1)
    }
}

fn asked(step: &mut ReturnStep, amount: Money, why: RefundReason, now: Instant) {
    let fits = amount.currency == step.returns.captured.currency
        && amount.amount_minor > 0
        && amount.amount_minor <= step.returns.refundable_minor();
    if !fits {
        return;
    }
    let number = step.next_number();
    let (recharge, attempt) = (&step.returns.recharge_id, step.returns.attempt);
    let key = IdempotencyKey::of_later_refund(recharge, attempt, number);
    step.returns.refunds.push(Refund {
        number,
        idempotency_key: Some(key),
        amount,
        why,
        status: RefundStatus::Asked,
        refund: None,
        since: now,
    });
    step.then(now, ReturnEffect::Refund { number });
}

fn refunded(
    step: &mut ReturnStep,
    key: Option<&IdempotencyKey>,
    name: &str,
    amount: Money,
    now: Instant,
) {
    if step.returns.refunds.iter().any(|r| r.refund.as_deref() == Some(name)) {
        return;
    }
    let ours = key.and_then(|key| {
        let same = |r: &&Refund| r.idempotency_key.as_ref() == Some(key);
        step.returns.refunds.iter().find(same).map(|r| (r.number, r.status))
    });
    match ours {
        Some((_, RefundStatus::Done)) => return,
        Some((number, RefundStatus::Asked | RefundStatus::Unknown | RefundStatus::Failed)) => {
            // Why: a refund that was refused and happened all the same did happen.
            let this = step.returns.refunds.iter_mut().find(|r| r.number == number);
            let Some(refund) = this else { return };
            refund.status = RefundStatus::Done;
            refund.refund = Some(name.to_owned());
            refund.amount = amount;
        }
        None => {
            let number = step.next_number();
            step.returns.refunds.push(Refund {
                number,
                idempotency_key: None,
                amount,
                why: RefundReason::SeenAtGateway,
                status: RefundStatus::Done,
                refund: Some(name.to_owned()),
                since: now,
            });
        }
    }
    step.postings.push(Posting::money(Book::Sales, Book::Customer, amount));
    step.then(now, ReturnEffect::TellRefunded { amount });
    alert_if_twice(step, now);
}

fn unanswered(step: &mut ReturnStep, number: u32, now: Instant) {
    if let Some(refund) = step.open_refund(number) {
        refund.status = RefundStatus::Unknown;
        step.then(now.plus(ASK_AGAIN), ReturnEffect::Refund { number });
    }
}

fn failed(step: &mut ReturnStep, number: u32, now: Instant) {
    if let Some(refund) = step.open_refund(number) {
        refund.status = RefundStatus::Failed;
        step.then(now, ReturnEffect::Alert { why: ReturnAlert::RefundFailed });
    }
}

fn alert_if_twice(step: &mut ReturnStep, now: Instant) {
    if step.returns.refundable_minor() < 0 {
        step.then(now, ReturnEffect::Alert { why: ReturnAlert::ReturnedTwice });
    }
}

#[cfg(test)]
mod tests;
