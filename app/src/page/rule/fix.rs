//! The obvious way out of a conflict, under the field that has it: a value that core named, filled
//! in with one press. Where there is no obvious one there is none.

use super::typed::{DATA_UNITS, Editor, Typed, choice};
use crate::device;
use crate::form::{Form, control_id};
use crate::text::{Text, text};
use crate::ui::button::{Weight, button};
use crate::ui::el::{Node, el};
use crate::ui::live;
use laika_core::bytes::Bytes;
use laika_core::draft::typed_gb;
use laika_core::field::{Field, FieldCode};
use laika_core::money::Money;
use laika_core::say;
use leptos::prelude::*;

/// What would do: as it is typed, and as it is said.
struct Fix {
    typed: String,
    said: String,
}

/// A field with the way out of its error.
pub(super) fn fixed(editor: Editor, form: Form, name: Field, field: AnyView) -> AnyView {
    let text = text();
    let offer = move || {
        let error = form.errors().into_iter().find(|error| error.field == name)?;
        let fix = untrack(|| way_out(text, editor, error.code))?;
        let label = (text.words.rule.use_value)(&fix.said);
        let press = move || {
            fill(editor.typed, name, &fix.typed);
            device::focus(&control_id(name));
        };
        Some(el("div").child(button(Weight::Compact, label, Signal::stored(false), press)))
    };
    el("div").class("stack tight").child(field).child(live(offer)).node()
}

/// Takes an amount of data as the threshold.
pub(super) fn use_threshold(typed: Typed, bytes: Bytes) {
    fill(typed, Field::Threshold, &typed_gb(bytes));
}

fn fill(typed: Typed, name: Field, value: &str) {
    match name {
        Field::Threshold => {
            typed.threshold.set(value.to_owned());
            typed.threshold_unit.set("gb".to_owned());
        }
        Field::Amount => {
            typed.amount.set(value.to_owned());
            typed.amount_unit.set("gb".to_owned());
        }
        Field::Every => typed.every.set(value.to_owned()),
        Field::Day => typed.day.set(value.to_owned()),
        Field::ExpiringDays => typed.expiring_days.set(value.to_owned()),
        Field::CapPerMonth => typed.cap_per_month.set(value.to_owned()),
        Field::MaxPerRecharge => typed.max_per_recharge.set(value.to_owned()),
        Field::MaxPerDay => typed.max_per_day.set(value.to_owned()),
        Field::CoolDown => typed.cool_down.set(value.to_owned()),
        Field::EndsOn => typed.ends_on.set(value.to_owned()),
        _ => {}
    }
}

fn way_out(text: Text, editor: Editor, code: FieldCode) -> Option<Fix> {
    let money = |cost: Money| Some(Fix { typed: say::amount(cost), said: text.money(cost) });
    let data = |bytes: Bytes| Some(Fix { typed: typed_gb(bytes), said: text.bytes_exact(bytes) });
    let number = |n: i64| Some(Fix { typed: n.to_string(), said: n.to_string() });
    match code {
        FieldCode::BelowOneRecharge { cost } | FieldCode::BelowOneStep { cost } => money(cost),
        FieldCode::ThresholdNotBelowTarget { target } => {
            let step = editor.inputs.with(|inputs| inputs.account.terms.step).flatten()?;
            data(target.minus(step.bytes))
        }
        FieldCode::NotWholeSteps { step } => {
            let typed = editor.typed;
            let wanted = Bytes::parse(&typed.amount.get(), choice(&DATA_UNITS, typed.amount_unit));
            let steps = wanted.ok()?.steps_up(step)?;
            data(step.checked_mul(steps)?)
        }
        FieldCode::NotOnThatDay { last_day, .. } => number(i64::from(last_day)),
        FieldCode::ValidityTooShort { validity_days } => {
            number(i64::from(validity_days.saturating_sub(1)))
        }
        FieldCode::TooEarly { first } => {
            Some(Fix { typed: first.to_string(), said: say::date(first, text.language) })
        }
        _ => None,
    }
}
