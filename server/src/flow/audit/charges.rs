//! What was charged against what the customer allowed: a version of the rule that is on, its cap,
//! its count and its cool-down; nothing sent after an "off", a pause or a removal; no instrument
//! tried again that a hard decline ended.

use super::{Report, loaded::Loaded};
use laika_core::{
    decide::Standing,
    recharge::{Fact, Recharge},
    reconcile::{Barrier, Decided, MonthCap},
    time::Instant,
};

/// Checks every automatic recharge of a line, and every submission.
pub(super) fn check(loaded: &Loaded<'_>, report: &mut Report) {
    for (at, one) in loaded.recharges.iter().enumerate() {
        let recharge = &one.recharge;
        stopped(loaded, recharge, report);
        if !recharge.automatic() {
            continue;
        }
        barred(loaded, recharge, report);
        cooled_down(loaded, at, report);
        if recharge.status.standing() == Standing::Released {
            continue;
        }
        let version = recharge.rule_version.unwrap_or(0);
        let rule = loaded.versions.iter().find(|rule| rule.version == version);
        let detail = format!("there is no version {version} of the rule, or it is off");
        report.expect(rule.is_some_and(|rule| rule.on), "no_consent", recharge.id.as_str(), detail);
        let most = rule.and_then(|rule| rule.limits.cap_per_month);
        let decided = Decided::of(recharge.clone(), one.readable(), Vec::new());
        if let Some((cap, most)) = decided.cap.zip(most) {
            within(loaded, at, &MonthCap { most, ..cap }, report);
        }
    }
}

/// What was spent and reserved in the month, with this recharge, is within the cap that allowed it.
fn within(loaded: &Loaded<'_>, at: usize, cap: &MonthCap, report: &mut Report) {
    let earlier = loaded.recharges.get(..at).unwrap_or(&[]);
    let Some(one) = loaded.recharges.get(at) else { return };
    let counts = |r: &&Recharge| {
        r.automatic() && r.status.standing() != Standing::Released && cap.month.holds(r.reserved_at)
    };
    let before = earlier.iter().map(|it| &it.recharge).filter(counts);
    let before = before.map(|r| r.order.amount.amount_minor);
    let taken = before.fold(one.recharge.order.amount.amount_minor, i64::saturating_add);
    let detail = format!("{taken} taken in the month, the cap is {}", cap.most.amount_minor);
    let id = one.recharge.id.as_str();
    report.expect(taken <= cap.most.amount_minor, "over_cap", id, detail);
}

/// It was not opened sooner after the one before than the rule that opened it allows.
fn cooled_down(loaded: &Loaded<'_>, at: usize, report: &mut Report) {
    let Some(one) = loaded.recharges.get(at) else { return };
    let (recharge, Some(record)) = (&one.recharge, one.readable()) else { return };
    let all = loaded.recharges.iter().map(|it| &it.recharge).filter(|it| it.automatic());
    let before = all.map(|it| it.opened_at).filter(|opened_at| *opened_at < recharge.opened_at);
    let Some(last) = before.max() else { return };
    let until = last.plus(record.rule.limits.cool_down());
    let detail = format!("opened at {}, to be cooled down until {until}", recharge.opened_at);
    report.expect(until <= recharge.opened_at, "too_soon", recharge.id.as_str(), detail);
}

/// Each submission: which attempt, and when.
fn submissions(recharge: &Recharge) -> impl Iterator<Item = (u32, Instant)> {
    recharge.facts.iter().filter_map(|seen| match seen.fact {
        Fact::Submitted { attempt } => Some((attempt, seen.at)),
        _ => None,
    })
}

/// Nothing was sent after an "off", a pause or a removal was acknowledged.
fn stopped(loaded: &Loaded<'_>, recharge: &Recharge, report: &mut Report) {
    for (number, at) in submissions(recharge) {
        let Some(attempt) = recharge.attempt(number) else { continue };
        let about = |barrier: &&Barrier| match &barrier.payment_method_id {
            Some(method) => *method == attempt.payment_method_id,
            None => recharge.automatic(),
        };
        let broken =
            |barrier: &&Barrier| barrier.from < at && barrier.until.is_none_or(|until| at < until);
        let barrier = loaded.barriers.iter().filter(about).find(broken);
        let from = barrier.map(|barrier| barrier.from.to_string()).unwrap_or_default();
        let detail = format!("attempt {number} was sent at {at}, stopped at {from}");
        report.expect(barrier.is_none(), "after_off", recharge.id.as_str(), detail);
    }
}

/// No instrument was tried after a hard decline had ended it for this line's rule.
fn barred(loaded: &Loaded<'_>, recharge: &Recharge, report: &mut Report) {
    for (number, at) in submissions(recharge) {
        let Some(attempt) = recharge.attempt(number) else { continue };
        let method = |(id, _): &&(_, String)| *id == attempt.payment_method_id;
        let Some((_, instrument)) = loaded.instruments.iter().find(method) else { continue };
        let ended = loaded.barred.iter().find(|(known, from)| known == instrument && *from < at);
        let detail = format!("attempt {number} was sent at {at} with an instrument that is barred");
        report.expect(ended.is_none(), "barred_charged", recharge.id.as_str(), detail);
    }
}
