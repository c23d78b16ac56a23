//! What a reconciliation finds: differences, each with the three figures side by side and what
//! follows, and what was compared in all. `say` puts them into words.

use super::statement::Given;
use super::sums::Checked;
use crate::id::{LineId, RechargeId};
use crate::money::Money;
use crate::recharge::Recharge;
use crate::returns::{RefundReason, ReturnFact};
use crate::time::Instant;
use serde::{Deserialize, Serialize};

/// What came out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reconciliation {
    /// What was compared.
    pub checked: Checked,
    /// What does not agree: by line, recharge, kind, payment and top-up.
    pub differences: Vec<Difference>,
}

/// Something that does not agree.
///
/// It is the same one on another day when kind, recharge, payment and top-up are the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Difference {
    /// What it is.
    pub kind: Kind,
    /// The line; absent when no recharge explains the row.
    pub line_id: Option<LineId>,
    /// The recharge; absent when none explains the row.
    pub recharge_id: Option<RechargeId>,
    /// The attempt, where it is about one.
    pub attempt: Option<u32>,
    /// The gateway's name for the payment, where it is about one.
    pub payment: Option<String>,
    /// The carrier's name for the top-up, where it is about one.
    pub top_up: Option<String>,
    /// What should be kept for the recharge; absent when no recharge explains the row.
    pub expected: Option<Money>,
    /// What the gateway keeps for it, payment by payment.
    pub charged: Vec<Money>,
    /// What the carrier gave for it, top-up by top-up.
    pub credited: Vec<Given>,
    /// What follows.
    pub remedy: Remedy,
}

/// What does not agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Kind {
    /// Charged, and nothing came for it.
    MissingCredit,
    /// It came, and nothing or too little is kept for it.
    MissingCharge,
    /// Another amount was charged, or another amount came, than agreed.
    Amount,
    /// Another currency was charged than agreed.
    Currency,
    /// One recharge was charged more than once.
    Duplicate,
    /// Sent after an "off", a pause or a removal was acknowledged.
    AfterOff {
        /// When that was recorded.
        stopped_at: Instant,
        /// When the charge was sent.
        submitted_at: Instant,
    },
    /// More was taken in the month than the rule allowed.
    OverCap {
        /// The cap of the rule's version.
        cap: Money,
        /// What the line's automatic recharges come to in that month, up to this one.
        taken: Money,
    },
    /// A charge of ours that nothing explains.
    Unknown,
    /// Rows of one id that differ, or a figure that cannot be.
    Contradictory,
}

/// What follows from a difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Remedy {
    /// Given back without asking: never more than is left of the capture.
    Refund {
        /// The gateway's name for the payment.
        payment: String,
        /// How much of it.
        amount: Money,
    },
    /// Nothing is charged for it later; what came stays.
    NeverCharged,
    /// A person decides; no money moves before.
    Case,
}

impl Kind {
    /// The stable name, as in JSON.
    pub fn code(&self) -> &'static str {
        match self {
            Kind::MissingCredit => "missing_credit",
            Kind::MissingCharge => "missing_charge",
            Kind::Amount => "amount",
            Kind::Currency => "currency",
            Kind::Duplicate => "duplicate",
            Kind::AfterOff { .. } => "after_off",
            Kind::OverCap { .. } => "over_cap",
            Kind::Unknown => "unknown",
            Kind::Contradictory => "contradictory",
        }
    }

    /// Why money goes back for it; nothing where none ever does.
    fn refund_reason(&self) -> Option<RefundReason> {
        match self {
            Kind::MissingCredit => Some(RefundReason::MissingCredit),
            Kind::Amount => Some(RefundReason::Amount),
            Kind::Currency => Some(RefundReason::Currency),
            Kind::Duplicate => Some(RefundReason::Duplicate),
            Kind::AfterOff { .. } => Some(RefundReason::AfterOff),
            Kind::OverCap { .. } => Some(RefundReason::OverCap),
            Kind::MissingCharge | Kind::Unknown | Kind::Contradictory => None,
        }
    }
}

impl Remedy {
    /// The stable name, as in JSON.
    pub fn code(&self) -> &'static str {
        match self {
            Remedy::Refund { .. } => "refund",
            Remedy::NeverCharged => "never_charged",
            Remedy::Case => "case",
        }
    }
}

impl Difference {
    /// What the [`Returns`](crate::returns::Returns) of its payment take in where money goes back.
    pub fn refund(&self) -> Option<ReturnFact> {
        let Remedy::Refund { amount, .. } = &self.remedy else { return None };
        Some(ReturnFact::RefundAsked { amount: *amount, why: self.kind.refund_reason()? })
    }

    /// About nothing yet.
    pub(super) fn new(kind: Kind, remedy: Remedy) -> Difference {
        Difference {
            kind,
            line_id: None,
            recharge_id: None,
            attempt: None,
            payment: None,
            top_up: None,
            expected: None,
            charged: Vec::new(),
            credited: Vec::new(),
            remedy,
        }
    }

    /// Something is told in two ways: no figure of it can be relied on.
    pub(super) fn contradictory(recharge: Option<&Recharge>) -> Difference {
        Difference {
            line_id: recharge.map(|recharge| recharge.line_id.clone()),
            recharge_id: recharge.map(|recharge| recharge.id.clone()),
            ..Difference::new(Kind::Contradictory, Remedy::Case)
        }
    }

    /// Where it stands among others: nothing of it depends on the order of the rows.
    pub(super) fn place(&self) -> impl Ord + '_ {
        let about = (&self.line_id, &self.recharge_id);
        (about, self.kind.code(), &self.payment, &self.top_up)
    }
}
