//! An account moves to another time zone: its limits go on counting the running day and month, and
//! what was charged, skipped or announced on the old clock is not due again on the new one.

use super::evaluate;
use crate::{
    error::Result,
    store::{
        Tx,
        accounts::{self, Account},
        lines::Line,
        rules,
    },
    zones,
};
use laika_core::{
    decide::{Cause, Periods, consumed_after_move},
    time::Instant,
    zone::Zone,
};

/// Moves the account there. `lines` are all of its lines, locked in this transaction.
pub async fn change_zone(
    tx: &mut Tx,
    mut account: Account,
    lines: &[Line],
    name: String,
    now: Instant,
) -> Result<()> {
    let zone = |name: &str| zones::zone(name, now).unwrap_or_else(Zone::utc);
    let (old, new) = (zone(&account.time_zone), zone(&name));
    account.kept_periods = Some(Periods::kept(&old, account.kept_periods, &new, now));
    account.time_zone = name;
    accounts::change(tx, &account).await?;
    for line in lines {
        if let Some(mut stored) = rules::get(tx, line).await? {
            let gone = |at| consumed_after_move(&stored.rule, at, &old, &new);
            stored.consumed_through = stored.consumed_through.map(gone);
            rules::put(tx, line, &stored).await?;
        }
        // Why: a preview made in the old zone is stale, and dates by the clock have moved.
        evaluate::line_changed(tx, line, &Cause::RuleChanged).await?;
    }
    Ok(())
}
