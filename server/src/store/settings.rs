//! Single values that every process shares: how far the sandbox has let time pass, whether the
//! operator has stopped all charging, and which gateway knows the customers.

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

/// What stands in no account and yet decides about its lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shared {
    /// Whether the operator has stopped all charging.
    pub charging_stopped: bool,
    /// Moves with every decline: cards are counted over all accounts.
    pub declines: i64,
}

/// All of that.
pub async fn shared(conn: &mut Conn) -> Result<Shared> {
    let rows =
        sql!("SELECT name, value FROM settings WHERE name IN ('charging_stopped', 'declines')")
            .fetch_all(conn)
            .await?;
    let mut shared = Shared { charging_stopped: false, declines: 0 };
    for row in &rows {
        let (name, value): (String, i64) = (row.try_get(0)?, row.try_get(1)?);
        match name.as_str() {
            "charging_stopped" => shared.charging_stopped = value != 0,
            _ => shared.declines = value,
        }
    }
    Ok(shared)
}

/// Says that a card was declined, to whoever remembers how often.
pub async fn count_decline(tx: &mut Tx) -> Result<()> {
    sql!(
        "INSERT INTO settings (name, value) VALUES ('declines', 1)
         ON CONFLICT (name) DO UPDATE SET value = settings.value + 1"
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Which gateway knows the customers and cards, by a number of the caller's, and whose account it
/// is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Home {
    /// Which gateway.
    pub gateway: i64,
    /// Whose account, where that is known.
    pub account: Option<i64>,
}

/// That, as it is kept.
pub async fn home(conn: &mut Conn) -> Result<Option<Home>> {
    let rows =
        sql!("SELECT name, value FROM settings WHERE name IN ('gateway', 'gateway_account')")
            .fetch_all(conn)
            .await?;
    let (mut gateway, mut account) = (None, None);
    for row in &rows {
        let (name, value): (String, i64) = (row.try_get(0)?, row.try_get(1)?);
        match name.as_str() {
            "gateway" => gateway = Some(value),
            _ => account = Some(value),
        }
    }
    let account = account.filter(|account| *account != 0);
    Ok(gateway.map(|gateway| Home { gateway, account }))
}

/// Keeps it.
pub async fn set_home(tx: &mut Tx, home: Home) -> Result<()> {
    let account = home.account.unwrap_or(0);
    for (name, value) in [("gateway", home.gateway), ("gateway_account", account)] {
        sql!(
            "INSERT INTO settings (name, value) VALUES ($1, $2)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            name,
            value
        )
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
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
