//! The sandbox: a payment provider and a carrier, whole, durable, and without real money.
//!
//! Place in the flow: an operator's test mode. `laika sandbox` runs it as a process of its own;
//! `laika serve` runs the same router inside itself. The server reaches it only over HTTP, as it
//! would reach a real provider. Reading order: `cards` (what a test number does), `provider` and
//! `carrier` (pure state machines), `journal` (requests -> disk -> state), `http` (the two faces'
//! shared router), `pages` (hosted card entry and the bank's page), `webhooks`.
//! It never stores or prints a card number, and says on every page that it is a sandbox.

pub mod cards;
pub mod carrier;
pub mod http;
pub(crate) mod in_process;
pub mod journal;
mod listen;
mod pages;
pub mod provider;
pub mod seal;
mod start;
#[cfg(test)]
mod tests;
mod webhooks;
mod words;

pub use in_process::InProcess;
pub use listen::{Sandbox, open, serve};
pub use start::{alone, answers_at, start};

use cards::Decline;
use provider::records::Transport;
use seal::Seal;
use serde::{Deserialize, Serialize};

/// The bearer key between the server and its sandbox. Public on purpose: it guards no money.
pub const API_KEY: &str = "sandbox-key-no-real-money";
/// What the sandbox signs its webhooks with. Public on purpose, as above: a webhook only makes the
/// server look a payment up.
pub const WEBHOOK_SECRET: &str = "sandbox-webhook-secret-no-real-money";
/// What `/identity` answers under `laika_sandbox`, so that `serve` knows a running sandbox.
pub const IDENTITY: &str = "1";
/// The header by which the server's clock, moved forward by "let time pass", reaches the sandbox.
pub const NOW_HEADER: &str = "laika-sandbox-now";
/// Twenty-four hours in microseconds.
pub const DAY: i64 = 24 * 60 * 60 * 1_000_000;

/// One journaled request: to one of the two machines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// To the payment provider.
    Provider(provider::Request),
    /// To the carrier.
    Carrier(carrier::Request),
}

/// A definite no, as a problem.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// A stable code.
    pub code: String,
    /// For a developer to read.
    pub detail: String,
    /// The bank's reason, where a bank refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decline: Option<Decline>,
}

/// What a machine says, and how it travels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply<A> {
    /// The answer.
    pub answer: Result<A, Refusal>,
    /// Whether it arrives, and when.
    pub transport: Transport,
}

/// Ids that cannot be guessed and come out the same when the journal is replayed.
pub struct Ids {
    seal: Seal,
    made: u64,
}

impl Ids {
    /// The ids of a seal, from the first.
    pub fn new(seal: Seal) -> Self {
        Self { seal, made: 0 }
    }

    /// The next id, for example `pay_6f…`.
    pub fn next(&mut self, prefix: &str) -> String {
        self.made += 1;
        format!("{prefix}_{}", &self.seal.hash("id", &self.made.to_string())[..24])
    }
}

/// Both machines over one row of ids and one time that never goes back.
pub struct State {
    ids: Ids,
    /// The newest instant any request was taken at.
    pub now: i64,
    /// The payment provider.
    pub provider: provider::Provider,
    /// The carrier.
    pub carrier: carrier::Carrier,
}

/// An answer of either machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
#[allow(clippy::large_enum_variant, reason = "one answer exists at a time")]
pub enum Answer {
    /// The payment provider's.
    Provider(provider::Answer),
    /// The carrier's.
    Carrier(carrier::Answer),
}

impl State {
    /// Both machines, empty.
    pub fn new(seal: Seal) -> Self {
        Self {
            ids: Ids::new(seal),
            now: 0,
            provider: provider::Provider::default(),
            carrier: carrier::Carrier::default(),
        }
    }

    /// The seal, for card entries.
    pub fn seal(&self) -> &Seal {
        &self.ids.seal
    }

    /// Takes one request at `now`, or at the newest instant seen if that is later.
    pub fn handle(&mut self, request: Request, now: i64) -> Reply<Answer> {
        self.now = self.now.max(now);
        match request {
            Request::Provider(request) => {
                let reply = self.provider.handle(request, self.now, &mut self.ids);
                Reply { answer: reply.answer.map(Answer::Provider), transport: reply.transport }
            }
            Request::Carrier(request) => {
                let reply = self.carrier.handle(request, self.now, &mut self.ids);
                Reply { answer: reply.answer.map(Answer::Carrier), transport: reply.transport }
            }
        }
    }
}

fn refused<T>(status: u16, code: &str, detail: &str) -> Result<T, Refusal> {
    Err(Refusal { status, code: code.to_owned(), detail: detail.to_owned(), decline: None })
}

/// Hosted pages send people back to an app on this machine and nowhere else; webhooks likewise.
pub(crate) fn on_this_machine(url: &str) -> bool {
    let hosts = ["http://localhost", "http://127.0.0.1"];
    let Some(rest) = hosts.iter().find_map(|host| url.strip_prefix(host)) else { return false };
    let rest = match rest.strip_prefix(':') {
        Some(rest) => rest.trim_start_matches(|c: char| c.is_ascii_digit()),
        None => rest,
    };
    (rest.is_empty() || rest.starts_with('/')) && url.bytes().all(|b| b.is_ascii_graphic())
}
