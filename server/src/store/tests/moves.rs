//! The database that refuses whoever connects: it is away, whatever its reason, and of several
//! hosts another is sought.

use crate::{
    config::DatabaseUrl,
    error::Error,
    store::{Store, dialect::Dialect},
};
use laika_tests::support::postgres::{Cluster, Database};

async fn open(url: &str) -> Store {
    Store::open(&DatabaseUrl::parse(url).expect("an address")).await.expect("opens")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_refuses_us_is_left_for_the_one_that_takes_writes() {
    if std::env::var_os("LAIKA_POSTGRES").is_none() {
        return;
    }
    let mut cluster = Cluster::new();
    let store = open(&cluster.url()).await;
    assert_eq!(store.dialect, Dialect::Postgres);
    cluster.bar_primary();
    store.write().await.expect("the other takes writes").commit().await;
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_refuses_us_is_away() {
    if std::env::var_os("LAIKA_POSTGRES").is_none() {
        return;
    }
    let database = Database::new();
    let store = open(&database.url()).await;
    database.refuse();
    let error = store.write().await.err().expect("no transaction begins");
    assert!(matches!(error, Error::Away(_)) && error.is_away(), "{error}");
    store.close().await;
}
