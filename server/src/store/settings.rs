//! Single values that every process shares: how far the sandbox has let time pass, and whether the
//! operator has stopped all charging.

use super::{Conn, Tx};
use crate::{error::Result, sql};
use sqlx::Row;

/// How far the sandbox has moved time forward, in microseconds.
pub async fn sandbox_offset(conn: &mut Conn) -> Result<i64> {
    let row = sql!("SELECT value FROM settings WHERE name = 'sandbox_offset'")
        .fetch_optional(conn)
        .await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?.unwrap_or(0))
}

/// Lets more time pass in the sandbox; the new offset, in microseconds.
pub async fn add_sandbox_offset(tx: &mut Tx, micros: i64) -> Result<i64> {
    let row = sql!(
        "INSERT INTO settings (name, value) VALUES ('sandbox_offset', $1)
         ON CONFLICT (name) DO UPDATE SET value = settings.value + excluded.value
         RETURNING value",
        micros
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(row.try_get(0)?)
}

/// Whether the operator has stopped all charging.
pub async fn charging_stopped(conn: &mut Conn) -> Result<bool> {
    let row = sql!("SELECT value FROM settings WHERE name = 'charging_stopped'")
        .fetch_optional(conn)
        .await?;
    Ok(row.map(|row| row.try_get::<i64, _>(0)).transpose()?.unwrap_or(0) != 0)
}

/// Writes nothing new, as a write: a database that takes none says so.
pub async fn touch(tx: &mut Tx) -> Result<()> {
    sql!("UPDATE settings SET value = value WHERE name = 'audit_log_entries'")
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Stops all charging, or lets it go on; whether that changed anything. It holds for every
/// submission that is decided after the commit.
pub async fn stop_charging(tx: &mut Tx, stopped: bool) -> Result<bool> {
    let done = sql!(
        "INSERT INTO settings (name, value) VALUES ('charging_stopped', $1)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value
         WHERE settings.value <> excluded.value",
        i64::from(stopped)
    )
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}
