//! Me: contacts, the line's name, language, time zone, log out. A change is sent at once and said
//! when it is done.

use crate::api::Request;
use crate::device;
use crate::form::Form;
use crate::lines::lines;
use crate::session::{Session, session};
use crate::text::{Text, text};
use crate::ui::button::{Weight, button, submit};
use crate::ui::choice::radio_cards;
use crate::ui::el::{Node, el, nodes, nothing};
use crate::ui::error_summary::error_summary;
use crate::ui::field::{Kind, field};
use crate::ui::live;
use crate::ui::page::head;
use crate::ui::toast::toasts;
use gloo_net::http::Method;
use laika_core::ENGINE_VERSION;
use laika_core::api::{AccountChange, AccountView, Language, LineChange};
use laika_core::field::Field;
use leptos::prelude::*;

/// The page.
pub(crate) fn page() -> AnyView {
    let text = text();
    let words = &text.words.me;
    let session = session();
    let out = Form::new("out");
    let leave = move || {
        // Why a full load: nothing of the account stays in the memory of the page.
        let request = Request::new(Method::DELETE, "/sessions/current");
        out.tell(request, || device::leave_for("/"));
    };
    nodes![
        head(words.title, ""),
        el("div")
            .class("stack loose measure")
            .child(contacts(session))
            .child(line(text, session))
            .child(language(text, session))
            .child(zone(text, session))
            .child(error_summary(out))
            .child(el("div").child(button(
                Weight::Plain,
                words.log_out,
                Signal::derive(move || out.busy()),
                leave,
            )))
            .child(el("p").class("small muted").child((words.engine)(ENGINE_VERSION)))
    ]
    .node()
}

fn contacts(session: Session) -> AnyView {
    let text = text();
    let words = &text.words.me;
    let of = move |look: fn(AccountView) -> String| session.account().map(look);
    el("section")
        .class("card stack")
        .child(el("h2").child(words.contacts))
        .child(
            el("dl")
                .class("facts")
                .child(el("dt").child(text.field(Field::Phone)))
                .child(el("dd").child(live(move || of(|a| a.phone))))
                .child(el("dt").child(text.field(Field::Email)))
                .child(el("dd").child(live(move || of(|a| a.email)))),
        )
        .node()
}

fn language(text: Text, session: Session) -> AnyView {
    let words = &text.words.me;
    let form = Form::new("language");
    let chosen = RwSignal::new(text.language.tag().to_owned());
    Effect::new(move |before: Option<String>| {
        let now = chosen.get();
        if before.is_some_and(|before| before != now) {
            let language = Language::from_tag(&now);
            send(form, session, AccountChange { language: Some(language), time_zone: None });
        }
        now
    });
    let options = vec![
        ("zh-CN", "中文（简体）".to_owned(), String::new()),
        ("en", "English".to_owned(), String::new()),
    ];
    el("section")
        .class("card stack")
        .child(el("h2").child(words.language))
        .child(error_summary(form))
        .child(radio_cards("language", words.language, options, chosen))
        .node()
}

fn zone(text: Text, session: Session) -> AnyView {
    let words = &text.words.me;
    let form = Form::new("zone");
    let current = session.account().map(|a| a.time_zone).unwrap_or_default();
    let device_zone = device::time_zone();
    let typed = RwSignal::new(current.clone());
    let offered = (device_zone != current).then(|| {
        let zone = device_zone.clone();
        button(Weight::Link, (words.zone_device)(&device_zone), Signal::stored(false), move || {
            typed.set(zone.clone())
        })
    });
    let save = move || {
        let zone = typed.get_untracked().trim().to_owned();
        send(form, session, AccountChange { language: None, time_zone: Some(zone) });
    };
    let field = (Field::TimeZone, words.zone_hint.to_owned());
    one_field(form, words.zone, field, typed, offered.node(), Box::new(save))
}

/// What the line looked at is called. The server judges it, so that its rules about scripts are not
/// part of the first load.
fn line(text: Text, session: Session) -> AnyView {
    let lines = lines();
    let path = Memo::new(move |_| lines.path(""));
    live(move || {
        let (path, line) = path.get().zip(untrack(|| lines.current()))?;
        let form = Form::new("line");
        let typed = RwSignal::new(line.label);
        let save = move || {
            let change = LineChange { label: typed.get_untracked() };
            let request = Request::new(Method::PATCH, path.clone()).json(&change);
            form.tell(request, move || {
                toasts().say(text.words.me.saved);
                session.changed();
            });
        };
        let field = (Field::Label, format!("eSIM {}", line.iccid));
        Some(one_field(form, text.words.home.which_line, field, typed, nothing(), Box::new(save)))
    })
}

/// A card with one field that is saved by itself; `also` stands under the field.
fn one_field(
    form: Form,
    title: &'static str,
    (name, hint): (Field, String),
    typed: RwSignal<String>,
    also: AnyView,
    save: Box<dyn Fn() + Send>,
) -> AnyView {
    let text = text();
    el("section")
        .class("card stack")
        .child(el("h2").child(title))
        .child(error_summary(form))
        .child(
            el("form")
                .class("stack")
                .attr("novalidate", true)
                .on("submit", move |event| {
                    event.prevent_default();
                    save();
                })
                .child(field(form, name, text.field(name), hint, Kind::PLAIN, typed, None))
                .child(also)
                .child(el("div").child(submit(
                    Weight::Compact,
                    text.words.common.save,
                    Signal::derive(move || form.busy()),
                ))),
        )
        .node()
}

fn send(form: Form, session: Session, change: AccountChange) {
    let words = &text().words.me;
    let toasts = toasts();
    let request = Request::new(Method::PATCH, "/account").json(&change);
    form.send(request, move |account: AccountView| {
        toasts.say(words.saved);
        session.update_account(account);
    });
}
