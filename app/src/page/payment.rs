//! Payment methods: add at the provider's own page, order by buttons, remove with the effects
//! listed. No card field is here and no card number ever: the provider's page is another origin.

use crate::api::Request;
use crate::device;
use crate::form::Form;
use crate::load::{Loaded, load};
use crate::page::step_up::{self, StepUp};
use crate::route::{self, Route};
use crate::session::session;
use crate::text::{Text, text};
use crate::ui::button::{Weight, button, go};
use crate::ui::dialog::{Dialog, dialog};
use crate::ui::el::{Node, el, nodes, nothing};
use crate::ui::icon::{self, icon};
use crate::ui::live;
use crate::ui::page::{bones, failed, head, to_heading};
use crate::ui::status::{Mood, chip, notice, status};
use crate::ui::toast::toasts;
use gloo_net::http::Method;
use laika_core::api::{MethodOrder, NewMethod, PaymentMethodView, SetupView};
use laika_core::decide::Unusable;
use laika_core::rail::{Rail, Wallet};
use leptos::prelude::*;
use std::sync::Arc;

type Methods = Loaded<Vec<PaymentMethodView>>;
/// The method that is asked about: of the list as it was drawn.
type Removing = RwSignal<Option<(Arc<Vec<PaymentMethodView>>, usize)>>;

/// What a method is called.
pub(crate) fn name(text: Text, method: &PaymentMethodView) -> String {
    let wallet = Wallet::ALL.into_iter().find(|wallet| wallet.name() == method.brand);
    let Some(wallet) = wallet else {
        return laika_core::say::method_name(&method.brand, &method.last4);
    };
    let called = text.speech(|speech| speech.wallet(wallet));
    match method.rail {
        Rail::OnSession => (text.words.payment.by_link)(called),
        Rail::Card | Rail::AlipayCycle | Rail::WechatDeduction => called.to_owned(),
    }
}

/// The page.
pub(crate) fn page() -> AnyView {
    let text = text();
    let words = &text.words.payment;
    let session = session();
    let methods = load::<Vec<PaymentMethodView>>(|| Some("/payment-methods".to_owned()));
    let ask = StepUp::new();
    let adding = Form::new("add");
    let finishing = finish(methods);
    let removing = RwSignal::new(None);
    let confirm = Dialog::new();
    let list = move || match (methods.get(), methods.failure()) {
        (Some(all), _) if all.is_empty() => {
            el("div").class("card").child(status(Mood::Plain, words.none, words.none_why)).node()
        }
        (Some(all), _) => cards(text, &all, methods, removing, confirm),
        (None, Some(failure)) => failed(&failure, move || session.changed()),
        (None, None) => bones(&["5.5rem", "3rem"]),
    };
    nodes![
        head(words.title, words.lead),
        el("div")
            .class("stack loose measure")
            .child(
                el("div")
                    .attr("role", "status")
                    .child(live(move || finishing.busy().then(|| status(
                        Mood::Unknown,
                        "",
                        words.adding
                    ))))
                    .child(live(move || finishing
                        .failure()
                        .map(|f| { notice(Mood::Bad, words.not_added, text.failure(&f)) })))
                    .child(live(move || adding.failure().map(|f| notice(
                        Mood::Bad,
                        "",
                        text.failure(&f)
                    ))))
            )
            .child(live(list))
            .child(el("div").child(button(
                Weight::Filled,
                words.add,
                Signal::derive(move || adding.busy()),
                move || add(adding, ask),
            )))
            .child(el("p").class("small muted").child(words.ours_never))
            .child(by_link(text, methods, ask)),
        step_up::sheet(ask),
        dialog(confirm, "remove-title", move || remove(removing, confirm, methods))
    ]
    .node()
}

/// Goes to the provider's page, after the password where the server wants it.
fn add(form: Form, ask: StepUp) {
    // The password may be wanted first; then the same again.
    form.send_or(
        Request::post("/payment-methods/setups"),
        |setup: SetupView| device::leave_for(&setup.url),
        move |failure| ask.wanted(failure, move || add(form, ask)),
    );
}

/// The wallets that can be added to pay with by a link each time, where there are any.
fn by_link(text: Text, methods: Methods, ask: StepUp) -> AnyView {
    let words = &text.words.payment;
    let form = Form::new("wallet");
    let wallets = load::<Vec<Wallet>>(|| Some("/payment-methods/wallets".to_owned()));
    let there = move |wallet: Wallet| {
        let is = |m: &PaymentMethodView| m.rail == Rail::OnSession && m.brand == wallet.name();
        methods.with(|all| all.iter().any(is)) != Some(false)
    };
    live(move || {
        let all = wallets.get()?;
        let missing = all.iter().copied().filter(|wallet| !there(*wallet));
        let buttons = missing
            .map(|wallet| {
                let busy = Signal::derive(move || form.busy());
                let press = move || add_wallet(form, ask, wallet);
                button(
                    Weight::Plain,
                    (words.wallet_add)(text.speech(|speech| speech.wallet(wallet))),
                    busy,
                    press,
                )
            })
            .collect::<Vec<_>>();
        let some = !buttons.is_empty();
        some.then(|| {
            el("section")
                .class("card stack tight")
                .child(el("h2").child(words.wallets))
                .child(el("p").class("muted small").child(words.wallets_lead))
                .child(el("div").class("row").child(buttons))
                .child(el("div").attr("role", "alert").child(live(move || {
                    form.failure().map(|f| notice(Mood::Bad, "", text.failure(&f)))
                })))
                .node()
        })
    })
}

/// Adds one, after the password where the server wants it.
fn add_wallet(form: Form, ask: StepUp, wallet: Wallet) {
    form.send_or(
        Request::post("/payment-methods").json(&NewMethod { wallet }),
        |_: PaymentMethodView| {
            toasts().say(text().words.payment.added_wallet);
            session().changed();
            // Why: the button that was pressed goes with the list.
            to_heading();
        },
        move |failure| ask.wanted(failure, move || add_wallet(form, ask, wallet)),
    );
}

/// Back from the provider's page: takes over what was added there, once.
fn finish(methods: Methods) -> Form {
    let form = Form::new("finish");
    let words = &text().words.payment;
    let toasts = toasts();
    let session = session();
    if let Some(setup) = route::query("setup") {
        route::forget_query();
        let path = format!("/payment-methods/setups/{setup}/complete");
        form.send(Request::post(path), move |method: PaymentMethodView| {
            toasts.say(words.added);
            let known = methods.with(|all| all.iter().any(|m| m.id == method.id));
            if known == Some(false) {
                session.changed();
            }
        });
    }
    form
}

fn cards(
    text: Text,
    all: &Arc<Vec<PaymentMethodView>>,
    methods: Methods,
    removing: Removing,
    confirm: Dialog,
) -> AnyView {
    let count = all.len();
    let first = all.iter().position(|method| method.rail.facts().off_session);
    let items = all
        .iter()
        .enumerate()
        .map(|(index, method)| {
            let drawn = Arc::clone(all);
            el("li")
                .class("card method")
                .child(icon(icon::PAYMENT))
                .child(facts(text, method, first == Some(index) && count > 1))
                .child(
                    el("div")
                        .class("row")
                        .child((index > 0).then(|| shift(text, all, index, true, methods)))
                        .child((index + 1 < count).then(|| shift(text, all, index, false, methods)))
                        .child(button(
                            Weight::Compact,
                            text.words.payment.remove,
                            Signal::stored(false),
                            move || {
                                removing.set(Some((Arc::clone(&drawn), index)));
                                confirm.open();
                            },
                        )),
                )
        })
        .collect::<Vec<_>>();
    el("ol").class("stack").child(items).node()
}

fn facts(text: Text, method: &PaymentMethodView, first: bool) -> AnyView {
    let words = &text.words.payment;
    let kind = match (method.rail, method.funding.as_str()) {
        (Rail::AlipayCycle | Rail::WechatDeduction, _) => words.rail_wallet,
        (Rail::OnSession, _) => words.rail_each_time,
        (_, "credit") => words.credit,
        (_, "debit") => words.debit,
        _ => words.rail_card,
    };
    // A wallet has no date.
    let note = if method.expires_month == 0 {
        kind.to_owned()
    } else {
        let until = format!("{:02}/{}", method.expires_month, method.expires_year);
        format!("{kind}{}{}", text.words.common.sep, (words.expires)(&until))
    };
    let why = |why: Unusable| {
        if why == Unusable::OnSessionOnly {
            // Its kind says it: nothing is wrong with it.
            return chip(Mood::Off, words.unusable);
        }
        let said = text.speech(|speech| speech.unusable(why));
        let by_hand = why == Unusable::TriedOut;
        let way = || go(Weight::Link, text.words.home.recharge_now, Route::Home.path());
        let said = el("p").class("small").child(said);
        nodes![chip(Mood::Bad, words.unusable), said, by_hand.then(way)].node()
    };
    let first = || first.then(|| chip(Mood::Good, words.first));
    let state = method.unusable.map(why).or_else(first);
    el("div")
        .child(el("b").child(name(text, method)))
        .child(el("p").class("muted small").child(note))
        .child(state)
        .node()
}

/// A button that moves a method by one place.
fn shift(
    text: Text,
    all: &Arc<Vec<PaymentMethodView>>,
    index: usize,
    up: bool,
    methods: Methods,
) -> AnyView {
    let words = &text.words.payment;
    let other = if up { index.saturating_sub(1) } else { index.saturating_add(1) };
    let spoken = match all.get(index) {
        Some(method) if up => (words.up)(&name(text, method)),
        Some(method) => (words.down)(&name(text, method)),
        None => String::new(),
    };
    let form = Form::new("order");
    let drawn = Arc::clone(all);
    let press = move |_| {
        let mut ids: Vec<_> = drawn.iter().map(|m| m.id.clone()).collect();
        ids.swap(index, other);
        let request = Request::post("/payment-methods/order").json(&MethodOrder { ids });
        form.send(request, move |ordered| methods.put(ordered));
    };
    el("button")
        .attr("type", "button")
        .class("button compact")
        .attr("aria-label", spoken)
        .on("click", press)
        .child(if up { "↑" } else { "↓" })
        .node()
}

/// The question before removing, with what it changes.
fn remove(removing: Removing, confirm: Dialog, methods: Methods) -> AnyView {
    let text = text();
    let words = &text.words.payment;
    let toasts = toasts();
    let session = session();
    let form = Form::new("remove");
    let Some((drawn, index)) = removing.get_untracked() else { return nothing() };
    let Some(method) = drawn.get(index) else { return nothing() };
    let last = !method.last_for.is_empty();
    let others = methods.with(|all| all.len() > 1).unwrap_or(false);
    let by_rules = method.rail.facts().off_session;
    let effect = match (last, others && by_rules) {
        (true, _) => words.remove_rule,
        (false, true) => words.remove_other,
        (false, false) => words.remove_nothing,
    };
    let title = (words.remove_title)(&name(text, method));
    let path = format!("/payment-methods/{}", method.id);
    let gone = move || {
        form.tell(Request::new(Method::DELETE, path.clone()), move || {
            confirm.close();
            toasts.say(words.removed);
            session.changed();
        });
    };
    el("div")
        .class("stack")
        .child(el("h2").attr("id", "remove-title").child(title))
        .child(el("p").child(effect))
        .child(
            el("div").attr("role", "alert").child(live(move || {
                form.failure().map(|f| notice(Mood::Bad, "", text.failure(&f)))
            })),
        )
        .child(
            el("div")
                .class("row")
                .child(button(
                    Weight::Danger,
                    words.remove,
                    Signal::derive(move || form.busy()),
                    gone,
                ))
                .child(button(Weight::Plain, words.keep, Signal::stored(false), move || {
                    confirm.close()
                })),
        )
        .node()
}
