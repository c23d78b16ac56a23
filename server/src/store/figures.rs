//! Figures of the whole database for monitoring, each from an index: a scrape costs little whatever
//! there is.

use super::Conn;
use crate::{error::Result, sql};
use laika_core::{
    recharge::{Recharge, Status},
    time::Instant,
};
use sqlx::{Row, any::AnyRow};

/// Every status, in core's order, with its name in the database.
const STATUSES: [(Status, &str); 13] = [
    (Status::Opened, "opened"),
    (Status::Charging, "charging"),
    (Status::Declined, "declined"),
    (Status::NeedsCustomer, "needs_customer"),
    (Status::Unknown, "unknown"),
    (Status::Paid, "paid"),
    (Status::Delivering, "delivering"),
    (Status::DeliveryUnknown, "delivery_unknown"),
    (Status::Refunding, "refunding"),
    (Status::Done, "done"),
    (Status::Failed, "failed"),
    (Status::Cancelled, "cancelled"),
    (Status::Refunded, "refunded"),
];

/// An outage leaves many unknown; so many are read to find the oldest.
const READ_MOST: i64 = 100;

/// A count for each status, zero for those of which there is none.
fn counts(rows: &[AnyRow], of: impl Fn(Status) -> bool) -> Result<Vec<(&'static str, i64)>> {
    let mut all = Vec::new();
    for (_, name) in STATUSES.iter().filter(|(status, _)| of(*status)) {
        let mut count = 0;
        for row in rows {
            if row.try_get::<String, _>(0)? == *name {
                count = row.try_get(1)?;
            }
        }
        all.push((*name, count));
    }
    Ok(all)
}

/// How many recharges have not ended, by status.
pub async fn recharges_open(conn: &mut Conn) -> Result<Vec<(&'static str, i64)>> {
    let rows = sql!(
        "SELECT status, COUNT(*) FROM recharges
         WHERE status NOT IN ('done', 'failed', 'cancelled', 'refunded') GROUP BY status"
    )
    .fetch_all(conn)
    .await?;
    counts(&rows, |status| !status.is_end())
}

/// How many recharges were opened since an instant, by status.
pub async fn recharges_since(conn: &mut Conn, since: Instant) -> Result<Vec<(&'static str, i64)>> {
    let rows = sql!(
        "SELECT status, COUNT(*) FROM recharges WHERE opened_at >= $1 GROUP BY status",
        since.micros()
    )
    .fetch_all(conn)
    .await?;
    counts(&rows, |_| true)
}

/// Since when it is not known of any recharge what became of it; of many, the first are looked at.
pub async fn unknown_since(conn: &mut Conn) -> Result<Option<Instant>> {
    let rows = sql!(
        "SELECT body FROM recharges
         WHERE status NOT IN ('done', 'failed', 'cancelled', 'refunded')
           AND status IN ('unknown', 'delivery_unknown')
         ORDER BY opened_at LIMIT $1",
        READ_MOST
    )
    .fetch_all(conn)
    .await?;
    let mut oldest: Option<Instant> = None;
    for row in &rows {
        let recharge: Recharge = super::rules::from_json(&row.try_get::<String, _>(0)?)?;
        oldest = recharge.unknown_since().into_iter().chain(oldest).min();
    }
    Ok(oldest)
}

/// How many jobs are due at `now` that nobody holds at `wall`, and how many of them were due by
/// `late` already.
pub async fn jobs_due(
    conn: &mut Conn,
    now: Instant,
    late: Instant,
    wall: Instant,
) -> Result<(i64, i64)> {
    let row = sql!(
        "SELECT COUNT(*), CAST(COALESCE(SUM(CASE WHEN due_at <= $2 THEN 1 ELSE 0 END), 0) AS BIGINT)
         FROM jobs WHERE due_at <= $1 AND leased_until < $3",
        now.micros(),
        late.micros(),
        wall.micros()
    )
    .fetch_one(conn)
    .await?;
    Ok((row.try_get(0)?, row.try_get(1)?))
}

#[cfg(test)]
mod tests {
    use super::STATUSES;

    #[test]
    fn statuses_are_named_as_core_writes_them() {
        for (status, name) in STATUSES {
            assert_eq!(serde_json::to_value(status).expect("JSON"), name);
        }
    }
}
