//! The whole server with Stripe for its gateway: from a card at the hosted page to credit on the
//! line, and every way in which a charge goes wrong, without a second one.
//!
//! Beside it: `webhooks` that are bad, or are not taken the first time; `disputes` at the bank;
//! `reconcile`, the books against Stripe's statement.

mod disputes;
mod reconcile;
mod webhooks;

use std::path::Path;
use std::time::Duration;

use laika_core::api::{NextCharge, ScriptedCharge};
use laika_core::rail::{Rail, Wallet};
use laika_core::recharge::{Fact, Seen, Status};
use laika_tests::support::customer::Customer;
use laika_tests::support::http::Request;
use laika_tests::support::laika::{Place, Process};
use laika_tests::support::stripe::{Event, KEY, Stripe, Trouble, WEBHOOK_SECRET};
use laika_tests::support::wait;
use serde_json::Value;

const CARD: &str = "4242424242424242";
/// It can be added; every charge of it is declined.
const DECLINED_LATER: &str = "4000000000000341";
/// The bank wants the customer for each charge.
const ASKED_ABOUT: &str = "4000002760003184";
const SOON: Duration = Duration::from_secs(90);

/// A server that charges by Stripe, and a customer of it.
struct World {
    stripe: Stripe,
    place: Place,
    server: Process,
    customer: Customer,
}

impl World {
    fn new(name: &str) -> World {
        let stripe = Stripe::start();
        let place = place(name, &stripe);
        World::begin(stripe, place)
    }

    fn begin(stripe: Stripe, place: Place) -> World {
        let server = place.start(&["serve"]);
        let customer = Customer::register(&server.origin, 1);
        World { stripe, place, server, customer }
    }

    fn webhook(&self) -> String {
        self.server.url("/api/v1/webhooks/stripe")
    }

    /// A card, a rule, and usage that makes it charge.
    fn run_dry(&self, card: &str) {
        self.customer.add_card(card);
        self.customer.turn_on_rule(|_| ());
        self.customer.use_data(9_500_000_000);
    }

    fn waits_for(&self, status: Status) {
        wait::until(&format!("a recharge that is {status:?}"), SOON, || {
            let all = self.customer.recharges().expect("the server is there");
            all.first().is_some_and(|view| view.recharge.status == status).then_some(())
        });
    }

    /// The auditor has nothing to say about the books.
    fn books_agree(&self) {
        let audit = self.place.run(&["audit", "--json"]).expect(0).json_lines();
        assert_eq!(audit[0]["violations"].as_array().map(Vec::len), Some(0), "{audit:?}");
    }

    /// One recharge, charged once and credited once, and the books agree.
    fn is_charged_once(&self) {
        let done = self.customer.recharges_done(1);
        assert_eq!(done.len(), 1, "one recharge");
        let declined = |seen: &Seen| matches!(seen.fact, Fact::Declined { .. });
        assert!(!done[0].recharge.facts.iter().any(declined), "nobody said no");
        assert_eq!(self.stripe.taken(), done[0].recharge.order.amount.amount_minor);
        let paid = self.stripe.payments();
        assert_eq!(paid.iter().filter(|it| it["status"] == "succeeded").count(), 1);
        self.books_agree();
        let lines = self.place.run(&["lines", "--json"]).expect(0).json_lines();
        assert_eq!(lines[0]["recharges"]["done"], 1, "{lines:?}");
        assert!(lines[0]["data_bytes"].as_u64() > Some(500_000_000), "credited: {lines:?}");
    }
}

fn place(name: &str, stripe: &Stripe) -> Place {
    Place::new(name)
        .with("STRIPE_SECRET_KEY", KEY)
        .with("STRIPE_WEBHOOK_SECRET", &format!("whsec_old,{WEBHOOK_SECRET}"))
        .with("STRIPE_API_BASE", &stripe.origin)
        .with("STRIPE_WALLETS", "alipay,wechat_pay")
}

/// Every file in a folder that holds one of these texts.
fn files_with(folder: &Path, texts: &[&str]) -> Vec<String> {
    let files = std::fs::read_dir(folder).expect("a folder").flatten();
    let holds = |path: &Path| {
        let bytes = std::fs::read(path).unwrap_or_default();
        let found = |text: &&&str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
        texts.iter().find(found).map(|text| format!("{}: {text}", path.display()))
    };
    files.filter_map(|file| holds(&file.path())).collect()
}

#[test]
fn a_card_is_added_and_a_recharge_is_charged_and_credited() {
    let world = World::new("stripe");
    world.run_dry(CARD);
    world.is_charged_once();
    assert_eq!(world.stripe.charges(), 1);
    let payment = &world.stripe.payments()[0];
    let recharge = &world.customer.recharges().expect("an answer")[0].recharge;
    assert_eq!(payment["metadata"]["recharge_id"], recharge.id.as_str());
    assert_eq!(payment["metadata"]["attempt"], "1");
    assert_eq!(payment["currency"], "eur");
    let methods = world.customer.get("/payment-methods").expect(200).json();
    assert_eq!((&methods[0]["last4"], &methods[0]["rail"]), (&"4242".into(), &"card".into()));
    let origin = world.customer.provider();
    let page = Request::new("GET", &format!("{origin}/charges")).send().expect("the sandbox");
    assert_eq!(page.expect(200).json()["charges"], Value::Array(vec![]), "nothing by the sandbox");
    let secrets = [KEY, WEBHOOK_SECRET, CARD, "client_secret"];
    assert_eq!(files_with(world.place.folder.path(), &secrets), Vec::<String>::new());
}

#[test]
fn an_answer_that_does_not_come_is_looked_up_and_never_charged_again() {
    for trouble in [Trouble::ErrorAfter, Trouble::LostAfter, Trouble::HalfAnAnswer] {
        let world = World::new("lost");
        world.stripe.send_webhooks_to(&world.webhook());
        world.stripe.trouble(&[trouble]);
        world.run_dry(CARD);
        world.is_charged_once();
        assert_eq!(world.stripe.charges(), 1, "{trouble:?}: the webhook made it look");
    }
}

#[test]
fn without_webhooks_a_lost_answer_is_found_in_the_list() {
    let world = World::new("nohook");
    world.stripe.trouble(&[Trouble::LostAfter]);
    world.run_dry(CARD);
    world.waits_for(Status::Unknown);
    world.customer.let_pass(Duration::from_secs(61));
    world.is_charged_once();
    assert_eq!(world.stripe.charges(), 1);
}

#[test]
fn what_never_arrived_is_sent_again_under_the_same_key() {
    for trouble in [Trouble::LostBefore, Trouble::InUse] {
        let world = World::new("never");
        world.stripe.trouble(&[trouble]);
        world.run_dry(CARD);
        world.waits_for(Status::Unknown);
        assert_eq!(world.stripe.payments().len(), 0, "{trouble:?}");
        world.customer.let_pass(Duration::from_secs(61));
        world.is_charged_once();
        assert_eq!(world.stripe.charges(), 2, "{trouble:?}");
    }
}

#[test]
fn a_server_that_was_killed_before_the_answer_sends_the_same_key_and_gets_the_same_payment() {
    let mut world = World::new("killed");
    world.stripe.trouble(&[Trouble::Held]);
    world.run_dry(CARD);
    wait::until("the charge is made", SOON, || (world.stripe.taken() > 0).then_some(()));
    world.place.set("LAIKA_LISTEN", world.server.listen());
    world.server.kill();
    world.server = world.place.start(&["serve"]);
    world.is_charged_once();
    assert_eq!(world.stripe.charges(), 2, "the same again");
}

#[test]
fn a_request_that_is_turned_away_is_sent_again_soon() {
    let world = World::new("busy");
    world.stripe.trouble(&[Trouble::TooMany, Trouble::TooMany, Trouble::LostAfter]);
    world.stripe.send_webhooks_to(&world.webhook());
    world.run_dry(CARD);
    world.is_charged_once();
    assert_eq!(world.stripe.charges(), 3);
}

#[test]
fn a_decline_takes_nothing_and_is_tried_again_by_the_ladder_under_another_key() {
    let world = World::new("declined");
    world.run_dry(DECLINED_LATER);
    world.waits_for(Status::Declined);
    world.customer.let_pass(Duration::from_secs(3_601));
    wait::until("a second attempt", SOON, || (world.stripe.charges() == 2).then_some(()));
    let payments = wait::until("its payment", SOON, || {
        Some(world.stripe.payments()).filter(|payments| payments.len() == 2)
    });
    let attempt = |at: usize| payments[at]["metadata"]["attempt"].clone();
    assert_eq!((attempt(0), attempt(1)), ("2".into(), "1".into()), "the newest first");
    assert_eq!(world.stripe.taken(), 0);
    let told = |words: &str| world.customer.outbox().iter().any(|it| it.body.contains(words));
    assert!(told("No money moved"));
}

#[test]
fn a_bank_that_wants_the_customer_gets_them_by_a_link_and_takes_the_money_once() {
    let world = World::new("asked");
    world.stripe.send_webhooks_to(&world.webhook());
    world.run_dry(ASKED_ABOUT);
    world.waits_for(Status::NeedsCustomer);
    assert_eq!(world.stripe.taken(), 0);
    let payment = world.stripe.payments()[0].clone();
    let bank = payment["next_action"]["redirect_to_url"]["url"].as_str().expect("the bank's page");
    wait::until("a message with the link", SOON, || {
        world.customer.outbox().iter().any(|it| it.body.contains(bank)).then_some(())
    });
    Request::new("POST", bank).form(&[("approved", "1")]).send().expect("the bank").expect(200);
    world.is_charged_once();
}

#[test]
fn a_wallet_is_paid_with_by_a_link_of_its_own_and_charged_by_nobody_else() {
    let world = World::new("wallet");
    world.stripe.send_webhooks_to(&world.webhook());
    for (wallet, action) in [
        (Wallet::Alipay, "/next_action/alipay_handle_redirect/url"),
        (Wallet::WechatPay, "/next_action/wechat_pay_display_qr_code/hosted_instructions_url"),
    ] {
        let method = world.customer.add_wallet(wallet);
        assert_eq!((method.brand.as_str(), method.rail), (wallet.name(), Rail::OnSession));
        let link = world.customer.buy_by_link(&method, wallet.code());
        let payments = world.stripe.payments();
        let waiting = payments.iter().find(|payment| payment["status"] == "requires_action");
        let waiting = waiting.expect("a payment that waits for the customer");
        assert_eq!(waiting["payment_method_types"][0], wallet.code());
        assert_eq!(waiting.pointer(action), Some(&Value::from(link.as_str())));
        Request::new("POST", &link).form(&[("approved", "1")]).send().expect("the wallet");
        wait::until("the payment", SOON, || {
            let all = world.customer.recharges().expect("the server is there");
            (all[0].recharge.status == Status::Done).then_some(())
        });
        let path = format!("/payment-methods/{}", method.id);
        world.customer.request("DELETE", &path).send().expect("an answer").expect(200);
    }
    assert_eq!(world.stripe.charges(), 2);
    let done = world.customer.recharges_done(2);
    let asked = done.iter().map(|view| view.recharge.order.amount.amount_minor);
    assert_eq!(world.stripe.taken(), asked.sum::<i64>());
    world.books_agree();
}

#[test]
fn a_link_that_is_ignored_is_cancelled_at_stripe() {
    let world = World::new("ignored");
    world.run_dry(ASKED_ABOUT);
    world.waits_for(Status::NeedsCustomer);
    world.customer.let_pass(Duration::from_secs(25 * 3_600));
    world.waits_for(Status::Failed);
    assert_eq!(world.stripe.payments()[0]["status"], "canceled");
    assert_eq!(world.stripe.taken(), 0);
}

#[test]
fn what_is_not_delivered_is_given_back_once_in_full() {
    let world = World::new("back");
    let told = world
        .customer
        .post("/sandbox/next-charge", &ScriptedCharge { outcome: NextCharge::SoftDecline });
    assert_eq!(told.expect(409).json()["code"], "not_the_sandbox");
    world.customer.next_charge(NextCharge::NotDelivered);
    world.run_dry(CARD);
    world.waits_for(Status::Delivering);
    wait::until("an hour of tries, and the money back", SOON, || {
        world.customer.next_charge(NextCharge::NotDelivered);
        world.customer.let_pass(Duration::from_secs(300));
        let all = world.customer.recharges().expect("the server is there");
        (all[0].recharge.status == Status::Refunded).then_some(())
    });
    let payments = world.stripe.payments();
    assert_eq!((payments.len(), &payments[0]["status"]), (1, &"succeeded".into()));
    assert_eq!(payments[0]["latest_charge"]["amount_refunded"], payments[0]["amount"]);
    assert_eq!(world.stripe.taken(), 0);
}

#[test]
fn webhooks_late_doubled_in_any_order_or_forged_credit_once() {
    let world = World::new("hooks");
    world.stripe.trouble(&[Trouble::LostAfter]);
    world.run_dry(CARD);
    world.waits_for(Status::Unknown);
    let event = wait::until("Stripe's event", SOON, || {
        let paid = |event: &Event| event.kind() == "payment_intent.succeeded";
        world.stripe.events().into_iter().find(paid)
    });
    for forged in ["t=1,v1=00", "", "v1=00"] {
        event.send_signed(&world.webhook(), forged).expect(401);
    }
    world.waits_for(Status::Unknown);
    world.stripe.fail_look_ups(1);
    event.send(&world.webhook()).expect(503);
    event.send(&world.webhook()).expect(204);
    world.is_charged_once();
    event.send(&world.webhook()).expect(204);
    for late in world.stripe.events().iter().rev().chain(&world.stripe.events()) {
        late.send(&world.webhook()).expect(204);
    }
    world.is_charged_once();
    assert_eq!(world.stripe.charges(), 1);
}

#[test]
fn half_a_configuration_is_refused() {
    for (name, value) in [("STRIPE_SECRET_KEY", "pk_test_x"), ("STRIPE_WEBHOOK_SECRET", "whsec_x")]
    {
        Place::new("half").with(name, value).run(&["serve"]).expect(1);
    }
}

#[test]
fn without_a_key_there_is_no_stripe() {
    let place = Place::new("sandbox");
    let server = place.start(&["serve"]);
    let url = server.url("/api/v1/webhooks/stripe");
    Request::new("POST", &url).send().expect("an answer").expect(404);
}
