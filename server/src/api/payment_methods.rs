//! Payment methods: list, add at the provider's own page, order, remove.

use super::extract::{Body, SignedIn};
use crate::{
    Shared,
    error::{Error, Result},
    flow::{add_payment_method, inputs, remove_payment_method},
    store::{
        Conn, accounts, lines,
        payment_methods::{self, Method},
    },
};
use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use laika_core::{
    api::{MethodOrder, NewMethod, PaymentMethodView, Removed, SetupView},
    decide::{MethodFacts, Unusable, usable_methods},
    id::{LineId, PaymentMethodId},
    rail::Wallet,
    time::Instant,
};

/// `GET /payment-methods`: the account's payment methods, the preferred first.
pub async fn list(
    State(app): State<Shared>,
    session: SignedIn,
) -> Result<Json<Vec<PaymentMethodView>>> {
    let mut snapshot = app.store.read().await?;
    Ok(Json(views(&mut snapshot, session.account(), app.clock.now()).await?))
}

/// `GET /payment-methods/wallets`: those that can be added to pay with by a link each time.
pub async fn wallets(State(app): State<Shared>, session: SignedIn) -> Result<Json<Vec<Wallet>>> {
    Ok(Json(add_payment_method::wallets(&app, session.account()).await?))
}

/// `POST /payment-methods`: adds such a wallet; needs the password entered within the last 5 min.
pub async fn add(
    State(app): State<Shared>,
    session: SignedIn,
    Body(new): Body<NewMethod>,
) -> Result<(StatusCode, Json<PaymentMethodView>)> {
    session.require_step_up(app.clock.wall())?;
    let id = add_payment_method::add_wallet(&app, session.account(), new.wallet).await?;
    Ok((StatusCode::CREATED, Json(view(&app, session.account(), &id).await?)))
}

/// `POST /payment-methods/setups`: needs the password entered within the last 5 min.
pub async fn begin(
    State(app): State<Shared>,
    session: SignedIn,
) -> Result<(StatusCode, Json<SetupView>)> {
    session.require_step_up(app.clock.wall())?;
    let setup = add_payment_method::begin(&app, session.account()).await?;
    let view = SetupView { setup_id: setup.id, url: setup.url };
    Ok((StatusCode::CREATED, Json(view)))
}

/// `POST /payment-methods/setups/{id}/complete`: what came of the visit; the method, once.
pub async fn complete(
    State(app): State<Shared>,
    session: SignedIn,
    Path(setup): Path<String>,
) -> Result<Json<PaymentMethodView>> {
    let id = add_payment_method::complete(&app, session.account(), &setup).await?;
    Ok(Json(view(&app, session.account(), &id).await?))
}

/// `POST /payment-methods/order`: all of them, the preferred first.
pub async fn order(
    State(app): State<Shared>,
    session: SignedIn,
    Body(order): Body<MethodOrder>,
) -> Result<Json<Vec<PaymentMethodView>>> {
    let account = session.account();
    let mut tx = app.store.write().await?;
    let present = payment_methods::of_account(&mut tx, account).await?;
    let mut known: Vec<&PaymentMethodId> = present.iter().map(|method| &method.id).collect();
    let mut given: Vec<&PaymentMethodId> = order.ids.iter().collect();
    known.sort();
    given.sort();
    if known != given {
        let words = "Name every payment method once. The list has changed; load it again.";
        return Err(Error::conflict("list_changed", words));
    }
    for (place, id) in (0..).zip(&order.ids) {
        payment_methods::set_place(&mut tx, account, id.as_str(), place).await?;
    }
    accounts::bump(&mut tx, account).await?;
    let all = views(&mut tx, account, app.clock.now()).await?;
    tx.commit().await;
    app.changed.notify_waiters();
    Ok(Json(all))
}

/// `DELETE /payment-methods/{id}`: names the recharges whose payment was sent already.
pub async fn remove(
    State(app): State<Shared>,
    session: SignedIn,
    Path(id): Path<String>,
) -> Result<Json<Removed>> {
    let already_submitted = remove_payment_method::remove(&app, session.account(), &id).await?;
    Ok(Json(Removed { already_submitted }))
}

/// One of them.
async fn view(app: &Shared, account: &str, id: &PaymentMethodId) -> Result<PaymentMethodView> {
    let mut snapshot = app.store.read().await?;
    let all = views(&mut snapshot, account, app.clock.now()).await?;
    all.into_iter().find(|view| view.id == *id).ok_or_else(Error::not_found)
}

/// All of an account's methods, with what removing one would mean.
async fn views(conn: &mut Conn, account: &str, now: Instant) -> Result<Vec<PaymentMethodView>> {
    let mut last_for: Vec<(PaymentMethodId, LineId)> = Vec::new();
    let mut unusable: Vec<(PaymentMethodId, Unusable)> = Vec::new();
    for line in lines::of_account(conn, account).await? {
        let inputs = inputs::load(conn, &line, now).await?;
        let why = |m: &MethodFacts| m.unusable(now).map(|why| (m.id.clone(), why));
        unusable.extend(inputs.account.payment_methods.iter().filter_map(why));
        let on = inputs.stored.as_ref().filter(|stored| stored.rule.on);
        if let Some(stored) = on {
            let mut usable = usable_methods(&stored.rule, &inputs.account, now);
            if let (Some(only), None) = (usable.next(), usable.next()) {
                last_for.push((only.id.clone(), line.id));
            }
        }
    }
    let view = |method: Method| PaymentMethodView {
        // Why also the date: an account may have no line to look at.
        unusable: unusable
            .iter()
            .filter(|(id, _)| *id == method.id)
            .map(|(_, why)| *why)
            .chain(method.expires_at().filter(|end| now >= *end).map(|_| Unusable::Expired))
            .min(),
        last_for: last_for
            .iter()
            .filter(|(id, _)| *id == method.id)
            .map(|(_, line)| line.clone())
            .collect(),
        id: method.id,
        rail: method.rail,
        brand: method.brand,
        funding: method.funding,
        last4: method.last4,
        expires_month: method.exp_month,
        expires_year: method.exp_year,
    };
    Ok(payment_methods::of_account(conn, account).await?.into_iter().map(view).collect())
}
