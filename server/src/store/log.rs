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
const FROM: i64 = LOG_MOST - 4_000;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{sql, store::tests::Folder};

    #[tokio::test]
    async fn a_long_log_is_moved_while_somebody_writes_and_a_short_one_is_left() {
        let folder = Folder::new();
        let store = Store::open(&folder.url()).await.expect("opens");
        let mut tx = store.write().await.expect("a transaction");
        let row = sql!("PRAGMA wal_autocheckpoint").fetch_one(&mut *tx).await.expect("a row");
        assert_eq!(row.try_get::<i64, _>(0).expect("a number"), LOG_MOST, "as the writer is told");
        sql!("CREATE TABLE pages (text TEXT)").execute(&mut *tx).await.expect("a table");
        tx.commit().await;
        let short = store.shorten_log().await.expect("asked").expect("a log");
        assert!(short.pages > 0 && short.moved == 0, "{short:?}");
        let page = "a".repeat(4096);
        for _ in 0..FROM / 1000 + 1 {
            let mut tx = store.write().await.expect("a transaction");
            for _ in 0..50 {
                let text = page.repeat(20);
                let insert = sql!("INSERT INTO pages VALUES ($1)", text);
                insert.execute(&mut *tx).await.expect("written");
            }
            tx.commit().await;
        }
        let mut other = store.write().await.expect("a transaction");
        sql!("DELETE FROM pages").execute(&mut *other).await.expect("deleted");
        let long = store.shorten_log().await.expect("asked").expect("a log");
        assert!(long.pages >= FROM && long.moved == long.pages, "{long:?}");
        other.rollback().await.expect("undone");
        let mut conn = store.read().await.expect("a snapshot");
        let row = sql!("SELECT COUNT(*) FROM pages").fetch_one(&mut *conn).await.expect("a row");
        assert_eq!(row.try_get::<i64, _>(0).expect("a number"), (FROM / 1000 + 1) * 50);
    }
}
