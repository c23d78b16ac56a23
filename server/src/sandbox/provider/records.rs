//! What the sandbox provider keeps and answers: one shape for state, journal and JSON.
//!
//! Place in the flow: named by [`super::Provider`] and by the HTTP face. Nothing here decides.

use crate::sandbox::cards::{Card, Decline};
use laika_core::rail::Wallet;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a caller attaches to find its things again.
pub type Metadata = BTreeMap<String, String>;

/// Somebody whose payment methods are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// `cus_…`.
    pub id: String,
    /// The caller's own references.
    pub metadata: Metadata,
}

/// Where a setup stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SetupStatus {
    /// The hosted page waits for a card.
    Open,
    /// The card is known; its bank wants the customer to confirm.
    RequiresAction,
    /// A payment method is attached.
    Succeeded,
    /// Left by the customer, or too old.
    Cancelled,
}

/// One visit to the hosted card entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setup {
    /// `set_…`; as it cannot be guessed it also opens the hosted page.
    pub id: String,
    /// Whose card it will be.
    pub customer: String,
    /// Where the customer goes back to.
    pub return_url: String,
    /// Where it stands.
    pub status: SetupStatus,
    /// What a wallet may be asked to agree to; without it only a card can be entered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms: Option<Terms>,
    /// The result.
    pub payment_method: Option<String>,
    /// The hosted page on the provider's own origin.
    pub path: String,
    /// Microseconds UTC.
    pub created_at: i64,
    /// The card while its bank is asked; never answered.
    #[serde(skip)]
    pub(super) pending: Option<Card>,
}

impl Setup {
    /// The last digits of the card while its bank is asked.
    pub fn pending_last4(&self) -> Option<&str> {
        self.pending.as_ref().map(|card| card.last4.as_str())
    }
}

/// The limits of an agreement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// ISO 4217 of the amounts.
    pub currency: String,
    /// The most in one debit.
    pub most_per_debit_minor: i64,
    /// The most in all.
    pub total_minor: i64,
    /// The most debits.
    pub debits_most: u32,
}

/// An agreement with a wallet, and how far it is used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreement {
    /// Which.
    pub kind: Wallet,
    /// A keyed hash: equal for the same customer at the same wallet.
    pub fingerprint: String,
    /// What was agreed.
    #[serde(flatten)]
    pub terms: Terms,
    /// So many days at least from one debit to the next.
    pub cycle_days: u32,
    /// What was debited so far.
    pub debited_minor: i64,
    /// How often.
    pub debits: u32,
    /// Microseconds UTC of the last debit.
    pub debited_at: Option<i64>,
}

/// What is charged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Instrument {
    /// A card.
    Card(Card),
    /// An agreement with a wallet.
    Wallet(Agreement),
}

impl Instrument {
    /// Equal for the same number, or for the same customer at the same wallet.
    pub fn fingerprint(&self) -> &str {
        match self {
            Instrument::Card(card) => &card.fingerprint,
            Instrument::Wallet(wallet) => &wallet.fingerprint,
        }
    }
}

/// Something that can be charged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentMethod {
    /// `pm_…`: the token.
    pub id: String,
    /// Whose it is.
    pub customer: String,
    /// `card` or `wallet`, with what is known of it.
    #[serde(flatten)]
    pub instrument: Instrument,
    /// False once detached; then it can never be charged again.
    pub attached: bool,
}

/// Where a payment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    /// Money moved.
    Succeeded,
    /// No money moved and none will.
    Declined,
    /// The bank wants the customer; no money moved yet.
    RequiresAction,
    /// Given up before money moved; none will.
    Cancelled,
}

/// One charge asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charge {
    /// Whose money.
    pub customer: String,
    /// Which card.
    pub payment_method: String,
    /// More than zero.
    pub amount_minor: i64,
    /// ISO 4217.
    pub currency: String,
    /// Where the customer goes after an authentication.
    pub return_url: String,
    /// The caller's own references.
    pub metadata: Metadata,
}

/// Money given back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// `ref_…`.
    pub id: String,
    /// More than zero.
    pub amount_minor: i64,
    /// Microseconds UTC.
    pub created_at: i64,
}

/// Where a dispute stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisputeStatus {
    /// The bank holds the money.
    Open,
    /// The money came back to the merchant.
    Won,
    /// The customer has it.
    Lost,
}

/// A charge that a customer disputes at the bank.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispute {
    /// `dis_…`.
    pub id: String,
    /// More than zero.
    pub amount_minor: i64,
    /// Where it stands.
    pub status: DisputeStatus,
    /// Microseconds UTC.
    pub created_at: i64,
    /// Microseconds UTC, when it last changed.
    pub changed_at: i64,
}

/// One charge and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// `pay_…`.
    pub id: String,
    /// What was asked.
    #[serde(flatten)]
    pub charge: Charge,
    /// The key it was asked with.
    pub idempotency_key: Option<String>,
    /// Where it stands.
    pub status: PaymentStatus,
    /// Why not, when declined.
    pub decline: Option<Decline>,
    /// The bank's page, while the customer is wanted.
    pub action_path: Option<String>,
    /// What was taken; zero unless it succeeded.
    pub captured_minor: i64,
    /// What was given back.
    pub refunds: Vec<Refund>,
    /// What was disputed.
    pub disputes: Vec<Dispute>,
    /// Microseconds UTC.
    pub created_at: i64,
    /// Microseconds UTC of the capture.
    pub captured_at: Option<i64>,
}

impl Payment {
    /// What is left of a capture: not given back, not held or taken by a bank.
    pub fn left_minor(&self) -> i64 {
        let held = self.disputes.iter().filter(|it| it.status != DisputeStatus::Won);
        let held: i64 = held.map(|dispute| dispute.amount_minor).sum();
        self.captured_minor - self.refunded_minor() - held
    }

    /// The sum given back.
    pub fn refunded_minor(&self) -> i64 {
        self.refunds.iter().map(|refund| refund.amount_minor).sum()
    }
}

/// A page of the settlement statement: payments by when they were made, with everything that went
/// back of them until now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settlement {
    /// Microseconds UTC; everything from here on is in it.
    pub from: i64,
    /// Microseconds UTC; the first instant of which it may not tell everything.
    pub until: i64,
    /// In the order in which they were made.
    pub payments: Vec<Payment>,
    /// What names the next page; absent on the last.
    pub next: Option<String>,
}

/// What the next charge of a customer does, whatever the card: one shot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NextCharge {
    /// Charged.
    Succeeded,
    /// Declined, without a reason (soft).
    GenericDecline,
    /// Declined (soft).
    InsufficientFunds,
    /// Declined (hard).
    LostCard,
    /// Declined (hard).
    StolenCard,
    /// Declined (hard).
    ExpiredCard,
    /// The bank wants the customer.
    RequiresAction,
    /// Charged, but the connection closes without an answer, and no webhook comes.
    AnswerLostAfter,
    /// Nothing happens, and the connection closes without an answer.
    AnswerLostBefore,
    /// Charged, and answered late.
    Slow,
    /// Charged, but the answer is an internal error.
    ErrorAfter,
    /// One minor unit too much is taken.
    WrongAmount,
}

/// How an answer travels: the machine's word to the HTTP face.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Transport {
    /// As usual.
    #[default]
    Normal,
    /// The connection closes without an answer.
    Lost,
    /// After a while.
    Slow,
    /// As an internal error.
    ServerError,
}

/// Something that happened, told to the caller's endpoint until it is acknowledged.
/// It carries no amounts: the receiver looks the payment up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    /// `evt_…`.
    pub id: String,
    /// `payment.succeeded`, `payment.declined`, `payment.cancelled`, `payment.refunded`, …
    pub kind: String,
    /// The payment or setup it is about.
    pub about: String,
    /// Microseconds UTC.
    pub created_at: i64,
}
