//! A database that is started with one gateway and then with another.

use super::*;
use crate::{App, clock::Clock, config::Config, store::Store};
use axum::{Json, Router, routing::get};
use serde_json::json;
use std::path::{Path, PathBuf};

/// A folder with a database in it.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn folder(name: &str) -> Folder {
    let name = format!("laika-home-{}-{name}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder");
    Folder(folder)
}

/// A Stripe that says whose account every key is of.
async fn stripe(account: &'static str) -> String {
    let told = move || async move { Json(json!({ "id": account })) };
    let router = Router::new().route("/v1/account", get(told));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    tokio::spawn(async { axum::serve(listener, router).await });
    url
}

/// Starts with a key at a Stripe, or without: the words of a refusal.
async fn start(folder: &Path, stripe: Option<(&str, &str)>) -> Option<String> {
    let url = format!("sqlite:{}", folder.join("laika.db").display());
    let config = Config::from_vars(&|name| match (name, stripe) {
        ("DATABASE_URL", _) => Some(url.clone()),
        ("STRIPE_SECRET_KEY", Some((key, _))) => Some(key.to_owned()),
        ("STRIPE_API_BASE", Some((_, at))) => Some(at.to_owned()),
        _ => None,
    });
    let app = App::open(config.expect("a configuration"), Clock::system()).await.expect("open");
    let checked = check(&app).await;
    app.store.close().await;
    match checked {
        Ok(()) => None,
        Err(Failure::Failed(words)) => Some(words),
        Err(_) => panic!("it says why"),
    }
}

/// Somebody is made known at the gateway.
async fn settle(folder: &Path) {
    let url = format!("sqlite:{}", folder.join("laika.db").display());
    let config = Config::from_vars(&|name| (name == "DATABASE_URL").then(|| url.clone()));
    let store = Store::open(&config.expect("a configuration").database).await.expect("open");
    let mut tx = store.write().await.expect("a transaction");
    let account = "INSERT INTO accounts
        (id, version, phone, email, language, time_zone, created_at)
        VALUES ('acc_1', 0, '+34612345678', 'one@example.org', 'en', 'Europe/Madrid', 0)";
    sqlx::raw_sql(account).execute(&mut *tx).await.expect("an account");
    payment_methods::set_customer(&mut tx, "acc_1", "cus_1").await.expect("kept");
    tx.commit().await;
    store.close().await;
}

#[tokio::test]
async fn customers_of_one_gateway_are_not_charged_by_another() {
    let nobody = "http://127.0.0.1:9";
    let (test, live) = (Some(("sk_test_a", nobody)), Some(("sk_live_a", nobody)));
    for (first, others) in [(None, [test, live]), (test, [None, live]), (live, [None, test])] {
        let folder = folder("another");
        for any in [others[0], others[1], first] {
            assert_eq!(start(&folder.0, any).await, None, "nobody is known anywhere");
        }
        settle(&folder.0).await;
        assert_eq!(start(&folder.0, first).await, None);
        for other in others {
            let words = start(&folder.0, other).await.expect("refused");
            assert!(words.contains("DATABASE_URL"), "{words}");
        }
        assert_eq!(start(&folder.0, first).await, None, "as before");
    }
}

#[tokio::test]
async fn customers_of_one_account_are_not_charged_by_anothers_key() {
    let folder = folder("account");
    let (mine, theirs) = (stripe("acct_1").await, stripe("acct_2").await);
    let silent = "http://127.0.0.1:9";
    settle(&folder.0).await;
    let with = async |at: &str, key: &str| start(&folder.0, Some((key, at))).await;
    assert_eq!(with(silent, "sk_test_a").await, None, "not known whose");
    assert_eq!(with(&mine, "sk_test_a").await, None, "it is known from here on");
    assert_eq!(with(&mine, "rk_test_b").await, None, "another key of the same");
    let words = with(&theirs, "sk_test_c").await.expect("refused");
    assert!(words.contains("STRIPE_SECRET_KEY") && words.contains("another"), "{words}");
    assert_eq!(with(silent, "sk_test_c").await, None, "and does not stop us when it is away");
    assert_eq!(with(&mine, "sk_test_a").await, None);
}
