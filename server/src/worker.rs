//! The worker: claims due jobs by lease and performs them, a few at a time, until the process
//! stops. It is woken by commits in this process and looks by itself for those of others. What a
//! job means is `flow/perform`'s; a job that fails here is let go and tried again later.

use crate::{
    Shared,
    error::Result,
    fault::Kept,
    flow::{
        audit::watch::{WATCH_EVERY, Watch},
        check_books::{self, Outcome},
        compare_list,
        perform::perform,
    },
    store::{
        jobs::{self, Claimed},
        sweep,
    },
};
use laika_core::time::Span;
use std::time::Duration;
use tokio::task::{JoinHandle, JoinSet};

/// Jobs at a time: each waits for somebody else's machine most of its life.
const AT_ONCE: usize = 16;
/// Another process may have made a job due without ringing here.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How often the gateway's own list is compared.
const COMPARE_EVERY: Duration = Duration::from_secs(120);
/// How often it is looked whether the nightly check is due.
const NIGHTLY_EVERY: Duration = Duration::from_secs(60);
/// How often rows that are over are swept away, from the start on.
const SWEEP_EVERY: Duration = Duration::from_secs(24 * 60 * 60);

/// Works until the process stops, then finishes what is under way.
pub async fn run(app: Shared) {
    if let Err(error) = start(&app).await {
        tracing::error!(%error, "the worker could not release old claims");
    }
    let beside = [
        tokio::spawn(compare_often(app.clone())),
        tokio::spawn(check_nightly(app.clone())),
        tokio::spawn(watch_always(app.clone())),
        tokio::spawn(sweep_often(app.clone())),
    ];
    let mut under_way = JoinSet::new();
    loop {
        while under_way.try_join_next().is_some() {}
        match claim(&app, AT_ONCE - under_way.len().min(AT_ONCE)).await {
            Ok(jobs) if jobs.is_empty() => {}
            Ok(jobs) => {
                for job in jobs {
                    under_way.spawn(one(app.clone(), job));
                }
                continue;
            }
            Err(error) => {
                app.metrics.failed(&error);
                tracing::error!(%error, "jobs wait");
            }
        }
        tokio::select! {
            () = app.jobs_due.notified() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
            Some(_) = under_way.join_next() => {}
            () = app.stopping() => break,
        }
    }
    beside.iter().for_each(JoinHandle::abort);
    while under_way.join_next().await.is_some() {}
}

async fn start(app: &Shared) -> Result<()> {
    let mut tx = app.store.write().await?;
    jobs::release_all(&mut tx).await?;
    tx.commit_as(Kept::Release).await
}

/// Claims what is due; looks before it writes, so that an idle worker writes nothing.
async fn claim(app: &Shared, most: usize) -> Result<Vec<Claimed>> {
    let (now, wall) = (app.clock.now(), app.clock.wall());
    let next = jobs::next_due(&mut *app.store.read().await?, wall).await?;
    app.health.looked(&app.clock);
    if most == 0 || next.is_none_or(|at| at > now) {
        return Ok(Vec::new());
    }
    let mut tx = app.store.write().await?;
    let claimed = jobs::claim(&mut tx, now, wall, i64::try_from(most).unwrap_or(1)).await?;
    tx.commit_as(Kept::Claim).await?;
    Ok(claimed)
}

/// Performs one job. What goes wrong on our side is logged, and the job tried again later.
async fn one(app: Shared, job: Claimed) {
    let Err(error) = perform(&app, &job).await else { return };
    app.metrics.failed(&error);
    tracing::error!(%error, line = %job.line_id, work = ?job.work, "a job failed");
    let wait = Span::seconds(1 << job.attempts.clamp(0, 9));
    let retried = async {
        let mut tx = app.store.write().await?;
        let failure = error.to_string();
        jobs::retry(&mut tx, &job, app.clock.now().plus(wait), Some(&failure)).await?;
        tx.commit_as(Kept::Retry).await
    };
    if let Err(error) = retried.await {
        tracing::error!(%error, "the job waits for its lease to end");
    }
}

async fn compare_often(app: Shared) {
    loop {
        if let Err(error) = compare_list::compare_list(&app).await {
            app.metrics.failed(&error);
            tracing::warn!(%error, "the gateway's list could not be compared");
        }
        tokio::time::sleep(COMPARE_EVERY).await;
    }
}

/// The three-way reconciliation, once a night on one of the processes.
async fn check_nightly(app: Shared) {
    loop {
        match check_books::nightly(&app).await {
            Ok(Some(Outcome::Done(report))) => {
                let (recharges, new) = (report.checked.recharges, report.new);
                tracing::info!(recharges, new, "the books are checked");
            }
            Ok(Some(Outcome::Unread { .. } | Outcome::Lost) | None) => {}
            Err(error) => {
                app.metrics.failed(&error);
                tracing::error!(%error, "the books could not be checked");
            }
        }
        tokio::time::sleep(NIGHTLY_EVERY).await;
    }
}

/// The auditor, some lines at a time.
async fn watch_always(app: Shared) {
    let mut watch = Watch::default();
    loop {
        if let Err(error) = watch.step(&app).await {
            app.metrics.failed(&error);
            tracing::error!(%error, "the audit could not go on");
        }
        tokio::time::sleep(WATCH_EVERY).await;
    }
}

async fn sweep_often(app: Shared) {
    loop {
        match sweep::sweep(&app.store, app.clock.wall()).await {
            Ok(rows) => tracing::info!(rows, "swept"),
            Err(error) => tracing::warn!(%error, "what is over could not be swept away"),
        }
        tokio::time::sleep(SWEEP_EVERY).await;
    }
}
