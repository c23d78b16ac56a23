//! What each answer of a carrier means, over a real socket: a carrier of our own that says whatever
//! the test has it say.

use super::*;
use axum::{
    Router,
    extract::State,
    http::{StatusCode, Uri},
};
use laika_core::id::RechargeId;
use serde_json::{Value, json};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

const ICCID: &str = "8988247007000000105";

/// Answers to be given, the next one last, and what was asked.
#[derive(Clone, Default)]
struct Script {
    answers: Arc<Mutex<Vec<(u16, String)>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

async fn answer(State(script): State<Script>, uri: Uri) -> (StatusCode, String) {
    script.asked.lock().expect("asked").push(uri.to_string());
    let (status, body) = script.answers.lock().expect("answers").pop().expect("an answer is left");
    (StatusCode::from_u16(status).expect("a status"), body)
}

async fn carrier(answers: &[(u16, Value)]) -> (HttpCarrier, Script) {
    let texts: Vec<_> = answers.iter().map(|(status, body)| (*status, body.to_string())).collect();
    saying(&texts).await
}

async fn saying(answers: &[(u16, String)]) -> (HttpCarrier, Script) {
    let script = Script::default();
    *script.answers.lock().expect("answers") = answers.iter().rev().cloned().collect();
    let router = Router::new().fallback(answer).with_state(script.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base_url = format!("http://{}/v1", listener.local_addr().expect("bound"));
    tokio::spawn(async { axum::serve(listener, router).await });
    let client = Outbound::new(Duration::from_secs(10));
    let clock = Clock::at(at(100));
    (HttpCarrier::new(client, base_url, Secret::new("a secret"), &clock), script)
}

fn at(seconds: i64) -> Instant {
    Instant::from_seconds(1_790_000_000 + seconds)
}

fn row(number: i64, changes: &Value) -> Value {
    let mut row = json!({
        "id": format!("top_{number}"), "key": format!("line_1-r{number}-t"), "iccid": ICCID,
        "data_bytes": 5_000_000_000_i64, "validity_days": 30, "credit_minor": 0,
        "currency": "EUR", "metadata": {}, "delivered_at": at(number).to_string(),
    });
    for (name, value) in changes.as_object().into_iter().flatten() {
        row[name] = value.clone();
    }
    row
}

fn page(from: i64, until: i64, rows: &[Value], next: Option<&str>) -> (u16, Value) {
    let (from, until) = (at(from).to_string(), at(until).to_string());
    (200, json!({ "from": from, "until": until, "top_ups": rows, "next": next }))
}

/// `delivered ID`, `no CODE`, `unknown` or `turned away`.
fn said(told: Result<String, Failure>) -> String {
    match told {
        Ok(id) => format!("delivered {id}"),
        Err(Failure::Refused { code }) => format!("no {code}"),
        Err(Failure::Unknown(no)) if no.never_sent => "turned away".to_owned(),
        Err(Failure::Unknown(_)) => "unknown".to_owned(),
    }
}

async fn top_up(status: u16, body: String) -> (String, String) {
    let recharge_id = RechargeId::new("line_1-r1").expect("an id");
    let currency = Currency::from_code("EUR").expect("EUR");
    let bytes = Bytes::from_i64(5_000_000_000).expect("5 GB");
    let adds = Adds::Data { bytes, steps: 5, validity_days: 30 };
    let key = IdempotencyKey::of_top_up(&recharge_id);
    let order = Order { key, iccid: ICCID, recharge_id: &recharge_id, currency, adds };
    let (carrier, _) = saying(&[(status, body.clone()), (status, body)]).await;
    let given = said(carrier.top_up(&order).await.map(|given| given.id));
    let found = carrier.find(&order).await;
    (given, said(found.map(|found| found.map_or_else(|| "nothing".to_owned(), |found| found.id))))
}

#[tokio::test]
async fn only_what_was_ordered_is_delivered_and_only_the_contracts_no_is_a_no() {
    let no = |code: &str| json!({ "code": code, "delivered": false }).to_string();
    let told = |changes: Value| row(1, &changes).to_string();
    let same = |meaning: &'static str| (meaning, meaning);
    for (status, body, (asked, looked_up)) in [
        (200, told(json!({})), same("delivered top_1")),
        (201, told(json!({ "more": "than we know" })), same("delivered top_1")),
        (200, told(json!({ "validity_days": null })), same("delivered top_1")),
        (200, told(json!({ "data_bytes": 4_999_999_999_i64 })), same("unknown")),
        (200, told(json!({ "credit_minor": 1 })), same("unknown")),
        (200, told(json!({ "validity_days": 7 })), same("unknown")),
        (200, told(json!({ "iccid": "8988247007000000106" })), same("unknown")),
        (200, told(json!({ "key": "line_1-r2-t" })), same("unknown")),
        (200, told(json!({ "key": null })), same("unknown")),
        (200, told(json!({ "id": "" })), same("unknown")),
        (200, told(json!({ "delivered_at": "yesterday" })), same("unknown")),
        (200, "{".to_owned(), same("unknown")),
        (204, String::new(), same("unknown")),
        (404, no("not_found"), ("no not_found", "delivered nothing")),
        (404, no("line_unknown"), ("no line_unknown", "unknown")),
        (410, no("line_closed"), ("no line_closed", "unknown")),
        (422, no("top_up_refused"), ("no top_up_refused", "unknown")),
        (422, json!({ "code": "top_up_refused" }).to_string(), same("unknown")),
        (422, json!({ "code": "x", "delivered": true }).to_string(), same("unknown")),
        (404, "<h1>Not Found</h1>".to_owned(), same("unknown")),
        (409, no("idempotency_mismatch"), same("unknown")),
        (400, no("bad_request"), same("unknown")),
        (500, no("internal"), same("unknown")),
        (502, String::new(), same("unknown")),
        (503, String::new(), same("unknown")),
        (302, String::new(), same("unknown")),
        (401, String::new(), same("turned away")),
        (403, String::new(), same("turned away")),
        (429, String::new(), same("turned away")),
    ] {
        let (given, found) = top_up(status, body.clone()).await;
        assert_eq!((given.as_str(), found.as_str()), (asked, looked_up), "{status} {body}");
    }
}

#[tokio::test]
async fn a_statement_is_read_page_by_page_by_what_the_first_one_covers() {
    let pages = [
        page(0, 90, &[row(1, &json!({})), row(2, &json!({ "key": null }))], Some("p2")),
        page(0, 90, &[row(2, &json!({ "id": "same_instant" })), row(3, &json!({}))], None),
    ];
    let (carrier, script) = carrier(&pages).await;
    let statement = carrier.statement(at(0), at(100)).await.expect("a statement");
    assert_eq!((statement.from, statement.until), (at(0), at(90)));
    let keys: Vec<_> =
        statement.rows.iter().map(|it| it.key.as_ref().map(|k| k.as_str())).collect();
    let expected = [Some("line_1-r1-t"), None, Some("line_1-r2-t"), Some("line_1-r3-t")];
    assert_eq!(keys, expected);
    assert_eq!(statement.rows[0].given.bytes.get(), 5_000_000_000);
    assert_eq!(statement.rows[0].delivered_at, at(1));
    let asked = script.asked.lock().expect("asked").clone();
    let (from, until, covered) = (at(0), at(100), at(90));
    assert_eq!(
        asked,
        [
            format!("/v1/statement?from={from}&until={until}"),
            format!("/v1/statement?from={from}&until={covered}&after=p2"),
        ]
    );
}

#[tokio::test]
async fn a_statement_that_contradicts_itself_is_none() {
    let (one, two) = (row(1, &json!({})), row(2, &json!({})));
    let rows = std::slice::from_ref(&one);
    for (what, pages) in [
        ("of more than was asked for", vec![page(0, 101, rows, None)]),
        ("from before", vec![page(-1, 90, rows, None)]),
        ("of no time", vec![page(95, 90, &[], None)]),
        (
            "moved on",
            vec![page(0, 90, rows, Some("p")), page(0, 91, std::slice::from_ref(&two), None)],
        ),
        ("out of order", vec![page(0, 90, &[two.clone(), one.clone()], None)]),
        ("twice", vec![page(0, 90, &[one.clone(), one.clone()], None)]),
        ("again and again", vec![page(0, 90, rows, Some("p")), page(0, 90, rows, Some("p"))]),
        ("for ever", vec![page(0, 90, &[], Some("p"))]),
        ("outside", vec![page(0, 1, rows, None)]),
        ("less than nothing", vec![page(0, 90, &[row(1, &json!({ "data_bytes": -1 }))], None)]),
        ("a debt", vec![page(0, 90, &[row(1, &json!({ "credit_minor": -1 }))], None)]),
        (
            "no money",
            vec![page(0, 90, &[row(1, &json!({ "credit_minor": 1, "currency": "???" }))], None)],
        ),
        ("another address", vec![page(0, 90, rows, Some("p&key=x"))]),
        ("half a page", vec![(200, json!({ "top_ups": [] }))]),
    ] {
        let (carrier, _) = carrier(&pages).await;
        let told = carrier.statement(at(0), at(100)).await;
        assert!(matches!(told, Err(Failure::Unknown(_))), "{what}: {told:?}");
    }
}

#[tokio::test]
async fn times_are_the_carriers_own_after_time_was_let_pass() {
    let (mut carrier, script) = carrier(&[page(0, 100, &[row(1, &json!({}))], None)]).await;
    carrier.ahead = Span::days(30);
    let (from, until) = (at(0).plus(Span::days(30)), at(100).plus(Span::days(30)));
    let statement = carrier.statement(from, until).await.expect("a statement");
    assert_eq!((statement.from, statement.until), (from, until));
    assert_eq!(statement.rows[0].delivered_at, at(1).plus(Span::days(30)));
    let asked = script.asked.lock().expect("asked").clone();
    assert_eq!(asked, [format!("/v1/statement?from={}&until={}", at(0), at(100))]);
}

#[tokio::test]
async fn a_balance_is_that_of_the_line_or_none() {
    let told = |iccid: &str, bytes: i64, credit: Value| {
        let as_of = at(5).to_string();
        (
            200,
            json!({ "iccid": iccid, "data_bytes": bytes, "credit_minor": credit, "as_of": as_of }),
        )
    };
    let (good, _) = carrier(&[told(ICCID, 7, json!({ "EUR": 900, "JPY": 5 }))]).await;
    let balance = good.balance(ICCID).await.expect("a balance");
    let money = |minor, code| Money::new(minor, Currency::from_code(code).expect(code));
    assert_eq!((balance.data.get(), balance.as_of), (7, at(5)));
    assert_eq!(balance.credit, [money(900, "EUR"), money(5, "JPY")]);
    for bad in [
        told("8988247007000000106", 7, json!({})),
        told(ICCID, -1, json!({})),
        told(ICCID, 7, json!({ "EUR": -1 })),
        told(ICCID, 7, json!({ "???": 1 })),
    ] {
        let (carrier, _) = carrier(std::slice::from_ref(&bad)).await;
        assert!(carrier.balance(ICCID).await.is_err(), "{bad:?}");
    }
    let (nobody, script) = carrier(&[]).await;
    let refused = nobody.balance("../statement").await;
    assert!(matches!(refused, Err(Failure::Refused { .. })), "{refused:?}");
    assert!(script.asked.lock().expect("asked").is_empty(), "nothing was asked");
}
