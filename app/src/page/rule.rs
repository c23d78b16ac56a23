//! Auto-recharge: the switch of the saved rule, the editor, what it does, and the foot. What is
//! typed lives in `typed`, which asks core; `save` carries it to the server. It decides nothing.

mod cards;
mod fix;
mod outcome;
mod replay;
mod save;
mod switch;
mod typed;

use crate::api::ROOT;
use crate::form::Form;
use crate::lines::{Lines, lines};
use crate::load::{Loaded, load};
use crate::session::session;
use crate::text::{Text, text};
use crate::ui::dialog::Dialog;
use crate::ui::el::{Node, el, nodes, nothing};
use crate::ui::error_summary::error_summary;
use crate::ui::live;
use crate::ui::page::{bones, failed, head};
use laika_core::api::{PaymentMethodView, RuleChangeKind, RuleView};
use laika_core::forecast::PreviewInputs;
use leptos::prelude::*;
use save::Saving;
use typed::Editor;

/// The page.
pub(crate) fn page() -> AnyView {
    let text = text();
    let words = &text.words.rule;
    let lines = lines();
    let rule = load::<RuleView>(move || lines.path("/rule"));
    let inputs = load::<PreviewInputs>(move || lines.path("/preview-inputs"));
    // The editor opens once, on the first answer; later news must not touch the typing.
    let there = Memo::new(move |_| rule.with(|_| ()).is_some() && inputs.with(|_| ()).is_some());
    let whole = move || {
        if there.get() {
            return edit(rule, inputs, lines);
        }
        match rule.failure().or(inputs.failure()).or(lines.all().failure()) {
            Some(failure) => failed(&failure, move || session().changed()),
            None => bones(&["6rem", "18rem", "12rem"]),
        }
    };
    nodes![head(words.title, words.lead), live(whole)].node()
}

fn edit(rule: Loaded<RuleView>, inputs: Loaded<PreviewInputs>, lines: Lines) -> AnyView {
    let form = Form::new("rule");
    let methods = load::<Vec<PaymentMethodView>>(|| Some("/payment-methods".to_owned()));
    let Some(view) = untrack(|| rule.get()) else { return nothing() };
    let editor = Editor::open(&view.draft, inputs);
    follow_errors(editor, form);
    let sheet = Dialog::new();
    let saving = Saving { editor, form, rule, lines, sheet, said: RwSignal::new(None) };
    el("div")
        .class("two editor")
        .child(
            el("div")
                .class("side")
                .child(outcome::sentence(editor))
                .child(outcome::consequences(editor, lines)),
        )
        .child(
            el("div")
                .class("left")
                .child(
                    el("div")
                        .class("stack main")
                        .child(switch::switch(rule, lines))
                        .child(error_summary(form))
                        .child(cards::cards(editor, form, methods, view.rule.is_none())),
                )
                .child(replay::replay(editor))
                .child(save::foot(saving))
                .child(el("div").class("end").child(changes(rule, lines))),
        )
        .node()
}

/// Errors of fields that were left once follow the typing: shown, changed and taken away.
fn follow_errors(editor: Editor, form: Form) {
    Effect::new(move |_| {
        let left = editor.left.get();
        let shown = form.shown();
        editor.outcome.with(|outcome| {
            let seen = outcome
                .errors()
                .iter()
                .filter(|e| left.contains(&e.field) || shown.contains(&e.field));
            form.follow(seen.copied().collect());
        });
    });
}

/// Earlier versions, the newest first; each turn-on with its signed receipt.
fn changes(rule: Loaded<RuleView>, lines: Lines) -> AnyView {
    let text = text();
    let words = &text.words.rule;
    live(move || {
        let view = rule.get().filter(|view| !view.changes.is_empty());
        view.map(|view| {
            let items = view
                .changes
                .iter()
                .map(|change| {
                    let (when, what) = (text.when(change.at), done(text, change.what));
                    let item = el("li").child(el("time").child(when)).child(what);
                    let on = change.what == RuleChangeKind::TurnedOn;
                    let path = format!("/rule/receipts/{}", change.version);
                    let path = on.then(|| lines.path(&path)).flatten();
                    item.child(path.map(|path| {
                        let file = format!("laika-receipt-{}.json", change.version);
                        let link = el("a").attr("href", format!("{ROOT}{path}"));
                        nodes![" ", link.attr("download", file).child(words.receipt)]
                    }))
                })
                .collect::<Vec<_>>();
            el("details")
                .class("card")
                .child(el("summary").child(words.log))
                .child(el("ol").class("timeline").child(items))
        })
    })
}

fn done(text: Text, what: RuleChangeKind) -> &'static str {
    let words = &text.words.rule;
    match what {
        RuleChangeKind::Saved => words.log_saved,
        RuleChangeKind::TurnedOn => words.log_on,
        RuleChangeKind::TurnedOff => words.log_off,
        RuleChangeKind::Paused => words.log_paused,
        RuleChangeKind::Resumed => words.log_resumed,
        RuleChangeKind::Skipped => words.log_skipped,
    }
}
