//! The gateway's own list, compared with what we believe: whatever it says otherwise is looked up.
//!
//! Place in the flow: `worker` runs it every few minutes, a webhook for one payment at once. It
//! makes a look-up due, and the look-up goes the one way through `perform` and `advance`; only of
//! a second payment for one attempt, which no look-up of ours asks for, it says so itself. So a
//! lost webhook costs minutes, never money.

use super::{
    advance::{advance, ring},
    hear_disputes,
};
#[cfg(test)]
use crate::simulator::defects::{Defect, planted};
use crate::{
    Shared,
    error::Result,
    fault::Kept,
    gateway::{Failure, Payment, PaymentState},
    store::{
        jobs::{self, Work},
        lines, recharges,
    },
};
use laika_core::{
    id::AccountId,
    recharge::{Effect, Fact, Outcome},
    time::Span,
};

/// *Source*: rules.md, invariant 17.
const ALERT_AFTER: Span = Span::minutes(30);
/// How far back the list is read: longer than any key lives.
const BACK: Span = Span::hours(72);
/// How long after a charge a bank may still be told that it was wrong: 120 days, and some.
const DISPUTES_BACK: Span = Span::days(150);

/// Says what is not known for too long, then compares the gateway's list.
pub async fn compare_list(app: &Shared) -> Result<()> {
    // Why: first, as most is unknown just when the gateway gives no list.
    alert(app).await?;
    compare_all(app).await
}

/// Tells the gateway where webhooks go; whether it answers.
pub async fn announce(app: &Shared) -> bool {
    let Ok(gateway) = app.gateway() else { return false };
    let webhook = format!("{}/api/v1/webhooks/sandbox", app.own_origin());
    if let Err(Failure::Unknown(no)) = gateway.announce(&webhook).await {
        tracing::warn!(why = no.why, "the gateway does not answer");
        return false;
    }
    true
}

/// Reads the list and makes due what it contradicts; also tells the gateway where webhooks go.
async fn compare_all(app: &Shared) -> Result<()> {
    #[cfg(test)]
    if planted(Defect::OnlyWebhooks) {
        return Ok(());
    }
    let gateway = app.gateway()?;
    if !announce(app).await {
        return Ok(());
    }
    let listed = gateway.list(app.clock.now().minus(BACK).micros()).await;
    let payments = match listed {
        Ok(payments) => payments,
        Err(failure) => {
            tracing::warn!(?failure, "the gateway gives no list");
            return Ok(());
        }
    };
    for payment in &payments {
        compare(app, payment).await?;
    }
    hear_disputes::since(app, app.clock.now().minus(DISPUTES_BACK)).await
}

/// Nothing stays unknown for long without somebody hearing of it.
async fn alert(app: &Shared) -> Result<()> {
    let now = app.clock.now();
    let unknown = recharges::unknown(&mut *app.store.read().await?).await?;
    for recharge in unknown {
        if recharge.unknown_since().is_some_and(|since| now.since(since) >= ALERT_AFTER) {
            let (id, status) = (&recharge.id, recharge.status);
            tracing::error!(recharge = %id, ?status, "not known for over 30 min");
        }
    }
    Ok(())
}

/// Makes a look-up due when a payment stands otherwise at the gateway than with us.
pub async fn compare(app: &Shared, payment: &Payment) -> Result<()> {
    let (Some(account), Some(id), Some(number)) =
        (&payment.account_id, &payment.recharge_id, payment.attempt)
    else {
        return Ok(());
    };
    let Some(account_id) = AccountId::new(account.as_str()) else { return Ok(()) };
    let stored = {
        let mut snapshot = app.store.read().await?;
        recharges::get(&mut snapshot, account, id).await?
    };
    let Some(recharge) = stored.map(|stored| stored.recharge) else { return Ok(()) };
    let Some(attempt) = recharge.attempt(number) else { return Ok(()) };
    #[cfg(test)]
    defects(app, &account_id, payment, &recharge).await?;
    let agrees = match (&payment.state, &attempt.outcome) {
        (PaymentState::Captured { amount }, Some(Outcome::Captured { .. })) => {
            if !recharge.has_captured(&payment.id) && payment.refunded_minor == 0 {
                tracing::error!(recharge = id, "the gateway holds a second capture");
                let (payment, amount) = (payment.id.clone(), *amount);
                let fact = Fact::Captured { attempt: number, payment, amount };
                advance(app, &account_id, &recharge.id, &fact, None).await?;
            }
            true
        }
        (PaymentState::ActionRequired { .. }, Some(Outcome::ActionRequired { .. })) => true,
        // Why: nothing is known from it; the look-ups that are due go on.
        (PaymentState::Undecided, _) => true,
        (PaymentState::Captured { .. }, _) | (_, None) => false,
        (_, Some(Outcome::ActionRequired { .. })) => false,
        (_, Some(_)) => true,
    };
    if agrees {
        return Ok(());
    }
    let effect = Effect::LookUpPayment { attempt: number };
    let work = Work::Recharge { recharge_id: recharge.id.clone(), effect };
    let line_id = recharge.line_id.as_str();
    let mut tx = app.store.write().await?;
    // Why: in the order of every money transaction, the line before its jobs.
    if let Some(line) = lines::lock(&mut tx, account, line_id, app.clock.now()).await? {
        jobs::enqueue(&mut tx, account, line_id, &work, line.newest_at).await?;
        tx.commit_as(Kept::LookUpDue).await?;
        ring(app);
    }
    Ok(())
}

/// What the planted defects make of what the gateway says. See `simulator/defects`.
#[cfg(test)]
async fn defects(
    app: &Shared,
    account: &AccountId,
    payment: &Payment,
    recharge: &laika_core::recharge::Recharge,
) -> Result<()> {
    use laika_core::recharge::Status;
    let captured = matches!(payment.state, PaymentState::Captured { .. });
    if planted(Defect::SettledTwice) && captured && recharge.status == Status::Done {
        super::advance::settle_again(app, account, &recharge.id).await?;
    }
    let declined = matches!(payment.state, PaymentState::Declined { .. });
    if planted(Defect::LateFailure) && declined {
        let mut tx = app.store.write().await?;
        let mut failed = recharge.clone();
        failed.status = Status::Failed;
        recharges::update(&mut tx, account.as_str(), &failed).await?;
        tx.commit_as(Kept::Fact).await?;
    }
    Ok(())
}
