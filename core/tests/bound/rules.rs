//! Random rules, each on a line of its own: every trigger, amount and limit, lives of days and of
//! years, zones that change their clocks and zones that do not.

use crate::cases::{money, world, zone};
use crate::parity::Dice;
use chrono::Days;
use laika_core::bytes::Bytes;
use laika_core::catalogue::Step;
use laika_core::decide::Account;
use laika_core::rule::{Amount, Limits, Rule, Threshold, Triggers};
use laika_core::schedule::{Schedule, TimeOfDay, Unit, Weekday};
use laika_core::time::{Instant, Span};
use laika_core::zone::Zone;

/// Some change their clocks at midnight, or by half an hour, or not at all.
const ZONES: [&str; 9] = [
    "Europe/Madrid",
    "Asia/Shanghai",
    "America/New_York",
    "Australia/Lord_Howe",
    "Etc/UTC",
    "America/Santiago",
    "Asia/Beirut",
    "Africa/Casablanca",
    "Pacific/Apia",
];
const TIMES: [&str; 6] = ["00:00", "00:30", "02:30", "09:00", "12:00", "23:30"];
/// In minutes; the first only where few recharges are counted one by one.
const COOL_DOWNS: [u32; 12] = [30, 45, 100, 360, 480, 720, 740, 1440, 1500, 2880, 4320, 10_080];

/// The zones, read once.
pub(crate) struct Zones(Vec<Zone>);

impl Zones {
    pub(crate) fn read() -> Zones {
        Zones(ZONES.iter().map(|name| zone(name)).collect())
    }
}

fn one<T: Copy>(dice: &mut Dice, of: &[T]) -> T {
    of[dice.roll(of.len() as u64) as usize]
}

fn half_gb(dice: &mut Dice, most: u64) -> Bytes {
    Bytes::new(dice.roll(most + 1) * 500_000_000).expect("few bytes")
}

/// A rule as the dice fall, and its account.
pub(crate) fn rule(dice: &mut Dice, zones: &Zones) -> (Rule, Account) {
    let (mut rule, mut account, _) = world();
    account.zone = zones.0[dice.roll(zones.0.len() as u64) as usize].clone();
    account.notice_lead_hours = one(dice, &[24, 24, 24, 120, 120, 0, 12, 26, 72]);
    let begin = Instant::parse("2026-11-22T00:00:00Z").expect("an instant");
    rule.armed_at = begin.plus(Span::minutes(dice.roll(500 * 24 * 60) as i64));
    let days = match dice.roll(300) {
        0 if dice.roll(4) == 0 => None,
        0..50 => Some(100 + dice.roll(320)),
        50..150 => Some(20 + dice.roll(80)),
        _ => Some(dice.roll(20)),
    };
    let kind = dice.roll(20);
    let step = Step { validity_days: one(dice, &[2, 3, 5, 9, 30]), ..rule.step.expect("a step") };
    (rule.step, account.terms.step) = (Some(step), Some(step));
    rule.amount = amount(dice);
    rule.triggers = Triggers {
        low_balance: (kind < 11).then(|| low(dice, rule.amount)),
        scheduled: matches!(kind, 9..18).then(|| schedule(dice, &rule, &account)),
        expiring_days: matches!(kind, 8..10 | 16..20)
            .then(|| 1 + dice.roll(u64::from(step.validity_days)) as u32),
    };
    let day = |days: u64| account.zone.date(rule.armed_at) + Days::new(days);
    let starts_on = (dice.roll(4) == 0).then(|| day(dice.roll(9)));
    let capped = dice.roll(20) < if kind < 11 { 17 } else { 8 };
    let many = days.is_none_or(|days| days > 20) && !capped;
    let cool_downs = if many { &COOL_DOWNS[3..] } else { &COOL_DOWNS };
    rule.limits = Limits {
        max_per_recharge: (dice.roll(4) == 0).then(|| cost(dice, 6)),
        max_per_day: (dice.roll(4) == 0).then(|| 1 + dice.roll(4) as u32),
        cap_per_month: capped.then(|| cost(dice, 30)),
        cool_down_minutes: one(dice, cool_downs),
        starts_on,
        ends_on: days.map(day),
    };
    (rule, account)
}

fn cost(dice: &mut Dice, most: u64) -> laika_core::money::Money {
    let mut cost = money("3.00").checked_mul(1 + dice.roll(most) as i64).expect("little money");
    cost.amount_minor += dice.roll(3) as i64 - 1;
    cost
}

fn amount(dice: &mut Dice) -> Amount {
    match dice.roll(8) {
        0 => Amount::FixedCredit(money("5.00")),
        1 | 2 => Amount::FixedData { bytes: Bytes::GB.checked_mul(1 + dice.roll(4)).expect("few") },
        _ => Amount::Target { bytes: half_gb(dice, 18).plus(Bytes::GB) },
    }
}

fn low(dice: &mut Dice, amount: Amount) -> Threshold {
    match amount {
        Amount::FixedCredit(_) => Threshold::Credit(money("2.00")),
        Amount::FixedData { .. } | Amount::Target { .. } => {
            Threshold::Data { bytes: half_gb(dice, 12) }
        }
    }
}

fn schedule(dice: &mut Dice, rule: &Rule, account: &Account) -> Schedule {
    let most = one(dice, &[1, 2, 7, 40]);
    let every = 1 + dice.roll(most) as u32;
    let unit = match dice.roll(3) {
        0 => Unit::Day,
        1 => {
            let mut weekdays = Weekday::ALL.to_vec();
            weekdays.retain(|_| dice.roll(2) == 0);
            weekdays.push(one(dice, &Weekday::ALL));
            weekdays.sort_unstable();
            weekdays.dedup();
            Unit::Week { weekdays }
        }
        _ => Unit::Month { day: one(dice, &[1, 2, 15, 28, 29, 30, 31]) },
    };
    let start = account.zone.date(rule.armed_at) + Days::new(dice.roll(40)) - Days::new(30);
    let at = TimeOfDay::parse(one(dice, &TIMES)).expect("a time");
    Schedule { every, unit, at, start }
}
