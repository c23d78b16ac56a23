//! Adding a payment method: a visit to the gateway's own page, then what came of it.
//!
//! Place in the flow: `begin` sends the customer away, the gateway sends them back, `complete` asks
//! the gateway. A wallet that is paid with by a link each time needs no visit: `add_wallet` keeps
//! it. Nothing of the card is ever in a request of ours: a token, brand, last four digits
//! and expiry come from the gateway itself. Adding a method turns no rule on and ends no bar.

use super::{advance::ring, take_over};
#[cfg(test)]
use crate::simulator::defects::{Defect, planted};
use crate::{
    Shared,
    error::{Error, Result},
    fault::{self, Kept, Point},
    gateway::{Agreed, Attached, Failure, NOT_FOUND, Setup, SetupState},
    secret,
    store::{
        Tx, accounts, agreements, jobs,
        lines::{self, Line},
        payment_methods::{self, Method, instrument},
    },
};
use axum::http::StatusCode;
use laika_core::{
    id::PaymentMethodId,
    rail::{Rail, Wallet},
    time::Instant,
};

/// How often an agreement with a wallet lets it debit: weekly for a year.
const DEBITS_MOST: u32 = 52;

/// The gateway could not be asked; nothing was changed.
pub fn unavailable(failure: Failure) -> Error {
    tracing::warn!(?failure, "the gateway does not serve");
    let status = StatusCode::SERVICE_UNAVAILABLE;
    let words = "The payment provider does not answer. Nothing was changed; try again.";
    Error::problem(status, "gateway_unavailable", words)
}

/// Begins a visit. The customer comes back to the payment page with `?setup=…`.
pub async fn begin(app: &Shared, account_id: &str) -> Result<Setup> {
    let gateway = app.gateway()?;
    let known = customer(app, account_id).await?;
    let back = format!("{}/payment", app.own_origin());
    let account = accounts::get(&mut *app.store.read().await?, account_id).await?;
    let language = account.map(|account| account.language).unwrap_or_default();
    let agreement = to_agree_to(app, account_id).await?;
    let setup = match gateway.create_setup(&known, &back, language, agreement).await {
        // Why: nothing but the customer is named there. It was deleted, or is another's.
        Err(Failure::Refused { code }) if code == NOT_FOUND => {
            let customer = take_over::customer(app, account_id, &known).await?;
            gateway.create_setup(&customer, &back, language, agreement).await
        }
        setup => setup,
    };
    let setup = setup.map_err(unavailable)?;
    fault::at(Point::SetupAnswered)?;
    let mut tx = app.store.write().await?;
    payment_methods::insert_setup(&mut tx, account_id, &setup.id, app.clock.now()).await?;
    tx.commit_as(Kept::Setup).await?;
    Ok(setup)
}

/// What a wallet is asked for, in the money of the account's first line: a year of weekly debits,
/// each of no more than can be bought at once. Its cycle is the wallet's own.
async fn to_agree_to(app: &Shared, account_id: &str) -> Result<Option<Agreed>> {
    let mut snapshot = app.store.read().await?;
    let lines = lines::of_account(&mut snapshot, account_id).await?;
    Ok(lines.first().map(|line| {
        let most_per_debit = line.terms().credit_max;
        let total_minor = most_per_debit.amount_minor.saturating_mul(i64::from(DEBITS_MOST));
        Agreed { cycle_days: 0, most_per_debit, total_minor, debits_most: DEBITS_MOST }
    }))
}

/// Who the account is at the gateway; made known there the first time.
pub async fn customer(app: &Shared, account_id: &str) -> Result<String> {
    if let Some(customer) = known_customer(app, account_id).await? {
        return Ok(customer);
    }
    let made = app.gateway()?.create_customer(account_id, None).await.map_err(unavailable)?;
    fault::at(Point::CustomerAnswered)?;
    let mut tx = app.store.write().await?;
    payment_methods::set_customer(&mut tx, account_id, &made).await?;
    tx.commit_as(Kept::Customer).await?;
    // Why: two requests at once may both have made one; the first kept one serves both.
    known_customer(app, account_id).await?.ok_or_else(|| Error::internal("no gateway customer"))
}

async fn known_customer(app: &Shared, account_id: &str) -> Result<Option<String>> {
    let mut snapshot = app.store.read().await?;
    payment_methods::customer(&mut snapshot, account_id).await
}

/// What came of a visit. Asking again gives the same method.
///
/// *Errors*: 404 for another's visit, 409 `setup_open` or `setup_cancelled`.
pub async fn complete(app: &Shared, account_id: &str, setup: &str) -> Result<PaymentMethodId> {
    let known = {
        let mut snapshot = app.store.read().await?;
        payment_methods::setup(&mut snapshot, account_id, setup).await?
    };
    if let Some(method) = known.ok_or_else(Error::not_found)? {
        return Ok(method);
    }
    let attached = match app.gateway()?.setup(setup).await {
        Ok(SetupState::Attached(attached)) => attached,
        Ok(SetupState::Open) => {
            let words = "The card is not saved yet at the payment provider.";
            return Err(Error::conflict("setup_open", words));
        }
        Ok(SetupState::Cancelled) => {
            let words = "No card was saved at the payment provider.";
            return Err(Error::conflict("setup_cancelled", words));
        }
        Err(failure) => return Err(unavailable(failure)),
    };
    fault::at(Point::CardAnswered)?;
    let mut tx = app.store.write().await?;
    let method = add(app, &mut tx, account_id, setup, attached).await?;
    tx.commit_as(Kept::Method).await?;
    ring(app);
    Ok(method)
}

/// The wallets that may be added, to pay with by a link each time: those of any line's currency.
pub async fn wallets(app: &Shared, account_id: &str) -> Result<Vec<Wallet>> {
    let gateway = app.gateway()?;
    let lines = lines::of_account(&mut *app.store.read().await?, account_id).await?;
    let offered = |wallet: &Wallet| {
        let takes =
            |line: &Line| gateway.wallets(line.terms().credit_max.currency).contains(wallet);
        lines.iter().any(takes)
    };
    Ok(Wallet::ALL.into_iter().filter(offered).collect())
}

/// Keeps a wallet that is paid with by a link each time. Adding it again gives the same method.
///
/// *Errors*: 409 `wallet_not_offered`; 503 `gateway_unavailable`.
pub async fn add_wallet(app: &Shared, account_id: &str, wallet: Wallet) -> Result<PaymentMethodId> {
    if !wallets(app, account_id).await?.contains(&wallet) {
        let words = "This wallet cannot be paid with here.";
        return Err(Error::conflict("wallet_not_offered", words));
    }
    // Why: a charge names the customer.
    customer(app, account_id).await?;
    let mut tx = app.store.write().await?;
    let lines = lock_lines(app, &mut tx, account_id).await?;
    let attached = Attached {
        token: wallet.code().to_owned(),
        rail: Rail::OnSession,
        brand: wallet.name().to_owned(),
        funding: "wallet".to_owned(),
        last4: String::new(),
        exp_month: 0,
        exp_year: 0,
        fingerprint: wallet.code().to_owned(),
        agreed: None,
    };
    let instrument = wallet.code().to_owned();
    let method = keep(&mut tx, account_id, &lines, attached, instrument, app.clock.now()).await?;
    tx.commit_as(Kept::Method).await?;
    ring(app);
    Ok(method)
}

/// Keeps what a visit ended in, once per visit.
async fn add(
    app: &Shared,
    tx: &mut Tx,
    account_id: &str,
    setup: &str,
    attached: Attached,
) -> Result<PaymentMethodId> {
    let lines = lock_lines(app, tx, account_id).await?;
    if let Some(Some(method)) = payment_methods::setup(tx, account_id, setup).await? {
        return Ok(method);
    }
    // Why the token: each agreement is an instrument of its own.
    let instrument = match &attached.agreed {
        Some(_) => attached.token.clone(),
        None => instrument(&attached.fingerprint, attached.exp_year, attached.exp_month),
    };
    #[cfg(test)]
    let instrument = match planted(Defect::SameCardIsAnother) {
        true => format!("{instrument}-{setup}"),
        false => instrument,
    };
    let id = keep(tx, account_id, &lines, attached, instrument, app.clock.now()).await?;
    payment_methods::complete_setup(tx, account_id, setup, &id).await?;
    Ok(id)
}

/// The lines first, as in every money transaction: two tabs that add the same come one after the
/// other.
pub(super) async fn lock_lines(app: &Shared, tx: &mut Tx, account_id: &str) -> Result<Vec<Line>> {
    lines::lock_all_of(tx, app.store.dialect, account_id, app.clock.now()).await
}

/// Keeps a method, once per instrument, and has every line looked at.
async fn keep(
    tx: &mut Tx,
    account_id: &str,
    lines: &[Line],
    attached: Attached,
    instrument: String,
    now: Instant,
) -> Result<PaymentMethodId> {
    let present = payment_methods::of_account(tx, account_id).await?;
    let id = match present.into_iter().find(|method| method.instrument == instrument) {
        // The same card again: the one that is there already.
        Some(method) => {
            take_over::token(tx, account_id, lines, &method, attached.token, now).await?;
            method.id
        }
        None => {
            let id = PaymentMethodId::new(secret::id("pm"));
            let id = id.ok_or_else(|| Error::internal("a made id is not an id"))?;
            let new = Method {
                id: id.clone(),
                token: attached.token,
                rail: attached.rail,
                brand: attached.brand,
                funding: attached.funding,
                last4: attached.last4,
                exp_month: attached.exp_month,
                exp_year: attached.exp_year,
                fingerprint: attached.fingerprint,
                instrument,
                removed_at: None,
            };
            payment_methods::insert(tx, account_id, &new, now).await?;
            if let Some(agreed) = &attached.agreed {
                agreements::insert(tx, account_id, &id, agreed).await?;
            }
            id
        }
    };
    for line in lines {
        jobs::look_at(tx, account_id, line.id.as_str(), now).await?;
    }
    accounts::bump(tx, account_id).await?;
    Ok(id)
}
