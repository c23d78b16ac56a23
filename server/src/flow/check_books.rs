//! The three-way reconciliation: our own record, the gateway's statement and the carrier's, held
//! against each other by core's `reconcile`, and what follows from each difference.
//!
//! Place in the flow: the worker runs it each night, on one process at a time, and an operator
//! whenever he likes. Our record is read some lines at a time, so only the rows of the two
//! statements are ever in memory as a whole. A statement that cannot be read is no statement:
//! nothing is concluded then. Doing it again, or twice at once, does nothing twice: a difference is
//! one case, and only the transaction that opens a case asks for its refund.

mod load;
mod rows;
mod seen;
mod settle;

use crate::{
    Shared,
    error::{Error, Result},
    fault::Kept,
    gateway::Failure,
    store::{
        cases::Case,
        leases::{self, Lease},
        lines::{self, Line},
    },
};
use laika_core::{
    reconcile::{
        Checked, Decisions, Payment, Reconciliation, Statement, SumTooLarge, TopUp, reconcile,
    },
    time::{Instant, Span},
    zone::{Zone, first_of_month},
};
use load::Loaded;
use rows::Rows;
use serde::Serialize;
use settle::Found;

pub use settle::Evidence;

/// Lines whose record is read at once.
const LINES: i64 = 200;
/// A month begins up to 14 hours earlier somewhere, and a recharge is sent again for 20 hours.
const BEFORE_MONTH: Span = Span::days(3);
/// The name of the lease of the nightly check.
pub const LEASE: &str = "check_books";
/// How long the lease lasts: far longer than some lines take.
const LASTS: Span = Span::minutes(10);
/// When the nightly check is due, after midnight UTC.
const NIGHT: Span = Span::hours(2);

/// A stretch of time to compare: from an instant on, up to another and without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Window {
    /// What was opened from here on is compared.
    pub from: Instant,
    /// What happened up to here.
    pub until: Instant,
}

impl Window {
    /// What each night looks at: everything since the month before this one began, so that each
    /// month's caps are checked as a whole at least once, whatever the account's zone.
    pub fn nightly(now: Instant) -> Window {
        let zone = Zone::utc();
        let this = zone.start_of_day(first_of_month(zone.date(now)));
        let before = first_of_month(zone.date(this.minus(Span::days(1))));
        Window { from: zone.start_of_day(before).minus(BEFORE_MONTH), until: now }
    }
}

/// The two statements that our record is held against.
#[derive(Clone, Debug)]
pub struct Statements {
    /// The gateway's.
    pub gateway: Statement<Payment>,
    /// The carrier's.
    pub carrier: Statement<TopUp>,
}

/// What came of a check.
#[derive(Debug)]
pub enum Outcome {
    /// Everything was compared.
    Done(Report),
    /// A statement could not be read: nothing was concluded.
    Unread {
        /// Whose: `gateway` or `carrier`.
        whose: &'static str,
        /// Why, for an operator.
        why: String,
    },
    /// Another process goes on with it.
    Lost,
}

/// What was compared, and what of it became a case.
#[derive(Debug, Serialize)]
pub struct Report {
    /// As of when: what is younger than 24 h was left for later.
    pub as_of: Instant,
    /// What was looked at.
    pub window: Window,
    /// What was compared, with sums.
    pub checked: Checked,
    /// The cases of the differences found, new and known.
    #[serde(skip)]
    pub cases: Vec<Case>,
    /// How many of them are new.
    pub new: usize,
}

/// Reads both statements and compares. With a lease, only as long as it is held.
pub async fn check_books(app: &Shared, window: Window, lease: Option<&Lease>) -> Result<Outcome> {
    // Why before anything is read: what changes from here on is left for the next time.
    let as_of = app.clock.now();
    let Window { from, until } = window;
    let unread = |whose, failure: Failure| {
        let why = failure.to_string();
        tracing::error!(whose, why, "a statement cannot be read; nothing is concluded");
        Outcome::Unread { whose, why }
    };
    let gateway = match app.gateway()?.statement(from, until).await {
        Ok(statement) => statement,
        Err(failure) => return Ok(unread("gateway", failure)),
    };
    let carrier = match app.carrier()?.statement(from, until).await {
        Ok(statement) => statement,
        Err(failure) => return Ok(unread("carrier", failure)),
    };
    check(app, window, &Statements { gateway, carrier }, as_of, lease).await
}

/// Compares our record with statements that were read after `as_of`.
pub async fn check(
    app: &Shared,
    window: Window,
    statements: &Statements,
    as_of: Instant,
    lease: Option<&Lease>,
) -> Result<Outcome> {
    let mut rows = Rows::new(statements);
    let mut report =
        Report { as_of, window, checked: Checked::default(), cases: Vec::new(), new: 0 };
    let mut after = (String::new(), String::new());
    loop {
        if !still_held(app, lease).await? {
            return Ok(Outcome::Lost);
        }
        let (lines, loaded) = {
            let mut snapshot = app.store.read().await?;
            let lines = lines::after(&mut snapshot, (&after.0, &after.1), LINES).await?;
            let loaded = load::of_lines(&mut snapshot, &lines, window, as_of).await?;
            (lines, loaded)
        };
        let Some(last) = lines.last() else { break };
        after = (last.account_id.to_string(), last.id.to_string());
        of_lines(app, statements, &mut rows, &lines, loaded, &mut report).await?;
    }
    rows.forget(&load::named(&mut *app.store.read().await?, rows.recharges()).await?);
    let none = Decisions::default();
    let (gateway, carrier) = rows.rest(statements);
    let found = compare(&none, &gateway, &carrier, as_of)?;
    keep(app, &[], &gateway, &carrier, found, &mut report).await?;
    Ok(Outcome::Done(report))
}

async fn still_held(app: &Shared, lease: Option<&Lease>) -> Result<bool> {
    let Some(lease) = lease else { return Ok(true) };
    let mut tx = app.store.write().await?;
    let wall = app.time_of_leases(&mut tx).await?;
    let held = leases::keep(&mut tx, lease, wall).await?;
    tx.commit_as(Kept::Lease).await?;
    Ok(held)
}

/// Compares some lines' recharges with the rows about them.
async fn of_lines(
    app: &Shared,
    statements: &Statements,
    rows: &mut Rows<'_>,
    lines: &[Line],
    loaded: Loaded,
    report: &mut Report,
) -> Result<()> {
    rows.forget(&loaded.aside);
    if loaded.decisions.recharges.is_empty() {
        return Ok(());
    }
    let (gateway, carrier) = rows.take(statements, &loaded.decisions);
    let found = compare(&loaded.decisions, &gateway, &carrier, report.as_of)?;
    keep(app, lines, &gateway, &carrier, found, report).await?;
    // Why last: what our record only now hears of is compared once it is a day old.
    seen::take_in_deliveries(app, lines, &loaded.decisions, &carrier).await?;
    seen::take_in(app, lines, &loaded.decisions, &gateway).await
}

fn compare(
    decisions: &Decisions,
    gateway: &Statement<Payment>,
    carrier: &Statement<TopUp>,
    as_of: Instant,
) -> Result<Reconciliation> {
    reconcile(decisions, gateway, carrier, as_of).map_err(too_large)
}

fn too_large(sum: SumTooLarge) -> Error {
    Error::internal(format!("a sum in {} is more than can be held", sum.currency.code()))
}

/// Makes a case of each difference, and adds up what was compared.
async fn keep(
    app: &Shared,
    lines: &[Line],
    gateway: &Statement<Payment>,
    carrier: &Statement<TopUp>,
    found: Reconciliation,
    report: &mut Report,
) -> Result<()> {
    report.checked = report.checked.clone().plus(&found.checked).map_err(too_large)?;
    for difference in found.differences {
        let line = lines.iter().find(|line| Some(&line.id) == difference.line_id.as_ref());
        let found = Found { difference, gateway, carrier, as_of: report.as_of };
        let (case, new) = settle::settle(app, line, &found).await?;
        report.new += usize::from(new);
        report.cases.push(case);
    }
    Ok(())
}

/// Checks what this night has to check, where it is due and no other process does it; what came of
/// it. Called often: it costs a look when nothing is due.
pub async fn nightly(app: &Shared) -> Result<Option<Outcome>> {
    let now = app.clock.now();
    let due_since = due_since(now);
    if leases::done_at(&mut *app.store.read().await?, LEASE, now).await? >= Some(due_since) {
        return Ok(None);
    }
    let mut tx = app.store.write().await?;
    let wall = app.time_of_leases(&mut tx).await?;
    let taken = leases::take(&mut tx, LEASE, (due_since, now), wall, LASTS).await?;
    tx.commit_as(Kept::Lease).await?;
    let Some(lease) = taken else { return Ok(None) };
    let outcome = check_books(app, Window::nightly(now), Some(&lease)).await;
    let done_at = match &outcome {
        Ok(Outcome::Done(report)) => Some(report.as_of),
        Ok(Outcome::Unread { .. } | Outcome::Lost) | Err(_) => None,
    };
    let mut tx = app.store.write().await?;
    leases::end(&mut tx, &lease, done_at).await?;
    tx.commit_as(Kept::Lease).await?;
    outcome.map(Some)
}

/// The last time at which a nightly check fell due.
fn due_since(now: Instant) -> Instant {
    let zone = Zone::utc();
    zone.start_of_day(zone.date(now.minus(NIGHT))).plus(NIGHT)
}
