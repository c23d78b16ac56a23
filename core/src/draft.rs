//! A rule as it is typed, and the one way from there to a [`Rule`]: [`validate`]. The page runs it
//! beside the fields while one types, the server runs it again at save; all errors at once, in form
//! order.

mod check;

use crate::bytes::{Bytes, DataUnit};
use crate::decide::Account;
use crate::field::FieldError;
use crate::id::PaymentMethodId;
use crate::rule::{COOL_DOWN_MINUTES, Rule};
use crate::say;
use crate::schedule::Weekday;
use crate::time::Instant;
use serde::{Deserialize, Serialize};

/// What stands in the rule editor: text as typed, choices as chosen. The form's state is this.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleDraft {
    /// Recharge when little is left.
    pub low_balance: bool,
    /// How little. May stay empty with a target: one step below it.
    pub threshold: String,
    /// What the threshold is typed in.
    pub threshold_unit: TypedUnit,
    /// Recharge on dates.
    pub scheduled: bool,
    /// Every so many…
    pub every: String,
    /// …days, weeks or months.
    pub unit: TypedPeriod,
    /// The days of the week, when weeks are counted.
    pub weekdays: Vec<Weekday>,
    /// The day of the month, when months are counted.
    pub day: String,
    /// The local time.
    pub at: String,
    /// The local date from which it counts, `YYYY-MM-DD`.
    pub start: String,
    /// Recharge before the data expires.
    pub expiring: bool,
    /// So many days before.
    pub expiring_days: String,
    /// What an amount is.
    pub amount_kind: AmountKind,
    /// How much: data in `amount_unit`, or money.
    pub amount: String,
    /// What an amount of data is typed in.
    pub amount_unit: DataUnit,
    /// The most money in a calendar month.
    pub cap_per_month: String,
    /// The most money in one recharge; no such limit when empty.
    pub max_per_recharge: String,
    /// The most recharges in a day; no such limit when empty.
    pub max_per_day: String,
    /// Minutes between two recharges; the default when empty.
    pub cool_down: String,
    /// The first date, `YYYY-MM-DD`; none when empty.
    pub starts_on: String,
    /// The last date, `YYYY-MM-DD`; none when empty.
    pub ends_on: String,
    /// In order of preference.
    pub payment_methods: Vec<PaymentMethodId>,
    /// Tell when little is left, whatever the rule does.
    pub alert: bool,
    /// How little.
    pub alert_threshold: String,
    /// What the alert's threshold is typed in.
    pub alert_unit: TypedUnit,
}

/// The unit of a typed threshold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TypedUnit {
    /// Gigabytes.
    #[default]
    Gb,
    /// Megabytes.
    Mb,
    /// Money of the line's currency.
    Money,
}

/// The unit in which a typed schedule counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TypedPeriod {
    /// Days.
    Day,
    /// Weeks.
    Week,
    /// Months.
    #[default]
    Month,
}

/// What the amount of a recharge is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AmountKind {
    /// Enough to have so much again.
    #[default]
    Target,
    /// So much data each time.
    FixedData,
    /// So much money each time, to credit.
    FixedCredit,
}

impl RuleDraft {
    /// What the editor opens with on a line that has no rule: keep 5 steps, fire at one, a cap of
    /// two full recharges, an alert at two steps.
    pub fn suggested(account: &Account, now: Instant) -> RuleDraft {
        let today = account.zone.date(now);
        let step = account.terms.step;
        let steps =
            |n: u64| step.and_then(|s| s.bytes.checked_mul(n)).map(typed_gb).unwrap_or_default();
        let cap = step.and_then(|s| s.price.checked_mul(10)).map(say::amount);
        let usable = account.payment_methods.iter().filter(|m| m.rail.facts().off_session);
        RuleDraft {
            low_balance: true,
            threshold: steps(1),
            amount: steps(5),
            every: "1".to_owned(),
            day: chrono::Datelike::day(&today).to_string(),
            weekdays: vec![Weekday::Monday],
            at: "09:00".to_owned(),
            start: today.to_string(),
            expiring_days: "3".to_owned(),
            cap_per_month: cap.unwrap_or_default(),
            cool_down: COOL_DOWN_MINUTES.to_string(),
            payment_methods: usable.map(|m| m.id.clone()).collect(),
            alert: true,
            alert_threshold: steps(2),
            ..RuleDraft::default()
        }
    }
}

/// The text that reads back as this amount of data in gigabytes.
pub fn typed_gb(bytes: Bytes) -> String {
    let text = say::decimal(bytes.to_i64(), 9);
    // Why: `1.125` is more than a thousand to some, so the field refuses it; `1.1250` is not.
    let ambiguous = text.rsplit_once('.').is_some_and(|(_, fraction)| fraction.len() == 3);
    if ambiguous { text + "0" } else { text }
}

/// Turns a draft into a rule, version 0 and off, or says everything that is wrong with it.
///
/// *Errors*: every field's first error, in form order. The step and its price are the present ones:
/// saving and turning on is the consent to it.
pub fn validate(
    draft: &RuleDraft,
    account: &Account,
    now: Instant,
) -> Result<Rule, Vec<FieldError>> {
    check::rule(draft, account, now)
}

#[cfg(test)]
mod tests;
