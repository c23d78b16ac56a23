//! The carrier as the flow sees it: it gives a line data or credit, once per key, and states what
//! it gave. There is one contract (`docs/carrier.md`) and one client for it, [`HttpCarrier`]; the
//! sandbox's carrier stands behind the same one, and adds what makes it a sandbox.
//!
//! Place in the flow: `flow/perform` calls it after a capture, never inside a database transaction;
//! the nightly comparison reads its statement. A failure that cannot be trusted is unknown, and is
//! looked up by key.

pub mod contract;
mod http;
mod sandbox;

use crate::gateway::Failure;
pub use http::HttpCarrier;
use laika_core::{
    bytes::Bytes,
    id::{IdempotencyKey, RechargeId},
    money::{Currency, Money},
    reconcile::{Statement, TopUp},
    rule::Adds,
    time::Instant,
};
pub use sandbox::SandboxCarrier;

/// The carriers there are.
#[derive(Clone, Debug)]
pub enum Carrier {
    /// Our own test carrier: no real network.
    Sandbox(SandboxCarrier),
    /// Whoever keeps the contract.
    Http(HttpCarrier),
}

/// A recharge's one top-up, to be asked for or looked up.
#[derive(Clone, Debug)]
pub struct Order<'a> {
    /// The top-up's key: the same one gives once.
    pub key: IdempotencyKey,
    /// The line's card number.
    pub iccid: &'a str,
    /// Which recharge it is for.
    pub recharge_id: &'a RechargeId,
    /// What the line's money is in.
    pub currency: Currency,
    /// What the line gets.
    pub adds: Adds,
}

/// All that a line was ever given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balance {
    /// Data.
    pub data: Bytes,
    /// Credit, one sum for each currency.
    pub credit: Vec<Money>,
    /// Up to when.
    pub as_of: Instant,
}

impl Carrier {
    /// Gives a line what a recharge adds; the top-up, which is what was ordered.
    pub async fn top_up(&self, order: &Order<'_>) -> Result<TopUp, Failure> {
        self.contract().top_up(order).await
    }

    /// The top-up under a key, if there is one. *Errors*: unknown, too, when it is not what was
    /// ordered: nothing follows from that but that somebody has to look.
    pub async fn find(&self, order: &Order<'_>) -> Result<Option<TopUp>, Failure> {
        self.contract().find(order).await
    }

    /// All that was ever given to a line.
    pub async fn balance(&self, iccid: &str) -> Result<Balance, Failure> {
        self.contract().balance(iccid).await
    }

    /// Everything given from an instant on, up to another and without it; every page.
    ///
    /// *Shape*: it may end before `until`, where the carrier cannot tell everything yet, and begin
    /// after `from`, where it does not know any more.
    pub async fn statement(
        &self,
        from: Instant,
        until: Instant,
    ) -> Result<Statement<TopUp>, Failure> {
        self.contract().statement(from, until).await
    }

    fn contract(&self) -> &HttpCarrier {
        match self {
            Carrier::Sandbox(sandbox) => sandbox.contract(),
            Carrier::Http(http) => http,
        }
    }
}
