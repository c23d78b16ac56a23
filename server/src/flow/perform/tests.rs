//! Claims about the loop after `decide`: the real store, the real sandbox over a real socket, the
//! worker's own steps one by one. `tests/world.rs` is the means, this file the claims.

mod audit;
mod books;
mod clock;
mod disputes;
mod held;
mod names;
mod statements;
mod switch;
mod wallets;
mod world;

use crate::{
    flow::{compare_list::compare_list, recharge_now::recharge_now, remove_payment_method::remove},
    sandbox::{
        carrier::NextTopUp,
        provider::records::{NextCharge, PaymentStatus},
    },
};
use laika_core::{
    api::RechargeNow,
    decide::Suspension,
    money::{Currency, Money},
    recharge::{Outcome, Status},
    time::Span,
};
use world::World;

#[tokio::test]
async fn charged_delivered_and_credited_once() {
    let world = World::new("once", &["works"]).await;
    world.run_low().await;
    world.drain().await;
    let recharge = world.last().await;
    assert_eq!(recharge.recharge.status, Status::Done);
    assert_eq!(recharge.after.map(|after| after.get()), Some(5_000_000_000));
    assert_eq!(world.captured(), [1500]);
    assert_eq!(world.available().await, 5_000_000_000);
    world.drain().await;
    assert_eq!(world.captured(), [1500], "nothing is left to do");
    world.books_balance().await;
}

#[tokio::test]
async fn an_answer_lost_after_charging_is_looked_up_and_never_charged_again() {
    let world = World::new("lost_after", &["works"]).await;
    world.run_low_as(NextCharge::AnswerLostAfter).await;
    assert_eq!(world.status().await, Status::Unknown);
    world.look().await;
    assert_eq!(world.recharges().await, 1, "nothing else is charged meanwhile");
    world.pass(Span::minutes(2));
    world.drain().await;
    assert_eq!(world.status().await, Status::Done);
    assert_eq!(world.captured(), [1500]);
    world.books_balance().await;
}

#[tokio::test]
async fn an_answer_lost_before_charging_is_sent_again_under_the_same_key() {
    let world = World::new("lost_before", &["works"]).await;
    world.run_low_as(NextCharge::AnswerLostBefore).await;
    assert_eq!((world.status().await, world.captured().len()), (Status::Unknown, 0));
    world.pass(Span::minutes(2));
    world.drain().await;
    assert_eq!(world.status().await, Status::Done);
    let recharge = world.last().await.recharge;
    assert_eq!(recharge.attempts.len(), 1, "one attempt, one key");
    assert_eq!(world.captured(), [1500]);
}

#[tokio::test]
async fn an_internal_error_after_charging_is_unknown_and_not_a_decline() {
    let world = World::new("error_after", &["works", "debit"]).await;
    world.run_low_as(NextCharge::ErrorAfter).await;
    assert_eq!(world.status().await, Status::Unknown);
    world.pass(Span::minutes(2));
    world.drain().await;
    assert_eq!((world.status().await, world.captured()), (Status::Done, vec![1500]));
}

#[tokio::test]
async fn a_soft_decline_goes_to_the_next_method_at_once() {
    let world = World::new("next_method", &["later_declined", "works"]).await;
    world.run_low().await;
    world.drain().await;
    assert_eq!((world.status().await, world.captured()), (Status::Done, vec![1500]));
    assert_eq!(world.last().await.recharge.attempts.len(), 2);
}

#[tokio::test]
async fn a_declined_card_is_tried_on_four_rungs_and_then_the_rule_waits() {
    let world = World::new("ladder", &["later_declined"]).await;
    world.run_low().await;
    for (hours, attempts) in [(0, 1), (1, 2), (1, 3), (2, 4)] {
        world.pass(Span::hours(hours));
        world.drain().await;
        let made = world.payments().len();
        assert_eq!(made, attempts, "after {hours} h more");
    }
    assert_eq!(world.status().await, Status::Failed);
    assert_eq!(world.suspended().await, Some(Suspension::Declined));
    world.pass(Span::days(3));
    world.drain().await;
    assert_eq!(world.payments().len(), 4, "and is not charged again");
    assert!(world.captured().is_empty());
}

#[tokio::test]
async fn switching_off_and_on_does_not_restart_the_ladder() {
    let world = World::new("ladder_kept", &["later_declined"]).await;
    world.run_low().await;
    world.drain().await;
    assert_eq!(world.payments().len(), 1);
    world.turn_off().await;
    world.turn_on().await;
    world.pass(Span::minutes(31));
    world.look().await;
    world.drain().await;
    let (recharges, tries) = (world.recharges().await, world.payments().len());
    assert_eq!((recharges, tries), (2, 1), "another recharge, but no other try yet");
    world.pass(Span::minutes(30));
    world.drain().await;
    assert_eq!(world.payments().len(), 2, "an hour after the first");
    world.pass(Span::hours(4));
    world.drain().await;
    world.pass(Span::hours(4));
    world.drain().await;
    assert_eq!(world.payments().len(), 4, "four tries in all, over both recharges");
    assert_eq!(world.suspended().await, Some(Suspension::Declined));
}

#[tokio::test]
async fn a_hard_decline_bars_the_card_also_when_it_is_added_again() {
    let world = World::new("hard", &["works"]).await;
    world.run_low_as(NextCharge::StolenCard).await;
    assert_eq!(world.status().await, Status::Failed);
    let before = world.methods().await;
    assert!(before[0].barred);
    let first = before[0].id.clone();
    assert_eq!(world.add("works").await, first, "the same card is the same method");
    remove(&world.app, world.account(), first.as_str()).await.expect("removed");
    let again = world.add("works").await;
    let after = world.methods().await;
    assert!(after.iter().any(|method| method.id == again && method.barred));
    world.pass(Span::days(2));
    world.drain().await;
    assert_eq!(world.payments().len(), 1);
}

#[tokio::test]
async fn the_customer_authenticates_by_link_and_the_recharge_goes_on() {
    let world = World::new("link", &["sca_always"]).await;
    world.run_low().await;
    world.drain().await;
    assert_eq!(world.status().await, Status::NeedsCustomer);
    let outcome = world.last().await.recharge.attempts[0].outcome.clone();
    let Some(Outcome::ActionRequired { url, .. }) = outcome else { panic!("{outcome:?}") };
    world.confirm_at_bank(&url).await;
    // The webhook is lost; the gateway's own list is not.
    compare_list(&world.app).await.expect("compared");
    world.drain().await;
    assert_eq!((world.status().await, world.captured()), (Status::Done, vec![1500]));
}

#[tokio::test]
async fn an_ignored_link_dies_after_a_day_and_the_rule_waits() {
    let world = World::new("ignored", &["sca_always"]).await;
    world.run_low().await;
    world.drain().await;
    world.pass(Span::hours(25));
    world.drain().await;
    assert_eq!(world.status().await, Status::Failed);
    assert_eq!(world.suspended().await, Some(Suspension::CustomerNeeded));
    assert_eq!(world.payments()[0].status, PaymentStatus::Cancelled);
}

#[tokio::test]
async fn another_amount_than_asked_is_refunded_in_full() {
    let world = World::new("wrong_amount", &["works"]).await;
    world.run_low_as(NextCharge::WrongAmount).await;
    let first = &world.payments()[0];
    assert_eq!((first.captured_minor, first.refunded_minor()), (1501, 1501));
    world.books_balance().await;
}

#[tokio::test]
async fn a_second_payment_for_one_attempt_goes_back() {
    let world = World::new("second", &["works"]).await;
    world.run_low().await;
    world.drain().await;
    assert_eq!((world.status().await, world.captured()), (Status::Done, vec![1500]));
    world.charge_again_under_another_key().await;
    for _ in 0..2 {
        compare_list(&world.app).await.expect("compared");
        world.drain().await;
    }
    let back: Vec<i64> = world.payments().iter().map(|p| p.refunded_minor()).collect();
    assert_eq!((world.status().await, back), (Status::Done, vec![0, 1500]));
    assert_eq!(world.available().await, 5_000_000_000);
    world.books_balance().await;
}

#[tokio::test]
async fn what_is_refused_for_an_hour_is_refunded_and_the_rule_waits() {
    let world = World::new("refused", &["works"]).await;
    world.run_low().await;
    for _ in 0..8 {
        world.script_delivery(NextTopUp::Refused).await;
        world.drain().await;
        world.pass(Span::minutes(15));
    }
    assert_eq!(world.status().await, Status::Refunded);
    assert_eq!(world.suspended().await, Some(Suspension::NotDelivered));
    let payment = &world.payments()[0];
    assert_eq!((payment.captured_minor, payment.refunded_minor()), (1500, 1500));
    assert_eq!(world.available().await, 0);
    world.books_balance().await;
}

#[tokio::test]
async fn a_lost_delivery_answer_is_looked_up_and_delivered_once() {
    for (name, next) in
        [("after", NextTopUp::AnswerLostAfter), ("before", NextTopUp::AnswerLostBefore)]
    {
        let world = World::new(&format!("delivery_{name}"), &["works"]).await;
        world.script_delivery(next).await;
        world.run_low().await;
        world.drain().await;
        assert_eq!(world.status().await, Status::DeliveryUnknown, "{name}");
        for _ in 0..3 {
            world.pass(Span::minutes(15));
            world.drain().await;
        }
        assert_eq!(world.status().await, Status::Done, "{name}");
        assert_eq!(world.delivered(), 5_000_000_000, "{name}");
    }
}

#[tokio::test]
async fn off_before_the_submission_sends_nothing() {
    let world = World::new("off", &["works"]).await;
    world.run_low().await;
    assert_eq!(world.turn_off().await, 0, "nothing was sent before");
    world.drain().await;
    assert_eq!(world.status().await, Status::Cancelled);
    assert!(world.payments().is_empty());
}

#[tokio::test]
async fn off_while_unknown_names_the_charge_and_only_looks_and_cancels() {
    let world = World::new("off_unknown", &["works"]).await;
    world.run_low_as(NextCharge::AnswerLostBefore).await;
    assert_eq!(world.turn_off().await, 1, "one was sent before");
    for _ in 0..40 {
        world.pass(Span::hours(1));
        world.drain().await;
    }
    assert!(world.payments().is_empty(), "never sent again");
    assert_eq!(world.status().await, Status::Failed);
}

#[tokio::test]
async fn what_never_arrived_is_not_cancelled_for_ever() {
    let world = World::new("cancel_never", &["works"]).await;
    world.run_low_as(NextCharge::AnswerLostBefore).await;
    world.turn_off().await;
    for _ in 0..40 {
        world.pass(Span::hours(1));
        world.drain().await;
    }
    // As one is that was planned while the gateway did not answer.
    world.plan_to_cancel(1).await;
    world.drain().await;
    assert_eq!(world.jobs_of_recharges().await, 0);
}

#[tokio::test]
async fn a_removed_method_is_never_charged_and_the_provider_forgets_it() {
    let world = World::new("removed", &["works"]).await;
    let method = world.methods().await[0].clone();
    world.run_low().await;
    let sent = remove(&world.app, world.account(), method.id.as_str()).await.expect("removed");
    assert!(sent.is_empty());
    world.drain().await;
    assert!(world.payments().is_empty());
    assert_eq!(world.status().await, Status::Cancelled);
    assert!(world.detached(&world.token(&method.id).await));
}

#[tokio::test]
async fn a_worker_that_died_after_sending_is_continued_under_the_same_key() {
    let world = World::new("died", &["works"]).await;
    world.run_low().await;
    world.send_and_die().await;
    assert_eq!(world.captured(), [1500], "charged, and nobody wrote it down");
    world.drain().await;
    assert_eq!((world.status().await, world.captured()), (Status::Done, vec![1500]));
}

#[tokio::test]
async fn what_the_gateway_has_forgotten_is_never_sent_again() {
    let world = World::new("forgotten", &["works"]).await;
    world.run_low().await;
    world.send_and_die().await;
    world.pass(Span::hours(25));
    world.drain().await;
    assert_eq!((world.status().await, world.captured()), (Status::Done, vec![1500]));
}

#[tokio::test]
async fn a_purchase_by_hand_is_charged_once_per_key_at_the_price_on_screen() {
    let world = World::new("by_hand", &["works"]).await;
    let eur = Currency::from_code("EUR").expect("EUR");
    let method = world.methods().await[0].id.clone();
    let asked = |steps, minor| RechargeNow {
        steps,
        amount: Money::new(minor, eur),
        payment_method_id: method.clone(),
    };
    let buy = async |key: &str, asked: &RechargeNow| {
        let (account, line) = (world.account(), world.line_id());
        recharge_now(&world.app, account, line, key, asked).await
    };
    let first = buy("k", &asked(2, 600)).await.expect("bought");
    let again = buy("k", &asked(2, 600)).await.expect("the same");
    assert_eq!(first.recharge.id, again.recharge.id);
    let other = buy("k", &asked(3, 900)).await.expect_err("another purchase").to_string();
    assert!(other.contains("idempotency_mismatch"), "{other}");
    let dear = buy("l", &asked(2, 500)).await.expect_err("an old price").to_string();
    assert!(dear.contains("terms_changed"), "{dear}");
    world.drain().await;
    assert_eq!(world.captured(), [600]);
    assert_eq!(world.status().await, Status::Done);
    world.books_balance().await;
}

#[tokio::test]
async fn a_purchase_by_hand_ends_a_suspension_and_not_what_it_held() {
    let world = World::new("ends", &["works"]).await;
    world.suspend(Suspension::Declined).await;
    let before = world.app.clock.now();
    let asked = RechargeNow {
        steps: 2,
        amount: Money::new(600, Currency::from_code("EUR").expect("EUR")),
        payment_method_id: world.methods().await[0].id.clone(),
    };
    let (account, line) = (world.account(), world.line_id());
    recharge_now(&world.app, account, line, "k", &asked).await.expect("bought");
    world.drain().await;
    let rule = world.rule().await;
    assert_eq!((world.status().await, rule.suspended), (Status::Done, None));
    let gone = rule.consumed_through.expect("what fell due on a date meanwhile is gone");
    assert!(gone >= before, "{gone}");
}
