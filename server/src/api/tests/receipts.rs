//! Consent receipts over HTTP: given when a rule is turned on, shown to their owner as they were
//! signed, and checked by anybody with the public key.

use super::{Answer, World};
use crate::{
    signing::{PublicKey, SignatureState, verify},
    store::payment_methods::{self, Method, instrument},
};
use axum::{
    body::{Body, to_bytes},
    http::Request,
};
use laika_core::{
    ENGINE_VERSION,
    draft::{RuleDraft, validate},
    forecast::{PreviewInputs, preview, preview_sha256},
    id::PaymentMethodId,
    rail::Rail,
    record::{Proof, SignedReceipt, canonical, read},
};
use serde_json::{Value, json};
use tower_service::Service;

impl World {
    async fn add_card(&self, cookie: &str) {
        let session = self.ask("GET", "/session", cookie, None).await;
        let account = session.body["account"]["id"].as_str().expect("an account").to_string();
        let card = Method {
            id: PaymentMethodId::new("pm_1").expect("an id"),
            token: "tok".into(),
            rail: Rail::Card,
            brand: "visa".into(),
            funding: "credit".into(),
            last4: "4242".into(),
            exp_month: 12,
            exp_year: 2034,
            fingerprint: "fp".into(),
            instrument: instrument("fp", 2034, 12),
            removed_at: None,
        };
        let mut tx = self.app.store.write().await.expect("a transaction");
        let now = self.app.clock.now();
        payment_methods::insert(&mut tx, &account, &card, now).await.expect("a card");
        tx.commit().await;
    }

    /// Saves the suggested rule as the browser does.
    async fn save(&self, cookie: &str, line: &str) -> Answer {
        let inputs = self.ask("GET", &format!("/lines/{line}/preview-inputs"), cookie, None).await;
        let inputs: PreviewInputs = serde_json::from_value(inputs.body).expect("inputs");
        let draft = RuleDraft::suggested(&inputs.account, inputs.as_of);
        let rule = validate(&draft, &inputs.account, inputs.as_of).expect("a rule");
        let body = json!({"draft": draft, "state_version": inputs.state_version,
            "as_of": inputs.as_of, "engine_version": ENGINE_VERSION,
            "preview_sha256": preview_sha256(&preview(&rule, &inputs))});
        self.ask("PUT", &format!("/lines/{line}/rule"), cookie, Some(body)).await
    }

    /// Agrees to what is shown; the rule page as it was before.
    async fn turn_on(&self, cookie: &str, line: &str) -> Value {
        let shown = self.ask("GET", &format!("/lines/{line}/rule"), cookie, None).await.body;
        let agreed = json!({"rule_version": shown["rule"]["version"],
            "consent_sha256": shown["consent"]["sha256"]});
        let on = self.post(&format!("/lines/{line}/rule/on"), cookie, agreed).await;
        assert_eq!(on.status, 200, "{on:?}");
        shown
    }

    /// The bytes of an answer.
    async fn bytes(&self, path: &str, cookie: &str) -> Vec<u8> {
        let request = Request::builder().uri(format!("/api/v1{path}")).header("cookie", cookie);
        let request = request.body(Body::empty()).expect("a request");
        let response = self.router.clone().call(request).await.expect("an answer");
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "application/json");
        to_bytes(response.into_body(), 1 << 20).await.expect("a body").to_vec()
    }

    /// Every key, as anybody gets them.
    async fn keys(&self) -> Vec<PublicKey> {
        let keys = self.ask("GET", "/signing-keys", "", None).await;
        assert_eq!(keys.status, 200, "{keys:?}");
        let keys = keys.body.as_array().expect("a list").clone();
        let keys = keys.iter().filter_map(|key| {
            let public = PublicKey::from_hex(key["public_key"].as_str()?)?;
            assert_eq!(key["key_id"], public.id);
            assert_eq!(key.as_object().map(|key| key.len()), Some(3), "nothing secret: {key}");
            Some(public)
        });
        keys.collect()
    }
}

#[tokio::test]
async fn turning_on_gives_a_receipt_that_anybody_can_check() {
    let world = World::new().await;
    let ana = world.register("+34612345678", "ana@example.org").await;
    let authenticated_at = world.app.clock.wall();
    world.add_card(&ana).await;
    let line = world.line(&ana).await;
    assert_eq!(world.save(&ana, &line).await.status, 200);
    let list = format!("/lines/{line}/rule/receipts");
    assert_eq!(world.ask("GET", &list, &ana, None).await.body, json!([]), "nothing is agreed");

    world.app.clock.set(world.app.clock.wall().plus(laika_core::time::Span::minutes(2)));
    let shown = world.turn_on(&ana, &line).await;
    let bytes = world.bytes(&format!("{list}/2"), &ana).await;
    let text = std::str::from_utf8(&bytes).expect("UTF-8");
    let signed: SignedReceipt = read(text).expect("a receipt");
    assert_eq!(signed.check(), []);
    assert_eq!(verify(&signed, &world.keys().await), SignatureState::Good);
    let canonical = String::from_utf8(canonical(&signed.receipt)).expect("UTF-8");
    assert!(text.starts_with(&format!("{{\"receipt\":{canonical},\"sha256\":")), "{text}");

    let receipt = signed.receipt;
    assert_eq!(shown["consent"]["text"], receipt.text.as_str());
    let rule = world.ask("GET", &format!("/lines/{line}/rule"), &ana, None).await.body;
    assert_eq!(rule["rule"], json!(receipt.rule), "the rule that is on now");
    assert_eq!(receipt.payment_methods[0].name, "Visa •••• 4242");
    assert_eq!((receipt.line_id.as_str(), receipt.brand.as_str()), (line.as_str(), "Laika"));
    assert_eq!(receipt.given_at, world.app.clock.now());
    assert_eq!(receipt.authenticated.by, Proof::Password);
    assert_eq!(receipt.authenticated.at, authenticated_at);
    let listed = json!([{"version": 2, "given_at": receipt.given_at, "sha256": signed.sha256,
        "key_id": signed.key_id}]);
    assert_eq!(world.ask("GET", &list, &ana, None).await.body, listed);
}

#[tokio::test]
async fn each_turn_on_has_its_receipt_and_nothing_else_has() {
    let world = World::new().await;
    let ana = world.register("+34612345678", "ana@example.org").await;
    world.add_card(&ana).await;
    let line = world.line(&ana).await;
    world.save(&ana, &line).await;
    let shown = world.turn_on(&ana, &line).await;
    let of_line = |what: &str| format!("/lines/{line}/rule/{what}");
    let again = json!({"rule_version": shown["rule"]["version"],
        "consent_sha256": shown["consent"]["sha256"]});
    assert_eq!(world.post(&of_line("on"), &ana, again).await.status, 200, "a second tap");
    let stale = json!({"rule_version": 2, "consent_sha256": "0".repeat(64)});
    assert_eq!(world.post(&of_line("on"), &ana, stale).await.code(), (409, "consent_stale"));
    assert_eq!(world.ask("POST", &of_line("off"), &ana, None).await.status, 200);
    world.turn_on(&ana, &line).await;
    let list = world.ask("GET", &of_line("receipts"), &ana, None).await.body;
    let versions: Vec<&Value> =
        list.as_array().expect("a list").iter().map(|one| &one["version"]).collect();
    assert_eq!(versions, [4, 2], "the newest first");
    for other in ["1", "3", "5", "0", "-1", "x", "4294967296", "2.0", "%20"] {
        let answer = world.ask("GET", &of_line(&format!("receipts/{other}")), &ana, None).await;
        assert_eq!(answer.code(), (404, "not_found"), "{other}");
    }
    let bob = world.register("+34612345679", "bob@example.org").await;
    for path in ["receipts", "receipts/2"] {
        let answer = world.ask("GET", &of_line(path), &bob, None).await;
        assert_eq!(answer.code(), (404, "not_found"), "{path}");
    }
}
