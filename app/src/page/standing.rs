//! How a rule stands, in a word, a shape and core's sentence: the same on Home, in the guide and on
//! the rule page. What would hold a charge back is shown before one is due.

use crate::text::Text;
use crate::ui::status::Mood;
use laika_core::api::RuleStatus;
use laika_core::decide::{Reason, telling};

/// A state in words.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Standing {
    /// How it feels.
    pub(crate) mood: Mood,
    /// On, off or paused.
    pub(crate) word: &'static str,
    /// What core says of it.
    pub(crate) sentence: String,
}

/// The standing of a rule.
pub(crate) fn standing(text: Text, status: &RuleStatus) -> Standing {
    let decision = telling(&status.now, &status.as_if_due);
    let words = &text.words.rule;
    let word = match decision.reason() {
        Some(Reason::Paused { .. }) => words.is_paused,
        _ if status.on => words.is_on,
        _ => words.is_off,
    };
    let sentence = text.speech(|speech| speech.decision(decision));
    Standing { mood: mood(decision.reason()), word, sentence }
}

/// How a reason not to charge feels.
pub(crate) fn mood(reason: Option<&Reason>) -> Mood {
    match reason {
        None | Some(Reason::NotDue | Reason::TargetMet) => Mood::Good,
        Some(Reason::RuleOff | Reason::Paused { .. } | Reason::Ended { .. }) => Mood::Off,
        Some(
            Reason::StoppedByOperator
            | Reason::LineClosed
            | Reason::Suspended { .. }
            | Reason::TermsChanged
            | Reason::NoUsableMethod,
        ) => Mood::Bad,
        Some(
            Reason::RechargeOpen { unknown: false, .. }
            | Reason::NotStarted { .. }
            | Reason::SkippedOnce { .. }
            | Reason::NoticeRunning { .. },
        ) => Mood::Plain,
        Some(
            Reason::RechargeOpen { unknown: true, .. }
            | Reason::MonthlyCapReached { .. }
            | Reason::DailyCountReached { .. }
            | Reason::CoolingDown { .. }
            | Reason::RailClosed { .. },
        ) => Mood::Unknown,
    }
}
