//! The reasons come in their declared order: of any two obstacles at once, the earlier is said.

use crate::cases::{money, now, world};
use laika_core::bytes::Bytes;
use laika_core::decide::{
    Account, Agreement, Cause, History, PastRecharge, Reason, Standing, Suspension, decide,
};
use laika_core::id::RechargeId;
use laika_core::rule::{Adds, Amount, Rule, Threshold};
use laika_core::schedule::{Schedule, TimeOfDay, Unit};
use laika_core::time::Span;

type Obstacle = fn(&mut Rule, &mut Account, &mut History);

/// Each reason's code in declared order, and what makes it apply to a world that recharges.
fn obstacles() -> Vec<(&'static str, Obstacle)> {
    vec![
        ("recharge_open", |_, account, history| {
            past(account, history, Standing::Open, Span::hours(50));
        }),
        ("stopped_by_operator", |_, account, _| account.stopped_by_operator = true),
        ("line_closed", |_, account, _| account.line_closed = true),
        ("rule_off", |rule, _, _| rule.on = false),
        ("ended", |rule, account, _| {
            rule.limits.ends_on = account.zone.date(now()).pred_opt();
        }),
        ("not_started", |rule, account, _| {
            rule.limits.starts_on = account.zone.date(now()).succ_opt();
        }),
        ("paused", |rule, account, _| {
            rule.paused_until_on = account.zone.date(now()).succ_opt();
        }),
        ("suspended", |_, _, history| history.suspended = Some(Suspension::Declined)),
        ("terms_changed", |_, account, _| {
            let step = account.terms.step.as_mut().expect("a step");
            step.price.amount_minor += 1;
        }),
        ("no_usable_method", |_, account, _| {
            account.payment_methods.iter_mut().for_each(|method| method.barred = true);
        }),
        ("skipped_once", |rule, account, _| {
            by_the_clock(rule);
            rule.skip_at = by_date(rule).next(now(), &account.zone);
        }),
        ("notice_running", |rule, account, _| {
            by_the_clock(rule);
            account.latest_expiry_at = Some(now().plus(Span::days(3)));
            rule.triggers.expiring_days = Some(3);
        }),
        ("not_due", |rule, _, _| by_the_clock(rule)),
        ("target_met", |rule, account, _| {
            account.available_bytes = Bytes::GB;
            rule.amount = Amount::Target { bytes: Bytes::GB };
        }),
        ("monthly_cap_reached", |rule, _, _| rule.limits.cap_per_month = Some(money("0.01"))),
        ("daily_count_reached", |rule, account, history| {
            past(account, history, Standing::Spent, Span::hours(2));
            rule.limits.max_per_day = Some(1);
        }),
        ("cooling_down", |_, account, history| {
            past(account, history, Standing::Released, Span::minutes(1));
        }),
        ("rail_closed", |_, account, _| {
            let agreement = Agreement {
                cycle_days: 7,
                most_per_debit: money("500.00"),
                total_left: None,
                debits_left: None,
                debited_at: Some(now().minus(Span::days(1))),
            };
            account.payment_methods.iter_mut().for_each(|m| m.agreement = Some(agreement));
        }),
    ]
}

/// The low balance makes nothing due any more.
fn by_the_clock(rule: &mut Rule) {
    rule.triggers.low_balance = None;
}

fn by_date(rule: &mut Rule) -> &Schedule {
    rule.triggers.scheduled.insert(Schedule {
        every: 1,
        unit: Unit::Day,
        at: TimeOfDay::parse("12:30").expect("a time"),
        start: "2026-11-22".parse().expect("a date"),
    })
}

fn past(account: &Account, history: &mut History, standing: Standing, ago: Span) {
    history.recharges.push(PastRecharge {
        id: RechargeId::derive(&account.line_id, 1),
        automatic: true,
        standing,
        opened_at: now().minus(ago),
        reserved_at: now().minus(ago),
        amount: money("3.00"),
        adds: Adds::Credit(money("3.00")),
    });
}

fn code(applied: &[Obstacle]) -> &'static str {
    let (mut rule, mut account, mut history) = world();
    rule.triggers.low_balance = Some(Threshold::Data { bytes: Bytes::GB });
    rule.amount = Amount::FixedData { bytes: Bytes::GB };
    for apply in applied {
        apply(&mut rule, &mut account, &mut history);
    }
    let decision = decide(&rule, &account, &history, &Cause::Usage, now());
    decision.reason().map_or("recharge", Reason::code)
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn of_any_two_obstacles_the_earlier_is_the_answer() {
    assert_eq!(code(&[]), "recharge");
    let obstacles = obstacles();
    assert_eq!(obstacles.len(), 18, "every reason");
    for (place, (earlier, first)) in obstacles.iter().enumerate() {
        assert_eq!(code(&[*first]), *earlier);
        for (later, second) in &obstacles[place + 1..] {
            assert_eq!(code(&[*second, *first]), *earlier, "{earlier} and {later}");
        }
    }
}
