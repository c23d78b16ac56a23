//! The level bar, the signature of Laika: what is left, bucket by bucket; the threshold as a notch;
//! the target as a flag; what a recharge would add, hatched. The same on Home (now), in the editor
//! (what if) and in History (before and after). It lies on a night panel in both themes.

use crate::ui::el::{Node, el};
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
        let (whole, all) = (self.whole(), 10_000);
        // Why two ways: exact, unless it is so long that nobody sees the difference.
        let exact = length.checked_mul(all).map(|scaled| scaled / whole);
        let hundredths = exact.unwrap_or_else(|| length / (whole / all));
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

/// Draws the bar. `slim` is for places where it is not the main thing, `stale` for figures that
/// could not be refreshed. Drawn again with other figures, it moves there.
pub(crate) fn meter(level: &Level, words: &LevelWords, slim: bool, stale: bool) -> AnyView {
    let size = if slim { "slim" } else { "" };
    let stale = if stale { "stale" } else { "" };
    el("div")
        .class(format!("level {size} {stale}"))
        .child(
            el("p")
                .class("level-figure")
                .attr("aria-hidden", "true")
                .child(words.figure.clone())
                .child(el("small").child(words.unit.clone())),
        )
        .child(bar(level, words))
        .child(el("p").class("level-note").child(words.note.clone()))
        .child(key(level, words))
        .node()
}

fn bar(level: &Level, words: &LevelWords) -> AnyView {
    let mut start = 0u64;
    let last = level.parts.len().saturating_sub(1);
    let length = |class: &'static str, start: u64, length: u64| {
        el("div")
            .class(class)
            .attr("style:inset-inline-start", level.percent(start))
            .attr("style:inline-size", level.percent(length))
    };
    let part = |(i, part): (usize, &u64)| {
        let from = start;
        start = start.saturating_add(*part);
        let end = i == last && level.adds == 0;
        length(if end { "level-part end" } else { "level-part" }, from, *part)
    };
    let parts = level.parts.iter().enumerate().map(part).collect::<Vec<_>>();
    let ghost = (level.adds > 0).then(|| length("level-ghost", level.left(), level.adds));
    let mark = |class: &'static str, at: Option<u64>| {
        at.map(|at| el("div").class(class).attr("style:inset-inline-start", level.percent(at)))
    };
    el("div")
        .class("level-box")
        .attr("role", "meter")
        .attr("aria-valuemin", "0")
        .attr("aria-valuemax", level.whole().to_string())
        .attr("aria-valuenow", level.left().to_string())
        .attr("aria-valuetext", words.spoken.clone())
        .attr("aria-label", words.label.clone())
        .child(el("div").class("level-track").child(parts).child(ghost))
        .child(mark("level-notch", level.threshold))
        .child(mark("level-flag", level.target))
        .node()
}

fn key(level: &Level, words: &LevelWords) -> AnyView {
    let entry = |shown: bool, class: &'static str, said: &str| {
        let said = said.to_owned();
        (shown && !said.is_empty()).then(|| el("span").child(el("i").class(class)).child(said))
    };
    el("p")
        .class("level-key")
        .child(entry(level.threshold.is_some(), "k notch", &words.threshold))
        .child(entry(level.target.is_some(), "k flag", &words.target))
        .child(entry(level.adds > 0, "k ghost", &words.adds))
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
        let huge = Level { full: u64::MAX, ..Level::default() };
        assert_eq!(huge.percent(u64::MAX / 2), "50.00%");
    }
}
