//! A rule over the API: what is shown before it is saved is what is saved, and what it then does.

use laika_core::ENGINE_VERSION;
use laika_core::api::{RechargeNow, RuleView, SaveRule};
use laika_core::decide::Decision;
use laika_core::draft::validate;
use laika_core::forecast::preview;
use laika_core::recharge::Status;
use laika_tests::support::customer::{Customer, read};
use laika_tests::support::http::{Answer, Request};
use laika_tests::support::laika::{Place, Process};
use serde_json::{Value, json};

use super::world::place;

const CARD: &str = "4242424242424242";

/// A server with one customer who has a card.
fn customer(name: &str) -> (Place, Process, Customer) {
    let (place, _) = place(name, false);
    let server = place.start(&["serve"]);
    let customer = Customer::register(&server.origin, 1);
    customer.add_card(CARD);
    (place, server, customer)
}

/// What the provider itself says it took and kept.
fn charges(customer: &Customer) -> Vec<Value> {
    let url = format!("{}/charges", customer.provider());
    let all = Request::new("GET", &url).send().expect("the provider");
    let all = all.expect(200).json();
    let kept = |it: &&Value| it["captured_minor"].as_u64() > it["refunded_minor"].as_u64();
    all["charges"].as_array().expect("a list").iter().filter(kept).cloned().collect()
}

fn problem(answer: &Answer) -> (u16, String) {
    (answer.status, answer.json()["code"].as_str().unwrap_or_default().to_owned())
}

#[test]
fn a_rule_saved_below_its_threshold_fires_at_once_and_the_preview_said_so() {
    let (_place, _server, customer) = customer("at-once");
    customer.use_data(9_500_000_000);
    let mut shown = None;
    let saved = customer.save_newest(|inputs| {
        let rule = Customer::rule_to_save(inputs, |_| ());
        let valid = validate(&rule.draft, &inputs.account, inputs.as_of).expect("a valid draft");
        shown = Some(preview(&valid, inputs).at_once);
        rule
    });
    let Some(Decision::Recharge { order }) = shown else { panic!("the preview said {shown:?}") };

    let saved: RuleView = read(&saved.expect(200));
    assert!(charges(&customer).is_empty(), "nothing is charged before it is on");
    customer.turn_on(saved);
    let done = customer.recharges_done(1);
    assert_eq!(done[0].recharge.order.amount, order.amount);
    let charges = charges(&customer);
    assert_eq!(charges.len(), 1, "{charges:?}");
    assert_eq!(charges[0]["captured_minor"], json!(order.amount.amount_minor));
}

#[test]
fn crossing_the_threshold_charges_once_and_off_means_off() {
    let (_place, _server, customer) = customer("cross");
    customer.turn_on_rule(|_| ());
    customer.use_data(5_000_000_000);
    assert!(customer.recharges().expect("an answer").is_empty(), "well above the threshold");
    customer.use_data(4_500_000_000);
    customer.recharges_done(1);
    let off = customer.post(&customer.of_line("rule/off"), &()).expect(200).json();
    assert_eq!(off["already_submitted"], json!([]));
    customer.let_pass(std::time::Duration::from_secs(3_600));
    customer.use_data(60_000_000_000);
    assert_eq!(customer.recharges().expect("an answer").len(), 1, "nothing more after off");
    assert_eq!(charges(&customer).len(), 1);
}

#[test]
fn a_rule_is_saved_once_per_key() {
    let (_place, _server, customer) = customer("key");
    let mut saved = None;
    let first =
        customer.save_newest(|inputs| saved.insert(Customer::rule_to_save(inputs, |_| ())).clone());
    let first: RuleView = read(&first.expect(200));
    let saved = saved.expect("a rule that was saved");
    let again = customer.save(&saved, &format!("save-{}", saved.state_version));
    let again: RuleView = read(&again.expect(200));
    let version = |view: &RuleView| view.rule.as_ref().map(|rule| rule.version);
    assert_eq!(version(&first), version(&again));
    assert_eq!(again.changes.len(), first.changes.len());
}

#[test]
fn a_preview_of_another_state_or_another_result_is_not_saved() {
    let (_place, _server, customer) = customer("stale");
    let mut shown = None;
    let other = customer.save_newest(|inputs| {
        let rule = Customer::rule_to_save(inputs, |_| ());
        shown.replace(rule.clone());
        SaveRule { preview_sha256: "0".repeat(64), ..rule }
    });
    assert_eq!(problem(&other), (409, "preview_mismatch".to_owned()));
    assert_eq!(versions(&other), (ENGINE_VERSION.to_owned(), ENGINE_VERSION.to_owned()));
    let older = customer.save_newest(|inputs| {
        let rule = Customer::rule_to_save(inputs, |_| ());
        SaveRule { engine_version: "0.0.1".to_owned(), ..rule }
    });
    assert_eq!(problem(&older), (409, "preview_mismatch".to_owned()), "the app of before");
    assert_eq!(versions(&older), (ENGINE_VERSION.to_owned(), "0.0.1".to_owned()));
    customer.use_data(1_000_000);
    let shown = shown.expect("a rule that was shown");
    assert_eq!(problem(&customer.save(&shown, "stale")), (409, "preview_stale".to_owned()));
    let saved: RuleView = read(&customer.get(&customer.of_line("rule")).expect(200));
    assert_eq!(saved.rule, None);
    customer.save_newest(|inputs| Customer::rule_to_save(inputs, |_| ())).expect(200);
}

/// The version of the server's rules and of those that the browser said it had.
fn versions(refused: &Answer) -> (String, String) {
    let said = refused.json();
    let text = |name: &str| said[name].as_str().unwrap_or_default().to_owned();
    (text("engine_version"), text("your_engine_version"))
}

#[test]
fn every_error_of_a_draft_comes_at_once() {
    let (_place, _server, customer) = customer("errors");
    let answer = customer.save_newest(|inputs| {
        let mut rule = Customer::rule_to_save(inputs, |_| ());
        rule.draft.amount = "much".to_owned();
        rule.draft.cap_per_month = String::new();
        rule.draft.alert_threshold = "-1".to_owned();
        rule
    });
    let answer = answer.expect(422);
    let fields: Vec<Value> =
        answer.json()["errors"].as_array().expect("errors").iter().map(field).collect();
    assert_eq!(fields, ["amount", "cap_per_month", "alert_threshold"], "{}", answer.text());
}

fn field(error: &Value) -> Value {
    error["field"].clone()
}

#[test]
fn a_double_tap_is_one_charge() {
    let (_place, _server, customer) = customer("tap");
    let methods = customer.get("/payment-methods").expect(200).json();
    let step = customer.line.terms.step.expect("a step to buy");
    let now = RechargeNow {
        steps: 1,
        amount: step.price,
        payment_method_id: serde_json::from_value(methods[0]["id"].clone()).expect("an id"),
    };
    let body = serde_json::to_value(&now).expect("JSON");
    let tap = || {
        let request = customer.request("POST", &customer.of_line("recharges"));
        request.header("Idempotency-Key", "tap").json(&body).send().expect("an answer")
    };
    let both = std::thread::scope(|scope| {
        let taps = [scope.spawn(tap), scope.spawn(tap)];
        taps.map(|tap| tap.join().expect("a tap"))
    });
    assert!(both.iter().all(|answer| answer.status < 300), "{both:?}");
    let done = customer.recharges_done(1);
    assert_eq!(done.len(), 1);
    assert_eq!(done[0].recharge.status, Status::Done);
    assert_eq!(charges(&customer).len(), 1);
}

#[test]
fn no_card_number_is_kept_anywhere() {
    let (place, server, customer) = customer("card");
    customer.turn_on_rule(|_| ());
    customer.use_data(9_500_000_000);
    customer.recharges_done(1);
    assert_eq!(server.stop(), Some(0));
    let files = std::fs::read_dir(place.folder.path()).expect("the server's folder");
    let mut looked_at = 0;
    for file in files.flatten() {
        let bytes = std::fs::read(file.path()).expect("a file");
        looked_at += bytes.len();
        let found = bytes.windows(CARD.len()).any(|it| it == CARD.as_bytes());
        assert!(!found, "the card's number is in {}", file.path().display());
    }
    assert!(looked_at > 10_000, "there was nothing to look at");
}
