//! The level bar, the signature of Laika: what is left, bucket by bucket; the threshold as a notch;
//! the target as a flag; what a recharge would add, hatched. The same on Home (now), in the editor
//! (what if) and in History (before and after). It lies on a night panel in both themes.

use crate::ui::el::{Node, el};
use crate::ui::live;
use leptos::prelude::*;

/// What the bar shows, in any one unit: bytes or minor units.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Level {
    /// What is left, bucket by bucket, soonest expiry first.
    pub(crate) parts: Vec<u64>,
    /// What the whole length stands for.
    pub(crate) full: u64,
    /// At or below this the rule fires.
    pub(crate) threshold: Option<u64>,
    /// To this the rule fills up.
    pub(crate) target: Option<u64>,
    /// What a recharge adds.
    pub(crate) adds: u64,
}

impl Level {
    /// All that is left.
    fn left(&self) -> u64 {
        self.parts.iter().fold(0, |sum, part| sum.saturating_add(*part))
    }

    /// The whole length: wide enough for everything that is on it.
    fn whole(&self) -> u64 {
        let tip = self.left().saturating_add(self.adds);
        let marks = self.threshold.max(self.target).unwrap_or(0);
        self.full.max(tip).max(marks).max(1)
    }

    /// A length as a CSS percentage, exact to a hundredth.
    fn percent(&self, length: u64) -> String {
        let hundredths = u128::from(length) * 10_000 / u128::from(self.whole());
        format!("{}.{:02}%", hundredths / 100, hundredths % 100)
    }
}

/// The words round the bar; all ready made.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct LevelWords {
    /// The figure: `3.42`.
    pub(crate) figure: String,
    /// What it is: `GB left`.
    pub(crate) unit: String,
    /// What a screen reader says of the bar.
    pub(crate) spoken: String,
    /// The line under the bar: `of 10 GB · until 14 Dec · as of 14:02`.
    pub(crate) note: String,
    /// What the bar measures.
    pub(crate) label: String,
    /// The key to the marks, each only where it is on the bar.
    pub(crate) threshold: String,
    /// The key to the flag.
    pub(crate) target: String,
    /// The key to the hatching.
    pub(crate) adds: String,
}

/// Draws the bar. `slim` is for places where it is not the main thing.
pub(crate) fn meter(
    level: Signal<Level>,
    words: Signal<LevelWords>,
    slim: bool,
    stale: Signal<bool>,
) -> AnyView {
    let size = if slim { "level slim" } else { "level" };
    el("div")
        .live("class", move || if stale.get() { format!("{size} stale") } else { size.to_owned() })
        .child(figure(words))
        .child(bar(level, words))
        .child(el("p").class("level-note").child(live(move || words.get().note)))
        .child(key(level, words))
        .node()
}

fn figure(words: Signal<LevelWords>) -> AnyView {
    el("p")
        .class("level-figure")
        .attr("aria-hidden", "true")
        .child(live(move || words.get().figure))
        .child(el("small").child(live(move || words.get().unit)))
        .node()
}

fn bar(level: Signal<Level>, words: Signal<LevelWords>) -> AnyView {
    let parts = move || {
        let level = level.get();
        let mut start = 0u64;
        let last = level.parts.len().saturating_sub(1);
        let ends = level.adds == 0;
        let each = level.parts.iter().enumerate().map(|(i, part)| {
            let at = level.percent(start);
            start = start.saturating_add(*part);
            let class = if i == last && ends { "level-part end" } else { "level-part" };
            let long = level.percent(*part);
            el("div")
                .class(class)
                .attr("style:inset-inline-start", at)
                .attr("style:inline-size", long)
        });
        each.collect::<Vec<_>>()
    };
    let ghost = move || {
        let level = level.get();
        (level.adds > 0).then(|| {
            let at = level.percent(level.left());
            let long = level.percent(level.adds);
            el("div")
                .class("level-ghost")
                .attr("style:inset-inline-start", at)
                .attr("style:inline-size", long)
        })
    };
    let mark = move |class: &'static str, at: Option<u64>| {
        at.map(|at| {
            let at = level.with(|level| level.percent(at));
            el("div").class(class).attr("style:inset-inline-start", at)
        })
    };
    el("div")
        .class("level-box")
        .attr("role", "meter")
        .attr("aria-valuemin", "0")
        .live("aria-valuemax", move || level.with(|l| l.whole().to_string()))
        .live("aria-valuenow", move || level.with(|l| l.left().to_string()))
        .live("aria-valuetext", move || words.get().spoken)
        .live("aria-label", move || words.get().label)
        .child(el("div").class("level-track").child(live(parts)).child(live(ghost)))
        .child(live(move || mark("level-notch", level.with(|l| l.threshold))))
        .child(live(move || mark("level-flag", level.with(|l| l.target))))
        .node()
}

fn key(level: Signal<Level>, words: Signal<LevelWords>) -> AnyView {
    let entry = |shown: bool, class: &'static str, said: String| {
        (shown && !said.is_empty()).then(|| el("span").child(el("i").class(class)).child(said))
    };
    el("p")
        .class("level-key")
        .child(live(move || {
            let (level, words) = (level.get(), words.get());
            [
                entry(level.threshold.is_some(), "k notch", words.threshold),
                entry(level.target.is_some(), "k flag", words.target),
                entry(level.adds > 0, "k ghost", words.adds),
            ]
        }))
        .node()
}

#[cfg(test)]
mod tests {
    use super::Level;

    #[test]
    fn everything_on_the_bar_fits_it() {
        let level =
            Level { parts: vec![1, 2], full: 4, threshold: Some(2), target: Some(8), adds: 5 };
        assert_eq!(level.percent(3), "37.50%");
        assert_eq!(level.percent(8), "100.00%");
        assert_eq!(Level::default().percent(0), "0.00%", "a dry line divides by nothing");
    }
}
