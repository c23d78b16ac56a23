//! `cargo xtask bench ingest`: how much usage is counted for good, through the engine and over
//! HTTP, beside what the same disk and database do with the same bytes when nothing has to be
//! right. Every balance is compared with a plain sum before a time counts.
//!
//! The measured side is the server's example `usage`; the limits are taken in the same rounds.

use super::figure::{Figure, Goal, median};
use super::side::{ROUNDS, Side, in_turns, ratio};
use crate::command::Cmd;
use crate::tools::Place;
use crate::{Failure, Result, because};

/// Lines, each with an account, a card and a rule that is on.
const LINES: u32 = 1000;
const EVENTS: u32 = 50_000;
/// Rows that the server counts in one transaction at most.
const BATCH: u32 = 4000;
const SYNCS: u32 = 200;
/// Of each round over HTTP.
const SECONDS: u32 = 4;
/// Connections that send a hundred events a request.
const BATCHED: u32 = 8;
/// Numbers of connections among which the most is sought that the server counts in a second.
const MORE: [u32; 3] = [16, 32, 64];
/// Connections over which three times that is offered, each request at its instant, whatever became
/// of those before.
const OVER: u32 = 256;
/// Lines that cross their threshold in each round.
const CROSSINGS: u32 = 40;
/// How long the gateway and the carrier each take to answer.
const GATEWAY_MS: u32 = 50;

/// Builds, measures, and ends with one line per figure.
pub(super) fn bench(place: &Place) -> Result {
    println!("== building the server and its example `usage`");
    let words = "cargo build --locked --release -p laika-server --bins --example usage";
    Cmd::new(&place.root, words).run()?;
    let folder = place.target.join("xtask-bench/ingest");
    std::fs::create_dir_all(&folder).map_err(because(folder.display().to_string()))?;
    let release = place.target.join("release");
    let cmd = Cmd::at(&place.root, &release.join("examples/usage"))
        .arg(folder.display().to_string())
        .arg(release.join("laika").display().to_string());
    let mut side = Side::start("usage", &cmd)?;
    println!("== making {LINES} lines");
    side.ask(&format!("make {LINES}"))?;
    println!("== the engine, in turns with its limits");
    let mut figures = engine(&mut side)?;
    println!("== over HTTP");
    figures.extend(http(&mut side)?);
    println!("\n{}", "-".repeat(100));
    for figure in &figures {
        println!("{figure}");
    }
    Ok(())
}

fn engine(side: &mut Side) -> Result<Vec<Figure>> {
    let (ours, raw) = (format!("engine {EVENTS} {LINES}"), format!("raw {EVENTS} {BATCH}"));
    let (keyed, syncs) = (format!("keyed {EVENTS} {BATCH}"), format!("fsync {SYNCS}"));
    let turns = [(0, ours.as_str()), (0, raw.as_str()), (0, keyed.as_str()), (0, syncs.as_str())];
    let times = in_turns(&mut [side], &turns, false)?;
    let [ours, raw, keyed, syncs] = times.as_slice() else { return Ok(vec![]) };
    let rate = |times: &Vec<f64>| f64::from(EVENTS) / median(times);
    let synced = f64::from(SYNCS) / median(syncs) * f64::from(BATCH);
    let bare = "limit: two keyed rows an event, nothing else";
    Ok(vec![
        Figure::new("engine, durable, SQLite", rate(ours), "events/s", Goal::AtLeast(50_000.0)),
        Figure::new(format!("limit: fsync rate x {BATCH}"), synced, "events/s", Goal::None),
        Figure::new("limit: raw batched inserts", rate(raw), "events/s", Goal::None),
        Figure::new(bare, rate(keyed), "events/s", Goal::None),
        Figure::new(
            "engine against raw batched inserts",
            ratio(raw, ours),
            "x",
            Goal::AtLeast(0.8),
        ),
        Figure::new("engine against two keyed rows", ratio(keyed, ours), "x", Goal::None),
    ])
}

/// What a round over HTTP said, by name.
struct Said(String);

impl Said {
    fn number(&self, name: &str) -> Result<f64> {
        let word = self.0.split_whitespace().find_map(|it| it.strip_prefix(&format!("{name}=")));
        let none = || Failure::new(format!("the side does not say {name}: {}", self.0));
        word.and_then(|word| word.parse().ok()).ok_or_else(none)
    }
}

/// The same rounds each time; the median of each number.
struct Rounds(Vec<Said>);

impl Rounds {
    fn ask(side: &mut Side, words: &str) -> Result<Rounds> {
        let mut rounds = vec![];
        for _ in 0..ROUNDS.min(5) {
            rounds.push(Said(side.ask(words)?.sum));
        }
        Ok(Rounds(rounds))
    }

    fn median(&self, name: &str) -> Result<f64> {
        let numbers: Result<Vec<f64>> = self.0.iter().map(|said| said.number(name)).collect();
        Ok(median(&numbers?))
    }
}

fn http(side: &mut Side) -> Result<Vec<Figure>> {
    let mut figures = vec![];
    let batches = Rounds::ask(side, &format!("http {BATCHED} 100 {SECONDS} 0 0 0"))?;
    let rate = batches.median("rate")?;
    figures.extend([
        Figure::new("HTTP, 100 events a request", rate, "events/s", Goal::AtLeast(20_000.0)),
        Figure::new("the same: p99", batches.median("p99_ms")?, "ms", Goal::AtMost(50.0)),
    ]);
    let mut peak = rate;
    for connections in MORE {
        let more = Rounds::ask(side, &format!("http {connections} 100 {SECONDS} 0 0 0"))?;
        peak = peak.max(more.median("rate")?);
    }
    let most = "the most over 8, 16, 32 or 64 connections";
    figures.push(Figure::new(most, peak, "events/s", Goal::None));
    let single = Rounds::ask(side, &format!("http 256 1 {SECONDS} 0 0 0"))?;
    let rate = single.median("rate")?;
    figures.extend([
        Figure::new("HTTP, one event, 256 connections", rate, "events/s", Goal::AtLeast(6000.0)),
        Figure::new("the same: p99", single.median("p99_ms")?, "ms", Goal::AtMost(40.0)),
    ]);
    // Why: a pace is in requests of 100 events, over all connections.
    let half = (peak / 200.0) as u32;
    let charge = Rounds::ask(
        side,
        &format!("http {BATCHED} 100 {SECONDS} {half} {CROSSINGS} {GATEWAY_MS}"),
    )?;
    let name = "half load: usage sent -> charge submitted";
    figures.extend([
        Figure::new(format!("{name}, p50"), charge.median("charge_p50_ms")?, "ms", Goal::None),
        Figure::new(
            format!("{name}, p99"),
            charge.median("charge_p99_ms")?,
            "ms",
            Goal::AtMost(50.0),
        ),
    ]);
    let name = format!("the same -> credited and told, gateway of {GATEWAY_MS} ms");
    figures.extend([
        Figure::new(format!("{name}, p50"), charge.median("told_p50_ms")?, "ms", Goal::None),
        Figure::new(
            format!("{name}, p99"),
            charge.median("told_p99_ms")?,
            "ms",
            Goal::AtMost(500.0),
        ),
    ]);
    let three_times = (peak * 3.0 / 100.0) as u32;
    let over = Rounds::ask(side, &format!("http {OVER} 100 {SECONDS} {three_times} 0 0"))?;
    let (goodput, offered) = (over.median("rate")? / peak, over.median("offered")? / peak);
    let refused = over.median("refused")?;
    figures.extend([
        Figure::new("overload: offered against the most", offered, "x", Goal::AtLeast(3.0)),
        Figure::new("overload: goodput against the most", goodput, "x", Goal::AtLeast(0.9)),
        Figure::new("overload: refused, with Retry-After", refused, "a round", Goal::AtLeast(1.0)),
        Figure::new("resident", over.median("resident_mb")?, "MB", Goal::AtMost(300.0)),
    ]);
    Ok(figures)
}
