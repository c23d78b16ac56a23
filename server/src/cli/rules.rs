//! `laika schedule|validate|decide|preview`: JSON lines in, JSON lines out; thin faces of core's
//! functions, for operators and for tests from outside. They open no database.

use super::{Failure, Outcome, nothing_more};
use crate::{clock::Clock, zones};
use laika_core::api::query::{
    DecideQuery, PreviewQuery, ScheduleAnswer, ScheduleQuery, ValidateQuery,
};
use serde::{Serialize, de::DeserializeOwned};
use std::io::{BufRead, BufWriter, Write};

/// How many instants `schedule` gives.
const NEXT: usize = 12;

/// A row that could not be answered.
#[derive(Debug, Serialize)]
struct RowError {
    row: usize,
    code: &'static str,
    detail: String,
}

pub(super) fn schedule(parser: lexopt::Parser) -> Result<Outcome, Failure> {
    let now = Clock::system().now();
    each_line(parser, "schedule", |asked: ScheduleQuery| {
        // Why: a question about a later time needs the zone's changes up to then.
        let zone = zones::zone(&asked.time_zone, now.max(asked.after))
            .ok_or(("unknown_zone", format!("there is no zone \"{}\"", asked.time_zone)))?;
        let next = asked.schedule.upcoming(asked.after, &zone).take(NEXT).collect();
        Ok(ScheduleAnswer { next })
    })
}

pub(super) fn validate(parser: lexopt::Parser) -> Result<Outcome, Failure> {
    each_line(parser, "validate", |asked: ValidateQuery| Ok(asked.answer()))
}

pub(super) fn decide(parser: lexopt::Parser) -> Result<Outcome, Failure> {
    each_line(parser, "decide", |asked: DecideQuery| Ok(asked.answer()))
}

pub(super) fn preview(parser: lexopt::Parser) -> Result<Outcome, Failure> {
    each_line(parser, "preview", |asked: PreviewQuery| Ok(asked.answer()))
}

/// Answers each line of standard input with one line; empty lines are passed over.
fn each_line<Q: DeserializeOwned, A: Serialize>(
    mut parser: lexopt::Parser,
    command: &str,
    answer: impl Fn(Q) -> Result<A, (&'static str, String)>,
) -> Result<Outcome, Failure> {
    if !nothing_more(&mut parser, command)? {
        return Ok(Outcome::Done);
    }
    let mut out = BufWriter::new(std::io::stdout().lock());
    let mut outcome = Outcome::Done;
    for (row, line) in (1..).zip(std::io::stdin().lock().lines()) {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        let asked = serde_json::from_str(&line).map_err(|error| ("bad_json", error.to_string()));
        match asked.and_then(&answer) {
            Ok(answer) => serde_json::to_writer(&mut out, &answer).map_err(Failure::failed)?,
            Err((code, detail)) => {
                outcome = Outcome::SomeRejected;
                let error = RowError { row, code, detail };
                serde_json::to_writer(&mut out, &error).map_err(Failure::failed)?;
            }
        }
        out.write_all(b"\n")?;
    }
    out.flush()?;
    Ok(outcome)
}
