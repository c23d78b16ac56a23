//! One recharge in one line: what for how much, when, and where it stands.

use crate::text::Text;
use crate::ui::el::{Node, el};
use crate::ui::status::{Mood, chip};
use laika_core::api::RechargeView;
use laika_core::recharge::Status;
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
    el("div")
        .class("row apart")
        .child(el("div").child(el("b").child(what)).child(el("p").class("muted small").child(when)))
        .child(state(text, view.recharge.status))
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
