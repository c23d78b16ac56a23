//! What goes back of a payment beside its recharge: core's [`Returns`], and with it the columns
//! that statements look for. The line is locked in every transaction that writes one.

use super::{Conn, Tx, lines::Line, rules::from_json, rules::json, set};
use crate::{error::Result, sql};
use laika_core::{
    id::AccountId,
    returns::{Dispute, Returns},
    time::Instant,
};
use sqlx::{Row, any::AnyRow};

/// A payment's returns and how often they changed.
#[derive(Clone, Debug)]
pub struct Stored {
    /// The run.
    pub returns: Returns,
    /// How many facts changed it: the last one's number.
    pub steps: i64,
    /// When the last one did.
    pub changed_at: Instant,
}

fn stored(row: &AnyRow, first: usize) -> Result<Stored> {
    Ok(Stored {
        returns: from_json(&row.try_get::<String, _>(first)?)?,
        steps: row.try_get(first + 1)?,
        changed_at: Instant::from_micros(row.try_get(first + 2)?),
    })
}

/// Of one attempt of a recharge, if anything ever went back of it.
pub async fn get(
    conn: &mut Conn,
    account_id: &str,
    recharge_id: &str,
    attempt: u32,
) -> Result<Option<Stored>> {
    let row = sql!(
        "SELECT body, steps, changed_at FROM returns
         WHERE account_id = $1 AND recharge_id = $2 AND attempt = $3",
        account_id,
        recharge_id,
        i64::from(attempt)
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| stored(&row, 0)).transpose()
}

/// Of a payment, by the gateway's name for it, with whose it is, if anything ever went back of it.
pub async fn of_payment(conn: &mut Conn, payment: &str) -> Result<Option<(AccountId, Returns)>> {
    let row = sql!("SELECT account_id, body FROM returns WHERE payment = $1", payment)
        .fetch_optional(conn)
        .await?;
    let read = |row: AnyRow| -> Result<(AccountId, Returns)> {
        let account = super::id(row.try_get(0)?, AccountId::new)?;
        Ok((account, from_json(&row.try_get::<String, _>(1)?)?))
    };
    row.map(read).transpose()
}

/// Keeps what it is now.
pub async fn put(tx: &mut Tx, line: &Line, kept: &Stored) -> Result<()> {
    let returns = &kept.returns;
    let open = |d: &&Dispute| d.status.is_open();
    let disputes_open = returns.disputes.iter().filter(open).count();
    sql!(
        "INSERT INTO returns
             (account_id, recharge_id, attempt, line_id, payment, steps, disputes_open, changed_at,
              body)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (account_id, recharge_id, attempt) DO UPDATE SET
             steps = excluded.steps, disputes_open = excluded.disputes_open,
             changed_at = excluded.changed_at, body = excluded.body",
        line.account_id.as_str(),
        returns.recharge_id.as_str(),
        i64::from(returns.attempt),
        line.id.as_str(),
        &returns.payment,
        kept.steps,
        i64::try_from(disputes_open).unwrap_or(i64::MAX),
        kept.changed_at.micros(),
        json(returns)?
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Of each line, in the order of recharge and attempt.
pub async fn of_lines(conn: &mut Conn, lines: &[&Line]) -> Result<Vec<Vec<Stored>>> {
    let rows = sql!(
        "SELECT r.key, x.body, x.steps, x.changed_at
         FROM jsonb_each($1) AS r CROSS JOIN returns AS x
         WHERE x.account_id = r.value->>0 AND x.line_id = r.value->>1
         ORDER BY x.recharge_id, x.attempt",
        set::of_lines(lines.iter().copied())?
    )
    .fetch_all(conn)
    .await?;
    set::grouped(lines.len(), &rows, |row| stored(row, 1))
}

/// How many disputes about charges of each line are open.
pub async fn disputes_open(conn: &mut Conn, lines: &[&Line]) -> Result<Vec<u32>> {
    let rows = sql!(
        "SELECT r.key, x.disputes_open FROM jsonb_each($1) AS r CROSS JOIN returns AS x
         WHERE x.account_id = r.value->>0 AND x.line_id = r.value->>1 AND x.disputes_open > 0",
        set::of_lines(lines.iter().copied())?
    )
    .fetch_all(conn)
    .await?;
    let found = set::grouped(lines.len(), &rows, |row| Ok(row.try_get::<i64, _>(1)?))?;
    let sum = |counts: Vec<i64>| u32::try_from(counts.iter().sum::<i64>()).unwrap_or(u32::MAX);
    Ok(found.into_iter().map(sum).collect())
}

/// All with an open dispute.
pub async fn disputed(conn: &mut Conn) -> Result<Vec<Returns>> {
    let rows = sql!("SELECT body FROM returns WHERE disputes_open > 0").fetch_all(conn).await?;
    rows.iter().map(|row| from_json(&row.try_get::<String, _>(0)?)).collect()
}

/// How many disputes are open in all.
pub async fn count_disputes_open(conn: &mut Conn) -> Result<i64> {
    let row = sql!(
        "SELECT CAST(COALESCE(SUM(disputes_open), 0) AS BIGINT) FROM returns
         WHERE disputes_open > 0"
    )
    .fetch_one(conn)
    .await?;
    Ok(row.try_get(0)?)
}
