//! What the planted defects make of a charge's answer. See `simulator/defects`.

use super::{Next, soon};
use crate::{
    Shared,
    error::Result,
    fault::Kept,
    gateway::{Failure, Payment, PaymentState},
    simulator::defects::{Defect, planted},
    sql,
    store::jobs::{self, Claimed},
};
use laika_core::recharge::{Fact, Recharge};

/// What follows instead, where a defect is planted that has something to say to it.
pub(super) async fn charged(
    app: &Shared,
    job: &Claimed,
    recharge: &Recharge,
    attempt: u32,
    answer: &Result<Payment, Failure>,
) -> Result<Option<Next>> {
    match answer {
        Ok(payment) if planted(Defect::ClaimReleasedOnFailure) => {
            let declined = matches!(payment.state, PaymentState::Declined { .. });
            Ok(declined.then(|| soon(job)))
        }
        Err(Failure::Unknown(_)) if planted(Defect::NoAnswerIsADecline) => {
            let code = "no_answer".to_owned();
            Ok(Some(Next::Fact(Fact::Declined { attempt, code, hard: false })))
        }
        Err(Failure::Unknown(_)) if planted(Defect::UnansweredForgotten) => {
            let mut tx = app.store.write().await?;
            jobs::finish(&mut tx, job).await?;
            let (account, id) = (job.account_id.as_str(), recharge.id.as_str());
            for statement in [
                sql!("DELETE FROM jobs WHERE account_id = $1 AND key LIKE $2 || '/%'", account, id),
                sql!("DELETE FROM recharges WHERE account_id = $1 AND id = $2", account, id),
            ] {
                statement.execute(&mut *tx).await?;
            }
            tx.commit_as(Kept::Fact).await?;
            Ok(Some(Next::Written))
        }
        Ok(_) | Err(_) => Ok(None),
    }
}
