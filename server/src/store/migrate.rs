//! Forward-only migrations: a list of files, each run once, in order, in its own transaction.
//! A file that has run is never edited; its text is remembered and compared.

use super::{Conn, Store, Tx};
use crate::{
    error::{Error, Result},
    fault::Kept,
    secret::sha256_hex,
    sql,
};
use sqlx::{Row, any::AnyRow};
use std::collections::BTreeMap;

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../migrations/", $name, ".sql")))),*]
    };
}

/// How often a file is tried that has to wait for too long each time.
const TRIES: usize = 10;

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
    "0014_figures",
    "0015_gateway_events",
    "0016_books",
    "0017_violations",
    "0019_looked",
    "0021_nodes",
    "0022_agreements",
    "0023_moved",
    "0024_sweeps",
    "0025_money_first",
    "0026_suspended_version",
];

pub(super) async fn run(store: &Store) -> Result<()> {
    let ran = ran(&mut *store.read().await?).await;
    let later = |name: &&String| !FILES.iter().any(|(known, _)| known == name);
    if let Some(name) = ran.keys().find(later) {
        return Err(Error::internal(format!(
            "migration {name} ran here, which this version of Laika does not have: the database \
             belongs to a newer one; start that, or restore the copy from before it"
        )));
    }
    // Why: who only reads need not wait for a server that writes one transaction after the other.
    let has_run = |(name, text): &(&str, &str)| {
        ran.get(*name).is_some_and(|kept| *kept == sha256_hex(text.as_bytes()))
    };
    if FILES.iter().all(has_run) {
        return Ok(());
    }
    again(async || prepare(store).await).await?;
    for (name, text) in FILES {
        again(async || run_one(store, name, text).await).await?;
    }
    Ok(())
}

/// Does it again where the database turned it away, as servers of an earlier version hold locks
/// while they work on.
async fn again(one: impl AsyncFn() -> Result<()>) -> Result<()> {
    let mut tries = 1;
    loop {
        match one().await {
            Err(error) if error.is_transient() && tries < TRIES => {
                tracing::warn!(%error, "a migration is tried again");
                tries += 1;
            }
            other => return other,
        }
    }
}

/// Runs a file, where it has not run yet.
async fn run_one(store: &Store, name: &str, text: &'static str) -> Result<()> {
    let mut tx = store.write().await?;
    lock(store, &mut tx).await?;
    sqlx::raw_sql(
        "CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY, sha256 TEXT NOT NULL)",
    )
    .execute(&mut *tx)
    .await?;
    let sha256 = sha256_hex(text.as_bytes());
    let ran = sql!("SELECT sha256 FROM migrations WHERE name = $1", name)
        .fetch_optional(&mut *tx)
        .await?;
    match ran.map(|row| row.try_get::<String, _>(0)).transpose()? {
        Some(recorded) if recorded == sha256 => {}
        Some(_) => {
            return Err(Error::internal(format!(
                "migration {name} ran here with another text; this database belongs to another \
                 version of Laika"
            )));
        }
        None => {
            sqlx::raw_sql(text).execute(&mut *tx).await?;
            sql!("INSERT INTO migrations (name, sha256) VALUES ($1, $2)", name, sha256)
                .execute(&mut *tx)
                .await?;
        }
    }
    tx.commit_as(Kept::Migration).await
}

/// Waits until no other process migrates.
async fn lock(store: &Store, tx: &mut Tx) -> Result<()> {
    for statement in store.dialect.migration_lock() {
        sqlx::raw_sql(*statement).execute(&mut **tx).await?;
    }
    Ok(())
}

/// The files that ran here, and the hashes of their texts. A database that cannot be asked that is
/// one to begin.
async fn ran(conn: &mut Conn) -> BTreeMap<String, String> {
    let rows = sql!("SELECT name, sha256 FROM migrations").fetch_all(conn).await;
    let cells = |row: &AnyRow| Some((row.try_get(0).ok()?, row.try_get(1).ok()?));
    rows.unwrap_or_default().iter().filter_map(cells).collect()
}

/// What SQLite and PostgreSQL say of a table that is not there.
const NO_TABLE: [&str; 2] = ["1", "42P01"];

/// Whether any file ever ran here. *Errors*: it cannot be asked.
pub(super) async fn began(conn: &mut Conn) -> Result<bool> {
    match sql!("SELECT name FROM migrations LIMIT 1").fetch_optional(conn).await {
        Ok(row) => Ok(row.is_some()),
        Err(error) => {
            let code = error.as_database_error().and_then(|error| error.code());
            let none = code.is_some_and(|code| NO_TABLE.contains(&&*code));
            if none { Ok(false) } else { Err(error.into()) }
        }
    }
}

/// How a database stands to this version of Laika.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Every file has run, and nothing else.
    Current,
    /// The newest files have not run yet.
    Behind {
        /// The last that has.
        newest: String,
    },
    /// Something ran that this version does not have, or not so.
    Other {
        /// What, for the operator.
        why: String,
    },
}

/// The last file of this version.
pub fn newest() -> &'static str {
    FILES.last().map_or("", |(name, _)| *name)
}

/// Compares what ran with the files of this version. *Errors*: it is no database of ours.
pub async fn standing(conn: &mut Conn) -> Result<Standing> {
    let rows = sql!("SELECT name, sha256 FROM migrations ORDER BY name").fetch_all(conn).await?;
    for (at, row) in rows.iter().enumerate() {
        let (name, sha256): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        let same =
            |(known, text): &(&str, &str)| *known == name && sha256_hex(text.as_bytes()) == sha256;
        if !FILES.get(at).is_some_and(same) {
            let why = format!("migration {name} is another version's");
            return Ok(Standing::Other { why });
        }
    }
    if rows.len() == FILES.len() {
        return Ok(Standing::Current);
    }
    let newest = rows.last().map(|row| row.try_get(0)).transpose()?.unwrap_or_default();
    Ok(Standing::Behind { newest })
}

/// Makes what the files need.
async fn prepare(store: &Store) -> Result<()> {
    let mut tx = store.write().await?;
    lock(store, &mut tx).await?;
    for statement in store.dialect.prepare() {
        sqlx::raw_sql(*statement).execute(&mut *tx).await?;
    }
    tx.commit_as(Kept::Prepared).await
}

#[cfg(test)]
mod tests;
