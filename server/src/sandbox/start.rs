//! Starting the sandbox: inside `laika serve`, unless one runs at its address already, or as the
//! process `laika sandbox`. It takes no address from anything but a sandbox: whatever else listens
//! there is an error that names it.

use super::{IDENTITY, open, serve};
use crate::{App, config::Config, outbound::Outbound};
use serde_json::Value;
use std::{io, sync::Arc, time::Duration};
use tokio::net::TcpListener;

/// Makes a sandbox available to the server: one that runs already, or one inside this process,
/// among `tasks`. It runs until they are dropped, so that the worker can finish what is under way.
pub async fn start(app: &Arc<App>, tasks: &mut tokio::task::JoinSet<()>) -> io::Result<()> {
    let config = &app.config;
    let listener = match TcpListener::bind(config.sandbox_listen.bind_to()).await {
        Ok(listener) => listener,
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            let origin = format!("http://{}", config.sandbox_listen.bind_to());
            if !answers_at(&origin).await {
                let words = "in use, and not by a Laika sandbox";
                return Err(io::Error::new(error.kind(), words));
            }
            tracing::info!(origin, "using the sandbox that runs already");
            let _ = app.sandbox.set(origin);
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    let origin = config.sandbox_listen.origin(listener.local_addr()?);
    let sandbox = open(&config.sandbox_data)?;
    tracing::info!(origin, "sandbox payment provider and carrier: no real money");
    let _ = app.sandbox.set(origin);
    tasks.spawn(serve(sandbox, listener, std::future::pending()));
    Ok(())
}

/// Opens the journal and the address for a sandbox of its own process.
pub async fn alone(config: &Config) -> io::Result<(super::Sandbox, TcpListener, String)> {
    let sandbox = open(&config.sandbox_data)?;
    let listener = TcpListener::bind(config.sandbox_listen.bind_to()).await?;
    let origin = config.sandbox_listen.origin(listener.local_addr()?);
    Ok((sandbox, listener, origin))
}

/// Whether a Laika sandbox answers at this origin.
pub async fn answers_at(origin: &str) -> bool {
    let client = Outbound::new(Duration::from_secs(5));
    let answer = client.send("GET", &format!("{origin}/identity"), &[], Vec::new()).await;
    let said = answer.and_then(|answer| answer.json::<Value>());
    said.is_ok_and(|said| said["laika_sandbox"] == IDENTITY)
}
