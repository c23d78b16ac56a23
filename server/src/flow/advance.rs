//! A fact about a recharge: `apply`, and all that follows in one transaction: the recharge's row,
//! the books, what the line gets, jobs, messages, the account's version.
//!
//! Place in the flow: `perform` saw something outside, or a customer stopped something. The same
//! way in serves the gateway's answer, its webhook and its list, so none of them can credit
//! twice. It calls nothing outside.

use super::{
    inputs, kill_switch,
    tell::{speech, tell},
};
#[cfg(test)]
use crate::simulator::defects::{Defect, planted};
use crate::{
    Shared,
    error::{Error, Result},
    fault::{self, Kept, Point},
    gateway::{NOT_FOUND, may_be_a_banks},
    store::{
        Tx, accounts, agreements, balances, cases,
        jobs::{self, Claimed, Work},
        ledger, lines,
        lines::Line,
        payment_methods, recharges,
        rules::{self, Stored},
    },
};
use laika_core::{
    balance::{Bucket, CreditGrant},
    decide::{Suspension, usable_methods},
    id::{AccountId, PaymentMethodId, RechargeId},
    rail::Rail,
    recharge::{self, Attempt, Effect, Fact, Grant, News, Outcome, Recharge, Status, Step},
    rule::Adds,
    time::Instant,
};

/// Takes a fact in. With a job, the job ends in the same transaction; when another worker holds it
/// by now, nothing is written and the answer is false.
pub async fn advance(
    app: &Shared,
    account_id: &AccountId,
    recharge_id: &RechargeId,
    fact: &Fact,
    job: Option<&Claimed>,
) -> Result<bool> {
    let mut tx = app.store.write().await?;
    let Some((line, recharge)) = lock(app, &mut tx, account_id, recharge_id).await? else {
        tx.rollback().await?;
        return Err(Error::internal(format!("there is no recharge {recharge_id}")));
    };
    if let Some(job) = job
        && !jobs::finish(&mut tx, job).await?
    {
        tx.rollback().await?;
        return Ok(false);
    }
    let asks = matches!(fact, Fact::ActionRequired { .. });
    // Why: a charge that was on its way when the switch went on opens no link to pay by.
    let recharge = if asks && kill_switch::is_on(&mut tx, &line).await? {
        take_in(&mut tx, &line, recharge, &Fact::Stopped).await?
    } else {
        recharge
    };
    let known = recharge.facts.len();
    let after = take_in(&mut tx, &line, recharge, fact).await?;
    fault::at(Point::FactTakenIn)?;
    tx.commit_as(Kept::Fact).await?;
    app.metrics.heard(fact, known, &after);
    ring(app);
    Ok(true)
}

/// Begins a money transaction on a recharge's line; the line's `newest_at` is *now*.
pub async fn lock(
    app: &Shared,
    tx: &mut Tx,
    account_id: &AccountId,
    recharge_id: &RechargeId,
) -> Result<Option<(Line, Recharge)>> {
    let (account, id) = (account_id.as_str(), recharge_id.as_str());
    let Some(stored) = recharges::get(tx, account, id).await? else { return Ok(None) };
    let line_id = stored.recharge.line_id.as_str();
    let line = lines::lock(tx, account, line_id, app.clock.now()).await?;
    let line = line.ok_or_else(|| Error::internal(format!("recharge {id} has no line")))?;
    // Why: read again under the lock; it may have changed while we waited for it.
    let stored = recharges::get(tx, account, id).await?;
    Ok(stored.map(|stored| (line, stored.recharge)))
}

/// Applies a fact to a recharge whose line is locked, and keeps what follows.
pub async fn take_in(
    tx: &mut Tx,
    line: &Line,
    recharge: Recharge,
    fact: &Fact,
) -> Result<Recharge> {
    let before = recharge.clone();
    let step = recharge::apply(recharge, fact, line.newest_at);
    let account = line.account_id.as_str();
    if step.recharge != before {
        recharges::update(tx, account, &step.recharge).await?;
        keep_ladders(tx, line, &before, &step.recharge).await?;
        if let Fact::Declined { attempt, code, .. } = fact
            && may_be_a_banks(code)
        {
            count_decline(tx, line, &step.recharge, *attempt).await?;
        }
        if let Fact::Refunded { attempt, .. } = fact {
            end_case(tx, line, &step.recharge, *attempt).await?;
        }
        if let Fact::Captured { attempt, payment, amount } = fact
            && !before.has_captured(payment)
            && let Some(attempt) = step.recharge.attempt(*attempt)
        {
            let (method, now) = (&attempt.payment_method_id, line.newest_at);
            agreements::debited(tx, account, method, *amount, now).await?;
        }
        if step.recharge.status == Status::Done && !step.recharge.automatic() {
            end_suspension(tx, line).await?;
        }
        accounts::bump(tx, account).await?;
    }
    keep(tx, line, step).await
}

/// The case that waited for this attempt's money to be back is over.
async fn end_case(tx: &mut Tx, line: &Line, recharge: &Recharge, attempt: u32) -> Result<()> {
    let outcome = recharge.attempt(attempt).and_then(|attempt| attempt.outcome.as_ref());
    let Some(Outcome::Captured { payment, .. }) = outcome else { return Ok(()) };
    let settled = cases::Status::Settled;
    cases::refund_ended(tx, line.account_id.as_str(), payment, settled, line.newest_at).await
}

/// Keeps what a step asks for beside the recharge itself: books, grant, effects.
pub async fn keep(tx: &mut Tx, line: &Line, step: Step) -> Result<Recharge> {
    let recharge = step.recharge;
    if !step.postings.is_empty() {
        let key = format!("{}/{}", recharge.id, recharge.facts.len());
        ledger::post(tx, line, &key, &step.postings).await?;
        #[cfg(test)]
        if planted(Defect::RefundBookedTwice)
            && step.postings.iter().any(|it| it.to == laika_core::ledger::Book::Customer)
        {
            ledger::post(tx, line, &format!("{key}/again"), &step.postings).await?;
        }
    }
    if let Some(grant) = &step.grant {
        credit(tx, line, &recharge, grant).await?;
    }
    for due in step.effects {
        carry_out(tx, line, &recharge, due.effect, due.at).await?;
    }
    Ok(recharge)
}

/// Wakes whoever waits for what a commit made.
pub fn ring(app: &Shared) {
    app.changed.notify_waiters();
    app.jobs_due.notify_one();
    app.messages_due.notify_one();
}

/// Effects on our own rows happen here and now; those outside become jobs.
async fn carry_out(
    tx: &mut Tx,
    line: &Line,
    recharge: &Recharge,
    effect: Effect,
    at: Instant,
) -> Result<()> {
    let (account, line_id) = (line.account_id.as_str(), line.id.as_str());
    match effect {
        Effect::Charge { .. }
        | Effect::LookUpPayment { .. }
        | Effect::CancelPayment { .. }
        | Effect::TopUp
        | Effect::LookUpTopUp
        | Effect::Refund { .. } => {
            let work = Work::Recharge { recharge_id: recharge.id.clone(), effect };
            jobs::enqueue(tx, account, line_id, &work, at).await
        }
        Effect::Bar { payment_method_id } => bar(tx, line, recharge, &payment_method_id).await,
        Effect::Suspend { why } => suspend(tx, line, why).await,
        Effect::Tell { news } => tell_news(tx, line, recharge, &news).await,
        Effect::Evaluate => jobs::look_at(tx, account, line_id, at).await,
    }
}

/// Ends a method for the line's rule: its instrument, under whatever token it comes; or the token
/// alone where the gateway has nothing under it any more, of which the card knows nothing. Added
/// again, it is charged again.
async fn bar(tx: &mut Tx, line: &Line, recharge: &Recharge, id: &PaymentMethodId) -> Result<()> {
    let (account, line_id) = (line.account_id.as_str(), line.id.as_str());
    let Some(method) = payment_methods::get(tx, account, id.as_str()).await? else { return Ok(()) };
    let gone = |attempt: &Attempt| {
        let code = match &attempt.outcome {
            Some(Outcome::Declined { code, hard: true }) => Some(code),
            _ => None,
        };
        attempt.payment_method_id == *id && code.is_some_and(|code| code == NOT_FOUND)
    };
    let ended = if recharge.attempts.iter().any(gone) { &method.token } else { &method.instrument };
    payment_methods::bar(tx, account, line_id, ended, line.newest_at).await
}

/// The rule waits for the customer; after declines only if no other method of it is left.
async fn suspend(tx: &mut Tx, line: &Line, why: Suspension) -> Result<()> {
    #[cfg(test)]
    if planted(Defect::DeclinedForEver) {
        return Ok(());
    }
    let inputs = inputs::load(tx, line, line.newest_at).await?;
    let Some(stored) = &inputs.stored else { return Ok(()) };
    let left = usable_methods(&stored.rule, &inputs.account, line.newest_at).next().is_some();
    if why == Suspension::Declined && left {
        return Ok(());
    }
    rules::suspend(tx, line, Some(why)).await
}

/// How far each method has come: for the recharges after this one.
async fn keep_ladders(tx: &mut Tx, line: &Line, before: &Recharge, after: &Recharge) -> Result<()> {
    #[cfg(test)]
    if planted(Defect::DeclinedForEver) {
        return Ok(());
    }
    let (account, line_id) = (line.account_id.as_str(), line.id.as_str());
    for tries in after.tries.iter().filter(|tries| !before.tries.contains(tries)) {
        let id = tries.payment_method_id.as_str();
        if let Some(method) = payment_methods::get(tx, account, id).await? {
            let (instrument, ladder) = (&method.instrument, tries.ladder);
            payment_methods::set_ladder(tx, account, line_id, instrument, ladder).await?;
        }
    }
    Ok(())
}

/// The line gets what was bought.
async fn credit(tx: &mut Tx, line: &Line, recharge: &Recharge, grant: &Grant) -> Result<()> {
    let before = balances::load(tx, line).await?.available(line.newest_at);
    match grant.adds {
        Adds::Data { bytes, .. } => {
            let bucket = Bucket {
                id: grant.bucket_id.clone(),
                bytes_total: bytes,
                bytes_left: bytes,
                expires_at: grant.expires_at,
                granted_at: line.newest_at,
                grant_version: line.version,
                recharge: Some(recharge.id.clone()),
            };
            balances::add_bucket(tx, line, &bucket).await?;
        }
        Adds::Credit(money) => {
            let grant =
                CreditGrant { amount_minor: money.amount_minor, grant_version: line.version };
            balances::add_credit(tx, line, recharge.id.as_str(), grant).await?;
        }
    }
    let after = balances::load(tx, line).await?.available(line.newest_at);
    let (account, id) = (line.account_id.as_str(), recharge.id.as_str());
    recharges::credited(tx, account, id, before, after).await
}

/// [`Defect::SettledTwice`]: the line gets it again.
#[cfg(test)]
pub(crate) async fn settle_again(app: &Shared, account: &AccountId, id: &RechargeId) -> Result<()> {
    let mut tx = app.store.write().await?;
    let Some((line, recharge)) = lock(app, &mut tx, account, id).await? else { return Ok(()) };
    let bucket_id = laika_core::id::BucketId::new(format!("{id}-again"));
    let bucket_id = bucket_id.ok_or_else(Error::not_found)?;
    let adds = recharge.order.adds;
    let grant = Grant { bucket_id, adds, expires_at: None };
    let postings = match adds {
        Adds::Data { bytes, .. } => {
            use laika_core::ledger::{Book, Posting};
            let known = balances::load(&mut tx, &line).await?.buckets;
            if known.iter().any(|bucket| bucket.id == grant.bucket_id) {
                return tx.rollback().await;
            }
            vec![Posting::bytes(Book::Carrier, Book::LineData, bytes)]
        }
        Adds::Credit(_) => return tx.rollback().await,
    };
    ledger::post(&mut tx, &line, &format!("{id}/again"), &postings).await?;
    credit(&mut tx, &line, &recharge, &grant).await?;
    tx.commit_as(Kept::Fact).await?;
    Ok(())
}

/// A purchase by hand that went through shows that charging and delivering work again. What fell
/// due on a date while the rule was suspended is gone.
async fn end_suspension(tx: &mut Tx, line: &Line) -> Result<()> {
    let Some(stored) = rules::get(tx, line).await? else { return Ok(()) };
    match stored.suspended {
        Some(Suspension::Declined | Suspension::CustomerNeeded | Suspension::NotDelivered) => {
            let consumed_through = stored.consumed_through.max(Some(line.newest_at));
            rules::put(tx, line, &Stored { suspended: None, consumed_through, ..stored }).await
        }
        Some(Suspension::Disputed) | None => Ok(()),
    }
}

/// Counts a decline against its card.
async fn count_decline(tx: &mut Tx, line: &Line, recharge: &Recharge, attempt: u32) -> Result<()> {
    let account = line.account_id.as_str();
    let Some(attempt) = recharge.attempt(attempt) else { return Ok(()) };
    let id = attempt.payment_method_id.as_str();
    let Some(method) = payment_methods::get(tx, account, id).await? else { return Ok(()) };
    if method.rail == Rail::OnSession {
        // Why: no card was tried; the customer's own no says nothing of what is charged later.
        return Ok(());
    }
    let key = attempt.idempotency_key.as_str();
    payment_methods::declined(tx, account, key, &method.fingerprint, line.newest_at).await
}

/// Writes the customer's message. Its key makes each piece of news one message.
async fn tell_news(tx: &mut Tx, line: &Line, recharge: &Recharge, news: &News) -> Result<()> {
    #[cfg(test)]
    if planted(Defect::SilentDecline) && matches!(news, News::Declined { .. }) {
        return Ok(());
    }
    let Some(owner) = accounts::get(tx, line.account_id.as_str()).await? else { return Ok(()) };
    let zone = inputs::zone(&owner, line.newest_at)?;
    let speech = speech(&owner, &zone, line.newest_at);
    let body = speech.news(news, recharge.order.amount, recharge.order.adds);
    let key = format!("{}-{}-{}", recharge.id, recharge.facts.len(), news.code());
    tell(tx, &owner, &key, &body, line.newest_at).await
}
