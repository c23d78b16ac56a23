//! `laika line add` and `laika lines --json`: lines for operators and for tests from outside.

use super::{Failure, Outcome, block_on, help, open, open_or_make, print_json, say_which};
use crate::{
    flow::add_line::{self, NewLine},
    store::{accounts::HOUSE, balances, lines, recharges},
};
use laika_core::{bytes::Bytes, money::Currency};
use serde::Serialize;
use std::str::FromStr;

pub(super) fn line(mut parser: lexopt::Parser) -> Result<Outcome, Failure> {
    use lexopt::prelude::*;
    match parser.next()? {
        Some(Value(word)) if word == "add" => {}
        Some(Short('h') | Long("help")) => return help::print(Some("line")),
        _ => return Err(Failure::Usage("laika line knows one thing to do: add".into())),
    }
    let (mut iccid, mut bytes, mut credit, mut currency) = (None, None, None, None);
    while let Some(word) = parser.next()? {
        match word {
            Long("iccid") => iccid = Some(parser.value()?.string()?),
            Long("data-bytes") => bytes = Some(number::<u64>(&mut parser, "--data-bytes")?),
            Long("credit-minor") => credit = Some(number::<i64>(&mut parser, "--credit-minor")?),
            Long("currency") => currency = Some(parser.value()?.string()?),
            Short('h') | Long("help") => return help::print(Some("line")),
            other => return Err(other.unexpected().into()),
        }
    }
    let usage = |words: &str| Failure::Usage(words.to_string());
    let iccid = iccid.ok_or_else(|| usage("--iccid is missing"))?;
    if !(1..=22).contains(&iccid.len()) || !iccid.bytes().all(|b| b.is_ascii_digit()) {
        return Err(usage("--iccid is not 1 to 22 digits"));
    }
    let bytes = Bytes::new(bytes.unwrap_or(0)).ok_or_else(|| usage("--data-bytes is too large"))?;
    let credit_minor = credit.unwrap_or(0);
    if credit_minor < 0 {
        return Err(usage("--credit-minor is negative"));
    }
    let currency = currency.unwrap_or_else(|| "EUR".into());
    let currency = Currency::from_code(&currency)
        .ok_or_else(|| usage("--currency is not an ISO 4217 code, such as EUR"))?;
    block_on(async {
        // Why: lines may be there before the first customer comes.
        let app = open_or_make().await?;
        say_which(&app);
        let mut tx = app.store.write().await?;
        let new = NewLine { iccid: iccid.clone(), bytes, credit_minor, currency };
        let added = add_line::add(&mut tx, HOUSE, &new, app.clock.now()).await?;
        if added.is_none() {
            return Err(Failure::failed(format!("there is a line with ICCID {iccid} already")));
        }
        tx.commit().await;
        app.store.close().await;
        Ok(Outcome::Done)
    })
}

fn number<T: FromStr>(parser: &mut lexopt::Parser, name: &str) -> Result<T, Failure> {
    let text = lexopt::ValueExt::string(parser.value()?)?;
    text.parse().map_err(|_| Failure::Usage(format!("{name}: \"{text}\" is not a whole number")))
}

/// A line as outside tests read it.
#[derive(Serialize)]
struct LineFigures {
    iccid: String,
    data_bytes: u64,
    overrun_bytes: u64,
    credit_minor: i64,
    currency: String,
    recharges: Recharges,
}

#[derive(Serialize)]
struct Recharges {
    open: i64,
    done: i64,
}

pub(super) fn lines(mut parser: lexopt::Parser) -> Result<Outcome, Failure> {
    use lexopt::prelude::*;
    let mut json = false;
    while let Some(word) = parser.next()? {
        match word {
            Long("json") => json = true,
            Short('h') | Long("help") => return help::print(Some("lines")),
            other => return Err(other.unexpected().into()),
        }
    }
    if !json {
        return Err(Failure::Usage("laika lines speaks JSON only: laika lines --json".into()));
    }
    block_on(async {
        let app = open().await?;
        let mut conn = app.store.read().await?;
        let now = app.clock.now();
        for line in lines::all(&mut conn).await? {
            let balance = balances::load(&mut conn, &line).await?;
            let (open, done) =
                recharges::counts(&mut conn, line.account_id.as_str(), line.id.as_str()).await?;
            let figures = LineFigures {
                data_bytes: balance.available(now.max(line.newest_at)).get(),
                overrun_bytes: balance.overrun_bytes.get(),
                credit_minor: balance.credit_left_minor(),
                currency: line.currency.code().to_string(),
                iccid: line.iccid,
                recharges: Recharges { open, done },
            };
            print_json(&figures)?;
        }
        Ok(Outcome::Done)
    })
}
