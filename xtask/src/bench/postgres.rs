//! `cargo xtask bench postgres`: how much usage is counted for good on PostgreSQL, beside pgbench
//! sending the same SQL to the same server with as many clients. Every balance of ours is compared
//! with a plain sum, and pgbench's rows are counted, before a time counts.
//!
//! The measured side is the server's example `usage`, which starts a PostgreSQL of its own.

use super::figure::{Figure, Goal, median};
use super::side::{Side, in_turns, ratio};
use crate::command::Cmd;
use crate::tools::{self, Place};
use crate::{Result, because};

/// Lines, each with an account, a card and a rule that is on.
const LINES: u32 = 1000;
/// So many that pgbench's clients have much the same to send.
const EVENTS: u32 = 100_000;

/// Builds, measures, and ends with one line per figure.
pub(super) fn bench(place: &Place) -> Result {
    let postgres = tools::for_postgres(place)?;
    println!("== building the server and its example `usage`");
    let words = "cargo build --locked --release -p laika-server --bins --example usage";
    Cmd::new(&place.root, words).run()?;
    let folder = place.target.join("xtask-bench/postgres");
    std::fs::create_dir_all(&folder).map_err(because(folder.display().to_string()))?;
    let release = place.target.join("release");
    let cmd = Cmd::at(&place.root, &release.join("examples/usage"))
        .arg(folder.display().to_string())
        .arg(release.join("laika").display().to_string())
        .env("LAIKA_POSTGRES", postgres.display().to_string());
    let mut side = Side::start("usage", &cmd)?;
    println!("== making {LINES} lines");
    side.ask(&format!("pg_make {LINES}"))?;
    let recorded = side.ask(&format!("pg_record {EVENTS} {LINES}"))?.sum;
    println!("== the engine and pgbench in turns: {recorded}");
    let (ours, theirs) = (format!("pg_engine {EVENTS} {LINES}"), format!("pg_replay {EVENTS}"));
    let turns = [(0, ours.as_str()), (0, theirs.as_str())];
    let times = in_turns(&mut [&mut side], &turns, false)?;
    let [ours, theirs] = times.as_slice() else { return Ok(()) };
    let rate = |times: &Vec<f64>| f64::from(EVENTS) / median(times);
    println!("\n{}", "-".repeat(100));
    Figure::new("engine, durable, PostgreSQL", rate(ours), "events/s", Goal::None);
    Figure::new("pgbench, the same SQL", rate(theirs), "events/s", Goal::None);
    Figure::new("engine against pgbench", ratio(theirs, ours), "x", Goal::AtLeast(0.9));
    Ok(())
}
