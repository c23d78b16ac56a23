//! The invariants, held against what is known outside of Laika's own books: the provider's own list
//! of payments, the carrier's of top-ups, what was sent and what was acknowledged. `quick` is made
//! after each step, `whole` now and then, `rest` once nothing goes on any more.
//!
//! | invariant of the rules | checked by |
//! |---|---|
//! | 1 books sum to zero, balances are sums | `flow::audit`, `rest::money` |
//! | 2 one capture kept, one automatic recharge open | [`charged_once`], [`quick`], `flow::audit` |
//! | 3 a capture is delivered or given back | `rest::fair` |
//! | 4 each automatic charge is justified | `rails`, `flow::audit` |
//! | 5 caps hold | [`limits`], `flow::audit` |
//! | 6 stops are barriers | [`barriers`] |
//! | 7 each event is drawn once | `usage`, [`usage_once`], `flow::audit` |
//! | 8 acknowledged is durable | every death, with `usage` and [`usage_once`] |
//! | 9 ends stay, books are only added to | [`ends_stay`], [`books_grow`] |
//! | 10 retry limits | `ladder` |
//! | 11 each notice once | [`told_once`] |
//! | 12 refunds within the capture | [`charged_once`], `rest::money` |
//! | 13 same inputs, same bytes | `flow::audit`, the trace's hash |
//! | 14 nobody changes another's | [`bystander`], `rest::fair` |
//! | 15 units never mix | [`units`] |
//! | 16 no clock or zone counts twice | [`limits`] under jumps and moves |
//! | 17 done in time, alerts | `rest::prompt`, `rest::settle`, [`alerted`] |

use super::{ladder, rails, world::World};
use crate::{
    error::Result,
    sandbox::provider::records::{Payment, PaymentStatus},
    sql,
    store::{balances, lines, recharges, rules},
};
use laika_core::{
    decide::Standing,
    recharge::{Fact, Recharge, Status},
    time::{Instant, Span},
    zone::{Zone, first_of_month},
};
use sqlx::Row;
use std::collections::BTreeMap;

/// The statuses that stay, by their names in the database.
const ENDS: [&str; 4] = ["done", "failed", "cancelled", "refunded"];
/// What is unknown for longer is told to the operator.
const ALERT_AFTER: Span = Span::minutes(30);

/// The line that a recharge's name begins with.
pub(super) fn line_of(world: &World, recharge: &str) -> Option<usize> {
    let (line, _) = recharge.rsplit_once("-r")?;
    world.lines.iter().position(|known| known.id.as_str() == line)
}

/// The recharge that a payment is for.
pub(super) fn recharge_of(payment: &Payment) -> &str {
    payment.charge.metadata.get("recharge_id").map_or("", String::as_str)
}

/// What must hold after every step, from one statement; whether a recharge is on its way.
pub(super) async fn quick(world: &mut World) -> Result<bool, String> {
    let rows = {
        let mut conn = world.app.store.read().await.map_err(|error| error.to_string())?;
        sql!(
            "SELECT id, line_id, automatic, status, standing FROM recharges
             ORDER BY account_id, line_id, number"
        )
        .fetch_all(&mut *conn)
        .await
        .map_err(|error| error.to_string())?
    };
    let mut open: BTreeMap<String, u32> = BTreeMap::new();
    let mut automatic: BTreeMap<String, bool> = BTreeMap::new();
    let (mut said, mut on_its_way) = (String::new(), false);
    for row in &rows {
        let text = |at: usize| row.get::<String, _>(at);
        let (id, line, status, standing) = (text(0), text(1), text(3), text(4));
        let by_rule = row.get::<i64, _>(2) != 0;
        if by_rule && matches!(standing.as_str(), "open" | "unknown") {
            *open.entry(line).or_default() += 1;
        }
        said += &format!(" {id}={status}");
        on_its_way |= !ENDS.contains(&status.as_str());
        ends_stay(world, &id, status)?;
        automatic.insert(id, by_rule);
    }
    world.trace.add(said);
    if let Some((line, count)) = open.into_iter().find(|(_, count)| *count > 1) {
        return Err(format!("2. {count} automatic recharges are open on {line}"));
    }
    barriers(world, &automatic).map(|()| on_its_way)
}

/// 9: an end stays.
fn ends_stay(world: &mut World, id: &str, status: String) -> Result<(), String> {
    if let Some(before) = world.truth.ended.get(id) {
        let stays = *before == status;
        return if stays { Ok(()) } else { Err(format!("9. {id} was {before}, now {status}")) };
    }
    if ENDS.contains(&status.as_str()) {
        world.truth.ended.insert(id.to_owned(), status);
    }
    Ok(())
}

/// 6: no payment begins that an acknowledged stop forbids. Each is of a recharge that there is.
fn barriers(world: &mut World, automatic: &BTreeMap<String, bool>) -> Result<(), String> {
    let seen = world.truth.payments_seen;
    let new: Vec<Payment> = world.sandbox.look(|state| state.provider.payments()[seen..].to_vec());
    world.truth.payments_seen += new.len();
    for payment in new {
        let recharge = recharge_of(&payment);
        let (id, status) = (&payment.id, payment.status);
        world.trace.add(format!("  {id} {status:?} for {recharge}"));
        let known = automatic.get(recharge).zip(line_of(world, recharge));
        let Some((by_rule, line)) = known else {
            return Err(format!("2. {id} is of no recharge that is known: {recharge}"));
        };
        let token = &payment.charge.payment_method;
        let now = world.now();
        if let Some(what) = world.truth.forbids(line, *by_rule, recharge, token, now) {
            return Err(format!("6. {id} for {recharge} after {what} was acknowledged"));
        }
    }
    Ok(())
}

/// What must hold whenever it is looked at.
pub(super) async fn whole(world: &mut World) -> Result<(), String> {
    let all = all(world).await.map_err(|error| error.to_string())?;
    charged_once(world)?;
    as_agreed(world, &all)?;
    ladder::holds(world, &all)?;
    let looked: Result<Result<(), String>> = async {
        for check in [limits(world, &all).await?, rails::hold(world, &all).await?] {
            if let Err(broken) = check {
                return Ok(Err(broken));
            }
        }
        for place in 0..world.lines.len() {
            if let Err(broken) = usage_once(world, place).await? {
                return Ok(Err(broken));
            }
        }
        for check in [told_once(world).await?, units(world).await?, jobs_go_well(world).await?] {
            if let Err(broken) = check {
                return Ok(Err(broken));
            }
        }
        books_grow(world).await
    }
    .await;
    looked.map_err(|error| error.to_string())?
}

/// Every recharge there is.
pub(super) async fn all(world: &World) -> Result<Vec<Recharge>> {
    let mut conn = world.app.store.read().await?;
    let all = recharges::opened_since(&mut conn, Instant::MIN).await?;
    Ok(all.into_iter().map(|(_, recharge)| recharge).collect())
}

/// 2: no recharge is ever charged twice; 12: no more goes back than was taken.
fn charged_once(world: &World) -> Result<(), String> {
    let payments = world.sandbox.look(|state| state.provider.payments().to_vec());
    let mut captured: BTreeMap<&str, &str> = BTreeMap::new();
    for payment in &payments {
        if payment.left_minor() < 0 {
            return Err(format!("12. more of {} goes back than was taken", payment.id));
        }
        if payment.status != PaymentStatus::Succeeded {
            continue;
        }
        if let Some(first) = captured.insert(recharge_of(payment), &payment.id) {
            let recharge = recharge_of(payment);
            return Err(format!("2. {recharge} is charged twice: {first} and {}", payment.id));
        }
    }
    Ok(())
}

/// 4: what the provider was asked for is what was decided.
fn as_agreed(world: &World, all: &[Recharge]) -> Result<(), String> {
    let asked: BTreeMap<&str, i64> =
        all.iter().map(|it| (it.id.as_str(), it.order.amount.amount_minor)).collect();
    world.sandbox.look(|state| {
        let other = |payment: &&Payment| {
            asked.get(recharge_of(payment)) != Some(&payment.charge.amount_minor)
        };
        let other = state.provider.payments().iter().find(other);
        other.map_or(Ok(()), |it| Err(format!("4. {} is of another amount than decided", it.id)))
    })
}

/// 5 and 16: cap, count and cool-down of each line, over all versions of its rule, in the zone of
/// its owner. Days and months that began before the owner's last move are counted by the auditor
/// alone: in which of two zones is its matter.
async fn limits(world: &mut World, all: &[Recharge]) -> Result<Result<(), String>> {
    let mut conn = world.app.store.read().await?;
    for (place, line) in world.lines.iter().enumerate() {
        let owner = crate::store::accounts::get(&mut conn, line.account_id.as_str()).await?;
        let owner = owner.ok_or_else(crate::error::Error::not_found)?;
        // Why not the flow's: what is held against it must not come from it.
        let zone = crate::zones::zone(&owner.time_zone, world.now()).unwrap_or_else(Zone::utc);
        let mut of_line: Vec<&Recharge> =
            all.iter().filter(|it| it.line_id == line.id && it.automatic()).collect();
        of_line.sort_by_key(|it| it.opened_at);
        for (at, recharge) in of_line.iter().enumerate() {
            let version = (place, recharge.rule_version.unwrap_or(0));
            if !world.truth.limits.contains_key(&version)
                && let Some(rule) = rules::version(&mut conn, line, version.1).await?
            {
                world.truth.limits.insert(version, rule.limits);
            }
            let Some(limits) = world.truth.limits.get(&version) else {
                return Ok(Err(format!("4. {} is of no version of the rule", recharge.id)));
            };
            let before = &of_line[..at];
            let moved_at = world.truth.moved_at.filter(|_| place < 2);
            if let Some(broken) = beyond(recharge, before, limits, &zone, moved_at) {
                return Ok(Err(broken));
            }
            let pause = limits.cool_down();
            let last = before.last();
            if last.is_some_and(|last| recharge.opened_at.since(last.opened_at) < pause) {
                return Ok(Err(format!("16. {} is opened within the cool-down", recharge.id)));
            }
        }
    }
    Ok(Ok(()))
}

/// A recharge that does not fit beside those that were reserved before it.
fn beyond(
    recharge: &Recharge,
    before: &[&Recharge],
    limits: &laika_core::rule::Limits,
    zone: &Zone,
    moved_at: Option<Instant>,
) -> Option<String> {
    let counts = |it: &&&Recharge| it.status.standing() != Standing::Released;
    if recharge.status.standing() == Standing::Released {
        return None;
    }
    let day = zone.date(recharge.reserved_at);
    let month = first_of_month(day);
    let in_month = before.iter().filter(counts);
    let in_month = in_month.filter(|it| first_of_month(zone.date(it.reserved_at)) == month);
    let spent: i64 = in_month.map(|it| it.order.amount.amount_minor).sum();
    let taken = spent.saturating_add(recharge.order.amount.amount_minor);
    let lived_here = |first| moved_at.is_none_or(|moved_at| moved_at < zone.start_of_day(first));
    if let Some(cap) = limits.cap_per_month.filter(|cap| taken > cap.amount_minor)
        && lived_here(month)
    {
        let cap = cap.amount_minor;
        return Some(format!("5. {}: {taken} in {month}, the cap is {cap}", recharge.id));
    }
    let in_day = before.iter().filter(counts).filter(|it| zone.date(it.reserved_at) == day);
    let count = u32::try_from(in_day.count()).unwrap_or(u32::MAX).saturating_add(1);
    let most = limits.max_per_day.filter(|most| count > *most && lived_here(day))?;
    Some(format!("5. {}: {count} on {day}, at most {most}", recharge.id))
}

/// 7 and 8: what a line has lost is what was used on it, no more and no less.
async fn usage_once(world: &World, place: usize) -> Result<Result<(), String>> {
    let mut conn = world.app.store.read().await?;
    let line = &world.lines[place];
    let balance = balances::load(&mut conn, line).await?;
    let granted: u64 = balance.buckets.iter().map(|bucket| bucket.bytes_total.get()).sum();
    let left = balance.bytes_on_books().get();
    let drawn = (granted + balance.overrun_bytes.get()).saturating_sub(left);
    let (surely, perhaps) = world.truth.used(place);
    if (surely..=surely + perhaps).contains(&drawn) {
        return Ok(Ok(()));
    }
    let id = &line.id;
    Ok(Err(format!("7. {id} has drawn {drawn}, used are {surely} and perhaps {perhaps}")))
}

/// 11: each piece of news of a recharge is told once; what is told of an attempt, once for each.
async fn told_once(world: &World) -> Result<Result<(), String>> {
    let mut conn = world.app.store.read().await?;
    let rows = sql!("SELECT key FROM messages WHERE channel = 'sms' ORDER BY key")
        .fetch_all(&mut *conn)
        .await?;
    let all = recharges::opened_since(&mut conn, Instant::MIN).await?;
    let attempts: BTreeMap<String, usize> =
        all.iter().map(|(_, it)| (it.id.to_string(), it.attempts.len())).collect();
    let mut told: BTreeMap<(String, String), usize> = BTreeMap::new();
    for row in &rows {
        let key: String = row.try_get(0)?;
        let news = key.strip_suffix("-sms").and_then(|key| key.rsplit_once('-'));
        let Some((rest, code)) = news else { continue };
        let Some((recharge, _)) = rest.rsplit_once('-') else { continue };
        if !attempts.contains_key(recharge) {
            continue;
        }
        let times = told.entry((recharge.to_owned(), code.to_owned())).or_default();
        *times += 1;
        let most = match code {
            "unknown" | "wrongly_taken" | "refunded" | "customer_needed" => attempts[recharge],
            _ => 1,
        };
        if *times > most {
            return Ok(Err(format!("11. {recharge} is told {code} {times} times")));
        }
    }
    for (_, recharge) in &all {
        let mut facts = recharge.facts.iter().map(|it| &it.fact);
        let told_of = facts.find(|it| matches!(it, Fact::Declined { .. } | Fact::Captured { .. }));
        let declined = matches!(told_of, Some(Fact::Declined { .. }));
        let key = (recharge.id.to_string(), "declined".to_owned());
        if declined && !told.contains_key(&key) {
            return Ok(Err(format!("10. nobody is told that {} is declined", recharge.id)));
        }
    }
    Ok(Ok(()))
}

/// 15: a line's books are in bytes and in its own currency.
async fn units(world: &World) -> Result<Result<(), String>> {
    let mut conn = world.app.store.read().await?;
    let rows = sql!("SELECT DISTINCT line_id, unit FROM ledger_entries ORDER BY line_id, unit")
        .fetch_all(&mut *conn)
        .await?;
    for row in &rows {
        let (line, unit): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        let line = world.lines.iter().find(|known| known.id.as_str() == line);
        let fits = line.is_some_and(|line| unit == "byte" || unit == line.currency.code());
        if !fits {
            return Ok(Err(format!("15. {unit} in the books of {line:?}")));
        }
    }
    let other = world.sandbox.look(|state| {
        let wrong = |payment: &&Payment| {
            let line = line_of(world, recharge_of(payment)).map(|place| &world.lines[place]);
            line.is_none_or(|line| line.currency.code() != payment.charge.currency)
        };
        state.provider.payments().iter().find(wrong).map(|payment| payment.id.clone())
    });
    Ok(other.map_or(Ok(()), |id| Err(format!("15. {id} is in another currency"))))
}

/// What was written in the books stays there, in its order.
async fn books_grow(world: &mut World) -> Result<Result<(), String>> {
    let (count, hash) = &world.truth.books;
    let now = books(world, *count).await?;
    if now != *hash && *count != (0, 0) {
        return Ok(Err("9. an entry of the books is not what was written".to_owned()));
    }
    let count = {
        let mut conn = world.app.store.read().await?;
        let count = sql!(
            "SELECT (SELECT COUNT(*) FROM ledger_entries), (SELECT COUNT(*) FROM usage_events)"
        );
        let row = count.fetch_one(&mut *conn).await?;
        (row.try_get(0)?, row.try_get(1)?)
    };
    world.truth.books = (count, books(world, count).await?);
    Ok(Ok(()))
}

/// The hash of the first entries and the first events that were ever written, with what they moved.
async fn books(world: &World, (entries, events): (i64, i64)) -> Result<String> {
    let mut conn = world.app.store.read().await?;
    let rows = sql!(
        "SELECT tx_key, seq, book, unit, amount FROM ledger_entries ORDER BY rowid LIMIT $1",
        entries
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut text = String::new();
    for row in &rows {
        let words: (String, String, String) = (row.try_get(0)?, row.try_get(2)?, row.try_get(3)?);
        let numbers: (i64, i64) = (row.try_get(1)?, row.try_get(4)?);
        text += &format!("{words:?} {numbers:?}\n");
    }
    let rows = sql!(
        "SELECT line_id, event_id, used_at, bytes, moved_bytes, moved_minor FROM usage_events
         ORDER BY rowid LIMIT $1",
        events
    )
    .fetch_all(&mut *conn)
    .await?;
    for row in &rows {
        let words: (String, String) = (row.try_get(0)?, row.try_get(1)?);
        let event: (i64, i64) = (row.try_get(2)?, row.try_get(3)?);
        let moved: (i64, i64) = (row.try_get(4)?, row.try_get(5)?);
        text += &format!("{words:?} {event:?} {moved:?}\n");
    }
    Ok(crate::secret::sha256_hex(text.as_bytes()))
}

/// No job failed on our own side.
async fn jobs_go_well(world: &World) -> Result<Result<(), String>> {
    let mut conn = world.app.store.read().await?;
    let rows = sql!("SELECT key, failure FROM jobs WHERE failure IS NOT NULL")
        .fetch_all(&mut *conn)
        .await?;
    let Some(row) = rows.first() else { return Ok(Ok(())) };
    let (key, why): (String, String) = (row.try_get(0)?, row.try_get(1)?);
    Ok(Err(format!("the job {key} failed: {why}")))
}

/// 17: of what has been unknown for half an hour somebody hears with each look of the reconciler.
pub(super) async fn overdue(world: &World) -> Result<Vec<String>> {
    let now = world.now();
    let unknown = |it: &&Recharge| {
        // Why not the recharge's own answer: what is held against it must not come from it.
        let last = it.attempts.last().map_or(0, |attempt| attempt.number);
        let sent = it.facts.iter().find(|seen| seen.fact == Fact::Submitted { attempt: last });
        let paid = it.facts.iter().find(|seen| matches!(seen.fact, Fact::Captured { .. }));
        let since = match it.status {
            Status::Unknown => sent,
            Status::DeliveryUnknown => paid,
            _ => return false,
        };
        since.is_none_or(|since| now.since(since.at) >= ALERT_AFTER)
    };
    let mut conn = world.app.store.read().await?;
    let open = recharges::opened_since(&mut conn, now).await?;
    let open = open.into_iter().map(|(_, recharge)| recharge);
    Ok(open.filter(|it| unknown(&it)).map(|it| it.id.to_string()).collect())
}

/// 17: holds the alerts against what must have been told.
pub(super) fn alerted(world: &World, overdue: &[String]) -> Result<(), String> {
    let alerts = world.alerts.take();
    let silent = overdue.iter().find(|id| !alerts.iter().any(|words| words.contains(id.as_str())));
    silent.map_or(Ok(()), |id| Err(format!("17. {id} is unknown, and nobody hears of it")))
}

/// 14: what somebody else's line and account were counted up to.
pub(super) async fn bystander(world: &World) -> Result<(i64, i64)> {
    let mut conn = world.app.store.read().await?;
    let line = &world.lines[2];
    let (account, id) = (line.account_id.as_str(), line.id.as_str());
    let version = crate::store::accounts::version(&mut conn, account).await?.unwrap_or(0);
    let line = lines::get(&mut conn, account, id).await?;
    Ok((version, line.map_or(0, |line| line.version)))
}
