//! The pictures: drawn here, 24 by 24, one stroke. Each repeats a word that stands beside it, so
//! all are hidden from screen readers.

use crate::ui::el::{Node, el};
use leptos::prelude::*;

/// A picture, as the path of its stroke.
#[derive(Clone, Copy)]
pub(crate) struct Icon(&'static str);

/// The line's data.
pub(crate) const HOME: Icon = Icon("M4 11.5 12 4l8 7.5M6 10v10h12V10M10 20v-5h4v5");
/// Again and again by itself.
pub(crate) const RULE: Icon =
    Icon("M20 12a8 8 0 0 1-14.3 4.9M4 12a8 8 0 0 1 14.3-4.9M18.5 3v4.3h-4.3M5.5 21v-4.3h4.3");
/// What was.
pub(crate) const HISTORY: Icon = Icon("M5 6h2M10 6h9M5 12h2M10 12h9M5 18h2M10 18h9");
/// A card.
pub(crate) const PAYMENT: Icon = Icon("M3 6.5h18v11H3zM3 10.5h18M6.5 14.5H10");
/// A person.
pub(crate) const ME: Icon =
    Icon("M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8M4.5 20.5c.7-4 3.7-5.5 7.5-5.5s6.8 1.5 7.5 5.5");
/// It is so.
pub(crate) const TICK: Icon = Icon("M5 12.5 10 17.5 19.5 7");
/// It is not so.
pub(crate) const CROSS: Icon = Icon("M6 6l12 12M18 6 6 18");
/// It does not matter here.
pub(crate) const DASH: Icon = Icon("M6 12h12");
/// Good, in a ring.
pub(crate) const GOOD: Icon = Icon("M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18M8 12.3l2.8 2.8L16 9.5");
/// Not known yet: a clock.
pub(crate) const CLOCK: Icon = Icon("M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18M12 7v5.3l3.3 2");
/// Refused: a cross in an octagon.
pub(crate) const BAD: Icon =
    Icon("M8.3 3h7.4L21 8.3v7.4L15.7 21H8.3L3 15.7V8.3zM9.3 9.3l5.4 5.4M14.7 9.3l-5.4 5.4");
/// To know: an i in a ring.
pub(crate) const INFO: Icon = Icon("M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18M12 11v5.5M12 7.5v.3");
/// Off: a ring with a bar.
pub(crate) const OFF: Icon = Icon("M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18M8 12h8");
/// A shield, for promises.
pub(crate) const SHIELD: Icon =
    Icon("M12 3.5l7 2.5v5.5c0 4.5-3 7.5-7 9-4-1.5-7-4.5-7-9V6zM9 12l2.2 2.2L15.2 10");
/// An eye, for what can be checked.
pub(crate) const EYE: Icon = Icon(
    "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12M12 14.8a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.6",
);

/// Draws it in the colour of the text round it.
pub(crate) fn icon(icon: Icon) -> AnyView {
    el("svg")
        .attr("viewBox", "0 0 24 24")
        .attr("fill", "none")
        .attr("stroke", "currentColor")
        .attr("stroke-width", "1.8")
        .attr("stroke-linecap", "round")
        .attr("stroke-linejoin", "round")
        .attr("aria-hidden", "true")
        .child(el("path").attr("d", icon.0))
        .node()
}

/// The brand's mark: the level bar, upright, with its notch.
pub(crate) fn mark() -> AnyView {
    el("svg")
        .attr("viewBox", "0 0 28 28")
        .attr("aria-hidden", "true")
        .child(
            el("rect")
                .attr("width", "28")
                .attr("height", "28")
                .attr("rx", "8")
                .attr("fill", "#101a3c"),
        )
        .child(
            el("rect")
                .attr("x", "5")
                .attr("y", "11")
                .attr("width", "18")
                .attr("height", "6")
                .attr("rx", "3")
                .attr("fill", "#33406e"),
        )
        .child(el("path").attr("d", "M8 11h6v6H8a3 3 0 0 1 0-6z").attr("fill", "#ff9a3d"))
        .child(el("path").attr("d", "M16 9h2v10h-2z").attr("fill", "#fff"))
        .node()
}
