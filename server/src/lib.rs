//! The server: HTTP API, store, worker, command line, and the embedded app.
//!
//! Reading order: [`config`] [`clock`] [`error`] are what everything takes; [`store`] keeps;
//! [`api`] is the list of endpoints; `flow` holds the use cases, one file each; `worker` claims
//! due jobs and runs `flow::perform`, the one match from effects to adapters. Every rule of money
//! is in `laika-core`; this crate only feeds it and keeps what it answers.

pub mod api;
pub mod carrier;
pub mod cli;
pub mod clock;
pub mod config;
pub mod error;
pub mod fault;
pub mod flow;
pub mod gateway;
pub mod health;
pub mod listen;
pub mod live;
pub mod messenger;
pub mod metrics;
pub mod outbound;
pub mod password;
pub mod sandbox;
pub mod secret;
pub mod signing;
pub mod store;
pub mod worker;
pub mod zones;

#[cfg(test)]
mod simulator;

use axum::http::StatusCode;
use carrier::{Carrier, HttpCarrier, SandboxCarrier};
use clock::Clock;
use config::Config;
use gateway::{Gateway, SandboxGateway, StripeGateway};
use laika_core::time::Instant;
use outbound::Outbound;
use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};
use store::Store;
use tokio::sync::{Notify, watch};

/// How long an answer from another machine is waited for: less than a job's lease.
const PATIENCE: Duration = Duration::from_secs(15);

/// The brand's name.
pub const BRAND: &str = "Laika";

/// What every handler and every job shares.
#[derive(Debug)]
pub struct App {
    /// Read once at start.
    pub config: Config,
    /// The time.
    pub clock: Clock,
    /// What the gateway said of its own time.
    pub gateway_clock: Arc<clock::Theirs>,
    /// The database.
    pub store: Store,
    /// Rung after a commit that changed an account, so that its listeners need not wait for the
    /// next poll.
    pub changed: Notify,
    /// Who listens for that.
    pub live: live::Live,
    /// Rung after a commit that made a job due now, so that the worker need not wait either.
    pub jobs_due: Notify,
    /// Rung after a commit that enqueued a message.
    pub messages_due: Notify,
    /// This process's name among the servers of the database; see [`App::node`].
    pub node: OnceLock<String>,
    /// What is known of how this process does.
    pub health: health::Health,
    /// What monitoring reads.
    pub metrics: metrics::Metrics,
    /// Usage that waits to be counted.
    pub usage: flow::ingest::Ingest,
    /// Origin of the running sandbox provider; set once, when it is known.
    pub sandbox: OnceLock<String>,
    /// Our own origin, where customers and webhooks come back to; set once, when it is known.
    pub origin: OnceLock<String>,
    /// The client for other machines.
    pub outbound: Outbound,
    /// Hashes and compares passwords, a few at a time.
    pub passwords: password::Passwords,
    /// Turns true once, when the process should end.
    pub stop: watch::Sender<bool>,
}

/// How everything is handed on.
pub type Shared = Arc<App>;

impl App {
    /// Opens the store and makes the shared state; nothing runs yet.
    pub async fn open(config: Config, clock: Clock) -> error::Result<Shared> {
        let store = Store::open(&config.database).await?;
        App::over(config, clock, store, Outbound::new(PATIENCE)).await
    }

    /// The time in which leases and turns are counted: the database's, where it has one, as each
    /// server's own may be wrong, and one that is would keep the others from what it held.
    pub async fn time_of_leases(&self, conn: &mut store::Conn) -> error::Result<Instant> {
        let wall = self.clock.wall();
        match self.clock.is_virtual() {
            true => Ok(wall),
            false => Ok(self.store.dialect.clock(conn).await?.unwrap_or(wall)),
        }
    }

    /// The shared state over an open store: what a process knows when it starts.
    pub async fn over(
        config: Config,
        clock: Clock,
        store: Store,
        outbound: Outbound,
    ) -> error::Result<Shared> {
        let mut conn = store.read().await?;
        clock.set_offset(store::settings::sandbox_offset(&mut conn).await?);
        if let Some(newest) = store::lines::newest_at(&mut conn).await? {
            clock.not_before(newest);
        }
        drop(conn);
        Ok(Arc::new(App {
            config,
            clock,
            gateway_clock: Default::default(),
            store,
            changed: Notify::new(),
            live: Default::default(),
            jobs_due: Notify::new(),
            messages_due: Notify::new(),
            node: OnceLock::new(),
            health: Default::default(),
            metrics: Default::default(),
            usage: Default::default(),
            sandbox: OnceLock::new(),
            origin: OnceLock::new(),
            outbound,
            passwords: Default::default(),
            stop: watch::Sender::new(false),
        }))
    }

    /// This process's name among the servers of the database: that of its place, where it listens
    /// in one, so that its next life knows what it held; otherwise one of its own.
    pub fn node(&self) -> &str {
        self.node.get_or_init(|| secret::id("node"))
    }

    /// Origin of the sandbox provider, while one runs.
    pub fn sandbox_origin(&self) -> Option<String> {
        self.sandbox.get().cloned()
    }

    /// Our own origin.
    pub fn own_origin(&self) -> &str {
        self.origin.get().map_or("http://localhost:8080", String::as_str)
    }

    /// The payment gateway. *Errors*: 503 `no_gateway` when none runs.
    pub fn gateway(&self) -> error::Result<Gateway> {
        let (client, theirs) = (self.outbound.clone(), Arc::clone(&self.gateway_clock));
        if let Some(stripe) = &self.config.stripe {
            return Ok(Gateway::Stripe(StripeGateway::new(client, stripe, &self.clock, theirs)));
        }
        let origin = self.sandbox_or_error()?;
        Ok(Gateway::Sandbox(SandboxGateway::new(client, origin, &self.clock, theirs)))
    }

    /// The carrier. *Errors*: 503 `no_gateway` when none runs.
    pub fn carrier(&self) -> error::Result<Carrier> {
        let client = self.outbound.clone();
        if let Some(config::Carrier { url, secret }) = &self.config.carrier {
            let (url, secret) = (url.clone(), secret.clone());
            return Ok(Carrier::Http(HttpCarrier::new(client, url, secret, &self.clock)));
        }
        let origin = self.sandbox_or_error()?;
        Ok(Carrier::Sandbox(SandboxCarrier::new(client, &origin, &self.clock)))
    }

    fn sandbox_or_error(&self) -> error::Result<String> {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        let words = "No payment provider is connected at the moment.";
        self.sandbox_origin().ok_or_else(|| error::Error::problem(status, "no_gateway", words))
    }

    /// Resolves when the process should end.
    pub async fn stopping(&self) {
        let mut stop = self.stop.subscribe();
        // The sender lives in `self`, so waiting cannot fail.
        let _ = stop.wait_for(|stop| *stop).await;
    }
}
