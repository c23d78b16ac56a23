//! Everything that is kept of a line, but for its usage: read for some lines at once.

use crate::{
    error::Result,
    flow::barriers,
    store::{
        Conn, jobs,
        ledger::{self, BookBalance, Entry},
        lines::Line,
        payment_methods, recharges,
        returns::{self, Stored},
        rules::{self, from_json},
    },
};
use laika_core::{
    id::PaymentMethodId, recharge::Recharge, reconcile::Barrier, record::DecisionRecord,
    rule::Rule, time::Instant,
};
use std::collections::BTreeMap;

/// A recharge with the record that justifies it.
pub(super) struct Justified {
    pub(super) recharge: Recharge,
    /// Nothing where there is none, an error where it cannot be read.
    pub(super) record: Option<Result<DecisionRecord>>,
}

impl Justified {
    pub(super) fn readable(&self) -> Option<&DecisionRecord> {
        self.record.as_ref()?.as_ref().ok()
    }
}

/// A line and what hangs on it.
pub(super) struct Loaded<'a> {
    pub(super) line: &'a Line,
    /// In the order in which they took their place under the caps.
    pub(super) recharges: Vec<Justified>,
    pub(super) returns: Vec<Stored>,
    /// The names of the jobs that wait.
    pub(super) jobs: Vec<String>,
    pub(super) barriers: Vec<Barrier>,
    pub(super) versions: Vec<Rule>,
    /// Each method's instrument.
    pub(super) instruments: Vec<(PaymentMethodId, String)>,
    /// Instruments that a hard decline ended, and when.
    pub(super) barred: Vec<(String, Instant)>,
    /// Entries of the books by the name of their transaction, those of recharges only.
    pub(super) entries: BTreeMap<String, Vec<Entry>>,
    /// Each book as its entries add up to.
    pub(super) sums: Vec<BookBalance>,
    /// Each book as it is kept.
    pub(super) kept: Vec<BookBalance>,
    /// Transactions that do not sum to zero.
    pub(super) unbalanced: Vec<String>,
}

/// Reads it, in the order of the lines.
pub(super) async fn of_lines<'a>(conn: &mut Conn, lines: &'a [Line]) -> Result<Vec<Loaded<'a>>> {
    let refs: Vec<&Line> = lines.iter().collect();
    let opened = recharges::opened_between(conn, &refs, Instant::MIN, Instant::MAX).await?;
    let mut returns = returns::of_lines(conn, &refs).await?.into_iter();
    let mut jobs = jobs::keys_of(conn, &refs).await?.into_iter();
    let mut barriers = barriers::of_lines(conn, &refs).await?.into_iter();
    let mut versions = rules::versions_of(conn, &refs).await?.into_iter();
    let mut instruments = payment_methods::instruments_of(conn, &refs).await?.into_iter();
    let mut barred = payment_methods::barred_of(conn, &refs).await?.into_iter();
    let mut entries = ledger::entries_of(conn, &refs).await?.into_iter();
    let mut sums = ledger::sums_of(conn, &refs).await?.into_iter();
    let mut kept = ledger::balances_of(conn, &refs).await?.into_iter();
    let mut unbalanced = ledger::unbalanced_of(conn, &refs).await?.into_iter();
    let mut all = Vec::with_capacity(lines.len());
    for (line, opened) in lines.iter().zip(opened) {
        let mut recharges: Vec<Justified> = opened.into_iter().map(justified).collect();
        recharges.sort_by_key(|it| (it.recharge.reserved_at, it.recharge.opened_at));
        let mut by_key: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
        for entry in entries.next().unwrap_or_default() {
            by_key.entry(entry.tx_key.clone()).or_default().push(entry);
        }
        let versions = versions.next().unwrap_or_default();
        all.push(Loaded {
            line,
            recharges,
            returns: returns.next().unwrap_or_default(),
            jobs: jobs.next().unwrap_or_default(),
            barriers: barriers.next().unwrap_or_default(),
            versions: versions.into_iter().map(|(rule, _)| rule).collect(),
            instruments: instruments.next().unwrap_or_default(),
            barred: barred.next().unwrap_or_default(),
            entries: by_key,
            sums: sums.next().unwrap_or_default(),
            kept: kept.next().unwrap_or_default(),
            unbalanced: unbalanced.next().unwrap_or_default(),
        });
    }
    Ok(all)
}

fn justified((recharge, record): (Recharge, Option<String>)) -> Justified {
    Justified { recharge, record: record.map(|json| from_json(&json)) }
}
