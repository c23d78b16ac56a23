//! `laika schedule|validate|decide|preview`: JSON lines in, JSON lines out; thin faces of core's
//! functions, for operators and for tests from outside. They open no database.

use super::{Failure, Outcome, nothing_more};
use crate::{clock::Clock, zones};
use laika_core::api::query::{
    DecideQuery, PreviewQuery, ScheduleAnswer, ScheduleQuery, ValidateQuery,
};
use laika_core::json;
use serde::{Serialize, de::DeserializeOwned};
use std::io::{BufRead, BufWriter, Write};

/// How many instants `schedule` gives.
const NEXT: usize = 12;

/// A row that could not be answered.
#[derive(Debug, Serialize)]
pub(super) struct RowError {
    pub(super) row: usize,
    pub(super) code: &'static str,
    pub(super) detail: String,
}

/// A command that answers questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    /// When does this schedule fall?
    Schedule,
    /// Is this draft a rule?
    Validate,
    /// Recharge, wait or skip?
    Decide,
    /// What will this rule do?
    Preview,
}

/// Why a question has no answer.
type Refusal = (&'static str, String);

/// Answers standard input on standard output.
pub(super) fn ask(mut parser: lexopt::Parser, command: Ask) -> Result<Outcome, Failure> {
    let name = match command {
        Ask::Schedule => "schedule",
        Ask::Validate => "validate",
        Ask::Decide => "decide",
        Ask::Preview => "preview",
    };
    if !nothing_more(&mut parser, name)? {
        return Ok(Outcome::Done);
    }
    answer(command, std::io::stdin().lock(), std::io::stdout().lock())
}

fn answer(command: Ask, input: impl BufRead, out: impl Write) -> Result<Outcome, Failure> {
    match command {
        Ask::Schedule => each_line(input, out, schedule),
        Ask::Validate => each_line(input, out, |asked: ValidateQuery| Ok(asked.answer())),
        Ask::Decide => each_line(input, out, |asked: DecideQuery| Ok(asked.answer())),
        Ask::Preview => each_line(input, out, |asked: PreviewQuery| Ok(asked.answer())),
    }
}

fn schedule(asked: ScheduleQuery) -> Result<ScheduleAnswer, Refusal> {
    // Why: a question about a later time needs the zone's changes up to then.
    let zone = zones::zone(&asked.time_zone, Clock::system().now().max(asked.after))
        .ok_or(("unknown_zone", format!("there is no zone \"{}\"", asked.time_zone)))?;
    Ok(ScheduleAnswer { next: asked.schedule.upcoming(asked.after, &zone).take(NEXT).collect() })
}

/// Answers each line with one line; empty lines are passed over.
fn each_line<Q: DeserializeOwned, A: Serialize>(
    input: impl BufRead,
    out: impl Write,
    answer: impl Fn(Q) -> Result<A, Refusal>,
) -> Result<Outcome, Failure> {
    let mut out = BufWriter::new(out);
    let mut outcome = Outcome::Done;
    for (row, line) in (1..).zip(input.split(b'\n')) {
        let line = line?;
        if line.trim_ascii().is_empty() {
            continue;
        }
        let asked = match std::str::from_utf8(&line) {
            Ok(text) => json::read(text),
            Err(_) => serde_json::from_slice(&line),
        };
        let asked = asked.map_err(|error| ("bad_json", error.to_string()));
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

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::process::ExitCode;

    const DOCS: &str = include_str!("../../../docs/cli.md");

    /// The text of the fenced block of this kind after a command's heading.
    pub(in crate::cli) fn block(command: &str, kind: &str) -> &'static str {
        let section = DOCS.split("\n## ").find(|section| section.starts_with(command));
        let section = section.unwrap_or_else(|| panic!("docs/cli.md has no {command}"));
        let fence = format!("```json {kind}\n");
        let after = section.split_once(&fence).map(|(_, after)| after);
        let text = after.and_then(|after| after.split_once("```")).map(|(text, _)| text);
        text.unwrap_or_else(|| panic!("{command} has no {kind}"))
    }

    #[test]
    fn the_examples_in_the_documentation_are_true() {
        let commands = [
            ("laika schedule", Ask::Schedule),
            ("laika validate", Ask::Validate),
            ("laika decide", Ask::Decide),
            ("laika preview", Ask::Preview),
        ];
        for (name, command) in commands {
            let mut out = Vec::new();
            let outcome = answer(command, block(name, "in").as_bytes(), &mut out);
            assert!(matches!(outcome, Ok(Outcome::Done)), "{name}: {outcome:?}");
            assert_eq!(String::from_utf8_lossy(&out), block(name, "out"), "{name}");
        }
    }

    #[test]
    fn a_line_that_cannot_be_read_is_named_and_the_others_are_answered() {
        let good = block("laika schedule", "in").trim();
        let unknown = good.replace("Europe/Madrid", "Europe/Nowhere");
        let (input, mut out) = (format!("{{\n\n{unknown}\n{good}\n"), Vec::new());
        let outcome = answer(Ask::Schedule, input.as_bytes(), &mut out);
        assert!(matches!(outcome, Ok(Outcome::SomeRejected)), "{outcome:?}");
        let out = String::from_utf8(out).expect("text");
        let lines: Vec<&str> = out.lines().collect();
        assert_eq!(lines.len(), 3);
        assert!(lines[0].starts_with("{\"row\":1,\"code\":\"bad_json\""), "{}", lines[0]);
        assert!(lines[1].starts_with("{\"row\":3,\"code\":\"unknown_zone\""), "{}", lines[1]);
        assert!(lines[2].starts_with("{\"next\":["), "{}", lines[2]);
    }

    #[test]
    fn words_that_are_not_understood_are_exit_code_2() {
        let run = |words: &[&str]| {
            let all = std::iter::once("laika").chain(words.iter().copied());
            format!("{:?}", crate::cli::main(all.map(Into::into)))
        };
        let usage = format!("{:?}", ExitCode::from(2));
        for words in [&["nonsense"][..], &["serve", "--x"], &["line", "remove"], &["ingest"]] {
            assert_eq!(run(words), usage, "{words:?}");
        }
        assert_eq!(run(&["--version"]), format!("{:?}", ExitCode::SUCCESS));
    }
}
