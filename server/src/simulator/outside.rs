//! What happens around Laika: webhooks of every kind, scripted banks and carriers, machines that
//! are down, the operator, the reconciler, and calls that stood still and go on.

use super::{
    check::{self, recharge_of},
    customer::{done, said},
    truth::Stop,
    world::World,
};
use crate::{
    api::{extract::Raw, webhooks},
    error::Error,
    flow::{
        check_books::{Outcome, Window, check_books},
        compare_list, kill_switch,
    },
    sandbox::{
        Request, WEBHOOK_SECRET,
        carrier::{self, NextTopUp},
        in_process::trouble::{Side, Trouble},
        provider::{
            self,
            records::{DisputeStatus, NextCharge, Payment, Webhook},
        },
    },
    secret::hmac_hex,
    store::audit_log::By,
};
use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use laika_core::time::{Instant, Span};

/// What becomes of a webhook on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Arrives,
    ArrivesTwice,
    IsLost,
    IsStale,
    IsForged,
}

/// One of the webhooks that wait, in any order; or one that nobody sent.
pub(super) async fn webhook(world: &mut World) -> Result<String, String> {
    let pending = world.sandbox.look(|state| state.provider.outstanding().1.to_vec());
    if pending.is_empty() || world.one_in(10) {
        return stranger(world).await;
    }
    let event = world.random.pick(&pending).clone();
    let fate = *world.random.pick(&[
        Fate::Arrives,
        Fate::Arrives,
        Fate::Arrives,
        Fate::ArrivesTwice,
        Fate::IsLost,
        Fate::IsStale,
        Fate::IsForged,
    ]);
    let (signed_at, secret) = match fate {
        Fate::IsStale => (world.wall.minus(Span::minutes(6)), WEBHOOK_SECRET),
        Fate::IsForged => (world.wall, "another secret"),
        Fate::Arrives | Fate::ArrivesTwice | Fate::IsLost => (world.wall, WEBHOOK_SECRET),
    };
    let mut acknowledged = fate == Fate::IsLost;
    let times = match fate {
        Fate::IsLost => 0,
        Fate::ArrivesTwice => 2,
        Fate::Arrives | Fate::IsStale | Fate::IsForged => 1,
    };
    let mut told = Vec::new();
    for _ in 0..times {
        let answer = post(world, &event, signed_at, secret).await?;
        acknowledged |= answer == "204 No Content";
        told.push(answer);
    }
    let refused = matches!(fate, Fate::IsStale | Fate::IsForged);
    if refused && told.iter().any(|answer| answer.starts_with("204")) {
        return Err(format!("a {fate:?} webhook is taken"));
    }
    if acknowledged {
        let request = provider::Request::Acknowledge { event: event.id.clone() };
        take(world, Request::Provider(request)).await;
    }
    Ok(format!("webhook {} of {}: {fate:?} {told:?}", event.kind, event.about))
}

/// A webhook that is signed well and means nothing: of a payment that is another's or is not, or
/// with a word that the payment does not say, or of a shape that nobody knows.
async fn stranger(world: &mut World) -> Result<String, String> {
    let about = world.sandbox.look(|state| {
        state.provider.payments().last().map_or("pay_nobody".to_owned(), |it| it.id.clone())
    });
    let about = if world.one_in(2) { about } else { "pay_nobody".to_owned() };
    let created_at = world.wall.micros();
    let kind = (*world.random.pick(&["payment.succeeded", "payment.declined", "other"])).to_owned();
    let event = Webhook { id: "evt_forged".to_owned(), kind, about, created_at };
    let answer = post(world, &event, world.wall, WEBHOOK_SECRET).await?;
    Ok(format!("a strange webhook {} of {}: {answer}", event.kind, event.about))
}

async fn post(
    world: &mut World,
    event: &Webhook,
    signed_at: Instant,
    secret: &str,
) -> Result<String, String> {
    let body = serde_json::to_vec(event).expect("JSON");
    let t = signed_at.seconds();
    let signature = hmac_hex(secret, &[format!("{t}.").as_bytes(), &body].concat());
    let mut headers = HeaderMap::new();
    let header = format!("t={t},v1={signature}").parse().expect("a header");
    headers.insert("laika-signature", header);
    let app = world.app.clone();
    let call = async move {
        let answer = webhooks::sandbox(State(app), headers, Raw(Bytes::from(body))).await;
        answer.map(|status: StatusCode| status.to_string())
    };
    match world.call("takes a webhook", call).await {
        None => Ok("stands still".to_owned()),
        Some(Ok(status)) => Ok(status),
        Some(Err(Error::Problem(problem))) => Ok(problem.status.to_string()),
        Some(error) => said("a webhook", error),
    }
}

async fn take(world: &World, request: Request) {
    world.sandbox.take(request, Some(world.now().micros())).await;
}

/// How a customer's next charge, or a line's next delivery, ends.
pub(super) async fn script(world: &mut World) -> Result<String, String> {
    let line = world.random.pick(&world.lines).clone();
    if world.one_in(3) {
        let next = *world.random.pick(&[
            NextTopUp::Refused,
            NextTopUp::AnswerLostAfter,
            NextTopUp::AnswerLostBefore,
        ]);
        let request = carrier::Request::Script { iccid: line.iccid, next };
        take(world, Request::Carrier(request)).await;
        return Ok(format!("the next delivery: {next:?}"));
    }
    let next = *world.random.pick(&[
        NextCharge::GenericDecline,
        NextCharge::InsufficientFunds,
        NextCharge::LostCard,
        NextCharge::RequiresAction,
        NextCharge::AnswerLostAfter,
        NextCharge::AnswerLostBefore,
        NextCharge::ErrorAfter,
        NextCharge::WrongAmount,
    ]);
    script_next(world, line.account_id.as_str(), next).await;
    Ok(format!("the next charge: {next:?}"))
}

/// How a customer's next charge ends.
pub(super) async fn script_next(world: &World, account: &str, next: NextCharge) {
    let customer = {
        let mut conn = world.app.store.read().await.expect("a snapshot");
        crate::store::payment_methods::customer(&mut conn, account).await.expect("read")
    };
    if let Some(customer) = customer {
        take(world, Request::Provider(provider::Request::Script { customer, next })).await;
    }
}

/// A line's next delivery is as usual.
pub(super) async fn deliver_again(world: &World) {
    for line in &world.lines {
        let next = NextTopUp::Delivered;
        let request = carrier::Request::Script { iccid: line.iccid.clone(), next };
        take(world, Request::Carrier(request)).await;
    }
}

/// One of the other sides is down, or up again.
pub(super) fn down(world: &mut World) -> String {
    let side = if world.one_in(2) { Side::Provider } else { Side::Carrier };
    let trouble = *world.random.pick(&[
        Some(Trouble::NoConnection),
        Some(Trouble::LostBefore),
        Some(Trouble::StatusBefore(503)),
        Some(Trouble::LostAfter),
    ]);
    world.trouble().down(side, trouble);
    format!("{side:?} is down: {trouble:?}")
}

/// Both sides are up again.
pub(super) fn up(world: &World) {
    world.trouble().down(Side::Provider, None);
    world.trouble().down(Side::Carrier, None);
}

/// The operator stops charging, or lets it go on.
pub(super) async fn operator(world: &mut World) -> Result<String, String> {
    let by = By { operator: "sim", why: "" };
    let on = world.one_in(3);
    let place = usize::try_from(world.random.below(3)).expect("small");
    let all = world.one_in(2);
    if !on {
        // Why before the answer: whatever becomes of it, it may be off.
        if all {
            world.truth.stopped = None;
        } else {
            world.truth.lines[place].stopped = None;
        }
    }
    let line = world.lines[place].clone();
    let ended = if all {
        kill_switch::switch_all(&world.app, on, &by).await
    } else {
        let (account, id) = (line.account_id.as_str(), line.id.as_str());
        kill_switch::switch_line(&world.app, account, id, on, &by).await
    };
    if let (Ok(switched), true) = (&ended, on) {
        let named = switched.already_submitted.iter().map(ToString::to_string).collect();
        let stop = Stop { until: None, named };
        let kept =
            if all { &mut world.truth.stopped } else { &mut world.truth.lines[place].stopped };
        // Why: what has been in force all along named what it named then, too.
        let before = kept.take().map(|stop| stop.named).unwrap_or_default();
        let named = stop.named.into_iter().chain(before).collect();
        *kept = Some(Stop { until: None, named });
    }
    let what = format!("kill switch {on} {}", if all { "for all" } else { line.id.as_str() });
    said(&what, ended.map(|switched| format!("{:?}", switched.already_submitted)))
}

/// The gateway's list is compared.
pub(super) async fn reconcile(world: &mut World) -> Result<String, String> {
    let app = world.app.clone();
    let overdue = check::overdue(world).await.map_err(|error| error.to_string())?;
    let _ = world.alerts.take();
    let call = async move { compare_list::compare_list(&app).await.and_then(|()| done()) };
    let ended = world.call("reconciles", call).await;
    check::alerted(world, &overdue)?;
    said("reconciles", ended.unwrap_or(Ok("stands still".to_owned())))
}

/// The check of a night, at any hour.
pub(super) async fn night(world: &mut World) -> Result<String, String> {
    let app = world.app.clone();
    let call = async move {
        let window = Window::nightly(app.clock.now());
        Ok(match check_books(&app, window, None).await? {
            Outcome::Done(report) => format!("{} cases", report.cases.len()),
            Outcome::Unread { whose, .. } => format!("no statement of the {whose}"),
            Outcome::Lost => "another goes on with it".to_owned(),
        })
    };
    let ended = world.call("checks the books", call).await;
    said("checks the books", ended.unwrap_or(Ok("stands still".to_owned())))
}

/// Money goes back without us: the customer disputes a charge at the bank, the bank decides, or the
/// operator gives it back on the provider's own pages. Often it is money that goes back anyway.
pub(super) async fn takes_back(world: &mut World) -> Result<String, String> {
    let all = check::all(world).await.map_err(|error| error.to_string())?;
    let going = |payment: &Payment| {
        let of = all.iter().find(|it| it.id.as_str() == recharge_of(payment));
        of.is_some_and(|it| it.attempts.iter().any(|attempt| it.goes_back(attempt.number)))
    };
    let (open, left, going) = world.sandbox.look(|state| {
        let all = state.provider.payments();
        let left: Vec<Payment> = all.iter().filter(|it| it.left_minor() > 0).cloned().collect();
        let going: Vec<Payment> = left.iter().filter(|it| going(it)).cloned().collect();
        (open_disputes(all), left, going)
    });
    if !open.is_empty() && world.one_in(2) {
        let dispute = world.random.pick(&open).clone();
        return Ok(decide(world, dispute).await);
    }
    if left.is_empty() {
        return Ok("no money to take back".to_owned());
    }
    let from = if going.is_empty() || world.one_in(4) { left } else { going };
    let payment = world.random.pick(&from).clone();
    let (id, amount_minor) = (payment.id.clone(), payment.left_minor());
    if !world.one_in(3) {
        take(world, Request::Provider(provider::Request::Dispute { payment: id.clone() })).await;
        return Ok(format!("{id} is disputed"));
    }
    // Why whole: what of a part is to follow, a person decides.
    world.truth.given_back.insert(id.clone());
    let refund = provider::Request::Refund { key: None, payment: id.clone(), amount_minor };
    take(world, Request::Provider(refund)).await;
    Ok(format!("{id} is given back"))
}

/// Disputes that the bank has not decided.
fn open_disputes(payments: &[Payment]) -> Vec<String> {
    let all = payments.iter().flat_map(|payment| &payment.disputes);
    let open = all.filter(|dispute| dispute.status == DisputeStatus::Open);
    open.map(|dispute| dispute.id.clone()).collect()
}

async fn decide(world: &mut World, dispute: String) -> String {
    let won = world.one_in(2);
    let said = format!("{dispute} is decided: {won}");
    take(world, Request::Provider(provider::Request::DecideDispute { dispute, won })).await;
    said
}

/// The bank decides whatever is open.
pub(super) async fn decide_all(world: &mut World) {
    let open = world.sandbox.look(|state| open_disputes(state.provider.payments()));
    for dispute in open {
        let said = decide(world, dispute).await;
        world.trace.add(said);
    }
}

/// Something that stood still goes on.
pub(super) async fn go_on(world: &mut World) -> Result<String, String> {
    if world.hung.is_empty() {
        return Ok("nothing stands still".to_owned());
    }
    let place = world.random.below(world.hung.len() as u64);
    let hung = world.hung.remove(usize::try_from(place).expect("small"));
    let what = format!("goes on: {}", hung.what);
    let ended = world.let_go(hung).await;
    said(&what, ended.unwrap_or(Ok("stands still again".to_owned())))
}
