//! What the shell has to do: values, executed by the server's one match, asserted by tests.

use crate::decide::Suspension;
use crate::id::{BucketId, PaymentMethodId};
use crate::money::Money;
use crate::rule::Adds;
use crate::time::Instant;
use serde::{Deserialize, Serialize};

/// What the shell has to do, from an instant on. Each is safe to do twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Due {
    /// Not before this.
    pub at: Instant,
    /// What.
    pub effect: Effect,
}

/// Something to be done outside, or to the line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Effect {
    /// Decide again, record the submission, and send the attempt under its key.
    Charge {
        /// Which attempt.
        attempt: u32,
    },
    /// Ask the gateway what became of the attempt, by key and by listing.
    LookUpPayment {
        /// Which attempt.
        attempt: u32,
    },
    /// Ask the gateway to make sure that the attempt cannot capture any more.
    CancelPayment {
        /// Which attempt.
        attempt: u32,
    },
    /// Ask the carrier to deliver, under the recharge's key.
    TopUp,
    /// Ask the carrier whether it delivered.
    LookUpTopUp,
    /// Give an attempt's capture back in full.
    Refund {
        /// Which attempt.
        attempt: u32,
    },
    /// Never charge this method for this rule again.
    Bar {
        /// Which method.
        payment_method_id: PaymentMethodId,
    },
    /// The rule waits for the customer.
    Suspend {
        /// Why.
        why: Suspension,
    },
    /// Tell the customer.
    Tell {
        /// What.
        news: News,
    },
    /// Look at the line again.
    Evaluate,
}

/// What the customer hears about a recharge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum News {
    /// Charged and credited.
    Recharged,
    /// The first decline, with the next try if there is one.
    Declined {
        /// When it is tried again.
        next_try_at: Option<Instant>,
    },
    /// The bank wants the customer.
    CustomerNeeded {
        /// Where.
        url: String,
        /// Until when.
        until: Instant,
    },
    /// Sent, no answer.
    Unknown,
    /// Ended without a charge.
    NotCharged,
    /// Not delivered: the money comes back.
    Refunding,
    /// Taken otherwise than agreed, twice, or after the end: all of it comes back.
    WronglyTaken {
        /// How much was taken.
        amount: Money,
    },
    /// The money is back.
    Refunded {
        /// How much.
        amount: Money,
    },
    /// It was delivered although the money goes back: the customer has both.
    DeliveredAfterAll,
}

impl News {
    /// The stable code: part of the key by which each piece of news is told once.
    pub fn code(&self) -> &'static str {
        match self {
            News::Recharged => "recharged",
            News::Declined { .. } => "declined",
            News::CustomerNeeded { .. } => "customer_needed",
            News::Unknown => "unknown",
            News::NotCharged => "not_charged",
            News::Refunding => "refunding",
            News::WronglyTaken { .. } => "wrongly_taken",
            News::Refunded { .. } => "refunded",
            News::DeliveredAfterAll => "delivered_after_all",
        }
    }
}

/// What the line gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// The bucket it becomes, when it is data.
    pub bucket_id: BucketId,
    /// How much.
    pub adds: Adds,
    /// When it expires, when it is data.
    pub expires_at: Option<Instant>,
}
