//! How the typed rule would have done on what the line really used, and what that use suggests. All
//! figures are core's; they follow the typing. It judges nothing and saves nothing.

use super::typed::Editor;
use crate::text::{Text, text};
use crate::ui::button::{Weight, button};
use crate::ui::chart::{Chart, TableWords, bars};
use crate::ui::el::{El, Node, el, nodes};
use crate::ui::live;
use crate::ui::status::{Mood, status};
use laika_core::draft::RuleDraft;
use laika_core::forecast::{Replay, advice};
use laika_core::rule::Amount;
use laika_core::time::{Instant, Span};
use leptos::prelude::*;

/// The card.
pub(super) fn replay(editor: Editor) -> AnyView {
    let text = text();
    let words = &text.words.rule;
    // Why apart: what is typed changes the figures, not whether the chart and its table stand here.
    let here = Memo::new(move |_| with(editor, |replay| replay.is_some()));
    let title = move || {
        let days = with(editor, |replay| replay.map_or(90, |it| it.lowest_by_day.len()));
        (words.replay)(&days.to_string())
    };
    let body = move || if here.get() { replayed(text, editor) } else { missing(text, editor) };
    el("section")
        .class("card stack replay")
        .attr("aria-labelledby", "replay-title")
        .child(
            el("div").child(el("h2").attr("id", "replay-title").child(live(title))).child(
                el("p")
                    .class("muted small")
                    .child(live(move || here.get().then_some(words.replay_lead))),
            ),
        )
        .child(live(body))
        .child(suggestion(text, editor))
        .node()
}

/// A look at the replay, if there is one; tracked.
fn with<R>(editor: Editor, look: impl FnOnce(Option<&Replay>) -> R) -> R {
    editor.outcome.with(|outcome| look(outcome.preview().and_then(|it| it.replay.as_ref())))
}

/// Why there is none.
fn missing(text: Text, editor: Editor) -> AnyView {
    let words = &text.words.rule;
    let said = move || {
        editor.outcome.with(|outcome| match outcome.preview().map(|it| it.rule.amount) {
            None => words.replay_incomplete,
            Some(Amount::FixedCredit(_)) => words.replay_credit,
            Some(Amount::FixedData { .. } | Amount::Target { .. }) => words.replay_none,
        })
    };
    el("p").class("muted small").child(live(said)).node()
}

fn replayed(text: Text, editor: Editor) -> AnyView {
    let words = &text.words.rule;
    let table = TableWords { caption: words.replay_caption, columns: &words.replay_columns };
    let chart = move || with(editor, |it| it.map(|it| drawing(text, it)).unwrap_or_default());
    let rows = move || with(editor, |it| it.map(|it| rows(text, it)).unwrap_or_default());
    let key = live(move || with(editor, |it| it.map(|it| key(text, it))));
    nodes![
        live(move || with(editor, |it| it.map(|it| facts(text, it)))),
        bars(chart, key, table, rows)
    ]
}

/// The chart's shapes in words, each only where it is in the chart.
fn key(text: Text, replay: &Replay) -> AnyView {
    let words = &text.words.rule;
    let dry = replay.lowest.is_zero();
    let entry = |there: bool, class: &'static str, said: &'static str| {
        there.then(|| el("span").child(el("i").class(class)).child(said))
    };
    el("p")
        .class("key caption muted")
        .child(el("span").child(words.replay_bars))
        .child(entry(!replay.recharges.is_empty(), "diamond", words.replay_mark))
        .child(entry(dry, "dry", words.replay_dry))
        .node()
}

/// Where something holds, as first place and length, neighbours joined.
fn runs(holds: impl Iterator<Item = bool>) -> Vec<(usize, usize)> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for (index, _) in holds.enumerate().filter(|(_, holds)| *holds) {
        match runs.last_mut() {
            Some((first, count)) if *first + *count == index => *count += 1,
            _ => runs.push((index, 1)),
        }
    }
    runs
}

/// When the `index`th day of the replay began.
fn began(replay: &Replay, index: usize) -> Instant {
    replay.from.plus(Span::days(i64::try_from(index).unwrap_or(0)))
}

/// On which day of the replay something was.
fn day_of(replay: &Replay, at: Instant) -> usize {
    let days = at.since(replay.from).0.div_euclid(Span::days(1).0);
    // Why: what is decided at the end of the last hour belongs to the last day.
    usize::try_from(days).unwrap_or(0).min(replay.lowest_by_day.len().saturating_sub(1))
}

fn drawing(text: Text, replay: &Replay) -> Chart {
    let days = &replay.lowest_by_day;
    let mut diamonds: Vec<usize> = replay.recharges.iter().map(|r| day_of(replay, r.at)).collect();
    diamonds.dedup();
    let tick = |index: usize| text.day(began(replay, index));
    Chart {
        heights: days.iter().map(|left| left.get()).collect(),
        diamonds,
        dry: runs(days.iter().map(|left| left.is_zero())),
        top: text.bytes(days.iter().max().copied().unwrap_or_default()),
        ticks: [tick(0), tick(days.len() / 2), tick(days.len())],
    }
}

fn rows(text: Text, replay: &Replay) -> Vec<Vec<String>> {
    let row = |(index, left): (usize, &laika_core::bytes::Bytes)| {
        let here = replay.recharges.iter().filter(|r| day_of(replay, r.at) == index);
        let taken: Vec<String> = here.map(|r| text.money(r.amount)).collect();
        let taken = if taken.is_empty() { "–".to_owned() } else { taken.join(" + ") };
        vec![text.day(began(replay, index)), text.bytes(*left), taken]
    };
    replay.lowest_by_day.iter().enumerate().map(row).collect()
}

/// What came of it, in figures.
fn facts(text: Text, replay: &Replay) -> AnyView {
    let words = &text.words.rule;
    let dry = match replay.dry_hours {
        0 => text.words.common.none.to_owned(),
        hours => hours.to_string(),
    };
    let fact = |name: &'static str, said: String| {
        el("div").child(el("dt").child(name)).child(el("dd").child(said))
    };
    let note = |said: fn(&str) -> String, hours: u32| {
        (hours > 0).then(|| el("dd").class("note").child(said(&hours.to_string())))
    };
    el("dl")
        .class("figures")
        .child(fact(words.replay_count, replay.recharges.len().to_string()))
        .child(fact(words.replay_total, text.money(replay.total)))
        .child(fact(words.replay_lowest, text.bytes(replay.lowest)))
        .child(fact(words.replay_parked, text.money(replay.parked)))
        .child(
            fact(words.replay_hours, dry)
                .class("wide")
                .child(note(words.replay_capped, replay.dry_hours_capped))
                .child(note(words.replay_without, replay.dry_hours_without)),
        )
        .node()
}

/// Figures that the line's use suggests, where they differ from what is typed, and a way to see
/// what they would do. Trying fills in the editor and saves nothing; it can be taken back.
fn suggestion(text: Text, editor: Editor) -> AnyView {
    let words = &text.words.rule;
    let found = move || {
        let found = editor.inputs.with(|it| advice(&it.past_use, &it.account)).flatten();
        found.filter(|advice| {
            editor.outcome.with(|it| it.preview().is_some_and(|it| advice.differs_from(&it.rule)))
        })
    };
    // What stood there before, and what was filled in.
    let tried = StoredValue::new(None::<(RuleDraft, RuleDraft)>);
    let trying = move || {
        let now = editor.typed.draft();
        tried.with_value(|tried| tried.as_ref().is_some_and(|(_, filled)| *filled == now))
    };
    let press = move || {
        if untrack(trying) {
            let before = tried.try_update_value(Option::take).flatten();
            if let Some((before, _)) = before {
                editor.typed.fill(&before);
            }
        } else if let Some(advice) = untrack(found) {
            let before = untrack(|| editor.typed.draft());
            let filled = advice.fill(&before);
            editor.typed.fill(&filled);
            tried.set_value(Some((before, filled)));
        }
    };
    live(move || -> Option<El> {
        let (said, label) = if trying() {
            (words.advice_tried.to_owned(), text.words.common.undo)
        } else {
            (text.speech(|speech| found().map(|it| speech.advice(&it)))?, words.advice_try)
        };
        // Why one button for both: the keyboard stays where it is.
        let press = button(Weight::Compact, label, Signal::stored(false), press);
        Some(
            el("div")
                .class("advice")
                .child(status(Mood::Plain, words.advice, said))
                .child(el("div").child(press)),
        )
    })
}
