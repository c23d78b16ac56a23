//! Me: contacts, the line's name, language, time zone, log out. A change is sent at once and said
//! when it is done.

use crate::api::Request;
use crate::device;
use crate::form::{Form, control_id};
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
use std::time::Duration;

/// How long a new name can be taken back with one press.
const UNDO: Duration = Duration::from_secs(8);
const UNDO_ID: &str = "undo";

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
    let of = move |look: fn(&AccountView) -> String| session.with_account(look);
    el("section")
        .class("card stack")
        .child(el("h2").child(words.contacts))
        .child(
            el("dl")
                .class("facts")
                .child(el("dt").child(text.field(Field::Phone)))
                .child(el("dd").child(live(move || of(|a| a.phone.clone()))))
                .child(el("dt").child(text.field(Field::Email)))
                .child(el("dd").child(live(move || of(|a| a.email.clone())))),
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
    let current = session.with_account(|a| a.time_zone.clone()).unwrap_or_default();
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
    one_field(form, words.zone, field, typed, (offered.node(), nothing()), Box::new(save))
}

/// What the line looked at is called. The server judges it, so that its rules about scripts are not
/// part of the first load.
fn line(text: Text, session: Session) -> AnyView {
    let lines = lines();
    let path = Memo::new(move |_| lines.path(""));
    live(move || {
        let named = || lines.with(|line| (line.label.clone(), format!("eSIM {}", line.iccid)));
        let (path, (label, number)) = path.get().zip(untrack(named))?;
        let form = Form::new("line");
        let typed = RwSignal::new(label.clone());
        let saved = StoredValue::new(label);
        let undo = RwSignal::new(None::<String>);
        let send = move |label: String, back: Option<String>| {
            let request = Request::new(Method::PATCH, path.clone());
            form.tell(request.json(&LineChange { label: label.clone() }), move || {
                toasts().say(text.words.me.saved);
                saved.set_value(label);
                offer(undo, back);
                session.changed();
            });
        };
        let take_back = {
            let send = send.clone();
            move || {
                let Some(before) = undo.get_untracked() else { return };
                typed.set(before.clone());
                device::focus(&control_id(Field::Label));
                send(before, None);
            }
        };
        let save = move || {
            let (label, before) = (typed.get_untracked(), saved.get_value());
            let back = (label != before).then_some(before);
            send(label, back);
        };
        let after = live(move || {
            let (label, press) = (text.words.common.undo, take_back.clone());
            undo.get().map(|_| button(Weight::Compact, label, Signal::stored(false), press))
        });
        let around = (nothing(), el("div").attr("id", UNDO_ID).child(after).node());
        let field = (Field::Label, number);
        Some(one_field(form, text.words.home.which_line, field, typed, around, Box::new(save)))
    })
}

/// Offers for a while to take a change back; longer, while somebody is about to.
fn offer(undo: RwSignal<Option<String>>, back: Option<String>) {
    undo.set(back.clone());
    let over = move || {
        // Why the comparison: a later change has a while of its own.
        let mine = undo.try_get_untracked().is_some_and(|now| now == back);
        if mine && device::has_focus(UNDO_ID) {
            offer(undo, back);
        } else if mine {
            undo.set(None);
        }
    };
    set_timeout(over, UNDO);
}

/// A card with one field that is saved by itself; with what stands under the field, and after the
/// button.
fn one_field(
    form: Form,
    title: &'static str,
    (name, hint): (Field, String),
    typed: RwSignal<String>,
    (under, after): (AnyView, AnyView),
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
                .child(under)
                .child(
                    el("div")
                        .class("row")
                        .child(submit(
                            Weight::Compact,
                            text.words.common.save,
                            Signal::derive(move || form.busy()),
                        ))
                        .child(after),
                ),
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
