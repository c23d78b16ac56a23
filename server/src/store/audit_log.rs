//! What operators did, one entry after the other, each hashed with the one before it. Entries are
//! only ever added; that the chain is whole is the auditor's to check (`flow/audit`).

use super::{Conn, Tx};
use crate::{error::Result, secret::sha256_hex, sql};
use laika_core::time::Instant;
use serde::Serialize;
use sqlx::{Row, any::AnyRow};

/// What precedes the first entry.
const BEGINNING: &str = "";

/// Who did something, and why.
#[derive(Clone, Debug)]
pub struct By<'a> {
    /// The operator's name, as the machine gave it: said, not proved.
    pub operator: &'a str,
    /// Why, in the operator's words; empty when none were given.
    pub why: &'a str,
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Counted from 1.
    pub number: i64,
    /// When it was done.
    pub done_at: Instant,
    /// Who did it.
    pub operator: String,
    /// What was done, as a code.
    pub what: String,
    /// To what; empty when it is about everything.
    pub subject: String,
    /// Why; empty when nobody said.
    pub why: String,
    /// The hash of the entry before.
    pub before_sha256: String,
    /// The hash of this one.
    pub sha256: String,
}

impl Entry {
    /// What its hash must be.
    fn expected_sha256(&self) -> String {
        let cells = serde_json::json!([
            self.number,
            self.done_at.micros(),
            self.operator,
            self.what,
            self.subject,
            self.why,
            self.before_sha256,
        ]);
        sha256_hex(cells.to_string().as_bytes())
    }
}

/// Adds an entry. Whoever else adds one waits until this transaction ends.
pub async fn append(
    tx: &mut Tx,
    by: &By<'_>,
    what: &str,
    subject: &str,
    now: Instant,
) -> Result<()> {
    // Why: the counter's row is the lock, so that two processes never continue the same entry.
    let row = sql!(
        "INSERT INTO settings (name, value) VALUES ('audit_log_entries', 1)
         ON CONFLICT (name) DO UPDATE SET value = settings.value + 1 RETURNING value"
    )
    .fetch_one(&mut **tx)
    .await?;
    let number: i64 = row.try_get(0)?;
    let before = sql!("SELECT sha256 FROM audit_log WHERE number = $1", number.saturating_sub(1))
        .fetch_optional(&mut **tx)
        .await?;
    let before = before.map(|row| row.try_get(0)).transpose()?;
    let mut entry = Entry {
        number,
        done_at: now,
        operator: by.operator.to_string(),
        what: what.to_string(),
        subject: subject.to_string(),
        why: by.why.to_string(),
        before_sha256: before.unwrap_or_else(|| BEGINNING.to_string()),
        sha256: String::new(),
    };
    entry.sha256 = entry.expected_sha256();
    sql!(
        "INSERT INTO audit_log
             (number, done_at, operator, what, subject, why, before_sha256, sha256)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        entry.number,
        entry.done_at.micros(),
        &entry.operator,
        &entry.what,
        &entry.subject,
        &entry.why,
        &entry.before_sha256,
        &entry.sha256
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Every entry, the first one first.
pub async fn all(conn: &mut Conn) -> Result<Vec<Entry>> {
    let rows = sql!(
        "SELECT number, done_at, operator, what, subject, why, before_sha256, sha256
         FROM audit_log ORDER BY number"
    )
    .fetch_all(conn)
    .await?;
    rows.iter().map(entry).collect()
}

/// The newest entry about a subject that is one of two things done.
pub async fn newest(conn: &mut Conn, what: [&str; 2], subject: &str) -> Result<Option<Entry>> {
    let row = sql!(
        "SELECT number, done_at, operator, what, subject, why, before_sha256, sha256
         FROM audit_log WHERE what IN ($1, $2) AND subject = $3 ORDER BY number DESC LIMIT 1",
        what[0],
        what[1],
        subject
    )
    .fetch_optional(conn)
    .await?;
    row.as_ref().map(entry).transpose()
}

fn entry(row: &AnyRow) -> Result<Entry> {
    Ok(Entry {
        number: row.try_get(0)?,
        done_at: Instant::from_micros(row.try_get(1)?),
        operator: row.try_get(2)?,
        what: row.try_get(3)?,
        subject: row.try_get(4)?,
        why: row.try_get(5)?,
        before_sha256: row.try_get(6)?,
        sha256: row.try_get(7)?,
    })
}

/// The first entry that is not what was written, or not where it was; nothing when all are whole.
pub async fn broken(conn: &mut Conn) -> Result<Option<i64>> {
    let mut before = BEGINNING.to_string();
    let mut next = 1;
    for entry in all(&mut *conn).await? {
        let whole = entry.number == next
            && entry.before_sha256 == before
            && entry.sha256 == entry.expected_sha256();
        if !whole {
            return Ok(Some(next));
        }
        before = entry.sha256;
        next = next.saturating_add(1);
    }
    let row = sql!("SELECT value FROM settings WHERE name = 'audit_log_entries'")
        .fetch_optional(conn)
        .await?;
    let written: i64 = row.map(|row| row.try_get(0)).transpose()?.unwrap_or(0);
    Ok((written >= next || written.saturating_add(1) < next).then_some(next))
}
