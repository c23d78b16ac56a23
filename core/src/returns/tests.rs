//! Claims about what goes back: never more than was captured on our own account, each report once,
//! and the same books whatever order the gateway reports in.

use super::*;
use crate::bytes::Bytes;
use crate::decide::{MethodFacts, Order};
use crate::id::{LineId, PaymentMethodId};
use crate::ledger::Quantity;
use crate::money::Currency;
use crate::recharge::{self, Fact};
use crate::rule::Adds;

fn eur(minor: i64) -> Money {
    Money::new(minor, Currency::from_code("EUR").unwrap_or_else(|| unreachable!()))
}

fn at(minute: i64) -> Instant {
    Instant::from_seconds(1_800_000_000).plus(Span::minutes(minute))
}

fn paid() -> Returns {
    Returns {
        recharge_id: RechargeId::new("line-r1").unwrap_or_else(|| unreachable!()),
        attempt: 1,
        payment: "pay-1".to_owned(),
        captured: eur(900),
        returned_before_minor: 0,
        refunds: Vec::new(),
        disputes: Vec::new(),
    }
}

fn ask(minor: i64) -> ReturnFact {
    ReturnFact::RefundAsked { amount: eur(minor), why: RefundReason::Operator }
}

fn key(number: u32) -> Option<IdempotencyKey> {
    let recharge = RechargeId::new("line-r1").unwrap_or_else(|| unreachable!());
    Some(IdempotencyKey::of_later_refund(&recharge, 1, number))
}

fn done(number: u32, minor: i64) -> ReturnFact {
    ReturnFact::Refunded { key: key(number), refund: format!("re-{number}"), amount: eur(minor) }
}

fn dispute(status: DisputeStatus) -> ReturnFact {
    ReturnFact::Disputed { dispute: "dp-1".to_owned(), amount: eur(900), status, instead: false }
}

/// Takes all facts in; gives the payment and what each book holds in the end.
fn run(facts: &[ReturnFact]) -> (Returns, Vec<(Book, i64)>) {
    let mut returns = paid();
    let mut books: Vec<(Book, i64)> = Vec::new();
    for (fact, minute) in facts.iter().zip(0..) {
        let step = apply(returns, fact, at(minute));
        for (book, minor) in step.postings.iter().flat_map(Posting::entries) {
            match books.iter_mut().find(|(known, _)| *known == book) {
                Some((_, sum)) => *sum += minor,
                None => books.push((book, minor)),
            }
        }
        assert!(step.postings.iter().all(|p| matches!(p.quantity, Quantity::Money(_))));
        returns = step.returns;
    }
    books.retain(|(_, sum)| *sum != 0);
    books.sort_unstable();
    (returns, books)
}

#[test]
fn a_dispute_about_money_that_goes_back_anyway_moves_nothing() {
    let about = |status, instead| ReturnFact::Disputed {
        dispute: "dp-1".to_owned(),
        amount: eur(900),
        status,
        instead,
    };
    for end in [DisputeStatus::Won, DisputeStatus::Lost] {
        let (returns, books) = run(&[about(DisputeStatus::Open, true), about(end, true)]);
        assert_eq!((books, returns.kept_minor()), (vec![], 900), "{end:?}");
        assert!(!returns.is_disputed());
    }
    // The refund came through before the bank decided: what it takes is taken a second time.
    let both = run(&[about(DisputeStatus::Open, true), about(DisputeStatus::Lost, false)]);
    assert_eq!((both.1, both.0.kept_minor()), (run(&[about(DisputeStatus::Lost, false)]).1, 0));
    let (returns, _) = run(&[about(DisputeStatus::Open, true)]);
    assert!(returns.is_disputed(), "the rule waits all the same");
}

#[test]
fn refunds_never_exceed_the_capture() {
    let (returns, _) = run(&[ask(500), ask(401), ask(400), ask(1)]);
    let asked: Vec<i64> = returns.refunds.iter().map(|r| r.amount.amount_minor).collect();
    assert_eq!((asked, returns.refundable_minor()), (vec![500, 400], 0));
    let (returns, _) = run(&[ask(0), ask(-5)]);
    assert!(returns.refunds.is_empty());
    let failed = ReturnFact::RefundFailed { number: 1, code: "expired".to_owned() };
    let (returns, _) = run(&[ask(900), failed, ask(900)]);
    assert_eq!(returns.refunds.len(), 2, "a refund that failed frees its amount");
}

#[test]
fn what_the_recharge_gave_back_is_not_refunded_again() {
    let returns = Returns { returned_before_minor: 900, ..paid() };
    assert!(apply(returns, &ask(1), at(0)).effects.is_empty());
}

#[test]
fn a_refund_is_booked_once_however_often_it_is_reported() {
    let facts = [ask(300), done(1, 300), done(1, 300), ReturnFact::RefundUnanswered { number: 1 }];
    let (returns, books) = run(&facts);
    assert_eq!(books, [(Book::Customer, 300), (Book::Sales, -300)]);
    assert_eq!(returns.refunds.first().map(|r| r.status), Some(RefundStatus::Done), "ends stay");
}

#[test]
fn a_refund_without_an_answer_is_sent_again_under_its_key() {
    let step = apply(paid(), &ask(300), at(0));
    let sent = step.returns.refunds.first().and_then(|r| r.idempotency_key.clone());
    let step = apply(step.returns, &ReturnFact::RefundUnanswered { number: 1 }, at(1));
    let again = ReturnDue { at: at(6), effect: ReturnEffect::Refund { number: 1 } };
    assert_eq!(step.effects, [again]);
    assert_eq!(step.returns.refunds.first().and_then(|r| r.idempotency_key.clone()), sent);
}

#[test]
fn a_refund_made_at_the_gateway_is_seen() {
    let seen = ReturnFact::Refunded { key: None, refund: "re-x".to_owned(), amount: eur(200) };
    let (returns, books) = run(&[seen.clone(), seen]);
    assert_eq!(books, [(Book::Customer, 200), (Book::Sales, -200)]);
    assert_eq!(returns.refundable_minor(), 700);
}

#[test]
fn disputes_and_reinstatements_net_in_any_order() {
    use DisputeStatus::{Lost, Open, Won};
    assert_eq!(run(&[dispute(Open), dispute(Won)]).1, []);
    assert_eq!(run(&[dispute(Won), dispute(Open)]).1, [], "the report of the opening came late");
    let lost = [(Book::Customer, 900), (Book::Sales, -900)];
    assert_eq!(run(&[dispute(Open), dispute(Open), dispute(Lost)]).1, lost);
    assert_eq!(run(&[dispute(Lost), dispute(Open)]).1, lost);
    assert!(run(&[dispute(Open)]).0.is_disputed());
    assert!(!run(&[dispute(Won), dispute(Open)]).0.is_disputed());
    assert_eq!(run(&[dispute(Open)]).1, [(Book::Sales, -900), (Book::Disputed, 900)]);
}

#[test]
fn an_inquiry_holds_the_rule_and_no_money() {
    use DisputeStatus::{Inquiry, Lost, Open, Won};
    let step = apply(paid(), &dispute(Inquiry), at(0));
    assert_eq!((step.postings.as_slice(), step.returns.is_disputed()), ([].as_slice(), true));
    assert_eq!((step.returns.kept_minor(), step.returns.refundable_minor()), (900, 900));
    assert_eq!(run(&[dispute(Inquiry), dispute(Won)]).1, []);
    assert_eq!(run(&[dispute(Inquiry), ask(900), done(1, 900), dispute(Won)]).0.kept_minor(), 0);
    for facts in [[Inquiry, Open, Lost], [Open, Inquiry, Lost], [Lost, Open, Inquiry]] {
        let (returns, books) = run(&facts.map(dispute));
        assert_eq!(books, [(Book::Customer, 900), (Book::Sales, -900)], "{facts:?}");
        assert!(!returns.is_disputed());
    }
    let step = apply(step.returns, &dispute(Open), at(1));
    let told = step.effects.iter().filter(|d| matches!(d.effect, ReturnEffect::TellDispute { .. }));
    let alerts = step.effects.iter().filter(|d| matches!(d.effect, ReturnEffect::Alert { .. }));
    assert_eq!((told.count(), alerts.count()), (0, 1), "told already; there is more to answer now");
}

#[test]
fn a_lost_dispute_may_yet_be_won() {
    use DisputeStatus::{Lost, Open, Won};
    let (returns, books) = run(&[dispute(Open), dispute(Lost), dispute(Won), dispute(Lost)]);
    assert_eq!((books, returns.kept_minor()), (vec![], 900));
    let step = apply(run(&[dispute(Lost)]).0, &dispute(Won), at(1));
    let alert = ReturnEffect::Alert { why: ReturnAlert::DisputeTurned };
    assert!(step.effects.iter().any(|due| due.effect == alert), "{:?}", step.effects);
}

#[test]
fn what_the_bank_takes_from_the_customer_again_is_refunded() {
    let about = |status, instead| ReturnFact::Disputed {
        dispute: "dp-1".to_owned(),
        amount: eur(900),
        status,
        instead,
    };
    // The recharge owed it, and the bank's decision was its refund.
    let owed = Returns { returned_before_minor: 900, ..paid() };
    let lost = apply(owed, &about(DisputeStatus::Lost, true), at(0));
    assert_eq!((lost.postings.as_slice(), lost.returns.kept_minor()), ([].as_slice(), 0));
    // While the recharge still gives it back, that refund is the one.
    let still = apply(lost.returns.clone(), &about(DisputeStatus::Won, true), at(1));
    assert!(still.postings.is_empty() && still.returns.refunds.is_empty());
    let won = apply(lost.returns, &about(DisputeStatus::Won, false), at(1));
    assert_eq!(won.postings, [Posting::money(Book::Customer, Book::Sales, eur(900))]);
    let refund = ReturnEffect::Refund { number: 1 };
    assert!(won.effects.iter().any(|due| due.effect == refund), "{:?}", won.effects);
    let back = apply(won.returns, &done(1, 900), at(2)).returns;
    assert_eq!((back.kept_minor(), back.refundable_minor()), (0, 0));
}

#[test]
fn a_disputed_payment_is_not_refunded_as_well() {
    let (returns, _) = run(&[dispute(DisputeStatus::Open), ask(1)]);
    assert!(returns.refunds.is_empty());
    let step = apply(run(&[ask(900), done(1, 900)]).0, &dispute(DisputeStatus::Open), at(9));
    let alerts = step
        .effects
        .iter()
        .filter(|d| matches!(d.effect, ReturnEffect::Alert { why: ReturnAlert::ReturnedTwice }));
    assert_eq!(alerts.count(), 1, "refunded and disputed: somebody has to look");
}

#[test]
fn two_payments_of_one_attempt_go_back_under_two_keys() {
    let method = MethodFacts::card(PaymentMethodId::new("card").unwrap_or_else(|| unreachable!()));
    let order = Order {
        amount: eur(900),
        adds: Adds::Data { bytes: Bytes::GB, steps: 3, validity_days: 30 },
        payment_methods: vec![method.id.clone()],
        triggers: Vec::new(),
    };
    let line = LineId::new("line").unwrap_or_else(|| unreachable!());
    let captured = |payment: &str| Fact::Captured {
        attempt: 1,
        payment: payment.to_owned(),
        amount: eur(900),
    };
    let submitted = Fact::Submitted { attempt: 1 };
    let delivered = Fact::Delivered { top_up: "top-up".to_owned(), delivered_at: None };
    let mut recharge = Recharge::open(line, 1, Some(1), order, &[method], &[], at(0)).recharge;
    for fact in [submitted, captured("pay-1"), delivered, captured("pay-2")] {
        recharge = recharge::apply(recharge, &fact, at(1)).recharge;
    }
    let all: Vec<Returns> = (1..=3).filter_map(|n| Returns::of(&recharge, n)).collect();
    let payments: Vec<&str> = all.iter().map(|returns| returns.payment.as_str()).collect();
    assert_eq!(payments, ["pay-1", "pay-2"]);
    // The second is the recharge's own to give back, under its key; the first may follow later.
    let left: Vec<i64> = all.iter().map(Returns::refundable_minor).collect();
    assert_eq!((left, recharge.goes_back(2)), (vec![900, 0], true));
    let later = all.first().map(|first| apply(first.clone(), &ask(900), at(2)).returns.refunds);
    let later = later.and_then(|refunds| refunds.first()?.idempotency_key.clone());
    assert_eq!(later, key(1));
    assert_ne!(later, Some(IdempotencyKey::of_refund(&recharge.id, 2)));
}
