//! The one match from effects to adapters: what a job asks for is done outside, and what was seen
//! comes back as a fact.
//!
//! Place in the flow: `worker` claims a job -> `perform` -> gateway or carrier -> `advance`. No
//! adapter is called inside a database transaction. Every effect is safe to do twice: charges,
//! top-ups and refunds carry their derived key. It decides nothing about money itself; before a
//! charge is sent, `submit` has `decide` say so again.

mod give_back;

use super::{
    advance::advance,
    hear_disputes, refresh_method, returns,
    submit::{Submitted, return_url, submit},
};
#[cfg(test)]
use crate::simulator::defects::{Defect, planted};
use crate::{
    Shared, carrier,
    error::{Error, Result},
    fault::{self, Kept, Point},
    gateway::{Failure, NOT_FOUND, Payment, PaymentState, Search},
    outbound::NoAnswer,
    store::{
        accounts,
        jobs::{self, Claimed, Work},
        lines, payment_methods, recharges, settings,
    },
};
use laika_core::{
    decide::Cause,
    id::{IdempotencyKey, RechargeId},
    money::Money,
    recharge::{Attempt, Effect, Fact, Outcome, Recharge, Status},
    reconcile::TopUp,
    returns::DisputeStatus,
    time::Span,
};

/// How often something that never reached the other side is simply tried again.
const TRIES: i64 = 5;

/// Whoever wants to be left alone for longer is asked again all the same.
const LONGEST_WAIT: Span = Span::minutes(10);

/// What follows from doing a job.
pub(super) enum Next {
    /// Something was seen.
    Fact(Fact),
    /// There is nothing (more) to do.
    Nothing,
    /// Not now: the same again, later.
    Again(Span),
    /// All is written already, the job's end included.
    Written,
}

/// Does one job.
pub async fn perform(app: &Shared, job: &Claimed) -> Result<()> {
    let next = match &job.work {
        Work::Evaluate => evaluate(app, job).await?,
        Work::Detach { token } => detach(app, job, token).await?,
        Work::Refresh { payment_method_id } => {
            refresh_method::refresh(app, job, payment_method_id).await?
        }
        Work::GiveBack { recharge_id, attempt, number } => {
            give_back::give_back(app, job, recharge_id, *attempt, *number).await?
        }
        Work::Recharge { recharge_id, effect } => {
            let recharge = load(app, job, recharge_id).await?;
            match effect {
                Effect::Charge { attempt } => charge(app, job, &recharge, *attempt).await?,
                Effect::LookUpPayment { attempt } => look_up(app, job, &recharge, *attempt).await?,
                Effect::CancelPayment { attempt } => cancel(app, job, &recharge, *attempt).await?,
                Effect::TopUp => top_up(app, job, &recharge).await?,
                Effect::LookUpTopUp => look_up_top_up(app, job, &recharge).await?,
                Effect::Refund { attempt } => refund(app, job, &recharge, *attempt).await?,
                Effect::Bar { .. }
                | Effect::Suspend { .. }
                | Effect::Tell { .. }
                | Effect::Evaluate => Next::Nothing,
            }
        }
    };
    conclude(app, job, next).await
}

/// Writes down what follows; the job ends in the same transaction.
async fn conclude(app: &Shared, job: &Claimed, next: Next) -> Result<()> {
    match (next, &job.work) {
        (Next::Written, _) => {}
        (Next::Fact(fact), Work::Recharge { recharge_id, .. }) => {
            if !advance(app, &job.account_id, recharge_id, &fact, Some(job)).await? {
                lost(job);
                // Why: whoever did the job meanwhile may have heard a no before this yes was given,
                // and then nobody asks again. What moved has moved, whoever saw it.
                if fact.moved() {
                    advance(app, &job.account_id, recharge_id, &fact, None).await?;
                }
            }
        }
        (Next::Again(wait), _) => {
            let mut tx = app.store.write().await?;
            jobs::retry(&mut tx, job, app.clock.now().plus(wait), None).await?;
            tx.commit_as(Kept::Later).await?;
        }
        (Next::Nothing | Next::Fact(_), _) => {
            let mut tx = app.store.write().await?;
            if !jobs::finish(&mut tx, job).await? {
                lost(job);
            }
            tx.commit_as(Kept::Finish).await?;
        }
    }
    Ok(())
}

/// Somebody else does the job by now: what follows from it is theirs.
fn lost(job: &Claimed) {
    tracing::warn!(line = %job.line_id, work = ?job.work, "the claim is lost");
}

/// The recharge as it stands; the snapshot ends here, before anything outside is called.
async fn load(app: &Shared, job: &Claimed, recharge_id: &RechargeId) -> Result<Recharge> {
    let mut snapshot = app.store.read().await?;
    let account = job.account_id.as_str();
    let stored = recharges::get(&mut snapshot, account, recharge_id.as_str()).await?;
    stored.map(|stored| stored.recharge).ok_or_else(|| missing(recharge_id))
}

fn missing(recharge_id: &RechargeId) -> Error {
    Error::internal(format!("there is no recharge {recharge_id}"))
}

/// Longer with each try, from one second up.
fn soon(job: &Claimed) -> Next {
    Next::Again(pause(job))
}

/// The same again soon, but not before the other side wants to hear of it, within reason.
fn turned_away(job: &Claimed, no: &NoAnswer) -> Next {
    let wanted = no.retry_after.map_or(Span(0), |wanted| wanted.min(LONGEST_WAIT));
    Next::Again(pause(job).max(wanted))
}

fn pause(job: &Claimed) -> Span {
    Span::seconds(1 << job.attempts.clamp(0, 6))
}

/// Looks at the line: does the rule recharge now?
async fn evaluate(app: &Shared, job: &Claimed) -> Result<Next> {
    let (account, line_id) = (job.account_id.as_str(), job.line_id.as_str());
    let mut tx = app.store.write().await?;
    let Some(line) = lines::lock(&mut tx, account, line_id, app.clock.now()).await? else {
        tx.rollback().await?;
        return Ok(Next::Nothing);
    };
    if !jobs::finish(&mut tx, job).await? {
        tx.rollback().await?;
        return Ok(Next::Written);
    }
    super::evaluate::line_changed(&mut tx, &line, &Cause::Timer).await?;
    accounts::bump(&mut tx, account).await?;
    tx.commit_as(Kept::Look).await?;
    super::advance::ring(app);
    Ok(Next::Written)
}

/// Sends an attempt, after `decide` has said again that it may be sent.
async fn charge(app: &Shared, job: &Claimed, recharge: &Recharge, attempt: u32) -> Result<Next> {
    if app.clock.is_apart(app.gateway_clock.now()) {
        // Why: it has not told its time, or one of the two was put right since.
        app.gateway()?.tell_time().await;
    }
    let charge = match submit(app, job, &recharge.id, attempt).await? {
        Submitted::Send(charge) => charge,
        Submitted::TooLate => return Ok(Next::Fact(Fact::Unanswered { attempt })),
        Submitted::Written => return Ok(Next::Written),
        Submitted::Nothing => return Ok(Next::Nothing),
        Submitted::NotYet(wait) => return Ok(Next::Again(wait)),
    };
    let answer = app.gateway()?.charge(&charge).await;
    fault::at(Point::ChargeAnswered)?;
    #[cfg(test)]
    if let Some(next) = defects::charged(app, job, recharge, attempt, &answer).await? {
        return Ok(next);
    }
    Ok(match answer {
        Ok(payment) => Next::Fact(seen(attempt, payment)),
        Err(Failure::Refused { code }) => {
            // Why: a token that the gateway does not know will never be known again.
            let hard = code == NOT_FOUND;
            Next::Fact(Fact::Declined { attempt, code, hard })
        }
        Err(Failure::Unknown(no)) if no.never_sent && job.attempts < TRIES => turned_away(job, &no),
        Err(Failure::Unknown(no)) => {
            tracing::warn!(recharge = %recharge.id, attempt, why = no.why, "charge unanswered");
            Next::Fact(Fact::Unanswered { attempt })
        }
    })
}

/// Asks what became of an attempt, by key and by listing.
async fn look_up(app: &Shared, job: &Claimed, recharge: &Recharge, number: u32) -> Result<Next> {
    let Some(attempt) = unsettled(recharge, number) else { return Ok(Next::Nothing) };
    #[cfg(test)]
    if planted(Defect::OnlyWebhooks) {
        return Ok(Next::Nothing);
    }
    let mut found = find(app, job, recharge, attempt).await?;
    if let (Ok(Some(payment)), None) = (&found, &attempt.outcome)
        && payment.state == PaymentState::Unasked
        && may_ask(app, job, recharge).await?
    {
        found = app.gateway()?.ask(&payment.id, &return_url(app)).await.map(Some);
    }
    Ok(match (found, &attempt.outcome) {
        (Ok(Some(payment)), outcome) => match (seen(number, payment), outcome) {
            (Fact::ActionRequired { .. } | Fact::Unanswered { .. }, Some(_)) => Next::Nothing,
            (fact, _) => Next::Fact(fact),
        },
        #[cfg(test)]
        (Ok(None), None) if planted(Defect::NotFoundBelieved) => Next::Fact(Fact::Declined {
            attempt: number,
            code: "not_found".to_owned(),
            hard: false,
        }),
        (Ok(None), None) => Next::Fact(Fact::NotFound { attempt: number }),
        (Ok(None), Some(_)) => Next::Nothing,
        (Err(_), None) => Next::Fact(Fact::Unanswered { attempt: number }),
        (Err(_), Some(_)) => soon(job),
    })
}

/// Whether the customer may still be asked by the bank: who agrees there has paid.
async fn may_ask(app: &Shared, job: &Claimed, recharge: &Recharge) -> Result<bool> {
    let line = line(app, job, recharge).await?;
    let mut snapshot = app.store.read().await?;
    let stopped = line.stopped || settings::charging_stopped(&mut snapshot).await?;
    Ok(!stopped && !recharge.stopped && recharge.paid_at.is_none() && !recharge.status.is_end())
}

/// Makes sure that an attempt can no longer capture.
async fn cancel(app: &Shared, job: &Claimed, recharge: &Recharge, number: u32) -> Result<Next> {
    let Some(attempt) = unsettled(recharge, number) else { return Ok(Next::Nothing) };
    let payment = match (find(app, job, recharge, attempt).await?, &attempt.outcome) {
        (Ok(Some(payment)), _) => payment,
        (Ok(None), None) => return Ok(Next::Fact(Fact::NotFound { attempt: number })),
        // Why: a payment that the gateway named before and cannot find now is not cancelled by it.
        (Ok(None), Some(Outcome::ActionRequired { .. })) | (Err(_), _) => return Ok(soon(job)),
        // It is settled: what never arrived, or is over, needs no cancelling.
        (Ok(None), Some(_)) => return Ok(Next::Nothing),
    };
    let open = match payment.state {
        PaymentState::ActionRequired { .. } | PaymentState::Unasked => true,
        PaymentState::Undecided => true,
        PaymentState::Captured { .. } | PaymentState::Declined { .. } => false,
        PaymentState::Cancelled => false,
    };
    if !open {
        return Ok(Next::Fact(seen(number, payment)));
    }
    let answer = app.gateway()?.cancel(&payment.id).await;
    fault::at(Point::CancelAnswered)?;
    Ok(match answer {
        Ok(payment) => Next::Fact(seen(number, payment)),
        // Decided in the meantime, one way or the other: look again.
        Err(Failure::Refused { .. } | Failure::Unknown(_)) => soon(job),
    })
}

/// The payment of an attempt at the gateway: the one that took money, if any did.
async fn find(
    app: &Shared,
    job: &Claimed,
    recharge: &Recharge,
    attempt: &Attempt,
) -> Result<Result<Option<Payment>, Failure>> {
    let customer = {
        let mut snapshot = app.store.read().await?;
        payment_methods::customer(&mut snapshot, job.account_id.as_str()).await?
    };
    let customer =
        customer.ok_or_else(|| Error::internal("a payment without a gateway customer"))?;
    let search = Search {
        key: &attempt.idempotency_key,
        recharge_id: &recharge.id,
        attempt: attempt.number,
        customer: &customer,
        since: recharge.opened_at,
    };
    let gateway = match app.gateway() {
        Ok(gateway) => gateway,
        Err(error) => {
            let why = error.to_string();
            return Ok(Err(Failure::Unknown(NoAnswer::never_sent(why))));
        }
    };
    let found = gateway.find(&search).await;
    fault::at(Point::PaymentFound)?;
    let rank = |payment: &Payment| match payment.state {
        PaymentState::Captured { .. } => 0,
        PaymentState::Undecided => 1,
        PaymentState::ActionRequired { .. } => 2,
        PaymentState::Unasked => 3,
        PaymentState::Declined { .. } => 4,
        PaymentState::Cancelled => 5,
    };
    Ok(found.map(|found| found.into_iter().min_by_key(rank)))
}

/// An attempt of which more may be heard: everything but a capture.
fn unsettled(recharge: &Recharge, number: u32) -> Option<&Attempt> {
    recharge
        .attempt(number)
        .filter(|attempt| !matches!(attempt.outcome, Some(Outcome::Captured { .. })))
}

/// What a payment at the gateway means for its attempt.
fn seen(attempt: u32, payment: Payment) -> Fact {
    match payment.state {
        PaymentState::Captured { amount } => {
            Fact::Captured { attempt, payment: payment.id, amount }
        }
        PaymentState::Declined { code, hard } => Fact::Declined { attempt, code, hard },
        PaymentState::ActionRequired { url } => {
            Fact::ActionRequired { attempt, payment: payment.id, url }
        }
        // Why: what is not decided yet may still be either.
        PaymentState::Unasked | PaymentState::Undecided => Fact::Unanswered { attempt },
        PaymentState::Cancelled => Fact::PaymentCancelled { attempt },
    }
}

/// Asks the carrier to deliver.
async fn top_up(app: &Shared, job: &Claimed, recharge: &Recharge) -> Result<Next> {
    if !waits_for_delivery(recharge) {
        return Ok(Next::Nothing);
    }
    let line = line(app, job, recharge).await?;
    let asked = app.carrier()?.top_up(&order(recharge, &line)).await;
    fault::at(Point::TopUpAnswered)?;
    Ok(match asked {
        Ok(top_up) => Next::Fact(delivered(top_up)),
        Err(Failure::Refused { code }) => {
            tracing::warn!(recharge = %recharge.id, code, "the carrier does not deliver");
            Next::Fact(Fact::NotDelivered)
        }
        Err(Failure::Unknown(no)) if no.never_sent && job.attempts < TRIES => turned_away(job, &no),
        Err(Failure::Unknown(no)) => {
            tracing::warn!(recharge = %recharge.id, why = no.why, "top-up unanswered");
            Next::Fact(Fact::DeliveryUnanswered)
        }
    })
}

/// Asks the carrier whether it delivered.
async fn look_up_top_up(app: &Shared, job: &Claimed, recharge: &Recharge) -> Result<Next> {
    if !waits_for_delivery(recharge) {
        return Ok(Next::Nothing);
    }
    let line = line(app, job, recharge).await?;
    let found = app.carrier()?.find(&order(recharge, &line)).await;
    fault::at(Point::TopUpFound)?;
    Ok(Next::Fact(match found {
        Ok(Some(top_up)) => delivered(top_up),
        Ok(None) => Fact::TopUpNotFound,
        Err(failure) => {
            tracing::warn!(recharge = %recharge.id, ?failure, "the carrier does not say");
            Fact::DeliveryUnanswered
        }
    }))
}

/// What a top-up at the carrier means.
pub(super) fn delivered(top_up: TopUp) -> Fact {
    Fact::Delivered { top_up: top_up.id, delivered_at: Some(top_up.delivered_at) }
}

/// The line of a recharge.
async fn line(app: &Shared, job: &Claimed, recharge: &Recharge) -> Result<lines::Line> {
    let mut snapshot = app.store.read().await?;
    let line = lines::get(&mut snapshot, job.account_id.as_str(), job.line_id.as_str()).await?;
    line.ok_or_else(|| missing(&recharge.id))
}

/// What the carrier is to give for a recharge.
fn order<'a>(recharge: &'a Recharge, line: &'a lines::Line) -> carrier::Order<'a> {
    carrier::Order {
        key: IdempotencyKey::of_top_up(&recharge.id),
        iccid: &line.iccid,
        recharge_id: &recharge.id,
        currency: recharge.order.amount.currency,
        adds: recharge.order.adds,
    }
}

fn waits_for_delivery(recharge: &Recharge) -> bool {
    matches!(recharge.status, Status::Paid | Status::Delivering | Status::DeliveryUnknown)
}

/// Gives back what is left of an attempt's capture. What a bank took for the customer is back
/// already; while it has not decided nobody knows who will have the money, and the gateway refuses.
async fn refund(app: &Shared, job: &Claimed, recharge: &Recharge, number: u32) -> Result<Next> {
    let outcome = recharge.attempt(number).and_then(|attempt| attempt.outcome.as_ref());
    let Some(Outcome::Captured { payment, amount, refunded: false }) = outcome else {
        return Ok(Next::Nothing);
    };
    if !recharge.goes_back(number) {
        return Ok(Next::Nothing);
    }
    let key = IdempotencyKey::of_refund(&recharge.id, number);
    let gateway = app.gateway()?;
    // Why: after the gateway has forgotten the key, only the payment itself tells what was given
    // back already.
    let Ok(before) = gateway.payment(payment).await else { return Ok(soon(job)) };
    let Ok(disputes) = gateway.disputes_about(payment).await else { return Ok(soon(job)) };
    let done = |refund: String| Next::Fact(Fact::Refunded { attempt: number, refund });
    if before.refunded_minor >= amount.amount_minor {
        return Ok(done(key.to_string()));
    }
    for dispute in &disputes {
        // Why before the money is back: so each is known as one about money that goes back anyway.
        let fact = hear_disputes::fact(dispute);
        returns::hear(app, &job.account_id, &recharge.id, number, &fact, None).await?;
    }
    let lost = || disputes.iter().filter(|it| it.status == DisputeStatus::Lost);
    if let Some(dispute) = lost().find(|it| it.amount.currency != amount.currency) {
        let dispute = &dispute.id;
        tracing::error!(recharge = %recharge.id, dispute, "a bank took another currency");
        return Ok(Next::Again(Span::hours(1)));
    }
    let taken = lost().map(|dispute| dispute.amount.amount_minor);
    let back = taken.fold(before.refunded_minor, i64::saturating_add);
    if back > amount.amount_minor {
        tracing::error!(recharge = %recharge.id, "more went back than was captured");
    }
    if let Some(dispute) = lost().next().filter(|_| back >= amount.amount_minor) {
        return Ok(done(dispute.id.clone()));
    }
    let left = Money::new(amount.amount_minor.saturating_sub(back), amount.currency);
    let answer = gateway.refund(&key, payment, left).await;
    fault::at(Point::RefundAnswered)?;
    Ok(match answer {
        Ok(refund) => done(refund),
        Err(Failure::Unknown(no)) => {
            tracing::warn!(recharge = %recharge.id, why = no.why, "refund unanswered");
            Next::Fact(Fact::RefundUnanswered { attempt: number })
        }
        Err(Failure::Refused { code }) => {
            tracing::error!(recharge = %recharge.id, code, "the gateway refuses a refund");
            Next::Again(Span::hours(1))
        }
    })
}

/// Has the gateway forget a removed method.
async fn detach(app: &Shared, job: &Claimed, token: &str) -> Result<Next> {
    let answer = app.gateway()?.detach(token).await;
    fault::at(Point::DetachAnswered)?;
    Ok(match answer {
        Ok(()) | Err(Failure::Refused { .. }) => Next::Nothing,
        Err(Failure::Unknown(_)) => soon(job),
    })
}

#[cfg(test)]
mod defects;
#[cfg(test)]
mod tests;
