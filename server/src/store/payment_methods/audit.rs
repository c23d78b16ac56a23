//! What the checks read of payment methods: of many lines at once, removed ones included.

use crate::{
    error::Result,
    sql,
    store::{Conn, lines::Line, set},
};
use laika_core::{id::PaymentMethodId, time::Instant};
use sqlx::Row;

/// The removed methods of each line's account, and when each was removed.
pub async fn removed_of(
    conn: &mut Conn,
    lines: &[&Line],
) -> Result<Vec<Vec<(PaymentMethodId, Instant)>>> {
    let rows = sql!(
        "SELECT r.key, x.id, x.removed_at FROM jsonb_each($1) AS r CROSS JOIN payment_methods AS x
         WHERE x.account_id = r.value->>0 AND x.removed_at > 0 ORDER BY x.removed_at",
        set::of_lines(lines.iter().copied())?
    )
    .fetch_all(conn)
    .await?;
    set::grouped(lines.len(), &rows, |row| {
        let id = crate::store::id(row.try_get(1)?, PaymentMethodId::new)?;
        Ok((id, Instant::from_micros(row.try_get(2)?)))
    })
}

/// Every method of each line's account with its instrument.
pub async fn instruments_of(
    conn: &mut Conn,
    lines: &[&Line],
) -> Result<Vec<Vec<(PaymentMethodId, String)>>> {
    let rows = sql!(
        "SELECT r.key, x.id, x.instrument FROM jsonb_each($1) AS r CROSS JOIN payment_methods AS x
         WHERE x.account_id = r.value->>0",
        set::of_lines(lines.iter().copied())?
    )
    .fetch_all(conn)
    .await?;
    set::grouped(lines.len(), &rows, |row| {
        let id = crate::store::id(row.try_get(1)?, PaymentMethodId::new)?;
        Ok((id, row.try_get(2)?))
    })
}

/// The instruments that a hard decline ended for each line's rule, and when.
pub async fn barred_of(conn: &mut Conn, lines: &[&Line]) -> Result<Vec<Vec<(String, Instant)>>> {
    let rows = sql!(
        "SELECT r.key, x.instrument, x.barred_at
         FROM jsonb_each($1) AS r CROSS JOIN barred_instruments AS x
         WHERE x.account_id = r.value->>0 AND x.line_id = r.value->>1",
        set::of_lines(lines.iter().copied())?
    )
    .fetch_all(conn)
    .await?;
    set::grouped(lines.len(), &rows, |row| {
        Ok((row.try_get(1)?, Instant::from_micros(row.try_get(2)?)))
    })
}

/// When each card was declined that ever was ten times or more, oldest first.
pub async fn declined_often(conn: &mut Conn) -> Result<Vec<(String, Vec<Instant>)>> {
    let rows = sql!(
        "SELECT fingerprint, declined_at FROM declines
         WHERE fingerprint IN (
             SELECT fingerprint FROM declines GROUP BY fingerprint HAVING COUNT(*) > 10)
         ORDER BY fingerprint, declined_at"
    )
    .fetch_all(conn)
    .await?;
    let mut all: Vec<(String, Vec<Instant>)> = Vec::new();
    for row in &rows {
        let (card, at): (String, i64) = (row.try_get(0)?, row.try_get(1)?);
        match all.last_mut() {
            Some((known, declined_at)) if *known == card => {
                declined_at.push(Instant::from_micros(at));
            }
            _ => all.push((card, vec![Instant::from_micros(at)])),
        }
    }
    Ok(all)
}
