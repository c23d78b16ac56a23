//! Claims about replay and forecast, on small histories that can be followed by hand.

use super::*;
use crate::bytes::Bytes;
use crate::catalogue::Terms;
use crate::decide::MethodFacts;
use crate::id::{LineId, PaymentMethodId};
use crate::money::Currency;
use crate::rail::Rail;
use crate::rule::{Amount, Limits, Threshold, Triggers};
use crate::schedule::{Schedule, TimeOfDay, Unit};
use crate::time::Span;
use crate::zone::Zone;

pub(crate) fn gb(n: u64) -> Bytes {
    Bytes::GB.checked_mul(n).unwrap_or_default()
}

fn mb(n: u64) -> Bytes {
    Bytes::MB.checked_mul(n).unwrap_or_default()
}

fn eur(minor: i64) -> Money {
    Money::new(minor, Currency::from_code("EUR").unwrap_or_else(|| unreachable!()))
}

fn now() -> Instant {
    Instant::parse("2026-11-22T00:00:00Z").unwrap_or_else(|| unreachable!())
}

fn method() -> PaymentMethodId {
    PaymentMethodId::new("method").unwrap_or_else(|| unreachable!())
}

pub(crate) fn account() -> Account {
    Account {
        line_id: LineId::new("line").unwrap_or_else(|| unreachable!()),
        zone: Zone::utc(),
        kept_periods: None,
        stopped_by_operator: false,
        line_closed: false,
        available_bytes: gb(5),
        credit_minor: 0,
        latest_expiry_at: None,
        terms: Terms::sandbox(eur(0).currency),
        payment_methods: vec![MethodFacts::card(method())],
        notice_lead_hours: 24,
    }
}

/// Keep 5 GB when 1 GB or less is left, at most EUR 30 a month.
fn keep_five() -> Rule {
    Rule {
        version: 1,
        on: true,
        armed_at: now(),
        paused_until_on: None,
        skip_at: None,
        triggers: Triggers {
            low_balance: Some(Threshold::Data { bytes: gb(1) }),
            ..Triggers::default()
        },
        amount: Amount::Target { bytes: gb(5) },
        limits: Limits {
            max_per_recharge: None,
            max_per_day: None,
            cap_per_month: Some(eur(3000)),
            cool_down_minutes: 30,
            starts_on: None,
            ends_on: None,
        },
        alert: None,
        payment_methods: vec![method()],
        step: Terms::sandbox(eur(0).currency).step,
    }
}

/// So many days of so much use, in the hour before noon.
fn inputs(daily: &[u64]) -> PreviewInputs {
    let day = |mb_used: &u64| {
        let mut hours = vec![Bytes::ZERO; 24];
        if let Some(noon) = hours.get_mut(11) {
            *noon = mb(*mb_used);
        }
        hours
    };
    PreviewInputs {
        as_of: now(),
        state_version: 1,
        engine_version: ENGINE_VERSION.to_owned(),
        next_version: 2,
        account: account(),
        history: History::default(),
        balance: Balance::default(),
        past_use: PastUse { hours: daily.iter().flat_map(day).collect() },
    }
}

#[test]
fn a_replay_can_be_followed_by_hand() {
    // From 5 GB, a gigabyte a day: 1 GB is left on the fourth day, and 4 GB are bought each time.
    let inputs = inputs(&[1000; 10]);
    let replay = replay(&keep_five(), &inputs).unwrap_or_else(|| unreachable!());
    let from = now().minus(Span::days(10));
    let noon = |day: i64| from.plus(Span::days(day - 1)).plus(Span::hours(12));
    let at: Vec<Instant> = replay.recharges.iter().map(|r| r.at).collect();
    assert_eq!((replay.from, at), (from, vec![noon(4), noon(8)]));
    assert_eq!(replay.total, eur(2400));
    assert_eq!(replay.lowest, gb(1));
    assert_eq!(replay.lowest_by_day, [4, 3, 2, 1, 4, 3, 2, 1, 4, 3].map(gb));
    // Without it the 5 GB last five days; then there is one dry hour a day, in which all is used.
    assert_eq!((replay.dry_hours, replay.dry_hours_without), (0, 5));
}

#[test]
fn a_cap_that_runs_dry_is_seen() {
    let mut rule = keep_five();
    rule.limits.cap_per_month = Some(eur(1500));
    let replay = replay(&rule, &inputs(&[2000; 10])).unwrap_or_else(|| unreachable!());
    // 5, 3, 1 and EUR 12 for 4; 5, 3, 1 and no room. From the fifth day on it runs dry.
    assert_eq!(replay.total, eur(1200));
    assert_eq!((replay.lowest, replay.dry_hours), (Bytes::ZERO, 6));
    assert_eq!(replay.dry_hours_capped, 6, "each of them for want of room");
    assert_eq!(replay.dry_hours_without, 8, "5, 3, 1 and nothing more");
    let burst = super::replay(&keep_five(), &inputs(&[6000])).unwrap_or_else(|| unreachable!());
    assert_eq!((burst.dry_hours, burst.dry_hours_capped), (1, 0), "more in an hour than there was");
}

#[test]
fn what_holds_a_rule_today_did_not_hold_it_then() {
    let mut inputs = inputs(&[1000; 10]);
    let plain = replay(&keep_five(), &inputs);
    inputs.account.stopped_by_operator = true;
    inputs.account.payment_methods.clear();
    let mut rule = keep_five();
    rule.on = false;
    rule.paused_until_on = Some(chrono::NaiveDate::MAX);
    rule.limits.starts_on = Some(chrono::NaiveDate::MAX);
    assert_eq!(replay(&rule, &inputs), plain);
}

#[test]
fn a_schedule_is_replayed_on_its_dates() {
    let mut rule = keep_five();
    rule.triggers = Triggers {
        scheduled: Some(Schedule {
            every: 1,
            unit: Unit::Month { day: 15 },
            at: TimeOfDay::parse("09:00").unwrap_or_else(|| unreachable!()),
            start: chrono::NaiveDate::from_ymd_opt(2026, 11, 22).unwrap_or_default(),
        }),
        ..Triggers::default()
    };
    let replay = replay(&rule, &inputs(&[100; 60])).unwrap_or_else(|| unreachable!());
    let at: Vec<String> = replay.recharges.iter().map(|r| r.at.to_string()).collect();
    assert_eq!(at, ["2026-10-15T09:00:00Z", "2026-11-15T09:00:00Z"]);
}

#[test]
fn money_parked_is_the_average_at_the_agreed_price() {
    let mut rule = keep_five();
    rule.triggers.low_balance = Some(Threshold::Data { bytes: Bytes::ZERO });
    // Nothing is used: 5 GB lie there for EUR 15 all the time.
    let replay = replay(&rule, &inputs(&[0; 10])).unwrap_or_else(|| unreachable!());
    assert_eq!((replay.parked, replay.total), (eur(1500), eur(0)));
}

#[test]
fn a_rail_that_is_told_first_is_said_with_a_safer_threshold() {
    let mut inputs = inputs(&[1200; 28]);
    assert_eq!(waits(&keep_five(), &inputs), [], "a card waits for nothing");
    if let Some(method) = inputs.account.payment_methods.first_mut() {
        method.rail = Rail::WechatDeduction;
    }
    let found = waits(&keep_five(), &inputs);
    let [wait] = found.as_slice() else { unreachable!("{found:?}") };
    assert_eq!(wait.longest_hours, 55);
    assert_eq!(wait.charged_at.to_string(), "2026-11-23T23:00:00Z");
    // 1.2 GB a day for 59 hours, twice: 5.9 GB.
    assert_eq!(wait.safer_threshold, Some(mb(5900)));
    let replay = replay(&keep_five(), &inputs).unwrap_or_else(|| unreachable!());
    assert!(replay.dry_hours > 0, "the replay shows what the wait means");
}
