//! `laika serve`: opens the store, starts the messenger and the worker, listens, and stops in
//! order.

use super::{Failure, Outcome, block_on, nothing_more};
use crate::{
    App, Shared, api, clock::Clock, config::Config, flow::receipt, listen, live, messenger,
    sandbox, store::settings, worker,
};
use std::io::Write;
use tokio::{net::TcpListener, task::JoinSet};

pub(super) fn serve(mut parser: lexopt::Parser) -> Result<Outcome, Failure> {
    if !nothing_more(&mut parser, "serve")? {
        return Ok(Outcome::Done);
    }
    block_on(async {
        let app = App::open(Config::from_env()?, Clock::system()).await?;
        keep_signing_key(&app).await?;
        if settings::charging_stopped(&mut *app.store.read().await?).await? {
            tracing::warn!("the kill switch is on: nothing is charged");
        }
        let listener = bind(&app.config.listen.bind_to(), "LAIKA_LISTEN").await?;
        let origin = app.config.listen.origin(listener.local_addr()?);
        let _ = app.origin.set(origin.clone());
        let (mut tasks, mut outside) = (JoinSet::new(), JoinSet::new());
        sandbox::start(&app, &mut outside).await.map_err(|error| {
            let address = app.config.sandbox_listen.bind_to();
            Failure::failed(format!("LAIKA_SANDBOX_LISTEN: {address}: {error}"))
        })?;
        tasks.spawn(messenger::run(app.clone()));
        tasks.spawn(live::run(app.clone()));
        tasks.spawn(worker::run(app.clone()));
        tasks.spawn(stop_on_signal(app.clone()));
        writeln!(std::io::stdout(), "listening {origin}")?;
        let stop = {
            let app = app.clone();
            async move { app.stopping().await }
        };
        listen::serve(listener, api::router(app.clone()), stop).await;
        while tasks.join_next().await.is_some() {}
        // Why: only now; what the worker had under way was answered, not lost.
        outside.shutdown().await;
        app.store.close().await;
        Ok(Outcome::Done)
    })
}

/// Keeps the key that signs, so that its public half can be had before the first receipt.
async fn keep_signing_key(app: &Shared) -> Result<(), Failure> {
    let mut tx = app.store.write().await?;
    receipt::signer(&mut tx, app.config.signing_key.as_ref(), app.clock.wall()).await?;
    tx.commit().await;
    Ok(())
}

/// Binds an address. *Errors*: which variable names it, and why it cannot be had.
pub(super) async fn bind(address: &str, name: &str) -> Result<TcpListener, Failure> {
    TcpListener::bind(address)
        .await
        .map_err(|error| Failure::failed(format!("{name}: {address}: {error}")))
}

async fn stop_on_signal(app: Shared) {
    signal().await;
    app.stop.send_replace(true);
}

/// Resolves at SIGINT or SIGTERM.
pub(super) async fn signal() {
    let mut terminate =
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).ok();
    let terminated = async {
        match &mut terminate {
            Some(signal) => signal.recv().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminated => {}
    }
}
