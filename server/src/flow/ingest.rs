//! Group commit: rows of many requests wait in one queue, and a writer counts whatever has queued
//! in one transaction, so that they share its statements and its disk sync. Each request gets its
//! own report, once everything in it is durable.
//!
//! Place in the flow: `handle_usage` pushes, `ingest/group` counts, `ingest/draw` draws. A writer
//! is a task that lives while there is something to count. On PostgreSQL two write at once; on
//! SQLite, when much waits, one puts its group together while another's is on its way. A request
//! that goes away takes nothing with it; a group that fails is counted again request by request, so
//! nobody's rows fail because of a neighbour's. It decides nothing and writes nothing itself.

mod draw;
mod group;
mod known;
mod lock;

use super::{
    handle_usage::{PIECE, Receipt},
    usage_event::Event,
};
use crate::{
    Shared,
    error::{Error, Problem, Result},
    secret::sha256_hex,
    store::{dialect::Dialect, inbox::Claim},
};
use axum::http::StatusCode;
use group::Counted;
use known::Memory;
use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    sync::{Mutex as Pen, MutexGuard as PenGuard, Notify, OwnedMutexGuard, oneshot},
    time::timeout,
};

/// Rows that wait at most, before more are refused: two of the largest groups, under a second of
/// work.
const WAITING_MOST: usize = 16_384;
/// Rows in one transaction: a group is whatever waits, so that it is small while little comes, and
/// when much does, shares its cost: a line costs the same with one row or ten. The price is that a
/// recharge waits behind a group, when much does. One piece always fits.
const GROUP_MOST: usize = 16 * PIECE;
/// Groups under way at most. On SQLite one is written, and while that is brought to the disk the
/// next is put together. On PostgreSQL, where several may be written at once, more than two have so
/// many lines in common that they wait for each other: four counted half as much on two cores.
pub const WRITERS: usize = 2;
/// Where groups are written one after the other: when so many rows wait, the next is put together
/// while the one before is brought to the disk. With fewer it would be the smaller for that, and
/// cost as much.
const WORTH_PREPARING: usize = GROUP_MOST / 2;
/// How long a writer waits at most for what it expects, before it takes less: who was just answered
/// is about to send again, and a group that misses some of them makes them wait for the next, and
/// costs nearly as much as one that has them all.
const LINGER_MOST: Duration = Duration::from_millis(4);
/// And it waits for such a part of what the last group took: too little to wait while little comes.
const LINGER_PART: u32 = 5;
/// When a refused request should come again.
const RETRY_AFTER_S: i64 = 1;
/// How often a transaction that the database turned away is tried.
const TRIES: usize = 5;

/// A row that waits to be counted.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// Its number in its request.
    pub row: usize,
    /// What happened.
    pub event: Event,
    /// The hash of the event's content.
    pub sha256: String,
}

impl Arrival {
    /// A row and the hash that tells a repetition from another event under the same name.
    pub fn new(row: usize, event: Event) -> Arrival {
        let sha256 = sha256_hex(event.content().as_bytes());
        Arrival { row, event, sha256 }
    }
}

/// Rows of one request and where their report goes.
#[derive(Debug)]
struct Request {
    rows: Vec<Arrival>,
    answer: oneshot::Sender<Result<Receipt>>,
}

/// The queue, and what is known of the lines that usage was counted for.
#[derive(Debug, Default)]
pub struct Ingest {
    waiting: Mutex<Waiting>,
    known: Mutex<Memory>,
    /// The last group had rows that were counted before.
    repeats: AtomicBool,
    turn: Arc<Pen<()>>,
    remembering: Pen<()>,
    /// Rung when rows join the queue.
    more: Notify,
}

/// Whose turn it is to take a group and write it. On PostgreSQL it ends when the lines are locked:
/// who came first has its lines first, or its events would be late ones. On SQLite it lasts until
/// the commit, or until just before.
type Turn = Option<OwnedMutexGuard<()>>;

#[derive(Debug, Default)]
struct Waiting {
    queue: VecDeque<Request>,
    /// In the queue, or being counted.
    rows: usize,
    /// In the queue.
    queued: usize,
    writers: usize,
    /// The rows that may come now: as many as were just answered, and those that wait.
    expected: usize,
    /// How long the last group took.
    took: Duration,
}

impl Waiting {
    /// How many writers what waits is worth: never none.
    fn writers_worth(&self, dialect: Dialect) -> usize {
        match dialect.one_writer() && self.queued < WORTH_PREPARING {
            true => 1,
            false => WRITERS,
        }
    }
}

impl Ingest {
    /// Whether a request of so many rows may join. One larger than the queue may when it is empty.
    ///
    /// *Errors*: 503 `busy`, with the time to wait.
    pub fn admit(&self, rows: usize) -> Result<()> {
        let waiting = self.lock().rows;
        if waiting == 0 || waiting.saturating_add(rows) <= WAITING_MOST {
            return Ok(());
        }
        let words = "Too much usage waits to be counted; send this again later.";
        let busy = Error::problem(StatusCode::SERVICE_UNAVAILABLE, "busy", words);
        Err(busy.with("retry_after_s", RETRY_AFTER_S))
    }

    /// How many rows wait or are being counted.
    pub fn waiting(&self) -> usize {
        self.lock().rows
    }

    /// Puts rows, at most a piece, into the queue. The answer comes when they are counted for good.
    pub fn push(&self, app: &Shared, rows: Vec<Arrival>) -> oneshot::Receiver<Result<Receipt>> {
        let (answer, receiver) = oneshot::channel();
        let mut waiting = self.lock();
        waiting.rows += rows.len();
        waiting.queued += rows.len();
        waiting.queue.push_back(Request { rows, answer });
        self.more.notify_waiters();
        if waiting.writers < waiting.writers_worth(app.store.dialect) {
            waiting.writers += 1;
            tokio::spawn(write(app.clone()));
        }
        receiver
    }

    /// The next group, or nothing, and then the writer that asked has ended.
    fn next(&self, dialect: Dialect) -> Option<Vec<Request>> {
        let mut waiting = self.lock();
        if waiting.writers > waiting.writers_worth(dialect) {
            waiting.writers -= 1;
            return None;
        }
        let (mut group, mut rows) = (Vec::new(), 0);
        while let Some(request) = waiting.queue.pop_front() {
            rows += request.rows.len();
            if rows > GROUP_MOST && !group.is_empty() {
                waiting.queue.push_front(request);
                break;
            }
            group.push(request);
        }
        if group.is_empty() {
            waiting.writers -= 1;
            return None;
        }
        waiting.queued -= group.iter().map(|request| request.rows.len()).sum::<usize>();
        Some(group)
    }

    /// Waits a moment for what may come, where groups are written one after the other.
    async fn linger(&self, dialect: Dialect) {
        let (expected, most) = {
            let waiting = self.lock();
            (waiting.expected.min(GROUP_MOST), LINGER_MOST.min(waiting.took / LINGER_PART))
        };
        if !dialect.one_writer() || most < Duration::from_millis(1) {
            return;
        }
        let enough = async {
            loop {
                let more = self.more.notified();
                if self.lock().queued >= expected {
                    break;
                }
                more.await;
            }
        };
        let _ = timeout(most, enough).await;
    }

    /// Waits for the turn to take a group.
    async fn turn(&self) -> Turn {
        Some(Arc::clone(&self.turn).lock_owned().await)
    }

    /// Ends the turn of a group whose lines are locked, where others may be written beside it.
    fn locked(&self, dialect: Dialect, turn: &mut Turn) {
        if !dialect.one_writer() {
            *turn = None;
        }
    }

    /// Lets the next take its group before this one's commit, if it would be a large one.
    fn hand_on(&self, turn: &mut Turn) {
        if self.lock().queued >= WORTH_PREPARING {
            *turn = None;
        }
    }

    /// Held from before a group asks what is known until it says what is: who comes next, and may
    /// have begun a transaction already, finds the lines as they are then.
    async fn remembering(&self, dialect: Dialect) -> Option<PenGuard<'_, ()>> {
        match dialect.one_writer() {
            true => Some(self.remembering.lock().await),
            false => None,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known(&self) -> MutexGuard<'_, Memory> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts group after group until nothing waits.
async fn write(app: Shared) {
    loop {
        let turn = app.usage.turn().await;
        app.usage.linger(app.store.dialect).await;
        let Some(group) = app.usage.next(app.store.dialect) else { break };
        let rows = group.iter().map(|request| request.rows.len()).sum();
        let room = Room { app: app.clone(), rows };
        let began = Instant::now();
        // Why: in a task of its own, so that a panic ends one group and not the writer.
        if let Err(error) = tokio::spawn(answer(app.clone(), group, room, turn)).await {
            tracing::error!(%error, "a group of usage was lost");
        }
        let mut waiting = app.usage.lock();
        (waiting.expected, waiting.took) = (rows + waiting.queued, began.elapsed());
    }
}

/// What a group takes up of the queue, until it is counted or lost.
struct Room {
    app: Shared,
    rows: usize,
}

impl Room {
    /// Makes room again for so many rows; before their answer, so that who hears it may send more.
    fn free(&mut self, rows: usize) {
        self.rows -= rows;
        self.app.usage.lock().rows -= rows;
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.free(self.rows);
    }
}

/// Counts a group and answers each of its requests.
async fn answer(app: Shared, group: Vec<Request>, mut room: Room, mut turn: Turn) {
    let (rows, answers): (Vec<_>, Vec<_>) =
        group.into_iter().map(|request| (request.rows, request.answer)).unzip();
    match count(&app, &rows, &mut turn).await {
        Ok(mut counted) => {
            drop(room);
            let receipts = std::mem::take(&mut counted.receipts);
            for (answer, receipt) in answers.into_iter().zip(receipts) {
                // A request that went away is counted all the same.
                let _ = answer.send(Ok(receipt));
            }
            counted.remember(&app);
        }
        // Why: each request alone would wait for the database again, one after the other.
        Err(error) if error.is_away() => {
            tracing::warn!(%error, "a group of usage waits for its carriers to send it again");
            answers
                .into_iter()
                .for_each(|answer| drop(answer.send(Err(Error::Problem(Problem::away())))));
        }
        Err(error) if rows.len() > 1 => {
            tracing::warn!(%error, "a group of usage failed; counting it request by request");
            for (answer, rows) in answers.into_iter().zip(rows.chunks(1)) {
                let counted = count(&app, rows, &mut turn).await;
                room.free(rows.iter().map(Vec::len).sum());
                let receipt = counted.map(|mut counted| {
                    let receipt = counted.receipts.pop().unwrap_or_default();
                    counted.remember(&app);
                    receipt
                });
                let _ = answer.send(receipt);
            }
        }
        Err(error) => {
            drop(room);
            if let Some(answer) = answers.into_iter().next() {
                let _ = answer.send(Err(error));
            }
        }
    }
}

/// Counts a group in one transaction, again when the database turned it away.
async fn count<'a>(
    app: &'a Shared,
    rows: &'a [Vec<Arrival>],
    turn: &mut Turn,
) -> Result<Counted<'a>> {
    let mut tries = 1;
    loop {
        // Why: a feed that repeats itself does so for a while; others pay nothing for that.
        let how = match tries > 1 || app.usage.repeats.load(Ordering::Relaxed) {
            true => Claim::Asked,
            false => Claim::Unasked,
        };
        match group::count(app, rows, how, turn).await {
            Err(error) if error.is_transient() && tries < TRIES => tries += 1,
            other => {
                let repeats = |it: &Counted<'_>| it.receipts.iter().any(|it| it.duplicate > 0);
                let repeats = other.as_ref().is_ok_and(repeats);
                app.usage.repeats.store(repeats, Ordering::Relaxed);
                return other;
            }
        }
    }
}

#[cfg(test)]
mod tests;
