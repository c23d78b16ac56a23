//! A second `decide`: slow, plain and written from `rules.md`, not from the code. Where the
//! document leaves a choice, "Choice:" says which one is made here and why it is fair.

use super::calendar::{date, month_of, start_of};
use super::triggers::{State, held};
use laika_core::bytes::Bytes;
use laika_core::decide::{
    Account, Cause, History, MethodFacts, Notice, Order, PastRecharge, Period, Reason, Standing,
    Suspension,
};
use laika_core::id::PaymentMethodId;
use laika_core::money::Money;
use laika_core::rule::{Adds, Amount, Rule};
use laika_core::time::{Instant, Span};

/// Everything that a decision looks at.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) rule: Rule,
    pub(crate) account: Account,
    pub(crate) history: History,
    pub(crate) cause: Cause,
    pub(crate) now: Instant,
}

impl World {
    /// The first reason that applies, or the order.
    pub(crate) fn answer(&self) -> Result<Order, Reason> {
        self.standing()?;
        let occurrences = self.occurrences();
        let due: Vec<_> = occurrences
            .iter()
            .filter_map(|(trigger, state)| match state {
                State::Due(methods) => Some((trigger.clone(), methods)),
                _ => None,
            })
            .collect();
        if due.is_empty() {
            return Err(held(&occurrences).unwrap_or(Reason::NotDue));
        }
        let (amount, adds) = self.size(self.effective()).ok_or(Reason::TargetMet)?;
        self.limits(amount)?;
        // Choice: low data is not held by what was announced for a date: each method is one that at
        // least one of the triggers due may charge.
        let named = |method: &&MethodFacts| {
            due.iter().any(|(_, named)| match named {
                Some(named) => named.contains(&method.id),
                // What was not announced cannot be charged where an announcement is needed.
                None => self.cause_needs_no_notice() || method.rail.facts().advance.is_none(),
            })
        };
        let methods: Vec<_> = self.usable(Some(amount)).into_iter().filter(named).collect();
        let open: Vec<_> = methods.iter().filter(|m| opens_at(m, self.now) <= self.now).collect();
        if open.is_empty() {
            let opens = methods.iter().map(|method| opens_at(method, self.now)).min();
            return Err(Reason::RailClosed { opens_at: opens.ok_or(Reason::NoUsableMethod)? });
        }
        Ok(Order {
            amount,
            adds,
            payment_methods: open.iter().map(|method| method.id.clone()).collect(),
            triggers: due.into_iter().map(|(trigger, _)| trigger).collect(),
        })
    }

    /// The announcements that have to be made now.
    pub(crate) fn to_announce(&self) -> Vec<Notice> {
        if self.standing().is_err() {
            return Vec::new();
        }
        let states = self.occurrences().into_iter();
        states
            .filter_map(|(_, state)| match state {
                State::Running { notice, new: true } => Some(notice),
                _ => None,
            })
            .collect()
    }

    /// The reasons that hold whatever is due.
    fn standing(&self) -> Result<(), Reason> {
        let (rule, account, now) = (&self.rule, &self.account, self.now);
        let today = date(&account.zone, now);
        // Choice: a purchase by hand blocks while it is unknown ("no other automatic charge for
        // the line"); while it is merely open its data counts as coming, which is enough.
        let blocks = |r: &&PastRecharge| match r.standing {
            Standing::Open => r.automatic,
            Standing::Unknown => true,
            Standing::Spent | Standing::Released => false,
        };
        if let Some(open) = self.history.recharges.iter().find(blocks) {
            let unknown = open.standing == Standing::Unknown;
            return Err(Reason::RechargeOpen { since: open.opened_at, unknown });
        }
        if account.stopped_by_operator {
            return Err(Reason::StoppedByOperator);
        }
        if account.line_closed {
            return Err(Reason::LineClosed);
        }
        if !rule.on {
            return Err(Reason::RuleOff);
        }
        if let Some(ended_on) = rule.limits.ends_on.filter(|last| *last < today) {
            return Err(Reason::Ended { ended_on });
        }
        if let Some(starts_on) = rule.limits.starts_on.filter(|first| today < *first) {
            let starts_at = start_of(&account.zone, starts_on);
            return Err(Reason::NotStarted { starts_on, starts_at });
        }
        if let Some(resumes_on) = rule.paused_until_on.filter(|first| today < *first) {
            return Err(Reason::Paused { until: start_of(&account.zone, resumes_on) });
        }
        if let Some(why) = self.history.suspended {
            return Err(Reason::Suspended { why });
        }
        if self.history.open_disputes > 0 {
            return Err(Reason::Suspended { why: Suspension::Disputed });
        }
        if self.terms_changed() {
            return Err(Reason::TermsChanged);
        }
        // Choice: a method whose agreement does not cover this recharge cannot be charged for it.
        let amount = self.size(self.effective()).map(|(amount, _)| amount);
        if self.usable(amount).is_empty() {
            return Err(Reason::NoUsableMethod);
        }
        Ok(())
    }

    /// Consent fixes the step, its price, its validity and the currency; cheaper is no change.
    fn terms_changed(&self) -> bool {
        let terms = &self.account.terms;
        if let Amount::FixedCredit(amount) = self.rule.amount {
            let (least, most) = (terms.credit_min, terms.credit_max);
            return amount.currency != least.currency
                || amount.amount_minor < least.amount_minor
                || amount.amount_minor > most.amount_minor;
        }
        let (Some(agreed), Some(sold)) = (self.rule.step, terms.step) else { return true };
        agreed.bytes != sold.bytes
            || agreed.price.currency != sold.price.currency
            || agreed.price.amount_minor < sold.price.amount_minor
            || agreed.validity_days > sold.validity_days
    }

    /// Of the rule's methods, those that can be charged this much without the customer.
    pub(crate) fn usable(&self, amount: Option<Money>) -> Vec<&MethodFacts> {
        self.methods().filter(|method| can_charge(method, amount, self.now)).collect()
    }

    /// The rule's methods, in the customer's order.
    pub(super) fn methods(&self) -> impl Iterator<Item = &MethodFacts> {
        let known = |id: &PaymentMethodId| {
            self.account.payment_methods.iter().find(|method| method.id == *id)
        };
        self.rule.payment_methods.iter().filter_map(known)
    }

    /// What is there or on its way.
    pub(crate) fn effective(&self) -> Bytes {
        let coming = self.coming().map(|recharge| recharge.adds.bytes());
        coming.fold(self.account.available_bytes, Bytes::plus)
    }

    pub(super) fn effective_credit(&self) -> i64 {
        self.account.credit_minor + self.coming().map(|r| r.adds.credit_minor()).sum::<i64>()
    }

    pub(super) fn coming(&self) -> impl Iterator<Item = &PastRecharge> {
        let recharges = self.history.recharges.iter();
        recharges.filter(|r| matches!(r.standing, Standing::Open | Standing::Unknown))
    }

    /// What one recharge takes and adds; nothing when nothing is missing.
    pub(crate) fn size(&self, effective: Bytes) -> Option<(Money, Adds)> {
        let wanted = match self.rule.amount {
            Amount::FixedCredit(amount) => return Some((amount, Adds::Credit(amount))),
            Amount::FixedData { bytes } => bytes,
            Amount::Target { bytes } => bytes.minus(effective),
        };
        let step = self.account.terms.step?;
        let mut steps = 0;
        while step.bytes.get() * steps < wanted.get() {
            steps += 1;
        }
        if let Some(most) = self.rule.limits.max_per_recharge {
            while steps > 0 && step.price.amount_minor * steps as i64 > most.amount_minor {
                steps -= 1;
            }
        }
        let bytes = Bytes::new(step.bytes.get() * steps).expect("few bytes");
        let amount = Money::new(step.price.amount_minor * steps as i64, step.price.currency);
        let validity_days = step.validity_days;
        let adds = Adds::Data { bytes, steps: steps as u32, validity_days };
        (steps > 0).then_some((amount, adds))
    }

    /// The cap, the count and the cool-down, over the automatic recharges of all versions.
    fn limits(&self, needed: Money) -> Result<(), Reason> {
        let limits = &self.rule.limits;
        if let Some(cap) = limits.cap_per_month {
            let month = self.month();
            let spent_minor = self.counted(&month).map(|r| r.amount.amount_minor).sum::<i64>();
            if spent_minor + needed.amount_minor > cap.amount_minor {
                let spent = Money::new(spent_minor, cap.currency);
                let resets_at = month.until;
                return Err(Reason::MonthlyCapReached { cap, spent, needed, resets_at });
            }
        }
        if let Some(most) = limits.max_per_day {
            let day = self.day();
            if self.counted(&day).count() >= most as usize {
                return Err(Reason::DailyCountReached { resets_at: day.until });
            }
        }
        // The cool-down runs from the opening, whatever became of it.
        let automatic = self.history.recharges.iter().filter(|recharge| recharge.automatic);
        let pause = Span::minutes(i64::from(limits.cool_down_minutes));
        let until = automatic.map(|recharge| recharge.opened_at.plus(pause)).max();
        match until {
            Some(until) if self.now < until => Err(Reason::CoolingDown { until }),
            _ => Ok(()),
        }
    }

    /// The automatic recharges whose money is reserved or spent in a period.
    pub(crate) fn counted(&self, period: &Period) -> impl Iterator<Item = &PastRecharge> {
        let held = |r: &&PastRecharge| r.automatic && r.standing != Standing::Released;
        let within = move |r: &&PastRecharge| period.holds(r.reserved_at);
        self.history.recharges.iter().filter(held).filter(within)
    }

    pub(crate) fn day(&self) -> Period {
        let (zone, today) = (&self.account.zone, date(&self.account.zone, self.now));
        let next = today.succ_opt().expect("a date");
        let day = Period { from: start_of(zone, today), until: start_of(zone, next) };
        self.after_kept(self.account.kept_periods.map(|kept| kept.day), day)
    }

    pub(crate) fn month(&self) -> Period {
        let (zone, today) = (&self.account.zone, date(&self.account.zone, self.now));
        let (first, next) = (month_of(today, 0), month_of(today, 1));
        let month = Period { from: start_of(zone, first), until: start_of(zone, next) };
        self.after_kept(self.account.kept_periods.map(|kept| kept.month), month)
    }

    /// A period that ran at a change of zone lasts until its end. Choice: the one after it is the
    /// zone's own, with what was charged in both: on the clock that the customer sees, no day has
    /// more than agreed.
    fn after_kept(&self, kept: Option<Period>, zones: Period) -> Period {
        kept.filter(|kept| self.now < kept.until).unwrap_or(zones)
    }
}

/// Whether a method can be charged by itself, for this amount if there is one.
fn can_charge(method: &MethodFacts, amount: Option<Money>, now: Instant) -> bool {
    let declined_within =
        |span: Span| method.declined_at.iter().filter(|at| now < at.plus(span)).count();
    let agreement = method.agreement.as_ref();
    method.rail.facts().off_session
        && method.expires_at.is_none_or(|end| now < end)
        && !method.barred
        && method.ladder.failures < 4
        && declined_within(Span::hours(24)) < 10
        && declined_within(Span::days(30)) < 15
        && agreement.is_none_or(|a| {
            let amount_minor = amount.map_or(0, |amount| amount.amount_minor);
            a.debits_left != Some(0)
                && a.total_left.is_none_or(|left| left.amount_minor > 0)
                && amount_minor <= a.most_per_debit.amount_minor
                && a.total_left.is_none_or(|left| amount_minor <= left.amount_minor)
        })
}

/// From when on a method debits: its agreement's cycle, then its rail's hours in Beijing.
pub(crate) fn opens_at(method: &MethodFacts, from: Instant) -> Instant {
    let mut at = from;
    if let Some((agreement, last)) = method.agreement.and_then(|a| Some((a, a.debited_at?))) {
        let days = agreement.cycle_days.max(method.rail.facts().cycle_days);
        at = at.max(last.plus(Span::days(i64::from(days))));
    }
    let Some(hours) = method.rail.facts().hours else { return at };
    let day_s = 86_400;
    let mut opens_s = at.seconds().div_euclid(day_s) * day_s - 2 * day_s - 8 * 3600;
    loop {
        let opens = Instant::from_seconds(opens_s + hours.opens_s);
        let closes = Instant::from_seconds(opens_s + hours.closes_s);
        if at < closes {
            return at.max(opens);
        }
        opens_s += day_s;
    }
}

/// When a reason ends by itself: those that name an instant at which they do.
pub(crate) fn until(reason: &Reason) -> Option<Instant> {
    match reason {
        Reason::NotStarted { starts_at, .. } => Some(*starts_at),
        Reason::Paused { until } | Reason::CoolingDown { until } => Some(*until),
        Reason::NoticeRunning { charge_at, .. } => Some(*charge_at),
        Reason::MonthlyCapReached { resets_at, .. } | Reason::DailyCountReached { resets_at } => {
            Some(*resets_at)
        }
        Reason::RailClosed { opens_at } => Some(*opens_at),
        Reason::RechargeOpen { .. }
        | Reason::StoppedByOperator
        | Reason::LineClosed
        | Reason::RuleOff
        | Reason::Ended { .. }
        | Reason::Suspended { .. }
        | Reason::TermsChanged
        | Reason::NoUsableMethod
        | Reason::SkippedOnce { .. }
        | Reason::NotDue
        | Reason::TargetMet => None,
    }
}
