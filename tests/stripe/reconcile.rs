//! `laika reconcile` against Stripe's statement: what is whole is found whole, whoever else uses
//! the account; a refund in the dashboard is heard of; what nothing explains waits for a person.

use std::time::Duration;

use laika_core::api::ReturnedAs;
use laika_tests::support::laika::Process;
use laika_tests::support::stripe::Stripe;
use serde_json::{Value, json};

use super::{CARD, World, place};

/// A day, and an hour.
const OLD: Duration = Duration::from_secs(25 * 3_600);
/// What somebody gives back in the dashboard.
const BACK_MINOR: i64 = 500;

/// A recharge that was paid for, and the sandbox's carrier as a process of its own, which a command
/// finds too.
struct Books {
    world: World,
    _sandbox: Process,
}

impl Books {
    fn new(name: &str) -> Books {
        let stripe = Stripe::start();
        let mut place = place(name, &stripe);
        let sandbox = place.start(&["sandbox"]);
        place.set("LAIKA_SANDBOX_LISTEN", sandbox.listen());
        let world = World::begin(stripe, place);
        world.run_dry(CARD);
        world.is_charged_once();
        Books { world, _sandbox: sandbox }
    }

    /// At Stripe first: no recharge is ever older than its payment.
    fn a_day_passes(&self) {
        self.world.stripe.let_pass(OLD);
        self.world.customer.let_pass(OLD);
    }

    fn lines(&self, args: &[&str]) -> Vec<Value> {
        self.world.place.run(&[args, &["--json"]].concat()).expect(0).json_lines()
    }

    fn reconcile(&self, code: i32) -> Value {
        self.world.place.run(&["reconcile", "--json"]).expect(code).json_lines().remove(0)
    }
}

#[test]
fn after_a_recharge_stripe_the_carrier_and_the_books_agree() {
    let books = Books::new("agree");
    let stripe = &books.world.stripe;
    let young = books.reconcile(0);
    assert_eq!((&young["checked"]["open"], &young["checked"]["recharges"]), (&1.into(), &0.into()));
    let ours = stripe.payments().remove(0);
    stripe.pay_beside(&ours, &[("order", "77")]);
    books.a_day_passes();
    let found = books.reconcile(0);
    let checked = &found["checked"];
    for (what, number) in [("recharges", 1), ("open", 0), ("payments", 1), ("top_ups", 1)] {
        assert_eq!(checked[what], number, "{what}: {found}");
    }
    let price = &ours["amount"];
    let sums = json!([{
        "currency": "EUR",
        "expected_minor": price,
        "charged_minor": price,
        "refunded_minor": 0,
        "disputed_minor": 0,
        "credited_minor": 0,
    }]);
    assert_eq!(checked["sums"], sums, "{found}");
    assert_eq!((&found["new"], &found["unsettled"]), (&0.into(), &json!([])));
    let cases = books.lines(&["cases", "--all"]);
    assert!(cases.is_empty(), "another system's payment is none: {cases:?}");
}

#[test]
fn a_refund_in_the_dashboard_is_heard_and_what_nothing_explains_waits_for_a_person() {
    let books = Books::new("differ");
    let world = &books.world;
    let ours = world.stripe.payments().remove(0);
    let recharge = ours["metadata"]["recharge_id"].as_str().expect("ours").to_owned();
    let account = ours["metadata"]["account_id"].as_str().expect("ours").to_owned();
    world.stripe.refund_in_dashboard(&ours, BACK_MINOR);
    let metadata = [
        ("account_id", account.as_str()),
        ("recharge_id", "line_lost-r9"),
        ("attempt", "1"),
        ("key", "line_lost-r9-a1"),
    ];
    let lost = world.stripe.pay_beside(&ours, &metadata);
    books.a_day_passes();

    let found = books.reconcile(1);
    let unsettled = found["unsettled"].as_array().expect("a list");
    let [case] = unsettled.as_slice() else { panic!("one case: {found}") };
    assert_eq!((&case["kind"], &case["payment"]), (&"unknown".into(), &lost.as_str().into()));
    let id = case["id"].as_str().expect("a name");
    let shown = books.lines(&["case", id]).remove(0);
    assert_eq!(shown["evidence"]["payments"][0]["id"], lost);
    let all = books.lines(&["cases", "--all"]);
    let refunded: Vec<_> = all.iter().filter(|case| case["kind"] == "missing_charge").collect();
    let [refunded] = refunded.as_slice() else { panic!("one more: {all:?}") };
    assert_eq!((all.len(), &refunded["status"]), (2, &"settled".into()));
    assert_eq!((&refunded["recharge_id"], &refunded["payment"]), (&recharge.into(), &ours["id"]));

    let view = world.customer.recharges().expect("the server is there").remove(0);
    let [back] = view.returned.as_slice() else { panic!("one refund: {:?}", view.returned) };
    assert_eq!((back.what, back.amount.amount_minor), (ReturnedAs::Refunded, BACK_MINOR));
    let kept = view.check.charged.map(|money| money.amount_minor);
    assert_eq!(kept, Some(view.recharge.order.amount.amount_minor - BACK_MINOR));
    world.books_agree();

    // Looked at once more it is the same, and nothing is asked for twice.
    world.place.run(&["case", id, "close", "--why", "given back at Stripe"]).expect(0);
    books.a_day_passes();
    let again = books.reconcile(0);
    assert_eq!((&again["new"], &again["unsettled"]), (&0.into(), &json!([])), "{again}");
    assert_eq!(books.lines(&["cases", "--all"]).len(), 2);
    let checked = &again["checked"]["sums"][0];
    assert_eq!(checked["refunded_minor"], BACK_MINOR, "{again}");
    assert_eq!(world.stripe.charges(), 1);
}
