//! Claims about disputes: the rule waits while one is open, however it was heard of, and the books
//! end the same.

use super::world::World;
use crate::{
    flow::{compare_list::compare_list, hear_disputes},
    sandbox::{Request, carrier::NextTopUp, provider},
    store::{ledger, recharges, returns},
};
use laika_core::{
    api::{Returned, ReturnedAs},
    recharge::Status,
    returns::DisputeStatus,
    time::Span,
};

/// A recharge that is done, its charge disputed at the bank; the payment.
async fn disputed(name: &str) -> (World, String) {
    let mut world = World::new(name, &["works"]).await;
    world.run_low().await;
    world.drain().await;
    assert_eq!(world.status().await, Status::Done);
    // Why: what was given is taken from the line by hand below.
    world.audited = false;
    let payment = world.payments()[0].id.clone();
    let request = provider::Request::Dispute { payment: payment.clone() };
    world.ask(Request::Provider(request)).await.expect("disputed");
    (world, payment)
}

async fn decide(world: &World, won: bool) {
    let dispute = world.payments()[0].disputes[0].id.clone();
    let request = provider::Request::DecideDispute { dispute, won };
    world.ask(Request::Provider(request)).await.expect("decided");
}

/// What each book holds in money.
async fn money(world: &World) -> Vec<(String, i64)> {
    let mut snapshot = world.app.store.read().await.expect("a snapshot");
    let all = ledger::balances(&mut snapshot).await.expect("read");
    let money = all.into_iter().filter(|it| it.unit == "EUR" && it.amount != 0);
    money.map(|it| (it.book, it.amount)).collect()
}

fn books(books: &[(&str, i64)]) -> Vec<(String, i64)> {
    books.iter().map(|(name, minor)| ((*name).to_owned(), *minor)).collect()
}

/// Everything that was given is used.
async fn empty(world: &World) {
    world.change("UPDATE buckets SET bytes_left = 0".to_owned()).await;
    world.change("DELETE FROM checkpoints".to_owned()).await;
}

async fn history(world: &World) -> Vec<ReturnedAs> {
    let mut snapshot = world.app.store.read().await.expect("a snapshot");
    let id = world.last().await.recharge.id;
    let run = returns::get(&mut snapshot, world.account(), id.as_str(), 1).await.expect("read");
    let run = run.expect("a run").returns;
    Returned::of(&run).iter().map(|line| line.what).collect()
}

/// A look at an empty line: how many recharges there are then, and why no more.
async fn look(world: &World) -> (usize, Option<String>) {
    world.pass(Span::minutes(31));
    world.look().await;
    let mut snapshot = world.app.store.read().await.expect("a snapshot");
    let lines = crate::store::lines::all(&mut snapshot).await.expect("read");
    let looks = crate::store::looks::of_line(&mut snapshot, &lines[0]).await.expect("read");
    let newest = looks.iter().max_by_key(|record| record.now);
    let reason = newest.and_then(|record| record.decision.reason());
    (world.recharges().await, reason.map(|reason| reason.code().to_owned()))
}

#[tokio::test]
async fn an_open_dispute_holds_the_rule_and_a_won_one_lets_it_go_on() {
    let (world, payment) = disputed("dispute_won").await;
    compare_list(&world.app).await.expect("compared");
    hear_disputes::about(&world.app, &payment).await.expect("heard again");
    let held = books(&[("customer", -1500), ("disputed", 1500)]);
    assert_eq!(money(&world).await, held, "once, from the list and from the webhook");
    assert_eq!(history(&world).await, [ReturnedAs::Disputed]);
    empty(&world).await;
    assert_eq!(look(&world).await, (1, Some("suspended".to_owned())));
    decide(&world, true).await;
    hear_disputes::about(&world.app, &payment).await.expect("heard");
    compare_list(&world.app).await.expect("heard again");
    assert_eq!(money(&world).await, books(&[("customer", -1500), ("sales", 1500)]));
    assert_eq!(history(&world).await, [ReturnedAs::DisputeWon]);
    world.pass(Span::minutes(1));
    world.drain().await;
    assert_eq!((world.recharges().await, world.status().await), (2, Status::Done));
    let told = world.told().await;
    for words in ["is disputed", "has ended"] {
        assert_eq!(told.iter().filter(|body| body.contains(words)).count(), 2, "{words}: {told:?}");
    }
    world.books_balance().await;
}

#[tokio::test]
async fn a_lost_dispute_is_in_the_books_and_ends_the_wait() {
    let (world, _) = disputed("dispute_lost").await;
    decide(&world, false).await;
    compare_list(&world.app).await.expect("compared");
    assert_eq!(money(&world).await, vec![], "all of it is the customer's again");
    assert_eq!(history(&world).await, [ReturnedAs::DisputeLost]);
    empty(&world).await;
    assert_eq!(look(&world).await.0, 2, "the rule goes on");
    world.books_balance().await;
}

#[tokio::test]
async fn a_dispute_is_heard_of_however_long_the_bank_takes() {
    let (world, _) = disputed("dispute_long").await;
    compare_list(&world.app).await.expect("compared");
    world.pass(Span::days(200));
    compare_list(&world.app).await.expect("compared");
    let held = books(&[("customer", -1500), ("disputed", 1500)]);
    assert_eq!(money(&world).await, held, "nothing is decided yet");
    // No webhook tells of it, and it began before what the gateway still lists.
    decide(&world, true).await;
    compare_list(&world.app).await.expect("compared");
    assert_eq!(money(&world).await, books(&[("customer", -1500), ("sales", 1500)]));
    assert_eq!(history(&world).await, [ReturnedAs::DisputeWon]);
    world.books_balance().await;
}

#[tokio::test]
async fn a_dispute_about_what_is_not_ended_is_heard_once_it_has() {
    let world = World::new("dispute_early", &["works"]).await;
    world.run_low().await;
    world.send_and_die().await;
    let payment = world.payments()[0].id.clone();
    let request = provider::Request::Dispute { payment: payment.clone() };
    world.ask(Request::Provider(request)).await.expect("disputed");
    hear_disputes::about(&world.app, &payment).await.expect("nothing to hear yet");
    world.drain().await;
    let done = world.last().await.recharge;
    assert_eq!(done.status, Status::Done);
    compare_list(&world.app).await.expect("compared");
    let mut snapshot = world.app.store.read().await.expect("a snapshot");
    let run = returns::get(&mut snapshot, world.account(), done.id.as_str(), 1).await;
    let run = run.expect("read").expect("a run").returns;
    assert_eq!(run.disputes.iter().map(|it| it.status).collect::<Vec<_>>(), [DisputeStatus::Open]);
    let stored = recharges::get(&mut snapshot, world.account(), done.id.as_str()).await;
    assert!(stored.expect("read").is_some());
}

/// A recharge that is charged, disputed at the bank before anything came of it, never delivered.
async fn disputed_before_delivery(name: &str) -> World {
    let world = World::new(name, &["works"]).await;
    world.run_low().await;
    world.script_delivery(NextTopUp::Refused).await;
    world.drain().await;
    let payment = world.payments()[0].id.clone();
    let request = provider::Request::Dispute { payment };
    world.ask(Request::Provider(request)).await.expect("disputed");
    never_delivered(&world).await;
    assert_eq!(world.status().await, Status::Refunding, "nobody knows who will have the money");
    world
}

async fn never_delivered(world: &World) {
    for _ in 0..8 {
        world.script_delivery(NextTopUp::Refused).await;
        world.drain().await;
        world.pass(Span::minutes(15));
    }
}

#[tokio::test]
async fn what_the_bank_gave_the_customer_is_given_back() {
    let world = disputed_before_delivery("dispute_instead").await;
    decide(&world, false).await;
    world.pass(Span::hours(1));
    world.drain().await;
    assert_eq!(world.status().await, Status::Refunded);
    let back = books(&[]);
    assert_eq!(money(&world).await, back, "the customer has it");
    compare_list(&world.app).await.expect("compared");
    assert_eq!(money(&world).await, back, "and is not given it twice");
    // Nor where the dispute is only heard of now: the refund names it.
    world.change("DELETE FROM returns".to_owned()).await;
    compare_list(&world.app).await.expect("compared");
    assert_eq!(money(&world).await, back);
    assert_eq!(world.payments()[0].refunded_minor(), 0);
    world.books_balance().await;
}

#[tokio::test]
async fn what_the_bank_gave_us_goes_back_to_the_customer() {
    let world = disputed_before_delivery("dispute_then_refund").await;
    decide(&world, true).await;
    // Why so long: until then the provider repeats its refusal to whoever shows the same key.
    world.pass(Span::hours(25));
    world.drain().await;
    assert_eq!(world.status().await, Status::Refunded);
    assert_eq!(world.payments()[0].refunded_minor(), 1500);
    compare_list(&world.app).await.expect("compared");
    assert_eq!(money(&world).await, books(&[]));
    world.books_balance().await;
}

#[tokio::test]
async fn only_the_rest_goes_back_of_what_somebody_gave_back_in_part() {
    let world = World::new("refund_in_part", &["works"]).await;
    world.run_low().await;
    world.script_delivery(NextTopUp::Refused).await;
    world.drain().await;
    let payment = world.payments()[0].id.clone();
    let request = provider::Request::Refund { key: None, payment, amount_minor: 400 };
    world.ask(Request::Provider(request)).await.expect("given back");
    never_delivered(&world).await;
    assert_eq!(world.status().await, Status::Refunded);
    let back: Vec<i64> = world.payments()[0].refunds.iter().map(|it| it.amount_minor).collect();
    assert_eq!(back, [400, 1100]);
    world.books_balance().await;
}
