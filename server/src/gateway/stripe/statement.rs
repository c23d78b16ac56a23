//! Stripe's side of a reconciliation: payments, refunds and disputes are three lists there, joined
//! by payment.

use super::read::{DisputeRecord, Refund};
use super::{MARGIN, PaymentIntent, StripeGateway};
use crate::gateway::Failure;
use laika_core::{
    reconcile::{Payment, Statement},
    time::{Instant, Span},
};
use std::collections::HashMap;

/// Its lists have everything after so long.
const SETTLES: Span = Span::minutes(5);

impl StripeGateway {
    /// *Errors*: also where one payment of ours makes no sense: half a statement would be taken for
    /// money that is not there.
    pub(in crate::gateway) async fn statement(
        &self,
        from: Instant,
        until: Instant,
    ) -> Result<Statement<Payment>, Failure> {
        let now = self.wall.plus(self.ahead);
        let until = until.min(now.minus(SETTLES));
        // Why: its times are whole seconds; of one that has only begun it tells nothing.
        let until = self.at(until.minus(self.ahead).seconds()).max(from);
        // Why: by its clock a payment may be older than by ours.
        let since = self.since(from.minus(MARGIN));
        let before = until.minus(self.ahead).seconds().max(0).to_string();
        let made = since.clone().with("created[lt]", before).with("expand[]", "data.latest_charge");
        let made =
            self.all("/v1/payment_intents", made, |intent: &PaymentIntent| &intent.id).await?;
        // Why without an end: what went back of a payment until now belongs to it.
        let refunds = self.all("/v1/refunds", since.clone(), |refund: &Refund| &refund.id).await?;
        let disputes =
            self.all("/v1/disputes", since, |dispute: &DisputeRecord| &dispute.id).await?;
        let mut refunds = by_payment(refunds, |refund| refund.payment_intent.clone());
        let mut disputes = by_payment(disputes, |dispute| dispute.payment().map(str::to_owned));
        let mut rows = Vec::new();
        for intent in made.into_iter().filter(PaymentIntent::is_ours) {
            let refunds = refunds.remove(&intent.id).unwrap_or_default();
            let disputes = disputes.remove(&intent.id).unwrap_or_default();
            rows.push(intent.row(refunds, disputes, &|created| self.at(created))?);
        }
        Ok(Statement { from, until, rows })
    }
}

fn by_payment<T>(rows: Vec<T>, payment: fn(&T) -> Option<String>) -> HashMap<String, Vec<T>> {
    let mut by_payment: HashMap<String, Vec<T>> = HashMap::new();
    for row in rows {
        if let Some(payment) = payment(&row) {
            by_payment.entry(payment).or_default().push(row);
        }
    }
    by_payment
}

#[cfg(test)]
mod tests;
