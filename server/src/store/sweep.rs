//! The sweep: deletes rows that nobody asks for any more, some at a time, so that no other writer
//! waits long. It deletes nothing of money, of lines or of what was ever agreed to.

use super::{Store, gateway_events, sessions};
use crate::{error::Result, fault::Kept, sql};
use laika_core::time::{Instant, Span};

/// Rows of one transaction.
const AT_ONCE: i64 = 1000;
/// How long a registration is kept, confirmed or not, and the messages with its codes: they ended
/// within minutes, and a password and contacts would stay for nothing.
const REGISTRATIONS: Span = Span::days(1);
/// How long a visit to the gateway's page is kept: the page itself ends within a day.
const SETUPS: Span = Span::days(7);

/// Deletes the tries of slots that are over, sessions that have ended, registrations with their
/// messages, visits to the gateway's page, and the names of events that nobody sends any more.
/// Gives how many rows.
///
/// A message that belongs to an account stays: its key is what tells that it was told. Those of
/// nobody are a registration's, each under a key of its own.
pub async fn sweep(store: &Store, wall: Instant) -> Result<u64> {
    let mut swept = 0;
    loop {
        let mut tx = store.write().await?;
        let tries = sql!(
            "DELETE FROM throttles WHERE (subject, slot) IN (
                 SELECT subject, slot FROM throttles WHERE ends_at <= $1 LIMIT $2)",
            wall.micros(),
            AT_ONCE
        );
        let ended = sql!(
            "DELETE FROM sessions WHERE token_sha256 IN (
                 SELECT token_sha256 FROM sessions WHERE seen_at <= $1 OR created_at <= $2
                 LIMIT $3)",
            wall.minus(sessions::IDLE).micros(),
            wall.minus(sessions::ABSOLUTE).micros(),
            AT_ONCE
        );
        let registered = sql!(
            "DELETE FROM registrations WHERE id IN (
                 SELECT id FROM registrations WHERE codes_end_at <= $1 LIMIT $2)",
            wall.minus(REGISTRATIONS).micros(),
            AT_ONCE
        );
        let codes = sql!(
            "DELETE FROM messages WHERE key IN (
                 SELECT key FROM messages WHERE account_id IS NULL AND created_at <= $1 LIMIT $2)",
            wall.minus(REGISTRATIONS).micros(),
            AT_ONCE
        );
        let visits = sql!(
            "DELETE FROM payment_method_setups WHERE (account_id, id) IN (
                 SELECT account_id, id FROM payment_method_setups WHERE created_at <= $1
                 LIMIT $2)",
            wall.minus(SETUPS).micros(),
            AT_ONCE
        );
        let acted_on = sql!(
            "DELETE FROM gateway_events WHERE id IN (
                 SELECT id FROM gateway_events WHERE received_at <= $1 LIMIT $2)",
            wall.minus(gateway_events::KEPT).micros(),
            AT_ONCE
        );
        let mut rows = 0;
        for statement in [tries, ended, registered, codes, visits, acted_on] {
            rows += statement.execute(&mut *tx).await?.rows_affected();
        }
        tx.commit_as(Kept::Sweep).await?;
        swept += rows;
        if rows == 0 {
            return Ok(swept);
        }
    }
}
