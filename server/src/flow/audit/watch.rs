//! The auditor in production: a step a minute, on one process at a time. Each step looks at the
//! lines where money moves or moved a moment ago, and at some of all the others, so that every line
//! is looked at within a day; then at what is about no line, but for what only a look at whole
//! tables tells, which is left to `laika audit`.
//!
//! What is found is logged once and kept; it counts in `laika_audit_violations` until a later look
//! no longer finds it. Reads are snapshots of a few lines each, and a step that finds nothing new
//! writes one row. It mends nothing.

use super::{Report, Violation, beside, jobs_are_read, of_lines};
use crate::{
    Shared,
    clock::{APART_MOST, Stopwatch},
    error::Result,
    fault::Kept,
    store::{
        accounts::HOUSE,
        leases::{self, Lease},
        lines::{self, Line},
        violations::{self, Name, Pass},
    },
};
use laika_core::time::{Instant, Span};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// How often a step is made.
pub const WATCH_EVERY: Duration = Duration::from_secs(60);
/// Where there are several processes, steps are this far apart for all of them.
const APART: Span = Span::seconds(50);
/// Steps of a day.
const STEPS: i64 = 24 * 60;
/// Lines looked at together.
const LINES: usize = 50;
/// Lines of one step where money moves: far more than move at once in a minute.
const MOVING: usize = 2_000;
/// How long a line counts as one where money moved.
const LATELY: Span = Span::minutes(10);
/// A pass over few lines is over soon; the next begins so long after.
const PASS_EVERY: Span = Span::hours(1);
const LEASE: &str = "audit";
const LASTS: Span = Span::minutes(5);
/// How often a step that lasts keeps it.
const KEEP_EVERY_S: f64 = 60.0;

/// The auditor between two steps.
#[derive(Debug, Default)]
pub struct Watch {
    /// Where money moved at the last step: it may have stopped since, and then it is looked at
    /// once more.
    moving: BTreeSet<(String, String)>,
    /// How many lines of a pass are looked at in a step; nothing before it is known.
    share: Option<i64>,
}

impl Watch {
    /// Makes a step, where no other process makes it; the violations that are new.
    pub async fn step(&mut self, app: &Shared) -> Result<Vec<Violation>> {
        let mut tx = app.store.write().await?;
        let wall = app.time_of_leases(&mut tx).await?;
        let lease = leases::take(&mut tx, LEASE, (wall.minus(APART), wall), wall, LASTS).await?;
        tx.commit_as(Kept::Lease).await?;
        let Some(lease) = lease else { return Ok(Vec::new()) };
        let new = self.look(app, Some(&lease)).await?;
        let mut tx = app.store.write().await?;
        leases::end(&mut tx, &lease, Some(wall)).await?;
        tx.commit_as(Kept::Lease).await?;
        Ok(new)
    }

    /// What a step does, once it is this process's; it ends where the lease is lost meanwhile.
    pub(crate) async fn look(
        &mut self,
        app: &Shared,
        lease: Option<&Lease>,
    ) -> Result<Vec<Violation>> {
        let mut step = Step { lease, kept: Stopwatch::start() };
        let mut new = self.look_at_moving(app, &mut step).await?;
        new.extend(self.look_at_next(app, &mut step).await?);
        Ok(new)
    }

    async fn look_at_moving(
        &mut self,
        app: &Shared,
        step: &mut Step<'_>,
    ) -> Result<Vec<Violation>> {
        let since = app.clock.now().minus(LATELY);
        let now = violations::moving(&mut *app.store.read().await?, since).await?;
        let before = std::mem::replace(&mut self.moving, now.clone());
        let keys: Vec<(String, String)> = now.union(&before).take(MOVING).cloned().collect();
        let mut new = Vec::new();
        for keys in keys.chunks(LINES) {
            if !step.is_ours(app).await? {
                break;
            }
            let mut report = Report::default();
            {
                let mut snapshot = app.store.read().await?;
                let lines = lines::of_keys(&mut snapshot, keys).await?;
                of_lines(&mut snapshot, &lines, &mut report).await?;
            }
            new.extend(keep(app, keys, report, None).await?);
        }
        Ok(new)
    }

    /// The next lines of the pass, or its end.
    async fn look_at_next(&mut self, app: &Shared, step: &mut Step<'_>) -> Result<Vec<Violation>> {
        let now = app.clock.now();
        let mut pass = violations::pass(&mut *app.store.read().await?).await?;
        let begins = pass.after == (String::new(), String::new());
        // Why not in the future: a wrong clock wrote it, and no pass would begin till then.
        let lately = |at: Instant| at <= now.plus(APART_MOST) && now.since(at) < PASS_EVERY;
        if begins && pass.whole_at.is_some_and(lately) {
            return Ok(Vec::new());
        }
        let mut left = self.share(app, begins).await?;
        let mut new = Vec::new();
        while left > 0 && step.is_ours(app).await? {
            let most = left.min(i64::try_from(LINES).unwrap_or(left));
            left = left.saturating_sub(most);
            let mut report = Report::default();
            let lines = {
                let mut snapshot = app.store.read().await?;
                let after = (pass.after.0.as_str(), pass.after.1.as_str());
                let lines = lines::after(&mut snapshot, after, most).await?;
                of_lines(&mut snapshot, &lines, &mut report).await?;
                lines
            };
            let keys: Vec<(String, String)> = lines.iter().map(key).collect();
            if let Some(last) = keys.last() {
                pass.after = last.clone();
                new.extend(keep(app, &keys, report, Some(&pass)).await?);
            }
            if i64::try_from(lines.len()).unwrap_or(most) < most {
                new.extend(self.end(app, step, now).await?);
                break;
            }
        }
        Ok(new)
    }

    /// What is about no line; the pass is over.
    async fn end(
        &mut self,
        app: &Shared,
        step: &mut Step<'_>,
        now: Instant,
    ) -> Result<Vec<Violation>> {
        let mut report = Report::default();
        let mut next = Some(Default::default());
        while let Some(after) = next {
            if !step.is_ours(app).await? {
                return Ok(Vec::new());
            }
            let mut snapshot = app.store.read().await?;
            next = jobs_are_read(&mut snapshot, &after, &mut report).await?;
        }
        beside(&mut *app.store.read().await?, &mut report).await?;
        let pass = Pass { after: Default::default(), whole_at: Some(now) };
        keep(app, &[house()], report, Some(&pass)).await
    }

    /// How many lines of the pass are looked at in a step, so that all are within a day.
    async fn share(&mut self, app: &Shared, begins: bool) -> Result<i64> {
        if let Some(share) = self.share.filter(|_| !begins) {
            return Ok(share);
        }
        let lines = lines::count(&mut *app.store.read().await?).await?;
        let least = i64::try_from(LINES).unwrap_or(i64::MAX);
        Ok(*self.share.insert((lines / STEPS).saturating_add(1).max(least)))
    }
}

/// A step that is this process's.
struct Step<'a> {
    lease: Option<&'a Lease>,
    /// Since when the lease is kept.
    kept: Stopwatch,
}

impl Step<'_> {
    /// Keeps the lease while the step goes on; false when another process has it, which then makes
    /// the step.
    async fn is_ours(&mut self, app: &Shared) -> Result<bool> {
        let Some(lease) = self.lease else { return Ok(true) };
        if self.kept.seconds() < KEEP_EVERY_S {
            return Ok(true);
        }
        let mut tx = app.store.write().await?;
        let wall = app.time_of_leases(&mut tx).await?;
        let held = leases::keep(&mut tx, lease, wall).await?;
        tx.commit_as(Kept::Lease).await?;
        self.kept = Stopwatch::start();
        Ok(held)
    }
}

fn key(line: &Line) -> (String, String) {
    (line.account_id.to_string(), line.id.to_string())
}

/// Where what is about no line is kept.
fn house() -> (String, String) {
    (HOUSE.to_owned(), String::new())
}

/// Keeps what was found of these lines and what is no longer there, and how far the pass has come.
/// Gives, and logs, what is new.
async fn keep(
    app: &Shared,
    keys: &[(String, String)],
    report: Report,
    pass: Option<&Pass>,
) -> Result<Vec<Violation>> {
    let mut found: BTreeMap<Name, Violation> = BTreeMap::new();
    for violation in report.violations {
        let (account, line) = violation.line.clone().unwrap_or_else(house);
        let name = (account, line, violation.code.to_owned(), violation.subject.clone());
        found.entry(name).or_insert(violation);
    }
    let present = violations::present(&mut *app.store.read().await?, keys).await?;
    let (now, past) = (app.clock.now(), present.iter().filter(|name| !found.contains_key(*name)));
    let past: Vec<&Name> = past.collect();
    let mut new = Vec::new();
    if found.is_empty() && past.is_empty() && pass.is_none() {
        return Ok(new);
    }
    let mut tx = app.store.write().await?;
    for (name, violation) in &found {
        violations::keep(&mut tx, name, &violation.detail, now).await?;
    }
    for name in past {
        violations::gone(&mut tx, name, now).await?;
    }
    if let Some(pass) = pass {
        violations::keep_pass(&mut tx, pass).await?;
    }
    tx.commit_as(Kept::Audit).await?;
    for (name, violation) in found {
        if !present.contains(&name) {
            let Violation { code, subject, detail, .. } = &violation;
            tracing::error!(code, subject, detail, "this must never be");
            new.push(violation);
        }
    }
    Ok(new)
}
