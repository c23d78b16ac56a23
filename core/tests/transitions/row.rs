//! One row of the table: what follows from a fact, in words. Every field that changes is named, so
//! nothing that `apply` does is missing from the file.

use super::scene::Scene;
use laika_core::recharge::{
    Attempt, Due, Effect, Fact, News, Outcome, Recharge, Status, Step, apply,
};
use laika_core::say;
use laika_core::time::{Instant, Span};
use serde::Serialize;

/// A row, before it is written down.
pub(super) struct Row {
    pub fact: String,
    pub from: Status,
    pub step: Step,
    changes: Vec<String>,
    then: Vec<String>,
    books: Vec<String>,
    logged: bool,
}

impl Row {
    pub(super) fn of(scene: &Scene, fact: &Fact) -> Row {
        let before = &scene.recharge;
        let step = apply(before.clone(), fact, scene.now);
        let logged = match step.recharge.facts.len() - before.facts.len() {
            0 => false,
            1 => true,
            more => panic!("{more} facts are logged for one"),
        };
        let mut then: Vec<String> = step.effects.iter().map(|due| effect(due, scene.now)).collect();
        if let Some(grant) = &step.grant {
            let expires = grant.expires_at.map_or(String::new(), |at| later(at, scene.now));
            let expires = expires.replace(" in ", " for ");
            then.insert(0, format!("grant {}{expires}", say::bytes_exact(grant.adds.bytes())));
        }
        let book = |p: &laika_core::ledger::Posting| {
            let amount = match p.quantity {
                laika_core::ledger::Quantity::Money(money) => say::money(money),
                laika_core::ledger::Quantity::Bytes(bytes) => say::bytes_exact(bytes),
            };
            format!("{}>{} {amount}", p.from.name(), p.to.name())
        };
        Row {
            fact: words(fact),
            from: before.status,
            changes: changes(before, &step.recharge),
            then,
            books: step.postings.iter().map(book).collect(),
            logged,
            step,
        }
    }

    /// Whether the fact changes nothing and causes nothing.
    pub(super) fn is_nothing(&self) -> bool {
        let still = self.from == self.step.recharge.status && self.changes.is_empty();
        still && self.then.is_empty() && self.books.is_empty() && !self.logged
    }

    /// The row as the file has it.
    pub(super) fn line(&self) -> String {
        let or_dash = |cells: &[String]| match cells {
            [] => "-".to_owned(),
            cells => cells.join(", "),
        };
        let next = name(&self.step.recharge.status);
        let next = if self.from == self.step.recharge.status { "same".to_owned() } else { next };
        format!(
            "{:20} | {:16} | {:3} | {:39} | {:46} | {}",
            self.fact,
            next,
            if self.logged { "log" } else { "-" },
            or_dash(&self.changes),
            or_dash(&self.books),
            or_dash(&self.then),
        )
    }
}

/// Words after a prefix, in lines of a readable width.
pub(super) fn folded(prefix: &str, words: &[String]) -> String {
    let mut text = String::new();
    let mut line = prefix.to_owned();
    for (at, word) in words.iter().enumerate() {
        let comma = if at + 1 < words.len() { ", " } else { "" };
        if line.len() + word.len() > 150 {
            text.push_str(line.trim_end());
            text.push('\n');
            line = " ".repeat(prefix.len());
        }
        line.push_str(word);
        line.push_str(comma);
    }
    text + line.trim_end() + "\n"
}

/// A unit variant's name in JSON.
pub(super) fn name(value: &impl Serialize) -> String {
    let json = serde_json::to_value(value).expect("JSON");
    json.as_str().expect("a word").to_owned()
}

/// The name in JSON of a variant with fields.
pub(super) fn kind(value: &impl Serialize) -> String {
    let json = serde_json::to_value(value).expect("JSON");
    json["kind"].as_str().expect("a kind").to_owned()
}

/// A fact as `scene::fact` reads it.
pub(super) fn words(fact: &Fact) -> String {
    let kind = kind(fact);
    match fact {
        Fact::Submitted { attempt }
        | Fact::Withdrawn { attempt, .. }
        | Fact::ActionRequired { attempt, .. }
        | Fact::Unanswered { attempt }
        | Fact::NotFound { attempt }
        | Fact::PaymentCancelled { attempt }
        | Fact::Refunded { attempt, .. }
        | Fact::RefundUnanswered { attempt } => format!("{kind} {attempt}"),
        Fact::Declined { attempt, hard, .. } => {
            format!("{kind} {attempt}{}", if *hard { " hard" } else { "" })
        }
        Fact::Captured { attempt, payment, amount } => {
            let special = match say::money(*amount).as_str() {
                _ if payment.ends_with("-b") => " again",
                "EUR 9.00" => "",
                "EUR 9.01" => " for 9.01",
                "USD 9.00" => " in USD",
                other => panic!("captured {other}"),
            };
            format!("{kind} {attempt}{special}")
        }
        Fact::Stopped
        | Fact::Delivered { .. }
        | Fact::NotDelivered
        | Fact::TopUpNotFound
        | Fact::DeliveryUnanswered => kind,
    }
}

/// ` in 4 min`, from now on; nothing when it is now.
fn later(at: Instant, now: Instant) -> String {
    let minutes = at.since(now).0 / Span::minutes(1).0;
    assert_eq!(now.plus(Span::minutes(minutes)), at, "whole minutes");
    match (minutes, minutes % 60, minutes % 1440) {
        (0, ..) => String::new(),
        (_, _, 0) => format!(" in {} d", minutes / 1440),
        (_, 0, _) => format!(" in {} h", minutes / 60),
        (1..60, ..) => format!(" in {minutes} min"),
        (..0, ..) => panic!("{minutes} min ago"),
        (_, rest, _) => format!(" in {} h {rest} min", minutes / 60),
    }
}

/// What is to be done, and when.
fn effect(due: &Due, now: Instant) -> String {
    let what = match &due.effect {
        Effect::Charge { attempt }
        | Effect::LookUpPayment { attempt }
        | Effect::CancelPayment { attempt }
        | Effect::Refund { attempt } => format!("{} {attempt}", kind(&due.effect)),
        Effect::Bar { payment_method_id } => format!("bar {payment_method_id}"),
        Effect::Suspend { why } => format!("suspend {}", name(why)),
        Effect::Tell { news } => match news {
            News::Declined { next_try_at: Some(at) } => {
                format!("tell declined (again{})", or_at_once(&later(*at, now)))
            }
            News::Declined { next_try_at: None } => "tell declined (for good)".to_owned(),
            News::CustomerNeeded { until, .. } => {
                format!("tell customer_needed (dies{})", later(*until, now))
            }
            News::WronglyTaken { amount } | News::Refunded { amount } => {
                format!("tell {} {}", kind(news), say::money(*amount))
            }
            News::Recharged
            | News::Unknown
            | News::NotCharged
            | News::Refunding
            | News::DeliveredAfterAll => format!("tell {}", kind(news)),
        },
        Effect::TopUp | Effect::LookUpTopUp | Effect::Evaluate => kind(&due.effect),
    };
    what + &later(due.at, now)
}

fn or_at_once(later: &str) -> &str {
    if later.is_empty() { " at once" } else { later }
}

/// Every field that differs afterwards, but for the status and the log.
fn changes(before: &Recharge, after: &Recharge) -> Vec<String> {
    let mut found = Vec::new();
    for attempt in &after.attempts {
        let number = attempt.number;
        match before.attempt(number) {
            None => found.push(format!("{number} {}", outcome(attempt))),
            Some(old) => {
                if old.last_submitted_at != attempt.last_submitted_at {
                    found.push(format!("{number} sent"));
                }
                if old.not_found_at != attempt.not_found_at {
                    found.push(format!("{number} not found once"));
                }
                if old.outcome != attempt.outcome {
                    found.push(format!("{number} {}", outcome(attempt)));
                }
            }
        }
    }
    for (old, new) in before.tries.iter().zip(&after.tries) {
        if old.ladder != new.ladder {
            found.push(format!("{} rung {}", new.payment_method_id, new.ladder.failures));
        }
    }
    if before.stopped != after.stopped {
        found.push("stopped".to_owned());
    }
    if before.reserved_at != after.reserved_at {
        found.push("reserved anew".to_owned());
    }
    if before.paid_at != after.paid_at {
        found.push("has its money".to_owned());
    }
    if before.top_up_not_found_at != after.top_up_not_found_at {
        found.push("top-up not found once".to_owned());
    }
    // Nothing else of a recharge ever changes.
    let rest = Recharge {
        status: after.status,
        reserved_at: after.reserved_at,
        tries: after.tries.clone(),
        attempts: after.attempts.clone(),
        paid_at: after.paid_at,
        top_up_not_found_at: after.top_up_not_found_at,
        stopped: after.stopped,
        facts: after.facts.clone(),
        ..before.clone()
    };
    assert_eq!(rest, *after);
    found
}

fn outcome(attempt: &Attempt) -> String {
    match &attempt.outcome {
        None => "planned".to_owned(),
        Some(Outcome::Captured { refunded: true, .. }) => "refunded".to_owned(),
        Some(Outcome::Declined { hard: true, .. }) => "declined hard".to_owned(),
        Some(other) => kind(other),
    }
}
