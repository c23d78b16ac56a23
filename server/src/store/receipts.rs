//! Consent receipts as they were signed, and the keys that signed them. Neither is ever changed.

use super::{Conn, Tx, lines::Line, rules::json};
use crate::{error::Result, sql};
use laika_core::{
    api::receipts::{ReceiptView, SigningKeyView},
    record::SignedReceipt,
    time::Instant,
};
use sqlx::Row;

/// Keeps a receipt for good; the line must be locked in the same transaction.
pub async fn put(tx: &mut Tx, line: &Line, signed: &SignedReceipt) -> Result<()> {
    sql!(
        "INSERT INTO receipts (account_id, line_id, version, given_at, sha256, key_id, signed)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        line.account_id.as_str(),
        line.id.as_str(),
        i64::from(signed.receipt.rule.version),
        signed.receipt.given_at.micros(),
        &signed.sha256,
        &signed.key_id,
        json(signed)?
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The receipts of a line, the newest first.
pub async fn of_line(conn: &mut Conn, line: &Line) -> Result<Vec<ReceiptView>> {
    let rows = sql!(
        "SELECT version, given_at, sha256, key_id FROM receipts
         WHERE account_id = $1 AND line_id = $2 ORDER BY version DESC",
        line.account_id.as_str(),
        line.id.as_str()
    )
    .fetch_all(conn)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(ReceiptView {
                version: u32::try_from(row.try_get::<i64, _>(0)?).unwrap_or(0),
                given_at: Instant::from_micros(row.try_get(1)?),
                sha256: row.try_get(2)?,
                key_id: row.try_get(3)?,
            })
        })
        .collect()
}

/// The receipt of one version, byte for byte as it was signed.
pub async fn signed(conn: &mut Conn, line: &Line, version: u32) -> Result<Option<String>> {
    let row = sql!(
        "SELECT signed FROM receipts WHERE account_id = $1 AND line_id = $2 AND version = $3",
        line.account_id.as_str(),
        line.id.as_str(),
        i64::from(version)
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

/// A key that signs from now on.
#[derive(Clone, Copy, Debug)]
pub struct NewKey<'a> {
    /// Its name.
    pub id: &'a str,
    /// The public key in hex.
    pub public: &'a str,
    /// The secret key in hex, of the one that Laika makes itself.
    pub secret: Option<&'a str>,
}

/// Keeps a key; one that is known, or a second one of our own making, is left out.
pub async fn add_key(tx: &mut Tx, new: NewKey<'_>, since: Instant) -> Result<()> {
    sql!(
        "INSERT INTO signing_keys (key_id, public_key, secret_key, made, since)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT DO NOTHING",
        new.id,
        new.public,
        new.secret,
        new.secret.map(|_| 1_i64),
        since.micros()
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The secret key that Laika made itself, in hex.
pub async fn made_key(conn: &mut Conn) -> Result<Option<String>> {
    let row =
        sql!("SELECT secret_key FROM signing_keys WHERE made = 1").fetch_optional(conn).await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?.flatten())
}

/// Every public key, the newest first.
pub async fn keys(conn: &mut Conn) -> Result<Vec<SigningKeyView>> {
    let rows =
        sql!("SELECT key_id, public_key, since FROM signing_keys ORDER BY since DESC, key_id")
            .fetch_all(conn)
            .await?;
    rows.iter()
        .map(|row| {
            Ok(SigningKeyView {
                key_id: row.try_get(0)?,
                public_key: row.try_get(1)?,
                since: Instant::from_micros(row.try_get(2)?),
            })
        })
        .collect()
}
