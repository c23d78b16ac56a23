//! What the typed rule does: its sentence, the level bar after the next recharge, the worst case,
//! the next dates. All of it is core's, computed here while typing; it is announced one second
//! after typing stops, never per key.

use super::typed::{Editor, Outcome};
use crate::lines::Lines;
use crate::page::level::{adds, level, level_words};
use crate::page::standing::mood;
use crate::text::{Text, text};
use crate::ui::live;
use crate::ui::meter::{LevelWords, meter};
use crate::ui::status::status;
use laika_core::bytes::Bytes;
use laika_core::decide::Decision;
use laika_core::forecast::{Preview, Upcoming};
use laika_core::rule::{Amount, Rule};
use leptos::prelude::*;
use std::time::Duration;

const AFTER_TYPING: Duration = Duration::from_secs(1);

/// The rule in one plain sentence.
pub(super) fn sentence(editor: Editor) -> AnyView {
    let text = text();
    let words = &text.words.rule;
    let said = move || match editor.outcome.get().preview() {
        Some(preview) => {
            let said = text.speech(|speech| speech.rule(&preview.rule));
            view! { <p class="sentence">{said}</p> }.into_any()
        }
        None => view! { <p class="sentence muted">{words.no_worst}</p> }.into_any(),
    };
    view! { <section class="card saying">{live(said)}</section> }.into_any()
}

/// Bar, worst case and dates.
pub(super) fn consequences(editor: Editor, lines: Lines) -> AnyView {
    let text = text();
    let words = &text.words.rule;
    let drawn = move || {
        let outcome = editor.outcome.get();
        let Some(preview) = outcome.preview() else {
            return view! { <p class="muted">{words.no_worst}</p> }.into_any();
        };
        let at_once = text.speech(|speech| speech.decision(&preview.at_once));
        view! {
            <div class="stack">
                {status(mood(preview.at_once.reason()), words.at_once, at_once)}
                {worst(text, preview)} {dates(text, preview)}
            </div>
        }
        .into_any()
    };
    view! {
        <section class="stack consequences" aria-label=words.preview>
            {bar(editor, lines)} <div class="card">{live(drawn)}</div> {announcer(editor)}
        </section>
    }
    .into_any()
}

/// The line as it is, with the marks of the typed rule and what its next recharge would add.
fn bar(editor: Editor, lines: Lines) -> AnyView {
    let text = text();
    let seen = move || {
        let line = lines.current()?;
        let outcome = editor.outcome.get();
        let rule = outcome.preview().map(|preview| preview.rule.clone());
        let more = outcome.preview().map_or(Bytes::ZERO, |p| next_adds(p, &line));
        Some((line, rule, more))
    };
    let drawn = Signal::derive(move || {
        seen().map(|(line, rule, more)| level(&line, rule.as_ref(), more)).unwrap_or_default()
    });
    let said = Signal::derive(move || {
        seen().map_or_else(LevelWords::default, |(line, rule, more)| {
            level_words(text, &line, rule.as_ref(), more)
        })
    });
    view! {
        <div class="panel low">{meter(drawn, said, true, Signal::stored(false))}</div>
    }
    .into_any()
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

fn worst(text: Text, preview: &Preview) -> AnyView {
    let words = &text.words.rule;
    let most = text.money(preview.bound.per_month);
    let bound = &preview.bound;
    let each = [
        (words.in_recharge, bound.per_recharge),
        (words.in_day, bound.per_day),
        (words.in_year, bound.per_year),
    ];
    let rows = each.map(|(name, most)| {
        view! {
            <dt>{name}</dt>
            <dd>{text.money(most)}</dd>
        }
    });
    view! {
        <div>
            <h2 class="legend">{words.worst}</h2>
            <p class="amount">
                {most} <small class="muted">" "{words.in_month}</small>
            </p>
            <dl class="facts">{rows}</dl>
        </div>
    }
    .into_any()
}

fn dates(text: Text, preview: &Preview) -> AnyView {
    let words = &text.words.rule;
    let list = if preview.upcoming.is_empty() {
        view! { <p class="muted small">{words.dates_none}</p> }.into_any()
    } else {
        let items = preview.upcoming.iter().map(|next| one_date(text, next)).collect_view();
        view! { <ol class="dates">{items}</ol> }.into_any()
    };
    let note = preview.upcoming.iter().any(|next| next.expected).then_some(words.dates_expected);
    view! {
        <div class="stack tight">
            <h2 class="legend">{words.dates}</h2>
            {list}
            <p class="caption muted">{note}</p>
        </div>
    }
    .into_any()
}

fn one_date(text: Text, next: &Upcoming) -> AnyView {
    let about = if next.expected { "~" } else { "" };
    let day = format!("{about}{}", text.day(next.at));
    view! {
        <li>
            <b>{day}</b>
            " "
            <span class="muted">{text.money(next.amount)}</span>
        </li>
    }
    .into_any()
}

/// Says the outcome once typing has stopped.
fn announcer(editor: Editor) -> AnyView {
    let text = text();
    let words = &text.words.rule;
    let spoken = RwSignal::new(String::new());
    let latest = StoredValue::new(0u32);
    Effect::new(move |first: Option<()>| {
        let outcome = editor.outcome.get();
        if first.is_none() || outcome == Outcome::Waiting {
            return;
        }
        let said = match outcome.preview() {
            Some(preview) => {
                let sentence = text.speech(|speech| speech.rule(&preview.rule));
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
    view! { <p class="unseen" role="status">{move || spoken.get()}</p> }.into_any()
}
