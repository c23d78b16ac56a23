//! Requests to other machines: one JSON client over hyper, for gateways, carriers and webhooks.
//!
//! Place in the flow: only adapters call it, never inside a database transaction. What comes back
//! is an answer or [`NoAnswer`]: after a request was sent, "no answer" means *unknown*, never "no".
//! It never follows redirects and never repeats a request that was written to the wire.

use crate::clock;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use laika_core::time::Instant;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// Whoever sends more than this is not one of ours.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// The client: cheap to clone, one connection pool.
#[derive(Clone, Debug)]
pub struct Outbound {
    client: Client<HttpConnector, Full<Bytes>>,
    patience: Duration,
}

/// No answer, or half of one: whether the other side acted is not known.
#[derive(Debug)]
pub struct NoAnswer {
    /// For the log.
    pub why: String,
    /// True when not even a connection was made, so nothing can have happened.
    pub never_sent: bool,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The HTTP status.
    pub status: u16,
    /// The other side's time, where it says so.
    pub told_at: Option<Instant>,
    /// The whole body.
    pub body: Bytes,
}

impl Answered {
    /// The body as JSON; a body that cannot be read is no answer.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, NoAnswer> {
        serde_json::from_slice(&self.body).map_err(|error| NoAnswer {
            why: format!("status {}, unreadable body: {error}", self.status),
            never_sent: false,
        })
    }
}

impl Outbound {
    /// A client that waits this long for a whole answer.
    pub fn new(patience: Duration) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(patience.min(Duration::from_secs(5))));
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(20))
            .build(connector);
        Self { client, patience }
    }

    /// Sends one request and reads the whole answer.
    pub async fn send(
        &self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<Answered, NoAnswer> {
        let mut request = hyper::Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| NoAnswer { why: error.to_string(), never_sent: true })?;
        let exchange = async {
            let response = self.client.request(request).await.map_err(|error| NoAnswer {
                never_sent: error.is_connect(),
                why: format!("{url}: {error}"),
            })?;
            let status = response.status().as_u16();
            let date = response.headers().get(hyper::header::DATE);
            let told_at = date.and_then(|date| clock::of_header(date.to_str().ok()?));
            let body = Limited::new(response.into_body(), MOST_BYTES).collect().await;
            let body = body.map_err(|error| NoAnswer {
                why: format!("{url}: half an answer: {error}"),
                never_sent: false,
            })?;
            Ok(Answered { status, told_at, body: body.to_bytes() })
        };
        let too_late = |_| NoAnswer { why: format!("{url}: no answer in time"), never_sent: false };
        tokio::time::timeout(self.patience, exchange).await.unwrap_or_else(|e| Err(too_late(e)))
    }
}
