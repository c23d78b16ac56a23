//! What the typed rule does: its sentence, the level bar after the next recharge, the worst case,
//! the next dates. All of it is core's, computed here while typing; it is announced one second
//! after typing stops, never per key.

use super::fix::use_threshold;
use super::typed::{Editor, Outcome};
use crate::device;
use crate::lines::Lines;
use crate::page::level::{adds, level, level_words};
use crate::page::standing::mood;
use crate::text::{Text, text};
use crate::ui::button::{Weight, button};
use crate::ui::el::{Node, el, nodes};
use crate::ui::live;
use crate::ui::meter::meter;
use crate::ui::status::{Mood, status};
use laika_core::bytes::Bytes;
use laika_core::decide::Decision;
use laika_core::forecast::{Preview, Upcoming, Wait};
use laika_core::rule::{Amount, Rule};
use leptos::prelude::*;
use std::time::Duration;

const AFTER_TYPING: Duration = Duration::from_secs(1);

/// The rule in one plain sentence.
pub(super) fn sentence(editor: Editor) -> AnyView {
    let text = text();
    let words = &text.words.rule;
    let said = move || {
        editor.outcome.with(|outcome| match &**outcome {
            Outcome::Good(preview) => {
                el("p").class("sentence").child(editor.sentence(text, preview)).node()
            }
            // What is missing or wrong first: a field may be wrong because of another one.
            Outcome::Errors(errors) => {
                let first = errors.first().map(|error| text.named_error(error));
                el("p").class("sentence muted").child(first).node()
            }
            Outcome::Waiting => el("p").class("sentence muted").child(words.no_worst).node(),
        })
    };
    el("section").class("card saying").child(live(said)).node()
}

/// Bar, worst case and dates.
pub(super) fn consequences(editor: Editor, lines: Lines) -> AnyView {
    let text = text();
    let words = &text.words.rule;
    let drawn = move || {
        editor.outcome.with(|outcome| {
            let Some(preview) = outcome.preview() else {
                return el("p").class("muted").child(words.no_worst).node();
            };
            let at_once = text.speech(|speech| speech.decision(&preview.at_once));
            el("div")
                .class("stack")
                .child(status(mood(preview.at_once.reason()), words.at_once, at_once))
                .child(waits(text, editor, preview))
                .child(worst(text, preview))
                .child(dates(text, preview))
                .node()
        })
    };
    el("section")
        .class("stack consequences")
        .attr("aria-label", words.preview)
        .child(bar(editor, lines))
        .child(el("div").class("card").child(live(drawn)))
        .child(announcer(editor))
        .node()
}

/// The line as it is, with the marks of the typed rule and what its next recharge would add.
fn bar(editor: Editor, lines: Lines) -> AnyView {
    let text = text();
    let drawn = move || {
        let outcome = editor.outcome.get();
        let rule = outcome.preview().map(|preview| &preview.rule);
        lines.with(|line| {
            let more = outcome.preview().map_or(Bytes::ZERO, |p| next_adds(p, line));
            let said = level_words(text, line, rule, more);
            meter(&level(line, rule, more), &said, true, false)
        })
    };
    el("div").class("panel low").child(live(drawn)).node()
}

/// What the next recharge adds: what is decided now, or, with a target, the gap as it would be at
/// the threshold. Only for the picture; amounts in words are core's.
fn next_adds(preview: &Preview, line: &laika_core::api::LineView) -> Bytes {
    if let Decision::Recharge { .. } = preview.at_once {
        return adds(&preview.at_once);
    }
    match by_amount(&preview.rule) {
        Some((bytes, true)) => bytes.minus(line.balance.available(line.as_of)),
        Some((bytes, false)) => bytes,
        None => Bytes::ZERO,
    }
}

fn by_amount(rule: &Rule) -> Option<(Bytes, bool)> {
    match rule.amount {
        Amount::Target { bytes } => Some((bytes, true)),
        Amount::FixedData { bytes } => Some((bytes, false)),
        Amount::FixedCredit(_) => None,
    }
}

/// What the payment methods make the rule wait for, with the threshold that would last so long.
fn waits(text: Text, editor: Editor, preview: &Preview) -> Option<AnyView> {
    const HERE: &str = "waits";
    let each = |wait: &Wait| {
        let safer = wait.safer_threshold.map(|bytes| {
            let label = (text.words.rule.use_value)(&text.bytes_exact(bytes));
            let press = move || {
                use_threshold(editor.typed, bytes);
                device::focus(HERE);
            };
            el("div").child(button(Weight::Compact, label, Signal::stored(false), press))
        });
        el("div")
            .class("stack tight")
            .child(status(Mood::Unknown, "", text.speech(|speech| speech.wait(wait))))
            .child(safer)
    };
    let all = preview.waits.iter().map(each).collect::<Vec<_>>();
    let list = el("div").class("stack").attr("id", HERE).attr("tabindex", "-1").child(all);
    (!preview.waits.is_empty()).then(|| list.node())
}

fn worst(text: Text, preview: &Preview) -> AnyView {
    let words = &text.words.rule;
    let most = text.money(preview.bound.per_month);
    let bound = &preview.bound;
    let each = [
        (words.in_recharge, bound.per_recharge),
        (words.in_day, bound.per_day),
        (words.in_year, bound.per_year),
    ];
    let rows =
        each.map(|(name, most)| nodes![el("dt").child(name), el("dd").child(text.money(most))]);
    el("div")
        .child(el("h2").class("legend").child(words.worst))
        .child(
            el("p")
                .class("amount")
                .child(most)
                .child(el("small").class("muted").child(" ").child(words.in_month)),
        )
        .child(el("dl").class("facts").child(rows))
        .node()
}

fn dates(text: Text, preview: &Preview) -> AnyView {
    let words = &text.words.rule;
    let all = &preview.upcoming;
    let expected = all.iter().any(|next| next.expected).then_some(words.dates_expected);
    let one = all.first().map(|next| next.amount);
    let one = one.filter(|amount| all.iter().all(|next| next.amount == *amount));
    // One amount for all is said once; several on one day are one entry.
    let mut entries: Vec<(String, u32)> = Vec::new();
    for next in all {
        let said = one_date(text, next, one.is_none());
        match entries.last_mut() {
            Some((last, count)) if *last == said => *count += 1,
            _ => entries.push((said, 1)),
        }
    }
    let items = entries.into_iter().map(|(said, count)| {
        el("li").child(if count > 1 { format!("{said} ×{count}") } else { said })
    });
    let list = if all.is_empty() {
        el("p").class("muted small").child(words.dates_none)
    } else {
        el("ol").class("dates").child(items.collect::<Vec<_>>())
    };
    el("div")
        .class("stack tight")
        .child(el("h2").class("legend").child(words.dates))
        .child(one.map(|amount| el("p").class("small").child((words.each)(&text.money(amount)))))
        .child(list)
        .child(el("p").class("caption muted").child(expected))
        .node()
}

fn one_date(text: Text, next: &Upcoming, with_amount: bool) -> String {
    let about = if next.expected { "~" } else { "" };
    let day = format!("{about}{}", text.day(next.at));
    if with_amount { format!("{day} {}", text.money(next.amount)) } else { day }
}

/// Says the outcome once typing has stopped.
fn announcer(editor: Editor) -> AnyView {
    let text = text();
    let words = &text.words.rule;
    let spoken = RwSignal::new(String::new());
    let latest = StoredValue::new(0u32);
    Effect::new(move |first: Option<()>| {
        let outcome = editor.outcome.get();
        if first.is_none() || matches!(*outcome, Outcome::Waiting) {
            return;
        }
        let said = match outcome.preview() {
            Some(preview) => {
                let sentence = editor.sentence(text, preview);
                let most = (words.worst_month)(&text.money(preview.bound.per_month));
                format!("{sentence} {most}")
            }
            None => words.incomplete.to_owned(),
        };
        let mine = latest.get_value().wrapping_add(1);
        latest.set_value(mine);
        let say = move || {
            if latest.try_get_value() == Some(mine) {
                spoken.set(said.clone());
            }
        };
        set_timeout(say, AFTER_TYPING);
    });
    el("p").class("unseen").attr("role", "status").child(live(move || spoken.get())).node()
}
