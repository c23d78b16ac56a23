//! What every page begins with: its title in the browser and its heading, which takes the focus
//! after a move so that a screen reader says where one is. And what stands there while the answer
//! is not, or cannot be, here.

use crate::api::Failure;
use crate::device;
use crate::route::router;
use crate::text::text;
use crate::ui::button::{Weight, button};
use crate::ui::el::{Node, el};
use crate::ui::status::{Mood, notice};
use leptos::prelude::*;

const HEADING: &str = "heading";

/// Title and heading. `class` may hide the heading where the page shows itself.
pub(crate) fn heading(title: impl Into<String>, class: &'static str) -> AnyView {
    let title: String = title.into();
    announce(&title);
    el("h1").attr("id", HEADING).class(class).attr("tabindex", "-1").child(title).node()
}

/// The heading with a sentence under it.
pub(crate) fn head(title: impl Into<String>, lead: impl Into<String>) -> AnyView {
    let lead: String = lead.into();
    el("div")
        .class("page-head")
        .child(heading(title, ""))
        .child((!lead.is_empty()).then(|| el("p").class("muted").child(lead)))
        .node()
}

fn announce(title: &str) {
    document().set_title(&format!("{title} · Laika"));
    if router().moved() {
        to_heading();
    }
}

/// Puts the keyboard onto the page's heading, once what was pressed may be gone.
pub(crate) fn to_heading() {
    request_animation_frame(|| device::focus(HEADING));
}

/// Lines that keep the place of an answer that is not here yet.
pub(crate) fn bones(heights: &'static [&'static str]) -> AnyView {
    let lines = heights
        .iter()
        .map(|high| el("div").class("bone").attr("style:block-size", *high))
        .collect::<Vec<_>>();
    el("div").class("stack").attr("aria-busy", "true").child(lines).node()
}

/// Why an answer is not here, and the one thing to do about it.
pub(crate) fn failed(failure: &Failure, again: impl Fn() + Send + 'static) -> AnyView {
    let text = text();
    el("div")
        .class("stack")
        .attr("role", "alert")
        .child(notice(Mood::Bad, text.words.common.not_loaded, text.failure(failure)))
        .child(el("div").child(button(
            Weight::Plain,
            text.words.common.again,
            Signal::stored(false),
            again,
        )))
        .node()
}
