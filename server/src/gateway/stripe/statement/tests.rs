//! Lists as Stripe gives them, a hundred rows at a time and the newest first, over a real socket.

use super::*;
use crate::{
    clock::{Clock, Theirs},
    config::{Secret, Stripe},
    outbound::Outbound,
};
use axum::{
    Json, Router,
    extract::{Query, State},
    routing::get,
};
use laika_core::reconcile::{PaymentState, RefundState};
use serde_json::{Value, json};
use std::{collections::HashMap, sync::Arc, time::Duration};

/// When the newest thing happened; each before it a second earlier.
const NEWEST: i64 = 1_790_000_000;

/// A list of it: what was asked for since an instant, after a name, and no more than a hundred.
async fn page(
    State(rows): State<Arc<Vec<Value>>>,
    Query(asked): Query<HashMap<String, String>>,
) -> Json<Value> {
    let number = |name: &str| asked.get(name).and_then(|text| text.parse::<i64>().ok());
    let made = |row: &Value| row["created"].as_i64().unwrap_or_default();
    let from = number("created[gte]").unwrap_or(i64::MIN);
    let until = number("created[lt]").unwrap_or(i64::MAX);
    let most = usize::try_from(number("limit").unwrap_or(10)).unwrap_or(10).min(100);
    let mut rows = rows.iter().filter(|row| (from..until).contains(&made(row)));
    if let Some(after) = asked.get("starting_after") {
        rows.find(|row| row["id"] == *after.as_str());
    }
    let data: Vec<&Value> = rows.by_ref().take(most).collect();
    Json(json!({ "data": data, "has_more": rows.next().is_some() }))
}

fn intent(number: i64) -> Value {
    json!({
        "id": format!("pi_{number}"),
        "status": "succeeded",
        "currency": "eur",
        "created": NEWEST - number,
        "amount_received": 1500,
        "metadata": { "recharge_id": format!("line_1-r{number}"), "attempt": "1" },
        "latest_charge": { "created": NEWEST - number + 2, "amount_refunded": 0 },
    })
}

fn refund(id: &str, payment: i64, status: &str) -> Value {
    json!({ "id": id, "payment_intent": format!("pi_{payment}"), "amount": 500,
            "status": status, "created": NEWEST })
}

fn dispute(id: &str, payment: i64, status: &str) -> Value {
    json!({ "id": id, "payment_intent": format!("pi_{payment}"), "amount": 1500,
            "currency": "eur", "status": status, "created": NEWEST,
            "balance_transactions": [{ "created": NEWEST + 60 }] })
}

/// Stripe with these payments, refunds and disputes, asked a day after the newest.
async fn stripe(payments: Vec<Value>, refunds: Vec<Value>, disputes: Vec<Value>) -> StripeGateway {
    let list = |rows: Vec<Value>| get(page).with_state(Arc::new(rows));
    let lists = Router::new()
        .route("/v1/payment_intents", list(payments))
        .route("/v1/refunds", list(refunds))
        .route("/v1/disputes", list(disputes));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base_url = format!("http://{}", listener.local_addr().expect("bound"));
    tokio::spawn(async { axum::serve(listener, lists).await });
    let key = Secret::new("sk_test_x");
    let config = Stripe { key, webhook_secrets: vec![], base_url, wallets: vec![] };
    let clock = Clock::at(Instant::from_seconds(NEWEST + 86_400));
    let client = Outbound::new(Duration::from_secs(10));
    StripeGateway::new(client, &config, &clock, Arc::new(Theirs::default()))
}

fn at(seconds: i64) -> Instant {
    Instant::from_seconds(NEWEST + seconds)
}

#[tokio::test]
async fn every_page_of_payments_is_read_and_only_ours_are_kept() {
    let mut payments: Vec<Value> = (0..250).map(intent).collect();
    payments[7]["metadata"] = json!({ "order": "of another system" });
    payments[8]["metadata"]["key"] = json!("line_9-r9-a3");
    let refunds: Vec<Value> =
        (0..150).map(|it| refund(&format!("re_{it}"), 249, "succeeded")).collect();
    let stripe = stripe(payments, refunds, vec![]).await;
    let statement = stripe.statement(at(-300), at(3_600)).await.expect("a statement");
    assert_eq!((statement.from, statement.until), (at(-300), at(3_600)));
    assert_eq!(statement.rows.len(), 249);
    let key = |at: usize| statement.rows[at].key.as_ref().map(|key| key.as_str().to_owned());
    assert_eq!(key(0).as_deref(), Some("line_1-r0-a1"), "derived from what we told it");
    assert_eq!(key(7).as_deref(), Some("line_9-r9-a3"), "as it has it");
    let oldest = &statement.rows[248];
    assert_eq!((oldest.id.as_str(), oldest.refunds.len()), ("pi_249", 150));
    let captured = PaymentState::Captured {
        amount: laika_core::money::Money::new(
            1500,
            laika_core::money::Currency::from_code("EUR").expect("EUR"),
        ),
        captured_at: at(-247),
    };
    assert_eq!((oldest.created_at, oldest.state), (at(-249), captured));
}

#[tokio::test]
async fn what_is_not_settled_yet_is_not_promised() {
    let stripe = stripe(vec![intent(0)], vec![], vec![]).await;
    let whole = Instant::from_seconds(NEWEST + 86_400).minus(SETTLES);
    let statement = stripe.statement(at(-300), at(1_000_000)).await.expect("a statement");
    assert_eq!(statement.until, whole, "not what is younger than its lists");
    let half = at(10).plus(Span(500_000));
    let statement = stripe.statement(at(-300), half).await.expect("a statement");
    assert_eq!(statement.until, at(10), "no half of a second");
}

#[tokio::test]
async fn refunds_and_disputes_stand_as_stripe_has_them() {
    let refunds = vec![
        refund("re_done", 1, "succeeded"),
        refund("re_open", 1, "pending"),
        refund("re_failed", 1, "failed"),
        json!({ "id": "re_other", "payment_intent": null, "amount": 1, "status": "succeeded",
                "created": NEWEST }),
    ];
    let all = [
        ("needs_response", (true, 1500, 0)),
        ("under_review", (true, 1500, 0)),
        ("warning_needs_response", (true, 0, 0)),
        ("warning_closed", (false, 0, 0)),
        ("won", (false, 1500, 1500)),
        ("lost", (false, 1500, 0)),
        ("never heard of", (true, 1500, 0)),
    ];
    let disputes = all.iter().map(|(status, _)| dispute(status, 1, status));
    let mut disputes: Vec<Value> = disputes.collect();
    disputes
        .push(json!({ "id": "yen", "payment_intent": "pi_1", "amount": 1500, "currency": "jpy",
                          "status": "lost", "created": NEWEST }));
    let stripe = stripe(vec![intent(1)], refunds, disputes).await;
    let statement = stripe.statement(at(-300), at(60)).await.expect("a statement");
    let [row] = statement.rows.as_slice() else { panic!("one payment") };
    let states: Vec<_> = row.refunds.iter().map(|it| (it.id.as_str(), it.state)).collect();
    assert_eq!(
        states,
        [
            ("re_done", RefundState::Done),
            ("re_open", RefundState::Open),
            ("re_failed", RefundState::Failed)
        ]
    );
    for (status, figures) in all {
        let row = row.disputes.iter().find(|it| it.id == status).expect(status);
        assert_eq!((row.open, row.withdrawn_minor, row.reinstated_minor), figures, "{status}");
        assert_eq!(row.changed_at, at(60), "when money last moved");
    }
    let yen = row.disputes.iter().find(|it| it.id == "yen").expect("it");
    assert!(yen.open && yen.withdrawn_minor == 0, "for a person to look at");
}

#[tokio::test]
async fn half_a_statement_is_none() {
    let mut broken = intent(3);
    broken["amount_received"] = Value::Null;
    let stripe = stripe(vec![intent(0), broken], vec![], vec![]).await;
    let failure = stripe.statement(at(-300), at(60)).await.expect_err("one makes no sense");
    assert!(matches!(failure, Failure::Unknown(_)), "{failure:?}");
}
