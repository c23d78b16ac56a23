//! A look at a line: the alert, the announcements, and `decide`. A recharge is opened, its money
//! reserved by that, its first job written, and what it consumes marked, all in the caller's
//! transaction, which holds the line's lock. Nothing is called outside.

use super::{
    inputs::{self, Inputs},
    open::open,
    tell::{speech, tell},
};
#[cfg(test)]
use crate::simulator::defects::{Defect, planted};
use crate::{
    error::Result,
    secret::sha256_hex,
    store::{
        Tx, jobs,
        lines::Line,
        looks::{self, Last, Seen},
        rules::{self, Stored, json},
    },
};
use laika_core::{
    decide::{
        Account, Cause, Decision, Notice, Reason, TriggerDue, announce, consumed_by, consumed_with,
        decide, missed,
    },
    record::{DecisionRecord, canonical},
    rule::Threshold,
    say,
    time::{Instant, Span},
};

/// However quiet a line is, its rule is looked at this often.
const SAFETY: Span = Span::hours(6);

/// A line to look at, with everything that `decide` asks for.
#[derive(Debug)]
pub struct Subject<'a> {
    /// Which, locked. Its `newest_at` is *now*.
    pub line: &'a Line,
    /// What is known of it now. Without a rule there is nothing to look at.
    pub inputs: Box<Inputs>,
    /// The latest look before.
    pub last: Option<Last>,
    /// Nothing but what a look sees has moved since that one, which found nothing to do.
    pub same: bool,
    /// The line's row has what this look sees.
    pub seen_kept: bool,
    /// A job looks at it then, or earlier; nothing when that is not known.
    pub looked_at_next: Option<Instant>,
}

/// What a look came to, for whoever knows the line from then on.
#[derive(Debug)]
pub struct Looked {
    /// What it was decided from.
    pub inputs: Box<Inputs>,
    /// The latest look: this one, unless it charged.
    pub last: Option<Last>,
    /// It found nothing to do: the next one finds everything as it is, but what it sees.
    pub quiet: bool,
    /// A job looks at it then, or earlier.
    pub looked_at_next: Instant,
}

/// Looks at a line after something changed. The time is the line's `newest_at`.
pub async fn line_changed(tx: &mut Tx, line: &Line, cause: &Cause) -> Result<()> {
    let inputs = Box::new(inputs::load(tx, line, line.newest_at).await?);
    let last = looks::last_of(tx, &[line]).await?.pop().flatten();
    let (same, seen_kept, looked_at_next) = (false, false, None);
    let subject = Subject { line, inputs, last, same, seen_kept, looked_at_next };
    lines_changed(tx, vec![subject], cause).await?;
    Ok(())
}

/// Looks at many lines after something changed, as at one. Gives what each came to, in their order;
/// nothing for one without a rule.
pub async fn lines_changed(
    tx: &mut Tx,
    subjects: Vec<Subject<'_>>,
    cause: &Cause,
) -> Result<Vec<Option<Looked>>> {
    let (mut all, mut kept, mut next) =
        (Vec::with_capacity(subjects.len()), Kept::default(), vec![]);
    for subject in subjects {
        let line = subject.line;
        let there = subject.looked_at_next.filter(|at| *at > line.newest_at);
        let mut looked = look(tx, subject, cause, &mut kept).await?;
        if let Some(Looked { looked_at_next, .. }) = &mut looked {
            match there {
                // Why: a job that looks earlier is there already, and nobody has begun it yet.
                Some(at) if at <= *looked_at_next => *looked_at_next = at,
                Some(_) | None => next.push((line, *looked_at_next)),
            }
        }
        all.push(looked);
    }
    kept.keep(tx).await?;
    jobs::look_at_all(tx, &next).await?;
    Ok(all)
}

/// What looks leave behind in the store, for all of them together.
#[derive(Default)]
struct Kept<'a> {
    /// Records with something new in them.
    records: Vec<looks::Look<'a>>,
    /// Looks whose reason is the latest no more.
    overtaken: Vec<(&'a Line, Last)>,
    /// Which is the latest.
    last: Vec<(&'a Line, Option<Last>)>,
}

impl<'a> Kept<'a> {
    async fn keep(self, tx: &mut Tx) -> Result<()> {
        if !self.records.is_empty() {
            looks::keep_all(tx, &self.records).await?;
        }
        if !self.overtaken.is_empty() {
            looks::overtaken(tx, &self.overtaken).await?;
        }
        if !self.last.is_empty() {
            looks::set_last(tx, &self.last).await?;
        }
        Ok(())
    }

    /// Adds a look that was `quiet` or not; gives what is the latest look then.
    fn add(
        &mut self,
        subject: &Subject<'a>,
        record: Option<DecisionRecord>,
    ) -> Result<Option<Last>> {
        let (line, seen) =
            (subject.line, Seen::of(&subject.inputs.balance, subject.line.newest_at));
        let before = subject.last.as_ref();
        let Some(record) = record else {
            self.overtaken.extend(before.map(|last| (line, last.clone())));
            self.last.push((line, None));
            return Ok(None);
        };
        let reason = record.decision.reason().map_or("", |reason| reason.code());
        let last = Last { reason: reason.to_string(), sha256: but_seen_sha256(&record), seen };
        if before.is_none_or(|it| it.reason != last.reason || it.sha256 != last.sha256) {
            self.records.push((line, reason, json(&record)?, record.now));
            let other = before.filter(|before| before.reason != last.reason);
            self.overtaken.extend(other.map(|before| (line, before.clone())));
            self.last.push((line, Some(last.clone())));
        } else if !subject.seen_kept {
            self.last.push((line, Some(last.clone())));
        }
        Ok(Some(last))
    }
}

/// The hash of everything in a record but what a look sees, and what follows from that.
fn but_seen_sha256(record: &DecisionRecord) -> String {
    let account = &record.account;
    let facts = (
        (&account.line_id, &account.zone, &account.kept_periods, account.stopped_by_operator),
        (account.line_closed, &account.terms, &account.payment_methods, account.notice_lead_hours),
    );
    let rest = (&record.engine_version, &record.rule, facts, &record.history, &record.cause);
    let mut hash = sha256_hex(&canonical(&rest));
    // Why: 128 bits tell two looks of one line apart, and it stands in every line's row.
    hash.truncate(32);
    hash
}

/// Looks at one line: keeps what is seldom there to keep, and adds the rest to what all keep.
async fn look<'a>(
    tx: &mut Tx,
    mut subject: Subject<'a>,
    cause: &Cause,
    kept: &mut Kept<'a>,
) -> Result<Option<Looked>> {
    let (line, now) = (subject.line, subject.line.newest_at);
    let Some(mut stored) = subject.inputs.stored.take() else { return Ok(None) };
    let before = remembered(&stored);
    if matches!(cause, Cause::Timer) {
        tell_missed(tx, line, &mut stored, &mut subject.inputs).await?;
    }
    let announced = announce_due(tx, line, &stored, &mut subject.inputs).await?;
    let (account, history) = (&subject.inputs.account, &subject.inputs.history);
    let decision = decide(&stored.rule, account, history, cause, now);
    let alerted = alert(tx, line, &mut stored, &subject.inputs, &decision).await?;
    let gone = consumed_by(&decision, &stored.rule, account, history, now);
    let unmoved = (stored.consumed_through.max(gone), stored.consumed_expiry_at, stored.alerted);
    let forgotten = history.notices.iter().any(|notice| is_gone(&notice.trigger, &stored));
    let quiet = decision.reason().is_some() && !announced && !forgotten && unmoved == before;
    let code = decision.reason().map(|reason| reason.code());
    let again = subject.last.as_ref().filter(|last| subject.same && Some(&*last.reason) == code);
    let last = match again {
        Some(last) if quiet => {
            let seen = Seen::of(&subject.inputs.balance, now);
            let last = Last { seen, ..last.clone() };
            if !subject.seen_kept {
                kept.last.push((line, Some(last.clone())));
            }
            Some(last)
        }
        Some(_) | None => {
            let dates = history.notices.iter().any(|it| goes_now(&it.trigger, &stored, gone));
            if !alerted && !dates {
                tell_held(tx, line, &stored, &subject.inputs, &decision).await?;
            }
            let record = DecisionRecord::make(&stored.rule, account, history, cause, now);
            let record = act(tx, line, &mut stored, &subject.inputs, record).await?;
            kept.add(&subject, record)?
        }
    };
    if remembered(&stored) != before {
        rules::put(tx, line, &stored).await?;
    }
    let looked_at_next = next_look(line, &subject.inputs, &decision);
    let mut inputs = subject.inputs;
    inputs.stored = Some(stored);
    Ok(Some(Looked { inputs, last, quiet, looked_at_next }))
}

/// Does what a decision says: opens the recharge, or forgets what is consumed without one. Gives
/// the record back when it did not charge.
async fn act(
    tx: &mut Tx,
    line: &Line,
    stored: &mut Stored,
    inputs: &Inputs,
    record: DecisionRecord,
) -> Result<Option<DecisionRecord>> {
    match &record.decision {
        Decision::Recharge { order } => {
            let (version, json) = (Some(stored.rule.version), json(&record)?);
            let told = &inputs.history.notices;
            open(tx, line, version, order.clone(), told, Some(&json), None).await?;
            consume(tx, line, stored, &inputs.account, &order.triggers).await?;
            Ok(None)
        }
        Decision::Wait { .. } | Decision::Skip { .. } => {
            let (account, history, now) = (&inputs.account, &inputs.history, record.now);
            let gone = consumed_by(&record.decision, &stored.rule, account, history, now);
            for notice in history.notices.iter().filter(|it| goes_now(&it.trigger, stored, gone)) {
                tell_not_made(tx, line, stored, inputs, notice, &record.decision).await?;
            }
            stored.consumed_through = stored.consumed_through.max(gone);
            for notice in inputs.history.notices.iter().filter(|n| is_gone(&n.trigger, stored)) {
                looks::forget(tx, line, &notice.trigger).await?;
            }
            Ok(Some(record))
        }
    }
}

/// What a look may change of a rule.
fn remembered(stored: &Stored) -> (Option<Instant>, Option<Instant>, bool) {
    (stored.consumed_through, stored.consumed_expiry_at, stored.alerted)
}

/// Records the announcements that are due and tells the customer; whether there were any.
async fn announce_due(
    tx: &mut Tx,
    line: &Line,
    stored: &Stored,
    inputs: &mut Inputs,
) -> Result<bool> {
    let (rule, now) = (&stored.rule, line.newest_at);
    let known = inputs.history.notices.len();
    for notice in announce(rule, &inputs.account, &inputs.history, now) {
        if looks::announce(tx, line, &notice).await? {
            let speech = speech(&inputs.owner, &inputs.account.zone, now);
            let body = speech.announcement(&notice, &inputs.account.payment_methods);
            // Why all of it: low data is announced each time anew, another time, sum or method too.
            let occurrence = looks::occurrence(&notice.trigger);
            let methods = sha256_hex(format!("{:?}", notice.payment_methods).as_bytes());
            let (at, most) = (notice.charge_at.micros(), notice.at_most.amount_minor);
            #[cfg(test)]
            let at = if planted(Defect::AnnouncedOnce) { 0 } else { at };
            let to = methods.get(..8).unwrap_or_default();
            let key = format!("{}-v{}-{occurrence}-{at}-{most}-{to}", line.id, rule.version);
            tell(tx, &inputs.owner, &key, &body, now).await?;
        }
        inputs.history.notices.push(notice);
    }
    Ok(inputs.history.notices.len() > known)
}

/// Tells the customer of a scheduled charge that is gone without having been made, and forgets it.
async fn tell_missed(
    tx: &mut Tx,
    line: &Line,
    stored: &mut Stored,
    inputs: &mut Inputs,
) -> Result<()> {
    let (rule, now) = (&stored.rule, line.newest_at);
    let Some(at) = missed(rule, &inputs.account, &inputs.history, now) else { return Ok(()) };
    let body = speech(&inputs.owner, &inputs.account.zone, now).missed(at);
    let key = format!("{}-v{}-missed-{}", line.id, rule.version, at.micros());
    tell(tx, &inputs.owner, &key, &body, now).await?;
    let gone = consumed_with(rule, &inputs.account, at);
    stored.consumed_through = stored.consumed_through.max(Some(gone));
    inputs.history.consumed_through = stored.consumed_through;
    Ok(())
}

/// Tells the customer that a limit of the rule holds a charge that is due: once while it does so.
async fn tell_held(
    tx: &mut Tx,
    line: &Line,
    stored: &Stored,
    inputs: &Inputs,
    decision: &Decision,
) -> Result<()> {
    let resets_at = match decision.reason() {
        Some(
            Reason::MonthlyCapReached { resets_at, .. } | Reason::DailyCountReached { resets_at },
        ) => resets_at,
        Some(_) | None => return Ok(()),
    };
    let now = line.newest_at;
    let body = speech(&inputs.owner, &inputs.account.zone, now).decision(decision);
    let key = format!("{}-v{}-held-{}", line.id, stored.rule.version, resets_at.micros());
    tell(tx, &inputs.owner, &key, &body, now).await
}

/// Tells the customer that an announced charge was not made when its time had come, and why; not of
/// what the customer has asked for.
async fn tell_not_made(
    tx: &mut Tx,
    line: &Line,
    stored: &Stored,
    inputs: &Inputs,
    notice: &Notice,
    decision: &Decision,
) -> Result<()> {
    let reason = match decision.reason() {
        None
        | Some(
            Reason::RuleOff
            | Reason::Paused { .. }
            | Reason::NotStarted { .. }
            | Reason::Ended { .. }
            | Reason::SkippedOnce { .. },
        ) => return Ok(()),
        Some(reason) => reason,
    };
    let (at, now) = (notice.charge_at, line.newest_at);
    let body = speech(&inputs.owner, &inputs.account.zone, now).not_made(at, reason);
    let key = format!("{}-v{}-not-made-{}", line.id, stored.rule.version, at.micros());
    tell(tx, &inputs.owner, &key, &body, now).await
}

/// Tells the customer once per crossing that little is left, whether the rule is on or off; whether
/// it did now.
async fn alert(
    tx: &mut Tx,
    line: &Line,
    stored: &mut Stored,
    inputs: &Inputs,
    decision: &Decision,
) -> Result<bool> {
    let account = &inputs.account;
    let (low, left) = match stored.rule.alert {
        None => (false, String::new()),
        Some(Threshold::Data { bytes }) => {
            (account.available_bytes <= bytes, say::bytes(account.available_bytes))
        }
        Some(Threshold::Credit(threshold)) => {
            let credit = laika_core::money::Money::new(account.credit_minor, line.currency);
            (account.credit_minor <= threshold.amount_minor, say::money(credit))
        }
    };
    let now_low = low && !stored.alerted;
    if now_low {
        let (rule, now) = (&stored.rule, line.newest_at);
        let as_if_due = decide(rule, account, &inputs.history, &Cause::AsIfDue, now);
        let speech = speech(&inputs.owner, &account.zone, now);
        let body = speech.alert(&left, rule, decision, &as_if_due);
        let key = format!("{}-v{}-alert", line.id, line.version);
        tell(tx, &inputs.owner, &key, &body, now).await?;
    }
    stored.alerted = low;
    Ok(now_low)
}

/// Whether a scheduled instant is consumed, so that its announcement means nothing any more.
fn is_gone(trigger: &TriggerDue, stored: &Stored) -> bool {
    match trigger {
        TriggerDue::Scheduled { at } => Some(*at) <= stored.consumed_through,
        TriggerDue::LowBalance | TriggerDue::Expiring { .. } => false,
    }
}

/// The same of one that goes with this decision, which consumes up to `gone`.
fn goes_now(trigger: &TriggerDue, stored: &Stored, gone: Option<Instant>) -> bool {
    match trigger {
        TriggerDue::Scheduled { at } => Some(*at) > stored.consumed_through && Some(*at) <= gone,
        TriggerDue::LowBalance | TriggerDue::Expiring { .. } => false,
    }
}

/// Marks the occurrences that a recharge serves: none of them charges again.
async fn consume(
    tx: &mut Tx,
    line: &Line,
    stored: &mut Stored,
    account: &Account,
    triggers: &[TriggerDue],
) -> Result<()> {
    for trigger in triggers {
        match trigger {
            TriggerDue::LowBalance => {}
            TriggerDue::Scheduled { at } => {
                let gone = consumed_with(&stored.rule, account, *at);
                stored.consumed_through = stored.consumed_through.max(Some(gone));
            }
            TriggerDue::Expiring { expires_at } => {
                stored.consumed_expiry_at = stored.consumed_expiry_at.max(Some(*expires_at));
            }
        }
        looks::forget(tx, line, trigger).await?;
    }
    Ok(())
}

/// Every next look has a timer: the decision's own, the next expiry, and the safety timer.
fn next_look(line: &Line, inputs: &Inputs, decision: &Decision) -> Instant {
    let now = line.newest_at;
    let safety = now.plus(SAFETY);
    let candidates = [decision.next_look_at(), inputs.balance.next_expiry(now), Some(safety)];
    let later = candidates.into_iter().flatten().filter(|at| *at > now);
    later.min().unwrap_or(safety)
}
