//! Before a charge is sent: decided again and recorded, in one transaction.
//!
//! Place in the flow: `perform` calls it for each charge, the first time and again. When it answers
//! "send", the submission is durable; whatever happens after that, the attempt is looked up before
//! anything else is charged. This is the barrier: "off", a pause, a removed method or the operator's
//! kill switch that committed first is seen here, under the same line lock.

use super::{
    advance::{lock, ring, take_in},
    inputs, kill_switch,
};
#[cfg(test)]
use crate::simulator::defects::{Defect, planted};
use crate::{
    Shared,
    error::{Error, Result},
    fault::Kept,
    gateway::Charge,
    store::{
        Tx,
        jobs::{self, Claimed},
        lines::Line,
        payment_methods::{self, Method},
        settings,
    },
};
#[cfg(test)]
use laika_core::id::IdempotencyKey;
use laika_core::{
    decide::{Cause, Decision, Order, Reason, TriggerDue, Unusable, decide},
    id::RechargeId,
    recharge::{Attempt, Fact, Recharge},
    time::{Instant, Span},
};

/// How soon it is looked again whether a purchase of which nobody knows is over.
const ANOTHER: Span = Span::minutes(5);

/// What may be done with an attempt.
pub enum Submitted {
    /// It is recorded: send it.
    Send(Box<Charge>),
    /// It was sent too long ago to be sent again: look it up.
    TooLate,
    /// It was withdrawn, or another worker holds the job; all is written.
    Written,
    /// It is settled: there is nothing to send.
    Nothing,
    /// Not now, but after so long: this machine's clock is too far from others' to be trusted with
    /// money, or what holds it passes by itself.
    NotYet(Span),
}

/// Decides again and records the submission.
pub async fn submit(
    app: &Shared,
    job: &Claimed,
    recharge_id: &RechargeId,
    number: u32,
) -> Result<Submitted> {
    let mut tx = app.store.write().await?;
    let locked = lock(app, &mut tx, &job.account_id, recharge_id).await?;
    let Some((line, recharge)) = locked else {
        return Err(Error::internal(format!("there is no recharge {recharge_id}")));
    };
    if !jobs::still_held(&mut tx, job).await? {
        tx.rollback().await?;
        return Ok(Submitted::Written);
    }
    let open = recharge.attempt(number).filter(|attempt| attempt.outcome.is_none());
    let Some(attempt) = open.cloned() else {
        tx.rollback().await?;
        return Ok(Submitted::Nothing);
    };
    #[cfg(test)]
    if planted(Defect::ResentTooLate)
        && !attempt.may_be_sent(line.newest_at)
        && let Ok(method) = allowed(&mut tx, &line, &recharge, &attempt).await?
    {
        let mut again = charge(app, &mut tx, &line, &recharge, &attempt, &method).await?;
        again.key = another(&again.key, "late");
        tx.rollback().await?;
        return Ok(Submitted::Send(Box::new(again)));
    }
    if !attempt.may_be_sent(line.newest_at) {
        tx.rollback().await?;
        return Ok(Submitted::TooLate);
    }
    if is_clock_apart(app, &mut tx, &line).await? {
        tx.rollback().await?;
        return Ok(Submitted::NotYet(Span::minutes(1)));
    }
    let charge = match allowed(&mut tx, &line, &recharge, &attempt).await? {
        Ok(method) => {
            let charge = charge(app, &mut tx, &line, &recharge, &attempt, &method).await?;
            #[cfg(test)]
            let charge = of_the_job(charge, job);
            charge
        }
        Err(No::Yet(_, wait)) if attempt.submitted_at.is_none() => {
            tx.rollback().await?;
            return Ok(Submitted::NotYet(wait));
        }
        Err(No::More(reason) | No::Yet(reason, _)) => {
            let fact = Fact::Withdrawn { attempt: number, reason: reason.to_owned() };
            return withdraw(app, tx, job, &line, recharge, &fact).await;
        }
    };
    let known = recharge.facts.len();
    let fact = Fact::Submitted { attempt: number };
    let recharge = take_in(&mut tx, &line, recharge, &fact).await?;
    if recharge.facts.len() == known {
        // Stopped, or past the point where anything is sent.
        tx.rollback().await?;
        return Ok(Submitted::Nothing);
    }
    tx.commit_as(Kept::Submission).await?;
    app.metrics.heard(&fact, known, &recharge);
    ring(app);
    Ok(Submitted::Send(Box::new(charge)))
}

/// Takes back what is not to be sent any more, and ends the job.
async fn withdraw(
    app: &Shared,
    mut tx: Tx,
    job: &Claimed,
    line: &Line,
    recharge: Recharge,
    fact: &Fact,
) -> Result<Submitted> {
    let known = recharge.facts.len();
    let after = take_in(&mut tx, line, recharge, fact).await?;
    jobs::finish(&mut tx, job).await?;
    tx.commit_as(Kept::Withdrawal).await?;
    app.metrics.heard(fact, known, &after);
    ring(app);
    Ok(Submitted::Written)
}

/// The same key with something behind it.
#[cfg(test)]
fn another(key: &IdempotencyKey, word: &str) -> IdempotencyKey {
    IdempotencyKey::new(format!("{key}-{word}")).unwrap_or_else(|| key.clone())
}

/// The planted defects that charge under a key of the job's.
#[cfg(test)]
fn of_the_job(mut charge: Charge, job: &Claimed) -> Charge {
    if planted(Defect::KeyOfTheJob) || planted(Defect::ClaimReleasedOnFailure) {
        charge.key = another(&charge.key, &format!("j{}", job.attempts));
    }
    charge
}

/// Whether this machine's clock is too far from the gateway's or the database's, or the line's time
/// from it: that never goes back, also when a clock that was ahead is put right.
///
/// Why here: a wrong clock would reserve money in a wrong day or month, and end a cool-down early.
async fn is_clock_apart(app: &Shared, tx: &mut Tx, line: &Line) -> Result<bool> {
    // Another process may have let time pass in the sandbox.
    app.clock.set_offset(settings::sandbox_offset(tx).await?);
    let database = app.store.dialect.clock(tx).await?;
    let gateway = app.gateway_clock.now();
    let whose = if app.clock.is_apart(gateway) {
        "gateway"
    } else if database.is_some() && app.clock.is_apart(database) {
        "database"
    } else if app.clock.is_ahead(line.newest_at) {
        "line"
    } else {
        return Ok(false);
    };
    let ahead_s = |at: Instant| app.clock.ahead(at).0 / 1_000_000;
    let (gateway, database) = (gateway.map(ahead_s), database.map(ahead_s));
    let line = ahead_s(line.newest_at.minus(Span(app.clock.offset())));
    app.metrics.held_by_clock(whose);
    tracing::error!(
        whose,
        gateway,
        database,
        line,
        "another clock is too far from ours; nothing is charged"
    );
    Ok(true)
}

/// Why an attempt is not sent.
enum No {
    /// It is not to be sent any more.
    More(&'static str),
    /// Its rail's night or a payment of which nobody knows holds it for so long; what was sent
    /// before is withdrawn for it.
    Yet(&'static str, Span),
}

/// The method to charge, or why it is not to be charged.
async fn allowed(
    tx: &mut Tx,
    line: &Line,
    recharge: &Recharge,
    attempt: &Attempt,
) -> Result<Result<Method, No>> {
    let no = |reason| Ok(Err(No::More(reason)));
    // Why: whatever else is wrong by now, this is the reason that an operator must find.
    let stopped = kill_switch::is_on(tx, line).await?;
    #[cfg(test)]
    let stopped = stopped && !planted(Defect::KillSwitchTooLate);
    if stopped {
        return no("stopped_by_operator");
    }
    let now = line.newest_at;
    let id = attempt.payment_method_id.as_str();
    let method = payment_methods::get(tx, line.account_id.as_str(), id).await?;
    let Some(method) = method.filter(|method| method.removed_at.is_none()) else {
        return no("no_usable_method");
    };
    let Some(version) = recharge.rule_version else {
        if attempt.is_given_up(recharge.opened_at, now) {
            return no("not_due");
        }
        let facts = payment_methods::facts(tx, line, now).await?;
        let known = facts.iter().find(|facts| facts.id == method.id);
        if known.is_none_or(|facts| facts.unusable(now).is_some_and(Unusable::forbids_by_hand)) {
            return no("no_usable_method");
        }
        return if line.closed { no("line_closed") } else { Ok(Ok(method)) };
    };
    #[cfg(test)]
    if planted(Defect::DisableRacesEnable) || planted(Defect::KillSwitchTooLate) {
        return Ok(Ok(method));
    }
    let mut inputs = inputs::load(tx, line, now).await?;
    let Some(stored) = inputs.stored else { return no("rule_off") };
    if stored.rule.version != version {
        return no("rule_changed");
    }
    inputs.history.recharges.retain(|past| past.id != recharge.id);
    let cause = Cause::Submission { triggers: recharge.order.triggers.clone() };
    let decision = decide(&stored.rule, &inputs.account, &inputs.history, &cause, now);
    Ok(may_take(&decision, recharge, method, now))
}

/// Whether what is decided now is still this charge, to this method.
fn may_take(
    decision: &Decision,
    recharge: &Recharge,
    method: Method,
    now: Instant,
) -> Result<Method, No> {
    let no = |reason| Err(No::More(reason));
    let tries = recharge.tries.iter().find(|tries| tries.payment_method_id == method.id);
    let is_good = |at: Instant| tries.is_none_or(|tries| tries.is_good(at));
    let is_low = |order: &Order| order.triggers.contains(&TriggerDue::LowBalance);
    let opens_at = method.rail.opens_at(now);
    match decision {
        Decision::Recharge { order } => {
            let enough = order.amount.amount_minor >= recharge.order.amount.amount_minor
                && order.amount.currency == recharge.order.amount.currency;
            if !enough {
                no("not_due")
            } else if order.payment_methods.contains(&method.id) && is_good(now) {
                Ok(method)
            } else if now < opens_at && is_good(opens_at) && !is_low(order) {
                // Why: its date is consumed; it would be lost for a night. What low data may be
                // charged to now does not wait for that.
                Err(No::Yet("rail_closed", opens_at.since(now)))
            } else {
                no("no_usable_method")
            }
        }
        Decision::Wait { reason: Reason::RailClosed { opens_at: at }, .. }
            if *at == opens_at && is_good(opens_at) =>
        {
            Err(No::Yet("rail_closed", opens_at.since(now)))
        }
        Decision::Wait { reason, .. } | Decision::Skip { reason, .. } => match reason {
            Reason::RechargeOpen { unknown: true, .. } => Err(No::Yet(reason.code(), ANOTHER)),
            reason => no(reason.code()),
        },
    }
}

/// The request to the gateway.
async fn charge(
    app: &Shared,
    tx: &mut Tx,
    line: &Line,
    recharge: &Recharge,
    attempt: &Attempt,
    method: &Method,
) -> Result<Charge> {
    let customer = payment_methods::customer(tx, line.account_id.as_str()).await?;
    let customer =
        customer.ok_or_else(|| Error::internal("a payment method without a gateway customer"))?;
    Ok(Charge {
        key: attempt.idempotency_key.clone(),
        customer,
        token: method.token.clone(),
        amount: recharge.order.amount,
        account_id: line.account_id.clone(),
        recharge_id: recharge.id.clone(),
        attempt: attempt.number,
        return_url: return_url(app),
    })
}

/// Where the customer comes back to from the bank.
pub fn return_url(app: &Shared) -> String {
    format!("{}/history", app.own_origin())
}
