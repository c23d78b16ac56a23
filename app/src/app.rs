//! The frame round every page: skip link, brand, navigation, the page itself, toasts, banners.
//! It picks the page by route and session, and builds everything anew when the language changes.

use crate::lines::lines;
use crate::page;
use crate::route::{Route, Router, router};
use crate::session::{Session, session};
use crate::text::text;
use crate::ui::el::{Node, el, nodes};
use crate::ui::icon::{self, Icon, icon, mark};
use crate::ui::live;
use crate::ui::page::{bones, failed};
use crate::ui::toast::{toast_region, toasts};
use crate::{device, route};
use laika_core::api::Language;
use leptos::prelude::*;

/// Starts the app in the page's body, in place of the static shell.
pub(crate) fn open() {
    mount_to_body(root);
    if let Some(shell) = document().get_element_by_id("shell") {
        shell.remove();
    }
}

fn root() -> AnyView {
    let (session, router, toasts) = (session(), router(), toasts());
    lines();
    session.ask();
    let online = RwSignal::new(device::online());
    route::listen("online", move |_| online.set(true));
    route::listen("offline", move |_| online.set(false));
    nodes![
        live(move || {
            let language = session.language();
            if let Some(html) = document().document_element() {
                let _ = html.set_attribute("lang", language.tag());
            }
            frame(session, router, online)
        }),
        toast_region(toasts)
    ]
    .node()
}

fn frame(session: Session, router: Router, online: RwSignal<bool>) -> AnyView {
    let text = text();
    let signed_in = Memo::new(move |_| session.signed_in());
    let known = Memo::new(move |_| session.known());
    let sandbox = Memo::new(move |_| session.sandbox().is_some());
    nodes![
        el("a").class("skip").attr("href", "#main").child(text.words.common.skip),
        live(move || {
            (!online.get()).then(|| {
                el("p").class("banner").attr("role", "status").child(text.words.common.offline)
            })
        }),
        live(move || (sandbox.get() && signed_in.get()).then(page::sandbox::bar)),
        el("div")
            .live("class", move || if signed_in.get() { "frame" } else { "frame bare" })
            .child(
                el("header")
                    .class("top")
                    .child(el("a").class("brand").attr("href", "/").child(mark()).child("Laika"))
                    .child(live(move || (!signed_in.get()).then(|| languages(session))))
            )
            .child(live(move || signed_in.get().then(|| navigation(router))))
            .child(el("main").attr("id", "main").attr("tabindex", "-1").child(live(
                move || match (known.get(), session.failure()) {
                    (true, _) => show(router.get(), signed_in.get()),
                    (false, Some(failure)) => failed(&failure, move || session.ask()),
                    (false, None) => bones(&["2rem", "12rem", "9rem"]),
                }
            )))
    ]
    .node()
}

/// The page for a route. Without an account, pages of an account lead to the door.
fn show(route: Route, signed_in: bool) -> AnyView {
    match route {
        Route::Home if !signed_in => page::welcome::page(),
        other if other.needs_account() && !signed_in => page::sign_in::page(),
        Route::Home => page::home::page(),
        Route::Guide => page::guide::page(),
        Route::Rule => page::rule::page(),
        Route::History => page::history::page(),
        Route::Payment => page::payment::page(),
        Route::Me => page::me::page(),
        Route::Outbox => page::outbox::page(),
        Route::Welcome => page::welcome::page(),
        Route::SignIn => page::sign_in::page(),
        Route::Register => page::register::page(),
        Route::NotFound => page::not_found::page(),
    }
}

fn navigation(router: Router) -> AnyView {
    let text = text();
    let nav = &text.words.nav;
    let place = |to: Route, shape: Icon, words: &'static str| {
        el("li").child(
            el("a")
                .attr("href", to.path())
                .live("aria-current", move || (router.get() == to).then_some("page"))
                .child(icon(shape))
                .child(el("span").child(words)),
        )
    };
    el("nav")
        .class("bar")
        .attr("aria-label", nav.label)
        .child(
            el("ul")
                .child(place(Route::Home, icon::HOME, nav.home))
                .child(place(Route::Rule, icon::RULE, nav.rule))
                .child(place(Route::History, icon::HISTORY, nav.history))
                .child(place(Route::Payment, icon::PAYMENT, nav.payment))
                .child(place(Route::Me, icon::ME, nav.me)),
        )
        .node()
}

/// The languages, each in its own words, for everybody who has not signed in yet.
fn languages(session: Session) -> AnyView {
    let text = text();
    let choice = |language: Language, name: &'static str| {
        let pressed = if text.language == language { "true" } else { "false" };
        el("button")
            .attr("type", "button")
            .attr("lang", language.tag())
            .attr("aria-pressed", pressed)
            .on("click", move |_| session.speak(language))
            .child(name)
    };
    el("div")
        .class("lang")
        .attr("role", "group")
        .attr("aria-label", text.words.common.language)
        .child(choice(Language::ZhCn, "中文"))
        .child(choice(Language::En, "English"))
        .node()
}
