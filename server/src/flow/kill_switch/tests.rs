//! The switch as a barrier, on both databases: it returns only when no submission decided before
//! is still on its way to its commit.

use super::switch_all;
use crate::{
    App, Shared,
    clock::Clock,
    config::{Config, DatabaseUrl},
    error::Result,
    flow::add_line::{self, NewLine},
    store::{
        accounts::HOUSE,
        audit_log::{self, By},
        lines::{self, Line},
        settings,
        tests::Folder,
    },
};
use laika_core::{bytes::Bytes, money::Currency, time::Instant};
use laika_tests::support::postgres::Database;
use std::time::Duration;
use tokio::time::timeout;

const BY: By<'static> = By { operator: "ana", why: "a test" };

/// Runs a test on each database, with lines in it that fill several pieces.
async fn on_each(lines: usize, test: impl AsyncFn(Shared, Vec<Line>) -> Result<()>) {
    let folder = Folder::new();
    let postgres = std::env::var_os("LAIKA_POSTGRES").map(|_| Database::new());
    let url = postgres.as_ref().map(|it| DatabaseUrl::parse(&it.url()).expect("an address"));
    for database in [Some(folder.url()), url].into_iter().flatten() {
        let config = Config::from_vars(&|_| None).expect("defaults");
        let now = Instant::parse("2026-11-22T10:00:00Z").expect("an instant");
        let app = App::open(Config { database, ..config }, Clock::at(now)).await.expect("opens");
        let made = add(&app, lines, now).await.expect("lines");
        test(app.clone(), made).await.expect("the store answers");
        app.store.close().await;
    }
}

async fn add(app: &Shared, count: usize, now: Instant) -> Result<Vec<Line>> {
    let mut tx = app.store.write().await?;
    let mut made = Vec::new();
    for number in 0..count {
        let new = NewLine {
            iccid: format!("8988{number:015}"),
            bytes: Bytes::GB,
            credit_minor: 0,
            currency: Currency::from_code("EUR").expect("a currency"),
        };
        made.extend(add_line::add(&mut tx, HOUSE, &new, now).await?);
    }
    tx.commit().await;
    Ok(made)
}

async fn versions(app: &Shared) -> Result<Vec<i64>> {
    let all = lines::all(&mut *app.store.read().await?).await?;
    Ok(all.iter().map(|line| line.version).collect())
}

#[tokio::test]
async fn every_version_moves_once_a_switch_and_the_log_says_who() {
    on_each(1_203, async |app, _| {
        let switched = switch_all(&app, true, &BY).await?;
        assert_eq!((switched.changed, switched.lines), (true, 1_203));
        assert!(versions(&app).await?.iter().all(|version| *version == 1));
        let again = switch_all(&app, true, &BY).await?;
        assert_eq!((again.changed, again.lines), (false, 1_203), "made sure of, not logged twice");
        assert!(switch_all(&app, false, &BY).await?.changed);
        let mut snapshot = app.store.read().await?;
        assert!(!settings::charging_stopped(&mut snapshot).await?);
        let log = audit_log::all(&mut snapshot).await?;
        let log: Vec<_> = log.iter().map(|it| (it.what.as_str(), it.operator.as_str())).collect();
        assert_eq!(log, [("kill_switch_on", "ana"), ("kill_switch_off", "ana")]);
        Ok(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_returns_after_the_submission_that_was_decided_before() {
    on_each(3, async |app, lines| {
        let line = &lines[1];
        let (account, id) = (line.account_id.as_str(), line.id.as_str());
        let mut submission = app.store.write().await?;
        lines::lock(&mut submission, account, id, app.clock.now()).await?;
        assert!(!settings::charging_stopped(&mut submission).await?, "decided: it may be sent");
        let switching = {
            let app = app.clone();
            tokio::spawn(async move { switch_all(&app, true, &BY).await })
        };
        tokio::pin!(switching);
        let early = timeout(Duration::from_millis(500), &mut switching).await;
        assert!(early.is_err(), "the submission is not committed yet");
        submission.commit().await;
        let switched = switching.await.expect("it ran")?;
        assert_eq!(switched.lines, 3);
        let mut next = app.store.write().await?;
        lines::lock(&mut next, account, id, app.clock.now()).await?;
        assert!(settings::charging_stopped(&mut next).await?);
        next.rollback().await
    })
    .await;
}
