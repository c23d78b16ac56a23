//! What follows from a difference: its case, and where core says that it is provable the refund,
//! asked for in the transaction that opens the case. So a process that dies between the two has
//! done neither, and a difference that is found again asks for nothing again.
//!
//! A capture goes back by the one run that knows it: the recharge's own where it has not ended with
//! it, or has never heard of it; otherwise `flow/returns`.

use crate::{
    Shared,
    error::{Error, Result},
    fault::Kept,
    flow::{
        advance::{self, lock, ring},
        inputs, returns,
        tell::{speech, tell},
    },
    secret::sha256_hex,
    store::{
        Tx,
        accounts::{self, HOUSE},
        cases::{self, Case, Status},
        jobs::{self, Work},
        lines::Line,
        rules::json,
    },
};
use laika_core::{
    id::IdempotencyKey,
    recharge::{Effect, Fact, Recharge},
    reconcile::{Difference, Payment, PaymentState, Remedy, Statement, TopUp},
    returns::ReturnFact,
    time::Instant,
};
use serde::{Deserialize, Serialize};

/// A difference and what it was found in.
pub(super) struct Found<'a> {
    pub(super) difference: Difference,
    pub(super) gateway: &'a Statement<Payment>,
    pub(super) carrier: &'a Statement<TopUp>,
    pub(super) as_of: Instant,
}

/// What a case keeps of what it was found in, as canonical JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// As of when both statements were read.
    pub as_of: Instant,
    /// The first instant of the gateway's statement, and the first after it.
    pub gateway: (Instant, Instant),
    /// The carrier's, likewise.
    pub carrier: (Instant, Instant),
    /// What core says.
    pub difference: Difference,
    /// The gateway's rows about it.
    pub payments: Vec<Payment>,
    /// The carrier's rows about it.
    pub top_ups: Vec<TopUp>,
}

/// The run by which money goes back.
enum Way {
    /// The recharge's own, which has the capture on its way back already.
    Own { attempt: u32 },
    /// The recharge's own, once it hears of a capture that it has no record of.
    Unheard(Fact),
    /// One after the end.
    Later { attempt: u32, fact: ReturnFact },
    /// None: a person decides.
    Nobody,
}

/// Makes sure that there is a case, and that what follows from a new one is under way. Gives the
/// case, and whether it is new.
pub(super) async fn settle(
    app: &Shared,
    line: Option<&Line>,
    found: &Found<'_>,
) -> Result<(Case, bool)> {
    let mut tx = app.store.write().await?;
    let owner = line.map_or(HOUSE, |line| line.account_id.as_str());
    let locked = match (line, &found.difference.recharge_id) {
        (Some(line), Some(id)) => lock(app, &mut tx, &line.account_id, id).await?,
        (Some(_) | None, _) => None,
    };
    let now = locked.as_ref().map_or(app.clock.now(), |(line, _)| line.newest_at);
    let case = new_case(owner, found, now)?;
    let new = cases::open(&mut tx, &case).await?;
    let mut heard = returns::Heard::default();
    match (new, &locked) {
        (false, _) => reopen(&mut tx, &case, &found.difference, now).await?,
        (true, Some((line, recharge))) => {
            heard = follow(&mut tx, line, recharge, &case, found).await?;
        }
        (true, None) => {}
    }
    let kept = cases::of_account(&mut tx, owner, &case.id).await?;
    tx.commit_as(Kept::Case).await?;
    if let Some((_, recharge)) = &locked {
        heard.alert(&recharge.id);
    }
    let kept = kept.ok_or_else(|| Error::internal("a case that was just opened is gone"))?;
    if new {
        let Case { id, kind, remedy, status, recharge_id, payment, .. } = &kept;
        let status = status.name();
        tracing::error!(case = id, kind, remedy, status, ?recharge_id, ?payment, "a difference");
        ring(app);
    }
    Ok((kept, new))
}

fn new_case(owner: &str, found: &Found<'_>, now: Instant) -> Result<Case> {
    let difference = &found.difference;
    let (recharge, kind) = (difference.recharge_id.as_ref(), difference.kind.code());
    // Why these four: by them core knows a difference again on another day.
    let what = (kind, recharge, &difference.payment, &difference.top_up);
    let sha256 = sha256_hex(json(&what)?.as_bytes());
    Ok(Case {
        id: format!("case_{}", sha256.get(..24).unwrap_or(&sha256)),
        account_id: owner.to_owned(),
        line_id: difference.line_id.as_ref().map(ToString::to_string),
        recharge_id: recharge.map(ToString::to_string),
        payment: difference.payment.clone(),
        kind: kind.to_owned(),
        remedy: difference.remedy.code().to_owned(),
        status: match difference.remedy {
            Remedy::NeverCharged => Status::Settled,
            // Why: until the refund is asked for, in this transaction.
            Remedy::Refund { .. } | Remedy::Case => Status::Open,
        },
        found_at: now,
        seen_at: now,
        changed_at: now,
        evidence: evidence(found)?,
    })
}

fn evidence(found: &Found<'_>) -> Result<String> {
    let Found { difference, gateway, carrier, as_of } = found;
    let of_recharge = |key: &Option<IdempotencyKey>| match (key, &difference.recharge_id) {
        (Some(key), Some(id)) => key.as_str().strip_prefix(id.as_str()).is_some_and(ends_key),
        (Some(_) | None, _) => false,
    };
    let mut payments: Vec<Payment> = gateway.rows.clone();
    payments.retain(|row| of_recharge(&row.key) || difference.payment.as_ref() == Some(&row.id));
    let mut top_ups: Vec<TopUp> = carrier.rows.clone();
    top_ups.retain(|row| of_recharge(&row.key) || difference.top_up.as_ref() == Some(&row.id));
    // Why: the order of the rows means nothing, and what is kept is canonical.
    payments.sort_by(|a, b| a.id.cmp(&b.id));
    top_ups.sort_by(|a, b| a.id.cmp(&b.id));
    json(&Evidence {
        as_of: *as_of,
        gateway: (gateway.from, gateway.until),
        carrier: (carrier.from, carrier.until),
        difference: difference.clone(),
        payments,
        top_ups,
    })
}

/// Whether this is what a key of a recharge has after the recharge's id.
fn ends_key(rest: &str) -> bool {
    rest == "-t" || rest.starts_with("-a")
}

/// A difference that was settled by giving money back, and is found again, was not settled.
async fn reopen(tx: &mut Tx, case: &Case, difference: &Difference, now: Instant) -> Result<()> {
    if !matches!(difference.remedy, Remedy::Refund { .. } | Remedy::Case) {
        return Ok(());
    }
    let (account, id) = (&case.account_id, &case.id);
    if cases::turn(tx, account, id, [Status::Settled, Status::Open], now).await? {
        tracing::error!(case = id, "money that was given back is not back");
    }
    Ok(())
}

/// What follows from a new case: the refund, where one does, and the customer's message.
async fn follow(
    tx: &mut Tx,
    line: &Line,
    recharge: &Recharge,
    case: &Case,
    found: &Found<'_>,
) -> Result<returns::Heard> {
    let mut heard = returns::Heard::default();
    let (account, now) = (line.account_id.as_str(), line.newest_at);
    let mut told = false;
    let under_way = match way(recharge, found) {
        Way::Own { attempt } => {
            let effect = Effect::Refund { attempt };
            let work = Work::Recharge { recharge_id: recharge.id.clone(), effect };
            jobs::enqueue(tx, account, line.id.as_str(), &work, now).await?;
            true
        }
        Way::Unheard(fact) => {
            let after = advance::take_in(tx, line, recharge.clone(), &fact).await?;
            // Why: a capture that should not have been is news of its own.
            told = after.facts.len() > recharge.facts.len();
            told
        }
        Way::Later { attempt, fact } => {
            heard = returns::take_in(tx, line, recharge, attempt, &fact).await?;
            heard.changed
        }
        Way::Nobody => false,
    };
    if under_way {
        let turned = [Status::Open, Status::Refunding];
        cases::turn(tx, account, &case.id, turned, now).await?;
    }
    if !told {
        tell_customer(tx, line, case, &found.difference).await?;
    }
    accounts::bump(tx, account).await?;
    Ok(heard)
}

/// By which run the money of a difference goes back.
fn way(recharge: &Recharge, found: &Found<'_>) -> Way {
    let difference = &found.difference;
    let Remedy::Refund { payment, amount } = &difference.remedy else { return Way::Nobody };
    match (returns::attempt_of(recharge, payment), difference.refund()) {
        (Some(attempt), _) if recharge.goes_back(attempt) => Way::Own { attempt },
        (Some(attempt), Some(fact)) => Way::Later { attempt, fact },
        (Some(_), None) => Way::Nobody,
        (None, _) => {
            let row = found.gateway.rows.iter().find(|row| row.id == *payment);
            let captured = match row.map(|row| row.state) {
                Some(PaymentState::Captured { amount, .. }) => Some(amount),
                Some(PaymentState::Open | PaymentState::NotCharged) | None => None,
            };
            // Why whole only: a capture that a recharge hears of after its end goes back whole.
            match (captured == Some(*amount), difference.attempt) {
                (true, Some(attempt)) => {
                    let (payment, amount) = (payment.clone(), *amount);
                    Way::Unheard(Fact::Captured { attempt, payment, amount })
                }
                (true, None) | (false, _) => Way::Nobody,
            }
        }
    }
}

/// Tells the customer what was found and what follows, once.
async fn tell_customer(
    tx: &mut Tx,
    line: &Line,
    case: &Case,
    difference: &Difference,
) -> Result<()> {
    let Some(owner) = accounts::get(tx, line.account_id.as_str()).await? else { return Ok(()) };
    let zone = inputs::zone(&owner, line.newest_at)?;
    let mut told = difference.clone();
    let kept = cases::of_account(tx, &case.account_id, &case.id).await?;
    if matches!(told.remedy, Remedy::Refund { .. })
        && kept.is_some_and(|kept| kept.status == Status::Open)
    {
        // Why: nothing is promised that was not asked for.
        told.remedy = Remedy::Case;
    }
    let body = speech(&owner, &zone, line.newest_at).difference(&told);
    tell(tx, &owner, &case.id, &body, line.newest_at).await
}
