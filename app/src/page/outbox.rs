//! What the sandbox would have sent, newest first: where the one-time codes are read. It exists
//! only while the sandbox runs, and looks like it.

use crate::load::load;
use crate::session::session;
use crate::text::{Text, text};
use crate::ui::el::{Node, el, nodes};
use crate::ui::live;
use crate::ui::page::{bones, failed, head};
use crate::ui::status::{Mood, status};
use laika_core::api::OutboxMessage;
use leptos::prelude::*;
use std::time::Duration;

/// Nobody is signed in while codes are awaited, so no stream tells: the page asks by itself.
const ASK_EVERY: Duration = Duration::from_secs(2);

/// The page.
pub(crate) fn page() -> AnyView {
    let text = text();
    let words = &text.words.sandbox;
    let session = session();
    let messages = load::<Vec<OutboxMessage>>(|| Some("/sandbox/outbox".to_owned()));
    if let Ok(timer) = set_interval_with_handle(move || session.changed(), ASK_EVERY) {
        on_cleanup(move || timer.clear());
    }
    let list = move || match (messages.get(), messages.failure()) {
        (Some(all), _) if all.is_empty() => {
            el("div").class("card").child(status(Mood::Plain, "", words.outbox_none)).node()
        }
        (Some(all), _) => {
            let items = all.iter().map(|message| one(text, message)).collect::<Vec<_>>();
            el("ol").class("stack").child(items).node()
        }
        (None, Some(failure)) => failed(&failure, move || session.changed()),
        (None, None) => bones(&["6rem", "6rem"]),
    };
    nodes![
        head(words.outbox_title, words.outbox_lead),
        el("div").class("measure").child(live(list))
    ]
    .node()
}

fn one(text: Text, message: &OutboxMessage) -> AnyView {
    let words = &text.words.sandbox;
    let channel = if message.channel == "sms" { words.sms } else { words.email };
    let sep = text.words.common.sep;
    let meta = format!("{channel} {} {}{sep}{}", words.to, message.to, text.when(message.at));
    let subject = message.subject.clone();
    el("li")
        .class("card letter")
        .child(el("p").class("caption muted").child(meta))
        .child((!subject.is_empty()).then(|| el("b").child(subject)))
        .child(el("p").class("pre").child(message.body.clone()))
        .node()
}
