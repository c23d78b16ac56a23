//! The scenes: each status in every way that makes a difference, reached by facts alone.

use crate::cases::money;
use laika_core::bytes::Bytes;
use laika_core::decide::{MethodFacts, Order};
use laika_core::id::{LineId, PaymentMethodId};
use laika_core::ledger::Posting;
use laika_core::money::{Currency, Money};
use laika_core::recharge::{Fact, Recharge, Status, apply};
use laika_core::rule::Adds;
use laika_core::time::{Instant, Span};

/// What the recharge is of.
pub(super) const PRICE: &str = "9.00";

/// The status that must come about, in what respect it differs from others of the same status, and
/// the facts that lead there: methods, then facts, `by hand` where no rule opened it, and waits.
type Spec = (Status, &'static str, &'static str);

const SPECS: &[Spec] = &[
    (Status::Opened, "by a rule", "a"),
    (Status::Opened, "by hand", "a by hand"),
    (Status::Charging, "one method", "a, submitted 1"),
    (Status::Charging, "another method is left", "a b, submitted 1"),
    (Status::Charging, "by hand", "a by hand, submitted 1"),
    (Status::Charging, "stopped", "a b, submitted 1, stopped"),
    (Status::Charging, "the second after a decline", "a b, submitted 1, declined 1, submitted 2"),
    (Status::Charging, "the link is being cancelled", "a b, submitted 1, action_required 1"),
    (Status::Charging, "stopped with its link open", "a, submitted 1, action_required 1, stopped"),
    (Status::Declined, "waits for the next rung", "a, submitted 1, declined 1"),
    (Status::Declined, "the next method is tried", "a b, submitted 1, declined 1"),
    (Status::NeedsCustomer, "one method", "a, submitted 1, action_required 1"),
    (Status::NeedsCustomer, "by hand", "a by hand, submitted 1, action_required 1"),
    (Status::NeedsCustomer, "the link is over", "a, submitted 1, action_required 1, wait 25 h"),
    (Status::Unknown, "one method", "a, submitted 1, unanswered 1"),
    (Status::Unknown, "another method is left", "a b, submitted 1, unanswered 1"),
    (Status::Unknown, "by hand", "a by hand, submitted 1, unanswered 1"),
    (Status::Unknown, "stopped", "a b, submitted 1, unanswered 1, stopped"),
    (Status::Unknown, "for 3 h", "a, submitted 1, unanswered 1, wait 3 h"),
    (
        Status::Unknown,
        "for 21 h: too late to send again",
        "a, submitted 1, unanswered 1, wait 21 h",
    ),
    (Status::Unknown, "for 25 h: not found counts", "a, submitted 1, unanswered 1, wait 25 h"),
    (
        Status::Unknown,
        "not found once that counts, an hour ago",
        "a, submitted 1, unanswered 1, wait 25 h, not_found 1, wait 1 h",
    ),
    (Status::Paid, "by a rule", "a, submitted 1, captured 1"),
    (Status::Paid, "by hand", "a by hand, submitted 1, captured 1"),
    (
        Status::Paid,
        "by the first, the second is on its way",
        "a b, submitted 1, declined 1, submitted 2, captured 1",
    ),
    (
        Status::Paid,
        "by the first for 26 h, the second was not found once",
        "a b, submitted 1, declined 1, submitted 2, captured 1, wait 25 h, not_found 2, wait 1 h",
    ),
    (
        Status::Paid,
        "by the second, the first goes back",
        "a b, submitted 1, declined 1, submitted 2, captured 2, captured 1",
    ),
    (Status::Delivering, "within the hour", "a, submitted 1, captured 1, not_delivered"),
    (Status::Delivering, "after the hour", "a, submitted 1, captured 1, not_delivered, wait 1 h"),
    (
        Status::Delivering,
        "by hand, after the hour",
        "a by hand, submitted 1, captured 1, not_delivered, wait 1 h",
    ),
    (Status::DeliveryUnknown, "within the hour", "a, submitted 1, captured 1, delivery_unanswered"),
    (
        Status::DeliveryUnknown,
        "after the hour",
        "a, submitted 1, captured 1, delivery_unanswered, wait 1 h",
    ),
    (
        Status::DeliveryUnknown,
        "not found once that counts, an hour ago",
        "a, submitted 1, captured 1, delivery_unanswered, wait 1 h, top_up_not_found, wait 1 h",
    ),
    (Status::Refunding, "another amount was taken", "a, submitted 1, captured 1 for 9.01"),
    (
        Status::Refunding,
        "not delivered",
        "a, submitted 1, captured 1, not_delivered, wait 1 h, not_delivered",
    ),
    (
        Status::Refunding,
        "both captures go back",
        "a b, submitted 1, declined 1, submitted 2, captured 2, captured 1, wait 1 h, not_delivered",
    ),
    (Status::Done, "", "a, submitted 1, captured 1, delivered"),
    (
        Status::Done,
        "by the first, the second is on its way",
        "a b, submitted 1, declined 1, submitted 2, captured 1, delivered",
    ),
    (
        Status::Done,
        "a second payment goes back",
        "a, submitted 1, captured 1, delivered, captured 1 again",
    ),
    (Status::Failed, "declined", "a, submitted 1, declined 1 hard"),
    (
        Status::Failed,
        "never arrived",
        "a, submitted 1, unanswered 1, wait 25 h, not_found 1, wait 1 h, not_found 1",
    ),
    (Status::Failed, "a late capture goes back", "a, submitted 1, declined 1 hard, captured 1"),
    (Status::Cancelled, "before it was sent", "a, stopped"),
    (Status::Cancelled, "at the gateway", "a, submitted 1, stopped, payment_cancelled 1"),
    (
        Status::Refunded,
        "",
        "a, submitted 1, captured 1, not_delivered, wait 1 h, not_delivered, refunded 1",
    ),
    (
        Status::Refunded,
        "and delivered after all",
        "a, submitted 1, captured 1, not_delivered, wait 1 h, not_delivered, delivered, refunded 1",
    ),
];

/// A recharge as facts made it.
pub(super) struct Scene {
    /// As the file has it.
    pub path: String,
    /// In what respect it differs from others of the same status.
    pub respect: &'static str,
    pub recharge: Recharge,
    /// What was booked on the way.
    pub postings: Vec<Posting>,
    /// A minute after the last fact: when the next one comes.
    pub now: Instant,
}

impl Scene {
    /// `charging, stopped`.
    pub(super) fn title(&self) -> String {
        let status = super::row::name(&self.recharge.status);
        if self.respect.is_empty() { status } else { format!("{status}, {}", self.respect) }
    }
}

/// All scenes, each in the status that it is meant to show.
pub(super) fn scenes() -> Vec<Scene> {
    SPECS.iter().map(reach).collect()
}

fn reach((status, respect, path): &Spec) -> Scene {
    let mut words = path.split(", ");
    let opened = words.next().expect("methods");
    let by_hand = opened.ends_with("by hand");
    let names = opened.trim_end_matches(" by hand").split(' ');
    let ids: Vec<PaymentMethodId> =
        names.map(|name| PaymentMethodId::new(name).expect("an id")).collect();
    let methods: Vec<MethodFacts> = ids.iter().cloned().map(MethodFacts::card).collect();
    let order = Order {
        amount: money(PRICE),
        adds: Adds::Data { bytes: Bytes::GB, steps: 3, validity_days: 30 },
        payment_methods: ids,
        triggers: Vec::new(),
    };
    let line = LineId::new("line").expect("an id");
    let mut now = crate::cases::now();
    let version = (!by_hand).then_some(1);
    let mut recharge = Recharge::open(line, 1, version, order, &methods, &[], now).recharge;
    let mut postings = Vec::new();
    for word in words {
        if let Some(hours) = word.strip_prefix("wait ") {
            let hours = hours.strip_suffix(" h").expect("so many h").parse().expect("a number");
            now = now.plus(Span::hours(hours));
            continue;
        }
        let step = apply(recharge, &fact(word), now);
        assert!(!step.effects.is_empty(), "{word} does nothing in {path}");
        postings.extend(step.postings);
        recharge = step.recharge;
        now = now.plus(Span::minutes(1));
    }
    assert_eq!(recharge.status, *status, "{path}");
    Scene { path: (*path).to_owned(), respect, recharge, postings, now }
}

/// A fact from its words: its kind, the attempt's number, and what is special.
pub(super) fn fact(words: &str) -> Fact {
    let mut parts = words.splitn(3, ' ');
    let kind = parts.next().expect("a kind");
    let attempt = parts.next().map_or(0, |number| number.parse().expect("a number"));
    let special = parts.next().unwrap_or_default();
    match kind {
        "submitted" => Fact::Submitted { attempt },
        "withdrawn" => Fact::Withdrawn { attempt, reason: "not_due".to_owned() },
        "captured" => Fact::Captured {
            attempt,
            payment: format!("payment-{attempt}{}", if special == "again" { "-b" } else { "" }),
            amount: match special {
                "in USD" => usd(),
                _ => money(special.strip_prefix("for ").unwrap_or(PRICE)),
            },
        },
        "declined" => {
            Fact::Declined { attempt, code: "generic_decline".to_owned(), hard: special == "hard" }
        }
        "action_required" => Fact::ActionRequired {
            attempt,
            payment: format!("payment-{attempt}"),
            url: "http://127.0.0.1/confirm".to_owned(),
        },
        "unanswered" => Fact::Unanswered { attempt },
        "not_found" => Fact::NotFound { attempt },
        "payment_cancelled" => Fact::PaymentCancelled { attempt },
        "stopped" => Fact::Stopped,
        "delivered" => Fact::Delivered { top_up: "top-up".to_owned(), delivered_at: None },
        "not_delivered" => Fact::NotDelivered,
        "top_up_not_found" => Fact::TopUpNotFound,
        "delivery_unanswered" => Fact::DeliveryUnanswered,
        "refunded" => Fact::Refunded { attempt, refund: "refund".to_owned() },
        "refund_unanswered" => Fact::RefundUnanswered { attempt },
        other => panic!("what is {other:?}?"),
    }
}

fn usd() -> Money {
    Money::parse(PRICE, Currency::from_code("USD").expect("a currency")).expect("an amount")
}
