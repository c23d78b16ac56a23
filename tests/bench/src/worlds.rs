//! The worlds that are decided about: one real rule on a line in Madrid, with a card and ten
//! recharges behind it, in the situations that a server meets; and random ones around it.

use crate::dice::Dice;
use chrono::{Days, NaiveDate};
use laika_core::bytes::Bytes;
use laika_core::catalogue::Terms;
use laika_core::decide::{
    Account, Cause, History, MethodFacts, Notice, PastRecharge, Standing, Suspension, TriggerDue,
};
use laika_core::id::{LineId, PaymentMethodId, RechargeId};
use laika_core::money::{Currency, Money};
use laika_core::rule::{Adds, Amount, COOL_DOWN_MINUTES, Limits, Rule, Threshold, Triggers};
use laika_core::schedule::{Schedule, TimeOfDay, Unit};
use laika_core::time::{Instant, Span};
use laika_core::zone::Zone;

const ZONES: &str = include_str!("../../vectors/zones.jsonl");

/// Everything that `decide` is given.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) rule: Rule,
    pub(crate) account: Account,
    pub(crate) history: History,
    pub(crate) cause: Cause,
    pub(crate) now: Instant,
}

/// A situation, and how many of 256 looks on a busy line meet it.
pub(crate) const KINDS: [(&str, usize); 6] = [
    ("not_due", 240),
    ("recharge", 8),
    ("cap", 4),
    ("cool_down", 4),
    // These have a schedule as well, so the one rule of the mix never meets them.
    ("dated", 0),
    ("notice", 0),
];

/// 256 worlds of one kind, or of the mix.
pub(crate) fn of_kind(kind: &str) -> Vec<World> {
    let mut dice = Dice(256);
    if kind != "mix" {
        return (0..256).map(|_| world(kind, &mut dice)).collect();
    }
    let mut kinds: Vec<&str> =
        KINDS.iter().flat_map(|(kind, share)| std::iter::repeat_n(*kind, *share)).collect();
    let count = kinds.len();
    for at in 0..count {
        kinds.swap(at, index(&mut dice, count));
    }
    kinds.into_iter().map(|kind| world(kind, &mut dice)).collect()
}

fn index(dice: &mut Dice, count: usize) -> usize {
    usize::try_from(dice.roll(count as u64)).expect("a small number")
}

pub(crate) fn instant(text: &str) -> Instant {
    Instant::parse(text).expect("an instant")
}

pub(crate) fn euro(minor: i64) -> Money {
    Money::new(minor, Currency::from_code("EUR").expect("a currency"))
}

pub(crate) fn zone(name: &str) -> Zone {
    let mut zones = ZONES.lines().map(|line| serde_json::from_str::<Zone>(line).expect("a zone"));
    zones.find(|zone| zone.name == name).expect("a zone of that name")
}

fn bytes(count: u64) -> Bytes {
    Bytes::new(count).expect("few bytes")
}

/// The rule: at 1 GB fill up to 5 GB, at most EUR 180.00 a month.
fn rule() -> Rule {
    Rule {
        version: 3,
        on: true,
        armed_at: instant("2026-09-01T08:00:00Z"),
        paused_until_on: None,
        skip_at: None,
        triggers: Triggers {
            low_balance: Some(Threshold::Data { bytes: Bytes::GB }),
            ..Triggers::default()
        },
        amount: Amount::Target { bytes: bytes(5_000_000_000) },
        limits: Limits {
            max_per_recharge: None,
            max_per_day: Some(3),
            cap_per_month: Some(euro(18_000)),
            cool_down_minutes: COOL_DOWN_MINUTES,
            starts_on: None,
            ends_on: None,
        },
        alert: Some(Threshold::Data { bytes: bytes(2_000_000_000) }),
        payment_methods: vec![PaymentMethodId::new("pm_1").expect("an id")],
        step: Terms::sandbox(euro(0).currency).step,
    }
}

fn account() -> Account {
    Account {
        line_id: LineId::new("8988247007000000055").expect("an id"),
        zone: zone("Europe/Madrid"),
        kept_periods: None,
        stopped_by_operator: false,
        line_closed: false,
        available_bytes: Bytes::ZERO,
        credit_minor: 0,
        latest_expiry_at: None,
        terms: Terms::sandbox(euro(0).currency),
        payment_methods: vec![MethodFacts {
            expires_at: Some(instant("2029-04-01T00:00:00Z")),
            ..MethodFacts::card(PaymentMethodId::new("pm_1").expect("an id"))
        }],
        notice_lead_hours: 24,
    }
}

/// A recharge of so many steps that is over.
fn past(account: &Account, number: u32, at: Instant, steps: u32) -> PastRecharge {
    let gigabytes = Bytes::GB.checked_mul(u64::from(steps)).expect("few bytes");
    PastRecharge {
        id: RechargeId::derive(&account.line_id, number),
        automatic: true,
        standing: Standing::Spent,
        opened_at: at,
        reserved_at: at,
        amount: euro(300 * i64::from(steps)),
        adds: Adds::Data { bytes: gigabytes, steps, validity_days: 30 },
    }
}

thread_local! {
    static BASE: World = base();
}

/// A line in late November 2026 with ten recharges this month.
fn base() -> World {
    let account = account();
    let mut history = History::default();
    for number in 0..10 {
        let at = instant("2026-11-01T09:00:00Z").plus(Span::hours(44 * i64::from(number)));
        history.recharges.push(past(&account, number + 40, at, 4));
    }
    let now = instant("2026-11-22T10:00:00Z");
    World { rule: rule(), account, history, cause: Cause::Usage, now }
}

fn world(kind: &str, dice: &mut Dice) -> World {
    let mut world = BASE.with(World::clone);
    world.now = world.now.plus(Span::minutes(dice.roll(7 * 1440) as i64));
    world.account.available_bytes = bytes(1_000_000_001 + dice.roll(7_000_000_000));
    let due = bytes(dice.roll(1_000_000_001));
    match kind {
        "not_due" => {}
        "recharge" => world.account.available_bytes = due,
        "cap" => {
            world.account.available_bytes = due;
            for (number, recharge) in (40..).zip(&mut world.history.recharges) {
                *recharge = past(&world.account, number, recharge.opened_at, 6);
            }
        }
        "cool_down" => {
            world.account.available_bytes = due;
            let last = world.history.recharges.last_mut().expect("ten of them");
            let at = world.now.minus(Span::minutes(dice.roll(30) as i64));
            (last.opened_at, last.reserved_at) = (at, at);
        }
        "dated" => world.rule.triggers.scheduled = Some(monthly(15)),
        "notice" => {
            world.rule.triggers = Triggers { scheduled: Some(monthly(1)), ..Triggers::default() };
            let at = instant("2026-12-01T08:00:00Z");
            world.now = at.minus(Span::minutes(1 + dice.roll(23 * 60) as i64));
            world.history.notices.push(Notice {
                trigger: TriggerDue::Scheduled { at },
                charge_at: at,
                at_most: euro(1_500),
                payment_methods: world.rule.payment_methods.clone(),
                lapses_at: None,
            });
        }
        other => panic!("no kind is called {other:?}"),
    }
    world
}

fn monthly(day: u32) -> Schedule {
    Schedule {
        every: 1,
        unit: Unit::Month { day },
        at: TimeOfDay::parse("09:00").expect("a time"),
        start: NaiveDate::from_ymd_opt(2026, 9, 1).expect("a date"),
    }
}

/// A world at any time of the year, around the same rule. Most are due, because that is where the
/// rules have something to do; every reason that the peer's graph knows comes up as well.
pub(crate) fn random(dice: &mut Dice) -> World {
    let mut world = BASE.with(World::clone);
    let minute = Span::minutes(dice.roll(365 * 1440) as i64);
    world.now = instant("2026-01-01T00:00:11Z").plus(minute);
    world.account.available_bytes = bytes(dice.roll(1_600_000_000));
    let low = bytes(1_000_000_000 * (1 + dice.roll(2)));
    world.rule.triggers.low_balance = Some(Threshold::Data { bytes: low });
    world.rule.amount = Amount::Target { bytes: bytes(1_000_000_000 * (3 + dice.roll(6))) };
    let limits = &mut world.rule.limits;
    limits.cap_per_month = Some(euro(3_000 * (1 + dice.roll(6) as i64)));
    limits.max_per_day = (!dice.once_in(3)).then(|| 1 + dice.roll(3) as u32);
    limits.cool_down_minutes = 30 + 60 * dice.roll(20) as u32;
    hold(&mut world, dice);
    let mut ages: Vec<u64> = (0..2 + dice.roll(9)).map(|_| dice.roll(30 * 1440)).collect();
    ages.sort_unstable();
    world.history.recharges.clear();
    for (number, age) in (40..).zip(ages.into_iter().rev()) {
        let at = world.now.minus(Span::minutes(age as i64));
        let mut recharge = past(&world.account, number, at, 1 + dice.roll(5) as u32);
        recharge.automatic = !dice.once_in(8);
        recharge.standing = match dice.roll(200) {
            0 => Standing::Open,
            1 => Standing::Unknown,
            2..=20 => Standing::Released,
            _ => Standing::Spent,
        };
        world.history.recharges.push(recharge);
    }
    world
}

/// Now and then, something that stands in the way whatever is due.
fn hold(world: &mut World, dice: &mut Dice) {
    let today = world.account.zone.date(world.now);
    let near = |dice: &mut Dice| Some(today + Days::new(dice.roll(3)) - Days::new(1));
    let card = world.account.payment_methods.first_mut().expect("a card");
    let step = world.account.terms.step.as_mut().expect("a step");
    match dice.roll(100) {
        0 => world.rule.on = false,
        1 => world.account.stopped_by_operator = true,
        2 => world.account.line_closed = true,
        3 => world.rule.limits.ends_on = near(dice),
        4 => world.rule.limits.starts_on = near(dice),
        5 => world.rule.paused_until_on = near(dice),
        6 => world.history.suspended = Some(Suspension::Declined),
        7 => card.barred = true,
        8 => card.expires_at = Some(world.now.plus(Span::minutes(dice.roll(3) as i64 - 1))),
        9 => step.price = euro(250 + dice.roll(100) as i64),
        10 => step.validity_days = 28 + dice.roll(5) as u32,
        11 => world.account.terms.step = None,
        12 => world.rule.amount = Amount::Target { bytes: Bytes::GB },
        _ => {}
    }
}
