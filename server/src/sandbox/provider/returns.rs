//! What goes back of a payment at the sandbox provider: refunds, and disputes at the bank; and the
//! settlement statement, which lists payments with both.

use super::records::{Dispute, DisputeStatus, Refund, Settlement};
use super::{Answer, Ids, Provider, Refusal, not_found, refused};

/// How many payments a page of the statement has at most.
const PAGE: usize = 100;

impl Provider {
    pub(super) fn refund(
        &mut self,
        id: &str,
        amount_minor: i64,
        now: i64,
        ids: &mut Ids,
    ) -> Result<Answer, Refusal> {
        let refund = ids.next("ref");
        let Some(payment) = self.payment_mut(id) else { return not_found("payment") };
        // INVARIANT: refunds never exceed the capture.
        if amount_minor <= 0 || amount_minor > payment.left_minor() {
            return refused(422, "amount_refused", "more than is left of this payment");
        }
        payment.refunds.push(Refund { id: refund, amount_minor, created_at: now });
        let payment = payment.clone();
        self.tell("payment.refunded", id, now, ids);
        Ok(Answer::Payment(payment))
    }

    /// The bank takes what is left of a payment back until it has decided.
    pub(super) fn dispute(&mut self, id: &str, now: i64, ids: &mut Ids) -> Result<Answer, Refusal> {
        let dispute = ids.next("dis");
        let Some(payment) = self.payment_mut(id) else { return not_found("payment") };
        let amount_minor = payment.left_minor();
        if amount_minor <= 0 {
            return refused(422, "nothing_to_dispute", "nothing is left of this payment");
        }
        payment.disputes.push(Dispute {
            id: dispute,
            amount_minor,
            status: DisputeStatus::Open,
            created_at: now,
            changed_at: now,
        });
        let payment = payment.clone();
        self.tell("payment.disputed", id, now, ids);
        Ok(Answer::Payment(payment))
    }

    /// The bank decides; what it has decided stays.
    pub(super) fn decide(
        &mut self,
        id: &str,
        won: bool,
        now: i64,
        ids: &mut Ids,
    ) -> Result<Answer, Refusal> {
        let mut payments = self.payments.iter_mut();
        let found = payments.find_map(|payment| {
            let at = payment.disputes.iter().position(|dispute| dispute.id == id)?;
            Some((payment, at))
        });
        let Some((payment, at)) = found else { return not_found("dispute") };
        let Some(dispute) = payment.disputes.get_mut(at) else { return not_found("dispute") };
        if dispute.status != DisputeStatus::Open {
            return refused(409, "dispute_closed", "this dispute is already decided");
        }
        dispute.status = if won { DisputeStatus::Won } else { DisputeStatus::Lost };
        dispute.changed_at = now;
        let payment = payment.clone();
        self.tell("payment.disputed", &payment.id, now, ids);
        Ok(Answer::Payment(payment))
    }

    /// Payments made from `from` (inclusive) to `until` (exclusive): the page that follows the
    /// payment named `after`, or the first.
    pub fn settlement(&self, from: i64, until: i64, after: Option<&str>) -> Settlement {
        let made = self.payments.iter().filter(|p| (from..until).contains(&p.created_at));
        let mut rows = made;
        if let Some(after) = after {
            // Why: a name that is not there is the end of a statement, and no other page.
            rows.find(|payment| payment.id == after);
        }
        let payments: Vec<_> = rows.by_ref().take(PAGE).cloned().collect();
        let last = payments.last().map(|payment| payment.id.clone());
        let next = last.filter(|_| rows.next().is_some());
        Settlement { from, until, payments, next }
    }
}
