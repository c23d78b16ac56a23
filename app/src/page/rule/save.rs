//! Saving and turning on. A save carries the hash of the preview on screen. Where the line has
//! moved meanwhile the preview is computed again without touching the typing, and sent again only
//! if it looks the same; otherwise the customer looks first.

use super::typed::{Editor, Outcome};
use crate::api::{self, Answer, Failure, Request};
use crate::form::Form;
use crate::lines::Lines;
use crate::load::Loaded;
use crate::session::session;
use crate::text::{Text, text};
use crate::ui::button::{Weight, button, submit};
use crate::ui::dialog::{Dialog, dialog};
use crate::ui::el::{Node, el, nodes};
use crate::ui::error_summary::error_summary;
use crate::ui::field::{Kind, field};
use crate::ui::live;
use crate::ui::status::{Mood, notice};
use crate::ui::toast::toasts;
use gloo_net::http::Method;
use laika_core::ENGINE_VERSION;
use laika_core::api::{RuleView, SaveRule, StepUp, TurnOn};
use laika_core::field::{Field, FieldCode, FieldError};
use laika_core::forecast::preview_sha256;
use leptos::prelude::*;
use std::sync::Arc;

/// What saving is about; a handle that is copied freely.
#[derive(Clone, Copy)]
pub(super) struct Saving {
    pub(super) editor: Editor,
    pub(super) form: Form,
    pub(super) rule: Loaded<RuleView>,
    pub(super) lines: Lines,
    pub(super) sheet: Dialog,
    /// What to look at before the next press.
    pub(super) said: RwSignal<Option<String>>,
}

impl Saving {
    /// Whether what stands in the editor is what is saved; tracked.
    fn clean(self) -> bool {
        let draft = self.editor.typed.draft();
        self.rule.with(|view| view.rule.is_some() && view.draft == draft).unwrap_or(false)
    }

    /// Saves, then goes on. Nothing is sent while a field is wrong.
    fn save(self, then: fn(Saving)) {
        let outcome = self.editor.outcome.get_untracked();
        self.said.set(None);
        if !self.form.accept(outcome.errors().to_vec()) {
            return;
        }
        self.put(outcome, then, true);
    }

    fn put(self, outcome: Arc<Outcome>, then: fn(Saving), again: bool) {
        let Some(preview) = outcome.preview() else { return };
        let Some(path) = untrack(|| self.lines.path("/rule")) else { return };
        let save = SaveRule {
            draft: untrack(|| self.editor.typed.draft()),
            state_version: preview.state_version,
            as_of: preview.as_of,
            engine_version: ENGINE_VERSION.to_owned(),
            preview_sha256: preview_sha256(preview),
        };
        let request = Request::new(Method::PUT, path).json(&save).once(self.form.key());
        let saved = move |view: RuleView| {
            self.rule.put(view);
            toasts().say(text().words.rule.saved);
            session().changed();
            then(self);
        };
        let refused = move |failure: &Failure| match failure.code() {
            Some("preview_stale") => {
                self.look_again(outcome, then, again);
                true
            }
            Some("preview_mismatch") => {
                // Why the refusal's: what this page read may be of the server before.
                let server = failure.engine_version().unwrap_or("?");
                self.said.set(Some((text().words.rule.mismatch)(ENGINE_VERSION, server)));
                true
            }
            _ => false,
        };
        self.form.send_or(request, saved, refused);
    }

    /// The line has moved: new inputs, the same typing. The same result is sent by itself, once.
    fn look_again(self, before: Arc<Outcome>, then: fn(Saving), again: bool) {
        let Some(path) = untrack(|| self.lines.path("/preview-inputs")) else { return };
        let words = &text().words.rule;
        let take = move |answer: Answer| match answer.and_then(|text| api::read(&text)) {
            Ok(inputs) => {
                self.form.renew();
                self.editor.inputs.put(inputs);
                let after = self.editor.outcome.get_untracked();
                if !after.looks_like(&before) {
                    self.said.set(Some(words.stale_other.to_owned()));
                } else if again {
                    self.put(after, then, false);
                } else {
                    self.said.set(Some(words.stale_same.to_owned()));
                }
            }
            Err(failure) => self.form.refuse(failure),
        };
        api::ask(Request::get(path), Box::new(take));
    }
}

/// The foot: the worst case, save, review. It gives its room back to a keyboard.
pub(super) fn foot(saving: Saving) -> AnyView {
    let text = text();
    let words = &text.words.rule;
    let clean = Memo::new(move |_| saving.clean());
    let on = Memo::new(move |_| {
        saving.rule.with(|v| v.rule.as_ref().is_some_and(|r| r.on)).unwrap_or(false)
    });
    let most = move || {
        saving.editor.outcome.with(|outcome| {
            outcome.preview().map_or_else(
                || words.incomplete.to_owned(),
                |preview| (words.worst_month)(&text.money(preview.bound.per_month)),
            )
        })
    };
    let note = move || match (on.get(), clean.get()) {
        (true, true) => None,
        (true, false) => Some(words.edit_turns_off),
        (false, true) => Some(words.saved),
        (false, false) => Some(words.unsaved),
    };
    let busy = Signal::derive(move || saving.form.busy());
    let buttons = move || {
        let done = clean.get() && on.get();
        (!done).then(|| {
            el("div")
                .class("row")
                .child((!clean.get()).then(|| {
                    button(Weight::Plain, text.words.common.save, busy, move || saving.save(|_| ()))
                }))
                .child(button(Weight::Filled, words.review, busy, move || {
                    if untrack(|| saving.clean()) {
                        saving.sheet.open();
                    } else {
                        saving.save(|saving| saving.sheet.open());
                    }
                }))
        })
    };
    nodes![
        el("div")
            .class("foot")
            .child(
                el("div").attr("role", "alert").child(live(move || saving
                    .said
                    .get()
                    .map(|said| notice(Mood::Unknown, "", said))))
            )
            .child(
                el("div")
                    .child(el("b").child(live(most)))
                    .child(el("p").class("small muted").child(live(note)))
            )
            .child(live(buttons)),
        dialog(saving.sheet, "consent-title", move || consent(saving))
    ]
    .node()
}

/// What is agreed to, and the password unless it was given within the last minutes.
fn consent(saving: Saving) -> AnyView {
    let text = text();
    let words = &text.words.rule;
    let form = Form::new("consent");
    let password = RwSignal::new(String::new());
    let asked = RwSignal::new(!untrack(|| session().stepped_up()));
    let view = untrack(|| saving.rule.get());
    let agreed = view.as_ref().and_then(|view| view.rule.as_ref().zip(view.consent.as_ref()));
    let Some((rule, agreed)) = agreed else {
        return el("p").attr("id", "consent-title").child(words.needs_save).node();
    };
    let paragraphs = agreed
        .text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| el("p").child(line.to_owned()))
        .collect::<Vec<_>>();
    let wanted = TurnOn { rule_version: rule.version, consent_sha256: agreed.sha256.clone() };
    let press = move || agree(saving, form, asked, password, wanted.clone());
    let secret = move || {
        let common = &text.words.common;
        let (label, hint) = (common.password_again, common.password_again_why);
        let ask = || field(form, Field::Password, label, hint, Kind::PASSWORD, password, None);
        asked.get().then(ask)
    };
    let turn_on = submit(Weight::Filled, words.turn_on, Signal::derive(move || form.busy()));
    let close = move || saving.sheet.close();
    let cancel = button(Weight::Plain, text.words.common.cancel, Signal::stored(false), close);
    el("form")
        .class("stack")
        .attr("novalidate", true)
        .on("submit", move |event| {
            event.prevent_default();
            press();
        })
        .child(el("h2").attr("id", "consent-title").child(words.sheet_title))
        .child(el("p").class("muted small").child(words.sheet_lead))
        .child(
            el("div")
                .class("agreed stack tight")
                .attr("role", "group")
                .attr("tabindex", "0")
                .attr("aria-labelledby", "consent-title")
                .child(paragraphs),
        )
        .child(no_method(text, saving))
        .child(error_summary(form))
        .child(live(secret))
        .child(el("div").class("row").child(turn_on).child(cancel))
        .node()
}

/// The password first, where it is asked for; then on.
fn agree(
    saving: Saving,
    form: Form,
    asked: RwSignal<bool>,
    password: RwSignal<String>,
    wanted: TurnOn,
) {
    if !asked.get_untracked() {
        turn_on(saving, form, asked, wanted);
        return;
    }
    let missing = password
        .with_untracked(String::is_empty)
        .then(|| FieldError::new(Field::Password, FieldCode::Required));
    if !form.accept(missing.into_iter().collect()) {
        return;
    }
    let typed = StepUp { password: password.get_untracked() };
    form.tell(Request::post("/sessions/current/step-up").json(&typed), move || {
        // The next try needs no second entry.
        asked.set(false);
        session().ask();
        turn_on(saving, form, asked, wanted);
    });
}

/// A rule that cannot be charged may be turned on, but not unknowingly.
fn no_method(text: Text, saving: Saving) -> AnyView {
    let none = untrack(|| saving.editor.typed.payment_methods.with(Vec::is_empty));
    let said = none.then(|| notice(Mood::Unknown, "", text.words.rule.add_first));
    said.node()
}

fn turn_on(saving: Saving, form: Form, asked: RwSignal<bool>, wanted: TurnOn) {
    let Some(path) = untrack(|| saving.lines.path("/rule/on")) else { return };
    let request = Request::post(path).json(&wanted);
    let done = move |view: RuleView| {
        saving.rule.put(view);
        saving.sheet.close();
        toasts().say(text().words.rule.turned_on);
        session().changed();
    };
    let password_first = move |failure: &Failure| {
        let wanted = failure.code() == Some("step_up_required");
        if wanted {
            asked.set(true);
        }
        wanted
    };
    form.send_or(request, done, password_first);
}
