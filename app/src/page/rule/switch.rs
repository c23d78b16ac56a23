//! The switch of a saved rule: how it stands, off in one tap, pause until a date, resume, skip the
//! next one. Off, pause and skip are sent at once; the answer says what was already under way.

use crate::api::Request;
use crate::form::Form;
use crate::lines::Lines;
use crate::load::Loaded;
use crate::page::standing::standing;
use crate::session::session;
use crate::text::text;
use crate::ui::button::{Weight, button, submit};
use crate::ui::dialog::{Dialog, dialog};
use crate::ui::el::{Node, el, nodes};
use crate::ui::error_summary::error_summary;
use crate::ui::field::{Kind, field};
use crate::ui::live;
use crate::ui::status::{Mood, notice, status};
use crate::ui::toast::toasts;
use laika_core::api::{Pause, RuleView, Stopped};
use laika_core::field::{Field, FieldCode, FieldError};
use laika_core::time::parse_date;
use leptos::prelude::*;

/// What is drawn of a saved rule's switch.
#[derive(Clone, PartialEq)]
struct Shown {
    on: bool,
    paused: bool,
    skippable: bool,
}

/// The card; nothing while no rule is saved.
pub(super) fn switch(rule: Loaded<RuleView>, lines: Lines) -> AnyView {
    let text = text();
    let words = &text.words.rule;
    let form = Form::new("switch");
    let pausing = Dialog::new();
    let late = RwSignal::new(false);
    let shown = Memo::new(move |_| {
        rule.with(|view| {
            view.rule.as_ref().map(|rule| Shown {
                on: rule.on,
                paused: rule.paused_until_on.is_some(),
                skippable: rule.triggers.scheduled.is_some() && rule.skip_at.is_none(),
            })
        })
        .flatten()
    });
    let act =
        move |what: &'static str, said: &'static str| act(form, rule, lines, what, said, late);
    let buttons = move || {
        let shown = shown.get()?;
        let busy = Signal::derive(move || form.busy());
        let one = |label: &'static str, what: &'static str, said: &'static str| {
            button(Weight::Compact, label, busy, move || act(what, said))
        };
        shown.on.then(|| {
            el("div")
                .class("row")
                .child(one(words.turn_off, "off", words.turned_off))
                .child(if shown.paused {
                    one(words.resume, "resume", words.resumed)
                } else {
                    button(Weight::Compact, words.pause, busy, move || pausing.open())
                })
                .child(shown.skippable.then(|| one(words.skip, "skip", words.skipped)))
        })
    };
    let stands = move || {
        rule.with(|view| view.status.as_ref().map(|s| standing(text, s)))
            .flatten()
            .map(|s| status(s.mood, s.word, s.sentence))
    };
    let whole = move || {
        shown.with(Option::is_some).then(|| {
            el("section")
                .class("card stack")
                .attr("aria-label", words.status)
                .child(el("div").attr("aria-live", "polite").child(live(stands)))
                .child(live(buttons))
                .child(
                    el("div")
                        .attr("role", "alert")
                        .child(live(move || {
                            form.failure().map(|f| notice(Mood::Bad, "", text.failure(&f)))
                        }))
                        .child(live(move || {
                            late.get().then(|| notice(Mood::Unknown, "", words.already_sent))
                        })),
                )
        })
    };
    nodes![live(whole), dialog(pausing, "pause-title", move || pause(pausing, rule, lines, late))]
        .node()
}

fn act(
    form: Form,
    rule: Loaded<RuleView>,
    lines: Lines,
    what: &'static str,
    said: &'static str,
    late: RwSignal<bool>,
) {
    let Some(path) = untrack(|| lines.path(&format!("/rule/{what}"))) else { return };
    let request = Request::post(path);
    if what == "off" {
        form.send(request, move |stopped: Stopped| took(rule, stopped, said, late));
    } else {
        form.send(request, move |view: RuleView| {
            rule.put(view);
            toasts().say(said);
            session().changed();
        });
    }
}

/// Takes over what off or pause answered.
fn took(rule: Loaded<RuleView>, stopped: Stopped, said: &'static str, late: RwSignal<bool>) {
    late.set(!stopped.already_submitted.is_empty());
    rule.put(stopped.rule);
    toasts().say(said);
    session().changed();
}

/// Until when to pause.
fn pause(handle: Dialog, rule: Loaded<RuleView>, lines: Lines, late: RwSignal<bool>) -> AnyView {
    let text = text();
    let words = &text.words.rule;
    let form = Form::new("pause");
    let until = RwSignal::new(String::new());
    let send = move || {
        let Some(until_on) = until.with_untracked(|typed| parse_date(typed)) else {
            form.accept(vec![FieldError::new(Field::PausedUntil, FieldCode::NotADate)]);
            return;
        };
        let Some(path) = untrack(|| lines.path("/rule/pause")) else { return };
        let request = Request::post(path).json(&Pause { until_on });
        form.send(request, move |stopped: Stopped| {
            handle.close();
            took(rule, stopped, words.paused, late);
        });
    };
    el("form")
        .class("stack")
        .attr("novalidate", true)
        .on("submit", move |event| {
            event.prevent_default();
            send();
        })
        .child(el("h2").attr("id", "pause-title").child(words.pause))
        .child(error_summary(form))
        .child(field(
            form,
            Field::PausedUntil,
            text.field(Field::PausedUntil),
            words.pause_hint,
            Kind::DATE,
            until,
            None,
        ))
        .child(
            el("div")
                .class("row")
                .child(submit(Weight::Filled, words.pause, Signal::derive(move || form.busy())))
                .child(button(
                    Weight::Plain,
                    text.words.common.cancel,
                    Signal::stored(false),
                    move || handle.close(),
                )),
        )
        .node()
}
