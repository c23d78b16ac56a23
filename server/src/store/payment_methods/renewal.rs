//! Cards whose date ends, and what they are when their network has renewed them.

use super::Method;
use crate::{
    error::Result,
    sql,
    store::{Conn, Tx},
};
use chrono::{Datelike, NaiveDate};
use sqlx::Row;

/// A date's month, counted from the year 0: months that follow each other differ by one.
pub fn month_of(date: NaiveDate) -> i64 {
    i64::from(date.year()) * 12 + i64::from(date.month())
}

/// The cards of anybody whose date is in these months, both included, after one of them; each with
/// its account.
pub async fn ending(
    conn: &mut Conn,
    (first, last): (i64, i64),
    after: &(String, String),
    most: i64,
) -> Result<Vec<(String, String)>> {
    let rows = sql!(
        "SELECT account_id, id FROM payment_methods
         WHERE removed_at = 0 AND rail = 'card'
           AND exp_year * 12 + exp_month >= $1 AND exp_year * 12 + exp_month <= $2
           AND (account_id > $3 OR (account_id = $3 AND id > $4))
         ORDER BY account_id, id LIMIT $5",
        first,
        last,
        &after.0,
        &after.1,
        most
    )
    .fetch_all(conn)
    .await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// Keeps what a card is known by from now on.
pub async fn renew(tx: &mut Tx, account_id: &str, id: &str, new: &Method) -> Result<()> {
    sql!(
        "UPDATE payment_methods
         SET last4 = $1, exp_month = $2, exp_year = $3, fingerprint = $4, instrument = $5
         WHERE account_id = $6 AND id = $7",
        &new.last4,
        i64::from(new.exp_month),
        i64::from(new.exp_year),
        &new.fingerprint,
        &new.instrument,
        account_id,
        id
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
