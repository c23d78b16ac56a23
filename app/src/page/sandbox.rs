//! The sandbox bar: use data, let time pass, arm the next charge, read the outbox. It is there only
//! while the sandbox adapters run, and looks like nothing else on the page.

use crate::api::Request;
use crate::form::Form;
use crate::lines::lines;
use crate::route::Route;
use crate::session::session;
use crate::text::{Text, text};
use crate::ui::button::{Weight, button};
use crate::ui::el::{Node, el};
use crate::ui::field::pick;
use crate::ui::live;
use crate::ui::status::{Mood, notice};
use crate::ui::toast::toasts;
use laika_core::api::{NextCharge, SandboxTime, SandboxUsage, ScriptedCharge};
use laika_core::bytes::Bytes;
use leptos::prelude::*;
use serde::Serialize;

const USES_MEGABYTES: [u64; 5] = [100, 500, 1_000, 2_000, 5_000];

/// The bar.
pub(crate) fn bar() -> AnyView {
    let text = text();
    let words = &text.words.sandbox;
    let session = session();
    let form = Form::new("sandbox");
    let ahead = move || {
        let seconds = session.sandbox().map_or(0, |s| s.clock_ahead_s);
        (seconds > 0).then(|| (words.ahead)(&span(text, seconds)))
    };
    el("aside")
        .attr("aria-label", words.name)
        .child(
            el("details")
                .class("sandbox")
                .child(
                    el("summary")
                        .child(el("b").child(words.name))
                        .child(el("span").child(words.no_money))
                        .child(el("span").class("muted").child(live(ahead))),
                )
                .child(
                    el("div")
                        .class("tools")
                        .child(use_data(text, form))
                        .child(pass_time(text, form))
                        .child(arm(text, form))
                        .child(
                            el("div").class("tool").child(
                                el("a")
                                    .class("button")
                                    .attr("href", Route::Outbox.path())
                                    .child(words.outbox),
                            ),
                        ),
                )
                .child(el("div").attr("role", "alert").child(live(move || {
                    form.failure().map(|f| notice(Mood::Bad, "", text.failure(&f)))
                }))),
        )
        .node()
}

/// How far the clock is ahead, roughly.
fn span(text: Text, seconds: i64) -> String {
    let hours = seconds / 3600;
    if hours >= 48 {
        format!("{} {}", hours / 24, text.words.rule.days)
    } else {
        format!("{hours} h")
    }
}

fn send(form: Form, path: &'static str, what: &impl Serialize, said: String) {
    let toasts = toasts();
    let session = session();
    form.tell(Request::post(path).json(what), move || {
        toasts.say(said);
        // The clock may have moved: the session says by how much.
        session.ask();
    });
}

fn tool(
    id: &'static str,
    label: &'static str,
    options: Vec<(String, String)>,
    value: RwSignal<String>,
    action: AnyView,
) -> AnyView {
    el("div")
        .class("tool")
        .child(
            el("div").class("field").child(el("label").attr("for", id).child(label)).child(pick(
                id.to_owned(),
                None,
                options,
                value,
            )),
        )
        .child(action)
        .node()
}

fn use_data(text: Text, form: Form) -> AnyView {
    let words = &text.words.sandbox;
    let lines = lines();
    let chosen = RwSignal::new("500".to_owned());
    let megabytes = |n: u64| Bytes::new(n.saturating_mul(Bytes::MB.get())).unwrap_or_default();
    let options = USES_MEGABYTES.map(|n| (n.to_string(), text.bytes_exact(megabytes(n))));
    let press = move || {
        let n = chosen.with_untracked(|n| n.parse().unwrap_or(0));
        let Some(line_id) = lines.with(|line| line.id.clone()) else { return };
        let usage = SandboxUsage { line_id, bytes: megabytes(n) };
        let said = (words.used)(&text.bytes_exact(usage.bytes));
        send(form, "/sandbox/usage", &usage, said);
    };
    let busy = Signal::derive(move || form.busy());
    let action = button(Weight::Plain, words.use_now, busy, press);
    tool("sandbox-use", words.use_data, options.into(), chosen, action)
}

fn pass_time(text: Text, form: Form) -> AnyView {
    let words = &text.words.sandbox;
    let chosen = RwSignal::new("86400".to_owned());
    let options = vec![
        ("3600".to_owned(), words.hour.to_owned()),
        ("86400".to_owned(), words.day.to_owned()),
        ("604800".to_owned(), words.week.to_owned()),
        ("2678400".to_owned(), words.month.to_owned()),
    ];
    let press = move || {
        let seconds = chosen.with_untracked(|n| n.parse().unwrap_or(0));
        send(form, "/sandbox/time", &SandboxTime { seconds }, words.passed.to_owned());
    };
    let busy = Signal::derive(move || form.busy());
    let action = button(Weight::Plain, words.pass, busy, press);
    tool("sandbox-time", words.time, options, chosen, action)
}

fn arm(text: Text, form: Form) -> AnyView {
    let words = &text.words.sandbox;
    let chosen = RwSignal::new("0".to_owned());
    let options = NextCharge::ALL.iter().enumerate();
    let options = options.map(|(i, way)| (i.to_string(), (words.ending)(*way).to_owned()));
    let press = move || {
        let index = chosen.with_untracked(|n| n.parse::<usize>().unwrap_or(0));
        if let Some(way) = NextCharge::ALL.get(index) {
            send(
                form,
                "/sandbox/next-charge",
                &ScriptedCharge { outcome: *way },
                words.armed.to_owned(),
            );
        }
    };
    let busy = Signal::derive(move || form.busy());
    let action = button(Weight::Plain, words.arm, busy, press);
    tool("sandbox-next", words.next, options.collect(), chosen, action)
}
