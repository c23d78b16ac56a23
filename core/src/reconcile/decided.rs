//! Our own side of a reconciliation: recharges with the cap that allowed them and what went back of
//! them, and the stretches of time in which nothing may have been sent. The server fills it from
//! its rows.

use super::difference::Kind;
use super::statement::Payment;
use crate::decide::Period;
use crate::id::{LineId, PaymentMethodId};
use crate::money::Money;
use crate::recharge::{Attempt, Fact, Recharge, Seen};
use crate::record::DecisionRecord;
use crate::returns::{Refund, RefundReason, RefundStatus, Returns};
use crate::time::{Instant, Span};
use serde::{Deserialize, Serialize};

/// What was decided, and when nothing may have been sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decisions {
    /// Every recharge that either statement may name, whatever became of it. In any order.
    pub recharges: Vec<Decided>,
    /// Every stop that lies in the time compared. In any order; they may overlap.
    pub barriers: Vec<Barrier>,
}

/// A recharge, the cap it was decided under, and what went back since.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decided {
    /// As it is kept.
    pub recharge: Recharge,
    /// Absent when its rule had none, or when it was bought by hand.
    pub cap: Option<MonthCap>,
    /// What went back of its payments beside it, in the order of their attempts.
    pub returns: Vec<Returns>,
}

/// The most that may be taken in a month, and which month that was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MonthCap {
    /// What the version of the rule that allowed the recharge had as its cap.
    pub most: Money,
    /// The month in which `decide` counted it: the one that holds `reserved_at`. Where its
    /// account may have moved since the record was made, as much of it as is that month anywhere.
    pub month: Period,
}

/// A month begins in one zone at most so much later than in another: UTC-12 and UTC+14.
const ZONES_APART: Span = Span::hours(26);

/// From the acknowledgement of an "off", a pause or a removal on, nothing may be submitted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Barrier {
    /// The line.
    pub line_id: LineId,
    /// The removed method, which stops purchases by hand too; absent when the rule was switched
    /// off or paused, which stops all that is automatic.
    pub payment_method_id: Option<PaymentMethodId>,
    /// When the stop was recorded. A submission at this very instant may have come first.
    pub from: Instant,
    /// When it was allowed again; absent while it is not.
    pub until: Option<Instant>,
}

/// Whether a refund was given because we said so, and is done.
fn decided_here(refund: &Refund) -> bool {
    let ours = match refund.why {
        RefundReason::MissingCredit
        | RefundReason::Amount
        | RefundReason::Currency
        | RefundReason::Duplicate
        | RefundReason::AfterOff
        | RefundReason::OverCap
        | RefundReason::Operator => true,
        RefundReason::SeenAtGateway => false,
    };
    ours && refund.status == RefundStatus::Done
}

/// The month of the decision, which a change of zone only makes longer. Sent again in a later one,
/// it was counted in the zone of then: nobody is given money back on a guess which.
fn month_reserved(record: &DecisionRecord, at: Instant) -> Period {
    let decided = Period::month(&record.account, record.now);
    if decided.holds(at) {
        return decided;
    }
    let later = Period::month(&record.account, at);
    Period { from: later.from.plus(ZONES_APART), ..later }
}

impl Decided {
    /// A recharge with what its decision record says of the cap; no record, no cap.
    pub fn of(
        recharge: Recharge,
        record: Option<&DecisionRecord>,
        returns: Vec<Returns>,
    ) -> Decided {
        let cap = record.filter(|_| recharge.automatic()).and_then(|record| {
            let most = record.rule.limits.cap_per_month?;
            Some(MonthCap { most, month: month_reserved(record, recharge.reserved_at) })
        });
        Decided { recharge, cap, returns }
    }

    /// Whether our own record says that something about it is still to come.
    pub(super) fn is_open(&self) -> bool {
        let asked = |refund: &Refund| match refund.status {
            RefundStatus::Asked | RefundStatus::Unknown => true,
            RefundStatus::Done | RefundStatus::Failed => false,
        };
        !self.recharge.status.is_end()
            || self.returns.iter().any(|it| it.is_disputed() || it.refunds.iter().any(asked))
    }

    /// What we decided to give back of a payment since the end, and have as done. A refund that was
    /// only seen, and a dispute, are no decision of ours.
    pub(super) fn given_back_minor(&self, payment: &str) -> i64 {
        let returns = self.returns.iter().filter(|it| it.payment == payment);
        let refunds = returns.flat_map(|it| &it.refunds).filter(|refund| decided_here(refund));
        refunds.map(|refund| refund.amount.amount_minor).fold(0, i64::saturating_add)
    }

    /// What should be left of a payment if it is the one that is kept: what was agreed, or less if
    /// we decided to give back more than was taken too much.
    pub(super) fn left(&self, payment: &str, captured: Money) -> Money {
        let agreed = self.recharge.order.amount;
        let back_minor = self.given_back_minor(payment);
        if back_minor == 0 {
            return agreed;
        }
        let left = captured.amount_minor.saturating_sub(back_minor);
        let known = captured.currency == agreed.currency;
        let left = if known { left.clamp(0, agreed.amount_minor.max(0)) } else { 0 };
        Money::new(left, agreed.currency)
    }

    /// Whether our record has credited it to the line.
    pub(super) fn is_credited(&self) -> bool {
        let delivered = |seen: &Seen| matches!(seen.fact, Fact::Delivered { .. });
        self.recharge.facts.iter().any(delivered)
    }

    /// The newest instant that its record knows.
    pub(super) fn newest_at(&self) -> Instant {
        let recharge = &self.recharge;
        let sent = recharge.attempts.iter().filter_map(|attempt| attempt.last_submitted_at);
        let seen = recharge.facts.iter().map(|seen| seen.at);
        let first = recharge.opened_at.max(recharge.reserved_at);
        let refunds = self.returns.iter().flat_map(|it| &it.refunds).map(|refund| refund.since);
        let disputes = self.returns.iter().flat_map(|it| &it.disputes).map(|dispute| dispute.since);
        let seen = seen.chain(refunds).chain(disputes);
        sent.chain(seen).chain(recharge.paid_at).fold(first, Instant::max)
    }

    /// The last time at which the attempt was sent before the gateway made the payment.
    fn sent_at(&self, attempt: &Attempt, payment: &Payment) -> Instant {
        let submitted = Fact::Submitted { attempt: attempt.number };
        let seen = self.recharge.facts.iter().filter(|seen| seen.fact == submitted);
        let seen = seen.map(|seen| seen.at);
        let sent: Vec<Instant> = seen.chain(attempt.submitted_at).collect();
        let before = sent.iter().filter(|at| **at <= payment.created_at).max();
        // Why: the gateway's clock may be a little behind ours; then the first time is meant.
        *before.or(sent.iter().min()).unwrap_or(&payment.created_at)
    }

    /// The stop after which the attempt was sent all the same, if there was one.
    pub(super) fn after_off(
        &self,
        attempt: &Attempt,
        payment: &Payment,
        barriers: &[&Barrier],
    ) -> Option<Kind> {
        let submitted_at = self.sent_at(attempt, payment);
        let broken = barriers.iter().filter(|barrier| {
            let about = match &barrier.payment_method_id {
                Some(method) => *method == attempt.payment_method_id,
                None => self.recharge.automatic(),
            };
            about
                && barrier.from < submitted_at
                && barrier.until.is_none_or(|until| submitted_at < until)
        });
        let stopped_at = broken.map(|barrier| barrier.from).min()?;
        Some(Kind::AfterOff { stopped_at, submitted_at })
    }
}
