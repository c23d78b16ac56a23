//! Claims about `validate`: what is refused, at which field, and that all of it is said at once.

use super::*;
use crate::catalogue::Terms;
use crate::decide::{Agreement, MethodFacts};
use crate::field::{Field, FieldCode};
use crate::id::LineId;
use crate::money::{Currency, Money};
use crate::rail::Rail;
use crate::rule::{Amount, Threshold};
use crate::zone::Zone;

fn now() -> Instant {
    Instant::parse("2026-11-22T12:00:00Z").unwrap_or_else(|| unreachable!())
}

fn account() -> Account {
    let eur = Currency::from_code("EUR").unwrap_or_else(|| unreachable!());
    Account {
        line_id: LineId::new("line").unwrap_or_else(|| unreachable!()),
        zone: Zone::utc(),
        kept_periods: None,
        stopped_by_operator: false,
        line_closed: false,
        available_bytes: Bytes::GB,
        credit_minor: 0,
        latest_expiry_at: None,
        terms: Terms::sandbox(eur),
        payment_methods: vec![MethodFacts::card(
            PaymentMethodId::new("card").unwrap_or_else(|| unreachable!()),
        )],
        notice_lead_hours: 24,
    }
}

fn errors(change: impl FnOnce(&mut RuleDraft)) -> Vec<(Field, FieldCode)> {
    let account = account();
    let mut draft = RuleDraft::suggested(&account, now());
    change(&mut draft);
    let errors = validate(&draft, &account, now()).err().unwrap_or_default();
    errors.into_iter().map(|e| (e.field, e.code)).collect()
}

#[test]
fn the_suggested_draft_is_a_rule() {
    let account = account();
    let rule = validate(&RuleDraft::suggested(&account, now()), &account, now());
    let rule = rule.unwrap_or_else(|e| unreachable!("{e:?}"));
    assert!(!rule.on, "off until turned on");
    assert_eq!(rule.triggers.low_balance, Some(Threshold::Data { bytes: Bytes::GB }));
    assert_eq!(rule.limits.cap_per_month.map(|m| m.amount_minor), Some(3000));
}

#[test]
fn all_errors_come_at_once_in_form_order() {
    let found = errors(|d| {
        d.amount = "-".to_owned();
        d.threshold = "1,000".to_owned();
        d.cap_per_month = String::new();
        d.cool_down = "5".to_owned();
        d.ends_on = "2026-11-21".to_owned();
    });
    let fields: Vec<Field> = found.iter().map(|(field, _)| *field).collect();
    assert_eq!(
        fields,
        [Field::Threshold, Field::Amount, Field::CapPerMonth, Field::CoolDown, Field::EndsOn]
    );
}

#[test]
fn keep_alone_sets_the_threshold_one_step_below() {
    let account = account();
    let mut draft = RuleDraft::suggested(&account, now());
    draft.threshold = String::new();
    let rule = validate(&draft, &account, now()).unwrap_or_else(|e| unreachable!("{e:?}"));
    let four = Bytes::GB.checked_mul(4).unwrap_or_default();
    assert_eq!(rule.triggers.low_balance, Some(Threshold::Data { bytes: four }));
    assert!(matches!(rule.amount, Amount::Target { .. }));
}

#[test]
fn credit_is_bought_for_what_a_card_can_be_charged() {
    let kwd = Currency::from_code("KWD").unwrap_or_else(|| unreachable!());
    let account = Account { terms: Terms::sandbox(kwd), ..account() };
    for (amount, expected) in
        [("5.12", None), ("5.120", None), ("5.125", Some(FieldCode::TooPrecise))]
    {
        let mut draft = RuleDraft::suggested(&account, now());
        draft.amount_kind = AmountKind::FixedCredit;
        draft.amount = amount.to_owned();
        draft.threshold = "1".to_owned();
        draft.threshold_unit = TypedUnit::Money;
        draft.cap_per_month = "100".to_owned();
        let errors = validate(&draft, &account, now()).err().unwrap_or_default();
        let expected: Vec<_> = expected.map(|code| (Field::Amount, code)).into_iter().collect();
        let found: Vec<_> = errors.into_iter().map(|e| (e.field, e.code)).collect();
        assert_eq!(found, expected, "{amount}");
    }
}

#[test]
fn a_rule_that_cannot_work_is_refused_with_the_reason() {
    let eur = Currency::from_code("EUR").unwrap_or_else(|| unreachable!());
    let five = Bytes::GB.checked_mul(5).unwrap_or_default();
    let cost = Money::new(1500, eur);
    type Change = Box<dyn FnOnce(&mut RuleDraft)>;
    let cases: [(Change, Field, FieldCode); 10] = [
        (Box::new(|d| d.low_balance = false), Field::Trigger, FieldCode::Required),
        (
            Box::new(|d| d.threshold_unit = TypedUnit::Money),
            Field::Threshold,
            FieldCode::UnitNotAdded,
        ),
        (
            Box::new(|d| d.threshold = "5".to_owned()),
            Field::Threshold,
            FieldCode::ThresholdNotBelowTarget { target: five },
        ),
        (
            Box::new(|d| d.cap_per_month = "14.99".to_owned()),
            Field::CapPerMonth,
            FieldCode::BelowOneRecharge { cost },
        ),
        (
            Box::new(|d| {
                d.amount_kind = AmountKind::FixedData;
                d.amount = "1".to_owned();
            }),
            Field::Amount,
            FieldCode::StaysBelowThreshold,
        ),
        (
            Box::new(|d| {
                d.amount_kind = AmountKind::FixedData;
                d.amount = "2.5".to_owned();
            }),
            Field::Amount,
            FieldCode::NotWholeSteps { step: Bytes::GB },
        ),
        (
            Box::new(|d| d.max_per_recharge = "2.99".to_owned()),
            Field::MaxPerRecharge,
            FieldCode::BelowOneStep { cost: Money::new(300, eur) },
        ),
        (
            Box::new(|d| d.max_per_recharge = "3".to_owned()),
            Field::MaxPerRecharge,
            FieldCode::StaysBelowThreshold,
        ),
        (
            Box::new(|d| {
                d.scheduled = true;
                d.start = "2027-01-01".to_owned();
                d.ends_on = "2026-12-31".to_owned();
            }),
            Field::Start,
            FieldCode::NeverDue,
        ),
        (
            Box::new(|d| {
                d.expiring = true;
                d.expiring_days = "30".to_owned();
            }),
            Field::ExpiringDays,
            FieldCode::ValidityTooShort { validity_days: 30 },
        ),
    ];
    for (change, field, code) in cases {
        assert_eq!(errors(change), [(field, code)]);
    }
}

#[test]
fn credit_above_the_most_per_recharge_is_refused_even_while_no_data_is_sold() {
    let mut account = account();
    let mut draft = RuleDraft::suggested(&account, now());
    account.terms.step = None;
    draft.amount_kind = AmountKind::FixedCredit;
    draft.amount = "20".to_owned();
    draft.threshold = "5".to_owned();
    draft.threshold_unit = TypedUnit::Money;
    draft.max_per_recharge = "19.99".to_owned();
    let found = validate(&draft, &account, now()).err().unwrap_or_default();
    let cost = Money::new(2000, account.terms.currency());
    let code = FieldCode::BelowOneRecharge { cost };
    assert_eq!(found, [FieldError::new(Field::MaxPerRecharge, code)]);
    draft.max_per_recharge = "20".to_owned();
    assert!(validate(&draft, &account, now()).is_ok());
}

#[test]
fn an_amount_that_is_filled_in_reads_as_itself() {
    for (bytes, text) in
        [(1_125_000_000, "1.1250"), (1_500_000_000, "1.5"), (125_000_000, "0.1250")]
    {
        let bytes = Bytes::new(bytes).unwrap_or_default();
        assert_eq!(typed_gb(bytes), text);
        assert_eq!(Bytes::parse(text, crate::bytes::DataUnit::GB), Ok(bytes));
    }
}

/// What a method with this rail and agreement makes of a change to the suggested draft.
fn with_method(
    rail: Rail,
    agreement: Option<Agreement>,
    change: impl FnOnce(&mut RuleDraft),
) -> Vec<(Field, FieldCode)> {
    let mut account = account();
    if let Some(method) = account.payment_methods.first_mut() {
        (method.rail, method.agreement) = (rail, agreement);
    }
    let mut draft = RuleDraft::suggested(&account, now());
    draft.payment_methods = account.payment_methods.iter().map(|m| m.id.clone()).collect();
    change(&mut draft);
    let errors = validate(&draft, &account, now()).err().unwrap_or_default();
    errors.into_iter().map(|e| (e.field, e.code)).collect()
}

#[test]
fn what_a_rail_cannot_do_is_refused_at_save() {
    let monthly = |day: &str| {
        let day = day.to_owned();
        move |d: &mut RuleDraft| (d.scheduled, d.day) = (true, day)
    };
    let daily = |every: &str| {
        let every = every.to_owned();
        move |d: &mut RuleDraft| (d.scheduled, d.unit, d.every) = (true, TypedPeriod::Day, every)
    };
    let alipay = Rail::AlipayCycle;
    assert_eq!(with_method(alipay, None, monthly("28")), []);
    assert_eq!(
        with_method(alipay, None, monthly("29")),
        [(Field::Day, FieldCode::NotOnThatDay { rail: alipay, last_day: 28 })]
    );
    assert_eq!(with_method(alipay, None, daily("7")), []);
    assert_eq!(
        with_method(alipay, None, daily("6")),
        [(Field::Every, FieldCode::NotSoOften { rail: alipay, days: 7 })]
    );
    let wechat = Rail::WechatDeduction;
    assert_eq!(with_method(wechat, None, monthly("31")), []);
    assert_eq!(
        with_method(wechat, None, daily("2")),
        [(Field::Every, FieldCode::NotSoOften { rail: wechat, days: 3 })]
    );
    assert_eq!(
        with_method(Rail::OnSession, None, |_| {}),
        [(Field::PaymentMethods, FieldCode::NotAutomatic { rail: Rail::OnSession })]
    );
}

#[test]
fn what_an_agreement_does_not_cover_is_refused_at_save() {
    let eur = Currency::from_code("EUR").unwrap_or_else(|| unreachable!());
    let (rail, most) = (Rail::AlipayCycle, Money::new(1500, eur));
    let agreement = Agreement {
        cycle_days: 30,
        most_per_debit: most,
        total_left: None,
        debits_left: None,
        debited_at: None,
    };
    assert_eq!(with_method(rail, Some(agreement), |_| {}), [], "five steps cost exactly that");
    let cent = Money::new(1499, eur);
    let above = |most| [(Field::PaymentMethods, FieldCode::AboveAgreement { rail, most })];
    let less = Agreement { most_per_debit: cent, ..agreement };
    assert_eq!(with_method(rail, Some(less), |_| {}), above(cent));
    let less = Agreement { total_left: Some(cent), ..agreement };
    assert_eq!(with_method(rail, Some(less), |_| {}), above(cent));
    let none = Agreement { debits_left: Some(0), ..agreement };
    assert_eq!(
        with_method(rail, Some(none), |_| {}),
        [(Field::PaymentMethods, FieldCode::AgreementUsedUp { rail })]
    );
    let fortnight = |d: &mut RuleDraft| {
        (d.scheduled, d.unit, d.every) = (true, TypedPeriod::Day, "14".to_owned());
    };
    assert_eq!(
        with_method(rail, Some(agreement), fortnight),
        [(Field::Every, FieldCode::NotSoOften { rail, days: 30 })],
        "the agreement's own cycle is longer than the rail's"
    );
}

#[test]
fn a_method_is_named_once() {
    let twice = errors(|d| d.payment_methods.extend(d.payment_methods.clone()));
    assert_eq!(twice, [(Field::PaymentMethods, FieldCode::UnknownChoice)]);
}
