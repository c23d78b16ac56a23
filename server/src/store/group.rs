//! Many lines locked at once, as a group of usage has them: each is read only where it is not known
//! as it stands, and written once, with the version that the transaction makes.
//!
//! Locks are taken in one order everywhere: lines, then accounts, each sorted.

use super::{
    Conn, Tx,
    dialect::Dialect,
    ledger::Moved,
    lines::{self, Line},
    looks::{self, Last, Seen},
    set,
};
use crate::{
    error::{Error, Result},
    sql,
};
use laika_core::{balance::Balance, time::Instant};
use sqlx::Row;

/// Locks lines, named by account and id, and their accounts; both sorted.
pub async fn lock(
    tx: &mut Tx,
    dialect: Dialect,
    keys: &[(&str, &str)],
    accounts: &[[&str; 1]],
) -> Result<()> {
    for (statement, keys) in
        [(dialect.lock_lines(), set::of(keys)?), (dialect.lock_accounts(), set::of(accounts)?)]
    {
        if let Some(in_order) = statement {
            sqlx::query::<sqlx::Any>(in_order).bind(keys).fetch_all(&mut **tx).await?;
        }
    }
    Ok(())
}

/// A line by account and id, its version, and its account's, where that matters.
pub type Expected<'a> = (&'a str, &'a str, i64, Option<i64>);

/// Which of some locked lines are not as expected, by their place.
pub async fn moved(conn: &mut Conn, expected: &[Expected<'_>]) -> Result<Vec<usize>> {
    let rows = sql!(
        "SELECT r.key
         FROM jsonb_each($1) AS r CROSS JOIN lines AS l CROSS JOIN accounts AS a
         WHERE l.account_id = r.value->>0 AND l.id = r.value->>1 AND a.id = r.value->>0
           AND (l.version <> CAST(r.value->>2 AS BIGINT)
                OR a.version <> CAST(r.value->>3 AS BIGINT))",
        set::of(expected)?
    )
    .fetch_all(conn)
    .await?;
    rows.iter().map(set::key).collect()
}

/// A line, its account's version, and its latest look.
pub type Read = (Line, i64, Option<Last>);

/// Some lines as they stand.
pub async fn read(conn: &mut Conn, keys: &[(&str, &str)]) -> Result<Vec<Read>> {
    let rows = sql!(
        "SELECT l.account_id, l.id, l.iccid, l.version, l.newest_at, l.currency, l.per_gb_minor,
                l.stopped, l.closed, l.recharge_count, l.label, a.version, l.looked_reason,
                l.looked_sha256, l.looked_at, l.looked_bytes, l.looked_credit_minor,
                l.looked_expiry_at
         FROM jsonb_each($1) AS r CROSS JOIN lines AS l CROSS JOIN accounts AS a
         WHERE l.account_id = r.value->>0 AND l.id = r.value->>1 AND a.id = r.value->>0",
        set::of(keys)?
    )
    .fetch_all(conn)
    .await?;
    rows.iter()
        .map(|row| Ok((lines::line(row)?, row.try_get(11)?, looks::last(row, 12)?)))
        .collect()
}

/// A locked line with the version that this transaction makes, its balance before, and as usage
/// changed it.
pub type Drawn<'a> = (&'a Line, &'a Balance, &'a Balance);

/// Keeps what placing usage changed, what the books follow with, and what a look sees then.
///
/// *Errors*: [`Error::Raced`] when a line is not at the version before: where a row's lock does not
/// hold, nothing may be kept either.
pub async fn save(tx: &mut Tx, drawn: &[Drawn<'_>]) -> Result<()> {
    let (mut buckets, mut rows) = (Vec::new(), Vec::with_capacity(drawn.len()));
    for (line, before, after) in drawn {
        let (account, id) = (line.account_id.as_str(), line.id.as_str());
        for (old, new) in before.buckets.iter().zip(&after.buckets) {
            if old.bytes_left != new.bytes_left {
                buckets.push((account, id, new.id.as_str(), new.bytes_left.to_i64()));
            }
        }
        let moved = Moved::between(before, after);
        let (place, seen) = (after.placed_through.as_ref(), Seen::of(after, line.newest_at));
        rows.push((
            account,
            id,
            line.version,
            line.newest_at.micros(),
            after.credit_bytes.to_i64(),
            after.overrun_bytes.to_i64(),
            place.map(|place| place.time.micros()),
            place.map(|place| place.id.as_str()),
            seen.bytes.to_i64(),
            seen.credit_minor,
            seen.expiry_at.map(Instant::micros),
            moved.bytes,
            moved.minor,
        ));
    }
    if !buckets.is_empty() {
        sql!(
            "UPDATE buckets SET bytes_left = CAST(r.value->>3 AS BIGINT)
             FROM jsonb_each($1) AS r
             WHERE buckets.account_id = r.value->>0 AND buckets.line_id = r.value->>1
               AND buckets.id = r.value->>2",
            set::of(&buckets)?
        )
        .execute(&mut **tx)
        .await?;
    }
    let done = sql!(
        "UPDATE lines SET version = CAST(r.value->>2 AS BIGINT),
                          newest_at = CAST(r.value->>3 AS BIGINT),
                          credit_bytes = CAST(r.value->>4 AS BIGINT),
                          overrun_bytes = CAST(r.value->>5 AS BIGINT),
                          placed_at = CAST(r.value->>6 AS BIGINT),
                          placed_id = r.value->>7,
                          looked_at = CAST(r.value->>3 AS BIGINT),
                          looked_bytes = CAST(r.value->>8 AS BIGINT),
                          looked_credit_minor = CAST(r.value->>9 AS BIGINT),
                          looked_expiry_at = CAST(r.value->>10 AS BIGINT),
                          moved_bytes = lines.moved_bytes + CAST(r.value->>11 AS BIGINT),
                          moved_minor = lines.moved_minor + CAST(r.value->>12 AS BIGINT)
         FROM jsonb_each($1) AS r
         WHERE lines.account_id = r.value->>0 AND lines.id = r.value->>1
           AND lines.version = CAST(r.value->>2 AS BIGINT) - 1",
        set::of(&rows)?
    )
    .execute(&mut **tx)
    .await?;
    if done.rows_affected() == rows.len() as u64 { Ok(()) } else { Err(Error::Raced) }
}
