//! JSON that is read: records, receipts, what a preview is made from, schedules with their zones.

use super::edits::{Choices, edited};
use crate::cases::now;
use crate::oracle::worlds::Worlds;
use crate::parity::{Dice, world_of};
use crate::records::signed;
use laika_core::ENGINE_VERSION;
use laika_core::api::Language;
use laika_core::balance::{Balance, UsageEvent};
use laika_core::catalogue::Terms;
use laika_core::decide::{
    Account, Decision, History, announce, decide, largest_recharge, usable_methods,
};
use laika_core::draft::RuleDraft;
use laika_core::forecast::{PreviewInputs, advice, preview, preview_sha256};
use laika_core::recharge::Recharge;
use laika_core::record::{ConsentReceipt, DecisionRecord, SignedReceipt, canonical, read};
use laika_core::rule::Rule;
use laika_core::say::Speech;
use laika_core::schedule::Schedule;
use laika_core::time::{Instant, Span};
use laika_core::zone::{Transition, Zone};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::OnceLock;

/// What was read is written so that it is read as the same.
fn again<T: Serialize + DeserializeOwned + PartialEq>(value: &T) {
    let text = String::from_utf8(canonical(value)).expect("UTF-8");
    assert!(read::<T>(&text).is_ok_and(|read| read == *value), "{text}");
}

/// Any bytes as each thing that is read anywhere.
pub(super) fn json(bytes: &[u8]) {
    fn as_one<T: Serialize + DeserializeOwned + PartialEq>(text: &str) {
        let known: Option<T> = serde_json::from_str(text).ok();
        assert!(laika_core::json::read(text).ok() == known, "{text}");
        if let Some(value) = known {
            again(&value);
        }
    }
    let Some((which, text)) = bytes.split_first() else { return };
    let text = &*String::from_utf8_lossy(text);
    match which % 12 {
        0 => as_one::<RuleDraft>(text),
        1 => as_one::<Rule>(text),
        2 => as_one::<Schedule>(text),
        3 => as_one::<Zone>(text),
        4 => as_one::<History>(text),
        5 => as_one::<Account>(text),
        6 => as_one::<Balance>(text),
        7 => as_one::<Terms>(text),
        8 => as_one::<Recharge>(text),
        9 => as_one::<ConsentReceipt>(text),
        10 => as_one::<Vec<UsageEvent>>(text),
        _ => as_one::<Instant>(text),
    }
}

/// A receipt in which anything was changed is not the one that was signed; and checking it ends.
pub(super) fn receipt(bytes: &[u8]) {
    let choices = &mut Choices(bytes);
    let language = [Language::En, Language::ZhCn][choices.seed() as usize % 2];
    let (one, other) = (signed(language, 0), signed(language, 1));
    let Some(changed): Option<SignedReceipt> = edited(choices, &one, &other) else { return };
    again(&changed);
    let same = changed.receipt == one.receipt;
    assert!(same || changed.sha256 != one.sha256 || !changed.check().is_empty());
}

/// The changes of a zone within a year of a moment: the others only take time here.
fn nearby(zone: &mut Zone, moment: Instant) {
    let year = Span::days(366);
    zone.transitions.retain(|Transition(at, _)| {
        let away = Instant::from_seconds(*at).since(moment);
        Span(-year.0) < away && away < year
    });
}

/// The instants of a schedule in a zone ascend, and there is no other between two of them.
pub(super) fn schedule(bytes: &[u8]) {
    let choices = &mut Choices(bytes);
    let made = |seed: u64| {
        let (record, _) = world_of(&mut Dice(seed));
        let schedule = Schedule {
            every: 1,
            unit: laika_core::schedule::Unit::Month { day: 31 },
            at: laika_core::schedule::TimeOfDay::parse("02:30").expect("a time"),
            start: record.account.zone.date(now()),
        };
        let mut zone = record.account.zone;
        nearby(&mut zone, now());
        (record.rule.triggers.scheduled.unwrap_or(schedule), zone, now())
    };
    let seed = choices.seed();
    let (one, other) = (made(seed), made(seed + 1));
    let Some((schedule, zone, after)) = edited(choices, &one, &other) else { return };
    again(&schedule);
    let mut last = after;
    for at in schedule.upcoming(after, &zone).take(12) {
        assert!(at > last, "{schedule:?} {last} {at}");
        assert_eq!(schedule.next(last, &zone), Some(at), "{schedule:?} {last}");
        last = at;
    }
    let next_day = zone.next_day(after);
    assert!(next_day > after || next_day == Instant::MAX, "{after}: {next_day}");
    schedule.since(zone.date(after));
    schedule.shortest_gap_days();
}

fn record(number: u64) -> DecisionRecord {
    static WORLDS: OnceLock<Worlds> = OnceLock::new();
    let mut world = WORLDS.get_or_init(Worlds::new).make(number);
    nearby(&mut world.account.zone, world.now);
    DecisionRecord::make(&world.rule, &world.account, &world.history, &world.cause, world.now)
}

/// Any world is decided: again the same, with an order that can be carried out and was allowed, or
/// a reason and when it is looked at again, and all of it in words.
pub(super) fn decision(bytes: &[u8]) {
    let choices = &mut Choices(bytes);
    let number = choices.seed() << 8 | choices.seed();
    let (one, other) = (record(number), record(number + 1));
    let Some(mut record) = edited(choices, &one, &other) else { return };
    // Why: nothing is sold for nothing; a catalogue that says so says nothing about the rules.
    if record.account.terms.step.is_some_and(|step| step.price.amount_minor <= 0) {
        return;
    }
    ENGINE_VERSION.clone_into(&mut record.engine_version);
    let DecisionRecord { rule, account, history, cause, now, .. } = &record;
    let decided = decide(rule, account, history, cause, *now);
    assert_eq!(record.rerun().as_ref(), Some(&decided));
    match &decided {
        Decision::Recharge { order } => {
            assert!(order.amount.amount_minor > 0, "{order:?}");
            assert!(!order.payment_methods.is_empty(), "{order:?}");
            let (most, _) = largest_recharge(rule, account).expect("at least this");
            assert!(order.amount.amount_minor <= most.amount_minor, "{order:?}: {most:?}");
            // Why not of credit: it is one fixed sum, and the form refuses one above the limit.
            let limit = rule.limits.max_per_recharge.filter(|_| order.adds.credit_minor() == 0);
            assert!(limit.is_none_or(|limit| order.amount.amount_minor <= limit.amount_minor));
            let usable: Vec<_> = usable_methods(rule, account, *now).collect();
            assert!(usable.iter().any(|method| order.payment_methods.contains(&method.id)));
        }
        Decision::Wait { until, .. } => assert!(until >= now, "{decided:?}"),
        Decision::Skip { .. } => {}
    }
    let mut told = history.clone();
    for notice in announce(rule, account, history, *now) {
        assert!(notice.at_most.amount_minor > 0, "{notice:?}");
        told.notices.retain(|old| old.trigger != notice.trigger);
        told.notices.push(notice);
    }
    // Why only now: what is announced for this very instant is charged by the look that follows.
    let next = decide(rule, account, &told, cause, *now).next_look_at();
    let last = *now == Instant::MAX;
    assert!(last || next.is_none_or(|at| at > *now), "{next:?} after {decided:?}");
    record.decision = decided;
    again(&record);
    let methods = &record.account.payment_methods;
    for language in [Language::En, Language::ZhCn] {
        let speech = Speech { language, zone: &record.account.zone, now: record.now };
        assert!(!speech.decision(&record.decision).is_empty());
        assert!(!speech.rule(&record.rule, methods).is_empty());
        for finding in record.explain() {
            assert!(!speech.finding(&finding, methods).is_empty(), "{finding:?}");
        }
    }
}

/// Any preview is made, is the same a second time, and is never below what it shows itself.
pub(super) fn preview_of_anything(bytes: &[u8]) {
    let choices = &mut Choices(bytes);
    let made = |seed: u64| {
        let (record, mut inputs) = world_of(&mut Dice(seed));
        nearby(&mut inputs.account.zone, now());
        inputs.past_use.hours.truncate(10 * 24);
        (record.rule, inputs)
    };
    let seed = choices.seed();
    let edited: Option<(Rule, PreviewInputs)> = edited(choices, &made(seed), &made(seed + 1));
    let Some((rule, inputs)) = edited else { return };
    let shown = preview(&rule, &inputs);
    assert_eq!(preview_sha256(&shown), preview_sha256(&preview(&rule, &inputs)));
    again(&shown);
    for pair in shown.upcoming.windows(2) {
        assert!(pair[0].at <= pair[1].at, "{pair:?}");
    }
    for language in [Language::En, Language::ZhCn] {
        let speech = Speech { language, zone: &inputs.account.zone, now: inputs.as_of };
        assert!(!speech.bound(&shown.bound).is_empty());
        for wait in &shown.waits {
            assert!(!speech.wait(wait).is_empty());
        }
        if let Some(advice) = advice(&inputs.past_use, &inputs.account) {
            assert!(!speech.advice(&advice).is_empty());
        }
    }
}
