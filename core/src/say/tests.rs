//! Claims about words: the examples of the interface's design, and how quantities are written.

use super::*;
use crate::bytes::Bytes;
use crate::decide::{Notice, Reason, TriggerDue};
use crate::money::{Currency, Money};
use crate::rule::{Amount, Limits, Rule, Threshold, Triggers};
use chrono::NaiveDate;

fn at(text: &str) -> Instant {
    Instant::parse(text).unwrap_or_else(|| unreachable!("{text}"))
}

fn eur(minor: i64) -> Money {
    Money::new(minor, Currency::from_code("EUR").unwrap_or_else(|| unreachable!()))
}

fn keep_five() -> Rule {
    Rule {
        version: 1,
        on: true,
        armed_at: at("2026-11-22T00:00:00Z"),
        paused_until_on: None,
        skip_at: None,
        triggers: Triggers {
            low_balance: Some(Threshold::Data { bytes: Bytes::GB }),
            ..Triggers::default()
        },
        amount: Amount::Target { bytes: Bytes::GB.checked_mul(5).unwrap_or_default() },
        limits: Limits {
            max_per_recharge: None,
            max_per_day: None,
            cap_per_month: Some(eur(3000)),
            cool_down_minutes: 30,
            starts_on: None,
            ends_on: None,
        },
        alert: None,
        payment_methods: Vec::new(),
        step: None,
    }
}

#[test]
fn an_announcement_says_how_much_when_to_what_and_what_can_be_done() {
    let zone = Zone::utc();
    let now = at("2026-11-22T12:00:00Z");
    let say = |language, trigger: TriggerDue, ids: &[&str]| {
        let id = |id: &&str| PaymentMethodId::new(*id).unwrap_or_else(|| unreachable!());
        let method = |id: &&str| MethodFacts {
            name: format!("Visa {id}"),
            ..MethodFacts::card(PaymentMethodId::new(*id).unwrap_or_else(|| unreachable!()))
        };
        let notice = Notice {
            trigger,
            charge_at: at("2026-11-24T09:00:00Z"),
            at_most: eur(900),
            payment_methods: ids.iter().map(id).collect(),
            lapses_at: None,
        };
        let methods: Vec<_> = ["1111", "2222"].iter().map(method).collect();
        Speech { language, zone: &zone, now }.announcement(&notice, &methods)
    };
    let scheduled = TriggerDue::Scheduled { at: at("2026-11-24T09:00:00Z") };
    assert_eq!(
        say(Language::En, scheduled.clone(), &["1111", "2222"]),
        "At most EUR 9.00 will be charged to Visa 1111 or Visa 2222 on 24 Nov 2026 at 09:00. You \
         can skip it on the rule page."
    );
    assert_eq!(
        say(Language::ZhCn, scheduled, &["2222"]),
        "将于 2026 年 11 月 24 日 09:00 用 Visa 2222 最多扣款 EUR 9.00。可在自动充值页面跳过。"
    );
    assert_eq!(
        say(Language::En, TriggerDue::LowBalance, &[]),
        "At most EUR 9.00 will be charged on 24 Nov 2026 at 09:00. You can pause the rule or turn \
         it off before that."
    );
}

#[test]
fn a_charge_that_was_missed_says_that_nothing_moved() {
    let (zone, now) = (Zone::utc(), at("2026-11-28T12:00:00Z"));
    let say = |language| Speech { language, zone: &zone, now }.missed(at("2026-11-24T09:00:00Z"));
    assert_eq!(
        say(Language::En),
        "The charge planned for 24 Nov 2026 at 09:00 was not made: it had become too late for it. \
         No money moved."
    );
    assert_eq!(say(Language::ZhCn), "原定 2026 年 11 月 24 日 09:00 的扣款因逾期未执行，未扣款。");
}

#[test]
fn the_rule_says_itself_in_both_languages() {
    let zone = Zone { name: "Europe/Madrid".to_owned(), ..Zone::utc() };
    let now = at("2026-11-22T12:00:00Z");
    let en = Speech { language: Language::En, zone: &zone, now };
    assert_eq!(
        en.rule(&keep_five(), &[]),
        "When 1 GB or less is left, top up to 5 GB. Never more than EUR 30.00 in a calendar month \
         (Madrid time). At least 30 minutes between two."
    );
    let zh = Speech { language: Language::ZhCn, zone: &zone, now };
    assert_eq!(
        zh.rule(&keep_five(), &[]),
        "剩余流量不超过 1 GB 时，自动补足到 5 GB。每个自然月（马德里时间）最多扣款 EUR 30.00。\
         两次之间至少间隔 30 分钟。"
    );
}

#[test]
fn a_full_cap_names_all_its_figures() {
    let zone = Zone::utc();
    let now = at("2026-11-22T12:00:00Z");
    let reason = Reason::MonthlyCapReached {
        cap: eur(3000),
        spent: eur(2700),
        needed: eur(900),
        resets_at: at("2026-12-01T00:00:00Z"),
    };
    assert_eq!(
        Speech { language: Language::En, zone: &zone, now }.reason(&reason),
        "Not charged: EUR 27.00 of this month's EUR 30.00 is used and EUR 9.00 was needed. Starts \
         again 1 Dec."
    );
    assert_eq!(
        Speech { language: Language::ZhCn, zone: &zone, now }.reason(&reason),
        "未扣款：本月上限 EUR 30.00，已用 EUR 27.00，本次需 EUR 9.00。12 月 1 日重新计算。"
    );
}

#[test]
fn quantities_are_written_one_way() {
    let jpy = Currency::from_code("JPY").unwrap_or_else(|| unreachable!());
    let kwd = Currency::from_code("KWD").unwrap_or_else(|| unreachable!());
    assert_eq!(money(eur(123_456_789)), "EUR 1,234,567.89");
    assert_eq!(money(eur(5)), "EUR 0.05");
    assert_eq!(money(eur(-1_234_500)), "EUR -12,345.00");
    assert_eq!(money(Money::new(500, jpy)), "JPY 500");
    assert_eq!(money(Money::new(1500, kwd)), "KWD 1.500");
    let n = |n| Bytes::new(n).unwrap_or_default();
    assert_eq!(bytes(n(3_429_999_999)), "3.42 GB");
    assert_eq!(bytes(n(999_999_999)), "999 MB");
    assert_eq!(bytes(n(0)), "0 MB");
    assert_eq!(bytes_exact(n(1_500_000_000)), "1.5 GB");
    assert_eq!(bytes_exact(n(750_000_000)), "750 MB");
    let december = NaiveDate::from_ymd_opt(2026, 12, 1).unwrap_or_default();
    assert_eq!(date(december, Language::En), "1 Dec 2026");
    assert_eq!(date(december, Language::ZhCn), "2026 年 12 月 1 日");
}

#[test]
fn what_went_back_is_said_in_both_languages() {
    use crate::api::{Returned, ReturnedAs};
    let zone = Zone::utc();
    let now = at("2026-11-22T12:00:00Z");
    let said = |language, what| {
        let line = Returned { at: now, amount: eur(900), what };
        Speech { language, zone: &zone, now }.returned(&line)
    };
    for (what, en, zh) in [
        (ReturnedAs::Refunding, "EUR 9.00 is on its way back to you", "EUR 9.00 正在退回"),
        (ReturnedAs::Refunded, "EUR 9.00 given back", "EUR 9.00 已退回"),
        (
            ReturnedAs::Disputed,
            "EUR 9.00 disputed at the bank; automatic recharges wait",
            "EUR 9.00 正在银行争议处理中，自动充值暂停",
        ),
        (
            ReturnedAs::DisputeLost,
            "The dispute about EUR 9.00 ended; you have it back",
            "EUR 9.00 的争议已结束，款项已退回",
        ),
    ] {
        assert_eq!(
            (said(Language::En, what).as_str(), said(Language::ZhCn, what).as_str()),
            (en, zh)
        );
    }
}

#[test]
fn each_language_puts_the_gaps_where_it_wants_them() {
    let words = words!("{0} of {1}, {0}!", "{1} 的 {0}", first, second);
    let gaps = [Gap::from("a{0}"), Gap::from(7_u32)];
    assert_eq!(words.say(Language::En, &gaps), "a{0} of 7, a{0}!");
    assert_eq!(words.say(Language::ZhCn, &gaps), "7 的 a{0}");
}
