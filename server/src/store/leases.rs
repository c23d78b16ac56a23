//! Leases: work that one process at a time does now and then, such as the nightly check. Taking one
//! raises its version, and holding or finishing it needs that version still to be there: a process
//! that was paused past its lease finds that another has gone on. What the work is, is not known
//! here.
//!
//! Whatever stands further in the future than it can is void: a clock that was wrong wrote it, and
//! it would keep the work from everybody until that time comes.

use super::{Conn, Tx};
use crate::{clock::APART_MOST, error::Result, sql};
use laika_core::time::{Instant, Span};
use sqlx::Row;

/// A lease that this process has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    name: &'static str,
    version: i64,
    /// How long it is left alone by others.
    lasts: Span,
}

/// When the work was last done to its end; nothing when it never was by `now`.
pub async fn done_at(conn: &mut Conn, name: &str, now: Instant) -> Result<Option<Instant>> {
    let row = sql!("SELECT done_at FROM leases WHERE name = $1", name).fetch_optional(conn).await?;
    let done: Option<i64> = row.map(|row| row.try_get(0)).transpose()?;
    let known = 1..=now.plus(APART_MOST).micros();
    Ok(done.filter(|at| known.contains(at)).map(Instant::from_micros))
}

/// Takes a lease where nobody has it and the work was not done from an instant to `now`. `wall` is
/// the time in which leases are counted.
pub async fn take(
    tx: &mut Tx,
    name: &'static str,
    (not_done_since, now): (Instant, Instant),
    wall: Instant,
    lasts: Span,
) -> Result<Option<Lease>> {
    let row = sql!(
        "INSERT INTO leases (name, version, leased_until, done_at) VALUES ($1, 1, $2, 0)
         ON CONFLICT (name) DO UPDATE SET
             version = leases.version + 1, leased_until = excluded.leased_until
         WHERE (leases.leased_until < $3 OR leases.leased_until > $5)
               AND (leases.done_at < $4 OR leases.done_at > $6)
         RETURNING version",
        name,
        wall.plus(lasts).micros(),
        wall.micros(),
        not_done_since.micros(),
        wall.plus(lasts).plus(APART_MOST).micros(),
        now.plus(APART_MOST).micros()
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(match row {
        Some(row) => Some(Lease { name, version: row.try_get(0)?, lasts }),
        None => None,
    })
}

/// Keeps a lease for as long again; false when it is lost.
pub async fn keep(tx: &mut Tx, lease: &Lease, wall: Instant) -> Result<bool> {
    let done = sql!(
        "UPDATE leases SET leased_until = $1 WHERE name = $2 AND version = $3",
        wall.plus(lease.lasts).micros(),
        lease.name,
        lease.version
    )
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Lets go of a lease, with when the work was done, or with nothing when it was not; false when it
/// is lost.
pub async fn end(tx: &mut Tx, lease: &Lease, done_at: Option<Instant>) -> Result<bool> {
    let done = sql!(
        "UPDATE leases SET leased_until = 0, done_at = COALESCE($1, done_at)
         WHERE name = $2 AND version = $3",
        done_at.map(Instant::micros),
        lease.name,
        lease.version
    )
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}
