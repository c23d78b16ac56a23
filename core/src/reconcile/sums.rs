//! What was compared in a reconciliation, counted and added up. Data and money, and two currencies,
//! never add.

use super::judge::Whole;
use super::statement::{Taken, TopUp};
use super::{Stray, SumTooLarge};
use crate::bytes::Bytes;
use crate::money::{Currency, Money};
use serde::{Deserialize, Serialize};

/// What was compared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checked {
    /// Recharges that were compared.
    pub recharges: u64,
    /// Recharges left for later, because something about them is open or younger than 24 h.
    pub open: u64,
    /// Payments that took money and were compared, each once.
    pub payments: u64,
    /// Top-ups that were compared, each once.
    pub top_ups: u64,
    /// All the data that was delivered.
    pub credited_bytes: Bytes,
    /// The money, by currency in the order of their codes.
    pub sums: Vec<Sums>,
}

/// Sums over all that was compared, in minor units of one currency.
///
/// Where there is no difference, `expected` is `charged` less `refunded` less `disputed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sums {
    /// The currency.
    pub currency: Currency,
    /// What should have been kept.
    pub expected_minor: i64,
    /// What was captured.
    pub charged_minor: i64,
    /// What was given back.
    pub refunded_minor: i64,
    /// What banks took back and did not return.
    pub disputed_minor: i64,
    /// The credit that was delivered; data is beside it.
    pub credited_minor: i64,
}

impl Checked {
    /// What was compared in both: of other recharges, payments and top-ups.
    pub fn plus(mut self, other: &Checked) -> Result<Checked, SumTooLarge> {
        self.recharges = self.recharges.saturating_add(other.recharges);
        self.open = self.open.saturating_add(other.open);
        self.payments = self.payments.saturating_add(other.payments);
        self.top_ups = self.top_ups.saturating_add(other.top_ups);
        self.credited_bytes = self.credited_bytes.plus(other.credited_bytes);
        for sums in &other.sums {
            let money = |minor| Money::new(minor, sums.currency);
            self.add(money(sums.expected_minor), |sums| &mut sums.expected_minor)?;
            self.add(money(sums.charged_minor), |sums| &mut sums.charged_minor)?;
            self.add(money(sums.refunded_minor), |sums| &mut sums.refunded_minor)?;
            self.add(money(sums.disputed_minor), |sums| &mut sums.disputed_minor)?;
            self.add(money(sums.credited_minor), |sums| &mut sums.credited_minor)?;
        }
        Ok(self)
    }

    /// Adds a recharge that was compared, with what should have been kept for it.
    pub(super) fn add_whole(
        &mut self,
        whole: &Whole<'_>,
        expected: Money,
    ) -> Result<(), SumTooLarge> {
        self.recharges = self.recharges.saturating_add(1);
        self.add(expected, |sums| &mut sums.expected_minor)?;
        for capture in &whole.captures {
            self.add_payment(&capture.taken)?;
        }
        whole.top_ups.iter().try_for_each(|top_up| self.add_top_up(top_up))
    }

    /// Adds a row that no recharge explains.
    pub(super) fn add_stray(&mut self, stray: &Stray<'_>) -> Result<(), SumTooLarge> {
        match stray {
            Stray::Payment(taken) => self.add_payment(taken),
            Stray::TopUp(top_up) => self.add_top_up(top_up),
        }
    }

    fn add_payment(&mut self, taken: &Taken<'_>) -> Result<(), SumTooLarge> {
        self.payments = self.payments.saturating_add(1);
        let money = |minor| Money::new(minor, taken.amount.currency);
        self.add(taken.amount, |sums| &mut sums.charged_minor)?;
        self.add(money(taken.refunded_minor), |sums| &mut sums.refunded_minor)?;
        self.add(money(taken.disputed_minor), |sums| &mut sums.disputed_minor)
    }

    fn add_top_up(&mut self, top_up: &TopUp) -> Result<(), SumTooLarge> {
        self.top_ups = self.top_ups.saturating_add(1);
        self.credited_bytes = self.credited_bytes.plus(top_up.given.bytes);
        let mut credit = top_up.given.credit.into_iter();
        credit.try_for_each(|credit| self.add(credit, |sums| &mut sums.credited_minor))
    }

    fn add(&mut self, money: Money, of: fn(&mut Sums) -> &mut i64) -> Result<(), SumTooLarge> {
        let currency = money.currency;
        let place = self.sums.binary_search_by(|sums| sums.currency.cmp(&currency));
        let place = place.unwrap_or_else(|place| {
            self.sums.insert(place, Sums::none(currency));
            place
        });
        let sums = self.sums.get_mut(place).ok_or(SumTooLarge { currency })?;
        let sum = of(sums);
        *sum = sum.checked_add(money.amount_minor).ok_or(SumTooLarge { currency })?;
        Ok(())
    }
}

impl Sums {
    fn none(currency: Currency) -> Sums {
        Sums {
            currency,
            expected_minor: 0,
            charged_minor: 0,
            refunded_minor: 0,
            disputed_minor: 0,
            credited_minor: 0,
        }
    }
}
