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
use crate::ui::error_summary::error_summary;
use crate::ui::field::{Kind, field};
use crate::ui::live;
use crate::ui::status::{Mood, notice, status};
use crate::ui::toast::toasts;
use laika_core::api::{Pause, RuleView, Stopped};
use laika_core::field::{Field, FieldCode, FieldError};
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
            view! {
                <div class="row">
                    {one(words.turn_off, "off", words.turned_off)}
                    {if shown.paused {
                        one(words.resume, "resume", words.resumed)
                    } else {
                        button(Weight::Compact, words.pause, busy, move || pausing.open())
                    }}
                    {shown.skippable.then(|| one(words.skip, "skip", words.skipped))}
                </div>
            }
        })
    };
    let stands = move || {
        rule.with(|view| view.status.as_ref().map(|s| standing(text, s)))
            .flatten()
            .map(|s| status(s.mood, s.word, s.sentence))
    };
    let whole = move || {
        shown.with(Option::is_some).then(|| {
            view! {
                <section class="card stack" aria-label=words.status>
                    <div aria-live="polite">{live(stands)}</div>
                    {live(buttons)}
                    <div role="alert">
                        {live(move || form.failure().map(|f| {
                            notice(Mood::Bad, "", text.failure(&f))
                        }))}
                        {live(move || late.get().then(|| {
                            notice(Mood::Unknown, "", words.already_sent)
                        }))}
                    </div>
                </section>
            }
        })
    };
    view! {
        {live(whole)}
        {dialog(pausing, "pause-title", move || pause(pausing, rule, lines, late))}
    }
    .into_any()
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
        let Ok(until_on) = until.with_untracked(|typed| typed.parse()) else {
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
    view! {
        <form
            class="stack"
            novalidate=true
            on:submit=move |event| {
                event.prevent_default();
                send();
            }
        >
            <h2 id="pause-title">{words.pause}</h2>
            {error_summary(form)}
            {field(
                form,
                Field::PausedUntil,
                text.field(Field::PausedUntil),
                words.pause_hint,
                Kind::DATE,
                until,
                None,
            )}
            <div class="row">
                {submit(Weight::Filled, words.pause, Signal::derive(move || form.busy()))}
                {button(Weight::Plain, text.words.common.cancel, Signal::stored(false), move || {
                    handle.close()
                })}
            </div>
        </form>
    }
    .into_any()
}
