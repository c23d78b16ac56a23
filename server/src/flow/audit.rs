//! The auditor: reads everything in one snapshot and says what must never be. It changes nothing
//! and trusts nothing that is kept beside what it was made from.

use crate::{
    error::Result,
    store::{
        Conn, audit_log, balances, inbox, jobs, ledger,
        lines::{self, Line},
        recharges,
        rules::{self, from_json},
    },
};
use laika_core::{
    balance::Balance,
    decide::{Decision, Standing},
    ledger::Book,
    recharge::{Recharge, Status},
    record::DecisionRecord,
    time::Instant,
    zone::first_of_month,
};
use serde::Serialize;
use std::collections::HashMap;

/// What the auditor found.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// How many lines, recharges and books were looked at.
    pub checked: usize,
    /// What must not be.
    pub violations: Vec<Violation>,
}

/// Something that must not be.
#[derive(Debug, Serialize)]
pub struct Violation {
    /// The stable code.
    pub code: &'static str,
    /// A line, recharge or transaction.
    pub subject: String,
    /// In words, with the figures.
    pub detail: String,
}

impl Report {
    fn expect(&mut self, holds: bool, code: &'static str, subject: &str, detail: String) {
        if !holds {
            self.violations.push(Violation { code, subject: subject.to_string(), detail });
        }
    }
}

/// Checks the books, the balances and every recharge.
pub async fn audit(conn: &mut Conn) -> Result<Report> {
    let mut report = Report::default();
    let books = books(conn, &mut report).await?;
    let mut by_line: HashMap<String, Vec<(String, Recharge)>> = HashMap::new();
    for (account, recharge) in recharges::opened_since(conn, Instant::MIN).await? {
        by_line.entry(recharge.line_id.to_string()).or_default().push((account, recharge));
    }
    for line in lines::all(conn).await? {
        report.checked += 1;
        let balance = balance(conn, &line, &books, &mut report).await?;
        let mut of_line = by_line.remove(line.id.as_str()).unwrap_or_default();
        of_line.sort_by_key(|(_, recharge)| (recharge.reserved_at, recharge.opened_at));
        let open = of_line.iter().filter(|(_, r)| r.automatic() && is_open(r)).count();
        let detail = format!("{open} automatic recharges are open at once");
        report.expect(open <= 1, "two_open", line.id.as_str(), detail);
        let recharges: Vec<&Recharge> = of_line.iter().map(|(_, recharge)| recharge).collect();
        for (at, recharge) in recharges.iter().enumerate() {
            report.checked += 1;
            whole(recharge, &balance, &mut report);
            justified(conn, &line, recharge, &mut report).await?;
            cap(conn, &line, recharge, recharges.get(..at).unwrap_or(&[]), &mut report).await?;
        }
    }
    for (key, why) in jobs::unreadable(conn).await? {
        report.expect(false, "unreadable_job", &key, why);
    }
    for (line, left) in by_line {
        report.expect(left.is_empty(), "no_line", &line, "recharges of no line".into());
    }
    if let Some(number) = audit_log::broken(conn).await? {
        let detail = format!("entry {number} of what operators did is not what was written");
        report.expect(false, "audit_log_broken", "audit_log", detail);
    }
    Ok(report)
}

/// Sums of entries by line, book and unit.
type Books = HashMap<(String, String, String), i64>;

/// Every transaction sums to zero, and each kept sum is the sum of its entries.
async fn books(conn: &mut Conn, report: &mut Report) -> Result<Books> {
    for key in ledger::unbalanced(conn).await? {
        report.expect(false, "unbalanced", &key, "the entries do not sum to zero".into());
    }
    let key = |b: &ledger::BookBalance| (b.line_id.clone(), b.book.clone(), b.unit.clone());
    let sums: Books = ledger::sums(conn).await?.iter().map(|b| (key(b), b.amount)).collect();
    for kept in ledger::balances(conn).await? {
        report.checked += 1;
        let sum = sums.get(&key(&kept)).copied().unwrap_or(0);
        let detail = format!("{} {}: kept {}, entries {sum}", kept.book, kept.unit, kept.amount);
        report.expect(sum == kept.amount, "book_differs", &kept.line_id, detail);
    }
    Ok(sums)
}

/// The kept balance is what its events make of its grants, and what the books hold.
async fn balance(
    conn: &mut Conn,
    line: &Line,
    books: &Books,
    report: &mut Report,
) -> Result<Balance> {
    let kept = balances::load(conn, line).await?;
    let mut made = kept.clone();
    made.replay(&inbox::events(conn, line).await?);
    let id = line.id.as_str();
    let detail = "the kept balance is not what the line's events make of its grants".to_string();
    report.expect(kept == made, "balance_differs", id, detail);
    let book = |book: Book, unit: &str| {
        let key = (id.to_string(), book.name().to_string(), unit.to_string());
        books.get(&key).copied().unwrap_or(0)
    };
    let (has, booked) = (kept.bytes_on_books().to_i64(), book(Book::LineData, "byte"));
    let detail = format!("buckets {has}, books {booked}");
    report.expect(has == booked, "data_differs", id, detail);
    let (has, booked) = (kept.credit_left_minor(), book(Book::LineCredit, line.currency.code()));
    let detail = format!("credit {has}, books {booked}");
    report.expect(has == booked, "credit_differs", id, detail);
    Ok(kept)
}

/// At most one capture is kept, and an end is whole: done means charged once and credited once.
fn whole(recharge: &Recharge, balance: &Balance, report: &mut Report) {
    use laika_core::recharge::Outcome;
    let id = recharge.id.as_str();
    let kept = |a: &&laika_core::recharge::Attempt| {
        matches!(a.outcome, Some(Outcome::Captured { refunded: false, .. }))
    };
    let captures = recharge.attempts.iter().filter(kept).count();
    // Why: before the end, a second capture may be on its way back.
    let fine = captures <= 1 || !recharge.status.is_end();
    report.expect(fine, "two_captures", id, format!("{captures} captures are kept"));
    let granted = balance.buckets.iter().filter(|b| b.recharge.as_ref() == Some(&recharge.id));
    let granted = granted.count();
    let data = !recharge.order.adds.bytes().is_zero();
    match recharge.status {
        Status::Done => {
            report.expect(captures == 1, "done_unpaid", id, "done without a capture".into());
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
}

/// An automatic recharge has its record, and deciding again gives exactly its order.
async fn justified(
    conn: &mut Conn,
    line: &Line,
    recharge: &Recharge,
    report: &mut Report,
) -> Result<()> {
    if !recharge.automatic() {
        return Ok(());
    }
    let id = recharge.id.as_str();
    let Some(json) = recharges::record(conn, line.account_id.as_str(), id).await? else {
        report.expect(false, "unjustified", id, "there is no decision record".into());
        return Ok(());
    };
    let record: DecisionRecord = from_json(&json)?;
    let again = record.rerun();
    let same = again.as_ref().is_none_or(|decision| *decision == record.decision);
    report.expect(same, "not_reproduced", id, "deciding again gives another answer".into());
    let order = match &record.decision {
        Decision::Recharge { order } => Some(order),
        Decision::Wait { .. } | Decision::Skip { .. } => None,
    };
    let detail = "its record does not decide this order".to_string();
    report.expect(order == Some(&recharge.order), "unjustified", id, detail);
    Ok(())
}

/// What was spent and reserved in the month, with this recharge, is within the cap that allowed it.
async fn cap(
    conn: &mut Conn,
    line: &Line,
    recharge: &Recharge,
    earlier: &[&Recharge],
    report: &mut Report,
) -> Result<()> {
    if !recharge.automatic() || recharge.status.standing() == Standing::Released {
        return Ok(());
    }
    let id = recharge.id.as_str();
    let Some(json) = recharges::record(conn, line.account_id.as_str(), id).await? else {
        return Ok(());
    };
    let record: DecisionRecord = from_json(&json)?;
    let version = recharge.rule_version.unwrap_or(0);
    let rule = rules::version(conn, line, version).await?;
    let detail = format!("there is no version {version} of the rule, or it is off");
    report.expect(rule.as_ref().is_some_and(|rule| rule.on), "no_consent", id, detail);
    let Some(cap) = rule.and_then(|rule| rule.limits.cap_per_month) else { return Ok(()) };
    let month = |at: Instant| first_of_month(record.account.zone.date(at));
    let counts = |r: &&&Recharge| {
        r.automatic()
            && r.status.standing() != Standing::Released
            && month(r.reserved_at) == month(recharge.reserved_at)
    };
    let before = earlier.iter().filter(counts).map(|r| r.order.amount.amount_minor);
    let taken = before.fold(recharge.order.amount.amount_minor, i64::saturating_add);
    let detail = format!("{taken} taken in the month, the cap is {}", cap.amount_minor);
    report.expect(taken <= cap.amount_minor, "over_cap", id, detail);
    Ok(())
}

fn is_open(recharge: &Recharge) -> bool {
    matches!(recharge.status.standing(), Standing::Open | Standing::Unknown)
}
