//! Honest worlds: one line over some months, its recharges run by the real `decide` and `apply`
//! against a gateway and a carrier that decline, lose answers, capture late, take a wrong amount or
//! deliver nothing, but lie about none of it. In such a world no difference may be found.

use super::back::{decides_to_give_back, give_back, given, won};
use super::{line, method, open};
use crate::cases::{money, world as account_and_rule, zone};
use crate::parity::Dice;
use laika_core::bytes::Bytes;
use laika_core::decide::{
    Account, Cause, Decision, History, MethodFacts, Order, Periods, TriggerDue, decide,
};
use laika_core::id::{IdempotencyKey, LineId};
use laika_core::money::Money;
use laika_core::recharge::{Due, Effect, Fact, Outcome, Recharge, Status, apply};
use laika_core::reconcile::{Barrier, Decided, Decisions, Payment, PaymentState, Statement, TopUp};
use laika_core::record::DecisionRecord;
use laika_core::returns::RefundReason;
use laika_core::rule::{Amount, Rule, Threshold};
use laika_core::time::{Instant, Span};

/// What all three sides have after some months.
#[derive(Clone)]
pub(crate) struct World {
    pub decisions: Decisions,
    pub gateway: Statement<Payment>,
    pub carrier: Statement<TopUp>,
    /// The newest of it.
    pub end: Instant,
}

/// What the gateway does with a payment.
#[derive(Clone, Copy, PartialEq)]
enum Charge {
    Captured,
    AnswerLostAfter,
    AnswerLostBefore,
    WrongAmount,
    Declined,
    DeclinedForGood,
    DeclinedAndCaptured,
    ActionRequired,
}

/// What happens next to a recharge: something to do, or something that is heard.
enum Event {
    Do(Effect),
    Hear(Fact),
    /// The carrier delivers at last, if it has not yet.
    Arrives,
}

/// A line that lives.
struct Life<'d> {
    dice: &'d mut Dice,
    line_id: LineId,
    rule: Rule,
    account: Account,
    history: History,
    now: Instant,
    world: World,
}

impl World {
    /// So many recharges of a line of this name.
    pub(crate) fn new(dice: &mut Dice, line_id: LineId, recharges: u32) -> World {
        let (rule, mut account, history) = account_and_rule();
        let card = account.payment_methods.first().expect("a card").clone();
        account.payment_methods.push(MethodFacts { id: method("other"), ..card });
        account.line_id = line_id.clone();
        let now = Instant::parse("2026-07-03T10:00:00Z").expect("an instant");
        let world = World {
            decisions: Decisions::default(),
            gateway: Statement { from: now, until: Instant::MAX, rows: vec![] },
            carrier: Statement { from: now, until: Instant::MAX, rows: vec![] },
            end: now,
        };
        let mut life = Life { dice, line_id, rule, account, history, now, world };
        life.rule.payment_methods.push(method("other"));
        life.rule.limits.cap_per_month = Some(money("60.00"));
        for number in 1..=recharges {
            life.goes_on();
            life.recharges(number);
        }
        life.is_over();
        life.world
    }

    /// Two lines of one customer.
    pub(super) fn of_two_lines(dice: &mut Dice) -> World {
        let mut one = World::new(dice, line(), 14);
        let other = World::new(dice, LineId::new("other").expect("an id"), 6);
        one.decisions.recharges.extend(other.decisions.recharges);
        one.decisions.barriers.extend(other.decisions.barriers);
        one.gateway.rows.extend(other.gateway.rows);
        one.carrier.rows.extend(other.carrier.rows);
        one.end = one.end.max(other.end);
        one
    }

    pub(super) fn payment(&mut self, key: &IdempotencyKey) -> Option<&mut Payment> {
        self.gateway.rows.iter_mut().find(|row| row.key.as_ref() == Some(key))
    }
}

impl Life<'_> {
    /// Time passes, and the customer changes this or that.
    fn goes_on(&mut self) {
        self.now = self.now.plus(Span::minutes(self.dice.roll(6_000) as i64 + 31));
        self.rule.version += 1;
        let data = Bytes::GB.checked_mul(self.dice.roll(4) + 2).expect("few bytes");
        let credit = self.dice.roll(5) == 0;
        self.rule.amount = if credit {
            Amount::FixedCredit(money("12.00"))
        } else {
            Amount::FixedData { bytes: data }
        };
        self.rule.triggers.low_balance = Some(match credit {
            true => Threshold::Credit(money("5.00")),
            false => Threshold::Data { bytes: Bytes::GB },
        });
        if self.dice.roll(4) == 0 {
            let cap = money("3.00").checked_mul(self.dice.roll(20) as i64 + 3);
            self.rule.limits.cap_per_month = cap.filter(|_| self.dice.roll(6) > 0);
        }
        if self.dice.roll(9) == 0 {
            self.moves();
        }
        if self.dice.roll(6) == 0 {
            let until = self.now.plus(Span::hours(self.dice.roll(9) as i64 + 1));
            self.barrier(None, Some(until));
            self.barrier(Some("removed"), None);
            self.now = until;
        }
    }

    /// To another zone: the running month ends with the later of both.
    fn moves(&mut self) {
        let names = ["Europe/Madrid", "Asia/Shanghai", "America/New_York"];
        let new = zone(names[self.dice.roll(3) as usize]);
        let kept = Periods::kept(&self.account.zone, self.account.kept_periods, &new, self.now);
        self.account.kept_periods = Some(kept);
        self.account.zone = new;
    }

    fn barrier(&mut self, name: Option<&str>, until: Option<Instant>) {
        let (line_id, from) = (self.line_id.clone(), self.now);
        let payment_method_id = name.map(method);
        self.world.decisions.barriers.push(Barrier { line_id, payment_method_id, from, until });
    }

    /// The rule recharges, if it may; now and then the customer buys by hand.
    fn recharges(&mut self, number: u32) {
        let by_hand = self.dice.roll(6) == 0;
        let record =
            DecisionRecord::make(&self.rule, &self.account, &self.history, &Cause::Usage, self.now);
        let Decision::Recharge { order } = record.decision.clone() else { return };
        let order = if by_hand { Order { triggers: vec![], ..order } } else { order };
        let version = (!by_hand).then_some(self.rule.version);
        let step = open(&self.line_id, number, version, order, self.now);
        let recharge = self.runs(step.recharge, step.effects);
        self.history.recharges.push(recharge.past());
        let decided = Decided::of(recharge, Some(&record).filter(|_| !by_hand), vec![]);
        self.world.decisions.recharges.push(decided);
    }

    /// Fact by fact until nothing is left to be done.
    fn runs(&mut self, mut recharge: Recharge, effects: Vec<Due>) -> Recharge {
        let due = |due: Due| (due.at, Event::Do(due.effect));
        let mut events: Vec<(Instant, Event)> = effects.into_iter().map(due).collect();
        let mut off = false;
        for _ in 0..400 {
            let first = (0..events.len()).min_by_key(|place| events[*place].0);
            let Some((at, event)) = first.map(|place| events.remove(place)) else {
                if off {
                    let barrier = self.world.decisions.barriers.last_mut().expect("off");
                    barrier.until = Some(self.now.plus(Span::seconds(1)));
                }
                assert!(recharge.status.is_end(), "{recharge:?}");
                return recharge;
            };
            self.now = self.now.max(at).plus(Span::seconds(1));
            let facts = match event {
                Event::Hear(fact) => vec![fact],
                Event::Arrives => vec![self.delivers(&recharge)],
                Event::Do(effect) => self.performs(&recharge, &effect, &mut events),
            };
            for fact in facts.into_iter().chain(self.switches_off(&recharge, &mut off)) {
                if fact == Fact::Stopped {
                    self.now = self.now.plus(Span::seconds(1));
                    self.barrier(None, None);
                }
                let step = apply(recharge, &fact, self.now);
                recharge = step.recharge;
                events.extend(step.effects.into_iter().map(due));
            }
        }
        panic!("it never ends: {recharge:?}");
    }

    /// Now and then the customer, once.
    fn switches_off(&mut self, recharge: &Recharge, off: &mut bool) -> Option<Fact> {
        let now = !*off && recharge.automatic() && self.dice.roll(25) == 0;
        *off |= now;
        now.then_some(Fact::Stopped)
    }

    /// What is done outside, and what is seen of it.
    fn performs(
        &mut self,
        recharge: &Recharge,
        effect: &Effect,
        events: &mut Vec<(Instant, Event)>,
    ) -> Vec<Fact> {
        match *effect {
            Effect::Charge { attempt } => self.charges(recharge, attempt, events),
            Effect::LookUpPayment { attempt } => self.looks_up(recharge, attempt),
            Effect::CancelPayment { attempt } => self.cancels(recharge, attempt),
            Effect::TopUp => self.tops_up(recharge, events),
            Effect::LookUpTopUp => match self.top_up(recharge) {
                Some(top_up) => vec![Fact::Delivered { top_up, delivered_at: None }],
                None => vec![Fact::TopUpNotFound],
            },
            Effect::Refund { attempt } => self.refunds(recharge, attempt),
            Effect::Bar { .. }
            | Effect::Suspend { .. }
            | Effect::Tell { .. }
            | Effect::Evaluate => {
                vec![]
            }
        }
    }

    /// Decides again, records the submission, sends: as the server does.
    fn charges(
        &mut self,
        recharge: &Recharge,
        attempt: u32,
        events: &mut Vec<(Instant, Event)>,
    ) -> Vec<Fact> {
        let submitted = Fact::Submitted { attempt };
        if recharge.automatic() && !self.still_allowed(recharge) {
            return vec![Fact::Withdrawn { attempt, reason: "not_due".to_owned() }];
        }
        let known = recharge.facts.len();
        if apply(recharge.clone(), &submitted, self.now).recharge.facts.len() == known {
            return vec![];
        }
        let key = IdempotencyKey::of_attempt(&recharge.id, attempt);
        if self.world.payment(&key).is_some() {
            return [vec![submitted], self.looks_up(recharge, attempt)].concat();
        }
        let (seen, late) = self.takes(recharge, attempt, key);
        events.extend(late.map(|fact| (self.now.plus(Span::hours(3)), Event::Hear(fact))));
        vec![submitted, seen]
    }

    fn still_allowed(&self, recharge: &Recharge) -> bool {
        let triggers: Vec<TriggerDue> = recharge.order.triggers.clone();
        let cause = Cause::Submission { triggers };
        match decide(&self.rule, &self.account, &self.history, &cause, self.now) {
            Decision::Recharge { order } => {
                order.amount.amount_minor >= recharge.order.amount.amount_minor
            }
            Decision::Wait { .. } | Decision::Skip { .. } => false,
        }
    }

    /// The gateway has it: a row, what it answers, and what is only heard later.
    fn takes(
        &mut self,
        recharge: &Recharge,
        attempt: u32,
        key: IdempotencyKey,
    ) -> (Fact, Option<Fact>) {
        let charge = match self.dice.roll(20) {
            0 | 1 => Charge::AnswerLostAfter,
            2 => Charge::AnswerLostBefore,
            3 => Charge::WrongAmount,
            4..=6 => Charge::Declined,
            7 => Charge::DeclinedForGood,
            8 => Charge::DeclinedAndCaptured,
            9 | 10 => Charge::ActionRequired,
            _ => Charge::Captured,
        };
        let payment = format!("p-{key}");
        let mut amount = recharge.order.amount;
        if charge == Charge::WrongAmount {
            amount.amount_minor += 1;
        }
        let captured_at = self.now.plus(Span::seconds(1));
        let takes = PaymentState::Captured { amount, captured_at };
        let captured = Fact::Captured { attempt, payment: payment.clone(), amount };
        let declined = |hard| Fact::Declined { attempt, code: "no".to_owned(), hard };
        let (state, seen, late) = match charge {
            Charge::Captured | Charge::WrongAmount => (takes, captured, None),
            Charge::AnswerLostAfter => (takes, Fact::Unanswered { attempt }, None),
            Charge::AnswerLostBefore => return (Fact::Unanswered { attempt }, None),
            Charge::Declined => (PaymentState::NotCharged, declined(false), None),
            Charge::DeclinedForGood => (PaymentState::NotCharged, declined(true), None),
            Charge::DeclinedAndCaptured => (takes, declined(false), Some(captured)),
            Charge::ActionRequired => {
                let url = "http://127.0.0.1/".to_owned();
                let wanted = Fact::ActionRequired { attempt, payment: payment.clone(), url };
                (PaymentState::Open, wanted, None)
            }
        };
        self.world.gateway.rows.push(Payment {
            id: payment,
            key: Some(key),
            created_at: self.now,
            state,
            refunds: vec![],
            disputes: vec![],
        });
        (seen, late)
    }

    fn looks_up(&mut self, recharge: &Recharge, attempt: u32) -> Vec<Fact> {
        let settled = recharge.attempt(attempt).and_then(|a| a.outcome.as_ref());
        if settled.is_some_and(|it| !matches!(it, Outcome::ActionRequired { .. })) {
            return vec![];
        }
        let key = IdempotencyKey::of_attempt(&recharge.id, attempt);
        let Some(row) = self.world.payment(&key) else { return vec![Fact::NotFound { attempt }] };
        match row.state {
            PaymentState::Captured { amount, .. } => {
                vec![Fact::Captured { attempt, payment: row.id.clone(), amount }]
            }
            PaymentState::NotCharged => vec![Fact::PaymentCancelled { attempt }],
            PaymentState::Open => vec![],
        }
    }

    /// Cancelled, unless the customer was there in the meantime.
    fn cancels(&mut self, recharge: &Recharge, attempt: u32) -> Vec<Fact> {
        let (came, captured_at) = (self.dice.roll(3) == 0, self.now);
        let amount = recharge.order.amount;
        let key = IdempotencyKey::of_attempt(&recharge.id, attempt);
        if let Some(row) = self.world.payment(&key)
            && row.state == PaymentState::Open
        {
            let captured = PaymentState::Captured { amount, captured_at };
            row.state = if came { captured } else { PaymentState::NotCharged };
        }
        self.looks_up(recharge, attempt)
    }

    fn top_up(&self, recharge: &Recharge) -> Option<String> {
        let key = IdempotencyKey::of_top_up(&recharge.id);
        let rows = &self.world.carrier.rows;
        rows.iter().find(|row| row.key.as_ref() == Some(&key)).map(|row| row.id.clone())
    }

    /// The carrier delivers once, or refuses, and now and then it does not answer, or takes hours.
    fn tops_up(&mut self, recharge: &Recharge, events: &mut Vec<(Instant, Event)>) -> Vec<Fact> {
        match self.dice.roll(9) {
            0 | 1 => vec![Fact::NotDelivered],
            2 => vec![Fact::DeliveryUnanswered],
            3 => {
                events.push((self.now.plus(Span::hours(5)), Event::Arrives));
                vec![Fact::DeliveryUnanswered]
            }
            4 => {
                self.delivers(recharge);
                vec![Fact::DeliveryUnanswered]
            }
            _ => vec![self.delivers(recharge)],
        }
    }

    fn delivers(&mut self, recharge: &Recharge) -> Fact {
        if let Some(top_up) = self.top_up(recharge) {
            return Fact::Delivered { top_up, delivered_at: None };
        }
        let id = format!("t-{}", recharge.id);
        let given = given(recharge.order.adds);
        let key = Some(IdempotencyKey::of_top_up(&recharge.id));
        let delivered_at = self.now;
        self.world.carrier.rows.push(TopUp { id: id.clone(), key, given, delivered_at });
        Fact::Delivered { top_up: id, delivered_at: None }
    }

    /// In full, in one part or in two.
    fn refunds(&mut self, recharge: &Recharge, attempt: u32) -> Vec<Fact> {
        let key = IdempotencyKey::of_attempt(&recharge.id, attempt);
        let (parts, now) = (self.dice.roll(2) + 1, self.now);
        let row = self.world.payment(&key).expect("a payment");
        give_back(row, parts as i64, now);
        vec![Fact::Refunded { attempt, refund: format!("f-{key}") }]
    }

    /// The last of it: what the operator gives back, in all or in part, and disputes that the bank
    /// decided for us.
    fn is_over(&mut self) {
        self.now = self.now.plus(Span::days(1));
        let now = self.now;
        for place in 0..self.world.decisions.recharges.len() {
            let recharge = &self.world.decisions.recharges[place].recharge;
            let Some(kept) = recharge.kept_capture().map(|attempt| attempt.number) else {
                continue;
            };
            let key = IdempotencyKey::of_attempt(&recharge.id, kept);
            let disputed = self.dice.roll(6) == 0;
            let returned = recharge.status == Status::Done && self.dice.roll(5) == 0;
            let all_minor = recharge.order.amount.amount_minor;
            let back_minor = if self.dice.roll(2) == 0 { all_minor } else { 100 };
            let row = self.world.gateway.rows.iter_mut().find(|row| row.key.as_ref() == Some(&key));
            let row = row.expect("a payment");
            if disputed {
                row.disputes.push(won(&row.id, now));
            }
            if returned {
                give_back(row, 1, now);
                row.refunds.last_mut().expect("a refund").amount_minor = back_minor;
                let amount = Money::new(back_minor, recharge.order.amount.currency);
                let decided = &mut self.world.decisions.recharges[place];
                decides_to_give_back(decided, kept, amount, RefundReason::Operator, now);
            }
        }
        self.world.end = now;
    }
}
