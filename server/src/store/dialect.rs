//! The few differences between SQLite and PostgreSQL. Every other statement is one text.

use super::Conn;
use crate::{
    config::DatabaseUrl,
    error::{Error, Result},
};
use laika_core::time::Instant;
use sqlx::Row;
use std::time::Duration;

/// The oldest SQLite without the WAL defects that can lose a commit.
const OLDEST_SQLITE: (u32, u32, u32) = (3, 51, 3);

/// Pages in SQLite's log before a commit moves them into the file, as `writer_setup` tells it.
pub(super) const LOG_MOST: i64 = 32_000;

/// Which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// One file, one writer.
    Sqlite,
    /// A server.
    Postgres,
}

impl Dialect {
    pub(super) fn of(url: &DatabaseUrl) -> Dialect {
        match url {
            DatabaseUrl::Sqlite(_) => Dialect::Sqlite,
            DatabaseUrl::Postgres(_) => Dialect::Postgres,
        }
    }

    /// The address as the driver wants it: a SQLite file is made when it is not there.
    pub(super) fn address(self, url: &DatabaseUrl) -> String {
        match url {
            DatabaseUrl::Sqlite(url) if url.contains('?') => url.clone(),
            DatabaseUrl::Sqlite(url) => format!("{url}?mode=rwc"),
            DatabaseUrl::Postgres(url) => url.clone(),
        }
    }

    /// What each new connection is told first.
    pub(super) fn connection_setup(self) -> &'static [&'static str] {
        match self {
            Dialect::Sqlite => &[
                // Why: other processes (`laika ingest`) write too; wait for them, not fail.
                "PRAGMA busy_timeout = 30000",
                "PRAGMA journal_mode = WAL",
                "PRAGMA synchronous = FULL",
                "PRAGMA foreign_keys = ON",
                "PRAGMA temp_store = MEMORY",
            ],
            Dialect::Postgres => &[
                "SET synchronous_commit = on",
                // Why: a server that stands still or vanishes inside a transaction would hold its
                // locks for as long as TCP believes in it, two hours, and all others would wait.
                "SET idle_in_transaction_session_timeout = '15s'",
                // Longer than that, so that who waits for such a one gets what it waits for.
                "SET lock_timeout = '20s'",
                // The same for who vanishes while it is sent an answer, or between transactions.
                "SET tcp_keepalives_idle = 30",
                "SET tcp_keepalives_interval = 10",
                "SET tcp_keepalives_count = 3",
                "SET tcp_user_timeout = 30000",
            ],
        }
    }

    /// What each connection that writes is told besides.
    pub(super) fn writer_setup(self) -> &'static [&'static str] {
        match self {
            Dialect::Sqlite => &[
                // Why: in KiB. A group of usage changes a page of each of its lines in several
                // tables; with the usual 2 MB they are read and written more than once each.
                "PRAGMA cache_size = -65536",
                // Why: in pages. The same pages change again with each group, so that the fewer
                // checkpoints, the less is written; a start reads this much log in a moment.
                "PRAGMA wal_autocheckpoint = 32000",
            ],
            Dialect::Postgres => &[],
        }
    }

    pub(super) fn writers(self) -> u32 {
        match self {
            Dialect::Sqlite => 1,
            Dialect::Postgres => 16,
        }
    }

    /// How many readers of their own; PostgreSQL reads through the writers' pool.
    pub(super) fn readers(self) -> Option<u32> {
        match self {
            Dialect::Sqlite => Some(4),
            Dialect::Postgres => None,
        }
    }

    /// How long a connection is waited for: a SQLite writer waits for its turn, while a database
    /// elsewhere that cannot be reached is soon said to be away.
    pub(super) fn patience(self) -> Duration {
        match self {
            Dialect::Sqlite => Duration::from_secs(30),
            Dialect::Postgres => Duration::from_secs(5),
        }
    }

    /// What answers `off` where writes are taken. *Source*: PostgreSQL's documentation of
    /// `transaction_read_only`; it is `on` in a standby, and where `default_transaction_read_only`
    /// fences a node.
    pub(super) fn is_read_only(self) -> Option<&'static str> {
        match self {
            Dialect::Sqlite => None,
            Dialect::Postgres => Some("SHOW transaction_read_only"),
        }
    }

    /// Why a snapshot may stand still for longer on PostgreSQL: it holds up nobody who writes, and
    /// an operator may read a long list in a pager.
    pub(super) fn begin_read(self) -> &'static str {
        match self {
            Dialect::Sqlite => "BEGIN DEFERRED",
            Dialect::Postgres => {
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
                 SET LOCAL idle_in_transaction_session_timeout = '5min'"
            }
        }
    }

    /// Why not `READ WRITE` on PostgreSQL: it would write on a node that was fenced by making it
    /// read-only.
    pub(super) fn begin_write(self) -> &'static str {
        match self {
            Dialect::Sqlite => "BEGIN IMMEDIATE",
            Dialect::Postgres => "BEGIN ISOLATION LEVEL READ COMMITTED",
        }
    }

    /// Keeps two processes from migrating at once; SQLite's write transaction already does. It is
    /// waited for however long the other takes. What a file then has to wait for, it gives up like
    /// any transaction: a table that waits for a lock has all others wait behind it.
    pub(super) fn migration_lock(self) -> &'static [&'static str] {
        match self {
            Dialect::Sqlite => &[],
            Dialect::Postgres => &[
                "SET LOCAL lock_timeout = 0",
                "SELECT pg_advisory_xact_lock(7601) IS NULL",
                "SET LOCAL lock_timeout = '20s'",
            ],
        }
    }

    /// What is made before the first migration. PostgreSQL gets SQLite's way of reading a set from
    /// one bound text; see `store/set`.
    pub(super) fn prepare(self) -> &'static [&'static str] {
        match self {
            Dialect::Sqlite => &[],
            Dialect::Postgres => &[
                "CREATE OR REPLACE FUNCTION jsonb_each(text)
                 RETURNS TABLE (key BIGINT, value JSONB) LANGUAGE sql IMMUTABLE
                 AS 'SELECT ordinality - 1, value
                     FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY'",
                // What earlier versions, of which one may still run, call the same.
                "CREATE OR REPLACE FUNCTION json_each(text)
                 RETURNS TABLE (key BIGINT, value JSONB) LANGUAGE sql IMMUTABLE
                 AS 'SELECT key, value FROM jsonb_each($1)'",
            ],
        }
    }

    /// Locks lines one after the other in the order of the set (`$1`: account and id), so that two
    /// transactions with lines in common wait and never deadlock. SQLite has one writer anyway.
    /// Why counted: nobody reads which they are, and a row for each would have to be sent.
    pub(super) fn lock_lines(self) -> Option<&'static str> {
        match self {
            Dialect::Sqlite => None,
            Dialect::Postgres => Some(
                "SELECT COUNT(*) FROM (
                     SELECT 1 FROM lines
                     WHERE (account_id, id) IN (SELECT r.value->>0, r.value->>1
                                                FROM jsonb_each($1) AS r)
                     ORDER BY account_id, id FOR NO KEY UPDATE) AS locked",
            ),
        }
    }

    /// Locks accounts as [`Dialect::lock_lines`] does lines (`$1`: ids).
    pub(super) fn lock_accounts(self) -> Option<&'static str> {
        match self {
            Dialect::Sqlite => None,
            Dialect::Postgres => Some(
                "SELECT COUNT(*) FROM (
                     SELECT 1 FROM accounts
                     WHERE id IN (SELECT r.value->>0 FROM jsonb_each($1) AS r)
                     ORDER BY id FOR NO KEY UPDATE) AS locked",
            ),
        }
    }

    /// Whether one transaction writes at a time.
    pub fn one_writer(self) -> bool {
        match self {
            Dialect::Sqlite => true,
            Dialect::Postgres => false,
        }
    }

    /// The database's own time, where it runs on a machine of its own.
    pub async fn clock(self, conn: &mut Conn) -> Result<Option<Instant>> {
        let question = match self {
            Dialect::Sqlite => return Ok(None),
            Dialect::Postgres => {
                "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)"
            }
        };
        let row = sqlx::query::<sqlx::Any>(question).fetch_one(conn).await?;
        Ok(Some(Instant::from_micros(row.try_get(0)?)))
    }

    /// Refuses a database that could lose what it acknowledged.
    pub(super) async fn check(self, conn: &mut Conn) -> Result<()> {
        let settings: &[(&'static str, &'static str)] = match self {
            Dialect::Sqlite => &[
                // Why asked: where it cannot be had, setting it is answered with another mode.
                ("PRAGMA journal_mode", "wal"),
                ("PRAGMA synchronous", "2"),
                ("PRAGMA foreign_keys", "1"),
                ("SELECT sqlite_version()", ""),
            ],
            Dialect::Postgres => &[
                ("SHOW fsync", "on"),
                ("SHOW full_page_writes", "on"),
                ("SHOW synchronous_commit", "on"),
            ],
        };
        for (question, wanted) in settings {
            let row = sqlx::query::<sqlx::Any>(*question).fetch_one(&mut *conn).await?;
            let answer = row
                .try_get::<String, _>(0)
                .or_else(|_| row.try_get::<i64, _>(0).map(|number| number.to_string()))?;
            let good = if wanted.is_empty() { new_enough(&answer) } else { answer == *wanted };
            if !good {
                return Err(Error::internal(format!(
                    "the database is not safe for money: {question} answers {answer}"
                )));
            }
        }
        Ok(())
    }
}

fn new_enough(version: &str) -> bool {
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    let mut next = || parts.next().unwrap_or(0);
    (next(), next(), next()) >= OLDEST_SQLITE
}

#[cfg(test)]
mod tests {
    use super::new_enough;

    #[test]
    fn an_old_sqlite_is_refused() {
        assert!(new_enough("3.51.3") && new_enough("3.52.0") && new_enough("4.0.0"));
        assert!(!new_enough("3.51.2") && !new_enough("3.46.1") && !new_enough(""));
    }
}
