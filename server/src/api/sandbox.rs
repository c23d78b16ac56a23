//! The sandbox bar: use data, let time pass, script the next charge, read the outbox. It exists
//! only while the sandbox adapters run, and goes the same ways as real usage and charges do.

use super::extract::{Body, SignedIn};
use crate::{
    Shared,
    carrier::Carrier,
    error::{Error, Result},
    flow::{
        add_payment_method::{customer, unavailable},
        advance::ring,
        handle_usage::{self, Receipt},
        usage_event::Event,
    },
    gateway::{Gateway, SandboxGateway},
    sandbox::{carrier::NextTopUp, provider::records::NextCharge as AtProvider},
    secret,
    store::{lines, messages, settings},
};
use axum::{Json, extract::State, http::StatusCode};
use laika_core::api::{NextCharge, OutboxMessage, SandboxTime, SandboxUsage, ScriptedCharge};

/// The longest that time may pass at once: a year.
const LONGEST_S: u32 = 366 * 86_400;

/// *Errors*: 404 when no sandbox runs: then none of this exists.
fn exists(app: &Shared) -> Result<()> {
    app.sandbox_origin().map(|_| ()).ok_or_else(Error::not_found)
}

/// `POST /sandbox/usage`: the line uses data now.
pub async fn use_data(
    State(app): State<Shared>,
    session: SignedIn,
    Body(usage): Body<SandboxUsage>,
) -> Result<Json<Receipt>> {
    exists(&app)?;
    let line = {
        let mut snapshot = app.store.read().await?;
        lines::get(&mut snapshot, session.account(), usage.line_id.as_str()).await?
    };
    let line = line.ok_or_else(Error::not_found)?;
    let event = Event {
        source: "sandbox/bar".to_owned(),
        id: secret::id("use"),
        iccid: line.iccid,
        time: app.clock.now(),
        bytes: usage.bytes,
        country: None,
    };
    Ok(Json(handle_usage::handle(&app, vec![(1, Ok(event))]).await?))
}

/// `POST /sandbox/time`: the clock moves forward, for everybody, and never back.
pub async fn let_time_pass(
    State(app): State<Shared>,
    _: SignedIn,
    Body(time): Body<SandboxTime>,
) -> Result<StatusCode> {
    exists(&app)?;
    let seconds = time.seconds.min(LONGEST_S);
    let mut tx = app.store.write().await?;
    let offset = settings::add_sandbox_offset(&mut tx, i64::from(seconds) * 1_000_000).await?;
    tx.commit().await;
    app.clock.set_offset(offset);
    ring(&app);
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /sandbox/next-charge`: how the account's next charge, or its delivery, ends.
pub async fn next_charge(
    State(app): State<Shared>,
    session: SignedIn,
    Body(ScriptedCharge { outcome }): Body<ScriptedCharge>,
) -> Result<StatusCode> {
    exists(&app)?;
    let charge = match outcome {
        NextCharge::Succeeds => AtProvider::Succeeded,
        NextCharge::SoftDecline => AtProvider::InsufficientFunds,
        NextCharge::HardDecline => AtProvider::StolenCard,
        NextCharge::NeedsCustomer => AtProvider::RequiresAction,
        NextCharge::AnswerLostAfterCharge => AtProvider::AnswerLostAfter,
        NextCharge::AnswerLostBeforeCharge => AtProvider::AnswerLostBefore,
        NextCharge::NotDelivered => return next_top_up(&app, &session, NextTopUp::Refused).await,
        NextCharge::DeliveryAnswerLost => {
            return next_top_up(&app, &session, NextTopUp::AnswerLostAfter).await;
        }
    };
    match app.gateway()? {
        Gateway::Sandbox(gateway) => script(&app, &gateway, &session, charge).await,
        Gateway::Stripe(_) => {
            let words = "Stripe's test cards say how a charge ends; it cannot be told here.";
            Err(Error::conflict("not_the_sandbox", words))
        }
    }
}

async fn script(
    app: &Shared,
    gateway: &SandboxGateway,
    session: &SignedIn,
    next: AtProvider,
) -> Result<StatusCode> {
    let customer = customer(app, session.account()).await?;
    gateway.script(&customer, next).await.map_err(unavailable)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn next_top_up(app: &Shared, session: &SignedIn, next: NextTopUp) -> Result<StatusCode> {
    let lines = {
        let mut snapshot = app.store.read().await?;
        lines::of_account(&mut snapshot, session.account()).await?
    };
    let Carrier::Sandbox(carrier) = app.carrier()? else {
        let words = "How the carrier delivers cannot be told here.";
        return Err(Error::conflict("not_the_sandbox", words));
    };
    for line in lines {
        carrier.script(&line.iccid, next).await.map_err(unavailable)?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /sandbox/outbox`: the newest first. Open to all: whoever registers reads the codes here.
pub async fn outbox(State(app): State<Shared>) -> Result<Json<Vec<OutboxMessage>>> {
    exists(&app)?;
    let newest = messages::newest(&mut *app.store.read().await?).await?;
    let view = |message: messages::Message| OutboxMessage {
        at: message.created_at,
        channel: message.channel.name().to_owned(),
        to: message.recipient,
        subject: message.title,
        body: message.body,
    };
    Ok(Json(newest.into_iter().map(view).collect()))
}
