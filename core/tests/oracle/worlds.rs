//! Random worlds: each number is one. They crowd round the edges where rules turn: a cap that is
//! exactly full, an instant to the microsecond, a notice that just covers.

use super::calendar::{date, instants, month_of, start_of};
use super::naive::World;
use super::past::happen;
use crate::parity::Dice;
use chrono::{Days, NaiveDate};
use laika_core::bytes::Bytes;
use laika_core::catalogue::{Step, Terms};
use laika_core::decide::{Account, Agreement, Cause, History, MethodFacts, Period, Periods};
use laika_core::id::{LineId, PaymentMethodId, RechargeId};
use laika_core::money::{Currency, Money};
use laika_core::rail::Rail;
use laika_core::retry::Ladder;
use laika_core::rule::{Amount, Limits, Rule, Threshold, Triggers};
use laika_core::schedule::{Schedule, TimeOfDay, Unit, Weekday};
use laika_core::time::{Instant, Span};
use laika_core::zone::Zone;

/// What worlds share, made once.
pub(crate) struct Worlds {
    pub(crate) zones: Vec<Zone>,
    line: LineId,
    recharges: Vec<RechargeId>,
    methods: Vec<PaymentMethodId>,
    currencies: Vec<Currency>,
}

impl Dice {
    /// One time in so many.
    pub(crate) fn one_in(&mut self, n: u64) -> bool {
        self.roll(n) == 0
    }

    pub(crate) fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.roll(of.len() as u64) as usize]
    }

    /// At an edge, to the microsecond, or somewhere near it.
    pub(crate) fn near(&mut self, edge: Instant) -> Instant {
        let micros = |n: i64| Instant::from_micros(edge.micros() + n);
        match self.roll(9) {
            0 | 1 => edge,
            2 => micros(-1),
            3 => micros(1),
            4 => edge.minus(Span::seconds(self.roll(3600) as i64)),
            5 => edge.plus(Span::seconds(self.roll(3600) as i64)),
            6 => edge.plus(Span::minutes(self.roll(3 * 1440) as i64)),
            7 => edge.minus(Span::minutes(self.roll(3 * 1440) as i64)),
            _ => edge.plus(Span::hours(self.roll(24 * 60) as i64 - 24 * 30)),
        }
    }
}

impl Worlds {
    pub(crate) fn new() -> Worlds {
        let zones = include_str!("../../../tests/vectors/zones.jsonl").lines();
        let line = LineId::new("line").expect("an id");
        let method = |n| PaymentMethodId::new(format!("m{n}")).expect("an id");
        Worlds {
            zones: zones.map(|zone| serde_json::from_str(zone).expect("a zone")).collect(),
            recharges: (1..9).map(|number| RechargeId::derive(&line, number)).collect(),
            line,
            methods: (0..4).map(method).collect(),
            currencies: ["EUR", "JPY", "KWD", "USD", "CNY"]
                .map(|code| Currency::from_code(code).expect("a currency"))
                .to_vec(),
        }
    }

    /// The world of this number.
    pub(crate) fn make(&self, number: u64) -> World {
        let dice = &mut Dice(number.wrapping_mul(0x5851_F42D_4C95_7F2D));
        let zone = dice.pick(&self.zones);
        let currency = *dice.pick(&self.currencies);
        let step = self.step(dice, currency);
        let base = moment(dice, zone);
        let rule = self.rule(dice, zone, step, base);
        let now = turn(dice, &rule, zone, base);
        let account = self.account(dice, zone, step, now);
        let cause = cause(dice);
        let history = History::default();
        let mut world = World { rule, account, history, cause, now };
        happen(dice, &self.recharges, &mut world);
        world
    }

    fn step(&self, dice: &mut Dice, currency: Currency) -> Step {
        let unit = 10_i64.pow(currency.exponent());
        Step {
            bytes: *dice.pick(&[Bytes::GB, Bytes::GB, Bytes::new(500_000_001).expect("few bytes")]),
            price: Money::new(*dice.pick(&[3 * unit, 2 * unit + 1, 1]), currency),
            validity_days: 30,
        }
    }

    fn rule(&self, dice: &mut Dice, zone: &Zone, step: Step, base: Instant) -> Rule {
        let times = |n: u64| step.bytes.checked_mul(n).expect("few bytes");
        let units = |n: i64| Money::new(n * step.price.amount_minor, step.price.currency);
        let amount = match dice.roll(10) {
            0..=2 => Amount::FixedData { bytes: times(dice.roll(6) + 1) },
            3 => Amount::FixedCredit(units(dice.roll(20) as i64 + 1)),
            _ => Amount::Target {
                bytes: times(dice.roll(5) + 2).minus(Bytes::new(1).expect("few bytes")),
            },
        };
        let low = match amount {
            Amount::FixedCredit(_) => Threshold::Credit(units(dice.roll(5) as i64)),
            _ => Threshold::Data { bytes: times(dice.roll(2)).plus(Bytes::MB) },
        };
        let which = *dice.pick(&[1, 1, 1, 2, 2, 3, 3, 4, 5, 6, 7, 7]);
        let triggers = Triggers {
            low_balance: (which & 1 > 0).then_some(low),
            scheduled: (which & 2 > 0).then(|| schedule(dice, date(zone, base))),
            expiring_days: (which & 4 > 0).then(|| dice.roll(7) as u32 + 1),
        };
        let mut methods = self.methods[..=dice.roll(3) as usize].to_vec();
        if dice.one_in(4) {
            methods.reverse();
        }
        Rule {
            version: 1,
            on: true,
            armed_at: base.minus(Span::days(40)),
            paused_until_on: None,
            skip_at: None,
            triggers,
            amount,
            limits: Limits {
                max_per_recharge: dice.one_in(6).then(|| units(dice.roll(4) as i64 + 1)),
                max_per_day: None,
                cap_per_month: None,
                cool_down_minutes: *dice.pick(&[30, 30, 0, 60, 1440]),
                starts_on: None,
                ends_on: None,
            },
            alert: None,
            payment_methods: methods,
            step: Some(step),
        }
    }

    fn account(&self, dice: &mut Dice, zone: &Zone, step: Step, now: Instant) -> Account {
        let mut terms = Terms::sandbox(step.price.currency);
        terms.step = Some(step);
        terms.credit_min.amount_minor = 1;
        let ids = self.methods.iter();
        let methods = ids.map(|id| method(dice, id, step.price, now)).collect();
        Account {
            line_id: self.line.clone(),
            zone: zone.clone(),
            kept_periods: dice.one_in(5).then(|| kept(dice, dice_zone(self, zone), zone, now)),
            stopped_by_operator: false,
            line_closed: false,
            available_bytes: Bytes::ZERO,
            credit_minor: 0,
            latest_expiry_at: None,
            terms,
            payment_methods: methods,
            notice_lead_hours: *dice.pick(&[24, 24, 24, 120, 0]),
        }
    }
}

fn dice_zone<'a>(worlds: &'a Worlds, zone: &Zone) -> &'a Zone {
    let from = zone.name.len() * 7 % worlds.zones.len();
    &worlds.zones[from]
}

/// A moment in 2026 or 2027, often where days, months or offsets change.
fn moment(dice: &mut Dice, zone: &Zone) -> Instant {
    let at = Instant::from_seconds(1_767_225_600 + dice.roll(2 * 365 * 86_400) as i64);
    let today = date(zone, at);
    let edge = match dice.roll(6) {
        0 => start_of(zone, today),
        1 => start_of(zone, month_of(today, 0)),
        2 if !zone.transitions.is_empty() => {
            let changes = zone.transitions.iter().map(|change| change.0);
            let near = changes.min_by_key(|change| change.abs_diff(at.seconds()));
            Instant::from_seconds(near.expect("a change")).max(Instant::from_seconds(1_735_689_600))
        }
        _ => return at,
    };
    dice.near(edge)
}

fn schedule(dice: &mut Dice, today: NaiveDate) -> Schedule {
    let unit = match dice.roll(4) {
        0 | 1 => Unit::Day,
        2 => Unit::Week { weekdays: weekdays(dice) },
        _ => Unit::Month { day: dice.roll(31) as u32 + 1 },
    };
    let at = dice.pick(&["00:00", "02:30", "09:00", "21:30", "23:59"]);
    Schedule {
        every: *dice.pick(&[1, 1, 2, 3]),
        unit,
        at: TimeOfDay::parse(at).expect("a time"),
        start: today - Days::new(dice.roll(40)) + Days::new(dice.roll(4)),
    }
}

pub(crate) fn weekdays(dice: &mut Dice) -> Vec<Weekday> {
    let picked = dice.roll(127) + 1;
    Weekday::ALL.into_iter().enumerate().filter(|(i, _)| picked >> i & 1 > 0).map(|d| d.1).collect()
}

/// Moves the moment to where the schedule or its notice turns.
fn turn(dice: &mut Dice, rule: &Rule, zone: &Zone, base: Instant) -> Instant {
    let Some(schedule) = rule.triggers.scheduled.as_ref().filter(|_| !dice.one_in(4)) else {
        return base;
    };
    let last = date(zone, base) + Days::new(35);
    let Some(at) = instants(schedule, zone, last).find(|at| base < *at) else { return base };
    match dice.roll(5) {
        0 => dice.near(at.minus(Span::hours(24))),
        1 => dice.near(at.plus(Span::hours(72))),
        2 => dice.near(at.plus(Span::hours(24))),
        _ => dice.near(at),
    }
}

fn method(dice: &mut Dice, id: &PaymentMethodId, price: Money, now: Instant) -> MethodFacts {
    let mut method = MethodFacts::card(id.clone());
    method.rail = *dice.pick(&[
        Rail::Card,
        Rail::Card,
        Rail::Card,
        Rail::Card,
        Rail::AlipayCycle,
        Rail::WechatDeduction,
        Rail::WechatDeduction,
        Rail::WechatDeduction,
        Rail::OnSession,
    ]);
    if method.rail != Rail::Card && dice.one_in(3) {
        let most = |n: u64, dice: &mut Dice| {
            Money::new(price.amount_minor * (dice.roll(n) as i64), price.currency)
        };
        method.agreement = Some(Agreement {
            cycle_days: dice.roll(10) as u32,
            most_per_debit: most(12, dice),
            total_left: dice.one_in(2).then(|| most(30, dice)),
            debits_left: dice.one_in(4).then(|| dice.roll(3) as u32),
            debited_at: dice.one_in(2).then(|| now.minus(Span::hours(dice.roll(240) as i64))),
        });
    }
    match dice.roll(24) {
        0 => method.expires_at = Some(dice.near(now)),
        1 => method.barred = true,
        2 => method.ladder = Ladder { failures: dice.roll(6) as u32, since: Some(now) },
        3 => {
            let apart = Span::minutes(*dice.pick(&[60, 144, 160, 2880, 3000]));
            let first = dice.near(now).min(now);
            let nth = |n: i64| first.minus(Span(apart.0 * n));
            method.declined_at = (0..dice.roll(8) as i64 + 8).map(nth).collect();
        }
        _ => {}
    }
    method
}

/// The day and month that ran when the account moved here from another zone.
fn kept(dice: &mut Dice, old: &Zone, new: &Zone, now: Instant) -> Periods {
    let back = *dice.pick(&[2, 24, 24 * 40]);
    let at = now.minus(Span::minutes(dice.roll(back * 60) as i64));
    let ran = |from: fn(NaiveDate) -> NaiveDate, next: fn(NaiveDate) -> NaiveDate| Period {
        from: start_of(old, from(date(old, at))),
        until: start_of(old, next(date(old, at))).max(start_of(new, next(date(new, at)))),
    };
    Periods {
        day: ran(|date| date, |date| date + Days::new(1)),
        month: ran(|date| month_of(date, 0), |date| month_of(date, 1)),
    }
}

fn cause(dice: &mut Dice) -> Cause {
    match dice.roll(12) {
        0 => Cause::BalanceChanged,
        1 => Cause::RuleChanged,
        2 => Cause::MethodChanged,
        3 => Cause::AsIfDue,
        4 => Cause::Submission { triggers: Vec::new() },
        5..=8 => Cause::Timer,
        _ => Cause::Usage,
    }
}
