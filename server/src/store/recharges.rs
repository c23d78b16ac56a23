//! Recharges: the run itself as core has it, and beside it the columns that statements look for.

use super::{Conn, Tx, balances::bytes, lines::Line, set};
use crate::{
    error::{Error, Result},
    sql,
};
use laika_core::{
    bytes::Bytes,
    decide::{PastRecharge, Standing},
    recharge::{Recharge, Status},
    time::{Instant, Span},
};
use sqlx::{Row, any::AnyRow};

/// How far back `decide` is told of recharges: two local months, as a change of zone may make the
/// running one end with the next.
pub const PAST: Span = Span::days(63);

/// A recharge and what the server keeps beside it.
#[derive(Clone, Debug)]
pub struct Stored {
    /// The run.
    pub recharge: Recharge,
    /// Hash of the request that bought it by hand.
    pub request_sha256: Option<String>,
    /// Data before the credit.
    pub before: Option<Bytes>,
    /// Data right after the credit.
    pub after: Option<Bytes>,
}

fn stored(row: &AnyRow) -> Result<Stored> {
    let body: String = row.try_get(0)?;
    let amount = |at: usize| row.try_get::<Option<i64>, _>(at)?.map(bytes).transpose();
    Ok(Stored {
        recharge: serde_json::from_str(&body)
            .map_err(|error| Error::internal(format!("recharge: {error}")))?,
        request_sha256: row.try_get(1)?,
        before: amount(2)?,
        after: amount(3)?,
    })
}

/// The customer's own request behind a purchase by hand.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Its idempotency key, already bound to the line.
    pub key: &'a str,
    /// What was asked, hashed.
    pub sha256: &'a str,
}

/// Adds a recharge with the record that justifies it, or the request that asked for it.
pub async fn insert(
    tx: &mut Tx,
    line: &Line,
    number: u32,
    recharge: &Recharge,
    record: Option<&str>,
    request: Option<Request<'_>>,
) -> Result<()> {
    sql!(
        "INSERT INTO recharges
             (account_id, id, line_id, number, automatic, status, standing, opened_at,
              reserved_at, request_key, request_sha256, body, record)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        line.account_id.as_str(),
        recharge.id.as_str(),
        line.id.as_str(),
        i64::from(number),
        i64::from(recharge.automatic()),
        name(&recharge.status)?,
        standing(recharge.status),
        recharge.opened_at.micros(),
        recharge.reserved_at.micros(),
        request.map(|request| request.key),
        request.map(|request| request.sha256),
        json(recharge)?,
        record
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Keeps a recharge's new state. The line must be locked in the same transaction.
pub async fn update(tx: &mut Tx, account_id: &str, recharge: &Recharge) -> Result<()> {
    sql!(
        "UPDATE recharges SET status = $1, standing = $2, reserved_at = $3, body = $4
         WHERE account_id = $5 AND id = $6",
        name(&recharge.status)?,
        standing(recharge.status),
        recharge.reserved_at.micros(),
        json(recharge)?,
        account_id,
        recharge.id.as_str()
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Keeps the data before and after a recharge's credit.
pub async fn credited(
    tx: &mut Tx,
    account_id: &str,
    id: &str,
    before: Bytes,
    after: Bytes,
) -> Result<()> {
    sql!(
        "UPDATE recharges SET before_bytes = $1, after_bytes = $2
         WHERE account_id = $3 AND id = $4",
        before.to_i64(),
        after.to_i64(),
        account_id,
        id
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A recharge of this account.
pub async fn get(conn: &mut Conn, account_id: &str, id: &str) -> Result<Option<Stored>> {
    let row = sql!(
        "SELECT body, request_sha256, before_bytes, after_bytes
         FROM recharges WHERE account_id = $1 AND id = $2",
        account_id,
        id
    )
    .fetch_optional(conn)
    .await?;
    row.as_ref().map(stored).transpose()
}

/// The recharge that a request of this account made.
pub async fn by_request(conn: &mut Conn, account_id: &str, key: &str) -> Result<Option<Stored>> {
    let row = sql!(
        "SELECT body, request_sha256, before_bytes, after_bytes
         FROM recharges WHERE account_id = $1 AND request_key = $2",
        account_id,
        key
    )
    .fetch_optional(conn)
    .await?;
    row.as_ref().map(stored).transpose()
}

/// A line's recharges, the newest first, up to 200.
pub async fn of_line(conn: &mut Conn, account_id: &str, line_id: &str) -> Result<Vec<Stored>> {
    let rows = sql!(
        "SELECT body, request_sha256, before_bytes, after_bytes FROM recharges
         WHERE account_id = $1 AND line_id = $2 ORDER BY number DESC LIMIT 200",
        account_id,
        line_id
    )
    .fetch_all(conn)
    .await?;
    rows.iter().map(stored).collect()
}

/// A line's recharges that have not ended, the oldest first.
pub async fn unended(conn: &mut Conn, account_id: &str, line_id: &str) -> Result<Vec<Recharge>> {
    let rows = sql!(
        "SELECT body, request_sha256, before_bytes, after_bytes FROM recharges
         WHERE account_id = $1 AND line_id = $2
           AND status NOT IN ('done', 'failed', 'cancelled', 'refunded')
         ORDER BY number",
        account_id,
        line_id
    )
    .fetch_all(conn)
    .await?;
    rows.iter().map(|row| Ok(stored(row)?.recharge)).collect()
}

/// The recharges of each line that have not ended, the oldest first.
pub async fn unended_of(conn: &mut Conn, lines: &[&Line]) -> Result<Vec<Vec<Recharge>>> {
    let rows = sql!(
        "SELECT r.key, x.body FROM jsonb_each($1) AS r CROSS JOIN recharges AS x
         WHERE x.account_id = r.value->>0 AND x.line_id = r.value->>1
           AND x.status NOT IN ('done', 'failed', 'cancelled', 'refunded')
         ORDER BY x.number",
        set::of_lines(lines.iter().copied())?
    )
    .fetch_all(conn)
    .await?;
    set::grouped(lines.len(), &rows, |row| super::rules::from_json(&row.try_get::<String, _>(1)?))
}

/// What `decide` is told of each line's recharges, as of an instant: every open one, and the
/// recent ones.
pub async fn past(conn: &mut Conn, lines: &[(&Line, Instant)]) -> Result<Vec<Vec<PastRecharge>>> {
    let since: Vec<_> = lines.iter().map(|(line, now)| (*line, now.minus(PAST))).collect();
    let rows = sql!(
        "SELECT r.key, x.body FROM jsonb_each($1) AS r CROSS JOIN recharges AS x
         WHERE x.account_id = r.value->>0 AND x.line_id = r.value->>1
           AND (x.standing IN ('open', 'unknown')
                OR x.opened_at >= CAST(r.value->>2 AS BIGINT)
                OR x.reserved_at >= CAST(r.value->>2 AS BIGINT))
         ORDER BY x.number",
        set::of_lines_at(&since)?
    )
    .fetch_all(conn)
    .await?;
    set::grouped(lines.len(), &rows, |row| {
        let body: String = row.try_get(1)?;
        let recharge: Recharge = super::rules::from_json(&body)?;
        Ok(recharge.past())
    })
}

/// How many recharges of a line are open and how many are done.
pub async fn counts(conn: &mut Conn, account_id: &str, line_id: &str) -> Result<(i64, i64)> {
    let row = sql!(
        "SELECT CAST(COALESCE(SUM(CASE WHEN status IN ('done', 'failed', 'cancelled', 'refunded')
                                       THEN 0 ELSE 1 END), 0) AS BIGINT),
                CAST(COALESCE(SUM(CASE WHEN status = 'done' THEN 1 ELSE 0 END), 0) AS BIGINT)
         FROM recharges WHERE account_id = $1 AND line_id = $2",
        account_id,
        line_id
    )
    .fetch_one(conn)
    .await?;
    Ok((row.try_get(0)?, row.try_get(1)?))
}

/// The decision record that justifies a recharge; nothing when it was bought by hand.
pub async fn record(conn: &mut Conn, account_id: &str, id: &str) -> Result<Option<String>> {
    let row =
        sql!("SELECT record FROM recharges WHERE account_id = $1 AND id = $2", account_id, id)
            .fetch_optional(conn)
            .await?;
    match row {
        Some(row) => Ok(row.try_get(0)?),
        None => Ok(None),
    }
}

/// Every recharge with its account that was opened from an instant on or is open: reads the whole
/// table, for what is done once.
pub async fn opened_since(conn: &mut Conn, since: Instant) -> Result<Vec<(String, Recharge)>> {
    let rows = sql!(
        "SELECT body, request_sha256, before_bytes, after_bytes, account_id FROM recharges
         WHERE opened_at >= $1 OR standing IN ('open', 'unknown') ORDER BY account_id, id",
        since.micros()
    )
    .fetch_all(conn)
    .await?;
    rows.iter().map(|row| Ok((row.try_get(4)?, stored(row)?.recharge))).collect()
}

/// The recharges of which nobody knows what became: the payment, or the delivery.
pub async fn unknown(conn: &mut Conn) -> Result<Vec<Recharge>> {
    // Why said twice: the first condition is that of the index of those that have not ended.
    let rows = sql!(
        "SELECT body FROM recharges
         WHERE status NOT IN ('done', 'failed', 'cancelled', 'refunded')
           AND status IN ('unknown', 'delivery_unknown')
         ORDER BY opened_at, account_id, id"
    )
    .fetch_all(conn)
    .await?;
    rows.iter().map(|row| super::rules::from_json(&row.try_get::<String, _>(0)?)).collect()
}

/// The recharges of each line that were opened from an instant on, up to another and without it,
/// each with the record that justifies it.
pub async fn opened_between(
    conn: &mut Conn,
    lines: &[&Line],
    from: Instant,
    until: Instant,
) -> Result<Vec<Vec<(Recharge, Option<String>)>>> {
    let rows = sql!(
        "SELECT r.key, x.body, x.record FROM jsonb_each($1) AS r CROSS JOIN recharges AS x
         WHERE x.account_id = r.value->>0 AND x.line_id = r.value->>1
           AND x.opened_at >= $2 AND x.opened_at < $3
         ORDER BY x.number",
        set::of_lines(lines.iter().copied())?,
        from.micros(),
        until.micros()
    )
    .fetch_all(conn)
    .await?;
    set::grouped(lines.len(), &rows, |row| {
        let body: String = row.try_get(1)?;
        Ok((super::rules::from_json(&body)?, row.try_get(2)?))
    })
}

/// The ids of recharges whose line there is not: there is never one.
pub async fn without_line(conn: &mut Conn) -> Result<Vec<String>> {
    let rows = sql!(
        "SELECT id FROM recharges WHERE NOT EXISTS (
             SELECT 1 FROM lines
             WHERE lines.account_id = recharges.account_id AND lines.id = recharges.line_id)"
    )
    .fetch_all(conn)
    .await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// Those of these recharges that there are, whosever they are.
pub async fn existing(conn: &mut Conn, ids: &[String]) -> Result<Vec<String>> {
    // Why by line: a recharge is its line and a number, and a line is found by its id.
    let named = ids.iter().filter_map(|id| Some((id.rsplit_once("-r")?.0, id.as_str())));
    let rows = sql!(
        "SELECT x.id FROM jsonb_each($1) AS r CROSS JOIN lines AS l CROSS JOIN recharges AS x
         WHERE l.id = r.value->>0 AND x.account_id = l.account_id AND x.id = r.value->>1",
        set::of(&named.collect::<Vec<_>>())?
    )
    .fetch_all(conn)
    .await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// Which recharges an operator asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Every one.
    All,
    /// Those that have not ended.
    Open,
    /// Those of which nobody knows what became: the payment, or the delivery.
    Unknown,
}

impl Which {
    fn name(self) -> &'static str {
        match self {
            Which::All => "all",
            Which::Open => "open",
            Which::Unknown => "unknown",
        }
    }
}

/// Whether a row is one of those asked for, `$4` being the name of [`Which`].
macro_rules! of_which {
    () => {
        "($4 = 'all'
          OR $4 = 'open' AND status NOT IN ('done', 'failed', 'cancelled', 'refunded')
          OR $4 = 'unknown' AND status IN ('unknown', 'delivery_unknown'))"
    };
}

/// Where a page of recharges goes on: account, line and number of the last one seen.
pub type Place = (String, String, i64);

/// The next recharges of all lines, up to `most`, by account, line and number.
pub async fn page(
    conn: &mut Conn,
    which: Which,
    after: &Place,
    most: i64,
) -> Result<Vec<(Place, Recharge)>> {
    let rows = sql!(
        concat!(
            "SELECT account_id, line_id, number, body FROM recharges
             WHERE (account_id, line_id, number) > ($1, $2, $3) AND ",
            of_which!(),
            " ORDER BY account_id, line_id, number LIMIT $5"
        ),
        &after.0,
        &after.1,
        after.2,
        which.name(),
        most
    )
    .fetch_all(conn)
    .await?;
    rows.iter().map(listed).collect()
}

/// The next recharges of one line, as [`page`].
pub async fn page_of_line(
    conn: &mut Conn,
    which: Which,
    after: &Place,
    most: i64,
) -> Result<Vec<(Place, Recharge)>> {
    let rows = sql!(
        concat!(
            "SELECT account_id, line_id, number, body FROM recharges
             WHERE account_id = $1 AND line_id = $2 AND number > $3 AND ",
            of_which!(),
            " ORDER BY number LIMIT $5"
        ),
        &after.0,
        &after.1,
        after.2,
        which.name(),
        most
    )
    .fetch_all(conn)
    .await?;
    rows.iter().map(listed).collect()
}

fn listed(row: &AnyRow) -> Result<(Place, Recharge)> {
    let place = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    Ok((place, super::rules::from_json(&row.try_get::<String, _>(3)?)?))
}

fn json(recharge: &Recharge) -> Result<String> {
    serde_json::to_string(recharge).map_err(|error| Error::internal(error.to_string()))
}

/// The status as core writes it.
fn name(status: &Status) -> Result<String> {
    match serde_json::to_value(status) {
        Ok(serde_json::Value::String(name)) => Ok(name),
        _ => Err(Error::internal("a status is not a word")),
    }
}

fn standing(status: Status) -> &'static str {
    match status.standing() {
        Standing::Open => "open",
        Standing::Unknown => "unknown",
        Standing::Spent => "spent",
        Standing::Released => "released",
    }
}
