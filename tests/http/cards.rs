//! The published test cards at the sandbox provider: what they do there is what a customer sees.

use std::time::Duration;

use laika_core::decide::Unusable;
use laika_core::draft::RuleDraft;
use laika_core::rail::Wallet;
use laika_core::recharge::Status;
use laika_tests::support::customer::{Customer, read};
use laika_tests::support::http::{Answer, Request};
use laika_tests::support::laika::{Place, Process};
use laika_tests::support::wait;

use super::world::place;

fn customer(name: &str) -> (Place, Process, Customer) {
    let (place, _) = place(name, false);
    let server = place.start(&["serve"]);
    let customer = Customer::register(&server.origin, 1);
    (place, server, customer)
}

/// The bank's page, to which the provider's page led, and the customer's word there.
fn at_the_bank(customer: &Customer, page: &Answer, approved: &str) -> Answer {
    let to = page.header("location").expect("the bank's page").to_owned();
    let url = if to.starts_with('/') { format!("{}{to}", customer.provider()) } else { to };
    Request::new("POST", &url).form(&[("approved", approved)]).send().expect("the bank")
}

fn methods(customer: &Customer) -> usize {
    customer.get("/payment-methods").expect(200).json().as_array().map_or(0, Vec::len)
}

/// Uses the line up to its threshold, and waits until the one recharge stands so.
fn recharge_that_is(customer: &Customer, status: Status) {
    customer.turn_on_rule(|_| ());
    customer.use_data(9_500_000_000);
    wait::until(&format!("a recharge that is {status:?}"), Duration::from_secs(30), || {
        let all = customer.recharges().expect("the server is there");
        all.first().is_some_and(|view| view.recharge.status == status).then_some(())
    });
}

fn told(customer: &Customer, words: &str) {
    wait::until(&format!("a message that says: {words}"), Duration::from_secs(30), || {
        customer.outbox().iter().any(|message| message.body.contains(words)).then_some(())
    });
}

#[test]
fn cards_that_are_refused_at_entry_are_not_added() {
    let (_place, _server, customer) = customer("refused");
    let refused = [
        ("declined", "4000000000000002"),
        ("no funds", "4000000000009995"),
        ("expired", "4000000000000069"),
        ("wrong code", "4000000000000127"),
        ("not a test number", "4111111111111111"),
        ("wrong check digit", "4242424242424241"),
    ];
    for (why, number) in refused {
        let (setup, page) = customer.type_card(number);
        assert_eq!(page.status, 422, "{why}: {}", page.text());
        let back = customer.come_back(&setup);
        assert!((400..500).contains(&back.status), "{why}: {}", back.text());
    }
    assert_eq!(methods(&customer), 0);
}

#[test]
fn a_card_that_its_bank_asks_about_is_added_when_the_customer_agrees() {
    let (_place, _server, customer) = customer("bank");
    let (setup, page) = customer.type_card("4000002500003155");
    at_the_bank(&customer, &page.expect(303), "1").expect(303);
    customer.come_back(&setup).expect(200);
    recharge_that_is(&customer, Status::Done);
}

#[test]
fn a_card_that_its_bank_asks_about_is_not_added_when_the_customer_refuses() {
    let (_place, _server, customer) = customer("nobank");
    let (setup, page) = customer.type_card("4000002500003155");
    at_the_bank(&customer, &page.expect(303), "0");
    assert!((400..500).contains(&customer.come_back(&setup).status));
    assert_eq!(methods(&customer), 0);
}

#[test]
fn a_declined_charge_moves_no_money_and_is_told() {
    let (_place, _server, customer) = customer("later");
    customer.add_card("4000000000000341");
    recharge_that_is(&customer, Status::Declined);
    told(&customer, "No money moved");
    let all = Request::new("GET", &format!("{}/charges", customer.provider())).send();
    let all = all.expect("the provider").expect(200).json();
    let taken = |charge: &serde_json::Value| charge["captured_minor"] != 0;
    assert!(!all["charges"].as_array().expect("a list").iter().any(taken), "{all}");
}

#[test]
fn a_charge_that_the_bank_asks_about_waits_for_the_customer() {
    let (_place, _server, customer) = customer("always");
    let (setup, page) = customer.type_card("4000002760003184");
    at_the_bank(&customer, &page.expect(303), "1").expect(303);
    let method =
        read::<laika_core::api::PaymentMethodView>(&customer.come_back(&setup).expect(200));
    assert_eq!(method.last4, "3184");
    recharge_that_is(&customer, Status::NeedsCustomer);
    customer.let_pass(Duration::from_secs(25 * 3_600));
    wait::until("the link has died", Duration::from_secs(30), || {
        let all = customer.recharges().expect("the server is there");
        all.first().is_some_and(|view| view.recharge.status.is_end()).then_some(())
    });
    assert_eq!(customer.recharges().expect("an answer").len(), 1, "nothing else is tried");
}

#[test]
fn a_wallet_without_an_agreement_is_paid_with_by_a_link_and_by_no_rule() {
    let (_place, _server, customer) = customer("wallet");
    let offered: Vec<Wallet> = read(&customer.get("/payment-methods/wallets").expect(200));
    assert_eq!(offered, Wallet::ALL);
    let wallet = customer.add_wallet(Wallet::Alipay);
    assert_eq!(customer.add_wallet(Wallet::Alipay).id, wallet.id, "the same again");
    assert_eq!(methods(&customer), 1);
    assert_eq!(wallet.unusable, Some(Unusable::OnSessionOnly));
    let inputs = customer.preview_inputs();
    assert!(RuleDraft::suggested(&inputs.account, inputs.as_of).payment_methods.is_empty());

    let answer_at = |link: &str, approved: &str| {
        Request::new("POST", link).form(&[("approved", approved)]).send().expect("the wallet")
    };
    let link = customer.buy_by_link(&wallet, "refused");
    let page = Request::new("GET", &link).send().expect("the wallet").expect(200).text();
    assert!(page.contains("Alipay") && page.contains("EUR"), "{page}");
    answer_at(&link, "0").expect(303);
    wait::until("a refusal", Duration::from_secs(30), || {
        let all = customer.recharges().expect("the server is there");
        (all[0].recharge.status == Status::Failed).then_some(())
    });
    let link = customer.buy_by_link(&wallet, "paid");
    answer_at(&link, "1").expect(303);
    let done = customer.recharges_done(1);
    assert_eq!(done[0].recharge.link(), None, "there is nothing to confirm any more");

    let path = format!("/payment-methods/{}", wallet.id);
    customer.request("DELETE", &path).send().expect("an answer").expect(200);
    assert_eq!(methods(&customer), 0);
    let again = customer.add_wallet(Wallet::Alipay);
    assert_ne!(again.id, wallet.id, "what was removed stays removed");
}
