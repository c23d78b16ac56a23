//! Laws that hold in every world: what `decide` lets through in a month of any usage stays within
//! the bound that was promised, and a rule's sentence changes with every field of the rule.

use crate::cases::{money, now, world};
use crate::parity::Dice;
use laika_core::api::Language;
use laika_core::bytes::Bytes;
use laika_core::decide::{Cause, Decision, MethodFacts, PastRecharge, Standing, decide};
use laika_core::forecast::bound;
use laika_core::id::{PaymentMethodId, RechargeId};
use laika_core::rule::{Amount, Rule, Threshold};
use laika_core::say::Speech;
use laika_core::schedule::{Schedule, TimeOfDay, Unit};
use laika_core::time::{Instant, Span};
use laika_core::zone::Zone;

fn gb(n: u64) -> Bytes {
    Bytes::GB.checked_mul(n).expect("few bytes")
}

/// A rule on the low balance with limits as the dice fall.
fn rule_of(dice: &mut Dice, rule: &mut Rule) {
    rule.amount = match dice.roll(2) {
        0 => Amount::FixedData { bytes: gb(dice.roll(4) + 2) },
        _ => Amount::Target { bytes: gb(dice.roll(4) + 2) },
    };
    rule.triggers.low_balance = Some(Threshold::Data { bytes: gb(1) });
    let cap = money("18.00").checked_mul(dice.roll(5) as i64 + 1);
    rule.limits.cap_per_month = (dice.roll(4) > 0).then_some(cap).flatten();
    rule.limits.max_per_day = (dice.roll(2) == 0).then(|| dice.roll(3) as u32 + 1);
    rule.limits.max_per_recharge = (dice.roll(3) == 0).then(|| money("9.00"));
    rule.limits.cool_down_minutes = 30 + dice.roll(3) as u32 * 200;
}

/// Uses data as fast as it comes, at odd moments, and adds up what is taken by day and by month.
fn takes_at_most(dice: &mut Dice) {
    let (mut rule, mut account, mut history) = world();
    rule_of(dice, &mut rule);
    let promised = bound(&rule, &account);
    let (mut day, mut month) = (0_i64, 0_i64);
    let mut at = Instant::parse("2026-10-31T23:00:00Z").expect("an instant");
    let (mut today, end) = (account.zone.date(at), account.zone.next_month(at));
    while at < end {
        account.available_bytes = account.available_bytes.minus(gb(dice.roll(9)));
        let decision = decide(&rule, &account, &history, &Cause::Usage, at);
        if account.zone.date(at) != today {
            (today, day) = (account.zone.date(at), 0);
        }
        if let Decision::Recharge { order } = decision {
            let number = history.recharges.len() as u32;
            history.recharges.push(PastRecharge {
                id: RechargeId::derive(&account.line_id, number),
                automatic: true,
                standing: Standing::Spent,
                opened_at: at,
                reserved_at: at,
                amount: order.amount,
                adds: order.adds,
            });
            account.available_bytes = account.available_bytes.plus(order.adds.bytes());
            day += order.amount.amount_minor;
            month += order.amount.amount_minor;
            assert!(order.amount.amount_minor <= promised.per_recharge.amount_minor);
        }
        assert!(day <= promised.per_day.amount_minor, "{day} a day with {rule:?}");
        at = at.plus(Span::minutes(dice.roll(90) as i64 + 1));
    }
    assert!(month <= promised.per_month.amount_minor, "{month} a month with {rule:?}");
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn no_usage_takes_more_than_the_bound() {
    let mut dice = Dice(11);
    for _ in 0..60 {
        takes_at_most(&mut dice);
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn some_usage_reaches_the_bound() {
    let (mut rule, account, _) = world();
    rule.amount = Amount::Target { bytes: gb(5) };
    rule.triggers.low_balance = Some(Threshold::Data { bytes: gb(1) });
    // EUR 15.00 and EUR 12.00 are the sizes; 27.00 is reached, 29.99 leaves room for nothing more.
    rule.limits.cap_per_month = Some(money("29.99"));
    assert_eq!(bound(&rule, &account).per_month, money("27.00"));
    rule.limits.cap_per_month = Some(money("30.00"));
    assert_eq!(bound(&rule, &account).per_month, money("30.00"));
    rule.limits.cap_per_month = Some(money("23.00"));
    assert_eq!(bound(&rule, &account).per_month, money("15.00"), "one, and no room for a second");
}

/// Each changes one field of what the customer agreed to.
fn changes() -> Vec<fn(&mut Rule)> {
    vec![
        |r| r.triggers.low_balance = Some(Threshold::Data { bytes: gb(2) }),
        |r| r.triggers.low_balance = Some(Threshold::Credit(money("2.00"))),
        |r| r.triggers.low_balance = None,
        |r| r.triggers.scheduled.as_mut().expect("a schedule").every = 2,
        |r| r.triggers.scheduled.as_mut().expect("a schedule").unit = Unit::Month { day: 2 },
        |r| r.triggers.scheduled.as_mut().expect("a schedule").unit = Unit::Day,
        |r| {
            let later = TimeOfDay::parse("09:01").expect("a time");
            r.triggers.scheduled.as_mut().expect("a schedule").at = later;
        },
        |r| {
            let schedule = r.triggers.scheduled.as_mut().expect("a schedule");
            schedule.start = schedule.start.succ_opt().expect("a date");
        },
        |r| r.triggers.scheduled = None,
        |r| r.triggers.expiring_days = Some(3),
        |r| r.amount = Amount::Target { bytes: gb(6) },
        |r| r.amount = Amount::FixedData { bytes: gb(5) },
        |r| r.amount = Amount::FixedCredit(money("5.00")),
        |r| r.limits.cap_per_month = Some(money("30.01")),
        |r| r.limits.cap_per_month = None,
        |r| r.limits.max_per_recharge = Some(money("9.00")),
        |r| r.limits.max_per_day = Some(1),
        |r| r.limits.cool_down_minutes = 31,
        |r| r.limits.starts_on = Some(chrono::NaiveDate::MIN),
        |r| r.limits.ends_on = Some(chrono::NaiveDate::MIN),
        |r| r.alert = Some(Threshold::Data { bytes: gb(1) }),
        |r| r.paused_until_on = Some(chrono::NaiveDate::MIN),
        |r| r.skip_at = Some(now()),
        |r| r.step.as_mut().expect("a step").price = money("3.01"),
        |r| r.step.as_mut().expect("a step").bytes = gb(2),
        |r| r.step.as_mut().expect("a step").validity_days = 31,
        |r| r.payment_methods.reverse(),
        |r| r.payment_methods.truncate(1),
        |r| r.payment_methods.clear(),
    ]
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn changing_any_field_changes_the_sentence() {
    let (mut rule, ..) = world();
    let methods = ["Visa ·· 4242", "WeChat Pay"].map(|name| {
        let id = PaymentMethodId::new(name.replace([' ', '·'], "")).expect("an id");
        MethodFacts { name: name.to_owned(), ..MethodFacts::card(id) }
    });
    rule.payment_methods = methods.iter().map(|method| method.id.clone()).collect();
    rule.amount = Amount::Target { bytes: gb(5) };
    rule.triggers.low_balance = Some(Threshold::Data { bytes: gb(1) });
    rule.triggers.scheduled = Some(Schedule {
        every: 1,
        unit: Unit::Month { day: 1 },
        at: TimeOfDay::parse("09:00").expect("a time"),
        start: chrono::NaiveDate::MIN,
    });
    rule.limits.cap_per_month = Some(money("30.00"));
    let zone = Zone::utc();
    for language in [Language::En, Language::ZhCn] {
        let speech = Speech { language, zone: &zone, now: now() };
        let mut seen = vec![speech.rule(&rule, &methods)];
        for (number, change) in changes().into_iter().enumerate() {
            let mut changed = rule.clone();
            change(&mut changed);
            let sentence = speech.rule(&changed, &methods);
            assert!(!seen.contains(&sentence), "change {number}: {sentence}");
            seen.push(sentence);
        }
    }
}
