//! The sandbox provider's settlement statement and its disputes, in core's terms.

use super::SandboxGateway;
use crate::{
    gateway::{self, Failure, key_of},
    outbound::NoAnswer,
    sandbox::provider::records::{self, DisputeStatus, PaymentStatus, Settlement},
};
use laika_core::{
    money::{Currency, Money},
    reconcile::{Dispute, Payment, PaymentState, Refund, RefundState, Statement},
    returns,
    time::Instant,
};
use serde_json::Value;

impl SandboxGateway {
    /// Every page.
    pub(in crate::gateway) async fn statement(
        &self,
        from: Instant,
        until: Instant,
    ) -> Result<Statement<Payment>, Failure> {
        let mut page = self.page(from.micros(), until.micros(), None).await?;
        let (from, until) = (page.from, page.until);
        let mut rows = Vec::new();
        loop {
            for payment in page.payments {
                // Why: what names no recharge of ours was not asked for by us.
                if payment.charge.metadata.contains_key("recharge_id") {
                    rows.push(row(payment)?);
                }
            }
            let Some(next) = page.next else { break };
            page = self.page(from, until, Some(&next)).await?;
        }
        let (from, until) = (Instant::from_micros(from), Instant::from_micros(until));
        Ok(Statement { from, until, rows })
    }

    async fn page(
        &self,
        from: i64,
        until: i64,
        after: Option<&str>,
    ) -> Result<Settlement, Failure> {
        let after = after.map(|after| format!("&after={after}")).unwrap_or_default();
        let path = format!("/statement?from={from}&until={until}{after}");
        self.ask("GET", &path, None, Value::Null).await
    }

    pub(in crate::gateway) async fn disputes(
        &self,
        since: i64,
    ) -> Result<Vec<gateway::Dispute>, Failure> {
        let disputed = self.listed(&format!("/disputes?since={since}")).await?;
        let mut all = Vec::new();
        for payment in disputed {
            let currency = currency(&payment)?;
            let new = payment.disputes.iter().filter(|dispute| dispute.created_at >= since);
            all.extend(new.map(|dispute| gateway::Dispute {
                id: dispute.id.clone(),
                payment: Some(payment.id.clone()),
                amount: Money::new(dispute.amount_minor, currency),
                status: match dispute.status {
                    DisputeStatus::Open => returns::DisputeStatus::Open,
                    DisputeStatus::Won => returns::DisputeStatus::Won,
                    DisputeStatus::Lost => returns::DisputeStatus::Lost,
                },
            }));
        }
        Ok(all)
    }
}

fn currency(payment: &records::Payment) -> Result<Currency, Failure> {
    Currency::from_code(&payment.charge.currency).ok_or_else(|| {
        let why = format!("payment {}: an unknown currency", payment.id);
        Failure::Unknown(NoAnswer::unknown(why))
    })
}

fn row(payment: records::Payment) -> Result<Payment, Failure> {
    let created_at = Instant::from_micros(payment.created_at);
    let state = match payment.status {
        PaymentStatus::Succeeded => PaymentState::Captured {
            amount: Money::new(payment.captured_minor, currency(&payment)?),
            captured_at: payment.captured_at.map_or(created_at, Instant::from_micros),
        },
        PaymentStatus::RequiresAction => PaymentState::Open,
        PaymentStatus::Declined | PaymentStatus::Cancelled => PaymentState::NotCharged,
    };
    let metadata = &payment.charge.metadata;
    let (recharge_id, attempt) = (metadata.get("recharge_id"), metadata.get("attempt"));
    let refund = |refund: records::Refund| Refund {
        id: refund.id,
        amount_minor: refund.amount_minor,
        state: RefundState::Done,
        changed_at: Instant::from_micros(refund.created_at),
    };
    let dispute = |dispute: records::Dispute| Dispute {
        id: dispute.id,
        open: dispute.status == DisputeStatus::Open,
        withdrawn_minor: dispute.amount_minor,
        reinstated_minor: match dispute.status {
            DisputeStatus::Won => dispute.amount_minor,
            DisputeStatus::Open | DisputeStatus::Lost => 0,
        },
        changed_at: Instant::from_micros(dispute.changed_at),
    };
    Ok(Payment {
        key: key_of(payment.idempotency_key.as_ref(), recharge_id, attempt),
        id: payment.id,
        created_at,
        state,
        refunds: payment.refunds.into_iter().map(refund).collect(),
        disputes: payment.disputes.into_iter().map(dispute).collect(),
    })
}
