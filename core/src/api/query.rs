//! Questions to the rules as JSON lines: what `laika schedule|validate|decide|preview` read and
//! write. For operators and for tests from outside; the answers are those of the screen.

use crate::decide::{Account, Cause, Decision, History};
use crate::draft::RuleDraft;
use crate::field::FieldError;
use crate::forecast::{Preview, PreviewInputs};
use crate::rule::Rule;
use crate::schedule::Schedule;
use crate::time::Instant;
use serde::{Deserialize, Serialize};

use super::Language;

/// A line of `laika schedule`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduleQuery {
    /// The schedule.
    pub schedule: Schedule,
    /// An IANA zone.
    pub time_zone: String,
    /// The instants are strictly after this.
    pub after: Instant,
}

/// The answer: the next twelve instants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduleAnswer {
    /// Ascending, in UTC.
    pub next: Vec<Instant>,
}

/// A line of `laika validate`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValidateQuery {
    /// What was typed.
    pub draft: RuleDraft,
    /// For whom.
    pub account: Account,
    /// When.
    pub now: Instant,
}

/// The answer: the rule, or every field's error. JSON: `{"rule":…}` or `{"errors":[…]}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValidateAnswer {
    /// It is one.
    Rule(Box<Rule>),
    /// It is none; in form order.
    Errors(Vec<FieldError>),
}

/// A line of `laika decide`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecideQuery {
    /// The rule.
    pub rule: Rule,
    /// The account.
    pub account: Account,
    /// What happened before.
    pub history: History,
    /// Why it is asked.
    pub cause: Cause,
    /// When.
    pub now: Instant,
}

/// The answer: the decision itself.
pub type DecideAnswer = Decision;

/// A line of `laika preview`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PreviewQuery {
    /// What was typed.
    pub draft: RuleDraft,
    /// What the server gives the browser: `GET /lines/{id}/preview-inputs`.
    pub inputs: PreviewInputs,
    /// In which language the sentence is wanted.
    pub language: Language,
}

/// The answer: what the screen would show, and the hash that a save would carry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PreviewAnswer {
    /// The draft is a rule.
    Preview {
        /// The rule in plain sentences.
        sentence: String,
        /// What it will do.
        preview: Box<Preview>,
        /// The SHA-256 of the preview's canonical bytes, lower-case hex.
        preview_sha256: String,
    },
    /// It is none; in form order.
    Errors(Vec<FieldError>),
}

impl ValidateQuery {
    /// What `validate` says.
    pub fn answer(&self) -> ValidateAnswer {
        match crate::draft::validate(&self.draft, &self.account, self.now) {
            Ok(rule) => ValidateAnswer::Rule(Box::new(rule)),
            Err(errors) => ValidateAnswer::Errors(errors),
        }
    }
}

impl DecideQuery {
    /// What `decide` says.
    pub fn answer(&self) -> DecideAnswer {
        crate::decide::decide(&self.rule, &self.account, &self.history, &self.cause, self.now)
    }
}

impl PreviewQuery {
    /// What the screen would show.
    pub fn answer(&self) -> PreviewAnswer {
        let inputs = &self.inputs;
        let rule = match crate::draft::validate(&self.draft, &inputs.account, inputs.as_of) {
            Ok(rule) => rule,
            Err(errors) => return PreviewAnswer::Errors(errors),
        };
        let preview = crate::forecast::preview(&rule, inputs);
        let speech = crate::say::Speech {
            language: self.language,
            zone: &inputs.account.zone,
            now: inputs.as_of,
        };
        PreviewAnswer::Preview {
            sentence: speech.rule(&preview.rule, &inputs.account.payment_methods),
            preview_sha256: crate::forecast::preview_sha256(&preview),
            preview: Box::new(preview),
        }
    }
}
