//! Something folded away under a line of text. What is in it is drawn only while it is open, so a
//! long list costs nothing while nobody reads it.

use crate::ui::el::{Node, el};
use crate::ui::live;
use leptos::prelude::*;
use wasm_bindgen::JsCast;

/// Closed at first.
pub(crate) fn fold(
    class: &'static str,
    summary: impl Into<String>,
    inside: impl Fn() -> AnyView + Send + 'static,
) -> AnyView {
    let summary: String = summary.into();
    let open = RwSignal::new(false);
    let follow = move |event: web_sys::Event| {
        let details =
            event.target().and_then(|it| it.dyn_into::<web_sys::HtmlDetailsElement>().ok());
        open.set(details.is_some_and(|details| details.open()));
    };
    el("details")
        .class(class)
        .on("toggle", follow)
        .child(el("summary").child(summary))
        .child(live(move || open.get().then(&inside)))
        .node()
}
