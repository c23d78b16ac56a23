//! A look at a line: the alert, the announcements, and `decide`. A recharge is opened, its money
//! reserved by that, its first job written, and what it consumes marked, all in the caller's
//! transaction, which holds the line's lock. Nothing is called outside.

use super::{
    inputs::{self, Asked, Inputs},
    open::open,
    tell::{speech, tell},
};
use crate::{
    error::Result,
    store::{
        Tx, balances, jobs,
        lines::Line,
        looks,
        rules::{self, Stored, json},
    },
};
use laika_core::{
    balance::Balance,
    decide::{Account, Cause, Decision, TriggerDue, announce, consumed_by, consumed_with},
    record::DecisionRecord,
    rule::Threshold,
    say,
    time::{Instant, Span},
};

/// However quiet a line is, its rule is looked at this often.
const SAFETY: Span = Span::hours(6);

/// Looks at a line after something changed. The time is the line's `newest_at`.
pub async fn line_changed(tx: &mut Tx, line: &Line, cause: &Cause) -> Result<()> {
    let balance = balances::load(tx, line).await?;
    lines_changed(tx, vec![(line, balance)], cause).await
}

/// Looks at many lines after something changed, as at one: what they have is known already.
pub async fn lines_changed(
    tx: &mut Tx,
    changed: Vec<(&Line, Balance)>,
    cause: &Cause,
) -> Result<()> {
    let lines: Vec<_> = changed.iter().map(|(line, _)| *line).collect();
    let stored = rules::get_all(tx, &lines).await?;
    let with_rule = changed.into_iter().zip(stored).filter_map(|((line, balance), stored)| {
        let now = line.newest_at;
        stored.is_some().then_some(Asked { line, balance, stored, now })
    });
    let asked: Vec<_> = with_rule.collect();
    if asked.is_empty() {
        return Ok(());
    }
    let lines: Vec<_> = asked.iter().map(|asked| asked.line).collect();
    let inputs = inputs::load_all(tx, asked).await?;
    let (mut looks, mut next) = (Vec::new(), Vec::with_capacity(lines.len()));
    for (line, inputs) in lines.into_iter().zip(inputs) {
        let decided = look(tx, line, inputs, cause).await?;
        let Some((record, next_look_at)) = decided else { continue };
        if let Some(reason) = record.decision.reason() {
            looks.push((line, reason.code(), json(&record)?, record.now));
        }
        next.push((line, next_look_at));
    }
    if !looks.is_empty() {
        looks::keep_all(tx, &looks).await?;
    }
    jobs::look_at_all(tx, &next).await
}

/// Looks at one line: keeps what is seldom there to keep, and gives the record and the next look,
/// which every line leaves behind.
async fn look(
    tx: &mut Tx,
    line: &Line,
    mut inputs: Inputs,
    cause: &Cause,
) -> Result<Option<(DecisionRecord, Instant)>> {
    let now = line.newest_at;
    let Some(mut stored) = inputs.stored.take() else { return Ok(None) };
    let before = remembered(&stored);
    announce_due(tx, line, &stored, &mut inputs).await?;
    let record = DecisionRecord::make(&stored.rule, &inputs.account, &inputs.history, cause, now);
    alert(tx, line, &mut stored, &inputs, &record.decision).await?;
    match &record.decision {
        Decision::Recharge { order } => {
            let (version, json) = (Some(stored.rule.version), json(&record)?);
            open(tx, line, version, order.clone(), Some(&json), None).await?;
            consume(tx, line, &mut stored, &inputs.account, &order.triggers).await?;
        }
        Decision::Wait { .. } | Decision::Skip { .. } => {
            let (account, history) = (&inputs.account, &inputs.history);
            let gone = consumed_by(&record.decision, &stored.rule, account, history, now);
            stored.consumed_through = stored.consumed_through.max(gone);
            for notice in inputs.history.notices.iter().filter(|n| is_gone(&n.trigger, &stored)) {
                looks::forget(tx, line, &notice.trigger).await?;
            }
        }
    }
    if remembered(&stored) != before {
        rules::put(tx, line, &stored).await?;
    }
    let next = next_look(line, &inputs, &record.decision);
    Ok(Some((record, next)))
}

/// What a look may change of a rule.
fn remembered(stored: &Stored) -> (Option<Instant>, Option<Instant>, bool) {
    (stored.consumed_through, stored.consumed_expiry_at, stored.alerted)
}

/// Records the announcements that are due and tells the customer.
async fn announce_due(
    tx: &mut Tx,
    line: &Line,
    stored: &Stored,
    inputs: &mut Inputs,
) -> Result<()> {
    let (rule, now) = (&stored.rule, line.newest_at);
    for notice in announce(rule, &inputs.account, &inputs.history, now) {
        if looks::announce(tx, line, &notice).await? {
            let speech = speech(&inputs.owner, &inputs.account.zone, now);
            let body = speech.announcement(notice.charge_at, notice.at_most);
            let occurrence = looks::occurrence(&notice.trigger);
            let most = notice.at_most.amount_minor;
            let key = format!("{}-v{}-{occurrence}-{most}", line.id, rule.version);
            tell(tx, &inputs.owner, &key, &body, now).await?;
        }
        inputs.history.notices.push(notice);
    }
    Ok(())
}

/// Tells the customer once per crossing that little is left, whether the rule is on or off.
async fn alert(
    tx: &mut Tx,
    line: &Line,
    stored: &mut Stored,
    inputs: &Inputs,
    decision: &Decision,
) -> Result<()> {
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
    if low && !stored.alerted {
        let speech = speech(&inputs.owner, &account.zone, line.newest_at);
        let body = speech.alert(&left, decision);
        let key = format!("{}-v{}-alert", line.id, line.version);
        tell(tx, &inputs.owner, &key, &body, line.newest_at).await?;
    }
    stored.alerted = low;
    Ok(())
}

/// Whether a scheduled instant is consumed, so that its announcement means nothing any more.
fn is_gone(trigger: &TriggerDue, stored: &Stored) -> bool {
    match trigger {
        TriggerDue::Scheduled { at } => Some(*at) <= stored.consumed_through,
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
