//! The carrier as the flow sees it: it gives a line data or credit, once per key.
//!
//! Place in the flow: `flow/perform` calls it after a capture, never inside a database transaction.
//! A failure that cannot be trusted is unknown, and is looked up by key.

use crate::{
    gateway::{Failure, refusal, send},
    outbound::{NoAnswer, Outbound},
    sandbox::carrier::{NextTopUp, TopUp},
};
use laika_core::{
    id::{IdempotencyKey, RechargeId},
    money::Money,
    rule::Adds,
    time::Instant,
};
use serde_json::{Value, json};

/// The carriers there are.
#[derive(Clone, Debug)]
pub enum Carrier {
    /// Our own test carrier: no real network.
    Sandbox(SandboxCarrier),
}

/// Where the sandbox is, and the server's time for it.
#[derive(Clone, Debug)]
pub struct SandboxCarrier {
    client: Outbound,
    origin: String,
    now: Instant,
}

impl Carrier {
    /// Gives a line what a recharge adds; the carrier's name for the top-up.
    pub async fn top_up(
        &self,
        key: &IdempotencyKey,
        iccid: &str,
        recharge_id: &RechargeId,
        price: Money,
        adds: &Adds,
    ) -> Result<String, Failure> {
        let Carrier::Sandbox(sandbox) = self;
        let body = json!({
            "iccid": iccid,
            "data_bytes": adds.bytes().to_i64(),
            "credit_minor": adds.credit_minor(),
            "currency": price.currency,
            "metadata": { "recharge_id": recharge_id },
        });
        let path = "/top-ups";
        let top_up: Option<TopUp> = sandbox.ask("POST", path, Some(key.as_str()), body).await?;
        top_up.map(|top_up| top_up.id).ok_or(Failure::Refused { code: "not_found".to_owned() })
    }

    /// Scripts the line's next top-up, where the carrier is a sandbox.
    pub async fn script(&self, iccid: &str, next: NextTopUp) -> Result<(), Failure> {
        let Carrier::Sandbox(sandbox) = self;
        let path = format!("/lines/{iccid}/next-top-up");
        let _: Option<Value> = sandbox.ask("PUT", &path, None, json!({ "next": next })).await?;
        Ok(())
    }

    /// The top-up under a key, if there is one.
    pub async fn find(&self, key: &IdempotencyKey) -> Result<Option<String>, Failure> {
        let Carrier::Sandbox(sandbox) = self;
        let path = format!("/top-ups?key={key}");
        let top_up: Option<TopUp> = sandbox.ask("GET", &path, None, Value::Null).await?;
        Ok(top_up.map(|top_up| top_up.id))
    }
}

impl SandboxCarrier {
    /// The sandbox at an origin; `now` is the server's time, which the sandbox follows.
    pub fn new(client: Outbound, origin: String, now: Instant) -> SandboxCarrier {
        SandboxCarrier { client, origin, now }
    }

    /// The answer; nothing when the carrier definitely has none.
    async fn ask<T: serde::de::DeserializeOwned>(
        &self,
        method: &str,
        path: &str,
        key: Option<&str>,
        body: Value,
    ) -> Result<Option<T>, Failure> {
        let url = format!("{}/carrier/v1{path}", self.origin);
        let answered = send(&self.client, self.now, method, &url, key, &body).await?;
        match answered.status {
            200..=299 => Ok(Some(answered.json()?)),
            404 => match refusal(&answered) {
                Failure::Refused { .. } => Ok(None),
                unknown @ Failure::Unknown(NoAnswer { .. }) => Err(unknown),
            },
            _ => Err(refusal(&answered)),
        }
    }
}
