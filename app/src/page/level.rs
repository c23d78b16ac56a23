//! The level bar of a line: from its balance and its rule to what `ui::meter` draws. It converts
//! nothing: a rule on credit leaves the data bar without marks.

use crate::text::Text;
use crate::ui::meter::{Level, LevelWords};
use laika_core::api::LineView;
use laika_core::bytes::Bytes;
use laika_core::decide::Decision;
use laika_core::rule::{Amount, Rule, Threshold};

/// The marks that a rule puts on the bar of data.
pub(crate) fn marks(rule: Option<&Rule>) -> (Option<Bytes>, Option<Bytes>) {
    let threshold = rule.and_then(|rule| match rule.triggers.low_balance {
        Some(Threshold::Data { bytes }) => Some(bytes),
        Some(Threshold::Credit(_)) | None => None,
    });
    let target = rule.and_then(|rule| match rule.amount {
        Amount::Target { bytes } => Some(bytes),
        Amount::FixedData { .. } | Amount::FixedCredit(_) => None,
    });
    (threshold, target)
}

/// What the line has now, with the marks of a rule and what a recharge would add.
pub(crate) fn level(line: &LineView, rule: Option<&Rule>, adds: Bytes) -> Level {
    let (threshold, target) = marks(rule);
    let open = line.balance.unexpired(line.as_of).filter(|b| !b.bytes_left.is_zero());
    Level {
        parts: open.map(|bucket| bucket.bytes_left.get()).collect(),
        full: total(line).get(),
        threshold: threshold.map(Bytes::get),
        target: target.map(Bytes::get),
        adds: adds.get(),
    }
}

/// What the buckets that still have something were granted, in all; the latest one of a dry line.
pub(crate) fn total(line: &LineView) -> Bytes {
    let open = line.balance.unexpired(line.as_of).filter(|b| !b.bytes_left.is_zero());
    let total = open.fold(Bytes::ZERO, |sum, bucket| sum.plus(bucket.bytes_total));
    if total.is_zero() {
        line.balance.buckets.last().map_or(Bytes::ZERO, |bucket| bucket.bytes_total)
    } else {
        total
    }
}

/// The words round the bar.
pub(crate) fn level_words(
    text: Text,
    line: &LineView,
    rule: Option<&Rule>,
    adds: Bytes,
) -> LevelWords {
    let words = &text.words.home;
    let left = line.balance.available(line.as_of);
    let (threshold, target) = marks(rule);
    let (figure, unit) = if left.is_zero() {
        (words.no_data.to_owned(), String::new())
    } else {
        let (figure, unit) = text.figure(left);
        (figure, (words.gb_left)(&unit))
    };
    let as_of = text.when(line.as_of);
    let mut note = vec![(words.of)(&text.bytes_exact(total(line)))];
    note.extend(line.balance.latest_expiry(line.as_of).map(|at| (words.until)(&text.day(at))));
    note.push((words.as_of)(&as_of));
    let spoken =
        if left.is_zero() { words.no_data.to_owned() } else { (words.gb_left)(&text.bytes(left)) };
    let said = |at: Option<Bytes>, words: fn(&str) -> String| {
        at.map(|bytes| words(&text.bytes_exact(bytes))).unwrap_or_default()
    };
    LevelWords {
        figure,
        unit,
        spoken,
        note: note.join(text.words.common.sep),
        label: words.data_left.to_owned(),
        threshold: said(threshold, words.threshold),
        target: said(target, words.target),
        adds: (words.adds)(&text.bytes_exact(adds)),
    }
}

/// What a decision would add to the data.
pub(crate) fn adds(decision: &Decision) -> Bytes {
    match decision {
        Decision::Recharge { order } => order.adds.bytes(),
        Decision::Wait { .. } | Decision::Skip { .. } => Bytes::ZERO,
    }
}
