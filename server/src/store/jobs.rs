//! Jobs: what is to be done outside, written in the transaction that caused it, claimed by lease.
//!
//! One pending job per key; asking again for an earlier time moves it there. A claim raises the
//! job's version; finishing it needs that version still to be there, so a worker that was paused
//! past its lease writes nothing. What a job does is decided elsewhere: this file keeps it.

use super::{Conn, Tx, dialect::Dialect, lines::Line, set};
use crate::{
    clock::APART_MOST,
    error::{Error, Result},
    secret::random,
    sql,
};
use laika_core::{
    id::{AccountId, LineId, PaymentMethodId, RechargeId},
    recharge::Effect,
    time::{Instant, Span},
};
use serde::{Deserialize, Serialize};
use sqlx::{Row, any::AnyRow};

/// How long a claimed job is left alone: longer than any one request to the outside takes.
const LEASE: Span = Span::seconds(60);
/// How long a job that cannot be read is left alone: a newer process may know what it is.
const SET_ASIDE: Span = Span::hours(1);

/// What there is to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Work {
    /// One effect of a recharge.
    Recharge {
        /// Of which.
        recharge_id: RechargeId,
        /// What.
        effect: Effect,
    },
    /// Look at the line: does the rule recharge now?
    Evaluate,
    /// Forget a removed payment method at the gateway.
    Detach {
        /// The gateway's token.
        token: String,
    },
    /// Ask the gateway what a card is by now: networks renew them.
    Refresh {
        /// Which.
        payment_method_id: PaymentMethodId,
    },
    /// Give money back after a recharge's end.
    GiveBack {
        /// Of which recharge.
        recharge_id: RechargeId,
        /// Of which attempt's payment.
        attempt: u32,
        /// Which of its refunds.
        number: u32,
    },
}

impl Work {
    /// Whether doing it waits for the gateway.
    pub fn asks_gateway(&self) -> bool {
        match self {
            Work::Evaluate => false,
            Work::Detach { .. } | Work::Refresh { .. } | Work::GiveBack { .. } => true,
            Work::Recharge { effect, .. } => !matches!(effect, Effect::TopUp | Effect::LookUpTopUp),
        }
    }

    /// The name under which at most one such job is pending in an account.
    fn key(&self, line_id: &str) -> Result<String> {
        let (recharge_id, effect) = match self {
            Work::Evaluate => return Ok(format!("{line_id}/evaluate")),
            Work::Detach { token } => return Ok(format!("detach/{token}")),
            Work::Refresh { payment_method_id } => {
                return Ok(format!("refresh/{payment_method_id}"));
            }
            Work::GiveBack { recharge_id, attempt, number } => {
                return Ok(format!("{recharge_id}/give_back/{attempt}/{number}"));
            }
            Work::Recharge { recharge_id, effect } => (recharge_id, effect),
        };
        let (name, attempt) = match effect {
            Effect::Charge { attempt } => ("charge", *attempt),
            Effect::LookUpPayment { attempt } => ("look_up_payment", *attempt),
            Effect::CancelPayment { attempt } => ("cancel_payment", *attempt),
            Effect::Refund { attempt } => ("refund", *attempt),
            Effect::TopUp => ("top_up", 0),
            Effect::LookUpTopUp => ("look_up_top_up", 0),
            Effect::Bar { .. }
            | Effect::Suspend { .. }
            | Effect::Tell { .. }
            | Effect::Evaluate => {
                return Err(Error::internal(format!("{effect:?} is not done outside")));
            }
        };
        Ok(format!("{recharge_id}/{name}/{attempt}"))
    }
}

/// A job that this worker holds.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// Whose.
    pub account_id: AccountId,
    /// Which line it is about.
    pub line_id: LineId,
    /// What to do.
    pub work: Work,
    /// How often it was claimed, this time included.
    pub attempts: i64,
    key: String,
    version: i64,
}

/// The version of a job that is written anew: no earlier one of its key had it.
///
/// Why not 0: a key comes again when its job is done. Who held the first and lost it, as a server
/// that stood still does, would take the second one's claim for its own.
fn first_version() -> i64 {
    i64::from_le_bytes(random()) & (i64::MAX >> 1)
}

/// Enqueues work. A pending job of the same key is moved forward to `due_at` if that is earlier,
/// and whoever holds it at the moment has to leave it to the next claim.
pub async fn enqueue(
    tx: &mut Tx,
    account_id: &str,
    line_id: &str,
    work: &Work,
    due_at: Instant,
) -> Result<()> {
    let json = serde_json::to_string(work).map_err(|e| Error::internal(e.to_string()))?;
    sql!(
        "INSERT INTO jobs (account_id, key, line_id, work, due_at, attempts, version, leased_until)
         VALUES ($1, $2, $3, $4, $5, 0, $6, 0)
         ON CONFLICT (account_id, key) DO UPDATE SET
             due_at = CASE WHEN excluded.due_at < jobs.due_at
                           THEN excluded.due_at ELSE jobs.due_at END,
             attempts = 0,
             version = jobs.version + 1,
             leased_until = 0,
             failure = NULL",
        account_id,
        work.key(line_id)?,
        line_id,
        json,
        due_at.micros(),
        first_version()
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Has the line looked at, at an instant.
pub async fn look_at(tx: &mut Tx, account_id: &str, line_id: &str, at: Instant) -> Result<()> {
    enqueue(tx, account_id, line_id, &Work::Evaluate, at).await
}

/// Has many lines, which were just looked at, looked at again, each at its instant. What was due by
/// now is done by that look; a later job that is due earlier anyway, and that nobody has begun,
/// stays as it is.
///
/// Why what was due moves: it would be claimed at once for nothing, and while usage goes on coming
/// in between, again and again for nothing.
pub async fn look_at_all(tx: &mut Tx, looks: &[(&Line, Instant)]) -> Result<()> {
    let work =
        serde_json::to_string(&Work::Evaluate).map_err(|e| Error::internal(e.to_string()))?;
    let mut rows = Vec::with_capacity(looks.len());
    for (line, at) in looks {
        let key = Work::Evaluate.key(line.id.as_str())?;
        rows.push((line.account_id.as_str(), key, line.id.as_str(), at.micros()));
    }
    let looked_at = looks.iter().map(|(line, _)| line.newest_at).min();
    let Some(looked_at) = looked_at else { return Ok(()) };
    sql!(
        "INSERT INTO jobs (account_id, key, line_id, work, due_at, attempts, version, leased_until)
         SELECT r.value->>0, r.value->>1, r.value->>2, $2, CAST(r.value->>3 AS BIGINT), 0, $4, 0
         FROM jsonb_each($1) AS r WHERE TRUE
         ON CONFLICT (account_id, key) DO UPDATE SET
             due_at = CASE WHEN excluded.due_at < jobs.due_at OR jobs.due_at <= $3
                           THEN excluded.due_at ELSE jobs.due_at END,
             attempts = 0,
             version = jobs.version + 1,
             leased_until = 0,
             failure = NULL
         WHERE excluded.due_at < jobs.due_at OR jobs.due_at <= $3
               OR jobs.attempts > 0 OR jobs.leased_until > 0",
        set::of(&rows)?,
        work,
        looked_at.micros(),
        first_version()
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// From when on a lease is void that was taken in the time in which leases are counted: it ends
/// later than one can, so that a clock that was wrong wrote it.
fn void_from(wall: Instant) -> Instant {
    wall.plus(LEASE).plus(APART_MOST)
}

/// Which jobs are claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Everything but looks: few, and somebody's money each.
    Money,
    /// Of that, what waits for the carrier and not for the gateway.
    Deliveries,
    /// Looks at lines: after all were stopped, hundreds of thousands may be due at once.
    Looks,
}

/// Claims for a node up to `most` jobs of a kind that are due at `now` and that nobody holds at
/// `wall`.
pub async fn claim(
    tx: &mut Tx,
    dialect: Dialect,
    node: &str,
    (now, wall): (Instant, Instant),
    (which, most): (Which, i64),
) -> Result<Vec<Claimed>> {
    let (until, void, keys) = (
        wall.plus(LEASE).micros(),
        void_from(wall).micros(),
        if which == Which::Deliveries { "%top_up/0" } else { "%" },
    );
    // Why all is checked twice: who waited for a row sees in the outer condition what became of it;
    // the inner one alone would claim it again. Looks are known by their text, as their index is.
    macro_rules! claim {
        ($which:literal, $passing:literal) => {
            sql!(
                concat!(
                    "UPDATE jobs SET version = version + 1, attempts = attempts + 1,
                            leased_until = $1, leased_by = $5
                     WHERE due_at <= $3 AND (leased_until < $2 OR leased_until > $6)
                           AND (account_id, key) IN (
                         SELECT account_id, key FROM jobs
                         WHERE due_at <= $3 AND (leased_until < $2 OR leased_until > $6)
                               AND key LIKE $7 AND ",
                    $which,
                    " ORDER BY due_at, key LIMIT $4 ",
                    $passing,
                    ") RETURNING account_id, line_id, work, attempts, key, version"
                ),
                until,
                wall.micros(),
                now.micros(),
                most,
                node,
                void,
                keys
            )
        };
    }
    // Why passed over: rows that another claims or moves at the moment would be waited for in an
    // order of their own, and PostgreSQL would end one of the two.
    let claim = match (which, dialect) {
        (Which::Looks, Dialect::Sqlite) => claim!("work = '{\"kind\":\"evaluate\"}'", ""),
        (Which::Looks, Dialect::Postgres) => {
            claim!("work = '{\"kind\":\"evaluate\"}'", "FOR UPDATE SKIP LOCKED")
        }
        (_, Dialect::Sqlite) => claim!("work <> '{\"kind\":\"evaluate\"}'", ""),
        (_, Dialect::Postgres) => {
            claim!("work <> '{\"kind\":\"evaluate\"}'", "FOR UPDATE SKIP LOCKED")
        }
    };
    let rows = claim.fetch_all(&mut **tx).await?;
    let mut all = Vec::with_capacity(rows.len());
    for row in &rows {
        match claimed(row) {
            Ok(job) => all.push(job),
            Err(error) => set_aside(tx, row, now, &error).await?,
        }
    }
    Ok(all)
}

/// Claims up to so many jobs of any kind.
#[cfg(test)]
pub(crate) async fn claim_any(
    tx: &mut Tx,
    dialect: Dialect,
    node: &str,
    times: (Instant, Instant),
    most: i64,
) -> Result<Vec<Claimed>> {
    let mut all = claim(tx, dialect, node, times, (Which::Money, most)).await?;
    let more = most.saturating_sub(i64::try_from(all.len()).unwrap_or(most));
    all.extend(claim(tx, dialect, node, times, (Which::Looks, more)).await?);
    Ok(all)
}

/// Leaves a claimed job that cannot be read to a later claim, so that no other waits for it.
async fn set_aside(tx: &mut Tx, row: &AnyRow, now: Instant, error: &Error) -> Result<()> {
    let (account_id, key): (String, String) = (row.try_get(0)?, row.try_get(4)?);
    tracing::error!(account_id, key, %error, "a job cannot be read; it is set aside for an hour");
    sql!(
        "UPDATE jobs SET due_at = $1, leased_until = 0 WHERE account_id = $2 AND key = $3",
        now.plus(SET_ASIDE).micros(),
        account_id,
        key
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Account and key of a job.
pub type Key = (String, String);

/// Of the next jobs after one, up to `most`, the keys of those that cannot be read, each with why
/// not; and where to go on, unless these were the last.
pub async fn unreadable(
    conn: &mut Conn,
    after: &Key,
    most: i64,
) -> Result<(Vec<(String, String)>, Option<Key>)> {
    let rows = sql!(
        "SELECT account_id, line_id, work, attempts, key, version FROM jobs
         WHERE (account_id, key) > ($1, $2) ORDER BY account_id, key LIMIT $3",
        &after.0,
        &after.1,
        most
    )
    .fetch_all(conn)
    .await?;
    let unread = rows.iter().filter_map(|row| Some((row, claimed(row).err()?)));
    let unread = unread.map(|(row, error)| Ok((row.try_get(4)?, error.to_string())));
    let whole = i64::try_from(rows.len()).is_ok_and(|count| count >= most);
    let last = rows.last().filter(|_| whole);
    let next = last.map(|row| Ok::<_, Error>((row.try_get(0)?, row.try_get(4)?)));
    Ok((unread.collect::<Result<_>>()?, next.transpose()?))
}

fn claimed(row: &AnyRow) -> Result<Claimed> {
    let work: String = row.try_get(2)?;
    Ok(Claimed {
        account_id: super::id(row.try_get(0)?, AccountId::new)?,
        line_id: super::id(row.try_get(1)?, LineId::new)?,
        work: serde_json::from_str(&work).map_err(|e| Error::internal(format!("job: {e}")))?,
        attempts: row.try_get(3)?,
        key: row.try_get(4)?,
        version: row.try_get(5)?,
    })
}

/// Lets go of every job that a node holds: its start finds what its killed past held. Should that
/// still run after all, it loses its claim, writes nothing, and is done again under the same keys.
/// What other nodes hold is theirs until their leases end.
pub async fn release(tx: &mut Tx, node: &str) -> Result<()> {
    sql!(
        "UPDATE jobs SET leased_until = 0, version = version + 1
         WHERE leased_until > 0 AND leased_by = $1",
        node
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The names of each line's jobs.
pub async fn keys_of(conn: &mut Conn, lines: &[&Line]) -> Result<Vec<Vec<String>>> {
    let rows = sql!(
        "SELECT r.key, j.key FROM jsonb_each($1) AS r CROSS JOIN jobs AS j
         WHERE j.account_id = r.value->>0 AND j.line_id = r.value->>1 ORDER BY j.key",
        set::of_lines(lines.iter().copied())?
    )
    .fetch_all(conn)
    .await?;
    set::grouped(lines.len(), &rows, |row| Ok(row.try_get(1)?))
}

/// When the next job that nobody holds is due.
pub async fn next_due(conn: &mut Conn, wall: Instant) -> Result<Option<Instant>> {
    let row = sql!(
        "SELECT MIN(due_at) FROM jobs WHERE leased_until < $1 OR leased_until > $2",
        wall.micros(),
        void_from(wall).micros()
    )
    .fetch_one(conn)
    .await?;
    Ok(row.try_get::<Option<i64>, _>(0)?.map(Instant::from_micros))
}

/// Whether the claim still holds; the row is then locked until the transaction ends.
pub async fn still_held(tx: &mut Tx, job: &Claimed) -> Result<bool> {
    let done = sql!(
        "UPDATE jobs SET version = version WHERE account_id = $1 AND key = $2 AND version = $3",
        job.account_id.as_str(),
        &job.key,
        job.version
    )
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Ends a job in the transaction of its result; false when the claim is lost, and then nothing of
/// that transaction may be committed.
pub async fn finish(tx: &mut Tx, job: &Claimed) -> Result<bool> {
    let done = sql!(
        "DELETE FROM jobs WHERE account_id = $1 AND key = $2 AND version = $3",
        job.account_id.as_str(),
        &job.key,
        job.version
    )
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Lets go of a job until later, with what went wrong where that is known; does nothing when the
/// claim is lost.
pub async fn retry(
    tx: &mut Tx,
    job: &Claimed,
    due_at: Instant,
    failure: Option<&str>,
) -> Result<()> {
    sql!(
        "UPDATE jobs SET due_at = $1, leased_until = 0, failure = $5
         WHERE account_id = $2 AND key = $3 AND version = $4",
        due_at.micros(),
        job.account_id.as_str(),
        &job.key,
        job.version,
        failure
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
