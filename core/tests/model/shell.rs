//! What the server does in one transaction, with the real core inside: each function here is one
//! commit and stands for the file of `server/src/flow` that its comment names. No function calls
//! outside, and nothing of a transaction can happen without the rest of it.

use super::outside::Payment;
use super::world::{Fault, Next, Stage, Work, World, start_of_time};
use crate::cases::money;
use laika_core::balance::{Bucket, Place, UsageEvent};
use laika_core::bytes::Bytes;
use laika_core::decide::{
    Cause, Decision, Suspension, TriggerDue, announce, consumed_by, decide, usable_methods,
};
use laika_core::ledger::{Book, Posting};
use laika_core::recharge::{Due, Effect, Fact, Recharge, Step, apply};
use laika_core::rule::Adds;
use laika_core::time::{Instant, Span};
use std::sync::Arc;

impl World {
    /// `evaluate::line_changed`: announcements, then `decide`; a recharge is opened in the same
    /// transaction, its money reserved by that, its first job written.
    fn line_changed(&mut self, cause: &Cause) {
        let (rule, account) = (Arc::clone(&self.rule), self.account());
        for notice in announce(&rule, &account, &self.history(), self.now) {
            self.tell(None, "announced");
            if self.left.fault == Some(Fault::NoticeIsNotKept) {
                continue;
            }
            Arc::make_mut(&mut self.notices).push(notice);
        }
        let history = self.history();
        let decision = decide(&rule, &account, &history, cause, self.now);
        match &decision {
            Decision::Recharge { order } => {
                let number = u32::try_from(self.recharges.len() + 1).expect("few recharges");
                let (methods, told) = (&account.payment_methods, &history.notices);
                let (line, order) = (account.line_id.clone(), order.clone());
                let step = Recharge::open(line, number, Some(1), order, methods, told, self.now);
                self.recharges.push(Arc::new(step.recharge.clone()));
                for trigger in &step.recharge.order.triggers {
                    if let TriggerDue::Scheduled { at } = trigger {
                        self.consumed_through = self.consumed_through.max(Some(*at));
                    }
                    Arc::make_mut(&mut self.notices).retain(|notice| notice.trigger != *trigger);
                }
                self.keep(self.recharges.len() - 1, step);
            }
            Decision::Wait { .. } | Decision::Skip { .. } => {
                let gone = consumed_by(&decision, &rule, &account, &history, self.now);
                self.consumed_through = self.consumed_through.max(gone);
                let through = self.consumed_through;
                let is_gone = |trigger: &TriggerDue| {
                    matches!(trigger, TriggerDue::Scheduled { at }
                    if Some(*at) <= through)
                };
                Arc::make_mut(&mut self.notices).retain(|notice| !is_gone(&notice.trigger));
            }
        }
        // The safety timer is left out: nothing may depend on it. So are looks while the rule is
        // off: one comes after "off" and usage asks the same.
        let next = decision.next_look_at().filter(|at| self.rule.on && *at > self.now);
        if let Some(at) = next {
            self.enqueue(Work::Look, at);
        }
    }

    /// `perform::evaluate`: a look by the clock.
    pub(super) fn look(&mut self) {
        self.jobs.remove(&Work::Look);
        self.line_changed(&Cause::Timer);
    }

    /// Whether the inbox has an event: then it is refused, and nothing changes.
    pub(super) fn has_counted(&self, number: u8) -> bool {
        self.events.iter().any(|event| event.place == place_of(number))
    }

    /// `handle_usage`: claimed by its id, placed, booked and looked at. A gigabyte each.
    pub(super) fn usage(&mut self, number: u8) {
        let place = place_of(number);
        self.version += 1;
        let event = UsageEvent { place, bytes: Bytes::GB, received_version: self.version };
        let had = self.balance.bytes_on_books();
        let events = Arc::make_mut(&mut self.events);
        events.push(event.clone());
        events.sort_by(|a, b| a.place.cmp(&b.place));
        let balance = Arc::make_mut(&mut self.balance);
        if balance.continues_with(&event.place) {
            balance.place(&event);
        } else {
            balance.replay(&self.events[..]);
        }
        let has = self.balance.bytes_on_books();
        self.book(&Posting::bytes(Book::LineData, Book::Used, had.minus(has)));
        self.line_changed(&Cause::Usage);
    }

    /// `switch_rule`, off: the barrier. What is open stops in the same transaction.
    pub(super) fn turn_off(&mut self) {
        let rule = Arc::make_mut(&mut self.rule);
        (rule.on, rule.version) = (false, 2);
        for place in 0..self.recharges.len() {
            let stops = self.left.fault != Some(Fault::OffStopsNothing);
            if stops && !self.recharges[place].status.is_end() {
                self.take_in(place, &Fact::Stopped);
            }
        }
        self.notices = Arc::default();
        self.line_changed(&Cause::RuleChanged);
        self.enqueue(Work::Look, self.now);
    }

    /// `submit`: decided again and recorded, under the claim. Gives what the worker does next;
    /// nothing when all is written.
    pub(super) fn submit(&mut self, place: usize, number: u32) -> Option<Stage> {
        let recharge = &self.recharges[place];
        let attempt = recharge.attempt(number).filter(|attempt| attempt.outcome.is_none());
        let Some(attempt) = attempt else { return Some(Stage::Heard(Next::Nothing)) };
        if !attempt.may_be_sent(self.now) {
            return Some(Stage::Heard(Next::Unanswered));
        }
        let asked = self.left.fault != Some(Fault::OffStopsNothing);
        if let Some(reason) = self.allowed(recharge).err().filter(|_| asked) {
            self.take_in(place, &Fact::Withdrawn { attempt: number, reason });
            self.jobs.remove(&Work::Charge(place, number));
            return None;
        }
        let known = recharge.facts.len();
        let before = self.clone();
        self.take_in(place, &Fact::Submitted { attempt: number });
        if self.recharges[place].facts.len() == known {
            *self = before;
            return Some(Stage::Heard(Next::Nothing));
        }
        Some(Stage::Sending)
    }

    /// `submit::allowed`: the version is unchanged, and without this recharge `decide` still gives
    /// at least as much. Nothing is put off here: there is one card, and nothing is bought by hand.
    fn allowed(&self, recharge: &Recharge) -> Result<(), String> {
        let (rule, account, mut history) = (&self.rule, self.account(), self.history());
        if recharge.rule_version != Some(rule.version) {
            return Err("rule_changed".to_owned());
        }
        history.recharges.retain(|past| past.id != recharge.id);
        let cause = Cause::Submission { triggers: recharge.order.triggers.clone() };
        match decide(rule, &account, &history, &cause, self.now) {
            Decision::Recharge { order } => {
                let enough = order.amount.amount_minor >= recharge.order.amount.amount_minor;
                if enough { Ok(()) } else { Err("not_due".to_owned()) }
            }
            Decision::Wait { reason, .. } | Decision::Skip { reason, .. } => {
                Err(reason.code().to_owned())
            }
        }
    }

    /// `perform::conclude`: the fact is taken in and the job ends, both or neither.
    pub(super) fn conclude(&mut self, worker: usize, work: Work, next: Next) {
        if !self.holds(worker) {
            return;
        }
        self.jobs.remove(&work);
        let (place, attempt) = match work {
            Work::Look => return,
            Work::Charge(place, attempt)
            | Work::LookUp(place, attempt)
            | Work::Cancel(place, attempt)
            | Work::Refund(place, attempt) => (place, attempt),
            Work::TopUp(place) | Work::LookUpTopUp(place) => (place, 0),
        };
        if let Some(fact) = fact(next, attempt) {
            self.take_in(place, &fact);
        }
    }

    /// `advance::take_in`: `apply`, and all that follows.
    pub(super) fn take_in(&mut self, place: usize, fact: &Fact) {
        let before = Arc::clone(&self.recharges[place]);
        let step = apply(Recharge::clone(&before), fact, self.now);
        if step.recharge != *before {
            self.counted_twice |= counts_again(&step.recharge, fact, self.now);
            self.recharges[place] = Arc::new(step.recharge.clone());
            for tries in &step.recharge.tries {
                if !before.tries.contains(tries) {
                    self.ladder = tries.ladder;
                }
            }
            match fact {
                Fact::Declined { .. } => self.declines.push(self.now),
                // Why: a recharge goes on by the ladder it has, whatever an earlier one hears.
                Fact::Captured { .. } if !self.another_is_open(place) => self.declines.clear(),
                _ => {}
            }
        }
        self.keep(place, step);
    }

    fn another_is_open(&self, place: usize) -> bool {
        let mut all = self.recharges.iter().enumerate();
        all.any(|(other, recharge)| other != place && !recharge.status.is_end())
    }

    /// `advance::keep`: books, what the line gets, jobs, messages.
    fn keep(&mut self, place: usize, step: Step) {
        for posting in &step.postings {
            self.book(posting);
        }
        if let Some(grant) = step.grant {
            let Adds::Data { bytes, .. } = grant.adds else { panic!("only data is bought") };
            self.version += 1;
            Arc::make_mut(&mut self.balance).grant(Bucket {
                id: grant.bucket_id,
                bytes_total: bytes,
                bytes_left: bytes,
                expires_at: grant.expires_at,
                granted_at: self.now,
                grant_version: self.version,
                recharge: Some(step.recharge.id.clone()),
            });
        }
        for Due { at, effect } in step.effects {
            self.carry_out(place, effect, at);
        }
    }

    /// `advance::carry_out`: effects outside become jobs, those on our own rows happen now.
    fn carry_out(&mut self, place: usize, effect: Effect, at: Instant) {
        match effect {
            Effect::Charge { attempt } => self.enqueue(Work::Charge(place, attempt), at),
            Effect::LookUpPayment { attempt } => self.enqueue(Work::LookUp(place, attempt), at),
            Effect::CancelPayment { attempt } => self.enqueue(Work::Cancel(place, attempt), at),
            Effect::TopUp => self.enqueue(Work::TopUp(place), at),
            Effect::LookUpTopUp => self.enqueue(Work::LookUpTopUp(place), at),
            Effect::Refund { attempt } => self.enqueue(Work::Refund(place, attempt), at),
            Effect::Evaluate => self.enqueue(Work::Look, at),
            Effect::Bar { .. } => self.barred = true,
            Effect::Suspend { why } => {
                let (rule, account) = (Arc::clone(&self.rule), self.account());
                let left = usable_methods(&rule, &account, self.now).next().is_some();
                if why != Suspension::Declined || !left {
                    self.suspended = Some(why);
                }
            }
            Effect::Tell { news } => self.tell(Some(place), news.code()),
        }
    }

    /// `tell`: a message is enqueued.
    fn tell(&mut self, place: Option<usize>, what: &'static str) {
        *Arc::make_mut(&mut self.told).entry((place, what)).or_default() += 1;
    }

    /// `reconcile::compare`, by the list or for a webhook: whether a payment stands otherwise at
    /// the gateway than with us, and no look-up is on its way that will say so.
    pub(super) fn disagrees(&self, place: usize) -> bool {
        let payment = self.gateway.payments[place];
        let recharge = &self.recharges[payment.recharge];
        let attempt = recharge.attempt(payment.attempt).expect("a payment is of an attempt");
        let Payment { recharge: at, attempt: number, .. } = payment;
        let pending = [Work::Charge(at, number), Work::LookUp(at, number)];
        let pending = pending.iter().any(|work| self.jobs.contains_key(work));
        let news = match &attempt.outcome {
            None => true,
            Some(outcome) if is_capture(outcome) => {
                let known = recharge.has_captured(&payment_name(place));
                payment.captured && !known && !payment.refunded
            }
            Some(_) => payment.captured,
        };
        news && (!pending || self.left.overtaking)
    }

    /// It is looked up then; a second payment for an attempt is taken in at once.
    pub(super) fn compare(&mut self, place: usize) {
        let Payment { recharge, attempt: number, .. } = self.gateway.payments[place];
        let attempt = self.recharges[recharge].attempt(number).expect("an attempt");
        if attempt.outcome.as_ref().is_some_and(is_capture) {
            self.take_in(recharge, &captured(number, place));
        } else {
            self.enqueue(Work::LookUp(recharge, number), self.now);
        }
    }
}

/// The events use a gigabyte each, a minute apart.
fn place_of(number: u8) -> Place {
    let time = start_of_time().plus(Span::minutes(i64::from(number)));
    Place { time, id: number.to_string() }
}

/// Whether the same fact once more changes anything. A key that is sent again is another fact.
fn counts_again(recharge: &Recharge, fact: &Fact, now: Instant) -> bool {
    let again = apply(recharge.clone(), fact, now);
    let counts = again.recharge != *recharge || !again.postings.is_empty() || again.grant.is_some();
    counts && !matches!(fact, Fact::Submitted { .. })
}

fn is_capture(outcome: &laika_core::recharge::Outcome) -> bool {
    matches!(outcome, laika_core::recharge::Outcome::Captured { .. })
}

fn payment_name(payment: usize) -> String {
    format!("p{payment}")
}

fn captured(attempt: u32, payment: usize) -> Fact {
    Fact::Captured { attempt, payment: payment_name(payment), amount: money("3.00") }
}

/// What was heard, as a fact about an attempt.
pub(super) fn fact(next: Next, attempt: u32) -> Option<Fact> {
    Some(match next {
        Next::Captured(payment) => captured(attempt, payment as usize),
        Next::Declined => {
            Fact::Declined { attempt, code: "generic_decline".to_owned(), hard: false }
        }
        Next::Unanswered => Fact::Unanswered { attempt },
        Next::NotFound => Fact::NotFound { attempt },
        Next::Delivered => Fact::Delivered { top_up: "top-up".to_owned(), delivered_at: None },
        Next::NotDelivered => Fact::NotDelivered,
        Next::TopUpNotFound => Fact::TopUpNotFound,
        Next::DeliveryUnanswered => Fact::DeliveryUnanswered,
        Next::Refunded => Fact::Refunded { attempt, refund: "refund".to_owned() },
        Next::RefundUnanswered => Fact::RefundUnanswered { attempt },
        Next::Nothing => return None,
    })
}
