//! What gateway and carrier state of the same recharges, beside what we decided: the three agree.

use super::world::{ICCID, World};
use crate::sandbox::{Request, carrier::NextTopUp, provider};
use laika_core::{
    id::IdempotencyKey,
    recharge::Status,
    reconcile::{Decided, Decisions, Kind, Payment, PaymentState, Reconciliation, reconcile},
    time::{Instant, Span},
};

const FROM: Instant = Instant::from_seconds(0);

/// The three, compared when all is old enough.
async fn compared(world: &World) -> Reconciliation {
    world.pass(Span::hours(25));
    let now = world.app.clock.now();
    let (gateway, carrier) = (world.app.gateway(), world.app.carrier());
    let (gateway, carrier) = (gateway.expect("a gateway"), carrier.expect("a carrier"));
    let payments = gateway.statement(FROM, now).await.expect("a statement");
    let top_ups = carrier.statement(FROM, now).await.expect("a statement");
    assert_eq!((payments.until, top_ups.until), (now, now), "complete up to now");
    let recharge = world.last().await.recharge;
    let decided = Decided::of(recharge, None, vec![]);
    let decisions = Decisions { recharges: vec![decided], barriers: vec![] };
    reconcile(&decisions, &payments, &top_ups, now).expect("sums that fit")
}

async fn payments(world: &World) -> Vec<Payment> {
    let now = world.app.clock.now();
    world.app.gateway().expect("a gateway").statement(FROM, now).await.expect("a statement").rows
}

#[tokio::test]
async fn a_recharge_stands_in_both_statements_under_its_keys_and_nothing_differs() {
    let world = World::new("statements", &["later_declined", "works"]).await;
    world.run_low().await;
    world.drain().await;
    assert_eq!(world.status().await, Status::Done);
    let recharge = world.last().await.recharge;
    let rows = payments(&world).await;
    let keys: Vec<_> = rows.iter().filter_map(|row| row.key.clone()).collect();
    let ours: Vec<_> = recharge.attempts.iter().map(|it| it.idempotency_key.clone()).collect();
    assert_eq!(keys, ours);
    assert_eq!(rows[0].state, PaymentState::NotCharged);
    let carrier = world.app.carrier().expect("a carrier");
    let now = world.app.clock.now();
    let top_ups = carrier.statement(FROM, now).await.expect("a statement");
    let [top_up] = top_ups.rows.as_slice() else { panic!("one top-up") };
    assert_eq!(top_up.key, Some(IdempotencyKey::of_top_up(&recharge.id)));
    assert!(top_up.given.is(recharge.order.adds));
    let balance = carrier.balance(ICCID).await.expect("a balance");
    assert_eq!((balance.data, balance.credit.len()), (recharge.order.adds.bytes(), 0));
    let found = compared(&world).await;
    assert_eq!(found.differences, []);
    assert_eq!(found.checked.open, 0);
}

#[tokio::test]
async fn money_that_went_back_is_in_the_statement() {
    let world = World::new("returned", &["works"]).await;
    world.script_delivery(NextTopUp::Refused).await;
    world.run_low().await;
    world.drain().await;
    for _ in 0..13 {
        world.script_delivery(NextTopUp::Refused).await;
        world.pass(Span::minutes(5));
        world.drain().await;
    }
    assert_eq!(world.status().await, Status::Refunded);
    let rows = payments(&world).await;
    let back: i64 = rows[0].refunds.iter().map(|refund| refund.amount_minor).sum();
    assert_eq!(back, 1500);
    assert_eq!(compared(&world).await.differences, []);
}

#[tokio::test]
async fn a_dispute_is_stated_until_it_is_decided_and_a_lost_one_is_a_difference() {
    let world = World::new("disputed", &["works"]).await;
    world.run_low().await;
    world.drain().await;
    let payment = payments(&world).await.remove(0).id;
    let request = provider::Request::Dispute { payment: payment.clone() };
    world.ask(Request::Provider(request)).await.expect("disputed");
    let disputes = world.app.gateway().expect("a gateway").disputes(0).await.expect("a list");
    let [dispute] = disputes.as_slice() else { panic!("one dispute") };
    assert_eq!((dispute.payment.as_ref(), dispute.amount.amount_minor), (Some(&payment), 1500));
    let stated = payments(&world).await.remove(0).disputes.remove(0);
    assert_eq!((stated.open, stated.withdrawn_minor, stated.reinstated_minor), (true, 1500, 0));
    assert_eq!(compared(&world).await.checked.open, 1, "nothing open is a difference");
    let decision = provider::Request::DecideDispute { dispute: dispute.id.clone(), won: false };
    world.ask(Request::Provider(decision.clone())).await.expect("decided");
    let refused = world.ask(Request::Provider(decision)).await.expect_err("decided once");
    assert_eq!(refused.code, "dispute_closed");
    let found = compared(&world).await;
    let kinds: Vec<_> = found.differences.iter().map(|it| it.kind).collect();
    assert_eq!(kinds, [Kind::MissingCharge]);
}

#[tokio::test]
async fn what_a_statement_has_told_stays_what_happened_before_its_end() {
    let world = World::new("told", &["works"]).await;
    world.run_low().await;
    world.drain().await;
    // Asked by a server whose clock is before that of whoever asks next.
    world.pass(Span::minutes(1));
    let asked_at = world.app.clock.now();
    let carrier = world.app.carrier().expect("a carrier");
    let top_ups = carrier.statement(FROM, Instant::MAX).await.expect("a statement");
    assert!(top_ups.until >= asked_at, "{}", top_ups.until);
    assert_eq!(top_ups.rows.len(), 1);
    let request = Request::Carrier(crate::sandbox::carrier::Request::TopUp {
        key: "late".to_owned(),
        give: crate::carrier::contract::Give {
            iccid: ICCID.to_owned(),
            data_bytes: 1,
            validity_days: None,
            credit_minor: 0,
            currency: "EUR".to_owned(),
            metadata: Default::default(),
        },
    });
    world.ask(request).await.expect("delivered");
    let again = carrier.statement(FROM, top_ups.until).await;
    assert_eq!(again.expect("a statement"), top_ups, "nothing was added to it");
}
