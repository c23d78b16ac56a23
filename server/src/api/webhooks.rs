//! Webhooks: the gateway says that something happened. It is not believed but looked up, so one
//! that is late, doubled, out of order or forged by whoever stole a secret moves no money.

use super::{
    extract::{self, Raw},
    signature,
};
use crate::{
    Shared,
    error::{Error, Result},
    fault::{self, Kept, Point},
    flow::{compare_list, hear_disputes, refresh_method},
    gateway::{Failure, stripe::event::Event},
    sandbox::{WEBHOOK_SECRET, provider::records::Webhook},
    store::gateway_events,
};
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
};

/// The longest id of an event, as Stripe documents it.
const ID_MOST: usize = 255;

/// What became of one that was taken.
type Taken = Result<&'static str>;

/// `POST /webhooks/sandbox`. Anything but 204 makes the provider send it again.
pub async fn sandbox(
    State(app): State<Shared>,
    headers: HeaderMap,
    Raw(body): Raw,
) -> Result<StatusCode> {
    let taken = of_sandbox(&app, &headers, &body).await;
    count(&app, taken)
}

/// `POST /webhooks/stripe`. Anything but 2xx makes Stripe send it again, for three days.
pub async fn stripe(
    State(app): State<Shared>,
    headers: HeaderMap,
    Raw(body): Raw,
) -> Result<StatusCode> {
    let taken = of_stripe(&app, &headers, &body).await;
    count(&app, taken)
}

fn count(app: &Shared, taken: Taken) -> Result<StatusCode> {
    app.metrics.webhook(match &taken {
        Ok(result) => result,
        Err(Error::Problem(problem)) if problem.status.is_client_error() => "refused",
        Err(_) => "failed",
    });
    taken.map(|_| StatusCode::NO_CONTENT)
}

async fn of_sandbox(app: &Shared, headers: &HeaderMap, body: &[u8]) -> Taken {
    if !app.config.uses_sandbox() {
        return Err(Error::not_found());
    }
    signature::check(signature::LAIKA, headers, body, [WEBHOOK_SECRET], app.clock.wall())?;
    let event: Webhook = extract::object(body)?;
    let shaped = event.about.bytes().all(is_plain);
    // Why: its secret is public, and where another gateway charges it has nothing to say.
    if app.config.stripe.is_some() || !event.kind.starts_with("payment.") || !shaped {
        return Ok("ignored");
    }
    #[cfg(test)]
    believe(app, &event).await?;
    let taken = look_up(app, &event.about).await?;
    if event.kind == "payment.disputed" {
        hear_disputes::about(app, &event.about).await?;
    }
    Ok(taken)
}

/// [`Defect::WebhookBelieved`](crate::simulator::defects::Defect): paid, if the webhook says so.
#[cfg(test)]
async fn believe(app: &Shared, event: &Webhook) -> Result<()> {
    use crate::simulator::defects::{Defect, planted};
    use laika_core::{id::AccountId, recharge::Fact};
    if !planted(Defect::WebhookBelieved) || event.kind != "payment.succeeded" {
        return Ok(());
    }
    let Ok(payment) = app.gateway()?.payment(&event.about).await else { return Ok(()) };
    let of = (payment.account_id.and_then(AccountId::new), payment.recharge_id, payment.attempt);
    let (Some(account), Some(id), Some(attempt)) = of else { return Ok(()) };
    let mut conn = app.store.read().await?;
    let stored = crate::store::recharges::get(&mut conn, account.as_str(), &id).await?;
    drop(conn);
    let Some(recharge) = stored.map(|stored| stored.recharge) else { return Ok(()) };
    let (payment, amount) = (payment.id, recharge.order.amount);
    let fact = Fact::Captured { attempt, payment, amount };
    crate::flow::advance::advance(app, &account, &recharge.id, &fact, None).await.map(|_| ())
}

async fn of_stripe(app: &Shared, headers: &HeaderMap, body: &[u8]) -> Taken {
    let stripe = app.config.stripe.as_ref().ok_or_else(Error::not_found)?;
    let secrets = stripe.webhook_secrets.iter().map(|secret| secret.expose());
    signature::check(signature::STRIPE, headers, body, secrets, app.clock.wall())?;
    let event: Event = extract::object(body)?;
    // Why: the database keeps it, and PostgreSQL takes no NUL.
    let named = (1..=ID_MOST).contains(&event.id.len()) && event.id.bytes().all(is_plain);
    if !named {
        return Err(Error::bad_request("bad_json", "The event's id is not one of Stripe's."));
    }
    let of_ours = event.livemode == stripe.is_live();
    if !of_ours || (event.payment(), event.changed_method()) == (None, None) {
        return Ok("ignored");
    }
    if gateway_events::is_known(&mut *app.store.read().await?, &event.id).await? {
        return Ok("ignored");
    }
    let taken = act_on(app, &event).await?;
    // Why last: an event that was kept and not acted on would never be sent again.
    let mut tx = app.store.write().await?;
    gateway_events::keep(&mut tx, &event.id, app.clock.wall()).await?;
    tx.commit_as(Kept::Webhook).await?;
    Ok(taken)
}

async fn act_on(app: &Shared, event: &Event) -> Taken {
    if let Some(token) = event.changed_method() {
        let ours = refresh_method::changed(app, token).await?;
        return Ok(if ours { "looked_up" } else { "ignored" });
    }
    let Some(payment) = event.payment() else { return Ok("ignored") };
    let taken = look_up(app, payment).await?;
    if event.is_dispute() {
        hear_disputes::about(app, payment).await?;
    }
    Ok(taken)
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Asks the gateway how a payment stands, and compares.
async fn look_up(app: &Shared, payment: &str) -> Taken {
    match app.gateway()?.payment(payment).await {
        Ok(payment) => {
            compare_list::compare(app, &payment).await?;
            fault::at(Point::WebhookActedOn)?;
            Ok("looked_up")
        }
        // A payment that the gateway does not know: forged, or another's.
        Err(Failure::Refused { .. }) => Ok("ignored"),
        Err(Failure::Unknown(no)) => {
            let status = StatusCode::SERVICE_UNAVAILABLE;
            Err(Error::problem(status, "gateway_silent", no.why))
        }
    }
}
