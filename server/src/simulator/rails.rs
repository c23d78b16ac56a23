//! What a way of paying can do by itself, from the provider's own list and from what customers were
//! told: nothing that wants its customer is charged by a rule, and where each debit needs a notice
//! of its own, it had one.

use super::{
    check::{line_of, recharge_of},
    world::World,
};
use crate::{
    error::Result,
    sandbox::provider::records::{Instrument, Payment},
    sql,
};
use laika_core::{
    rail::{Advance, Wallet},
    recharge::Recharge,
    time::Instant,
};
use sqlx::Row;
use std::collections::BTreeMap;

/// A notice of a charge to come: of which line, when the customer was told, and which recharge it
/// was for.
struct Told {
    line: usize,
    at: Instant,
    recharge: Option<String>,
}

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
        free && told.line == line && (advance.first_day..=advance.last_day).contains(&day)
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
        let Some((_, what)) = what.split_once('-') else { continue };
        let is_notice = ["low_balance", "scheduled ", "expiring "];
        let line = world.lines.iter().position(|known| known.id.as_str() == line);
        if let (Some(line), true) = (line, is_notice.iter().any(|it| what.starts_with(it))) {
            told.push(Told { line, at: Instant::from_micros(at), recharge: None });
        }
    }
    Ok(told)
}

/// The day in Beijing.
fn beijing(at: Instant) -> i64 {
    (at.seconds() + 8 * 3600).div_euclid(24 * 3600)
}
