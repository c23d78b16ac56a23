//! How long one server's transaction may hold up another's: a server that stands still or vanishes
//! loses its locks, and who waits for one in vain is told so.
//!
//! Why not on SQLite: its lock is a file's and goes with the process.

use super::{HOUSE, Store, new_line, now, on_each};
use crate::{
    error::{Error, Result},
    store::{Conn, accounts, lines},
};
use laika_core::{api::Language, id::LineId, time::Span};
use sqlx::Row;
use std::{sync::Arc, time::Duration};
use tokio::{task, time::timeout};

async fn tell(conn: &mut Conn, setting: &'static str) {
    sqlx::raw_sql(setting).execute(conn).await.expect("a setting");
}

async fn shown(conn: &mut Conn, question: &'static str) -> String {
    let row = sqlx::raw_sql(question).fetch_one(conn).await.expect("a row");
    row.try_get(0).expect("a text")
}

/// Waits until a transaction waits for another's lock.
async fn somebody_waits(store: &Store) -> Result<()> {
    let question = "SELECT CAST(COUNT(*) AS BIGINT) FROM pg_stat_activity
                    WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let asks = async {
        loop {
            let row = sqlx::raw_sql(question).fetch_one(&mut *store.read().await?).await?;
            if row.try_get::<i64, _>(0)? > 0 {
                return Ok(());
            }
            task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(30), asks).await.expect("somebody waits")
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

#[tokio::test(flavor = "multi_thread")]
async fn what_two_change_of_one_account_at_once_is_both_kept() {
    on_each(async |store| {
        if store.dialect.one_writer() {
            return Ok(());
        }
        let mut first = store.write().await?;
        let mut account = accounts::lock(&mut first, HOUSE).await?.expect("an account");
        let other = task::spawn({
            let store = Arc::clone(&store);
            async move {
                let mut second = store.write().await?;
                let mut account = accounts::lock(&mut second, HOUSE).await?.expect("an account");
                account.language = Language::ZhCn;
                accounts::change(&mut second, &account).await?;
                second.commit().await;
                Ok::<_, Error>(())
            }
        });
        somebody_waits(&store).await?;
        account.time_zone = "Asia/Tokyo".into();
        accounts::change(&mut first, &account).await?;
        first.commit().await;
        other.await.expect("no panic")?;
        let kept = accounts::get(&mut *store.read().await?, HOUSE).await?.expect("an account");
        assert_eq!((kept.time_zone.as_str(), kept.language), ("Asia/Tokyo", Language::ZhCn));
        Ok(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lines_of_an_account_are_locked_in_the_order_of_all_transactions() {
    on_each(async |store| {
        if store.dialect.one_writer() {
            return Ok(());
        }
        // The older line is the later one by id.
        let older = new_line(&store).await?;
        let id = LineId::new(format!("line_{:024}", 0)).expect("an id");
        let (iccid, later) = ("8977".to_owned(), now().plus(Span::seconds(1)));
        let younger = lines::Line { id, iccid, newest_at: later, ..older.clone() };
        let mut first = store.write().await?;
        assert!(lines::insert(&mut first, &younger).await?);
        first.commit().await;

        let mut first = store.write().await?;
        lines::lock(&mut first, HOUSE, younger.id.as_str(), later).await?;
        let other = task::spawn({
            let store = Arc::clone(&store);
            async move {
                let mut second = store.write().await?;
                let (dialect, now) = (store.dialect, now());
                let locked = lines::lock_all_of(&mut second, dialect, HOUSE, now).await?;
                second.commit().await;
                Ok::<_, Error>(locked)
            }
        });
        somebody_waits(&store).await?;
        lines::lock(&mut first, HOUSE, older.id.as_str(), later).await?;
        first.commit().await;
        let locked = other.await.expect("no panic")?;
        let ids: Vec<_> = locked.iter().map(|line| line.id.as_str()).collect();
        assert_eq!(ids, [older.id.as_str(), younger.id.as_str()], "as they are shown");
        Ok(())
    })
    .await;
}
