//! Payments by Stripe and deliveries by a carrier: then there is no sandbox, and none of its tools.

use std::time::Duration;

use laika_core::api::{NextCharge, SandboxTime, SandboxUsage, ScriptedCharge};
use laika_core::bytes::Bytes;
use laika_tests::support::carrier::{Carrier, SECRET};
use laika_tests::support::customer::Customer;
use laika_tests::support::http::Request;
use laika_tests::support::laika::Place;
use laika_tests::support::stripe::{KEY, Stripe, WEBHOOK_SECRET};
use laika_tests::support::{usage, wait};
use serde_json::Value;

const CARD: &str = "4242424242424242";
const NOBODY: &str = "http://127.0.0.1:9";

#[test]
fn money_by_stripe_and_data_by_the_carrier_with_no_sandbox_in_between() {
    let stripe = Stripe::start();
    let mut place = Place::new("both")
        .with("STRIPE_SECRET_KEY", KEY)
        .with("STRIPE_WEBHOOK_SECRET", WEBHOOK_SECRET)
        .with("STRIPE_API_BASE", &stripe.origin);
    // Why first with the sandbox's carrier: codes reach nobody but its outbox.
    let server = place.start(&["serve"]);
    let customer = Customer::register(&server.origin, 1);
    customer.add_card(CARD);
    customer.turn_on_rule(|_| ());
    place.set("LAIKA_LISTEN", server.listen());
    assert_eq!(server.stop(), Some(0));

    let carrier = Carrier::start(&place);
    place.set("LAIKA_CARRIER_URL", &carrier.url);
    place.set("LAIKA_CARRIER_SECRET", SECRET);
    let server = place.start(&["serve"]);
    let event =
        usage::event("carrier/1", "1", &customer.line.iccid, &usage::stamp(), 9_500_000_000);
    usage::single(&server.origin, &event).send().expect("the server").expect(200);
    let done = customer.recharges_done(1);
    let order = &done[0].recharge.order;
    assert_eq!(stripe.taken(), order.amount.amount_minor);
    let given = carrier.given();
    assert_eq!(given.len(), 1);
    assert_eq!(given[0]["data_bytes"], order.adds.bytes().get());
    let audit = place.run(&["audit", "--json"]).expect(0).json_lines();
    assert_eq!(audit[0]["violations"], Value::Array(vec![]));

    let session = customer.get("/session").expect(200).json();
    assert_eq!(session["sandbox"], Value::Null, "so the app shows no bar");
    customer.get("/sandbox/outbox").expect(404);
    let bytes = Bytes::new(1).expect("a byte");
    let used = SandboxUsage { line_id: customer.line.id.clone(), bytes };
    customer.post("/sandbox/usage", &used).expect(404);
    customer.post("/sandbox/time", &SandboxTime { seconds: 1 }).expect(404);
    let script = ScriptedCharge { outcome: NextCharge::Succeeds };
    customer.post("/sandbox/next-charge", &script).expect(404);
    let webhook = server.url("/api/v1/webhooks/sandbox");
    Request::new("POST", &webhook).send().expect("the server").expect(404);
    wait::until("it is ready", Duration::from_secs(30), || {
        let ready = Request::new("GET", &server.url("/readyz")).send().expect("the server");
        (ready.status == 200).then_some(())
    });
    let log = std::fs::read_to_string(place.folder.file("log")).expect("a log");
    let later = log.rsplit("a carrier over HTTP").next().expect("it says who delivers");
    // Why not refusals: each names its route, and these were asked for above.
    let mut own = later.lines().filter(|line| !line.contains(": refused "));
    assert!(own.all(|line| !line.contains("sandbox")), "no sandbox was started: {later}");
}

#[test]
fn real_money_is_taken_only_where_a_carrier_delivers_for_it() {
    let live = |name: &str| {
        let place = Place::new(name).with("STRIPE_SECRET_KEY", "sk_live_real_money");
        // Why: no test ever reaches Stripe itself.
        place.with("STRIPE_API_BASE", NOBODY)
    };
    let refused = live("alone").run(&["serve"]).expect(1);
    assert!(refused.stderr.contains("a live key"), "{}", refused.stderr);
    let sandbox = live("sandbox").with("LAIKA_CARRIER_URL", NOBODY);
    let refused = sandbox.with("LAIKA_CARRIER_SECRET", SECRET).run(&["serve"]).expect(1);
    assert!(refused.stderr.contains("the carrier is the sandbox's"), "{}", refused.stderr);
    let place = live("real").with("LAIKA_CARRIER_URL", NOBODY);
    let place = place.with("LAIKA_CARRIER_SECRET", "a-real-one");
    let server = place.start(&["serve"]);
    let session = Request::new("GET", &server.url("/api/v1/session")).send().expect("the server");
    assert_eq!(session.expect(200).json()["sandbox"], Value::Null);
    assert_eq!(server.stop(), Some(0));
    let log = std::fs::read_to_string(place.folder.file("log")).expect("a log");
    assert!(log.contains("real money") && !log.contains("real_money"), "{log}");
    assert!(!log.contains("a-real-one"), "{log}");
    assert!(!place.folder.file("laika-sandbox.jsonl").exists(), "there is no sandbox");
}

#[test]
fn a_carrier_elsewhere_does_not_deliver_for_the_sandboxs_money() {
    let place = Place::new("gift").with("LAIKA_CARRIER_URL", "https://carrier.example.org/v1");
    let refused = place.with("LAIKA_CARRIER_SECRET", "a-real-one").run(&["serve"]).expect(1);
    assert!(refused.stderr.contains("LAIKA_CARRIER_URL"), "{}", refused.stderr);
    assert!(!refused.stderr.contains("a-real-one"), "{}", refused.stderr);
}

#[test]
fn a_database_in_which_time_was_let_pass_takes_no_real_money() {
    let place = Place::new("ahead");
    let server = place.start(&["serve"]);
    Customer::register(&server.origin, 1).let_pass(Duration::from_secs(60));
    assert_eq!(server.stop(), Some(0));
    let live = place
        .with("STRIPE_SECRET_KEY", "sk_live_real_money")
        .with("STRIPE_API_BASE", NOBODY)
        .with("LAIKA_CARRIER_URL", NOBODY)
        .with("LAIKA_CARRIER_SECRET", "a-real-one");
    let refused = live.run(&["serve"]).expect(1);
    assert!(refused.stderr.contains("let pass"), "{}", refused.stderr);
}
