//! The kill switch in the loop: what was not sent is never sent and says why, what was sent is
//! looked up, and no link to pay by stays open.

use super::world::World;
use crate::{
    flow::{
        advance::advance,
        kill_switch::{self, Switched},
        recharge_now::recharge_now,
    },
    sandbox::provider::records::{NextCharge, PaymentStatus},
    store::audit_log::By,
};
use laika_core::{
    api::RechargeNow,
    money::{Currency, Money},
    recharge::{Fact, Status},
    time::Span,
};

async fn switch(world: &World, on: bool) -> Switched {
    let by = By { operator: "ana", why: "a test" };
    kill_switch::switch_all(&world.app, on, &by).await.expect("switched")
}

/// Why the last recharge was withdrawn, if it was.
async fn withdrawn(world: &World) -> Option<String> {
    let facts = world.last().await.recharge.facts;
    facts.into_iter().find_map(|seen| match seen.fact {
        Fact::Withdrawn { reason, .. } => Some(reason),
        _ => None,
    })
}

#[tokio::test]
async fn what_was_decided_and_not_sent_is_withdrawn_with_the_reason() {
    let world = World::new("switch", &["works"]).await;
    world.run_low().await;
    let switched = switch(&world, true).await;
    assert!(switched.changed && switched.already_submitted.is_empty());
    world.drain().await;
    assert_eq!(world.status().await, Status::Cancelled);
    assert_eq!(withdrawn(&world).await.as_deref(), Some("stopped_by_operator"));
    world.pass(Span::hours(7));
    world.look().await;
    world.drain().await;
    assert_eq!((world.recharges().await, world.payments().len()), (1, 0), "while it is on");
    switch(&world, false).await;
    world.drain().await;
    assert_eq!((world.status().await, world.captured()), (Status::Done, vec![1500]));
    world.books_balance().await;
}

#[tokio::test]
async fn a_line_that_is_stopped_buys_nothing_by_hand_either() {
    let world = World::new("switch_hand", &["works"]).await;
    let asked = RechargeNow {
        steps: 2,
        amount: Money::new(600, Currency::from_code("EUR").expect("EUR")),
        payment_method_id: world.methods().await[0].id.clone(),
    };
    let (account, line) = (world.account(), world.line_id());
    recharge_now(&world.app, account, line, "k", &asked).await.expect("bought");
    let by = By { operator: "ana", why: "" };
    let stopped = kill_switch::switch_line(&world.app, account, line, true, &by).await;
    assert!(stopped.expect("switched").changed);
    world.drain().await;
    assert_eq!(withdrawn(&world).await.as_deref(), Some("stopped_by_operator"));
    let again = recharge_now(&world.app, account, line, "l", &asked).await;
    let refused = again.expect_err("refused").to_string();
    assert!(refused.contains("stopped_by_operator"), "{refused}");
    assert!(world.payments().is_empty());
    kill_switch::switch_line(&world.app, account, line, false, &by).await.expect("switched");
    recharge_now(&world.app, account, line, "m", &asked).await.expect("bought");
    world.drain().await;
    assert_eq!(world.captured()[..1], [600]);
}

#[tokio::test]
async fn what_is_unknown_is_named_and_goes_on_being_looked_up() {
    let world = World::new("switch_unknown", &["works"]).await;
    world.run_low_as(NextCharge::AnswerLostAfter).await;
    assert_eq!(world.status().await, Status::Unknown);
    let switched = switch(&world, true).await;
    assert_eq!(switched.already_submitted, [world.last().await.recharge.id]);
    world.pass(Span::minutes(2));
    world.drain().await;
    assert_eq!((world.status().await, world.captured()), (Status::Done, vec![1500]));
}

#[tokio::test]
async fn what_never_arrived_is_not_sent_again() {
    let world = World::new("switch_resend", &["works"]).await;
    world.run_low_as(NextCharge::AnswerLostBefore).await;
    switch(&world, true).await;
    for _ in 0..40 {
        world.pass(Span::hours(1));
        world.drain().await;
    }
    assert!(world.payments().is_empty(), "off or not, it was not sent again");
    assert_eq!(world.status().await, Status::Failed, "looked for, and not found twice");
}

#[tokio::test]
async fn a_link_to_pay_by_dies_with_the_switch() {
    let world = World::new("switch_link", &["sca_always"]).await;
    world.run_low().await;
    world.drain().await;
    assert_eq!(world.status().await, Status::NeedsCustomer);
    assert_eq!(switch(&world, true).await.already_submitted.len(), 1);
    world.drain().await;
    assert_eq!(world.status().await, Status::Cancelled);
    assert_eq!(world.payments()[0].status, PaymentStatus::Cancelled);
    assert_eq!(world.suspended().await, None, "the customer did nothing wrong");
}

#[tokio::test]
async fn an_answer_that_asks_for_the_customer_opens_no_link_while_it_is_on() {
    let world = World::new("switch_answer", &["sca_always"]).await;
    world.run_low().await;
    let (job, recharge, fact) = world.send().await;
    assert!(matches!(fact, Fact::ActionRequired { .. }), "{fact:?}");
    assert_eq!(switch(&world, true).await.already_submitted.len(), 1);
    let written = advance(&world.app, &job.account_id, &recharge, &fact, Some(&job)).await;
    assert!(written.expect("written down"));
    assert_eq!(world.status().await, Status::Charging, "nobody is asked to pay");
    world.drain().await;
    assert_eq!(world.status().await, Status::Cancelled);
    assert_eq!(world.payments()[0].status, PaymentStatus::Cancelled);
}
