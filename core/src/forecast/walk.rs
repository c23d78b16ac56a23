//! The next recharges, by stepping `decide` over the line's average use. By date alone nothing
//! needs stepping: the schedule says it.

use super::world::World;
use super::{DATES, PreviewInputs, Upcoming};
use crate::bytes::Bytes;
use crate::decide::{MethodFacts, largest_recharge, notice_lead, usable_methods};
use crate::rule::Rule;
use crate::time::{Instant, Span};

/// How far a forecast by use looks ahead.
const DAYS_AHEAD: i64 = 366;
/// Average use is drawn so many times in 24 h.
const PARTS: u64 = 4;

/// The next recharges of a rule that is on: those by date are certain, those by use expected.
pub fn upcoming(rule: &Rule, inputs: &PreviewInputs) -> Vec<Upcoming> {
    let by_date = rule.triggers.low_balance.is_none() && rule.triggers.expiring_days.is_none();
    if by_date { dates(rule, inputs) } else { expected(rule, inputs) }
}

fn dates(rule: &Rule, inputs: &PreviewInputs) -> Vec<Upcoming> {
    let (account, now) = (&inputs.account, inputs.as_of);
    let (Some(schedule), Some((amount, _))) =
        (&rule.triggers.scheduled, largest_recharge(rule, account))
    else {
        return Vec::new();
    };
    let zone = &account.zone;
    let (first, last) = (rule.limits.starts_on, rule.limits.ends_on);
    let told_at = now.plus(notice_lead(rule, account));
    let debited = |at: Instant| {
        let debits_at = |at: Instant, m: &MethodFacts| m.opens_at(m.rail.debits_at(now, at));
        usable_methods(rule, account, now).fold(at.max(told_at), debits_at)
    };
    schedule
        .upcoming(now, zone)
        .take_while(|at| last.is_none_or(|last| zone.date(*at) <= last))
        .filter(|at| first.is_none_or(|first| first <= zone.date(*at)))
        .take(DATES)
        .map(|at| Upcoming { at: debited(at), amount, expected: false })
        .collect()
}

fn expected(rule: &Rule, inputs: &PreviewInputs) -> Vec<Upcoming> {
    let daily = inputs.past_use.recent().daily();
    let part = Bytes::new(daily.get().checked_div(PARTS).unwrap_or(0)).unwrap_or_default();
    let (account, history) = (inputs.account.clone(), inputs.history.clone());
    let balance = inputs.balance.clone();
    let mut world = World::new(rule, account, history, balance, inputs.as_of, DATES);
    world.look();
    for hours in (1..=DAYS_AHEAD.saturating_mul(4)).map(|part| part.saturating_mul(6)) {
        if world.is_full() {
            break;
        }
        world.pass_to(inputs.as_of.plus(Span::hours(hours)));
        world.draw(part);
        world.look();
    }
    world.found
}
