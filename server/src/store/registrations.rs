//! Registrations that wait for their two one-time codes.

use super::{Conn, Tx};
use crate::{error::Result, sql};
use laika_core::{api::Language, time::Instant};
use sqlx::Row;

/// How often both codes may be tried.
pub const TRIES: i64 = 5;

/// A registration as it is stored.
#[derive(Clone, Debug)]
pub struct Pending {
    /// Its name, as random as a token.
    pub id: String,
    /// E.164.
    pub phone: String,
    /// The address.
    pub email: String,
    /// argon2id.
    pub password_hash: String,
    /// The language of its messages.
    pub language: Language,
    /// IANA name.
    pub time_zone: String,
    /// Hash of the code sent to the phone.
    pub phone_code_sha256: String,
    /// Hash of the code sent by e-mail.
    pub email_code_sha256: String,
    /// When both codes end, by the wall clock.
    pub codes_end_at: Instant,
}

/// Keeps a new registration.
pub async fn insert(tx: &mut Tx, new: &Pending, wall: Instant) -> Result<()> {
    sql!(
        "INSERT INTO registrations
             (id, phone, email, password_hash, language, time_zone, phone_code_sha256,
              email_code_sha256, codes_end_at, tries, sends, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, 1, $10)",
        &new.id,
        &new.phone,
        &new.email,
        &new.password_hash,
        new.language.tag(),
        &new.time_zone,
        &new.phone_code_sha256,
        &new.email_code_sha256,
        new.codes_end_at.micros(),
        wall.micros()
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A registration that is not confirmed yet.
pub async fn open(conn: &mut Conn, id: &str) -> Result<Option<Pending>> {
    let row = sql!(
        "SELECT id, phone, email, password_hash, language, time_zone, phone_code_sha256,
                email_code_sha256, codes_end_at
         FROM registrations WHERE id = $1 AND confirmed_at IS NULL",
        id
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        Ok(Pending {
            id: row.try_get(0)?,
            phone: row.try_get(1)?,
            email: row.try_get(2)?,
            password_hash: row.try_get(3)?,
            language: Language::from_tag(row.try_get::<String, _>(4)?.as_str()),
            time_zone: row.try_get(5)?,
            phone_code_sha256: row.try_get(6)?,
            email_code_sha256: row.try_get(7)?,
            codes_end_at: Instant::from_micros(row.try_get(8)?),
        })
    })
    .transpose()
}

/// New codes for an open registration; the tries start again with them.
pub async fn renew(tx: &mut Tx, pending: &Pending) -> Result<()> {
    sql!(
        "UPDATE registrations
         SET phone_code_sha256 = $1, email_code_sha256 = $2, codes_end_at = $3, tries = 0,
             sends = sends + 1
         WHERE id = $4 AND confirmed_at IS NULL",
        &pending.phone_code_sha256,
        &pending.email_code_sha256,
        pending.codes_end_at.micros(),
        &pending.id
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Takes one try; whether there was one left. To be committed before the codes are compared.
pub async fn take_try(tx: &mut Tx, id: &str) -> Result<bool> {
    let done = sql!(
        "UPDATE registrations SET tries = tries + 1
         WHERE id = $1 AND confirmed_at IS NULL AND tries < $2",
        id,
        TRIES
    )
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Uses the registration up; whether this was the first time.
pub async fn confirm(tx: &mut Tx, id: &str, wall: Instant) -> Result<bool> {
    let done = sql!(
        "UPDATE registrations SET confirmed_at = $1 WHERE id = $2 AND confirmed_at IS NULL",
        wall.micros(),
        id
    )
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}
