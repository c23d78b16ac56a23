//! A line's auto-recharge rule: what the customer agreed to, as valid values. It is made from a
//! draft by `draft::validate` and nowhere else; every change of it is a new version.

use crate::bytes::Bytes;
use crate::catalogue::Step;
use crate::id::PaymentMethodId;
use crate::money::{Currency, Money};
use crate::schedule::Schedule;
use crate::tagged::read_tagged;
use crate::time::{Instant, Span};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// A rule with its switch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Counts up with every change, the switch included. A charge cites the version it rests on.
    pub version: u32,
    /// Off until the customer turns it on.
    pub on: bool,
    /// The latest turn-on, resume or edit of the schedule: only scheduled instants after it count.
    pub armed_at: Instant,
    /// Nothing is charged before this local date begins.
    #[serde(default, deserialize_with = "crate::text::maybe_date")]
    pub paused_until_on: Option<NaiveDate>,
    /// The one scheduled instant that the customer skips.
    pub skip_at: Option<Instant>,
    /// What makes it recharge.
    pub triggers: Triggers,
    /// How much it recharges.
    pub amount: Amount,
    /// What it never exceeds.
    pub limits: Limits,
    /// When to tell the customer that little is left, whether the rule is on or off.
    pub alert: Option<Threshold>,
    /// In order of preference.
    pub payment_methods: Vec<PaymentMethodId>,
    /// The step of data, with its price, that the customer consented to; absent when only credit is
    /// bought.
    pub step: Option<Step>,
}

/// What makes a rule recharge: any set of these, at least one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Triggers {
    /// When this little is left, or less.
    pub low_balance: Option<Threshold>,
    /// On these dates.
    pub scheduled: Option<Schedule>,
    /// So many times 24 h before the line's data expires.
    pub expiring_days: Option<u32>,
}

/// An amount of data or of credit at which something happens. Inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Threshold {
    /// So much data.
    Data {
        /// The threshold.
        bytes: Bytes,
    },
    /// So much credit.
    Credit(Money),
}

read_tagged! {
    Threshold by kind, ThresholdFields { bytes: Bytes, amount_minor: i64, currency: Currency }
    "data" => Data { bytes },
    "credit" => Credit(Money { amount_minor, currency }),
}

/// How much one recharge is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Amount {
    /// This much money, to credit.
    FixedCredit(Money),
    /// This much data: whole steps.
    FixedData {
        /// What each recharge adds.
        bytes: Bytes,
    },
    /// Enough whole steps to have this much again.
    Target {
        /// The reserve to keep.
        bytes: Bytes,
    },
}

read_tagged! {
    Amount by kind, AmountFields { bytes: Bytes, amount_minor: i64, currency: Currency }
    "fixed_credit" => FixedCredit(Money { amount_minor, currency }),
    "fixed_data" => FixedData { bytes },
    "target" => Target { bytes },
}

/// What the rule never exceeds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// The most money in one recharge: the most whole steps within it are bought.
    pub max_per_recharge: Option<Money>,
    /// The most recharges in one local day.
    pub max_per_day: Option<u32>,
    /// The most money in one local calendar month. Always there with a low-balance trigger.
    pub cap_per_month: Option<Money>,
    /// Minutes that must pass between the openings of two recharges.
    pub cool_down_minutes: u32,
    /// The first local date on which it charges.
    #[serde(default, deserialize_with = "crate::text::maybe_date")]
    pub starts_on: Option<NaiveDate>,
    /// The last local date on which it charges.
    #[serde(default, deserialize_with = "crate::text::maybe_date")]
    pub ends_on: Option<NaiveDate>,
}

/// The default pause between two recharges, in minutes.
pub const COOL_DOWN_MINUTES: u32 = 30;

impl Limits {
    /// The pause between two recharges.
    pub fn cool_down(&self) -> Span {
        Span::minutes(i64::from(self.cool_down_minutes))
    }
}

/// What one recharge adds to the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Adds {
    /// A bucket of data.
    Data {
        /// How much.
        bytes: Bytes,
        /// How many steps that is.
        steps: u32,
        /// For how many times 24 h it is valid.
        validity_days: u32,
    },
    /// Credit.
    Credit(Money),
}

read_tagged! {
    Adds by kind, AddsFields {
        bytes: Bytes,
        steps: u32,
        validity_days: u32,
        amount_minor: i64,
        currency: Currency,
    }
    "data" => Data { bytes, steps, validity_days },
    "credit" => Credit(Money { amount_minor, currency }),
}

impl Adds {
    /// The data in it.
    pub fn bytes(&self) -> Bytes {
        match self {
            Adds::Data { bytes, .. } => *bytes,
            Adds::Credit(_) => Bytes::ZERO,
        }
    }

    /// The credit in it, in minor units.
    pub fn credit_minor(&self) -> i64 {
        match self {
            Adds::Data { .. } => 0,
            Adds::Credit(money) => money.amount_minor,
        }
    }
}
