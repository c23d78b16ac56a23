//! A recharge by itself: it is what its facts make of what was decided, its entries in the books
//! are what they move, its money ends delivered or given back, and somebody acts on what has not
//! ended.

use super::{Report, loaded::Justified, loaded::Loaded};
use crate::store::ledger::Entry;
use laika_core::{
    ENGINE_VERSION,
    balance::Balance,
    decide::{Decision, MethodFacts, Notice, Standing},
    ledger::Posting,
    recharge::{self, Attempt, Outcome, Recharge, Status},
    returns::{Dispute, DisputeStatus, Refund, RefundStatus, Returns},
};

/// Checks every recharge of a line.
pub(super) fn check(loaded: &Loaded<'_>, balance: &Balance, report: &mut Report) {
    let open = loaded.recharges.iter().map(|it| &it.recharge).filter(|it| is_open(it)).count();
    let detail = format!("{open} automatic recharges are open at once");
    report.expect(open <= 1, "two_open", loaded.line.id.as_str(), detail);
    for one in &loaded.recharges {
        report.checked += 1;
        whole(loaded, &one.recharge, balance, report);
        justified(one, report);
        replayed(loaded, one, report);
        acted_on(loaded, &one.recharge, report);
    }
    for kept in &loaded.returns {
        returned(loaded, &kept.returns, report);
    }
}

fn is_open(recharge: &Recharge) -> bool {
    let open = matches!(recharge.status.standing(), Standing::Open | Standing::Unknown);
    recharge.automatic() && open
}

/// At most one capture is kept, and an end is whole: done means charged once and credited once; any
/// other capture is back, or on its way.
fn whole(loaded: &Loaded<'_>, recharge: &Recharge, balance: &Balance, report: &mut Report) {
    let id = recharge.id.as_str();
    let stays = |a: &&Attempt| {
        let refund = format!("{id}/refund/{}", a.number);
        matches!(a.outcome, Some(Outcome::Captured { refunded: false, .. }))
            && !(recharge.goes_back(a.number) && loaded.jobs.contains(&refund))
    };
    let captures = recharge.attempts.iter().filter(stays).count();
    // Why: before the end, a second capture may be on its way back.
    let fine = captures <= 1 || !recharge.status.is_end();
    report.expect(fine, "two_captures", id, format!("{captures} captures are kept"));
    let granted = balance.buckets.iter().filter(|b| b.recharge.as_ref() == Some(&recharge.id));
    let granted = granted.count();
    let data = !recharge.order.adds.bytes().is_zero();
    match recharge.status {
        Status::Done => {
            report.expect(captures >= 1, "done_unpaid", id, "done without a capture".into());
            let detail = format!("done with {granted} buckets");
            report.expect(!data || granted == 1, "done_uncredited", id, detail);
        }
        Status::Failed | Status::Cancelled | Status::Refunded => {
            let detail = format!("ended with {captures} captures kept");
            report.expect(captures == 0, "kept_after_end", id, detail);
        }
        Status::Opened
        | Status::Charging
        | Status::Declined
        | Status::NeedsCustomer
        | Status::Unknown
        | Status::Paid
        | Status::Delivering
        | Status::DeliveryUnknown
        | Status::Refunding => {}
    }
    let detail =
        format!("{} for a line in another currency", recharge.order.amount.currency.code());
    let same = recharge.order.amount.currency == loaded.line.currency;
    report.expect(same, "wrong_unit", id, detail);
}

/// An automatic recharge has its record, and deciding again gives exactly its order.
fn justified(one: &Justified, report: &mut Report) {
    let recharge = &one.recharge;
    if !recharge.automatic() {
        return;
    }
    let id = recharge.id.as_str();
    let record = match &one.record {
        None => {
            report.expect(false, "unjustified", id, "there is no decision record".into());
            return;
        }
        Some(Err(error)) => {
            report.expect(false, "unjustified", id, format!("its record: {error}"));
            return;
        }
        Some(Ok(record)) => record,
    };
    let again = record.rerun();
    let same = again.as_ref().is_none_or(|decision| *decision == record.decision);
    report.expect(same, "not_reproduced", id, "deciding again gives another answer".into());
    let order = match &record.decision {
        Decision::Recharge { order } => Some(order),
        Decision::Wait { .. } | Decision::Skip { .. } => None,
    };
    let detail = "its record does not decide this order".to_string();
    report.expect(order == Some(&recharge.order), "unjustified", id, detail);
}

/// From what was decided and every fact in order comes exactly the recharge that is kept, and
/// exactly what the books have of it. So no end was undone, and no entry edited.
fn replayed(loaded: &Loaded<'_>, one: &Justified, report: &mut Report) {
    let recharge = &one.recharge;
    let id = recharge.id.as_str();
    let Some((mut made, opening)) = opened(loaded, one) else { return };
    let mut moved: Vec<(usize, Vec<Posting>)> = vec![(0, opening)];
    for seen in &recharge.facts {
        let known = made.facts.len();
        let step = recharge::apply(made, &seen.fact, seen.at);
        made = step.recharge;
        if made.facts.len() == known {
            let detail = format!("a fact of {} changes nothing", seen.at);
            report.expect(false, "not_its_facts", id, detail);
            return;
        }
        moved.push((made.facts.len(), step.postings));
    }
    let detail = format!("{:?} is kept, {:?} is what its facts make", recharge.status, made.status);
    report.expect(same(recharge, &made), "not_its_facts", id, detail);
    let mut known = 0;
    for (number, postings) in moved.iter().filter(|(_, postings)| !postings.is_empty()) {
        known += 1;
        let key = format!("{id}/{number}");
        let kept = loaded.entries.get(&key).map(Vec::as_slice).unwrap_or_default();
        let detail = "its entries are not what was booked".to_string();
        report.expect(are(kept, postings), "entries_differ", &key, detail);
    }
    let prefix = format!("{id}/");
    let own = |key: &&String| {
        key.strip_prefix(&prefix).is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit()))
    };
    let booked = loaded.entries.keys().filter(own).count();
    let detail = format!("{booked} transactions are booked, {known} happened");
    report.expect(booked == known, "entries_differ", id, detail);
}

/// The recharge as it was opened; nothing where another version of the rules did.
fn opened(loaded: &Loaded<'_>, one: &Justified) -> Option<(Recharge, Vec<Posting>)> {
    let recharge = &one.recharge;
    let number = recharge.id.as_str().rsplit_once("-r")?.1.parse().ok()?;
    let mut told: &[Notice] = &[];
    let methods: Vec<MethodFacts> = if recharge.automatic() {
        let record = one.readable().filter(|it| it.engine_version == ENGINE_VERSION)?;
        // Why: recharges of before had no lapses.
        if recharge.tries.iter().any(|tries| tries.lapses_at.is_some()) {
            told = &record.history.notices;
        }
        record.account.payment_methods.clone()
    } else {
        // Why: by hand no ladder counts; only how each method is charged does.
        let method = |tries: &recharge::Tries| {
            let id = tries.payment_method_id.clone();
            MethodFacts { rail: tries.rail, ..MethodFacts::card(id) }
        };
        recharge.tries.iter().map(method).collect()
    };
    let (line, version) = (loaded.line.id.clone(), recharge.rule_version);
    let (order, at) = (recharge.order.clone(), recharge.opened_at);
    let step = Recharge::open(line, number, version, order, &methods, told, at);
    Some((step.recharge, step.postings))
}

/// Whether two are the same in all that money follows from.
fn same(kept: &Recharge, made: &Recharge) -> bool {
    let attempts = |one: &Recharge| {
        let mut attempts = one.attempts.clone();
        if !one.automatic() {
            attempts.iter_mut().for_each(|attempt| attempt.rung = 0);
        }
        attempts
    };
    let plain = |one: &Recharge| (one.status, one.stopped, one.paid_at, one.reserved_at);
    plain(kept) == plain(made) && attempts(kept) == attempts(made)
}

/// Whether entries are exactly those of some postings.
fn are(kept: &[Entry], postings: &[Posting]) -> bool {
    let booked = kept.iter().map(|entry| (entry.book.clone(), entry.unit.clone(), entry.amount));
    let moved = postings.iter().flat_map(|posting| {
        posting
            .entries()
            .map(|(book, amount)| (book.name().to_string(), posting.quantity.unit(), amount))
    });
    booked.eq(moved)
}

/// A recharge that has not ended has somebody who acts on it.
fn acted_on(loaded: &Loaded<'_>, recharge: &Recharge, report: &mut Report) {
    let prefix = format!("{}/", recharge.id);
    let due = loaded.jobs.iter().any(|key| key.starts_with(&prefix));
    let detail = format!("it is {:?}, and no job goes on with it", recharge.status);
    let fine = due || recharge.status.is_end();
    report.expect(fine, "nobody_acts", recharge.id.as_str(), detail);
}

/// What goes back beside a recharge is about a capture of ours, never more than it, asked for by
/// somebody.
fn returned(loaded: &Loaded<'_>, run: &Returns, report: &mut Report) {
    let id = run.recharge_id.as_str();
    let recharge = loaded.recharges.iter().find(|it| it.recharge.id == run.recharge_id);
    let attempt = recharge.and_then(|it| it.recharge.attempt(run.attempt));
    let captured = attempt.is_some_and(|attempt| {
        matches!(&attempt.outcome, Some(Outcome::Captured { payment, amount, .. })
            if *payment == run.payment && *amount == run.captured)
    });
    let detail = format!("what went back of {} is of no capture of it", run.payment);
    report.expect(captured, "returns_differ", id, detail);
    let done = |refund: &&Refund| refund.status == RefundStatus::Done;
    let lost = |it: &&Dispute| it.status == DisputeStatus::Lost && !it.instead;
    let refunds = run.refunds.iter().filter(done).map(|refund| refund.amount.amount_minor);
    let disputes = run.disputes.iter().filter(lost).map(|dispute| dispute.amount.amount_minor);
    let back = refunds.chain(disputes).fold(run.returned_before_minor, i64::saturating_add);
    let detail = format!("{back} went back of {}", run.captured.amount_minor);
    report.expect(back <= run.captured.amount_minor, "returned_too_much", id, detail);
    for refund in &run.refunds {
        let key = format!("{id}/give_back/{}/{}", run.attempt, refund.number);
        let under_way = matches!(refund.status, RefundStatus::Asked | RefundStatus::Unknown);
        let detail =
            format!("refund {} is {:?}, and nobody sends it", refund.number, refund.status);
        report.expect(!under_way || loaded.jobs.contains(&key), "nobody_acts", id, detail);
    }
}
