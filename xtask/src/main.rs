//! The only developer entry point: `cargo xtask serve | test | check | bench | fuzz`.
//!
//! Reading order: `main` picks the command, `tools` has the table of what a machine needs and how
//! it gets there, `app` builds the browser's half, `test` lists the steps, `steps` times and counts
//! them, `command` runs programs. It never knows anything about recharging.

mod app;
mod bench;
mod command;
mod fuzz;
mod licences;
mod serve;
mod steps;
mod test;
mod tools;

use std::process::ExitCode;

const HELP: &str = "\
Laika's only developer entry point.

  cargo xtask serve [--release] [-- ARGS]  build everything, run it, print the address
  cargo xtask test                         everything that must hold; what CI runs
  cargo xtask check                        format, lints, docs and the quick tests
  cargo xtask app                          build the browser's half into dist/ and weigh it
  cargo xtask bench core|ingest|postgres|scale
                                           measure the rules, or usage: one line per figure
  cargo xtask fuzz [MINUTES]               search for input that the rules do not stand

What is missing on this machine is installed, and says so. Tools are kept in the user's
cache folder, keyed by version, so a second clone finds them there.
";

/// Why a command stopped, and how to try that one thing again.
#[derive(Debug)]
pub(crate) struct Failure {
    /// What went wrong, for a person.
    pub(crate) message: String,
    /// The exact command to repeat, where one command is to blame.
    pub(crate) repeat: Option<String>,
}

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), repeat: None }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Stopped: {}", self.message)?;
        match &self.repeat {
            Some(command) => write!(f, "\nRepeat just that with:\n\n  {command}\n"),
            None => Ok(()),
        }
    }
}

/// `map_err(because("reading Cargo.lock"))`: an I/O error with what was being done.
pub(crate) fn because<E: std::fmt::Display>(doing: impl Into<String>) -> impl FnOnce(E) -> Failure {
    let doing = doing.into();
    move |error| Failure::new(format!("{doing}: {error}"))
}

/// What every fallible function here returns.
pub(crate) type Result<T = ()> = std::result::Result<T, Failure>;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let place = tools::Place::find();
    let outcome = match args.first().map(String::as_str) {
        Some("serve") => serve::serve(&place, &args[1..]),
        Some("test") => return test::test(&place),
        Some("check") => return test::check(&place),
        Some("bench") => bench::bench(&place, &args[1..]),
        Some("fuzz") => fuzz::fuzz(&place, &args[1..]),
        Some("app") => app::build_and_weigh(&place).map(|weight| println!("{weight}")),
        None | Some("help" | "-h" | "--help") => {
            print!("{HELP}");
            Ok(())
        }
        Some(other) => {
            eprintln!("`{other}` is not a command.\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("\n{failure}");
            ExitCode::FAILURE
        }
    }
}
