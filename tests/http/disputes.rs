//! A charge is disputed at the bank: from the provider's webhook to what the customer sees.

use std::time::Duration;

use laika_core::api::{RechargeView, ReturnedAs};
use laika_tests::support::customer::Customer;
use laika_tests::support::provider;
use laika_tests::support::wait;
use serde_json::{Value, json};

use super::world::place;

const CARD: &str = "4242424242424242";
/// A webhook takes moments; without it the list would tell within two minutes.
const SOON: Duration = Duration::from_secs(30);

fn ask(sandbox: &str, method: &str, path: &str, body: &Value) -> Value {
    let request = provider::request(sandbox, method, path);
    request.json(body).send().expect("the provider").expect(200).json()
}

/// The customer's only recharge, once its last line says so.
fn once(customer: &Customer, what: ReturnedAs) -> RechargeView {
    wait::until(&format!("it is {what:?}"), SOON, || {
        let mut all = customer.recharges().expect("the server is there");
        let view = all.pop()?;
        view.returned.last().is_some_and(|line| line.what == what).then_some(view)
    })
}

fn is_seen(on_postgres: bool) {
    let (mut place, _database) = place("disputes", on_postgres);
    let sandbox = place.start(&["sandbox"]);
    place.set("LAIKA_SANDBOX_LISTEN", sandbox.listen());
    let server = place.start(&["serve"]);
    let customer = Customer::register(&server.origin, 1);
    customer.add_card(CARD);
    customer.turn_on_rule(|_| ());
    customer.use_data(9_500_000_000);
    let done = customer.recharges_done(1).remove(0);
    let price = done.recharge.order.amount;
    let list = format!("/payments?recharge_id={}", done.recharge.id);
    let payment = ask(&sandbox.origin, "GET", &list, &json!({}))["payments"][0]["id"].clone();
    let path = format!("/payments/{}/disputes", payment.as_str().expect("an id"));
    let disputed = ask(&sandbox.origin, "POST", &path, &json!({}));

    let view = once(&customer, ReturnedAs::Disputed);
    assert_eq!((view.returned[0].amount, view.check.charged), (price, None), "the bank has it");
    let told = |words: &str| customer.outbox().iter().any(|it| it.body.contains(words));
    assert!(told("A charge is disputed at your bank"));
    let status = customer.get(&customer.of_line("rule")).expect(200).json()["status"].clone();
    assert!(status["as_if_due"].to_string().contains("disputed"), "the rule waits: {status}");

    let dispute = disputed["disputes"][0]["id"].as_str().expect("an id").to_owned();
    let path = format!("/disputes/{dispute}/decision");
    ask(&sandbox.origin, "PUT", &path, &json!({ "won": true }));
    let view = once(&customer, ReturnedAs::DisputeWon);
    assert_eq!((view.returned.len(), view.check.charged), (1, Some(price)));
    assert!(told("no longer holds up automatic recharges"));
    let id = done.recharge.id.as_str();
    let whole = place.run(&["recharge", id, "--json"]).expect(0).json_lines();
    assert_eq!(whole[0]["returns"][0]["disputes"][0]["status"], "won");
    let keys = whole[0]["entries"].as_array().expect("entries").iter();
    let keys: Vec<_> = keys.filter_map(|entry| entry["tx_key"].as_str()).collect();
    assert!(keys.contains(&format!("{id}/returns/1/2").as_str()), "{keys:?}");
    place.run(&["audit", "--json"]).expect(0);
}

#[test]
fn a_dispute_is_seen_and_holds_the_rule_until_it_is_decided_on_sqlite() {
    is_seen(false);
}

#[test]
fn a_dispute_is_seen_and_holds_the_rule_until_it_is_decided_on_postgres() {
    is_seen(true);
}
