//! What went back beside a recharge, as its history shows it: one line each.

use crate::money::Money;
use crate::returns::{Dispute, DisputeStatus, RefundStatus, Returns};
use crate::time::Instant;
use serde::{Deserialize, Serialize};

/// A refund, or a dispute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Returned {
    /// When it was asked for, or first seen.
    pub at: Instant,
    /// How much.
    pub amount: Money,
    /// What it is and how it stands.
    pub what: ReturnedAs,
}

/// What a line of it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReturnedAs {
    /// A refund is on its way.
    Refunding,
    /// The money is back.
    Refunded,
    /// The gateway refused; a person looks at it.
    RefundFailed,
    /// The bank holds the money until somebody decides.
    Disputed,
    /// The dispute ended, and the charge stays.
    DisputeWon,
    /// The dispute ended, and the customer has the money.
    DisputeLost,
}

impl Returned {
    /// The lines of a payment, oldest first.
    pub fn of(returns: &Returns) -> Vec<Returned> {
        let refunds = returns.refunds.iter().map(|refund| Returned {
            at: refund.since,
            amount: refund.amount,
            what: match refund.status {
                RefundStatus::Asked | RefundStatus::Unknown => ReturnedAs::Refunding,
                RefundStatus::Done => ReturnedAs::Refunded,
                RefundStatus::Failed => ReturnedAs::RefundFailed,
            },
        });
        // Why not all: what became of one about money that goes back anyway, the refund says.
        let shown = |it: &&Dispute| !it.instead || it.status.is_open();
        let disputes = returns.disputes.iter().filter(shown).map(|dispute| Returned {
            at: dispute.since,
            amount: dispute.amount,
            what: match dispute.status {
                DisputeStatus::Inquiry | DisputeStatus::Open => ReturnedAs::Disputed,
                DisputeStatus::Won => ReturnedAs::DisputeWon,
                DisputeStatus::Lost => ReturnedAs::DisputeLost,
            },
        });
        let mut all: Vec<Returned> = refunds.chain(disputes).collect();
        all.sort_by_key(|line| line.at);
        all
    }
}
