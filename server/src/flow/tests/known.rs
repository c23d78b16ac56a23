//! What is remembered of a line between two groups of usage is what would be read: whatever another
//! process changes meanwhile is seen by the next event. And the record of each reason not to charge
//! is the one that the last look made, though most looks keep figures only.

use super::{ACCOUNT, World, card, gigabytes};
use crate::{
    App,
    clock::Clock,
    flow::{
        change_zone::change_zone,
        inputs, remove_payment_method,
        switch_rule::{self, Switch},
    },
    store::{accounts, lines, looks, payment_methods, settings},
};
use laika_core::{
    bytes::Bytes,
    decide::Cause,
    record::{DecisionRecord, canonical},
    time::Span,
};

/// The same database, as another process has it.
async fn elsewhere(world: &World) -> crate::Shared {
    App::open(world.app.config.clone(), Clock::at(world.app.clock.now())).await.expect("opens")
}

/// The newest record, which must be what deciding now from everything in the database makes.
async fn newest(world: &World) -> DecisionRecord {
    let mut conn = world.app.store.read().await.expect("a snapshot");
    let id = world.line.id.as_str();
    let line = lines::get(&mut conn, ACCOUNT, id).await.expect("read").expect("the line");
    let all = looks::of_line(&mut conn, &line).await.expect("read");
    let now = line.newest_at;
    let inputs = inputs::load(&mut conn, &line, now).await.expect("read");
    let rule = inputs.stored.expect("a rule").rule;
    let made = DecisionRecord::make(&rule, &inputs.account, &inputs.history, &Cause::Usage, now);
    let newest = all.into_iter().next().expect("a look");
    let text = |record| String::from_utf8(canonical(record)).expect("JSON");
    assert_eq!(text(&newest), text(&made));
    newest
}

fn reason(record: &DecisionRecord) -> &'static str {
    record.decision.reason().map_or("none", |reason| reason.code())
}

async fn on() -> World {
    let world = World::new().await;
    world.save("k1", |_| {}).await.expect("saved");
    world.turn_on().await.expect("on");
    world.uses("first", Bytes::MB).await;
    world.uses("second", Bytes::MB).await;
    world
}

#[tokio::test]
async fn each_record_is_the_last_looks_though_only_figures_were_kept() {
    let world = on().await;
    for number in 0..3 {
        world.pass(1);
        world.uses(&format!("{number}"), Bytes::MB).await;
        assert_eq!(reason(&newest(&world).await), "not_due");
    }
    let before = newest(&world).await;
    world.uses("much", gigabytes(9)).await;
    world.uses("after", Bytes::MB).await;
    let after = newest(&world).await;
    assert_eq!(reason(&after), "recharge_open");
    world.pass(1);
    world.uses("later", Bytes::MB).await;
    assert_ne!(newest(&world).await, after);
    let mut conn = world.app.store.read().await.expect("a snapshot");
    let all = looks::of_line(&mut conn, &world.line).await.expect("read");
    let not_due: Vec<_> = all.iter().filter(|record| reason(record) == "not_due").collect();
    assert_eq!(not_due, [&before], "the latest of a reason that is not the latest any more");
    assert!(all.iter().all(|record| record.rerun().as_ref() == Some(&record.decision)));
}

#[tokio::test]
async fn a_rule_that_another_process_switched_off_is_off() {
    let world = on().await;
    let other = elsewhere(&world).await;
    let (account, id) = (&world.line.account_id, world.line.id.as_str());
    switch_rule::switch(&other, account, id, Switch::Off).await.expect("off");
    world.uses("low", gigabytes(9)).await;
    assert_eq!(reason(&newest(&world).await), "rule_off");
    assert!(world.recharges().await.is_empty());
}

#[tokio::test]
async fn a_method_that_another_process_removed_is_gone() {
    let world = on().await;
    let other = elsewhere(&world).await;
    remove_payment_method::remove(&other, ACCOUNT, card().id.as_str()).await.expect("removed");
    world.uses("low", gigabytes(9)).await;
    assert_eq!(reason(&newest(&world).await), "no_usable_method");
}

#[tokio::test]
async fn a_stop_of_all_charging_is_seen() {
    let world = on().await;
    let mut tx = elsewhere(&world).await.store.write().await.expect("a transaction");
    settings::stop_charging(&mut tx, true).await.expect("stopped");
    tx.commit().await;
    world.uses("low", gigabytes(9)).await;
    assert_eq!(reason(&newest(&world).await), "stopped_by_operator");
}

#[tokio::test]
async fn declines_of_the_card_in_another_account_count_until_they_are_too_old() {
    let world = on().await;
    let mut tx = elsewhere(&world).await.store.write().await.expect("a transaction");
    for number in 0..10 {
        let (key, now) = (format!("declined-{number}"), world.app.clock.now());
        let fingerprint = &card().fingerprint;
        payment_methods::declined(&mut tx, "acc_other", &key, fingerprint, now)
            .await
            .expect("kept");
    }
    tx.commit().await;
    world.uses("low", gigabytes(9)).await;
    assert_eq!(reason(&newest(&world).await), "no_usable_method");
    world.uses("still", Bytes::MB).await;
    world.app.clock.set(world.app.clock.now().plus(Span::days(30)));
    world.uses("a month later", Bytes::MB).await;
    assert_eq!(world.recharges().await.len(), 1);
}

#[tokio::test]
async fn a_change_of_zone_is_seen() {
    let world = on().await;
    let other = elsewhere(&world).await;
    let (now, mut tx) = (other.clock.now(), other.store.write().await.expect("a transaction"));
    let line = lines::lock(&mut tx, ACCOUNT, world.line.id.as_str(), now).await.expect("locked");
    let account = accounts::get(&mut tx, ACCOUNT).await.expect("read").expect("the account");
    let lines = [line.expect("the line")];
    change_zone(&mut tx, account, &lines, "Asia/Tokyo".into(), now).await.expect("moved");
    tx.commit().await;
    world.uses("there", Bytes::MB).await;
    assert_eq!(newest(&world).await.account.zone.name, "Asia/Tokyo");
}

#[tokio::test]
async fn data_that_another_process_counted_is_counted() {
    let world = on().await;
    let elsewhere = World {
        app: elsewhere(&world).await,
        line: world.line.clone(),
        _folder: crate::store::tests::Folder::new(),
    };
    for number in 0..4 {
        elsewhere.uses(&format!("there {number}"), gigabytes(1)).await;
        world.uses(&format!("here {number}"), gigabytes(1)).await;
        newest(&world).await;
    }
    assert_eq!(world.audit().await, Vec::<String>::new());
    assert_eq!(newest(&world).await.account.available_bytes.get(), 10_000_000_000 - 8_002_000_000);
}
