//! Which recharges are over the monthly cap: counted as `decide` counts them, but from what the
//! gateway captured.

use super::difference::Kind;
use super::judge::Whole;
use crate::decide::Standing;
use crate::id::{LineId, RechargeId};
use crate::money::Money;
use crate::recharge::{Fact, Recharge, Seen};
use crate::time::Instant;
use std::collections::BTreeMap;

/// The automatic recharges that were captured and did not fit under their own cap beside those
/// reserved before them. Refunds make no room, exactly as when it was decided.
pub(super) fn over<'a>(settled: &'a [Whole<'a>]) -> BTreeMap<&'a RechargeId, Kind> {
    let mut lines: BTreeMap<&LineId, Vec<&Whole<'_>>> = BTreeMap::new();
    for whole in settled {
        let recharge = &whole.decided.recharge;
        if recharge.automatic() && !whole.captures.is_empty() {
            lines.entry(&recharge.line_id).or_default().push(whole);
        }
    }
    let mut over = BTreeMap::new();
    for mut line in lines.into_values() {
        line.sort_by(|a, b| turn(&a.decided.recharge).cmp(&turn(&b.decided.recharge)));
        for (before, whole) in line.iter().enumerate() {
            let line = line.get(..before).unwrap_or(&[]);
            if let Some(kind) = over_cap(whole, line) {
                over.insert(&whole.decided.recharge.id, kind);
            }
        }
    }
    over
}

/// The order in which recharges took their place under the caps.
fn turn(recharge: &Recharge) -> (Instant, Instant, &RechargeId) {
    (recharge.reserved_at, recharge.opened_at, &recharge.id)
}

/// Whether it ended without being charged, as far as was known; a capture found later goes back for
/// itself.
fn is_released(recharge: &Recharge) -> bool {
    recharge.status.standing() == Standing::Released
}

/// Whether it was in the way of one reserved at that instant: a capture that was found after a
/// failure counts from then on.
fn counts_at(recharge: &Recharge, at: Instant) -> bool {
    let captured = |seen: &Seen| matches!(seen.fact, Fact::Captured { .. }) && seen.at <= at;
    !is_released(recharge) || recharge.facts.iter().any(captured)
}

/// Whether this one did not fit, with what it all came to.
fn over_cap(whole: &Whole<'_>, before: &[&Whole<'_>]) -> Option<Kind> {
    let recharge = &whole.decided.recharge;
    let cap = whole.decided.cap.filter(|_| !is_released(recharge))?;
    let first = before.partition_point(|one| one.decided.recharge.reserved_at < cap.month.from);
    let in_month = before.get(first..).unwrap_or(&[]);
    let known = in_month.iter().map(|one| &one.decided.recharge);
    let counted = known.filter(|one| counts_at(one, recharge.reserved_at));
    let amounts = counted.map(|one| one.order.amount);
    let same = amounts.filter(|amount| amount.currency == cap.most.currency);
    let minor = same.map(|amount| amount.amount_minor);
    let taken_minor = minor.fold(recharge.order.amount.amount_minor, i64::saturating_add);
    let taken = Money::new(taken_minor, cap.most.currency);
    let own = recharge.order.amount.currency == cap.most.currency;
    (own && taken_minor > cap.most.amount_minor).then_some(Kind::OverCap { cap: cap.most, taken })
}
