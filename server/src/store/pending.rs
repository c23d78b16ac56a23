//! Jobs as an operator sees them: what waits, what was tried and failed, and trying it at once.
//! What they do, and who holds them, is `jobs`'s.

use super::{Conn, Tx};
use crate::{error::Result, sql};
use laika_core::time::Instant;
use serde::Serialize;
use serde_json::Value;
use sqlx::{Row, any::AnyRow};

/// Which jobs an operator asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Every one.
    All,
    /// Those that are due and that nobody does at the moment.
    Due,
    /// Those that were tried and have to be tried again.
    Failed,
}

impl Which {
    fn name(self) -> &'static str {
        match self {
            Which::All => "all",
            Which::Due => "due",
            Which::Failed => "failed",
        }
    }
}

/// A job that waits or is being done.
#[derive(Clone, Debug, Serialize)]
pub struct Pending {
    /// Whose.
    pub account_id: String,
    /// Its name.
    pub key: String,
    /// Which line it is about.
    pub line_id: String,
    /// What is to be done, as it is kept: also where this version cannot read it.
    pub work: Value,
    /// When.
    pub due_at: Instant,
    /// How often it was begun.
    pub attempts: i64,
    /// Until when a worker has it to itself; nothing while none has.
    pub held_until: Option<Instant>,
    /// What went wrong the last time, where that is known.
    pub failure: Option<String>,
}

fn pending(row: &AnyRow) -> Result<Pending> {
    let work: String = row.try_get(3)?;
    let held: i64 = row.try_get(6)?;
    Ok(Pending {
        account_id: row.try_get(0)?,
        key: row.try_get(1)?,
        line_id: row.try_get(2)?,
        work: serde_json::from_str(&work).unwrap_or(Value::String(work)),
        due_at: Instant::from_micros(row.try_get(4)?),
        attempts: row.try_get(5)?,
        held_until: (held > 0).then(|| Instant::from_micros(held)),
        failure: row.try_get(7)?,
    })
}

/// The two times a job is seen at: the rules' and the machine's, in which leases are counted.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// The rules'.
    pub now: Instant,
    /// The machine's.
    pub wall: Instant,
}

/// The next jobs after one (account and key), up to `most`, in that order.
pub async fn page(
    conn: &mut Conn,
    which: Which,
    times: Times,
    after: &(String, String),
    most: i64,
) -> Result<Vec<Pending>> {
    let rows = sql!(
        "SELECT account_id, key, line_id, work, due_at, attempts,
                CASE WHEN leased_until >= $3 THEN leased_until ELSE 0 END, failure
         FROM jobs
         WHERE (account_id, key) > ($4, $5)
           AND ($1 = 'all'
                OR $1 = 'due' AND due_at <= $2 AND leased_until < $3
                OR $1 = 'failed' AND attempts > 0 AND leased_until < $3)
         ORDER BY account_id, key LIMIT $6",
        which.name(),
        times.now.micros(),
        times.wall.micros(),
        &after.0,
        &after.1,
        most
    )
    .fetch_all(conn)
    .await?;
    rows.iter().map(pending).collect()
}

/// An account's jobs about one line, by key.
pub async fn of_line(
    conn: &mut Conn,
    account: &str,
    line_id: &str,
    wall: Instant,
) -> Result<Vec<Pending>> {
    let rows = sql!(
        "SELECT account_id, key, line_id, work, due_at, attempts,
                CASE WHEN leased_until >= $3 THEN leased_until ELSE 0 END, failure
         FROM jobs WHERE account_id = $1 AND line_id = $2 ORDER BY key",
        account,
        line_id,
        wall.micros()
    )
    .fetch_all(conn)
    .await?;
    rows.iter().map(pending).collect()
}

/// The job of this name, whoever's it is.
pub async fn get(conn: &mut Conn, key: &str, wall: Instant) -> Result<Option<Pending>> {
    let row = sql!(
        "SELECT account_id, key, line_id, work, due_at, attempts,
                CASE WHEN leased_until >= $2 THEN leased_until ELSE 0 END, failure
         FROM jobs WHERE key = $1 ORDER BY account_id LIMIT 1",
        key,
        wall.micros()
    )
    .fetch_optional(conn)
    .await?;
    row.as_ref().map(pending).transpose()
}

/// Makes a job that was tried and failed due now; whether it did. One that nobody has begun waits
/// for its time, and one that is being done is left to whoever does it.
pub async fn try_now(tx: &mut Tx, job: &Pending, times: Times) -> Result<bool> {
    let done = sql!(
        "UPDATE jobs SET due_at = CASE WHEN due_at < $3 THEN due_at ELSE $3 END, attempts = 0,
                         version = version + 1, leased_until = 0
         WHERE account_id = $1 AND key = $2 AND attempts > 0 AND leased_until < $4",
        &job.account_id,
        &job.key,
        times.now.micros(),
        times.wall.micros()
    )
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}
