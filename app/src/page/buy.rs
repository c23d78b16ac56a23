//! "Recharge now": a purchase by hand. The sheet names amount, price and method; one press is one
//! request with one key, repeated as it is when no answer came, so it is charged once at most.

use crate::api::Request;
use crate::form::Form;
use crate::lines::Lines;
use crate::load::load;
use crate::route::Route;
use crate::session::session;
use crate::text::text;
use crate::ui::button::{Weight, button, go, guarded};
use crate::ui::choice::radio_cards;
use crate::ui::dialog::{Dialog, dialog};
use crate::ui::el::{Node, el};
use crate::ui::live;
use crate::ui::status::{Mood, notice};
use crate::ui::toast::toasts;
use laika_core::api::{PaymentMethodView, RechargeNow};
use laika_core::money::Money;
use leptos::prelude::*;

/// How many steps are offered.
const OFFERED: [(u32, &str); 4] = [(1, "1"), (3, "3"), (5, "5"), (10, "10")];

/// The sheet, over the page it is put on.
pub(crate) fn sheet(handle: Dialog, lines: Lines) -> AnyView {
    dialog(handle, "buy-title", move || inside(handle, lines))
}

fn inside(handle: Dialog, lines: Lines) -> AnyView {
    let text = text();
    let words = &text.words.home;
    let session = session();
    let toasts = toasts();
    let form = Form::new("buy");
    let steps = RwSignal::new("3".to_owned());
    let methods = load::<Vec<PaymentMethodView>>(|| Some("/payment-methods".to_owned()));
    let usable =
        move || methods.with(|all| all.iter().find(|m| !m.expired && !m.barred).cloned()).flatten();
    let price = move |steps: u32| -> Option<Money> {
        lines.current()?.terms.step?.price.checked_mul(i64::from(steps))
    };
    let chosen = move || steps.with(|s| s.parse::<u32>().unwrap_or(1));
    // Another amount is another intention.
    Effect::new(move |_| {
        steps.track();
        form.renew();
    });
    let reason = Signal::derive(move || {
        let bound = methods.with(|_| ()).is_some();
        (bound && usable().is_none()).then(|| words.buy_no_method.to_owned())
    });
    let pay = move || {
        let (Some(line), Some(method)) = (lines.current(), usable()) else {
            return;
        };
        let Some(amount) = price(chosen()) else { return };
        let wanted = RechargeNow { steps: chosen(), amount, payment_method_id: method.id };
        let path = format!("/lines/{}/recharges", line.id);
        let request = Request::post(path).json(&wanted).once(form.key());
        form.tell(request, move || {
            handle.close();
            toasts.say(words.buy_sent);
            session.changed();
        });
    };
    let options = move || {
        let step = lines.current()?.terms.step?;
        let offered = OFFERED.into_iter().filter_map(|(n, key)| {
            let bytes = step.bytes.checked_mul(u64::from(n))?;
            Some((key, text.bytes_exact(bytes), price(n).map(|m| text.money(m))?))
        });
        Some(radio_cards("steps", words.buy_amount, offered.collect(), steps))
    };
    let with = move || {
        usable().map(|m| {
            el("p")
                .class("small")
                .child(text.words.rule.pay_with)
                .child(text.words.common.colon)
                .child(el("b").child(crate::page::payment::name(&m)))
        })
    };
    let label = move || price(chosen()).map(|m| (words.buy_confirm)(&text.money(m)));
    el("div")
        .class("stack")
        .child(el("h2").attr("id", "buy-title").child(words.buy_title))
        .child(el("p").class("muted small").child(words.buy_lead))
        .child(live(options))
        .child(live(with))
        .child(el("div").attr("role", "alert").child(live(move || {
            form.failure().map(|f| notice(Mood::Bad, "", text.money_failure(&f)))
        })))
        .child(
            el("div")
                .class("row")
                .child(live(move || {
                    let busy = Signal::derive(move || form.busy());
                    let label = label().unwrap_or_default();
                    guarded(Weight::Filled, "buy-pay", label, busy, reason, pay)
                }))
                .child(button(
                    Weight::Plain,
                    text.words.common.cancel,
                    Signal::stored(false),
                    move || handle.close(),
                )),
        )
        .child(live(move || {
            reason.get().map(|_| go(Weight::Link, text.words.payment.add, Route::Payment.path()))
        }))
        .node()
}
