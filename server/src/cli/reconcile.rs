//! `laika reconcile`: our record, the gateway's statement and the carrier's, compared now. What it
//! finds becomes a case as at night; what is not settled is listed, and the exit code is then 1.

use super::{
    Failure, Outcome, block_on, cases::sentence, help, home, open, print_json, reach_sandbox,
};
use crate::{
    Shared,
    flow::check_books::{self, Report, Window},
    store::cases::{self, Case, Which},
};
use laika_core::{money::Money, say, time::Instant};
use serde::Serialize;
use std::io::Write;

/// Cases read at once.
const PAGE: i64 = 500;

/// What is written as JSON.
#[derive(Serialize)]
struct Answer<'a> {
    #[serde(flatten)]
    report: &'a Report,
    unsettled: &'a [Case],
}

pub(super) fn reconcile(mut parser: lexopt::Parser) -> Result<Outcome, Failure> {
    use lexopt::prelude::*;
    let (mut from, mut until, mut json) = (None, None, false);
    while let Some(word) = parser.next()? {
        match word {
            Long("from") => from = Some(instant("--from", &parser.value()?.string()?)?),
            Long("until") => until = Some(instant("--until", &parser.value()?.string()?)?),
            Long("json") => json = true,
            Short('h') | Long("help") => return help::print(Some("reconcile")),
            other => return Err(other.unexpected().into()),
        }
    }
    if from.is_some() && until.is_some() && from >= until {
        return Err(Failure::Usage("--from is not before --until".into()));
    }
    block_on(async {
        let app = open().await?;
        home::check(&app).await?;
        reach_sandbox(&app).await?;
        let nightly = Window::nightly(app.clock.now());
        let window = Window {
            from: from.unwrap_or(nightly.from),
            until: until.unwrap_or(nightly.until).min(nightly.until),
        };
        if window.from >= window.until {
            return Err(Failure::Usage("--from is not before --until".into()));
        }
        let report = match check_books::check_books(&app, window, None).await? {
            check_books::Outcome::Done(report) => report,
            check_books::Outcome::Unread { whose, why } => {
                let words = format!("nothing is concluded: no statement of the {whose}: {why}");
                return Err(Failure::Failed(words));
            }
            check_books::Outcome::Lost => {
                return Err(Failure::failed("another process does it"));
            }
        };
        let unsettled = unsettled(&app).await?;
        app.store.close().await;
        if json {
            print_json(&Answer { report: &report, unsettled: &unsettled })?;
        } else {
            print(&report, &unsettled)?;
        }
        Ok(if unsettled.is_empty() { Outcome::Done } else { Outcome::Found })
    })
}

/// An instant, or the beginning of a date in UTC.
fn instant(option: &str, text: &str) -> Result<Instant, Failure> {
    let at = Instant::parse(text).or_else(|| Instant::parse(&format!("{text}T00:00:00Z")));
    at.ok_or_else(|| Failure::Usage(format!("{option}: {text} is neither a date nor an instant")))
}

/// Every case of which something is left to do, also those that this check did not find again.
async fn unsettled(app: &Shared) -> Result<Vec<Case>, Failure> {
    let mut conn = app.store.read().await?;
    let (mut all, mut after) = (Vec::new(), (String::new(), String::new()));
    loop {
        let page = cases::page(&mut conn, Which::Unsettled, &after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(all) };
        after = (last.account_id.clone(), last.id.clone());
        all.extend(page);
    }
}

fn print(report: &Report, unsettled: &[Case]) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let checked = &report.checked;
    writeln!(
        out,
        "{} recharges compared with {} payments and {} top-ups; {} are left for later",
        checked.recharges, checked.payments, checked.top_ups, checked.open
    )?;
    for sums in &checked.sums {
        let money = |minor| say::money(Money::new(minor, sums.currency));
        writeln!(
            out,
            "expected {}  charged {}  given back {}  disputed {}  credited {}",
            money(sums.expected_minor),
            money(sums.charged_minor),
            money(sums.refunded_minor),
            money(sums.disputed_minor),
            money(sums.credited_minor)
        )?;
    }
    for case in unsettled {
        writeln!(out, "{}", sentence(case))?;
    }
    Ok(())
}
