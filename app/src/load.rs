//! Something asked of the server and kept fresh: asked when the page opens and again with each
//! change of the account. An older answer never replaces a newer one, and a failed refresh keeps
//! the last good answer, marked stale.

use crate::api::{self, Answer, Failure, Request};
use crate::session::session;
use leptos::prelude::*;
use serde::de::DeserializeOwned;

/// The state of one question; a handle that is copied freely.
pub(crate) struct Loaded<T: Send + Sync + 'static> {
    value: RwSignal<Option<T>>,
    failure: RwSignal<Option<Failure>>,
}

impl<T: Send + Sync + 'static> Clone for Loaded<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T: Send + Sync + 'static> Copy for Loaded<T> {}

impl<T: Clone + PartialEq + DeserializeOwned + Send + Sync + 'static> Loaded<T> {
    /// The last good answer; tracked.
    pub(crate) fn get(self) -> Option<T> {
        self.value.get()
    }

    /// A look at the last good answer; tracked.
    pub(crate) fn with<R>(self, look: impl FnOnce(&T) -> R) -> Option<R> {
        self.value.with(|value| value.as_ref().map(look))
    }

    /// Why the last question brought nothing; tracked.
    pub(crate) fn failure(self) -> Option<Failure> {
        self.failure.get()
    }

    fn take(self, answer: Result<T, Failure>) {
        match answer {
            Ok(value) => {
                // Only what changes is told: a page must not be built anew by good news.
                if self.failure.with_untracked(Option::is_some) {
                    self.failure.set(None);
                }
                if self.value.with_untracked(|old| old.as_ref() != Some(&value)) {
                    self.value.set(Some(value));
                }
            }
            Err(failure) => {
                if failure.code() == Some("unauthenticated") {
                    session().leave();
                }
                self.failure.set(Some(failure));
            }
        }
    }

    /// Takes an answer that came another way, such as with a change.
    pub(crate) fn put(self, value: T) {
        self.value.set(Some(value));
    }
}

/// Asks for `path()` now and again with each change; nothing while it has no path.
pub(crate) fn load<T>(path: impl Fn() -> Option<String> + Send + Sync + 'static) -> Loaded<T>
where
    T: Clone + PartialEq + DeserializeOwned + Send + Sync + 'static,
{
    let loaded = Loaded { value: RwSignal::new(None), failure: RwSignal::new(None) };
    let session = session();
    let latest = StoredValue::new(0u32);
    let asked = StoredValue::new(String::new());
    // Why a memo: what the path is made of changes more often than the path.
    let path = Memo::new(move |_| path());
    Effect::new(move || {
        session.track();
        let Some(path) = path.get() else { return };
        if asked.with_value(|last| *last != path) {
            // Another thing is asked for: what was here is not its old answer.
            if !asked.with_value(String::is_empty) {
                loaded.value.set(None);
            }
            asked.set_value(path.clone());
        }
        let mine = latest.get_value().wrapping_add(1);
        latest.set_value(mine);
        let take = move |answer: Answer| {
            // The page may be gone by now, or a newer question under way.
            if latest.try_get_value() == Some(mine) {
                loaded.take(answer.and_then(|text| api::read::<T>(&text)));
            }
        };
        api::ask(Request::get(path), Box::new(take));
    });
    loaded
}
