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
/// Reads an answer, unless it is what is known already.
type ReadNew = fn(&str, Option<&Answered>) -> Result<Option<Answered>, Failure>;

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
    failure: RwSignal<Option<Failure>>,
}

impl<T: Clone + PartialEq + DeserializeOwned + Send + Sync + 'static> Loaded<T> {
    /// The last good answer; tracked.
    pub(crate) fn get(self) -> Option<T> {
        self.with(T::clone)
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
        self.asked.value.set(Some(Arc::new(value)));
    }
}

/// Asks for `path()` now and again with each change; nothing while it has no path.
pub(crate) fn load<T>(path: impl Fn() -> Option<String> + Send + Sync + 'static) -> Loaded<T>
where
    T: Clone + PartialEq + DeserializeOwned + Send + Sync + 'static,
{
    Loaded { asked: ask(Box::new(path), read_new::<T>), of: PhantomData }
}

fn read_new<T>(text: &str, known: Option<&Answered>) -> Result<Option<Answered>, Failure>
where
    T: PartialEq + DeserializeOwned + Send + Sync + 'static,
{
    let value: T = api::read(text)?;
    let same = known.and_then(|known| known.downcast_ref()) == Some(&value);
    Ok(if same { None } else { Some(Arc::new(value)) })
}

fn ask(path: Box<dyn Fn() -> Option<String> + Send + Sync>, read: ReadNew) -> Asked {
    let asked = Asked { value: RwSignal::new(None), failure: RwSignal::new(None) };
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
    fn take(self, answer: Answer, read: ReadNew) {
        let new =
            answer.and_then(|text| self.value.with_untracked(|known| read(&text, known.as_ref())));
        match new {
            Ok(new) => {
                // Only what changes is told: a page must not be built anew by good news.
                if self.failure.with_untracked(Option::is_some) {
                    self.failure.set(None);
                }
                if new.is_some() {
                    self.value.set(new);
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
