//! Clocks that are wrong: nothing is charged while ours is too far from the gateway's, nor on a
//! line that a wrong clock has written to.

use super::world::World;
use crate::{flow::recharge_now::recharge_now, store::lines};
use laika_core::{
    api::RechargeNow,
    money::{Currency, Money},
    recharge::Status,
    time::Span,
};

/// Says how many charges each clock has held back.
async fn held(world: &World) -> Vec<String> {
    let text = world.app.metrics.text(&world.app).await.expect("figures");
    let held =
        text.lines().filter_map(|line| line.strip_prefix("laika_charges_held_by_clock_total"));
    let mut held: Vec<String> = held.map(str::to_owned).collect();
    held.sort();
    held
}

#[tokio::test]
async fn nothing_is_charged_while_our_clock_is_over_two_minutes_from_the_gateways() {
    let world = World::new("apart", &["works"]).await;
    let clock = &world.app.clock;
    world.run_low().await;
    for minutes in [-3, 3] {
        clock.set_wrong(Span::minutes(minutes));
        world.pass(Span::minutes(6));
        world.drain().await;
        assert_eq!((world.status().await, world.captured().len()), (Status::Opened, 0));
    }
    assert_eq!(held(&world).await, ["{whose=\"gateway\"} 2"]);
    clock.set_wrong(Span(0));
    world.pass(Span::minutes(6));
    world.drain().await;
    assert_eq!((world.status().await, world.captured()), (Status::Done, vec![1500]));
}

#[tokio::test]
async fn a_gateway_that_has_not_told_its_time_is_asked_before_anything_is_charged() {
    let world = World::new("untold", &["works"]).await;
    world.run_low().await;
    world.app.clock.set_wrong(Span::minutes(3));
    world.app.gateway_clock.forget();
    world.drain().await;
    assert_eq!((world.status().await, world.captured().len()), (Status::Opened, 0));
    assert!(world.app.gateway_clock.now().is_some());
}

#[tokio::test]
async fn a_line_that_a_wrong_clock_has_written_to_waits_until_its_time_has_come() {
    let world = World::new("ahead", &["works"]).await;
    let (account, line, clock) = (world.account(), world.line_id(), &world.app.clock);
    world.run_low().await;
    clock.set_wrong(Span::hours(24));
    let mut tx = world.app.store.write().await.expect("a transaction");
    lines::lock(&mut tx, account, line, clock.now()).await.expect("locked");
    tx.commit().await;
    clock.set_wrong(Span(0));
    for times in 1..=2 {
        world.drain().await;
        assert_eq!((world.status().await, world.captured().len()), (Status::Opened, 0));
        assert_eq!(held(&world).await, [format!("{{whose=\"line\"}} {times}")]);
        world.pass(Span::minutes(2));
    }
    let asked = RechargeNow {
        steps: 2,
        amount: Money::new(600, Currency::from_code("EUR").expect("EUR")),
        payment_method_id: world.methods().await[0].id.clone(),
    };
    let bought = recharge_now(&world.app, account, line, "k", &asked).await;
    assert!(bought.expect_err("refused").to_string().contains("clock_apart"));
    world.pass(Span::hours(24));
    world.drain().await;
    assert_eq!((world.status().await, world.captured()), (Status::Done, vec![1500]));
    recharge_now(&world.app, account, line, "k", &asked).await.expect("bought");
}
