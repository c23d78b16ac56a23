//! What a decision looks at beside the rule: the account as it is and what happened before. The
//! server gathers it, the browser gets the same from the server, and a record keeps all of it.

use super::{MethodFacts, Periods, TriggerDue};
use crate::bytes::Bytes;
use crate::catalogue::Terms;
use crate::id::{LineId, PaymentMethodId, RechargeId};
use crate::money::Money;
use crate::rule::Adds;
use crate::time::Instant;
use crate::zone::Zone;
use serde::{Deserialize, Serialize};

/// What the server knows of the line and its owner when it decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// The line decided about.
    pub line_id: LineId,
    /// The zone in which the account counts days and months.
    pub zone: Zone,
    /// The day and month that were running at the last change of zone; absent without one.
    pub kept_periods: Option<Periods>,
    /// The operator's kill switch, global or for this line.
    pub stopped_by_operator: bool,
    /// The line no longer exists at the carrier.
    pub line_closed: bool,
    /// Data that can be used now.
    pub available_bytes: Bytes,
    /// Credit left, in minor units of the line's currency.
    pub credit_minor: i64,
    /// When the last of the data expires; absent when there is none or it never does.
    pub latest_expiry_at: Option<Instant>,
    /// What the line can buy at present.
    pub terms: Terms,
    /// The account's payment methods.
    pub payment_methods: Vec<MethodFacts>,
    /// How long before a scheduled charge the account's country wants it announced, in hours.
    pub notice_lead_hours: u32,
}

/// What happened before on this line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct History {
    /// All that are open, and every other that was opened or reserved in the running local month
    /// or in the last two days. Oldest first.
    pub recharges: Vec<PastRecharge>,
    /// Scheduled instants up to here are charged, skipped or gone.
    pub consumed_through: Option<Instant>,
    /// The expiry that was already acted on.
    pub consumed_expiry_at: Option<Instant>,
    /// Announcements not yet consumed.
    pub notices: Vec<Notice>,
    /// Why the rule waits for the customer.
    pub suspended: Option<Suspension>,
    /// Disputes about charges of this line that are open: its rule waits as long.
    #[serde(default)]
    pub open_disputes: u32,
}

/// A recharge of this line, as far as deciding needs it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PastRecharge {
    /// Its id.
    pub id: RechargeId,
    /// Whether the rule opened it; otherwise the customer bought by hand.
    pub automatic: bool,
    /// Where it stands.
    pub standing: Standing,
    /// When it was opened: the cool-down counts from here.
    pub opened_at: Instant,
    /// When its money was last reserved: its day and month count here.
    pub reserved_at: Instant,
    /// What it takes.
    pub amount: Money,
    /// What it adds.
    pub adds: Adds,
}

/// Where a recharge stands, as far as limits and the effective balance go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// On its way: its money is reserved, its data counts as coming.
    Open,
    /// On its way, and nobody knows whether it was charged.
    Unknown,
    /// Charged; its data is in the balance.
    Spent,
    /// Definitely not charged: its money is free again.
    Released,
}

/// Why a rule waits for the customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Suspension {
    /// Every method was declined on every rung.
    Declined,
    /// The bank wanted the customer, who did not come within 24 h.
    CustomerNeeded,
    /// Paid, not delivered, refunded.
    NotDelivered,
    /// A dispute is open.
    Disputed,
}

/// An announcement of a charge to come: by date, before data expires, or when low on a rail that
/// wants to be told. It reserves nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notice {
    /// What is announced.
    pub trigger: TriggerDue,
    /// Not charged before this.
    pub charge_at: Instant,
    /// Not charged above this.
    pub at_most: Money,
    /// Not charged to any other method.
    pub payment_methods: Vec<PaymentMethodId>,
    /// Not charged after this: a rail wants another announcement by then.
    #[serde(default)]
    pub lapses_at: Option<Instant>,
}
