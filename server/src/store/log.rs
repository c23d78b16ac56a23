//! SQLite's write-ahead log, moved into the database's file beside the writer, so that nobody who
//! writes waits for it.
//!
//! SQLite moves the log by itself, in the commit that makes it too long, and who waits for that
//! commit waits for thousands of pages. Shortly before, the same is done here on another
//! connection: what is left for the commit is little. If this never ran, only that time would be
//! lost. PostgreSQL does it by itself.

use super::{Store, dialect::LOG_MOST};
use crate::error::Result;
use sqlx::{Any, Row};

/// From so many pages on the log is moved: near enough to its end that pages that change again and
/// again are moved once, and so far that a few groups of usage fit in between.
pub(super) const FROM: i64 = LOG_MOST - 4_000;
/// Fewer pages are not worth a sync.
const WORTH: i64 = 500;

/// The log's pages, in all and those that the file has too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Log {
    /// In the log.
    pub pages: i64,
    /// Of them, those that were moved.
    pub moved: i64,
}

impl Store {
    /// Moves what is in SQLite's log, when it is nearly as long as it gets.
    pub async fn shorten_log(&self) -> Result<Option<Log>> {
        if !self.dialect.one_writer() {
            return Ok(None);
        }
        let mut conn = self.readers.acquire().await?;
        let mut log = Log { pages: 0, moved: 0 };
        for ask in ["PRAGMA wal_checkpoint(NOOP)", "PRAGMA wal_checkpoint(PASSIVE)"] {
            let row = sqlx::query::<Any>(ask).fetch_one(&mut *conn).await?;
            log = Log { pages: row.try_get(1)?, moved: row.try_get(2)? };
            if log.pages < FROM || log.pages - log.moved < WORTH {
                break;
            }
        }
        Ok(Some(log))
    }
}
