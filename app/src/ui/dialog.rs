//! A dialog: the browser's own `<dialog>`, modal, closed by Escape and by its buttons. It returns
//! the focus to where it came from.

use crate::ui::el::{Node, el};
use crate::ui::live;
use leptos::prelude::*;
use wasm_bindgen::JsCast;

/// Whether a dialog is open; a handle that is copied freely.
#[derive(Clone, Copy)]
pub(crate) struct Dialog {
    open: RwSignal<bool>,
}

impl Dialog {
    /// Closed.
    pub(crate) fn new() -> Dialog {
        Dialog { open: RwSignal::new(false) }
    }
    /// Shows it over the page.
    pub(crate) fn open(self) {
        self.open.set(true);
    }
    /// Takes it away.
    pub(crate) fn close(self) {
        // Why `try`: an answer may come after the page with the dialog has been left.
        let _ = self.open.try_set(false);
    }
    /// Tracked.
    pub(crate) fn is_open(self) -> bool {
        self.open.get()
    }
}

/// Draws it. `inside` is built anew each time it opens, so nothing of the last time is left in it.
pub(crate) fn dialog(
    handle: Dialog,
    title_id: &'static str,
    inside: impl Fn() -> AnyView + Send + 'static,
) -> AnyView {
    el("dialog")
        .visit(move |element| follow(handle, element))
        .attr("aria-labelledby", title_id)
        .on("close", move |_| handle.close())
        .child(live(move || handle.is_open().then(&inside)))
        .node()
}

/// Opens and closes the element as the handle says.
fn follow(handle: Dialog, element: web_sys::Element) {
    let Ok(element) = element.dyn_into::<web_sys::HtmlDialogElement>() else { return };
    Effect::new(move || {
        if handle.open.get() {
            if !element.open() {
                let _ = element.show_modal();
            }
        } else if element.open() {
            element.close();
        }
    });
}
