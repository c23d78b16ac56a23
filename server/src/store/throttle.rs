//! Budgets: how often something may be tried in a slot of time. Each count is committed by itself,
//! before the thing is tried, so neither a failure nor a race gives a try back. `sweep` deletes
//! what is over.

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
    let ends_s = slot.saturating_add(1).saturating_mul(budget.slot_s);
    let mut tx = store.write().await?;
    let row = sql!(
        "INSERT INTO throttles (subject, slot, count, ends_at) VALUES ($1, $2, 1, $3)
         ON CONFLICT (subject, slot) DO UPDATE SET count = throttles.count + 1
         RETURNING count",
        &hashed,
        slot,
        Instant::from_seconds(ends_s).micros()
    )
    .fetch_one(&mut *tx)
    .await?;
    let count: i64 = row.try_get(0)?;
    tx.commit().await;
    if count > budget.most {
        return Err(Error::too_many(ends_s.saturating_sub(wall.seconds())));
    }
    Ok(())
}
