//! Customers and cards that the gateway has under another name by now, or not at all any more.

use super::world::World;
use crate::{
    flow::add_payment_method,
    gateway::NOT_FOUND,
    sandbox::provider::records::{NextCharge, PaymentStatus},
    store::payment_methods,
};
use laika_core::{
    recharge::{Outcome, Status},
    time::Span,
};

/// The gateway forgets a card, whoever told it to.
async fn forget(world: &World, token: &str) {
    world.app.gateway().expect("a gateway").detach(token).await.expect("detached");
}

async fn customer(world: &World) -> String {
    let mut snapshot = world.app.store.read().await.expect("a snapshot");
    let known = payment_methods::customer(&mut snapshot, world.account()).await.expect("read");
    known.expect("a customer")
}

async fn rename_customer(world: &World) {
    world.change("UPDATE gateway_customers SET customer = 'cus_gone'".to_owned()).await;
}

#[tokio::test]
async fn a_card_that_the_gateway_forgot_gives_way_to_the_next() {
    let world = World::new("forgotten", &["works", "debit"]).await;
    let card = world.methods().await[0].id.clone();
    forget(&world, &world.token(&card).await).await;
    world.run_low().await;
    world.drain().await;
    assert_eq!((world.status().await, world.captured()), (Status::Done, vec![1500]));
    let recharge = world.last().await.recharge;
    let outcome = Some(Outcome::Declined { code: NOT_FOUND.to_owned(), hard: true });
    assert_eq!(recharge.attempts[0].outcome, outcome);
    let before = world.methods().await;
    assert_eq!([before[0].barred, before[1].barred], [true, false]);
}

#[tokio::test]
async fn a_customer_that_the_gateway_does_not_know_is_made_known_again() {
    let world = World::new("customer", &["works"]).await;
    rename_customer(&world).await;
    world.add("works").await;
    let known = customer(&world).await;
    assert_ne!(known, "cus_gone");
    world.add("debit").await;
    assert_eq!(customer(&world).await, known, "once");
    world.run_low().await;
    world.drain().await;
    let paid = &world.payments()[0];
    assert_eq!((paid.status, paid.charge.customer.as_str()), (PaymentStatus::Succeeded, &*known));
}

#[tokio::test]
async fn a_customer_is_not_replaced_while_a_payment_of_theirs_may_still_be_found() {
    let world = World::new("customer_sent", &["works"]).await;
    world.run_low_as(NextCharge::AnswerLostAfter).await;
    assert_eq!(world.status().await, Status::Unknown);
    let known = customer(&world).await;
    rename_customer(&world).await;
    add_payment_method::begin(&world.app, world.account()).await.expect_err("not now");
    assert_eq!(customer(&world).await, "cus_gone");
    world.change(format!("UPDATE gateway_customers SET customer = '{known}'")).await;
    world.pass(Span::minutes(2));
    world.drain().await;
    assert_eq!((world.status().await, world.captured()), (Status::Done, vec![1500]));
}
