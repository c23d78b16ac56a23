//! The key of a world: two worlds of one key have the same future. Left out is what nothing asks
//! about any more: names, versions, the log, and how long ago something was once it is long ago.

use super::outside::Payment;
use super::world::{COOL_DOWN, Work, World, is_december, the_date};
use laika_core::decide::TriggerDue;
use laika_core::recharge::{Fact, Outcome, Recharge};
use laika_core::time::{Instant, Span};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// No rule asks whether something is older than this: "not found" counts after 24 h.
const LONG_AGO: Span = Span::hours(25);
/// The last rung, after which the first decline is only counted.
const LAST_RUNG: Span = Span::hours(4);

impl World {
    /// All that decides the future, hashed.
    pub(super) fn key(&self) -> u128 {
        let mut hasher = Wide(0);
        self.hash_future(&mut hasher);
        hasher.0
    }

    /// All there is, hashed, but for the log, of which only two things matter.
    pub(super) fn whole_key(&self) -> u128 {
        let (mut hasher, mut world) = (Wide(0), self.clone());
        for recharge in &mut world.recharges {
            (recharge.kept_capture().map(|a| a.number), delivered(recharge)).hash(&mut hasher);
            Arc::make_mut(recharge).facts.clear();
        }
        format!("{world:?}").hash(&mut hasher);
        hasher.0
    }

    /// How long ago, as far as anybody asks.
    fn age(&self, at: Instant) -> Span {
        self.now.since(at).min(LONG_AGO)
    }

    /// Whether the calendar still matters: the rule may recharge, and its date or the end of the
    /// month is to come.
    fn minds_the_date(&self) -> bool {
        let date_passed = self.consumed_through >= Some(the_date());
        self.rule.on && !(date_passed && is_december(self.now))
    }

    fn hash_future(&self, to: &mut impl Hasher) {
        (self.rule.on, self.left, self.behaviour, self.carrier.delivered.as_slice()).hash(to);
        if self.minds_the_date() {
            self.now.hash(to);
        }
        if self.rule.on {
            (self.suspended, self.consumed_through, self.barred, self.declines.len()).hash(to);
            self.declines.first().map(|at| self.now.since(*at).min(LAST_RUNG)).hash(to);
            (self.ladder.failures, self.ladder.since.map(|at| self.age(at))).hash(to);
            self.notices.iter().for_each(|notice| self.now.since(notice.charge_at).hash(to));
        }
        let lengths = [self.notices.len(), self.recharges.len(), self.jobs.len()];
        lengths.hash(to);
        self.recharges.iter().for_each(|recharge| self.hash_recharge(recharge, to));
        self.hash_balance(to);
        self.told.hash(to);
        for (work, job) in &self.jobs {
            (work, job.due.max(self.now).since(self.now), job.held_by.is_some()).hash(to);
        }
        // One worker is as good as the other.
        let mut workers = [0, 1].map(|worker| (self.holds(worker), self.workers[worker]));
        workers.sort_unstable();
        workers.hash(to);
        self.gateway.on_the_way.hash(to);
        self.gateway.payments.iter().for_each(|payment| self.hash_payment(payment, to));
    }

    fn hash_balance(&self, to: &mut impl Hasher) {
        let (events, balance) = (&self.events, &self.balance);
        (events.len(), balance.buckets.len()).hash(to);
        events.iter().for_each(|event| event.place.time.hash(to));
        balance.overrun_bytes.hash(to);
        for bucket in &balance.buckets {
            bucket.bytes_left.hash(to);
            // Until both have come, the first may be placed anew: into what there was then.
            let served = |at: usize| bucket.grant_version < events[at].received_version;
            (events.len() == 1 && served(0)).hash(to);
        }
    }

    fn hash_payment(&self, payment: &Payment, to: &mut impl Hasher) {
        (payment.recharge, payment.attempt, payment.captured, payment.refunded).hash(to);
        let ask = (payment.recharge, payment.attempt);
        let charge = Work::Charge(ask.0, ask.1);
        let sending = self.workers.iter().flatten().any(|busy| busy.work == charge);
        let attempt = self.recharges[ask.0].attempt(ask.1);
        let open = attempt.is_some_and(|attempt| attempt.outcome.is_none());
        if open || sending || self.gateway.on_the_way.contains(&ask) {
            self.age(payment.made_at).hash(to);
        }
    }

    fn hash_recharge(&self, recharge: &Recharge, to: &mut impl Hasher) {
        (recharge.status, recharge.stopped, recharge.order.triggers.len()).hash(to);
        let by_date = |due: &TriggerDue| *due != TriggerDue::LowBalance;
        recharge.order.triggers.iter().any(by_date).hash(to);
        (recharge.kept_capture().map(|a| a.number), delivered(recharge)).hash(to);
        if self.rule.on {
            self.now.since(recharge.opened_at).min(COOL_DOWN).hash(to);
        }
        is_december(recharge.reserved_at).hash(to);
        let age = |at: Option<Instant>| at.map(|at| self.age(at));
        if !recharge.status.is_end() {
            (age(recharge.paid_at), age(recharge.top_up_not_found_at)).hash(to);
        }
        for tries in &recharge.tries {
            (tries.ladder.failures, age(tries.ladder.since)).hash(to);
        }
        recharge.attempts.len().hash(to);
        for attempt in &recharge.attempts {
            match &attempt.outcome {
                None => {
                    (0, age(attempt.submitted_at)).hash(to);
                    (age(attempt.last_submitted_at), age(attempt.not_found_at)).hash(to);
                }
                Some(Outcome::Captured { payment, refunded, .. }) => {
                    (1, payment, refunded).hash(to)
                }
                Some(Outcome::Declined { hard, .. }) => (2, hard).hash(to),
                Some(Outcome::ActionRequired { until, .. }) => (3, until).hash(to),
                Some(Outcome::Cancelled) => 4.hash(to),
                Some(Outcome::NeverArrived) => 5.hash(to),
            }
        }
    }
}

fn delivered(recharge: &Recharge) -> bool {
    recharge.facts.iter().any(|seen| matches!(seen.fact, Fact::Delivered { .. }))
}

/// Odd, with bits everywhere: multiplying by it loses nothing.
const MIX: u128 = 0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645;
/// Without it nothing would become of nothing: zeros at the start would not count.
const STIR: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;

/// 128 bits, a word at a time: each step loses nothing and mixes all.
struct Wide(u128);

impl Hasher for Wide {
    fn finish(&self) -> u64 {
        self.0 as u64
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u64(&mut self, word: u64) {
        let mixed = (self.0 ^ u128::from(word)).wrapping_mul(MIX).wrapping_add(STIR);
        self.0 = mixed ^ (mixed >> 67);
    }

    fn write_u8(&mut self, byte: u8) {
        self.write_u64(byte.into());
    }

    fn write_u32(&mut self, word: u32) {
        self.write_u64(word.into());
    }

    fn write_usize(&mut self, word: usize) {
        self.write_u64(word as u64);
    }

    fn write_i64(&mut self, word: i64) {
        self.write_u64(word as u64);
    }
}
