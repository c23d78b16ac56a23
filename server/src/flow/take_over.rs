//! What the gateway knows by another name from now on: the account's customer, where the one before
//! is gone there, and a card's token, where the same card was added again.
//!
//! Place in the flow: `add_payment_method` calls it. While an attempt was sent of which more may be
//! heard, names stay: it is looked up by its customer, and sent again only with the token it had,
//! or the same key would ask for something else.

use super::add_payment_method::{lock_lines, unavailable};
use crate::{
    Shared,
    error::{Error, Result},
    fault::{self, Kept, Point},
    gateway::Failure,
    outbound::NoAnswer,
    store::{
        Tx,
        jobs::{self, Work},
        lines::Line,
        payment_methods::{self, Method},
        recharges,
    },
};
use laika_core::{
    recharge::{Attempt, Outcome},
    time::Instant,
};

/// Makes the account known to the gateway again, in place of a customer that is gone there; its
/// name. *Errors*: 503 while a payment by the old name may still come to something.
pub(super) async fn customer(app: &Shared, account_id: &str, gone: &str) -> Result<String> {
    let made = app.gateway()?.create_customer(account_id, Some(gone)).await;
    let made = made.map_err(unavailable)?;
    fault::at(Point::CustomerAnswered)?;
    let mut tx = app.store.write().await?;
    let lines = lock_lines(app, &mut tx, account_id).await?;
    if is_waited_for(&mut tx, account_id, &lines, |_| true).await? {
        tx.rollback().await?;
        let why = "the customer is gone, and a payment of theirs is not over".to_owned();
        return Err(unavailable(Failure::Unknown(NoAnswer::unknown(why))));
    }
    payment_methods::replace_customer(&mut tx, account_id, gone, &made).await?;
    tx.commit_as(Kept::Customer).await?;
    tracing::warn!(account = account_id, gone, made, "the gateway knew a customer no more");
    // Why: of two at once the first has replaced it, and its name serves both.
    let kept = payment_methods::customer(&mut *app.store.read().await?, account_id).await?;
    kept.ok_or_else(|| Error::internal("no gateway customer"))
}

/// The same card came again under another token: the new one is charged from now on, and the other
/// is forgotten at the gateway, so that it keeps none that we do not know.
pub(super) async fn token(
    tx: &mut Tx,
    account_id: &str,
    lines: &[Line],
    known: &Method,
    new: String,
    now: Instant,
) -> Result<()> {
    if known.token == new {
        return Ok(());
    }
    let mine = |attempt: &Attempt| attempt.payment_method_id == known.id;
    let token = if is_waited_for(tx, account_id, lines, mine).await? {
        new
    } else {
        payment_methods::set_token(tx, account_id, known.id.as_str(), &new).await?;
        known.token.clone()
    };
    // Why: a job is a line's, and an account has one.
    let Some(line) = lines.first() else { return Ok(()) };
    jobs::enqueue(tx, account_id, line.id.as_str(), &Work::Detach { token }, now).await
}

/// Whether such an attempt was sent and may still come to something.
pub(super) async fn is_waited_for(
    tx: &mut Tx,
    account_id: &str,
    lines: &[Line],
    such: impl Fn(&Attempt) -> bool,
) -> Result<bool> {
    let waits = |attempt: &Attempt| match &attempt.outcome {
        None => attempt.submitted_at.is_some(),
        Some(Outcome::ActionRequired { .. }) => true,
        Some(
            Outcome::Captured { .. }
            | Outcome::Declined { .. }
            | Outcome::Cancelled
            | Outcome::NeverArrived,
        ) => false,
    };
    for line in lines {
        let open = recharges::unended(tx, account_id, line.id.as_str()).await?;
        if open.iter().flat_map(|it| &it.attempts).any(|it| such(it) && waits(it)) {
            return Ok(true);
        }
    }
    Ok(false)
}
