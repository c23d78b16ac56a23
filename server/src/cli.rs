//! The command line: words in, one command run, an exit code out. 0 done, 1 failed, 2 not
//! understood, 3 done except for some rows. Answers go to standard output, words about them to
//! standard error. No rule is in here.

mod audit;
mod backup;
mod cases;
mod help;
mod home;
mod ingest;
mod jobs;
mod kill_switch;
mod lines;
mod log;
mod recharges;
mod reconcile;
mod rules;
mod sandbox;
mod serve;
mod verify_receipt;

use crate::{
    App, PATIENCE, Shared,
    clock::Clock,
    config::{Config, ConfigError, LogFormat},
    error::Error,
    outbound::Outbound,
    store::Store,
};
use std::{ffi::OsString, fmt, io::Write, process::ExitCode};

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything was done.
    Done,
    /// It was done, but for rows that were reported.
    SomeRejected,
    /// It found what it was looking for: something wrong.
    Found,
}

/// Why a command did not run to its end.
#[derive(Debug)]
pub enum Failure {
    /// The words were not understood.
    Usage(String),
    /// It was understood and failed.
    Failed(String),
}

impl From<lexopt::Error> for Failure {
    fn from(error: lexopt::Error) -> Failure {
        Failure::Usage(error.to_string())
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Failure {
        Failure::Failed(error.to_string())
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        match error {
            Error::Internal(words) => Failure::Failed(words),
            other => Failure::Failed(other.to_string()),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Failure {
        Failure::Failed(error.to_string())
    }
}

impl Failure {
    /// A failure in words.
    pub fn failed(words: impl fmt::Display) -> Failure {
        Failure::Failed(words.to_string())
    }
}

/// Runs one command line, the program's name first.
pub fn main(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    let format = LogFormat::from_env();
    let told = format.clone().unwrap_or_default();
    let ran = format.map_err(Failure::from).and_then(|format| {
        log::begin(format);
        run(words)
    });
    match ran {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::SomeRejected) => ExitCode::from(3),
        Ok(Outcome::Found) => ExitCode::from(1),
        Err(Failure::Failed(words)) => {
            log::failed(told, &words);
            ExitCode::from(1)
        }
        Err(Failure::Usage(words)) => {
            eprintln!("laika: {words}\nSee laika --help.");
            ExitCode::from(2)
        }
    }
}

fn run(words: impl IntoIterator<Item = OsString>) -> Result<Outcome, Failure> {
    use lexopt::prelude::*;
    let mut parser = lexopt::Parser::from_iter(words);
    let command = match parser.next()? {
        None => return help::print(None),
        Some(Short('h') | Long("help")) => return help::print(None),
        Some(Short('V') | Long("version")) => return help::version(),
        Some(Value(word)) => word.string()?,
        Some(other) => return Err(other.unexpected().into()),
    };
    match command.as_str() {
        "help" => help::print(None),
        "serve" => serve::serve(parser),
        "sandbox" => sandbox::sandbox(parser),
        "line" => lines::line(parser),
        "lines" => lines::lines(parser),
        "ingest" => ingest::ingest(parser),
        "audit" => audit::audit(parser),
        "backup" => backup::backup(parser),
        "restore" => backup::restore(parser),
        "recharges" => recharges::recharges(parser),
        "recharge" => recharges::recharge(parser),
        "jobs" => jobs::jobs(parser),
        "reconcile" => reconcile::reconcile(parser),
        "cases" => cases::cases(parser),
        "case" => cases::case(parser),
        "kill-switch" => kill_switch::kill_switch(parser),
        "verify-receipt" => verify_receipt::verify_receipt(parser),
        "schedule" => rules::ask(parser, rules::Ask::Schedule),
        "validate" => rules::ask(parser, rules::Ask::Validate),
        "decide" => rules::ask(parser, rules::Ask::Decide),
        "preview" => rules::ask(parser, rules::Ask::Preview),
        other => Err(Failure::Usage(format!("there is no command \"{other}\""))),
    }
}

/// Takes no further words but `--help`; whether to go on.
fn nothing_more(parser: &mut lexopt::Parser, command: &str) -> Result<bool, Failure> {
    use lexopt::prelude::*;
    match parser.next()? {
        None => Ok(true),
        Some(Short('h') | Long("help")) => {
            help::print(Some(command))?;
            Ok(false)
        }
        Some(other) => Err(other.unexpected().into()),
    }
}

/// Runs a command's async part on its own runtime.
fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::runtime::Runtime::new()?.block_on(work)
}

/// Prints an answer as one line. *Errors*: when nobody reads it any more; it never panics.
fn print_json(answer: &impl serde::Serialize) -> Result<(), Failure> {
    let json = serde_json::to_string(answer).map_err(Failure::failed)?;
    Ok(writeln!(std::io::stdout(), "{json}")?)
}

/// The longest reason that is kept.
const WHY_MOST: usize = 500;

/// *Errors*: a reason that is more than a line, or too long to be read.
fn check_why(why: &str) -> Result<(), Failure> {
    if why.chars().count() > WHY_MOST || why.chars().any(char::is_control) {
        return Err(Failure::Usage(format!("--why is one line of at most {WHY_MOST} letters")));
    }
    Ok(())
}

/// Finds the sandbox that a server, or a process of its own, runs, where one is needed. *Errors*:
/// there is none.
async fn reach_sandbox(app: &Shared) -> Result<(), Failure> {
    if !app.config.uses_sandbox() {
        return Ok(());
    }
    let origin = format!("http://{}", app.config.sandbox_listen.bind_to());
    if !crate::sandbox::answers_at(&origin).await {
        let words = format!("LAIKA_SANDBOX_LISTEN: no sandbox answers at {origin}");
        return Err(Failure::Failed(words));
    }
    let _ = app.sandbox.set(origin);
    Ok(())
}

/// Opens the database of the environment, for a command about what is in it. *Errors*: also where
/// nothing is in it yet: it is not the one that was meant.
async fn open() -> Result<Shared, Failure> {
    let config = Config::from_env()?;
    let store = Store::open_known(&config.database).await?;
    Ok(App::over(config, Clock::system(), store, Outbound::new(PATIENCE)).await?)
}

/// The same for a command that may be the first: then the database is made.
async fn open_or_make() -> Result<Shared, Failure> {
    Ok(App::open(Config::from_env()?, Clock::system()).await?)
}

/// Says which database a command changes: in another folder it may be another one.
fn say_which(app: &Shared) {
    eprintln!("laika: the database is {}", app.config.database.shown());
}
