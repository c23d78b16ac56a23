//! A server that has no payment provider. `laika serve` never is one, as it starts a sandbox or
//! ends where Stripe is not set; what asks for the provider says so all the same.

use super::World;
use crate::{sandbox::WEBHOOK_SECRET, secret::hmac_hex};
use axum::{body::Body, http::Request};
use serde_json::{Value, json};

#[tokio::test]
async fn without_a_payment_provider_whatever_needs_one_says_so_and_adds_nothing() {
    let world = World::without_gateway().await;
    let ana = world.register("+34612345678", "ana@example.org").await;
    for (method, path, body) in [
        ("GET", "/payment-methods/wallets", None),
        ("POST", "/payment-methods", Some(json!({ "wallet": "alipay" }))),
        ("POST", "/payment-methods/setups", Some(Value::Null)),
    ] {
        let answer = world.ask(method, path, &ana, body).await;
        assert_eq!(answer.code(), (503, "no_gateway"), "{method} {path}");
    }
    let body = json!({ "id": "evt_1", "kind": "payment.succeeded", "about": "pay_1",
        "created_at": 0 })
    .to_string();
    let time = world.app.clock.wall().seconds();
    let v1 = hmac_hex(WEBHOOK_SECRET, format!("{time}.{body}").as_bytes());
    let request = Request::builder().method("POST").uri("/api/v1/webhooks/sandbox");
    let request = request.header("laika-signature", format!("t={time},v1={v1}"));
    let answer = world.send(request.body(Body::from(body)).expect("a request")).await;
    assert_eq!(answer.code(), (503, "no_gateway"), "a webhook");
    let methods = world.ask("GET", "/payment-methods", &ana, None).await;
    assert_eq!((methods.status, methods.body), (200, json!([])));
}
