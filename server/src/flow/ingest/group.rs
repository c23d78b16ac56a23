//! One group of usage in one transaction: names claimed, lines locked, balances drawn, booked, the
//! rules looked at. A fixed number of statements, each over the whole group, whatever its size;
//! what is known of a line from the group before is not read again.
//!
//! What needs no lock is made before the transaction, and what follows from one statement while the
//! database is busy with the one before: others wait for the transaction.
//!
//! Locks are taken in one order everywhere: names, then lines, then accounts, each sorted. All or
//! nothing of a group is kept; a row that does not count is a report, never a failure.

use super::{
    Arrival, Turn,
    draw::{draw, forward},
    lock::{self, Locked},
};
#[cfg(test)]
use crate::simulator::defects::{Defect, planted};
use crate::{
    Shared,
    error::Result,
    fault::Kept,
    flow::{
        evaluate::{self, Looked},
        handle_usage::Receipt,
    },
    store::{
        Tx, accounts,
        group::{self, Drawn},
        inbox::{self, Claim, Name, Names},
        ledger::Moved,
        lines::{self, Line},
    },
};
use laika_core::{
    balance::{Balance, Place, UsageEvent},
    decide::Cause,
};
use std::collections::{BTreeSet, HashMap};
use tokio::sync::MutexGuard as PenGuard;

/// One line's new events of a group.
pub(super) struct Batch<'a> {
    pub(super) line: Line,
    /// In the order of placement.
    pub(super) events: Vec<UsageEvent>,
    pub(super) countries: Vec<Option<&'a str>>,
}

/// An account and a line of it.
pub(super) type Key = (String, String);

/// One line's new events before it is locked: no version has received them yet.
pub(super) struct OfLine<'a> {
    pub(super) key: Key,
    pub(super) iccid: &'a str,
    /// In the order of placement.
    pub(super) events: Vec<UsageEvent>,
    pub(super) countries: Vec<Option<&'a str>>,
}

/// The new events of a group, sorted by account and line.
pub(super) type New<'a> = Vec<OfLine<'a>>;

/// A group that is counted for good. Whoever waits for a receipt need not wait for what it leaves
/// to know, but the next group does.
pub(super) struct Counted<'a> {
    /// One for each request.
    pub(super) receipts: Vec<Receipt>,
    left: Option<Left<'a>>,
}

/// What a group leaves to know.
struct Left<'a> {
    locked: Locked<'a>,
    looked: Vec<(usize, Option<Looked>)>,
    after: Vec<Balance>,
    /// Held until it is known.
    remembering: Option<PenGuard<'a, ()>>,
}

impl Counted<'_> {
    /// Lets the next group know what this one did.
    pub(super) fn remember(self, app: &Shared) {
        let Some(Left { locked, looked, after, remembering }) = self.left else { return };
        locked.remember(app, looked, after);
        drop(remembering);
    }
}

/// Counts a group. What the receipts say is durable.
///
/// *Errors*: `Raced` when names were claimed unasked that are taken: nothing was changed.
pub(super) async fn count<'a>(
    app: &'a Shared,
    requests: &'a [Vec<Arrival>],
    how: Claim,
    turn: &mut Turn,
) -> Result<Counted<'a>> {
    let mut rows = Rows::of(app, requests);
    let ready = if rows.unknown.is_empty() { Some(rows.ready()?) } else { None };
    let epoch = app.store.epoch();
    let mut tx = app.store.write().await?;
    let remembering = app.usage.remembering(app.store.dialect).await;
    let (new, receipts) = match claim(&mut tx, &mut rows, ready, how).await {
        Ok((new, receipts)) if !new.is_empty() => (new, receipts),
        nothing => {
            tx.rollback().await?;
            return nothing.map(|(_, receipts)| Counted { receipts, left: None });
        }
    };
    #[cfg(test)]
    if planted(Defect::ClaimedBeforeTheWrite) {
        tx.commit_as(Kept::Usage).await?;
        tx = app.store.write().await?;
    }
    let mut locked = lock::lock(app, &mut tx, new, epoch).await?;
    app.usage.locked(app.store.dialect, turn);
    let ids: BTreeSet<&str> =
        locked.batches.iter().map(|batch| batch.line.account_id.as_str()).collect();
    let before = std::mem::take(&mut locked.balances);
    let forward = async { forward(&locked.batches, &before) };
    let (counted, forward) = tokio::join!(accounts::count_up_all(&mut tx, &ids), forward);
    counted?;
    let mut after = draw(&mut tx, &locked.batches, forward).await?;
    let lines = locked.batches.iter().map(|batch| &batch.line);
    let drawn = lines.zip(&before).zip(&after).map(|((line, before), after)| (line, before, after));
    let drawn: Vec<_> = drawn.collect();
    let text = async { inbox::text(&accepted(&locked.batches, &drawn)) };
    let (saved, text) = tokio::join!(group::save(&mut tx, &drawn), text);
    saved?;
    inbox::insert_all(&mut tx, text?).await?;
    let (places, subjects) = locked.subjects(&mut tx, &mut after).await?;
    let looked = evaluate::lines_changed(&mut tx, subjects, &Cause::Usage).await?;
    app.usage.hand_on(turn);
    tx.commit_as(Kept::Usage).await?;
    let found = looked.iter().flatten().any(|looked| !looked.quiet);
    let looked = places.into_iter().zip(looked).collect();
    app.changed.notify_waiters();
    if found {
        app.jobs_due.notify_one();
        app.messages_due.notify_one();
    }
    Ok(Counted { receipts, left: Some(Left { locked, looked, after, remembering }) })
}

/// A row of a group.
struct Row<'a> {
    /// The place of its request.
    request: usize,
    /// The place of its eSIM.
    line: usize,
    arrival: &'a Arrival,
}

impl<'a> Row<'a> {
    fn name(&self) -> (&'a str, &'a str) {
        (&self.arrival.event.source, &self.arrival.event.id)
    }
}

/// The rows of a group, before anything is asked.
struct Rows<'a> {
    requests: usize,
    /// By name; those under one name in the order in which they arrived.
    rows: Vec<Row<'a>>,
    iccids: Vec<&'a str>,
    /// Account and line of each eSIM; nothing where it is no line's, or not known.
    keys: Vec<Option<Key>>,
    /// The places of those that are not known.
    unknown: Vec<usize>,
}

/// What a group comes to when all its names are new, and the claim of them.
type Ready<'a> = (Names<'a>, New<'a>, Vec<Receipt>);

impl<'a> Rows<'a> {
    fn of(app: &Shared, requests: &'a [Vec<Arrival>]) -> Rows<'a> {
        let (mut rows, mut iccids) = (Vec::new(), Vec::new());
        let mut places: HashMap<&str, usize> = HashMap::new();
        for (request, arrivals) in requests.iter().enumerate() {
            for arrival in arrivals {
                let line = *places.entry(&arrival.event.iccid).or_insert_with(|| {
                    iccids.push(arrival.event.iccid.as_str());
                    iccids.len() - 1
                });
                rows.push(Row { request, line, arrival });
            }
        }
        rows.sort_by(|a, b| a.name().cmp(&b.name()));
        let memory = app.usage.known();
        let keys: Vec<_> = iccids.iter().map(|iccid| memory.key(iccid)).collect();
        drop(memory);
        // Why: PostgreSQL refuses NUL in any text; such a name is no line's.
        let is_unknown =
            |(key, iccid): (&Option<Key>, &&str)| key.is_none() && !iccid.contains('\0');
        let unknown = keys.iter().zip(&iccids).map(is_unknown).enumerate();
        let unknown = unknown.filter_map(|(at, unknown)| unknown.then_some(at)).collect();
        Rows { requests: requests.len(), rows, iccids, keys, unknown }
    }

    /// Asks for the lines that are not known.
    async fn ask(&mut self, tx: &mut Tx) -> Result<()> {
        let iccids = self.unknown.iter().filter_map(|at| self.iccids.get(*at).copied());
        let mut read = lines::keys_by_iccid(tx, &iccids.collect::<Vec<_>>()).await?;
        for at in self.unknown.drain(..) {
            if let (Some(key), Some(iccid)) = (self.keys.get_mut(at), self.iccids.get(at)) {
                *key = read.remove(*iccid);
            }
        }
        Ok(())
    }

    /// Account and line of a row.
    fn key(&self, row: &Row<'_>) -> Option<&Key> {
        self.keys.get(row.line)?.as_ref()
    }

    fn ready(&self) -> Result<Ready<'a>> {
        let mut names = Vec::with_capacity(self.rows.len());
        for same in self.rows.chunk_by(|a, b| a.name() == b.name()) {
            if let Some(first) = same.iter().find(|row| self.key(row).is_some()) {
                let (source, id) = first.name();
                names.push(Name(source, id, &first.arrival.sha256));
            }
        }
        let (new, receipts) = self.told_apart(&HashMap::new());
        Ok((Names::of(names)?, new, receipts))
    }

    /// Sorts the rows into new events, by account and line, and reports of the others. Of several
    /// under one name the first that arrived is the event, unless the name was taken before.
    fn told_apart(&self, taken: &HashMap<(String, String), String>) -> (New<'a>, Vec<Receipt>) {
        let mut receipts = vec![Receipt::default(); self.requests];
        let mut new: Vec<Vec<&'a Arrival>> = vec![Vec::new(); self.iccids.len()];
        for same in self.rows.chunk_by(|a, b| a.name() == b.name()) {
            let mut kept: Option<&str> = None;
            if let (false, Some(first)) = (taken.is_empty(), same.first()) {
                let (source, id) = first.name();
                kept = taken.get(&(source.to_string(), id.to_string())).map(String::as_str);
            }
            for row in same {
                let Some(receipt) = receipts.get_mut(row.request) else { continue };
                let (number, sha256) = (row.arrival.row, row.arrival.sha256.as_str());
                match (self.key(row), kept) {
                    (None, _) => {
                        let detail = "subject is no line's ICCID".to_string();
                        receipt.reject(number, ("unknown_line", detail));
                    }
                    (Some(_), None) => {
                        kept = Some(sha256);
                        receipt.accepted += 1;
                        if let Some(of_line) = new.get_mut(row.line) {
                            of_line.push(row.arrival);
                        }
                    }
                    (Some(_), Some(kept)) if kept != sha256 => {
                        let detail = "this source and id were another event's".to_string();
                        receipt.reject(number, ("id_reused", detail));
                    }
                    (Some(_), Some(_)) => receipt.duplicate += 1,
                }
            }
        }
        let lines = new.into_iter().zip(&self.iccids).zip(&self.keys);
        let lines = lines.filter(|((rows, _), _)| !rows.is_empty());
        let lines =
            lines.filter_map(|((rows, iccid), key)| Some(of_line(key.clone()?, iccid, rows)));
        let mut lines: New<'a> = lines.collect();
        lines.sort_by(|a, b| a.key.cmp(&b.key));
        (lines, receipts)
    }
}

/// A line's new events in the order of placement.
fn of_line<'a>(key: Key, iccid: &'a str, rows: Vec<&'a Arrival>) -> OfLine<'a> {
    let mut placed: Vec<_> = rows
        .into_iter()
        .map(|row| {
            let place = Place { time: row.event.time, id: row.event.place_id() };
            let (bytes, received_version) = (row.event.bytes, 0);
            (UsageEvent { place, bytes, received_version }, row.event.country.as_deref())
        })
        .collect();
    placed.sort_by(|(a, _), (b, _)| a.place.cmp(&b.place));
    let (events, countries) = placed.into_iter().unzip();
    OfLine { key, iccid, events, countries }
}

/// Claims the names of a group's events. Gives the new ones by account and line, and the reports
/// of the others.
async fn claim<'a>(
    tx: &mut Tx,
    rows: &mut Rows<'a>,
    ready: Option<Ready<'a>>,
    how: Claim,
) -> Result<(New<'a>, Vec<Receipt>)> {
    let (names, new, receipts) = match ready {
        Some(ready) => ready,
        None => {
            rows.ask(tx).await?;
            rows.ready()?
        }
    };
    let taken = inbox::claim_all(tx, names, how).await?;
    Ok(if taken.is_empty() { (new, receipts) } else { rows.told_apart(&taken) })
}

/// The new events of locked lines, one line after the other, and with the last of each line what
/// is booked.
fn accepted<'a>(batches: &'a [Batch<'_>], drawn: &[Drawn<'a>]) -> Vec<inbox::Accepted<'a>> {
    let mut accepted = Vec::new();
    for (batch, (line, before, after)) in batches.iter().zip(drawn) {
        let events = batch.events.iter().zip(&batch.countries);
        accepted.extend(events.map(|(event, at)| (*line, event, *at, Moved::default())));
        if let Some((.., moved)) = accepted.last_mut() {
            *moved = Moved::between(before, after);
        }
    }
    accepted
}
