//! What happened before in a random world, and what holds it: past recharges, what is consumed,
//! announcements, limits with room for exactly one more, and now and then an obstacle.

use super::calendar::{date, instants};
use super::naive::World;
use crate::parity::Dice;
use chrono::Days;
use laika_core::bytes::Bytes;
use laika_core::catalogue::Terms;
use laika_core::decide::{Cause, Notice, PastRecharge, Standing, Suspension, TriggerDue};
use laika_core::id::RechargeId;
use laika_core::money::Money;
use laika_core::rule::{Adds, Amount, Threshold};
use laika_core::time::{Instant, Span};

/// Gives a world a past, and what follows from it; `ids` are those of its recharges.
pub(super) fn happen(dice: &mut Dice, ids: &[RechargeId], world: &mut World) {
    arm(dice, world);
    recharges(dice, ids, world);
    balance(dice, world);
    expiry(dice, world);
    notices(dice, world);
    submission(dice, world);
    limits(dice, world);
    obstacles(dice, world);
    if dice.one_in(8) {
        obstacles(dice, world);
    }
}

/// What happened before: most of it spent, at most one automatic recharge open.
fn recharges(dice: &mut Dice, ids: &[RechargeId], world: &mut World) {
    let mut opened: Vec<Instant> = (0..dice.roll(5)).map(|_| past_instant(dice, world)).collect();
    opened.sort_unstable();
    let mut open = !dice.one_in(8);
    for (number, opened_at) in opened.into_iter().enumerate() {
        let automatic = !dice.one_in(4);
        let mut standing = *dice.pick(&[
            Standing::Spent,
            Standing::Spent,
            Standing::Spent,
            Standing::Released,
            Standing::Open,
            Standing::Unknown,
        ]);
        let stands_open = matches!(standing, Standing::Open | Standing::Unknown);
        if stands_open && (automatic || standing == Standing::Unknown) {
            if open {
                standing = Standing::Spent;
            }
            open = true;
        }
        let price = world.account.terms.step.expect("a step").price;
        let amount = Money::new(price.amount_minor * dice.roll(6) as i64, price.currency);
        let data = Adds::Data {
            bytes: Bytes::MB.checked_mul(dice.roll(2000)).expect("few bytes"),
            steps: 1,
            validity_days: 30,
        };
        let later = Span::minutes(*dice.pick(&[0, 0, 0, 90, 600]));
        world.history.recharges.push(PastRecharge {
            id: ids[number].clone(),
            automatic,
            standing,
            opened_at,
            reserved_at: opened_at.plus(later).min(world.now),
            amount,
            adds: if dice.one_in(4) { Adds::Credit(amount) } else { data },
        });
    }
}

/// A past instant, often where day, month or cool-down turn.
fn past_instant(dice: &mut Dice, world: &World) -> Instant {
    let now = world.now;
    let edge = match dice.roll(5) {
        0 => world.day().from,
        1 => world.month().from,
        2 => now.minus(world.rule.limits.cool_down()),
        3 => now.minus(Span::minutes(dice.roll(1440) as i64)),
        _ => now.minus(Span::minutes(dice.roll(40 * 1440) as i64)),
    };
    dice.near(edge).min(now)
}

/// From when on scheduled instants count, and up to where they are consumed or skipped.
fn arm(dice: &mut Dice, world: &mut World) {
    let now = world.now;
    world.rule.armed_at = match dice.roll(4) {
        0 => dice.near(now).min(now),
        _ => now.minus(Span::days(40)),
    };
    let Some(schedule) = &world.rule.triggers.scheduled else { return };
    let zone = &world.account.zone;
    let last = date(zone, now) + Days::new(6);
    let all: Vec<_> = instants(schedule, zone, last).collect();
    let passed = all.iter().copied().filter(|at| *at <= now);
    world.history.consumed_through = match dice.roll(6) {
        0 => passed.max(),
        1 | 2 => passed.filter(|at| now.since(*at) > Span::hours(1)).max(),
        3 => Some(dice.near(now)).filter(|at| *at <= now),
        _ => None,
    };
    if dice.one_in(6) {
        let near = all.iter().copied().min_by_key(|at| at.since(now).0.abs());
        let moved = Span::minutes(*dice.pick(&[0, 0, 0, 0, 90, -660, 840, 721]));
        world.rule.skip_at = near.map(|at| at.plus(moved));
        if dice.one_in(6) {
            world.rule.armed_at = near.unwrap_or(now).min(now);
        }
    }
}

/// What is left: often exactly the threshold, or where the target is met.
fn balance(dice: &mut Dice, world: &mut World) {
    let one = Bytes::new(1).expect("few bytes");
    let coming = world.effective();
    if let Some(Threshold::Data { bytes }) = world.rule.triggers.low_balance {
        let edge = match dice.roll(5) {
            0 => bytes.plus(one),
            1 => bytes.minus(Bytes::MB),
            2 => bytes.plus(Bytes::GB),
            _ => bytes,
        };
        world.account.available_bytes = edge.minus(coming);
    } else {
        world.account.available_bytes = Bytes::MB.checked_mul(dice.roll(4000)).expect("few bytes");
    }
    if let Amount::Target { bytes } = world.rule.amount
        && dice.one_in(12)
    {
        let edge = *dice.pick(&[bytes, bytes.minus(one), bytes.plus(one)]);
        world.account.available_bytes = edge.minus(coming);
    }
    if let Some(Threshold::Credit(low)) = world.rule.triggers.low_balance {
        world.account.credit_minor = low.amount_minor + dice.roll(4) as i64 - 2;
    }
}

fn expiry(dice: &mut Dice, world: &mut World) {
    let days = world.rule.triggers.expiring_days;
    let Some(days) = days.or(dice.one_in(3).then_some(3)) else { return };
    let ahead = Span::days(i64::from(days));
    let edge = match dice.roll(4) {
        0 => world.now.plus(ahead).plus(Span::hours(24)),
        1 => world.now.plus(Span::hours(dice.roll(240) as i64)),
        _ => world.now.plus(ahead),
    };
    let expires_at = dice.near(edge).max(world.now.plus(Span::seconds(1)));
    world.account.latest_expiry_at = Some(expires_at);
    if dice.one_in(5) {
        let acted = *dice.pick(&[expires_at, expires_at, expires_at.minus(Span::days(3))]);
        world.history.consumed_expiry_at = Some(acted);
    }
}

/// Records what had to be announced: at its time, or changed in one respect.
fn notices(dice: &mut Dice, world: &mut World) {
    let asked = std::mem::replace(&mut world.cause, Cause::Timer);
    for _ in 0..dice.roll(3) {
        let mut found = world.to_announce();
        let kept = found.len().saturating_sub(dice.roll(3) as usize / 2);
        found.truncate(kept);
        for mut notice in found {
            change_notice(dice, world, &mut notice);
            world.history.notices.push(notice);
        }
    }
    world.cause = asked;
}

fn change_notice(dice: &mut Dice, world: &World, notice: &mut Notice) {
    let now = world.now;
    if !dice.one_in(3) {
        let earliest = match notice.trigger {
            TriggerDue::Scheduled { at } => at,
            TriggerDue::LowBalance | TriggerDue::Expiring { .. } => Instant::MIN,
        };
        notice.charge_at = dice.near(now).min(notice.charge_at).max(earliest);
        notice.lapses_at = notice.lapses_at.map(|at| at.minus(Span::hours(dice.roll(72) as i64)));
    }
    // Announced before a change of zone: the same date on another clock.
    if let TriggerDue::Scheduled { at } = &mut notice.trigger
        && dice.one_in(8)
    {
        let moved = Span::minutes(dice.roll(26 * 60) as i64 - 13 * 60);
        *at = at.plus(moved);
        notice.charge_at = notice.charge_at.max(*at);
    }
    match dice.roll(12) {
        0 => notice.at_most.amount_minor -= 1,
        1 => {
            let amount = world.size(world.effective()).map_or(notice.at_most, |(amount, _)| amount);
            notice.at_most = amount;
            notice.at_most.amount_minor -= dice.roll(2) as i64;
        }
        2 => notice.payment_methods.truncate(1),
        3 => drop(notice.payment_methods.remove(0)),
        4 => notice.lapses_at = Some(dice.near(now)),
        _ => {}
    }
}

/// A recharge about to be submitted was due: by what would be due now, or by a date.
fn submission(dice: &mut Dice, world: &mut World) {
    if world.cause != (Cause::Submission { triggers: Vec::new() }) {
        return;
    }
    let mut triggers = Vec::new();
    if world.rule.triggers.low_balance.is_some() && !dice.one_in(4) {
        triggers.push(TriggerDue::LowBalance);
    }
    if world.rule.triggers.scheduled.is_some() && !dice.one_in(3) {
        let ago = Span::hours(dice.roll(240) as i64);
        let at = world.rule.skip_at.unwrap_or(world.now.minus(ago));
        triggers.push(TriggerDue::Scheduled { at });
    }
    let expires_at = world.account.latest_expiry_at;
    if let Some(expires_at) = expires_at.filter(|_| world.rule.triggers.expiring_days.is_some()) {
        triggers.push(TriggerDue::Expiring { expires_at });
    }
    world.cause = Cause::Submission { triggers };
}

/// Limits that have room for exactly this recharge, or for one minor unit or one recharge less.
fn limits(dice: &mut Dice, world: &mut World) {
    let price = world.account.terms.step.expect("a step").price;
    let needed = world.size(world.effective()).map_or(price, |(amount, _)| amount);
    let spent: i64 = world.counted(&world.month()).map(|r| r.amount.amount_minor).sum();
    let count = world.counted(&world.day()).count() as u32;
    let room = match dice.roll(6) {
        0 => -1,
        1 => 0,
        2 => 1,
        _ => price.amount_minor * dice.roll(20) as i64,
    };
    let cap = Money::new((spent + needed.amount_minor + room).max(1), price.currency);
    let always = world.rule.triggers.low_balance.is_some();
    world.rule.limits.cap_per_month = (always || dice.one_in(2)).then_some(cap);
    world.rule.limits.max_per_day =
        dice.one_in(3).then(|| (count + *dice.pick(&[0, 1, 1, 2])).max(1));
}

/// What holds whatever is due: rarely, so that the rest is seen too.
fn obstacles(dice: &mut Dice, world: &mut World) {
    let today = date(&world.account.zone, world.now);
    let edge = today + Days::new(dice.roll(3)) - Days::new(dice.roll(3));
    match dice.roll(40) {
        0 => world.account.stopped_by_operator = true,
        1 => world.account.line_closed = true,
        2 => world.rule.on = false,
        3 => {
            let why = [Suspension::Declined, Suspension::CustomerNeeded, Suspension::NotDelivered];
            world.history.suspended = dice.one_in(2).then(|| *dice.pick(&why));
            world.history.open_disputes = dice.roll(2) as u32;
        }
        4..=6 => world.rule.limits.ends_on = Some(edge),
        7..=9 => world.rule.limits.starts_on = Some(edge),
        10..=12 => world.rule.paused_until_on = Some(edge),
        13 => world.account.terms.step = None,
        14 | 15 => change_terms(dice, &mut world.account.terms),
        16 => world.account.payment_methods.truncate(1),
        17 => {
            for method in &mut world.account.payment_methods {
                method.barred = true;
            }
        }
        _ => {}
    }
}

/// The price moves by one minor unit, or the step or the credit on sale is another.
fn change_terms(dice: &mut Dice, terms: &mut Terms) {
    let Some(step) = &mut terms.step else { return };
    match dice.roll(6) {
        0 => step.bytes = Bytes::MB.checked_mul(700).expect("few bytes"),
        1 => step.validity_days = 29 + dice.roll(3) as u32,
        2 => terms.credit_max.amount_minor = step.price.amount_minor * 9,
        _ => {
            let moved = step.price.amount_minor + dice.roll(3) as i64 - 1;
            step.price.amount_minor = moved.max(1);
        }
    }
}
