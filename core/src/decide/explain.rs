//! Why, and why not, as data: what `decide` looked at, in its order, each with the figures that it
//! went by, up to the one that stopped it. It asks the same functions and decides nothing itself.

use super::{
    Account, Cause, Decision, History, Period, Reason, TriggerDue, count,
    due::{self, Due},
    last_opened_at, order, spent_minor, usable_methods,
};
use crate::bytes::Bytes;
use crate::catalogue::Step;
use crate::id::PaymentMethodId;
use crate::money::Money;
use crate::rule::{Adds, Rule, Threshold};
use crate::time::Instant;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// One thing that was looked at, and whether it let the recharge through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What, with its figures.
    #[serde(flatten)]
    pub check: Check,
    /// Whether it spoke for recharging.
    pub passed: bool,
}

/// What is looked at, in this order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "check", rename_all = "snake_case")]
pub enum Check {
    /// No other recharge is on its way.
    OneAtATime,
    /// The operator stopped nothing and the line exists.
    NotStopped,
    /// The rule is on.
    On,
    /// Today is one of the rule's days.
    InTime {
        /// The first day.
        starts_on: Option<NaiveDate>,
        /// The last.
        ends_on: Option<NaiveDate>,
        /// Nothing before this date begins.
        paused_until_on: Option<NaiveDate>,
    },
    /// It does not wait for the customer.
    NotWaiting,
    /// The price and the step are those that were agreed to, or better.
    Terms {
        /// Agreed to.
        agreed: Option<Step>,
        /// On sale.
        present: Option<Step>,
    },
    /// A payment method can be charged.
    Methods {
        /// Those that can, in order.
        usable: Vec<PaymentMethodId>,
    },
    /// Little is left.
    LowBalance {
        /// What is left, and what is on its way, in the threshold's unit.
        left: Threshold,
        /// The threshold; it counts itself.
        threshold: Threshold,
    },
    /// A date of the schedule came.
    Scheduled {
        /// The date.
        at: Option<Instant>,
    },
    /// The data is about to expire.
    Expiring {
        /// When it does.
        expires_at: Option<Instant>,
    },
    /// What one recharge is, from what is left.
    Size {
        /// What is left, and what is on its way.
        left: Bytes,
        /// What it costs; nothing when nothing is missing.
        amount: Option<Money>,
        /// What it adds.
        adds: Option<Adds>,
    },
    /// The month has room for it.
    MonthCap {
        /// The cap.
        cap: Money,
        /// Spent and reserved this month.
        spent: Money,
        /// What this recharge needs.
        needed: Money,
    },
    /// The day has room for it.
    DayCount {
        /// The most a day may have.
        most: u32,
        /// What this one had.
        count: u32,
    },
    /// The last one is long enough ago.
    CoolDown {
        /// How long, in minutes.
        minutes: u32,
        /// When the last one was opened.
        last_opened_at: Option<Instant>,
    },
    /// The payment method debits at this hour.
    RailOpen,
}

/// Where a check stands in the order of precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    OneAtATime,
    Stopped,
    On,
    InTime,
    Waiting,
    Terms,
    Methods,
    Due,
    Size,
    Cap,
    Count,
    CoolDown,
    Rail,
    Passed,
}

fn stage(reason: Option<&Reason>) -> Stage {
    match reason {
        Some(Reason::RechargeOpen { .. }) => Stage::OneAtATime,
        Some(Reason::StoppedByOperator | Reason::LineClosed) => Stage::Stopped,
        Some(Reason::RuleOff) => Stage::On,
        Some(Reason::Ended { .. } | Reason::NotStarted { .. } | Reason::Paused { .. }) => {
            Stage::InTime
        }
        Some(Reason::Suspended { .. }) => Stage::Waiting,
        Some(Reason::TermsChanged) => Stage::Terms,
        Some(Reason::NoUsableMethod) => Stage::Methods,
        Some(Reason::SkippedOnce { .. } | Reason::NoticeRunning { .. } | Reason::NotDue) => {
            Stage::Due
        }
        Some(Reason::TargetMet) => Stage::Size,
        Some(Reason::MonthlyCapReached { .. }) => Stage::Cap,
        Some(Reason::DailyCountReached { .. }) => Stage::Count,
        Some(Reason::CoolingDown { .. }) => Stage::CoolDown,
        Some(Reason::RailClosed { .. }) => Stage::Rail,
        None => Stage::Passed,
    }
}

/// What was looked at for this decision, up to what stopped it.
pub fn explain(
    rule: &Rule,
    account: &Account,
    history: &History,
    cause: &Cause,
    now: Instant,
    decision: &Decision,
) -> Vec<Finding> {
    let stopped_at = stage(decision.reason());
    let due = due::find(rule, account, history, cause, now);
    let mut findings: Vec<Finding> = Vec::new();
    let looked_at = |checks: Vec<(Stage, Check)>| {
        let until = checks.into_iter().filter(move |(stage, _)| *stage <= stopped_at);
        until.map(move |(stage, check)| Finding { check, passed: stage < stopped_at })
    };
    findings.extend(looked_at(standing(rule, account, now)));
    if stopped_at >= Stage::Due {
        findings.extend(triggers(rule, account, history, &due));
    }
    findings.extend(looked_at(limits(rule, account, history, due.effective_bytes, now)));
    findings
}

/// What holds whatever is due.
fn standing(rule: &Rule, account: &Account, now: Instant) -> Vec<(Stage, Check)> {
    let limits = &rule.limits;
    let usable = usable_methods(rule, account, now).map(|m| m.id.clone()).collect();
    vec![
        (Stage::OneAtATime, Check::OneAtATime),
        (Stage::Stopped, Check::NotStopped),
        (Stage::On, Check::On),
        (
            Stage::InTime,
            Check::InTime {
                starts_on: limits.starts_on,
                ends_on: limits.ends_on,
                paused_until_on: rule.paused_until_on,
            },
        ),
        (Stage::Waiting, Check::NotWaiting),
        (Stage::Terms, Check::Terms { agreed: rule.step, present: account.terms.step }),
        (Stage::Methods, Check::Methods { usable }),
    ]
}

/// Each trigger of the rule, and whether it is due.
fn triggers(rule: &Rule, account: &Account, history: &History, due: &Due<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(threshold) = rule.triggers.low_balance {
        let left = match threshold {
            Threshold::Data { .. } => Threshold::Data { bytes: due.effective_bytes },
            Threshold::Credit(money) => {
                let minor = due::effective_credit(account, history);
                Threshold::Credit(Money::new(minor, money.currency))
            }
        };
        let passed = due.low;
        findings.push(Finding { check: Check::LowBalance { left, threshold }, passed });
    }
    if rule.triggers.scheduled.is_some() {
        let at = due.by_date.iter().find_map(|trigger| match trigger {
            TriggerDue::Scheduled { at } => Some(*at),
            TriggerDue::LowBalance | TriggerDue::Expiring { .. } => None,
        });
        findings.push(Finding { check: Check::Scheduled { at }, passed: at.is_some() });
    }
    if rule.triggers.expiring_days.is_some() {
        let expires_at = due.by_date.iter().find_map(|trigger| match trigger {
            TriggerDue::Expiring { expires_at } => Some(*expires_at),
            TriggerDue::LowBalance | TriggerDue::Scheduled { .. } => None,
        });
        let (check, passed) = (Check::Expiring { expires_at }, expires_at.is_some());
        findings.push(Finding { check, passed });
    }
    findings
}

/// How much, and what the limits have counted.
fn limits(
    rule: &Rule,
    account: &Account,
    history: &History,
    left: Bytes,
    now: Instant,
) -> Vec<(Stage, Check)> {
    let size = order::size(rule, account, left);
    let (amount, adds) = (size.map(|(amount, _)| amount), size.map(|(_, adds)| adds));
    let mut checks = vec![(Stage::Size, Check::Size { left, amount, adds })];
    if let (Some(cap), Some(needed)) = (rule.limits.cap_per_month, amount) {
        let spent = Money::new(spent_minor(history, Period::month(account, now)), cap.currency);
        checks.push((Stage::Cap, Check::MonthCap { cap, spent, needed }));
    }
    if let Some(most) = rule.limits.max_per_day {
        let count = count(history, Period::day(account, now));
        checks.push((Stage::Count, Check::DayCount { most, count }));
    }
    let last_opened_at = last_opened_at(history);
    let minutes = rule.limits.cool_down_minutes;
    checks.push((Stage::CoolDown, Check::CoolDown { minutes, last_opened_at }));
    checks.push((Stage::Rail, Check::RailOpen));
    checks
}
