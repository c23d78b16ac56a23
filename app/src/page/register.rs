//! Register: contacts and password, then the two codes that prove them. What is typed is judged by
//! core's `contact` here and again on the server, the whole form at once; whether a contact is
//! known already is never said.

use crate::api::Request;
use crate::device;
use crate::form::Form;
use crate::route::{Route, router};
use crate::session::session;
use crate::text::text;
use crate::ui::button::{Weight, button, submit};
use crate::ui::el::{Node, el, nodes};
use crate::ui::error_summary::error_summary;
use crate::ui::field::{Check, Kind, field};
use crate::ui::live;
use crate::ui::page::head;
use crate::ui::status::{Mood, notice};
use crate::ui::toast::toasts;
use laika_core::api::{Confirmation, Registration, RegistrationView, SessionView};
use laika_core::contact;
use laika_core::field::{Field, FieldCode, FieldError};
use leptos::prelude::*;

/// What is typed, as typed.
#[derive(Clone, Copy)]
struct Typed {
    phone: RwSignal<String>,
    email: RwSignal<String>,
    password: RwSignal<String>,
}

impl Typed {
    fn registration(self) -> Registration {
        Registration {
            phone: self.phone.get_untracked(),
            email: self.email.get_untracked(),
            password: self.password.get_untracked(),
            language: text().language,
            time_zone: device::time_zone(),
        }
    }

    fn errors(self) -> Vec<FieldError> {
        contact::registration(&self.registration()).err().unwrap_or_default()
    }

    /// On leaving a field: what is empty is not wrong yet.
    fn check(self, name: Field) -> Option<Check> {
        let wrong = move |e: &FieldError| e.field == name && e.code != FieldCode::Required;
        Some(Box::new(move || self.errors().into_iter().find(wrong)))
    }
}

/// The page: first the contacts, then the codes.
pub(crate) fn page() -> AnyView {
    let typed = Typed {
        phone: RwSignal::new(String::new()),
        email: RwSignal::new(String::new()),
        password: RwSignal::new(String::new()),
    };
    let pending = RwSignal::new(None::<RegistrationView>);
    el("div")
        .class("narrow stack loose")
        .child(live(move || match pending.get() {
            None => contacts(typed, pending),
            Some(sent) => codes(sent, pending),
        }))
        .node()
}

fn contacts(typed: Typed, pending: RwSignal<Option<RegistrationView>>) -> AnyView {
    let text = text();
    let words = &text.words.enter;
    let form = Form::new("register");
    let zone_said = (words.zone)(&device::time_zone());
    let send = move || {
        if !form.accept(typed.errors()) {
            return;
        }
        let request = Request::post("/registrations").json(&typed.registration());
        form.send(request, move |sent| pending.set(Some(sent)));
    };
    let line = |name, hint, kind, value| {
        field(form, name, text.field(name), hint, kind, value, typed.check(name))
    };
    nodes![
        head(words.register_title, words.register_lead),
        error_summary(form),
        el("form")
            .class("fields")
            .attr("novalidate", true)
            .on("submit", move |event| {
                event.prevent_default();
                send();
            })
            .child(line(Field::Phone, words.phone_hint, Kind::PHONE, typed.phone))
            .child(line(Field::Email, words.email_hint, Kind::EMAIL, typed.email))
            .child(line(Field::Password, words.password_hint, Kind::NEW_PASSWORD, typed.password))
            .child(el("p").class("hint").child(zone_said))
            .child(submit(Weight::Filled, words.send_codes, Signal::derive(move || form.busy()))),
        el("p")
            .class("small")
            .child(words.have_account)
            .child(" ")
            .child(el("a").attr("href", Route::SignIn.path()).child(words.sign_in))
    ]
    .node()
}

fn codes(sent: RegistrationView, pending: RwSignal<Option<RegistrationView>>) -> AnyView {
    let text = text();
    let words = &text.words.enter;
    let session = session();
    let router = router();
    let toasts = toasts();
    let form = Form::new("codes");
    let again = Form::new("resend");
    let phone_code = RwSignal::new(String::new());
    let email_code = RwSignal::new(String::new());
    let verdict = move |name: Field, value: RwSignal<String>| {
        let code = value.with_untracked(|v| contact::one_time_code(v)).err();
        code.map(|code| FieldError::new(name, code))
    };
    let place = format!("/registrations/{}", sent.registration_id);
    let confirm = format!("{place}/confirm");
    let send = move || {
        let errors = [verdict(Field::PhoneCode, phone_code), verdict(Field::EmailCode, email_code)];
        if !form.accept(errors.into_iter().flatten().collect()) {
            return;
        }
        let typed = Confirmation {
            phone_code: phone_code.get_untracked(),
            email_code: email_code.get_untracked(),
        };
        let request = Request::post(confirm.clone()).json(&typed);
        form.send(request, move |view: SessionView| {
            session.enter(view);
            toasts.say(words.welcome_in);
            router.replace(Route::Guide);
        });
    };
    let resend = move || {
        let request = Request::post(format!("{place}/codes"));
        again.tell(request, move || toasts.say(words.resent));
    };
    let line = |name, value| field(form, name, text.field(name), "", Kind::CODE, value, None);
    nodes![
        head(words.confirm_title, (words.confirm_lead)(&sent.phone_masked, &sent.email_masked)),
        live(move || session.sandbox().map(|_| in_the_sandbox())),
        error_summary(form),
        error_summary(again),
        el("form")
            .class("fields")
            .attr("novalidate", true)
            .on("submit", move |event| {
                event.prevent_default();
                send();
            })
            .child(line(Field::PhoneCode, phone_code))
            .child(line(Field::EmailCode, email_code))
            .child(submit(Weight::Filled, words.confirm, Signal::derive(move || form.busy()))),
        el("div")
            .class("row")
            .child(button(Weight::Link, words.resend, Signal::derive(move || again.busy()), resend))
            .child(button(Weight::Link, words.change_contacts, Signal::stored(false), move || {
                pending.set(None)
            },))
    ]
    .node()
}

/// Where the codes are, when nothing is really sent. In a tab of its own: the form stays.
fn in_the_sandbox() -> AnyView {
    let words = text().words;
    el("div")
        .class("stack tight")
        .child(notice(Mood::Plain, words.sandbox.name, words.enter.codes_in_outbox))
        .child(
            el("a")
                .class("small")
                .attr("href", Route::Outbox.path())
                .attr("target", "laika-outbox")
                .child(words.sandbox.outbox),
        )
        .node()
}
