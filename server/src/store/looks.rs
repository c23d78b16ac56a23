//! What a look leaves behind: announcements of scheduled charges, and the latest record of each
//! reason not to charge.

use super::{
    Conn, Tx,
    lines::Line,
    rules::{from_json, json},
    set,
};
use crate::{error::Result, sql};
use laika_core::{
    decide::{Notice, TriggerDue},
    record::DecisionRecord,
    time::Instant,
};
use sqlx::Row;

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
        "SELECT r.key, n.notice FROM json_each($1) AS r CROSS JOIN notices AS n
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

/// A look that did not charge: the line, the reason's code, the record, when.
pub type Look<'a> = (&'a Line, &'static str, String, Instant);

/// Keeps the records of looks, each in the place of the line's last one for that reason.
pub async fn keep_all(tx: &mut Tx, all: &[Look<'_>]) -> Result<()> {
    let row = |(line, reason, record, at): &Look<'_>| {
        let (account, line) = (line.account_id.to_string(), line.id.to_string());
        (account, line, *reason, record.clone(), at.micros())
    };
    let rows: Vec<_> = all.iter().map(row).collect();
    sql!(
        "INSERT INTO looks (account_id, line_id, reason, record, looked_at)
         SELECT r.value->>0, r.value->>1, r.value->>2, r.value->>3, CAST(r.value->>4 AS BIGINT)
         FROM json_each($1) AS r WHERE TRUE
         ON CONFLICT (account_id, line_id, reason)
         DO UPDATE SET record = excluded.record, looked_at = excluded.looked_at",
        set::of(&rows)?
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The latest record of each reason, the newest first.
pub async fn of_line(conn: &mut Conn, line: &Line) -> Result<Vec<DecisionRecord>> {
    let rows = sql!(
        "SELECT record FROM looks WHERE account_id = $1 AND line_id = $2
         ORDER BY looked_at DESC, reason",
        line.account_id.as_str(),
        line.id.as_str()
    )
    .fetch_all(conn)
    .await?;
    rows.iter().map(|row| from_json(&row.try_get::<String, _>(0)?)).collect()
}
