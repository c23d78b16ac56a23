//! Requests to other machines: one JSON client over hyper, for gateways, carriers and webhooks.
//!
//! Place in the flow: only adapters call it, never inside a database transaction. What comes back
//! is an answer or [`NoAnswer`]: after a request was sent, "no answer" means *unknown*, never "no".
//! It never follows redirects and never repeats a request that was written to the wire.

use crate::{clock, sandbox::InProcess};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use laika_core::time::{Instant, Span};
use serde::de::DeserializeOwned;
use std::time::Duration;

/// Whoever sends more than this is not one of ours.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// The client: cheap to clone, one connection pool.
#[derive(Clone, Debug)]
pub struct Outbound {
    wire: Wire,
    patience: Duration,
}

/// How a request travels.
#[derive(Clone, Debug)]
enum Wire {
    /// Over the network.
    Http(Client<HttpsConnector<HttpConnector>, Full<Bytes>>),
    /// To a sandbox in this process, through the same router and the same JSON.
    InProcess(InProcess),
}

/// No answer, or half of one: whether the other side acted is not known.
#[derive(Debug)]
pub struct NoAnswer {
    /// For the log.
    pub why: String,
    /// True when nothing can have happened: not even a connection was made, or the other side
    /// turned the request away unread.
    pub never_sent: bool,
    /// How long the other side wants to be left alone, where it says so.
    pub retry_after: Option<Span>,
}

impl NoAnswer {
    /// Whether the other side acted is not known.
    pub fn unknown(why: impl Into<String>) -> NoAnswer {
        NoAnswer { why: why.into(), never_sent: false, retry_after: None }
    }

    /// The other side did not even hear of it.
    pub fn never_sent(why: impl Into<String>) -> NoAnswer {
        NoAnswer { why: why.into(), never_sent: true, retry_after: None }
    }
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The HTTP status.
    pub status: u16,
    /// The other side's time, where it says so.
    pub told_at: Option<Instant>,
    /// `Retry-After`, where it is in seconds.
    pub retry_after: Option<Span>,
    /// The whole body.
    pub body: Bytes,
}

impl Answered {
    /// The body as JSON; a body that cannot be read is no answer.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, NoAnswer> {
        serde_json::from_slice(&self.body).map_err(|error| {
            NoAnswer::unknown(format!("status {}, unreadable body: {error}", self.status))
        })
    }
}

impl Outbound {
    /// A client that waits this long for a whole answer.
    pub fn new(patience: Duration) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(patience.min(Duration::from_secs(5))));
        connector.set_nodelay(true);
        // Why: the address says which; whoever holds a secret sees to it that it says `https`.
        connector.enforce_http(false);
        let connector = HttpsConnectorBuilder::new()
            .with_webpki_roots()
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(20))
            .build(connector);
        Self { wire: Wire::Http(client), patience }
    }

    /// A client of a sandbox in this process: no socket, no waiting, the same answers.
    pub fn in_process(sandbox: InProcess) -> Self {
        Self { wire: Wire::InProcess(sandbox), patience: Duration::ZERO }
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
            .map_err(|error| NoAnswer::never_sent(error.to_string()))?;
        let client = match &self.wire {
            Wire::Http(client) => client,
            Wire::InProcess(sandbox) => return sandbox.send(request).await,
        };
        let exchange = async {
            let response = client.request(request).await.map_err(|error| NoAnswer {
                never_sent: error.is_connect(),
                ..NoAnswer::unknown(format!("{url}: {error}"))
            })?;
            let status = response.status().as_u16();
            let date = response.headers().get(hyper::header::DATE);
            let told_at = date.and_then(|date| clock::of_header(date.to_str().ok()?));
            let wait = response.headers().get(hyper::header::RETRY_AFTER);
            let wait = wait.and_then(|wait| wait.to_str().ok()?.trim().parse::<u32>().ok());
            let retry_after = wait.map(|seconds| Span::seconds(i64::from(seconds)));
            let body = Limited::new(response.into_body(), MOST_BYTES).collect().await;
            let half = |error| NoAnswer::unknown(format!("{url}: half an answer: {error}"));
            let body = body.map_err(half)?.to_bytes();
            Ok(Answered { status, told_at, retry_after, body })
        };
        let too_late = |_| NoAnswer::unknown(format!("{url}: no answer in time"));
        tokio::time::timeout(self.patience, exchange).await.unwrap_or_else(|e| Err(too_late(e)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::{io::AsyncReadExt, net::TcpListener};

    #[tokio::test]
    async fn over_https_nothing_is_said_in_the_clear() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("https://localhost:{}", listener.local_addr().expect("bound").port());
        let heard = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let mut heard = vec![0; 4096];
            let read = stream.read(&mut heard).await.expect("a greeting");
            heard.truncate(read);
            heard
        });
        let headers = [("authorization", "Bearer secret")];
        let sent = Outbound::new(Duration::from_secs(5)).send("GET", &url, &headers, vec![]).await;
        assert!(sent.expect_err("nobody there speaks TLS").never_sent);
        let heard = heard.await.expect("heard");
        // Why 22: how a TLS handshake begins.
        assert_eq!(heard.first(), Some(&22));
        assert!(!heard.windows(6).any(|part| part == b"secret"));
    }
}
