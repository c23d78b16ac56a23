//! Opening a recharge, and the barrier that stops what is open.
//!
//! Place in the flow: whatever caused it (usage, a timer, a purchase by hand; or "off", a pause, a
//! removed method) calls this in its own transaction, the line already locked. So a recharge exists
//! exactly when its cause does, and once a stop is committed no submission starts.

use super::advance::{keep, take_in};
#[cfg(test)]
use crate::simulator::defects::{Defect, planted};
use crate::{
    error::Result,
    fault::{self, Point},
    store::{
        Tx, accounts, lines,
        lines::Line,
        payment_methods,
        recharges::{self, Request},
    },
};
use laika_core::{
    decide::{Notice, Order},
    id::{PaymentMethodId, RechargeId},
    recharge::{Fact, Recharge},
};

/// Opens a recharge: its row, its first attempt, its job. With a rule version it is automatic and
/// `record` justifies it; without one the customer's `request` does. `notices` are what the line's
/// customer was told of charges to come.
pub async fn open(
    tx: &mut Tx,
    line: &Line,
    rule_version: Option<u32>,
    order: Order,
    notices: &[Notice],
    record: Option<&str>,
    request: Option<Request<'_>>,
) -> Result<RechargeId> {
    let number = lines::next_recharge(tx, line).await?;
    let now = line.newest_at;
    let methods = payment_methods::facts(tx, line, now).await?;
    let step = Recharge::open(line.id.clone(), number, rule_version, order, &methods, notices, now);
    recharges::insert(tx, line, number, &step.recharge, record, request).await?;
    accounts::bump(tx, line.account_id.as_str()).await?;
    let id = keep(tx, line, step).await?.id;
    fault::at(Point::RechargeOpened)?;
    Ok(id)
}

/// Which of a line's open recharges a stop is about.
#[derive(Clone, Copy, Debug)]
pub enum Which<'a> {
    /// Those that the rule opened: it was switched off, paused or changed.
    Automatic,
    /// Those whose running attempt uses this method: it was removed.
    Using(&'a PaymentMethodId),
}

/// Stops a line's open recharges: what was not sent is never sent. Gives those whose payment was
/// sent already; they are looked up and cancelled where possible.
pub async fn stop(tx: &mut Tx, line: &Line, which: Which<'_>) -> Result<Vec<RechargeId>> {
    #[cfg(test)]
    if planted(Defect::DisableRacesEnable) && matches!(which, Which::Automatic) {
        return Ok(Vec::new());
    }
    let open = recharges::unended(tx, line.account_id.as_str(), line.id.as_str()).await?;
    let mut already_submitted = Vec::new();
    for recharge in open {
        let meant = match which {
            Which::Automatic => recharge.automatic(),
            Which::Using(method) => {
                recharge.attempts.last().is_some_and(|a| a.payment_method_id == *method)
            }
        };
        if !meant {
            continue;
        }
        let stopped = take_in(tx, line, recharge, &Fact::Stopped).await?;
        let sent = stopped.attempts.iter().any(|a| a.submitted_at.is_some());
        if sent && !stopped.status.is_end() {
            already_submitted.push(stopped.id);
        }
    }
    Ok(already_submitted)
}
