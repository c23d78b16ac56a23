//! Lines and rules as their owner sees them: the store's rows and core's answers put together.
//! It decides nothing: every figure is the one that `decide` and the preview use.

use super::{
    inputs::{self, Inputs},
    tell::speech,
};
use crate::{
    error::Result,
    store::{Conn, inbox, lines::Line, rules},
};
use laika_core::{
    api::{Consent, LineView, RuleStatus, RuleView},
    bytes::Bytes,
    decide::{Cause, decide},
    draft::RuleDraft,
    forecast::{PreviewInputs, bound, upcoming},
    record::text_sha256_hex,
    rule::Rule,
    time::{Instant, Span},
};

/// A line's day has at most this many hours.
const HOURS: usize = 25;

/// A line on Home.
pub async fn line(conn: &mut Conn, line: &Line, now: Instant) -> Result<LineView> {
    let inputs = inputs::load(conn, line, now).await?;
    let recent_use = inbox::past_use(conn, line, now).await?.recent();
    let today = today(conn, line, &inputs, now).await?;
    Ok(LineView {
        id: line.id.clone(),
        iccid: line.iccid.clone(),
        label: label(line),
        currency: line.currency,
        version: line.version,
        as_of: now,
        balance: inputs.balance.clone(),
        terms: line.terms(),
        rule: status(conn, line, &inputs, now).await?,
        today,
        recent_use,
    })
}

/// What the customer calls it; before that, the end of the eSIM's number.
fn label(line: &Line) -> String {
    if let Some(label) = &line.label {
        return label.clone();
    }
    let tail = line.iccid.len().saturating_sub(4);
    format!("eSIM {}", line.iccid.get(tail..).unwrap_or(&line.iccid))
}

/// What was used in each hour since the local midnight.
async fn today(conn: &mut Conn, line: &Line, inputs: &Inputs, now: Instant) -> Result<Vec<Bytes>> {
    let zone = &inputs.account.zone;
    let midnight = zone.start_of_day(zone.date(now));
    let mut hours = vec![Bytes::ZERO; HOURS];
    for (at, bytes) in inbox::between(conn, line, midnight, zone.next_day(now)).await? {
        let hour = at.since(midnight).0.div_euclid(Span::hours(1).0);
        if let Some(sum) = usize::try_from(hour).ok().and_then(|hour| hours.get_mut(hour)) {
            *sum = sum.plus(bytes);
        }
    }
    let passed = now.since(midnight).0.div_euclid(Span::hours(1).0);
    hours.truncate(usize::try_from(passed).unwrap_or(0).saturating_add(1));
    Ok(hours)
}

/// How the line's rule stands: what is decided now, and what would be if it were due.
async fn status(
    conn: &mut Conn,
    line: &Line,
    inputs: &Inputs,
    now: Instant,
) -> Result<Option<RuleStatus>> {
    let Some(stored) = &inputs.stored else { return Ok(None) };
    let rule = &stored.rule;
    let answer = |cause| decide(rule, &inputs.account, &inputs.history, &cause, now);
    let upcoming = match rule.on {
        true => upcoming(rule, &inputs::preview(conn, line, now).await?),
        false => Vec::new(),
    };
    Ok(Some(RuleStatus {
        version: rule.version,
        on: rule.on,
        now: answer(Cause::Timer),
        as_if_due: answer(Cause::AsIfDue),
        upcoming,
    }))
}

/// The rule page.
pub async fn rule(conn: &mut Conn, line: &Line, now: Instant) -> Result<RuleView> {
    let inputs = inputs::load(conn, line, now).await?;
    let stored = inputs.stored.as_ref();
    Ok(RuleView {
        draft: stored.map_or_else(
            || RuleDraft::suggested(&inputs.account, now),
            |stored| stored.draft.clone(),
        ),
        consent: stored.map(|stored| consent(&inputs, &turned_on(&inputs, &stored.rule, now), now)),
        status: status(conn, line, &inputs, now).await?,
        changes: rules::changes(conn, line).await?,
        rule: stored.map(|stored| stored.rule.clone()),
    })
}

/// The rule as turning it on now would make it: at the present price, without pause or skip. That
/// is what is agreed to.
pub fn turned_on(inputs: &Inputs, rule: &Rule, now: Instant) -> Rule {
    let step = rule.step.and(inputs.account.terms.step);
    Rule { on: true, armed_at: now, paused_until_on: None, skip_at: None, step, ..rule.clone() }
}

/// The text that turning this rule on agrees to, and its hash.
pub fn consent(inputs: &Inputs, rule: &Rule, now: Instant) -> Consent {
    let speech = speech(&inputs.owner, &inputs.account.zone, now);
    let text = speech.consent(rule, &inputs.account.payment_methods, &bound(rule, &inputs.account));
    Consent { sha256: text_sha256_hex(&text), text }
}

/// What the rule page previews from.
pub async fn preview_inputs(conn: &mut Conn, line: &Line, now: Instant) -> Result<PreviewInputs> {
    inputs::preview(conn, line, now).await
}
