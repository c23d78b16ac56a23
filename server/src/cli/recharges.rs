//! `laika recharges` and `laika recharge`: what was charged, what is under way, and everything that
//! is known of one. They only read.

use super::{Failure, Outcome, block_on, help, open, print_json};
use crate::{
    Shared,
    flow::returns::ledger_key,
    store::{
        Conn,
        ledger::{self, Entry},
        lines,
        pending::{self, Pending},
        recharges::{self, Which},
        returns,
        rules::from_json,
    },
};
use laika_core::{
    api::Returned,
    bytes::Bytes,
    recharge::{Attempt, Recharge, Status},
    record::DecisionRecord,
    returns::Returns,
    rule::Adds,
    say,
    time::Instant,
};
use serde::Serialize;
use std::io::Write;

/// Rows read at once.
const PAGE: i64 = 500;

/// One recharge in a list.
#[derive(Serialize)]
struct Row<'a> {
    id: &'a str,
    line_id: &'a str,
    automatic: bool,
    status: Status,
    amount_minor: i64,
    currency: &'a str,
    opened_at: Instant,
    attempts: usize,
}

pub(super) fn recharges(mut parser: lexopt::Parser) -> Result<Outcome, Failure> {
    use lexopt::prelude::*;
    let (mut line, mut which, mut json) = (None, Which::All, false);
    while let Some(word) = parser.next()? {
        match word {
            Long("line") => line = Some(parser.value()?.string()?),
            Long("open") if which == Which::All => which = Which::Open,
            Long("unknown") if which == Which::All => which = Which::Unknown,
            Long("json") => json = true,
            Short('h') | Long("help") => return help::print(Some("recharges")),
            other => return Err(other.unexpected().into()),
        }
    }
    block_on(async {
        let app = open().await?;
        list(&app, line.as_deref(), which, json).await?;
        app.store.close().await;
        Ok(Outcome::Done)
    })
}

async fn list(app: &Shared, line: Option<&str>, which: Which, json: bool) -> Result<(), Failure> {
    let mut conn = app.store.read().await?;
    let mut after = (String::new(), String::new(), 0);
    if let Some(name) = line {
        let found = lines::find(&mut conn, name).await?;
        let line = found.ok_or_else(|| Failure::failed(format!("there is no line {name}")))?;
        after = (line.account_id.to_string(), line.id.to_string(), 0);
    }
    loop {
        let page = match line {
            Some(_) => recharges::page_of_line(&mut conn, which, &after, PAGE).await?,
            None => recharges::page(&mut conn, which, &after, PAGE).await?,
        };
        let Some((end, _)) = page.last() else { return Ok(()) };
        after = end.clone();
        for (_, recharge) in &page {
            print(recharge, json)?;
        }
    }
}

fn print(recharge: &Recharge, json: bool) -> Result<(), Failure> {
    if !json {
        let (status, tries) = (word(&recharge.status)?, recharge.attempts.len());
        let (id, opened_at) = (&recharge.id, recharge.opened_at);
        let what = bought(recharge);
        return Ok(writeln!(
            std::io::stdout(),
            "{id}  {status}  {what}  {opened_at}  {tries} tries"
        )?);
    }
    print_json(&Row {
        id: recharge.id.as_str(),
        line_id: recharge.line_id.as_str(),
        automatic: recharge.automatic(),
        status: recharge.status,
        amount_minor: recharge.order.amount.amount_minor,
        currency: recharge.order.amount.currency.code(),
        opened_at: recharge.opened_at,
        attempts: recharge.attempts.len(),
    })
}

/// A value of core's as its JSON has it; a word without its quotes.
fn word(value: &impl Serialize) -> Result<String, Failure> {
    let json = serde_json::to_value(value).map_err(Failure::failed)?;
    Ok(json.as_str().map_or_else(|| json.to_string(), str::to_owned))
}

/// What for how much, and who decided it.
fn bought(recharge: &Recharge) -> String {
    let adds = match recharge.order.adds {
        Adds::Data { bytes, .. } => say::bytes(bytes),
        Adds::Credit(money) => format!("{} credit", say::money(money)),
    };
    let by = match recharge.rule_version {
        Some(version) => format!("rule version {version}"),
        None => "bought by hand".to_string(),
    };
    format!("{} for {adds}  {by}", say::money(recharge.order.amount))
}

/// Everything that is known of one recharge.
#[derive(Serialize)]
struct Whole {
    account_id: String,
    recharge: Recharge,
    /// Why it was decided; nothing when it was bought by hand.
    record: Option<DecisionRecord>,
    before_bytes: Option<Bytes>,
    after_bytes: Option<Bytes>,
    /// What went back of its payments beside it.
    returns: Vec<Returns>,
    entries: Vec<Entry>,
    jobs: Vec<Pending>,
}

pub(super) fn recharge(mut parser: lexopt::Parser) -> Result<Outcome, Failure> {
    use lexopt::prelude::*;
    let (mut id, mut json) = (None, false);
    while let Some(word) = parser.next()? {
        match word {
            Value(word) if id.is_none() => id = Some(word.string()?),
            Long("json") => json = true,
            Short('h') | Long("help") => return help::print(Some("recharge")),
            other => return Err(other.unexpected().into()),
        }
    }
    let id = id.ok_or_else(|| Failure::Usage("which recharge? laika recharge ID".into()))?;
    block_on(async {
        let app = open().await?;
        let (mut conn, wall) = (app.store.read().await?, app.clock.wall());
        let whole = load(&mut conn, &id, wall).await?;
        let whole = whole.ok_or_else(|| Failure::failed(format!("there is no recharge {id}")))?;
        if json {
            print_json(&whole)?
        } else {
            tell(&whole)?
        }
        drop(conn);
        app.store.close().await;
        Ok(Outcome::Done)
    })
}

/// Reads it all in one snapshot. The line's name is the beginning of the recharge's.
async fn load(conn: &mut Conn, id: &str, wall: Instant) -> Result<Option<Whole>, Failure> {
    let Some((line_id, _)) = id.rsplit_once("-r") else { return Ok(None) };
    let Some(line) = lines::find(conn, line_id).await? else { return Ok(None) };
    let account = line.account_id.as_str();
    let Some(stored) = recharges::get(conn, account, id).await? else { return Ok(None) };
    let record = recharges::record(conn, account, id).await?;
    // Why: each fact that moved anything is one transaction of the books, named by its number.
    let facts = stored.recharge.facts.len();
    let mut keys: Vec<_> = (0..=facts).map(|n| format!("{id}/{n}")).collect();
    let mut returned = returns::of_lines(conn, &[&line]).await?.pop().unwrap_or_default();
    returned.retain(|kept| kept.returns.recharge_id == stored.recharge.id);
    for kept in &returned {
        let key = |step| ledger_key(&stored.recharge.id, kept.returns.attempt, step);
        keys.extend((1..=kept.steps).map(key));
    }
    let entries = ledger::entries(conn, account, &keys).await?;
    let mut jobs = pending::of_line(conn, account, line.id.as_str(), wall).await?;
    let prefix = format!("{id}/");
    jobs.retain(|job| job.key.starts_with(&prefix));
    Ok(Some(Whole {
        account_id: line.account_id.to_string(),
        record: record.as_deref().map(from_json).transpose()?,
        before_bytes: stored.before,
        after_bytes: stored.after,
        recharge: stored.recharge,
        returns: returned.into_iter().map(|kept| kept.returns).collect(),
        entries,
        jobs,
    }))
}

/// The same for a person.
fn tell(whole: &Whole) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let recharge = &whole.recharge;
    let (status, opened_at) = (word(&recharge.status)?, recharge.opened_at);
    writeln!(out, "{}  {status}  {}  opened {opened_at}", recharge.id, bought(recharge))?;
    if let (Some(before), Some(after)) = (whole.before_bytes, whole.after_bytes) {
        writeln!(out, "data left before {}, after {}", say::bytes(before), say::bytes(after))?;
    }
    writeln!(out, "attempts")?;
    for attempt in &recharge.attempts {
        let Attempt { number, payment_method_id, idempotency_key, last_submitted_at, .. } = attempt;
        let sent = last_submitted_at.map_or("not sent".into(), |at| format!("sent {at}"));
        let outcome = attempt.outcome.as_ref().map(word).transpose()?;
        let outcome = outcome.unwrap_or_else(|| "no end known".into());
        writeln!(out, "  {number}  {payment_method_id}  {idempotency_key}  {sent}  {outcome}")?;
    }
    writeln!(out, "facts")?;
    for seen in &recharge.facts {
        writeln!(out, "  {}  {}", seen.at, word(&seen.fact)?)?;
    }
    for run in &whole.returns {
        for line in Returned::of(run) {
            let (at, what) = (line.at, word(&line.what)?);
            writeln!(out, "  {at}  {}  {what}  {}", run.payment, say::money(line.amount))?;
        }
    }
    writeln!(out, "books")?;
    for entry in &whole.entries {
        let Entry { tx_key, posted_at, book, unit, amount } = entry;
        writeln!(out, "  {posted_at}  {tx_key}  {book}  {amount} {unit}")?;
    }
    writeln!(out, "jobs")?;
    for job in &whole.jobs {
        writeln!(out, "  {}", super::jobs::sentence(job))?;
    }
    Ok(())
}
