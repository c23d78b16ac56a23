//! A field: label, hint, control, error, tied together for every reader. Paste and autofill are
//! always allowed; the label is never a placeholder.

use crate::form::{Form, control_id};
use crate::ui::el::{Node, el};
use crate::ui::live;
use laika_core::field::{Field, FieldError};
use leptos::prelude::*;
use std::time::Duration;

/// What kind of text a control takes: type, keyboard and autofill.
#[derive(Clone, Copy)]
pub(crate) struct Kind {
    /// HTML `type`.
    pub(crate) input: &'static str,
    /// HTML `inputmode`, or empty.
    pub(crate) mode: &'static str,
    /// HTML `autocomplete`.
    pub(crate) fill: &'static str,
    /// Extra class.
    pub(crate) class: &'static str,
}

impl Kind {
    const fn of(input: &'static str, mode: &'static str, fill: &'static str) -> Kind {
        Kind { input, mode, fill, class: "input" }
    }
    /// A phone number.
    pub(crate) const PHONE: Kind = Kind::of("tel", "tel", "tel");
    /// An e-mail address.
    pub(crate) const EMAIL: Kind = Kind::of("email", "email", "email");
    /// Either of them.
    pub(crate) const CONTACT: Kind = Kind::of("text", "email", "username");
    /// A password being chosen.
    pub(crate) const NEW_PASSWORD: Kind = Kind::of("password", "", "new-password");
    /// A password being given.
    pub(crate) const PASSWORD: Kind = Kind::of("password", "", "current-password");
    /// A one-time code.
    pub(crate) const CODE: Kind =
        Kind { input: "text", mode: "numeric", fill: "one-time-code", class: "input code-input" };
    /// An amount, with either decimal mark.
    pub(crate) const AMOUNT: Kind = Kind::of("text", "decimal", "off");
    /// A small whole number.
    pub(crate) const COUNT: Kind = Kind::of("text", "numeric", "off");
    /// Anything else.
    pub(crate) const PLAIN: Kind = Kind::of("text", "", "off");
    /// A date.
    pub(crate) const DATE: Kind = Kind::of("date", "", "off");
    /// A time of day.
    pub(crate) const TIME: Kind = Kind::of("time", "", "off");
}

/// Leaving a field often is pressing a button: an error that appears then must not move the button
/// away from under the finger before it is lifted.
const CLICK: Duration = Duration::from_millis(200);

/// What core says of a field when it is left.
pub(crate) type Check = Box<dyn Fn() -> Option<FieldError>>;

/// A field with a text control. `check` runs on leaving it, never while typing.
pub(crate) fn field(
    form: Form,
    name: Field,
    label: impl Into<String>,
    hint: impl Into<String>,
    kind: Kind,
    value: RwSignal<String>,
    check: Option<Check>,
) -> AnyView {
    let control = input(form, name, kind, value, check);
    frame(form, name, label.into(), hint.into(), control)
}

/// Label, hint, a control made elsewhere, and the error.
pub(crate) fn frame(
    form: Form,
    name: Field,
    label: String,
    hint: String,
    control: AnyView,
) -> AnyView {
    let id = control_id(name);
    let hint_id = format!("{id}-hint");
    let error_id = format!("{id}-error");
    el("div")
        .class("field")
        .child(el("label").attr("for", id).child(label))
        .child((!hint.is_empty()).then(|| el("p").class("hint").attr("id", hint_id).child(hint)))
        .child(control)
        .child(live(move || {
            let id = error_id.clone();
            form.error(name).map(|said| el("p").class("error").attr("id", id).child(said))
        }))
        .node()
}

/// The control alone.
pub(crate) fn input(
    form: Form,
    name: Field,
    kind: Kind,
    value: RwSignal<String>,
    check: Option<Check>,
) -> AnyView {
    let id = control_id(name);
    let described = format!("{id}-hint {id}-error");
    let check = StoredValue::new_local(check);
    let judge = move || {
        let verdict = check.try_with_value(|check| check.as_ref().map(|check| check()));
        if let Some(Some(verdict)) = verdict {
            form.judge(name, verdict);
        }
    };
    el("input")
        .attr("id", id)
        .class(kind.class)
        .attr("type", kind.input)
        .attr("inputmode", (!kind.mode.is_empty()).then_some(kind.mode))
        .attr("autocomplete", kind.fill)
        .attr("autocapitalize", "off")
        .attr("spellcheck", "false")
        .attr("aria-describedby", described)
        .live("aria-invalid", move || form.error(name).map(|_| "true"))
        .live("prop:value", move || value.get())
        .on("input", move |event| {
            value.set(event_target_value(&event));
            // What was wrong and is mended is taken away while typing, not under the pointer.
            if form.error(name).is_some() {
                judge();
            }
        })
        .on("blur", move |_| {
            set_timeout(judge, CLICK);
        })
        .node()
}

/// A list to pick one from. `options` are (value, words).
pub(crate) fn pick(
    id: String,
    label: Option<String>,
    options: Vec<(String, String)>,
    value: RwSignal<String>,
) -> AnyView {
    let options = options
        .into_iter()
        .map(|(key, words)| {
            let here = key.clone();
            el("option")
                .attr("value", key)
                .live("selected", move || value.with(|v| *v == here))
                .child(words)
        })
        .collect::<Vec<_>>();
    el("span")
        .class("pick")
        .child(
            el("select")
                .class("input")
                .attr("id", id)
                .attr("aria-label", label)
                .live("prop:value", move || value.get())
                .on("change", move |event| value.set(event_target_value(&event)))
                .child(options),
        )
        .node()
}
