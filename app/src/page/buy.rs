//! "Recharge now": a purchase by hand. The sheet names amount, price and method; one press is one
//! request with one key, repeated as it is when no answer came, so it is charged once at most.

use crate::api::Request;
use crate::form::Form;
use crate::lines::Lines;
use crate::load::{Loaded, load};
use crate::page::payment::name;
use crate::route::Route;
use crate::session::session;
use crate::text::{Text, text};
use crate::ui::button::{Weight, button, go, guarded};
use crate::ui::choice::radio_cards;
use crate::ui::dialog::{Dialog, dialog};
use crate::ui::el::{Node, el};
use crate::ui::field::pick;
use crate::ui::live;
use crate::ui::status::{Mood, notice};
use crate::ui::toast::toasts;
use laika_core::api::{LineView, PaymentMethodView, RechargeNow};
use laika_core::catalogue::Step;
use laika_core::decide::{Reason, Unusable};
use laika_core::id::PaymentMethodId;
use laika_core::money::Money;
use leptos::prelude::*;

/// How many steps are offered.
const OFFERED: [(u32, &str); 4] = [(1, "1"), (3, "3"), (5, "5"), (10, "10")];

/// The sheet, over the page it is put on.
pub(crate) fn sheet(handle: Dialog, lines: Lines) -> AnyView {
    dialog(handle, "buy-title", move || inside(handle, lines))
}

/// What is being bought; a handle that is copied freely.
#[derive(Clone, Copy)]
struct Buying {
    text: Text,
    handle: Dialog,
    lines: Lines,
    form: Form,
    steps: RwSignal<String>,
    method: RwSignal<String>,
    methods: Loaded<Vec<PaymentMethodView>>,
}

impl Buying {
    /// A look at the methods that can be charged by hand, those first that can be charged by
    /// themselves too; tracked.
    fn usable<R>(self, look: impl FnOnce(&[&PaymentMethodView]) -> R) -> R {
        let all = self.methods.get();
        let all = all.iter().flat_map(|all| all.iter());
        let by_hand = all.filter(|m| !m.unusable.is_some_and(Unusable::forbids_by_hand));
        let (mut first, others): (Vec<_>, Vec<_>) = by_hand.partition(|m| m.unusable.is_none());
        first.extend(others);
        look(&first)
    }

    /// The one that is charged: the chosen one, or the first; tracked.
    fn method(self) -> Option<PaymentMethodId> {
        self.usable(|all| {
            let chosen = self.method.with(|id| all.iter().find(|m| m.id.as_str() == id));
            chosen.or(all.first()).map(|method| method.id.clone())
        })
    }

    /// While nobody knows whether a charge was made, paying again may pay twice: that is said here,
    /// and not forbidden.
    fn warning(self) -> Option<AnyView> {
        let warning = |line: &LineView| {
            let now = &line.rule.as_ref()?.now;
            let unknown = matches!(now.reason(), Some(Reason::RechargeOpen { unknown: true, .. }));
            let said = || self.text.speech(|speech| speech.decision(now));
            unknown.then(|| notice(Mood::Unknown, "", said()))
        };
        self.lines.with(warning).flatten()
    }

    /// In which steps data is sold; tracked.
    fn step(self) -> Option<Step> {
        self.lines.with(|line| line.terms.step).flatten()
    }

    fn price(self, steps: u32) -> Option<Money> {
        self.step()?.price.checked_mul(i64::from(steps))
    }

    fn chosen(self) -> u32 {
        self.steps.with(|s| s.parse().unwrap_or(1))
    }

    fn pay(self) -> Option<()> {
        let (path, payment_method_id) = (self.lines.path("/recharges")?, self.method()?);
        let away = |m: &&PaymentMethodView| m.id == payment_method_id && m.rail.facts().off_session;
        let sent = match self.usable(|all| all.iter().any(away)) {
            true => self.text.words.home.buy_sent,
            false => self.text.words.home.buy_link,
        };
        let amount = self.price(self.chosen())?;
        let wanted = RechargeNow { steps: self.chosen(), amount, payment_method_id };
        let request = Request::post(path).json(&wanted).once(self.form.key());
        self.form.tell(request, move || {
            self.handle.close();
            toasts().say(sent);
            session().changed();
        });
        Some(())
    }

    fn options(self) -> Option<AnyView> {
        let step = self.step()?;
        let offered = OFFERED.into_iter().filter_map(|(n, key)| {
            let bytes = step.bytes.checked_mul(u64::from(n))?;
            Some((key, self.text.bytes_exact(bytes), self.price(n).map(|m| self.text.money(m))?))
        });
        let legend = self.text.words.home.buy_amount;
        Some(radio_cards("steps", legend, offered.collect(), self.steps))
    }

    /// Which method is charged: a choice, where there is one.
    fn with(self) -> Option<AnyView> {
        let label = self.text.words.rule.pay_with;
        self.usable(|all| match all {
            [] => None,
            [only] => {
                let label = el("p").class("small").child(label).child(self.text.words.common.colon);
                Some(label.child(el("b").child(name(self.text, only))).node())
            }
            all => {
                let options = all.iter().map(|m| (m.id.to_string(), name(self.text, m))).collect();
                let choice = pick("buy-method".to_owned(), None, options, self.method);
                let label = el("label").attr("for", "buy-method").child(label);
                Some(el("div").class("field").child(label).child(choice).node())
            }
        })
    }
}

fn inside(handle: Dialog, lines: Lines) -> AnyView {
    let text = text();
    let words = &text.words.home;
    let form = Form::new("buy");
    let steps = RwSignal::new("3".to_owned());
    let methods = load::<Vec<PaymentMethodView>>(|| Some("/payment-methods".to_owned()));
    let method = RwSignal::new(String::new());
    let buying = Buying { text, handle, lines, form, steps, method, methods };
    // Another amount, or another method, is another intention.
    Effect::new(move |_| {
        steps.track();
        method.track();
        form.renew();
    });
    // The list shows what is charged unless another one is chosen.
    Effect::new(move |_| {
        let first = buying.usable(|all| all.first().map(|first| first.id.to_string()));
        if let Some(first) = first.filter(|_| method.with_untracked(String::is_empty)) {
            method.set(first);
        }
    });
    let reason = Signal::derive(move || {
        let known = methods.with(|_| ()).is_some();
        (known && buying.usable(|all| all.is_empty())).then(|| words.buy_no_method.to_owned())
    });
    let pay = move || {
        let price = buying.price(buying.chosen()).map(|m| (words.buy_confirm)(&text.money(m)));
        let busy = Signal::derive(move || form.busy());
        let press = move || {
            let _ = untrack(|| buying.pay());
        };
        guarded(Weight::Filled, "buy-pay", price.unwrap_or_default(), busy, reason, press)
    };
    let cancel = text.words.common.cancel;
    let cancel = button(Weight::Plain, cancel, Signal::stored(false), move || handle.close());
    el("div")
        .class("stack")
        .child(el("h2").attr("id", "buy-title").child(words.buy_title))
        .child(el("p").class("muted small").child(words.buy_lead))
        .child(live(move || buying.warning()))
        .child(live(move || buying.options()))
        .child(live(move || buying.with()))
        .child(el("div").attr("role", "alert").child(live(move || {
            form.failure().map(|f| notice(Mood::Bad, "", text.money_failure(&f)))
        })))
        .child(el("div").class("row").child(live(pay)).child(cancel))
        .child(live(move || {
            reason.get().map(|_| go(Weight::Link, text.words.payment.add, Route::Payment.path()))
        }))
        .node()
}
