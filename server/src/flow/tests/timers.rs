//! Timers beside usage: a look that usage has just had is not due again at once, whoever holds its
//! job, and one that lies ahead stays; what the timer alone finds is told.

use super::{World, at, gigabytes, monthly};
use crate::{flow::perform::perform, store::jobs};
use laika_core::{bytes::Bytes, recharge::Status, time::Instant};

/// Claims what is due now, as a worker does.
async fn claimed(world: &World) -> Vec<jobs::Claimed> {
    let now = world.app.clock.now();
    let mut tx = world.app.store.write().await.expect("a transaction");
    let claimed =
        jobs::claim_any(&mut tx, world.app.store.dialect, world.app.node(), (now, now), 10)
            .await
            .expect("claimed");
    tx.commit().await;
    claimed
}

/// When the next job is due that nobody holds.
async fn next_due(world: &World) -> Option<Instant> {
    let mut conn = world.app.store.read().await.expect("a snapshot");
    jobs::next_due(&mut conn, world.app.clock.now()).await.expect("read")
}

#[tokio::test]
async fn a_look_that_usage_had_is_due_no_more() {
    let world = World::new().await;
    world.save("k1", |_| {}).await.expect("saved");
    world.turn_on().await.expect("on");
    let first = next_due(&world).await.expect("a safety timer");
    world.pass(1);
    world.uses("1", Bytes::MB).await;
    assert_eq!(next_due(&world).await, Some(first), "it lies ahead and stays");

    world.pass(24);
    assert!(next_due(&world).await < Some(world.app.clock.now()), "nobody has looked since");
    world.uses("2", Bytes::MB).await;
    let next = next_due(&world).await.expect("a safety timer");
    assert!(next > world.app.clock.now(), "usage has looked");
    assert!(claimed(&world).await.is_empty());
}

#[tokio::test]
async fn usage_after_a_claim_leaves_its_holder_nothing_and_no_second_claim() {
    let world = World::new().await;
    world.save("k1", |_| {}).await.expect("saved");
    world.turn_on().await.expect("on");
    world.pass(24);
    let held = claimed(&world).await;
    assert_eq!(held.len(), 1);
    for number in 0..3 {
        world.uses(&number.to_string(), gigabytes(1)).await;
        assert!(claimed(&world).await.is_empty(), "a worker would take it again and again");
    }
    perform(&world.app, &held[0]).await.expect("nothing to do");
    let next = next_due(&world).await.expect("a safety timer");
    assert!(next > world.app.clock.now());
}

#[tokio::test]
async fn a_date_that_an_outage_outlasted_is_told_once_and_gone() {
    let world = World::new().await;
    world.save("k1", monthly).await.expect("saved");
    world.turn_on().await.expect("on");
    world.pass(24 * 9);
    // Usage finds nothing due and tells nothing; the timer does, hours later at most.
    world.uses("1", Bytes::MB).await;
    assert_eq!(world.told("was not made").await, 0);
    for _ in 0..3 {
        world.pass(7);
        works(&world).await;
        assert_eq!(world.told("was not made: it had become too late").await, 1);
    }
    assert_eq!(world.consumed_through().await, at("2026-11-24T08:00:00Z"), "09:00 in Madrid");
    assert_eq!(world.recharges().await.len(), 0);
}

/// Does what is due now, once.
async fn works(world: &World) {
    for job in claimed(world).await {
        perform(&world.app, &job).await.expect("looked at");
    }
}

#[tokio::test]
async fn a_date_missed_by_less_than_three_days_is_announced_and_charged() {
    let world = World::new().await;
    world.save("k1", monthly).await.expect("saved");
    world.turn_on().await.expect("on");
    // Nobody looked before the date, nor for a day after it.
    world.pass(24 * 3);
    works(&world).await;
    assert_eq!((world.told("At most").await, world.recharges().await.len()), (1, 0));
    world.pass(23);
    works(&world).await;
    assert_eq!(world.recharges().await.len(), 0, "a day's notice");
    world.pass(2);
    works(&world).await;
    assert_eq!(world.recharges().await, [Status::Opened]);
    assert_eq!(world.told("was not made").await, 0);
    assert_eq!(world.consumed_through().await, at("2026-11-24T08:00:00Z"));
}

#[tokio::test]
async fn the_safety_timer_alone_finds_what_no_look_has_seen() {
    let world = World::new().await;
    world.save("k1", |_| {}).await.expect("saved");
    world.turn_on().await.expect("on");
    let mut tx = world.app.store.write().await.expect("a transaction");
    let less = "UPDATE buckets SET bytes_left = 500000000";
    sqlx::raw_sql(less).execute(&mut *tx).await.expect("as if a look had been lost");
    tx.commit().await;
    works(&world).await;
    assert_eq!(world.recharges().await.len(), 0, "nobody has looked");
    world.pass(7);
    works(&world).await;
    assert_eq!(world.recharges().await, [Status::Opened]);
}
