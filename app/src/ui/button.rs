//! Buttons: one filled one a screen. A disabled one stays reachable, and says why when read and
//! when pressed. While its work is under way a second press does nothing.

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
    press: impl Fn() + 'static,
) -> AnyView {
    draw(weight, label.into(), busy, Box::new(press))
}

fn draw(weight: Weight, label: String, busy: Signal<bool>, press: Box<dyn Fn()>) -> AnyView {
    view! {
        <button
            type="button"
            class=weight.class()
            aria-busy=move || busy.get().then_some("true")
            on:click=move |_| {
                if !busy.get_untracked() {
                    press();
                }
            }
        >
            {label}
        </button>
    }
    .into_any()
}

/// A button that may be disabled, with the reason under it. The reason is in words already.
pub(crate) fn guarded(
    weight: Weight,
    id: &'static str,
    label: impl Into<String>,
    busy: Signal<bool>,
    reason: Signal<Option<String>>,
    press: impl Fn() + 'static,
) -> AnyView {
    draw_guarded(weight, id, label.into(), busy, reason, Box::new(press))
}

fn draw_guarded(
    weight: Weight,
    id: &'static str,
    label: String,
    busy: Signal<bool>,
    reason: Signal<Option<String>>,
    press: Box<dyn Fn()>,
) -> AnyView {
    let why = format!("{id}-why");
    let described = why.clone();
    view! {
        <div>
            <button
                type="button"
                id=id
                class=weight.class()
                aria-disabled=move || reason.with(Option::is_some).then_some("true")
                aria-busy=move || busy.get().then_some("true")
                aria-describedby=move || reason.with(Option::is_some).then(|| described.clone())
                on:click=move |_| {
                    if !busy.get_untracked() && reason.with_untracked(Option::is_none) {
                        press();
                    }
                }
            >
                {label}
            </button>
            {live(move || {
                let why = why.clone();
                reason.get().map(|said| view! { <p class="why" id=why>{said}</p> })
            })}
        </div>
    }
    .into_any()
}

/// The button that sends its form.
pub(crate) fn submit(weight: Weight, label: &'static str, busy: Signal<bool>) -> AnyView {
    view! {
        <button
            type="submit"
            class=weight.class()
            aria-busy=move || busy.get().then_some("true")
        >
            {label}
        </button>
    }
    .into_any()
}

/// A link to a page, drawn as a button.
pub(crate) fn go(weight: Weight, label: impl Into<String>, path: &'static str) -> AnyView {
    let label: String = label.into();
    view! { <a class=weight.class() href=path>{label}</a> }.into_any()
}
