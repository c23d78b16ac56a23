//! What customers do: cards, rules, switches, purchases by hand, another zone; each as the app does
//! it. What a stop's answer says is kept in the truth, and holds from then on.

use super::{
    truth::Stop,
    world::{ANA, Ended, World},
};
use crate::{
    error::{Error, Result},
    fault,
    flow::{
        add_payment_method,
        change_zone::change_zone,
        inputs,
        recharge_now::recharge_now,
        remove_payment_method, save_rule,
        switch_rule::{self, Switch},
        view,
    },
    sandbox::{
        self,
        cards::{self, Entry, TEST_CARDS},
        provider,
    },
    store::{
        accounts,
        lines::{self, Line},
        payment_methods, recharges,
    },
    zones,
};
use laika_core::{
    ENGINE_VERSION,
    api::{RechargeNow, SaveRule, TurnOn},
    draft::{AmountKind, RuleDraft, TypedPeriod, validate},
    forecast::{preview, preview_sha256},
    id::RechargeId,
    rail::Wallet,
    record::{Authenticated, Proof},
    schedule::Weekday,
    time::{Instant, Span},
    zone::Zone,
};
use std::collections::BTreeSet;

/// A refusal is an answer; what is neither that nor a death is a failure of ours.
pub(super) fn said(what: &str, ended: Result<String>) -> Result<String, String> {
    match ended {
        Ok(words) => Ok(format!("{what}: {words}")),
        Err(Error::Problem(problem)) => Ok(format!("{what}: refused, {}", problem.code)),
        Err(error) if fault::died_at().is_some() => Ok(format!("{what}: {error}")),
        Err(error) => Err(format!("{what} failed: {error}")),
    }
}

/// Names of recharges.
fn names(ids: &[RechargeId]) -> BTreeSet<String> {
    ids.iter().map(ToString::to_string).collect()
}

/// A customer adds a card at the provider's page.
pub(super) async fn add_card(
    world: &mut World,
    account: &'static str,
    card: &'static str,
) -> Result<String, String> {
    if account == ANA {
        world.truth.entered.push(card);
    }
    let (app, sandbox) = (world.app.clone(), world.sandbox.clone());
    let number = TEST_CARDS.iter().find(|known| known.name == card).expect("a test card").number;
    let now = world.now().micros();
    let visit = async move {
        let setup = add_payment_method::begin(&app, account).await?;
        let entry =
            Entry { number: number.to_owned(), expiry: "12/34".to_owned(), cvc: "123".to_owned() };
        let read = sandbox.look(|state| cards::read(&entry, provider::month_of(now), state.seal()));
        let card = read.map_err(|_| Error::internal("a test card is refused"))?;
        let enter = provider::Request::EnterCard { setup: setup.id.clone(), card };
        take(&sandbox, enter, now).await;
        let confirm = provider::Request::Authenticate { about: setup.id.clone(), approved: true };
        take(&sandbox, confirm, now).await;
        let method = add_payment_method::complete(&app, account, &setup.id).await?;
        Ok(method.to_string())
    };
    let ended = world.call("adds a card", visit).await;
    said(&format!("adds {card}"), ended.unwrap_or(Ok("stands still".to_owned())))
}

/// A card that was entered before is entered once more, the rule written anew and turned on: what
/// somebody does whose card was declined. It is the same card still.
pub(super) async fn enter_again(world: &mut World, place: usize) -> Result<String, String> {
    let Some(card) = world.truth.entered.last().copied() else {
        return Ok("no card to enter again".to_owned());
    };
    let mut told = add_card(world, ANA, card).await?;
    if fault::died_at().is_none() {
        told += &format!(", {}", save(world, place).await?);
    }
    if fault::died_at().is_none() {
        told += &format!(", {}", turn_on(world, place).await?);
    }
    Ok(told)
}

/// A customer agrees with a wallet's owner to be debited, at the provider's page.
pub(super) async fn agree(world: &mut World, wallet: Wallet) -> Result<String, String> {
    let (app, sandbox, now) = (world.app.clone(), world.sandbox.clone(), world.now().micros());
    let visit = async move {
        let setup = add_payment_method::begin(&app, ANA).await?.id;
        let fingerprint = format!("{}_of_ana", wallet.code());
        let agree = provider::Request::Agree { setup: setup.clone(), wallet, fingerprint };
        take(&sandbox, agree, now).await;
        let method = add_payment_method::complete(&app, ANA, &setup).await?;
        Ok(method.to_string())
    };
    let ended = world.call("agrees", visit).await;
    said(&format!("agrees with {}", wallet.code()), ended.unwrap_or(Ok("stands still".to_owned())))
}

/// A customer keeps a wallet, to pay with by a link each time.
pub(super) async fn keep_wallet(world: &mut World, wallet: Wallet) -> Result<String, String> {
    // Why before the answer: whatever becomes of it, it may be there again.
    let before = world.truth.removed.remove(wallet.code());
    let app = world.app.clone();
    let call = async move {
        let method = add_payment_method::add_wallet(&app, ANA, wallet).await?;
        Ok(method.to_string())
    };
    let ended = world.call("keeps a wallet", call).await;
    if let (Some(stop), Some(Err(Error::Problem(_)))) = (before, &ended) {
        world.truth.removed.insert(wallet.code().to_owned(), stop);
    }
    said(&format!("keeps {}", wallet.code()), ended.unwrap_or(Ok("stands still".to_owned())))
}

async fn take(sandbox: &sandbox::Sandbox, request: provider::Request, now: i64) {
    sandbox.take(sandbox::Request::Provider(request), Some(now)).await;
}

/// One of the customer's cards goes.
pub(super) async fn remove_card(world: &mut World) -> Result<String, String> {
    let mut conn = world.app.store.read().await.map_err(|e| e.to_string())?;
    let methods = payment_methods::of_account(&mut conn, ANA).await.map_err(|e| e.to_string())?;
    drop(conn);
    if methods.is_empty() {
        return Ok("no card to remove".to_owned());
    }
    let method = world.random.pick(&methods).clone();
    let ended = remove_payment_method::remove(&world.app, ANA, method.id.as_str()).await;
    if let Ok(named) = &ended {
        let stop = Stop { until: None, named: names(named) };
        world.truth.removed.insert(method.token.clone(), stop);
    }
    said("removes a card", ended.map(|named| format!("{} {named:?}", method.id)))
}

/// A rule as somebody might write it.
fn some_draft(world: &mut World, mut draft: RuleDraft) -> RuleDraft {
    let random = &mut world.random;
    let mut pick = |from: &[&'static str]| (*random.pick::<&str>(from)).to_owned();
    draft.cap_per_month = pick(&["9", "15", "30", "60", "120"]);
    draft.max_per_day = pick(&["", "", "1", "2", "3"]);
    draft.cool_down = pick(&["", "5", "30", "90"]);
    draft.threshold = pick(&["", "1", "0.5", "2"]);
    draft.amount = pick(&["2", "3", "5"]);
    draft.every = pick(&["1", "2", "7"]);
    draft.day = pick(&["1", "15", "29", "31"]);
    draft.at = pick(&["00:30", "02:15", "09:00", "23:45"]);
    draft.expiring_days = pick(&["1", "3", "7"]);
    match pick(&["data", "target", "target", "credit"]).as_str() {
        "data" => draft.amount_kind = AmountKind::FixedData,
        "credit" => draft.amount_kind = AmountKind::FixedCredit,
        _ => draft.amount_kind = AmountKind::Target,
    }
    match pick(&["day", "week", "month"]).as_str() {
        "day" => draft.unit = TypedPeriod::Day,
        "week" => draft.unit = TypedPeriod::Week,
        _ => draft.unit = TypedPeriod::Month,
    }
    draft.weekdays = vec![Weekday::Monday, Weekday::Friday];
    let credit = draft.amount_kind == AmountKind::FixedCredit;
    draft.low_balance = !credit && random.below(5) > 0;
    draft.scheduled = credit || random.below(3) == 0;
    draft.expiring = !credit && random.below(5) == 0;
    random.shuffle(&mut draft.payment_methods);
    draft
}

/// The customer writes another rule and saves it, as previewed.
pub(super) async fn save(world: &mut World, place: usize) -> Result<String, String> {
    let line = world.lines[place].clone();
    let request = compose(world, &line).await.map_err(|error| error.to_string())?;
    let Some(request) = request else { return Ok("a draft that is not valid".to_owned()) };
    let key = format!("save-{}", world.trace.lines.len());
    let (account, id) = (&line.account_id, line.id.as_str());
    let ended = save_rule::save(&world.app, account, id, &key, &request).await;
    if ended.is_ok() {
        // Why: a saved edit is off; what was sent before goes on.
        let named = sent(world, &line).await.map_err(|error| error.to_string())?;
        world.truth.lines[place].off = Some(Stop { until: None, named });
        world.truth.lines[place].paused = None;
    }
    said("saves a rule", ended.map(|()| format!("{:?}", request.preview_sha256)))
}

async fn compose(world: &mut World, line: &Line) -> Result<Option<SaveRule>> {
    let mut conn = world.app.store.read().await?;
    let (account, id) = (line.account_id.as_str(), line.id.as_str());
    let now = lines::get(&mut conn, account, id).await?.ok_or_else(Error::not_found)?;
    let shown = inputs::preview(&mut conn, &now, world.app.clock.now()).await?;
    drop(conn);
    let draft = some_draft(world, RuleDraft::suggested(&shown.account, shown.as_of));
    let Ok(rule) = validate(&draft, &shown.account, shown.as_of) else { return Ok(None) };
    Ok(Some(SaveRule {
        draft,
        state_version: shown.state_version,
        as_of: shown.as_of,
        engine_version: ENGINE_VERSION.into(),
        preview_sha256: preview_sha256(&preview(&rule, &shown)),
    }))
}

/// The line's recharges whose payment was sent.
async fn sent(world: &World, line: &Line) -> Result<BTreeSet<String>> {
    let mut conn = world.app.store.read().await?;
    let (account, id) = (line.account_id.as_str(), line.id.as_str());
    let open = recharges::unended(&mut conn, account, id).await?;
    let sent = |it: &&laika_core::recharge::Recharge| {
        it.attempts.iter().any(|attempt| attempt.submitted_at.is_some())
    };
    Ok(open.iter().filter(sent).map(|it| it.id.to_string()).collect())
}

/// The customer agrees to what is shown.
pub(super) async fn turn_on(world: &mut World, place: usize) -> Result<String, String> {
    let line = world.lines[place].clone();
    let shown = shown(world, &line).await.map_err(|error| error.to_string())?;
    let Some(agreed) = shown else { return Ok("no rule to turn on".to_owned()) };
    let at = world.now().minus(Span::minutes(1));
    // Why before the answer: whatever becomes of it, it may be on.
    let before = world.truth.lines[place].clone();
    world.truth.lines[place].off = None;
    world.truth.lines[place].paused = None;
    let on = Switch::On(&agreed, Authenticated { by: Proof::Password, at });
    let ended = switch(world, &line, on).await;
    if matches!(ended, Err(Error::Problem(_))) {
        world.truth.lines[place] = before;
    }
    said("turns it on", ended.map(|named| format!("{named:?}")))
}

async fn shown(world: &World, line: &Line) -> Result<Option<TurnOn>> {
    let mut conn = world.app.store.read().await?;
    let (account, id) = (line.account_id.as_str(), line.id.as_str());
    let line = lines::get(&mut conn, account, id).await?.ok_or_else(Error::not_found)?;
    let view = view::rule(&mut conn, &line, world.app.clock.now()).await?;
    Ok(view.rule.zip(view.consent).map(|(rule, consent)| TurnOn {
        rule_version: rule.version,
        consent_sha256: consent.sha256,
    }))
}

async fn switch(world: &World, line: &Line, what: Switch<'_>) -> Result<Vec<RechargeId>> {
    switch_rule::switch(&world.app, &line.account_id, line.id.as_str(), what).await
}

/// Off, a pause, its end, or a date skipped.
pub(super) async fn stop(world: &mut World, place: usize) -> Result<String, String> {
    let line = world.lines[place].clone();
    let kind = world.random.below(4);
    let zone = zone_of(world, &line).await.map_err(|error| error.to_string())?;
    let date = zone.date(world.now().plus(Span::days(2)));
    let what = match kind {
        0 => Switch::Off,
        1 => Switch::Pause(date),
        2 => Switch::Resume,
        _ => Switch::Skip,
    };
    let before = world.truth.lines[place].clone();
    if kind == 2 {
        world.truth.lines[place].paused = None;
    }
    let ended = switch(world, &line, what).await;
    match (&ended, kind) {
        // Why: what was off already names nothing again.
        (Ok(named), 0) if before.off.is_none() => {
            world.truth.lines[place].off = Some(Stop { until: None, named: names(named) });
        }
        (Ok(named), 1) => {
            let mut named = names(named);
            named.extend(before.paused.into_iter().flat_map(|stop| stop.named));
            let until = Some(zone.start_of_day(date));
            world.truth.lines[place].paused = Some(Stop { until, named });
            world.truth.lines[place].paused_until_on = Some(date);
        }
        (Err(Error::Problem(_)), _) => world.truth.lines[place] = before,
        _ => {}
    }
    said(&format!("switches {kind}"), ended.map(|named| format!("{named:?}")))
}

async fn zone_of(world: &World, line: &Line) -> Result<Zone> {
    let mut conn = world.app.store.read().await?;
    let owner = accounts::get(&mut conn, line.account_id.as_str()).await?;
    inputs::zone(&owner.ok_or_else(Error::not_found)?, world.app.clock.now())
}

/// The customer buys by hand.
pub(super) async fn buy(world: &mut World, place: usize) -> Result<String, String> {
    let line = world.lines[place].clone();
    let mut conn = world.app.store.read().await.map_err(|error| error.to_string())?;
    let methods = payment_methods::of_account(&mut conn, line.account_id.as_str()).await;
    drop(conn);
    let methods = methods.map_err(|error| error.to_string())?;
    if methods.is_empty() {
        return Ok("no card to buy with".to_owned());
    }
    let method = world.random.pick(&methods).clone();
    let steps = 1 + u32::try_from(world.random.below(2)).expect("small");
    let price = line.terms().step.expect("a step").price;
    let asked = RechargeNow {
        steps,
        amount: price.checked_mul(i64::from(steps)).expect("an amount"),
        payment_method_id: method.id,
    };
    let key = format!("buy-{}", world.trace.lines.len());
    let (account, id) = (line.account_id.as_str(), line.id.as_str());
    let ended = recharge_now(&world.app, account, id, &key, &asked).await;
    said("buys", ended.map(|stored| stored.recharge.id.to_string()))
}

/// The customer moves to another zone.
pub(super) async fn move_away(world: &mut World) -> Result<String, String> {
    let zone = *world.random.pick(&["Europe/Madrid", "Asia/Tokyo", "America/Los_Angeles", "UTC"]);
    // Why before the answer: limits are counted in both, from here on.
    world.truth.moved_at = Some(world.now());
    let ended = moves_to(world, zone).await;
    let there = zones::zone(zone, world.now()).unwrap_or_else(Zone::utc);
    world.truth.moves(&there);
    said("moves", ended.map(|()| zone.to_owned()))
}

async fn moves_to(world: &World, zone: &str) -> Result<()> {
    let (app, now) = (&world.app, world.app.clock.now());
    let mut tx = app.store.write().await?;
    let mut locked = Vec::new();
    for line in lines::of_account(&mut tx, ANA).await? {
        locked.extend(lines::lock(&mut tx, ANA, line.id.as_str(), now).await?);
    }
    let account = accounts::get(&mut tx, ANA).await?.ok_or_else(Error::not_found)?;
    change_zone(&mut tx, account, &locked, zone.to_owned(), now).await?;
    tx.commit().await;
    Ok(())
}

/// The customer is at the bank's page, where one waits.
pub(super) async fn at_the_bank(world: &mut World) -> Result<String, String> {
    use provider::records::{Payment, PaymentStatus};
    let waits = |payment: &&Payment| payment.status == PaymentStatus::RequiresAction;
    let waiting: Vec<String> = world.sandbox.look(|state| {
        state.provider.payments().iter().filter(waits).map(|it| it.id.clone()).collect()
    });
    if waiting.is_empty() {
        return Ok("nobody is at the bank".to_owned());
    }
    let about = world.random.pick(&waiting).clone();
    let approved = !world.one_in(3);
    let now: Instant = world.now();
    let request = provider::Request::Authenticate { about: about.clone(), approved };
    take(&world.sandbox, request, now.micros()).await;
    Ok(format!("at the bank: {about} {approved}"))
}

/// Never fails: for calls that answer nothing.
pub(super) fn done() -> Ended {
    Ok("done".to_owned())
}
