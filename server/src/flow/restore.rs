//! A copy of the database comes into its place: checked as a file, brought up to date, audited, and
//! with the kill switch on, because what was charged since it was made is not in it.
//!
//! Place in the flow: `laika restore`, while no server runs. The files are `store/backup`'s.

use super::{
    advance,
    audit::{self, Report},
    kill_switch,
};
use crate::{
    config::DatabaseUrl,
    error::{Error, Result},
    fault::Kept,
    store::{
        Store, Tx,
        audit_log::{self, By},
        backup, lines, recharges, settings,
    },
};
use laika_core::{
    recharge::{Fact, Recharge},
    time::Instant,
};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// What is in place now.
#[derive(Debug, Serialize)]
pub struct Restored {
    /// What the database was before, under its new name; nothing where there was none.
    pub replaced: Option<PathBuf>,
    /// The newest instant recorded for a line: what is later is not in the copy.
    pub newest_at: Option<Instant>,
    /// How many lines it has.
    pub lines: usize,
    /// How many recharges had not ended when it was made.
    pub recharges_open: usize,
}

/// Why nothing was put in place.
#[derive(Debug)]
pub enum Refused {
    /// The auditor found something.
    Wrong(Report),
    /// It could not be done.
    Failed(Error),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Refused {
        Refused::Failed(error)
    }
}

/// Checks a copy and puts it in the database's place.
pub async fn restore(
    url: &DatabaseUrl,
    from: &Path,
    by: &By<'_>,
    now: Instant,
) -> Result<Restored, Refused> {
    let candidate = backup::candidate(url, from).await?;
    let prepared = prepare(&candidate.store, by, now).await;
    let mut restored = match prepared {
        Ok(restored) => restored,
        Err(refused) => {
            candidate.discard().await;
            return Err(refused);
        }
    };
    restored.replaced = candidate.take_its_place(&stamp(now)).await?;
    Ok(restored)
}

/// The same for a database that PostgreSQL's own tools have put a copy in, before a server runs on
/// it.
pub async fn in_place(url: &DatabaseUrl, by: &By<'_>, now: Instant) -> Result<Restored, Refused> {
    // Why known: an empty database would be made into one without lines, and be called restored.
    let store = Store::open_known(url).await?;
    let restored = prepare(&store, by, now).await;
    store.close().await;
    restored
}

/// An instant as a part of a file's name.
fn stamp(now: Instant) -> String {
    let digits = |c: &char| c.is_ascii_digit() || *c == 'T';
    now.to_string().chars().take_while(|c| *c != '.').filter(digits).collect()
}

/// Recharges that each line may have had since the copy was made. Their numbers are not given
/// again: they name what the provider and the carrier have under them.
const LOST_NUMBERS: i64 = 1_000;

/// Audits a database that a copy was put in, and stops charging there.
async fn prepare(store: &Store, by: &By<'_>, now: Instant) -> Result<Restored, Refused> {
    let mut conn = store.read().await?;
    let report = audit::audit(&mut conn).await?;
    if !report.violations.is_empty() {
        return Err(Refused::Wrong(report));
    }
    let newest_at = lines::newest_at(&mut conn).await?;
    let lines = lines::all(&mut conn).await?.len();
    let open = recharges::opened_since(&mut conn, Instant::MAX).await?;
    let open: Vec<_> = open.into_iter().filter(|(_, it)| !it.status.is_end()).collect();
    let recharges_open = open.len();
    drop(conn);
    let mut tx = store.write().await?;
    lines::skip_recharges(&mut tx, LOST_NUMBERS).await?;
    for (account, recharge) in open {
        may_have_been_sent(&mut tx, account.as_str(), recharge).await?;
    }
    audit_log::append(&mut tx, by, "restored", "", now).await?;
    if settings::stop_charging(&mut tx, true).await? {
        audit_log::append(&mut tx, by, kill_switch::ON, "", now).await?;
    }
    tx.commit_as(Kept::Restored).await?;
    Ok(Restored { replaced: None, newest_at, lines, recharges_open })
}

/// What was about to be sent when the copy was made may have been sent since. Taken as sent it is
/// looked up, and what it took is kept or goes back; unsent it would end with "no money moved".
async fn may_have_been_sent(tx: &mut Tx, account: &str, recharge: Recharge) -> Result<()> {
    let Some(line) = lines::get(tx, account, recharge.line_id.as_str()).await? else {
        return Ok(());
    };
    let last = recharge.attempts.last().filter(|it| it.submitted_at.is_none());
    if let Some(attempt) = last.map(|it| it.number) {
        advance::take_in(tx, &line, recharge, &Fact::Submitted { attempt }).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
