//! Defects planted into honest worlds, one of each kind, with what must be found for it.

use super::back::{give_back, given, hears, kept};
use super::method;
use super::world::World;
use crate::cases::money;
use crate::parity::Dice;
use laika_core::bytes::Bytes;
use laika_core::id::{IdempotencyKey, RechargeId};
use laika_core::money::{Currency, Money};
use laika_core::recharge::{Fact, Outcome, Recharge, Status};
use laika_core::reconcile::{Barrier, Decided, Dispute, Given, Payment, PaymentState, TopUp};
use laika_core::returns::{DisputeStatus, ReturnFact};
use laika_core::time::Span;

/// What must be found.
pub(super) struct Planted {
    pub kind: &'static str,
    pub remedy: &'static str,
    pub recharge_id: Option<RechargeId>,
    pub refund_minor: Option<i64>,
}

type Plant = fn(&mut Dice, &mut World) -> Option<Planted>;

pub(super) const PLANTS: [(&str, Plant); 23] = [
    ("a top-up missing in the statement", no_top_up),
    ("a payment missing in the list", no_payment),
    ("a cent too much", a_cent_too_much),
    ("a cent too little", a_cent_too_little),
    ("another currency", another_currency),
    ("less credit than ordered", less_credit),
    ("a second payment under the same key", second_payment),
    ("a capture of another attempt, not given back", second_attempt_kept),
    ("sent after off", sent_after_off),
    ("sent with a removed method", sent_with_removed_method),
    ("over the cap", over_the_cap),
    ("a capture after the end, not given back", late_capture_kept),
    ("not delivered and not given back", undelivered_and_kept),
    ("a return that did not arrive", return_failed),
    ("given back outside our flow", given_back_outside),
    ("partly given back outside our flow", partly_given_back_outside),
    ("a dispute that was lost", dispute_lost),
    ("a second top-up", second_top_up),
    ("a top-up after the money went back", delivered_after_refund),
    ("a payment of no recharge", unknown_payment),
    ("a top-up of no recharge", unknown_top_up),
    ("a payment told in two ways", told_in_two_ways),
    ("a negative refund", negative_refund),
];

/// Some defects at once, each in a recharge of its own where it finds one.
pub(super) fn plant_some(dice: &mut Dice, world: &mut World, count: u32) {
    for _ in 0..count {
        let (_, plant) = PLANTS[dice.roll(PLANTS.len() as u64) as usize];
        plant(dice, world);
    }
}

fn found(
    kind: &'static str,
    remedy: &'static str,
    recharge: &Recharge,
    refund_minor: Option<i64>,
) -> Option<Planted> {
    Some(Planted { kind, remedy, recharge_id: Some(recharge.id.clone()), refund_minor })
}

/// One of the recharges for which this holds.
fn one(dice: &mut Dice, world: &World, holds: impl Fn(&Recharge) -> bool) -> Option<Recharge> {
    let recharges = world.decisions.recharges.iter().map(|decided| &decided.recharge);
    let fit: Vec<&Recharge> = recharges.filter(|recharge| holds(recharge)).collect();
    let place = dice.roll(fit.len().max(1) as u64) as usize;
    fit.get(place).map(|recharge| (*recharge).clone())
}

/// One that is done, kept and as it should be, with the place of its payment.
fn one_done(dice: &mut Dice, world: &World) -> Option<(Recharge, usize)> {
    one_done_where(dice, world, |_| true)
}

fn one_done_where(
    dice: &mut Dice,
    world: &World,
    holds: impl Fn(&Recharge) -> bool,
) -> Option<(Recharge, usize)> {
    let recharge = one(dice, world, |recharge| {
        let done = recharge.status == Status::Done;
        let paid = place_of(world, recharge).map(|place| &world.gateway.rows[place]);
        let whole = paid.is_some_and(|row| kept(row) == recharge.order.amount);
        let key = IdempotencyKey::of_top_up(&recharge.id);
        let came =
            |row: &TopUp| row.key.as_ref() == Some(&key) && row.given == given(recharge.order.adds);
        done && whole
            && world.carrier.rows.iter().filter(|row| came(row)).count() == 1
            && holds(recharge)
    })?;
    let place = place_of(world, &recharge)?;
    Some((recharge, place))
}

/// Where the payment stands that the recharge keeps.
fn place_of(world: &World, recharge: &Recharge) -> Option<usize> {
    let key = &recharge.kept_capture()?.idempotency_key;
    world.gateway.rows.iter().position(|row| row.key.as_ref() == Some(key))
}

fn captured(row: &mut Payment, change: impl Fn(&mut Money)) {
    if let PaymentState::Captured { amount, .. } = &mut row.state {
        change(amount);
    }
}

fn no_top_up(dice: &mut Dice, world: &mut World) -> Option<Planted> {
    let (recharge, _) = one_done(dice, world)?;
    let key = IdempotencyKey::of_top_up(&recharge.id);
    world.carrier.rows.retain(|row| row.key.as_ref() != Some(&key));
    found("missing_credit", "case", &recharge, None)
}

fn no_payment(dice: &mut Dice, world: &mut World) -> Option<Planted> {
    let (recharge, place) = one_done(dice, world)?;
    world.gateway.rows.remove(place);
    found("missing_charge", "never_charged", &recharge, None)
}

fn a_cent_too_much(dice: &mut Dice, world: &mut World) -> Option<Planted> {
    let (recharge, place) = one_done(dice, world)?;
    captured(&mut world.gateway.rows[place], |amount| amount.amount_minor += 1);
    found("amount", "refund", &recharge, Some(1))
}

fn a_cent_too_little(dice: &mut Dice, world: &mut World) -> Option<Planted> {
    let (recharge, place) = one_done(dice, world)?;
    captured(&mut world.gateway.rows[place], |amount| amount.amount_minor -= 1);
    found("amount", "never_charged", &recharge, None)
}

fn another_currency(dice: &mut Dice, world: &mut World) -> Option<Planted> {
    let (recharge, place) = one_done(dice, world)?;
    let yen = Currency::from_code("JPY").expect("a currency");
    captured(&mut world.gateway.rows[place], |amount| amount.currency = yen);
    found("currency", "case", &recharge, None)
}

fn less_credit(dice: &mut Dice, world: &mut World) -> Option<Planted> {
    let (recharge, _) = one_done(dice, world)?;
    let key = IdempotencyKey::of_top_up(&recharge.id);
    let row = world.carrier.rows.iter_mut().find(|row| row.key.as_ref() == Some(&key))?;
    row.given = Given { bytes: Bytes::MB, credit: None };
    found("amount", "case", &recharge, None)
}

fn second_payment(dice: &mut Dice, world: &mut World) -> Option<Planted> {
    let (recharge, place) = one_done(dice, world)?;
    let mut row = world.gateway.rows[place].clone();
    row.id = format!("{}-again-{}", row.id, world.gateway.rows.len());
    (row.refunds, row.disputes) = (vec![], vec![]);
    world.gateway.rows.push(row);
    found("duplicate", "refund", &recharge, Some(recharge.order.amount.amount_minor))
}

/// Undoes the refund of a capture that a recharge does not keep.
fn undo_refund(
    dice: &mut Dice,
    world: &mut World,
    holds: fn(&Recharge) -> bool,
    kept_beside: bool,
) -> Option<(Recharge, i64)> {
    let recharge = one(dice, world, |recharge| {
        let kept_whole = place_of(world, recharge)
            .is_some_and(|place| kept(&world.gateway.rows[place]) == recharge.order.amount);
        holds(recharge) && kept_whole == kept_beside && given_back(world, recharge).is_some()
    })?;
    let place = given_back(world, &recharge)?;
    let row = &mut world.gateway.rows[place];
    row.refunds.clear();
    Some((recharge, kept(row).amount_minor))
}

/// A payment of the recharge that our record has as given back, and that is.
fn given_back(world: &World, recharge: &Recharge) -> Option<usize> {
    let back = recharge
        .attempts
        .iter()
        .find(|a| matches!(a.outcome, Some(Outcome::Captured { refunded: true, .. })))?;
    let key = Some(&back.idempotency_key);
    let rows = &world.gateway.rows;
    let place = rows.iter().position(|row| row.key.as_ref() == key)?;
    (kept(&rows[place]).amount_minor == 0
        && rows.iter().filter(|r| r.key.as_ref() == key).count() == 1)
        .then_some(place)
}

fn second_attempt_kept(dice: &mut Dice, world: &mut World) -> Option<Planted> {
    let (recharge, minor) = undo_refund(dice, world, |it| it.status == Status::Done, true)?;
    found("duplicate", "refund", &recharge, Some(minor))
}

fn late_capture_kept(dice: &mut Dice, world: &mut World) -> Option<Planted> {
    let uncharged = |it: &Recharge| matches!(it.status, Status::Failed | Status::Cancelled);
    let (recharge, minor) = undo_refund(dice, world, uncharged, false)?;
    found("missing_credit", "refund", &recharge, Some(minor))
}

fn undelivered_and_kept(dice: &mut Dice, world: &mut World) -> Option<Planted> {
    let undelivered = |it: &Recharge| {
        let delivered = it.facts.iter().any(|seen| matches!(seen.fact, Fact::Delivered { .. }));
        it.status == Status::Refunded && !delivered
    };
    let (recharge, minor) = undo_refund(dice, world, undelivered, false)?;
    found("missing_credit", "refund", &recharge, Some(minor))
}

fn return_failed(dice: &mut Dice, world: &mut World) -> Option<Planted> {
    let place = |world: &World, recharge: &Recharge| {
        let same = |d: &&Decided| d.recharge.id == recharge.id;
        let returns = &world.decisions.recharges.iter().find(same)?.returns;
        let minor = returns.first()?.refunds.first()?.amount.amount_minor;
        let place = place_of(world, recharge)?;
        let row = &world.gateway.rows[place];
        let as_it_is = returns.len() == 1 && row.refunds.len() == 1;
        let left = kept(row).amount_minor + minor == recharge.order.amount.amount_minor;
        (as_it_is && left).then_some(place)
    };
    let recharge = one(dice, world, |recharge| place(world, recharge).is_some())?;
    let place = place(world, &recharge)?;
    world.gateway.rows[place].refunds.clear();
    found("amount", "case", &recharge, None)
}

fn sent_after_off(dice: &mut Dice, world: &mut World) -> Option<Planted> {
    let (recharge, place) = one_done_where(dice, world, Recharge::automatic)?;
    let sent = world.gateway.rows[place].created_at;
    let line_id = recharge.line_id.clone();
    let (from, until) = (sent.minus(Span(1)), Some(sent.plus(Span(1))));
    world.decisions.barriers.push(Barrier { line_id, payment_method_id: None, from, until });
    found("after_off", "refund", &recharge, Some(recharge.order.amount.amount_minor))
}

fn sent_with_removed_method(dice: &mut Dice, world: &mut World) -> Option<Planted> {
    let (recharge, place) = one_done(dice, world)?;
    let attempt = recharge.kept_capture()?;
    let sent = world.gateway.rows[place].created_at;
    let (line_id, name) = (recharge.line_id.clone(), attempt.payment_method_id.as_str());
    let payment_method_id = Some(method(name));
    let (from, until) = (sent.minus(Span(1)), Some(sent.plus(Span(1))));
    world.decisions.barriers.push(Barrier { line_id, payment_method_id, from, until });
    found("after_off", "refund", &recharge, Some(recharge.order.amount.amount_minor))
}

fn over_the_cap(dice: &mut Dice, world: &mut World) -> Option<Planted> {
    let capped = |world: &World, recharge: &Recharge| {
        let same = |d: &&Decided| d.recharge.id == recharge.id;
        world.decisions.recharges.iter().find(same).is_some_and(|d| d.cap.is_some())
    };
    let (recharge, _) = one_done_where(dice, world, |recharge| capped(world, recharge))?;
    let least = Money::new(recharge.order.amount.amount_minor - 1, money("1").currency);
    let same = |d: &&mut Decided| d.recharge.id == recharge.id;
    let decided = world.decisions.recharges.iter_mut().find(same)?;
    decided.cap.as_mut()?.most = least;
    found("over_cap", "refund", &recharge, Some(recharge.order.amount.amount_minor))
}

fn given_back_outside(dice: &mut Dice, world: &mut World) -> Option<Planted> {
    let (recharge, place) = one_done(dice, world)?;
    give_back(&mut world.gateway.rows[place], 1, world.end);
    let (refund, amount) = ("seen".to_owned(), recharge.order.amount);
    perhaps_hears(dice, world, &recharge, &ReturnFact::Refunded { key: None, refund, amount });
    found("missing_charge", "never_charged", &recharge, None)
}

/// Whether our record knows of it or not, it was not decided by us.
fn perhaps_hears(dice: &mut Dice, world: &mut World, recharge: &Recharge, fact: &ReturnFact) {
    let end = world.end;
    let same = |d: &&mut Decided| d.recharge.id == recharge.id;
    if let Some(decided) = world.decisions.recharges.iter_mut().find(same)
        && dice.roll(2) == 0
    {
        hears(decided, fact, end);
    }
}

fn partly_given_back_outside(dice: &mut Dice, world: &mut World) -> Option<Planted> {
    let (recharge, place) = one_done(dice, world)?;
    let row = &mut world.gateway.rows[place];
    give_back(row, 1, world.end);
    row.refunds.last_mut()?.amount_minor = 100;
    found("missing_charge", "never_charged", &recharge, None)
}

fn dispute_lost(dice: &mut Dice, world: &mut World) -> Option<Planted> {
    let (recharge, place) = one_done(dice, world)?;
    let (withdrawn_minor, changed_at) = (recharge.order.amount.amount_minor, world.end);
    let id = format!("lost-{place}");
    let lost = Dispute { id, open: false, withdrawn_minor, reinstated_minor: 0, changed_at };
    world.gateway.rows[place].disputes.push(lost);
    let (dispute, amount) = (format!("lost-{place}"), recharge.order.amount);
    let status = DisputeStatus::Lost;
    perhaps_hears(
        dice,
        world,
        &recharge,
        &ReturnFact::Disputed { dispute, amount, status, instead: false },
    );
    found("missing_charge", "never_charged", &recharge, None)
}

fn second_top_up(dice: &mut Dice, world: &mut World) -> Option<Planted> {
    let (recharge, _) = one_done(dice, world)?;
    let key = IdempotencyKey::of_top_up(&recharge.id);
    let row = world.carrier.rows.iter().find(|row| row.key.as_ref() == Some(&key))?;
    let row = TopUp { id: format!("{}-again-{}", row.id, world.carrier.rows.len()), ..row.clone() };
    world.carrier.rows.push(row);
    found("missing_charge", "never_charged", &recharge, None)
}

fn delivered_after_refund(dice: &mut Dice, world: &mut World) -> Option<Planted> {
    let recharge = one(dice, world, |recharge| {
        let key = IdempotencyKey::of_top_up(&recharge.id);
        recharge.status == Status::Refunded
            && given_back(world, recharge).is_some()
            && !world.carrier.rows.iter().any(|row| row.key.as_ref() == Some(&key))
    })?;
    world.carrier.rows.push(TopUp {
        id: format!("t-{}-late", recharge.id),
        key: Some(IdempotencyKey::of_top_up(&recharge.id)),
        given: given(recharge.order.adds),
        delivered_at: world.end,
    });
    found("missing_charge", "never_charged", &recharge, None)
}

fn unknown_payment(dice: &mut Dice, world: &mut World) -> Option<Planted> {
    let (_, place) = one_done(dice, world)?;
    let mut row = world.gateway.rows[place].clone();
    row.id = format!("{}-unknown-{}", row.id, world.gateway.rows.len());
    (row.refunds, row.disputes) = (vec![], vec![]);
    row.key = None;
    world.gateway.rows.push(row);
    Some(Planted { kind: "unknown", remedy: "case", recharge_id: None, refund_minor: None })
}

fn unknown_top_up(dice: &mut Dice, world: &mut World) -> Option<Planted> {
    let (recharge, _) = one_done(dice, world)?;
    let row = TopUp {
        id: format!("t-unknown-{}", world.carrier.rows.len()),
        key: IdempotencyKey::new("nobody-r1-t"),
        given: given(recharge.order.adds),
        delivered_at: world.end,
    };
    world.carrier.rows.push(row);
    let (kind, remedy) = ("missing_charge", "never_charged");
    Some(Planted { kind, remedy, recharge_id: None, refund_minor: None })
}

fn told_in_two_ways(dice: &mut Dice, world: &mut World) -> Option<Planted> {
    let (recharge, place) = one_done(dice, world)?;
    let mut row = world.gateway.rows[place].clone();
    captured(&mut row, |amount| amount.amount_minor += 1);
    world.gateway.rows.push(row);
    found("contradictory", "case", &recharge, None)
}

fn negative_refund(dice: &mut Dice, world: &mut World) -> Option<Planted> {
    let (recharge, place) = one_done(dice, world)?;
    let row = &mut world.gateway.rows[place];
    give_back(row, 1, world.end);
    row.refunds.last_mut()?.amount_minor = -1;
    found("contradictory", "case", &recharge, None)
}
