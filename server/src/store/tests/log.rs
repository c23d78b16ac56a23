//! SQLite's log: when it is moved, and that nobody who writes is in the way.

use super::Folder;
use crate::{
    sql,
    store::{Store, dialect::LOG_MOST, log::FROM},
};
use sqlx::Row;

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
