//! What a look leaves behind: announcements of charges to come, and the latest record of each
//! reason not to charge.
//!
//! A record is kept whole when anything in it is new but what the look saw of the balance and when.
//! While only that moves, it moves in the line's own row ([`Last`]), which usage writes anyway, and
//! the record is made again from both: the same bytes, without kilobytes for each event.

use super::{
    Conn, Tx,
    balances::bytes,
    lines::Line,
    rules::{from_json, json},
    set,
};
use crate::{error::Result, sql};
use laika_core::{
    ENGINE_VERSION,
    balance::Balance,
    bytes::Bytes,
    decide::{Account, Notice, TriggerDue},
    record::DecisionRecord,
    time::Instant,
};
use sqlx::{Row, any::AnyRow};

/// Records an announcement, in the place of one that no longer covers the charge; whether it is
/// new.
pub async fn announce(tx: &mut Tx, line: &Line, notice: &Notice) -> Result<bool> {
    let done = sql!(
        "INSERT INTO notices
             (account_id, line_id, occurrence, notice, recorded_at)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (account_id, line_id, occurrence)
         DO UPDATE SET notice = excluded.notice, recorded_at = excluded.recorded_at
         WHERE notices.notice <> excluded.notice",
        line.account_id.as_str(),
        line.id.as_str(),
        occurrence(&notice.trigger),
        json(notice)?,
        line.newest_at.micros()
    )
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The announcements of each line that are not consumed, the oldest first.
pub async fn notices(conn: &mut Conn, lines: &[&Line]) -> Result<Vec<Vec<Notice>>> {
    let rows = sql!(
        "SELECT r.key, n.notice FROM jsonb_each($1) AS r CROSS JOIN notices AS n
         WHERE n.account_id = r.value->>0 AND n.line_id = r.value->>1
         ORDER BY n.recorded_at, n.occurrence",
        set::of_lines(lines.iter().copied())?
    )
    .fetch_all(conn)
    .await?;
    set::grouped(lines.len(), &rows, |row| from_json(&row.try_get::<String, _>(1)?))
}

/// Forgets an announcement whose occurrence is consumed.
pub async fn forget(tx: &mut Tx, line: &Line, trigger: &TriggerDue) -> Result<()> {
    sql!(
        "DELETE FROM notices WHERE account_id = $1 AND line_id = $2 AND occurrence = $3",
        line.account_id.as_str(),
        line.id.as_str(),
        occurrence(trigger)
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Forgets every announcement: the rule they announced is another one now, or off.
pub async fn forget_all(tx: &mut Tx, line: &Line) -> Result<()> {
    sql!(
        "DELETE FROM notices WHERE account_id = $1 AND line_id = $2",
        line.account_id.as_str(),
        line.id.as_str()
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The name of a trigger's occurrence.
pub fn occurrence(trigger: &TriggerDue) -> String {
    match trigger {
        TriggerDue::LowBalance => "low_balance".to_string(),
        TriggerDue::Scheduled { at } => format!("scheduled {at}"),
        TriggerDue::Expiring { expires_at } => format!("expiring {expires_at}"),
    }
}

/// What a look saw that moves with every use of data. Everything else that it decided from is in
/// the record of its reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// When.
    pub at: Instant,
    /// Data that could be used then.
    pub bytes: Bytes,
    /// Credit left then.
    pub credit_minor: i64,
    /// When the last of that data expires.
    pub expiry_at: Option<Instant>,
}

impl Seen {
    /// What a look at an instant sees of a balance.
    pub fn of(balance: &Balance, at: Instant) -> Seen {
        let (bytes, expiry_at) = (balance.available(at), balance.latest_expiry(at));
        Seen { at, bytes, credit_minor: balance.credit_left_minor(), expiry_at }
    }
}

/// What is kept of a line's latest look, when it did not charge.
#[derive(Clone, Debug)]
pub struct Last {
    /// The reason's code.
    pub reason: String,
    /// The hash of everything that it decided from but what it saw.
    pub sha256: String,
    /// What it saw.
    pub seen: Seen,
}

/// Reads the latest look from these six columns: reason, hash, instant, bytes, credit, expiry.
pub fn last(row: &AnyRow, from: usize) -> Result<Option<Last>> {
    let Some(reason) = row.try_get::<Option<String>, _>(from)? else { return Ok(None) };
    let seen = Seen {
        at: Instant::from_micros(row.try_get(from + 2)?),
        bytes: bytes(row.try_get(from + 3)?)?,
        credit_minor: row.try_get(from + 4)?,
        expiry_at: row.try_get::<Option<i64>, _>(from + 5)?.map(Instant::from_micros),
    };
    Ok(Some(Last { reason, sha256: row.try_get(from + 1)?, seen }))
}

/// The latest look at each of some lines, in their order.
pub async fn last_of(conn: &mut Conn, lines: &[&Line]) -> Result<Vec<Option<Last>>> {
    let rows = sql!(
        "SELECT r.key, l.looked_reason, l.looked_sha256, l.looked_at, l.looked_bytes,
                l.looked_credit_minor, l.looked_expiry_at
         FROM jsonb_each($1) AS r CROSS JOIN lines AS l
         WHERE l.account_id = r.value->>0 AND l.id = r.value->>1",
        set::of_lines(lines.iter().copied())?
    )
    .fetch_all(conn)
    .await?;
    let found = set::grouped(lines.len(), &rows, |row| last(row, 1))?;
    Ok(found.into_iter().map(|mut last| last.pop().flatten()).collect())
}

/// Keeps, for lines, which look is the latest; nothing where that one charged.
pub async fn set_last(tx: &mut Tx, all: &[(&Line, Option<Last>)]) -> Result<()> {
    let mut rows = Vec::with_capacity(all.len());
    for (line, last) in all {
        let (last, seen) = (last.as_ref(), last.as_ref().map(|last| last.seen));
        rows.push((
            line.account_id.as_str(),
            line.id.as_str(),
            last.map(|last| (last.reason.as_str(), last.sha256.as_str())).unzip(),
            seen.map(|seen| seen.at.micros()),
            seen.map(|seen| seen.bytes.to_i64()),
            seen.map(|seen| seen.credit_minor),
            seen.and_then(|seen| seen.expiry_at).map(Instant::micros),
        ));
    }
    sql!(
        "UPDATE lines SET looked_reason = r.value->2->>0, looked_sha256 = r.value->2->>1,
                looked_at = CAST(r.value->>3 AS BIGINT),
                looked_bytes = CAST(r.value->>4 AS BIGINT),
                looked_credit_minor = CAST(r.value->>5 AS BIGINT),
                looked_expiry_at = CAST(r.value->>6 AS BIGINT)
         FROM jsonb_each($1) AS r
         WHERE lines.account_id = r.value->>0 AND lines.id = r.value->>1",
        set::of(&rows)?
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A look that did not charge: the line, the reason's code, the record, when.
pub type Look<'a> = (&'a Line, &'static str, String, Instant);

/// Keeps the records of looks, each in the place of the line's last one for that reason.
pub async fn keep_all(tx: &mut Tx, all: &[Look<'_>]) -> Result<()> {
    let mut rows = Vec::with_capacity(all.len());
    for (line, reason, record, at) in all {
        let (account, line) = (line.account_id.as_str(), line.id.as_str());
        rows.push((account, line, *reason, record.as_str(), at.micros()));
    }
    sql!(
        "INSERT INTO looks (account_id, line_id, reason, record, looked_at)
         SELECT r.value->>0, r.value->>1, r.value->>2, r.value->>3, CAST(r.value->>4 AS BIGINT)
         FROM jsonb_each($1) AS r WHERE TRUE
         ON CONFLICT (account_id, line_id, reason)
         DO UPDATE SET record = excluded.record, looked_at = excluded.looked_at, bytes = NULL,
                       credit_minor = NULL, expiry_at = NULL",
        set::of(&rows)?
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Puts beside the records of reasons that are no longer the latest what was last seen with them.
pub async fn overtaken(tx: &mut Tx, all: &[(&Line, Last)]) -> Result<()> {
    let mut rows = Vec::with_capacity(all.len());
    for (line, Last { reason, seen, .. }) in all {
        rows.push((
            line.account_id.as_str(),
            line.id.as_str(),
            reason.as_str(),
            seen.at.micros(),
            seen.bytes.to_i64(),
            seen.credit_minor,
            seen.expiry_at.map(Instant::micros),
        ));
    }
    sql!(
        "UPDATE looks SET looked_at = CAST(r.value->>3 AS BIGINT),
                bytes = CAST(r.value->>4 AS BIGINT), credit_minor = CAST(r.value->>5 AS BIGINT),
                expiry_at = CAST(r.value->>6 AS BIGINT)
         FROM jsonb_each($1) AS r
         WHERE looks.account_id = r.value->>0 AND looks.line_id = r.value->>1
           AND looks.reason = r.value->>2",
        set::of(&rows)?
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The latest record of each reason, the newest first: as it was kept whole, with what was last
/// seen by a look that found nothing else new.
pub async fn of_line(conn: &mut Conn, line: &Line) -> Result<Vec<DecisionRecord>> {
    let rows = sql!(
        "SELECT k.record,
                CASE WHEN l.looked_reason = k.reason THEN l.looked_at ELSE k.looked_at END,
                CASE WHEN l.looked_reason = k.reason THEN l.looked_bytes ELSE k.bytes END,
                CASE WHEN l.looked_reason = k.reason
                     THEN l.looked_credit_minor ELSE k.credit_minor END,
                CASE WHEN l.looked_reason = k.reason
                     THEN l.looked_expiry_at ELSE k.expiry_at END
         FROM looks AS k JOIN lines AS l ON l.account_id = k.account_id AND l.id = k.line_id
         WHERE k.account_id = $1 AND k.line_id = $2
         ORDER BY 2 DESC, CASE WHEN l.looked_reason = k.reason THEN 0 ELSE 1 END, k.reason",
        line.account_id.as_str(),
        line.id.as_str()
    )
    .fetch_all(conn)
    .await?;
    let mut records = Vec::with_capacity(rows.len());
    for row in &rows {
        let record: DecisionRecord = from_json(&row.try_get::<String, _>(0)?)?;
        let (at, left): (i64, Option<i64>) = (row.try_get(1)?, row.try_get(2)?);
        let Some(left) = left else {
            records.push(record);
            continue;
        };
        let expiry_at: Option<i64> = row.try_get(4)?;
        let (now, expiry_at) = (Instant::from_micros(at), expiry_at.map(Instant::from_micros));
        let seen = Seen { at: now, bytes: bytes(left)?, credit_minor: row.try_get(3)?, expiry_at };
        records.push(again(record, seen));
    }
    Ok(records)
}

/// The record of a later look for the same reason, which found nothing new but what it saw: as it
/// was made then. One by another version of the rules stays as it is: only that can decide again.
fn again(record: DecisionRecord, seen: Seen) -> DecisionRecord {
    if record.engine_version != ENGINE_VERSION {
        return record;
    }
    let DecisionRecord { rule, account, history, cause, .. } = record;
    let account = Account {
        available_bytes: seen.bytes,
        credit_minor: seen.credit_minor,
        latest_expiry_at: seen.expiry_at,
        ..account
    };
    DecisionRecord::make(&rule, &account, &history, &cause, seen.at)
}
