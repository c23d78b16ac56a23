//! `laika reconcile`, `laika cases` and `laika case` from outside: what is whole is found whole,
//! what was charged twice goes back once, and what nothing explains waits for a person.

use std::time::Duration;

use laika_tests::support::customer::Customer;
use laika_tests::support::laika::Place;
use laika_tests::support::provider;
use laika_tests::support::wait;
use serde_json::{Value, json};

use super::world::{place, with_lines};

const CARD: &str = "4242424242424242";
const DOCS: &str = include_str!("../../docs/cli.md");
/// A day, and an hour.
const OLD: Duration = Duration::from_secs(25 * 3_600);

fn lines(place: &Place, args: &[&str]) -> Vec<Value> {
    place.run(&[args, &["--json"]].concat()).expect(0).json_lines()
}

/// Every payment of a recharge.
fn payments(sandbox: &str, recharge: &str) -> Vec<Value> {
    let path = format!("/payments?recharge_id={recharge}");
    let answer = provider::request(sandbox, "GET", &path).send().expect("the provider").expect(200);
    answer.json()["payments"].as_array().expect("a list").clone()
}

/// Charges the same again at the provider, past all of our own code.
fn charge_again(sandbox: &str, payment: &Value, recharge: &str) {
    let mut metadata = payment["metadata"].clone();
    metadata["recharge_id"] = json!(recharge);
    let body = json!({
        "customer": payment["customer"],
        "payment_method": payment["payment_method"],
        "amount_minor": payment["amount_minor"],
        "currency": payment["currency"],
        "return_url": payment["return_url"],
        "metadata": metadata,
    });
    let key = format!("{recharge}-a1");
    let request = provider::request(sandbox, "POST", "/payments").header("Idempotency-Key", &key);
    request.json(&body).send().expect("the provider").expect(200);
}

/// The example in the documentation, with the times of this run.
fn as_documented(answer: &Value) -> Value {
    let section = DOCS.split("\n## ").find(|section| section.starts_with("laika reconcile"));
    let example = section.and_then(|section| section.split_once("```json out\n"));
    let example = example.and_then(|(_, rest)| rest.split_once("```")).map(|(text, _)| text);
    let mut example: Value = serde_json::from_str(example.expect("an example")).expect("JSON");
    for name in ["as_of", "window"] {
        example[name] = answer[name].clone();
    }
    example
}

fn finds_and_settles(on_postgres: bool) {
    let (mut place, _database) = place("reconcile", on_postgres);
    let sandbox = place.start(&["sandbox"]);
    place.set("LAIKA_SANDBOX_LISTEN", sandbox.listen());
    place.set("USER", "ana");
    let server = place.start(&["serve"]);
    let customer = Customer::register(&server.origin, 1);
    customer.add_card(CARD);
    customer.turn_on_rule(|_| ());
    customer.use_data(9_500_000_000);
    let recharge = customer.recharges_done(1)[0].recharge.id.to_string();
    customer.let_pass(OLD);
    let whole = &lines(&place, &["reconcile"])[0];
    assert_eq!(whole, &as_documented(whole));

    // Nobody looks while the provider, which has forgotten the key, charges again.
    let at = server.listen().to_owned();
    server.kill();
    let first = payments(&sandbox.origin, &recharge)[0].clone();
    charge_again(&sandbox.origin, &first, &recharge);
    charge_again(&sandbox.origin, &first, "line_lost-r9");
    place.set("LAIKA_LISTEN", &at);
    let server = place.start(&["serve"]);
    customer.let_pass(OLD);
    drop(server);
    let ran = place.run(&["reconcile", "--json"]).expect(1).json_lines();
    let unsettled = ran[0]["unsettled"].as_array().expect("a list");
    let mut kinds: Vec<_> = unsettled.iter().map(|case| case["kind"].as_str()).collect();
    kinds.sort_unstable();
    assert!(kinds.contains(&Some("unknown")), "{ran:?}");

    let _server = place.start(&["serve"]);
    wait::until("what was charged twice is back", Duration::from_secs(60), || {
        let back = |payment: &Value| payment["refunds"].as_array().map_or(0, Vec::len);
        let paid = payments(&sandbox.origin, &recharge);
        (paid.iter().map(back).collect::<Vec<_>>() == [0, 1]).then_some(())
    });
    let unknown = unsettled.iter().find(|case| case["kind"] == "unknown").expect("a case");
    let id = unknown["id"].as_str().expect("an id");
    let shown = &lines(&place, &["case", id])[0];
    assert_eq!(shown["evidence"]["payments"][0]["id"], unknown["payment"]);
    assert_eq!(shown["status"], "open");
    let said = place.run(&["cases"]).expect(0).stdout;
    assert!(said.contains(id) && said.contains("nothing on record explains it"), "{said}");
    place.run(&["case", id, "close", "--why", "given back at the provider"]).expect(0);
    let again = place.run(&["case", id, "close", "--why", "again"]).expect(1).stderr;
    assert!(again.contains("it is closed"), "{again}");
    let history = lines(&place, &["kill-switch", "--history"]);
    let entry = history.iter().find(|entry| entry["subject"] == id).expect("an entry");
    let done = (&entry["what"], &entry["operator"], &entry["why"]);
    assert_eq!(done, (&json!("case_closed"), &json!("ana"), &json!("given back at the provider")));
    assert!(lines(&place, &["cases"]).is_empty(), "all is settled");
    assert_eq!(lines(&place, &["reconcile"])[0]["unsettled"], json!([]));
    place.run(&["audit", "--json"]).expect(0);
    assert!(place.run(&["case", "case_none"]).expect(1).stderr.contains("case_none"));
}

#[test]
fn what_was_charged_twice_goes_back_and_what_nothing_explains_waits_on_sqlite() {
    finds_and_settles(false);
}

#[test]
fn what_was_charged_twice_goes_back_and_what_nothing_explains_waits_on_postgres() {
    finds_and_settles(true);
}

#[test]
fn without_a_statement_nothing_is_concluded() {
    let (mut place, _) = with_lines("reconcile-none", false);
    let sandbox = place.start(&["sandbox"]);
    place.set("LAIKA_SANDBOX_LISTEN", sandbox.listen());
    place.run(&["reconcile", "--json"]).expect(0);
    sandbox.kill();
    let ran = place.run(&["reconcile", "--json"]).expect(1);
    assert!(ran.stdout.is_empty() && ran.stderr.contains("no sandbox answers"), "{ran:?}");
}
