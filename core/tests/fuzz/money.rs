//! Facts about money in any order, and statements that say anything.

use super::edits::{Choices, edited};
use crate::cases::{money, now, world};
use crate::parity::Dice;
use crate::reconcile::world::World;
use laika_core::bytes::Bytes;
use laika_core::decide::{MethodFacts, Order};
use laika_core::id::{IdempotencyKey, LineId, PaymentMethodId};
use laika_core::ledger::{Book, Posting};
use laika_core::money::Money;
use laika_core::rail::Rail;
use laika_core::recharge::{self, Effect, Fact, Recharge};
use laika_core::reconcile::{Decisions, Payment, Statement, TopUp, reconcile};
use laika_core::returns::{self, DisputeStatus, RefundReason, ReturnEffect, ReturnFact, Returns};
use laika_core::rule::Adds;
use laika_core::time::{Instant, Span};
use std::collections::BTreeMap;

/// A fact about an attempt, most of them as they come, some as they should not.
fn fact(choices: &mut Choices<'_>) -> Option<Fact> {
    let kind = choices.next()?;
    let attempt = (kind / 16 % 4) as u32;
    let payment = || format!("pay_{attempt}");
    Some(match kind % 16 {
        0 => Fact::Submitted { attempt },
        1 => Fact::Withdrawn { attempt, reason: "cool_down".to_owned() },
        2 => Fact::Captured { attempt, payment: payment(), amount: money("9.00") },
        3 => Fact::Captured { attempt, payment: payment(), amount: money("8.00") },
        4 => Fact::Captured { attempt, payment: "another".to_owned(), amount: money("9.00") },
        5 => Fact::Declined { attempt, code: "expired".to_owned(), hard: kind > 127 },
        6 => Fact::ActionRequired { attempt, payment: payment(), url: "https://x".to_owned() },
        7 => Fact::Unanswered { attempt },
        8 => Fact::NotFound { attempt },
        9 => Fact::PaymentCancelled { attempt },
        10 => Fact::Stopped,
        11 => Fact::Delivered {
            top_up: "t".to_owned(),
            delivered_at: (kind > 127).then_some(Instant::MAX),
        },
        12 => Fact::NotDelivered,
        13 if kind > 127 => Fact::TopUpNotFound,
        13 => Fact::DeliveryUnanswered,
        14 => Fact::Refunded { attempt, refund: format!("re_{attempt}") },
        _ => Fact::RefundUnanswered { attempt },
    })
}

/// What each book has after these postings; together they have nothing.
fn book(books: &mut BTreeMap<(Book, String), i64>, postings: &[Posting]) {
    for posting in postings {
        let entries = posting.entries();
        assert_eq!(entries.iter().map(|(_, amount)| amount).sum::<i64>(), 0, "{posting:?}");
        for (book, amount) in entries {
            *books.entry((book, posting.quantity.unit())).or_default() += amount;
        }
    }
}

/// A recharge by up to three methods, on rails that the choices say.
fn open(choices: &mut Choices<'_>) -> Recharge {
    let (_, account, _) = world();
    let rails = [Rail::Card, Rail::AlipayCycle, Rail::WechatDeduction, Rail::OnSession];
    let count = choices.seed() as usize % 3 + 1;
    let methods: Vec<MethodFacts> = (0..count)
        .map(|number| {
            let id = PaymentMethodId::new(format!("m{number}")).expect("an id");
            MethodFacts { rail: rails[choices.seed() as usize % 4], ..MethodFacts::card(id) }
        })
        .collect();
    let order = Order {
        amount: money("9.00"),
        adds: Adds::Data { bytes: Bytes::GB, steps: 3, validity_days: 30 },
        payment_methods: methods.iter().map(|method| method.id.clone()).collect(),
        triggers: Vec::new(),
    };
    let version = (!choices.seed().is_multiple_of(4)).then_some(1);
    Recharge::open(account.line_id, 1, version, order, &methods, &[], now()).recharge
}

/// Any facts in any order, as late as they like: at most one grant, no attempt beyond the first
/// four, nothing sent after an end, and the books hold what was taken and not given back.
pub(super) fn recharge(bytes: &[u8]) {
    let choices = &mut Choices(bytes);
    let mut recharge = open(choices);
    let (mut at, mut grants, mut books) = (now(), 0, BTreeMap::new());
    while let Some(fact) = fact(choices) {
        let minutes = [0, 0, 1, 30, 61, 24 * 60 + 1, 72 * 60, 31 * 24 * 60];
        at = at.plus(Span::minutes(minutes[choices.seed() as usize % minutes.len()]));
        let ended = recharge.status.is_end();
        let before = recharge.clone();
        let step = recharge::apply(recharge, &fact, at);
        book(&mut books, &step.postings);
        grants += usize::from(step.grant.is_some());
        assert!(grants <= 1, "{fact:?} on {before:?}");
        assert!(!ended || step.recharge.status.is_end(), "{fact:?} on {before:?}");
        for due in &step.effects {
            let charges = matches!(due.effect, Effect::Charge { .. });
            assert!(!(ended && charges), "{fact:?} on {before:?}");
            assert!(!(before.stopped && charges), "{fact:?} on {before:?}");
        }
        recharge = step.recharge;
        // Why: the same fact again is no news.
        let twice = recharge::apply(recharge.clone(), &fact, at);
        assert!(twice.grant.is_none() && twice.postings.is_empty(), "{fact:?} on {recharge:?}");
    }
    let text = serde_json::to_string(&recharge).expect("JSON");
    assert_eq!(serde_json::from_str::<Recharge>(&text).expect("a recharge"), recharge);
    for attempt in 1..=recharge.attempts.len() as u32 {
        if let Some(run) = Returns::of(&recharge, attempt) {
            go_back(choices, run);
        }
    }
    hostile(bytes, &recharge);
}

/// A stored recharge in which anything was changed takes any fact.
fn hostile(bytes: &[u8], recharge: &Recharge) {
    let choices = &mut Choices(bytes.get(8..).unwrap_or_default());
    let Some(kind) = fact(choices) else { return };
    if let Some(changed) = edited(choices, recharge, &open(&mut Choices(bytes))) {
        let step = recharge::apply(changed, &kind, now().plus(Span::days(1)));
        book(&mut BTreeMap::new(), &step.postings);
    }
}

/// Refunds and disputes after the end: never more is asked back than was captured.
fn go_back(choices: &mut Choices<'_>, mut run: Returns) {
    let mut at = now();
    let captured = run.captured.amount_minor;
    let mut asked = run.returned_before_minor;
    while let Some(kind) = choices.next() {
        at = at.plus(Span::minutes((kind % 3) as i64 * 7));
        let amount = Money::new((kind / 6) as i64 * 25, run.captured.currency);
        let number = (kind / 16) as u32 % 4;
        let key = run.refunds.get(number as usize).and_then(|r| r.idempotency_key.clone());
        let foreign = || IdempotencyKey::of_attempt(&run.recharge_id, 1);
        let fact = match kind % 6 {
            0 => ReturnFact::RefundAsked { amount, why: RefundReason::Operator },
            1 => ReturnFact::Refunded { key, refund: format!("re_{number}"), amount },
            2 => ReturnFact::Refunded { key: Some(foreign()), refund: "re".to_owned(), amount },
            3 => ReturnFact::RefundUnanswered { number },
            4 => ReturnFact::RefundFailed { number, code: "no".to_owned() },
            _ => {
                use DisputeStatus::{Inquiry, Lost, Open, Won};
                let status = [Open, Won, Lost, Inquiry][kind / 8 % 4];
                ReturnFact::Disputed {
                    dispute: format!("dp_{}", number % 2),
                    amount,
                    status,
                    instead: false,
                }
            }
        };
        let left = run.refundable_minor();
        let step = returns::apply(run, &fact, at);
        book(&mut BTreeMap::new(), &step.postings);
        assert!((0..=captured).contains(&step.returns.refundable_minor()), "{fact:?}");
        let sends = |due: &&returns::ReturnDue| matches!(due.effect, ReturnEffect::Refund { .. });
        if let ReturnFact::RefundAsked { amount, .. } = &fact {
            let sent = step.effects.iter().find(sends).is_some();
            assert!(!sent || amount.amount_minor <= left, "{fact:?}: {left} left");
            asked += if sent { amount.amount_minor } else { 0 };
        }
        run = step.returns;
    }
    let failed: i64 = run
        .refunds
        .iter()
        .filter(|refund| refund.status == returns::RefundStatus::Failed)
        .map(|refund| refund.amount.amount_minor)
        .sum();
    assert!(asked - failed <= captured, "{run:?}");
}

/// Statements in which anything was changed are compared; the order of their rows says nothing.
pub(super) fn reconciliation(bytes: &[u8]) {
    type Sides = (Decisions, Statement<Payment>, Statement<TopUp>);
    let choices = &mut Choices(bytes);
    let made = |seed: u64| -> (Sides, _) {
        let line = LineId::new("line").expect("an id");
        let World { decisions, gateway, carrier, end } = World::new(&mut Dice(seed), line, 3);
        ((decisions, gateway, carrier), end)
    };
    let seed = choices.seed();
    let ((one, end), (other, _)) = (made(seed), made(seed + 1));
    let Some((mut decisions, mut gateway, mut carrier)) = edited(choices, &one, &other) else {
        return;
    };
    let as_of = end.plus(Span::days(2));
    let found = reconcile(&decisions, &gateway, &carrier, as_of);
    decisions.recharges.reverse();
    decisions.barriers.reverse();
    gateway.rows.reverse();
    carrier.rows.reverse();
    assert_eq!(reconcile(&decisions, &gateway, &carrier, as_of), found);
    for difference in found.into_iter().flat_map(|found| found.differences) {
        let text = serde_json::to_string(&difference).expect("JSON");
        assert_eq!(serde_json::from_str(&text).ok(), Some(difference));
    }
}
