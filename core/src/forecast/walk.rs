//! The next recharges, by stepping `decide` over the line's average use. By date alone nothing
//! needs stepping: the schedule says it.

use super::{DATES, PreviewInputs, Upcoming};
use crate::balance::{Balance, Bucket, CreditGrant, Place, UsageEvent};
use crate::bytes::Bytes;
use crate::decide::{
    Account, Cause, Decision, History, Order, PastRecharge, Standing, TriggerDue, announce, decide,
    largest_recharge,
};
use crate::id::{BucketId, RechargeId};
use crate::rule::{Adds, Rule};
use crate::time::{Instant, Span};

/// How far a forecast by use looks ahead.
const DAYS_AHEAD: i64 = 366;

/// The next recharges of a rule that is on.
pub(super) fn upcoming(rule: &Rule, inputs: &PreviewInputs) -> Vec<Upcoming> {
    match &rule.triggers.scheduled {
        Some(schedule)
            if rule.triggers.low_balance.is_none() && rule.triggers.expiring_days.is_none() =>
        {
            let zone = &inputs.account.zone;
            let Some((amount, _)) = largest_recharge(rule, &inputs.account) else {
                return Vec::new();
            };
            let last = rule.limits.ends_on;
            let first = rule.limits.starts_on;
            let lead = crate::decide::notice_lead(rule, &inputs.account);
            schedule
                .upcoming(inputs.as_of, zone)
                .take_while(|at| last.is_none_or(|last| zone.date(*at) <= last))
                .filter(|at| first.is_none_or(|first| first <= zone.date(*at)))
                .take(DATES)
                .map(|at| at.max(inputs.as_of.plus(lead)))
                .map(|at| Upcoming { at, amount, expected: false })
                .collect()
        }
        Some(_) | None => World::new(rule, inputs).walk(inputs.recent_use.daily()),
    }
}

/// A line in the forecast: every charge succeeds at once.
struct World<'a> {
    rule: &'a Rule,
    account: Account,
    history: History,
    balance: Balance,
    now: Instant,
    found: Vec<Upcoming>,
}

impl<'a> World<'a> {
    fn new(rule: &'a Rule, inputs: &PreviewInputs) -> World<'a> {
        let mut history = inputs.history.clone();
        // Why: what is on its way will have ended long before the dates that are shown.
        for recharge in &mut history.recharges {
            if matches!(recharge.standing, Standing::Open | Standing::Unknown) {
                recharge.standing = Standing::Spent;
            }
        }
        World {
            rule,
            account: inputs.account.clone(),
            history,
            balance: inputs.balance.clone(),
            now: inputs.as_of,
            found: Vec::new(),
        }
    }

    /// Steps a quarter of a day at a time, and to every look in between.
    fn walk(mut self, daily: Bytes) -> Vec<Upcoming> {
        const PARTS: i64 = 4;
        let part = Bytes::new(daily.get().checked_div(4).unwrap_or(0)).unwrap_or_default();
        let until = self.now.plus(Span::days(DAYS_AHEAD));
        let mut next_use = self.now.plus(Span(Span::days(1).0.checked_div(PARTS).unwrap_or(1)));
        self.look();
        while self.now < until && self.found.len() < DATES {
            let look = self.next_look().filter(|at| *at > self.now && *at < next_use);
            match look {
                Some(at) => self.now = at,
                None => {
                    self.now = next_use;
                    next_use = next_use.plus(Span::hours(6));
                    self.draw(part);
                }
            }
            self.look();
        }
        self.found
    }

    fn draw(&mut self, bytes: Bytes) {
        let place = Place { time: self.now, id: String::new() };
        self.balance.place(&UsageEvent { place, bytes, received_version: i64::MAX });
    }

    fn next_look(&mut self) -> Option<Instant> {
        let by_expiry = self.balance.next_expiry(self.now);
        let by_rule =
            decide(self.rule, &self.account, &self.history, &Cause::Timer, self.now).next_look_at();
        by_rule.into_iter().chain(by_expiry).min()
    }

    fn look(&mut self) {
        self.account.available_bytes = self.balance.available(self.now);
        self.account.credit_minor = self.balance.credit_left_minor();
        self.account.latest_expiry_at = self.balance.latest_expiry(self.now);
        let notices = announce(self.rule, &self.account, &self.history, self.now);
        self.history.notices.extend(notices);
        let decision = decide(self.rule, &self.account, &self.history, &Cause::Timer, self.now);
        if let Decision::Recharge { order } = decision {
            self.recharge(&order);
        }
    }

    fn recharge(&mut self, order: &Order) {
        let number = u32::try_from(self.found.len()).unwrap_or(u32::MAX);
        let id = RechargeId::derive(&self.account.line_id, number);
        match order.adds {
            Adds::Data { bytes, validity_days, .. } => self.balance.grant(Bucket {
                id: BucketId::of_recharge(&id),
                bytes_total: bytes,
                bytes_left: bytes,
                expires_at: Some(self.now.plus(Span::days(i64::from(validity_days)))),
                granted_at: self.now,
                grant_version: 0,
                recharge: None,
            }),
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
}
