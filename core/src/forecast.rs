//! What a rule will do, before it is saved: whether it fires at once, the next dates, how it would
//! have done on the last 90 days, what its payment methods make it wait for, and the most it can
//! ever take. Forecast and replay step `decide`; the bound is computed from the rule alone.

mod advice;
mod bound;
mod past;
mod replay;
mod waits;
mod walk;
mod world;

use crate::ENGINE_VERSION;
use crate::balance::Balance;
use crate::decide::{Account, Cause, Decision, History, decide};
use crate::money::Money;
use crate::record::sha256_hex;
use crate::rule::Rule;
use crate::time::Instant;
use serde::{Deserialize, Serialize};

pub use advice::{Advice, advice};
pub use bound::{Bound, bound};
pub use past::{PAST_DAYS, PastUse, RecentUse};
pub use replay::{Replay, Replayed, replay};
pub use waits::{Wait, waits};
pub use walk::upcoming;

/// How many dates a preview shows.
pub const DATES: usize = 12;

/// Everything a preview is computed from, as the server gives it to the browser.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PreviewInputs {
    /// The server's time of these figures.
    pub as_of: Instant,
    /// The line's version at that time: it moves with every change of anything below.
    pub state_version: i64,
    /// The version of the rules that the server runs.
    pub engine_version: String,
    /// The version that a rule saved now gets.
    pub next_version: u32,
    /// The line and its owner.
    pub account: Account,
    /// What happened before.
    pub history: History,
    /// What the line has.
    pub balance: Balance,
    /// What it used lately.
    pub past_use: PastUse,
}

/// What the screen shows before a rule is saved. The save carries its hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preview {
    /// The version of the rules that computed it.
    pub engine_version: String,
    /// From inputs of this time.
    pub as_of: Instant,
    /// From inputs of this version.
    pub state_version: i64,
    /// The rule as it would be once turned on.
    pub rule: Rule,
    /// What happens the moment it is turned on.
    pub at_once: Decision,
    /// The next recharges: those by date are certain, those by use are expected.
    pub upcoming: Vec<Upcoming>,
    /// How it would have done on the last 90 days of this line.
    pub replay: Option<Replay>,
    /// What its payment methods make it wait for.
    pub waits: Vec<Wait>,
    /// The most it can take.
    pub bound: Bound,
}

/// A recharge to come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Upcoming {
    /// When.
    pub at: Instant,
    /// What it takes: at most, when by date; probably, when by use.
    pub amount: Money,
    /// Whether it depends on how much is used.
    pub expected: bool,
}

/// The preview of a rule from these inputs, as if it were turned on at `as_of`.
pub fn preview(rule: &Rule, inputs: &PreviewInputs) -> Preview {
    let now = inputs.as_of;
    let on = Rule { version: inputs.next_version, on: true, armed_at: now, ..rule.clone() };
    let at_once = decide(&on, &inputs.account, &inputs.history, &Cause::RuleChanged, now);
    Preview {
        engine_version: ENGINE_VERSION.to_owned(),
        as_of: now,
        state_version: inputs.state_version,
        at_once,
        upcoming: upcoming(&on, inputs),
        replay: replay(&on, inputs),
        waits: waits(&on, inputs),
        bound: bound(&on, &inputs.account),
        rule: on,
    }
}

/// The hash that a save carries: equal on both sides or the save is refused.
pub fn preview_sha256(preview: &Preview) -> String {
    sha256_hex(preview)
}

#[cfg(test)]
pub(crate) mod tests;
