//! The inbox: which usage events were ever accepted, and the events themselves in their order of
//! placement.

use super::{Conn, Tx, balances::bytes, lines::Line};
use crate::{error::Result, sql};
use laika_core::{
    balance::{Place, UsageEvent},
    bytes::Bytes,
    forecast::{PAST_DAYS, PastUse},
    time::{Instant, Span},
};
use sqlx::Row;

/// What the inbox says to an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// It is new; it counts.
    New,
    /// It was here before, the same.
    Repeated,
    /// Another event was here under this name.
    Reused,
}

/// Claims the name of an event for its content, for good once the transaction commits.
pub async fn claim(tx: &mut Tx, source: &str, id: &str, sha256: &str) -> Result<Claim> {
    let done = sql!(
        "INSERT INTO inbox (source, id, sha256) VALUES ($1, $2, $3)
         ON CONFLICT (source, id) DO NOTHING",
        source,
        id,
        sha256
    )
    .execute(&mut **tx)
    .await?;
    if done.rows_affected() == 1 {
        return Ok(Claim::New);
    }
    let row = sql!("SELECT sha256 FROM inbox WHERE source = $1 AND id = $2", source, id)
        .fetch_one(&mut **tx)
        .await?;
    let same = row.try_get::<String, _>(0)? == sha256;
    Ok(if same { Claim::Repeated } else { Claim::Reused })
}

/// Keeps an accepted event.
pub async fn insert(
    tx: &mut Tx,
    line: &Line,
    event: &UsageEvent,
    country: Option<&str>,
) -> Result<()> {
    sql!(
        "INSERT INTO usage_events
             (account_id, line_id, used_at, event_id, bytes, country, received_version, received_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        line.account_id.as_str(),
        line.id.as_str(),
        event.place.time.micros(),
        &event.place.id,
        event.bytes.to_i64(),
        country,
        event.received_version,
        line.newest_at.micros()
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Every event of a line, in the order of placement.
pub async fn events(conn: &mut Conn, line: &Line) -> Result<Vec<UsageEvent>> {
    let rows = sql!(
        "SELECT used_at, event_id, bytes, received_version FROM usage_events
         WHERE account_id = $1 AND line_id = $2 ORDER BY used_at, event_id",
        line.account_id.as_str(),
        line.id.as_str()
    )
    .fetch_all(conn)
    .await?;
    let mut events = Vec::with_capacity(rows.len());
    for row in &rows {
        let time = Instant::from_micros(row.try_get(0)?);
        events.push(UsageEvent {
            place: Place { time, id: row.try_get(1)? },
            bytes: bytes(row.try_get(2)?)?,
            received_version: row.try_get(3)?,
        });
    }
    // Why: PostgreSQL may order text by a locale; the order of placement is by bytes everywhere.
    events.sort_by(|a, b| a.place.cmp(&b.place));
    Ok(events)
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
