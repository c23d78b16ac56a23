//! Disputes, as the gateway tells of them: each becomes a fact about what goes back of its payment,
//! whoever told of it first, a webhook or the gateway's list. While one is open the line's rule
//! waits.
//!
//! Place in the flow: `compare_list` hears all of them every few minutes, a webhook those of one
//! payment at once, and `perform` those of a payment that it gives back. A dispute about a recharge
//! that goes on is heard once that has ended or its money goes back: the list tells of it again.
//! One that is open for longer than the list reaches back is asked for by its payment.

use super::returns::{attempt_of, hear};
use crate::{
    Shared,
    error::{Error, Result},
    gateway::{Dispute, Failure},
    store::{recharges, returns},
};
use axum::http::StatusCode;
use laika_core::{
    id::{AccountId, RechargeId},
    returns::{ReturnFact, Returns},
    time::Instant,
};
use std::collections::HashSet;

/// Hears every dispute that began since an instant, and every other that is open with us: how long
/// a bank takes to decide has no bound.
pub async fn since(app: &Shared, since: Instant) -> Result<()> {
    let listed = match app.gateway()?.disputes(since.micros()).await {
        Ok(disputes) => disputes,
        Err(failure) => {
            tracing::warn!(%failure, "the gateway lists no disputes");
            return Ok(());
        }
    };
    all(app, &listed).await?;
    unlisted(app, &listed).await
}

/// Asks for each dispute that is open with us and that the list does not reach back to.
async fn unlisted(app: &Shared, listed: &[Dispute]) -> Result<()> {
    let listed: HashSet<&str> = listed.iter().map(|dispute| dispute.id.as_str()).collect();
    let open = returns::disputed(&mut *app.store.read().await?).await?;
    let undecided = |run: &Returns| {
        let mut open = run.disputes.iter().filter(|it| it.status.is_open());
        open.any(|it| !listed.contains(it.dispute.as_str()))
    };
    for run in open.iter().filter(|run| undecided(run)) {
        match app.gateway()?.disputes_about(&run.payment).await {
            Ok(disputes) => all(app, &disputes).await?,
            Err(failure) => {
                let payment = &run.payment;
                tracing::warn!(%failure, payment, "the gateway tells of no dispute");
            }
        }
    }
    Ok(())
}

/// Hears the disputes about one payment. *Errors*: 503 when the gateway does not answer, so that
/// the webhook is sent again.
pub async fn about(app: &Shared, payment: &str) -> Result<()> {
    match app.gateway()?.disputes_about(payment).await {
        Ok(disputes) => all(app, &disputes).await,
        Err(failure) => {
            let status = StatusCode::SERVICE_UNAVAILABLE;
            Err(Error::problem(status, "gateway_silent", failure.to_string()))
        }
    }
}

/// What the gateway says of a dispute. Whether its money goes back anyway is seen with the line
/// locked.
pub fn fact(dispute: &Dispute) -> ReturnFact {
    let (amount, status) = (dispute.amount, dispute.status);
    ReturnFact::Disputed { dispute: dispute.id.clone(), amount, status, instead: false }
}

async fn all(app: &Shared, disputes: &[Dispute]) -> Result<()> {
    for dispute in disputes {
        let Some(payment) = &dispute.payment else {
            tracing::error!(dispute = dispute.id, "a dispute about no payment");
            continue;
        };
        let Some((account, recharge, attempt)) = paid_for(app, payment, dispute).await? else {
            continue;
        };
        hear(app, &account, &recharge, attempt, &fact(dispute), None).await?;
    }
    Ok(())
}

/// Which attempt of whose recharge a disputed payment was; nothing when all of the dispute is known
/// already, or when it is about no payment of ours that took money.
async fn paid_for(
    app: &Shared,
    payment: &str,
    dispute: &Dispute,
) -> Result<Option<(AccountId, RechargeId, u32)>> {
    let known = returns::of_payment(&mut *app.store.read().await?, payment).await?;
    if let Some((account, run)) = known {
        let same = run.disputes.iter().find(|known| known.dispute == dispute.id);
        let heard = same.is_some_and(|known| known.status == dispute.status);
        return Ok((!heard).then_some((account, run.recharge_id, run.attempt)));
    }
    let told = match app.gateway()?.payment(payment).await {
        Ok(told) => told,
        // Another's, or not to be had now: the list tells of it again.
        Err(Failure::Refused { .. } | Failure::Unknown(_)) => return Ok(None),
    };
    let (Some(account), Some(id)) = (told.account_id.and_then(AccountId::new), told.recharge_id)
    else {
        return Ok(None);
    };
    let stored = recharges::get(&mut *app.store.read().await?, account.as_str(), &id).await?;
    let Some(recharge) = stored.map(|stored| stored.recharge) else {
        tracing::error!(
            payment,
            dispute = dispute.id,
            "a charge is disputed that is not on record"
        );
        return Ok(None);
    };
    let attempt = attempt_of(&recharge, payment);
    Ok(attempt.map(|attempt| (account, recharge.id, attempt)))
}
