//! `tests/cases/decide.txt`: a table that a reader can follow, row by row.

use chrono::NaiveDate;
use laika_core::bytes::{Bytes, DataUnit};
use laika_core::catalogue::Terms;
use laika_core::decide::{
    Account, Cause, Check, Decision, History, MethodFacts, PastRecharge, Standing, Suspension,
};
use laika_core::id::{LineId, PaymentMethodId, RechargeId};
use laika_core::money::{Currency, Money};
use laika_core::record::DecisionRecord;
use laika_core::rule::{Adds, Amount, Limits, Rule, Threshold, Triggers};
use laika_core::say;
use laika_core::time::{Instant, Span};
use laika_core::zone::Zone;

const TABLE: &str = include_str!("../../tests/cases/decide.txt");

pub(crate) fn now() -> Instant {
    Instant::parse("2026-11-22T11:00:00Z").expect("an instant")
}

pub(crate) fn money(text: &str) -> Money {
    Money::parse(text, Currency::from_code("EUR").expect("a currency")).expect("an amount")
}

fn data(text: &str) -> Bytes {
    Bytes::parse(text.strip_suffix(" GB").expect("so many GB"), DataUnit::GB).expect("an amount")
}

pub(crate) fn zone(name: &str) -> Zone {
    let zones = include_str!("../../tests/vectors/zones.jsonl").lines();
    let mut zones = zones.map(|line| serde_json::from_str::<Zone>(line).expect("a zone"));
    zones.find(|zone| zone.name == name).expect("a zone of that name")
}

/// A rule, an account with a good card, and nothing before.
pub(crate) fn world() -> (Rule, Account, History) {
    let card = PaymentMethodId::new("card").expect("an id");
    let rule = Rule {
        version: 1,
        on: true,
        armed_at: now().minus(Span::days(30)),
        paused_until_on: None,
        skip_at: None,
        triggers: Triggers::default(),
        amount: Amount::Target { bytes: Bytes::GB },
        limits: Limits {
            max_per_recharge: None,
            max_per_day: None,
            cap_per_month: None,
            cool_down_minutes: 30,
            starts_on: None,
            ends_on: None,
        },
        alert: None,
        payment_methods: vec![card.clone()],
        step: Terms::sandbox(money("1").currency).step,
    };
    let account = Account {
        line_id: LineId::new("line").expect("an id"),
        zone: zone("Europe/Madrid"),
        kept_periods: None,
        stopped_by_operator: false,
        line_closed: false,
        available_bytes: Bytes::ZERO,
        credit_minor: 0,
        latest_expiry_at: None,
        terms: Terms::sandbox(money("1").currency),
        payment_methods: vec![MethodFacts::card(card)],
        notice_lead_hours: 24,
    };
    (rule, account, History::default())
}

fn change(but: &str, rule: &mut Rule, account: &mut Account, history: &mut History) {
    let november = |day| NaiveDate::from_ymd_opt(2026, 11, day);
    let card = account.payment_methods.first_mut().expect("a card");
    match but {
        "-" => {}
        "off" => rule.on = false,
        "stopped" => account.stopped_by_operator = true,
        "closed" => account.line_closed = true,
        "paused" => rule.paused_until_on = november(24),
        "suspended" => history.suspended = Some(Suspension::Declined),
        "price rose" => rule.step.as_mut().expect("a step").price = money("2.99"),
        "step shrank" => account.terms.step.as_mut().expect("a step").bytes = Bytes::MB,
        "price fell" => account.terms.step.as_mut().expect("a step").price = money("2.50"),
        "card expired" => card.expires_at = Some(now()),
        "card barred" => card.barred = true,
        "not before 24" => rule.limits.starts_on = november(24),
        "not after 21" => rule.limits.ends_on = november(21),
        "not after 22" => rule.limits.ends_on = november(22),
        "once a day" => rule.limits.max_per_day = Some(1),
        "most 7.00" => rule.limits.max_per_recharge = Some(money("7.00")),
        last => {
            let standing = match last {
                "last open" => Standing::Open,
                "last unknown" => Standing::Unknown,
                "last released" => Standing::Released,
                other => panic!("what is {other:?}?"),
            };
            history.recharges.last_mut().expect("a recharge").standing = standing;
        }
    }
}

/// The row's world, decided.
fn record(cells: &[&str]) -> DecisionRecord {
    let [low, amount, cap, left, spent, ago, but, _] = cells else { panic!("{cells:?}") };
    let (mut rule, mut account, mut history) = world();
    rule.triggers.low_balance = Some(Threshold::Data { bytes: data(low) });
    rule.amount = match amount.strip_prefix("to ") {
        Some(target) => Amount::Target { bytes: data(target) },
        None => Amount::FixedData { bytes: data(amount) },
    };
    rule.limits.cap_per_month = Some(money(cap));
    account.available_bytes = data(left);
    if *ago != "-" {
        let opened_at = now().minus(Span::minutes(ago.parse().expect("minutes")));
        history.recharges.push(PastRecharge {
            id: RechargeId::derive(&account.line_id, 1),
            automatic: true,
            standing: Standing::Spent,
            opened_at,
            reserved_at: opened_at,
            amount: money(spent),
            adds: Adds::Credit(money(spent)),
        });
    }
    change(but, &mut rule, &mut account, &mut history);
    DecisionRecord::make(&rule, &account, &history, &Cause::Usage, now())
}

fn decided(cells: &[&str]) -> String {
    match record(cells).decision {
        Decision::Recharge { order } => {
            let adds = say::bytes_exact(order.adds.bytes());
            format!("recharge {} for {adds}", say::money(order.amount))
        }
        Decision::Wait { reason, until, .. } => format!("{} until {until}", reason.code()),
        Decision::Skip { reason, .. } => reason.code().to_owned(),
    }
}

fn rows() -> impl Iterator<Item = (&'static str, Vec<&'static str>)> {
    let rows = TABLE.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    rows.map(|row| (row, row.split('|').map(str::trim).collect()))
}

/// All that was looked at before what stopped it passed; when it recharges, everything did.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn every_row_is_explained_up_to_what_stopped_it() {
    for (row, cells) in rows() {
        let record = record(&cells);
        let findings = record.explain();
        let failed: Vec<_> = findings.iter().filter(|f| !f.passed).collect();
        if record.decision.reason().is_none() {
            assert!(failed.is_empty(), "{row}: {failed:?}");
            assert!(matches!(findings.last().map(|f| &f.check), Some(Check::RailOpen)), "{row}");
        } else {
            assert_eq!(failed.len(), 1, "{row}: {failed:?}");
            assert_eq!(findings.last(), failed.first().copied(), "{row}: nothing after it");
        }
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn every_row_of_the_table_is_decided_as_it_says() {
    let mut count = 0;
    for (row, cells) in rows() {
        assert_eq!(cells.last().copied(), Some(decided(&cells).as_str()), "{row}");
        count += 1;
    }
    assert!(count > 30, "only {count} rows were read");
}
