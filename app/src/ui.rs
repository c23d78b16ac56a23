//! The components: each draws one thing and knows no page, no rule and no server.
//!
//! They are plain functions that give an [`AnyView`]: one copy of each in the binary.

use el::Node;
use leptos::prelude::*;

pub(crate) mod button;
pub(crate) mod chart;
pub(crate) mod choice;
pub(crate) mod dialog;
pub(crate) mod el;
pub(crate) mod error_summary;
pub(crate) mod field;
pub(crate) mod fold;
pub(crate) mod icon;
pub(crate) mod meter;
pub(crate) mod money_input;
pub(crate) mod page;
pub(crate) mod status;
pub(crate) mod toast;

/// A part of a page that follows signals. Every such part is of this one type, so that the code
/// that keeps it up to date is in the module once and not once for each part.
pub(crate) fn live<N: Node>(draw: impl Fn() -> N + Send + 'static) -> AnyView {
    follow(Box::new(move || draw().node()))
}

fn follow(draw: Box<dyn Fn() -> AnyView + Send>) -> AnyView {
    (move || draw()).into_any()
}
