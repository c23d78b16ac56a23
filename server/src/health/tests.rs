//! Each thing that keeps a server from its work is named, and no longer than it does.

use super::{failing, ready};
use crate::{
    App, Shared,
    clock::Clock,
    config::{Config, DatabaseUrl},
    error::Error,
    store::tests::Folder,
};
use laika_core::time::{Instant, Span};
use laika_tests::support::postgres::Database;

/// Runs a test on each database, on a clock that stands, with a worker that has just looked.
async fn on_each(test: impl AsyncFn(Shared)) {
    let folder = Folder::new();
    let postgres = std::env::var_os("LAIKA_POSTGRES").map(|_| Database::new());
    let url = postgres.as_ref().map(|it| DatabaseUrl::parse(&it.url()).expect("an address"));
    for database in [Some(folder.url()), url].into_iter().flatten() {
        let config = Config::from_vars(&|_| None).expect("defaults");
        let now = Instant::parse("2026-11-22T10:00:00Z").expect("an instant");
        let app = App::open(Config { database, ..config }, Clock::at(now)).await.expect("opens");
        app.health.looked(&app.clock);
        test(app.clone()).await;
        app.store.close().await;
    }
}

fn pass(app: &Shared, seconds: i64) {
    app.clock.set(app.clock.wall().plus(Span::seconds(seconds)));
}

async fn run(app: &Shared, statement: &'static str) {
    let mut tx = app.store.write().await.expect("a transaction");
    sqlx::raw_sql(statement).execute(&mut *tx).await.expect("done");
    tx.commit().await;
}

#[tokio::test]
async fn a_server_whose_worker_looks_is_ready_and_one_whose_does_not_is_not() {
    on_each(async |app| {
        assert!(ready(&app).await.is_ok());
        pass(&app, 15);
        assert!(ready(&app).await.is_ok(), "15 s are not too long");
        pass(&app, 1);
        assert_eq!(failing(&app).await, ["worker"]);
        let Err(Error::Problem(problem)) = ready(&app).await else { panic!("it is not ready") };
        assert_eq!((problem.status.as_u16(), problem.code), (503, "not_ready"));
        assert_eq!(problem.more["failing"], serde_json::json!(["worker"]));
        app.health.looked(&app.clock);
        pass(&app, 1);
        assert!(ready(&app).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn a_schema_of_another_version_is_not_ready() {
    on_each(async |app| {
        run(&app, "INSERT INTO migrations (name, sha256) VALUES ('9999_later', '0')").await;
        assert_eq!(failing(&app).await, ["migrations"]);
        run(&app, "DELETE FROM migrations WHERE name = '9999_later'").await;
        assert_eq!(failing(&app).await, ["migrations"], "good for a second");
        pass(&app, 1);
        assert!(ready(&app).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn a_database_that_takes_no_writes_is_not_ready() {
    on_each(async |app| {
        // What a standby and a full lock have in common: reads answer, a write does not.
        let mut held = app.store.write().await.expect("a transaction");
        let table = "CREATE TABLE held (id BIGINT); INSERT INTO held VALUES (1)";
        sqlx::raw_sql(table).execute(&mut *held).await.expect("held");
        if app.store.dialect == crate::store::dialect::Dialect::Postgres {
            let lock = "LOCK TABLE settings IN ACCESS EXCLUSIVE MODE";
            sqlx::raw_sql(lock).execute(&mut *held).await.expect("locked");
        }
        assert_eq!(failing(&app).await, ["database"]);
        held.rollback().await.expect("let go");
        pass(&app, 1);
        assert!(ready(&app).await.is_ok());
    })
    .await;
}
