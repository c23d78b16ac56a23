//! The HTTP listener: connections with a limit on their number and on how long headers may take,
//! and a stop that lets answers under way finish. It knows nothing of what is served.

use axum::{Router, body::Body, extract::ConnectInfo, http::Request};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{future::Future, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
};
use tower_service::Service;

/// What one client may cost.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// More connections wait in the kernel's queue.
    pub connections: usize,
    /// A client that takes longer for its headers is not a browser; nor is one that keeps a
    /// connection for so long and asks nothing.
    pub headers_within: Duration,
}

/// Those of every listener.
pub const LIMITS: Limits = Limits { connections: 2048, headers_within: Duration::from_secs(10) };

/// After an accept that failed: long enough not to fill the log while file handles are short.
const BREATH: Duration = Duration::from_millis(200);
/// Answers under way at stop get this long.
const LAST_ANSWERS: Duration = Duration::from_secs(10);

/// Serves until `stop` resolves, then finishes the answers under way.
pub async fn serve(listener: TcpListener, router: Router, stop: impl Future<Output = ()>) {
    serve_within(LIMITS, listener, router, stop).await;
}

async fn serve_within(
    limits: Limits,
    listener: TcpListener,
    router: Router,
    stop: impl Future<Output = ()>,
) {
    let slots = Arc::new(Semaphore::new(limits.connections));
    // Each connection holds a receiver; when all are gone, `closed` resolves.
    let (stopping, _) = watch::channel(false);
    tokio::pin!(stop);
    loop {
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { break };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Why: out of file handles or a connection already gone; the next one may be good.
                tracing::warn!(%error, "accept failed");
                tokio::select! {
                    () = tokio::time::sleep(BREATH) => continue,
                    () = &mut stop => break,
                }
            }
        };
        let router = router.clone();
        let stopping = stopping.subscribe();
        tokio::spawn(async move {
            connection(limits, stream, address, router, stopping).await;
            drop(slot);
        });
    }
    drop(listener);
    stopping.send_replace(true);
    if tokio::time::timeout(LAST_ANSWERS, stopping.closed()).await.is_err() {
        tracing::warn!("some answers did not finish before the stop");
    }
}

async fn connection(
    limits: Limits,
    stream: TcpStream,
    address: SocketAddr,
    router: Router,
    mut stopping: watch::Receiver<bool>,
) {
    // An answer is written at once; waiting to fill a packet only delays live updates.
    let _ = stream.set_nodelay(true);
    let service = hyper::service::service_fn(move |mut request: Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(ConnectInfo(address));
        let mut router = router.clone();
        async move { router.call(request.map(Body::new)).await }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.headers_within)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let told = async { stopping.wait_for(|stop| *stop).await.is_ok() };
    tokio::select! {
        // A connection that ends with an error was ended by the client: nothing to do, or to log.
        _ = connection.as_mut() => {}
        _ = told => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

#[cfg(test)]
mod tests;
