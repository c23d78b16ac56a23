//! One step of a seed: what happens, what goes wrong in it, whether the process dies in it. After
//! each the checks of `check` are made.

use super::{
    check, customer,
    customer::done,
    outside, usage,
    world::{ANA, World},
};
use crate::{fault, store::jobs, worker};
use laika_core::{
    rail::Wallet,
    time::{Instant, Span},
};

/// How the seed begins: cards and rules that are on, and nothing goes wrong yet.
pub(super) async fn begin(world: &mut World) -> Result<(), String> {
    let first = *world.random.pick(&["works", "works", "later_declined", "sca_always"]);
    let mut cards = vec![first];
    if world.one_in(2) {
        cards.push(*world.random.pick(&["mastercard", "debit", "sca_no_funds", "jcb"]));
    }
    if world.one_in(3) {
        let wallet = *world.random.pick(&Wallet::ALL);
        let said = customer::agree(world, wallet).await?;
        world.trace.add(said);
    }
    for card in cards {
        let said = customer::add_card(world, ANA, card).await?;
        world.trace.add(said);
    }
    let said = customer::add_card(world, super::world::BEN, "works").await?;
    world.trace.add(said);
    for place in 0..3 {
        if place > 0 && world.one_in(2) {
            continue;
        }
        let said = customer::save(world, place).await?;
        world.trace.add(said);
        let said = customer::turn_on(world, place).await?;
        world.trace.add(said);
    }
    check::whole(world).await
}

/// Something happens.
pub(super) async fn step(world: &mut World) -> Result<(), String> {
    let doomed = world.one_in(7).then(|| world.random.below(5));
    world.doom(doomed);
    let troubled = world.one_in(4);
    let trouble = troubled.then(|| (world.random.below(3), world.some_trouble()));
    let may_hang = world.hung.len() < 2;
    world.trouble().next(trouble.filter(|(_, trouble)| may_hang || !trouble.hangs()));
    if world.one_in(8) {
        outside::up(world);
    }
    let kind = world.random.below(100);
    let said = happen(world, kind).await?;
    world.trouble().next(None);
    let exchanged = world.trouble().seen();
    let idle = said == "claims 0" || said.starts_with("no");
    world.trace.add(said);
    for exchange in exchanged {
        world.trace.add(format!("  {exchange}"));
    }
    if let Some(point) = fault::died_at() {
        world.trace.add(format!("  died at {point}"));
        world.died_at.push(point);
        world.restart().await;
        if world.one_in(6) {
            let said = away(world).await?;
            world.trace.add(said);
        }
    }
    // Why not always: where only time passes, or somebody else is told something, nothing changes,
    // unless something on its way arrives.
    let paid = world.sandbox.look(|state| state.provider.payments().len());
    let arrived = paid > world.truth.payments_seen;
    if !arrived && (idle || matches!(kind, 54..68 | 90..95)) {
        Ok(())
    } else {
        check::quick(world).await.map(|_| ())
    }
}

async fn happen(world: &mut World, kind: u64) -> Result<String, String> {
    match kind {
        0..23 => usage::send(world).await,
        23 => outside::takes_back(world).await,
        24..26 => usage::send_again(world).await,
        26..54 => work(world).await,
        54..68 => time(world).await,
        68..75 => outside::webhook(world).await,
        75..78 => outside::reconcile(world).await,
        78 if world.one_in(2) => outside::night(world).await,
        78 => outside::takes_back(world).await,
        79..88 => {
            let before = check::bystander(world).await.map_err(|error| error.to_string())?;
            let said = ana(world).await?;
            let after = check::bystander(world).await.map_err(|error| error.to_string())?;
            let same = before == after;
            if same { Ok(said) } else { Err("14. somebody else's account changed".to_owned()) }
        }
        88..90 => customer::at_the_bank(world).await,
        90..94 => outside::script(world).await,
        94 => Ok(outside::down(world)),
        95..97 => outside::operator(world).await,
        97 => outside::go_on(world).await,
        98 => late(world).await,
        _ => killed(world).await,
    }
}

/// The customer does something.
async fn ana(world: &mut World) -> Result<String, String> {
    let line = usize::try_from(world.random.below(2)).expect("small");
    match world.random.below(22) {
        0..4 => customer::stop(world, line).await,
        4..8 => customer::turn_on(world, line).await,
        8..10 => customer::save(world, line).await,
        10..13 => customer::buy(world, line).await,
        13..15 => {
            let cards = ["works", "mastercard", "later_declined", "sca_always", "debit"];
            let card = *world.random.pick(&cards);
            customer::add_card(world, ANA, card).await
        }
        15 => customer::remove_card(world).await,
        16 => customer::move_away(world).await,
        17 => customer::turn_on(world, 1 - line).await,
        18..20 => customer::enter_again(world, line).await,
        20 => {
            let wallet = *world.random.pick(&Wallet::ALL);
            customer::agree(world, wallet).await
        }
        _ => {
            let wallet = *world.random.pick(&Wallet::ALL);
            customer::keep_wallet(world, wallet).await
        }
    }
}

/// A worker claims what is due, and does it; or stands still before it has begun.
async fn work(world: &mut World) -> Result<String, String> {
    let most = 1 + usize::try_from(world.random.below(3)).expect("small");
    let app = world.app.clone();
    let claimed = match worker::claim(&app, worker::Room::of(most)).await {
        Ok(claimed) => claimed,
        Err(error) if fault::died_at().is_some() => return Ok(format!("claims: {error}")),
        Err(error) => return Err(format!("nothing can be claimed: {error}")),
    };
    let mut said = format!("claims {}", claimed.len());
    for job in claimed {
        if world.one_in(16) {
            said += &format!(", holds {:?}", job.work);
            world.held.push((app.clone(), job));
            continue;
        }
        said += &format!(", does {:?}", job.work);
        perform(world, app.clone(), job).await;
        if fault::died_at().is_some() {
            break;
        }
    }
    Ok(said)
}

async fn perform(world: &mut World, app: crate::Shared, job: jobs::Claimed) {
    let what = format!("{:?}", job.work);
    let call = async move {
        worker::one(app, job).await;
        done()
    };
    if world.call(what, call).await.is_none() {
        world.trace.add("  stands still");
    }
}

/// A worker that stood still with a job goes on, whoever has it by now.
async fn late(world: &mut World) -> Result<String, String> {
    if world.held.is_empty() {
        return Ok("nobody holds a job".to_owned());
    }
    let place = usize::try_from(world.random.below(world.held.len() as u64)).expect("small");
    let (app, job) = world.held.remove(place);
    let said = format!("late: {:?}", job.work);
    perform(world, app, job).await;
    Ok(said)
}

/// The process is killed between two calls.
async fn killed(world: &mut World) -> Result<String, String> {
    world.restart().await;
    Ok("killed".to_owned())
}

/// Time passes, or the machine's clock is set back.
async fn time(world: &mut World) -> Result<String, String> {
    let below = |world: &mut World, most| i64::try_from(world.random.below(most)).expect("small");
    let span = match world.random.below(20) {
        0..9 => match next_due(world).await? {
            Some(span) => span,
            None => return Ok("nothing is due, ever".to_owned()),
        },
        9..14 => Span::seconds(1 + below(world, 2_400)),
        14..17 => Span::minutes(30 + below(world, 30 * 60)),
        17 => Span::hours(24 + below(world, 10 * 24)),
        18 => {
            let starts = next_start(world).await?;
            starts.plus(Span::minutes(below(world, 30) - 10)).since(world.wall)
        }
        _ => Span::minutes(-1 - below(world, 24 * 60)),
    };
    pass(world, span).await
}

async fn pass(world: &mut World, span: Span) -> Result<String, String> {
    while world.stands_too_long(span) {
        let said = outside::go_on(world).await?;
        world.trace.add(said);
    }
    world.pass(span).await;
    Ok(format!("it is {}, by the machine's clock {}", world.now(), world.wall))
}

/// The process is begun anew, but nothing is done for hours, or for over a day.
async fn away(world: &mut World) -> Result<String, String> {
    let minutes = i64::try_from(world.random.below(30 * 60)).expect("small");
    pass(world, Span::minutes(minutes)).await
}

/// How long until the next job is due, by the machine's clock.
pub(super) async fn next_due(world: &World) -> Result<Option<Span>, String> {
    let mut conn = world.app.store.read().await.map_err(|error| error.to_string())?;
    let due = jobs::next_due(&mut conn, world.wall).await.map_err(|error| error.to_string())?;
    Ok(due.map(|due| due.max(world.wall).since(world.wall)))
}

/// When the customer's next day or month begins.
async fn next_start(world: &mut World) -> Result<Instant, String> {
    let mut conn = world.app.store.read().await.map_err(|error| error.to_string())?;
    let owner = crate::store::accounts::get(&mut conn, ANA).await;
    let owner = owner.map_err(|error| error.to_string())?.expect("the customer");
    let zone = crate::zones::zone(&owner.time_zone, world.now()).expect("a zone");
    let tomorrow = zone.start_of_day(zone.date(world.now()).succ_opt().expect("a date"));
    Ok(if world.one_in(2) { zone.next_month(world.now()) } else { tomorrow })
}
