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
async fn the_same_card_again_is_charged_by_its_new_token_and_the_old_one_is_forgotten() {
    let world = World::new("token", &["works"]).await;
    let card = world.methods().await[0].id.clone();
    let old = world.token(&card).await;
    assert_eq!(world.add("works").await, card, "one card, one method");
    let new = world.token(&card).await;
    world.run_low().await;
    world.drain().await;
    assert_eq!((world.status().await, world.captured()), (Status::Done, vec![1500]));
    assert_eq!(world.payments()[0].charge.payment_method, new);
    assert_eq!((world.detached(&old), world.detached(&new)), (true, false));
}

#[tokio::test]
async fn a_token_stays_while_more_may_be_heard_of_what_was_sent_with_it() {
    for lost in [NextCharge::AnswerLostBefore, NextCharge::AnswerLostAfter] {
        let world = World::new("token_sent", &["works"]).await;
        let card = world.methods().await[0].id.clone();
        let old = world.token(&card).await;
        world.run_low_as(lost).await;
        assert_eq!(world.status().await, Status::Unknown);
        let jobs = world.jobs_of_recharges().await;
        world.add("works").await;
        assert_eq!(world.token(&card).await, old, "the key asks for it");
        assert_eq!(world.jobs_of_recharges().await, jobs + 1);
        world.drain().await;
        assert_eq!(world.jobs_of_recharges().await, jobs, "the other is forgotten");
        world.pass(Span::minutes(2));
        world.drain().await;
        assert_eq!((world.status().await, world.captured()), (Status::Done, vec![1500]));
        assert_eq!(world.payments()[0].charge.payment_method, old);
        assert!(!world.detached(&old));
    }
}

#[tokio::test]
async fn a_card_that_the_gateway_forgot_gives_way_to_the_next_and_is_charged_when_added_again() {
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
    assert!(before[0].declined_at.is_empty(), "no bank was asked");
    assert_eq!(world.add("works").await, card);
    assert!(!world.methods().await[0].barred, "under its new token it is there");
}

#[tokio::test]
async fn a_customer_that_the_gateway_does_not_know_is_made_known_again() {
    let world = World::new("customer", &["works"]).await;
    rename_customer(&world).await;
    let card = world.add("works").await;
    let known = customer(&world).await;
    assert_ne!(known, "cus_gone");
    world.add("debit").await;
    assert_eq!(customer(&world).await, known, "once");
    world.run_low().await;
    world.drain().await;
    let paid = &world.payments()[0];
    assert_eq!((paid.status, paid.charge.customer.as_str()), (PaymentStatus::Succeeded, &*known));
    assert_eq!(paid.charge.payment_method, world.token(&card).await);
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
