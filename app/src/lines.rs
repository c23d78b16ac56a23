//! The account's lines, asked for once for all pages, and which of them is looked at.

use crate::load::{Loaded, load};
use crate::session::{Session, session};
use laika_core::api::LineView;
use leptos::prelude::*;
use std::cell::OnceCell;

/// The lines; a handle that is copied freely.
#[derive(Clone, Copy)]
pub(crate) struct Lines {
    all: Loaded<Vec<LineView>>,
    chosen: RwSignal<usize>,
}

impl Lines {
    /// Asks for the lines as long as somebody is signed in.
    fn start(session: Session) -> Lines {
        let all = load(move || session.signed_in().then(|| "/lines".to_owned()));
        Lines { all, chosen: RwSignal::new(0) }
    }

    /// The answer as a whole, for its failure and its absence.
    pub(crate) fn all(self) -> Loaded<Vec<LineView>> {
        self.all
    }

    /// A look at the line looked at, or at its absence; tracked.
    pub(crate) fn look<R>(self, look: impl FnOnce(Option<&LineView>) -> R) -> R {
        let (all, chosen) = (self.all.get(), self.chosen.get());
        look(all.as_ref().and_then(|lines| lines.get(chosen).or(lines.first())))
    }

    /// A look at the line looked at, if there is one; tracked.
    pub(crate) fn with<R>(self, look: impl FnOnce(&LineView) -> R) -> Option<R> {
        self.look(|line| line.map(look))
    }

    /// The path of something of the line looked at, once it is known; tracked.
    pub(crate) fn path(self, rest: &str) -> Option<String> {
        self.with(|line| format!("/lines/{}{rest}", line.id))
    }

    /// Looks at another line.
    pub(crate) fn choose(self, index: usize) {
        self.chosen.set(index);
    }

    /// Which line is looked at; tracked.
    pub(crate) fn chosen(self) -> usize {
        self.chosen.get()
    }
}

thread_local! {
    static LINES: OnceCell<Lines> = const { OnceCell::new() };
}

/// The lines of the app. First called by `app`, so that they live as long as the app.
pub(crate) fn lines() -> Lines {
    LINES.with(|lines| *lines.get_or_init(|| Lines::start(session())))
}
