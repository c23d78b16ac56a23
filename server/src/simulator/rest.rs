//! Everything comes to rest: nothing goes wrong any more, time passes, what is due is done. Then
//! Laika's books, the provider's list and the carrier's must say the same.

use super::{
    check::{self, line_of, recharge_of},
    outside,
    step::next_due,
    usage,
    world::{ANA, BEN, World},
};
use crate::{
    error::Result,
    fault,
    flow::{
        audit,
        check_books::{self, Outcome, Window},
    },
    sandbox::provider::records::{DisputeStatus, NextCharge, Payment, PaymentStatus},
    sql,
    store::{balances, cases::Case, jobs, ledger},
    worker,
};
use laika_core::{
    bytes::Bytes,
    id::IdempotencyKey,
    recharge::{Fact, Recharge, Status},
    rule::Adds,
    time::{Instant, Span},
};
use sqlx::Row;
use std::collections::BTreeMap;

/// A recharge whose first attempt is accepted is through by then.
const PROMPT: Span = Span::minutes(5);
/// A recharge of which nobody knew comes to its end within days; this is far beyond.
const ROUNDS_MOST: usize = 600;

/// Lets everything come to rest, and holds everything against everything.
pub(super) async fn rest(world: &mut World) -> Result<(), String> {
    quiet(world).await?;
    settle(world).await?;
    night(world).await?;
    settle(world).await?;
    // What is due from here on meets nothing that goes wrong.
    world.truth.quiet_since = Some(world.now());
    for place in 0..world.lines.len() {
        let said = usage::drain(world, place).await?;
        world.trace.add(said);
        settle(world).await?;
    }
    check::whole(world).await?;
    let all = check::all(world).await.map_err(|error| error.to_string())?;
    prompt(world, &all)?;
    fair(world, &all).await.map_err(|error| error.to_string())??;
    money(world).await.map_err(|error| error.to_string())??;
    let mut conn = world.app.store.read().await.map_err(|error| error.to_string())?;
    let report = audit::audit(&mut conn).await.map_err(|error| error.to_string())?;
    drop(conn);
    if let Some(broken) = report.violations.first() {
        return Err(format!("audit: {} {}: {}", broken.code, broken.subject, broken.detail));
    }
    let dump = dump(world).await.map_err(|error| error.to_string())?;
    world.trace.add(dump);
    Ok(())
}

/// Nothing goes wrong any more: what stood still goes on, what is down is up, nothing is scripted.
async fn quiet(world: &mut World) -> Result<(), String> {
    fault::end();
    world.trouble().next(None);
    outside::up(world);
    while !world.hung.is_empty() {
        let said = outside::go_on(world).await?;
        world.trace.add(said);
    }
    world.pass(Span::hours(20)).await;
    for (app, job) in std::mem::take(&mut world.held) {
        worker::one(app, job).await;
    }
    for account in [ANA, BEN] {
        outside::script_next(world, account, NextCharge::Succeeded).await;
    }
    outside::deliver_again(world).await;
    outside::decide_all(world).await;
    let said = usage::send_again(world).await?;
    world.trace.add(said);
    check::quick(world).await.map(|_| ())
}

/// Does what is due, then lets time pass to what is due next, until no recharge has anything left.
async fn settle(world: &mut World) -> Result<(), String> {
    for round in 0..ROUNDS_MOST {
        loop {
            let claimed = worker::claim(&world.app, worker::Room::of(16))
                .await
                .map_err(|error| error.to_string())?;
            if claimed.is_empty() {
                break;
            }
            for job in claimed {
                world.trace.add(format!("  does {:?}", job.work));
                worker::one(world.app.clone(), job).await;
            }
        }
        let exchanged = world.trouble().seen();
        exchanged.into_iter().for_each(|exchange| world.trace.add(format!("  {exchange}")));
        if round % 4 == 0 {
            let said = outside::reconcile(world).await?;
            world.trace.add(said);
        }
        let now = world.now();
        if !check::quick(world).await?
            && late_jobs(world, now).await.map_err(|error| error.to_string())? == 0
            && open(world).await.map_err(|error| error.to_string())?.is_empty()
        {
            return Ok(());
        }
        if let Some(span) = next_due(world).await? {
            world.pass(span).await;
        }
    }
    let open = open(world).await.map_err(|error| error.to_string())?;
    Err(format!("17. it never comes to rest: {open:?}"))
}

/// The nightly check, a day later: what nobody asks for any more is told by the statements.
async fn night(world: &mut World) -> Result<(), String> {
    world.pass(Span::hours(25)).await;
    // Why from the first day: a night in the seed's own time may have found no statement.
    let window = Window { from: Instant::MIN, ..Window::nightly(world.now()) };
    let outcome = check_books::check_books(&world.app, window, None).await;
    match outcome.map_err(|error| error.to_string())? {
        Outcome::Done(report) => {
            let all = check::all(world).await.map_err(|error| error.to_string())?;
            for case in &report.cases {
                world.trace.add(format!("  {} {:?}", case.kind, case.status));
                let of_others = others_took(world, case) || gave_after_a_no(&all, case);
                if case.kind != "missing_charge" || !of_others {
                    return Err(format!("3. the nightly check finds {} {:?}", case.kind, case.id));
                }
            }
            Ok(())
        }
        other => Err(format!("the books are not checked: {other:?}")),
    }
}

/// Whether others took money back of the recharge that a case is about: a bank, or the operator at
/// the provider. The nightly check may find that, where something was delivered, and nothing else.
fn others_took(world: &World, case: &Case) -> bool {
    world.sandbox.look(|state| {
        let mut of_case = state.provider.payments().iter();
        of_case
            .any(|it| case.recharge_id.as_deref() == Some(recharge_of(it)) && is_taken(world, it))
    })
}

/// Whether the carrier gave what a case is about after it had refused: a request that stood still
/// came through, and its money was on its way back.
fn gave_after_a_no(all: &[Recharge], case: &Case) -> bool {
    let of_case = all.iter().find(|it| case.recharge_id.as_deref() == Some(it.id.as_str()));
    of_case.is_some_and(|it| {
        let refused = it.facts.iter().position(|seen| seen.fact == Fact::NotDelivered);
        let given = it.facts.iter().position(|seen| matches!(seen.fact, Fact::Delivered { .. }));
        it.status == Status::Refunded && refused.is_some() && refused < given
    })
}

fn is_taken(world: &World, payment: &Payment) -> bool {
    let lost = payment.disputes.iter().any(|it| it.status == DisputeStatus::Lost);
    lost || world.truth.given_back.contains(&payment.id)
}

/// What is still on its way.
async fn open(world: &World) -> Result<Vec<String>> {
    let all = check::all(world).await?;
    let on_its_way = |it: &&Recharge| {
        !it.status.is_end() || it.attempts.iter().any(|attempt| it.goes_back(attempt.number))
    };
    Ok(all.iter().filter(on_its_way).map(|it| format!("{} {:?}", it.id, it.status)).collect())
}

/// How many jobs are left that are no look at a line.
async fn late_jobs(world: &World, now: Instant) -> Result<i64> {
    let mut conn = world.app.store.read().await?;
    let row = sql!(
        "SELECT COUNT(*) FROM jobs WHERE due_at <= $1 OR key NOT LIKE '%/evaluate'",
        now.micros()
    )
    .fetch_one(&mut *conn)
    .await?;
    Ok(row.try_get(0)?)
}

/// 17: what meets nothing that goes wrong is through within minutes.
fn prompt(world: &World, all: &[Recharge]) -> Result<(), String> {
    let since = world.truth.quiet_since.unwrap_or(Instant::MAX);
    for recharge in all.iter().filter(|it| it.opened_at >= since) {
        let taken = |seen: &&laika_core::recharge::Seen| {
            matches!(seen.fact, Fact::Captured { attempt: 1, .. })
        };
        if !recharge.facts.iter().any(|seen| taken(&seen)) {
            continue;
        }
        let delivered =
            recharge.facts.iter().find(|seen| matches!(seen.fact, Fact::Delivered { .. }));
        let in_time = delivered.is_some_and(|it| it.at.since(recharge.opened_at) <= PROMPT);
        if !in_time {
            return Err(format!("17. {} is not through in time", recharge.id));
        }
    }
    Ok(())
}

/// 3: at rest every capture was delivered, once, or given back whole; what the carrier gave is on
/// the line, and nothing else is.
async fn fair(world: &World, all: &[Recharge]) -> Result<Result<(), String>> {
    let by_id: BTreeMap<&str, &Recharge> = all.iter().map(|it| (it.id.as_str(), it)).collect();
    let payments = world.sandbox.look(|state| state.provider.payments().to_vec());
    let mut kept: BTreeMap<&str, u32> = BTreeMap::new();
    for payment in payments.iter().filter(|it| it.status == PaymentStatus::Succeeded) {
        let recharge = recharge_of(payment);
        let done = by_id.get(recharge).is_some_and(|it| it.status == Status::Done);
        if payment.left_minor() == 0 {
            // Why: what was delivered and then taken back by others was paid for.
            if done && is_taken(world, payment) {
                kept.entry(recharge).or_default();
            }
            continue;
        }
        if !done || payment.left_minor() != payment.captured_minor {
            return Ok(Err(format!("3. {} of {recharge} is kept for nothing", payment.id)));
        }
        let asked = by_id.get(recharge).map(|it| it.order.amount.amount_minor);
        if asked != Some(payment.captured_minor) {
            return Ok(Err(format!("3. {} is of another amount than agreed", payment.id)));
        }
        *kept.entry(recharge).or_default() += 1;
    }
    for recharge in all.iter().filter(|it| it.status == Status::Done) {
        if kept.get(recharge.id.as_str()).is_none_or(|count| *count > 1) {
            return Ok(Err(format!("3. {} is done and was not paid", recharge.id)));
        }
    }
    Ok(valid(world, all).await?.and(delivered(world).await?))
}

/// What the carrier gave is valid from when it gave it, by its own account: between when it was
/// paid and when that was heard.
async fn valid(world: &World, all: &[Recharge]) -> Result<Result<(), String>> {
    let mut conn = world.app.store.read().await?;
    for line in &world.lines {
        for bucket in balances::load(&mut conn, line).await?.buckets {
            let recharge = all.iter().find(|it| bucket.recharge.as_ref() == Some(&it.id));
            let Some(recharge) = recharge else { continue };
            let Adds::Data { validity_days, .. } = recharge.order.adds else { continue };
            let key = IdempotencyKey::of_top_up(&recharge.id);
            let given = world.sandbox.look(|s| Some(s.carrier.find(key.as_str())?.delivered_at));
            let heard = |wanted: fn(&Fact) -> bool| {
                recharge.facts.iter().find(|seen| wanted(&seen.fact)).map(|seen| seen.at)
            };
            let paid = heard(|fact| matches!(fact, Fact::Captured { .. }));
            let told = heard(|fact| matches!(fact, Fact::Delivered { .. }));
            let from = given.min(told).max(paid);
            if bucket.expires_at != from.map(|at| at.plus(Span::days(i64::from(validity_days)))) {
                let (id, until) = (&recharge.id, bucket.expires_at);
                return Ok(Err(format!("3. {id} is valid until {until:?}, given at {given:?}")));
            }
        }
    }
    Ok(Ok(()))
}

/// The carrier's list against what the lines have.
async fn delivered(world: &World) -> Result<Result<(), String>> {
    let mut conn = world.app.store.read().await?;
    for line in &world.lines {
        let given = world.sandbox.look(|state| state.carrier.balance(&line.iccid));
        let balance = balances::load(&mut conn, line).await?;
        let bought = balance.buckets.iter().filter(|bucket| bucket.recharge.is_some());
        let bought: u64 = bought.map(|bucket| bucket.bytes_total.get()).sum();
        let credit: i64 = balance.credit.iter().map(|grant| grant.amount_minor).sum();
        let credited = given.credit_minor.values().sum::<i64>();
        if Bytes::from_i64(given.data_bytes).map(Bytes::get) != Some(bought) || credited != credit {
            let id = &line.id;
            return Ok(Err(format!(
                "3. {id}: the carrier gave {} and {credited}, the line has {bought} and {credit}",
                given.data_bytes
            )));
        }
    }
    Ok(Ok(()))
}

/// 1 and 12: the book of the customer's money is what the provider took less what went back of it,
/// no bank holds anything, and nothing is taken that is neither earned nor given back.
async fn money(world: &World) -> Result<Result<(), String>> {
    let mut conn = world.app.store.read().await?;
    let sums = ledger::sums(&mut conn).await?;
    let payments = world.sandbox.look(|state| state.provider.payments().to_vec());
    for (place, line) in world.lines.iter().enumerate() {
        let of_line = |payment: &&Payment| line_of(world, recharge_of(payment)) == Some(place);
        let held: i64 = payments.iter().filter(of_line).map(Payment::left_minor).sum();
        let booked = |book: &str| -> i64 {
            let of_line = sums.iter().filter(|it| it.line_id == line.id.as_str());
            of_line.filter(|it| it.book == book && it.unit != "byte").map(|it| it.amount).sum()
        };
        let books = [booked("customer"), booked("disputed"), booked("prepaid")];
        if books != [-held, 0, 0] {
            let id = &line.id;
            return Ok(Err(format!(
                "1. {id}: the provider holds {held}, customer, disputed and prepaid are {books:?}"
            )));
        }
    }
    Ok(Ok(()))
}

/// Every row of money, for the trace.
async fn dump(world: &World) -> Result<String> {
    let mut conn = world.app.store.read().await?;
    let mut text = String::new();
    for (account, recharge) in
        crate::store::recharges::opened_since(&mut conn, Instant::MIN).await?
    {
        text += &format!("{account} {}\n", crate::store::rules::json(&recharge)?);
    }
    for book in ledger::sums(&mut conn).await? {
        text += &format!("{book:?}\n");
    }
    for (key, why) in jobs::unreadable(&mut conn, &Default::default(), i64::MAX).await?.0 {
        text += &format!("{key} {why}\n");
    }
    let rows = sql!("SELECT key, body FROM messages ORDER BY key").fetch_all(&mut *conn).await?;
    for row in &rows {
        let (key, body): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        text += &format!("{key} {body}\n");
    }
    Ok(text)
}
