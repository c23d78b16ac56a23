//! Why, and why not: what was looked at for a decision, one line each in its order, decided again
//! in this browser. Every line is core's; this file draws a shape before it.

use crate::text::Text;
use crate::ui::el::{El, Node, el, nodes};
use crate::ui::fold::fold;
use crate::ui::icon::{self, icon};
use crate::ui::status::{Mood, status};
use laika_core::decide::{Check, Finding};
use laika_core::record::DecisionRecord;
use leptos::prelude::*;

/// Fewer lines than this at the beginning are shown like all others.
const LONG: usize = 3;

/// Whether the code in this browser comes to the same decision; then the list, with what holds
/// whatever is due folded away where all of it was fine.
pub(crate) fn findings(text: Text, record: &DecisionRecord) -> AnyView {
    let words = &text.words.history;
    let all = record.explain();
    let first = all.iter().take_while(|finding| finding.passed && standing(&finding.check)).count();
    let first = if first < LONG { 0 } else { first };
    let lines: Vec<El> = all.iter().enumerate().map(|(i, _)| line(text, record, &all, i)).collect();
    let mut lines = lines.into_iter();
    let early: Vec<El> = lines.by_ref().take(first).collect();
    let folded = (!early.is_empty()).then(|| {
        el("li").child(
            el("details")
                .child(el("summary").child((words.found_first)(&first.to_string())))
                .child(el("ol").class("findings").child(early)),
        )
    });
    let (mood, said) = recomputed(text, record);
    nodes![
        status(mood, said, ""),
        el("ol").class("findings").child(folded).child(lines.collect::<Vec<_>>())
    ]
}

/// The same under a line of text, for something of which there are many on a page.
pub(crate) fn folded(text: Text, inside: impl Fn() -> Option<AnyView> + Send + 'static) -> AnyView {
    fold("", text.words.history.found, move || {
        el("div").class("stack tight").child(inside()).node()
    })
}

/// Whether it is looked at before anything is due.
fn standing(check: &Check) -> bool {
    match check {
        Check::OneAtATime
        | Check::NotStopped
        | Check::On
        | Check::InTime { .. }
        | Check::NotWaiting
        | Check::Terms { .. }
        | Check::Methods { .. } => true,
        Check::LowBalance { .. }
        | Check::Scheduled { .. }
        | Check::Expiring { .. }
        | Check::Size { .. }
        | Check::MonthCap { .. }
        | Check::DayCount { .. }
        | Check::CoolDown { .. }
        | Check::RailOpen => false,
    }
}

/// One line: a tick; a cross where it held the recharge back; a dash where it only said no, such as
/// one trigger of two.
fn line(text: Text, record: &DecisionRecord, all: &[Finding], index: usize) -> El {
    let words = &text.words.history;
    let rest = all.get(index..).unwrap_or_default();
    let held = rest.iter().all(|finding| !finding.passed);
    let (class, shape, spoken) = match rest.first().is_some_and(|finding| finding.passed) {
        true => ("good", icon::TICK, words.found_yes),
        false if held => ("bad", icon::CROSS, words.found_stop),
        false => ("muted", icon::DASH, words.found_no),
    };
    let said = rest.first().map(|finding| {
        text.speech(|speech| speech.finding(finding, &record.account.payment_methods))
    });
    el("li")
        .child(el("span").class(class).child(icon(shape)))
        .child(el("span").child(el("span").class("unseen").child(spoken)).child(said))
}

/// Whether the code in this browser comes to the same decision.
fn recomputed(text: Text, record: &DecisionRecord) -> (Mood, String) {
    let words = &text.words.history;
    match record.rerun() {
        Some(decision) if decision == record.decision => (Mood::Good, words.same.to_owned()),
        Some(_) => (Mood::Bad, words.other.to_owned()),
        None => (Mood::Plain, (words.other_version)(&record.engine_version)),
    }
}
