//! The password again, before anything that allows charges. The server decides when; this only
//! asks, and then does what was wanted.

use crate::api::{Failure, Request};
use crate::form::Form;
use crate::text::text;
use crate::ui::button::{Weight, button, submit};
use crate::ui::dialog::{Dialog, dialog};
use crate::ui::el::{Node, el};
use crate::ui::error_summary::error_summary;
use crate::ui::field::{Kind, field};
use laika_core::api::StepUp as Typed;
use laika_core::field::{Field, FieldCode, FieldError};
use leptos::prelude::*;

/// The question; a handle that is copied freely.
#[derive(Clone, Copy)]
pub(crate) struct StepUp {
    dialog: Dialog,
    then: StoredValue<Option<Callback<()>>>,
}

impl StepUp {
    /// Not asked.
    pub(crate) fn new() -> StepUp {
        StepUp { dialog: Dialog::new(), then: StoredValue::new(None) }
    }

    /// Whether this failure only means that the password is wanted; then asks and goes on.
    pub(crate) fn wanted(self, failure: &Failure, then: impl Fn() + Send + Sync + 'static) -> bool {
        let wanted = failure.code() == Some("step_up_required");
        if wanted {
            self.then.set_value(Some(Callback::new(move |()| then())));
            self.dialog.open();
        }
        wanted
    }
}

/// Its sheet, over the page it is put on.
pub(crate) fn sheet(handle: StepUp) -> AnyView {
    dialog(handle.dialog, "step-up-title", move || inside(handle))
}

fn inside(handle: StepUp) -> AnyView {
    let text = text();
    let words = &text.words.common;
    let form = Form::new("step-up");
    let password = RwSignal::new(String::new());
    let send = move || {
        let missing = password
            .with_untracked(String::is_empty)
            .then(|| FieldError::new(Field::Password, FieldCode::Required));
        if !form.accept(missing.into_iter().collect()) {
            return;
        }
        let typed = Typed { password: password.get_untracked() };
        form.tell(Request::post("/sessions/current/step-up").json(&typed), move || {
            handle.dialog.close();
            if let Some(then) = handle.then.get_value() {
                then.run(());
            }
        });
    };
    el("form")
        .class("stack")
        .attr("novalidate", true)
        .on("submit", move |event| {
            event.prevent_default();
            send();
        })
        .child(el("h2").attr("id", "step-up-title").child(words.password_again))
        .child(error_summary(form))
        .child(field(
            form,
            Field::Password,
            words.password_again,
            words.password_again_why,
            Kind::PASSWORD,
            password,
            None,
        ))
        .child(
            el("div")
                .class("row")
                .child(submit(Weight::Filled, words.go_on, Signal::derive(move || form.busy())))
                .child(button(Weight::Plain, words.cancel, Signal::stored(false), move || {
                    handle.dialog.close()
                })),
        )
        .node()
}
