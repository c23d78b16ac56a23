//! What a look leaves behind: announcements of scheduled charges, and the latest record of each
//! reason not to charge.

use super::{
    Conn, Tx,
    lines::Line,
    rules::{from_json, json},
};
use crate::{error::Result, sql};
use laika_core::{decide::Notice, decide::TriggerDue, record::DecisionRecord};
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

/// The announcements that are not consumed, the oldest first.
pub async fn notices(conn: &mut Conn, line: &Line) -> Result<Vec<Notice>> {
    let rows = sql!(
        "SELECT notice FROM notices
         WHERE account_id = $1 AND line_id = $2 ORDER BY recorded_at, occurrence",
        line.account_id.as_str(),
        line.id.as_str()
    )
    .fetch_all(conn)
    .await?;
    rows.iter().map(|row| from_json(&row.try_get::<String, _>(0)?)).collect()
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

/// Keeps the record of a look that did not charge, in the place of the last one for that reason.
pub async fn keep(tx: &mut Tx, line: &Line, reason: &str, record: &DecisionRecord) -> Result<()> {
    sql!(
        "INSERT INTO looks (account_id, line_id, reason, record, looked_at)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (account_id, line_id, reason)
         DO UPDATE SET record = excluded.record, looked_at = excluded.looked_at",
        line.account_id.as_str(),
        line.id.as_str(),
        reason,
        json(record)?,
        record.now.micros()
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
