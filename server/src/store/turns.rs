//! Turns: what one server at a time does for all servers of the database, such as comparing the
//! gateway's list, sweeping, and sending messages. A turn ends by itself, so that no server that
//! died or was paused keeps the others waiting for long.
//!
//! A turn saves work and nothing else: whatever is done in one must be safe when two do it, because
//! a server that was paused past the end of its turn still believes in it.

use super::Tx;
use crate::{clock::APART_MOST, error::Result, sql};
use laika_core::time::{Instant, Span};

/// Takes a turn that is nobody's at `wall`, or goes on with one's own; whether this node has it
/// now. One that ends later than a turn can was taken by a clock that was wrong, and is nobody's.
pub async fn take(tx: &mut Tx, name: &str, node: &str, wall: Instant, lasts: Span) -> Result<bool> {
    let done = sql!(
        "INSERT INTO turns (name, node, ends_at) VALUES ($1, $2, $3)
         ON CONFLICT (name) DO UPDATE SET node = excluded.node, ends_at = excluded.ends_at
         WHERE turns.ends_at <= $4 OR turns.ends_at > $5 OR turns.node = excluded.node",
        name,
        node,
        wall.plus(lasts).micros(),
        wall.micros(),
        wall.plus(lasts).plus(APART_MOST).micros()
    )
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}
