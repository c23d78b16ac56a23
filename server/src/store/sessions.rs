//! Who is signed in: one row per session, under the hash of its token. All by the wall clock.

use super::{Conn, Tx};
use crate::{error::Result, sql};
use laika_core::{
    id::AccountId,
    time::{Instant, Span},
};
use sqlx::Row;

/// A session ends when it is not used for this long,
pub(super) const IDLE: Span = Span::days(14);
/// and in any case this long after signing in.
pub(super) const ABSOLUTE: Span = Span::days(60);
/// A password entered within this long lets a rule be turned on or a method be added.
pub const STEP_UP: Span = Span::minutes(5);
/// `seen_at` is written at most this often.
const SEEN_EVERY: Span = Span::minutes(10);

/// A session that holds now.
#[derive(Clone, Debug)]
pub struct Session {
    /// Names it without giving it away.
    pub token_sha256: String,
    /// Whose it is.
    pub account_id: AccountId,
    /// When the password was last entered.
    pub stepped_up_at: Instant,
    /// Whether `seen_at` should be written again.
    pub stale: bool,
}

/// Opens a session; the password was entered just now.
pub async fn open(tx: &mut Tx, token_sha256: &str, account: &str, wall: Instant) -> Result<()> {
    sql!(
        "INSERT INTO sessions (token_sha256, account_id, created_at, seen_at, stepped_up_at)
         VALUES ($1, $2, $3, $3, $3)",
        token_sha256,
        account,
        wall.micros()
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The session of this token, if it still holds.
pub async fn get(conn: &mut Conn, token_sha256: &str, wall: Instant) -> Result<Option<Session>> {
    let row = sql!(
        "SELECT account_id, stepped_up_at, seen_at FROM sessions
         WHERE token_sha256 = $1 AND seen_at > $2 AND created_at > $3",
        token_sha256,
        wall.minus(IDLE).micros(),
        wall.minus(ABSOLUTE).micros()
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        let seen_at = Instant::from_micros(row.try_get(2)?);
        Ok(Session {
            token_sha256: token_sha256.to_string(),
            account_id: super::id(row.try_get(0)?, AccountId::new)?,
            stepped_up_at: Instant::from_micros(row.try_get(1)?),
            stale: wall.since(seen_at) > SEEN_EVERY,
        })
    })
    .transpose()
}

/// Writes down that the session was used.
pub async fn seen(tx: &mut Tx, token_sha256: &str, wall: Instant) -> Result<()> {
    sql!("UPDATE sessions SET seen_at = $1 WHERE token_sha256 = $2", wall.micros(), token_sha256)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The password was entered again: the session goes on under a new token. False when it has ended
/// or got another token meanwhile.
pub async fn step_up(tx: &mut Tx, old: &str, new: &str, wall: Instant) -> Result<bool> {
    let done = sql!(
        "UPDATE sessions SET token_sha256 = $1, stepped_up_at = $2, seen_at = $2
         WHERE token_sha256 = $3",
        new,
        wall.micros(),
        old
    )
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Ends a session.
pub async fn close(tx: &mut Tx, token_sha256: &str) -> Result<()> {
    sql!("DELETE FROM sessions WHERE token_sha256 = $1", token_sha256).execute(&mut **tx).await?;
    Ok(())
}
