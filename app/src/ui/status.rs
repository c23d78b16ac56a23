//! What state something is in: a shape, a word and a sentence. The colour only repeats them.

use crate::ui::el::{Node, el};
use crate::ui::icon::{self, Icon, icon};
use leptos::prelude::*;

/// How a state feels.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Mood {
    /// It worked, or it is on.
    Good,
    /// To know; nothing is wrong.
    Plain,
    /// Not known yet: amber, a clock, never red.
    Unknown,
    /// Refused.
    Bad,
    /// Off.
    Off,
}

impl Mood {
    fn draw(self) -> (&'static str, Icon) {
        match self {
            Mood::Good => ("good", icon::GOOD),
            Mood::Plain => ("muted", icon::INFO),
            Mood::Unknown => ("warn", icon::CLOCK),
            Mood::Bad => ("bad", icon::BAD),
            Mood::Off => ("muted", icon::OFF),
        }
    }
}

/// The word with its sentence.
pub(crate) fn status(mood: Mood, word: impl Into<String>, sentence: impl Into<String>) -> AnyView {
    let (class, shape) = mood.draw();
    let (word, sentence): (String, String) = (word.into(), sentence.into());
    el("div")
        .class(format!("status {class}"))
        .child(icon(shape))
        .child(
            el("div")
                .child((!word.is_empty()).then(|| el("b").child(word)))
                .child((!sentence.is_empty()).then(|| el("span").child(sentence))),
        )
        .node()
}

/// The same in a frame of its own, for something that concerns the whole page.
pub(crate) fn notice(mood: Mood, word: impl Into<String>, sentence: impl Into<String>) -> AnyView {
    let class = format!("notice {}", mood.draw().0);
    el("div").class(class).child(status(mood, word, sentence)).node()
}

/// The word alone, small.
pub(crate) fn chip(mood: Mood, word: impl Into<String>) -> AnyView {
    let word: String = word.into();
    el("span").class(format!("chip {}", mood.draw().0)).child(word).node()
}
