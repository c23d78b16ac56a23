//! Webhooks that are lost, doubled, late by days, in the wrong order, before the answer, foreign,
//! forged or of another shape: none moves money, and none is needed for it to end where it must.

use std::time::Duration;

use laika_core::api::NextCharge;
use laika_core::recharge::{Outcome, Status};
use laika_tests::support::customer::Customer;
use laika_tests::support::hooks::{self, Hooks, SECRET};
use laika_tests::support::http::Request;
use laika_tests::support::provider::API_KEY;
use laika_tests::support::{usage, wait};
use serde_json::{Value, json};

use super::books;
use super::feeder::Feed;
use super::town::{DATA_AT_FIRST, Ground, Town};

/// What a lost webhook may cost.
const MOST: Duration = Duration::from_secs(10 * 60);
/// How much passes at once while nobody hears of anything.
const STEP: Duration = Duration::from_secs(30);
const SOON: Duration = Duration::from_secs(60);

/// A town whose webhooks are taken by somebody else, and what was used in it.
struct Deaf {
    town: Town,
    feed: Feed,
    spent: u32,
}

impl Deaf {
    fn start(name: &str, customers: u32) -> Self {
        let ground = Ground { webhooks_lost: true, ..Ground::default() };
        Self { town: Town::found(name, customers, ground), feed: Feed::default(), spent: 0 }
    }

    fn hooks(&self) -> &Hooks {
        self.town.hooks.as_ref().expect("webhooks are lost here")
    }

    fn customer(&self, number: usize) -> &Customer {
        &self.town.customers[number]
    }

    /// A customer's line runs dry.
    fn run_dry(&mut self, number: usize) {
        self.spent += 1;
        let (id, at) = (self.spent.to_string(), usage::stamp());
        let iccid = &self.town.customers[number].line.iccid;
        let event = usage::event("carrier/spent", &id, iccid, &at, DATA_AT_FIRST);
        self.feed.send(&self.town.origin, &[event]);
    }

    /// Waits until a customer's newest recharge stands so.
    fn waits_for(&self, number: usize, status: Status) {
        wait::until(&format!("a recharge that is {status:?}"), SOON, || {
            let all = self.customer(number).recharges().expect("the server is there");
            all.first().is_some_and(|view| view.recharge.status == status).then_some(())
        });
    }

    /// Lets time pass in steps until a customer's newest recharge is done; how much it took.
    fn time_until_done(&self, number: usize) -> Duration {
        let mut passed = Duration::ZERO;
        loop {
            let done = wait::within(Duration::from_millis(1500), || {
                let all = self.customer(number).recharges().expect("the server is there");
                all.first().is_some_and(|view| view.recharge.status == Status::Done).then_some(())
            });
            if done.is_some() {
                return passed;
            }
            assert!(passed < MOST, "not credited within {MOST:?}");
            self.customer(number).let_pass(STEP);
            passed += STEP;
        }
    }

    fn end_well(self) {
        self.town.settle();
        let books = books::compare(&self.town, &self.feed);
        assert!(books.wrong.is_empty(), "{}", books::first(&books.wrong));
    }
}

#[test]
fn when_every_webhook_is_lost_credit_comes_within_ten_minutes() {
    let mut deaf = Deaf::start("deaf", 3);
    // The provider has charged, and its answer is lost.
    deaf.customer(0).next_charge(NextCharge::AnswerLostAfterCharge);
    deaf.run_dry(0);
    deaf.waits_for(0, Status::Unknown);
    let lost = deaf.time_until_done(0);
    // The server dies while the answer is on its way.
    deaf.town.proxy.keep_next_answer();
    deaf.run_dry(1);
    wait::until("a charge is taken", SOON, || (deaf.town.proxy.kept() > 0).then_some(()));
    deaf.town.kill();
    deaf.town.restart();
    let died = deaf.time_until_done(1);
    // The customer pays at the bank's page: no answer tells, and no look-up is due for hours.
    deaf.customer(2).next_charge(NextCharge::NeedsCustomer);
    deaf.run_dry(2);
    deaf.waits_for(2, Status::NeedsCustomer);
    let bank = page_of_bank(deaf.customer(2));
    Request::new("POST", &bank).form(&[("approved", "1")]).send().expect("the bank");
    let paid = deaf.time_until_done(2);
    println!("credited after: lost answer {lost:?}, death {died:?}, bank's page {paid:?}");
    assert!(!deaf.hooks().taken().is_empty(), "the provider did send webhooks");
    deaf.end_well();
}

/// The page of the newest payment that waits for the customer.
fn page_of_bank(customer: &Customer) -> String {
    let all = customer.recharges().expect("the server is there");
    let attempt = all[0].recharge.attempts.last().expect("an attempt");
    match &attempt.outcome {
        Some(Outcome::ActionRequired { url, .. }) => url.clone(),
        other => panic!("the bank has no page: {other:?}"),
    }
}

#[test]
fn webhooks_doubled_in_any_order_and_late_by_days_move_nothing() {
    let mut deaf = Deaf::start("late", 3);
    for number in 0..3 {
        deaf.run_dry(number);
        deaf.waits_for(number, Status::Done);
    }
    let events = wait::until("three payments are told", SOON, || {
        let all = deaf.hooks().taken();
        (all.iter().filter(|it| it["kind"] == "payment.succeeded").count() >= 3).then_some(all)
    });
    let origin = deaf.town.origin.clone();
    let send = |event: &Value| hooks::send_on(&origin, event).expect("an answer").expect(204);
    for event in events.iter().rev().chain(&events).chain(events.iter().rev()) {
        send(event);
    }
    deaf.customer(0).let_pass(Duration::from_secs(3 * 24 * 3_600));
    for event in &events {
        send(event);
    }
    // Signed days ago, and only now here.
    let body = events[0].to_string();
    let days_ago = usage::now() - 3 * 24 * 3_600;
    let old = hooks::send(&origin, body.as_bytes(), SECRET, days_ago).expect("an answer");
    old.expect(401);
    assert_eq!(deaf.town.charges().len(), 3);
    deaf.end_well();
}

#[test]
fn a_webhook_before_the_answer_credits_once() {
    let mut deaf = Deaf::start("early", 1);
    deaf.town.proxy.keep_next_answer();
    deaf.run_dry(0);
    let event = wait::until("the payment is told", SOON, || {
        deaf.hooks().taken().into_iter().find(|it| it["kind"] == "payment.succeeded")
    });
    hooks::send_on(&deaf.town.origin, &event).expect("an answer").expect(204);
    deaf.waits_for(0, Status::Done);
    // Only now the server hears that there will be no answer.
    deaf.town.proxy.give_up();
    hooks::send_on(&deaf.town.origin, &event).expect("an answer").expect(204);
    assert_eq!(deaf.town.charges().len(), 1);
    deaf.end_well();
}

#[test]
fn foreign_forged_and_old_webhooks_are_refused_or_ignored() {
    let mut deaf = Deaf::start("foreign", 1);
    deaf.run_dry(0);
    deaf.waits_for(0, Status::Done);
    let event = wait::until("the payment is told", SOON, || deaf.hooks().taken().first().cloned());
    let (origin, now) = (deaf.town.origin.clone(), usage::now());
    let send = |event: &Value, secret: &str| {
        hooks::send(&origin, event.to_string().as_bytes(), secret, now).expect("an answer").status
    };
    let with = |name: &str, value: Value| {
        let mut event = event.clone();
        event[name] = value;
        event
    };
    let theirs = foreign_payment(&deaf);
    for (what, event, status) in [
        ("another system's payment", with("about", theirs.into()), 204),
        ("no payment of the provider", with("about", "pay_000000000000000000000000".into()), 204),
        ("a path", with("about", "../customers".into()), 204),
        ("a kind that is not known", with("kind", "balance.available".into()), 204),
        ("a field that is not known", with("livemode", true.into()), 204),
        ("the shape of before", json!({ "type": "payment.succeeded", "data": { "id": 7 } }), 400),
        ("no object", json!("payment.succeeded"), 400),
    ] {
        assert_eq!(send(&event, SECRET), status, "{what}");
    }
    assert_eq!(send(&event, "another secret"), 401, "forged");
    let url = format!("{origin}/api/v1/webhooks/sandbox");
    Request::new("POST", &url).json(&event).send().expect("an answer").expect(401);
    let ours = |charge: &&Value| charge["metadata"]["recharge_id"].is_string();
    assert_eq!(deaf.town.charges().iter().filter(ours).count(), 1);
    deaf.end_well();
}

/// A payment that somebody else makes at the same provider, with the same customer.
fn foreign_payment(deaf: &Deaf) -> String {
    let bearer = format!("Bearer {API_KEY}");
    let ask = |method: &str, path: &str| {
        Request::new(method, &deaf.town.sandbox_url(path)).header("Authorization", &bearer)
    };
    let ours = ask("GET", "/provider/v1/payments?since=0").send().expect("the provider").json();
    let mut theirs = ours["payments"][0].clone();
    theirs["metadata"] = json!({ "order": "77" });
    let paid = ask("POST", "/provider/v1/payments").header("Idempotency-Key", "theirs");
    let paid = paid.json(&theirs).send().expect("the provider").expect(200).json();
    paid["id"].as_str().expect("a payment").to_owned()
}
