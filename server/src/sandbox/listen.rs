//! The running sandbox: the journal behind a lock, and the loop that serves its router.
//!
//! Place in the flow: `laika sandbox` and `laika serve` call [`open`] and [`serve`]. The loop is
//! our own because a lost answer must close the connection without a byte, which a router cannot
//! say. A journal that cannot be written ends the process: nothing unwritten is ever answered.

use super::http::{Lost, router};
use super::journal::Journal;
use super::{Answer, Reply, Request, State, webhooks};
use crate::clock::Clock;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::future::Future;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Notify;

/// A handle on the one journal; cheap to clone.
#[derive(Clone)]
pub struct Sandbox {
    journal: Arc<Mutex<Journal>>,
    in_memory: bool,
    clock: Arc<Clock>,
    /// Rung when a webhook may be waiting.
    pub(super) told: Arc<Notify>,
}

/// Opens the journal, creating it where there is none, and replays it.
pub fn open(path: &Path) -> io::Result<Sandbox> {
    Ok(Sandbox::of(Journal::open(path, &crate::secret::token())?))
}

impl Sandbox {
    fn of(journal: Journal) -> Sandbox {
        Sandbox {
            in_memory: journal.is_in_memory(),
            journal: Arc::new(Mutex::new(journal)),
            clock: Arc::new(Clock::system()),
            told: Arc::new(Notify::new()),
        }
    }

    /// A sandbox that is forgotten with the process. The same seed, 64 hexadecimal digits, and the
    /// same requests at the same times give the same answers.
    pub fn in_memory(seed: &str) -> io::Result<Sandbox> {
        Ok(Sandbox::of(Journal::in_memory(seed)?))
    }

    /// Takes a request at `now` (the machine's time where the caller names none), durably.
    pub async fn take(&self, request: Request, now: Option<i64>) -> Reply<Answer> {
        let reply = if self.in_memory {
            self.take_now(request, now)
        } else {
            let sandbox = self.clone();
            let taken = tokio::task::spawn_blocking(move || sandbox.take_now(request, now));
            taken.await.expect("the journal's thread ends")
        };
        self.told.notify_one();
        reply
    }

    fn take_now(&self, request: Request, now: Option<i64>) -> Reply<Answer> {
        let now = now.unwrap_or_else(|| self.clock.wall().micros());
        let mut journal = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
        match journal.take(request, now) {
            Ok(reply) => reply,
            Err(error) => {
                // Why: after a failed sync nobody knows what is on disk; the next start does.
                tracing::error!(%error, "the sandbox journal cannot be written; stopping");
                std::process::abort();
            }
        }
    }

    /// Looks something up.
    pub fn look<T>(&self, see: impl FnOnce(&State) -> T) -> T {
        see(&self.journal.lock().unwrap_or_else(PoisonError::into_inner).state)
    }

    /// Looks something up as of `now` (the machine's time where the caller names none): what has
    /// happened is before the state's time, and whatever happens later is not.
    pub fn look_at<T>(&self, now: Option<i64>, see: impl FnOnce(&State) -> T) -> T {
        let now = now.unwrap_or_else(|| self.wall());
        let mut journal = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
        journal.state.now = now.max(journal.state.now + 1);
        see(&journal.state)
    }

    /// The machine's time, in microseconds.
    pub fn wall(&self) -> i64 {
        self.clock.wall().micros()
    }
}

/// Serves until `stop` resolves; open connections are then dropped, as nothing unanswered counts.
pub async fn serve(sandbox: Sandbox, listener: TcpListener, stop: impl Future<Output = ()>) {
    let webhooks = tokio::spawn(webhooks::deliver(sandbox.clone()));
    let service = TowerToHyperService::new(router(sandbox));
    let mut connections = tokio::task::JoinSet::new();
    tokio::pin!(stop);
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                // Out of file handles, or the peer was gone: the next accept may work.
                Err(error) => {
                    tracing::warn!(%error, "sandbox: accept failed");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
            Some(_) = connections.join_next() => continue,
            () = &mut stop => break,
        };
        let service = service.clone();
        connections.spawn(async move {
            let answering = service_fn(|request| {
                let answer = service.call(request);
                async move {
                    let response = answer.await.unwrap_or_else(|never| match never {});
                    match response.extensions().get::<Lost>() {
                        Some(Lost) => Err(io::Error::other("the answer is lost")),
                        None => Ok(response),
                    }
                }
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(Duration::from_secs(10))
                .serve_connection(TokioIo::new(stream), answering);
            // A connection that ends in an error has already lost its answer, on purpose or not.
            let _ = connection.await;
        });
    }
    webhooks.abort();
}
