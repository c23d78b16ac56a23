//! The reasons not to recharge, in order of precedence. Each carries what its sentence needs and,
//! where it ends by time, when.

use super::Suspension;
use crate::money::Money;
use crate::time::Instant;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// Why nothing is charged. Declared in order of precedence: the first that applies is the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Reason {
    /// One recharge at a time.
    RechargeOpen {
        /// Since when.
        since: Instant,
        /// Whether it was sent and not answered.
        unknown: bool,
    },
    /// The operator stopped all charging.
    StoppedByOperator,
    /// The line is closed.
    LineClosed,
    /// The switch is off.
    RuleOff,
    /// The end date is over.
    Ended {
        /// The last day.
        #[serde(deserialize_with = "crate::text::date")]
        ended_on: NaiveDate,
    },
    /// The start date is to come.
    NotStarted {
        /// The first day.
        #[serde(deserialize_with = "crate::text::date")]
        starts_on: NaiveDate,
        /// When it begins.
        starts_at: Instant,
    },
    /// The customer paused it.
    Paused {
        /// When the pause ends.
        until: Instant,
    },
    /// It waits for the customer.
    Suspended {
        /// Why.
        why: Suspension,
    },
    /// The price rose or the step was withdrawn since the customer agreed.
    TermsChanged,
    /// No method can be charged.
    NoUsableMethod,
    /// The customer skips this one.
    SkippedOnce {
        /// The scheduled instant that is skipped.
        at: Instant,
    },
    /// It was announced and the announcement runs.
    NoticeRunning {
        /// When it is charged.
        charge_at: Instant,
        /// At most this.
        at_most: Money,
    },
    /// No trigger is due.
    NotDue,
    /// There is as much as is to be kept.
    TargetMet,
    /// The month's cap has no room for it.
    MonthlyCapReached {
        /// The cap.
        cap: Money,
        /// Spent and reserved this month.
        spent: Money,
        /// What this recharge needs.
        needed: Money,
        /// When the next month begins.
        resets_at: Instant,
    },
    /// As many recharges as a day may have.
    DailyCountReached {
        /// When the next day begins.
        resets_at: Instant,
    },
    /// The pause after the last one.
    CoolingDown {
        /// When it ends.
        until: Instant,
    },
    /// The payment method does not debit at this hour.
    RailClosed {
        /// When it does again.
        opens_at: Instant,
    },
}

impl Reason {
    /// When this reason ends by itself.
    pub(super) fn until(&self) -> Option<Instant> {
        match self {
            Reason::NotStarted { starts_at: at, .. }
            | Reason::Paused { until: at }
            | Reason::NoticeRunning { charge_at: at, .. }
            | Reason::MonthlyCapReached { resets_at: at, .. }
            | Reason::DailyCountReached { resets_at: at }
            | Reason::CoolingDown { until: at }
            | Reason::RailClosed { opens_at: at } => Some(*at),
            Reason::RechargeOpen { .. }
            | Reason::StoppedByOperator
            | Reason::LineClosed
            | Reason::RuleOff
            | Reason::Ended { .. }
            | Reason::Suspended { .. }
            | Reason::TermsChanged
            | Reason::NoUsableMethod
            | Reason::SkippedOnce { .. }
            | Reason::NotDue
            | Reason::TargetMet => None,
        }
    }

    /// Whether scheduled instants met while this reason holds are gone for good.
    pub fn consumes_scheduled(&self) -> bool {
        match self {
            Reason::StoppedByOperator
            | Reason::LineClosed
            | Reason::RuleOff
            | Reason::Ended { .. }
            | Reason::NotStarted { .. }
            | Reason::Paused { .. }
            | Reason::Suspended { .. }
            | Reason::TermsChanged
            | Reason::NoUsableMethod
            | Reason::SkippedOnce { .. }
            | Reason::TargetMet
            | Reason::MonthlyCapReached { .. } => true,
            Reason::RechargeOpen { .. }
            | Reason::NoticeRunning { .. }
            | Reason::NotDue
            | Reason::DailyCountReached { .. }
            | Reason::CoolingDown { .. }
            | Reason::RailClosed { .. } => false,
        }
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Reason::RechargeOpen { .. } => "recharge_open",
            Reason::StoppedByOperator => "stopped_by_operator",
            Reason::LineClosed => "line_closed",
            Reason::RuleOff => "rule_off",
            Reason::Ended { .. } => "ended",
            Reason::NotStarted { .. } => "not_started",
            Reason::Paused { .. } => "paused",
            Reason::Suspended { .. } => "suspended",
            Reason::TermsChanged => "terms_changed",
            Reason::NoUsableMethod => "no_usable_method",
            Reason::SkippedOnce { .. } => "skipped_once",
            Reason::NoticeRunning { .. } => "notice_running",
            Reason::NotDue => "not_due",
            Reason::TargetMet => "target_met",
            Reason::MonthlyCapReached { .. } => "monthly_cap_reached",
            Reason::DailyCountReached { .. } => "daily_count_reached",
            Reason::CoolingDown { .. } => "cooling_down",
            Reason::RailClosed { .. } => "rail_closed",
        }
    }
}
