//! Sign in with phone or e-mail and the password. The answer is the same for a wrong contact and a
//! wrong password; after it, the page that was wanted shows itself.

use crate::api::Request;
use crate::form::Form;
use crate::route::{Route, router};
use crate::session::session;
use crate::text::text;
use crate::ui::button::{Weight, submit};
use crate::ui::el::{Node, el};
use crate::ui::error_summary::error_summary;
use crate::ui::field::{Kind, field};
use crate::ui::page::head;
use laika_core::api::{SessionView, SignIn};
use laika_core::field::{Field, FieldCode, FieldError};
use leptos::prelude::*;

/// The page.
pub(crate) fn page() -> AnyView {
    let text = text();
    let words = &text.words.enter;
    let form = Form::new("sign-in");
    let contact = RwSignal::new(String::new());
    let password = RwSignal::new(String::new());
    let session = session();
    let router = router();
    let missing = move |name: Field, value: RwSignal<String>| {
        value
            .with_untracked(|v| v.trim().is_empty())
            .then(|| FieldError::new(name, FieldCode::Required))
    };
    let send = move || {
        let errors: Vec<_> = [missing(Field::Contact, contact), missing(Field::Password, password)]
            .into_iter()
            .flatten()
            .collect();
        if !form.accept(errors) {
            return;
        }
        let typed = SignIn { contact: contact.get_untracked(), password: password.get_untracked() };
        form.send(Request::post("/sessions").json(&typed), move |view: SessionView| {
            session.enter(view);
            if !router.current().needs_account() {
                router.replace(Route::Home);
            }
        });
    };
    el("div")
        .class("narrow stack loose")
        .child(head(words.sign_in_title, ""))
        .child(error_summary(form))
        .child(
            el("form")
                .class("fields")
                .attr("novalidate", true)
                .on("submit", move |event| {
                    event.prevent_default();
                    send();
                })
                .child(field(
                    form,
                    Field::Contact,
                    text.field(Field::Contact),
                    words.contact_hint,
                    Kind::CONTACT,
                    contact,
                    None,
                ))
                .child(field(
                    form,
                    Field::Password,
                    text.field(Field::Password),
                    "",
                    Kind::PASSWORD,
                    password,
                    None,
                ))
                .child(submit(Weight::Filled, words.sign_in, Signal::derive(move || form.busy()))),
        )
        .child(
            el("p")
                .class("small")
                .child(words.no_account)
                .child(" ")
                .child(el("a").attr("href", Route::Register.path()).child(words.register)),
        )
        .node()
}
