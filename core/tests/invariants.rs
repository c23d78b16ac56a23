//! The invariants of `rules.md` that live in `core`, as properties of random worlds and of long
//! sequences of decisions in them. Each is checked by counting what came out, never by asking the
//! engine's own figures.

use crate::cases::{money, now, world};
use crate::oracle::naive::World;
use crate::oracle::worlds::Worlds;
use crate::parity::Dice;
use laika_core::bytes::Bytes;
use laika_core::decide::{
    Cause, Decision, Order, PastRecharge, Periods, Standing, TriggerDue, announce,
    consumed_after_move, consumed_by, consumed_with, decide,
};
use laika_core::id::RechargeId;
use laika_core::record::{DecisionRecord, canonical};
use laika_core::rule::{Adds, Amount, Threshold};
use laika_core::schedule::{Schedule, TimeOfDay, Unit, Weekday};
use laika_core::time::{Instant, Span};

const WORLDS: u64 = if cfg!(target_arch = "wasm32") { 2_000 } else { 40_000 };
const SEQUENCES: u64 = if cfg!(target_arch = "wasm32") { 20 } else { 300 };

fn decided(world: &World) -> Decision {
    let World { rule, account, history, cause, now } = world;
    decide(rule, account, history, cause, *now)
}

fn ordered(world: &World) -> Option<Order> {
    match decided(world) {
        Decision::Recharge { order } => Some(order),
        Decision::Wait { .. } | Decision::Skip { .. } => None,
    }
}

fn code(decision: &Decision) -> &'static str {
    decision.reason().map_or("recharge", |reason| reason.code())
}

/// As the server does: what is announced now is known when it decides.
fn tell(world: &mut World) {
    for notice in announce(&world.rule, &world.account, &world.history, world.now) {
        world.history.notices.retain(|old| old.trigger != notice.trigger);
        world.history.notices.push(notice);
    }
}

/// Worlds in which something is recharged, with what; asked by something that happened.
fn recharging() -> impl Iterator<Item = (World, Order, Dice)> {
    let worlds = Worlds::new();
    (0..WORLDS).filter_map(move |number| {
        let world = worlds.make(number);
        let asks = !matches!(world.cause, Cause::AsIfDue | Cause::Submission { .. });
        let order = ordered(&world).filter(|_| asks)?;
        Some((world, order, Dice(number)))
    })
}

/// Runs over so many worlds that a property which hardly ever applies is noticed.
fn holds(applied: u64, most: u64) {
    assert!(applied > most / 100, "it applied to {applied} of {most} worlds");
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn a_recharge_is_exactly_of_the_agreed_size() {
    let mut applied = 0;
    for (world, order, _) in recharging() {
        let most = world.rule.limits.max_per_recharge;
        let within = |minor: i64| most.is_none_or(|most| minor <= most.amount_minor);
        let wanted = match world.rule.amount {
            Amount::FixedCredit(credit) => {
                assert_eq!((order.amount, order.adds), (credit, Adds::Credit(credit)));
                continue;
            }
            Amount::FixedData { bytes } => bytes,
            Amount::Target { bytes } => bytes.minus(world.effective()),
        };
        let step = world.account.terms.step.expect("a step");
        let Adds::Data { bytes, steps, .. } = order.adds else { panic!("{order:?}") };
        assert_eq!(bytes.get(), step.bytes.get() * u64::from(steps));
        assert_eq!(order.amount.amount_minor, step.price.amount_minor * i64::from(steps));
        assert!(within(order.amount.amount_minor));
        let enough = bytes >= wanted;
        let one_more = order.amount.amount_minor + step.price.amount_minor;
        assert!(enough || !within(one_more), "it stops short of {wanted:?}: {order:?}");
        assert!(bytes.minus(step.bytes) < wanted, "a step too many: {order:?}");
        applied += 1;
    }
    holds(applied, WORLDS);
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn less_data_never_makes_a_low_balance_not_due() {
    let mut applied = 0;
    for (mut world, order, mut dice) in recharging() {
        if !order.triggers.contains(&TriggerDue::LowBalance) {
            continue;
        }
        let used = Bytes::new(dice.roll(3_000_000_000)).expect("few bytes");
        world.account.available_bytes = world.account.available_bytes.minus(used);
        world.account.credit_minor -= dice.roll(100) as i64;
        match decided(&world) {
            Decision::Recharge { order: more } => {
                assert!(more.amount.amount_minor >= order.amount.amount_minor);
            }
            // It may need more than the cap, an agreement or an announcement has room for.
            decision => {
                let denied = ["not_due", "target_met"].contains(&code(&decision));
                assert!(!denied, "{decision:?} in {world:?}");
            }
        }
        applied += 1;
    }
    holds(applied, WORLDS);
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn a_skip_or_a_notice_holds_only_its_own_trigger() {
    let mut applied = 0;
    for (mut world, order, _) in recharging() {
        let alone = order.triggers == [TriggerDue::LowBalance];
        let card = |id| world.account.payment_methods.iter().find(|method| method.id == id);
        let told = order.payment_methods.first().cloned().and_then(card);
        if !alone || told.is_none_or(|method| method.rail.facts().advance.is_some()) {
            continue;
        }
        // A date to be announced, one that is announced, one that is skipped, data that expires.
        let daily = Schedule {
            every: 1,
            unit: Unit::Day,
            at: TimeOfDay::parse("12:00").expect("a time"),
            start: world.account.zone.date(world.now),
        };
        world.rule.skip_at = daily.next(world.now, &world.account.zone);
        world.rule.triggers.scheduled = Some(daily);
        world.rule.triggers.expiring_days = Some(3);
        world.account.latest_expiry_at = Some(world.now.plus(Span::days(3)));
        for _ in 0..2 {
            let held = ordered(&world).unwrap_or_else(|| panic!("{:?}", decided(&world)));
            assert_eq!((held.amount, held.adds), (order.amount, order.adds));
            assert!(held.triggers.contains(&TriggerDue::LowBalance));
            tell(&mut world);
        }
        applied += 1;
    }
    holds(applied, WORLDS);
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn neither_a_skip_nor_a_full_line_takes_an_announced_date() {
    let worlds = Worlds::new();
    let mut applied = 0;
    for number in 0..WORLDS {
        let mut world = worlds.make(number);
        tell(&mut world);
        let decision = decided(&world);
        if !["skipped_once", "target_met"].contains(&code(&decision)) {
            continue;
        }
        let World { rule, account, history, now, .. } = &world;
        let gone = consumed_by(&decision, rule, account, history, *now);
        for at in world.waiting() {
            assert!(gone < Some(at), "world {number}: {at} is to be charged, gone is {gone:?}");
            applied += 1;
        }
    }
    holds(applied, WORLDS);
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn what_was_announced_is_not_announced_again() {
    let worlds = Worlds::new();
    let mut applied = 0;
    for number in 0..WORLDS {
        let mut world = worlds.make(number);
        let told = announce(&world.rule, &world.account, &world.history, world.now);
        applied += u64::from(!told.is_empty());
        tell(&mut world);
        let again = announce(&world.rule, &world.account, &world.history, world.now);
        assert!(again.is_empty(), "world {number}: {told:?} and again {again:?}");
    }
    holds(applied, WORLDS);
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn a_record_gives_the_same_bytes_again() {
    let worlds = Worlds::new();
    for number in 0..WORLDS / 40 {
        let World { rule, account, history, cause, now } = worlds.make(number);
        let record = DecisionRecord::make(&rule, &account, &history, &cause, now);
        let bytes = canonical(&record);
        let read: DecisionRecord = serde_json::from_slice(&bytes).expect("a record");
        let again = read.rerun().expect("this engine's own");
        assert_eq!(canonical(&again), canonical(&record.decision), "world {number}");
        assert_eq!(canonical(&read), bytes, "world {number}");
    }
}

/// A line that is used and recharged over months, by a customer who never stays in one zone.
struct Life<'a> {
    world: World,
    dice: Dice,
    worlds: &'a Worlds,
    taken: Vec<(Instant, i64)>,
}

impl Life<'_> {
    fn live(&mut self, days: i64) {
        let end = self.world.now.plus(Span::days(days));
        while self.world.now < end {
            self.settle();
            if self.dice.one_in(12) {
                self.travel();
            }
            let used = Bytes::new(self.dice.roll(4_000_000_000)).expect("few bytes");
            let available = &mut self.world.account.available_bytes;
            *available = available.minus(used);
            if let Some(order) = ordered(&self.world) {
                self.open(&order);
            }
            let minutes = *self.dice.pick(&[1, 7, 29, 30, 31, 60, 300, 1440]);
            self.world.now = self.world.now.plus(Span::minutes(minutes));
        }
    }

    fn travel(&mut self) {
        let new = self.dice.pick(&self.worlds.zones).clone();
        let account = &mut self.world.account;
        let kept = Periods::kept(&account.zone, account.kept_periods, &new, self.world.now);
        account.kept_periods = Some(kept);
        account.zone = new;
    }

    /// What is on its way arrives, fails, or is not heard of for a while.
    fn settle(&mut self) {
        for recharge in &mut self.world.history.recharges {
            if matches!(recharge.standing, Standing::Open | Standing::Unknown) {
                let next = [Standing::Spent, Standing::Released, Standing::Unknown];
                recharge.standing = *self.dice.pick(&next);
                if recharge.standing == Standing::Spent {
                    let available = &mut self.world.account.available_bytes;
                    *available = available.plus(recharge.adds.bytes());
                }
            }
        }
        let failed = |at: Instant| {
            let mut all = self.world.history.recharges.iter();
            all.any(|past| past.opened_at == at && past.standing == Standing::Released)
        };
        self.taken.retain(|(at, _)| !failed(*at));
    }

    fn open(&mut self, order: &Order) {
        let World { history, account, now, .. } = &mut self.world;
        let pending = |r: &PastRecharge| matches!(r.standing, Standing::Open | Standing::Unknown);
        assert!(!history.recharges.iter().any(pending), "one at a time, and none while unknown");
        let number = history.recharges.len() as u32 + 1;
        history.recharges.push(PastRecharge {
            id: RechargeId::derive(&account.line_id, number),
            automatic: true,
            standing: Standing::Open,
            opened_at: *now,
            reserved_at: *now,
            amount: order.amount,
            adds: order.adds,
        });
        self.taken.push((*now, order.amount.amount_minor));
    }

    /// The most that was taken in any stretch of this length, and how often.
    fn most_within(&self, span: Span) -> (i64, usize) {
        let within = |from: Instant| {
            self.taken.iter().filter(move |(at, _)| from <= *at && *at < from.plus(span))
        };
        let starts = || self.taken.iter().map(|(at, _)| *at);
        let sum = starts().map(|from| within(from).map(|(_, minor)| minor).sum()).max();
        let count = starts().map(|from| within(from).count()).max();
        (sum.unwrap_or(0), count.unwrap_or(0))
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn no_journey_makes_a_cap_count_twice_or_a_cool_down_shorter() {
    let worlds = Worlds::new();
    let (mut full, mut busy) = (0, 0);
    for number in 0..SEQUENCES {
        let (mut rule, account, history) = world();
        let mut dice = Dice(number);
        rule.amount = Amount::FixedData { bytes: Bytes::GB };
        rule.triggers.low_balance = Some(Threshold::Data { bytes: Bytes::GB });
        let cap_minor = 300 * (dice.roll(9) as i64 + 1);
        rule.limits.cap_per_month = Some(money("0.01").checked_mul(cap_minor).expect("an amount"));
        let most = dice.roll(3) as u32 + 1;
        rule.limits.max_per_day = dice.one_in(2).then_some(most);
        let minutes = *dice.pick(&[0, 30, 31, 90]);
        rule.limits.cool_down_minutes = minutes;
        let world = World { rule, account, history, cause: Cause::Usage, now: now() };
        let mut life = Life { world, dice, worlds: &worlds, taken: Vec::new() };
        life.live(100);
        // A stretch this short meets one end of a month, or of a day, in every zone at most: what
        // is taken before it and after it is two caps.
        let (sum, _) = life.most_within(Span::days(26));
        assert!(sum <= 2 * cap_minor, "{number}: {sum} of {cap_minor} in 26 days");
        let (all, _) = life.most_within(Span::days(100));
        assert!(all <= 5 * cap_minor, "{number}: {all} of {cap_minor} in 100 days");
        full += u64::from(sum > cap_minor);
        if life.world.rule.limits.max_per_day.is_some() {
            let (_, count) = life.most_within(Span::hours(20));
            assert!(count <= 2 * most as usize, "{number}: {count} of {most} in 20 h");
            busy += u64::from(count > most as usize);
        }
        let opened = life.world.history.recharges.iter().map(|recharge| recharge.opened_at);
        let opened: Vec<Instant> = opened.collect();
        let pause = Span::minutes(i64::from(minutes));
        assert!(opened.windows(2).all(|pair| pair[1].since(pair[0]) >= pause), "{number}");
    }
    assert!(full > SEQUENCES / 10 && busy > SEQUENCES / 10, "{full} {busy} of {SEQUENCES}");
}

/// The days between a schedule's dates, and the schedule.
fn calendars() -> [(i64, Unit, u32); 4] {
    [
        (28, Unit::Month { day: 31 }, 1),
        (7, Unit::Week { weekdays: vec![Weekday::Friday] }, 1),
        (3, Unit::Day, 3),
        (1, Unit::Day, 1),
    ]
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn no_journey_charges_a_date_twice() {
    let worlds = Worlds::new();
    let mut charged = 0;
    for number in 0..SEQUENCES {
        let mut dice = Dice(number);
        let (days, unit, every) = dice.pick(&calendars()).clone();
        let (mut rule, account, history) = world();
        rule.amount = Amount::FixedData { bytes: Bytes::GB };
        let at = dice.pick(&["00:00", "09:00", "23:59"]);
        let at = TimeOfDay::parse(at).expect("a time");
        let start = account.zone.date(now());
        rule.triggers.scheduled = Some(Schedule { every, unit, at, start });
        let world = World { rule, account, history, cause: Cause::Timer, now: now() };
        let mut life = Life { world, dice, worlds: &worlds, taken: Vec::new() };
        let mut dates: Vec<Instant> = Vec::new();
        let end = now().plus(Span::days(20 + 3 * days));
        while life.world.now < end {
            if life.dice.one_in(20) {
                let old = life.world.account.zone.clone();
                life.travel();
                let World { rule, account, history, .. } = &mut life.world;
                let moved = |at| consumed_after_move(rule, at, &old, &account.zone);
                history.consumed_through = history.consumed_through.map(moved);
            }
            dates.extend(look(&mut life.world));
            life.world.now = life.world.now.plus(Span::hours(life.dice.roll(8) as i64 + 1));
        }
        // Two zones are up to 26 h apart, so that is how near two dates can come on the way.
        let nearest = Span::hours((days * 24 - 27).max(11));
        for pair in dates.windows(2) {
            assert!(pair[1].since(pair[0]) > nearest, "{number}: every {days} days, {pair:?}");
        }
        charged += dates.len() as u64;
    }
    holds(charged, SEQUENCES * 100);
}

/// Looks as the server does, with every recharge going through at once. The dates charged.
fn look(world: &mut World) -> Vec<Instant> {
    tell(world);
    let decision = decided(world);
    let World { rule, account, history, now, .. } = world;
    let gone = consumed_by(&decision, rule, account, history, *now);
    history.consumed_through = history.consumed_through.max(gone);
    let Decision::Recharge { order } = decision else { return Vec::new() };
    let date = |trigger: &TriggerDue| match trigger {
        TriggerDue::Scheduled { at } => Some(*at),
        TriggerDue::LowBalance | TriggerDue::Expiring { .. } => None,
    };
    let dates: Vec<Instant> = order.triggers.iter().filter_map(date).collect();
    for at in &dates {
        let gone = consumed_with(rule, account, *at);
        history.consumed_through = history.consumed_through.max(Some(gone));
    }
    history.notices.retain(|notice| !order.triggers.contains(&notice.trigger));
    dates
}
