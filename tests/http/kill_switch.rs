//! `laika kill-switch` beside a running server, on both databases.

use std::time::Duration;

use laika_core::api::{LookView, NextCharge, RechargeNow};
use laika_core::recharge::Status;
use laika_tests::support::customer::{Customer, read};
use laika_tests::support::laika::Place;
use laika_tests::support::wait;
use serde_json::{Value, json};

use super::world::place;

const CARD: &str = "4242424242424242";

/// Runs `laika kill-switch`, and gives its answer.
fn switch(place: &Place, args: &[&str]) -> Vec<Value> {
    place.run(&[&["kill-switch"], args, &["--json"]].concat()).expect(0).json_lines()
}

/// The codes of why a line was not charged.
fn reasons(customer: &Customer) -> Vec<String> {
    let looks = customer.get(&customer.of_line("looks")).expect(200);
    let reason = |look: LookView| Some(look.record.decision.reason()?.code().to_owned());
    read::<Vec<LookView>>(&looks).into_iter().filter_map(reason).collect()
}

/// What buying one step by hand answers.
fn buy(customer: &Customer, key: &str) -> (u16, Value) {
    let methods = customer.get("/payment-methods").expect(200).json();
    let now = RechargeNow {
        steps: 1,
        amount: customer.line.terms.step.expect("a step to buy").price,
        payment_method_id: serde_json::from_value(methods[0]["id"].clone()).expect("an id"),
    };
    let request = customer.request("POST", &customer.of_line("recharges"));
    let request = request.header("Idempotency-Key", key);
    let answer = request.json(&serde_json::to_value(&now).expect("JSON")).send();
    let answer = answer.expect("the server is there");
    (answer.status, answer.json()["code"].clone())
}

fn stops_everything_until_it_is_off(on_postgres: bool) {
    let (mut place, _database) = place("switch", on_postgres);
    place.set("USER", "ana");
    let server = place.start(&["serve"]);
    let customer = Customer::register(&server.origin, 1);
    customer.add_card(CARD);
    customer.turn_on_rule(|_| ());
    let on = switch(&place, &["on", "--why", "wrong amounts"]);
    assert_eq!((&on[0]["changed"], &on[0]["already_submitted"]), (&json!(true), &json!([])));

    customer.use_data(9_500_000_000);
    assert!(reasons(&customer).contains(&"stopped_by_operator".to_owned()), "it was low");
    assert_eq!(buy(&customer, "by-hand"), (409, json!("stopped_by_operator")));
    assert!(customer.recharges().expect("an answer").is_empty());

    place.set("LAIKA_LISTEN", server.listen());
    assert_eq!(server.stop(), Some(0));
    let _server = place.start(&["serve"]);
    customer.let_pass(Duration::from_secs(7 * 3_600));
    assert_eq!(buy(&customer, "after-a-restart"), (409, json!("stopped_by_operator")));
    let shown = switch(&place, &[]);
    let said = (&shown[0]["on"], &shown[0]["operator"], &shown[0]["why"]);
    assert_eq!(said, (&json!(true), &json!("ana"), &json!("wrong amounts")));

    assert_eq!(switch(&place, &["off"])[0]["changed"], json!(true));
    assert_eq!(customer.recharges_done(1).len(), 1, "the rule is looked at again at once");
    let history = switch(&place, &["--history"]);
    let what: Vec<_> = history.iter().map(|entry| entry["what"].clone()).collect();
    assert_eq!(what, ["kill_switch_on", "kill_switch_off"]);
    place.run(&["audit", "--json"]).expect(0);
}

#[test]
fn it_stops_everything_until_it_is_off_on_sqlite() {
    stops_everything_until_it_is_off(false);
}

#[test]
fn it_stops_everything_until_it_is_off_on_postgres() {
    stops_everything_until_it_is_off(true);
}

#[test]
fn one_line_is_stopped_by_its_iccid_and_no_other() {
    let (place, _) = place("switch-line", false);
    let server = place.start(&["serve"]);
    let customers = [1, 2].map(|number| Customer::register(&server.origin, number));
    let iccid = customers[0].line.iccid.as_str();
    let on = switch(&place, &["on", "--line", iccid]);
    assert_eq!((&on[0]["changed"], &on[0]["lines"]), (&json!(true), &json!(1)));
    for customer in &customers {
        customer.add_card(CARD);
        customer.turn_on_rule(|_| ());
        customer.use_data(9_500_000_000);
    }
    customers[1].recharges_done(1);
    assert!(reasons(&customers[0]).contains(&"stopped_by_operator".to_owned()), "it was low");
    assert!(customers[0].recharges().expect("an answer").is_empty());
    let shown = switch(&place, &[]);
    let id = customers[0].line.id.as_str();
    assert_eq!((&shown[0]["on"], &shown[1]["line_id"]), (&json!(false), &json!(id)));
    switch(&place, &["off", "--line", id]);
    customers[0].recharges_done(1);
    let history = switch(&place, &["--history"]);
    let done: Vec<_> = history.iter().map(|it| (&it["what"], &it["subject"])).collect();
    let (on, off, line) = (json!("kill_switch_on"), json!("kill_switch_off"), json!(id));
    assert_eq!(done, [(&on, &line), (&off, &line)], "the log of what operators did");
    let none = place.run(&["kill-switch", "on", "--line", "line_of_nobody"]).expect(1);
    assert!(none.stderr.contains("line_of_nobody"), "{}", none.stderr);
}

#[test]
fn a_preview_from_before_is_stale() {
    let (place, _) = place("switch-stale", false);
    let server = place.start(&["serve"]);
    let customer = Customer::register(&server.origin, 1);
    customer.add_card(CARD);
    for args in [&["on"][..], &["off"], &["on", "--line", customer.line.id.as_str()]] {
        let shown = Customer::rule_to_save(&customer.preview_inputs(), |_| ());
        switch(&place, args);
        let answer = customer.save(&shown, &format!("save-{}", shown.state_version)).expect(409);
        assert_eq!(answer.json()["code"], json!("preview_stale"), "{args:?}");
    }
    let inputs = customer.preview_inputs();
    assert!(inputs.account.stopped_by_operator, "the preview says so too");
}

#[test]
fn what_is_unknown_is_named_and_ends_while_it_is_on() {
    let (place, _) = place("switch-unknown", false);
    let server = place.start(&["serve"]);
    let customer = Customer::register(&server.origin, 1);
    customer.add_card(CARD);
    customer.turn_on_rule(|_| ());
    customer.next_charge(NextCharge::AnswerLostAfterCharge);
    customer.use_data(9_500_000_000);
    let id = wait::until("nobody knows what became of it", Duration::from_secs(30), || {
        let all = customer.recharges().expect("an answer");
        let unknown = all.iter().find(|view| view.recharge.status == Status::Unknown);
        unknown.map(|view| view.recharge.id.clone())
    });
    let on = switch(&place, &["on"]);
    assert_eq!(on[0]["already_submitted"], json!([id]));
    customer.let_pass(Duration::from_secs(120));
    customer.recharges_done(1);
    let rule: Value = read(&customer.get(&customer.of_line("rule")).expect(200));
    assert_eq!(rule["rule"]["on"], json!(true), "the customer's rule is as it was");
}
