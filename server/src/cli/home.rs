//! Where a database is at home: the gateway that knows its customers and cards, in which mode and
//! in whose account. It is kept at the first start and whoever comes with another is refused: their
//! charges would all be of methods that nobody knows there, and their statements empty.

use super::Failure;
use crate::{
    Shared,
    config::Config,
    secret::sha256_hex,
    store::{
        payment_methods,
        settings::{self, Home},
    },
};

/// What the environment names, as it is kept.
fn kind(config: &Config) -> i64 {
    match &config.stripe {
        None => 1,
        Some(stripe) if !stripe.is_live() => 2,
        Some(_) => 3,
    }
}

fn name(kind: i64) -> &'static str {
    match kind {
        1 => "the sandbox",
        2 => "Stripe in test mode",
        3 => "Stripe with real money",
        _ => "a gateway that this version does not know",
    }
}

/// Refuses another gateway than the one that the database's customers are known at. A database
/// without customers is at home anywhere.
pub(super) async fn check(app: &Shared) -> Result<(), Failure> {
    let ours = Home { gateway: kind(&app.config), account: account(app).await };
    let mut snapshot = app.store.read().await?;
    let known = settings::home(&mut snapshot).await?;
    let settled = payment_methods::has_customers(&mut snapshot).await?;
    drop(snapshot);
    let Some(known) = known.filter(|_| settled) else { return keep(app, ours).await };
    if known.gateway != ours.gateway {
        let words = format!(
            "the customers and cards of this database are known at {}, and payments are by {}, \
             which knows none of them; start with what it began with, or begin with another \
             database (DATABASE_URL)",
            name(known.gateway),
            name(ours.gateway)
        );
        return Err(Failure::Failed(words));
    }
    match (known.account, ours.account) {
        (Some(known), Some(ours)) if known != ours => Err(Failure::failed(
            "STRIPE_SECRET_KEY: the key of another Stripe account than the one that knows this \
             database's customers and cards; use a key of that account, or begin with another \
             database (DATABASE_URL)",
        )),
        (None, Some(_)) => keep(app, ours).await,
        (Some(_) | None, _) => Ok(()),
    }
}

async fn keep(app: &Shared, home: Home) -> Result<(), Failure> {
    let mut tx = app.store.write().await?;
    settings::set_home(&mut tx, home).await?;
    tx.commit().await;
    Ok(())
}

/// Whose account it is there, as a number; nothing where that cannot be told: a restricted key may
/// not ask, and a gateway that does not answer does not say.
async fn account(app: &Shared) -> Option<i64> {
    app.config.stripe.as_ref()?;
    match app.gateway().ok()?.account().await {
        Ok(id) => i64::from_str_radix(sha256_hex(id?.as_bytes()).get(..15)?, 16).ok(),
        Err(failure) => {
            tracing::warn!(%failure, "not known whose Stripe account the key is of");
            None
        }
    }
}

#[cfg(test)]
mod tests;
