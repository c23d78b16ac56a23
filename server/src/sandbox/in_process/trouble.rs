//! What goes wrong between us and the other side, told beforehand for one exchange, or for all
//! while the other side is down. Only the simulator asks for any; what happens is decided by its
//! seed, never here.

use super::InProcess;
use crate::{
    outbound::{Answered, NoAnswer},
    sandbox::NOW_HEADER,
};
use http_body_util::Full;
use hyper::{Request, body::Bytes};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, oneshot};

/// What happens to one exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// No connection: nothing was sent.
    NoConnection,
    /// The request is lost; nobody answers.
    LostBefore,
    /// The other side acts; its answer is lost.
    LostAfter,
    /// Nobody answers; the request arrives much later.
    Late,
    /// The other side does not act, and answers with this status.
    StatusBefore(u16),
    /// The other side acts, and answers with this status.
    StatusAfter(u16),
    /// The other side acts; what it answers cannot be read.
    Malformed,
    /// We stand still before the request leaves, until let go.
    HangBefore,
    /// The other side acts, and we stand still before we read the answer, until let go.
    HangAfter,
}

impl Trouble {
    /// Whether we stand still.
    pub(crate) fn hangs(self) -> bool {
        matches!(self, Trouble::HangBefore | Trouble::HangAfter)
    }
}

/// One of the other sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// The payment provider.
    Provider,
    /// The carrier.
    Carrier,
}

/// An exchange that stands still.
#[derive(Debug)]
pub(crate) struct Standing {
    /// It goes on once this is used.
    pub(crate) release: oneshot::Sender<()>,
    /// The request, where it has yet to leave: which path and key it is for.
    pub(crate) unsent: Option<(String, Option<String>)>,
}

/// What a request is for, and under which key.
pub(crate) fn about(request: &Request<Full<Bytes>>) -> (String, Option<String>) {
    let key = request.headers().get("idempotency-key").and_then(|key| key.to_str().ok());
    (request.uri().path().to_owned(), key.map(str::to_owned))
}

/// The line between us and the sandbox.
#[derive(Clone, Debug, Default)]
pub(crate) struct Line(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    hung: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// So many exchanges pass before it happens.
    next: Option<(u64, Trouble)>,
    /// What happens to every exchange with a side.
    down: Vec<(Side, Trouble)>,
    late: Vec<Request<Full<Bytes>>>,
    standing: Option<Standing>,
    seen: Vec<String>,
}

impl Line {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Trouble for one exchange, after so many that go well; or none any more.
    pub(crate) fn next(&self, trouble: Option<(u64, Trouble)>) {
        self.state().next = trouble;
    }

    /// Trouble with one side, until it is up again.
    pub(crate) fn down(&self, side: Side, trouble: Option<Trouble>) {
        let mut state = self.state();
        state.down.retain(|(known, _)| *known != side);
        state.down.extend(trouble.map(|trouble| (side, trouble)));
    }

    /// What was exchanged since this was asked last.
    pub(crate) fn seen(&self) -> Vec<String> {
        std::mem::take(&mut self.state().seen)
    }

    /// Resolves when an exchange stands still.
    pub(crate) async fn hung(&self) {
        self.0.hung.notified().await;
    }

    /// The exchange that stands still.
    pub(crate) fn standing(&self) -> Option<Standing> {
        self.state().standing.take()
    }

    /// The requests that were late, out of the network.
    pub(crate) fn late(&self) -> Vec<Request<Full<Bytes>>> {
        std::mem::take(&mut self.state().late)
    }
}

/// A late request arrives, now.
pub(crate) async fn arrive(to: &InProcess, mut request: Request<Full<Bytes>>, now: i64) {
    let value = now.to_string().parse().expect("a number is a header");
    request.headers_mut().insert(NOW_HEADER, value);
    // Why: whoever asked has long given up.
    let _ = to.exchange(request).await;
}

/// One exchange with what happens to it.
pub(super) async fn through(
    to: &InProcess,
    request: Request<Full<Bytes>>,
) -> Result<Answered, NoAnswer> {
    let about = format!("{} {}", request.method(), request.uri().path());
    let trouble = to.trouble.take(&request);
    let answer = troubled(to, request, trouble).await;
    let status = answer.as_ref().map_or(0, |answer| answer.status);
    let said = trouble.map_or(String::new(), |trouble| format!(" {trouble:?}"));
    to.trouble.state().seen.push(format!("{about}{said} {status}"));
    answer
}

async fn troubled(
    to: &InProcess,
    request: Request<Full<Bytes>>,
    trouble: Option<Trouble>,
) -> Result<Answered, NoAnswer> {
    let nobody = || NoAnswer::unknown(format!("{trouble:?}"));
    let Some(trouble) = trouble else { return to.exchange(request).await };
    let status = |status| {
        let body = Bytes::from_static(b"{}");
        Answered { status, told_at: None, retry_after: None, body }
    };
    match trouble {
        Trouble::NoConnection => Err(NoAnswer::never_sent("no connection")),
        Trouble::LostBefore => Err(nobody()),
        Trouble::LostAfter => {
            let _ = to.exchange(request).await;
            Err(nobody())
        }
        Trouble::Late => {
            to.trouble.state().late.push(request);
            Err(nobody())
        }
        Trouble::StatusBefore(code) => Ok(status(code)),
        Trouble::StatusAfter(code) => {
            let _ = to.exchange(request).await;
            Ok(status(code))
        }
        Trouble::Malformed => {
            let answer = to.exchange(request).await?;
            let half = answer.body.len() / 2;
            Ok(Answered { body: answer.body.slice(..half), ..answer })
        }
        Trouble::HangBefore => {
            to.trouble.stand_still(Some(about(&request))).await;
            to.exchange(request).await
        }
        Trouble::HangAfter => {
            let answer = to.exchange(request).await;
            to.trouble.stand_still(None).await;
            answer
        }
    }
}

impl Line {
    fn take(&self, request: &Request<Full<Bytes>>) -> Option<Trouble> {
        let carrier = request.uri().path().starts_with("/carrier/");
        let side = if carrier { Side::Carrier } else { Side::Provider };
        let mut state = self.state();
        if let Some((_, trouble)) = state.down.iter().find(|(down, _)| *down == side) {
            return Some(*trouble);
        }
        let (before, trouble) = state.next.take()?;
        if before > 0 {
            state.next = Some((before - 1, trouble));
            return None;
        }
        Some(trouble)
    }

    async fn stand_still(&self, unsent: Option<(String, Option<String>)>) {
        let (release, released) = oneshot::channel();
        self.state().standing = Some(Standing { release, unsent });
        self.0.hung.notify_one();
        // Why: dropped or used, either way it goes on.
        let _ = released.await;
    }
}
