//! The reasons not to recharge, in order of precedence. Each carries what its sentence needs and,
//! where it ends by time, when.

use super::Suspension;
use crate::money::Money;
use crate::tagged::read_tagged;
use crate::time::Instant;
use chrono::NaiveDate;
use serde::Serialize;

/// Why nothing is charged. Declared in order of precedence: the first that applies is the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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
        ended_on: NaiveDate,
    },
    /// The start date is to come.
    NotStarted {
        /// The first day.
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

read_tagged! {
    Reason by code, Fields {
        since: Instant,
        unknown: bool,
        ended_on: NaiveDate = "crate::text::maybe_date",
        starts_on: NaiveDate = "crate::text::maybe_date",
        starts_at: Instant,
        until: Instant,
        why: Suspension,
        at: Instant,
        charge_at: Instant,
        at_most: Money,
        cap: Money,
        spent: Money,
        needed: Money,
        resets_at: Instant,
        opens_at: Instant,
    }
    "recharge_open" => RechargeOpen { since, unknown },
    "stopped_by_operator" => StoppedByOperator,
    "line_closed" => LineClosed,
    "rule_off" => RuleOff,
    "ended" => Ended { ended_on },
    "not_started" => NotStarted { starts_on, starts_at },
    "paused" => Paused { until },
    "suspended" => Suspended { why },
    "terms_changed" => TermsChanged,
    "no_usable_method" => NoUsableMethod,
    "skipped_once" => SkippedOnce { at },
    "notice_running" => NoticeRunning { charge_at, at_most },
    "not_due" => NotDue,
    "target_met" => TargetMet,
    "monthly_cap_reached" => MonthlyCapReached { cap, spent, needed, resets_at },
    "daily_count_reached" => DailyCountReached { resets_at },
    "cooling_down" => CoolingDown { until },
    "rail_closed" => RailClosed { opens_at },
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
