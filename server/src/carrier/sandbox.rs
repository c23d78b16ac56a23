//! The sandbox's carrier: the same contract, by the same client, which also tells it the server's
//! time; and how its next top-up ends can be scripted.

use super::HttpCarrier;
use crate::{
    clock::Clock,
    config::Secret,
    gateway::Failure,
    outbound::Outbound,
    sandbox::{API_KEY, carrier::NextTopUp},
};
use serde_json::{Value, json};

/// Where the sandbox is, and the server's time for it.
#[derive(Clone, Debug)]
pub struct SandboxCarrier(HttpCarrier);

impl SandboxCarrier {
    /// The sandbox at an origin. It follows the rules' time.
    pub fn new(client: Outbound, origin: &str, clock: &Clock) -> SandboxCarrier {
        let base_url = format!("{origin}/carrier/v1");
        let secret = Secret::new(API_KEY);
        SandboxCarrier(HttpCarrier::following(client, base_url, secret, clock.now()))
    }

    /// Scripts the line's next top-up.
    pub async fn script(&self, iccid: &str, next: NextTopUp) -> Result<(), Failure> {
        let path = format!("/lines/{iccid}/next-top-up");
        let _: Value = self.0.ask("PUT", &path, None, &json!({ "next": next })).await?;
        Ok(())
    }

    pub(super) fn contract(&self) -> &HttpCarrier {
        &self.0
    }
}
