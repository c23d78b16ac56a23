//! The gateway's events that were acted on, by name: one that is sent again asks for nothing twice.

use super::{Conn, Tx};
use crate::{error::Result, sql};
use laika_core::time::{Instant, Span};

/// How long a name is kept: a gateway gives up sending long before.
pub const KEPT: Span = Span::days(30);

/// Whether an event was acted on.
pub async fn is_known(conn: &mut Conn, id: &str) -> Result<bool> {
    let row = sql!("SELECT id FROM gateway_events WHERE id = $1", id).fetch_optional(conn).await?;
    Ok(row.is_some())
}

/// Keeps that an event was acted on.
pub async fn keep(tx: &mut Tx, id: &str, wall: Instant) -> Result<()> {
    sql!(
        "INSERT INTO gateway_events (id, received_at) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING",
        id,
        wall.micros()
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
