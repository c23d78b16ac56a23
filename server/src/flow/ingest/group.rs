//! One group of usage in one transaction: names claimed, lines locked, balances drawn, booked, the
//! rules looked at. A fixed number of statements, each over the whole group, whatever its size;
//! what is known of a line from the group before is not read again.
//!
//! Locks are taken in one order everywhere: names, then lines, then accounts, each sorted. All or
//! nothing of a group is kept; a row that does not count is a report, never a failure.

use super::{
    Arrival,
    draw::{book, draw},
    lock,
};
#[cfg(test)]
use crate::simulator::defects::{Defect, planted};
use crate::{
    Shared,
    error::Result,
    fault::Kept,
    flow::{evaluate, handle_usage::Receipt},
    store::{
        Tx, accounts, group,
        inbox::{self, Claim, Name},
        lines::{self, Line},
    },
};
use laika_core::{balance::UsageEvent, decide::Cause};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// One line's new events of a group.
pub(super) struct Batch<'a> {
    pub(super) line: Line,
    /// In the order of placement.
    pub(super) events: Vec<UsageEvent>,
    pub(super) countries: Vec<Option<&'a str>>,
}

/// An account and a line of it.
pub(super) type Key = (String, String);

/// The new events of a group, by account and line.
pub(super) type New<'a> = BTreeMap<Key, Vec<&'a Arrival>>;

/// Counts a group; one receipt for each request. What the receipts say is durable.
///
/// *Errors*: `Raced` when names were claimed unasked that are taken: nothing was changed.
pub(super) async fn count(
    app: &Shared,
    requests: &[Vec<Arrival>],
    how: Claim,
) -> Result<Vec<Receipt>> {
    let mut receipts = vec![Receipt::default(); requests.len()];
    let mut tx = app.store.write().await?;
    let new = match claim(app, &mut tx, requests, &mut receipts, how).await {
        Ok(new) if !new.is_empty() => new,
        nothing => {
            tx.rollback().await?;
            return nothing.map(|_| receipts);
        }
    };
    #[cfg(test)]
    if planted(Defect::ClaimedBeforeTheWrite) {
        tx.commit_as(Kept::Usage).await?;
        tx = app.store.write().await?;
    }
    let mut locked = lock::lock(app, &mut tx, &new).await?;
    let ids: BTreeSet<&str> = new.keys().map(|(account, _)| account.as_str()).collect();
    accounts::count_up_all(&mut tx, &ids).await?;
    let mut accepted = Vec::new();
    for batch in &locked.batches {
        let events = batch.events.iter().zip(&batch.countries);
        accepted.extend(events.map(|(event, country)| (&batch.line, event, *country)));
    }
    inbox::insert_all(&mut tx, &accepted).await?;
    let before = std::mem::take(&mut locked.balances);
    let mut after = draw(&mut tx, &locked.batches, &before).await?;
    let lines = locked.batches.iter().map(|batch| &batch.line);
    let drawn = lines.zip(&before).zip(&after).map(|((line, before), after)| (line, before, after));
    let drawn: Vec<_> = drawn.collect();
    group::save(&mut tx, &drawn).await?;
    book(&mut tx, &drawn).await?;
    let (places, subjects) = locked.subjects(&mut tx, &mut after).await?;
    let looked = evaluate::lines_changed(&mut tx, subjects, &Cause::Usage).await?;
    tx.commit_as(Kept::Usage).await?;
    app.changed.notify_waiters();
    if looked.iter().flatten().any(|looked| !looked.quiet) {
        app.jobs_due.notify_one();
        app.messages_due.notify_one();
    }
    locked.remember(app, places.into_iter().zip(looked).collect(), after);
    Ok(receipts)
}

/// Claims the names of a group's events. Gives the new ones by account and line; the others go to
/// their requests' receipts. Of several under one name the first that arrived is the event.
async fn claim<'a>(
    app: &Shared,
    tx: &mut Tx,
    requests: &'a [Vec<Arrival>],
    receipts: &mut [Receipt],
    how: Claim,
) -> Result<New<'a>> {
    let all =
        || requests.iter().enumerate().flat_map(|(at, rows)| rows.iter().map(move |row| (at, row)));
    let iccids: BTreeSet<&str> = all().map(|(_, row)| row.event.iccid.as_str()).collect();
    let lines = keys(app, tx, iccids).await?;
    let mut first: BTreeMap<(&str, &str), &Arrival> = BTreeMap::new();
    for (_, row) in all().filter(|(_, row)| lines.contains_key(row.event.iccid.as_str())) {
        first.entry((&row.event.source, &row.event.id)).or_insert(row);
    }
    let names: Vec<_> =
        first.iter().map(|((source, id), row)| Name(source, id, &row.sha256)).collect();
    let taken = inbox::claim_all(tx, &names, how).await?;
    let mut new: New<'_> = BTreeMap::new();
    for (at, row) in all() {
        let Some(receipt) = receipts.get_mut(at) else { continue };
        let Some(line) = lines.get(row.event.iccid.as_str()) else {
            receipt.reject(row.row, ("unknown_line", "subject is no line's ICCID".to_string()));
            continue;
        };
        let name = (row.event.source.as_str(), row.event.id.as_str());
        let first = first.get(&name).copied();
        let before = match taken.is_empty() {
            true => None,
            false => taken.get(&(name.0.to_string(), name.1.to_string())),
        };
        let kept = before.or(first.map(|first| &first.sha256));
        if kept != Some(&row.sha256) {
            let detail = "this source and id were another event's".to_string();
            receipt.reject(row.row, ("id_reused", detail));
        } else if before.is_none() && first.is_some_and(|first| std::ptr::eq(first, row)) {
            receipt.accepted += 1;
            new.entry(line.clone()).or_default().push(row);
        } else {
            receipt.duplicate += 1;
        }
    }
    Ok(new)
}

/// Account and id of the lines of some eSIMs, by ICCID; what is no line's is left out.
async fn keys<'a>(
    app: &Shared,
    tx: &mut Tx,
    iccids: BTreeSet<&'a str>,
) -> Result<HashMap<&'a str, Key>> {
    let (mut keys, mut unknown) = (HashMap::with_capacity(iccids.len()), Vec::new());
    {
        let memory = app.usage.known();
        for iccid in iccids {
            match memory.key(iccid) {
                Some(key) => drop(keys.insert(iccid, key)),
                // Why: PostgreSQL refuses NUL in any text; such a name is no line's.
                None if iccid.contains('\0') => {}
                None => unknown.push(iccid),
            }
        }
    }
    if !unknown.is_empty() {
        let mut read = lines::keys_by_iccid(tx, &unknown).await?;
        let read = unknown.iter().filter_map(|iccid| Some((*iccid, read.remove(*iccid)?)));
        keys.extend(read);
    }
    Ok(keys)
}
