//! The other two sides of a reconciliation as they tell it: the gateway's payments, with refunds
//! and disputes, and the carrier's top-ups. Here a row is read once and its figures are netted;
//! nothing is compared.

use crate::bytes::Bytes;
use crate::id::IdempotencyKey;
use crate::money::Money;
use crate::rule::Adds;
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What one side lists, complete from an instant on, up to another and without it.
///
/// *Shape*: rows in any order; equal rows of one id count once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement<T> {
    /// Everything that happened from here on is in it.
    pub from: Instant,
    /// The first instant of which it may not tell everything.
    pub until: Instant,
    /// What happened.
    pub rows: Vec<T>,
}

/// A payment of ours as the gateway lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payment {
    /// The gateway's name for it.
    pub id: String,
    /// The attempt's key: as the gateway has it, or derived from the recharge and the attempt that
    /// we told the gateway. Absent when it has neither.
    pub key: Option<IdempotencyKey>,
    /// When the gateway made it.
    pub created_at: Instant,
    /// Where it stands.
    pub state: PaymentState,
    /// Everything given back, in any order.
    pub refunds: Vec<Refund>,
    /// Every dispute about it, in any order.
    pub disputes: Vec<Dispute>,
}

/// Where a payment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PaymentState {
    /// It may yet capture.
    Open,
    /// Money was taken.
    Captured {
        /// How much.
        amount: Money,
        /// When.
        captured_at: Instant,
    },
    /// Declined or cancelled: no money moved and none will.
    NotCharged,
}

/// Money given back, in the payment's currency.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refund {
    /// The gateway's name for it.
    pub id: String,
    /// How much; never negative.
    pub amount_minor: i64,
    /// Where it stands.
    pub state: RefundState,
    /// When it last changed.
    pub changed_at: Instant,
}

/// Where a refund stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundState {
    /// On its way.
    Open,
    /// The money is back.
    Done,
    /// It did not arrive; the money is where it was.
    Failed,
}

/// A payer's complaint to the bank, in the payment's currency.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dispute {
    /// The gateway's name for it.
    pub id: String,
    /// Whether it is undecided.
    pub open: bool,
    /// What the bank took back, in all; never negative.
    pub withdrawn_minor: i64,
    /// What it returned of that, in all; never more.
    pub reinstated_minor: i64,
    /// When it last changed.
    pub changed_at: Instant,
}

/// A top-up asked for by us, as the carrier lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TopUp {
    /// The carrier's name for it.
    pub id: String,
    /// The recharge's top-up key; absent when the carrier does not know.
    pub key: Option<IdempotencyKey>,
    /// What the line got.
    pub given: Given,
    /// When.
    pub delivered_at: Instant,
}

/// What a line got: data, credit, or by mistake both or neither.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Given {
    /// Data.
    pub bytes: Bytes,
    /// Credit; never negative.
    pub credit: Option<Money>,
}

/// More than any payment is, in minor units of any currency: such a figure is a mistake.
const IMPOSSIBLE_MINOR: i64 = 1_000_000_000_000_000;

fn possible(amount_minor: i64) -> bool {
    (0..IMPOSSIBLE_MINOR).contains(&amount_minor)
}

impl Given {
    /// Whether it is exactly what was ordered.
    pub fn is(&self, adds: Adds) -> bool {
        let credit_minor = self.credit.map_or(0, |credit| credit.amount_minor);
        match adds {
            Adds::Data { bytes, .. } => self.bytes == bytes && credit_minor == 0,
            Adds::Credit(credit) => self.bytes.is_zero() && self.credit == Some(credit),
        }
    }

    /// Whether the line got nothing at all.
    pub fn is_nothing(&self) -> bool {
        self.bytes.is_zero() && self.credit.is_none_or(|credit| credit.amount_minor == 0)
    }

    pub(super) fn is_possible(&self) -> bool {
        self.credit.is_none_or(|credit| possible(credit.amount_minor))
    }
}

impl Payment {
    /// Whether something about it is still to come.
    pub(super) fn is_open(&self) -> bool {
        self.state == PaymentState::Open
            || self.refunds.iter().any(|refund| refund.state == RefundState::Open)
            || self.disputes.iter().any(|dispute| dispute.open)
    }

    /// The newest instant it tells of.
    pub(super) fn newest_at(&self) -> Instant {
        let captured_at = match self.state {
            PaymentState::Captured { captured_at, .. } => Some(captured_at),
            PaymentState::Open | PaymentState::NotCharged => None,
        };
        let refunds = self.refunds.iter().map(|refund| refund.changed_at);
        let disputes = self.disputes.iter().map(|dispute| dispute.changed_at);
        refunds.chain(disputes).chain(captured_at).fold(self.created_at, Instant::max)
    }
}

/// A payment that took money, its figures netted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taken<'a> {
    pub payment: &'a Payment,
    /// What was captured.
    pub amount: Money,
    pub captured_at: Instant,
    /// Given back and arrived.
    pub refunded_minor: i64,
    /// Taken back by the bank and not returned.
    pub disputed_minor: i64,
    /// What is left of the capture; below zero when more went back than came.
    pub kept_minor: i64,
}

/// What all versions of a row come to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reading<'a> {
    /// No money moved.
    Nothing,
    /// Money moved.
    Taken(Taken<'a>),
}

impl<'a> Taken<'a> {
    /// Nets the figures; nothing when they cannot be.
    fn read(payment: &'a Payment, amount: Money, captured_at: Instant) -> Option<Taken<'a>> {
        let refunds = each_once(&payment.refunds, |refund| refund.id.as_str())?;
        let disputes = each_once(&payment.disputes, |dispute| dispute.id.as_str())?;
        let mut sane = possible(amount.amount_minor);
        let mut refunded_minor: i64 = 0;
        for refund in refunds {
            sane &= possible(refund.amount_minor);
            if refund.state == RefundState::Done {
                refunded_minor = refunded_minor.checked_add(refund.amount_minor)?;
            }
        }
        let mut disputed_minor: i64 = 0;
        for dispute in disputes {
            let net = dispute.withdrawn_minor.checked_sub(dispute.reinstated_minor)?;
            sane &= possible(dispute.withdrawn_minor) && possible(dispute.reinstated_minor);
            sane &= net >= 0;
            disputed_minor = disputed_minor.checked_add(net)?;
        }
        let kept = amount.amount_minor.checked_sub(refunded_minor);
        let kept_minor = kept.and_then(|kept| kept.checked_sub(disputed_minor))?;
        let taken =
            Taken { payment, amount, captured_at, refunded_minor, disputed_minor, kept_minor };
        sane.then_some(taken)
    }

    /// What the gateway keeps of it.
    pub(super) fn kept(&self) -> Money {
        Money::new(self.kept_minor, self.amount.currency)
    }
}

impl<'a> Reading<'a> {
    /// Reads the versions of one payment; nothing when they differ or cannot be.
    pub(super) fn of(versions: &[&'a Payment]) -> Option<Reading<'a>> {
        let [payment] = *versions else { return None };
        match payment.state {
            PaymentState::Captured { amount, captured_at } => {
                let taken = Taken::read(payment, amount, captured_at)?;
                let moved = amount.amount_minor != 0 || taken.kept_minor != 0;
                Some(if moved { Reading::Taken(taken) } else { Reading::Nothing })
            }
            PaymentState::Open | PaymentState::NotCharged => {
                let nothing_back = payment.refunds.is_empty() && payment.disputes.is_empty();
                nothing_back.then_some(Reading::Nothing)
            }
        }
    }

    /// The money that moved.
    pub(super) fn taken(self) -> Option<Taken<'a>> {
        match self {
            Reading::Nothing => None,
            Reading::Taken(taken) => Some(taken),
        }
    }
}

/// The rows in the order of their ids, equal ones once; nothing when two of one id differ.
fn each_once<T: Ord>(rows: &[T], id: fn(&T) -> &str) -> Option<Vec<&T>> {
    let mut rows: Vec<&T> = rows.iter().collect();
    rows.sort_unstable();
    rows.dedup();
    let repeated = rows.windows(2).any(|pair| match pair {
        [one, other] => id(one) == id(other),
        _ => false,
    });
    (!repeated).then_some(rows)
}

/// Whether two rows tell the same of a payment, in whatever order.
pub(super) fn same_payment(one: &Payment, other: &Payment) -> bool {
    let plain = |row: &Payment| (row.id.clone(), row.key.clone(), row.created_at, row.state);
    let refunds = |row: &Payment| row.refunds.iter().cloned().collect::<BTreeSet<_>>();
    let disputes = |row: &Payment| row.disputes.iter().cloned().collect::<BTreeSet<_>>();
    plain(one) == plain(other) && refunds(one) == refunds(other) && disputes(one) == disputes(other)
}

/// The rows of each id, those that tell the same once.
pub(super) fn by_id<T>(rows: &[T], id: fn(&T) -> &str, same: fn(&T, &T) -> bool) -> Vec<Vec<&T>> {
    let mut by_id: BTreeMap<&str, Vec<&T>> = BTreeMap::new();
    for row in rows {
        let versions = by_id.entry(id(row)).or_default();
        if !versions.iter().any(|known| same(known, row)) {
            versions.push(row);
        }
    }
    by_id.into_values().collect()
}
