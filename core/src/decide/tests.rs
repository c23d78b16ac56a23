//! Claims about `decide`, one each: the worlds differ from a good one in a single respect.

mod dates;

use super::*;
use crate::catalogue::Terms;
use crate::id::{LineId, RechargeId};
use crate::money::Currency;
use crate::rail::Rail;
use crate::retry::Ladder;
use crate::rule::{Amount, Limits, Threshold, Triggers};
use crate::schedule::{Schedule, TimeOfDay, Unit};
use crate::zone::Zone;
use chrono::NaiveDate;

fn at(text: &str) -> Instant {
    Instant::parse(text).unwrap_or_else(|| unreachable!("{text}"))
}

fn eur(amount_minor: i64) -> Money {
    Money::new(amount_minor, Currency::from_code("EUR").unwrap_or_else(|| unreachable!()))
}

fn gb(n: u64) -> Bytes {
    Bytes::GB.checked_mul(n).unwrap_or_default()
}

fn method(name: &str) -> PaymentMethodId {
    PaymentMethodId::new(name).unwrap_or_else(|| unreachable!())
}

/// Keep 5 GB when 1 GB or less is left, never more than EUR 30 a month; 1 GB left; card bound.
fn world() -> (Rule, Account, History, Instant) {
    let rule = Rule {
        version: 1,
        on: true,
        armed_at: at("2026-11-01T00:00:00Z"),
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
        payment_methods: vec![method("card")],
        step: Terms::sandbox(eur(0).currency).step,
    };
    let account = Account {
        line_id: LineId::new("line").unwrap_or_else(|| unreachable!()),
        zone: Zone::utc(),
        kept_periods: None,
        stopped_by_operator: false,
        line_closed: false,
        available_bytes: gb(1),
        credit_minor: 0,
        latest_expiry_at: None,
        terms: Terms::sandbox(eur(0).currency),
        payment_methods: vec![MethodFacts::card(method("card"))],
        notice_lead_hours: 24,
    };
    (rule, account, History::default(), at("2026-11-22T12:00:00Z"))
}

fn past(number: u32, standing: Standing, when: &str, minor: i64) -> PastRecharge {
    let line = LineId::new("line").unwrap_or_else(|| unreachable!());
    PastRecharge {
        id: RechargeId::derive(&line, number),
        automatic: true,
        standing,
        opened_at: at(when),
        reserved_at: at(when),
        amount: eur(minor),
        adds: Adds::Data { bytes: gb(4), steps: 4, validity_days: 30 },
    }
}

fn code(rule: &Rule, account: &Account, history: &History, now: Instant) -> String {
    match decide(rule, account, history, &Cause::Usage, now) {
        Decision::Recharge { order } => format!("recharge {}", order.amount.amount_minor),
        Decision::Wait { reason, until, .. } => format!("{} until {until}", reason.code()),
        Decision::Skip { reason, next_look_at: Some(at) } => format!("{} next {at}", reason.code()),
        Decision::Skip { reason, next_look_at: None } => reason.code().to_owned(),
    }
}

#[test]
fn a_threshold_is_inclusive() {
    let (rule, mut account, history, now) = world();
    assert_eq!(code(&rule, &account, &history, now), "recharge 1200");
    account.available_bytes = Bytes::new(1_000_000_001).unwrap_or_default();
    assert_eq!(code(&rule, &account, &history, now), "not_due");
}

#[test]
fn the_end_of_a_trial_charges_nothing() {
    let (mut rule, mut account, history, now) = world();
    (account.available_bytes, account.latest_expiry_at) = (Bytes::ZERO, Some(now));
    let looks = |rule: &Rule| {
        [Cause::Usage, Cause::BalanceChanged, Cause::Timer, Cause::MethodChanged]
            .map(|cause| decide(rule, &account, &history, &cause, now).reason().map(Reason::code))
    };
    rule.on = false;
    assert_eq!(looks(&rule), [Some("rule_off"); 4]);
    // On, but agreed for something else.
    rule.on = true;
    rule.triggers = scheduled().0.triggers;
    assert_eq!(looks(&rule), [Some("not_due"); 4]);
}

#[test]
fn the_gap_is_rounded_up_to_a_step() {
    let (rule, mut account, history, now) = world();
    account.available_bytes = Bytes::new(999_999_999).unwrap_or_default();
    assert_eq!(code(&rule, &account, &history, now), "recharge 1500");
}

#[test]
fn a_cap_is_hard_and_says_all_its_figures() {
    let (rule, account, mut history, now) = world();
    history.recharges.push(past(1, Standing::Spent, "2026-11-02T00:00:00Z", 2700));
    let decision = decide(&rule, &account, &history, &Cause::Usage, now);
    let resets_at = at("2026-12-01T00:00:00Z");
    let reason = Reason::MonthlyCapReached {
        cap: eur(3000),
        spent: eur(2700),
        needed: eur(1200),
        resets_at,
    };
    assert_eq!(decision, Decision::Wait { reason, until: resets_at, next_look_at: resets_at });
    history.recharges.clear();
    history.recharges.push(past(1, Standing::Spent, "2026-11-02T00:00:00Z", 1800));
    assert_eq!(code(&rule, &account, &history, now), "recharge 1200", "exactly full is full");
    history.recharges.clear();
    history.recharges.push(past(1, Standing::Spent, "2026-10-31T23:59:59Z", 2700));
    assert_eq!(code(&rule, &account, &history, now), "recharge 1200", "last month's");
    history.recharges.clear();
    history.recharges.push(past(1, Standing::Released, "2026-11-02T00:00:00Z", 2700));
    assert_eq!(code(&rule, &account, &history, now), "recharge 1200", "never charged");
}

#[test]
fn one_recharge_at_a_time_and_unknown_blocks() {
    let (rule, account, mut history, now) = world();
    history.recharges.push(past(1, Standing::Open, "2026-11-22T11:00:00Z", 300));
    assert_eq!(code(&rule, &account, &history, now), "recharge_open");
    if let Some(only) = history.recharges.first_mut() {
        only.automatic = false;
        only.adds = Adds::Credit(eur(300));
    }
    assert_eq!(code(&rule, &account, &history, now), "recharge 1200", "bought by hand, open");
    if let Some(only) = history.recharges.first_mut() {
        only.standing = Standing::Unknown;
    }
    assert_eq!(code(&rule, &account, &history, now), "recharge_open", "bought by hand, unknown");
}

#[test]
fn data_on_its_way_counts() {
    let (rule, account, mut history, now) = world();
    let mut bought = past(1, Standing::Open, "2026-11-22T11:59:00Z", 300);
    bought.automatic = false;
    history.recharges.push(bought);
    assert_eq!(code(&rule, &account, &history, now), "not_due");
}

#[test]
fn the_cool_down_counts_from_the_opening() {
    let (rule, account, mut history, now) = world();
    history.recharges.push(past(1, Standing::Released, "2026-11-22T11:45:00Z", 300));
    assert_eq!(code(&rule, &account, &history, now), "cooling_down until 2026-11-22T12:15:00Z");
}

#[test]
fn reasons_come_in_order_of_precedence() {
    let (mut rule, mut account, mut history, now) = world();
    history.recharges.push(past(1, Standing::Spent, "2026-11-22T11:45:00Z", 3000));
    let mut codes = vec![code(&rule, &account, &history, now)];
    account.available_bytes = gb(2);
    codes.push(code(&rule, &account, &history, now));
    account.payment_methods.clear();
    codes.push(code(&rule, &account, &history, now));
    if let Some(step) = &mut rule.step {
        step.price = eur(299);
    }
    codes.push(code(&rule, &account, &history, now));
    history.suspended = Some(Suspension::Declined);
    codes.push(code(&rule, &account, &history, now));
    rule.paused_until_on = NaiveDate::from_ymd_opt(2026, 11, 23);
    codes.push(code(&rule, &account, &history, now));
    rule.limits.starts_on = NaiveDate::from_ymd_opt(2026, 11, 25);
    codes.push(code(&rule, &account, &history, now));
    rule.limits.ends_on = NaiveDate::from_ymd_opt(2026, 11, 21);
    codes.push(code(&rule, &account, &history, now));
    rule.on = false;
    codes.push(code(&rule, &account, &history, now));
    account.line_closed = true;
    codes.push(code(&rule, &account, &history, now));
    account.stopped_by_operator = true;
    codes.push(code(&rule, &account, &history, now));
    assert_eq!(
        codes,
        [
            "monthly_cap_reached until 2026-12-01T00:00:00Z",
            "not_due",
            "no_usable_method",
            "terms_changed",
            "suspended",
            "paused until 2026-11-23T00:00:00Z",
            "not_started until 2026-11-25T00:00:00Z",
            "ended",
            "rule_off",
            "line_closed",
            "stopped_by_operator",
        ]
    );
}

/// The good world on a monthly schedule instead: the 24th at 09:00.
fn scheduled() -> (Rule, Account, History) {
    let (mut rule, mut account, history, _) = world();
    account.available_bytes = gb(3);
    rule.triggers.low_balance = None;
    rule.triggers.scheduled = Some(Schedule {
        every: 1,
        unit: Unit::Month { day: 24 },
        at: TimeOfDay::parse("09:00").unwrap_or_else(|| unreachable!()),
        start: NaiveDate::from_ymd_opt(2026, 11, 1).unwrap_or_default(),
    });
    (rule, account, history)
}

#[test]
fn a_scheduled_charge_is_announced_a_day_before_and_then_charged() {
    let (rule, account, mut history) = scheduled();
    let due = at("2026-11-24T09:00:00Z");
    let before = at("2026-11-23T08:59:59Z");
    assert_eq!(code(&rule, &account, &history, before), "not_due next 2026-11-23T09:00:00Z");
    assert!(announce(&rule, &account, &history, before).is_empty());
    let lead = at("2026-11-23T09:00:00Z");
    let notices = announce(&rule, &account, &history, lead);
    assert_eq!(notices.len(), 1);
    history.notices = notices;
    assert!(announce(&rule, &account, &history, lead).is_empty(), "announced once");
    assert_eq!(code(&rule, &account, &history, lead), "notice_running until 2026-11-24T09:00:00Z");
    assert_eq!(code(&rule, &account, &history, due), "recharge 600");
    history.consumed_through = Some(due);
    assert_eq!(code(&rule, &account, &history, due), "not_due next 2026-12-23T09:00:00Z");
}

#[test]
fn after_an_outage_the_charge_waits_for_its_announcement() {
    let (rule, account, mut history) = scheduled();
    let late = at("2026-11-25T09:00:00Z");
    assert_eq!(code(&rule, &account, &history, late), "notice_running until 2026-11-26T09:00:00Z");
    history.notices = announce(&rule, &account, &history, late);
    assert_eq!(code(&rule, &account, &history, at("2026-11-26T09:00:00Z")), "recharge 600");
}

#[test]
fn one_missed_for_72_hours_is_gone() {
    let (rule, account, history) = scheduled();
    let late = at("2026-11-27T09:00:00Z");
    assert_eq!(code(&rule, &account, &history, late), "not_due next 2026-12-23T09:00:00Z");
}

#[test]
fn a_skip_holds_only_its_own_trigger() {
    let (mut rule, mut account, history) = scheduled();
    rule.skip_at = Some(at("2026-11-24T09:00:00Z"));
    let due = at("2026-11-24T08:00:00Z");
    assert_eq!(code(&rule, &account, &history, due), "skipped_once next 2026-11-24T09:00:00Z");
    rule.triggers.low_balance = Some(Threshold::Data { bytes: gb(1) });
    account.available_bytes = gb(1);
    assert_eq!(code(&rule, &account, &history, due), "recharge 1200");
}

#[test]
fn only_instants_after_the_switch_count() {
    let (mut rule, account, history) = scheduled();
    rule.armed_at = at("2026-11-24T09:00:00Z");
    let now = at("2026-11-24T09:00:01Z");
    assert_eq!(code(&rule, &account, &history, now), "not_due next 2026-12-23T09:00:00Z");
}

#[test]
fn what_is_submitted_is_decided_again() {
    let (rule, mut account, history, now) = world();
    let cause = Cause::Submission { triggers: vec![TriggerDue::LowBalance] };
    let again = |account: &Account| decide(&rule, account, &history, &cause, now);
    assert!(matches!(again(&account), Decision::Recharge { .. }));
    account.available_bytes = gb(3);
    assert_eq!(again(&account).reason(), Some(&Reason::NotDue));
}

#[test]
fn what_was_announced_stays_when_the_zone_moves() {
    let (rule, mut account, mut history) = scheduled();
    history.notices = announce(&rule, &account, &history, at("2026-11-23T09:00:00Z"));
    // Three hours further east: 09:00 there is 06:00 UTC, three hours before what was announced.
    account.zone = Zone { first_offset_s: 3 * 3600, ..Zone::utc() };
    let early = at("2026-11-24T06:00:00Z");
    assert_eq!(code(&rule, &account, &history, early), "notice_running until 2026-11-24T09:00:00Z");
    let due = at("2026-11-24T09:00:00Z");
    assert_eq!(code(&rule, &account, &history, due), "recharge 600");
    history.consumed_through = Some(due);
    history.notices.clear();
    assert_eq!(code(&rule, &account, &history, due), "not_due next 2026-12-23T06:00:00Z");
}

#[test]
fn no_change_of_zone_makes_a_cap_count_twice() {
    let (rule, mut account, mut history, _) = world();
    history.recharges.push(past(1, Standing::Spent, "2026-11-20T00:00:00Z", 2700));
    let utc = Zone::utc();
    let east = Zone { first_offset_s: 14 * 3600, ..Zone::utc() };
    // In the east it is December already; in UTC, where the cap was running, it is not.
    let now = at("2026-11-30T12:00:00Z");
    account.kept_periods = Some(Periods::kept(&utc, None, &east, now));
    account.zone = east.clone();
    assert_eq!(
        code(&rule, &account, &history, now),
        "monthly_cap_reached until 2026-12-31T10:00:00Z"
    );
    // And back again: the running month still is the one that began in UTC.
    account.kept_periods = Some(Periods::kept(&east, account.kept_periods, &utc, now));
    account.zone = utc;
    assert_eq!(
        code(&rule, &account, &history, now),
        "monthly_cap_reached until 2026-12-31T10:00:00Z"
    );
    let over = at("2026-12-31T10:00:00Z");
    assert_eq!(code(&rule, &account, &history, over), "recharge 1200");
}

#[test]
fn an_instant_in_a_pause_is_gone_when_the_pause_ends_by_its_date() {
    let (mut rule, account, history) = scheduled();
    rule.paused_until_on = NaiveDate::from_ymd_opt(2026, 11, 25);
    let ends = at("2026-11-25T00:00:00Z");
    assert_eq!(code(&rule, &account, &history, ends), "not_due next 2026-12-23T09:00:00Z");
    assert!(announce(&rule, &account, &history, ends).is_empty());
}

#[test]
fn one_announced_and_missed_for_72_hours_is_gone_too() {
    let (rule, account, mut history) = scheduled();
    history.notices = announce(&rule, &account, &history, at("2026-11-23T09:00:00Z"));
    let late = at("2026-11-27T08:59:59Z");
    assert_eq!(code(&rule, &account, &history, late), "recharge 600");
    let later = at("2026-11-27T09:00:00Z");
    assert_eq!(code(&rule, &account, &history, later), "not_due next 2026-12-23T09:00:00Z");
}

#[test]
fn nothing_is_charged_above_what_was_announced() {
    let (rule, mut account, mut history) = scheduled();
    // Announced while the step was cheaper than what was agreed to.
    if let Some(step) = &mut account.terms.step {
        step.price = eur(200);
    }
    history.notices = announce(&rule, &account, &history, at("2026-11-23T09:00:00Z"));
    assert_eq!(history.notices.first().map(|notice| notice.at_most), Some(eur(1000)));
    account.terms = Terms::sandbox(eur(0).currency);
    let due = at("2026-11-24T09:00:00Z");
    assert_eq!(code(&rule, &account, &history, due), "recharge 600", "within what was announced");
    account.available_bytes = gb(1);
    assert_eq!(code(&rule, &account, &history, due), "notice_running until 2026-11-25T09:00:00Z");
    let again = announce(&rule, &account, &history, due);
    assert_eq!(again.first().map(|notice| notice.at_most), Some(eur(1500)), "announced anew");
}

#[test]
fn a_wait_looks_again_when_another_trigger_may_fall_due() {
    let (mut rule, mut account, mut history) = scheduled();
    rule.triggers.expiring_days = Some(5);
    account.latest_expiry_at = Some(at("2026-11-29T21:00:00Z"));
    // Announced for the 24th at 09:00; the other has to be announced twelve hours before that.
    let now = at("2026-11-23T10:00:00Z");
    history.notices = announce(&rule, &account, &history, now);
    let decision = decide(&rule, &account, &history, &Cause::Timer, now);
    assert_eq!(decision.reason().map(Reason::code), Some("notice_running"));
    assert_eq!(decision.next_look_at(), Some(at("2026-11-23T21:00:00Z")));
}

/// A world with a wallet that is told before it debits, in the place of the card.
fn wechat() -> (Rule, Account, History, Instant) {
    let (mut rule, mut account, history, now) = world();
    let wallet = MethodFacts { rail: Rail::WechatDeduction, ..MethodFacts::card(method("wallet")) };
    account.payment_methods.push(wallet);
    rule.payment_methods = vec![method("wallet")];
    (rule, account, history, now)
}

#[test]
fn a_rail_that_wants_notice_is_told_of_a_low_balance_and_charged_in_its_window() {
    let (rule, account, mut history, now) = wechat();
    // Noon in London is 20:00 in Beijing, day 1; day 3 opens at 07:00 there.
    assert_eq!(code(&rule, &account, &history, now), "notice_running until 2026-11-23T23:00:00Z");
    history.notices = announce(&rule, &account, &history, now);
    assert_eq!(history.notices.len(), 1);
    assert!(announce(&rule, &account, &history, now).is_empty(), "once");
    let opens = at("2026-11-23T23:00:00Z");
    assert_eq!(
        code(&rule, &account, &history, opens.minus(Span(1))),
        "notice_running until 2026-11-23T23:00:00Z"
    );
    assert_eq!(code(&rule, &account, &history, opens), "recharge 1200");
    let closed = at("2026-11-24T14:00:00Z");
    assert_eq!(
        code(&rule, &account, &history, closed),
        "rail_closed until 2026-11-24T23:00:00Z",
        "22:00 in Beijing"
    );
    let lapsed = at("2026-11-30T14:00:00Z");
    assert_eq!(
        code(&rule, &account, &history, lapsed),
        "notice_running until 2026-12-01T23:00:00Z",
        "after day 9 it is told anew"
    );
}

#[test]
fn the_order_of_preference_holds_between_rails() {
    let (mut rule, account, history, now) = wechat();
    rule.payment_methods = vec![method("card"), method("wallet")];
    let decision = decide(&rule, &account, &history, &Cause::Usage, now);
    let Decision::Recharge { order } = decision else { unreachable!("{decision:?}") };
    assert_eq!(order.payment_methods, [method("card")], "nobody was told about the wallet");
    rule.payment_methods = vec![method("wallet"), method("card")];
    assert_eq!(
        code(&rule, &account, &history, now),
        "notice_running until 2026-11-23T23:00:00Z",
        "the card is not charged in the wallet's place"
    );
}

#[test]
fn an_agreement_limits_amount_cycle_and_count() {
    let (mut rule, mut account, history, now) = world();
    let agreement = Agreement {
        cycle_days: 7,
        most_per_debit: eur(1500),
        total_left: Some(eur(5000)),
        debits_left: Some(3),
        debited_at: Some(at("2026-11-20T12:00:00Z")),
    };
    let wallet = |agreement| MethodFacts {
        rail: Rail::AlipayCycle,
        agreement: Some(agreement),
        ..MethodFacts::card(method("wallet"))
    };
    rule.payment_methods = vec![method("wallet")];
    let mut with = |agreement| {
        account.payment_methods = vec![wallet(agreement)];
        code(&rule, &account, &history, now)
    };
    assert_eq!(with(agreement), "rail_closed until 2026-11-27T12:00:00Z", "one debit a cycle");
    let free = Agreement { debited_at: Some(at("2026-11-15T12:00:00Z")), ..agreement };
    assert_eq!(with(free), "recharge 1200");
    assert_eq!(with(Agreement { most_per_debit: eur(1199), ..free }), "no_usable_method");
    assert_eq!(with(Agreement { total_left: Some(eur(1199)), ..free }), "no_usable_method");
    assert_eq!(with(Agreement { total_left: Some(eur(1200)), ..free }), "recharge 1200");
    assert_eq!(with(Agreement { debits_left: Some(0), ..free }), "no_usable_method");
}

#[test]
fn a_method_declined_too_often_is_looked_at_when_there_is_room_again() {
    let (rule, mut account, history, now) = world();
    let declines = (0..10).map(|minute| now.minus(Span::minutes(minute)));
    if let Some(card) = account.payment_methods.first_mut() {
        card.declined_at = declines.collect();
    }
    let room = now.minus(Span::minutes(9)).plus(Span::hours(24));
    assert_eq!(code(&rule, &account, &history, now), format!("no_usable_method next {room}"));
    assert_eq!(code(&rule, &account, &history, room), "recharge 1200");
}

#[test]
fn a_method_that_was_tried_out_is_not_charged_until_it_is_paid_with() {
    let (rule, mut account, history, now) = world();
    if let Some(card) = account.payment_methods.first_mut() {
        card.ladder = Ladder { failures: 4, since: Some(now.minus(Span::days(300))) };
    }
    assert_eq!(code(&rule, &account, &history, now), "no_usable_method");
}
