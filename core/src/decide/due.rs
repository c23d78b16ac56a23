//! Which triggers are due now, which are held by a skip or by a running announcement, and when the
//! clock next makes one due. A hold holds only its own trigger.

use super::consumed::same_date;
use super::{
    Account, Cause, History, MethodFacts, Notice, PastRecharge, Reason, Standing, TriggerDue,
    Unusable, chargeable, largest_recharge, named_methods, notice_lead, order,
};
use crate::bytes::Bytes;
use crate::money::Money;
use crate::order::in_order;
use crate::rule::{Adds, Rule, Threshold};
use crate::time::{Instant, Span};

/// A scheduled instant that was missed longer ago than this is not charged any more.
const MISSED_FOR: Span = Span::hours(72);

/// What is due, held and to come.
pub(super) struct Due<'a> {
    /// Little is left, and a recharge for that is due.
    pub low: bool,
    /// The other triggers that one recharge would consume, by time.
    pub by_date: Vec<TriggerDue>,
    /// The instant that this is about.
    asked_at: Instant,
    /// What one recharge takes and adds now; nothing when there is as much as is to be kept.
    pub size: Option<(Money, Adds)>,
    /// The scheduled instant that is skipped, once it would be announced or charged.
    skipped_at: Option<Instant>,
    /// The announcement that ends first: when, and at most how much.
    running: Option<(Instant, Money)>,
    /// The first scheduled instant whose announcement runs.
    pub waiting_at: Option<Instant>,
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

    /// What one recharge takes now.
    pub(super) fn amount(&self) -> Option<Money> {
        self.size.map(|(amount, _)| amount)
    }

    /// Why what is not due is held, if it is: in the order of the reasons, then by time.
    pub(super) fn held(&self) -> Option<Reason> {
        let skipped = self.skipped_at.map(|at| Reason::SkippedOnce { at });
        let notice = |(charge_at, at_most)| Reason::NoticeRunning { charge_at, at_most };
        skipped.or(self.running.map(notice))
    }

    /// Looks again then, if that is to come: a look that finds the same would ask for itself again.
    fn look_at(&mut self, at: Instant) {
        if at <= self.asked_at {
            return;
        }
        self.next_look_at = Some(self.next_look_at.map_or(at, |next| next.min(at)));
    }

    fn wait_for(&mut self, trigger: &TriggerDue, charge_at: Instant, at_most: Money) {
        self.look_at(charge_at);
        let later = |(at, most): &(Instant, Money)| {
            charge_at < *at || charge_at == *at && most.amount_minor < at_most.amount_minor
        };
        if self.running.as_ref().is_none_or(later) {
            self.running = Some((charge_at, at_most));
        }
        if let TriggerDue::Scheduled { at } = trigger {
            self.waiting_at = Some(self.waiting_at.map_or(*at, |first| first.min(*at)));
        }
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
        asked_at: now,
        size: order::size(rule, account, effective_bytes),
        skipped_at: None,
        running: None,
        waiting_at: None,
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
            // Why: what a date made due lapses while its payment is tried as it would before, and
            // data that was bought meanwhile is what would have expired.
            let latest_expiry_at = account.latest_expiry_at;
            let still = |trigger: &&TriggerDue| match trigger {
                TriggerDue::LowBalance => low,
                TriggerDue::Scheduled { at } => now < at.plus(lapses_after(rule, account)),
                TriggerDue::Expiring { expires_at } => {
                    now < *expires_at && latest_expiry_at.is_none_or(|at| at <= *expires_at)
                }
            };
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
    methods_turn(rule, account, now, &mut due);
    due
}

/// How long after its instant a scheduled charge is gone, whatever held it, however often it was
/// announced or tried: it was missed for under 72 h, was announced then, and waited for its
/// method's cycle and a night.
pub(crate) fn lapses_after(rule: &Rule, account: &Account) -> Span {
    let waits = |method: &MethodFacts| {
        let night = u32::from(method.rail.facts().hours.is_some());
        i64::from(method.cycle_days().saturating_add(night))
    };
    let days = named_methods(rule, account).map(waits).max().unwrap_or(0);
    let told = MISSED_FOR.0.saturating_add(notice_lead(rule, account).0);
    Span(told.saturating_add(Span::days(days).0))
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
    let first = chargeable(rule, account, due.amount(), now).next();
    if first.is_some_and(|method| method.rail.facts().advance.is_some()) {
        after_notice(TriggerDue::LowBalance, now, now, rule, account, history, due);
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
        let told = history.notices.iter().any(|notice| notice.trigger == trigger);
        if !told && at.minus(lead) > now {
            due.look_at(at.minus(lead));
        } else if is_skipped(rule, &trigger) {
            due.skipped_at.get_or_insert(at);
            due.look_at(at);
        } else {
            // Why: every scheduled instant is looked at, or one met by a full cap would stay.
            due.look_at(at);
            after_notice(trigger, at, now.plus(lead), rule, account, history, due);
        }
    }
}

/// Whether the customer skips this one: the date stays skipped on another zone's clock.
fn is_skipped(rule: &Rule, trigger: &TriggerDue) -> bool {
    match (trigger, &rule.triggers.scheduled, rule.skip_at) {
        (TriggerDue::Scheduled { at }, Some(schedule), Some(skip_at)) => {
            same_date(schedule, *at, skip_at)
        }
        _ => false,
    }
}

/// Charges what was announced once its time has come; announces what was not. Nothing is charged
/// before its instant `at`, whatever was announced before the rule was edited.
fn after_notice<'a>(
    trigger: TriggerDue,
    at: Instant,
    told_for: Instant,
    rule: &Rule,
    account: &Account,
    history: &'a History,
    due: &mut Due<'a>,
) {
    let now = due.asked_at;
    let told =
        |n: &&Notice| n.trigger == trigger && still_covers(n, rule, account, due.amount(), now);
    if let Some(notice) = history.notices.iter().find(told) {
        // Why: then it has to be told again.
        notice.lapses_at.into_iter().for_each(|end| due.look_at(end));
        let charge_at = notice.charge_at.max(at);
        if now < charge_at {
            due.wait_for(&trigger, charge_at, notice.at_most);
        } else {
            due.methods.told.push(notice);
            due.consume(trigger);
        }
    } else if let Some((at_most, _)) = largest_recharge(rule, account) {
        let notice = notice(trigger, at.max(told_for), at_most, rule, account, due);
        due.wait_for(&notice.trigger, notice.charge_at, at_most);
        due.to_announce.push(notice);
    }
}

/// An announcement made now, of all methods that can be charged: for when each of their rails has
/// been told long enough and the first of their agreements has a debit.
fn notice(
    trigger: TriggerDue,
    not_before: Instant,
    at_most: Money,
    rule: &Rule,
    account: &Account,
    due: &Due<'_>,
) -> Notice {
    let now = due.asked_at;
    let methods = || chargeable(rule, account, due.amount(), now);
    let told = methods().fold(not_before, |at, method| method.rail.debits_at(now, at));
    Notice {
        trigger,
        charge_at: methods().map(|method| method.opens_at(told)).min().unwrap_or(told),
        at_most,
        payment_methods: methods().map(|method| method.id.clone()).collect(),
        lapses_at: methods().filter_map(|method| method.rail.lapses_at(now)).min(),
    }
}

/// Whether an announcement still covers what is charged now. A higher amount, another method, or a
/// rail whose days are over needs a new one.
fn still_covers(
    notice: &Notice,
    rule: &Rule,
    account: &Account,
    amount: Option<Money>,
    now: Instant,
) -> bool {
    let most = notice.at_most;
    let within = amount.is_none_or(|amount| {
        amount.currency == most.currency && amount.amount_minor <= most.amount_minor
    });
    let mut methods = chargeable(rule, account, amount, now).peekable();
    let named = methods.peek().is_none() || methods.any(|m| notice.payment_methods.contains(&m.id));
    within && named && notice.lapses_at.is_none_or(|end| now < end)
}

/// When the methods turn: one that was declined too often has room for another try, and one that
/// expires leaves what is due or announced to the next.
fn methods_turn(rule: &Rule, account: &Account, now: Instant, due: &mut Due<'_>) {
    let pending = rule.on && (!due.is_empty() || due.running.is_some());
    for method in named_methods(rule, account) {
        match method.unusable(now) {
            Some(Unusable::DeclinedTooOften { until }) => due.look_at(until),
            None if pending => method.expires_at.into_iter().for_each(|end| due.look_at(end)),
            Some(_) | None => {}
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
    let mut found = in_order(found, |(at, _)| *at);
    // Why: one that was announced anew is in the history twice.
    found.dedup();
    found
}

/// The latest scheduled instant that has passed and counts, if there is one, however old.
pub(super) fn latest_passed(
    rule: &Rule,
    account: &Account,
    history: &History,
    now: Instant,
) -> Option<Instant> {
    let zone = &account.zone;
    let ends_on = rule.limits.ends_on;
    let in_time = |at: &Instant| *at <= now && ends_on.is_none_or(|end| zone.date(*at) <= end);
    let after = counted_after(rule, account, history);
    rule.triggers.scheduled.as_ref()?.upcoming(after, zone).take_while(in_time).last()
}

/// Scheduled instants after this count: of the rule as it is, and nothing was made of them.
fn counted_after(rule: &Rule, account: &Account, history: &History) -> Instant {
    let starts = |date| account.zone.start_of_day(date);
    let consumed = history.consumed_through.unwrap_or(Instant::MIN);
    let begins = rule.limits.starts_on.map_or(Instant::MIN, starts);
    // Why: a pause that is over by its date ended as a resume does: what it held is gone.
    let paused = rule.paused_until_on.map_or(Instant::MIN, starts);
    rule.armed_at.max(consumed).max(begins.max(paused).minus(Span(1)))
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
    let after = counted_after(rule, account, history);
    let in_time = |at: &Instant| rule.limits.ends_on.is_none_or(|end| zone.date(*at) <= end);
    let is_new = |at: Instant| at > now.minus(MISSED_FOR);
    // Why: what was announced stays, even where a change of zone has moved the schedule; what the
    // new zone makes of the same date is not charged beside it.
    let told_after = after.max(now.minus(lapses_after(rule, account)));
    let told = || {
        history.notices.iter().filter_map(move |notice| match notice.trigger {
            TriggerDue::Scheduled { at } => {
                Some((at, notice.charge_at)).filter(|_| at > told_after)
            }
            TriggerDue::LowBalance | TriggerDue::Expiring { .. } => None,
        })
    };
    let near = |at: &Instant| told().any(|(told, _)| same_date(schedule, *at, told));
    due.latest_passed = told().map(|(at, _)| at).filter(|at| *at <= now).max();
    let occurrence = |at| (at, TriggerDue::Scheduled { at });
    let still = told().filter(|(_, charge_at)| is_new(*charge_at));
    let mut found: Vec<_> = still.map(|(at, _)| occurrence(at)).collect();
    let mut missed = None;
    // Why: what was not announced and is older than this is gone, so the search starts here.
    let since = after.max(now.minus(MISSED_FOR));
    for at in schedule.upcoming(since, zone).take_while(in_time).filter(|at| !near(at)) {
        if at <= now {
            // Why: after an outage only the newest missed one counts.
            missed = Some(at).filter(|at| Some(*at) > due.latest_passed);
            continue;
        }
        found.push(occurrence(at));
        if at.minus(lead) > now {
            break;
        }
    }
    due.latest_passed = due.latest_passed.max(missed);
    found.extend(missed.map(occurrence));
    found
}
