//! What only the browser knows: its language, time zone, clock, and whether it is online. The only
//! file that asks; everything else gets these as values. It formats nothing and stores one choice.

use leptos::prelude::{document, window};
use wasm_bindgen::{JsCast, JsValue};

/// The key of the one thing kept on the device: the language chosen before there is an account.
const LANGUAGE: &str = "laika.language";

/// The language tags the person prefers, best first; a choice made here before comes first of all.
pub(crate) fn languages() -> Vec<String> {
    let chosen = storage().and_then(|s| s.get_item(LANGUAGE).ok().flatten());
    let device = window().navigator().languages();
    chosen.into_iter().chain(device.iter().filter_map(|tag| tag.as_string())).collect()
}

/// Keeps the language for the next visit.
pub(crate) fn keep_language(tag: &str) {
    if let Some(storage) = storage() {
        // A full or forbidden storage only means that the device's language is asked again.
        let _ = storage.set_item(LANGUAGE, tag);
    }
}

/// The device's IANA time zone, `UTC` when it does not say.
pub(crate) fn time_zone() -> String {
    let format = js_sys::Intl::DateTimeFormat::default();
    js_sys::Reflect::get(&format.resolved_options(), &JsValue::from_str("timeZone"))
        .ok()
        .and_then(|name| name.as_string())
        .unwrap_or_else(|| "UTC".to_owned())
}

/// The device's clock. *Units*: microseconds since 1970. It is never trusted with a decision.
pub(crate) fn now_micros() -> i64 {
    // Why a cast: the browser gives whole milliseconds as a float, far within an i64.
    (js_sys::Date::now() as i64).saturating_mul(1000)
}

/// Whether the browser believes it has a network.
pub(crate) fn online() -> bool {
    window().navigator().on_line()
}

/// A fresh name for one intention, such as one press on "Recharge now": the `Idempotency-Key`.
/// The same intention repeats it, so that a second delivery does nothing new.
pub(crate) fn fresh_key() -> String {
    window().crypto().map(|crypto| crypto.random_uuid()).unwrap_or_default()
}

/// Puts the keyboard and the screen reader onto an element, once it is on the page.
pub(crate) fn focus(id: &str) {
    if let Some(element) = document().get_element_by_id(id)
        && let Ok(element) = element.dyn_into::<web_sys::HtmlElement>()
    {
        let _ = element.focus();
    }
}

/// Whether what the keyboard is on stands in this element.
pub(crate) fn has_focus(id: &str) -> bool {
    let element = document().get_element_by_id(id);
    element.is_some_and(|it| document().active_element().is_some_and(|on| it.contains(Some(&on))))
}

/// Leaves the app for another page, such as the payment provider's own.
pub(crate) fn leave_for(url: &str) {
    let _ = window().location().set_href(url);
}

fn storage() -> Option<web_sys::Storage> {
    window().local_storage().ok().flatten()
}
