//! What a rule may charge by itself, from the provider's own list and from what customers were
//! told: nothing that wants its customer; where a notice is needed, only with one; and nothing at
//! all while a dispute about the line is open.

use super::{
    check::{line_of, recharge_of},
    world::World,
};
use crate::{
    error::Result,
    sandbox::provider::records::{Instrument, Payment},
    sql,
    store::{lines::Line, looks, returns},
};
use laika_core::{
    decide::TriggerDue,
    rail::{Advance, Wallet},
    recharge::Recharge,
    time::{Instant, Span},
};
use sqlx::Row;
use std::collections::BTreeMap;

/// A notice of a charge to come.
struct Told {
    line: usize,
    /// When the customer was told.
    at: Instant,
    /// Of what.
    occurrence: String,
    /// Not charged before this, and not above that.
    charge_at: Instant,
    most_minor: i64,
    /// The recharge of which it is the only notice, where each debit needs its own.
    recharge: Option<String>,
}

/// So long at least from the notice of a charge by a date or an expiry to the charge.
const LEAD: Span = Span::hours(24);

pub(super) async fn hold(world: &World, all: &[Recharge]) -> Result<Result<(), String>> {
    let automatic: BTreeMap<&str, &Recharge> =
        all.iter().filter(|it| it.automatic()).map(|it| (it.id.as_str(), it)).collect();
    let mut told = told(world).await?;
    let payments = world.sandbox.look(|state| {
        let wallet = |payment: &Payment| match state
            .provider
            .payment_method(&payment.charge.payment_method)
            .map(|method| &method.instrument)
        {
            Some(Instrument::Wallet(agreement)) => Some(agreement.kind),
            Some(Instrument::Card(_)) | None => None,
        };
        let all = state.provider.payments().iter();
        all.map(|payment| (payment.clone(), wallet(payment))).collect::<Vec<_>>()
    });
    if let Err(broken) = disputes_hold(world, &automatic).await? {
        return Ok(Err(broken));
    }
    if let Err(broken) = announced(world, &automatic, &told) {
        return Ok(Err(broken));
    }
    for (payment, agreement) in &payments {
        let Some(recharge) = automatic.get(recharge_of(payment)) else { continue };
        if Wallet::of_code(&payment.charge.payment_method).is_some() {
            return Ok(Err(format!("4. {}: a rule charges what wants its customer", payment.id)));
        }
        let advance = agreement.and_then(|wallet| wallet.agreed_rail().facts().advance);
        let Some((line, advance)) = line_of(world, recharge.id.as_str()).zip(advance) else {
            continue;
        };
        if !has_notice(&mut told, payment, recharge, line, advance) {
            return Ok(Err(format!("4. {}: debited without a notice of its own", payment.id)));
        }
    }
    Ok(Ok(()))
}

/// From when a dispute is heard of until it is decided, the rule of its line charges nothing.
async fn disputes_hold(
    world: &World,
    automatic: &BTreeMap<&str, &Recharge>,
) -> Result<Result<(), String>> {
    let mut conn = world.app.store.read().await?;
    let lines: Vec<&Line> = world.lines.iter().collect();
    for (line, runs) in lines.iter().zip(returns::of_lines(&mut conn, &lines).await?) {
        let disputes = runs.iter().flat_map(|run| &run.returns.disputes);
        let open = disputes.filter(|dispute| dispute.status.is_open());
        let Some(since) = open.map(|dispute| dispute.since).min() else { continue };
        let sent = |it: &&&Recharge| {
            let mut sent = it.attempts.iter().filter_map(|attempt| attempt.submitted_at);
            it.line_id == line.id && sent.any(|at| at > since)
        };
        if let Some(recharge) = automatic.values().find(sent) {
            return Ok(Err(format!("4. {} is charged while a dispute is open", recharge.id)));
        }
    }
    Ok(Ok(()))
}

/// What is charged because of a date or an expiry alone was told a day before, no lower, no later.
fn announced(
    world: &World,
    automatic: &BTreeMap<&str, &Recharge>,
    told: &[Told],
) -> Result<(), String> {
    for recharge in automatic.values() {
        let triggers = &recharge.order.triggers;
        let sent_at = recharge.attempts.iter().filter_map(|attempt| attempt.submitted_at).min();
        let Some((line, sent_at)) = line_of(world, recharge.id.as_str()).zip(sent_at) else {
            continue;
        };
        if triggers.contains(&TriggerDue::LowBalance) {
            continue;
        }
        let fits = |told: &Told| {
            told.line == line
                && triggers.iter().any(|it| looks::occurrence(it) == told.occurrence)
                && told.at.plus(LEAD) <= sent_at
                && told.charge_at <= sent_at
                && recharge.order.amount.amount_minor <= told.most_minor
        };
        if !told.iter().any(fits) {
            return Err(format!("4. {} is charged unannounced", recharge.id));
        }
    }
    Ok(())
}

/// Whether a debit was told in its days, and for no other recharge; then that notice is used.
fn has_notice(
    told: &mut [Told],
    payment: &Payment,
    recharge: &Recharge,
    line: usize,
    advance: Advance,
) -> bool {
    let id = recharge.id.as_str();
    let number = payment.charge.metadata.get("attempt").map(String::as_str);
    let attempt = recharge.attempts.iter().find(|it| number == Some(&it.number.to_string()));
    let Some(sent_at) = attempt.and_then(|attempt| attempt.submitted_at) else { return false };
    let fits = |told: &&mut Told| {
        let day = beijing(sent_at) - beijing(told.at) + 1;
        let free = told.recharge.as_deref().is_none_or(|by| by == id);
        let within = payment.charge.amount_minor <= told.most_minor && told.charge_at <= sent_at;
        free && within && told.line == line && (advance.first_day..=advance.last_day).contains(&day)
    };
    let Some(told) = told.iter_mut().find(fits) else { return false };
    told.recharge = Some(id.to_owned());
    true
}

/// Every notice of a charge to come, the oldest first.
async fn told(world: &World) -> Result<Vec<Told>> {
    let mut conn = world.app.store.read().await?;
    let rows =
        sql!("SELECT key, created_at FROM messages WHERE channel = 'sms' ORDER BY created_at, key")
            .fetch_all(&mut *conn)
            .await?;
    let mut told = Vec::new();
    for row in &rows {
        let (key, at): (String, i64) = (row.try_get(0)?, row.try_get(1)?);
        let Some((line, what)) = key.split_once("-v") else { continue };
        let Some(what) = what.split_once('-').and_then(|it| it.1.strip_suffix("-sms")) else {
            continue;
        };
        let line = world.lines.iter().position(|known| known.id.as_str() == line);
        let mut parts = what.rsplitn(4, '-').skip(1);
        let numbers = [parts.next(), parts.next()].map(|it| it.and_then(|it| it.parse().ok()));
        if let (Some(line), [Some(most_minor), Some(charge_at)], Some(occurrence)) =
            (line, numbers, parts.next())
        {
            let (at, charge_at) = (Instant::from_micros(at), Instant::from_micros(charge_at));
            let occurrence = occurrence.to_owned();
            told.push(Told { line, at, occurrence, charge_at, most_minor, recharge: None });
        }
    }
    Ok(told)
}

/// The day in Beijing.
fn beijing(at: Instant) -> i64 {
    (at.seconds() + 8 * 3600).div_euclid(24 * 3600)
}
