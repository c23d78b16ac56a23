//! Who is signed in, in which language, and the news that something changed. The one state that
//! outlives pages. It keeps no secret: the session itself is a cookie that no script can read.

use crate::api::{self, Answer, Failure, Request, stream};
use crate::device;
use laika_core::api::{AccountView, Language, SandboxView, SessionView};
use laika_core::time::{Instant, Span};
use laika_core::zone::Zone;
use leptos::prelude::*;
use std::cell::OnceCell;

/// The session and its news; a handle that is copied freely.
#[derive(Clone, Copy)]
pub(crate) struct Session {
    view: RwSignal<Option<SessionView>>,
    failure: RwSignal<Option<Failure>>,
    language: RwSignal<Language>,
    changes: RwSignal<u32>,
    listening: StoredValue<bool>,
    ahead_micros: StoredValue<i64>,
}

impl Session {
    /// A session not asked for yet.
    fn new() -> Session {
        let tag = device::languages().first().cloned().unwrap_or_default();
        Session {
            view: RwSignal::new(None),
            failure: RwSignal::new(None),
            language: RwSignal::new(Language::from_tag(&tag)),
            changes: RwSignal::new(0),
            listening: StoredValue::new(false),
            ahead_micros: StoredValue::new(0),
        }
    }

    /// Asks the server who is signed in.
    pub(crate) fn ask(self) {
        if self.failure.with_untracked(Option::is_some) {
            self.failure.set(None);
        }
        let take = move |answer: Answer| match answer.and_then(|text| api::read(&text)) {
            Ok(view) => self.enter(view),
            Err(failure) => self.failure.set(Some(failure)),
        };
        api::ask(Request::get("/session"), Box::new(take));
    }

    /// Takes over what the server said of the session: at start, at sign-in, at confirmation.
    pub(crate) fn enter(self, view: SessionView) {
        if let Some(account) = &view.account {
            self.speak(account.language);
            if !self.listening.get_value() {
                self.listening.set_value(true);
                stream::listen(move || self.changed());
            }
        }
        let device = device::now_micros();
        self.ahead_micros.set_value(view.now.micros().saturating_sub(device));
        self.view.set(Some(view));
        self.changed();
    }

    /// Forgets the account, after logging out or when the server no longer knows the session.
    pub(crate) fn leave(self) {
        self.view.update(|view| {
            if let Some(view) = view {
                view.account = None;
            }
        });
    }

    /// Something of the account changed: everything on screen asks again.
    pub(crate) fn changed(self) {
        self.changes.update(|n| *n = n.wrapping_add(1));
    }

    /// Tracks the news.
    pub(crate) fn track(self) {
        self.changes.track();
    }

    /// Changes the language of the screen.
    pub(crate) fn speak(self, language: Language) {
        device::keep_language(language.tag());
        if self.language.get_untracked() != language {
            self.language.set(language);
        }
    }

    /// The language of the screen; tracked.
    pub(crate) fn language(self) -> Language {
        self.language.get()
    }

    /// The same at this moment.
    pub(crate) fn language_now(self) -> Language {
        self.language.get_untracked()
    }

    /// Why the session could not be asked for; tracked.
    pub(crate) fn failure(self) -> Option<Failure> {
        self.failure.get()
    }

    /// Whether the server has answered; tracked.
    pub(crate) fn known(self) -> bool {
        self.view.with(Option::is_some)
    }

    /// A look at who is signed in; tracked.
    pub(crate) fn with_account<R>(self, look: impl FnOnce(&AccountView) -> R) -> Option<R> {
        self.view.with(|view| view.as_ref().and_then(|v| v.account.as_ref()).map(look))
    }

    /// Whether somebody is signed in; tracked.
    pub(crate) fn signed_in(self) -> bool {
        self.with_account(|_| ()).is_some()
    }

    /// The server's time, as far as its last answer tells: it differs from the device's.
    pub(crate) fn now(self) -> Instant {
        Instant::from_micros(device::now_micros().saturating_add(self.ahead_micros.get_value()))
    }

    /// Whether the password was given so lately that it need not be asked for again. Sessions do
    /// not follow the sandbox's clock, which may have been moved forward.
    pub(crate) fn stepped_up(self) -> bool {
        let ahead = self.sandbox().map_or(0, |sandbox| sandbox.clock_ahead_s);
        let wall = self.now().minus(Span::seconds(ahead));
        let until = self.with_account(|account| account.stepped_up_until).flatten();
        until.is_some_and(|end| wall < end)
    }

    /// The zone in which the account's dates and times are written; tracked.
    pub(crate) fn with_zone<R>(self, look: impl FnOnce(&Zone) -> R) -> R {
        self.view.with(|view| match view.as_ref().and_then(|v| v.account.as_ref()) {
            Some(account) => look(&account.zone),
            None => look(&Zone::utc()),
        })
    }

    /// The sandbox, where there is one; tracked.
    pub(crate) fn sandbox(self) -> Option<SandboxView> {
        self.view.with(|view| view.as_ref().and_then(|v| v.sandbox.clone()))
    }

    /// Changes what is kept of the account, after the server has accepted it.
    pub(crate) fn update_account(self, account: AccountView) {
        self.speak(account.language);
        self.view.update(|view| {
            if let Some(view) = view {
                view.account = Some(account);
            }
        });
        self.changed();
    }
}

thread_local! {
    static SESSION: OnceCell<Session> = const { OnceCell::new() };
}

/// The session of the app. First called by `app`, so that it lives as long as the app.
pub(crate) fn session() -> Session {
    SESSION.with(|session| *session.get_or_init(Session::new))
}
