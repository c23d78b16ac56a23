//! Claims about what a customer hears of a charge that a limit holds back: before it hurts, when it
//! does, and of a date that was announced; each once.

use super::world::{ICCID, World};
use crate::flow::{handle_usage::handle as handle_usage, usage_event::Event};
use laika_core::{
    bytes::Bytes,
    rule::{Amount, Rule, Threshold, Triggers},
    schedule::{Schedule, TimeOfDay, Unit},
    time::{Instant, Span},
};

fn gigabytes(number: u64) -> Bytes {
    Bytes::GB.checked_mul(number).expect("an amount")
}

fn now(world: &World) -> Instant {
    world.app.clock.now()
}

/// A world far from the ends of a month, with 20 a month of which 15 are spent on 5 GB.
async fn world(name: &str) -> World {
    let world = World::new(name, &["works"]).await;
    let day = |world: &World| now(world).to_string()[8..10].parse::<u32>().expect("a day");
    while !(5..20).contains(&day(&world)) {
        world.pass(Span::days(5));
    }
    edit(&world, |rule| {
        rule.alert = Some(Threshold::Data { bytes: gigabytes(2) });
        rule.limits.cap_per_month.as_mut().expect("a cap").amount_minor = 2000;
    })
    .await;
    world.run_low().await;
    world.drain().await;
    assert_eq!((world.captured(), world.available().await), (vec![1500], 5_000_000_000));
    world.pass(Span::minutes(31));
    world
}

/// Changes the rule, as if it had always been so.
async fn edit(world: &World, change: impl FnOnce(&mut Rule)) {
    let mut rule = world.rule().await.rule;
    change(&mut rule);
    let json = serde_json::to_string(&rule).expect("JSON");
    for table in ["rules", "rule_versions"] {
        world.change(format!("UPDATE {table} SET rule = '{json}'")).await;
    }
}

async fn uses(world: &World, name: &str, bytes: Bytes) {
    let event = Event {
        source: "test".to_owned(),
        id: name.to_owned(),
        iccid: ICCID.to_owned(),
        time: now(world),
        bytes,
        country: None,
    };
    handle_usage(&world.app, vec![(1, Ok(event))]).await.expect("counted");
    world.drain().await;
}

/// How often something was said with these words, by SMS and by e-mail as one.
async fn told(world: &World, words: &str) -> usize {
    world.told().await.iter().filter(|body| body.contains(words)).count() / 2
}

#[tokio::test]
async fn a_full_month_is_told_before_it_hurts_and_once_when_it_does() {
    let world = world("held").await;
    assert_eq!(told(&world, "Not charged").await, 0);
    uses(&world, "1", gigabytes(3)).await;
    let early = "2 GB left. Not charged: EUR 15.00 of this month's EUR 20.00";
    assert_eq!(told(&world, early).await, 1, "{:?}", world.told().await);
    uses(&world, "2", gigabytes(1)).await;
    assert_eq!(told(&world, "Not charged").await, 2, "now it would have been charged");
    for number in 3..6 {
        uses(&world, &number.to_string(), Bytes::MB).await;
        world.pass(Span::hours(7));
        world.drain().await;
    }
    assert_eq!((told(&world, "Not charged").await, world.recharges().await), (2, 1));
}

#[tokio::test]
async fn without_an_alert_a_full_month_is_told_when_it_holds_a_charge() {
    let world = world("held_alone").await;
    edit(&world, |rule| rule.alert = None).await;
    uses(&world, "1", gigabytes(3)).await;
    assert_eq!(told(&world, "Not charged").await, 0, "nothing is due yet");
    uses(&world, "2", gigabytes(2)).await;
    uses(&world, "3", Bytes::MB).await;
    assert_eq!((told(&world, "Not charged").await, world.recharges().await), (1, 1));
}

#[tokio::test]
async fn an_alert_says_when_a_recharge_comes() {
    let world = world("held_comes").await;
    edit(&world, |rule| rule.limits.cap_per_month.as_mut().expect("a cap").amount_minor = 9000)
        .await;
    uses(&world, "1", gigabytes(3)).await;
    let comes = "2 GB left. A recharge comes when 1 GB or less is left.";
    assert_eq!(told(&world, comes).await, 1, "{:?}", world.told().await);
}

#[tokio::test]
async fn an_announced_date_that_finds_the_month_full_is_told() {
    let world = world("held_date").await;
    edit(&world, |rule| {
        rule.alert = None;
        rule.armed_at = now(&world);
        rule.amount = Amount::FixedData { bytes: gigabytes(5) };
        let schedule = Schedule {
            every: 10,
            unit: Unit::Day,
            at: TimeOfDay::parse("09:00").expect("a time"),
            start: now(&world).plus(Span::days(1)).to_string()[..10].parse().expect("a date"),
        };
        rule.triggers = Triggers { scheduled: Some(schedule), ..Triggers::default() };
    })
    .await;
    let not_made = "was not made; no money moved. Not charged: EUR 15.00 of this month's EUR 20.00";
    for _ in 0..80 {
        world.look().await;
        world.drain().await;
        world.pass(Span::hours(1));
    }
    assert_eq!(told(&world, "At most EUR 15.00").await, 1, "announced: {:?}", world.told().await);
    assert_eq!(told(&world, not_made).await, 1, "{:?}", world.told().await);
    assert_eq!(told(&world, "Not charged").await, 1, "said once, not twice");
    assert_eq!(world.recharges().await, 1);
}
