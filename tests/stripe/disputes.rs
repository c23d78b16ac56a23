//! A charge by Stripe is disputed at the bank. Told by a webhook or found in the list, it is booked
//! and the rule waits; however the bank decides, that is booked too, and the rule goes on.

use std::collections::BTreeMap;
use std::time::Duration;

use laika_core::api::{RechargeView, ReturnedAs, RuleView};
use laika_core::decide::{Reason, Suspension};
use laika_core::id::RechargeId;
use laika_core::money::Money;
use laika_tests::support::customer::read;
use laika_tests::support::wait;
use serde_json::Value;

use super::{CARD, SOON, World};

/// Then the line may be recharged again.
const COOL_DOWN: Duration = Duration::from_secs(31 * 60);
/// The lists are compared this often.
const LIST: Duration = Duration::from_secs(121);
/// Longer than the list of disputes goes back.
const LONG: Duration = Duration::from_secs(160 * 24 * 3_600);

/// A recharge that was paid for, of a line that may be recharged again.
struct Paid {
    world: World,
    id: RechargeId,
    price: Money,
    payment: String,
}

impl Paid {
    fn new(name: &str) -> Paid {
        let world = World::new(name);
        world.run_dry(CARD);
        world.is_charged_once();
        world.customer.let_pass(COOL_DOWN);
        let recharge = world.customer.recharges().expect("the server is there").remove(0).recharge;
        let payment = world.stripe.payments()[0]["id"].as_str().expect("a name").to_owned();
        Paid { world, id: recharge.id, price: recharge.order.amount, payment }
    }

    /// The recharge, as the customer sees it.
    fn view(&self) -> RechargeView {
        let mut all = self.world.customer.recharges().expect("the server is there").into_iter();
        all.find(|view| view.recharge.id == self.id).expect("the first recharge")
    }

    fn stands(&self, what: ReturnedAs) -> Option<RechargeView> {
        let is = |view: &RechargeView| view.returned.last().is_some_and(|line| line.what == what);
        Some(self.view()).filter(is)
    }

    /// The recharge, once a webhook has told.
    fn told(&self, what: ReturnedAs) -> RechargeView {
        wait::until(&format!("a webhook: {what:?}"), SOON, || self.stands(what))
    }

    /// The recharge, once a list has told.
    fn found(&self, what: ReturnedAs) -> RechargeView {
        wait::until(&format!("a list: {what:?}"), SOON, || {
            self.world.customer.let_pass(LIST);
            wait::within(Duration::from_secs(2), || self.stands(what))
        })
    }

    /// What a step of what goes back moved in the books.
    fn moved(&self, step: u32) -> BTreeMap<String, i64> {
        let asked = ["recharge", self.id.as_str(), "--json"];
        let whole = self.world.place.run(&asked).expect(0).json_lines().remove(0);
        let key = format!("{}/returns/1/{step}", self.id);
        let entries = whole["entries"].as_array().expect("entries").iter();
        let own = entries.filter(|entry| entry["tx_key"] == key.as_str());
        let read = |it: &Value| Some((it["book"].as_str()?.to_owned(), it["amount"].as_i64()?));
        own.filter_map(read).collect()
    }

    /// The whole price, from one book to another.
    fn price_moved(&self, from: &str, to: &str) -> BTreeMap<String, i64> {
        let price = self.price.amount_minor;
        BTreeMap::from([(from.to_owned(), -price), (to.to_owned(), price)])
    }

    /// The customer is told so, in these words.
    fn is_messaged(&self, words: &str) {
        wait::until(words, SOON, || {
            let messages = self.world.customer.outbox();
            messages.iter().any(|message| message.body.contains(words)).then_some(())
        });
    }

    /// The bank has the money, and the rule waits although the line runs dry.
    fn is_held(&self, view: &RechargeView) {
        assert_eq!((view.returned.len(), view.returned[0].amount), (1, self.price));
        assert_eq!(view.check.charged, None, "the bank has it");
        assert_eq!(self.moved(1), self.price_moved("sales", "disputed"));
        assert_eq!(self.world.stripe.taken(), 0);
        self.is_messaged("A charge is disputed at your bank");
        let customer = &self.world.customer;
        customer.use_data(5_000_000_000);
        let rule: RuleView = read(&customer.get(&customer.of_line("rule")).expect(200));
        let held = Reason::Suspended { why: Suspension::Disputed };
        assert_eq!(rule.status.expect("a rule").now.reason(), Some(&held));
        assert_eq!(self.world.stripe.charges(), 1);
    }

    /// The rule goes on: what was used meanwhile is recharged now, and nothing else.
    fn goes_on(&self) {
        self.is_messaged("no longer holds up automatic recharges");
        let done = self.world.customer.recharges_done(2);
        assert_eq!((done.len(), self.world.stripe.charges()), (2, 2));
        self.world.books_agree();
    }
}

#[test]
fn a_dispute_told_by_webhook_holds_the_rule_until_it_is_won() {
    let paid = Paid::new("disputed");
    let stripe = &paid.world.stripe;
    stripe.send_webhooks_to(&paid.world.webhook());
    stripe.lists_fail(true);
    let dispute = stripe.dispute(&paid.payment);
    paid.is_held(&paid.told(ReturnedAs::Disputed));
    stripe.decide(&dispute, true);
    let view = paid.told(ReturnedAs::DisputeWon);
    assert_eq!((view.returned.len(), view.check.charged), (1, Some(paid.price)));
    assert_eq!(paid.moved(2), paid.price_moved("disputed", "sales"));
    paid.goes_on();
    assert_eq!(stripe.taken(), 2 * paid.price.amount_minor);
}

#[test]
fn a_dispute_that_is_lost_is_the_customers_and_never_charged_for_later() {
    let paid = Paid::new("disputelost");
    let stripe = &paid.world.stripe;
    stripe.send_webhooks_to(&paid.world.webhook());
    stripe.lists_fail(true);
    let dispute = stripe.dispute(&paid.payment);
    paid.is_held(&paid.told(ReturnedAs::Disputed));
    stripe.decide(&dispute, false);
    let view = paid.told(ReturnedAs::DisputeLost);
    assert_eq!((view.returned.len(), view.check.charged), (1, None), "the customer has it");
    assert_eq!(paid.moved(2), paid.price_moved("disputed", "customer"));
    paid.goes_on();
    // Late, doubled and in another order they move nothing more.
    let events = stripe.events();
    for event in events.iter().rev().chain(&events) {
        event.send(&paid.world.webhook()).expect(204);
    }
    assert_eq!((paid.view(), paid.moved(3)), (view, BTreeMap::new()));
    assert_eq!(stripe.taken(), paid.price.amount_minor, "the second recharge's");
    assert_eq!(stripe.charges(), 2);
    paid.world.books_agree();
}

#[test]
fn a_dispute_whose_webhooks_are_lost_is_found_in_the_list_and_later_by_its_payment() {
    let paid = Paid::new("disputelist");
    let stripe = &paid.world.stripe;
    let theirs = stripe.pay_beside(&stripe.payments()[0], &[("order", "77")]);
    stripe.dispute(&theirs);
    let dispute = stripe.dispute(&paid.payment);
    paid.is_held(&paid.found(ReturnedAs::Disputed));
    // The bank takes longer than the list of disputes goes back.
    stripe.let_pass(LONG);
    stripe.decide(&dispute, true);
    let view = paid.found(ReturnedAs::DisputeWon);
    assert_eq!((view.returned.len(), view.check.charged), (1, Some(paid.price)));
    assert_eq!(paid.moved(2), paid.price_moved("disputed", "sales"));
    paid.goes_on();
    assert!(stripe.answers("charge.dispute.created").is_empty(), "no webhook told");
    let log = paid.world.place.log();
    assert!(!log.contains("a charge is disputed that is not on record"), "another's: {log}");
}
