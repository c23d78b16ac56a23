//! What monitoring reads: counts of what this process did, and figures of the database at the
//! moment it asks, in the text format of Prometheus. Labels come from fixed sets (a status, an
//! outcome, a route's pattern), so they name no customer, no line and no recharge.
//!
//! Place in the flow: whoever does something counts it here after its commit. It decides nothing,
//! and nothing waits for it.

use crate::{
    Shared,
    clock::APART_MOST,
    error::{Error, Result},
    flow::{check_books, handle_usage::Receipt},
    listen,
    store::{cases, figures, leases, returns, settings, violations},
};
use axum::{Router, extract::State, http::header, response::IntoResponse, routing::get};
use laika_core::{
    recharge::{Fact, Recharge},
    time::{Instant, Span},
};
use prometheus_client::{
    encoding::text::encode,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};
use std::time::Duration;
use tokio::{net::TcpListener, time::timeout};

/// A job that nobody has begun for so long, though it is due, is late.
const LATE: Span = Span::minutes(1);
/// How far back recharges are counted by status.
const LAST_DAY: Span = Span::hours(24);
/// How long a scrape waits for the database.
const PATIENCE: Duration = Duration::from_secs(5);
/// In seconds: from a page out of memory to what a person gives up on.
const BUCKETS: [f64; 13] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// One label, its value from a fixed set.
type One = [(&'static str, &'static str); 1];
/// Labels of a request; the route is a pattern of the router.
type OfRequest = [(&'static str, String); 3];

/// The route alone.
type OfRoute = [(&'static str, String); 1];

/// Everything that is counted.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<OfRequest, Counter>,
    seconds: Family<OfRoute, Histogram, fn() -> Histogram>,
    usage_rows: Family<One, Counter>,
    usage_refused: Counter,
    attempts: Family<One, Counter>,
    held_by_clock: Family<One, Counter>,
    webhooks: Family<One, Counter>,
    database_errors: Family<One, Counter>,
    usage_waiting: Gauge,
    recharges_open: Family<One, Gauge>,
    recharges_last_day: Family<One, Gauge>,
    unknown_age: Gauge,
    jobs: Family<One, Gauge>,
    stopped: Gauge,
    cases: Family<One, Gauge>,
    disputes_open: Gauge,
    books_age: Gauge,
    audit_violations: Gauge,
    audit_age: Gauge,
    look_age: Gauge,
    database_up: Gauge,
}

impl Default for Metrics {
    fn default() -> Metrics {
        let histogram: fn() -> Histogram = || Histogram::new(BUCKETS);
        let mut metrics = Metrics {
            registry: Registry::with_prefix("laika"),
            requests: Family::default(),
            seconds: Family::new_with_constructor(histogram),
            usage_rows: Family::default(),
            usage_refused: Counter::default(),
            attempts: Family::default(),
            held_by_clock: Family::default(),
            webhooks: Family::default(),
            database_errors: Family::default(),
            usage_waiting: Gauge::default(),
            recharges_open: Family::default(),
            recharges_last_day: Family::default(),
            unknown_age: Gauge::default(),
            jobs: Family::default(),
            stopped: Gauge::default(),
            cases: Family::default(),
            disputes_open: Gauge::default(),
            books_age: Gauge::default(),
            audit_violations: Gauge::default(),
            audit_age: Gauge::default(),
            look_age: Gauge::default(),
            database_up: Gauge::default(),
        };
        metrics.register_counts();
        metrics.register_figures();
        metrics
    }
}

impl Metrics {
    fn register_counts(&mut self) {
        let all = &mut self.registry;
        all.register("http_requests", "Requests answered", self.requests.clone());
        all.register("http_request_seconds", "Time to the answer", self.seconds.clone());
        all.register("usage_rows", "Rows of usage by what became of them", self.usage_rows.clone());
        let words = "Requests of usage refused because too much waited";
        all.register("usage_refused", words, self.usage_refused.clone());
        all.register("attempts", "Payment attempts by what was heard", self.attempts.clone());
        let words = "Charges put off because a clock was too far from ours, by whose it was";
        all.register("charges_held_by_clock", words, self.held_by_clock.clone());
        all.register("webhooks", "Webhooks by what became of them", self.webhooks.clone());
        let words = "Statements that the database refused";
        all.register("database_errors", words, self.database_errors.clone());
    }

    fn register_figures(&mut self) {
        let all = &mut self.registry;
        all.register("usage_rows_waiting", "Rows in the queue", self.usage_waiting.clone());
        let words = "Recharges that have not ended, by status";
        all.register("recharges_open", words, self.recharges_open.clone());
        let words = "Recharges opened in the last 24 hours, by status";
        all.register("recharges_last_day", words, self.recharges_last_day.clone());
        let words =
            "Age of the oldest recharge whose payment or delivery is unknown, 0 without one";
        all.register("unknown_oldest_seconds", words, self.unknown_age.clone());
        let words = "Jobs that nobody does though they are due, and those of them late by a minute";
        all.register("jobs", words, self.jobs.clone());
        all.register("charging_stopped", "1 while the kill switch is on", self.stopped.clone());
        all.register("cases", "Differences that are not settled, by status", self.cases.clone());
        let words = "Disputes about charges that are open";
        all.register("disputes_open", words, self.disputes_open.clone());
        let words =
            "Time since the nightly check of the books last came to its end, -1 before it did";
        all.register("books_age_seconds", words, self.books_age.clone());
        let words = "What the auditor found that must not be, and that is still there";
        all.register("audit_violations", words, self.audit_violations.clone());
        let words = "Time since the auditor last had looked at every line, -1 before it had";
        all.register("audit_age_seconds", words, self.audit_age.clone());
        let words = "Time since the worker last looked for jobs";
        all.register("worker_look_age_seconds", words, self.look_age.clone());
        let words = "1 when the figures that come from the database are of this scrape";
        all.register("database_up", words, self.database_up.clone());
    }

    /// A request was answered.
    pub fn answered(&self, method: &'static str, route: &str, status: u16, seconds: f64) {
        let labels = [
            ("method", method.to_owned()),
            ("route", route.to_owned()),
            ("status", status.to_string()),
        ];
        self.requests.get_or_create(&labels).inc();
        self.seconds.get_or_create(&[("route", route.to_owned())]).observe(seconds);
    }

    /// Rows of usage were counted, or not.
    pub fn usage(&self, receipt: &Receipt) {
        for (result, rows) in [
            ("accepted", receipt.accepted),
            ("duplicate", receipt.duplicate),
            ("rejected", receipt.rejected.len()),
        ] {
            let rows = u64::try_from(rows).unwrap_or(u64::MAX);
            self.usage_rows.get_or_create(&[("result", result)]).inc_by(rows);
        }
    }

    /// A request of usage was turned away: too much waited.
    pub fn usage_refused(&self) {
        self.usage_refused.inc();
    }

    /// A fact about an attempt was taken in; `before` and `after` are the recharge's.
    pub fn heard(&self, fact: &Fact, facts_before: usize, after: &Recharge) {
        // Why: a fact that changes nothing is heard by webhook, answer and look-up; it counts once.
        if after.facts.len() > facts_before
            && let Some(outcome) = outcome(fact)
        {
            self.attempts.get_or_create(&[("outcome", outcome)]).inc();
        }
    }

    /// A charge is put off: this clock is too far from ours.
    pub fn held_by_clock(&self, whose: &'static str) {
        self.held_by_clock.get_or_create(&[("whose", whose)]).inc();
    }

    /// What became of a webhook.
    pub fn webhook(&self, result: &'static str) {
        self.webhooks.get_or_create(&[("result", result)]).inc();
    }

    /// Something failed; it is counted where the database was the reason.
    pub fn failed(&self, error: &Error) {
        let kind = match error {
            Error::Store(_) | Error::Raced if error.is_transient() => "transient",
            Error::Store(_) | Error::Away(_) if error.is_away() => "no_connection",
            Error::Store(sqlx::Error::Database(_)) => "refused",
            Error::Store(_) | Error::Away(_) => "other",
            Error::Raced | Error::Problem(_) | Error::Internal(_) => return,
        };
        self.database_errors.get_or_create(&[("kind", kind)]).inc();
    }

    /// The text of a scrape. The figures of the database are left as they were when it does not
    /// answer, and `laika_database_up` says so.
    pub(crate) async fn text(&self, app: &Shared) -> Result<String> {
        let waiting = i64::try_from(app.usage.waiting()).unwrap_or(i64::MAX);
        self.usage_waiting.set(waiting);
        self.look_age.set(app.health.look_age(&app.clock).0 / 1_000_000);
        let read = timeout(PATIENCE, self.read(app)).await;
        self.database_up.set(i64::from(matches!(read, Ok(Ok(())))));
        let mut text = String::new();
        encode(&mut text, &self.registry).map_err(|error| Error::internal(error.to_string()))?;
        Ok(text)
    }

    async fn read(&self, app: &Shared) -> Result<()> {
        let (now, wall) = (app.clock.now(), app.clock.wall());
        let mut conn = app.store.read().await?;
        for (status, count) in figures::recharges_open(&mut conn).await? {
            self.recharges_open.get_or_create(&[("status", status)]).set(count);
        }
        for (status, count) in figures::recharges_since(&mut conn, now.minus(LAST_DAY)).await? {
            self.recharges_last_day.get_or_create(&[("status", status)]).set(count);
        }
        let oldest = figures::unknown_since(&mut conn).await?;
        self.unknown_age.set(oldest.map_or(0, |at| now.since(at).0.max(0) / 1_000_000));
        let (due, late) = figures::jobs_due(&mut conn, now, now.minus(LATE), wall).await?;
        self.jobs.get_or_create(&[("state", "due")]).set(due);
        self.jobs.get_or_create(&[("state", "late")]).set(late);
        let (open, refunding) = cases::counts(&mut conn).await?;
        self.cases.get_or_create(&[("status", "open")]).set(open);
        self.cases.get_or_create(&[("status", "refunding")]).set(refunding);
        self.disputes_open.set(returns::count_disputes_open(&mut conn).await?);
        let checked = leases::done_at(&mut conn, check_books::LEASE, now).await?;
        self.books_age.set(age_s(checked, now));
        self.audit_violations.set(violations::count(&mut conn).await?);
        let whole_at = violations::pass(&mut conn).await?.whole_at;
        self.audit_age.set(age_s(whole_at, now));
        self.stopped.set(i64::from(settings::charging_stopped(&mut conn).await?));
        Ok(())
    }
}

/// How long ago something was last done; -1 where it never was. What a wrong clock says was done in
/// the future never was: a 0 would hide it for as long.
fn age_s(at: Option<Instant>, now: Instant) -> i64 {
    let at = at.filter(|at| *at <= now.plus(APART_MOST));
    at.map_or(-1, |at| now.since(at).0.max(0) / 1_000_000)
}

/// What a fact says of an attempt; nothing when it is about something else.
fn outcome(fact: &Fact) -> Option<&'static str> {
    Some(match fact {
        Fact::Submitted { .. } => "submitted",
        Fact::Withdrawn { .. } => "withdrawn",
        Fact::Captured { .. } => "captured",
        Fact::Declined { hard: false, .. } => "declined_soft",
        Fact::Declined { hard: true, .. } => "declined_hard",
        Fact::ActionRequired { .. } => "action_required",
        Fact::Unanswered { .. } => "unanswered",
        Fact::NotFound { .. } => "not_found",
        Fact::PaymentCancelled { .. } => "cancelled",
        Fact::Refunded { .. } => "refunded",
        Fact::Stopped
        | Fact::Delivered { .. }
        | Fact::NotDelivered
        | Fact::TopUpNotFound
        | Fact::DeliveryUnanswered
        | Fact::RefundUnanswered { .. } => return None,
    })
}

/// Serves the metrics, and nothing else, until the process stops.
pub async fn serve(app: Shared, listener: TcpListener) {
    let router = Router::new().route("/metrics", get(show)).with_state(app.clone());
    listen::serve(listener, router, async move { app.stopping().await }).await;
}

async fn show(State(app): State<Shared>) -> axum::response::Response {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    match app.metrics.text(&app).await {
        Ok(text) => ([(header::CONTENT_TYPE, kind)], text).into_response(),
        Err(error) => crate::error::render(error.into_response(), "metrics"),
    }
}
