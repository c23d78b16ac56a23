//! The inbox: which usage events were ever accepted, and the events themselves in their order of
//! placement.

use super::{Conn, Tx, balances::bytes, ledger::Moved, lines::Line, set};
use crate::{
    error::{Error, Result},
    sql,
};
use laika_core::{
    balance::{Place, UsageEvent},
    bytes::Bytes,
    forecast::{PAST_DAYS, PastUse},
    time::{Instant, Span},
};
use serde::Serialize;
use sqlx::Row;
use std::collections::HashMap;

/// An event's global name and the hash of its content.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Name<'a>(pub &'a str, pub &'a str, pub &'a str);

/// Names to claim, and the text that claims them all: it is long, and best made before there is a
/// transaction that others wait for.
#[derive(Debug)]
pub struct Names<'a> {
    all: Vec<Name<'a>>,
    text: String,
}

impl<'a> Names<'a> {
    /// No name may be there twice, and they must be sorted: so two transactions that claim names
    /// in common wait for each other and never deadlock.
    pub fn of(all: Vec<Name<'a>>) -> Result<Names<'a>> {
        let text = set::of(&all)?;
        Ok(Names { all, text })
    }
}

/// How a group claims its names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// As if none were taken, which is so nearly always: without asking first.
    Unasked,
    /// Asking first which are taken.
    Asked,
}

/// Claims names of events for their contents, for good once the transaction commits. Gives those
/// that were taken before, by (source, id), with the hash of what they stand for; the others are
/// new and count.
///
/// *Errors*: [`Error::Raced`] when a name was taken unasked, or by another transaction in between:
/// undo everything, and ask.
pub async fn claim_all(
    tx: &mut Tx,
    names: Names<'_>,
    claim: Claim,
) -> Result<HashMap<(String, String), String>> {
    let Names { all: names, text: all } = names;
    let mut taken = HashMap::new();
    if claim == Claim::Asked {
        let rows = sql!(
            "SELECT i.source, i.id, i.sha256 FROM jsonb_each($1) AS r CROSS JOIN inbox AS i
             WHERE i.source = r.value->>0 AND i.id = r.value->>1",
            &all
        )
        .fetch_all(&mut **tx)
        .await?;
        for row in &rows {
            let name: (String, String) = (row.try_get(0)?, row.try_get(1)?);
            taken.insert(name, row.try_get(2)?);
        }
    }
    let is_taken = |name: &Name<'_>| taken.contains_key(&(name.0.to_string(), name.1.to_string()));
    let (new, rows) = match taken.is_empty() {
        true => (all, names.len()),
        false => {
            let new: Vec<_> = names.iter().filter(|name| !is_taken(name)).collect();
            (set::of(&new)?, new.len())
        }
    };
    let done = sql!(
        "INSERT INTO inbox (source, id, sha256)
         SELECT r.value->>0, r.value->>1, r.value->>2 FROM jsonb_each($1) AS r WHERE TRUE
         ON CONFLICT (source, id) DO NOTHING",
        new
    )
    .execute(&mut **tx)
    .await?;
    if done.rows_affected() == rows as u64 { Ok(taken) } else { Err(Error::Raced) }
}

/// An accepted event, the line it belongs to, where it was used, and what is booked with it.
pub type Accepted<'a> = (&'a Line, &'a UsageEvent, Option<&'a str>, Moved);

/// The text of accepted events, for [`insert_all`].
pub fn text(accepted: &[Accepted<'_>]) -> Result<String> {
    let mut rows = Vec::with_capacity(accepted.len());
    for (line, event, country, moved) in accepted {
        rows.push((
            line.account_id.as_str(),
            line.id.as_str(),
            event.place.time.micros(),
            event.place.id.as_str(),
            event.bytes.to_i64(),
            *country,
            event.received_version,
            line.newest_at.micros(),
            moved.bytes,
            moved.minor,
        ));
    }
    set::of(&rows)
}

/// Keeps accepted events.
pub async fn insert_all(tx: &mut Tx, accepted: String) -> Result<()> {
    sql!(
        "INSERT INTO usage_events
             (account_id, line_id, used_at, event_id, bytes, country, received_version, received_at,
              moved_bytes, moved_minor)
         SELECT r.value->>0, r.value->>1, CAST(r.value->>2 AS BIGINT), r.value->>3,
                CAST(r.value->>4 AS BIGINT), r.value->>5, CAST(r.value->>6 AS BIGINT),
                CAST(r.value->>7 AS BIGINT), CAST(r.value->>8 AS BIGINT),
                CAST(r.value->>9 AS BIGINT)
         FROM jsonb_each($1) AS r",
        accepted
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Those of these events' places (source and id) that were never accepted.
pub async fn unnamed(conn: &mut Conn, places: &[&str]) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for some in places.chunks(1000) {
        let names: Vec<_> = some.iter().map(|it| it.split_once(' ').unwrap_or((it, ""))).collect();
        let rows = sql!(
            "SELECT r.key FROM jsonb_each($1) AS r WHERE NOT EXISTS (
                 SELECT 1 FROM inbox AS i WHERE i.source = r.value->>0 AND i.id = r.value->>1)",
            set::of(&names)?
        )
        .fetch_all(&mut *conn)
        .await?;
        for row in &rows {
            found.extend(some.get(set::key(row)?).map(|name| (*name).to_string()));
        }
    }
    Ok(found)
}

/// How many events were accepted, and how many are kept.
pub async fn counts(conn: &mut Conn) -> Result<(i64, i64)> {
    let row = sql!("SELECT (SELECT COUNT(*) FROM inbox), (SELECT COUNT(*) FROM usage_events)")
        .fetch_one(conn)
        .await?;
    Ok((row.try_get(0)?, row.try_get(1)?))
}

/// Every event of a line, in the order of placement.
pub async fn events(conn: &mut Conn, line: &Line) -> Result<Vec<UsageEvent>> {
    let events = events_since(conn, &[(line, Instant::MIN)]).await?.pop();
    Ok(events.unwrap_or_default())
}

/// The events of each line at an instant or later, in the order of placement.
pub async fn events_since(
    conn: &mut Conn,
    lines: &[(&Line, Instant)],
) -> Result<Vec<Vec<UsageEvent>>> {
    let rows = sql!(
        "SELECT r.key, e.used_at, e.event_id, e.bytes, e.received_version
         FROM jsonb_each($1) AS r CROSS JOIN usage_events AS e
         WHERE e.account_id = r.value->>0 AND e.line_id = r.value->>1
           AND e.used_at >= CAST(r.value->>2 AS BIGINT)",
        set::of_lines_at(lines)?
    )
    .fetch_all(conn)
    .await?;
    let mut all = set::grouped(lines.len(), &rows, |row| {
        let time = Instant::from_micros(row.try_get(1)?);
        Ok(UsageEvent {
            place: Place { time, id: row.try_get(2)? },
            bytes: bytes(row.try_get(3)?)?,
            received_version: row.try_get(4)?,
        })
    })?;
    // Why: PostgreSQL may order text by a locale; the order of placement is by bytes everywhere.
    all.iter_mut().for_each(|events| events.sort_by(|a, b| a.place.cmp(&b.place)));
    Ok(all)
}

/// What the line used in each hour of the last 90 times 24 h before an instant.
pub async fn past_use(conn: &mut Conn, line: &Line, as_of: Instant) -> Result<PastUse> {
    // Why: in two parts, as the sum of a few absurd events is more than a BIGINT holds.
    let rows = sql!(
        "SELECT ($3 - 1 - used_at) / 3600000000 AS hours_ago,
                CAST(SUM(bytes / 1000000000) AS BIGINT),
                CAST(SUM(bytes % 1000000000) AS BIGINT)
         FROM usage_events
         WHERE account_id = $1 AND line_id = $2 AND used_at >= $4 AND used_at < $3
         GROUP BY 1",
        line.account_id.as_str(),
        line.id.as_str(),
        as_of.micros(),
        as_of.minus(Span::days(PAST_DAYS)).micros()
    )
    .fetch_all(conn)
    .await?;
    let mut hours = Vec::with_capacity(rows.len());
    for row in &rows {
        let hours_ago: i64 = row.try_get(0)?;
        let begins = as_of.minus(Span::hours(hours_ago.saturating_add(1)));
        let (gigabytes, rest): (i64, i64) = (row.try_get(1)?, row.try_get(2)?);
        let whole = u64::try_from(gigabytes).ok().and_then(|n| Bytes::GB.checked_mul(n));
        let rest = Bytes::from_i64(rest).unwrap_or(Bytes::MAX);
        hours.push((begins, whole.unwrap_or(Bytes::MAX).plus(rest)));
    }
    Ok(PastUse::of(&hours, as_of))
}

/// Each event's time and amount from one instant to before another.
pub async fn between(
    conn: &mut Conn,
    line: &Line,
    from: Instant,
    to: Instant,
) -> Result<Vec<(Instant, Bytes)>> {
    let rows = sql!(
        "SELECT used_at, bytes FROM usage_events
         WHERE account_id = $1 AND line_id = $2 AND used_at >= $3 AND used_at < $4",
        line.account_id.as_str(),
        line.id.as_str(),
        from.micros(),
        to.micros()
    )
    .fetch_all(conn)
    .await?;
    rows.iter()
        .map(|row| Ok((Instant::from_micros(row.try_get(0)?), bytes(row.try_get(1)?)?)))
        .collect()
}
