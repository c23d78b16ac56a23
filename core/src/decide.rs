//! The heart: rule + account + history + cause + now -> decision. Pure, total, deterministic. The
//! preview, the replay and the server all call [`decide`]; there is no second copy of any rule.
//!
//! The reasons not to recharge are one enum in order of precedence: the first that applies is the
//! answer (`decide/reason.rs`). `decide/facts.rs` is what it looks at, `decide/method.rs` which
//! methods can be charged, `decide/due.rs` finds which triggers are due, `decide/consumed.rs` which
//! are gone, `decide/order.rs` how much one recharge is, `decide/period.rs` what limits count in;
//! `decide/explain.rs` says all of it as data.

mod consumed;
mod due;
mod explain;
mod facts;
mod method;
mod order;
mod period;
mod reason;

use crate::bytes::Bytes;
use crate::id::PaymentMethodId;
use crate::money::Money;
use crate::rule::{Adds, Rule};
use crate::tagged::read_tagged;
use crate::time::{Instant, Span};
use due::Due;
use serde::{Deserialize, Serialize};

pub(crate) use due::lapses_after;

pub use consumed::{consumed_after_move, consumed_by, consumed_with, missed};
pub use explain::{Check, Finding, explain};
pub use facts::{Account, History, Notice, PastRecharge, Standing, Suspension};
pub use method::{Agreement, MethodFacts, Unusable};
pub use period::{Period, Periods};
pub use reason::Reason;

/// Why `decide` is asked. It changes nothing but what counts as due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Cause {
    /// Usage arrived.
    Usage,
    /// The balance changed otherwise.
    BalanceChanged,
    /// The rule was saved or switched.
    RuleChanged,
    /// A timer came: a scheduled instant, an expiry, the safety timer.
    Timer,
    /// A payment method came or went.
    MethodChanged,
    /// A recharge is about to be submitted: its triggers are due unless the balance has risen.
    Submission {
        /// What had made it due.
        triggers: Vec<TriggerDue>,
    },
    /// What would be said if it were due now: the status on screen, and the preview.
    AsIfDue,
}

read_tagged! {
    Cause by kind, CauseFields { triggers: Vec<TriggerDue> }
    "usage" => Usage,
    "balance_changed" => BalanceChanged,
    "rule_changed" => RuleChanged,
    "timer" => Timer,
    "method_changed" => MethodChanged,
    "submission" => Submission { triggers },
    "as_if_due" => AsIfDue,
}

/// A trigger that is due, with the occurrence that it consumes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum TriggerDue {
    /// The effective balance is at or below the threshold.
    LowBalance,
    /// A scheduled instant came.
    Scheduled {
        /// The instant of the schedule, which the charge may follow.
        at: Instant,
    },
    /// The data is about to expire.
    Expiring {
        /// When it expires.
        expires_at: Instant,
    },
}

read_tagged! {
    TriggerDue by kind, TriggerFields { at: Instant, expires_at: Instant }
    "low_balance" => LowBalance,
    "scheduled" => Scheduled { at },
    "expiring" => Expiring { expires_at },
}

/// What one recharge is to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// What is charged, tax inside.
    pub amount: Money,
    /// What the line gets for it.
    pub adds: Adds,
    /// The methods to try, in order; not empty.
    pub payment_methods: Vec<PaymentMethodId>,
    /// The occurrences that it consumes; empty when the customer bought by hand.
    pub triggers: Vec<TriggerDue>,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "decision", rename_all = "snake_case")]
pub enum Decision {
    /// Recharge now, exactly so.
    Recharge {
        /// What to do.
        order: Order,
    },
    /// Not now; the reason ends by time.
    Wait {
        /// Why not.
        reason: Reason,
        /// When it ends.
        until: Instant,
        /// When to look next: then, or earlier where another trigger may fall due.
        next_look_at: Instant,
    },
    /// Not now; the reason ends by something else happening.
    Skip {
        /// Why not.
        reason: Reason,
        /// The next look by the clock, if there is one beside the next use of data.
        next_look_at: Option<Instant>,
    },
}

read_tagged! {
    Decision by decision, DecisionFields {
        order: Order,
        reason: Reason,
        until: Instant,
        next_look_at: Instant,
    }
    "recharge" => Recharge { order },
    "wait" => Wait { reason, until, next_look_at },
    "skip" => Skip { reason; next_look_at },
}

impl Decision {
    /// Why not, unless it recharges.
    pub fn reason(&self) -> Option<&Reason> {
        match self {
            Decision::Recharge { .. } => None,
            Decision::Wait { reason, .. } | Decision::Skip { reason, .. } => Some(reason),
        }
    }

    /// The next look by the clock; each has a timer.
    pub fn next_look_at(&self) -> Option<Instant> {
        match self {
            Decision::Recharge { .. } => None,
            Decision::Wait { next_look_at, .. } => Some(*next_look_at),
            Decision::Skip { next_look_at, .. } => *next_look_at,
        }
    }
}

/// Of two decisions on one line the one that tells most: `now`, or, while nothing is due, what
/// would hold a charge back if one were. The screen and the alert say it.
pub fn telling<'a>(now: &'a Decision, as_if_due: &'a Decision) -> &'a Decision {
    let idle = matches!(now.reason(), Some(Reason::NotDue | Reason::TargetMet));
    let held_back = as_if_due.reason().is_some_and(|reason| {
        !matches!(
            reason,
            Reason::NotDue
                | Reason::TargetMet
                | Reason::NoticeRunning { .. }
                | Reason::CoolingDown { .. }
        )
    });
    if idle && held_back { as_if_due } else { now }
}

/// Whether to recharge now, what, and if not, why not and when to look again.
///
/// *Source*: `rules.md`, "The decision". Pure and total: any input gives an answer.
pub fn decide(
    rule: &Rule,
    account: &Account,
    history: &History,
    cause: &Cause,
    now: Instant,
) -> Decision {
    let due = due::find(rule, account, history, cause, now);
    let next_look_at = due.next_look_at;
    match obstacle(rule, account, history, due, now) {
        Err(reason) => answer(reason, next_look_at),
        Ok(order) => Decision::Recharge { order },
    }
}

/// The announcements that have to be made now and are not yet: each is recorded once.
pub fn announce(rule: &Rule, account: &Account, history: &History, now: Instant) -> Vec<Notice> {
    let due = due::find(rule, account, history, &Cause::Timer, now);
    match standing_obstacle(rule, account, history, due.amount(), now) {
        Some(_) => Vec::new(),
        None => due.to_announce,
    }
}

/// The rule's methods that can be charged without the customer, in order.
pub fn usable_methods<'a>(
    rule: &'a Rule,
    account: &'a Account,
    now: Instant,
) -> impl Iterator<Item = &'a MethodFacts> {
    named_methods(rule, account).filter(move |method| method.unusable(now).is_none())
}

/// Those of them that can be charged this much, if that much is known.
fn chargeable<'a>(
    rule: &'a Rule,
    account: &'a Account,
    amount: Option<Money>,
    now: Instant,
) -> impl Iterator<Item = &'a MethodFacts> {
    let covers = move |method: &&MethodFacts| amount.is_none_or(|amount| method.covers(amount));
    usable_methods(rule, account, now).filter(covers)
}

/// What is known of the rule's methods, in order.
fn named_methods<'a>(
    rule: &'a Rule,
    account: &'a Account,
) -> impl Iterator<Item = &'a MethodFacts> {
    let of_account = |id: &PaymentMethodId| account.payment_methods.iter().find(|m| m.id == *id);
    rule.payment_methods.iter().filter_map(of_account)
}

/// What one recharge takes and adds at most: from empty.
pub fn largest_recharge(rule: &Rule, account: &Account) -> Option<(Money, Adds)> {
    order::size(rule, account, Bytes::ZERO)
}

/// What one recharge takes and adds at the agreed price, when this much is left or on its way.
pub(crate) fn agreed_recharge(rule: &Rule, left: Bytes) -> Option<(Money, Adds)> {
    order::size_in(rule.step, rule, left)
}

/// How long before a scheduled charge it is announced: the account's lead, or a rail's own where
/// that is longer. At most 31 days, because every date within it is looked at.
pub fn notice_lead(rule: &Rule, account: &Account) -> Span {
    let rails = named_methods(rule, account).map(|method| method.rail.longest_wait());
    let own = Span::hours(i64::from(account.notice_lead_hours));
    rails.fold(own, Span::max).min(Span::days(31))
}

/// The reasons that hold whatever is due, in order of precedence.
fn standing_obstacle(
    rule: &Rule,
    account: &Account,
    history: &History,
    amount: Option<Money>,
    now: Instant,
) -> Option<Reason> {
    let blocking = history.recharges.iter().find(|r| match r.standing {
        Standing::Open => r.automatic,
        Standing::Unknown => true,
        Standing::Spent | Standing::Released => false,
    });
    if let Some(open) = blocking {
        let unknown = open.standing == Standing::Unknown;
        return Some(Reason::RechargeOpen { since: open.opened_at, unknown });
    }
    if account.stopped_by_operator {
        return Some(Reason::StoppedByOperator);
    }
    if account.line_closed {
        return Some(Reason::LineClosed);
    }
    if !rule.on {
        return Some(Reason::RuleOff);
    }
    let today = || account.zone.date(now);
    if let Some(ended_on) = rule.limits.ends_on.filter(|end| today() > *end) {
        return Some(Reason::Ended { ended_on });
    }
    if let Some(starts_on) = rule.limits.starts_on.filter(|start| today() < *start) {
        let starts_at = account.zone.start_of_day(starts_on);
        return Some(Reason::NotStarted { starts_on, starts_at });
    }
    let until = rule.paused_until_on.map(|date| account.zone.start_of_day(date));
    if let Some(until) = until.filter(|until| now < *until) {
        return Some(Reason::Paused { until });
    }
    let disputed = (history.open_disputes > 0).then_some(Suspension::Disputed);
    if let Some(why) = history.suspended.or(disputed) {
        return Some(Reason::Suspended { why });
    }
    if order::terms_changed(rule, account) {
        return Some(Reason::TermsChanged);
    }
    let method = chargeable(rule, account, amount, now).next();
    method.is_none().then_some(Reason::NoUsableMethod)
}

/// The first reason that applies, or the order.
fn obstacle(
    rule: &Rule,
    account: &Account,
    history: &History,
    due: Due<'_>,
    now: Instant,
) -> Result<Order, Reason> {
    if let Some(reason) = standing_obstacle(rule, account, history, due.amount(), now) {
        return Err(reason);
    }
    if due.is_empty() {
        return Err(due.held().unwrap_or(Reason::NotDue));
    }
    let (amount, adds) = due.size.ok_or(Reason::TargetMet)?;
    let covering = || chargeable(rule, account, Some(amount), now).filter(|m| due.allows(m));
    if covering().next().is_none() {
        return Err(Reason::NoUsableMethod);
    }
    limits(rule, account, history, amount, now)?;
    let opens_at = covering().map(|method| method.opens_at(now)).min();
    if let Some(opens_at) = opens_at.filter(|at| now < *at) {
        return Err(Reason::RailClosed { opens_at });
    }
    let open = covering().filter(|method| method.opens_at(now) == now);
    let payment_methods = open.map(|method| method.id.clone()).collect();
    Ok(Order { amount, adds, payment_methods, triggers: due.into_triggers() })
}

/// The cap, the count and the cool-down, over all versions of the rule.
fn limits(
    rule: &Rule,
    account: &Account,
    history: &History,
    needed: Money,
    now: Instant,
) -> Result<(), Reason> {
    if let Some(cap) = rule.limits.cap_per_month {
        let month = Period::month(account, now);
        let spent_minor = spent_minor(history, month);
        if spent_minor.saturating_add(needed.amount_minor) > cap.amount_minor {
            let spent = Money::new(spent_minor, cap.currency);
            return Err(Reason::MonthlyCapReached { cap, spent, needed, resets_at: month.until });
        }
    }
    if let Some(most) = rule.limits.max_per_day {
        let day = Period::day(account, now);
        if count(history, day) >= most {
            return Err(Reason::DailyCountReached { resets_at: day.until });
        }
    }
    let opened_at = last_opened_at(history);
    match opened_at.map(|at| at.plus(rule.limits.cool_down())).filter(|until| now < *until) {
        Some(until) => Err(Reason::CoolingDown { until }),
        None => Ok(()),
    }
}

/// The automatic recharges that took money from a period's room: not those definitely not charged.
fn counted(history: &History, period: Period) -> impl Iterator<Item = &PastRecharge> {
    let taken = |r: &&PastRecharge| r.automatic && r.standing != Standing::Released;
    history.recharges.iter().filter(taken).filter(move |r| period.holds(r.reserved_at))
}

/// Spent and reserved in a period, in minor units.
fn spent_minor(history: &History, period: Period) -> i64 {
    counted(history, period).map(|r| r.amount.amount_minor).fold(0, i64::saturating_add)
}

/// How many recharges a period had.
fn count(history: &History, period: Period) -> u32 {
    u32::try_from(counted(history, period).count()).unwrap_or(u32::MAX)
}

/// When the last automatic recharge was opened, whatever became of it.
fn last_opened_at(history: &History) -> Option<Instant> {
    history.recharges.iter().filter(|r| r.automatic).map(|r| r.opened_at).max()
}

/// A reason with its next look: by its own end, or by the next scheduled thing.
fn answer(reason: Reason, next_look_at: Option<Instant>) -> Decision {
    match reason.until() {
        Some(until) => {
            let next_look_at = next_look_at.map_or(until, |at| at.min(until));
            Decision::Wait { reason, until, next_look_at }
        }
        None => Decision::Skip { reason, next_look_at },
    }
}

#[cfg(test)]
mod tests;
