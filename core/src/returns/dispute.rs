//! A bank's dispute about a payment, as a part of what goes back of it: where it stands, in which
//! book its money stands, and what follows from a report of it.

use super::{RefundReason, ReturnAlert, ReturnEffect, ReturnStep, alert_if_twice, asked};
use crate::ledger::{Book, Posting};
use crate::money::Money;
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::ops::Not;

/// The bank takes money back for the customer until somebody decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dispute {
    /// The gateway's name for it.
    pub dispute: String,
    /// How much.
    pub amount: Money,
    /// Where it stands.
    pub status: DisputeStatus,
    /// Whether it is about money that the recharge is to give back itself, or has by it: then it
    /// moves nothing in the books. Lost, it stands in the refund's place; won, the refund follows.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub instead: bool,
    /// When it was first seen.
    pub since: Instant,
}

impl Dispute {
    /// What it holds or took of what the recharge kept, in minor units.
    pub(super) fn held_minor(&self) -> i64 {
        let held = self.status.stands_in() != Book::Sales && !self.instead;
        if held { self.amount.amount_minor } else { 0 }
    }
}

/// Where a dispute stands. It only goes on in this order, so that reports may come in any.
///
/// Why a lost one may yet be won: a customer withdraws it, or the bank puts its decision right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisputeStatus {
    /// The bank asks about the charge and holds nothing yet. The line's rule waits.
    Inquiry,
    /// The bank holds the money. The line's rule waits.
    Open,
    /// The customer has it.
    Lost,
    /// It is ours, or came back to us.
    Won,
}

impl DisputeStatus {
    /// Whether it is still to be decided.
    pub fn is_open(self) -> bool {
        match self {
            DisputeStatus::Inquiry | DisputeStatus::Open => true,
            DisputeStatus::Lost | DisputeStatus::Won => false,
        }
    }

    /// The book in which the disputed money stands.
    fn stands_in(self) -> Book {
        match self {
            DisputeStatus::Inquiry | DisputeStatus::Won => Book::Sales,
            DisputeStatus::Open => Book::Disputed,
            DisputeStatus::Lost => Book::Customer,
        }
    }
}

/// Whatever the order in which the gateway's reports come in, the books end the same: each report
/// moves the money from where the last one left it.
pub(super) fn heard(
    step: &mut ReturnStep,
    name: &str,
    amount: Money,
    (status, instead): (DisputeStatus, bool),
    now: Instant,
) {
    let known = step.returns.disputes.iter_mut().find(|d| d.dispute == name);
    let before = known.as_ref().map(|d| d.status);
    if before.is_some_and(|before| before >= status) {
        return;
    }
    let amount = known.as_ref().map_or(amount, |d| d.amount);
    let was_instead = known.as_ref().is_some_and(|d| d.instead);
    let instead = instead && (was_instead || known.is_none());
    // Why: one that was instead moved nothing so far, unless the recharge's refund is done by it.
    // That may have come through all the same; then what the bank takes, it takes a second time.
    let refund_undone = before == Some(DisputeStatus::Lost) && was_instead && !instead;
    let moved = before.filter(|_| !was_instead || refund_undone);
    let (from, to) = (moved.map_or(Book::Sales, DisputeStatus::stands_in), status.stands_in());
    match known {
        Some(dispute) => (dispute.status, dispute.instead) = (status, instead),
        None => step.returns.disputes.push(Dispute {
            dispute: name.to_owned(),
            amount,
            status,
            instead,
            since: now,
        }),
    }
    if from != to && !instead {
        step.postings.push(Posting::money(from, to, amount));
    }
    if refund_undone {
        // Why: the customer has neither what was paid for nor the money any more.
        let left = step.returns.returned_before_minor.saturating_sub(amount.amount_minor);
        step.returns.returned_before_minor = left.max(0);
        asked(step, amount, RefundReason::MissingCredit, now);
    }
    tell_of_dispute(step, before, status, now);
    step.then(now, ReturnEffect::Evaluate);
    alert_if_twice(step, now);
}

/// The customer hears when the rule waits and when it goes on, the operator when there is something
/// to answer or to look at.
fn tell_of_dispute(
    step: &mut ReturnStep,
    before: Option<DisputeStatus>,
    status: DisputeStatus,
    now: Instant,
) {
    let was_open = before.is_some_and(DisputeStatus::is_open);
    if status.is_open() {
        step.then(now, ReturnEffect::Alert { why: ReturnAlert::DisputeOpened });
    }
    if status.is_open() && before.is_none() {
        step.then(now, ReturnEffect::TellDispute { open: true });
    }
    if was_open && !step.returns.is_disputed() {
        step.then(now, ReturnEffect::TellDispute { open: false });
    }
    if before == Some(DisputeStatus::Lost) {
        step.then(now, ReturnEffect::Alert { why: ReturnAlert::DisputeTurned });
    }
}
