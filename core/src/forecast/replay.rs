//! How a rule would have done on the usage that the line really had: the rule's dates are moved
//! back, its days off left out, and `decide` stepped hour by hour. It starts with one full
//! recharge, because nobody knows what the line would have had then under this rule.

use super::PreviewInputs;
use super::world::World;
use crate::balance::{Balance, Bucket};
use crate::bytes::Bytes;
use crate::decide::{Account, History, MethodFacts, largest_recharge};
use crate::id::{BucketId, PaymentMethodId};
use crate::money::Money;
use crate::retry::Ladder;
use crate::rule::{Adds, Limits, Rule};
use crate::time::{Instant, Span};
use serde::{Deserialize, Serialize};

/// No 90 days hold more recharges than are worth counting: a rule that would, is stopped here.
const MOST: usize = 1000;

/// What a rule would have done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replay {
    /// When the replayed usage begins.
    pub from: Instant,
    /// When each recharge would have been made, and what it would have taken.
    pub recharges: Vec<Replayed>,
    /// What all of them would have taken.
    pub total: Money,
    /// The least that was left after each times 24 h began, the oldest first.
    pub lowest_by_day: Vec<Bytes>,
    /// The least that was ever left.
    pub lowest: Bytes,
    /// Hours in which data was wanted and none was left.
    pub dry_hours: u32,
    /// Those of them in which the month's cap held a recharge back.
    pub dry_hours_capped: u32,
    /// Hours without data had the first recharge been the only one.
    pub dry_hours_without: u32,
    /// What the data lying there cost, on average over the whole time.
    pub parked: Money,
}

/// A recharge that would have been made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replayed {
    /// When.
    pub at: Instant,
    /// What it would have taken.
    pub amount: Money,
}

/// The rule over the past usage of `inputs`; nothing for a line without usage or a rule that buys
/// no data.
pub fn replay(rule: &Rule, inputs: &PreviewInputs) -> Option<Replay> {
    let (rule, account) = as_it_would_have_been(rule, inputs);
    let (_, adds) = largest_recharge(&rule, &account)?;
    let Adds::Data { bytes, validity_days, .. } = adds else { return None };
    if inputs.past_use.hours.is_empty() {
        return None;
    }
    let from = inputs.past_use.from(inputs.as_of);
    let balance = full(&account, bytes, validity_days, from);
    let world = |balance, account, most| {
        World::new(&rule, account, History::default(), balance, from, most)
    };
    let mut without = world(balance.clone(), account.clone(), 0);
    let mut world = world(balance, account, MOST);
    let mut seen = Seen::default();
    world.look();
    let hours = inputs.past_use.hours.iter().zip(1..);
    for (used, hour) in hours {
        let at = from.plus(Span::hours(hour));
        world.pass_to(at);
        without.pass_to(at);
        if used.is_zero() {
            seen.hour(world.balance.available(at));
        } else {
            let (dry, dry_without) = (world.draw(*used), without.draw(*used));
            seen.hour(world.balance.available(at));
            world.look();
            seen.dry(dry, dry && world.capped, dry_without);
        }
    }
    Some(seen.sum_up(&rule, inputs, from, &world))
}

/// The rule with its dates moved back and nothing in its way, and the account before any trouble.
fn as_it_would_have_been(rule: &Rule, inputs: &PreviewInputs) -> (Rule, Account) {
    let from = inputs.past_use.from(inputs.as_of);
    let begins = inputs.account.zone.date(from);
    let mut rule = Rule {
        on: true,
        armed_at: from,
        paused_until_on: None,
        skip_at: None,
        limits: Limits { starts_on: None, ends_on: None, ..rule.limits.clone() },
        ..rule.clone()
    };
    rule.triggers.scheduled = rule.triggers.scheduled.map(|schedule| schedule.since(begins));
    let named =
        |m: &&MethodFacts| rule.payment_methods.contains(&m.id) && m.rail.facts().off_session;
    let well = |m: &MethodFacts| MethodFacts {
        expires_at: None,
        barred: false,
        ladder: Ladder::default(),
        declined_at: Vec::new(),
        ..m.clone()
    };
    let mut methods: Vec<MethodFacts> =
        inputs.account.payment_methods.iter().filter(named).map(well).collect();
    if methods.is_empty() {
        // Why: a rule can be tried before a card is bound.
        methods.extend(PaymentMethodId::new("card").map(MethodFacts::card));
        rule.payment_methods = methods.iter().map(|m| m.id.clone()).collect();
    }
    let account = Account {
        kept_periods: None,
        stopped_by_operator: false,
        line_closed: false,
        payment_methods: methods,
        ..inputs.account.clone()
    };
    (rule, account)
}

/// One full recharge, just made.
fn full(account: &Account, bytes: Bytes, validity_days: u32, from: Instant) -> Balance {
    let mut balance = Balance::default();
    balance.grant(Bucket {
        id: BucketId::first_of(&account.line_id),
        bytes_total: bytes,
        bytes_left: bytes,
        expires_at: Some(from.plus(Span::days(i64::from(validity_days)))),
        granted_at: from,
        grant_version: 0,
        recharge: None,
    });
    balance
}

/// What was seen hour by hour.
#[derive(Default)]
struct Seen {
    by_day: Vec<Bytes>,
    dry_hours: u32,
    dry_hours_capped: u32,
    dry_hours_without: u32,
    /// Sum over the hours of what was left, in bytes.
    left_hours: u128,
    hours: u32,
}

impl Seen {
    /// Whether the hour ran dry, because of the cap, and whether it would have without the rule.
    fn dry(&mut self, dry: bool, capped: bool, without: bool) {
        for (hours, one_more) in [
            (&mut self.dry_hours, dry),
            (&mut self.dry_hours_capped, capped),
            (&mut self.dry_hours_without, without),
        ] {
            *hours = hours.saturating_add(u32::from(one_more));
        }
    }

    fn hour(&mut self, left: Bytes) {
        let new_day = self.hours.checked_rem(24) == Some(0);
        self.hours = self.hours.saturating_add(1);
        self.left_hours = self.left_hours.saturating_add(u128::from(left.get()));
        match self.by_day.last_mut() {
            Some(lowest) if !new_day => *lowest = left.min(*lowest),
            Some(_) | None => self.by_day.push(left),
        }
    }

    fn sum_up(
        self,
        rule: &Rule,
        inputs: &PreviewInputs,
        from: Instant,
        world: &World<'_>,
    ) -> Replay {
        let currency = inputs.account.terms.currency();
        let replayed = world.found.iter().map(|r| Replayed { at: r.at, amount: r.amount });
        let recharges: Vec<Replayed> = replayed.collect();
        let total =
            recharges.iter().fold(0_i64, |sum, r| sum.saturating_add(r.amount.amount_minor));
        Replay {
            from,
            total: Money::new(total, currency),
            lowest: self.by_day.iter().copied().min().unwrap_or_default(),
            parked: Money::new(self.parked_minor(rule), currency),
            lowest_by_day: self.by_day,
            dry_hours: self.dry_hours,
            dry_hours_capped: self.dry_hours_capped,
            dry_hours_without: self.dry_hours_without,
            recharges,
        }
    }

    /// The average of what was left, at the agreed price, rounded down.
    fn parked_minor(&self, rule: &Rule) -> i64 {
        let average = self.left_hours.checked_div(u128::from(self.hours)).unwrap_or(0);
        let worth = rule.step.and_then(|step| {
            let price = u128::try_from(step.price.amount_minor).ok()?;
            average.checked_mul(price)?.checked_div(u128::from(step.bytes.get()))
        });
        worth.and_then(|minor| i64::try_from(minor).ok()).unwrap_or(0)
    }
}
