//! Double entry, append-only: every movement names where it comes from and where it goes, so every
//! transaction sums to zero by construction. A balance is the sum of a book's entries.

use crate::bytes::Bytes;
use crate::money::{Currency, Money};
use serde::{Deserialize, Serialize};

/// An account of the books. One set per line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Book {
    /// The customer's money outside: cards and wallets. It falls when a payment is captured.
    Customer,
    /// Money taken and not yet delivered for.
    Prepaid,
    /// Money earned.
    Sales,
    /// Money that a bank holds while a dispute is open.
    Disputed,
    /// The line's credit.
    LineCredit,
    /// Data on the carrier's side.
    Carrier,
    /// The line's data, expired rests included.
    LineData,
    /// Data that was used.
    Used,
}

/// One movement: the same amount leaves one book and enters another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posting {
    /// The book it leaves.
    pub from: Book,
    /// The book it enters.
    pub to: Book,
    /// How much of what.
    #[serde(flatten)]
    pub quantity: Quantity,
}

/// Money or data: never one in place of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// Money of one currency.
    Money(Money),
    /// Data.
    Bytes(Bytes),
}

impl Posting {
    /// Moves money.
    pub fn money(from: Book, to: Book, amount: Money) -> Posting {
        Posting { from, to, quantity: Quantity::Money(amount) }
    }

    /// Moves data.
    pub fn bytes(from: Book, to: Book, amount: Bytes) -> Posting {
        Posting { from, to, quantity: Quantity::Bytes(amount) }
    }

    /// The two ledger entries, `(book, signed amount)`, which sum to zero.
    pub fn entries(&self) -> [(Book, i64); 2] {
        let amount = match self.quantity {
            Quantity::Money(money) => money.amount_minor,
            Quantity::Bytes(bytes) => bytes.to_i64(),
        };
        [(self.from, amount.saturating_neg()), (self.to, amount)]
    }
}

impl Quantity {
    /// The unit as the ledger's column has it: the currency's code, or `byte`.
    pub fn unit(&self) -> String {
        match self {
            Quantity::Money(Money { currency, .. }) => currency.code().to_owned(),
            Quantity::Bytes(_) => "byte".to_owned(),
        }
    }

    /// The money in it, if money it is.
    pub fn currency(&self) -> Option<Currency> {
        match self {
            Quantity::Money(money) => Some(money.currency),
            Quantity::Bytes(_) => None,
        }
    }
}

impl Book {
    /// The name in the ledger's column and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Book::Customer => "customer",
            Book::Prepaid => "prepaid",
            Book::Sales => "sales",
            Book::Disputed => "disputed",
            Book::LineCredit => "line_credit",
            Book::Carrier => "carrier",
            Book::LineData => "line_data",
            Book::Used => "used",
        }
    }
}
