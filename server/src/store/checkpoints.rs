//! Where replays begin: what a line had before any event of an instant or later, at most one a day.
//! Each is a copy of what the grants and the earlier events make, good until one of those arrives
//! late; the truth is the events.

use super::{
    Conn, Tx,
    lines::Line,
    rules::{from_json, json},
    set,
};
use crate::{error::Result, sql};
use laika_core::{
    balance::Balance,
    time::{Instant, Span},
};
use sqlx::Row;

/// Usage may be late by a month; a replay from further back begins at the grants.
const KEPT: Span = Span::days(40);

/// A balance before any event of this instant or later.
pub type Checkpoint<'a> = (&'a Line, Instant, Balance);

/// For each line, the latest checkpoint that an event of this instant leaves good.
pub async fn latest(
    conn: &mut Conn,
    lines: &[(&Line, Instant)],
) -> Result<Vec<Option<(Instant, Balance)>>> {
    let rows = sql!(
        "SELECT r.key, c.before_at, c.balance FROM json_each($1) AS r CROSS JOIN checkpoints AS c
         WHERE c.account_id = r.value->>0 AND c.line_id = r.value->>1
           AND c.before_at = (SELECT MAX(m.before_at) FROM checkpoints AS m
                              WHERE m.account_id = r.value->>0 AND m.line_id = r.value->>1
                                AND m.before_at <= CAST(r.value->>2 AS BIGINT))",
        set::of_lines_at(lines)?
    )
    .fetch_all(conn)
    .await?;
    let found = set::grouped(lines.len(), &rows, |row| {
        Ok((Instant::from_micros(row.try_get(1)?), from_json(&row.try_get::<String, _>(2)?)?))
    })?;
    Ok(found.into_iter().map(|mut latest| latest.pop()).collect())
}

/// Keeps checkpoints, and forgets the lines' oldest.
pub async fn keep_all(tx: &mut Tx, new: &[Checkpoint<'_>]) -> Result<()> {
    let mut rows = Vec::with_capacity(new.len());
    for (line, before_at, balance) in new {
        let (account, id) = (line.account_id.as_str(), line.id.as_str());
        let oldest = before_at.minus(KEPT).micros();
        rows.push((account, id, before_at.micros(), json(balance)?, oldest));
    }
    let rows = set::of(&rows)?;
    sql!(
        "INSERT INTO checkpoints (account_id, line_id, before_at, balance)
         SELECT r.value->>0, r.value->>1, CAST(r.value->>2 AS BIGINT), r.value->>3
         FROM json_each($1) AS r WHERE TRUE
         ON CONFLICT (account_id, line_id, before_at) DO UPDATE SET balance = excluded.balance",
        &rows
    )
    .execute(&mut **tx)
    .await?;
    sql!(
        "DELETE FROM checkpoints WHERE (account_id, line_id, before_at) IN (
             SELECT c.account_id, c.line_id, c.before_at
             FROM json_each($1) AS r CROSS JOIN checkpoints AS c
             WHERE c.account_id = r.value->>0 AND c.line_id = r.value->>1
               AND c.before_at < CAST(r.value->>4 AS BIGINT))",
        &rows
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
