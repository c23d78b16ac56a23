//! The operator's kill switch: no charge is submitted any more, on any line or on one, until it is
//! taken off again. What was sent before goes on being looked up, delivered or given back.
//!
//! Place in the flow: `submit` and `recharge_now` ask [`is_on`] under the line's lock. The switch
//! for everything is one row: it holds for every submission that is decided after its commit. Then
//! each line is locked once, piece by piece, so that when this returns no submission decided
//! before is still on its way to its commit, and every preview made before is stale. Both are
//! written in the audit log. It decides nothing about a rule.

use super::advance::{ring, take_in};
use crate::{
    Shared,
    error::{Error, Result},
    fault::Kept,
    store::{
        Conn, Tx, accounts,
        audit_log::{self, By, Entry},
        jobs,
        lines::{self, Line},
        recharges, rules, settings,
    },
};
use laika_core::{
    id::RechargeId,
    recharge::{Fact, Recharge, Status},
};
use std::collections::BTreeSet;

/// Lines in one transaction: few enough that usage hardly waits.
const PIECE: i64 = 500;
/// How often a transaction that the database turned away is tried.
const TRIES: usize = 5;
/// What the audit log calls it when it goes on,
pub const ON: &str = "kill_switch_on";
/// and when it goes off.
pub const OFF: &str = "kill_switch_off";

/// What a switch did.
#[derive(Debug, Default)]
pub struct Switched {
    /// Whether it stood otherwise before.
    pub changed: bool,
    /// How many lines it was made sure on.
    pub lines: usize,
    /// Recharges whose payment was sent before, and of which no end is known: they are looked up,
    /// and cancelled where possible.
    pub already_submitted: Vec<RechargeId>,
}

/// Whether nothing may be charged on this line at the moment.
pub async fn is_on(tx: &mut Tx, line: &Line) -> Result<bool> {
    Ok(line.stopped || settings::charging_stopped(tx).await?)
}

fn what(on: bool) -> &'static str {
    if on { ON } else { OFF }
}

/// Who turned it on for everything, or for a line, and when; nothing when nobody ever did.
pub async fn newest(conn: &mut Conn, line_id: &str) -> Result<Option<Entry>> {
    audit_log::newest(conn, [ON, OFF], line_id).await
}

/// Stops all charging, or lets it go on. Doing it again makes sure of every line once more, for
/// when the first time was interrupted; it has been in force since then.
pub async fn switch_all(app: &Shared, on: bool, by: &By<'_>) -> Result<Switched> {
    let mut tx = app.store.write().await?;
    let changed = settings::stop_charging(&mut tx, on).await?;
    if changed {
        audit_log::append(&mut tx, by, what(on), "", app.clock.now()).await?;
    }
    tx.commit_as(Kept::KillSwitch).await?;
    let mut done = Switched { changed, ..Switched::default() };
    let mut last = (String::new(), String::new());
    loop {
        let mut snapshot = app.store.read().await?;
        let keys = lines::keys_after(&mut snapshot, (&last.0, &last.1), PIECE).await?;
        drop(snapshot);
        let Some(end) = keys.last() else { return Ok(done) };
        last = end.clone();
        done.lines = done.lines.saturating_add(keys.len());
        done.already_submitted.extend(piece(app, &keys, on).await?);
    }
}

/// Makes sure of some lines, again when the database turned the transaction away.
async fn piece(app: &Shared, keys: &[(String, String)], on: bool) -> Result<Vec<RechargeId>> {
    let mut tries = 1;
    loop {
        match piece_once(app, keys, on).await {
            Err(error) if error.is_transient() && tries < TRIES => tries += 1,
            other => return other,
        }
    }
}

async fn piece_once(app: &Shared, keys: &[(String, String)], on: bool) -> Result<Vec<RechargeId>> {
    let keys: Vec<_> = keys.iter().map(|(account, id)| (account.as_str(), id.as_str())).collect();
    let mut tx = app.store.write().await?;
    let locked = lines::lock_all(&mut tx, app.store.dialect, &keys, app.clock.now()).await?;
    let submitted = follow(app, &mut tx, &locked, on).await?;
    tx.commit_as(Kept::KillSwitchLines).await?;
    ring(app);
    Ok(submitted)
}

/// Stops charging on one line, or lets it go on. *Errors*: 404.
pub async fn switch_line(
    app: &Shared,
    account_id: &str,
    line_id: &str,
    on: bool,
    by: &By<'_>,
) -> Result<Switched> {
    let mut tx = app.store.write().await?;
    let line = lines::lock(&mut tx, account_id, line_id, app.clock.now()).await?;
    let line = line.ok_or_else(Error::not_found)?;
    let changed = line.stopped != on;
    if changed {
        lines::stop(&mut tx, &line, on).await?;
        audit_log::append(&mut tx, by, what(on), line_id, line.newest_at).await?;
    }
    let already_submitted = follow(app, &mut tx, &[line], on).await?;
    tx.commit_as(Kept::KillSwitchLine).await?;
    ring(app);
    Ok(Switched { changed, lines: 1, already_submitted })
}

/// What follows on locked lines: with charging stopped no link to pay by stays open; when it goes
/// on, every rule is looked at. Browsers fetch what changed either way.
async fn follow(app: &Shared, tx: &mut Tx, locked: &[Line], on: bool) -> Result<Vec<RechargeId>> {
    let lines: Vec<&Line> = locked.iter().collect();
    let ids: BTreeSet<&str> = lines.iter().map(|line| line.account_id.as_str()).collect();
    accounts::bump_all(tx, app.store.dialect, &ids).await?;
    if !on {
        let rules = rules::get_all(tx, &lines).await?;
        let with_rule = lines.iter().zip(rules).filter(|(_, rule)| rule.is_some());
        let looks: Vec<_> = with_rule.map(|(line, _)| (*line, line.newest_at)).collect();
        jobs::look_at_all(tx, &looks).await?;
        return Ok(Vec::new());
    }
    let mut submitted = Vec::new();
    let unended = recharges::unended_of(tx, &lines).await?;
    for (line, recharges) in lines.into_iter().zip(unended) {
        for recharge in recharges {
            submitted.extend(sent(&recharge).then(|| recharge.id.clone()));
            if recharge.status == Status::NeedsCustomer {
                take_in(tx, line, recharge, &Fact::Stopped).await?;
            }
        }
    }
    Ok(submitted)
}

/// Whether a payment was sent whose end is not known.
fn sent(recharge: &Recharge) -> bool {
    let unheard = recharge.attempts.iter().any(|a| a.submitted_at.is_some() && a.outcome.is_none());
    recharge.paid_at.is_none() && (unheard || recharge.status == Status::NeedsCustomer)
}

#[cfg(test)]
mod tests;
