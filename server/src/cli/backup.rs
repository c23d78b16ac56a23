//! `laika backup FILE` and `laika restore FILE`. SQLite's file is copied and checked here;
//! PostgreSQL has its own tools, which both name instead. What those have put into a database,
//! `laika restore` alone checks there.

use super::{Failure, Outcome, block_on, help, print_json};
use crate::{
    clock::Clock,
    config::{Config, DatabaseUrl},
    flow::{
        audit::Report,
        restore::{self, Refused, Restored},
    },
    secret::sha256_hex_of,
    store::{audit_log::By, backup},
};
use serde_json::json;
use std::{fs::File, io::Write, path::PathBuf};

/// What an operator of PostgreSQL types. The address stays in the environment: it may hold a
/// password, and a command line is seen by all.
const POSTGRES: &str = "\
pg_dump --format=custom --no-owner --file=FILE \"$DATABASE_URL\"
pg_restore --exit-on-error --no-owner --single-transaction --dbname=\"$EMPTY_DATABASE_URL\" FILE
DATABASE_URL=\"$EMPTY_DATABASE_URL\" laika restore
";

/// What both commands are typed with: the one file, if it is there; nothing where help was wanted.
fn file(mut parser: lexopt::Parser, command: &str) -> Result<Option<Option<PathBuf>>, Failure> {
    use lexopt::prelude::*;
    let mut file = None;
    while let Some(word) = parser.next()? {
        match word {
            Value(path) if file.is_none() => file = Some(PathBuf::from(path)),
            Short('h') | Long("help") => {
                help::print(Some(command))?;
                return Ok(None);
            }
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(Some(file))
}

fn needed(file: Option<PathBuf>, command: &str) -> Result<PathBuf, Failure> {
    file.ok_or_else(|| Failure::Usage(format!("which file? laika {command} FILE")))
}

fn on_postgres(config: &Config) -> Result<(), Failure> {
    if matches!(config.database, DatabaseUrl::Sqlite(_)) {
        return Ok(());
    }
    std::io::stdout().write_all(POSTGRES.as_bytes())?;
    Err(Failure::failed("PostgreSQL is copied by its own tools, as above; nothing was done"))
}

pub(super) fn backup(parser: lexopt::Parser) -> Result<Outcome, Failure> {
    let Some(file) = file(parser, "backup")? else { return Ok(Outcome::Done) };
    let file = needed(file, "backup")?;
    let config = Config::from_env()?;
    on_postgres(&config)?;
    block_on(async { Ok(backup::copy(&config.database, &file).await?) })?;
    let (bytes, sha256) = sha256_hex_of(File::open(&file)?)?;
    print_json(&json!({"file": file, "bytes": bytes, "sha256": sha256}))?;
    Ok(Outcome::Done)
}

pub(super) fn restore(parser: lexopt::Parser) -> Result<Outcome, Failure> {
    let Some(file) = file(parser, "restore")? else { return Ok(Outcome::Done) };
    let config = Config::from_env()?;
    let is_put_in = file.is_none() && matches!(config.database, DatabaseUrl::Postgres(_));
    let now = Clock::system().now();
    let restored = if is_put_in {
        let by = By { operator: &config.operator, why: "put in by PostgreSQL's tools" };
        block_on(async { told(restore::in_place(&config.database, &by, now).await) })?
    } else {
        let file = needed(file, "restore")?;
        on_postgres(&config)?;
        let by = By { operator: &config.operator, why: &file.display().to_string() };
        block_on(async { told(restore::restore(&config.database, &file, &by, now).await) })?
    };
    match restored {
        Ok(restored) => print_json(&restored)?,
        Err(report) => {
            print_json(&report)?;
            return Err(Failure::failed("the copy's books are wrong; nothing was changed"));
        }
    }
    let words = "charging is stopped until it is sure what was charged since the copy was made";
    eprintln!("laika: {words}; then: laika kill-switch off");
    Ok(Outcome::Done)
}

/// What an auditor found is shown, whatever else went wrong is said.
fn told(restored: Result<Restored, Refused>) -> Result<Result<Restored, Report>, Failure> {
    match restored {
        Ok(restored) => Ok(Ok(restored)),
        Err(Refused::Wrong(report)) => Ok(Err(report)),
        Err(Refused::Failed(error)) => Err(error.into()),
    }
}
