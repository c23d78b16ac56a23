//! What a line can buy at present, and the arithmetic of prices. Money and bytes meet only here,
//! and only as a price: they are never converted into each other.

use crate::bytes::Bytes;
use crate::money::{Currency, Money};
use rust_decimal::{Decimal, RoundingStrategy, prelude::ToPrimitive};
use serde::{Deserialize, Serialize};

/// The terms on which a line buys: one step of data, and credit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// The step in which data is sold; withdrawn when absent.
    pub step: Option<Step>,
    /// The least credit that can be bought at once.
    pub credit_min: Money,
    /// The most credit that can be bought at once.
    pub credit_max: Money,
}

/// The smallest amount of data on sale, and its price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The data that one step adds.
    pub bytes: Bytes,
    /// What one step costs, tax inside.
    pub price: Money,
    /// For how many times 24 h a bought step is valid.
    pub validity_days: u32,
}

impl Terms {
    /// The sandbox catalogue in this currency: 1 GB for three major units, valid for 30 days.
    pub fn sandbox(currency: Currency) -> Terms {
        let major = 10_i64.saturating_pow(currency.exponent());
        let units = |n: i64| Money::new(major.saturating_mul(n), currency);
        Terms {
            step: Some(Step { bytes: Bytes::GB, price: units(3), validity_days: 30 }),
            credit_min: units(1),
            credit_max: units(500),
        }
    }

    /// The currency of everything on sale here.
    pub fn currency(&self) -> Currency {
        self.credit_min.currency
    }
}

/// Pay-as-you-go: what credit pays for a gigabyte when no bucket serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PayAsYouGo {
    /// Price of 1,000,000,000 bytes, tax inside, in minor units of the line's currency.
    pub per_gb_minor: i64,
}

impl PayAsYouGo {
    /// What so many bytes cost in all. Rounded down, once, on the total: the customer's favour.
    pub fn cost_minor(self, total: Bytes) -> i64 {
        let price = Decimal::from(self.per_gb_minor.max(0));
        Decimal::from(total.get())
            .checked_mul(price)
            .and_then(|product| product.checked_div(Decimal::from(Bytes::GB.get())))
            .map(|cost| cost.round_dp_with_strategy(0, RoundingStrategy::ToZero))
            .and_then(|cost| cost.to_i64())
            .unwrap_or(i64::MAX)
    }

    /// How many bytes this credit pays for in all.
    pub fn covers(self, credit_minor: i64) -> Bytes {
        let bytes = Decimal::from(credit_minor.max(0))
            .checked_mul(Decimal::from(Bytes::GB.get()))
            .and_then(|product| product.checked_div(Decimal::from(self.per_gb_minor)))
            .map(|bytes| bytes.round_dp_with_strategy(0, RoundingStrategy::ToZero))
            .and_then(|bytes| bytes.to_u64())
            .and_then(Bytes::new);
        // Why: a price of nothing, or credit beyond every amount, pays for all there can be.
        bytes.unwrap_or(Bytes::MAX)
    }
}
