//! Removing a payment method: a barrier. Once this is acknowledged no submission with it starts.
//!
//! Place in the flow: under the lock of every line of the account, so that it comes either before a
//! submission, which then sees it, or after one, which is then named. The gateway forgets the card
//! by a job.

use super::{
    advance::ring,
    open::{Which, stop},
};
use crate::{
    Shared,
    error::{Error, Result},
    fault::Kept,
    store::{
        accounts,
        jobs::{self, Work},
        lines, payment_methods,
    },
};
use laika_core::{id::RechargeId, rail::Rail};

/// Removes it; gives the recharges whose payment with it was sent already.
pub async fn remove(app: &Shared, account_id: &str, id: &str) -> Result<Vec<RechargeId>> {
    let now = app.clock.now();
    let mut tx = app.store.write().await?;
    let locked = lines::lock_all_of(&mut tx, app.store.dialect, account_id, now).await?;
    // Why: a submission may be recorded at the line's newest instant; the removal is not before it.
    let now = locked.iter().map(|line| line.newest_at).max().unwrap_or(now);
    let method = payment_methods::get(&mut tx, account_id, id).await?;
    let method = method.ok_or_else(Error::not_found)?;
    let mut already_submitted = Vec::new();
    if payment_methods::remove(&mut tx, account_id, id, now).await? {
        for line in &locked {
            already_submitted.extend(stop(&mut tx, line, Which::Using(&method.id)).await?);
            jobs::look_at(&mut tx, account_id, line.id.as_str(), now).await?;
        }
        // Why: of a wallet that is confirmed each time the gateway keeps nothing.
        if method.rail != Rail::OnSession {
            let line_id = locked.first().map_or("", |line| line.id.as_str());
            let work = Work::Detach { token: method.token };
            jobs::enqueue(&mut tx, account_id, line_id, &work, now).await?;
        }
        accounts::bump(&mut tx, account_id).await?;
    }
    tx.commit_as(Kept::MethodRemoved).await?;
    ring(app);
    Ok(already_submitted)
}
