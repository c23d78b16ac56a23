//! What goes back of a payment beside its recharge: a fact, core's `returns::apply`, and all
//! that follows in one transaction: the run's row, the books, the refund's job, messages, the look
//! at the rule that waits for a dispute, the case that waited for the money.
//!
//! Place in the flow: beside `advance`, which ends where this begins. A refund that is asked for
//! here is durable before it is sent; `perform` sends it, under its own derived key, and what it
//! hears comes back here. So do disputes, from the webhook and from the gateway's list alike.

use super::{
    advance::{lock, ring},
    inputs,
    tell::{speech, tell},
};
use crate::{
    Shared,
    error::{Error, Result},
    fault::Kept,
    store::{
        Tx, accounts, cases,
        jobs::{self, Claimed, Work},
        ledger,
        lines::Line,
        returns::{self, Stored},
    },
};
use laika_core::{
    id::{AccountId, RechargeId},
    recharge::{Fact, News, Outcome, Recharge},
    returns::{
        DisputeStatus, RefundStatus, ReturnAlert, ReturnEffect, ReturnFact, ReturnStep, Returns,
        apply,
    },
};

/// What a fact did.
#[derive(Debug, Default)]
pub struct Heard {
    /// The run afterwards; nothing when there is none, because the recharge goes on and keeps what
    /// was taken, or the attempt took no money.
    pub returns: Option<Returns>,
    /// Whether it is another one than before.
    pub changed: bool,
    alerts: Vec<ReturnAlert>,
}

/// Takes a fact in. With a job, the job ends in the same transaction; when another worker holds it
/// by now, nothing is written.
pub async fn hear(
    app: &Shared,
    account_id: &AccountId,
    recharge_id: &RechargeId,
    attempt: u32,
    fact: &ReturnFact,
    job: Option<&Claimed>,
) -> Result<Heard> {
    let mut tx = app.store.write().await?;
    let Some((line, recharge)) = lock(app, &mut tx, account_id, recharge_id).await? else {
        tx.rollback().await?;
        return Err(Error::internal(format!("there is no recharge {recharge_id}")));
    };
    if let Some(job) = job
        && !jobs::finish(&mut tx, job).await?
    {
        tx.rollback().await?;
        return Ok(Heard::default());
    }
    let heard = take_in(&mut tx, &line, &recharge, attempt, fact).await?;
    tx.commit_as(Kept::Returned).await?;
    heard.alert(recharge_id);
    ring(app);
    Ok(heard)
}

impl Heard {
    /// Says, after the commit, what an operator has to look at.
    pub fn alert(&self, recharge_id: &RechargeId) {
        for why in &self.alerts {
            match why {
                ReturnAlert::DisputeOpened => {
                    tracing::error!(recharge = %recharge_id, "a charge is disputed");
                }
                ReturnAlert::DisputeTurned => {
                    tracing::error!(recharge = %recharge_id, "a lost dispute is won after all");
                }
                ReturnAlert::RefundFailed => {
                    tracing::error!(recharge = %recharge_id, "the gateway refuses a refund");
                }
                ReturnAlert::ReturnedTwice => {
                    tracing::error!(recharge = %recharge_id, "more went back than was captured");
                }
            }
        }
    }
}

/// The attempt under which our record has a payment that took money.
pub fn attempt_of(recharge: &Recharge, payment: &str) -> Option<u32> {
    let is = |outcome: &Option<Outcome>| match outcome {
        Some(Outcome::Captured { payment: known, .. }) => known == payment,
        _ => false,
    };
    recharge.attempts.iter().find(|attempt| is(&attempt.outcome)).map(|attempt| attempt.number)
}

/// Applies a fact to what goes back of an attempt; the line is locked.
pub async fn take_in(
    tx: &mut Tx,
    line: &Line,
    recharge: &Recharge,
    attempt: u32,
    fact: &ReturnFact,
) -> Result<Heard> {
    let (account, now) = (line.account_id.as_str(), line.newest_at);
    let kept = returns::get(tx, account, recharge.id.as_str(), attempt).await?;
    let steps = kept.as_ref().map_or(0, |kept| kept.steps);
    let known = kept.map(|kept| kept.returns).or_else(|| Returns::of(recharge, attempt));
    let Some(before) = known else { return Ok(Heard::default()) };
    if is_perhaps_ours(&before, fact) {
        return Ok(Heard { returns: Some(before), ..Heard::default() });
    }
    let mut fact = fact.clone();
    if let ReturnFact::Disputed { dispute, instead, status, .. } = &mut fact {
        let by_it = |it: &Fact| matches!(it, Fact::Refunded { refund, .. } if refund == dispute);
        let is_back_by_it = recharge.facts.iter().any(|seen| by_it(&seen.fact));
        // Why: what a bank takes back again from the customer is no refund any more.
        let is_back = is_back_by_it && *status != DisputeStatus::Won;
        *instead = recharge.goes_back(attempt) || is_back;
    }
    let ReturnStep { returns, postings, effects } = apply(before.clone(), &fact, now);
    let changed = returns != before;
    let steps = steps.saturating_add(i64::from(changed));
    if changed {
        returns::put(tx, line, &Stored { returns: returns.clone(), steps, changed_at: now })
            .await?;
        accounts::bump(tx, account).await?;
        end_case(tx, line, &returns, &fact).await?;
    }
    if !postings.is_empty() {
        ledger::post(tx, line, &ledger_key(&recharge.id, attempt, steps), &postings).await?;
    }
    let mut alerts = Vec::new();
    for due in effects {
        match due.effect {
            ReturnEffect::Refund { number } => {
                let recharge_id = recharge.id.clone();
                let work = Work::GiveBack { recharge_id, attempt, number };
                jobs::enqueue(tx, account, line.id.as_str(), &work, due.at).await?;
            }
            ReturnEffect::Alert { why } => alerts.push(why),
            ReturnEffect::TellRefunded { .. } | ReturnEffect::TellDispute { .. } => {
                tell_of(tx, line, recharge, &due.effect, &format!("{attempt}-{steps}")).await?;
            }
            ReturnEffect::Evaluate => jobs::look_at(tx, account, line.id.as_str(), due.at).await?,
        }
    }
    Ok(Heard { returns: Some(returns), changed, alerts })
}

/// The name in the books of what a payment's returns moved in one step, counted from 1.
pub fn ledger_key(recharge_id: &RechargeId, attempt: u32, step: i64) -> String {
    format!("{recharge_id}/returns/{attempt}/{step}")
}

/// Whether a refund seen at the gateway may be one of ours that is still under way: then it is its
/// own answer that says so.
fn is_perhaps_ours(returns: &Returns, fact: &ReturnFact) -> bool {
    let under_way = |status| matches!(status, RefundStatus::Asked | RefundStatus::Unknown);
    matches!(fact, ReturnFact::Refunded { key: None, .. })
        && returns.refunds.iter().any(|refund| under_way(refund.status))
}

/// A refund of ours that ended ends the case that asked for it, or hands it to a person.
async fn end_case(tx: &mut Tx, line: &Line, returns: &Returns, fact: &ReturnFact) -> Result<()> {
    let to = match fact {
        ReturnFact::Refunded { key: Some(_), .. } => cases::Status::Settled,
        ReturnFact::RefundFailed { .. } => cases::Status::Open,
        ReturnFact::Refunded { key: None, .. }
        | ReturnFact::RefundAsked { .. }
        | ReturnFact::RefundUnanswered { .. }
        | ReturnFact::Disputed { .. } => return Ok(()),
    };
    let account = line.account_id.as_str();
    cases::refund_ended(tx, account, &returns.payment, to, line.newest_at).await
}

/// Writes the customer's message, once by its key.
async fn tell_of(
    tx: &mut Tx,
    line: &Line,
    recharge: &Recharge,
    effect: &ReturnEffect,
    step: &str,
) -> Result<()> {
    let Some(owner) = accounts::get(tx, line.account_id.as_str()).await? else { return Ok(()) };
    let zone = inputs::zone(&owner, line.newest_at)?;
    let speech = speech(&owner, &zone, line.newest_at);
    let body = match effect {
        ReturnEffect::TellRefunded { amount } => {
            let news = News::Refunded { amount: *amount };
            speech.news(&news, recharge.order.amount, recharge.order.adds)
        }
        ReturnEffect::TellDispute { open } => speech.dispute_news(*open).to_owned(),
        ReturnEffect::Refund { .. } | ReturnEffect::Alert { .. } | ReturnEffect::Evaluate => {
            return Ok(());
        }
    };
    let key = format!("{}-returns-{step}", recharge.id);
    tell(tx, &owner, &key, &body, line.newest_at).await
}
