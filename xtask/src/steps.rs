//! Names each step when it starts, times it when it ends, adds up what the test runners said.
//!
//! Its last line, `N passed, N failed`, is what CI reads. It never runs a test itself.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::Result;
use crate::command::Cmd;

/// The steps of one `check` or `test`, so far.
#[derive(Default)]
pub(crate) struct Steps {
    done: Vec<(&'static str, Duration, String)>,
    count: Count,
}

/// Tests by outcome, in the runners' own words.
#[derive(Clone, Copy, Default, PartialEq, Debug)]
struct Count {
    passed: u64,
    failed: u64,
}

impl Steps {
    /// A step that is one command.
    pub(crate) fn run(&mut self, name: &'static str, cmd: &Cmd) -> Result {
        self.step(name, |_| cmd.run().map(|()| String::new()))
    }

    /// A step whose command prints `test result:` lines.
    pub(crate) fn tests(&mut self, name: &'static str, cmd: &Cmd) -> Result {
        self.step(name, |count| {
            let before = *count;
            cmd.run_reading(|line| count.add(line))?;
            Ok(format!("{} passed", count.passed - before.passed))
        })
    }

    /// A step of our own, with what it has to say for itself.
    pub(crate) fn own(
        &mut self,
        name: &'static str,
        work: impl FnOnce() -> Result<String>,
    ) -> Result {
        self.step(name, |_| work())
    }

    fn step(
        &mut self,
        name: &'static str,
        work: impl FnOnce(&mut Count) -> Result<String>,
    ) -> Result {
        println!("\n== {name}");
        let start = Instant::now();
        let outcome = work(&mut self.count);
        let took = start.elapsed();
        let note = match &outcome {
            Ok(note) => note.clone(),
            Err(_) => "FAILED".to_owned(),
        };
        println!("== {name}: {:.1} s", took.as_secs_f64());
        self.done.push((name, took, note));
        outcome.map(|_| ())
    }

    /// The table and the last line. A failure comes before them, with the command to repeat.
    pub(crate) fn end(mut self, outcome: Result) -> ExitCode {
        println!();
        for (name, took, note) in &self.done {
            println!("{name:<34} {:>7.1} s  {note}", took.as_secs_f64());
        }
        let total: Duration = self.done.iter().map(|(_, took, _)| *took).sum();
        println!("{:<34} {:>7.1} s\n", "all", total.as_secs_f64());
        if let Err(failure) = &outcome {
            println!("{failure}");
            // Why: a lint or a build that fails is no test, but CI must not read "0 failed".
            self.count.failed = self.count.failed.max(1);
        }
        println!("{} passed, {} failed", self.count.passed, self.count.failed);
        if outcome.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

impl Count {
    /// Adds `test result: ok. 12 passed; 0 failed; …`, as libtest and wasm-bindgen's runner say it.
    fn add(&mut self, line: &str) {
        let Some((_, rest)) = line.split_once("test result: ") else { return };
        let words: Vec<&str> = rest.split([' ', ';']).collect();
        let before = |word: &str| {
            let at = words.iter().position(|w| *w == word)?;
            words.get(at.checked_sub(1)?)?.parse::<u64>().ok()
        };
        self.passed += before("passed").unwrap_or(0);
        self.failed += before("failed").unwrap_or(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds_up_what_the_runners_say() {
        let mut count = Count::default();
        count.add("test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out");
        count.add("test result: \u{1b}[31mFAILED\u{1b}[0m. 3 passed; 2 failed; 1 ignored");
        count.add("test some::result ... ok");
        assert_eq!(count, Count { passed: 15, failed: 2 });
    }
}
