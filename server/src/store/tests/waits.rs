//! How long one server's transaction may hold up another's: a server that stands still or vanishes
//! loses its locks, and who waits for one in vain is told so.
//!
//! Why not on SQLite: its lock is a file's and goes with the process.

use super::{HOUSE, new_line, now, on_each};
use crate::store::{Conn, lines};
use sqlx::Row;

async fn tell(conn: &mut Conn, setting: &'static str) {
    sqlx::raw_sql(setting).execute(conn).await.expect("a setting");
}

async fn shown(conn: &mut Conn, question: &'static str) -> String {
    let row = sqlx::raw_sql(question).fetch_one(conn).await.expect("a row");
    row.try_get(0).expect("a text")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_stands_still_is_ended_and_another_goes_on() {
    on_each(async |store| {
        if store.dialect.one_writer() {
            return Ok(());
        }
        let line = new_line(&store).await?;
        let (id, mut still) = (line.id.as_str(), store.write().await?);
        tell(&mut still, "SET LOCAL idle_in_transaction_session_timeout = '50ms'").await;
        lines::lock(&mut still, HOUSE, id, now()).await?;
        let mut other = store.write().await?;
        let locked = lines::lock(&mut other, HOUSE, id, now()).await?.expect("a line");
        assert_eq!(locked.version, 1, "what the first did is undone");
        other.commit().await;
        let error = lines::get(&mut still, HOUSE, id).await.expect_err("its connection is gone");
        assert!(error.is_away(), "{error}");
        Ok(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_is_waited_for_in_vain_may_be_asked_for_again() {
    on_each(async |store| {
        if store.dialect.one_writer() {
            return Ok(());
        }
        let line = new_line(&store).await?;
        let (id, mut first) = (line.id.as_str(), store.write().await?);
        lines::lock(&mut first, HOUSE, id, now()).await?;
        let mut second = store.write().await?;
        tell(&mut second, "SET LOCAL lock_timeout = '50ms'").await;
        let error = lines::lock(&mut second, HOUSE, id, now()).await.expect_err("it is held");
        assert!(error.is_transient() && !error.is_away(), "{error}");
        second.rollback().await?;
        first.rollback().await
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_connection_stands_still_for_long() {
    on_each(async |store| {
        if store.dialect.one_writer() {
            return Ok(());
        }
        let (idle, waits) = ("SHOW idle_in_transaction_session_timeout", "SHOW lock_timeout");
        let mut tx = store.write().await?;
        assert_eq!((shown(&mut tx, idle).await, shown(&mut tx, waits).await), of("15s", "20s"));
        // A file's own waits end, and the wait for who migrates at the same time does not.
        for statement in store.dialect.migration_lock() {
            tell(&mut tx, statement).await;
        }
        assert_eq!(shown(&mut tx, waits).await, "20s");
        tx.rollback().await?;
        let mut snapshot = store.read().await?;
        assert_eq!(shown(&mut snapshot, idle).await, "5min", "for who reads in a pager");
        Ok(())
    })
    .await;
}

fn of(idle: &str, waits: &str) -> (String, String) {
    (idle.to_owned(), waits.to_owned())
}
