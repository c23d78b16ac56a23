//! Whether this process can do its work: the database answers and can be written, its schema is the
//! one this binary knows, and the worker looks for jobs. It is asked from outside, so what was
//! found is good for a second: asking often costs nothing.

use crate::{
    Shared,
    clock::Clock,
    error::{Error, Result},
    store::{migrate, settings},
};
use axum::http::StatusCode;
use laika_core::time::{Instant, Span};
use serde_json::Value;
use std::{
    sync::atomic::{AtomicI64, Ordering::SeqCst},
    time::Duration,
};
use tokio::{sync::Mutex, time::timeout};

/// How long the database may take for next to nothing.
const PATIENCE: Duration = Duration::from_secs(3);
/// The worker looks twice a second; when it has not for so long, it is stuck or gone.
const LOOK_WITHIN: Span = Span::seconds(15);
/// How long an answer is good for.
const GOOD_FOR: Span = Span::seconds(1);

/// What is known of this process.
#[derive(Debug, Default)]
pub struct Health {
    /// When the worker last looked for jobs, by the machine's clock; 0 before it ever did.
    looked_at: AtomicI64,
    last: Mutex<Option<(Instant, Vec<&'static str>)>>,
}

impl Health {
    /// The worker has looked for jobs, and the database answered.
    pub fn looked(&self, clock: &Clock) {
        self.looked_at.store(clock.wall().micros(), SeqCst);
    }

    /// How long ago that was.
    pub fn look_age(&self, clock: &Clock) -> Span {
        clock.wall().since(Instant::from_micros(self.looked_at.load(SeqCst)))
    }
}

/// *Errors*: 503 `not_ready`, naming in `failing` what is: `database`, `migrations`, `worker`.
pub async fn ready(app: &Shared) -> Result<()> {
    let failing = failing(app).await;
    if failing.is_empty() {
        return Ok(());
    }
    let words = format!("This server cannot do its work: {}.", failing.join(", "));
    let problem = Error::problem(StatusCode::SERVICE_UNAVAILABLE, "not_ready", words);
    Err(problem.with("failing", failing.into_iter().map(Value::from).collect::<Vec<_>>()))
}

/// What keeps this process from its work, looked at no more than once a second.
async fn failing(app: &Shared) -> Vec<&'static str> {
    let mut last = app.health.last.lock().await;
    let wall = app.clock.wall();
    if let Some((at, known)) = &*last
        && wall.since(*at) >= Span(0)
        && wall.since(*at) < GOOD_FOR
    {
        return known.clone();
    }
    let mut failing = Vec::new();
    match timeout(PATIENCE, database(app)).await {
        Ok(Ok(true)) => {}
        Ok(Ok(false)) => failing.push("migrations"),
        Ok(Err(error)) => {
            tracing::warn!(%error, "not ready");
            failing.push("database");
        }
        Err(_) => failing.push("database"),
    }
    if app.health.look_age(&app.clock).0 > LOOK_WITHIN.0 {
        failing.push("worker");
    }
    // Why: when it was asked, not when it was answered, which may be seconds later.
    *last = Some((wall, failing.clone()));
    failing
}

/// Whether the schema is this binary's. *Errors*: the database does not answer, or takes no writes:
/// a standby, or a primary that was one.
async fn database(app: &Shared) -> Result<bool> {
    let standing = migrate::standing(&mut *app.store.read().await?).await?;
    let mut tx = app.store.write().await?;
    settings::touch(&mut tx).await?;
    tx.rollback().await?;
    Ok(standing == migrate::Standing::Current)
}

#[cfg(test)]
mod tests;
