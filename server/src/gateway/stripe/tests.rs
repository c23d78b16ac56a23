//! What Laika makes of Stripe's answers, over a real socket: a Stripe that says what it is told to.

use super::*;
use axum::{
    Router,
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use laika_core::id::{AccountId, RechargeId};
use serde_json::{Value, json};
use std::{sync::Mutex, time::Duration};

/// What it says to requests that begin so, and what it was asked.
struct Told {
    answers: Vec<(&'static str, u16, Value)>,
    asked: Mutex<Vec<String>>,
}

async fn answer(State(told): State<Arc<Told>>, request: Request) -> Response {
    let asked = format!("{} {}", request.method(), request.uri());
    let known = told.answers.iter().find(|(begins, ..)| asked.starts_with(begins));
    told.asked.lock().expect("whole").push(asked);
    let Some((_, status, body)) = known else { return StatusCode::NOT_FOUND.into_response() };
    let status = StatusCode::from_u16(*status).expect("a status");
    (status, axum::Json(body)).into_response()
}

/// A Stripe that says so, the first that fits, and otherwise that there is nothing.
async fn stripe(answers: Vec<(&'static str, u16, Value)>) -> (StripeGateway, Arc<Told>) {
    let told = Arc::new(Told { answers, asked: Mutex::default() });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base_url = format!("http://{}", listener.local_addr().expect("bound"));
    let router = Router::new().fallback(answer).with_state(Arc::clone(&told));
    tokio::spawn(async { axum::serve(listener, router).await });
    let key = Secret::new("sk_test_x");
    let config = Stripe { key, webhook_secrets: vec![], base_url, wallets: vec![] };
    let clock = Clock::at(Instant::from_seconds(1_790_000_000));
    let client = Outbound::new(Duration::from_secs(10));
    (StripeGateway::new(client, &config, &clock, Arc::new(Theirs::default())), told)
}

fn charge(token: &str) -> Charge {
    let recharge_id = RechargeId::new("rch_1").expect("an id");
    Charge {
        key: IdempotencyKey::of_attempt(&recharge_id, 1),
        customer: "cus_1".to_owned(),
        token: token.to_owned(),
        amount: Money::new(900, Currency::from_code("EUR").expect("euros")),
        account_id: AccountId::new("acc_1").expect("an id"),
        recharge_id,
        attempt: 1,
        return_url: "https://laika.example/history".to_owned(),
    }
}

const CHARGE: &str = "POST /v1/payment_intents";
const METHOD: &str = "GET /v1/payment_methods/pm_1";

fn invalid(code: Option<&str>) -> Value {
    json!({ "error": { "type": "invalid_request_error", "code": code,
                       "message": "The provided PaymentMethod was detached from a Customer." } })
}

fn method(customer: Option<&str>) -> Value {
    json!({ "id": "pm_1", "type": "card", "customer": customer })
}

fn named(failure: Failure) -> String {
    match failure {
        Failure::Refused { code } => code,
        Failure::Unknown(no) if no.never_sent => "turned away".to_owned(),
        Failure::Unknown(_) => "unknown".to_owned(),
    }
}

#[tokio::test]
async fn a_refusal_is_the_cards_where_the_card_is_gone_and_otherwise_ours() {
    let missing = json!({ "error": { "type": "invalid_request_error", "code": "resource_missing",
                                     "param": "payment_method" } });
    let unexpected = invalid(Some("payment_method_unexpected_state"));
    for (refused, status, card, expected) in [
        (invalid(None), 200, method(None), "not_found"),
        (invalid(None), 200, method(Some("cus_2")), "not_found"),
        (invalid(None), 404, missing.clone(), "not_found"),
        (unexpected, 200, method(None), "not_found"),
        (invalid(None), 200, method(Some("cus_1")), "request_refused"),
        (invalid(Some("parameter_unknown")), 200, method(Some("cus_1")), "request_refused"),
        (invalid(None), 500, json!({}), "unknown"),
        (invalid(None), 429, json!({}), "turned away"),
        (invalid(Some("amount_too_small")), 500, json!({}), "amount_too_small"),
        (missing, 500, json!({}), "not_found"),
    ] {
        let answers = vec![(CHARGE, 400, refused.clone()), (METHOD, status, card.clone())];
        let (stripe, _) = stripe(answers).await;
        let failure = stripe.charge(&charge("pm_1")).await.expect_err("refused");
        assert_eq!(named(failure), expected, "{refused} {status} {card}");
    }
}

#[tokio::test]
async fn a_wallet_has_no_method_to_ask_for() {
    let (stripe, told) = stripe(vec![(CHARGE, 400, invalid(None))]).await;
    let failure = stripe.charge(&charge("alipay")).await.expect_err("refused");
    assert_eq!(named(failure), "request_refused");
    assert_eq!(told.asked.lock().expect("whole").len(), 1);
}

#[tokio::test]
async fn a_link_that_stripe_does_not_make_says_nothing_of_the_payment() {
    let unasked = json!({ "id": "pi_1", "status": "requires_payment_method", "currency": "eur",
        "last_payment_error": { "code": "authentication_required",
                                "payment_method": { "id": "pm_1" } } });
    for refused in [invalid(None), invalid(Some("amount_too_small"))] {
        let error = json!({ "error": { "type": "card_error", "payment_intent": unasked.clone() } });
        let confirm = "POST /v1/payment_intents/pi_1/confirm";
        let (stripe, _) = stripe(vec![(confirm, 400, refused), (CHARGE, 402, error)]).await;
        let failure = stripe.charge(&charge("pm_1")).await.expect_err("no page");
        assert_eq!(named(failure), "unknown");
    }
}

fn dispute(id: &str, currency: &str, payment: Value) -> Value {
    json!({ "id": id, "amount": 900, "currency": currency, "status": "needs_response",
            "payment_intent": payment })
}

#[tokio::test]
async fn a_dispute_that_makes_no_sense_keeps_no_other_from_being_heard() {
    let ours = |id: &str| json!({ "id": id, "metadata": { "recharge_id": "rch_1" } });
    let list = json!({ "has_more": false, "data": [
        dispute("dp_1", "eur", ours("pi_1")),
        dispute("dp_2", "xxx", ours("pi_2")),
        json!({ "id": "dp_3", "payment_intent": ours("pi_3") }),
        dispute("dp_4", "eur", ours("pi_4")),
    ] });
    let (stripe, told) = stripe(vec![("GET /v1/disputes", 200, list)]).await;
    let listed = stripe.disputes(0).await.expect("a list");
    let ids: Vec<&str> = listed.iter().map(|dispute| dispute.id.as_str()).collect();
    assert_eq!(ids, ["dp_1", "dp_4"]);
    let payments: Vec<_> = listed.iter().map(|dispute| dispute.payment.as_deref()).collect();
    assert_eq!(payments, [Some("pi_1"), Some("pi_4")]);
    let asked = told.asked.lock().expect("whole").join(" ");
    assert!(asked.contains("data.payment_intent"), "{asked}");
    let about = stripe.disputes_about("pi_2").await.map_err(named);
    assert_eq!(about.err().as_deref(), Some("unknown"), "before money is given back");
}

#[tokio::test]
async fn disputes_of_others_in_the_same_account_are_not_ours_to_hear() {
    let list = json!({ "has_more": false, "data": [
        dispute("dp_1", "eur", json!({ "id": "pi_1", "metadata": { "order": "7" } })),
        dispute("dp_2", "xxx", json!({ "id": "pi_2" })),
        dispute("dp_3", "eur", Value::Null),
        dispute("dp_4", "eur", json!("pi_4")),
    ] });
    let (stripe, _) = stripe(vec![("GET /v1/disputes", 200, list)]).await;
    let listed = stripe.disputes(0).await.expect("a list");
    let ids: Vec<&str> = listed.iter().map(|dispute| dispute.id.as_str()).collect();
    assert_eq!(ids, ["dp_4"], "whose payment is not told is looked at");
}

#[tokio::test]
async fn a_card_is_what_stripe_has_of_it_by_now_and_whose_we_told_it() {
    let kept = |customer: Value| {
        json!({ "id": "pm_1", "type": "card", "customer": customer,
                "card": { "brand": "visa", "funding": "credit", "last4": "4242",
                          "exp_month": 10, "exp_year": 2031, "fingerprint": "f" } })
    };
    let ours = json!({ "id": "cus_1", "metadata": { "account_id": "acc_1" } });
    for (customer, expected) in [
        (ours, Some((Some("acc_1"), 2031))),
        (json!({ "id": "cus_1", "deleted": true }), Some((None, 2031))),
        (json!("cus_1"), Some((None, 2031))),
        (Value::Null, None),
    ] {
        let (stripe, told) = stripe(vec![(METHOD, 200, kept(customer.clone()))]).await;
        let known = stripe.kept("pm_1").await.expect("an answer");
        let known = known.map(|it| (it.account_id, it.attached.exp_year));
        let expected = expected.map(|(account, year)| (account.map(str::to_owned), year));
        assert_eq!(known, expected, "{customer}");
        let asked = told.asked.lock().expect("whole").join(" ");
        assert!(asked.contains("expand%5B%5D=customer"), "{asked}");
    }
}
