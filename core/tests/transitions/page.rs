//! The page `docs/recharge.md`: a diagram of the statuses and, for each, what it means, what the
//! customer sees and hears, what the server does next. All of it from the rows of the table and
//! from core's own sentences, so it cannot say anything else than the machine does.

use super::row::{Row, kind, name};
use super::scene::{PRICE, scenes};
use super::{Fact, Status};
use crate::cases::{money, now, zone};
use laika_core::api::Language;
use laika_core::bytes::Bytes;
use laika_core::decide::{Reason, Standing};
use laika_core::recharge::{Effect, News};
use laika_core::rule::Adds;
use laika_core::say::Speech;
use laika_core::time::Span;
use std::collections::{BTreeMap, BTreeSet};

/// In the order in which a recharge goes.
pub(super) const ALL: [Status; 13] = [
    Status::Opened,
    Status::Charging,
    Status::Declined,
    Status::NeedsCustomer,
    Status::Unknown,
    Status::Paid,
    Status::Delivering,
    Status::DeliveryUnknown,
    Status::Refunding,
    Status::Done,
    Status::Failed,
    Status::Cancelled,
    Status::Refunded,
];

const HEAD: &str = "\
<!-- Generated from tests/cases/recharge.txt's rows; not to be edited. It is written anew by
     LAIKA_REWRITE=1 cargo test -p laika-core --test all transitions -->

# How a recharge goes

`core/src/recharge.rs` carries a decision out: `apply(recharge, fact, now)` gives the next status,
what moves in the books and what is to be done. Facts come from answers, webhooks and look-ups
alike; one that was heard before, or that no longer matters, changes nothing. Every status with
every fact is a row of [the table](../tests/cases/recharge.txt); this page is made of its rows.

";

/// What a status means, in a sentence.
fn meaning(status: Status) -> &'static str {
    match status {
        Status::Opened => {
            "Decided, its money reserved, its first attempt planned; nothing is sent."
        }
        Status::Charging => "An attempt was recorded and sent; its answer is awaited.",
        Status::Declined => {
            "The last attempt definitely failed and the next one is planned: with the next method \
             at once, or on the next rung of the ladder (1 h, 2 h, 4 h)."
        }
        Status::NeedsCustomer => {
            "The bank or the wallet wants the customer; a link is open for 24 h, by hand for 1 h. \
             Heard of only 2 h after it was sent, by hand 1 h, the payment is cancelled instead."
        }
        Status::Unknown => {
            "Sent, and nobody knows what became of it. It is looked up, and sent again only under \
             the same key and only within 20 h; nothing else is charged for the line meanwhile."
        }
        Status::Paid => "The money was taken, exactly as agreed; the carrier is asked next.",
        Status::Delivering => {
            "The carrier refused or had nothing yet; it is asked again for an hour."
        }
        Status::DeliveryUnknown => {
            "The carrier was asked and did not answer. It is looked up; the money stays until it is \
             certain that nothing was delivered."
        }
        Status::Refunding => "It was not delivered, or not charged as agreed: the money goes back.",
        Status::Done => "Charged once, delivered once, credited once.",
        Status::Failed => "Definitely not charged; its reservation is free again.",
        Status::Cancelled => {
            "Ended before anything was charged: switched off, changed, or no longer needed when \
             decided again before sending."
        }
        Status::Refunded => "Charged and given back in full.",
    }
}

/// What the server does about an effect.
fn does(effect: &Effect) -> Option<&'static str> {
    Some(match effect {
        Effect::Charge { .. } => "decides again, records the submission and charges the attempt",
        Effect::LookUpPayment { .. } => "looks the payment up, by key and by listing",
        Effect::CancelPayment { .. } => "has the gateway cancel the payment",
        Effect::TopUp => "asks the carrier to deliver, under the recharge's one key",
        Effect::LookUpTopUp => "looks the top-up up at the carrier",
        Effect::Refund { .. } => "gives the capture back in full",
        Effect::Bar { .. } => "never charges this instrument for this rule again",
        Effect::Suspend { .. } => "suspends the rule until the customer acts",
        Effect::Evaluate => "looks at the line again",
        Effect::Tell { .. } => return None,
    })
}

/// A fact without its number: what an arrow of the diagram says.
fn arrow(row: &Row) -> String {
    let last = row.step.recharge.facts.last().map(|seen| &seen.fact);
    let fact = last.expect("a fact that changes a status is in the log");
    let what = kind(fact).replace('_', " ");
    if matches!(fact, Fact::Captured { amount, .. } if *amount != money(PRICE)) {
        what + " (another amount)"
    } else if matches!(fact, Fact::Declined { hard: true, .. }) {
        what + " (hard)"
    } else {
        what
    }
}

/// Arrows between statuses with what makes them, in the order of the table.
fn arrows(rows: &[Row]) -> BTreeMap<(usize, usize), Vec<String>> {
    let place = |status: Status| ALL.iter().position(|s| *s == status).expect("every status");
    let mut found: BTreeMap<(usize, usize), Vec<String>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.from != row.step.recharge.status) {
        let says = found.entry((place(row.from), place(row.step.recharge.status))).or_default();
        let arrow = arrow(row);
        if !says.contains(&arrow) {
            says.push(arrow);
        }
    }
    found
}

fn diagram(rows: &[Row]) -> String {
    let mut text = "```mermaid\nstateDiagram-v2\n    [*] --> opened\n".to_owned();
    for ((from, to), says) in arrows(rows) {
        let (from, to) = (name(&ALL[from]), name(&ALL[to]));
        text.push_str(&format!("    {from} --> {to}: {}\n", says.join(", ")));
    }
    for end in ALL.iter().filter(|status| status.is_end()) {
        text.push_str(&format!("    {} --> [*]\n", name(end)));
    }
    text + "```\n"
}

/// The same sentence in both languages.
fn both(say: impl Fn(&Speech<'_>) -> String) -> String {
    let zone = zone("Europe/Madrid");
    let said = [Language::En, Language::ZhCn]
        .map(|language| say(&Speech { language, zone: &zone, now: now() }));
    said.join(" · ")
}

/// What the line's page says of the rule as long as this recharge stands so.
fn on_the_page(status: Status) -> Option<String> {
    let unknown = match status.standing() {
        Standing::Open => false,
        Standing::Unknown => true,
        Standing::Spent | Standing::Released => return None,
    };
    let since = now().minus(Span::minutes(5));
    Some(both(|speech| speech.reason(&Reason::RechargeOpen { since, unknown })))
}

fn told(news: &News) -> String {
    let adds = Adds::Data { bytes: Bytes::GB, steps: 3, validity_days: 30 };
    both(|speech| speech.news(news, money(PRICE), adds))
}

fn section(status: Status, rows: &[Row]) -> String {
    let chip = both(|speech| speech.status(status).to_owned());
    let mut text = format!("\n## {}\n\n{}\n\n", name(&status), meaning(status));
    text.push_str(&format!("- **The customer sees**: {chip}.\n"));
    if let Some(page) = on_the_page(status) {
        text.push_str(&format!("- **The rule's page says**: {page}\n"));
    }
    let enters = |row: &&Row| row.from != status && row.step.recharge.status == status;
    let (mut seen, mut does_next) = (BTreeSet::new(), Vec::new());
    for due in rows.iter().filter(enters).flat_map(|row| &row.step.effects) {
        does_next.extend(does(&due.effect).filter(|does| !does_next.contains(does)));
        let Effect::Tell { news } = &due.effect else { continue };
        let again = matches!(news, News::Declined { next_try_at: Some(_) });
        if seen.insert((kind(news), again)) {
            text.push_str(&format!("- **The customer hears**: {}\n", told(news)));
        }
    }
    if status == Status::Opened {
        does_next.extend(does(&Effect::Charge { attempt: 1 }));
    }
    if !does_next.is_empty() {
        text.push_str(&format!("- **The server then**: {}.\n", does_next.join("; ")));
    }
    let place = ALL.iter().position(|s| *s == status).expect("every status");
    let next = arrows(rows).into_iter().filter(|((from, _), _)| *from == place);
    let next: Vec<String> =
        next.map(|((_, to), says)| format!("`{}` ({})", name(&ALL[to]), says.join(", "))).collect();
    if next.is_empty() {
        text.push_str("- **Nothing** leads on: it stays.\n");
    } else {
        text.push_str(&format!("- **Leads to**: {}.\n", next.join("; ")));
    }
    text
}

/// The whole page.
pub(super) fn page() -> String {
    let rows: Vec<Row> = scenes().iter().flat_map(super::rows).collect();
    let mut text = HEAD.to_owned() + &diagram(&rows);
    text.extend(ALL.iter().map(|status| section(*status, &rows)));
    text
}
