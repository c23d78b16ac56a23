//! What the continuous auditor found, kept so that a restart forgets nothing, and how far its pass
//! over all lines has come. What a violation is, is not known here.

use super::{Conn, Tx, set};
use crate::{error::Result, sql};
use laika_core::time::Instant;
use sqlx::{Row, any::AnyRow};
use std::collections::BTreeSet;

/// Something that must not be: account, line, code and subject.
pub type Name = (String, String, String, String);

fn name(row: &AnyRow) -> Result<Name> {
    Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?))
}

/// Those of these lines (account and line) that were there at the last look.
pub async fn present(conn: &mut Conn, lines: &[(String, String)]) -> Result<BTreeSet<Name>> {
    let rows = sql!(
        "SELECT v.account_id, v.line_id, v.code, v.subject
         FROM jsonb_each($1) AS r CROSS JOIN violations AS v
         WHERE v.account_id = r.value->>0 AND v.line_id = r.value->>1 AND v.gone_at IS NULL",
        set::of(lines)?
    )
    .fetch_all(conn)
    .await?;
    rows.iter().map(name).collect()
}

/// Keeps one that was found.
pub async fn keep(tx: &mut Tx, found: &Name, detail: &str, now: Instant) -> Result<()> {
    sql!(
        "INSERT INTO violations
             (account_id, line_id, code, subject, detail, found_at, seen_at, gone_at)
         VALUES ($1, $2, $3, $4, $5, $6, $6, NULL)
         ON CONFLICT (account_id, line_id, code, subject) DO UPDATE SET
             detail = excluded.detail, seen_at = excluded.seen_at, gone_at = NULL",
        &found.0,
        &found.1,
        &found.2,
        &found.3,
        detail,
        now.micros()
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Keeps that one is no longer there.
pub async fn gone(tx: &mut Tx, past: &Name, now: Instant) -> Result<()> {
    sql!(
        "UPDATE violations SET gone_at = $1
         WHERE account_id = $2 AND line_id = $3 AND code = $4 AND subject = $5",
        now.micros(),
        &past.0,
        &past.1,
        &past.2,
        &past.3
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// How many there are.
pub async fn count(conn: &mut Conn) -> Result<i64> {
    let row = sql!("SELECT COUNT(*) FROM violations WHERE gone_at IS NULL").fetch_one(conn).await?;
    Ok(row.try_get(0)?)
}

/// The pass over all lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pass {
    /// Account and line of the last one looked at; empty before the first.
    pub after: (String, String),
    /// When the last whole pass ended; nothing before that.
    pub whole_at: Option<Instant>,
}

/// How far it has come.
pub async fn pass(conn: &mut Conn) -> Result<Pass> {
    let row = sql!("SELECT account_id, line_id, whole_at FROM audit_passes WHERE name = 'lines'")
        .fetch_optional(conn)
        .await?;
    let Some(row) = row else { return Ok(Pass::default()) };
    let whole_at: Option<i64> = row.try_get(2)?;
    Ok(Pass {
        after: (row.try_get(0)?, row.try_get(1)?),
        whole_at: whole_at.map(Instant::from_micros),
    })
}

/// Keeps how far it has come.
pub async fn keep_pass(tx: &mut Tx, pass: &Pass) -> Result<()> {
    sql!(
        "INSERT INTO audit_passes (name, account_id, line_id, whole_at)
         VALUES ('lines', $1, $2, $3)
         ON CONFLICT (name) DO UPDATE SET
             account_id = excluded.account_id, line_id = excluded.line_id,
             whole_at = excluded.whole_at",
        &pass.after.0,
        &pass.after.1,
        pass.whole_at.map(Instant::micros)
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Account and line of those where money may be moving: a recharge that has not ended, one that was
/// opened since an instant, something that went back since.
pub async fn moving(conn: &mut Conn, since: Instant) -> Result<BTreeSet<(String, String)>> {
    let rows = sql!(
        "SELECT account_id, line_id FROM recharges
         WHERE status NOT IN ('done', 'failed', 'cancelled', 'refunded')
         UNION SELECT account_id, line_id FROM recharges WHERE opened_at >= $1
         UNION SELECT account_id, line_id FROM returns WHERE changed_at >= $1",
        since.micros()
    )
    .fetch_all(conn)
    .await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}
