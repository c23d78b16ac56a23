//! The messenger: takes messages from the outbox, in order, and sends each. In the sandbox, sending
//! is printing on the terminal; the outbox page shows the same rows. It writes no sentence.
//!
//! Of several servers one sends, in its turn: the others look again when it has ended. A server
//! that was paused past the end of its turn sends at most the message that it had in hand.

use crate::{
    Shared,
    error::Result,
    fault::{self, Kept, Point},
    store::{messages, turns},
};
use laika_core::{contact, time::Span};
use std::{io::Write, time::Duration};

/// Another process may have enqueued something without ringing here.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long the others wait for a server that died while it was its turn.
const TURN: Span = Span::seconds(30);

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
        if messages::unsent(&mut *app.store.read().await?).await?.is_empty() {
            return Ok(());
        }
        let wall = app.clock.wall();
        let mut tx = app.store.write().await?;
        let counted = app.time_of_leases(&mut tx).await?;
        let ours = turns::take(&mut tx, "messages", app.node(), counted, TURN).await?;
        // Why again: what was unsent before may have been sent in another's turn, which has ended.
        let unsent = messages::unsent(&mut tx).await?;
        tx.commit_as(Kept::Turn).await?;
        if !ours {
            return Ok(());
        }
        let mut sent = Vec::with_capacity(unsent.len());
        for message in &unsent {
            if app.clock.wall() >= wall.plus(TURN) {
                break;
            }
            let channel = message.channel.name();
            let (to, body) = (contact::mask(&message.recipient), &message.body);
            // Why: a terminal that has gone away must not end the messenger.
            let _ = writeln!(std::io::stderr(), "outbox · {channel} to {to} · {body}");
            fault::at(Point::MessageSent)?;
            sent.push(message.key.as_str());
        }
        let mut tx = app.store.write().await?;
        messages::sent(&mut tx, &sent, app.clock.now()).await?;
        tx.commit_as(Kept::Messages).await?;
    }
    Ok(())
}
