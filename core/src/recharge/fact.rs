//! What is seen outside: the only things that move a recharge. They come from answers, webhooks and
//! look-ups alike, and look the same from each.

use crate::money::Money;
use crate::tagged::read_tagged;
use crate::time::Instant;
use serde::{Deserialize, Serialize};

/// What was seen outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Fact {
    /// An attempt is about to be sent: recorded in the transaction that decided it again.
    Submitted {
        /// Which attempt.
        attempt: u32,
    },
    /// Decided again before sending, and the answer was no.
    Withdrawn {
        /// Which attempt.
        attempt: u32,
        /// The reason's code.
        reason: String,
    },
    /// The gateway took the money.
    Captured {
        /// Which attempt.
        attempt: u32,
        /// The gateway's name for the payment.
        payment: String,
        /// What it took.
        amount: Money,
    },
    /// The bank said no.
    Declined {
        /// Which attempt.
        attempt: u32,
        /// The gateway's code.
        code: String,
        /// Never to be tried again with this instrument.
        hard: bool,
    },
    /// The bank wants the customer.
    ActionRequired {
        /// Which attempt.
        attempt: u32,
        /// The gateway's name for the payment.
        payment: String,
        /// Where the customer authenticates.
        url: String,
    },
    /// Sent, and no usable answer.
    Unanswered {
        /// Which attempt.
        attempt: u32,
    },
    /// The gateway has nothing under the attempt's key, nor in its list.
    NotFound {
        /// Which attempt.
        attempt: u32,
    },
    /// The gateway confirms that the payment can no longer capture.
    PaymentCancelled {
        /// Which attempt.
        attempt: u32,
    },
    /// The rule was switched off or paused, or the method removed.
    Stopped,
    /// The carrier delivered.
    Delivered {
        /// The carrier's name for the top-up.
        top_up: String,
        /// When, by its own account; unknown for what was heard before this was kept.
        delivered_at: Option<Instant>,
    },
    /// The carrier definitely did not deliver.
    NotDelivered,
    /// The carrier has nothing under the recharge's key: it may still be on its way there.
    TopUpNotFound,
    /// The carrier was asked, and no usable answer.
    DeliveryUnanswered,
    /// The gateway gave the money back.
    Refunded {
        /// Which attempt.
        attempt: u32,
        /// The gateway's name for the refund.
        refund: String,
    },
    /// The refund was asked for, and no usable answer.
    RefundUnanswered {
        /// Which attempt.
        attempt: u32,
    },
}

impl Fact {
    /// Whether it says that money or data moved: true whoever saw it, and whatever they did next.
    pub fn moved(&self) -> bool {
        matches!(self, Fact::Captured { .. } | Fact::Delivered { .. } | Fact::Refunded { .. })
    }
}

read_tagged! {
    Fact by kind, Fields {
        attempt: u32,
        reason: String,
        payment: String,
        amount: Money,
        code: String,
        hard: bool,
        url: String,
        top_up: String,
        delivered_at: Instant,
        refund: String,
    }
    "submitted" => Submitted { attempt },
    "withdrawn" => Withdrawn { attempt, reason },
    "captured" => Captured { attempt, payment, amount },
    "declined" => Declined { attempt, code, hard },
    "action_required" => ActionRequired { attempt, payment, url },
    "unanswered" => Unanswered { attempt },
    "not_found" => NotFound { attempt },
    "payment_cancelled" => PaymentCancelled { attempt },
    "stopped" => Stopped,
    "delivered" => Delivered { top_up; delivered_at },
    "not_delivered" => NotDelivered,
    "top_up_not_found" => TopUpNotFound,
    "delivery_unanswered" => DeliveryUnanswered,
    "refunded" => Refunded { attempt, refund },
    "refund_unanswered" => RefundUnanswered { attempt },
}

/// A fact and when it was taken in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    /// When.
    pub at: Instant,
    /// What.
    pub fact: Fact,
}
