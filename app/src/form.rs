//! A form's state mirrors the form: one text per field, as typed, the errors beside them, and what
//! became of the last sending. It judges nothing: core's validation and the server do.

use crate::api::{self, Answer, Failure, Request};
use crate::device;
use crate::text::{Text, text};
use laika_core::field::{Field, FieldError};
use laika_core::order::in_order;
use leptos::prelude::*;
use serde::de::DeserializeOwned;

type Then = Box<dyn FnOnce(&str) -> Result<(), Failure>>;
type Instead = Box<dyn FnOnce(&Failure) -> bool>;

/// The id of the error summary of a form.
pub(crate) fn summary_id(name: &'static str) -> String {
    format!("{name}-errors")
}

/// The id of the control of a field.
pub(crate) fn control_id(field: Field) -> String {
    format!("field-{field:?}")
}

/// One form; a handle that is copied freely.
#[derive(Clone, Copy)]
pub(crate) struct Form {
    name: &'static str,
    errors: RwSignal<Vec<FieldError>>,
    failure: RwSignal<Option<Failure>>,
    busy: RwSignal<bool>,
    key: StoredValue<String>,
    text: Text,
}

impl Form {
    /// An empty form. `name` tells its ids from those of another form on the page.
    pub(crate) fn new(name: &'static str) -> Form {
        Form {
            name,
            errors: RwSignal::new(Vec::new()),
            failure: RwSignal::new(None),
            busy: RwSignal::new(false),
            key: StoredValue::new(device::fresh_key()),
            text: text(),
        }
    }

    /// What the form is called in ids.
    pub(crate) fn name(self) -> &'static str {
        self.name
    }

    /// The sentence for a field's error, if it has one; tracked.
    pub(crate) fn error(self, field: Field) -> Option<String> {
        self.errors.with(|errors| {
            errors.iter().find(|e| e.field == field).map(|e| self.text.field_error(e))
        })
    }

    /// All errors; tracked.
    pub(crate) fn errors(self) -> Vec<FieldError> {
        self.errors.get()
    }

    /// Why the last sending failed as a whole; tracked.
    pub(crate) fn failure(self) -> Option<Failure> {
        self.failure.get()
    }

    /// Whether a sending is under way; tracked.
    pub(crate) fn busy(self) -> bool {
        self.busy.get()
    }

    /// The name of the present intention, for `Idempotency-Key`: the same until it has succeeded.
    pub(crate) fn key(self) -> String {
        self.key.get_value()
    }

    /// What was typed is another intention now.
    pub(crate) fn renew(self) {
        self.key.set_value(device::fresh_key());
    }

    /// Sets or clears the error of one field, on leaving it.
    pub(crate) fn judge(self, field: Field, verdict: Option<FieldError>) {
        self.errors.update(|errors| {
            errors.retain(|e| e.field != field);
            let all = errors.drain(..).chain(verdict);
            let sorted = in_order(all, |e| e.field);
            *errors = sorted;
        });
    }

    /// The fields whose errors are shown, at this moment.
    pub(crate) fn shown(self) -> Vec<Field> {
        self.errors.with_untracked(|errors| errors.iter().map(|e| e.field).collect())
    }

    /// Shows these errors and leaves the reader where they are.
    pub(crate) fn follow(self, errors: Vec<FieldError>) {
        if self.errors.with_untracked(|shown| *shown != errors) {
            self.errors.set(errors);
        }
    }

    /// Shows these errors and takes the reader to their summary. False when there are some.
    pub(crate) fn accept(self, errors: Vec<FieldError>) -> bool {
        let fine = errors.is_empty();
        self.failure.set(None);
        self.errors.set(errors);
        if !fine {
            self.point_out();
        }
        fine
    }

    /// Sends once: while it is under way a second press does nothing. Field errors that come back
    /// are shown like our own.
    pub(crate) fn send<T: DeserializeOwned + 'static>(
        self,
        request: Request,
        then: impl FnOnce(T) + 'static,
    ) {
        self.begin(request, Box::new(move |text| api::read(text).map(then)), None);
    }

    /// The same for an answer that has no body.
    pub(crate) fn tell(self, request: Request, then: impl FnOnce() + 'static) {
        self.begin(
            request,
            Box::new(move |_| {
                then();
                Ok(())
            }),
            None,
        );
    }

    /// The same, where a failure may only mean that something else comes first: `instead` says so.
    pub(crate) fn send_or<T: DeserializeOwned + 'static>(
        self,
        request: Request,
        then: impl FnOnce(T) + 'static,
        instead: impl FnOnce(&Failure) -> bool + 'static,
    ) {
        let then = Box::new(move |text: &str| api::read(text).map(then));
        self.begin(request, then, Some(Box::new(instead)));
    }

    fn begin(self, request: Request, then: Then, instead: Option<Instead>) {
        if self.busy.get_untracked() {
            return;
        }
        self.busy.set(true);
        self.failure.set(None);
        let finish = move |answer: Answer| {
            // The page may have been left meanwhile; what was sent stands, there is no one to tell.
            if self.busy.try_set(false).is_some() {
                return;
            }
            match answer.and_then(|text| then(&text)) {
                Ok(()) => self.renew(),
                Err(failure) => {
                    if !instead.is_some_and(|instead| instead(&failure)) {
                        self.refuse(failure);
                    }
                }
            }
        };
        api::ask(request, Box::new(finish));
    }

    /// Shows why a sending failed.
    pub(crate) fn refuse(self, failure: Failure) {
        match failure {
            Failure::Problem(problem) if !problem.errors.is_empty() => {
                self.errors.set(problem.errors.clone());
            }
            other => self.failure.set(Some(other)),
        }
        self.point_out();
    }

    fn point_out(self) {
        let id = summary_id(self.name);
        // The summary is on the page only after this turn.
        request_animation_frame(move || device::focus(&id));
    }
}
