//! What every carrier must do, asked of the sandbox's by plain HTTP.

use laika_tests::support::carrier::{Carrier, SECRET};
use laika_tests::support::http::{Answer, Request};
use laika_tests::support::laika::Place;
use serde_json::{Value, json};

const ICCID: &str = "8988247007000000105";

fn carrier(name: &str) -> (Place, Carrier) {
    let place = Place::new(name);
    let carrier = Carrier::start(&place);
    (place, carrier)
}

fn body(bytes: i64) -> Value {
    json!({ "iccid": ICCID, "data_bytes": bytes, "validity_days": 30, "credit_minor": 0,
            "currency": "EUR", "metadata": { "recharge_id": "line_1-r1" } })
}

fn top_up(carrier: &Carrier, key: &str, body: &Value) -> Answer {
    let request = carrier.request("POST", "/top-ups").header("Idempotency-Key", key);
    request.json(body).send().expect("the carrier")
}

fn get(carrier: &Carrier, path: &str) -> Answer {
    carrier.request("GET", path).send().expect("the carrier")
}

#[test]
fn one_key_gives_once_whatever_happens_in_between() {
    let (place, mut carrier) = carrier("key");
    let first = top_up(&carrier, "k1", &body(5_000)).expect(200).json();
    assert_eq!((&first["key"], &first["data_bytes"]), (&json!("k1"), &json!(5_000)));
    assert_eq!(top_up(&carrier, "k1", &body(5_000)).expect(200).json(), first);
    carrier.restart(&place);
    assert_eq!(top_up(&carrier, "k1", &body(5_000)).expect(200).json(), first, "kill -9 or not");
    assert_eq!(get(&carrier, "/top-ups?key=k1").expect(200).json(), first);
    let other = top_up(&carrier, "k1", &body(6_000)).expect(409).json();
    assert_eq!(other["code"], "idempotency_mismatch");
    assert_eq!(other.get("delivered"), None, "something was given under it");
    assert_eq!(carrier.given(), [first]);
    let balance = get(&carrier, &format!("/lines/{ICCID}")).expect(200).json();
    assert_eq!((&balance["iccid"], &balance["data_bytes"]), (&json!(ICCID), &json!(5_000)));
}

#[test]
fn a_definite_no_says_that_nothing_was_given_and_uses_up_no_key() {
    let (_place, carrier) = carrier("no");
    let none = get(&carrier, "/top-ups?key=k1").expect(404);
    assert_eq!(none.header("content-type"), Some("application/problem+json"));
    assert_eq!(
        (&none.json()["code"], &none.json()["delivered"]),
        (&json!("not_found"), &json!(false))
    );
    let script = carrier.request("PUT", &format!("/lines/{ICCID}/next-top-up"));
    script.json(&json!({ "next": "refused" })).send().expect("the carrier").expect(200);
    let refused = top_up(&carrier, "k1", &body(5_000)).expect(422).json();
    assert_eq!(
        (&refused["code"], &refused["delivered"]),
        (&json!("top_up_refused"), &json!(false))
    );
    top_up(&carrier, "k1", &body(5_000)).expect(200);
    for (wrong, code) in [
        (json!({ "iccid": "12" }), "iccid_refused"),
        (json!({ "data_bytes": 0 }), "nothing_to_give"),
        (json!({ "data_bytes": -1 }), "nothing_to_give"),
        (json!({ "data_bytes": 1, "credit_minor": -1 }), "nothing_to_give"),
    ] {
        let mut asked = body(5_000);
        for (name, value) in wrong.as_object().expect("changes") {
            asked[name] = value.clone();
        }
        let no = top_up(&carrier, "k2", &asked).expect(422).json();
        assert_eq!((no["code"].as_str(), &no["delivered"]), (Some(code), &json!(false)), "{wrong}");
    }
    let keyless = carrier.request("POST", "/top-ups").json(&body(1)).send().expect("the carrier");
    assert_eq!(keyless.expect(422).json()["code"], "key_missing");
    assert_eq!(carrier.given().len(), 1);
}

#[test]
fn what_is_no_request_of_the_contract_changes_nothing_and_is_no_definite_no() {
    let (_place, carrier) = carrier("bad");
    let bad = |body: &str| {
        let request = carrier.request("POST", "/top-ups").header("Idempotency-Key", "k");
        request
            .body("application/json", body.into())
            .send()
            .expect("the carrier")
            .expect(400)
            .json()
    };
    for text in ["", "{", "[]", "{\"iccid\":1}", "null"] {
        assert_eq!((&bad(text)["code"], bad(text).get("delivered")), (&json!("bad_request"), None));
    }
    for path in [
        "/top-ups",
        "/statement",
        "/statement?from=0&until=1",
        "/statement?from=2026-11-23T00:00:00Z&until=2026-11-22T00:00:00Z",
    ] {
        let told = get(&carrier, path).expect(400).json();
        assert_eq!((&told["code"], told.get("delivered")), (&json!("bad_request"), None), "{path}");
    }
    for secret in ["", "Bearer ", "Bearer wrong", &format!("Basic {SECRET}")] {
        for (method, path) in [
            ("POST", "/top-ups"),
            ("GET", "/top-ups?key=k"),
            ("GET", "/lines/8988247007000000105"),
            ("GET", "/statement?from=2026-11-22T00:00:00Z&until=2026-11-23T00:00:00Z"),
        ] {
            let url = carrier.address(path);
            let request = Request::new(method, &url).header("Authorization", secret);
            let told = request.json(&body(5)).send().expect("the carrier").expect(401).json();
            assert_eq!(told.get("delivered"), None, "{method} {path}");
        }
    }
    assert_eq!(carrier.given(), Vec::<Value>::new());
}

#[test]
fn the_statement_has_every_top_up_once_on_every_page_and_does_not_change() {
    let (place, mut carrier) = carrier("pages");
    let keys: Vec<String> = (0..205).map(|number| format!("k{number}")).collect();
    for key in &keys {
        top_up(&carrier, key, &body(1)).expect(200);
    }
    let listed = |rows: &[Value]| -> Vec<String> {
        rows.iter().map(|row| row["key"].as_str().unwrap_or_default().to_owned()).collect()
    };
    let all = carrier.given();
    assert_eq!(listed(&all), keys);
    let (from, until) = (all[10]["delivered_at"].clone(), all[20]["delivered_at"].clone());
    let (from, until) = (from.as_str().expect("from"), until.as_str().expect("until"));
    let path = format!("/statement?from={from}&until={until}");
    let part = get(&carrier, &path).expect(200).json();
    assert_eq!((part["from"].as_str(), part["until"].as_str()), (Some(from), Some(until)));
    let rows = part["top_ups"].as_array().expect("rows").clone();
    assert_eq!(listed(&rows), keys[10..20], "from on, and not until");
    carrier.restart(&place);
    top_up(&carrier, "later", &body(1)).expect(200);
    assert_eq!(get(&carrier, &path).expect(200).json(), part);
    let future = "/statement?from=2026-01-01T00:00:00Z&until=9999-01-01T00:00:00Z";
    let told = get(&carrier, future).expect(200).json();
    assert!(told["until"].as_str() < Some("9999"), "of the future nothing is promised");
}
