//! Each field by itself, then what fields mean together. A field with an error of its own is not
//! blamed again for what it means to others.

mod rails;

use super::{AmountKind, RuleDraft, TypedPeriod, TypedUnit};
use crate::bytes::{Bytes, DataUnit};
use crate::decide::{Account, largest_recharge};
use crate::field::{Field, FieldCode, FieldError};
use crate::id::PaymentMethodId;
use crate::money::Money;
use crate::order::in_order;
use crate::rule::{Amount, COOL_DOWN_MINUTES, Limits, Rule, Threshold, Triggers};
use crate::schedule::{Schedule, TimeOfDay, Unit, Weekday};
use crate::time::{Instant, Span, parse_date};
use chrono::NaiveDate;

/// The errors found so far, one per field.
struct Errors(Vec<FieldError>);

impl Errors {
    fn add(&mut self, field: Field, code: FieldCode) {
        if !self.0.iter().any(|e| e.field == field) {
            self.0.push(FieldError::new(field, code));
        }
    }

    /// The value, or an error of this field.
    fn take<T>(&mut self, field: Field, result: Result<T, FieldCode>) -> Option<T> {
        result.map_err(|code| self.add(field, code)).ok()
    }
}

pub(super) fn rule(
    draft: &RuleDraft,
    account: &Account,
    now: Instant,
) -> Result<Rule, Vec<FieldError>> {
    let mut errors = Errors(Vec::new());
    let amount = amount(draft, account, &mut errors);
    let triggers = triggers(draft, account, amount, &mut errors);
    let limits = limits(draft, account, now, &mut errors);
    let alert = draft.alert.then(|| {
        let typed = threshold(&draft.alert_threshold, draft.alert_unit, account);
        errors.take(Field::AlertThreshold, typed)
    });
    let mut seen: Vec<&PaymentMethodId> = Vec::new();
    for id in &draft.payment_methods {
        if seen.contains(&id) || !account.payment_methods.iter().any(|m| m.id == *id) {
            errors.add(Field::PaymentMethods, FieldCode::UnknownChoice);
        }
        seen.push(id);
    }
    let rule = amount.map(|amount| Rule {
        version: 0,
        on: false,
        armed_at: now,
        paused_until_on: None,
        skip_at: None,
        triggers,
        amount,
        limits,
        alert: alert.flatten(),
        payment_methods: draft.payment_methods.clone(),
        step: match amount {
            Amount::FixedCredit(_) => None,
            Amount::FixedData { .. } | Amount::Target { .. } => account.terms.step,
        },
    });
    if let Some(rule) = &rule {
        together(rule, account, now, &mut errors);
        rails::check(rule, account, &mut errors);
    }
    match rule {
        Some(rule) if errors.0.is_empty() => Ok(rule),
        Some(_) | None => Err(in_order(errors.0, |e| e.field)),
    }
}

fn amount(draft: &RuleDraft, account: &Account, errors: &mut Errors) -> Option<Amount> {
    let amount = match draft.amount_kind {
        AmountKind::FixedCredit => {
            let (min, max) = (account.terms.credit_min, account.terms.credit_max);
            money(&draft.amount, account).and_then(|money| {
                let inside = (min.amount_minor..=max.amount_minor).contains(&money.amount_minor);
                let (min, max) = (min.amount_minor, max.amount_minor);
                let whole = money.amount_minor.checked_rem(money.currency.charged_in());
                match (inside, whole) {
                    (true, Some(0)) => Ok(Amount::FixedCredit(money)),
                    // Why: typed as the currency is written, and charged by nobody.
                    (true, _) => Err(FieldCode::TooPrecise),
                    (false, _) => Err(FieldCode::OutOfRange { min, max }),
                }
            })
        }
        AmountKind::FixedData => {
            data(&draft.amount, draft.amount_unit).and_then(|bytes| match account.terms.step {
                Some(step) if bytes.get().checked_rem(step.bytes.get()) != Some(0) => {
                    Err(FieldCode::NotWholeSteps { step: step.bytes })
                }
                Some(_) | None => Ok(Amount::FixedData { bytes }),
            })
        }
        AmountKind::Target => {
            data(&draft.amount, draft.amount_unit).map(|bytes| Amount::Target { bytes })
        }
    };
    errors.take(Field::Amount, amount)
}

fn triggers(
    draft: &RuleDraft,
    account: &Account,
    amount: Option<Amount>,
    errors: &mut Errors,
) -> Triggers {
    if !draft.low_balance && !draft.scheduled && !draft.expiring {
        errors.add(Field::Trigger, FieldCode::Required);
    }
    let low_balance = draft.low_balance.then(|| low_balance(draft, account, amount, errors));
    let scheduled = draft.scheduled.then(|| schedule(draft, errors));
    let expiring_days = draft.expiring.then(|| {
        let days = whole(&draft.expiring_days, 1, 365).and_then(|days| match account.terms.step {
            Some(step) if days >= step.validity_days => {
                Err(FieldCode::ValidityTooShort { validity_days: step.validity_days })
            }
            Some(_) | None if draft.amount_kind == AmountKind::FixedCredit => {
                Err(FieldCode::UnitNotAdded)
            }
            Some(_) | None => Ok(days),
        });
        errors.take(Field::ExpiringDays, days)
    });
    Triggers {
        low_balance: low_balance.flatten(),
        scheduled: scheduled.flatten(),
        expiring_days: expiring_days.flatten(),
    }
}

/// The typed threshold; with a target and nothing typed, one step below the target.
fn low_balance(
    draft: &RuleDraft,
    account: &Account,
    amount: Option<Amount>,
    errors: &mut Errors,
) -> Option<Threshold> {
    if let (Some(Amount::Target { bytes }), true) = (amount, draft.threshold.trim().is_empty()) {
        let step = account.terms.step.map_or(Bytes::ZERO, |step| step.bytes);
        return Some(Threshold::Data { bytes: bytes.minus(step) });
    }
    let typed = threshold(&draft.threshold, draft.threshold_unit, account);
    let typed = errors.take(Field::Threshold, typed)?;
    let adds_credit = draft.amount_kind == AmountKind::FixedCredit;
    if matches!(typed, Threshold::Credit(_)) != adds_credit {
        errors.add(Field::Threshold, FieldCode::UnitNotAdded);
        return None;
    }
    match (amount, typed) {
        (Some(Amount::Target { bytes: target }), Threshold::Data { bytes }) if bytes >= target => {
            errors.add(Field::Threshold, FieldCode::ThresholdNotBelowTarget { target });
            return None;
        }
        (Some(Amount::FixedCredit(money)), Threshold::Credit(threshold))
            if threshold.amount_minor >= money.amount_minor =>
        {
            errors.add(Field::Threshold, FieldCode::StaysBelowThreshold);
            return None;
        }
        (None | Some(_), _) => {}
    }
    Some(typed)
}

fn schedule(draft: &RuleDraft, errors: &mut Errors) -> Option<Schedule> {
    let every = errors.take(Field::Every, whole(&draft.every, 1, 365));
    let at = TimeOfDay::parse(&draft.at).ok_or(FieldCode::NotATime);
    let at = errors.take(Field::At, at);
    let start = date(&draft.start).and_then(|date| date.ok_or(FieldCode::Required));
    let start = errors.take(Field::Start, start);
    let unit = match draft.unit {
        TypedPeriod::Day => Some(Unit::Day),
        TypedPeriod::Week => {
            let weekdays: Vec<Weekday> = Weekday::in_week(&draft.weekdays).collect();
            if weekdays.is_empty() {
                errors.add(Field::Weekdays, FieldCode::Required);
            }
            Some(Unit::Week { weekdays })
        }
        TypedPeriod::Month => {
            errors.take(Field::Day, whole(&draft.day, 1, 31)).map(|day| Unit::Month { day })
        }
    };
    Some(Schedule { every: every?, unit: unit?, at: at?, start: start? })
}

fn limits(draft: &RuleDraft, account: &Account, now: Instant, errors: &mut Errors) -> Limits {
    let optional_money = |typed: &str| match typed.trim() {
        "" => Ok(None),
        typed => money(typed, account).map(Some),
    };
    let cap_per_month = errors.take(Field::CapPerMonth, optional_money(&draft.cap_per_month));
    if draft.low_balance && cap_per_month == Some(None) {
        errors.add(Field::CapPerMonth, FieldCode::Required);
    }
    let max_per_recharge =
        errors.take(Field::MaxPerRecharge, optional_money(&draft.max_per_recharge));
    let max_per_day = match draft.max_per_day.trim() {
        "" => None,
        typed => errors.take(Field::MaxPerDay, whole(typed, 1, 24)),
    };
    let cool_down_minutes = match draft.cool_down.trim() {
        "" => None,
        typed => errors.take(Field::CoolDown, whole(typed, COOL_DOWN_MINUTES, 10_080)),
    };
    let starts_on = errors.take(Field::StartsOn, date(&draft.starts_on)).flatten();
    let ends_on = errors.take(Field::EndsOn, date(&draft.ends_on)).flatten();
    let today = account.zone.date(now);
    if let Some(end) = ends_on {
        if starts_on.is_some_and(|start| end < start) {
            errors.add(Field::EndsOn, FieldCode::EndsBeforeStart);
        } else if end < today {
            errors.add(Field::EndsOn, FieldCode::TooEarly { first: today });
        }
    }
    Limits {
        max_per_recharge: max_per_recharge.flatten(),
        max_per_day,
        cap_per_month: cap_per_month.flatten(),
        cool_down_minutes: cool_down_minutes.unwrap_or(COOL_DOWN_MINUTES),
        starts_on,
        ends_on,
    }
}

/// What the fields mean together: a rule that could never fire, or fire for ever, is refused.
fn together(rule: &Rule, account: &Account, now: Instant, errors: &mut Errors) {
    if let Some(most) = rule.limits.max_per_recharge {
        let below = match rule.amount {
            Amount::FixedCredit(cost) => Some((cost, FieldCode::BelowOneRecharge { cost })),
            Amount::FixedData { .. } | Amount::Target { .. } => account.terms.step.map(|step| {
                let cost = step.price;
                (cost, FieldCode::BelowOneStep { cost })
            }),
        };
        if let Some((cost, code)) = below
            && cost.amount_minor > most.amount_minor
        {
            errors.add(Field::MaxPerRecharge, code);
        }
    }
    let Some((cost, adds)) = largest_recharge(rule, account) else { return };
    if rule.limits.cap_per_month.is_some_and(|cap| cap.amount_minor < cost.amount_minor) {
        errors.add(Field::CapPerMonth, FieldCode::BelowOneRecharge { cost });
    }
    if let Some(Threshold::Data { bytes }) = rule.triggers.low_balance
        && adds.bytes() <= bytes
    {
        let clamped = match rule.amount {
            Amount::FixedCredit(_) => false,
            Amount::FixedData { bytes: agreed } | Amount::Target { bytes: agreed } => {
                adds.bytes() < agreed
            }
        };
        let field = if clamped { Field::MaxPerRecharge } else { Field::Amount };
        errors.add(field, FieldCode::StaysBelowThreshold);
    }
    if let Some(schedule) = &rule.triggers.scheduled {
        let begins = rule.limits.starts_on.map(|date| account.zone.start_of_day(date));
        let after = begins.map_or(now, |at| at.minus(Span(1)).max(now));
        let due = schedule.next(after, &account.zone).map(|at| account.zone.date(at));
        let last = rule.limits.ends_on.unwrap_or(NaiveDate::MAX);
        if due.is_none_or(|date| date > last) {
            errors.add(Field::Start, FieldCode::NeverDue);
        }
    }
}

/// A typed threshold in its unit. Nothing is a threshold too: "when none is left".
fn threshold(typed: &str, unit: TypedUnit, account: &Account) -> Result<Threshold, FieldCode> {
    let data = |unit| Ok(Threshold::Data { bytes: Bytes::parse(typed, unit)? });
    match unit {
        TypedUnit::Gb => data(DataUnit::GB),
        TypedUnit::Mb => data(DataUnit::MB),
        TypedUnit::Money => Ok(Threshold::Credit(Money::parse(typed, account.terms.currency())?)),
    }
}

fn data(typed: &str, unit: DataUnit) -> Result<Bytes, FieldCode> {
    match Bytes::parse(typed, unit)? {
        Bytes::ZERO => Err(FieldCode::NotPositive),
        bytes => Ok(bytes),
    }
}

fn money(typed: &str, account: &Account) -> Result<Money, FieldCode> {
    let money = Money::parse(typed, account.terms.currency())?;
    if money.amount_minor == 0 { Err(FieldCode::NotPositive) } else { Ok(money) }
}

/// A whole number within bounds, both inclusive.
fn whole(typed: &str, min: u32, max: u32) -> Result<u32, FieldCode> {
    let number = crate::number::parse_scaled(typed, 0)?;
    let out = FieldCode::OutOfRange { min: i64::from(min), max: i64::from(max) };
    u32::try_from(number).ok().filter(|n| (min..=max).contains(n)).ok_or(out)
}

/// A date as `YYYY-MM-DD`, as the browser's date field gives it; none when nothing is typed.
fn date(typed: &str) -> Result<Option<NaiveDate>, FieldCode> {
    match typed.trim() {
        "" => Ok(None),
        typed => parse_date(typed).map(Some).ok_or(FieldCode::NotADate),
    }
}
