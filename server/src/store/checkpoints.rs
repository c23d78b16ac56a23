//! Where replays begin: what a line had before any event of an instant or later. Each is a copy of
//! what the grants and the earlier events make, good until one of those arrives late; the truth is
//! the events. Of days long past one a day is kept, of the last ones all.

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
/// Most of what is late is so by less; from further back a replay begins at a midnight.
const ALL_KEPT: Span = Span::days(2);

/// A balance before any event of this instant or later.
pub type Checkpoint<'a> = (&'a Line, Instant, Balance);

/// For each line, the latest checkpoint that an event of this instant leaves good.
pub async fn latest(
    conn: &mut Conn,
    lines: &[(&Line, Instant)],
) -> Result<Vec<Option<(Instant, Balance)>>> {
    let rows = sql!(
        "SELECT r.key, c.before_at, c.balance FROM jsonb_each($1) AS r CROSS JOIN checkpoints AS c
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

/// Forgets what events of these instants make wrong: every later checkpoint of their lines.
pub async fn forget_after(tx: &mut Tx, lines: &[(&Line, Instant)]) -> Result<()> {
    sql!(
        "DELETE FROM checkpoints WHERE (account_id, line_id, before_at) IN (
             SELECT c.account_id, c.line_id, c.before_at
             FROM jsonb_each($1) AS r CROSS JOIN checkpoints AS c
             WHERE c.account_id = r.value->>0 AND c.line_id = r.value->>1
               AND c.before_at > CAST(r.value->>2 AS BIGINT))",
        set::of_lines_at(lines)?
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Keeps checkpoints, those of one line one after the other, and forgets the lines' oldest.
pub async fn keep_all(tx: &mut Tx, new: &[Checkpoint<'_>]) -> Result<()> {
    let mut rows = Vec::with_capacity(new.len());
    for (line, before_at, balance) in new {
        let (account, id) = (line.account_id.as_str(), line.id.as_str());
        rows.push((account, id, before_at.micros(), json(balance)?));
    }
    sql!(
        "INSERT INTO checkpoints (account_id, line_id, before_at, balance)
         SELECT r.value->>0, r.value->>1, CAST(r.value->>2 AS BIGINT), r.value->>3
         FROM jsonb_each($1) AS r WHERE TRUE
         ON CONFLICT (account_id, line_id, before_at) DO UPDATE SET balance = excluded.balance",
        set::of(&rows)?
    )
    .execute(&mut **tx)
    .await?;
    let of_lines = new.chunk_by(|(a, ..), (b, ..)| a.id == b.id);
    let newest = of_lines.filter_map(<[_]>::last).map(|(line, before_at, _)| {
        let (account, id) = (line.account_id.as_str(), line.id.as_str());
        (account, id, before_at.minus(KEPT).micros(), before_at.minus(ALL_KEPT).micros())
    });
    sql!(
        "DELETE FROM checkpoints WHERE (account_id, line_id, before_at) IN (
             SELECT c.account_id, c.line_id, c.before_at
             FROM jsonb_each($1) AS r CROSS JOIN checkpoints AS c
             WHERE c.account_id = r.value->>0 AND c.line_id = r.value->>1
               AND (c.before_at < CAST(r.value->>2 AS BIGINT)
                    OR c.before_at < CAST(r.value->>3 AS BIGINT) AND c.before_at % $2 <> 0))",
        set::of(&newest.collect::<Vec<_>>())?,
        Span::days(1).0
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
