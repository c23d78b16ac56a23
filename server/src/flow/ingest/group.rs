//! One group of usage in one transaction: names claimed, lines locked, balances drawn, booked, the
//! rules looked at. A fixed number of statements, each over the whole group, whatever its size.
//!
//! Locks are taken in one order everywhere: names, then lines, then accounts, each sorted. All or
//! nothing of a group is kept; a row that does not count is a report, never a failure.

use super::{Arrival, draw::draw};
use crate::{
    Shared,
    error::{Error, Result},
    fault::Kept,
    flow::{evaluate, handle_usage::Receipt},
    store::{
        Tx, accounts,
        inbox::{self, Name},
        lines::{self, Line},
    },
};
use laika_core::{
    balance::{Place, UsageEvent},
    decide::Cause,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// One line's new events of a group.
pub(super) struct Batch<'a> {
    pub(super) line: Line,
    /// In the order of placement.
    pub(super) events: Vec<UsageEvent>,
    countries: Vec<Option<&'a str>>,
}

/// An account and a line of it.
type Key = (String, String);

/// Counts a group; one receipt for each request. What the receipts say is durable.
pub(super) async fn count(app: &Shared, requests: &[Vec<Arrival>]) -> Result<Vec<Receipt>> {
    let mut receipts = vec![Receipt::default(); requests.len()];
    let mut tx = app.store.write().await?;
    let new = claim(&mut tx, requests, &mut receipts).await?;
    if new.is_empty() {
        tx.rollback().await?;
        return Ok(receipts);
    }
    let batches = lock(app, &mut tx, &new).await?;
    let ids: BTreeSet<&str> = new.keys().map(|(account, _)| account.as_str()).collect();
    accounts::bump_all(&mut tx, app.store.dialect, &ids).await?;
    let mut accepted = Vec::new();
    for batch in &batches {
        let events = batch.events.iter().zip(&batch.countries);
        accepted.extend(events.map(|(event, country)| (&batch.line, event, *country)));
    }
    inbox::insert_all(&mut tx, &accepted).await?;
    let drawn = draw(&mut tx, &batches).await?;
    evaluate::lines_changed(&mut tx, drawn, &Cause::Usage).await?;
    tx.commit_as(Kept::Usage).await?;
    app.changed.notify_waiters();
    app.jobs_due.notify_one();
    app.messages_due.notify_one();
    Ok(receipts)
}

/// Claims the names of a group's events. Gives the new ones by account and line; the others go to
/// their requests' receipts. Of several under one name the first that arrived is the event.
async fn claim<'a>(
    tx: &mut Tx,
    requests: &'a [Vec<Arrival>],
    receipts: &mut [Receipt],
) -> Result<BTreeMap<Key, Vec<&'a Arrival>>> {
    let all =
        || requests.iter().enumerate().flat_map(|(at, rows)| rows.iter().map(move |row| (at, row)));
    // Why: PostgreSQL refuses NUL in any text; such a name is no line's.
    let iccids: BTreeSet<&str> = all().map(|(_, row)| row.event.iccid.as_str()).collect();
    let iccids: Vec<&str> = iccids.into_iter().filter(|iccid| !iccid.contains('\0')).collect();
    let lines = lines::keys_by_iccid(tx, &iccids).await?;
    let mut first: BTreeMap<(&str, &str), &Arrival> = BTreeMap::new();
    for (_, row) in all().filter(|(_, row)| lines.contains_key(&row.event.iccid)) {
        first.entry((&row.event.source, &row.event.id)).or_insert(row);
    }
    let names: Vec<_> =
        first.iter().map(|((source, id), row)| Name(source, id, &row.sha256)).collect();
    let taken = inbox::claim_all(tx, &names).await?;
    let mut new: BTreeMap<Key, Vec<&Arrival>> = BTreeMap::new();
    for (at, row) in all() {
        let Some(receipt) = receipts.get_mut(at) else { continue };
        let Some(line) = lines.get(&row.event.iccid) else {
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

/// Locks the lines and puts their events in the order of placement.
async fn lock<'a>(
    app: &Shared,
    tx: &mut Tx,
    new: &BTreeMap<Key, Vec<&'a Arrival>>,
) -> Result<Vec<Batch<'a>>> {
    let keys: Vec<_> = new.keys().map(|(account, id)| (account.as_str(), id.as_str())).collect();
    let locked = lines::lock_all(tx, app.store.dialect, &keys, app.clock.now()).await?;
    let mut locked: HashMap<String, Line> =
        locked.into_iter().map(|line| (line.id.to_string(), line)).collect();
    let mut batches = Vec::with_capacity(new.len());
    for ((_, id), rows) in new {
        let line = locked.remove(id).ok_or_else(|| Error::internal("a line went away"))?;
        let placed = rows.iter().map(|row| {
            let place = Place { time: row.event.time, id: row.event.place_id() };
            let (bytes, received_version) = (row.event.bytes, line.version);
            (UsageEvent { place, bytes, received_version }, row.event.country.as_deref())
        });
        let mut placed: Vec<_> = placed.collect();
        placed.sort_by(|(a, _), (b, _)| a.place.cmp(&b.place));
        let (events, countries) = placed.into_iter().unzip();
        batches.push(Batch { line, events, countries });
    }
    Ok(batches)
}
