//! Me: contacts, language, time zone, log out. A change is sent at once and said when it is done.

use crate::api::Request;
use crate::device;
use crate::form::Form;
use crate::session::{Session, session};
use crate::text::{Text, text};
use crate::ui::button::{Weight, button};
use crate::ui::choice::radio_cards;
use crate::ui::error_summary::error_summary;
use crate::ui::field::{Kind, field};
use crate::ui::live;
use crate::ui::page::head;
use crate::ui::toast::toasts;
use gloo_net::http::Method;
use laika_core::ENGINE_VERSION;
use laika_core::api::{AccountChange, AccountView, Language};
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
    view! {
        {head(words.title, "")}
        <div class="stack loose measure">
            {contacts(session)} {language(text, session)} {zone(text, session)}
            {error_summary(out)}
            <div>
                {button(
                    Weight::Plain,
                    words.log_out,
                    Signal::derive(move || out.busy()),
                    leave,
                )}
            </div>
            <p class="small muted">{(words.engine)(ENGINE_VERSION)}</p>
        </div>
    }
    .into_any()
}

fn contacts(session: Session) -> AnyView {
    let text = text();
    let words = &text.words.me;
    let of = move |look: fn(AccountView) -> String| session.account().map(look);
    view! {
        <section class="card stack">
            <h2>{words.contacts}</h2>
            <dl class="facts">
                <dt>{text.field(Field::Phone)}</dt>
                <dd>{live(move || of(|a| a.phone))}</dd>
                <dt>{text.field(Field::Email)}</dt>
                <dd>{live(move || of(|a| a.email))}</dd>
            </dl>
        </section>
    }
    .into_any()
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
    view! {
        <section class="card stack">
            <h2>{words.language}</h2>
            {error_summary(form)}
            {radio_cards("language", words.language, options, chosen)}
        </section>
    }
    .into_any()
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
    view! {
        <section class="card stack">
            <h2>{words.zone}</h2>
            {error_summary(form)}
            <form
                class="stack"
                novalidate=true
                on:submit=move |event| {
                    event.prevent_default();
                    save();
                }
            >
                {field(
                    form,
                    Field::TimeZone,
                    text.field(Field::TimeZone),
                    words.zone_hint,
                    Kind::PLAIN,
                    typed,
                    None,
                )}
                {offered}
                <div>
                    {crate::ui::button::submit(
                        Weight::Compact,
                        text.words.common.save,
                        Signal::derive(move || form.busy()),
                    )}
                </div>
            </form>
        </section>
    }
    .into_any()
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
