//! What must not come into the database's place does not, and leaves nothing behind.

use super::{Refused, restore};
use crate::{
    config::DatabaseUrl,
    flow::add_line::{self, NewLine},
    store::{
        Store,
        accounts::HOUSE,
        audit_log::{self, By},
        backup, settings,
        tests::Folder,
    },
};
use laika_core::{bytes::Bytes, money::Currency, time::Instant};
use std::path::{Path, PathBuf};

const BY: By<'static> = By { operator: "ana", why: "a test" };

fn now() -> Instant {
    Instant::parse("2026-11-22T10:00:00Z").expect("an instant")
}

/// A folder with a copy of a database with one line, and the address that nothing is at yet.
async fn copied(change: &'static str) -> (Folder, PathBuf, DatabaseUrl) {
    let folder = Folder::new();
    let store = Store::open(&folder.url()).await.expect("opens");
    let mut tx = store.write().await.expect("a transaction");
    let new = NewLine {
        iccid: "8988000000000000001".into(),
        bytes: Bytes::GB,
        credit_minor: 500,
        currency: Currency::from_code("EUR").expect("a currency"),
    };
    add_line::add(&mut tx, HOUSE, &new, now()).await.expect("a line");
    sqlx::raw_sql(change).execute(&mut *tx).await.expect("changed");
    tx.commit().await;
    let copy = folder.0.join("copy");
    backup::copy(&folder.url(), &copy).await.expect("copied");
    store.close().await;
    let place = format!("sqlite:{}/restored.db", folder.0.display());
    (folder, copy, DatabaseUrl::parse(&place).expect("an address"))
}

/// The names in the folder that a restore could have made.
fn left(folder: &Path) -> Vec<String> {
    let all = std::fs::read_dir(folder).expect("the folder").flatten();
    let names = all.map(|file| file.file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with("restored")).collect()
}

#[tokio::test]
async fn what_is_whole_comes_into_place_with_charging_stopped() {
    let (folder, copy, place) = copied("SELECT 1").await;
    let restored = restore(&place, &copy, &BY, now()).await.expect("restored");
    assert_eq!((restored.lines, restored.replaced), (1, None));
    assert_eq!(left(&folder.0), ["restored.db"], "and nothing beside it");
    let store = Store::open(&place).await.expect("opens");
    let mut conn = store.read().await.expect("a snapshot");
    assert!(settings::charging_stopped(&mut conn).await.expect("read"));
    let log = audit_log::all(&mut conn).await.expect("read");
    let log: Vec<_> = log.iter().map(|entry| entry.what.as_str()).collect();
    assert_eq!(log, ["restored", "kill_switch_on"]);
    drop(conn);
    store.close().await;
    let again = restore(&place, &copy, &BY, now()).await.expect("restored");
    let aside = again.replaced.expect("the one before");
    assert!(aside.ends_with("restored.db.replaced-20261122T100000"), "{}", aside.display());
    let third = restore(&place, &copy, &BY, now()).await.expect("restored");
    let other = third.replaced.expect("the one before");
    assert!(other.ends_with("restored.db.replaced-20261122T100000-2"), "{}", other.display());
    assert!(aside.exists() && other.exists(), "what was set aside is not overwritten");
}

#[tokio::test]
async fn books_that_are_wrong_are_refused_with_what_is_wrong() {
    let (folder, copy, place) = copied("UPDATE ledger_balances SET amount = amount + 1").await;
    let refused = restore(&place, &copy, &BY, now()).await.expect_err("refused");
    let Refused::Wrong(report) = refused else { panic!("{refused:?}") };
    assert!(report.violations.iter().any(|it| it.code == "book_differs"), "{report:?}");
    assert!(left(&folder.0).is_empty());
}

#[tokio::test]
async fn another_versions_database_is_refused_by_name() {
    for change in [
        "INSERT INTO migrations (name, sha256) VALUES ('9999_later', '0')",
        "UPDATE migrations SET sha256 = '0' WHERE name = '0003_lines'",
        "DELETE FROM migrations WHERE name = '0003_lines'",
    ] {
        let folder = Folder::new();
        let store = Store::open(&folder.url()).await.expect("opens");
        let mut tx = store.write().await.expect("a transaction");
        sqlx::raw_sql(change).execute(&mut *tx).await.expect("changed");
        tx.commit().await;
        store.close().await;
        let place = format!("sqlite:{}/restored.db", folder.0.display());
        let place = DatabaseUrl::parse(&place).expect("an address");
        let refused = restore(&place, &folder.0.join("laika.db"), &BY, now()).await;
        let Err(Refused::Failed(why)) = refused else { panic!("{change}: {refused:?}") };
        assert!(why.to_string().contains("another version's"), "{change}: {why}");
        assert!(left(&folder.0).is_empty(), "{change}");
        let copy = backup::copy(&folder.url(), &folder.0.join("copy")).await;
        assert!(copy.is_err() && !folder.0.join("copy").exists(), "nor is it copied: {change}");
    }
}
