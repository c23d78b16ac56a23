//! Webhooks: what happened, told to the caller's endpoint until it says 2xx.
//!
//! Place in the flow: the provider's state holds what is not yet acknowledged, so a restart loses
//! nothing; this loop delivers the oldest first and journals the acknowledgement. A webhook carries
//! no amounts and proves nothing: whoever receives one looks the payment up.

use super::provider::Request as ToProvider;
use super::provider::records::Webhook;
use super::{Request, Sandbox, WEBHOOK_SECRET};
use crate::outbound::Outbound;
use crate::secret::hmac_hex;
use std::time::Duration;

/// The pause after a failed delivery, doubled each time up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Delivers for ever.
pub(super) async fn deliver(sandbox: Sandbox) {
    let client = Outbound::new(Duration::from_secs(10));
    let mut pause = FIRST_PAUSE;
    loop {
        let next = sandbox.look(|state| {
            let (url, pending) = state.provider.outstanding();
            Some((url?.to_owned(), pending.first()?.clone()))
        });
        let Some((url, webhook)) = next else {
            sandbox.told.notified().await;
            continue;
        };
        if send(&sandbox, &client, &url, &webhook).await {
            let acknowledge = ToProvider::Acknowledge { event: webhook.id };
            let _ = sandbox.take(Request::Provider(acknowledge), None).await;
            pause = FIRST_PAUSE;
        } else {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

async fn send(sandbox: &Sandbox, client: &Outbound, url: &str, webhook: &Webhook) -> bool {
    let body = serde_json::to_vec(webhook).unwrap_or_default();
    let signature = sign(&body, sandbox.wall() / 1_000_000);
    let headers = [("content-type", "application/json"), ("laika-signature", signature.as_str())];
    matches!(client.send("POST", url, &headers, body).await, Ok(a) if a.status / 100 == 2)
}

/// The signature header: `t=<unix seconds>,v1=<HMAC-SHA-256 of "t.body">`.
fn sign(body: &[u8], t: i64) -> String {
    let signed = [t.to_string().as_bytes(), b".", body].concat();
    format!("t={t},v1={}", hmac_hex(WEBHOOK_SECRET, &signed))
}
