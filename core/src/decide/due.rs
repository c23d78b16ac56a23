//! Which triggers are due now, which are held by a skip or by a running announcement, and when the
//! clock next makes one due. A hold holds only its own trigger.

use super::{
    Account, Cause, History, MethodFacts, Notice, PastRecharge, Reason, Standing, TriggerDue,
    Unusable, largest_recharge, named_methods, notice_lead, usable_methods,
};
use crate::bytes::Bytes;
use crate::money::Money;
use crate::rule::{Rule, Threshold};
use crate::time::{Instant, Span};

/// A scheduled instant that was missed longer ago than this is not charged any more.
const MISSED_FOR: Span = Span::hours(72);
/// Two instants of one schedule are never nearer to each other: a local day has at least 23 hours.
const SAME_DATE: Span = Span::hours(23);

/// What is due, held and to come.
pub(super) struct Due<'a> {
    /// Little is left, and a recharge for that is due.
    pub low: bool,
    /// The other triggers that one recharge would consume, by time.
    pub by_date: Vec<TriggerDue>,
    /// Why the earliest of the others is held.
    pub held: Option<Reason>,
    /// Announcements that have to be made.
    pub to_announce: Vec<Notice>,
    /// The latest scheduled instant that has passed and is not consumed.
    pub latest_passed: Option<Instant>,
    /// The next instant at which the clock alone changes any of this.
    pub next_look_at: Option<Instant>,
    /// Available data, plus what is paid or on its way.
    pub effective_bytes: Bytes,
    /// Which methods may be charged for what is due.
    methods: Allowed<'a>,
}

/// Which methods may be charged for what is due.
#[derive(Default)]
struct Allowed<'a> {
    /// All that need no announcement.
    untold: bool,
    /// Those that these announcements name.
    told: Vec<&'a Notice>,
    /// Every one: it is only asked about, or was decided before.
    every: bool,
}

impl<'a> Due<'a> {
    /// Whether no trigger is due.
    pub(super) fn is_empty(&self) -> bool {
        !self.low && self.by_date.is_empty()
    }

    /// The triggers that a recharge consumes, low balance first.
    pub(super) fn into_triggers(self) -> Vec<TriggerDue> {
        self.low.then_some(TriggerDue::LowBalance).into_iter().chain(self.by_date).collect()
    }

    /// Whether this method may be charged for what is due.
    pub(super) fn allows(&self, method: &MethodFacts) -> bool {
        let Allowed { untold, told, every } = &self.methods;
        *every
            || (*untold && method.rail.facts().advance.is_none())
            || told.iter().any(|notice| notice.payment_methods.contains(&method.id))
    }

    fn consume(&mut self, trigger: TriggerDue) {
        match trigger {
            TriggerDue::LowBalance => self.low = true,
            TriggerDue::Scheduled { .. } | TriggerDue::Expiring { .. } => {
                self.by_date.push(trigger)
            }
        }
    }

    fn look_at(&mut self, at: Instant) {
        self.next_look_at = Some(self.next_look_at.map_or(at, |next| next.min(at)));
    }
}

/// Looks at every trigger of the rule.
pub(super) fn find<'a>(
    rule: &Rule,
    account: &Account,
    history: &'a History,
    cause: &Cause,
    now: Instant,
) -> Due<'a> {
    let effective_bytes =
        coming(history).fold(account.available_bytes, |bytes, r| bytes.plus(r.adds.bytes()));
    let mut due = Due {
        low: false,
        by_date: Vec::new(),
        held: None,
        to_announce: Vec::new(),
        latest_passed: None,
        next_look_at: None,
        effective_bytes,
        methods: Allowed::default(),
    };
    let low = rule.triggers.low_balance.is_some_and(|threshold| match threshold {
        Threshold::Data { bytes } => effective_bytes <= bytes,
        Threshold::Credit(money) => effective_credit(account, history) <= money.amount_minor,
    });
    match cause {
        Cause::Submission { triggers } => {
            let still = |t: &&TriggerDue| low || !matches!(t, TriggerDue::LowBalance);
            triggers.iter().filter(still).for_each(|trigger| due.consume(trigger.clone()));
            due.methods.every = true;
            return due;
        }
        Cause::AsIfDue => {
            let as_if = rule.triggers.low_balance.is_some().then_some(TriggerDue::LowBalance);
            due.consume(as_if.unwrap_or(TriggerDue::Scheduled { at: now }));
            due.methods.every = true;
            return due;
        }
        Cause::Usage
        | Cause::BalanceChanged
        | Cause::RuleChanged
        | Cause::Timer
        | Cause::MethodChanged => {}
    }
    if low {
        low_balance(rule, account, history, now, &mut due);
    }
    announced(rule, account, history, now, &mut due);
    room_again(rule, account, now, &mut due);
    due
}

/// Recharges that are on their way to the balance.
fn coming(history: &History) -> impl Iterator<Item = &PastRecharge> {
    history.recharges.iter().filter(|r| match r.standing {
        Standing::Open | Standing::Unknown => true,
        Standing::Spent | Standing::Released => false,
    })
}

/// Credit left, plus what is paid or on its way, in minor units.
pub(super) fn effective_credit(account: &Account, history: &History) -> i64 {
    let left = account.credit_minor;
    coming(history).fold(left, |credit, r| credit.saturating_add(r.adds.credit_minor()))
}

/// Little is left: due at once, unless the first method is on a rail that wants to be told before.
/// The customer's order holds: a later method that could debit earlier is not charged instead.
fn low_balance<'a>(
    rule: &Rule,
    account: &Account,
    history: &'a History,
    now: Instant,
    due: &mut Due<'a>,
) {
    let first = usable_methods(rule, account, now).next();
    if first.is_some_and(|method| method.rail.facts().advance.is_some()) {
        after_notice(TriggerDue::LowBalance, now, rule, account, history, now, due);
    } else {
        due.methods.untold = true;
        due.low = true;
    }
}

/// The triggers that are announced before they charge: scheduled and expiring.
fn announced<'a>(
    rule: &Rule,
    account: &Account,
    history: &'a History,
    now: Instant,
    due: &mut Due<'a>,
) {
    // Why: most rules go by the balance alone.
    if rule.triggers.scheduled.is_none() && rule.triggers.expiring_days.is_none() {
        return;
    }
    let lead = notice_lead(rule, account);
    for (at, trigger) in occurrences(rule, account, history, now, lead, due) {
        if rule.skip_at == Some(at) && matches!(trigger, TriggerDue::Scheduled { .. }) {
            due.held.get_or_insert(Reason::SkippedOnce { at });
            if at > now {
                due.look_at(at);
            }
            continue;
        }
        let covered = |n: &Notice| n.trigger == trigger && still_covers(n, rule, account, now);
        let told = history.notices.iter().any(covered);
        if !told && at.minus(lead) > now {
            due.look_at(at.minus(lead));
            continue;
        }
        let not_before = at.max(now.plus(lead));
        after_notice(trigger, not_before, rule, account, history, now, due);
    }
}

/// Charges what was announced once its time has come; announces what was not.
fn after_notice<'a>(
    trigger: TriggerDue,
    not_before: Instant,
    rule: &Rule,
    account: &Account,
    history: &'a History,
    now: Instant,
    due: &mut Due<'a>,
) {
    let told = |n: &&Notice| n.trigger == trigger && still_covers(n, rule, account, now);
    let (charge_at, at_most) = match history.notices.iter().find(told) {
        Some(notice) if notice.charge_at <= now => {
            due.methods.told.push(notice);
            due.consume(trigger);
            return;
        }
        Some(notice) => (notice.charge_at, notice.at_most),
        None => {
            let Some((at_most, _)) = largest_recharge(rule, account) else { return };
            let notice = notice(trigger, not_before, at_most, rule, account, now);
            let charge_at = notice.charge_at;
            due.to_announce.push(notice);
            (charge_at, at_most)
        }
    };
    due.held.get_or_insert(Reason::NoticeRunning { charge_at, at_most });
    due.look_at(charge_at);
}

/// An announcement made now: of all usable methods, for when each of their rails debits.
fn notice(
    trigger: TriggerDue,
    not_before: Instant,
    at_most: Money,
    rule: &Rule,
    account: &Account,
    now: Instant,
) -> Notice {
    let usable = || usable_methods(rule, account, now);
    let debits_at =
        |at: Instant, method: &MethodFacts| method.opens_at(method.rail.debits_at(now, at));
    Notice {
        trigger,
        charge_at: usable().fold(not_before, debits_at),
        at_most,
        payment_methods: usable().map(|method| method.id.clone()).collect(),
        lapses_at: usable().filter_map(|method| method.rail.lapses_at(now)).min(),
    }
}

/// Whether an announcement still covers what is charged now. A higher amount, another method, or a
/// rail whose days are over needs a new one.
fn still_covers(notice: &Notice, rule: &Rule, account: &Account, now: Instant) -> bool {
    let amount = largest_recharge(rule, account).is_none_or(|(cost, _)| {
        cost.currency == notice.at_most.currency && cost.amount_minor <= notice.at_most.amount_minor
    });
    let mut usable = usable_methods(rule, account, now).peekable();
    let method = usable.peek().is_none() || usable.any(|m| notice.payment_methods.contains(&m.id));
    amount && method && notice.lapses_at.is_none_or(|end| now < end)
}

/// A method that was declined too often is looked at again when there is room for another try.
fn room_again(rule: &Rule, account: &Account, now: Instant, due: &mut Due<'_>) {
    for method in named_methods(rule, account) {
        if let Some(Unusable::DeclinedTooOften { until }) = method.unusable(now) {
            due.look_at(until);
        }
    }
}

/// Occurrences that are not consumed, by time: those passed or within the lead, and one to come.
fn occurrences(
    rule: &Rule,
    account: &Account,
    history: &History,
    now: Instant,
    lead: Span,
    due: &mut Due<'_>,
) -> Vec<(Instant, TriggerDue)> {
    let mut found = scheduled(rule, account, history, now, lead, due);
    if let (Some(days), Some(expires_at)) = (rule.triggers.expiring_days, account.latest_expiry_at)
        && history.consumed_expiry_at != Some(expires_at)
    {
        let at = expires_at.minus(Span::days(i64::from(days)));
        found.push((at, TriggerDue::Expiring { expires_at }));
    }
    found.sort_by_key(|(at, _)| *at);
    // Why: one that was announced anew is in the history twice.
    found.dedup();
    found
}

/// The scheduled instants that are not consumed: those announced, the newest missed one, those
/// within the lead, and one to come.
fn scheduled(
    rule: &Rule,
    account: &Account,
    history: &History,
    now: Instant,
    lead: Span,
    due: &mut Due<'_>,
) -> Vec<(Instant, TriggerDue)> {
    let Some(schedule) = &rule.triggers.scheduled else { return Vec::new() };
    let zone = &account.zone;
    let consumed = history.consumed_through.unwrap_or(Instant::MIN);
    let oldest = now.minus(MISSED_FOR).minus(lead);
    let begins = rule.limits.starts_on.map_or(Instant::MIN, |date| zone.start_of_day(date));
    // Why: a pause that is over by its date ended as a resume does: what it held is gone.
    let paused = rule.paused_until_on.map_or(Instant::MIN, |date| zone.start_of_day(date));
    let first = begins.max(paused).minus(Span(1));
    let after = rule.armed_at.max(consumed).max(oldest).max(first);
    let in_time = |at: &Instant| rule.limits.ends_on.is_none_or(|end| zone.date(*at) <= end);
    let is_new = |at: Instant| at > now.minus(MISSED_FOR);
    // Why: what was announced stays, even where a change of zone has moved the schedule; what the
    // new zone makes of the same date is not charged beside it.
    let told = || {
        history.notices.iter().filter_map(move |notice| match notice.trigger {
            TriggerDue::Scheduled { at } => Some((at, notice.charge_at)).filter(|_| at > after),
            TriggerDue::LowBalance | TriggerDue::Expiring { .. } => None,
        })
    };
    let near =
        |at: &Instant| told().any(|(told, _)| at.since(told).0.saturating_abs() < SAME_DATE.0);
    due.latest_passed = told().map(|(at, _)| at).filter(|at| *at <= now).max();
    let occurrence = |at| (at, TriggerDue::Scheduled { at });
    let still = told().filter(|(_, charge_at)| is_new(*charge_at));
    let mut found: Vec<_> = still.map(|(at, _)| occurrence(at)).collect();
    let mut missed = None;
    for at in schedule.upcoming(after, zone).take_while(in_time).filter(|at| !near(at)) {
        if at <= now {
            due.latest_passed = due.latest_passed.max(Some(at));
            // Why: after an outage only the newest missed one counts, and only while it is new.
            missed = Some(at).filter(|at| is_new(*at));
            continue;
        }
        found.push(occurrence(at));
        if at.minus(lead) > now {
            break;
        }
    }
    found.extend(missed.map(occurrence));
    found
}
