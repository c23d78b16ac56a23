//! The gateway and the carrier, as far as the model needs them: each takes a request once per key,
//! and the behaviour says what becomes of it and of its answer.

use super::world::Next;
use laika_core::time::{Instant, Span};
use std::collections::BTreeSet;

/// For so long the gateway knows a key.
pub(super) const KEY_KEPT: Span = Span::hours(24);

/// How gateway and carrier behave when they are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Behaviour {
    /// They do it and answer.
    Answers,
    /// They refuse: a soft decline, or no delivery.
    Refuses,
    /// They do it, and the answer is lost.
    LosesAnswers,
    /// The request is lost on its way. It may still arrive.
    LosesRequests,
}

/// A payment at the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Payment {
    pub recharge: usize,
    pub attempt: u32,
    pub captured: bool,
    pub refunded: bool,
    pub made_at: Instant,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Gateway {
    pub payments: Vec<Payment>,
    /// Requests that nobody has an answer to and that may still arrive.
    pub on_the_way: BTreeSet<(usize, u32)>,
    /// Whether it knows its keys, as it should.
    pub forgets_keys: bool,
}

impl Gateway {
    /// The name of a payment: its place.
    fn next(&self, place: usize) -> Next {
        let number = u32::try_from(place).expect("few payments");
        if self.payments[place].captured { Next::Captured(number) } else { Next::Declined }
    }

    /// The payments of an attempt, by key and by listing: one that took money first.
    pub(super) fn find(&self, recharge: usize, attempt: u32) -> Option<Next> {
        let of_attempt = |p: &(usize, &Payment)| (p.1.recharge, p.1.attempt) == (recharge, attempt);
        let found = self.payments.iter().enumerate().filter(of_attempt);
        let first = found.min_by_key(|(_, payment)| !payment.captured);
        first.map(|(place, _)| self.next(place))
    }

    /// Whether the key of a payment is still known: the same key again gives the same payment.
    pub(super) fn knows(&self, payment: &Payment, now: Instant) -> bool {
        !self.forgets_keys && now.since(payment.made_at) < KEY_KEPT
    }

    /// Takes a charge, once per key.
    pub(super) fn charge(
        &mut self,
        (recharge, attempt): (usize, u32),
        behaviour: Behaviour,
        now: Instant,
    ) -> Next {
        if behaviour == Behaviour::LosesRequests {
            self.on_the_way.insert((recharge, attempt));
            return Next::Unanswered;
        }
        let same = |p: &Payment| (p.recharge, p.attempt) == (recharge, attempt);
        let known = self.payments.iter().position(|p| same(p) && self.knows(p, now));
        let place = known.unwrap_or_else(|| {
            let captured = behaviour != Behaviour::Refuses;
            let payment = Payment { recharge, attempt, captured, refunded: false, made_at: now };
            self.payments.push(payment);
            self.payments.len() - 1
        });
        if behaviour == Behaviour::LosesAnswers { Next::Unanswered } else { self.next(place) }
    }

    /// Gives a capture back, once.
    pub(super) fn refund(&mut self, place: usize, behaviour: Behaviour) -> Next {
        if behaviour != Behaviour::LosesRequests {
            self.payments[place].refunded = true;
        }
        match behaviour {
            Behaviour::Answers | Behaviour::Refuses => Next::Refunded,
            Behaviour::LosesAnswers | Behaviour::LosesRequests => Next::RefundUnanswered,
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Carrier {
    /// Whose top-up was delivered.
    pub delivered: Vec<usize>,
}

impl Carrier {
    /// Takes a top-up, once per key. A refusal uses up no key.
    pub(super) fn top_up(&mut self, recharge: usize, behaviour: Behaviour) -> Next {
        let known = self.delivered.contains(&recharge);
        match behaviour {
            Behaviour::LosesRequests => return Next::DeliveryUnanswered,
            Behaviour::Refuses if !known => return Next::NotDelivered,
            Behaviour::Answers | Behaviour::Refuses | Behaviour::LosesAnswers => {}
        }
        if !known {
            self.delivered.push(recharge);
            self.delivered.sort_unstable();
        }
        if behaviour == Behaviour::LosesAnswers {
            Next::DeliveryUnanswered
        } else {
            Next::Delivered
        }
    }
}
