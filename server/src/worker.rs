//! The worker: claims due jobs by lease and performs them, a few at a time, until the process
//! stops. It is woken by commits in this process and looks by itself for those of others. What a
//! job means is `flow/perform`'s; a job that fails here is let go and tried again later. Beside it,
//! what one server does for all of them, in turns.

use crate::{
    App, Shared,
    clock::Stopwatch,
    error::Result,
    fault::Kept,
    flow::{
        audit::watch::{WATCH_EVERY, Watch},
        check_books::{self, Outcome},
        compare_list,
        perform::perform,
        refresh_method,
    },
    store::{
        jobs::{self, Claimed, Which, Work},
        sweep, turns,
    },
};
use laika_core::time::Span;
use std::time::Duration;
use tokio::task::{JoinHandle, JoinSet};
use tracing::Instrument;

/// Jobs at a time: each waits for somebody else's machine most of its life.
const AT_ONCE: usize = 16;
/// Those of them at most that wait outside: the rest is for looks, which wait for nobody.
const OUTSIDE: usize = 14;
/// Those of these at most that wait for the gateway: while it hangs, what is paid for is delivered.
const AT_GATEWAY: usize = 12;
/// Another process may have made a job due without ringing here.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How often the gateway's own list is compared.
const COMPARE_EVERY: Duration = Duration::from_secs(120);
/// How often it is looked whether the nightly check is due.
const NIGHTLY_EVERY: Duration = Duration::from_secs(60);
/// How often rows that are over are swept away and cards that end are asked for, from the start on.
const SWEEP_EVERY: Duration = Duration::from_secs(24 * 60 * 60);
/// How long to wait when it is another server's turn: that server may not live to its end.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// Works until the process stops, then finishes what is under way.
pub async fn run(app: Shared) {
    if let Err(error) = start(&app).await {
        tracing::error!(%error, "the worker could not release old claims");
    }
    let [compares, sweeps] = [Duty::Compare, Duty::Sweep];
    let beside = [
        tokio::spawn(announce(app.clone())),
        tokio::spawn(in_turns(app.clone(), compares)),
        tokio::spawn(in_turns(app.clone(), sweeps)),
        tokio::spawn(check_nightly(app.clone())),
        tokio::spawn(watch_always(app.clone())),
        tokio::spawn(shorten_log(app.clone())),
    ];
    let mut under_way = UnderWay::default();
    loop {
        match claim(&app, under_way.room()).await {
            Ok(jobs) if jobs.is_empty() => {}
            Ok(jobs) => {
                jobs.into_iter().for_each(|job| under_way.begin(&app, job));
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
            () = under_way.one_ends() => {}
            () = app.stopping() => break,
        }
    }
    beside.iter().for_each(JoinHandle::abort);
    under_way.all_end().await;
}

/// The jobs under way, by what they wait for.
#[derive(Default)]
struct UnderWay {
    looks: JoinSet<()>,
    at_carrier: JoinSet<()>,
    at_gateway: JoinSet<()>,
}

impl UnderWay {
    fn begin(&mut self, app: &Shared, job: Claimed) {
        let set = match &job.work {
            Work::Evaluate => &mut self.looks,
            work if work.asks_gateway() => &mut self.at_gateway,
            _ => &mut self.at_carrier,
        };
        set.spawn(one(app.clone(), job));
    }

    /// How many more there may be; of those that have ended nothing is kept.
    fn room(&mut self) -> Room {
        let Self { looks, at_carrier, at_gateway } = self;
        for set in [&mut *looks, &mut *at_carrier, &mut *at_gateway] {
            while set.try_join_next().is_some() {}
        }
        let outside = at_carrier.len() + at_gateway.len();
        let all = AT_ONCE.saturating_sub(outside + looks.len());
        let outside = OUTSIDE.saturating_sub(outside).min(all);
        Room { all, outside, at_gateway: AT_GATEWAY.saturating_sub(at_gateway.len()).min(outside) }
    }

    /// Waits until one has ended; for ever where there is none.
    async fn one_ends(&mut self) {
        tokio::select! {
            Some(_) = self.looks.join_next() => {}
            Some(_) = self.at_carrier.join_next() => {}
            Some(_) = self.at_gateway.join_next() => {}
            else => std::future::pending().await,
        }
    }

    async fn all_end(self) {
        for mut set in [self.looks, self.at_carrier, self.at_gateway] {
            while set.join_next().await.is_some() {}
        }
    }
}

/// How many more jobs may be claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Room {
    /// Of all.
    all: usize,
    /// Of those that wait outside.
    outside: usize,
    /// Of those that wait for the gateway.
    at_gateway: usize,
}

impl Room {
    /// Room for so many of any kind.
    #[cfg(test)]
    pub(crate) fn of(all: usize) -> Room {
        Room { all, outside: all, at_gateway: all }
    }
}

/// Keeps SQLite's log from being moved while usage waits; see `store/log`.
async fn shorten_log(app: Shared) {
    loop {
        let rung = app.changed.notified();
        if let Err(error) = app.store.shorten_log().await {
            tracing::warn!(%error, "the database's log is left to who writes next");
        }
        rung.await;
    }
}

pub(crate) async fn start(app: &Shared) -> Result<()> {
    let mut tx = app.store.write().await?;
    jobs::release(&mut tx, app.node()).await?;
    tx.commit_as(Kept::Release).await
}

/// Claims what is due, money before looks; looks before it writes, so that an idle worker writes
/// nothing.
pub(crate) async fn claim(app: &Shared, room: Room) -> Result<Vec<Claimed>> {
    let (now, wall, next) = {
        let mut snapshot = app.store.read().await?;
        let wall = app.time_of_leases(&mut snapshot).await?;
        (app.clock.now(), wall, jobs::next_due(&mut snapshot, wall).await?)
    };
    app.health.looked(&app.clock);
    if room.all == 0 || next.is_none_or(|at| at > now) {
        return Ok(Vec::new());
    }
    let mut tx = app.store.write().await?;
    let (node, dialect, mut claimed) = (app.node(), app.store.dialect, Vec::new());
    for (which, most) in [
        (Which::Money, room.at_gateway),
        (Which::Deliveries, room.outside),
        (Which::Looks, room.all),
    ] {
        let more = i64::try_from(most.saturating_sub(claimed.len())).unwrap_or(0);
        // Why: where all money was claimed there was room for, no delivery is left.
        let none_left = which == Which::Deliveries && claimed.len() < room.at_gateway;
        if more > 0 && !none_left {
            claimed.extend(jobs::claim(&mut tx, dialect, node, (now, wall), (which, more)).await?);
        }
    }
    tx.commit_as(Kept::Claim).await?;
    Ok(claimed)
}

/// Performs one job. What goes wrong on our side is logged, and the job tried again later.
pub(crate) async fn one(app: Shared, job: Claimed) {
    let span = span(&job);
    let performed = async {
        let Err(error) = perform(&app, &job).await else {
            // Why not looks: every event of usage may be followed by one.
            if job.work != Work::Evaluate {
                tracing::info!("done");
            }
            return;
        };
        app.metrics.failed(&error);
        tracing::error!(%error, "a job failed");
        if let Err(error) = let_go(&app, &job, &error.to_string()).await {
            tracing::error!(%error, "the job waits for its lease to end");
        }
    };
    performed.instrument(span).await;
}

/// What stands in the log beside everything that happens in a job: which line and recharge it is
/// about, where it is about one, and what there is to do; no token of the gateway's.
fn span(job: &Claimed) -> tracing::Span {
    let (recharge, work) = match &job.work {
        Work::Recharge { recharge_id, effect } => (Some(recharge_id), format!("{effect:?}")),
        Work::GiveBack { recharge_id, .. } => (Some(recharge_id), "GiveBack".to_owned()),
        Work::Evaluate => (None, "Evaluate".to_owned()),
        Work::Detach { .. } => (None, "Detach".to_owned()),
        Work::Refresh { .. } => (None, "Refresh".to_owned()),
    };
    let recharge = recharge.map(tracing::field::display);
    tracing::info_span!("job", line = %job.line_id, recharge, work)
}

/// Lets a job that failed go until later, as soon as there is a database to say so to: where it
/// moves to another node, the job goes on with it, and not when its lease ends a minute later.
async fn let_go(app: &Shared, job: &Claimed, failure: &str) -> Result<()> {
    let wait = Span::seconds(1 << job.attempts.clamp(0, 9));
    loop {
        let kept = async {
            let mut tx = app.store.write().await?;
            jobs::retry(&mut tx, job, app.clock.now().plus(wait), Some(failure)).await?;
            tx.commit_as(Kept::Retry).await
        };
        match kept.await {
            Err(error) if error.is_away() && !app.store.is_closed() => tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                () = app.stopping() => return Err(error),
            },
            kept => return kept,
        }
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

/// Tells the gateway where webhooks go.
///
/// Why by each server that starts: the one it was told of before may be gone.
async fn announce(app: Shared) {
    compare_list::announce(&app).await;
}

/// What one server at a time does for all of them, in its turn.
#[derive(Clone, Copy)]
enum Duty {
    /// Compares the gateway's own list with what we believe.
    Compare,
    /// Deletes rows that are over, and has cards asked for whose date ends.
    Sweep,
}

impl Duty {
    fn name(self) -> &'static str {
        match self {
            Duty::Compare => "compare_list",
            Duty::Sweep => "sweep",
        }
    }

    fn every(self) -> Duration {
        match self {
            Duty::Compare => COMPARE_EVERY,
            Duty::Sweep => SWEEP_EVERY,
        }
    }

    async fn perform(self, app: &Shared) -> Result<()> {
        match self {
            Duty::Compare => compare_list::compare_list(app).await,
            Duty::Sweep => {
                let rows = sweep::sweep(&app.store, app.clock.wall()).await?;
                tracing::info!(rows, "swept");
                let cards = refresh_method::plan(app).await?;
                tracing::info!(cards, "cards whose date ends are asked for");
                Ok(())
            }
        }
    }

    /// Whether it is this server's turn from now on.
    async fn is_ours(self, app: &Shared) -> Result<bool> {
        let lasts = Span::seconds(i64::try_from(self.every().as_secs()).unwrap_or(i64::MAX));
        let mut tx = app.store.write().await?;
        let wall = app.time_of_leases(&mut tx).await?;
        let ours = turns::take(&mut tx, self.name(), app.node(), wall, lasts).await?;
        tx.commit_as(Kept::Turn).await?;
        Ok(ours)
    }
}

/// Does a duty as often as it has to be done, by whichever server, for ever.
async fn in_turns(app: Shared, duty: Duty) {
    loop {
        let wait = match duty.is_ours(&app).await {
            Ok(true) => duty.perform(&app).await.map(|()| duty.every()),
            Ok(false) => Ok(LOOK_AGAIN),
            Err(error) => Err(error),
        };
        let wait = wait.unwrap_or_else(|error| {
            app.metrics.failed(&error);
            tracing::warn!(%error, duty = duty.name(), "what is done for all servers failed");
            LOOK_AGAIN
        });
        pass(&app, wait).await;
    }
}

/// Waits so long by the rules' time, so that what the sandbox lets pass counts, or so long by this
/// machine's, as the rules' time stands still after a clock was put back.
async fn pass(app: &App, time: Duration) {
    let (from, since) = (app.clock.now(), Stopwatch::start());
    let span = Span::seconds(i64::try_from(time.as_secs()).unwrap_or(i64::MAX));
    while app.clock.now().since(from) < span && since.seconds() < time.as_secs_f64() {
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
