//! A copy of the database comes into its place: checked as a file, brought up to date, audited, and
//! with the kill switch on, because what was charged since it was made is not in it.
//!
//! Place in the flow: `laika restore`, while no server runs. The files are `store/backup`'s.

use super::{
    audit::{self, Report},
    kill_switch,
};
use crate::{
    config::DatabaseUrl,
    error::{Error, Result},
    fault::Kept,
    store::{
        Store,
        audit_log::{self, By},
        backup, lines, recharges, settings,
    },
};
use laika_core::time::Instant;
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

/// An instant as a part of a file's name.
fn stamp(now: Instant) -> String {
    let digits = |c: &char| c.is_ascii_digit() || *c == 'T';
    now.to_string().chars().take_while(|c| *c != '.').filter(digits).collect()
}

/// Audits it and stops charging.
async fn prepare(store: &Store, by: &By<'_>, now: Instant) -> Result<Restored, Refused> {
    let mut conn = store.read().await?;
    let report = audit::audit(&mut conn).await?;
    if !report.violations.is_empty() {
        return Err(Refused::Wrong(report));
    }
    let newest_at = lines::newest_at(&mut conn).await?;
    let lines = lines::all(&mut conn).await?.len();
    let open = recharges::opened_since(&mut conn, Instant::MAX).await?;
    let recharges_open = open.iter().filter(|(_, it)| !it.status.is_end()).count();
    drop(conn);
    let mut tx = store.write().await?;
    audit_log::append(&mut tx, by, "restored", "", now).await?;
    if settings::stop_charging(&mut tx, true).await? {
        audit_log::append(&mut tx, by, kill_switch::ON, "", now).await?;
    }
    tx.commit_as(Kept::Restored).await?;
    Ok(Restored { replaced: None, newest_at, lines, recharges_open })
}

#[cfg(test)]
mod tests;
