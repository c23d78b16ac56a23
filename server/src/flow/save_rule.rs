//! Saving a rule: the same `validate` and the same `preview` as in the browser, on the same
//! inputs. A state that moved, or another hash, is refused; nothing is saved that was not on
//! screen. A saved rule is off until it is turned on.

use super::{advance::ring, evaluate, inputs, open};
use crate::{
    Shared,
    error::{Error, Result},
    fault::Kept,
    store::{
        Tx, accounts,
        lines::{self, Line},
        looks, payment_methods,
        rules::{self, NewVersion, Stored},
    },
};
use laika_core::{
    ENGINE_VERSION,
    api::{RuleChangeKind, SaveRule},
    decide::Cause,
    draft::validate,
    forecast::{PreviewInputs, preview, preview_sha256},
    id::AccountId,
    record::sha256_hex,
    rule::Rule,
    time::Span,
};

/// A preview older than this is computed again.
const FRESH: Span = Span::hours(1);

/// Saves what was on screen, or says why not. The same key and request save once.
pub async fn save(
    app: &Shared,
    account: &AccountId,
    line_id: &str,
    key: &str,
    request: &SaveRule,
) -> Result<()> {
    if request.engine_version != ENGINE_VERSION {
        return Err(mismatch(request));
    }
    let request_sha256 = sha256_hex(request);
    let mut tx = app.store.write().await?;
    let line = lines::lock(&mut tx, account.as_str(), line_id, app.clock.now()).await?;
    let line = line.ok_or_else(Error::not_found)?;
    if let Some(earlier) = rules::request(&mut tx, &line, key).await? {
        tx.rollback().await?;
        return if earlier == request_sha256 { Ok(()) } else { Err(key_reused()) };
    }
    let inputs = unmoved(&mut tx, &line, request).await?;
    let rule = validate(&request.draft, &inputs.account, request.as_of).map_err(Error::fields)?;
    if preview_sha256(&preview(&rule, &inputs)) != request.preview_sha256 {
        return Err(mismatch(request));
    }
    let rule = Rule { version: inputs.next_version, armed_at: line.newest_at, ..rule };
    let old = rules::get(&mut tx, &line).await?;
    let renewed = match &old {
        Some(_) => has_new_instrument(&mut tx, &line, &rule).await?,
        None => false,
    };
    let stored = replace(old, rule, request, renewed);
    open::stop(&mut tx, &line, open::Which::Automatic).await?;
    looks::forget_all(&mut tx, &line).await?;
    rules::put(&mut tx, &line, &stored).await?;
    let version = NewVersion {
        rule: &stored.rule,
        what: RuleChangeKind::Saved,
        consent: None,
        request: Some((key, &request_sha256)),
    };
    rules::add_version(&mut tx, &line, version).await?;
    evaluate::line_changed(&mut tx, &line, &Cause::RuleChanged).await?;
    accounts::bump(&mut tx, account.as_str()).await?;
    tx.commit_as(Kept::RuleSaved).await?;
    ring(app);
    Ok(())
}

/// The inputs that the browser previewed from. *Errors*: `preview_stale` when the line moved.
async fn unmoved(tx: &mut Tx, line: &Line, request: &SaveRule) -> Result<PreviewInputs> {
    // The lock has counted the version up by one.
    let before = Line { version: line.version.saturating_sub(1), ..line.clone() };
    let age = line.newest_at.since(request.as_of);
    if request.state_version != before.version || age < Span(0) || age > FRESH {
        let words = "Something changed since this was shown; compare again.";
        return Err(Error::conflict("preview_stale", words).with("state_version", before.version));
    }
    inputs::preview(tx, &before, request.as_of).await
}

/// Whether the new rule names an instrument that no version did since the suspended one: leaving a
/// card out and taking it in again is no other card. One that was removed and added again is
/// another method, but the same instrument.
async fn has_new_instrument(tx: &mut Tx, line: &Line, new: &Rule) -> Result<bool> {
    let account = line.account_id.as_str();
    let mut known = Vec::new();
    for rule in rules::since_suspended(tx, line).await? {
        for id in &rule.payment_methods {
            let method = payment_methods::get(tx, account, id.as_str()).await?;
            known.extend(method.map(|method| method.instrument));
        }
    }
    for id in &new.payment_methods {
        let method = payment_methods::get(tx, account, id.as_str()).await?;
        if method.is_some_and(|method| !known.contains(&method.instrument)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What deciding remembers goes on with the new rule; another instrument ends a suspension.
fn replace(old: Option<Stored>, rule: Rule, request: &SaveRule, renewed: bool) -> Stored {
    let alert = rule.alert;
    let suspended = old.as_ref().filter(|_| !renewed).and_then(|old| old.suspended);
    let same_alert = old.as_ref().filter(|old| old.rule.alert == alert);
    Stored {
        alerted: same_alert.is_some_and(|old| old.alerted),
        consumed_through: old.as_ref().and_then(|old| old.consumed_through),
        consumed_expiry_at: old.as_ref().and_then(|old| old.consumed_expiry_at),
        suspended,
        draft: request.draft.clone(),
        rule,
    }
}

fn mismatch(request: &SaveRule) -> Error {
    let words = "The preview on screen is not the one computed here; reload the app.";
    Error::conflict("preview_mismatch", words)
        .with("engine_version", ENGINE_VERSION)
        .with("your_engine_version", request.engine_version.as_str())
}

fn key_reused() -> Error {
    Error::conflict("idempotency_key_reused", "This key was used for another request.")
}
