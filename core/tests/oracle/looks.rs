//! Every next look has a timer: who looks only when told to misses nothing that somebody who looks
//! all the time would see. A next look is not compared, because the document gives no formula for
//! it; this is what it is for.

use super::calendar::{date, instants, month_of, start_of};
use super::naive::{World, opens_at};
use chrono::Days;
use laika_core::decide::{Cause, Decision, TriggerDue, announce, consumed_by, decide};
use laika_core::time::{Instant, Span};

/// So far ahead the clock is turned where no next look is named.
const AHEAD: Span = Span::days(33);

/// What was missed between this look and the next one, if anything was. Only the clock moves.
pub(crate) fn missed(world: &World) -> Option<String> {
    let mut world = World { cause: Cause::Timer, ..world.clone() };
    let decision = look(&mut world);
    let next = match &decision {
        Decision::Recharge { .. } => return None,
        Decision::Wait { until, next_look_at, .. } if next_look_at > until => {
            return Some(format!("looks at {next_look_at}, after it ends at {until}"));
        }
        Decision::Wait { .. } | Decision::Skip { .. } => decision.next_look_at(),
    };
    if next.is_some_and(|next| next <= world.now) {
        return Some(format!("looks again at {next:?}, which is not later"));
    }
    // What has expired has left the balance: another world, and the server looks then.
    let expiry = world.account.latest_expiry_at.unwrap_or(Instant::MAX);
    let end = next.unwrap_or(world.now.plus(AHEAD)).min(expiry);
    let mut watched = world.clone();
    for at in edges(&world).into_iter().filter(|at| *at < end) {
        watched.now = at;
        if watched.answer().is_ok() {
            return Some(format!("would recharge at {at}, looks at {next:?}"));
        }
        if !watched.to_announce().is_empty() {
            return Some(format!("would announce at {at}, looks at {next:?}"));
        }
        look(&mut watched);
    }
    let next = next.filter(|next| *next < expiry)?;
    (world.now, watched.now) = (next, next);
    let both = [&world, &watched].map(|world| (world.answer(), world.to_announce()));
    (both[0] != both[1]).then(|| format!("what had passed before {next} is not the same"))
}

/// Looks as the server does: announces, decides, and marks what is gone.
fn look(world: &mut World) -> Decision {
    let World { rule, account, history, cause, now } = world;
    for notice in announce(rule, account, history, *now) {
        history.notices.retain(|old| old.trigger != notice.trigger);
        history.notices.push(notice);
    }
    let decision = decide(rule, account, history, cause, *now);
    let gone = consumed_by(&decision, rule, account, history, *now);
    history.consumed_through = history.consumed_through.max(gone);
    decision
}

/// Every instant after now at which anything in this world turns, in order.
fn edges(world: &World) -> Vec<Instant> {
    let World { rule, account, history, now, .. } = world;
    let (zone, lead) = (&account.zone, world.lead());
    let mut edges = vec![world.day().until, world.month().until, now.plus(Span(1))];
    let told = |at: Instant| [at, at.minus(lead), at.plus(Span::hours(72))];
    if let Some(schedule) = &rule.triggers.scheduled {
        let last = date(zone, *now) + Days::new(9);
        edges.extend(instants(schedule, zone, last).flat_map(told));
    }
    for notice in &history.notices {
        if let TriggerDue::Scheduled { at } = notice.trigger {
            edges.extend(told(at));
        }
        edges.extend(told(notice.charge_at));
        edges.extend(notice.lapses_at);
    }
    if let (Some(days), Some(expires_at)) = (rule.triggers.expiring_days, account.latest_expiry_at)
    {
        let at = expires_at.minus(Span::days(i64::from(days)));
        edges.extend([at, at.minus(lead)]);
    }
    for recharge in &history.recharges {
        edges.push(recharge.opened_at.plus(rule.limits.cool_down()));
    }
    for method in &account.payment_methods {
        edges.extend(method.expires_at);
        edges.push(opens_at(method, *now));
        let freed = |at: &Instant| [at.plus(Span::hours(24)), at.plus(Span::days(30))];
        edges.extend(method.declined_at.iter().flat_map(freed));
    }
    let today = date(zone, *now);
    let dates = (0..9).map(|n| today + Days::new(n)).chain([month_of(today, 1)]);
    edges.extend(dates.map(|date| start_of(zone, date)));
    edges.extend((1..9).map(|n| now.plus(Span::days(n))));
    edges.retain(|at| now < at);
    edges.sort_unstable();
    edges.dedup();
    edges
}
