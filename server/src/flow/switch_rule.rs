//! On, off, pause, resume, skip. Each makes a new version in one transaction, and each that stops
//! something is a barrier: once it is acknowledged no submission starts, and the answer names those
//! that had already. Turning on gives a signed receipt in the same transaction.

use super::{advance::ring, evaluate, inputs, open, receipt, view};
use crate::{
    BRAND, Shared,
    error::{Error, Result},
    fault::Kept,
    store::{
        Tx, accounts,
        lines::{self, Line},
        looks,
        rules::{self, NewVersion, Stored},
    },
};
use chrono::NaiveDate;
use laika_core::{
    api::{RuleChangeKind, TurnOn},
    decide::{Cause, TriggerDue, usable_methods},
    field::{Field, FieldCode, FieldError},
    id::{AccountId, RechargeId},
    record::{Agreed, Authenticated, ConsentReceipt},
    rule::Rule,
    time::Instant,
};

/// What to do with a rule.
#[derive(Clone, Copy, Debug)]
pub enum Switch<'a> {
    /// Agreed to, with fresh authentication.
    On(&'a TurnOn, Authenticated),
    /// Nothing is charged any more.
    Off,
    /// Nothing is charged before this local date begins.
    Pause(NaiveDate),
    /// The pause ends now.
    Resume,
    /// The next scheduled one is not charged.
    Skip,
}

/// What a switch makes of a rule.
struct Changed {
    rule: Rule,
    what: RuleChangeKind,
    consent: Option<ConsentReceipt>,
    /// Whether open recharges stop and announcements are forgotten.
    barrier: bool,
}

/// Switches; gives the recharges whose payment was sent before it was acknowledged.
pub async fn switch(
    app: &Shared,
    account: &AccountId,
    line_id: &str,
    switch: Switch<'_>,
) -> Result<Vec<RechargeId>> {
    let mut tx = app.store.write().await?;
    let line = lines::lock(&mut tx, account.as_str(), line_id, app.clock.now()).await?;
    let line = line.ok_or_else(Error::not_found)?;
    let stored = rules::get(&mut tx, &line).await?.ok_or_else(Error::not_found)?;
    let mut already_submitted = Vec::new();
    if let Some(changed) = change(&mut tx, &line, &stored, switch).await? {
        let rule = changed.rule;
        if changed.barrier {
            already_submitted = open::stop(&mut tx, &line, open::Which::Automatic).await?;
            looks::forget_all(&mut tx, &line).await?;
        }
        // Why: read again, as stopping a recharge may have suspended the rule.
        let stored = rules::get(&mut tx, &line).await?.unwrap_or(stored);
        rules::put(&mut tx, &line, &Stored { rule: rule.clone(), ..stored }).await?;
        let consent = changed.consent.as_ref().map(|receipt| receipt.text.as_str());
        let new = NewVersion { rule: &rule, what: changed.what, consent, request: None };
        rules::add_version(&mut tx, &line, new).await?;
        if let Some(agreed) = changed.consent {
            receipt::give(&mut tx, app, &line, agreed).await?;
        }
    }
    evaluate::line_changed(&mut tx, &line, &Cause::RuleChanged).await?;
    accounts::bump(&mut tx, account.as_str()).await?;
    tx.commit_as(Kept::RuleSwitched).await?;
    ring(app);
    Ok(already_submitted)
}

/// The rule afterwards; nothing when it is so already.
async fn change(
    tx: &mut Tx,
    line: &Line,
    stored: &Stored,
    switch: Switch<'_>,
) -> Result<Option<Changed>> {
    let (old, now) = (&stored.rule, line.newest_at);
    let changed = |rule, what, barrier| Some(Changed { rule, what, consent: None, barrier });
    let still = Rule { version: old.version.saturating_add(1), ..old.clone() };
    Ok(match switch {
        Switch::On(agreed, who) => turn_on(tx, line, old, agreed, who).await?,
        Switch::Off if !old.on => None,
        Switch::Off => changed(Rule { on: false, ..still }, RuleChangeKind::TurnedOff, true),
        Switch::Pause(date) => {
            let zone = inputs::load(tx, line, now).await?.account.zone;
            let first = zone.date(zone.next_day(now));
            if date < first {
                let early = FieldCode::TooEarly { first };
                return Err(Error::fields(vec![FieldError::new(Field::PausedUntil, early)]));
            }
            let rule = Rule { paused_until_on: Some(date), ..still };
            changed(rule, RuleChangeKind::Paused, true)
        }
        Switch::Resume if old.paused_until_on.is_none() => None,
        Switch::Resume => {
            let rule = Rule { paused_until_on: None, armed_at: now, ..still };
            changed(rule, RuleChangeKind::Resumed, false)
        }
        Switch::Skip => {
            let at = next_scheduled(tx, line, stored).await?;
            let at = at.ok_or_else(|| {
                Error::conflict("nothing_to_skip", "This rule has no recharge by date to skip.")
            })?;
            let rule = Rule { skip_at: Some(at), ..still };
            changed(rule, RuleChangeKind::Skipped, false).filter(|_| old.skip_at != Some(at))
        }
    })
}

/// On, if what was read is what is agreed to, and something can be charged.
async fn turn_on(
    tx: &mut Tx,
    line: &Line,
    old: &Rule,
    agreed: &TurnOn,
    authenticated: Authenticated,
) -> Result<Option<Changed>> {
    let now = line.newest_at;
    let inputs = inputs::load(tx, line, now).await?;
    let version = old.version.saturating_add(1);
    let rule = Rule { version, ..view::turned_on(&inputs, old, now) };
    let consent = ConsentReceipt::make(&Agreed {
        brand: BRAND,
        account_id: &line.account_id,
        iccid: &line.iccid,
        rule: &rule,
        account: &inputs.account,
        language: inputs.owner.language,
        given_at: now,
        authenticated,
    });
    let again = old.on && old.version == agreed.rule_version.saturating_add(1);
    let read = consent.text_sha256 == agreed.consent_sha256;
    if !read || (old.version != agreed.rule_version && !again) {
        let words = "The rule or its terms changed since they were shown; read them again.";
        return Err(Error::conflict("consent_stale", words));
    }
    if again {
        return Ok(None);
    }
    if usable_methods(&rule, &inputs.account, now).next().is_none() {
        let words = "Add a payment method to turn this on.";
        return Err(Error::conflict("no_usable_method", words));
    }
    Ok(Some(Changed {
        rule,
        what: RuleChangeKind::TurnedOn,
        consent: Some(consent),
        barrier: true,
    }))
}

/// The scheduled instant that a skip is about: the earliest one announced, otherwise the next.
async fn next_scheduled(tx: &mut Tx, line: &Line, stored: &Stored) -> Result<Option<Instant>> {
    let rule = &stored.rule;
    let Some(schedule) = &rule.triggers.scheduled else { return Ok(None) };
    let inputs = inputs::load(tx, line, line.newest_at).await?;
    let announced = inputs.history.notices.iter().filter_map(|notice| match notice.trigger {
        TriggerDue::Scheduled { at } => Some(at),
        TriggerDue::LowBalance | TriggerDue::Expiring { .. } => None,
    });
    if let Some(at) = announced.min() {
        return Ok(Some(at));
    }
    let zone = &inputs.account.zone;
    let begins = rule.limits.starts_on.map_or(Instant::MIN, |date| zone.start_of_day(date));
    let after = line.newest_at.max(begins.minus(laika_core::time::Span(1)));
    let next = schedule.next(after, zone);
    Ok(next.filter(|at| rule.limits.ends_on.is_none_or(|end| zone.date(*at) <= end)))
}
