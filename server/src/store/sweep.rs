//! The sweep: deletes rows that nobody asks for any more, some at a time, so that no other writer
//! waits long. It deletes nothing of money, of lines or of what was ever agreed to.

use super::{Store, gateway_events, sessions};
use crate::{error::Result, fault::Kept, sql};
use laika_core::time::{Instant, Span};

/// Rows of one transaction.
const AT_ONCE: i64 = 1000;
/// How long a registration that was never confirmed is kept: its codes ended within minutes.
const UNCONFIRMED: Span = Span::days(1);

/// Deletes the tries of slots that are over, sessions that have ended, registrations that were
/// never confirmed, and the names of events that nobody sends any more. Gives how many rows.
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
        let unconfirmed = sql!(
            "DELETE FROM registrations WHERE id IN (
                 SELECT id FROM registrations WHERE confirmed_at IS NULL AND codes_end_at <= $1
                 LIMIT $2)",
            wall.minus(UNCONFIRMED).micros(),
            AT_ONCE
        );
        let acted_on = sql!(
            "DELETE FROM gateway_events WHERE id IN (
                 SELECT id FROM gateway_events WHERE received_at <= $1 LIMIT $2)",
            wall.minus(gateway_events::KEPT).micros(),
            AT_ONCE
        );
        let mut rows = 0;
        for statement in [tries, ended, unconfirmed, acted_on] {
            rows += statement.execute(&mut *tx).await?.rows_affected();
        }
        tx.commit_as(Kept::Sweep).await?;
        swept += rows;
        if rows == 0 {
            return Ok(swept);
        }
    }
}
