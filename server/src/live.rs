//! Live updates: "account at version n", and nothing else. One poll serves all listeners of this
//! process; a commit here rings it at once, a commit elsewhere is seen within 300 ms.

use crate::{Shared, error::Result, store::accounts};
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::{Notify, watch};

const POLL_EVERY: Duration = Duration::from_millis(300);

/// Streams that one session may hold at once. A browser needs one; more are its past, on
/// connections that died unnoticed, and so the oldest make room.
pub const STREAMS_MOST: usize = 6;

/// Who listens to which account.
#[derive(Debug, Default)]
pub struct Live {
    accounts: Mutex<HashMap<String, watch::Sender<i64>>>,
    /// Each session's streams, the oldest first; one that is notified has to end.
    streams: Mutex<HashMap<String, VecDeque<Arc<Notify>>>>,
}

impl Live {
    /// Takes a session's new stream in. The answer is notified when that stream has to end.
    pub fn enter(&self, session: &str) -> Arc<Notify> {
        let (mut all, ends) = (lock(&self.streams), Arc::new(Notify::new()));
        let streams = all.entry(session.to_string()).or_default();
        streams.push_back(Arc::clone(&ends));
        while streams.len() > STREAMS_MOST {
            if let Some(oldest) = streams.pop_front() {
                oldest.notify_one();
            }
        }
        ends
    }

    /// Forgets a stream that has ended.
    pub fn leave(&self, session: &str, ends: &Arc<Notify>) {
        let mut all = lock(&self.streams);
        if let Some(streams) = all.get_mut(session) {
            streams.retain(|stream| !Arc::ptr_eq(stream, ends));
            if streams.is_empty() {
                all.remove(session);
            }
        }
    }

    /// The account's version, now and whenever it changes; `known` is what was just read.
    pub fn listen(&self, account: &str, known: i64) -> watch::Receiver<i64> {
        let mut all = lock(&self.accounts);
        let sender = all.entry(account.to_string()).or_insert_with(|| watch::Sender::new(known));
        sender.subscribe()
    }

    /// The accounts that somebody still listens to; the others are forgotten.
    fn listened(&self) -> Vec<String> {
        let mut all = lock(&self.accounts);
        all.retain(|_, sender| sender.receiver_count() > 0);
        all.keys().cloned().collect()
    }

    fn tell(&self, account: &str, version: i64) {
        let all = lock(&self.accounts);
        if let Some(sender) = all.get(account) {
            sender.send_if_modified(|known| {
                let newer = version > *known;
                *known = version.max(*known);
                newer
            });
        }
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Polls until the process stops.
pub async fn run(app: Shared) {
    loop {
        let rung = app.changed.notified();
        if let Err(error) = poll(&app).await {
            tracing::error!(%error, "live updates wait");
        }
        tokio::select! {
            () = rung => {}
            () = tokio::time::sleep(POLL_EVERY) => {}
            () = app.stopping() => return,
        }
    }
}

async fn poll(app: &Shared) -> Result<()> {
    let listened = app.live.listened();
    let mut conn = app.store.read().await?;
    // Another process may have let time pass in the sandbox.
    app.clock.set_offset(crate::store::settings::sandbox_offset(&mut conn).await?);
    if listened.is_empty() {
        return Ok(());
    }
    // Why: one statement whatever the number of listeners, three times a second on every node.
    for (account, version) in accounts::versions(&mut conn, &listened).await? {
        app.live.tell(&account, version);
    }
    Ok(())
}
