//! Migrations forward, on both databases: a database that an earlier version left, with what people
//! had in it, is this version's afterwards, keeps every row, and goes on working.

mod since;

use super::{FILES, Standing, standing};
use crate::{
    App,
    clock::Clock,
    config::{Config, DatabaseUrl},
    error::Result,
    flow::{audit::audit, handle_usage, usage_event::Event},
    secret::sha256_hex,
    sql,
    store::{Conn, Store, dialect::Dialect, lines, recharges, rules, tests::Folder},
};
use laika_core::{bytes::Bytes, recharge::Status, time::Instant};
use laika_tests::support::postgres::Database;
use sqlx::{AnyConnection, Column, Connection, Row, any::AnyRow};
use std::collections::{BTreeMap, BTreeSet};

/// What was there when `0009_receipts` was the newest.
const ROWS: &str = include_str!("0009.sql");
/// How many files had run.
const RAN: usize = 9;
const ACCOUNT: &str = "acc_83c4e23957d13cbabfd9828d";
const LINE: &str = "line_a021027434cf2a74044b455f";

/// Runs a test on each database, at an address where nothing is yet.
async fn on_each(test: impl AsyncFn(DatabaseUrl) -> Result<()>) {
    let folder = Folder::new();
    let postgres = std::env::var_os("LAIKA_POSTGRES").map(|_| Database::new());
    let url = postgres.as_ref().map(|it| DatabaseUrl::parse(&it.url()).expect("an address"));
    for url in [Some(folder.url()), url].into_iter().flatten() {
        test(url).await.expect("the database answers");
    }
}

async fn connect(url: &DatabaseUrl) -> Result<AnyConnection> {
    sqlx::any::install_default_drivers();
    Ok(AnyConnection::connect(&Dialect::of(url).address(url)).await?)
}

/// Makes the database as the first files made it, so many, with rows of each version.
async fn earlier(url: &DatabaseUrl, ran: usize) -> Result<()> {
    let mut conn = connect(url).await?;
    for statement in Dialect::of(url).prepare() {
        sqlx::raw_sql(*statement).execute(&mut conn).await?;
    }
    let table = "CREATE TABLE migrations (name TEXT PRIMARY KEY, sha256 TEXT NOT NULL)";
    sqlx::raw_sql(table).execute(&mut conn).await?;
    for (at, (name, text)) in FILES.iter().take(ran).enumerate() {
        sqlx::raw_sql(*text).execute(&mut conn).await?;
        let sha256 = sha256_hex(text.as_bytes());
        sql!("INSERT INTO migrations (name, sha256) VALUES ($1, $2)", *name, sha256)
            .execute(&mut conn)
            .await?;
        let rows = if at + 1 == RAN { ROWS } else { since::rows_after(name) };
        if !rows.is_empty() {
            sqlx::raw_sql(rows).execute(&mut conn).await?;
        }
    }
    Ok(conn.close().await?)
}

/// The tables that have rows once so many files ran, by the rows' own text.
fn tables(ran: usize) -> BTreeSet<&'static str> {
    let later = FILES.iter().take(ran).map(|(name, _)| since::rows_after(name));
    let lines = later.chain([ROWS]).flat_map(str::lines);
    let named = lines.filter_map(|line| line.strip_prefix("INSERT INTO "));
    named.filter_map(|rest| rest.split(' ').next()).collect()
}

fn cell(row: &AnyRow, name: &str) -> String {
    let number = row.try_get::<Option<i64>, _>(name).map(|cell| cell.map(|it| it.to_string()));
    let text = number.or_else(|_| row.try_get::<Option<String>, _>(name));
    text.expect("a number or a text").unwrap_or_else(|| "nothing".into())
}

/// Every row of these columns of each table, in one order.
async fn rows(
    conn: &mut Conn,
    columns: &BTreeMap<&'static str, Vec<String>>,
) -> Result<BTreeMap<&'static str, Vec<Vec<String>>>> {
    let mut all = BTreeMap::new();
    for (table, names) in columns {
        let select = sqlx::AssertSqlSafe(format!("SELECT * FROM {table}"));
        let found = sqlx::raw_sql(select).fetch_all(&mut *conn).await?;
        let row = |row| names.iter().map(|name| cell(row, name)).collect::<Vec<_>>();
        let mut rows: Vec<_> = found.iter().map(row).collect();
        rows.sort();
        all.insert(*table, rows);
    }
    Ok(all)
}

async fn columns(conn: &mut Conn, ran: usize) -> Result<BTreeMap<&'static str, Vec<String>>> {
    let mut all = BTreeMap::new();
    for table in tables(ran) {
        let select = sqlx::AssertSqlSafe(format!("SELECT * FROM {table} LIMIT 1"));
        let row = sqlx::raw_sql(select).fetch_one(&mut *conn).await?;
        all.insert(table, row.columns().iter().map(|it| it.name().to_string()).collect());
    }
    Ok(all)
}

/// A database of the version with so many files is this one's at the next start, with every row.
async fn keeps_every_row(url: &DatabaseUrl, ran: usize) -> Result<()> {
    earlier(url, ran).await?;
    let mut conn = connect(url).await?;
    let columns = columns(&mut conn, ran).await?;
    assert!(columns.len() > 20, "{columns:?}");
    let newest = FILES[ran - 1].0.to_string();
    assert_eq!(standing(&mut conn).await?, Standing::Behind { newest: newest.clone() });
    let before = rows(&mut conn, &columns).await?;
    conn.close().await?;
    for start in ["the first", "the second"] {
        let store = Store::open(url).await?;
        let mut conn = store.read().await?;
        assert_eq!(standing(&mut conn).await?, Standing::Current, "{newest}: {start} start");
        assert_eq!(rows(&mut conn, &columns).await?, before, "{newest}: {start} start");
        drop(conn);
        store.close().await;
    }
    Ok(())
}

#[tokio::test]
async fn every_row_of_an_earlier_version_is_kept() {
    on_each(async |url| keeps_every_row(&url, RAN).await).await;
}

/// What the version with so many files left is whole, and its rule fires again.
async fn is_whole_and_goes_on(url: DatabaseUrl, ran: usize) -> Result<()> {
    earlier(&url, ran).await?;
    let config = Config::from_vars(&|_| None).expect("defaults");
    let now = Instant::parse("2026-11-23T10:00:00Z").expect("an instant");
    let app = App::open(Config { database: url, ..config }, Clock::at(now)).await?;
    let mut conn = app.store.read().await?;
    let report = audit(&mut conn).await?;
    assert!(report.violations.is_empty(), "{:?}", report.violations);
    let line = lines::get(&mut conn, ACCOUNT, LINE).await?.expect("the line");
    assert!(rules::get(&mut conn, &line).await?.expect("a rule").rule.on);
    let done = recharges::of_line(&mut conn, ACCOUNT, LINE).await?;
    assert_eq!(done.iter().map(|it| it.recharge.status).collect::<Vec<_>>(), [Status::Done]);
    assert_eq!(lines::stopped(&mut conn).await?.len(), 1, "who was stopped is");
    drop(conn);
    let event = Event {
        source: "test".into(),
        id: "later".into(),
        iccid: line.iccid,
        time: now,
        bytes: Bytes::GB.checked_mul(5).expect("an amount"),
        country: None,
    };
    let counted = handle_usage::handle(&app, vec![(1, Ok(event))]).await?;
    assert_eq!((counted.accepted, counted.rejected), (1, vec![]));
    let mut conn = app.store.read().await?;
    let all = recharges::of_line(&mut conn, ACCOUNT, LINE).await?;
    assert_eq!(all.len(), 2, "the rule fires again, by itself");
    assert!(audit(&mut conn).await?.violations.is_empty());
    drop(conn);
    app.store.close().await;
    Ok(())
}

#[tokio::test]
async fn what_an_earlier_version_left_is_whole_and_goes_on() {
    on_each(async |url| is_whole_and_goes_on(url, RAN).await).await;
}

#[tokio::test]
async fn a_file_that_ran_with_another_text_stops_the_start() {
    on_each(async |url| {
        earlier(&url, RAN).await?;
        let mut conn = connect(&url).await?;
        let change = "UPDATE migrations SET sha256 = '0' WHERE name = '0004_money'";
        sqlx::raw_sql(change).execute(&mut conn).await?;
        conn.close().await?;
        let refused = Store::open(&url).await.err().map(|error| error.to_string());
        assert!(refused.is_some_and(|why| why.contains("0004_money")), "it names the file");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_database_of_a_newer_version_stops_the_start() {
    on_each(async |url| {
        Store::open(&url).await?.close().await;
        let mut conn = connect(&url).await?;
        let later = "INSERT INTO migrations (name, sha256) VALUES ('9999_later', '0')";
        sqlx::raw_sql(later).execute(&mut conn).await?;
        for opened in [Store::open(&url).await, Store::open_known(&url).await] {
            let refused = opened.err().map(|error| error.to_string());
            assert!(refused.is_some_and(|why| why.contains("9999_later")), "it names the file");
        }
        let standing = standing(&mut conn).await?;
        assert!(matches!(standing, Standing::Other { .. }), "whoever runs says so at /readyz");
        Ok(conn.close().await?)
    })
    .await;
}
