//! One recharge with everything that either statement says of it, once nothing about it is open:
//! what should have been kept for it, and what does not agree.

use super::decided::{Barrier, Decided};
use super::difference::{Difference, Kind, Remedy};
use super::statement::{Taken, TopUp};
use crate::money::Money;
use crate::recharge::{Attempt, Outcome, Status};
use std::cmp::Ordering;

/// A recharge with all its rows.
pub(super) struct Whole<'a> {
    pub decided: &'a Decided,
    /// What was captured for it: the one that may be kept first.
    pub captures: Vec<Capture<'a>>,
    /// What came for it: the one that was ordered first. Those that gave nothing are left out.
    pub top_ups: Vec<&'a TopUp>,
}

/// A payment that took money for an attempt.
pub(super) struct Capture<'a> {
    pub attempt: u32,
    pub taken: Taken<'a>,
    /// What should be left of it if it is the one that is kept.
    left: Money,
    /// Our record has it given back, and the gateway does not.
    unreturned: bool,
    /// The stop after which it was sent.
    after_off: Option<Kind>,
    /// Our record keeps this one.
    recorded: bool,
}

/// What is wrong about the capture that may be kept, and what should be kept.
struct Verdict {
    expected: Money,
    wrong: Option<(Kind, Remedy)>,
}

impl<'a> Whole<'a> {
    pub(super) fn new(
        decided: &'a Decided,
        payments: Vec<(u32, Taken<'a>)>,
        top_ups: Vec<&'a TopUp>,
        barriers: &[&Barrier],
    ) -> Whole<'a> {
        let recharge = &decided.recharge;
        let order = &recharge.order;
        let captures = payments.into_iter().map(|(number, taken)| {
            let attempt = recharge.attempt(number);
            let after_off =
                attempt.and_then(|attempt| decided.after_off(attempt, taken.payment, barriers));
            let recorded = attempt.is_some_and(|attempt| keeps(attempt, &taken));
            let left = decided.left(&taken.payment.id, taken.amount);
            let back_minor = decided.given_back_minor(&taken.payment.id);
            let unreturned = taken.refunded_minor < back_minor;
            Capture { attempt: number, taken, left, unreturned, after_off, recorded }
        });
        let mut captures: Vec<Capture<'_>> = captures.collect();
        captures.sort_by(|a, b| a.place().cmp(&b.place()));
        let mut top_ups = top_ups;
        top_ups.retain(|top_up| !top_up.given.is_nothing());
        top_ups.sort_by(|a, b| {
            let place = |t: &'a TopUp| (!t.given.is(order.adds), t.delivered_at, t.id.as_str());
            place(a).cmp(&place(b))
        });
        Whole { decided, captures, top_ups }
    }

    fn about(&self, expected: Money, kind: Kind, remedy: Remedy) -> Difference {
        let recharge = &self.decided.recharge;
        let kept = self.captures.iter().map(|capture| capture.taken.kept());
        Difference {
            line_id: Some(recharge.line_id.clone()),
            recharge_id: Some(recharge.id.clone()),
            expected: Some(expected),
            charged: kept.filter(|kept| kept.amount_minor != 0).collect(),
            credited: self.top_ups.iter().map(|top_up| top_up.given).collect(),
            ..Difference::new(kind, remedy)
        }
    }
}

/// Whether our record keeps this capture of the attempt.
fn keeps(attempt: &Attempt, taken: &Taken<'_>) -> bool {
    match &attempt.outcome {
        Some(Outcome::Captured { payment, refunded, .. }) => {
            !refunded && *payment == taken.payment.id
        }
        _ => false,
    }
}

impl Capture<'_> {
    /// The first is the one that may be kept: something is kept of it, it was sent while that was
    /// allowed, it fits what was agreed, our record keeps it, it was the earliest.
    fn place(&self) -> impl Ord + '_ {
        let Taken { payment, amount, captured_at, kept_minor, .. } = self.taken;
        let nothing = kept_minor <= 0;
        // Why: once all went back for having been sent after off, that is what settles it.
        let doubt = self.after_off.is_some() != nothing;
        let fit = match kept_minor.cmp(&self.left.amount_minor) {
            _ if amount.currency != self.left.currency => 3,
            Ordering::Equal => 0,
            Ordering::Greater => 1,
            Ordering::Less => 2,
        };
        (nothing, doubt, fit, !self.recorded, captured_at, payment.id.as_str())
    }

    /// All that is left of it goes back; where more went back than came, nothing is asked for.
    fn goes_back(&self, kind: Kind) -> Option<(Kind, Remedy)> {
        match self.taken.kept_minor {
            0 => None,
            1.. => Some((kind, self.refund(self.taken.kept()))),
            _ => Some((Kind::MissingCharge, Remedy::NeverCharged)),
        }
    }

    /// Gives back an amount that is left of it.
    fn refund(&self, amount: Money) -> Remedy {
        // INVARIANT: refunds never exceed the capture: no caller asks for more than is kept.
        Remedy::Refund { payment: self.taken.payment.id.clone(), amount }
    }
}

/// Adds what does not agree about one recharge; gives what should have been kept for it.
pub(super) fn judge(
    whole: &Whole<'_>,
    over_cap: Option<&Kind>,
    differences: &mut Vec<Difference>,
) -> Money {
    let Verdict { expected, wrong } = verdict(whole, over_cap);
    let first = whole.captures.first();
    differences.extend(wrong.map(|(kind, remedy)| Difference {
        attempt: first.map(|capture| capture.attempt),
        payment: first.map(|capture| capture.taken.payment.id.clone()),
        ..whole.about(expected, kind, remedy)
    }));
    for capture in whole.captures.iter().skip(1) {
        let wrong = capture.goes_back(Kind::Duplicate);
        differences.extend(wrong.map(|(kind, remedy)| Difference {
            attempt: Some(capture.attempt),
            payment: Some(capture.taken.payment.id.clone()),
            ..whole.about(expected, kind, remedy)
        }));
    }
    credit(whole, expected, differences);
    expected
}

/// What should be kept of the first capture, and whether it is.
fn verdict(whole: &Whole<'_>, over_cap: Option<&Kind>) -> Verdict {
    let recharge = &whole.decided.recharge;
    let agreed = recharge.order.amount;
    let none = Money::zero(agreed.currency);
    let done = recharge.status == Status::Done;
    let credited = whole.decided.is_credited();
    let left = match (whole.captures.first(), recharge.kept_capture()) {
        (Some(first), Some(_)) => first.left,
        (None, Some(kept)) => left_of(whole.decided, kept),
        (_, None) => none,
    };
    let recorded = done && left.amount_minor > 0;
    let delivered = !whole.top_ups.is_empty();
    let never_charged = Some((Kind::MissingCharge, Remedy::NeverCharged));
    let Some(first) = whole.captures.first() else {
        let expected = if recorded { left } else { none };
        return Verdict { expected, wrong: never_charged.filter(|_| recorded || delivered) };
    };
    if let Some(kind) = first.after_off.or(over_cap.copied()) {
        return Verdict { expected: none, wrong: first.goes_back(kind) };
    }
    let kept_minor = first.taken.kept_minor;
    if first.taken.amount.currency != agreed.currency && kept_minor != 0 {
        let wrong = first.goes_back(Kind::Currency);
        let case = Some((Kind::Currency, Remedy::Case)).filter(|_| kept_minor > 0);
        let expected = if recorded { left } else { none };
        return Verdict { expected, wrong: if done || delivered { case.or(wrong) } else { wrong } };
    }
    match (recorded, delivered, kept_minor) {
        (true, true, _) => Verdict { expected: left, wrong: other_amount(first, left, agreed) },
        // Our record has a delivery, the carrier's statement has none: it says both.
        (true, false, 1..) => {
            Verdict { expected: left, wrong: Some((Kind::MissingCredit, Remedy::Case)) }
        }
        (false, false, 1..) => {
            Verdict { expected: none, wrong: first.goes_back(Kind::MissingCredit) }
        }
        // Our record has it given back, and it is not: the gateway said both.
        (false, true, 1..) if credited => {
            Verdict { expected: none, wrong: Some((Kind::Amount, Remedy::Case)) }
        }
        (false, true, 1..) => {
            Verdict { expected: none, wrong: Some((Kind::Unknown, Remedy::Case)) }
        }
        // Given back; the credit stays where our record knows of it.
        (false, true, 0) if credited => Verdict { expected: none, wrong: None },
        (_, false, 0) => Verdict { expected: none, wrong: None },
        (_, _, i64::MIN..=0) => Verdict { expected: none, wrong: never_charged },
    }
}

/// What should be left of the payment that our record keeps.
fn left_of(decided: &Decided, kept: &Attempt) -> Money {
    match &kept.outcome {
        Some(Outcome::Captured { payment, amount, .. }) => decided.left(payment, *amount),
        _ => decided.recharge.order.amount,
    }
}

/// Charged and delivered: exactly what should be left is kept, or what follows.
fn other_amount(first: &Capture<'_>, left: Money, agreed: Money) -> Option<(Kind, Remedy)> {
    let excess_minor = first.taken.kept_minor.saturating_sub(left.amount_minor);
    let captured = first.taken.amount;
    let short = captured.currency == agreed.currency && captured.amount_minor < agreed.amount_minor;
    match excess_minor {
        0 => None,
        // Why: another refund would again be less than our record has, and so on every night.
        1.. if first.unreturned => Some((Kind::Amount, Remedy::Case)),
        1.. => {
            let excess = Money::new(excess_minor, agreed.currency);
            Some((Kind::Amount, first.refund(excess)))
        }
        _ if short => Some((Kind::Amount, Remedy::NeverCharged)),
        // Given back, or lost, outside our flow.
        _ => Some((Kind::MissingCharge, Remedy::NeverCharged)),
    }
}

/// What came, against what was ordered.
fn credit(whole: &Whole<'_>, expected: Money, differences: &mut Vec<Difference>) {
    let recharge = &whole.decided.recharge;
    let credited = whole.decided.is_credited();
    let mut top_ups = whole.top_ups.iter();
    match top_ups.next() {
        Some(first) if credited && !first.given.is(recharge.order.adds) => {
            differences.push(Difference {
                top_up: Some(first.id.clone()),
                ..whole.about(expected, Kind::Amount, Remedy::Case)
            });
        }
        // Why: with a capture, the first verdict is about this too.
        None if whole.captures.is_empty() && recharge.kept_capture().is_some() && credited => {
            differences.push(whole.about(expected, Kind::MissingCredit, Remedy::Case));
        }
        Some(_) | None => {}
    }
    differences.extend(top_ups.map(|more| Difference {
        top_up: Some(more.id.clone()),
        ..whole.about(expected, Kind::MissingCharge, Remedy::NeverCharged)
    }));
}
