//! Choices as cards: a radio or a check box, what it is called, and an example in figures.

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
            view! {
                <label class="choice">
                    <input
                        type="radio"
                        name=group
                        value=key
                        prop:checked=move || value.with(|v| v == key)
                        on:change=move |_| value.set(key.to_owned())
                    />
                    <span class="says">{name}</span>
                    <span class="hint">{example}</span>
                </label>
            }
        })
        .collect_view();
    view! {
        <fieldset class="choices">
            <legend class="unseen">{legend}</legend>
            {cards}
        </fieldset>
    }
    .into_any()
}

/// One card that is on or off by itself.
pub(crate) fn check_card(name: &'static str, example: String, value: RwSignal<bool>) -> AnyView {
    view! {
        <label class="choice">
            <input
                type="checkbox"
                prop:checked=move || value.get()
                on:change=move |event| value.set(event_target_checked(&event))
            />
            <span class="says">{name}</span>
            <span class="hint">{example}</span>
        </label>
    }
    .into_any()
}
