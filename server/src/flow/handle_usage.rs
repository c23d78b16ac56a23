//! Usage arrives: each event is claimed in the inbox, placed into its line's balance, booked, and
//! the rule looked at, all in one transaction per account and chunk. Good rows count once, whatever
//! the number and order of deliveries; bad rows are reported by number and change nothing.

use super::usage_event::{Event, Refusal, RowError};
use crate::{
    Shared,
    error::Result,
    secret::sha256_hex,
    store::{
        Tx, accounts, balances,
        inbox::{self, Claim},
        ledger,
        lines::{self, Line},
    },
};
use laika_core::{
    balance::{Balance, Place, UsageEvent},
    decide::Cause,
    ledger::Book,
    money::Money,
    time::Span,
};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};

/// Rows per transaction: long enough to share a disk sync, short enough to let others write.
pub const CHUNK: usize = 500;
/// A carrier's clock may be ahead by this much.
const AHEAD: Span = Span::minutes(5);
/// How often a transaction that the database turned away is tried.
const TRIES: usize = 5;

/// What became of the rows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Receipt {
    /// Counted now.
    pub accepted: usize,
    /// Counted before; not again.
    pub duplicate: usize,
    /// Not counted, by row.
    pub rejected: Vec<RowError>,
}

impl Receipt {
    /// Adds what became of the next chunk.
    pub fn add(&mut self, more: Receipt) {
        self.accepted += more.accepted;
        self.duplicate += more.duplicate;
        self.rejected.extend(more.rejected);
    }
}

/// A row with its number, read or refused.
pub type Row = (usize, Result<Event, Refusal>);

/// One line's events of a chunk, with their row numbers.
type Batch = (Line, Vec<(usize, Event)>);

/// Counts one chunk of rows. When this returns, what it says is durable.
pub async fn handle(app: &Shared, rows: Vec<Row>) -> Result<Receipt> {
    let mut receipt = Receipt::default();
    let accounts = sort(app, rows, &mut receipt).await?;
    for (account, batches) in accounts {
        let mut tries = 1;
        let counted = loop {
            match count(app, &account, &batches).await {
                Err(error) if error.is_transient() && tries < TRIES => tries += 1,
                other => break other?,
            }
        };
        receipt.add(counted);
    }
    receipt.rejected.sort_by_key(|error| error.row);
    Ok(receipt)
}

/// Rows by account and line; refused rows and those of unknown lines go to the receipt.
async fn sort(
    app: &Shared,
    rows: Vec<Row>,
    receipt: &mut Receipt,
) -> Result<BTreeMap<String, BTreeMap<String, Batch>>> {
    let latest = app.clock.now().plus(AHEAD);
    let mut conn = app.store.read().await?;
    let mut found: HashMap<String, Option<Line>> = HashMap::new();
    let mut accounts: BTreeMap<String, BTreeMap<String, Batch>> = BTreeMap::new();
    for (row, event) in rows {
        let event = match event {
            Ok(event) if event.time > latest => {
                Err(("in_the_future", "time is more than 5 min in the future".to_string()))
            }
            other => other,
        };
        let event = match event {
            Ok(event) => event,
            Err((code, detail)) => {
                receipt.rejected.push(RowError { row, code, detail });
                continue;
            }
        };
        if !found.contains_key(&event.iccid) {
            // Why: PostgreSQL refuses NUL in any text; such a name is no line's.
            let line = match event.iccid.contains('\0') {
                true => None,
                false => lines::by_iccid(&mut conn, &event.iccid).await?,
            };
            found.insert(event.iccid.clone(), line);
        }
        match found.get(&event.iccid).cloned().flatten() {
            Some(line) => {
                let lines = accounts.entry(line.account_id.to_string()).or_default();
                let batch = lines.entry(line.id.to_string()).or_insert((line, Vec::new()));
                batch.1.push((row, event));
            }
            None => {
                let detail = "subject is no line's ICCID".to_string();
                receipt.rejected.push(RowError { row, code: "unknown_line", detail });
            }
        }
    }
    Ok(accounts)
}

/// One account's part of a chunk, in one transaction. Lines are locked in the order of their ids.
async fn count(app: &Shared, account: &str, batches: &BTreeMap<String, Batch>) -> Result<Receipt> {
    let mut receipt = Receipt::default();
    let mut tx = app.store.write().await?;
    for (id, (_, events)) in batches {
        let Some(line) = lines::lock(&mut tx, account, id, app.clock.now()).await? else {
            continue;
        };
        let new = claim(&mut tx, &line, events, &mut receipt).await?;
        if new.is_empty() {
            continue;
        }
        receipt.accepted += new.len();
        draw(&mut tx, &line, new).await?;
        super::evaluate::line_changed(&mut tx, &line, &Cause::Usage).await?;
    }
    if receipt.accepted == 0 {
        tx.rollback().await?;
        return Ok(receipt);
    }
    accounts::bump(&mut tx, account).await?;
    tx.commit().await;
    app.changed.notify_waiters();
    app.jobs_due.notify_one();
    app.messages_due.notify_one();
    Ok(receipt)
}

/// Claims and keeps the events that are new, in the order of placement.
async fn claim(
    tx: &mut Tx,
    line: &Line,
    events: &[(usize, Event)],
    receipt: &mut Receipt,
) -> Result<Vec<UsageEvent>> {
    let mut new = Vec::new();
    for (row, event) in events {
        let sha256 = sha256_hex(event.content().as_bytes());
        match inbox::claim(tx, &event.source, &event.id, &sha256).await? {
            Claim::New => {
                let placed = UsageEvent {
                    place: Place { time: event.time, id: event.place_id() },
                    bytes: event.bytes,
                    received_version: line.version,
                };
                inbox::insert(tx, line, &placed, event.country.as_deref()).await?;
                new.push(placed);
            }
            Claim::Repeated => receipt.duplicate += 1,
            Claim::Reused => {
                let detail = "this source and id were another event's".to_string();
                receipt.rejected.push(RowError { row: *row, code: "id_reused", detail });
            }
        }
    }
    new.sort_by(|a, b| a.place.cmp(&b.place));
    Ok(new)
}

/// Draws new events: on from where the balance stands, or all of the line's again when one is late.
async fn draw(tx: &mut Tx, line: &Line, new: Vec<UsageEvent>) -> Result<()> {
    let before = balances::load(tx, line).await?;
    let mut after = before.clone();
    if new.first().is_some_and(|first| before.continues_with(&first.place)) {
        new.iter().for_each(|event| after.place(event));
    } else {
        after.replay(&inbox::events(tx, line).await?);
    }
    balances::save(tx, line, &before, &after).await?;
    book(tx, line, &before, &after).await
}

/// What the books hold follows the balance: data that was used, credit that was used.
async fn book(tx: &mut Tx, line: &Line, before: &Balance, after: &Balance) -> Result<()> {
    let (had, has) = (before.bytes_on_books(), after.bytes_on_books());
    let credit = |balance: &Balance| Money::new(balance.credit_used_minor(), line.currency);
    let moved = [
        ledger::bytes_moved(Book::Used, Book::LineData, had, has),
        ledger::money_moved(Book::LineCredit, Book::Sales, credit(before), credit(after))?,
    ];
    let postings: Vec<_> = moved.into_iter().flatten().collect();
    ledger::post(tx, line, &format!("{}/v{}", line.id, line.version), &postings).await
}
