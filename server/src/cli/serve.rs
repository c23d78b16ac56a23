//! `laika serve`: opens the store, starts the messenger and the worker, listens, and stops in
//! order.

use super::{Failure, Outcome, block_on, help, home};
use crate::{
    App, Shared, api,
    clock::Clock,
    config::{self, Carrier, Config},
    flow::receipt,
    listen, live, messenger, metrics, sandbox,
    store::settings,
    worker,
};
use std::{
    io::{self, Write},
    net::SocketAddr,
};
use tokio::{
    net::TcpListener,
    signal::unix::{self, SignalKind},
    task::JoinSet,
};

pub(super) fn serve(mut parser: lexopt::Parser) -> Result<Outcome, Failure> {
    let Some(flags) = flags(&mut parser)? else { return help::print(Some("serve")) };
    block_on(async {
        let config = Config::from_flags(&flags)?;
        name_gateway(&config)?;
        refuse_no_way_back(&config)?;
        name_carrier(&config)?;
        let app = App::open(config, Clock::system()).await?;
        refuse_borrowed_time(&app)?;
        home::check(&app).await?;
        keep_signing_key(&app).await?;
        if settings::charging_stopped(&mut *app.store.read().await?).await? {
            tracing::warn!("the kill switch is on: nothing is charged");
        }
        let listener = bind(&app.config.listen.bind_to(), "LAIKA_LISTEN").await?;
        let origin = app.config.listen.origin(listener.local_addr()?);
        let outside_origin = app.config.origin.clone().unwrap_or_else(|| origin.clone());
        let _ = app.origin.set(outside_origin);
        name_node(&app, listener.local_addr()?.port());
        let (mut tasks, mut outside) = (JoinSet::new(), JoinSet::new());
        if app.config.uses_sandbox() {
            sandbox::start(&app, &mut outside).await.map_err(|error| {
                let address = app.config.sandbox_listen.bind_to();
                Failure::failed(format!("LAIKA_SANDBOX_LISTEN: {address}: {error}"))
            })?;
        }
        tasks.spawn(messenger::run(app.clone()));
        tasks.spawn(live::run(app.clone()));
        tasks.spawn(worker::run(app.clone()));
        if let Some(address) = &app.config.metrics_listen {
            let listener = bind(&address.bind_to(), "LAIKA_METRICS_LISTEN").await?;
            tracing::info!("metrics at {}/metrics", address.origin(listener.local_addr()?));
            tasks.spawn(metrics::serve(app.clone(), listener));
        }
        tasks.spawn(stop_on(signal()?, app.clone()));
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

/// The variables that the command line sets; nothing where it asks for help.
fn flags(parser: &mut lexopt::Parser) -> Result<Option<Vec<(&'static str, String)>>, Failure> {
    use lexopt::prelude::*;
    let mut set = vec![];
    while let Some(word) = parser.next()? {
        match word {
            Short('h') | Long("help") => return Ok(None),
            Long(name) => {
                let known = config::FLAGS.iter().find(|(flag, _)| *flag == name);
                let Some((_, variable)) = known else { return Err(Long(name).unexpected().into()) };
                set.push((*variable, parser.value()?.string()?));
            }
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(Some(set))
}

/// Says whose payments these are. *Errors*: real money is not taken for what the sandbox's carrier
/// would deliver, which is nothing.
fn name_gateway(config: &Config) -> Result<(), Failure> {
    let Some(stripe) = &config.stripe else {
        tracing::info!("payments by the sandbox: no real money");
        return Ok(());
    };
    let delivers = |carrier: &Carrier| carrier.secret.expose() != sandbox::API_KEY;
    if stripe.is_live() && !config.carrier.as_ref().is_some_and(delivers) {
        return Err(Failure::failed(
            "STRIPE_SECRET_KEY: a live key, while the carrier is the sandbox's, which delivers \
             nothing; use a test key, or a carrier by LAIKA_CARRIER_URL",
        ));
    }
    let (at, webhooks) = (&stripe.base_url, stripe.webhook_secrets.len());
    if stripe.is_live() {
        tracing::info!(at, webhooks, "payments by Stripe: real money");
    } else {
        tracing::info!(at, webhooks, "payments by Stripe in test mode: no real money");
    }
    if webhooks == 0 {
        tracing::warn!("no STRIPE_WEBHOOK_SECRET: only look-ups tell how payments end");
    }
    Ok(())
}

/// *Errors*: the sandbox's pages send customers back to this machine only, so that elsewhere nobody
/// could add a card.
fn refuse_no_way_back(config: &Config) -> Result<(), Failure> {
    // Only the port is taken of this.
    let bound = SocketAddr::from(([127, 0, 0, 1], config.listen.port));
    let origin = config.origin.clone().unwrap_or_else(|| config.listen.origin(bound));
    if config.stripe.is_some() || sandbox::on_this_machine(&origin) {
        return Ok(());
    }
    let name = if config.origin.is_some() { "LAIKA_ORIGIN" } else { "LAIKA_LISTEN" };
    Err(Failure::failed(format!(
        "{name}: {origin}, while payments are the sandbox's, whose pages send customers back to \
         http://localhost only: nobody could add a card; set STRIPE_SECRET_KEY, or leave {name} out"
    )))
}

/// Says who delivers. *Errors*: what costs a carrier something is not given for test money of ours.
fn name_carrier(config: &Config) -> Result<(), Failure> {
    match &config.carrier {
        Some(carrier) if config.stripe.is_none() && !carrier.is_on_this_machine() => {
            Err(Failure::failed(
                "LAIKA_CARRIER_URL: a carrier that delivers, while payments are the sandbox's: it \
                 would give for nothing; set STRIPE_SECRET_KEY",
            ))
        }
        Some(carrier) => {
            tracing::info!(at = carrier.url, "deliveries by a carrier over HTTP");
            if config.stripe.as_ref().is_none_or(|stripe| !stripe.is_live()) {
                tracing::warn!("it delivers for test money");
            }
            Ok(())
        }
        None => {
            tracing::info!("deliveries by the sandbox's carrier: no real network");
            Ok(())
        }
    }
}

/// *Errors*: no real money by a clock that a sandbox has moved: every day and month would be wrong.
fn refuse_borrowed_time(app: &Shared) -> Result<(), Failure> {
    let live = app.config.stripe.as_ref().is_some_and(|stripe| stripe.is_live());
    if live && app.clock.offset() > 0 {
        return Err(Failure::failed(
            "STRIPE_SECRET_KEY: a live key, and time was let pass in this database, which is a \
             sandbox's; begin with a new one",
        ));
    }
    Ok(())
}

/// Names this process among the servers of its database.
///
/// Why by machine and port: whoever holds the port knows that its last holder is dead, and so may
/// let go of what that one held. A machine that does not say its name gets one that is new each
/// time, and its jobs wait for their leases to end.
fn name_node(app: &Shared, port: u16) {
    let machine = || config::machine_name().map(|machine| format!("{machine}:{port}"));
    if let Some(node) = app.config.node.clone().or_else(machine) {
        let _ = app.node.set(node);
    }
    tracing::info!(node = app.node(), "this server's name");
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

async fn stop_on(signal: impl Future<Output = ()>, app: Shared) {
    signal.await;
    app.stop.send_replace(true);
}

/// Resolves at SIGINT or SIGTERM; from here on neither ends the process by itself.
pub(super) fn signal() -> io::Result<impl Future<Output = ()>> {
    let mut interrupt = unix::signal(SignalKind::interrupt())?;
    let mut terminate = unix::signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
