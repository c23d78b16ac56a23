//! Something asked of the server and kept fresh: asked when the page opens and again with each
//! change of the account. An older answer never replaces a newer one, and a failed refresh keeps
//! the last good answer, marked stale.
//!
//! Inside, every answer is of one type, so that the code that asks, keeps and tells is in the
//! module once and not once for each type of answer.

use crate::api::{self, Answer, Failure, Request};
use crate::session::session;
use leptos::prelude::*;
use serde::de::DeserializeOwned;
use std::any::Any;
use std::marker::PhantomData;
use std::sync::Arc;

/// An answer of any type.
type Answered = Arc<dyn Any + Send + Sync>;
/// Reads the text of an answer.
type Read = fn(&str) -> Result<Answered, Failure>;

/// The state of one question; a handle that is copied freely.
pub(crate) struct Loaded<T> {
    asked: Asked,
    of: PhantomData<fn() -> T>,
}

impl<T> Clone for Loaded<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Loaded<T> {}

#[derive(Clone, Copy)]
struct Asked {
    value: RwSignal<Option<Answered>>,
    /// What the value was read from, unless it came another way.
    text: StoredValue<Option<String>>,
    failure: RwSignal<Option<Failure>>,
}

impl<T: DeserializeOwned + Send + Sync + 'static> Loaded<T> {
    /// The last good answer, shared; tracked.
    pub(crate) fn get(self) -> Option<Arc<T>> {
        self.asked.value.get()?.downcast().ok()
    }

    /// A look at the last good answer; tracked.
    pub(crate) fn with<R>(self, look: impl FnOnce(&T) -> R) -> Option<R> {
        let value = self.asked.value.get()?;
        value.downcast_ref().map(look)
    }

    /// Why the last question brought nothing; tracked.
    pub(crate) fn failure(self) -> Option<Failure> {
        self.asked.failure.get()
    }

    /// Takes an answer that came another way, such as with a change.
    pub(crate) fn put(self, value: T) {
        self.asked.put(Arc::new(value), None);
    }
}

/// Asks for `path()` now and again with each change; nothing while it has no path.
pub(crate) fn load<T>(path: impl Fn() -> Option<String> + Send + Sync + 'static) -> Loaded<T>
where
    T: DeserializeOwned + Send + Sync + 'static,
{
    Loaded { asked: ask(Box::new(path), read::<T>), of: PhantomData }
}

fn read<T: DeserializeOwned + Send + Sync + 'static>(text: &str) -> Result<Answered, Failure> {
    let value: T = api::read(text)?;
    Ok(Arc::new(value))
}

fn ask(path: Box<dyn Fn() -> Option<String> + Send + Sync>, read: Read) -> Asked {
    let asked = Asked {
        value: RwSignal::new(None),
        text: StoredValue::new(None),
        failure: RwSignal::new(None),
    };
    let session = session();
    let latest = StoredValue::new(0u32);
    let last = StoredValue::new(String::new());
    // Why a memo: what the path is made of changes more often than the path.
    let path = Memo::new(move |_| path());
    Effect::new(move || {
        session.track();
        let Some(path) = path.get() else { return };
        if last.with_value(|last| *last != path) {
            // Another thing is asked for: what was here is not its old answer.
            if !last.with_value(String::is_empty) {
                asked.text.set_value(None);
                asked.value.set(None);
            }
            last.set_value(path.clone());
        }
        let mine = latest.get_value().wrapping_add(1);
        latest.set_value(mine);
        let take = move |answer: Answer| {
            // The page may be gone by now, or a newer question under way.
            if latest.try_get_value() == Some(mine) {
                asked.take(answer, read);
            }
        };
        api::ask(Request::get(path), Box::new(take));
    });
    asked
}

impl Asked {
    fn put(self, value: Answered, text: Option<String>) {
        self.text.set_value(text);
        self.value.set(Some(value));
    }

    fn take(self, answer: Answer, read: Read) {
        // Only what changes is told: a page must not be built anew by good news. Why by its text:
        // to compare what was read, each type would bring code of its own.
        let same = |text: &String| self.text.with_value(|known| known.as_ref() == Some(text));
        let new = answer.and_then(|text| match same(&text) {
            true => Ok(None),
            false => Ok(Some((read(&text)?, text))),
        });
        match new {
            Ok(new) => {
                if self.failure.with_untracked(Option::is_some) {
                    self.failure.set(None);
                }
                if let Some((value, text)) = new {
                    self.put(value, Some(text));
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
}
