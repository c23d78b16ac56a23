//! Forward-only migrations: a list of files, each run once, in order, in its own transaction.
//! A file that has run is never edited; its text is remembered and compared.

use super::{Conn, Store};
use crate::{
    error::{Error, Result},
    secret::sha256_hex,
    sql,
};
use sqlx::Row;

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../migrations/", $name, ".sql")))),*]
    };
}

/// In the order they run; only ever appended to.
const FILES: &[(&str, &str)] = files![
    "0001_accounts",
    "0002_messages",
    "0003_lines",
    "0004_money",
    "0005_rules",
    "0006_zone_changes",
    "0007_ladders",
    "0008_line_labels",
    "0009_receipts",
    "0010_checkpoints",
    "0011_throttle_ends",
    "0012_audit_log",
    "0013_job_failures",
];

pub(super) async fn run(store: &Store) -> Result<()> {
    // Why: who only reads need not wait for a server that writes one transaction after the other.
    if all_ran(&mut *store.read().await?).await {
        return Ok(());
    }
    prepare(store).await?;
    for (name, text) in FILES {
        let mut tx = store.write().await?;
        if let Some(lock) = store.dialect.migration_lock() {
            sqlx::raw_sql(lock).execute(&mut *tx).await?;
        }
        sqlx::raw_sql(
            "CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY, sha256 TEXT NOT NULL)",
        )
        .execute(&mut *tx)
        .await?;
        let sha256 = sha256_hex(text.as_bytes());
        let ran = sql!("SELECT sha256 FROM migrations WHERE name = $1", *name)
            .fetch_optional(&mut *tx)
            .await?;
        match ran.map(|row| row.try_get::<String, _>(0)).transpose()? {
            Some(recorded) if recorded == sha256 => {}
            Some(_) => {
                return Err(Error::internal(format!(
                    "migration {name} ran here with another text; this database belongs to \
                     another version of Laika"
                )));
            }
            None => {
                sqlx::raw_sql(*text).execute(&mut *tx).await?;
                sql!("INSERT INTO migrations (name, sha256) VALUES ($1, $2)", *name, sha256)
                    .execute(&mut *tx)
                    .await?;
            }
        }
        tx.commit().await;
    }
    Ok(())
}

/// Whether every file has run here with the text it has now. A database that cannot be asked that
/// is one to begin.
async fn all_ran(conn: &mut Conn) -> bool {
    let Ok(rows) = sql!("SELECT name, sha256 FROM migrations").fetch_all(conn).await else {
        return false;
    };
    let ran = |(name, text): &(&str, &str)| {
        let sha256 = sha256_hex(text.as_bytes());
        rows.iter().any(|row| {
            let cells = (row.try_get::<String, _>(0), row.try_get::<String, _>(1));
            matches!(cells, (Ok(known), Ok(kept)) if known == *name && kept == sha256)
        })
    };
    FILES.iter().all(ran)
}

/// Makes what the files need.
async fn prepare(store: &Store) -> Result<()> {
    let mut tx = store.write().await?;
    if let Some(lock) = store.dialect.migration_lock() {
        sqlx::raw_sql(lock).execute(&mut *tx).await?;
    }
    for statement in store.dialect.prepare() {
        sqlx::raw_sql(*statement).execute(&mut *tx).await?;
    }
    tx.commit().await;
    Ok(())
}
