//! What a line has: buckets, credit, and how far usage is placed. Core computes it; this keeps it.

use super::{Conn, Tx, lines::Line, set};
use crate::{
    error::{Error, Result},
    sql,
};
use laika_core::{
    balance::{Balance, Bucket, CreditGrant, Place},
    bytes::Bytes,
    id::{BucketId, RechargeId},
    time::Instant,
};
use sqlx::{Row, any::AnyRow};

/// A BIGINT column that holds an amount of data.
pub fn bytes(column: i64) -> Result<Bytes> {
    let value = u64::try_from(column).ok().and_then(Bytes::new);
    value.ok_or_else(|| Error::internal(format!("the database holds {column} as bytes")))
}

/// The balance as it is kept.
pub async fn load(conn: &mut Conn, line: &Line) -> Result<Balance> {
    let balance = load_all(conn, &[line]).await?.pop();
    balance.ok_or_else(|| Error::internal("a line without a balance"))
}

/// The balances of some lines, in their order.
pub async fn load_all(conn: &mut Conn, lines: &[&Line]) -> Result<Vec<Balance>> {
    let keys = set::of_lines(lines.iter().copied())?;
    let rows = sql!(
        "SELECT r.key, b.id, b.bytes_total, b.bytes_left, b.expires_at, b.granted_at,
                b.grant_version, b.recharge_id
         FROM jsonb_each($1) AS r CROSS JOIN buckets AS b
         WHERE b.account_id = r.value->>0 AND b.line_id = r.value->>1",
        &keys
    )
    .fetch_all(&mut *conn)
    .await?;
    let buckets = set::grouped(lines.len(), &rows, bucket)?;
    let rows = sql!(
        "SELECT r.key, g.amount_minor, g.grant_version
         FROM jsonb_each($1) AS r CROSS JOIN credit_grants AS g
         WHERE g.account_id = r.value->>0 AND g.line_id = r.value->>1
         ORDER BY g.grant_version, g.id",
        &keys
    )
    .fetch_all(&mut *conn)
    .await?;
    let credit = set::grouped(lines.len(), &rows, |row| {
        Ok(CreditGrant { amount_minor: row.try_get(1)?, grant_version: row.try_get(2)? })
    })?;
    let rows = sql!(
        "SELECT r.key, l.credit_bytes, l.overrun_bytes, l.placed_at, l.placed_id
         FROM jsonb_each($1) AS r CROSS JOIN lines AS l
         WHERE l.account_id = r.value->>0 AND l.id = r.value->>1
         ORDER BY r.key",
        &keys
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut balances = Vec::with_capacity(lines.len());
    for (((line, row), buckets), credit) in lines.iter().zip(&rows).zip(buckets).zip(credit) {
        let time: Option<i64> = row.try_get(3)?;
        let place_id: Option<String> = row.try_get(4)?;
        let mut balance = Balance {
            buckets: Vec::with_capacity(buckets.len()),
            credit,
            pay_as_you_go: line.pay_as_you_go,
            credit_bytes: bytes(row.try_get(1)?)?,
            overrun_bytes: bytes(row.try_get(2)?)?,
            placed_through: time
                .zip(place_id)
                .map(|(time, id)| Place { time: Instant::from_micros(time), id }),
        };
        buckets.into_iter().for_each(|bucket| balance.grant(bucket));
        balances.push(balance);
    }
    let all = balances.len() == lines.len();
    if all { Ok(balances) } else { Err(Error::internal("a line without a balance")) }
}

/// Reads a bucket from behind the set's key.
fn bucket(row: &AnyRow) -> Result<Bucket> {
    let recharge: Option<String> = row.try_get(7)?;
    Ok(Bucket {
        id: super::id(row.try_get(1)?, BucketId::new)?,
        bytes_total: bytes(row.try_get(2)?)?,
        bytes_left: bytes(row.try_get(3)?)?,
        expires_at: row.try_get::<Option<i64>, _>(4)?.map(Instant::from_micros),
        granted_at: Instant::from_micros(row.try_get(5)?),
        grant_version: row.try_get(6)?,
        recharge: recharge.map(|id| super::id(id, RechargeId::new)).transpose()?,
    })
}

/// Adds a bucket to a line.
pub async fn add_bucket(tx: &mut Tx, line: &Line, new: &Bucket) -> Result<()> {
    sql!(
        "INSERT INTO buckets
             (account_id, line_id, id, bytes_total, bytes_left, expires_at, granted_at,
              grant_version, recharge_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        line.account_id.as_str(),
        line.id.as_str(),
        new.id.as_str(),
        new.bytes_total.to_i64(),
        new.bytes_left.to_i64(),
        new.expires_at.map(Instant::micros),
        new.granted_at.micros(),
        new.grant_version,
        new.recharge.as_ref().map(RechargeId::as_str)
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Adds credit to a line; `id` names what brought it and is unique on the line.
pub async fn add_credit(tx: &mut Tx, line: &Line, id: &str, grant: CreditGrant) -> Result<()> {
    sql!(
        "INSERT INTO credit_grants (account_id, line_id, id, amount_minor, grant_version)
         VALUES ($1, $2, $3, $4, $5)",
        line.account_id.as_str(),
        line.id.as_str(),
        id,
        grant.amount_minor,
        grant.grant_version
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
