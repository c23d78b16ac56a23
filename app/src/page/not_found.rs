//! An address that is none of ours. It changes nothing and leads home.

use crate::text::text;
use crate::ui::button::{Weight, go};
use crate::ui::el::{Node, nodes};
use crate::ui::page::head;
use leptos::prelude::*;

/// The page.
pub(crate) fn page() -> AnyView {
    let nav = &text().words.nav;
    nodes![head(nav.not_found, nav.not_found_why), go(Weight::Filled, nav.to_home, "/")].node()
}
