//! What ends a suspension and what does not, and switches that race each other.

use super::{ACCOUNT, World, authenticated, card, code, gigabytes};
use crate::{
    flow::switch_rule::Switch,
    store::{
        payment_methods::{self, Method, instrument},
        rules,
    },
};
use laika_core::{
    api::TurnOn, decide::Suspension, draft::RuleDraft, id::PaymentMethodId, recharge::Status,
};

fn id(text: &str) -> PaymentMethodId {
    PaymentMethodId::new(text).expect("an id")
}

/// Another card of the account.
async fn add(world: &World, name: &str) {
    let fingerprint = format!("fp_{name}");
    let method = Method {
        id: id(&format!("pm_{name}")),
        token: format!("tok_{name}"),
        instrument: instrument(&fingerprint, 2034, 12),
        fingerprint,
        ..card()
    };
    let mut tx = world.app.store.write().await.expect("a transaction");
    let now = world.app.clock.now();
    payment_methods::insert(&mut tx, ACCOUNT, &method, now).await.expect("a card");
    tx.commit().await;
}

/// Saves a rule with these cards, and turns it on where there are any; whether it is suspended.
async fn save(world: &World, key: &str, names: &[&str]) -> bool {
    let methods: Vec<_> = names.iter().map(|name| id(&format!("pm_{name}"))).collect();
    let edit = |draft: &mut RuleDraft| draft.payment_methods.clone_from(&methods);
    world.save(key, edit).await.expect("saved");
    if !names.is_empty() {
        world.turn_on().await.expect("on");
    }
    let mut conn = world.app.store.read().await.expect("a snapshot");
    let stored = rules::get(&mut conn, &world.line).await.expect("read");
    stored.expect("a rule").suspended.is_some()
}

async fn suspend(world: &World, why: Suspension) {
    let mut tx = world.app.store.write().await.expect("a transaction");
    rules::suspend(&mut tx, &world.line, Some(why)).await.expect("suspended");
    tx.commit().await;
}

#[tokio::test]
async fn a_card_left_out_and_taken_in_again_ends_no_suspension() {
    for why in [Suspension::NotDelivered, Suspension::CustomerNeeded, Suspension::Declined] {
        let world = World::new().await;
        add(&world, "b").await;
        assert!(!save(&world, "k1", &["test", "b"]).await);
        suspend(&world, why).await;
        for (key, cards) in [
            ("k2", &["test"][..]),
            ("k3", &["test", "b"]),
            ("k4", &["b"]),
            ("k5", &[]),
            ("k6", &["test"]),
            ("k7", &["b", "test"]),
        ] {
            assert!(save(&world, key, cards).await, "{cards:?} after {why:?}");
        }
        world.uses("1", gigabytes(9)).await;
        assert_eq!(world.recharges().await, [], "{why:?}");
        add(&world, "c").await;
        assert!(!save(&world, "k8", &["b", "c"]).await, "another card ends {why:?}");
        assert_eq!(world.recharges().await, [Status::Opened]);
    }
}

#[tokio::test]
async fn a_card_of_long_before_is_another_one_to_a_suspension_since() {
    let world = World::new().await;
    add(&world, "b").await;
    save(&world, "k1", &["test"]).await;
    save(&world, "k2", &["b"]).await;
    suspend(&world, Suspension::CustomerNeeded).await;
    suspend(&world, Suspension::NotDelivered).await;
    assert!(save(&world, "k3", &["b"]).await);
    assert!(!save(&world, "k4", &["test"]).await, "what was suspended never named it");
}

#[tokio::test]
async fn what_was_agreed_to_before_off_turns_nothing_on_after_it() {
    let world = World::new().await;
    world.save("k1", |_| {}).await.expect("saved");
    let view = world.rule().await;
    let agreed = TurnOn {
        rule_version: view.rule.expect("a rule").version,
        consent_sha256: view.consent.expect("a text").sha256,
    };
    world.switch(Switch::On(&agreed, authenticated())).await.expect("on");
    world.switch(Switch::On(&agreed, authenticated())).await.expect("the same click once more");
    world.switch(Switch::Off).await.expect("off");
    let late = world.switch(Switch::On(&agreed, authenticated())).await;
    assert_eq!(code(late), "consent_stale");
    assert!(!world.rule().await.rule.expect("a rule").on);
}
