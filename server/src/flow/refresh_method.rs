//! A card as the gateway has it by now: networks renew cards, and the gateway puts the new date and
//! digits under the token that it had. Nobody is asked for anything.
//!
//! Place in the flow: once a day `worker` makes it due for cards whose date ends this month or
//! ended lately, a webhook for one card at once; `perform` does it. A card that is gone at the
//! gateway, or removed with us, stays as it is: this adds and revives none.

use super::{
    add_payment_method::lock_lines, advance::ring, perform::Next, take_over::is_waited_for,
};
use crate::{
    Shared,
    error::{Error, Result},
    fault::Kept,
    gateway::{Attached, Failure},
    store::{
        accounts,
        jobs::{self, Claimed, Work},
        payment_methods::{self, Method, instrument},
    },
};
use axum::http::StatusCode;
use laika_core::{id::PaymentMethodId, rail::Rail, time::Span, zone::Zone};

/// Cards looked at in one go.
const AT_ONCE: i64 = 500;
/// For so many months after its date a card may still be renewed.
const LATE: i64 = 3;
/// How soon it is tried again where a payment with the card is waited for.
const WAIT: Span = Span::hours(1);

/// Makes it due for every card whose date ends this month or ended lately; for how many.
pub async fn plan(app: &Shared) -> Result<u64> {
    let month = payment_methods::month_of(Zone::utc().date(app.clock.now()));
    let (mut planned, mut after) = (0, (String::new(), String::new()));
    loop {
        let page = {
            let mut snapshot = app.store.read().await?;
            let months = (month - LATE, month);
            payment_methods::ending(&mut snapshot, months, &after, AT_ONCE).await?
        };
        let Some(last) = page.last() else { return Ok(planned) };
        after = last.clone();
        for (account_id, id) in &page {
            let id = PaymentMethodId::new(id.as_str());
            let id = id.ok_or_else(|| Error::internal("the database holds an id that is none"))?;
            make_due(app, account_id, id).await?;
            planned += 1;
        }
    }
}

async fn make_due(app: &Shared, account_id: &str, id: PaymentMethodId) -> Result<()> {
    let mut tx = app.store.write().await?;
    // Why: in the order of every money transaction, the lines before their jobs.
    let lines = lock_lines(app, &mut tx, account_id).await?;
    // Why: a job is a line's, and without one there is nothing to charge.
    let Some(line) = lines.first() else { return tx.rollback().await };
    let work = Work::Refresh { payment_method_id: id };
    jobs::enqueue(&mut tx, account_id, line.id.as_str(), &work, app.clock.now()).await?;
    tx.commit_as(Kept::LookUpDue).await?;
    ring(app);
    Ok(())
}

/// A webhook says that a card has changed: the gateway is asked whose it is. Whether it is one of
/// ours. *Errors*: 503 when the gateway does not answer, so that the webhook is sent again.
pub async fn changed(app: &Shared, token: &str) -> Result<bool> {
    let kept = match app.gateway()?.kept(token).await {
        Ok(kept) => kept,
        Err(Failure::Refused { .. }) => None,
        Err(Failure::Unknown(no)) => {
            let status = StatusCode::SERVICE_UNAVAILABLE;
            return Err(Error::problem(status, "gateway_silent", no.why));
        }
    };
    let Some(account_id) = kept.and_then(|kept| kept.account_id) else { return Ok(false) };
    let present = payment_methods::of_account(&mut *app.store.read().await?, &account_id).await?;
    let Some(method) = present.into_iter().find(|method| method.token == token) else {
        return Ok(false);
    };
    make_due(app, &account_id, method.id).await?;
    Ok(true)
}

/// Asks for a card, and takes over what it is by now.
pub(super) async fn refresh(app: &Shared, job: &Claimed, id: &PaymentMethodId) -> Result<Next> {
    let method = {
        let mut snapshot = app.store.read().await?;
        payment_methods::get(&mut snapshot, job.account_id.as_str(), id.as_str()).await?
    };
    let is_kept = |method: &Method| method.removed_at.is_none() && method.rail == Rail::Card;
    let Some(method) = method.filter(is_kept) else { return Ok(Next::Nothing) };
    Ok(match app.gateway()?.kept(&method.token).await {
        Ok(Some(kept)) => take_in(app, job, &method, kept.attached).await?,
        // Why: a charge says that it is gone, and then what follows.
        Ok(None) | Err(Failure::Refused { .. }) => Next::Nothing,
        Err(Failure::Unknown(_)) => Next::Again(WAIT),
    })
}

async fn take_in(app: &Shared, job: &Claimed, old: &Method, seen: Attached) -> Result<Next> {
    let (account_id, id) = (job.account_id.as_str(), old.id.as_str());
    let mut tx = app.store.write().await?;
    let lines = lock_lines(app, &mut tx, account_id).await?;
    let present = payment_methods::of_account(&mut tx, account_id).await?;
    let named = instrument(&seen.fingerprint, seen.exp_year, seen.exp_month);
    let is_there = present.iter().any(|it| it.id == old.id && it.token == old.token);
    // Why: the renewed card was added by hand already, and is a method of its own.
    let is_another = present.iter().any(|it| it.id != old.id && it.instrument == named);
    if !is_there || is_another || (named == old.instrument && seen.last4 == old.last4) {
        tx.rollback().await?;
        return Ok(Next::Nothing);
    }
    // Why: what is heard of a payment that was sent is the old card's.
    if is_waited_for(&mut tx, account_id, &lines, |it| it.payment_method_id == old.id).await? {
        tx.rollback().await?;
        return Ok(Next::Again(WAIT));
    }
    if !jobs::finish(&mut tx, job).await? {
        tx.rollback().await?;
        return Ok(Next::Written);
    }
    let new = Method {
        last4: seen.last4,
        exp_month: seen.exp_month,
        exp_year: seen.exp_year,
        fingerprint: seen.fingerprint,
        instrument: named,
        ..old.clone()
    };
    payment_methods::renew(&mut tx, account_id, id, &new).await?;
    for line in &lines {
        jobs::look_at(&mut tx, account_id, line.id.as_str(), app.clock.now()).await?;
    }
    accounts::bump(&mut tx, account_id).await?;
    tx.commit_as(Kept::Method).await?;
    ring(app);
    Ok(Next::Written)
}

#[cfg(test)]
mod tests;
