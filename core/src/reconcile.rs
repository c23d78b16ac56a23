//! Three accounts of the same money, compared: what was decided (our recharges), what the gateway
//! lists (payments with their refunds and disputes) and what the carrier lists (top-ups). Joined by
//! the keys of attempts and top-ups; the order of rows never matters.
//!
//! Place in the flow: the server gives its own rows and both statements; what comes out opens cases
//! and refunds. It charges nothing, it changes no recharge, and no advice gives back more than is
//! left of a capture.
//!
//! Choices where `rules.md` leaves one:
//! - **Open.** A recharge is compared once it has ended, nothing at the gateway is open for it
//!   (a payment, a refund, a dispute) and all that is known of it is 24 h old, both statements
//!   included. Until then nothing about it is a difference.
//! - **Expected** of a recharge that is done is what was agreed, less what we decided to give back
//!   since. A refund that our record only saw, and a lost dispute, were not decided by us.
//! - **Kept** is what was captured, less refunds that are done and disputes, less reinstatements.
//!   Only that is compared: two refunds are their sum, a dispute that was won is nothing.
//! - **One capture** of a recharge is judged, the others are `duplicate` as far as they are kept.
//!   It is one of which something is kept, so that two captures of which either was given back are
//!   fine; of several the one that was sent while it was allowed, that fits what was agreed, that
//!   our record keeps, that was the earliest, in this order.
//! - **Wrong at the root.** `duplicate`, `after_off` and `over_cap` go back whole, also where the
//!   credit came. Given back, they are settled, and the credit stays.
//! - **Charged, no credit** (`missing_credit`): given back whole when neither our record nor the
//!   carrier's statement has a delivery, which is how a capture after the end looks. Where our
//!   record has one and the statement has none, the carrier says both: a case.
//! - **Credit, no charge** (`missing_charge`): never charged later. A lost dispute, a refund
//!   outside our flow, a second top-up and a top-up that no recharge explains are this too.
//! - **Another amount.** More than agreed, and delivered: the excess goes back. Less: never charged
//!   later. Another amount of credit, another currency, or money that our record has given back and
//!   the gateway has not, and delivered: a case. Not delivered: all of it goes back.
//! - **Caps** count as `decide` counts them: the line's automatic recharges in the order in which
//!   they were reserved, each against the cap of its own rule's version, refunds making no room and
//!   a capture found after a failure counting from then on. So the latest are over it, and those
//!   that fitted stay.
//! - **Off** is exclusive: a submission at the very instant of the barrier was not provably later.
//! - **Rows twice.** Equal rows of one id count once. Rows of one id that differ, or a figure that
//!   cannot be, are `contradictory`: a case, and nothing else is concluded about that recharge.

mod caps;
mod decided;
mod difference;
mod judge;
mod statement;
mod sums;

use crate::id::{IdempotencyKey, LineId, RechargeId};
use crate::money::Currency;
use crate::time::{Instant, Span};
use judge::Whole;
use statement::{Reading, Taken};
use std::collections::{BTreeMap, BTreeSet};

pub use decided::{Barrier, Decided, Decisions, MonthCap};
pub use difference::{Difference, Kind, Reconciliation, Remedy};
pub use statement::{Dispute, Given, Payment, PaymentState, Refund, RefundState, Statement, TopUp};
pub use sums::{Checked, Sums};

/// Nothing younger is compared.
const AGE: Span = Span::hours(24);

/// A sum that does not fit into 64 bits of minor units: nothing is concluded from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SumTooLarge {
    /// Which sum.
    pub currency: Currency,
}

/// Compares the three. What comes out is the same for every order of the rows, and sorted.
///
/// *Shape*: `decisions` has every recharge that the statements may name, and whole months where
/// caps are to be checked; the statements have only what was asked for by us. Recharges opened
/// before either statement begins are left out, their rows too. *Errors*: [`SumTooLarge`].
pub fn reconcile(
    decisions: &Decisions,
    gateway: &Statement<Payment>,
    carrier: &Statement<TopUp>,
    as_of: Instant,
) -> Result<Reconciliation, SumTooLarge> {
    let mut join = Join::new(decisions, gateway.from.max(carrier.from));
    join.payments(gateway);
    join.top_ups(carrier);
    let settled_by = as_of.min(gateway.until).min(carrier.until).minus(AGE);
    join.conclude(&decisions.barriers, settled_by)
}

/// Rows brought together by their keys.
struct Join<'a> {
    /// The first instant of which both statements tell everything.
    from: Instant,
    /// Each recharge with its rows.
    groups: BTreeMap<&'a RechargeId, Group<'a>>,
    /// Whose attempt a key is.
    attempts: BTreeMap<&'a IdempotencyKey, (&'a RechargeId, u32)>,
    /// Whose top-up a key is.
    deliveries: BTreeMap<IdempotencyKey, &'a RechargeId>,
    /// Rows that no recharge explains.
    strays: Vec<Stray<'a>>,
    /// What cannot be relied on, and how new it is.
    contradictions: Vec<(Instant, Difference)>,
}

/// A recharge and all the rows about it.
struct Group<'a> {
    decided: &'a Decided,
    payments: Vec<(u32, Taken<'a>)>,
    top_ups: Vec<&'a TopUp>,
    /// The newest that is known of it.
    newest: Instant,
    /// Something about it is still to come.
    open: bool,
    /// Contradictory: nothing is concluded.
    aside: bool,
}

/// A row that no recharge explains.
enum Stray<'a> {
    Payment(Taken<'a>),
    TopUp(&'a TopUp),
}

impl<'a> Join<'a> {
    fn new(decisions: &'a Decisions, from: Instant) -> Join<'a> {
        let mut join = Join {
            from,
            groups: BTreeMap::new(),
            attempts: BTreeMap::new(),
            deliveries: BTreeMap::new(),
            strays: Vec::new(),
            contradictions: Vec::new(),
        };
        let id: fn(&Decided) -> &str = |decided| decided.recharge.id.as_str();
        for versions in statement::by_id(&decisions.recharges, id, Decided::eq) {
            join.recharge(&versions);
        }
        join
    }

    /// Takes in one recharge, under its keys.
    fn recharge(&mut self, versions: &[&'a Decided]) {
        let Some((decided, others)) = versions.split_first() else { return };
        let recharge = &decided.recharge;
        let newest = versions.iter().map(|version| version.newest_at()).max();
        let group = Group {
            decided,
            payments: Vec::new(),
            top_ups: Vec::new(),
            newest: newest.unwrap_or(recharge.opened_at),
            open: versions.iter().any(|version| version.is_open()),
            aside: false,
        };
        for version in versions {
            for attempt in &version.recharge.attempts {
                self.attempts.insert(&attempt.idempotency_key, (&recharge.id, attempt.number));
            }
        }
        self.deliveries.insert(IdempotencyKey::of_top_up(&recharge.id), &recharge.id);
        let newest = group.newest;
        self.groups.insert(&recharge.id, group);
        if !others.is_empty() {
            self.contradict(newest, [Some(&recharge.id)], None, None);
        }
    }

    /// Lays each payment to its recharge, once.
    fn payments(&mut self, gateway: &'a Statement<Payment>) {
        for versions in statement::by_id(&gateway.rows, |row| &row.id, statement::same_payment) {
            let owners = versions.iter().map(|row| row.key.as_ref());
            let owners = owners.map(|key| self.attempts.get(key?).copied()).collect::<Vec<_>>();
            let newest = versions.iter().map(|row| row.newest_at()).max();
            let newest = newest.unwrap_or(Instant::MIN);
            let Some(reading) = Reading::of(&versions) else {
                let id = versions.first().map(|row| row.id.clone());
                self.contradict(newest, owners.into_iter().map(|o| o.map(|(id, _)| id)), id, None);
                continue;
            };
            let owner = owners.first().copied().flatten();
            let group = owner.and_then(|(id, number)| Some((self.groups.get_mut(id)?, number)));
            match (group, reading) {
                (Some((group, number)), reading) => {
                    group.newest = group.newest.max(newest);
                    group.open |= versions.iter().any(|row| row.is_open());
                    group.payments.extend(reading.taken().map(|taken| (number, taken)));
                }
                (None, Reading::Taken(taken)) => self.strays.push(Stray::Payment(taken)),
                (None, Reading::Nothing) => {}
            }
        }
    }

    /// Lays each top-up to its recharge, once.
    fn top_ups(&mut self, carrier: &'a Statement<TopUp>) {
        for versions in statement::by_id(&carrier.rows, |row| &row.id, TopUp::eq) {
            let owners = versions.iter().map(|row| row.key.as_ref());
            let owners = owners.map(|key| self.deliveries.get(key?).copied()).collect::<Vec<_>>();
            let newest = versions.iter().map(|row| row.delivered_at).max();
            let newest = newest.unwrap_or(Instant::MIN);
            let [top_up] = versions.as_slice() else {
                let id = versions.first().map(|row| row.id.clone());
                self.contradict(newest, owners, None, id);
                continue;
            };
            if !top_up.given.is_possible() {
                self.contradict(newest, owners, None, Some(top_up.id.clone()));
                continue;
            }
            let owner = owners.first().copied().flatten();
            match owner.and_then(|id| self.groups.get_mut(id)) {
                Some(group) => {
                    group.newest = group.newest.max(newest);
                    group.top_ups.push(top_up);
                }
                None if top_up.given.is_nothing() => {}
                None => self.strays.push(Stray::TopUp(top_up)),
            }
        }
    }

    /// Sets aside every recharge that a contradictory row may be about.
    fn contradict(
        &mut self,
        newest: Instant,
        owners: impl IntoIterator<Item = Option<&'a RechargeId>>,
        payment: Option<String>,
        top_up: Option<String>,
    ) {
        let owners: BTreeSet<&RechargeId> = owners.into_iter().flatten().collect();
        let mut recharge = None;
        for id in owners {
            if let Some(group) = self.groups.get_mut(id) {
                group.aside = true;
                recharge.get_or_insert(&group.decided.recharge);
            }
        }
        let difference = Difference::contradictory(recharge);
        self.contradictions.push((newest, Difference { payment, top_up, ..difference }));
    }

    /// Judges what is settled and adds it up.
    fn conclude(
        self,
        barriers: &[Barrier],
        settled_by: Instant,
    ) -> Result<Reconciliation, SumTooLarge> {
        let mut found = Reconciliation::default();
        let mut barriers_by_line: BTreeMap<&LineId, Vec<&Barrier>> = BTreeMap::new();
        for barrier in barriers {
            barriers_by_line.entry(&barrier.line_id).or_default().push(barrier);
        }
        let mut settled = Vec::new();
        for group in self.groups.into_values() {
            let before = group.decided.recharge.opened_at < self.from;
            if group.aside || before {
                continue;
            }
            if group.open || group.newest > settled_by {
                found.checked.open = found.checked.open.saturating_add(1);
                continue;
            }
            let barriers = barriers_by_line.get(&group.decided.recharge.line_id);
            let barriers = barriers.map_or(&[][..], Vec::as_slice);
            settled.push(Whole::new(group.decided, group.payments, group.top_ups, barriers));
        }
        let over = caps::over(&settled);
        for whole in &settled {
            let over = over.get(&whole.decided.recharge.id);
            let expected = judge::judge(whole, over, &mut found.differences);
            found.checked.add_whole(whole, expected)?;
        }
        for stray in &self.strays {
            if stray.newest_at() <= settled_by {
                found.differences.extend(stray.judge());
                found.checked.add_stray(stray)?;
            }
        }
        let told = self.contradictions.into_iter().filter(|(newest, _)| *newest <= settled_by);
        found.differences.extend(told.map(|(_, difference)| difference));
        found.differences.sort_by(|a, b| a.place().cmp(&b.place()));
        Ok(found)
    }
}

impl Stray<'_> {
    fn newest_at(&self) -> Instant {
        match self {
            // Why: what is still open may yet be given back by itself.
            Stray::Payment(taken) if taken.payment.is_open() => Instant::MAX,
            Stray::Payment(taken) => taken.payment.newest_at(),
            Stray::TopUp(top_up) => top_up.delivered_at,
        }
    }

    fn judge(&self) -> Option<Difference> {
        match self {
            Stray::Payment(taken) if taken.kept_minor == 0 => None,
            Stray::Payment(taken) => Some(Difference {
                payment: Some(taken.payment.id.clone()),
                charged: vec![taken.kept()],
                ..Difference::new(Kind::Unknown, Remedy::Case)
            }),
            Stray::TopUp(top_up) => Some(Difference {
                top_up: Some(top_up.id.clone()),
                credited: vec![top_up.given],
                ..Difference::new(Kind::MissingCharge, Remedy::NeverCharged)
            }),
        }
    }
}
