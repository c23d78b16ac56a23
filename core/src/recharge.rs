//! One recharge, from the decision to the credit: `apply(recharge, fact, now) -> Step`. A fact is
//! what was seen outside; a step is the next state, the postings, what the line gets and the
//! effects that the shell has to perform. Facts come from answers, webhooks and look-ups alike, so
//! a repeated fact changes nothing and a late one never undoes a success.
//!
//! `recharge/fact.rs` and `recharge/effect.rs` are what comes in and what goes out;
//! `recharge/payment.rs` takes the money, `recharge/delivery.rs` hands out what it paid for.

mod delivery;
mod effect;
mod fact;
mod payment;

use crate::decide::{MethodFacts, Notice, Order, PastRecharge, Standing};
use crate::id::{IdempotencyKey, LineId, PaymentMethodId, RechargeId};
use crate::ledger::Posting;
use crate::money::Money;
use crate::rail::Rail;
use crate::retry::Ladder;
use crate::tagged::read_tagged;
use crate::time::{Instant, Span};
use serde::{Deserialize, Serialize};

pub use effect::{Due, Effect, Grant, News};
pub use fact::{Fact, Seen};

/// A recharge and all that happened to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recharge {
    /// The line and its number.
    pub id: RechargeId,
    /// The line that gets it.
    pub line_id: LineId,
    /// The version of the rule that allowed it; absent when bought by hand.
    pub rule_version: Option<u32>,
    /// What was decided: never changed afterwards.
    pub order: Order,
    /// Where it stands.
    pub status: Status,
    /// When it was decided.
    pub opened_at: Instant,
    /// When its money was last reserved.
    pub reserved_at: Instant,
    /// The order's methods, and how far each has come down its ladder.
    #[serde(default)]
    pub tries: Vec<Tries>,
    /// Every payment attempt, numbered from 1 in order.
    pub attempts: Vec<Attempt>,
    /// When the money was captured.
    pub paid_at: Option<Instant>,
    /// When the carrier was asked for it and had nothing, once that counts.
    #[serde(default)]
    pub top_up_not_found_at: Option<Instant>,
    /// The rule was switched off, paused or lost its method: nothing new is submitted.
    pub stopped: bool,
    /// What was seen, in the order in which it was taken in.
    pub facts: Vec<Seen>,
}

/// Where a recharge stands. The last four are ends: they stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Decided and reserved; nothing sent.
    Opened,
    /// A payment is on its way to the gateway.
    Charging,
    /// Declined; another try is to come.
    Declined,
    /// The bank wants the customer; a link is open.
    NeedsCustomer,
    /// Sent, and nobody knows what became of it.
    Unknown,
    /// Captured; the carrier has not been asked.
    Paid,
    /// The carrier is being asked, or asked again.
    Delivering,
    /// The carrier was asked and did not answer.
    DeliveryUnknown,
    /// Captured but not delivered, or not as agreed; the money is on its way back.
    Refunding,
    /// Charged, delivered, credited.
    Done,
    /// Definitely not charged.
    Failed,
    /// Ended before anything was charged, because the customer or the facts said so.
    Cancelled,
    /// Charged and given back in full.
    Refunded,
}

/// A method of the order. Its ladder goes on from earlier recharges and into later ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tries {
    /// The method.
    pub payment_method_id: PaymentMethodId,
    /// When in the day it debits.
    pub rail: Rail,
    /// How far it has come.
    pub ladder: Ladder,
    /// Not tried from here on: the announcement that its rail needs is used up by this recharge and
    /// no longer good then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lapses_at: Option<Instant>,
}

impl Tries {
    /// Whether it may be tried at `now`, as far as its announcement goes.
    pub fn is_good(&self, now: Instant) -> bool {
        self.lapses_at.is_none_or(|end| now < end)
    }
}

/// One try to take the money: one method, one amount, one idempotency key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attempt {
    /// From 1.
    pub number: u32,
    /// The method charged.
    pub payment_method_id: PaymentMethodId,
    /// Which rung of its method's ladder this is, from 0.
    pub rung: u32,
    /// Derived from the recharge and the number; resending repeats it.
    pub idempotency_key: IdempotencyKey,
    /// Recorded before the first byte is sent.
    pub submitted_at: Option<Instant>,
    /// When it was last sent, the first time or again.
    pub last_submitted_at: Option<Instant>,
    /// When it was last looked for and not found, once that counts.
    pub not_found_at: Option<Instant>,
    /// How it ended, or stands waiting for the customer.
    pub outcome: Option<Outcome>,
}

impl Recharge {
    /// Where the customer confirms its payment, and until when, while it waits for that.
    pub fn link(&self) -> Option<(&str, Instant)> {
        if self.status != Status::NeedsCustomer {
            return None;
        }
        self.attempts.iter().rev().find_map(|attempt| match &attempt.outcome {
            Some(Outcome::ActionRequired { url, until, .. }) => Some((url.as_str(), *until)),
            _ => None,
        })
    }
}

/// What became of an attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Outcome {
    /// The money was taken.
    Captured {
        /// The gateway's name for the payment.
        payment: String,
        /// What was taken: refunded at once if it is not what was asked.
        amount: Money,
        /// Whether it was given back.
        refunded: bool,
    },
    /// The bank said no.
    Declined {
        /// The gateway's code.
        code: String,
        /// Never to be tried again with this instrument.
        hard: bool,
    },
    /// The bank wants the customer.
    ActionRequired {
        /// The gateway's name for the payment.
        payment: String,
        /// Where the customer authenticates.
        url: String,
        /// When the link dies.
        until: Instant,
    },
    /// It can no longer capture.
    Cancelled,
    /// It never reached the gateway.
    NeverArrived,
}

read_tagged! {
    Outcome by kind, OutcomeFields {
        payment: String,
        amount: Money,
        refunded: bool,
        code: String,
        hard: bool,
        url: String,
        until: Instant,
    }
    "captured" => Captured { payment, amount, refunded },
    "declined" => Declined { code, hard },
    "action_required" => ActionRequired { payment, url, until },
    "cancelled" => Cancelled,
    "never_arrived" => NeverArrived,
}

/// What follows from a fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The recharge afterwards.
    pub recharge: Recharge,
    /// What moves in the books.
    pub postings: Vec<Posting>,
    /// What the line gets.
    pub grant: Option<Grant>,
    /// What is to be done.
    pub effects: Vec<Due>,
}

/// How long after the first time a key may be sent again.
const RESEND_WITHIN: Span = Span::hours(20);
/// Two looks that found nothing must lie this far apart to count.
const NOT_FOUND_APART: Span = Span::hours(1);
/// Look-ups after no answer: so long after the submission, then every hour.
const LOOK_UPS: [Span; 4] = [Span::minutes(1), Span::minutes(5), Span::minutes(30), Span::hours(2)];

/// How far a recharge has come: what its statuses have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Nothing is on its way that could capture.
    Unsent,
    /// An attempt may still capture.
    Sent,
    /// The money is taken; what it paid for is not there yet.
    Paid,
    /// The money is on its way back.
    Refunding,
    /// Over: it stays as it is.
    Ended,
}

impl Status {
    fn phase(self) -> Phase {
        match self {
            Status::Opened | Status::Declined => Phase::Unsent,
            Status::Charging | Status::NeedsCustomer | Status::Unknown => Phase::Sent,
            Status::Paid | Status::Delivering | Status::DeliveryUnknown => Phase::Paid,
            Status::Refunding => Phase::Refunding,
            Status::Done | Status::Failed | Status::Cancelled | Status::Refunded => Phase::Ended,
        }
    }

    /// Whether this is an end.
    pub fn is_end(self) -> bool {
        self.phase() == Phase::Ended
    }

    /// Where it stands for limits and the effective balance.
    pub fn standing(self) -> Standing {
        match self {
            Status::Opened
            | Status::Charging
            | Status::Declined
            | Status::NeedsCustomer
            | Status::Paid
            | Status::Delivering
            | Status::DeliveryUnknown => Standing::Open,
            Status::Unknown => Standing::Unknown,
            Status::Refunding | Status::Done | Status::Refunded => Standing::Spent,
            Status::Failed | Status::Cancelled => Standing::Released,
        }
    }
}

impl Recharge {
    /// Opens a recharge: decided, reserved, its first attempt planned. `methods` are the account's
    /// and `notices` the line's, as they were decided from.
    pub fn open(
        line_id: LineId,
        number: u32,
        rule_version: Option<u32>,
        order: Order,
        methods: &[MethodFacts],
        notices: &[Notice],
        now: Instant,
    ) -> Step {
        let lapses_at = |id: &PaymentMethodId| {
            let told = notices.iter().filter(|notice| order.triggers.contains(&notice.trigger));
            let told = told.filter(|notice| {
                notice.payment_methods.contains(id)
                    && order.amount.amount_minor <= notice.at_most.amount_minor
            });
            told.filter_map(|notice| notice.lapses_at).max()
        };
        let tries = |id: &PaymentMethodId| {
            let known = methods.iter().find(|method| method.id == *id);
            let told_before = known.is_some_and(|method| method.rail.facts().advance.is_some());
            Tries {
                payment_method_id: id.clone(),
                rail: known.map_or(Rail::Card, |method| method.rail),
                ladder: known.map_or(Ladder::default(), |method| method.ladder),
                lapses_at: lapses_at(id).filter(|_| told_before),
            }
        };
        let recharge = Recharge {
            id: RechargeId::derive(&line_id, number),
            line_id,
            rule_version,
            status: Status::Opened,
            opened_at: now,
            reserved_at: now,
            tries: order.payment_methods.iter().map(tries).collect(),
            attempts: Vec::new(),
            paid_at: None,
            top_up_not_found_at: None,
            stopped: false,
            facts: Vec::new(),
            order,
        };
        let mut step = Step::unchanged(recharge);
        if !payment::plan_next(&mut step, now) {
            payment::end(&mut step, Status::Failed, now);
        }
        step
    }

    /// Whether the rule opened it.
    pub fn automatic(&self) -> bool {
        self.rule_version.is_some()
    }

    /// The attempt of this number.
    pub fn attempt(&self, number: u32) -> Option<&Attempt> {
        self.attempts.iter().find(|a| a.number == number)
    }

    /// The attempt whose capture is kept, if any is: the first that was heard of. A later one only
    /// goes back, and never takes its place.
    pub fn kept_capture(&self) -> Option<&Attempt> {
        let mut captured = self.facts.iter().filter_map(|seen| {
            if let Fact::Captured { attempt, .. } = seen.fact { Some(attempt) } else { None }
        });
        let first = captured.next().and_then(|number| self.attempt(number));
        first.filter(|a| matches!(a.outcome, Some(Outcome::Captured { refunded: false, .. })))
    }

    /// Whether an attempt's capture is on its way back: not the one that the line got something
    /// for, or is to get; what goes back of that one later is a run of its own.
    pub fn goes_back(&self, number: u32) -> bool {
        let captured =
            |a: &Attempt| matches!(a.outcome, Some(Outcome::Captured { refunded: false, .. }));
        let stays = self.status.phase() == Phase::Paid || self.status == Status::Done;
        let kept = self.kept_capture().map(|attempt| attempt.number);
        self.attempt(number).is_some_and(captured) && !(stays && kept == Some(number))
    }

    /// Whether the gateway's payment of this name is known to have taken money for it.
    pub fn has_captured(&self, payment: &str) -> bool {
        self.attempts.iter().any(|attempt| attempt.captured_as(payment))
    }

    /// Since when nobody knows what became of it: of its payment since that was first sent, of its
    /// delivery since it was paid. Nothing where it is known.
    pub fn unknown_since(&self) -> Option<Instant> {
        if self.status == Status::Unknown {
            return self.attempts.iter().find(|attempt| attempt.is_unheard())?.submitted_at;
        }
        self.paid_at.filter(|_| self.status == Status::DeliveryUnknown)
    }

    /// What `decide` needs to know of it.
    pub fn past(&self) -> PastRecharge {
        PastRecharge {
            id: self.id.clone(),
            automatic: self.automatic(),
            standing: self.standing(),
            opened_at: self.opened_at,
            reserved_at: self.reserved_at,
            amount: self.order.amount,
            adds: self.order.adds,
        }
    }

    /// Where it stands for limits. Money that was taken counts also where it goes back: a capture
    /// found after a failure frees no room.
    fn standing(&self) -> Standing {
        let taken = |a: &Attempt| matches!(a.outcome, Some(Outcome::Captured { .. }));
        let standing = self.status.standing();
        let released = standing == Standing::Released;
        if released && self.attempts.iter().any(taken) { Standing::Spent } else { standing }
    }

    /// Whether it has its money or is over: whatever else it is charged can only go back.
    fn is_settled(&self) -> bool {
        self.paid_at.is_some() || self.status.is_end()
    }

    /// Whether this is the last that was heard. A look that finds the same again is no news.
    fn heard_last(&self, fact: &Fact) -> bool {
        self.facts.last().is_some_and(|seen| seen.fact == *fact)
    }

    /// The ladder of a method of the order.
    fn ladder_mut(&mut self, id: &PaymentMethodId) -> Option<&mut Ladder> {
        self.tries.iter_mut().find(|t| t.payment_method_id == *id).map(|t| &mut t.ladder)
    }

    fn attempt_mut(&mut self, number: u32) -> Option<&mut Attempt> {
        self.attempts.iter_mut().find(|a| a.number == number)
    }
}

impl Attempt {
    /// Whether it may be sent, or sent again under its key: gateways forget keys after 24 h, so
    /// only within 20 h of the first time. *Source*: rules.md, "Unknown".
    pub fn may_be_sent(&self, now: Instant) -> bool {
        self.submitted_at.is_none_or(|first| now.since(first) < RESEND_WITHIN)
    }

    /// Whether nobody waits for it any more: a purchase by hand that was never sent in time.
    pub fn is_given_up(&self, opened_at: Instant, now: Instant) -> bool {
        self.submitted_at.is_none() && now.since(opened_at) >= payment::BY_HAND_WITHIN
    }

    /// Whether it was sent and nothing definite is known of it.
    fn is_unheard(&self) -> bool {
        self.submitted_at.is_some() && self.outcome.is_none()
    }

    /// Whether it is the gateway's payment of this name.
    fn captured_as(&self, name: &str) -> bool {
        matches!(&self.outcome, Some(Outcome::Captured { payment, .. }) if payment == name)
    }
}

impl Step {
    fn unchanged(recharge: Recharge) -> Step {
        Step { recharge, postings: Vec::new(), grant: None, effects: Vec::new() }
    }

    fn then(&mut self, at: Instant, effect: Effect) {
        self.effects.push(Due { at, effect });
    }

    fn tell(&mut self, at: Instant, news: News) {
        self.then(at, Effect::Tell { news });
    }
}

/// What follows from a fact. A repeated fact, or one that no longer matters, changes nothing.
pub fn apply(recharge: Recharge, fact: &Fact, now: Instant) -> Step {
    let mut step = Step::unchanged(recharge);
    let changed = match fact {
        Fact::Submitted { attempt } => payment::submitted(&mut step, *attempt, now),
        Fact::Withdrawn { attempt, .. } => payment::withdrawn(&mut step, *attempt, now),
        Fact::Captured { attempt, payment, amount } => {
            payment::captured(&mut step, *attempt, payment, *amount, now)
        }
        Fact::Declined { attempt, code, hard } => {
            payment::declined(&mut step, *attempt, code, *hard, now)
        }
        Fact::ActionRequired { attempt, payment, url } => {
            payment::action_required(&mut step, *attempt, payment, url, now)
        }
        Fact::Unanswered { attempt } => payment::unanswered(&mut step, *attempt, now),
        Fact::NotFound { attempt } => payment::not_found(&mut step, *attempt, now),
        Fact::PaymentCancelled { attempt } => payment::cancelled(&mut step, *attempt, now),
        Fact::Stopped => payment::stopped(&mut step, now),
        Fact::Delivered { delivered_at, .. } => delivery::delivered(&mut step, *delivered_at, now),
        Fact::NotDelivered => delivery::not_delivered(&mut step, now),
        Fact::TopUpNotFound => delivery::not_found(&mut step, now),
        Fact::DeliveryUnanswered => delivery::unanswered(&mut step, now),
        Fact::Refunded { attempt, .. } => delivery::refunded(&mut step, *attempt, now),
        Fact::RefundUnanswered { attempt } => delivery::refund_unanswered(&mut step, *attempt, now),
    };
    if changed {
        step.recharge.facts.push(Seen { at: now, fact: fact.clone() });
    }
    step
}

/// The next look-up after no answer since `since`: 1 min, 5, 30, 2 h, then hourly.
fn next_look_up(since: Instant, now: Instant) -> Instant {
    let first = LOOK_UPS.iter().map(|span| since.plus(*span)).find(|at| *at > now);
    first.unwrap_or_else(|| now.plus(Span::hours(1)))
}

#[cfg(test)]
mod tests;
