//! A card that its network renews: asked for once a day, or at once when a webhook names it.

use super::*;
use crate::{
    App,
    clock::Clock,
    config::Config,
    flow::{add_line, perform::perform},
    store::accounts::{self, Account},
};
use axum::{Json, Router, extract::State, http::StatusCode, response::IntoResponse};
use laika_core::{api::Language, bytes::Bytes, id::AccountId, money::Currency};
use serde_json::{Value, json};
use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
};

const ACCOUNT: &str = "acc_test";
/// In the year 2026, as the clock of these tests begins.
const MONTH: i64 = 2026 * 12 + 11;

/// What Stripe says of the card, if it says anything.
type Card = Arc<Mutex<Option<Value>>>;

struct World {
    app: Shared,
    card: Card,
    folder: PathBuf,
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

async fn told(State(card): State<Card>) -> axum::response::Response {
    match card.lock().expect("whole").clone() {
        Some(card) => Json(card).into_response(),
        None => StatusCode::BAD_GATEWAY.into_response(),
    }
}

fn card(customer: Value, exp_year: i32) -> Value {
    json!({ "id": "pm_1", "type": "card", "customer": customer,
            "card": { "brand": "visa", "funding": "credit", "last4": "4242", "exp_month": 10,
                      "exp_year": exp_year, "fingerprint": "f" } })
}

fn ours() -> Value {
    json!({ "id": "cus_1", "metadata": { "account_id": ACCOUNT } })
}

impl World {
    /// An account with a card of this month, and Stripe where it has been renewed.
    async fn new(name: &str, month: i64) -> World {
        let name = format!("laika-renewed-{}-{name}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).expect("a folder");
        let card: Card = Arc::new(Mutex::new(Some(card(ours(), 2031))));
        let router = Router::new().fallback(told).with_state(Arc::clone(&card));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let stripe = format!("http://{}", listener.local_addr().expect("bound"));
        tokio::spawn(async { axum::serve(listener, router).await });
        let url = format!("sqlite:{}", folder.join("laika.db").display());
        let config = Config::from_vars(&|name| match name {
            "DATABASE_URL" => Some(url.clone()),
            "STRIPE_SECRET_KEY" => Some("sk_test_x".to_owned()),
            "STRIPE_API_BASE" => Some(stripe.clone()),
            _ => None,
        });
        let now = laika_core::time::Instant::parse("2026-11-15T12:00:00Z").expect("a time");
        let app = App::open(config.expect("a configuration"), Clock::at(now)).await.expect("open");
        let world = World { app, card, folder };
        world.settle(month).await;
        world
    }

    async fn settle(&self, month: i64) {
        let account = Account {
            id: AccountId::new(ACCOUNT).expect("an id"),
            version: 0,
            phone: "+34612345678".to_owned(),
            email: "one@example.org".to_owned(),
            password_hash: None,
            language: Language::En,
            time_zone: "Europe/Madrid".to_owned(),
            kept_periods: None,
        };
        let (exp_year, exp_month) = ((month - 1) / 12, (month - 1) % 12 + 1);
        let exp_year = i32::try_from(exp_year).expect("a year");
        let exp_month = u32::try_from(exp_month).expect("a month");
        let method = Method {
            id: PaymentMethodId::new("pm_ours").expect("an id"),
            token: "pm_1".to_owned(),
            rail: Rail::Card,
            brand: "visa".to_owned(),
            funding: "credit".to_owned(),
            last4: "4242".to_owned(),
            exp_month,
            exp_year,
            fingerprint: "f".to_owned(),
            instrument: instrument("f", exp_year, exp_month),
            removed_at: None,
        };
        let now = self.app.clock.now();
        let mut tx = self.app.store.write().await.expect("a transaction");
        accounts::insert(&mut tx, &account, now).await.expect("an account");
        let line = add_line::NewLine {
            iccid: "8988247007000000105".to_owned(),
            bytes: Bytes::GB,
            credit_minor: 0,
            currency: Currency::from_code("EUR").expect("euros"),
        };
        add_line::add(&mut tx, ACCOUNT, &line, now).await.expect("added").expect("a line");
        payment_methods::set_customer(&mut tx, ACCOUNT, "cus_1").await.expect("kept");
        payment_methods::insert(&mut tx, ACCOUNT, &method, now).await.expect("a card");
        tx.commit().await;
    }

    fn says(&self, card: Option<Value>) {
        *self.card.lock().expect("whole") = card;
    }

    /// Does what is due; of how many jobs.
    async fn work(&self) -> usize {
        let (now, wall) = (self.app.clock.now(), self.app.clock.wall());
        let mut tx = self.app.store.write().await.expect("a transaction");
        let dialect = self.app.store.dialect;
        let claimed = jobs::claim_any(&mut tx, dialect, self.app.node(), (now, wall), 16).await;
        tx.commit().await;
        let claimed = claimed.expect("claimed");
        for job in &claimed {
            perform(&self.app, job).await.expect("performed");
        }
        claimed.iter().filter(|job| matches!(job.work, Work::Refresh { .. })).count()
    }

    async fn method(&self) -> Method {
        let mut snapshot = self.app.store.read().await.expect("a snapshot");
        let method = payment_methods::get(&mut snapshot, ACCOUNT, "pm_ours").await.expect("read");
        method.expect("a card")
    }

    async fn remove(&self) {
        let now = self.app.clock.now();
        let mut tx = self.app.store.write().await.expect("a transaction");
        payment_methods::remove(&mut tx, ACCOUNT, "pm_ours", now).await.expect("removed");
        tx.commit().await;
    }
}

#[tokio::test]
async fn a_card_whose_date_ends_is_asked_for_and_has_the_date_that_it_was_given() {
    let world = World::new("ends", MONTH).await;
    assert_eq!(plan(&world.app).await.expect("planned"), 1);
    assert_eq!(plan(&world.app).await.expect("planned"), 1);
    assert_eq!(world.work().await, 1, "once");
    let method = world.method().await;
    assert_eq!((method.exp_year, method.exp_month), (2031, 10));
    assert_eq!(method.instrument, instrument("f", 2031, 10), "what ended the old one is over");
    assert_eq!(plan(&world.app).await.expect("planned"), 0, "it has years to go");
}

#[tokio::test]
async fn only_cards_whose_date_ends_or_ended_lately_are_asked_for_daily() {
    for (month, planned) in [(MONTH + 1, 0), (MONTH, 1), (MONTH - 3, 1), (MONTH - 4, 0)] {
        let world = World::new("months", month).await;
        assert_eq!(plan(&world.app).await.expect("planned"), planned, "{}", month - MONTH);
    }
}

#[tokio::test]
async fn a_webhook_has_one_card_asked_for_at_once_if_it_is_ours() {
    let world = World::new("webhook", MONTH + 24).await;
    assert!(!changed(&world.app, "pm_2").await.expect("asked"), "another's");
    world.says(Some(card(json!({ "id": "cus_9" }), 2031)));
    assert!(!changed(&world.app, "pm_1").await.expect("asked"), "not told by us whose");
    world.says(None);
    changed(&world.app, "pm_1").await.expect_err("to be sent again");
    assert_eq!(world.work().await, 0);
    world.says(Some(card(ours(), 2031)));
    assert!(changed(&world.app, "pm_1").await.expect("asked"));
    assert_eq!(world.work().await, 1);
    assert_eq!(world.method().await.exp_year, 2031);
}

#[tokio::test]
async fn what_is_gone_there_or_removed_here_comes_to_no_new_life() {
    let world = World::new("gone", MONTH).await;
    let before = world.method().await.instrument;
    for gone in [Some(card(Value::Null, 2031)), None] {
        world.says(gone);
        plan(&world.app).await.expect("planned");
        assert_eq!(world.work().await, 1);
        assert_eq!(world.method().await.instrument, before);
    }
    world.says(Some(card(ours(), 2031)));
    world.remove().await;
    assert_eq!(plan(&world.app).await.expect("planned"), 0);
    assert!(!changed(&world.app, "pm_1").await.expect("asked"));
    world.app.clock.set_offset(Span::hours(2).0);
    world.work().await;
    let after = world.method().await;
    assert_eq!((after.instrument, after.removed_at.is_some()), (before, true));
}
