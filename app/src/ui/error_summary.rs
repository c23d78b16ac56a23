//! Why a form was refused, in one place above it: focused when it appears, each item a link to its
//! field, in the same words as beside the field.

use crate::form::{Form, control_id, summary_id};
use crate::text::text;
use crate::ui::el::{Node, el, nothing};
use crate::ui::live;
use leptos::prelude::*;
use wasm_bindgen::JsCast;

/// The summary of a form; nothing while nothing is wrong.
pub(crate) fn error_summary(form: Form) -> AnyView {
    let text = text();
    let id = summary_id(form.name());
    el("div")
        .attr("tabindex", "-1")
        .attr("id", id)
        .attr("role", "alert")
        .child(live(move || {
            let errors = form.errors();
            let failure = form.failure();
            if errors.is_empty() && failure.is_none() {
                return nothing();
            }
            let items = errors
                .iter()
                .map(|error| {
                    let id = control_id(error.field);
                    let said = text.named_error(error);
                    el("li").child(
                        el("a")
                            .attr("href", format!("#{id}"))
                            .on("click", move |event| jump(&event, &id))
                            .child(said),
                    )
                })
                .collect::<Vec<_>>();
            let whole = failure.map(|f| el("p").child(text.failure(&f)));
            el("div")
                .class("summary")
                .child(el("h2").child(text.words.common.not_yet))
                .child(whole)
                .child(el("ul").child(items))
                .node()
        }))
        .node()
}

/// Goes to the field, opening whatever it is folded into.
fn jump(event: &web_sys::Event, id: &str) {
    event.prevent_default();
    let Some(control) = document().get_element_by_id(id) else { return };
    if let Ok(Some(folded)) = control.closest("details") {
        let _ = folded.set_attribute("open", "");
    }
    if let Ok(control) = control.dyn_into::<web_sys::HtmlElement>() {
        control.scroll_into_view();
        let _ = control.focus();
    }
}
