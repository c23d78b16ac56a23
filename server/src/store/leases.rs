//! Leases: work that one process at a time does now and then, such as the nightly check. Taking one
//! raises its version, and holding or finishing it needs that version still to be there: a process
//! that was paused past its lease finds that another has gone on. What the work is, is not known
//! here.

use super::{Conn, Tx};
use crate::{error::Result, sql};
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

/// When the work was last done to its end; nothing when it never was.
pub async fn done_at(conn: &mut Conn, name: &str) -> Result<Option<Instant>> {
    let row = sql!("SELECT done_at FROM leases WHERE name = $1", name).fetch_optional(conn).await?;
    let done: Option<i64> = row.map(|row| row.try_get(0)).transpose()?;
    Ok(done.filter(|at| *at > 0).map(Instant::from_micros))
}

/// Takes a lease where nobody has it and the work was not done since an instant. `wall` is the
/// machine's time, in which leases are counted.
pub async fn take(
    tx: &mut Tx,
    name: &'static str,
    not_done_since: Instant,
    wall: Instant,
    lasts: Span,
) -> Result<Option<Lease>> {
    let row = sql!(
        "INSERT INTO leases (name, version, leased_until, done_at) VALUES ($1, 1, $2, 0)
         ON CONFLICT (name) DO UPDATE SET
             version = leases.version + 1, leased_until = excluded.leased_until
         WHERE leases.leased_until < $3 AND leases.done_at < $4
         RETURNING version",
        name,
        wall.plus(lasts).micros(),
        wall.micros(),
        not_done_since.micros()
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
