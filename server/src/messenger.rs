//! The messenger: takes messages from the outbox, in order, and sends each. In the sandbox, sending
//! is printing on the terminal; the outbox page shows the same rows. It writes no sentence.

use crate::{
    Shared,
    error::Result,
    fault::{self, Kept, Point},
    store::messages,
};
use laika_core::contact;
use std::{io::Write, time::Duration};

/// Another process may have enqueued something without ringing here.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Sends until the process stops.
pub async fn run(app: Shared) {
    loop {
        if let Err(error) = send_all(&app).await {
            tracing::error!(%error, "messages wait");
        }
        tokio::select! {
            () = app.messages_due.notified() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = app.stopping() => return,
        }
    }
}

/// Outside the sandbox there is no way to send yet: messages stay in the outbox.
async fn send_all(app: &Shared) -> Result<()> {
    while app.sandbox_origin().is_some() {
        let unsent = messages::unsent(&mut *app.store.read().await?).await?;
        if unsent.is_empty() {
            return Ok(());
        }
        let mut tx = app.store.write().await?;
        for message in &unsent {
            let channel = message.channel.name();
            let (to, body) = (contact::mask(&message.recipient), &message.body);
            // Why: a terminal that has gone away must not end the messenger.
            let _ = writeln!(std::io::stderr(), "outbox · {channel} to {to} · {body}");
            fault::at(Point::MessageSent)?;
            messages::sent(&mut tx, &message.key, app.clock.now()).await?;
        }
        tx.commit_as(Kept::Messages).await?;
    }
    Ok(())
}
