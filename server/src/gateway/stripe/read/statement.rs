//! A payment with what went back of it, as a row of a statement.

use super::{DisputeRecord, PaymentIntent, Refund, amount};
use crate::gateway::{Failure, PaymentState as Seen, key_of};
use laika_core::{
    money::Currency,
    reconcile::{self, Payment, PaymentState, RefundState},
    time::Instant,
};

/// Their time of something, as ours.
type At<'a> = &'a dyn Fn(i64) -> Instant;

impl PaymentIntent {
    /// Whether we asked for it.
    pub(in crate::gateway::stripe) fn is_ours(&self) -> bool {
        self.metadata.contains_key("recharge_id")
    }

    /// The payment as it stands, with all its refunds and disputes.
    pub(in crate::gateway::stripe) fn row(
        self,
        refunds: Vec<Refund>,
        disputes: Vec<DisputeRecord>,
        at: At<'_>,
    ) -> Result<Payment, Failure> {
        let charged_at = self.latest_charge.as_ref().and_then(|it| it["created"].as_i64());
        let metadata = |name: &str| self.metadata.get(name);
        let key = key_of(metadata("key"), metadata("recharge_id"), metadata("attempt"));
        let state = match self.state()? {
            Seen::Captured { amount } => {
                let captured_at = at(charged_at.unwrap_or(self.created));
                PaymentState::Captured { amount, captured_at }
            }
            Seen::Declined { .. } | Seen::Cancelled => PaymentState::NotCharged,
            Seen::ActionRequired { .. } | Seen::Unasked | Seen::Undecided => PaymentState::Open,
        };
        let back = refunds.into_iter().map(|it| it.row(&self.currency, at)).collect::<Option<_>>();
        let refunds = back.ok_or_else(|| self.nonsense("a refund"))?;
        let held = disputes.into_iter().map(|it| it.row(&self.currency, at)).collect::<Option<_>>();
        let disputes = held.ok_or_else(|| self.nonsense("a dispute"))?;
        let created_at = at(self.created);
        Ok(Payment { id: self.id, key, created_at, state, refunds, disputes })
    }
}

impl Refund {
    /// *Source*: Stripe's documentation, "The Refund object", read 2026-11.
    fn row(self, currency: &str, at: At<'_>) -> Option<reconcile::Refund> {
        let state = match self.status.as_deref() {
            Some("succeeded") => RefundState::Done,
            Some("failed" | "canceled") => RefundState::Failed,
            // `pending`, `requires_action`, and whatever is not known.
            _ => RefundState::Open,
        };
        let amount_minor = amount::from_stripe(self.amount, currency)?.amount_minor;
        let changed_at = at(self.created);
        Some(reconcile::Refund { id: self.id, amount_minor, state, changed_at })
    }
}

impl DisputeRecord {
    /// What the bank took and returned.
    ///
    /// *Source*: Stripe's documentation, "How disputes work", read 2026-11: an inquiry takes
    /// nothing, a dispute takes its amount at once, one that is won returns it.
    fn row(self, currency: &str, at: At<'_>) -> Option<reconcile::Dispute> {
        let (open, withdrawn, reinstated) = match self.came_to() {
            "warning_needs_response" | "warning_under_review" => (true, false, false),
            "warning_closed" => (false, false, false),
            "won" => (false, true, true),
            "lost" => (false, true, false),
            // `needs_response`, `under_review`, and whatever is not known.
            _ => (true, true, false),
        };
        let amount = self.amount()?;
        let same = Currency::from_code(&currency.to_ascii_uppercase()) == Some(amount.currency);
        let taken = |is: bool| if is && same { amount.amount_minor } else { 0 };
        let moved = self.balance_transactions.iter().map(|moved| moved.created);
        Some(reconcile::Dispute {
            // Why: what was taken in another currency cannot be netted; a person has to look.
            open: open || !same,
            withdrawn_minor: taken(withdrawn),
            reinstated_minor: taken(reinstated),
            changed_at: at(moved.fold(self.created, i64::max)),
            id: self.id,
        })
    }
}
