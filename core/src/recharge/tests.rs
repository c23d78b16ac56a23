//! Claims about `apply`: what each fact leads to, and that nothing is ever charged on doubt.

use super::*;
use crate::bytes::Bytes;
use crate::decide::{Suspension, TriggerDue};
use crate::ledger::{Book, Quantity};
use crate::money::Currency;
use crate::rule::Adds;

fn at(minute: i64) -> Instant {
    Instant::from_seconds(1_800_000_000_i64.saturating_add(minute.saturating_mul(60)))
}

fn eur(amount_minor: i64) -> Money {
    Money::new(amount_minor, Currency::from_code("EUR").unwrap_or_else(|| unreachable!()))
}

fn method(name: &str) -> PaymentMethodId {
    PaymentMethodId::new(name).unwrap_or_else(|| unreachable!())
}

fn opened(methods: &[&str]) -> Recharge {
    let order = Order {
        amount: eur(900),
        adds: Adds::Data { bytes: Bytes::GB, steps: 3, validity_days: 30 },
        payment_methods: methods.iter().map(|m| method(m)).collect(),
        triggers: Vec::new(),
    };
    let line = LineId::new("line").unwrap_or_else(|| unreachable!());
    let known: Vec<MethodFacts> = methods.iter().map(|m| MethodFacts::card(method(m))).collect();
    Recharge::open(line, 1, Some(1), order, &known, &[], at(0)).recharge
}

/// Takes in facts one minute apart from `minute` on; gives the last step.
fn run(recharge: Recharge, minute: i64, facts: &[Fact]) -> Step {
    let mut step = Step::unchanged(recharge);
    for (fact, minute) in facts.iter().zip(minute..) {
        step = apply(step.recharge, fact, at(minute));
    }
    step
}

fn submitted(attempt: u32) -> Fact {
    Fact::Submitted { attempt }
}

fn captured(attempt: u32) -> Fact {
    Fact::Captured { attempt, payment: format!("pay-{attempt}"), amount: eur(900) }
}

fn declined(attempt: u32, hard: bool) -> Fact {
    Fact::Declined { attempt, code: "generic_decline".to_owned(), hard }
}

fn delivered() -> Fact {
    Fact::Delivered { top_up: "t".to_owned(), delivered_at: None }
}

fn has(step: &Step, effect: &Effect) -> bool {
    step.effects.iter().any(|due| due.effect == *effect)
}

#[test]
fn charged_delivered_credited() {
    let step = run(opened(&["a"]), 0, &[submitted(1), captured(1)]);
    assert_eq!((step.recharge.status, has(&step, &Effect::TopUp)), (Status::Paid, true));
    let step = run(step.recharge, 2, &[delivered()]);
    assert_eq!(step.recharge.status, Status::Done);
    assert_eq!(step.grant.map(|g| g.expires_at), Some(Some(at(2).plus(Span::days(30)))));
}

#[test]
fn data_is_valid_from_when_the_carrier_gave_it() {
    let paid = run(opened(&["a"]), 0, &[submitted(1), captured(1)]).recharge;
    // It was asked after minute 1, where the money came, and answers at minute 9.
    for (given, valid_from) in [(None, 9), (Some(5), 5), (Some(12), 9), (Some(0), 1)] {
        let delivered_at = given.map(at);
        let fact = Fact::Delivered { top_up: "t".to_owned(), delivered_at };
        let expires_at = apply(paid.clone(), &fact, at(9)).grant.map(|grant| grant.expires_at);
        assert_eq!(expires_at, Some(Some(at(valid_from).plus(Span::days(30)))), "{given:?}");
    }
}

#[test]
fn a_repeated_fact_changes_nothing() {
    let facts = [submitted(1), captured(1), delivered()];
    let done = run(opened(&["a"]), 0, &facts).recharge;
    for fact in [captured(1), delivered(), declined(1, false), Fact::Stopped, submitted(1)] {
        let again = apply(done.clone(), &fact, at(9));
        assert_eq!(again, Step::unchanged(done.clone()), "{fact:?}");
    }
}

#[test]
fn no_answer_is_looked_up_and_never_charged_anew() {
    let step = run(opened(&["a", "b"]), 0, &[submitted(1), Fact::Unanswered { attempt: 1 }]);
    assert_eq!(step.recharge.status, Status::Unknown);
    assert_eq!(step.recharge.attempts.len(), 1, "no fallback while unknown");
    assert!(has(&step, &Effect::LookUpPayment { attempt: 1 }));
    let step = apply(step.recharge, &Fact::NotFound { attempt: 1 }, at(5));
    assert!(has(&step, &Effect::Charge { attempt: 1 }), "the same attempt, the same key");
    assert_eq!(step.recharge.attempts.len(), 1);
}

#[test]
fn what_is_sent_again_without_an_answer_waits_for_its_next_look() {
    let unheard = Fact::Unanswered { attempt: 1 };
    let mut recharge = run(opened(&["a"]), 0, &[submitted(1), unheard.clone()]).recharge;
    let cancel = Effect::CancelPayment { attempt: 1 };
    for hour in 3..19 {
        // Nothing is there, it is sent again under its key, and is not answered again.
        recharge = apply(recharge, &Fact::NotFound { attempt: 1 }, at(hour * 60)).recharge;
        recharge = apply(recharge, &submitted(1), at(hour * 60)).recharge;
        let step = apply(recharge, &unheard, at(hour * 60 + 1));
        let next = step.effects.iter().map(|due| due.at).min();
        assert_eq!(next, Some(at(hour * 60 + 61)), "hour {hour}: {:?}", step.effects);
        recharge = step.recharge;
    }
    let late = apply(recharge, &unheard, at(20 * 60 + 1));
    assert!(has(&late, &cancel), "two hours after it was sent");
}

#[test]
fn not_found_counts_after_a_day_and_twice() {
    let facts = [submitted(1), Fact::Unanswered { attempt: 1 }, Fact::Stopped];
    let stopped = run(opened(&["a"]), 0, &facts).recharge;
    let not_found = Fact::NotFound { attempt: 1 };
    let day = 24 * 60;
    let early = apply(stopped, &not_found, at(day - 1));
    assert_eq!(early.recharge.status, Status::Unknown);
    let once = apply(early.recharge, &not_found, at(day + 1));
    assert_eq!(once.recharge.status, Status::Unknown);
    let soon = apply(once.recharge, &not_found, at(day + 30));
    assert_eq!(soon.recharge.status, Status::Unknown);
    let twice = apply(soon.recharge, &not_found, at(day + 61));
    assert_eq!(twice.recharge.status, Status::Failed);
    let late = apply(twice.recharge, &captured(1), at(day + 90));
    assert_eq!(late.recharge.status, Status::Failed, "ends stay");
    assert!(has(&late, &Effect::Refund { attempt: 1 }), "a capture found later goes back");
}

#[test]
fn a_soft_decline_tries_the_next_method_then_the_ladder() {
    let step = run(opened(&["a", "b"]), 0, &[submitted(1), declined(1, false)]);
    assert!(has(&step, &Effect::Charge { attempt: 2 }));
    assert_eq!(step.recharge.attempt(2).map(|a| a.payment_method_id.as_str()), Some("b"));
    let mut step = run(step.recharge, 2, &[submitted(2), declined(2, false)]);
    for (attempt, minutes) in [(3, 61), (5, 121), (7, 241)] {
        let due = step.effects.iter().find(|d| d.effect == Effect::Charge { attempt });
        assert_eq!(due.map(|d| d.at), Some(at(minutes)), "attempt {attempt}");
        let next = attempt + 1;
        let facts =
            [submitted(attempt), declined(attempt, false), submitted(next), declined(next, false)];
        step = run(step.recharge, minutes, &facts);
    }
    assert_eq!(step.recharge.status, Status::Failed);
    assert!(has(&step, &Effect::Suspend { why: Suspension::Declined }));
    assert_eq!(step.recharge.attempts.len(), 8);
}

#[test]
fn a_hard_decline_never_tries_that_method_again() {
    let step = run(opened(&["a"]), 0, &[submitted(1), declined(1, true)]);
    assert_eq!(step.recharge.status, Status::Failed);
    assert!(has(&step, &Effect::Bar { payment_method_id: method("a") }));
}

#[test]
fn authentication_cancels_and_goes_on_or_waits_for_the_customer() {
    let action = |attempt| Fact::ActionRequired {
        attempt,
        payment: "p".to_owned(),
        url: "http://127.0.0.1/".to_owned(),
    };
    let step = run(opened(&["a", "b"]), 0, &[submitted(1), action(1)]);
    assert!(has(&step, &Effect::CancelPayment { attempt: 1 }));
    assert_eq!(step.recharge.attempts.len(), 1, "not before the cancel is confirmed");
    let step = apply(step.recharge, &Fact::PaymentCancelled { attempt: 1 }, at(2));
    assert!(has(&step, &Effect::Charge { attempt: 2 }));
    let step = run(step.recharge, 3, &[submitted(2), action(2)]);
    assert_eq!(step.recharge.status, Status::NeedsCustomer);
    let paid = apply(step.recharge.clone(), &captured(2), at(9));
    assert_eq!(paid.recharge.status, Status::Paid, "the customer came");
    let ignored = apply(step.recharge, &Fact::PaymentCancelled { attempt: 2 }, at(24 * 60 + 4));
    assert_eq!(ignored.recharge.status, Status::Failed);
    assert!(has(&ignored, &Effect::Suspend { why: Suspension::CustomerNeeded }));
}

#[test]
fn a_link_heard_of_when_the_payment_is_given_up_is_cancelled() {
    let asked = Fact::ActionRequired {
        attempt: 1,
        payment: "p".to_owned(),
        url: "http://127.0.0.1/".to_owned(),
    };
    let sent = [submitted(1), Fact::Unanswered { attempt: 1 }];
    for (by_hand, minutes) in [(false, 120), (true, 60)] {
        let mut unknown = opened(&["a"]);
        if by_hand {
            unknown.rule_version = None;
        }
        let unknown = run(unknown, 0, &sent).recharge;
        let in_time = apply(unknown.clone(), &asked, at(minutes - 1)).recharge;
        assert_eq!(in_time.status, Status::NeedsCustomer);
        let late = apply(unknown, &asked, at(minutes));
        assert_eq!((late.recharge.status, late.recharge.link()), (Status::Charging, None));
        assert!(has(&late, &Effect::CancelPayment { attempt: 1 }));
        let cancelled = Fact::PaymentCancelled { attempt: 1 };
        let over = apply(late.recharge, &cancelled, at(minutes + 1));
        let next = if by_hand { Status::Failed } else { Status::Declined };
        assert_eq!(over.recharge.status, next, "its method has failed");
        assert!(!has(&over, &Effect::Suspend { why: Suspension::CustomerNeeded }));
    }
}

#[test]
fn a_link_lives_a_day_for_a_rule_and_an_hour_for_a_purchase_by_hand() {
    let asked = Fact::ActionRequired {
        attempt: 1,
        payment: "p".to_owned(),
        url: "http://127.0.0.1/".to_owned(),
    };
    for (by_hand, minutes) in [(false, 24 * 60), (true, 60)] {
        let mut recharge = opened(&["a"]);
        if by_hand {
            recharge.rule_version = None;
        }
        assert_eq!(recharge.link(), None);
        let step = run(recharge, 0, &[submitted(1), asked.clone()]);
        assert_eq!(step.recharge.link(), Some(("http://127.0.0.1/", at(1 + minutes))));
        let cancel = Effect::CancelPayment { attempt: 1 };
        let dies = step.effects.iter().find(|due| due.effect == cancel).map(|due| due.at);
        assert_eq!(dies, Some(at(1 + minutes)));
        let paid = apply(step.recharge, &captured(1), at(2));
        assert_eq!(paid.recharge.link(), None);
    }
}

#[test]
fn off_means_nothing_new_is_sent() {
    let fresh = apply(opened(&["a"]), &Fact::Stopped, at(1));
    assert_eq!(fresh.recharge.status, Status::Cancelled);
    assert!(!apply(fresh.recharge, &submitted(1), at(2)).recharge.attempts.is_empty());
    let sent = run(opened(&["a", "b"]), 0, &[submitted(1), Fact::Stopped]);
    assert!(has(&sent, &Effect::CancelPayment { attempt: 1 }));
    let declined = apply(sent.recharge, &declined(1, false), at(3));
    assert_eq!(declined.recharge.status, Status::Failed, "no next method after off");
    assert!(!has(&declined, &Effect::Suspend { why: Suspension::Declined }));
}

#[test]
fn another_amount_goes_back() {
    let wrong = Fact::Captured { attempt: 1, payment: "p".to_owned(), amount: eur(901) };
    let step = run(opened(&["a"]), 0, &[submitted(1), wrong]);
    assert_eq!(step.recharge.status, Status::Refunding);
    let back = Fact::Refunded { attempt: 1, refund: "r".to_owned() };
    let step = apply(step.recharge, &back, at(5));
    assert_eq!(step.recharge.status, Status::Refunded);
    let moved = step.postings.first().map(|p| (p.from, p.to, p.quantity));
    assert_eq!(moved, Some((Book::Prepaid, Book::Customer, Quantity::Money(eur(901)))));
}

#[test]
fn an_undelivered_recharge_is_retried_for_an_hour_and_refunded() {
    let paid = run(opened(&["a"]), 0, &[submitted(1), captured(1)]).recharge;
    let again = apply(paid, &Fact::NotDelivered, at(10));
    assert!(has(&again, &Effect::TopUp));
    let unknown = apply(again.recharge, &Fact::DeliveryUnanswered, at(59));
    assert_eq!(unknown.recharge.status, Status::DeliveryUnknown);
    let unknown = apply(unknown.recharge, &Fact::DeliveryUnanswered, at(300));
    assert_eq!(unknown.recharge.status, Status::DeliveryUnknown, "never refunded on doubt");
    let refused = apply(unknown.recharge, &Fact::NotDelivered, at(301));
    assert_eq!(refused.recharge.status, Status::Refunding);
    assert!(has(&refused, &Effect::Suspend { why: Suspension::NotDelivered }));
}

#[test]
fn a_top_up_that_is_not_found_is_asked_for_again_and_given_up_only_after_two_looks() {
    let lost = [submitted(1), captured(1), Fact::DeliveryUnanswered];
    let lost = run(opened(&["a"]), 0, &lost).recharge;
    let again = apply(lost.clone(), &Fact::TopUpNotFound, at(30));
    assert!(has(&again, &Effect::TopUp), "within the hour, under the same key");
    let once = apply(lost, &Fact::TopUpNotFound, at(70));
    assert_eq!(once.recharge.status, Status::DeliveryUnknown, "it may be on its way");
    let soon = apply(once.recharge, &Fact::TopUpNotFound, at(129));
    assert_eq!(soon.recharge.status, Status::DeliveryUnknown);
    let twice = apply(soon.recharge, &Fact::TopUpNotFound, at(130));
    assert_eq!(twice.recharge.status, Status::Refunding);
}

#[test]
fn what_is_delivered_after_all_is_given_once_and_the_money_goes_back() {
    let paid = run(opened(&["a"]), 0, &[submitted(1), captured(1)]).recharge;
    let refunding = apply(paid, &Fact::NotDelivered, at(61)).recharge;
    let late = apply(refunding, &delivered(), at(62));
    assert!(late.grant.is_some(), "the carrier gave it");
    assert!(late.postings.iter().all(|p| p.from != Book::Prepaid), "nothing is earned");
    let back = Fact::Refunded { attempt: 1, refund: "r".to_owned() };
    let refunded = apply(late.recharge, &back, at(63));
    assert_eq!(refunded.recharge.status, Status::Refunded);
    assert_eq!(apply(refunded.recharge, &delivered(), at(64)).grant, None, "once");
}

#[test]
fn a_second_payment_for_one_attempt_goes_back() {
    let other = || Fact::Captured { attempt: 1, payment: "other".to_owned(), amount: eur(900) };
    let paid = run(opened(&["a"]), 0, &[submitted(1), captured(1), captured(1)]).recharge;
    let twice = apply(paid, &other(), at(3));
    assert!(has(&twice, &Effect::Refund { attempt: 2 }));
    assert_eq!(twice.recharge.kept_capture().map(|a| a.number), Some(1));
    assert!(twice.recharge.goes_back(2) && !twice.recharge.goes_back(1));
    assert_eq!(apply(twice.recharge.clone(), &other(), at(4)).recharge, twice.recharge);
}

#[test]
fn what_was_paid_for_is_not_given_back_by_a_stray_answer() {
    let facts = [submitted(1), captured(1), delivered()];
    let done = run(opened(&["a"]), 0, &facts).recharge;
    let refunded = Fact::Refunded { attempt: 1, refund: "r".to_owned() };
    for stray in [refunded, Fact::RefundUnanswered { attempt: 1 }] {
        assert_eq!(apply(done.clone(), &stray, at(9)), Step::unchanged(done.clone()), "{stray:?}");
    }
}

#[test]
fn a_resend_reserves_where_it_is_sent_and_a_late_capture_frees_no_room() {
    let unknown = run(opened(&["a"]), 0, &[submitted(1), Fact::Unanswered { attempt: 1 }]);
    let resent = apply(unknown.recharge, &submitted(1), at(600)).recharge;
    assert_eq!((resent.status, resent.reserved_at), (Status::Unknown, at(600)));
    let failed = run(opened(&["a"]), 0, &[submitted(1), declined(1, true)]).recharge;
    assert_eq!(failed.past().standing, Standing::Released);
    let late = apply(failed, &captured(1), at(30)).recharge;
    assert_eq!(late.past().standing, Standing::Spent);
}

#[test]
fn an_attempt_beside_the_paid_one_is_followed_until_nothing_can_come_of_it() {
    let steps = [submitted(1), declined(1, false), submitted(2), captured(1), delivered()];
    let done = run(opened(&["a", "b"]), 0, &steps).recharge;
    let not_found = Fact::NotFound { attempt: 2 };
    let day = 24 * 60;
    let look = Effect::LookUpPayment { attempt: 2 };
    let unheard = apply(done.clone(), &Fact::Unanswered { attempt: 2 }, at(60));
    assert!(has(&unheard, &look));
    let once = apply(done, &not_found, at(day + 10));
    assert!(has(&once, &look) && !has(&once, &Effect::Charge { attempt: 2 }));
    let twice = apply(once.recharge, &not_found, at(day + 70)).recharge;
    assert_eq!(twice.attempt(2).and_then(|a| a.outcome.clone()), Some(Outcome::NeverArrived));
    assert_eq!(twice.status, Status::Done);
}

#[test]
fn what_another_attempt_hears_never_undoes_a_success() {
    let both = run(opened(&["a", "b"]), 0, &[submitted(1), declined(1, false), submitted(2)]);
    // The bank had taken the money after all, while the second attempt is on its way.
    let paid = apply(both.recharge, &captured(1), at(4));
    assert_eq!(paid.recharge.status, Status::Paid);
    let number = 2;
    for late in [
        declined(2, false),
        Fact::Unanswered { attempt: number },
        Fact::PaymentCancelled { attempt: number },
    ] {
        let step = apply(paid.recharge.clone(), &late, at(5));
        assert_eq!(step.recharge.status, Status::Paid, "{late:?}");
        assert_eq!(step.recharge.attempts.len(), 2, "nothing is charged beside it: {late:?}");
        let done = apply(step.recharge, &delivered(), at(6));
        assert_eq!(done.recharge.status, Status::Done, "{late:?}");
    }
    let unheard = apply(paid.recharge, &Fact::Unanswered { attempt: number }, at(5));
    assert!(
        has(&unheard, &Effect::LookUpPayment { attempt: number }),
        "a second capture goes back"
    );
}

#[test]
fn a_key_is_not_sent_again_after_20_hours() {
    let unknown = run(opened(&["a"]), 0, &[submitted(1), Fact::Unanswered { attempt: 1 }]).recharge;
    let late = 20 * 60;
    let resent = apply(unknown.clone(), &submitted(1), at(late - 1));
    assert_eq!(resent.recharge.attempt(1).and_then(|a| a.last_submitted_at), Some(at(late - 1)));
    assert_eq!(apply(unknown.clone(), &submitted(1), at(late)), Step::unchanged(unknown));
}

#[test]
fn the_ladder_goes_on_in_the_next_recharge() {
    let first = run(opened(&["a"]), 0, &[submitted(1), declined(1, false), Fact::Stopped]);
    assert_eq!(first.recharge.status, Status::Cancelled);
    let ladder = first.recharge.tries.first().map(|tries| tries.ladder).unwrap_or_default();
    assert_eq!(ladder.failures, 1);
    let card = MethodFacts { ladder, ..MethodFacts::card(method("a")) };
    let order = first.recharge.order.clone();
    let line = first.recharge.line_id.clone();
    let again = Recharge::open(line, 2, Some(2), order, &[card], &[], at(10));
    let due: Vec<Instant> = again.effects.iter().map(|due| due.at).collect();
    assert_eq!(due, [at(61)], "an edit does not make it try at once");
    let done = run(again.recharge, 61, &[submitted(1), captured(1)]);
    assert_eq!(done.recharge.tries.first().map(|t| t.ladder), Some(Ladder::default()));
}

#[test]
fn a_bank_s_no_moves_the_ladder_also_after_a_stop_and_a_cancellation_does_not() {
    let sent = [submitted(1), Fact::Unanswered { attempt: 1 }, Fact::Stopped];
    let stopped = run(opened(&["a"]), 0, &sent).recharge;
    let failures = |step: &Step| step.recharge.tries.first().map(|tries| tries.ladder.failures);
    let refused = apply(stopped.clone(), &declined(1, false), at(5));
    assert_eq!((refused.recharge.status, failures(&refused)), (Status::Failed, Some(1)));
    assert!(!refused.effects.iter().any(|due| matches!(due.effect, Effect::Suspend { .. })));
    let cancelled = apply(stopped, &Fact::PaymentCancelled { attempt: 1 }, at(5));
    assert_eq!((cancelled.recharge.status, failures(&cancelled)), (Status::Cancelled, Some(0)));
}

#[test]
fn buying_by_hand_moves_no_ladder_but_ends_one() {
    let used_up = Ladder { failures: 4, since: Some(at(-9000)) };
    let card = MethodFacts { ladder: used_up, ..MethodFacts::card(method("a")) };
    let by_hand = || {
        let order = opened(&["a"]).order;
        let line = LineId::new("line").unwrap_or_else(|| unreachable!());
        Recharge::open(line, 1, None, order, std::slice::from_ref(&card), &[], at(0)).recharge
    };
    let step = run(by_hand(), 0, &[submitted(1), declined(1, false)]);
    assert_eq!(step.recharge.status, Status::Failed, "tried once");
    assert_eq!(step.recharge.tries.first().map(|t| t.ladder), Some(used_up));
    let step = run(by_hand(), 0, &[submitted(1), captured(1)]);
    assert_eq!(step.recharge.tries.first().map(|t| t.ladder), Some(Ladder::default()));
}

#[test]
fn a_retry_waits_for_the_hours_of_its_rail() {
    // 21:45 in Beijing: the rung an hour later is by night.
    let evening = Instant::parse("2026-11-24T13:45:00Z").unwrap_or(Instant::MIN);
    let wallet = MethodFacts { rail: Rail::WechatDeduction, ..MethodFacts::card(method("a")) };
    let line = LineId::new("line").unwrap_or_else(|| unreachable!());
    let order = opened(&["a"]).order;
    let step = Recharge::open(line, 1, Some(1), order, &[wallet], &[], evening);
    let step = apply(step.recharge, &submitted(1), evening);
    let step = apply(step.recharge, &declined(1, false), evening);
    let due = step.effects.iter().find(|d| d.effect == Effect::Charge { attempt: 2 });
    assert_eq!(due.map(|d| d.at.to_string()).as_deref(), Some("2026-11-24T23:00:00Z"));
}

#[test]
fn nothing_is_tried_when_the_notice_of_its_rail_is_no_longer_good() {
    // Day 8 of the notice, then day 9, after which nothing is debited under it.
    for (evening, next) in
        [("2026-11-29T13:45:00Z", Some("2026-11-29T23:00:00Z")), ("2026-11-30T13:45:00Z", None)]
    {
        let evening = Instant::parse(evening).unwrap_or(Instant::MIN);
        let wallet = MethodFacts { rail: Rail::WechatDeduction, ..MethodFacts::card(method("a")) };
        let line = LineId::new("line").unwrap_or_else(|| unreachable!());
        let order = Order { triggers: vec![TriggerDue::LowBalance], ..opened(&["a"]).order };
        let told = Notice {
            trigger: TriggerDue::LowBalance,
            charge_at: evening,
            at_most: order.amount,
            payment_methods: vec![method("a")],
            lapses_at: Instant::parse("2026-11-30T14:00:00Z"),
        };
        let notices = [told];
        let step = Recharge::open(line, 1, Some(1), order, &[wallet], &notices, evening);
        let step = apply(step.recharge, &submitted(1), evening);
        let step = apply(step.recharge, &declined(1, false), evening);
        let due = step.effects.iter().find(|d| d.effect == Effect::Charge { attempt: 2 });
        assert_eq!(due.map(|d| d.at.to_string()).as_deref(), next);
        assert_eq!(step.recharge.status == Status::Failed, next.is_none());
    }
}

#[test]
fn a_late_second_capture_never_takes_the_place_of_the_first() {
    let steps = [submitted(1), declined(1, false), submitted(2), captured(2), captured(1)];
    let paid = run(opened(&["a", "b"]), 0, &steps).recharge;
    assert_eq!(paid.kept_capture().map(|a| a.number), Some(2));
    let refused = apply(paid, &Fact::NotDelivered, at(70));
    assert!(has(&refused, &Effect::Refund { attempt: 2 }), "what was paid for goes back");
    let refunded = |attempt| Fact::Refunded { attempt, refund: "r".to_owned() };
    let other = apply(refused.recharge, &refunded(1), at(71));
    assert_eq!(other.recharge.status, Status::Refunding, "only the second capture is back");
    let all = apply(other.recharge, &refunded(2), at(72));
    assert_eq!(all.recharge.status, Status::Refunded);
}
