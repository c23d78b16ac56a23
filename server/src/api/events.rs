//! The live stream of one account: server-sent events that say "something changed, now version n".
//! The browser fetches what it shows; nothing private travels here.

use super::extract::SignedIn;
use crate::{
    Shared,
    error::{Error, Result},
    store::accounts,
};
use axum::{
    extract::State,
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::stream;
use std::{convert::Infallible, sync::Arc, time::Duration};
use tokio::sync::{Notify, watch};

/// Proxies and phones drop a connection that is silent for longer.
const SILENCE: Duration = Duration::from_secs(20);

struct Listener {
    app: Shared,
    session: String,
    /// Notified when newer streams of the session take its place.
    ends: Arc<Notify>,
    versions: watch::Receiver<i64>,
    first: bool,
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.app.live.leave(&self.session, &self.ends);
    }
}

/// `GET /events`: the present version at once, then each change, until the process stops or the
/// session has too many newer streams.
pub async fn stream(State(app): State<Shared>, session: SignedIn) -> Result<Response> {
    let known = accounts::version(&mut *app.store.read().await?, session.account()).await?;
    let known = known.ok_or_else(Error::unauthenticated)?;
    let versions = app.live.listen(session.account(), known);
    let ends = app.live.enter(&session.0.token_sha256);
    let session = session.0.token_sha256;
    let listener = Listener { app, session, ends, versions, first: true };
    let events = stream::unfold(listener, |mut listener| async move {
        if !listener.first {
            tokio::select! {
                changed = listener.versions.changed() => changed.ok()?,
                () = listener.ends.notified() => return None,
                () = listener.app.stopping() => return None,
            }
        }
        listener.first = false;
        let version = *listener.versions.borrow_and_update();
        let event = Event::default().id(version.to_string()).event("changed").data("{}");
        Some((Ok::<_, Infallible>(event), listener))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(SILENCE)).into_response())
}
