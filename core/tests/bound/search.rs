//! A small world, searched exhaustively: at every instant of a grid, everything that use, a person,
//! a bank or an outage can do, on the real `announce`, `decide` and `apply`. It knows the engine's
//! functions and nothing of how a bound is computed.
//!
//! What can happen at an instant: nothing; a look at the line with any of the world's gaps; the
//! waiting payment is submitted, if `decide` still allows it, and is paid and delivered, softly
//! declined, hard declined or not answered; what was not answered turns out paid or declined; the
//! rule is stopped. When everything failed, the customer puts it right at once.

use chrono::{Datelike, NaiveDate};
use laika_core::bytes::Bytes;
use laika_core::decide::{
    Account, Cause, Decision, History, Notice, Period, Standing, TriggerDue, announce, consumed_by,
    consumed_with, decide,
};
use laika_core::recharge::{Effect, Fact, Recharge, Status, Step, apply};
use laika_core::retry::Ladder;
use laika_core::rule::{Adds, Rule};
use laika_core::time::{Instant, Span};
use std::collections::HashMap;

/// A rule on a line, and what is tried on it.
pub(crate) struct World {
    pub(crate) rule: Rule,
    pub(crate) account: Account,
    /// How much may be left when the line is looked at.
    pub(crate) left: Vec<Bytes>,
    /// The instants at which something may happen, ascending.
    pub(crate) grid: Vec<Instant>,
}

/// What a search found.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// The most taken in each stretch, in minor units.
    pub(crate) most_minor: Vec<i64>,
    /// Different states, over all instants.
    pub(crate) states: usize,
}

/// Where the world stands.
#[derive(Clone)]
struct State {
    history: History,
    latest_expiry_at: Option<Instant>,
    open: Option<Open>,
    ladder: Ladder,
}

/// The recharge that is open, and its next try.
#[derive(Clone)]
struct Open {
    recharge: Recharge,
    charge: Option<(u32, Instant)>,
}

/// What matters of a state for all that can follow: equal keys have equal futures.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    spent_minor: i64,
    count: usize,
    opened_at: Option<Instant>,
    consumed: (Option<Instant>, Option<Instant>, Option<Instant>),
    notices: Vec<(Instant, Instant, bool)>,
    open: Option<OpenKey>,
    ladder: (u32, Option<Instant>),
}

/// Its status, when it was reserved, how much it is, what it consumes, its next try.
type OpenKey = (Status, NaiveDate, i64, Vec<Instant>, Option<Instant>);
/// What can have been taken in each stretch on the ways to a state: the most, stretch by stretch.
type Taken = Vec<i64>;
/// What a thing that happens leads to, and what it took, reserved when.
type Next = (State, Option<(Instant, i64)>);

impl World {
    /// The most that can be taken in each of these stretches, when the line's own data expires
    /// latest at one of these instants; nothing when there are more states than so many.
    pub(crate) fn most_in(
        &self,
        stretches: &[Period],
        expiries: &[Option<Instant>],
        states: usize,
    ) -> Option<Found> {
        let mut found = Found { most_minor: vec![0; stretches.len()], states: 0 };
        let start = |latest_expiry_at: &Option<Instant>| State {
            history: History::default(),
            latest_expiry_at: *latest_expiry_at,
            open: None,
            ladder: Ladder::default(),
        };
        let nothing = vec![0; stretches.len()];
        let mut before: Vec<(State, Taken)> =
            expiries.iter().map(|end| (start(end), nothing.clone())).collect();
        for at in &self.grid {
            let mut reached: HashMap<Key, (State, Taken)> = HashMap::new();
            // All that can happen at one instant, in any order and number.
            while let Some((state, taken)) = before.pop() {
                let key = self.key(&state, *at);
                let known = reached.get(&key).map(|(_, known)| known.as_slice());
                let Some(taken) = more(taken, known) else { continue };
                for (state, paid) in self.after(&state, *at) {
                    let mut taken = taken.clone();
                    for (taken, stretch) in taken.iter_mut().zip(stretches) {
                        let paid = paid.filter(|(at, _)| stretch.holds(*at));
                        *taken += paid.map_or(0, |(_, minor)| minor);
                    }
                    before.push((state, taken));
                }
                reached.insert(key, (state, taken));
                if found.states + reached.len() > states {
                    return None;
                }
            }
            found.states += reached.len();
            before = reached.into_values().collect();
        }
        for (_, taken) in before {
            for (most, taken) in found.most_minor.iter_mut().zip(taken) {
                *most = (*most).max(taken);
            }
        }
        Some(found)
    }

    /// What one thing that happens leads to, and what it took and for when, if it did.
    fn after(&self, state: &State, now: Instant) -> Vec<Next> {
        let mut next = Vec::new();
        match &state.open {
            None => {
                for left in &self.left {
                    next.extend(self.look(state, *left, now).map(|state| (state, None)));
                }
            }
            Some(open) => {
                next.extend(self.stopped(state, open, now));
                if open.recharge.status == Status::Unknown {
                    next.extend(self.answers(state, open, now));
                } else if let Some((attempt, _)) = open.charge.filter(|(_, at)| *at <= now) {
                    next.extend(self.submit(state, open, attempt, now));
                }
            }
        }
        next
    }

    fn account(&self, state: &State, left: Bytes, now: Instant) -> Account {
        let mut account = self.account.clone();
        account.available_bytes = left;
        account.latest_expiry_at = state.latest_expiry_at.filter(|end| now < *end);
        account.payment_methods[0].ladder = state.ladder;
        account
    }

    /// A look at the line, as the server does it; nothing when it changes nothing.
    fn look(&self, state: &State, left: Bytes, now: Instant) -> Option<State> {
        let mut state = state.clone();
        let account = self.account(&state, left, now);
        let told = announce(&self.rule, &account, &state.history, now);
        let mut changed = !told.is_empty();
        state.history.notices.extend(told);
        let decision = decide(&self.rule, &account, &state.history, &Cause::Timer, now);
        if let Decision::Recharge { order } = &decision {
            let number = state.history.recharges.len() as u32;
            let (line, methods) = (self.account.line_id.clone(), &account.payment_methods);
            let told = &state.history.notices;
            let step = Recharge::open(line, number, Some(1), order.clone(), methods, told, now);
            for trigger in &order.triggers {
                consume(&mut state.history, trigger, &self.rule, &account);
            }
            take(&mut state, step, None, now);
            return Some(state);
        }
        let gone = consumed_by(&decision, &self.rule, &account, &state.history, now);
        if gone > state.history.consumed_through {
            state.history.consumed_through = gone;
            changed = true;
        }
        let through = state.history.consumed_through;
        let is_gone = |n: &Notice| match n.trigger {
            TriggerDue::Scheduled { at } => Some(at) <= through,
            TriggerDue::LowBalance | TriggerDue::Expiring { .. } => false,
        };
        state.history.notices.retain(|notice| !is_gone(notice));
        changed.then_some(state)
    }

    /// The waiting try is due: decided again, then sent.
    fn submit(&self, state: &State, open: &Open, attempt: u32, now: Instant) -> Vec<Next> {
        let triggers = open.recharge.order.triggers.clone();
        let mut others = state.history.clone();
        others.recharges.pop();
        let mut next = Vec::new();
        let mut seen = Vec::new();
        for left in &self.left {
            let account = self.account(state, *left, now);
            let cause = Cause::Submission { triggers: triggers.clone() };
            let allowed = match decide(&self.rule, &account, &others, &cause, now) {
                Decision::Recharge { order } => {
                    order.amount.amount_minor >= open.recharge.order.amount.amount_minor
                }
                Decision::Wait { .. } | Decision::Skip { .. } => false,
            };
            if seen.contains(&allowed) {
                continue;
            }
            seen.push(allowed);
            let mut state = state.clone();
            if allowed {
                let step = apply(open.recharge.clone(), &Fact::Submitted { attempt }, now);
                let sent = Open { recharge: step.recharge.clone(), charge: None };
                take(&mut state, step, None, now);
                next.extend(self.answers(&state, &sent, now));
                let fact = Fact::Unanswered { attempt };
                let step = apply(sent.recharge, &fact, now);
                take(&mut state, step, None, now);
            } else {
                let fact = Fact::Withdrawn { attempt, reason: String::new() };
                let step = apply(open.recharge.clone(), &fact, now);
                take(&mut state, step, open.charge, now);
            }
            next.push((state, None));
        }
        next
    }

    /// What the gateway can say of the attempt that was sent last.
    fn answers(&self, state: &State, open: &Open, now: Instant) -> Vec<Next> {
        let Some(sent) = open.recharge.attempts.last() else { return Vec::new() };
        let (attempt, amount) = (sent.number, open.recharge.order.amount);
        let captured = Fact::Captured { attempt, payment: String::new(), amount };
        let paid = apply(open.recharge.clone(), &captured, now).recharge;
        let delivered = Fact::Delivered { top_up: String::new(), delivered_at: None };
        let step = apply(paid, &delivered, now);
        let mut richer = state.clone();
        if let Adds::Data { validity_days, .. } = open.recharge.order.adds {
            let expires_at = now.plus(Span::days(i64::from(validity_days)));
            richer.latest_expiry_at = richer.latest_expiry_at.max(Some(expires_at));
        }
        let reserved_at = step.recharge.reserved_at;
        assert_eq!(step.recharge.status, Status::Done);
        take(&mut richer, step, None, now);
        let mut next = vec![(richer, Some((reserved_at, amount.amount_minor)))];
        for hard in [false, true] {
            let fact = Fact::Declined { attempt, code: String::new(), hard };
            let step = apply(open.recharge.clone(), &fact, now);
            let mut declined = state.clone();
            take(&mut declined, step, None, now);
            next.push((declined, None));
        }
        next
    }

    /// The customer stops it: nothing that was not sent is ever sent.
    fn stopped(&self, state: &State, open: &Open, now: Instant) -> Option<Next> {
        if open.recharge.status == Status::Unknown {
            return None;
        }
        let mut state = state.clone();
        let step = apply(open.recharge.clone(), &Fact::Stopped, now);
        take(&mut state, step, open.charge, now);
        Some((state, None))
    }

    fn key(&self, state: &State, now: Instant) -> Key {
        let zone = &self.account.zone;
        let (rule, today) = (&self.rule, zone.date(now));
        let limits = &rule.limits;
        let month = |at: Instant| (zone.date(at).year(), zone.date(at).month());
        let past = state.history.recharges.iter().filter(|r| r.standing != Standing::Released);
        let this_month = past.clone().filter(|r| month(r.reserved_at) == month(now));
        let spent_minor: i64 = this_month.map(|r| r.amount.amount_minor).sum();
        let count = past.filter(|r| zone.date(r.reserved_at) == today).count();
        let opened_at = state.history.recharges.iter().map(|r| r.opened_at).max();
        let through = state.history.consumed_through;
        let counts = |notice: &&Notice| match notice.trigger {
            TriggerDue::Scheduled { at } => Some(at) > through,
            TriggerDue::LowBalance | TriggerDue::Expiring { .. } => true,
        };
        let mut notices: Vec<_> = state
            .history
            .notices
            .iter()
            .filter(counts)
            .map(|notice| match notice.trigger {
                TriggerDue::LowBalance => (now, notice.charge_at, false),
                TriggerDue::Scheduled { at } => (at, notice.charge_at, true),
                TriggerDue::Expiring { expires_at } => (expires_at, notice.charge_at, false),
            })
            .collect();
        notices.sort_unstable();
        let open = state.open.as_ref().map(|open| {
            let order = &open.recharge.order;
            let triggers = order.triggers.iter().map(|trigger| match trigger {
                TriggerDue::LowBalance => Instant::MIN,
                TriggerDue::Scheduled { at } => *at,
                TriggerDue::Expiring { expires_at } => *expires_at,
            });
            let status = open.recharge.status;
            let reserved_on = zone.date(open.recharge.reserved_at);
            let charge_at = open.charge.map(|(_, at)| at);
            (status, reserved_on, order.amount.amount_minor, triggers.collect(), charge_at)
        });
        Key {
            spent_minor: limits.cap_per_month.map_or(0, |_| spent_minor),
            count: limits.max_per_day.map_or(0, |_| count),
            opened_at: opened_at.filter(|at| now < at.plus(limits.cool_down())),
            consumed: (through, state.history.consumed_expiry_at, state.latest_expiry_at),
            notices,
            open,
            ladder: (state.ladder.failures, state.ladder.since),
        }
    }
}

/// What is known now, if that is more than what was known in any stretch.
fn more(taken: Taken, known: Option<&[i64]>) -> Option<Taken> {
    let Some(known) = known else { return Some(taken) };
    let more = taken.iter().zip(known).any(|(taken, known)| taken > known);
    let most = |(taken, known): (i64, &i64)| taken.max(*known);
    more.then(|| taken.into_iter().zip(known).map(most).collect())
}

/// What a recharge serves is consumed.
fn consume(history: &mut History, trigger: &TriggerDue, rule: &Rule, account: &Account) {
    match trigger {
        TriggerDue::LowBalance => {}
        TriggerDue::Scheduled { at } => {
            let gone = consumed_with(rule, account, *at);
            history.consumed_through = history.consumed_through.max(Some(gone));
        }
        TriggerDue::Expiring { expires_at } => {
            history.consumed_expiry_at = history.consumed_expiry_at.max(Some(*expires_at));
        }
    }
    history.notices.retain(|notice| notice.trigger != *trigger);
}

/// Takes a step of the recharge into the world.
fn take(state: &mut State, step: Step, waiting: Option<(u32, Instant)>, now: Instant) {
    let charge = step.effects.iter().find_map(|due| match due.effect {
        Effect::Charge { attempt } => Some((attempt, due.at)),
        _ => None,
    });
    if let Some(tries) = step.recharge.tries.first() {
        state.ladder = tries.ladder;
    }
    let past = step.recharge.past();
    let recharges = &mut state.history.recharges;
    match recharges.iter_mut().find(|r| r.id == past.id) {
        Some(known) => *known = past,
        None => recharges.push(past),
    }
    let ended = step.recharge.status.is_end();
    let failed = matches!(step.recharge.status, Status::Failed | Status::Cancelled);
    if failed && step.effects.iter().any(|due| matches!(due.effect, Effect::Suspend { .. })) {
        // The customer gives another card: what fell due meanwhile is gone.
        state.ladder = Ladder::default();
        state.history.consumed_through = state.history.consumed_through.max(Some(now));
    }
    let open = Open { recharge: step.recharge, charge: charge.or(waiting) };
    state.open = (!ended).then_some(open);
}
