//! One recharge in one line: what for how much, when, and where it stands; where it waits for the
//! customer, with the link to its payment.

use crate::text::Text;
use crate::ui::el::{Node, el};
use crate::ui::status::{Mood, chip};
use laika_core::api::RechargeView;
use laika_core::recharge::Status;
use laika_core::time::Instant;
use leptos::prelude::*;

/// Draws it.
pub(crate) fn recharge_line(text: Text, view: &RechargeView) -> AnyView {
    let order = &view.recharge.order;
    let adds = text.speech(|speech| speech.adds(order.adds));
    let by = if view.recharge.automatic() {
        text.words.history.automatic
    } else {
        text.words.history.manual
    };
    let what = format!("{adds}{}{}", text.words.common.sep, text.money(order.amount));
    let when = format!("{}{}{by}", text.when(view.recharge.opened_at), text.words.common.sep);
    // Which one a link is about, for whoever hears it.
    let about = format!("about-{}", view.recharge.id);
    let line = el("div")
        .class("row apart")
        .child(
            el("div")
                .attr("id", about.clone())
                .child(el("b").child(what))
                .child(el("p").class("muted small").child(when)),
        )
        .child(state(text, view.recharge.status));
    let link = view.recharge.link().map(|(url, until)| link(text, url, until, about));
    el("div").class("stack tight").child(line).child(link).node()
}

/// The page of the bank or the wallet, which the gateway named.
fn link(text: Text, url: &str, until: Instant, about: String) -> AnyView {
    let words = &text.words.history;
    let until = (words.confirm_until)(&text.when(until));
    el("div")
        .class("row")
        .child(
            el("a")
                .class("button")
                .attr("href", url.to_owned())
                .attr("aria-describedby", about)
                .child(words.confirm),
        )
        .child(el("p").class("muted small").child(until))
        .node()
}

/// Where a recharge stands, as a chip.
pub(crate) fn state(text: Text, status: Status) -> AnyView {
    let mood = match status {
        Status::Done => Mood::Good,
        Status::Failed => Mood::Bad,
        Status::Cancelled | Status::Refunded => Mood::Off,
        Status::Unknown | Status::DeliveryUnknown | Status::Declined | Status::NeedsCustomer => {
            Mood::Unknown
        }
        Status::Opened
        | Status::Charging
        | Status::Paid
        | Status::Delivering
        | Status::Refunding => Mood::Plain,
    };
    chip(mood, text.speech(|speech| speech.status(status)))
}
