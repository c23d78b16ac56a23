//! `laika recharges`, `laika recharge` and `laika jobs` beside a running server.

use std::time::Duration;

use laika_core::api::NextCharge;
use laika_tests::support::customer::Customer;
use laika_tests::support::laika::Place;
use laika_tests::support::wait;
use serde_json::{Value, json};

use super::world::place;

const CARD: &str = "4242424242424242";

fn json(place: &Place, args: &[&str]) -> Vec<Value> {
    place.run(&[args, &["--json"]].concat()).expect(0).json_lines()
}

/// The ids in a list.
fn ids(list: &[Value]) -> Vec<&str> {
    list.iter().filter_map(|row| row["id"].as_str()).collect()
}

/// A customer whose rule is on.
fn customer(origin: &str, number: u32) -> Customer {
    let customer = Customer::register(origin, number);
    customer.add_card(CARD);
    customer.turn_on_rule(|_| ());
    customer
}

fn lists_and_tells(on_postgres: bool) {
    let (place, _database) = place("operating", on_postgres);
    let server = place.start(&["serve"]);
    let (first, second) = (customer(&server.origin, 1), customer(&server.origin, 2));
    assert!(json(&place, &["recharges"]).is_empty());
    first.use_data(9_500_000_000);
    first.recharges_done(1);
    second.next_charge(NextCharge::AnswerLostAfterCharge);
    second.use_data(9_500_000_000);
    let unknown = wait::until("one is unknown", Duration::from_secs(30), || {
        json(&place, &["recharges", "--unknown"]).into_iter().next()
    });
    let mut all = json(&place, &["recharges"]);
    all.sort_by_key(|row| row["status"].to_string());
    let done = all[0]["id"].as_str().expect("an id").to_owned();
    assert_eq!((all.len(), &all[0]["status"], &all[1]), (2, &json!("done"), &unknown));
    assert_eq!(ids(&json(&place, &["recharges", "--open"])), ids(std::slice::from_ref(&unknown)));
    for line in [first.line.id.as_str(), first.line.iccid.as_str()] {
        assert_eq!(ids(&json(&place, &["recharges", "--line", line])), [done.as_str()]);
    }
    assert_eq!(json(&place, &["recharges", "--line", first.line.id.as_str(), "--open"]).len(), 0);

    let whole = &json(&place, &["recharge", &done])[0];
    let attempt = &whole["recharge"]["attempts"][0];
    assert_eq!(attempt["outcome"]["kind"], json!("captured"));
    let facts: Vec<_> = whole["recharge"]["facts"].as_array().expect("facts").iter().collect();
    let kinds: Vec<_> = facts.iter().map(|seen| seen["fact"]["kind"].clone()).collect();
    assert_eq!(kinds, ["submitted", "captured", "delivered"]);
    assert_eq!(whole["record"]["decision"]["decision"], json!("recharge"));
    let entries = whole["entries"].as_array().expect("entries");
    let sum = |unit: &str| -> i64 {
        let of = entries.iter().filter(|entry| entry["unit"] == unit);
        of.filter_map(|entry| entry["amount"].as_i64()).sum()
    };
    assert!(entries.len() >= 4, "{entries:?}");
    assert_eq!((sum("EUR"), sum("byte")), (0, 0), "each transaction sums to zero");
    // Why one may be left: a look-up for the case that no answer comes goes only when it is due.
    let left = whole["jobs"].as_array().expect("jobs");
    let looks_up = |job: &Value| job["work"]["effect"]["kind"] == "look_up_payment";
    assert!(left.iter().all(looks_up), "nothing else is left to do: {left:?}");
    let id = unknown["id"].as_str().expect("an id");
    let jobs = &json(&place, &["recharge", id])[0]["jobs"];
    assert_eq!(jobs[0]["work"]["effect"]["kind"], json!("look_up_payment"), "{jobs}");

    let told = place.run(&["recharge", &done]).expect(0).stdout;
    for words in ["EUR 15.00 for 5 GB", "attempts", "captured", "line_data", "5000000000 byte"] {
        assert!(told.contains(words), "{words} is not in\n{told}");
    }
    assert!(place.run(&["recharges"]).expect(0).stdout.contains(&done));
    for nobody in ["line_x-r1", "nothing"] {
        assert!(place.run(&["recharge", nobody]).expect(1).stderr.contains(nobody));
    }
}

#[test]
fn recharges_are_listed_and_told_on_sqlite() {
    lists_and_tells(false);
}

#[test]
fn recharges_are_listed_and_told_on_postgres() {
    lists_and_tells(true);
}

/// Stops the sandbox that serves both sides, so that nothing outside answers.
fn retries_what_failed(on_postgres: bool) {
    let (mut place, _database) = place("jobs", on_postgres);
    let sandbox = place.start(&["sandbox"]);
    let listen = sandbox.listen().to_owned();
    place.set("LAIKA_SANDBOX_LISTEN", &listen);
    let server = place.start(&["serve"]);
    let at = server.listen().to_owned();
    let customer = customer(&server.origin, 1);
    let timer = json(&place, &["jobs"]);
    assert_eq!((timer.len(), &timer[0]["work"]["kind"]), (1, &json!("evaluate")), "{timer:?}");
    let key = timer[0]["key"].as_str().expect("a key");
    let waits = place.run(&["jobs", "retry", key]).expect(1).stderr;
    assert!(waits.contains("nothing failed"), "{waits}");
    assert!(json(&place, &["jobs", "--failed"]).is_empty());

    sandbox.kill();
    customer.use_data(9_500_000_000);
    let failed = wait::until("a charge reached nobody", Duration::from_secs(30), || {
        json(&place, &["jobs", "--failed"]).into_iter().next()
    });
    let key = failed["key"].as_str().expect("a key");
    assert!(key.ends_with("/charge/1"), "{key}");
    server.kill();
    let _sandbox = place.start(&["sandbox"]);
    place.run(&["jobs", "retry", key]).expect(0);
    let due = json(&place, &["jobs", "--due"]);
    assert!(due.iter().any(|job| job["key"] == *key && job["attempts"] == 0), "{due:?}");
    let done = json(&place, &["kill-switch", "--history"]);
    assert_eq!((&done[0]["what"], &done[0]["subject"]), (&json!("job_retried"), &json!(key)));
    assert_eq!(place.run(&["jobs", "retry", "no-such-job"]).expect(1).stdout, "");

    place.set("LAIKA_LISTEN", &at);
    let _server = place.start(&["serve"]);
    customer.recharges_done(1);
    assert!(json(&place, &["jobs", "--failed"]).is_empty());
    let told = place.run(&["jobs"]).expect(0).stdout;
    assert!(told.contains("/evaluate  due "), "{told}");
}

#[test]
fn what_failed_is_named_and_tried_again_on_sqlite() {
    retries_what_failed(false);
}

#[test]
fn what_failed_is_named_and_tried_again_on_postgres() {
    retries_what_failed(true);
}
