//! Choices as cards: a radio or a check box, what it is called, and an example in figures.

use crate::ui::el::{Node, el};
use leptos::prelude::*;

/// A group of cards of which one is chosen. `options` are (value, name, example).
pub(crate) fn radio_cards(
    group: &'static str,
    legend: &'static str,
    options: Vec<(&'static str, String, String)>,
    value: RwSignal<String>,
) -> AnyView {
    let cards = options
        .into_iter()
        .map(|(key, name, example)| {
            el("label")
                .class("choice")
                .child(
                    el("input")
                        .attr("type", "radio")
                        .attr("name", group)
                        .attr("value", key)
                        .live("prop:checked", move || value.with(|v| v == key))
                        .on("change", move |_| value.set(key.to_owned())),
                )
                .child(el("span").class("says").child(name))
                .child(el("span").class("hint").child(example))
        })
        .collect::<Vec<_>>();
    el("fieldset")
        .class("choices")
        .child(el("legend").class("unseen").child(legend))
        .child(cards)
        .node()
}

/// One card that is on or off by itself.
pub(crate) fn check_card(name: &'static str, example: String, value: RwSignal<bool>) -> AnyView {
    el("label")
        .class("choice")
        .child(
            el("input")
                .attr("type", "checkbox")
                .live("prop:checked", move || value.get())
                .on("change", move |event| value.set(event_target_checked(&event))),
        )
        .child(el("span").class("says").child(name))
        .child(el("span").class("hint").child(example))
        .node()
}
