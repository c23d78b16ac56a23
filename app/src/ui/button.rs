//! Buttons: one filled one a screen. A disabled one stays reachable, and says why when read and
//! when pressed. While its work is under way a second press does nothing.

use crate::ui::el::{Node, el};
use crate::ui::live;
use leptos::prelude::*;

/// How much a button stands out.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Weight {
    /// The one thing this screen is for.
    Filled,
    /// Anything else.
    Plain,
    /// Takes something away.
    Danger,
    /// Small, in a row of others.
    Compact,
    /// Looks like a link, acts like a button.
    Link,
}

impl Weight {
    fn class(self) -> &'static str {
        match self {
            Weight::Filled => "button filled",
            Weight::Plain => "button",
            Weight::Danger => "button danger",
            Weight::Compact => "button compact",
            Weight::Link => "link",
        }
    }
}

/// A button that does something on this page.
pub(crate) fn button(
    weight: Weight,
    label: impl Into<String>,
    busy: Signal<bool>,
    press: impl Fn() + Send + 'static,
) -> AnyView {
    draw(weight, label.into(), busy, Box::new(press))
}

fn draw(weight: Weight, label: String, busy: Signal<bool>, press: Box<dyn Fn() + Send>) -> AnyView {
    el("button")
        .attr("type", "button")
        .class(weight.class())
        .live("aria-busy", move || busy.get().then_some("true"))
        .on("click", move |_| {
            if !busy.get_untracked() {
                press();
            }
        })
        .child(label)
        .node()
}

/// A button that may be disabled, with the reason under it. The reason is in words already.
pub(crate) fn guarded(
    weight: Weight,
    id: &'static str,
    label: impl Into<String>,
    busy: Signal<bool>,
    reason: Signal<Option<String>>,
    press: impl Fn() + Send + 'static,
) -> AnyView {
    draw_guarded(weight, id, label.into(), busy, reason, Box::new(press))
}

fn draw_guarded(
    weight: Weight,
    id: &'static str,
    label: String,
    busy: Signal<bool>,
    reason: Signal<Option<String>>,
    press: Box<dyn Fn() + Send>,
) -> AnyView {
    let why = format!("{id}-why");
    let described = why.clone();
    el("div")
        .child(
            el("button")
                .attr("type", "button")
                .attr("id", id)
                .class(weight.class())
                .live("aria-disabled", move || reason.with(Option::is_some).then_some("true"))
                .live("aria-busy", move || busy.get().then_some("true"))
                .live("aria-describedby", move || {
                    reason.with(Option::is_some).then(|| described.clone())
                })
                .on("click", move |_| {
                    if !busy.get_untracked() && reason.with_untracked(Option::is_none) {
                        press();
                    }
                })
                .child(label),
        )
        .child(live(move || {
            let why = why.clone();
            reason.get().map(|said| el("p").class("why").attr("id", why).child(said))
        }))
        .node()
}

/// The button that sends its form.
pub(crate) fn submit(weight: Weight, label: &'static str, busy: Signal<bool>) -> AnyView {
    el("button")
        .attr("type", "submit")
        .class(weight.class())
        .live("aria-busy", move || busy.get().then_some("true"))
        .child(label)
        .node()
}

/// A link to a page, drawn as a button.
pub(crate) fn go(weight: Weight, label: impl Into<String>, path: &'static str) -> AnyView {
    let label: String = label.into();
    el("a").class(weight.class()).attr("href", path).child(label).node()
}
