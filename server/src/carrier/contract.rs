//! What is said between Laika and a carrier, as `docs/carrier.md` has it: the bodies, both ways.
//!
//! Place in the flow: `http` sends and reads them; the sandbox's carrier answers with the same
//! ones, so there is one contract and not two. Nothing here decides.

use laika_core::time::Instant;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What to give, and to which line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Give {
    /// The line's card number at the carrier: 18 to 22 digits.
    pub iccid: String,
    /// Data, zero or more.
    pub data_bytes: i64,
    /// For how many times 24 h the data is valid; absent for credit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validity_days: Option<u32>,
    /// Credit, zero or more.
    pub credit_minor: i64,
    /// ISO 4217 of the credit.
    pub currency: String,
    /// The caller's own references.
    #[serde(default)]
    pub metadata: BTreeMap<String, String>,
}

/// A delivered top-up: an answer, and a row of the statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopUp {
    /// The carrier's name for it: 1 to 200 visible ASCII characters.
    pub id: String,
    /// The key it was asked with; in a statement absent where the carrier does not know.
    #[serde(default)]
    pub key: Option<String>,
    /// What was given.
    #[serde(flatten)]
    pub give: Give,
    /// When, by the carrier's clock.
    pub delivered_at: Instant,
}

/// The sum of what was given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    /// Data.
    pub data_bytes: i64,
    /// Credit by currency.
    pub credit_minor: BTreeMap<String, i64>,
}

/// All that was ever given to a line under this contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    /// The line.
    pub iccid: String,
    /// What it was given.
    #[serde(flatten)]
    pub given: Given,
    /// Up to when, by the carrier's clock.
    pub as_of: Instant,
}

/// A page of the statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// Everything delivered from here on is in the statement.
    pub from: Instant,
    /// The first instant of which it may not tell everything.
    pub until: Instant,
    /// In the order of delivery.
    pub top_ups: Vec<TopUp>,
    /// What names the next page; absent on the last.
    #[serde(default)]
    pub next: Option<String>,
}

/// A no.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// A stable code.
    pub code: String,
    /// For a developer to read.
    #[serde(default)]
    pub detail: String,
    /// `false` where the carrier is sure that nothing was given and nothing will be for this
    /// request; absent where it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered: Option<bool>,
}

#[cfg(test)]
mod tests;
