//! Live updates: "account at version n", and nothing else. One poll serves all listeners of this
//! process; a commit here rings it at once, a commit elsewhere is seen within 300 ms.

use crate::{Shared, error::Result, store::accounts};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::watch;

const POLL_EVERY: Duration = Duration::from_millis(300);

/// Who listens to which account.
#[derive(Debug, Default)]
pub struct Live(Mutex<HashMap<String, watch::Sender<i64>>>);

impl Live {
    /// The account's version, now and whenever it changes; `known` is what was just read.
    pub fn listen(&self, account: &str, known: i64) -> watch::Receiver<i64> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let sender = all.entry(account.to_string()).or_insert_with(|| watch::Sender::new(known));
        sender.subscribe()
    }

    /// The accounts that somebody still listens to; the others are forgotten.
    fn listened(&self) -> Vec<String> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, sender| sender.receiver_count() > 0);
        all.keys().cloned().collect()
    }

    fn tell(&self, account: &str, version: i64) {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = all.get(account) {
            sender.send_if_modified(|known| {
                let newer = version > *known;
                *known = version.max(*known);
                newer
            });
        }
    }
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
    for account in listened {
        if let Some(version) = accounts::version(&mut conn, &account).await? {
            app.live.tell(&account, version);
        }
    }
    Ok(())
}
