//! `laika audit --json`: what must never be, found or not found; exit code 1 when found.

use super::{Failure, Outcome, block_on, help, open, print_json};
use crate::flow::audit::audit as check;

pub(super) fn audit(mut parser: lexopt::Parser) -> Result<Outcome, Failure> {
    use lexopt::prelude::*;
    let mut json = false;
    while let Some(word) = parser.next()? {
        match word {
            Long("json") => json = true,
            Short('h') | Long("help") => return help::print(Some("audit")),
            other => return Err(other.unexpected().into()),
        }
    }
    if !json {
        return Err(Failure::Usage("laika audit speaks JSON only: laika audit --json".into()));
    }
    let report = block_on(async {
        let app = open().await?;
        let report = check(&mut *app.store.read().await?).await?;
        app.store.close().await;
        Ok(report)
    })?;
    print_json(&report)?;
    Ok(if report.violations.is_empty() { Outcome::Done } else { Outcome::Found })
}
