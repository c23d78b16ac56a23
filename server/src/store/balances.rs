//! What a line has: buckets, credit, and how far usage is placed. Core computes it; this keeps it.

use super::{Conn, Tx, lines::Line};
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
    let (account, id) = (line.account_id.as_str(), line.id.as_str());
    let rows = sql!(
        "SELECT id, bytes_total, bytes_left, expires_at, granted_at, grant_version, recharge_id
         FROM buckets WHERE account_id = $1 AND line_id = $2",
        account,
        id
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut balance = Balance { pay_as_you_go: line.pay_as_you_go, ..Balance::default() };
    for row in &rows {
        balance.grant(bucket(row)?);
    }
    let rows = sql!(
        "SELECT amount_minor, grant_version FROM credit_grants
         WHERE account_id = $1 AND line_id = $2 ORDER BY grant_version, id",
        account,
        id
    )
    .fetch_all(&mut *conn)
    .await?;
    for row in &rows {
        balance.grant_credit(CreditGrant {
            amount_minor: row.try_get(0)?,
            grant_version: row.try_get(1)?,
        });
    }
    let row = sql!(
        "SELECT credit_bytes, overrun_bytes, placed_at, placed_id FROM lines
         WHERE account_id = $1 AND id = $2",
        account,
        id
    )
    .fetch_one(&mut *conn)
    .await?;
    balance.credit_bytes = bytes(row.try_get(0)?)?;
    balance.overrun_bytes = bytes(row.try_get(1)?)?;
    let time: Option<i64> = row.try_get(2)?;
    let place_id: Option<String> = row.try_get(3)?;
    balance.placed_through =
        time.zip(place_id).map(|(time, id)| Place { time: Instant::from_micros(time), id });
    Ok(balance)
}

fn bucket(row: &AnyRow) -> Result<Bucket> {
    let recharge: Option<String> = row.try_get(6)?;
    Ok(Bucket {
        id: super::id(row.try_get(0)?, BucketId::new)?,
        bytes_total: bytes(row.try_get(1)?)?,
        bytes_left: bytes(row.try_get(2)?)?,
        expires_at: row.try_get::<Option<i64>, _>(3)?.map(Instant::from_micros),
        granted_at: Instant::from_micros(row.try_get(4)?),
        grant_version: row.try_get(5)?,
        recharge: recharge.map(|id| super::id(id, RechargeId::new)).transpose()?,
    })
}

/// Keeps what placing usage changed; `before` is what was loaded in the same transaction.
pub async fn save(tx: &mut Tx, line: &Line, before: &Balance, after: &Balance) -> Result<()> {
    let (account, id) = (line.account_id.as_str(), line.id.as_str());
    for (old, new) in before.buckets.iter().zip(&after.buckets) {
        if old.bytes_left != new.bytes_left {
            sql!(
                "UPDATE buckets SET bytes_left = $1
                 WHERE account_id = $2 AND line_id = $3 AND id = $4",
                new.bytes_left.to_i64(),
                account,
                id,
                new.id.as_str()
            )
            .execute(&mut **tx)
            .await?;
        }
    }
    let placed = after.placed_through.as_ref();
    sql!(
        "UPDATE lines SET credit_bytes = $1, overrun_bytes = $2, placed_at = $3, placed_id = $4
         WHERE account_id = $5 AND id = $6",
        after.credit_bytes.to_i64(),
        after.overrun_bytes.to_i64(),
        placed.map(|place| place.time.micros()),
        placed.map(|place| place.id.as_str()),
        account,
        id
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
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
