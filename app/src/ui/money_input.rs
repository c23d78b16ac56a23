//! A field for an amount of money or of data: text with a decimal keyboard, the unit beside it.
//! What is typed stays as typed; core reads it, full-width digits and either decimal mark included.

use crate::form::{Form, control_id};
use crate::ui::el::{Node, el};
use crate::ui::field::{Check, Kind, frame, input, pick};
use laika_core::field::Field;
use leptos::prelude::*;

/// An amount in a unit that cannot be chosen, such as a line's currency.
pub(crate) fn money_input(
    form: Form,
    name: Field,
    label: impl Into<String>,
    hint: impl Into<String>,
    unit: String,
    value: RwSignal<String>,
    check: Option<Check>,
) -> AnyView {
    let control = el("div")
        .class("unit")
        .child(input(form, name, Kind::AMOUNT, value, check))
        .child(el("span").class("affix").attr("aria-hidden", "true").child(unit));
    frame(form, name, label.into(), hint.into(), control.node())
}

/// An amount whose unit is chosen beside it. `units` are (value, words).
#[expect(clippy::too_many_arguments, reason = "a field and its unit; a struct would only rename")]
pub(crate) fn amount_input(
    form: Form,
    name: Field,
    label: impl Into<String>,
    hint: impl Into<String>,
    value: RwSignal<String>,
    units: Vec<(String, String)>,
    unit: RwSignal<String>,
    unit_label: &'static str,
    check: Option<Check>,
) -> AnyView {
    let control =
        el("div").class("unit").child(input(form, name, Kind::AMOUNT, value, check)).child(pick(
            format!("{}-unit", control_id(name)),
            Some(unit_label.to_owned()),
            units,
            unit,
        ));
    frame(form, name, label.into(), hint.into(), control.node())
}
