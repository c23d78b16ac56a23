//! A word after something worked: read out, seen for six seconds, never the only place of a fact.

use crate::ui::el::{Node, el};
use crate::ui::live;
use leptos::prelude::*;
use std::cell::OnceCell;
use std::time::Duration;

const SHOWN: Duration = Duration::from_secs(6);

/// What is being said at the moment.
#[derive(Clone, Copy)]
pub(crate) struct Toasts {
    said: RwSignal<Option<String>>,
    count: StoredValue<u32>,
}

impl Toasts {
    /// Nothing said yet.
    fn new() -> Toasts {
        Toasts { said: RwSignal::new(None), count: StoredValue::new(0) }
    }

    /// Says something.
    pub(crate) fn say(self, words: impl Into<String>) {
        let number = self.count.get_value().wrapping_add(1);
        self.count.set_value(number);
        // One at a time: the newest is the one that matters.
        self.said.set(Some(words.into()));
        let fade = move || {
            if self.count.get_value() == number {
                self.said.set(None);
            }
        };
        set_timeout(fade, SHOWN);
    }
}

thread_local! {
    static TOASTS: OnceCell<Toasts> = const { OnceCell::new() };
}

/// The toasts of the app. First called by `app`, so that they live as long as the app.
pub(crate) fn toasts() -> Toasts {
    TOASTS.with(|toasts| *toasts.get_or_init(Toasts::new))
}

/// The place where they appear: a live region that is always there.
pub(crate) fn toast_region(toasts: Toasts) -> AnyView {
    let said = move || toasts.said.get().map(|words| el("p").class("toast").child(words));
    el("div")
        .class("toasts")
        .attr("role", "status")
        .attr("aria-live", "polite")
        .child(live(said))
        .node()
}
