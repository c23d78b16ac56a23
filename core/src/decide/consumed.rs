//! Which scheduled instants are gone: charged, skipped, or met while nothing could be charged. Each
//! date counts once, whatever clock it is read on: a change of zone brings none back.

use super::{Account, Cause, Decision, History, Reason, due};
use crate::rule::Rule;
use crate::schedule::Schedule;
use crate::time::{Instant, Span};
use crate::zone::Zone;

/// The clocks of two zones differ by so much at most, with a change of offset between.
const FURTHEST: Span = Span::hours(27);

/// The scheduled instant up to which everything is gone after this decision, if it consumes any.
pub fn consumed_by(
    decision: &Decision,
    rule: &Rule,
    account: &Account,
    history: &History,
    now: Instant,
) -> Option<Instant> {
    let reason = decision.reason().filter(|reason| reason.consumes_scheduled())?;
    let due = due::find(rule, account, history, &Cause::Timer, now);
    let gone = consumed_with(rule, account, due.latest_passed?);
    // Why: a skip holds only its own instant, and what is not needed today may be when another is
    // charged as announced.
    let its_own = matches!(reason, Reason::SkippedOnce { .. } | Reason::TargetMet);
    let announced = due.waiting_at.filter(|_| its_own).map_or(Instant::MAX, |at| at.minus(Span(1)));
    Some(gone.min(announced))
}

/// The latest scheduled instant that nothing was made of, once it is too late to charge it: nobody
/// looked in time, or something held it all the while. The customer is told.
///
/// *Source*: `rules.md`, "Schedules": after an outage the newest missed one is charged if under
/// 72 h old, otherwise skipped and told.
pub fn missed(rule: &Rule, account: &Account, history: &History, now: Instant) -> Option<Instant> {
    let at = due::latest_passed(rule, account, history, now)?;
    let gone = at <= now.minus(due::lapses_after(rule, account));
    Some(at).filter(|at| rule.on && gone && rule.skip_at != Some(*at))
}

/// Up to where everything scheduled is gone with the instant `at`: one that was announced before a
/// change of zone takes what the new zone makes of the same date with it.
pub fn consumed_with(rule: &Rule, account: &Account, at: Instant) -> Instant {
    rule.triggers.scheduled.as_ref().map_or(at, |schedule| end_of_date(schedule, at, &account.zone))
}

/// Up to where everything scheduled is gone after a change of zone, when it was gone up to
/// `consumed` before: a date that is over on one clock does not come again on another.
pub fn consumed_after_move(rule: &Rule, consumed: Instant, old: &Zone, new: &Zone) -> Instant {
    let Some(schedule) = &rule.triggers.scheduled else { return consumed };
    let before = consumed.minus(FURTHEST);
    let last = schedule.upcoming(before, old).take_while(|at| *at <= consumed).last();
    let moved = |at| new.instant(old.date(at).and_time(schedule.at.time()));
    last.map_or(consumed, |at| consumed.max(moved(at)))
}

/// Whether two instants are one date of this schedule, made of it by two zones: no further apart
/// than half the way to the next date, and than two zones can be.
pub(super) fn same_date(schedule: &Schedule, one: Instant, other: Instant) -> bool {
    let half = Span::hours(i64::from(schedule.shortest_gap_days()).saturating_mul(12));
    one.since(other).0.saturating_abs() <= half.min(FURTHEST).0
}

/// The latest instant that this zone makes of the date of `at`; `at` itself where there is none.
fn end_of_date(schedule: &Schedule, at: Instant, zone: &Zone) -> Instant {
    schedule
        .upcoming(at, zone)
        .take_while(|next| same_date(schedule, *next, at))
        .last()
        .unwrap_or(at)
}
