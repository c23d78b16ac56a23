//! The inbox: which usage events were ever accepted, and the events themselves in their order of
//! placement.

use super::{Conn, Tx, balances::bytes, lines::Line};
use crate::{error::Result, sql};
use laika_core::{
    balance::{Place, UsageEvent},
    bytes::Bytes,
    forecast::RecentUse,
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

/// How many times 24 h of use are looked back on.
const RECENT_DAYS: u32 = 28;

/// What the line used lately, as of an instant: whole times 24 h since its first use, 28 at most.
pub async fn recent_use(conn: &mut Conn, line: &Line, as_of: Instant) -> Result<RecentUse> {
    let row = sql!(
        "SELECT MIN(used_at) FROM usage_events WHERE account_id = $1 AND line_id = $2",
        line.account_id.as_str(),
        line.id.as_str()
    )
    .fetch_one(&mut *conn)
    .await?;
    let Some(first) = row.try_get::<Option<i64>, _>(0)? else { return Ok(RecentUse::default()) };
    let age = as_of.since(Instant::from_micros(first)).0.div_euclid(Span::days(1).0);
    let days = u32::try_from(age).unwrap_or(0).clamp(1, RECENT_DAYS);
    let since = as_of.minus(Span::days(i64::from(days)));
    let bytes = used(conn, line, since, as_of).await?;
    Ok(RecentUse { days, bytes })
}

/// What the line used from one instant to before another; it stops at [`Bytes::MAX`].
pub async fn used(conn: &mut Conn, line: &Line, from: Instant, to: Instant) -> Result<Bytes> {
    // Why: in two parts, as the sum of a few absurd events is more than a BIGINT holds.
    let row = sql!(
        "SELECT CAST(COALESCE(SUM(bytes / 1000000000), 0) AS BIGINT),
                CAST(COALESCE(SUM(bytes % 1000000000), 0) AS BIGINT)
         FROM usage_events
         WHERE account_id = $1 AND line_id = $2 AND used_at >= $3 AND used_at < $4",
        line.account_id.as_str(),
        line.id.as_str(),
        from.micros(),
        to.micros()
    )
    .fetch_one(conn)
    .await?;
    let (gigabytes, rest): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
    let whole = u64::try_from(gigabytes).ok().and_then(|n| Bytes::GB.checked_mul(n));
    Ok(whole.unwrap_or(Bytes::MAX).plus(Bytes::from_i64(rest).unwrap_or(Bytes::MAX)))
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
