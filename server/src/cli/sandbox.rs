//! `laika sandbox`: the sandbox payment provider and carrier as a process of their own, which lives
//! on while servers come and go.

use super::{Failure, Outcome, block_on, help};
use crate::{config::Config, sandbox};
use std::io::Write;

pub(super) fn sandbox(mut parser: lexopt::Parser) -> Result<Outcome, Failure> {
    use lexopt::prelude::*;
    let mut config = Config::from_env()?;
    while let Some(word) = parser.next()? {
        match word {
            Long("file") => config.sandbox_data = parser.value()?.into(),
            Short('h') | Long("help") => return help::print(Some("sandbox")),
            other => return Err(other.unexpected().into()),
        }
    }
    block_on(async {
        let (sandbox, listener, origin) = sandbox::alone(&config).await.map_err(|error| {
            let address = config.sandbox_listen.bind_to();
            Failure::failed(format!("LAIKA_SANDBOX_LISTEN: {address}: {error}"))
        })?;
        let stop = super::serve::signal()?;
        writeln!(std::io::stdout(), "listening {origin}")?;
        sandbox::serve(sandbox, listener, stop).await;
        Ok(Outcome::Done)
    })
}
