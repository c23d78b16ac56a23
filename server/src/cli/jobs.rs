//! `laika jobs`: what is still to be done outside, what failed, and trying it again at once.

use super::{Failure, Outcome, block_on, help, open, print_json};
use crate::{
    Shared,
    store::{
        audit_log::{self, By},
        pending::{self, Pending, Times, Which},
    },
};
use std::io::Write;

/// Rows read at once.
const PAGE: i64 = 500;

pub(super) fn jobs(mut parser: lexopt::Parser) -> Result<Outcome, Failure> {
    use lexopt::prelude::*;
    let (mut which, mut json, mut again) = (Which::All, false, None);
    while let Some(word) = parser.next()? {
        match word {
            Value(word) if again.is_none() && word == "retry" => {
                again = Some(parser.value()?.string()?);
            }
            Long("due") if which == Which::All => which = Which::Due,
            Long("failed") if which == Which::All => which = Which::Failed,
            Long("json") => json = true,
            Short('h') | Long("help") => return help::print(Some("jobs")),
            other => return Err(other.unexpected().into()),
        }
    }
    if again.is_some() && (which != Which::All || json) {
        return Err(Failure::Usage("laika jobs retry ID takes no options".into()));
    }
    block_on(async {
        let app = open().await?;
        match again {
            Some(key) => retry(&app, &key).await?,
            None => list(&app, which, json).await?,
        }
        app.store.close().await;
        Ok(Outcome::Done)
    })
}

fn times(app: &Shared) -> Times {
    Times { now: app.clock.now(), wall: app.clock.wall() }
}

async fn list(app: &Shared, which: Which, json: bool) -> Result<(), Failure> {
    let mut conn = app.store.read().await?;
    let (times, mut after) = (times(app), (String::new(), String::new()));
    loop {
        let page = pending::page(&mut conn, which, times, &after, PAGE).await?;
        let Some(end) = page.last() else { return Ok(()) };
        after = (end.account_id.clone(), end.key.clone());
        for job in &page {
            if json {
                print_json(job)?;
            } else {
                writeln!(std::io::stdout(), "{}", sentence(job))?;
            }
        }
    }
}

/// A job for a person.
pub(super) fn sentence(job: &Pending) -> String {
    let Pending { key, due_at, attempts, .. } = job;
    let held = job.held_until.map_or(String::new(), |at| format!("  held until {at}"));
    let failure = job.failure.as_ref().map_or(String::new(), |words| format!("  {words}"));
    format!("{key}  due {due_at}  begun {attempts} times{held}{failure}")
}

/// Makes a failed job due now, and writes down who did.
async fn retry(app: &Shared, key: &str) -> Result<(), Failure> {
    let times = times(app);
    let mut tx = app.store.write().await?;
    let Some(job) = pending::get(&mut tx, key, times.wall).await? else {
        return Err(Failure::failed(format!("there is no job {key}")));
    };
    if !pending::try_now(&mut tx, &job, times).await? {
        let why = match job.held_until {
            Some(until) => format!("a worker has it until {until}"),
            None => format!("nothing failed; it is due {}", job.due_at),
        };
        return Err(Failure::failed(format!("{key} stays as it is: {why}")));
    }
    let by = By { operator: &app.config.operator, why: "" };
    audit_log::append(&mut tx, &by, "job_retried", key, times.now).await?;
    tx.commit().await;
    Ok(writeln!(std::io::stdout(), "{key} is due now")?)
}
