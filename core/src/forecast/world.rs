//! A line as a forecast or a replay steps it: usage comes, `decide` is asked, every charge succeeds
//! and is delivered at once. It holds no rule of its own.

use super::Upcoming;
use crate::balance::{Balance, Bucket, CreditGrant, Place, UsageEvent};
use crate::bytes::Bytes;
use crate::decide::{
    Account, Cause, Decision, History, Order, PastRecharge, Reason, Standing, TriggerDue, announce,
    decide,
};
use crate::id::{BucketId, RechargeId};
use crate::rule::{Adds, Rule};
use crate::time::{Instant, Span};

/// A line being stepped.
pub(super) struct World<'a> {
    rule: &'a Rule,
    account: Account,
    history: History,
    pub(super) balance: Balance,
    now: Instant,
    next_look_at: Option<Instant>,
    announces: bool,
    /// Whether the month's cap held back the latest look.
    pub(super) capped: bool,
    /// What was recharged so far.
    pub(super) found: Vec<Upcoming>,
    most: usize,
}

impl<'a> World<'a> {
    /// A line as it is at `now`, to be stepped until so many recharges are found.
    pub(super) fn new(
        rule: &'a Rule,
        account: Account,
        mut history: History,
        balance: Balance,
        now: Instant,
        most: usize,
    ) -> World<'a> {
        // Why: what is on its way will have ended long before the dates that are shown.
        for recharge in &mut history.recharges {
            if matches!(recharge.standing, Standing::Open | Standing::Unknown) {
                recharge.standing = Standing::Spent;
            }
        }
        let told_first = |m: &crate::decide::MethodFacts| m.rail.facts().advance.is_some();
        let announces = rule.triggers.scheduled.is_some()
            || rule.triggers.expiring_days.is_some()
            || account.payment_methods.iter().any(told_first);
        let (next_look_at, found) = (None, Vec::new());
        let capped = false;
        World { rule, account, history, balance, now, next_look_at, announces, capped, found, most }
    }

    /// Whether as many recharges as wanted are found.
    pub(super) fn is_full(&self) -> bool {
        self.found.len() >= self.most
    }

    /// Goes on to an instant, stopping at every look on the way.
    pub(super) fn pass_to(&mut self, until: Instant) {
        while let Some(at) = self.next_look_at.filter(|at| *at > self.now && *at <= until)
            && !self.is_full()
        {
            self.now = at;
            self.look();
        }
        self.now = until;
    }

    /// Draws usage now, and says whether more was wanted than was left. Whoever calls it looks.
    pub(super) fn draw(&mut self, bytes: Bytes) -> bool {
        let overrun = self.balance.overrun_bytes;
        let place = Place { time: self.now, id: String::new() };
        self.balance.place(&UsageEvent { place, bytes, received_version: i64::MAX });
        self.balance.overrun_bytes > overrun
    }

    /// Looks until nothing is charged any more.
    pub(super) fn look(&mut self) {
        while !self.is_full() {
            let decision = self.decision();
            self.capped = matches!(decision.reason(), Some(Reason::MonthlyCapReached { .. }));
            match decision {
                Decision::Recharge { order } => self.recharge(&order),
                Decision::Wait { next_look_at, .. } => return self.look_next(Some(next_look_at)),
                Decision::Skip { next_look_at, .. } => return self.look_next(next_look_at),
            }
        }
    }

    /// What is decided now.
    fn decision(&mut self) -> Decision {
        self.account.available_bytes = self.balance.available(self.now);
        self.account.credit_minor = self.balance.credit_left_minor();
        self.account.latest_expiry_at = self.balance.latest_expiry(self.now);
        if self.announces {
            let notices = announce(self.rule, &self.account, &self.history, self.now);
            self.history.notices.extend(notices);
        }
        decide(self.rule, &self.account, &self.history, &Cause::Timer, self.now)
    }

    fn look_next(&mut self, by_rule: Option<Instant>) {
        let by_expiry = self.balance.next_expiry(self.now);
        self.next_look_at = by_rule.into_iter().chain(by_expiry).min();
    }

    fn recharge(&mut self, order: &Order) {
        let number = u32::try_from(self.found.len()).unwrap_or(u32::MAX);
        let id = RechargeId::derive(&self.account.line_id, number);
        match order.adds {
            Adds::Data { bytes, validity_days, .. } => self.grant(&id, bytes, validity_days),
            Adds::Credit(money) => self
                .balance
                .grant_credit(CreditGrant { amount_minor: money.amount_minor, grant_version: 0 }),
        }
        for trigger in &order.triggers {
            match trigger {
                TriggerDue::LowBalance => {}
                TriggerDue::Scheduled { at } => {
                    self.history.consumed_through = self.history.consumed_through.max(Some(*at));
                }
                TriggerDue::Expiring { expires_at } => {
                    self.history.consumed_expiry_at = Some(*expires_at);
                }
            }
        }
        self.history.notices.retain(|n| !order.triggers.contains(&n.trigger));
        self.debit(order);
        self.history.recharges.push(PastRecharge {
            id,
            automatic: true,
            standing: Standing::Spent,
            opened_at: self.now,
            reserved_at: self.now,
            amount: order.amount,
            adds: order.adds,
        });
        let expected = order.triggers.contains(&TriggerDue::LowBalance);
        self.found.push(Upcoming { at: self.now, amount: order.amount, expected });
    }

    fn grant(&mut self, id: &RechargeId, bytes: Bytes, validity_days: u32) {
        // Why: no event comes late here, and a long replay would carry every old bucket along.
        let now = self.now;
        self.balance.buckets.retain(|b| b.expires_at.is_none_or(|end| now < end));
        self.balance.grant(Bucket {
            id: BucketId::of_recharge(id),
            bytes_total: bytes,
            bytes_left: bytes,
            expires_at: Some(now.plus(Span::days(i64::from(validity_days)))),
            granted_at: now,
            grant_version: 0,
            recharge: None,
        });
    }

    /// What the first method's agreement has left afterwards.
    fn debit(&mut self, order: &Order) {
        let charged = order.payment_methods.first();
        let methods = self.account.payment_methods.iter_mut();
        for method in methods.filter(|method| Some(&method.id) == charged) {
            if let Some(agreement) = &mut method.agreement {
                agreement.debited_at = Some(self.now);
                agreement.debits_left = agreement.debits_left.map(|left| left.saturating_sub(1));
                agreement.total_left =
                    agreement.total_left.and_then(|left| left.checked_sub(order.amount));
            }
        }
    }
}
