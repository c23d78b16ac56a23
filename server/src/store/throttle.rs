//! Budgets: how often something may be tried in a slot of time. Each count is committed by itself,
//! before the thing is tried, so neither a failure nor a race gives a try back.

use super::Store;
use crate::{
    error::{Error, Result},
    secret::sha256_hex,
    sql,
};
use laika_core::time::Instant;
use sqlx::Row;

/// So many times in so many seconds.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// What is counted.
    pub name: &'static str,
    /// How often.
    pub most: i64,
    /// In what time.
    pub slot_s: i64,
}

/// Counts one try by this subject. *Errors*: `too_many_tries` once the budget is used up.
pub async fn spend(store: &Store, budget: Budget, subject: &str, wall: Instant) -> Result<()> {
    let slot = wall.seconds().div_euclid(budget.slot_s);
    let hashed = sha256_hex(format!("{}:{subject}", budget.name).as_bytes());
    let mut tx = store.write().await?;
    sql!("DELETE FROM throttles WHERE subject = $1 AND slot < $2", &hashed, slot)
        .execute(&mut *tx)
        .await?;
    let row = sql!(
        "INSERT INTO throttles (subject, slot, count) VALUES ($1, $2, 1)
         ON CONFLICT (subject, slot) DO UPDATE SET count = throttles.count + 1
         RETURNING count",
        &hashed,
        slot
    )
    .fetch_one(&mut *tx)
    .await?;
    let count: i64 = row.try_get(0)?;
    tx.commit().await;
    if count > budget.most {
        let next = slot.saturating_add(1).saturating_mul(budget.slot_s);
        return Err(Error::too_many(next.saturating_sub(wall.seconds())));
    }
    Ok(())
}
