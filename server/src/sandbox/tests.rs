//! Claims about the sandbox over HTTP, on a real socket with a real journal.

use super::cards::TEST_CARDS;
use super::provider::records::{Instrument, NextCharge, Payment, PaymentMethod, Setup, Webhook};
use super::{API_KEY, IDENTITY, WEBHOOK_SECRET, open, serve};
use crate::outbound::{Answered, NoAnswer, Outbound};
use crate::secret::hmac_agrees;
use axum::http::{HeaderMap, StatusCode};
use axum::{Router, routing::post};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

const BACK: &str = "http://localhost:8080/payment";

/// A running sandbox, its file removed at the end.
struct World {
    origin: String,
    file: PathBuf,
    client: Outbound,
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.file);
    }
}

impl World {
    async fn new(name: &str) -> Self {
        let name = format!("laika-sandbox-{}-{name}.jsonl", std::process::id());
        let file = std::env::temp_dir().join(name);
        let _ = std::fs::remove_file(&file);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let origin = format!("http://{}", listener.local_addr().expect("bound"));
        let sandbox = open(&file).expect("a new journal");
        tokio::spawn(serve(sandbox, listener, std::future::pending()));
        Self { origin, file, client: Outbound::new(Duration::from_secs(20)) }
    }

    async fn send(
        &self,
        method: &str,
        path: &str,
        key: Option<&str>,
        body: Value,
    ) -> Result<Answered, NoAnswer> {
        let bearer = format!("Bearer {API_KEY}");
        let mut headers =
            vec![("authorization", bearer.as_str()), ("content-type", "application/json")];
        headers.extend(key.map(|key| ("idempotency-key", key)));
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        self.client.send(method, &format!("{}{path}", self.origin), &headers, body).await
    }

    async fn form(&self, path: &str, body: &str) -> Answered {
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let url = format!("{}{path}", self.origin);
        self.client.send("POST", &url, &headers, body.into()).await.expect("a page")
    }

    async fn customer(&self) -> String {
        let made = self.send("POST", "/provider/v1/customers", None, json!({})).await;
        let made: Value = made.expect("answered").json().expect("a customer");
        made["id"].as_str().expect("an id").to_owned()
    }

    async fn setup(&self, customer: &str) -> Setup {
        let body = json!({ "customer": customer, "return_url": BACK });
        let made = self.send("POST", "/provider/v1/setups", None, body).await;
        made.expect("answered").json().expect("a setup")
    }

    async fn method(&self, customer: &str) -> String {
        let setup = self.setup(customer).await;
        let page = self.form(&setup.path, &typed("works")).await;
        assert_eq!(page.status, 303);
        let path = format!("/provider/v1/setups/{}", setup.id);
        let setup: Setup =
            self.send("GET", &path, None, Value::Null).await.expect("answered").json().expect("it");
        setup.payment_method.expect("attached")
    }

    async fn pay(&self, customer: &str, method: &str, key: &str) -> Result<Answered, NoAnswer> {
        let body = json!({
            "customer": customer, "payment_method": method, "amount_minor": 900,
            "currency": "EUR", "return_url": BACK, "metadata": { "recharge_id": "line_1-r1" },
        });
        self.send("POST", "/provider/v1/payments", Some(key), body).await
    }

    async fn script(&self, customer: &str, next: NextCharge) {
        let path = format!("/provider/v1/customers/{customer}/next-charge");
        let done = self.send("PUT", &path, None, json!({ "next": next })).await;
        assert_eq!(done.expect("answered").status, 200);
    }

    async fn payments(&self, query: &str) -> Vec<Payment> {
        let path = format!("/provider/v1/payments?{query}");
        let answer = self.send("GET", &path, None, Value::Null).await.expect("answered");
        let mut list: Value = answer.json().expect("a list");
        serde_json::from_value(list["payments"].take()).expect("payments")
    }
}

fn typed(name: &str) -> String {
    let card = TEST_CARDS.iter().find(|card| card.name == name).expect(name);
    format!("number={}&expiry=12+%2F+34&cvc=123", card.number)
}

#[tokio::test]
async fn a_lost_answer_closes_the_connection_and_the_key_finds_the_charge() {
    let world = World::new("lost").await;
    let customer = world.customer().await;
    let method = world.method(&customer).await;
    for (next, key, found) in
        [(NextCharge::AnswerLostAfter, "a", 1), (NextCharge::AnswerLostBefore, "b", 0)]
    {
        world.script(&customer, next).await;
        let lost = world.pay(&customer, &method, key).await.expect_err("no answer");
        assert!(!lost.never_sent, "{next:?}: it was sent, so it is unknown");
        assert_eq!(world.payments(&format!("key={key}")).await.len(), found, "{next:?}");
        let again: Payment =
            world.pay(&customer, &method, key).await.expect("answered").json().expect("a payment");
        assert_eq!(again.captured_minor, 900, "{next:?}");
        assert_eq!(world.payments(&format!("key={key}")).await.len(), 1, "{next:?}");
    }
    assert_eq!(world.payments("recharge_id=line_1-r1").await.len(), 2);
    assert!(world.payments("recharge_id=line_1-r2").await.is_empty());
}

#[tokio::test]
async fn nobody_listening_means_never_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}/", listener.local_addr().expect("bound"));
    drop(listener);
    let nobody = Outbound::new(Duration::from_secs(5)).send("GET", &url, &[], Vec::new()).await;
    assert!(nobody.expect_err("nobody").never_sent);
}

#[tokio::test]
async fn without_the_key_nothing_is_answered_but_the_public_list() {
    let world = World::new("bearer").await;
    for (method, path) in [
        ("GET", "/provider/v1/payments"),
        ("POST", "/provider/v1/payments"),
        ("POST", "/provider/v1/customers"),
        ("POST", "/carrier/v1/top-ups"),
        ("GET", "/carrier/v1/statement?from=0&until=1"),
    ] {
        let headers = [("content-type", "application/json")];
        let url = format!("{}{path}", world.origin);
        let answer = world.client.send(method, &url, &headers, b"{}".to_vec()).await;
        assert_eq!(answer.expect("answered").status, 401, "{method} {path}");
    }
    let url = format!("{}/charges", world.origin);
    let list = world.client.send("GET", &url, &[], Vec::new()).await.expect("answered");
    assert_eq!(list.json::<Value>().expect("a list"), json!({ "charges": [] }));
    let url = format!("{}/identity", world.origin);
    let identity = world.client.send("GET", &url, &[], Vec::new()).await.expect("answered");
    assert_eq!(identity.json::<Value>().expect("it")["laika_sandbox"], IDENTITY);
}

#[tokio::test]
async fn the_hosted_page_asks_the_bank_and_the_card_number_stays_nowhere() {
    let world = World::new("pages").await;
    let customer = world.customer().await;
    let setup = world.setup(&customer).await;
    let path = format!("{}?lang=zh-CN", setup.path);
    let wrong = world.form(&path, "number=4000002500003156&expiry=01%2F20&cvc=").await;
    let text = String::from_utf8_lossy(&wrong.body).into_owned();
    assert_eq!(wrong.status, 422);
    assert_eq!(text.matches("class=error").count(), 3, "all at once: {text}");
    let declined = world.form(&path, &typed("lost")).await;
    assert_eq!(declined.status, 422);
    assert!(String::from_utf8_lossy(&declined.body).contains("这张卡已挂失"));
    let asked = world.form(&path, &typed("sca_once")).await;
    assert_eq!(asked.status, 303, "to the bank's page");
    let bank = format!("/pay/authenticate/{}", setup.id);
    let refused = world.form(&bank, "approved=0").await;
    assert_eq!(refused.status, 303, "back to the card, to try again or another one");
    assert_eq!(world.form(&path, &typed("sca_once")).await.status, 303);
    assert_eq!(world.form(&bank, "approved=1").await.status, 303);
    assert_eq!(world.form(&bank, "approved=1").await.status, 410, "once only");
    assert_eq!(world.form(&path, &typed("works")).await.status, 410, "closed");

    let path = format!("/provider/v1/setups/{}", setup.id);
    let setup: Setup =
        world.send("GET", &path, None, Value::Null).await.expect("answered").json().expect("it");
    let path = format!("/provider/v1/payment-methods/{}", setup.payment_method.expect("attached"));
    let method: PaymentMethod =
        world.send("GET", &path, None, Value::Null).await.expect("answered").json().expect("it");
    let Instrument::Card(card) = method.instrument else { panic!("a card") };
    assert_eq!(card.last4, "3155");

    let journal = std::fs::read_to_string(&world.file).expect("the journal");
    for card in TEST_CARDS {
        assert!(!journal.contains(card.number), "{}", card.name);
    }
    assert!(!journal.contains("400000250000315"), "nor most of one");
}

#[tokio::test]
async fn webhooks_are_signed_and_come_again_until_received() {
    let world = World::new("webhooks").await;
    let (send, mut received) = mpsc::channel::<(HeaderMap, String)>(8);
    let deliveries = AtomicUsize::new(0);
    // The endpoint says no to its first delivery.
    let receive = async move |headers: HeaderMap, body: String| {
        send.send((headers, body)).await.expect("the test listens");
        let first = deliveries.fetch_add(1, SeqCst) == 0;
        if first { StatusCode::BAD_GATEWAY } else { StatusCode::OK }
    };
    let receive = Arc::new(receive);
    let endpoint = Router::new().route(
        "/",
        post(move |headers, body| {
            let receive = receive.clone();
            async move { receive(headers, body).await }
        }),
    );
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}/", listener.local_addr().expect("bound"));
    tokio::spawn(async move { axum::serve(listener, endpoint).await });
    let set = world.send("PUT", "/provider/v1/webhook", None, json!({ "url": url })).await;
    assert_eq!(set.expect("answered").status, 200);

    let customer = world.customer().await;
    world.method(&customer).await;
    let mut events = Vec::new();
    for _ in 0..2 {
        let (headers, body) = received.recv().await.expect("a delivery");
        let signature = headers["laika-signature"].to_str().expect("text");
        let (t, v1) = signature.split_once(",v1=").expect("t and v1");
        let signed = format!("{}.{body}", t.trim_start_matches("t="));
        assert!(hmac_agrees(WEBHOOK_SECRET, signed.as_bytes(), v1));
        let event: Webhook = serde_json::from_str(&body).expect("an event");
        events.push((event.id, event.kind));
    }
    assert_eq!(events[0], events[1], "the same event again");
    assert_eq!(events[0].1, "setup.succeeded");
}
