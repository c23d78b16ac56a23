//! Which triggers are due, which wait for an announcement and what has to be announced, as slowly
//! as the document says it: every occurrence is looked at by itself.

use super::calendar::{date, gap_days, instants};
use super::naive::{World, opens_at};
use chrono::NaiveDate;
use laika_core::bytes::Bytes;
use laika_core::decide::{Agreement, Cause, MethodFacts, Notice, Reason, TriggerDue};
use laika_core::id::PaymentMethodId;
use laika_core::rule::Threshold;
use laika_core::time::{Instant, Span};

/// What became of one occurrence of a trigger.
pub(super) enum State {
    /// It charges now; the announcement says to which methods, if there had to be one.
    Due(Option<Vec<PaymentMethodId>>),
    /// The customer skips it.
    Skipped(Instant),
    /// Its announcement runs; `new` when it has to be made now.
    Running { notice: Notice, new: bool },
    /// Nothing: not yet, or gone.
    Nothing,
}

impl World {
    /// Every occurrence of every trigger that may matter now, in the order of the triggers.
    pub(super) fn occurrences(&self) -> Vec<(TriggerDue, State)> {
        match &self.cause {
            Cause::AsIfDue => self.as_if_due(),
            Cause::Submission { triggers } => self.submitted(triggers),
            _ => self.by_trigger(),
        }
    }

    /// The scheduled instants whose announcements run: they are still to be charged.
    pub(crate) fn waiting(&self) -> Vec<Instant> {
        let occurrences = self.by_trigger().into_iter();
        let running = occurrences.filter_map(|(trigger, state)| match (trigger, state) {
            (TriggerDue::Scheduled { at }, State::Running { .. }) => Some(at),
            _ => None,
        });
        running.collect()
    }

    pub(super) fn cause_needs_no_notice(&self) -> bool {
        matches!(self.cause, Cause::AsIfDue | Cause::Submission { .. })
    }

    /// Choice: as if the low balance were reached, or else the next date had come.
    fn as_if_due(&self) -> Vec<(TriggerDue, State)> {
        vec![(TriggerDue::LowBalance, State::Due(None))]
    }

    /// What was due when the recharge was opened is due unless the balance rose or the date lapsed.
    fn submitted(&self, triggers: &[TriggerDue]) -> Vec<(TriggerDue, State)> {
        let state = |trigger: &TriggerDue| match trigger {
            TriggerDue::LowBalance if !self.is_low() => State::Nothing,
            TriggerDue::Scheduled { at } if self.lapsed(*at) => State::Nothing,
            TriggerDue::Expiring { expires_at }
                if *expires_at <= self.now || self.account.latest_expiry_at > Some(*expires_at) =>
            {
                State::Nothing
            }
            _ => State::Due(None),
        };
        triggers.iter().map(|trigger| (trigger.clone(), state(trigger))).collect()
    }

    /// Choice: what was missed for under 72 h is charged once it is announced, and no other thing
    /// that holds it, no retry and no new announcement makes it later than that. Only a method that
    /// cannot debit at any time does, by its cycle and a night.
    fn lapsed(&self, at: Instant) -> bool {
        let waits_days = |method: &MethodFacts| {
            let cycle = |a: &Agreement| a.cycle_days.max(method.rail.facts().cycle_days);
            let night = if method.rail.facts().hours.is_some() { 1 } else { 0 };
            method.agreement.as_ref().map_or(0, cycle) + night
        };
        let longest = self.methods().map(waits_days).max().unwrap_or(0);
        at.plus(Span::days(3 + i64::from(longest))).plus(self.lead()) <= self.now
    }

    fn by_trigger(&self) -> Vec<(TriggerDue, State)> {
        let mut found = Vec::new();
        if self.is_low() {
            // The customer's order holds: where the first method has to be told, it is told.
            let methods = self.usable(self.size(self.effective()).map(|(amount, _)| amount));
            let told = methods.first().is_some_and(|m| m.rail.facts().advance.is_some());
            let trigger = TriggerDue::LowBalance;
            let state = if told { self.told(&trigger, None) } else { State::Due(None) };
            found.push((trigger, state));
        }
        for at in self.scheduled() {
            let trigger = TriggerDue::Scheduled { at };
            let state = match self.told(&trigger, Some(at)) {
                State::Nothing => State::Nothing,
                _ if self.rule.skip_at.is_some_and(|skip| self.same_date(at, skip)) => {
                    State::Skipped(at)
                }
                state => state,
            };
            found.push((trigger, state));
        }
        let expiry = self.account.latest_expiry_at;
        if let (Some(days), Some(expires_at)) = (self.rule.triggers.expiring_days, expiry) {
            let at = expires_at.minus(Span::days(i64::from(days)));
            let acted = self.history.consumed_expiry_at == Some(expires_at);
            let trigger = TriggerDue::Expiring { expires_at };
            let in_view = at.minus(self.lead()) <= self.now;
            if !acted && (in_view || self.notices(&trigger).next().is_some()) {
                let state = self.told(&trigger, Some(at));
                found.push((trigger, state));
            }
        }
        found
    }

    pub(crate) fn is_low(&self) -> bool {
        match self.rule.triggers.low_balance {
            None => false,
            Some(Threshold::Data { bytes }) => self.effective() <= bytes,
            Some(Threshold::Credit(money)) => self.effective_credit() <= money.amount_minor,
        }
    }

    /// Those announced, the newest that passed, and those within the lead; unless gone.
    fn scheduled(&self) -> Vec<Instant> {
        let (rule, zone, now) = (&self.rule, &self.account.zone, self.now);
        let Some(schedule) = &rule.triggers.scheduled else { return Vec::new() };
        let before = |at: Instant, on: Option<NaiveDate>| on.is_some_and(|on| date(zone, at) < on);
        let gone = |at: Instant| {
            at <= rule.armed_at
                || self.history.consumed_through.is_some_and(|through| at <= through)
                || before(at, rule.paused_until_on)
                || before(at, rule.limits.starts_on)
        };
        let announced = self.history.notices.iter().filter_map(|notice| match notice.trigger {
            TriggerDue::Scheduled { at } if !gone(at) && !self.lapsed(at) => Some(at),
            _ => None,
        });
        let mut found: Vec<Instant> = announced.collect();
        found.sort_unstable();
        found.dedup();
        let announced = found.clone();
        // A change of zone moves unannounced instants only: the date of an announced one is its.
        let half = Span::hours((i64::from(gap_days(schedule)) * 12).min(27));
        let same_date =
            |at: Instant| announced.iter().any(|told| at.since(*told).0.abs() <= half.0);
        let ended = |at: Instant| rule.limits.ends_on.is_some_and(|last| last < date(zone, at));
        let horizon = now.plus(self.lead());
        let last = date(zone, horizon).succ_opt().expect("a date");
        let all = instants(schedule, zone, last).filter(|at| !gone(*at) && !ended(*at));
        let others: Vec<Instant> = all.filter(|at| *at <= horizon && !same_date(*at)).collect();
        let newest = announced.iter().chain(&others).copied().filter(|at| *at <= now).max();
        found.extend(others.into_iter().filter(|at| now < *at || Some(*at) == newest));
        found.sort_unstable();
        found
    }

    /// Choice: instants within half the way to the schedule's next date are of one date, and none
    /// further apart than two zones can be.
    fn same_date(&self, one: Instant, other: Instant) -> bool {
        let days = self.rule.triggers.scheduled.as_ref().map_or(0, gap_days);
        one.since(other).0.abs() <= Span::hours((i64::from(days) * 12).min(27)).0
    }

    fn notices(&self, trigger: &TriggerDue) -> impl Iterator<Item = &Notice> {
        self.history.notices.iter().filter(move |notice| notice.trigger == *trigger)
    }

    /// What an announcement makes of an occurrence: announced and waiting, due, or too late.
    fn told(&self, trigger: &TriggerDue, at: Option<Instant>) -> State {
        let amount = self.size(self.effective()).map(|(amount, _)| amount);
        let usable = self.usable(amount);
        let holds = |notice: &&Notice| {
            amount.is_none_or(|amount| amount.amount_minor <= notice.at_most.amount_minor)
                && usable.iter().any(|method| notice.payment_methods.contains(&method.id))
                && notice.lapses_at.is_none_or(|lapses_at| self.now < lapses_at)
        };
        let valid = self.notices(trigger).find(holds).cloned();
        // Whatever was announced before the rule was edited, nothing is charged before its instant.
        let charge_at =
            |notice: &Notice| at.map_or(notice.charge_at, |at| at.max(notice.charge_at));
        let since = self.notices(trigger).map(charge_at).max().max(at);
        let scheduled = matches!(trigger, TriggerDue::Scheduled { .. });
        if scheduled && since.is_some_and(|since| since.plus(Span::hours(72)) <= self.now) {
            return State::Nothing;
        }
        match valid {
            Some(notice) if self.now < charge_at(&notice) => {
                let charge_at = charge_at(&notice);
                State::Running { notice: Notice { charge_at, ..notice }, new: false }
            }
            Some(notice) => State::Due(Some(notice.payment_methods)),
            None => State::Running { notice: self.announcement(trigger, at), new: true },
        }
    }

    /// An announcement made now: of all usable methods, for when each of their rails debits.
    fn announcement(&self, trigger: &TriggerDue, at: Option<Instant>) -> Notice {
        let at_most = self.size(Bytes::ZERO).expect("terms unchanged").0;
        let usable = self.usable(self.size(self.effective()).map(|(amount, _)| amount));
        // A low balance is told at once, so only the rail makes it wait.
        let wanted = at.map_or(self.now, |at| at.max(self.now.plus(self.lead())));
        let rails = usable.iter().map(|method| method.rail);
        let told = rails.clone().map(|rail| rail.debits_at(self.now, wanted)).max();
        let told = told.expect("a usable method");
        // Choice: one rail's cycle does not make another wait; each is charged when it opens.
        let opens = usable.iter().map(|method| opens_at(method, told)).min();
        Notice {
            trigger: trigger.clone(),
            charge_at: opens.expect("a usable method"),
            at_most,
            payment_methods: usable.iter().map(|method| method.id.clone()).collect(),
            lapses_at: rails.filter_map(|rail| rail.lapses_at(self.now)).min(),
        }
    }

    /// The account's lead, or a rail's own where that is longer.
    pub(crate) fn lead(&self) -> Span {
        let rails = self.methods().map(|method| method.rail.longest_wait());
        let own = Span::hours(i64::from(self.account.notice_lead_hours));
        rails.filter(|wait| own < *wait).max().unwrap_or(own)
    }
}

/// A skip goes before a notice, the sooner notice before the later.
pub(super) fn held(occurrences: &[(TriggerDue, State)]) -> Option<Reason> {
    for (_, state) in occurrences {
        if let State::Skipped(at) = state {
            return Some(Reason::SkippedOnce { at: *at });
        }
    }
    let running = occurrences.iter().filter_map(|(_, state)| match state {
        State::Running { notice, .. } => Some(notice),
        _ => None,
    });
    let most = |notice: &Notice| std::cmp::Reverse(notice.at_most.amount_minor);
    let first = running.min_by_key(|notice| (notice.charge_at, most(notice)))?;
    Some(Reason::NoticeRunning { charge_at: first.charge_at, at_most: first.at_most })
}
