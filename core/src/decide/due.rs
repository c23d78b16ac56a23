//! Which triggers are due now, which are held by a skip or by a running announcement, and when the
//! clock next makes one due. A hold holds only its own trigger.

use super::{Account, Cause, History, Notice, Reason, Standing, TriggerDue, notice_lead};
use crate::bytes::Bytes;
use crate::id::PaymentMethodId;
use crate::rule::{Rule, Threshold};
use crate::time::{Instant, Span};

/// A scheduled instant that was missed longer ago than this is not charged any more.
const MISSED_FOR: Span = Span::hours(72);
/// Two instants of one schedule are never nearer to each other: a local day has at least 23 hours.
const SAME_DATE: Span = Span::hours(23);

/// What is due, held and to come.
pub(super) struct Due {
    /// The triggers that one recharge would consume, low balance first, then by time.
    pub now: Vec<TriggerDue>,
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
    /// When only announced triggers are due: no method but those the announcements name.
    only: Option<Vec<PaymentMethodId>>,
}

impl Due {
    /// Those of the usable methods that may be charged for what is due.
    pub(super) fn allowed(&self, usable: Vec<PaymentMethodId>) -> Vec<PaymentMethodId> {
        match &self.only {
            None => usable,
            Some(named) => usable.into_iter().filter(|id| named.contains(id)).collect(),
        }
    }
}

/// Looks at every trigger of the rule.
pub(super) fn find(
    rule: &Rule,
    account: &Account,
    history: &History,
    cause: &Cause,
    now: Instant,
) -> Due {
    let coming = || history.recharges.iter().filter(|r| is_coming(r.standing));
    let effective_bytes = coming().fold(account.available_bytes, |b, r| b.plus(r.adds.bytes()));
    let effective_credit = coming()
        .fold(account.credit_minor, |credit, r| credit.saturating_add(r.adds.credit_minor()));
    let mut due = Due {
        now: Vec::new(),
        held: None,
        to_announce: Vec::new(),
        latest_passed: None,
        next_look_at: None,
        effective_bytes,
        only: None,
    };
    let low = rule.triggers.low_balance.is_some_and(|threshold| match threshold {
        Threshold::Data { bytes } => effective_bytes <= bytes,
        Threshold::Credit(money) => effective_credit <= money.amount_minor,
    });
    match cause {
        Cause::Submission { triggers } => {
            let still = |t: &&TriggerDue| low || !matches!(t, TriggerDue::LowBalance);
            due.now = triggers.iter().filter(still).cloned().collect();
            return due;
        }
        Cause::AsIfDue => {
            let as_if = rule.triggers.low_balance.is_some().then_some(TriggerDue::LowBalance);
            due.now = vec![as_if.unwrap_or(TriggerDue::Scheduled { at: now })];
            return due;
        }
        Cause::Usage
        | Cause::BalanceChanged
        | Cause::RuleChanged
        | Cause::Timer
        | Cause::MethodChanged => {}
    }
    if low {
        due.now.push(TriggerDue::LowBalance);
    }
    announced(rule, account, history, now, &mut due);
    due
}

/// Whether a recharge counts as on its way to the balance.
fn is_coming(standing: Standing) -> bool {
    match standing {
        Standing::Open | Standing::Unknown => true,
        Standing::Spent | Standing::Released => false,
    }
}

/// The triggers that are announced before they charge: scheduled and expiring.
fn announced(rule: &Rule, account: &Account, history: &History, now: Instant, due: &mut Due) {
    let lead = notice_lead(rule, account);
    let mut named: Vec<PaymentMethodId> = Vec::new();
    for (trigger, at) in occurrences(rule, account, history, now, lead, due) {
        let looks = |due: &mut Due, at: Instant| {
            due.next_look_at = Some(due.next_look_at.map_or(at, |next| next.min(at)));
        };
        if rule.skip_at == Some(at) && matches!(trigger, TriggerDue::Scheduled { .. }) {
            due.held.get_or_insert(Reason::SkippedOnce { at });
            if at > now {
                looks(due, at);
            }
            continue;
        }
        let told = |n: &&Notice| n.trigger == trigger && covers(n, rule, account);
        let recorded = history.notices.iter().find(told);
        if recorded.is_none() && at.minus(lead) > now {
            looks(due, at.minus(lead));
            continue;
        }
        let notice = match recorded {
            Some(notice) => notice.clone(),
            None => {
                let Some((at_most, _)) = super::largest_recharge(rule, account) else { continue };
                let charge_at = at.max(now.plus(lead));
                let payment_methods = super::usable_methods(rule, account, now);
                let notice =
                    Notice { trigger: trigger.clone(), charge_at, at_most, payment_methods };
                due.to_announce.push(notice.clone());
                notice
            }
        };
        if notice.charge_at <= now {
            named.extend(notice.payment_methods);
            due.now.push(trigger);
        } else {
            let (charge_at, at_most) = (notice.charge_at, notice.at_most);
            due.held.get_or_insert(Reason::NoticeRunning { charge_at, at_most });
            looks(due, charge_at);
        }
    }
    if !due.now.is_empty() && !due.now.contains(&TriggerDue::LowBalance) {
        due.only = Some(named);
    }
}

/// Whether an announcement still covers what is charged now; a higher amount needs a new one.
fn covers(notice: &Notice, rule: &Rule, account: &Account) -> bool {
    super::largest_recharge(rule, account).is_none_or(|(cost, _)| {
        cost.currency == notice.at_most.currency && cost.amount_minor <= notice.at_most.amount_minor
    })
}

/// Occurrences that are not consumed, by time: those passed or within the lead, and one to come.
fn occurrences(
    rule: &Rule,
    account: &Account,
    history: &History,
    now: Instant,
    lead: Span,
    due: &mut Due,
) -> Vec<(TriggerDue, Instant)> {
    let mut found: Vec<(TriggerDue, Instant)> = scheduled(rule, account, history, now, lead, due)
        .into_iter()
        .map(|at| (TriggerDue::Scheduled { at }, at))
        .collect();
    if let (Some(days), Some(expires_at)) = (rule.triggers.expiring_days, account.latest_expiry_at)
        && history.consumed_expiry_at != Some(expires_at)
    {
        let at = expires_at.minus(Span::days(i64::from(days)));
        found.push((TriggerDue::Expiring { expires_at }, at));
    }
    found.sort_by_key(|(_, at)| *at);
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
    due: &mut Due,
) -> Vec<Instant> {
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
    // Why: what was announced stays, even where a change of zone has moved the schedule; what the
    // new zone makes of the same date is not charged beside it.
    let instants = history.notices.iter().filter_map(|notice| match notice.trigger {
        TriggerDue::Scheduled { at } => Some((at, notice.charge_at)),
        TriggerDue::LowBalance | TriggerDue::Expiring { .. } => None,
    });
    let told: Vec<(Instant, Instant)> = instants.filter(|(at, _)| *at > after).collect();
    let announced: Vec<Instant> = told.iter().map(|(at, _)| *at).collect();
    due.latest_passed = announced.iter().copied().filter(|at| *at <= now).max();
    let is_new = |at: Instant| at > now.minus(MISSED_FOR);
    let mut found: Vec<Instant> =
        told.iter().filter(|(_, charge_at)| is_new(*charge_at)).map(|(at, _)| *at).collect();
    let near = |at: &Instant| {
        announced.iter().any(|told| at.since(*told).0.saturating_abs() < SAME_DATE.0)
    };
    let mut missed = None;
    for at in schedule.upcoming(after, zone).take_while(in_time).filter(|at| !near(at)) {
        if at <= now {
            due.latest_passed = due.latest_passed.max(Some(at));
            // Why: after an outage only the newest missed one counts, and only while it is new.
            missed = Some(at).filter(|at| is_new(*at));
            continue;
        }
        found.push(at);
        if at.minus(lead) > now {
            break;
        }
    }
    found.extend(missed);
    found
}
