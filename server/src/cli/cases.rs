//! `laika cases` and `laika case`: the differences that a reconciliation found and what became of
//! them; closing one after a person has looked. No money moves here.

use super::{Failure, Outcome, block_on, check_why, help, open, print_json};
use crate::{
    Shared,
    flow::check_books::Evidence,
    store::{
        audit_log::{self, By},
        cases::{self, Case, Status, Which},
        rules::from_json,
    },
};
use laika_core::{api::Language, say::Speech, zone::Zone};
use serde::Serialize;
use serde_json::Value;
use std::io::Write;

/// Rows read at once.
const PAGE: i64 = 500;

/// One case with what it was found in.
#[derive(Serialize)]
struct Whole<'a> {
    #[serde(flatten)]
    case: &'a Case,
    evidence: Value,
}

pub(super) fn cases(mut parser: lexopt::Parser) -> Result<Outcome, Failure> {
    use lexopt::prelude::*;
    let (mut which, mut json) = (Which::Unsettled, false);
    while let Some(word) = parser.next()? {
        match word {
            Long("all") => which = Which::All,
            Long("json") => json = true,
            Short('h') | Long("help") => return help::print(Some("cases")),
            other => return Err(other.unexpected().into()),
        }
    }
    block_on(async {
        let app = open().await?;
        list(&app, which, json).await?;
        app.store.close().await;
        Ok(Outcome::Done)
    })
}

async fn list(app: &Shared, which: Which, json: bool) -> Result<(), Failure> {
    let mut conn = app.store.read().await?;
    let mut after = (String::new(), String::new());
    loop {
        let page = cases::page(&mut conn, which, &after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = (last.account_id.clone(), last.id.clone());
        for case in &page {
            if json {
                print_json(case)?;
            } else {
                writeln!(std::io::stdout(), "{}", sentence(case))?;
            }
        }
    }
}

pub(super) fn case(mut parser: lexopt::Parser) -> Result<Outcome, Failure> {
    use lexopt::prelude::*;
    let (mut id, mut close, mut why, mut json) = (None, false, String::new(), false);
    while let Some(word) = parser.next()? {
        match word {
            Value(word) if id.is_none() => id = Some(word.string()?),
            Value(word) if !close && word == "close" => close = true,
            Long("why") => why = parser.value()?.string()?,
            Long("json") => json = true,
            Short('h') | Long("help") => return help::print(Some("case")),
            other => return Err(other.unexpected().into()),
        }
    }
    let id = id.ok_or_else(|| Failure::Usage("which case? laika case ID".into()))?;
    check_why(&why)?;
    if close == why.is_empty() || close && json {
        return Err(Failure::Usage("laika case ID close --why TEXT, or laika case ID".into()));
    }
    block_on(async {
        let app = open().await?;
        if close {
            end(&app, &id, &why).await?;
        } else {
            show(&app, &id, json).await?;
        }
        app.store.close().await;
        Ok(Outcome::Done)
    })
}

fn unknown(id: &str) -> Failure {
    Failure::failed(format!("there is no case {id}"))
}

async fn show(app: &Shared, id: &str, json: bool) -> Result<(), Failure> {
    let found = cases::get(&mut *app.store.read().await?, id).await?;
    let case = found.ok_or_else(|| unknown(id))?;
    let evidence: Value = serde_json::from_str(&case.evidence).map_err(Failure::failed)?;
    if json {
        return print_json(&Whole { case: &case, evidence });
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", sentence(&case))?;
    writeln!(out, "found {}, last {}, {} since {}", case.found_at, case.seen_at, word(&case), {
        case.changed_at
    })?;
    Ok(writeln!(out, "{}", serde_json::to_string_pretty(&evidence).map_err(Failure::failed)?)?)
}

/// Closes a case that waits for a person, and writes down who did, and why.
async fn end(app: &Shared, id: &str, why: &str) -> Result<(), Failure> {
    let now = app.clock.now();
    let mut tx = app.store.write().await?;
    let case = cases::get(&mut tx, id).await?.ok_or_else(|| unknown(id))?;
    if !cases::turn(&mut tx, &case.account_id, id, [Status::Open, Status::Closed], now).await? {
        return Err(Failure::failed(format!("{id} stays as it is: it is {}", word(&case))));
    }
    let by = By { operator: &app.config.operator, why };
    audit_log::append(&mut tx, &by, "case_closed", id, now).await?;
    tx.commit().await;
    Ok(writeln!(std::io::stdout(), "{id} is closed")?)
}

fn word(case: &Case) -> &'static str {
    case.status.name()
}

/// A case for a person: what was found and how it stands, in the words that the customer reads.
pub(super) fn sentence(case: &Case) -> String {
    let zone = Zone::utc();
    let said = from_json::<Evidence>(&case.evidence).map(|evidence| {
        let speech = Speech { language: Language::En, zone: &zone, now: evidence.as_of };
        speech.difference(&evidence.difference)
    });
    let said = said.unwrap_or_else(|_| "(another version's evidence)".to_owned());
    let about = [&case.recharge_id, &case.payment].into_iter().flatten();
    let about: Vec<&str> = about.map(String::as_str).collect();
    format!("{}  {}  {}  {}  {said}", case.id, word(case), case.kind, about.join("  "))
}
