//! What state something is in: a shape, a word and a sentence. The colour only repeats them.

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
    view! {
        <div class=format!("status {class}")>
            {icon(shape)}
            <div>
                {(!word.is_empty()).then(|| view! { <b>{word}</b> })}
                {(!sentence.is_empty()).then(|| view! { <span>{sentence}</span> })}
            </div>
        </div>
    }
    .into_any()
}

/// The same in a frame of its own, for something that concerns the whole page.
pub(crate) fn notice(mood: Mood, word: impl Into<String>, sentence: impl Into<String>) -> AnyView {
    let class = format!("notice {}", mood.draw().0);
    view! { <div class=class>{status(mood, word, sentence)}</div> }.into_any()
}

/// The word alone, small.
pub(crate) fn chip(mood: Mood, word: impl Into<String>) -> AnyView {
    let word: String = word.into();
    view! { <span class=format!("chip {}", mood.draw().0)>{word}</span> }.into_any()
}
