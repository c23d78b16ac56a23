//! `cargo xtask bench scale`: what one event costs in a database of a thousand, ten thousand, a
//! hundred thousand and a million lines, on SQLite and on PostgreSQL: of a thousand lines that are
//! known, which must not ask how many others there are, and of any line, of which nothing is known.
//! And a server on the largest: what it holds in memory, and how soon after `kill -9` it
//! acknowledges again.
//!
//! `cargo xtask bench scale 100000` stops at that many lines: a million take some minutes to make.

use super::figure::{Figure, Goal};
use super::side::Side;
use crate::command::Cmd;
use crate::tools::{self, Place};
use crate::{Failure, Result, because};

const EVENTS: u32 = 20_000;
/// What `make` makes, and the copies are of.
const LINES: u32 = 1000;
const SIZES: [u32; 4] = [1000, 10_000, 100_000, 1_000_000];

/// Builds, measures, and ends with one line per figure.
pub(super) fn bench(place: &Place, most: Option<&str>) -> Result {
    let not_one = |_| Failure::new("cargo xtask bench scale NUMBER: the most lines");
    let most = most.map(str::parse::<u32>).transpose().map_err(not_one)?;
    let sizes = || SIZES.into_iter().filter(|lines| most.is_none_or(|most| *lines <= most));
    let postgres = tools::for_postgres(place)?;
    println!("== building the server and its example `usage`");
    let words = "cargo build --locked --release -p laika-server --bins --example usage";
    Cmd::new(&place.root, words).run()?;
    let folder = place.target.join("xtask-bench/scale");
    std::fs::create_dir_all(&folder).map_err(because(folder.display().to_string()))?;
    let release = place.target.join("release");
    let cmd = Cmd::at(&place.root, &release.join("examples/usage"))
        .arg(folder.display().to_string())
        .arg(release.join("laika").display().to_string())
        .env("LAIKA_POSTGRES", postgres.display().to_string());
    let mut side = Side::start("usage", &cmd)?;
    for (make, scale, name) in [("make", "scale", "SQLite"), ("pg_make", "pg_scale", "PostgreSQL")]
    {
        side.ask(&format!("{make} {LINES}"))?;
        let mut first = None;
        for lines in sizes() {
            let said = side.ask(&format!("{scale} {EVENTS} {lines}"))?;
            let each = said.seconds / f64::from(EVENTS) * 1e6;
            let words = format!("{name}, {lines} lines: an event of a thousand of them");
            Figure::new(words, each, "µs", Goal::None);
            let first = *first.get_or_insert(each);
            let words = format!("{name}, {lines} lines: against {LINES}");
            Figure::new(words, each / first, "x", Goal::AtMost(2.0));
            let all = said.sum.split_whitespace().find_map(|it| it.strip_prefix("all_us="));
            let all = all.and_then(|all| all.parse().ok()).unwrap_or(f64::NAN);
            let words = format!("{name}, {lines} lines: an event of any of them");
            Figure::new(words, all, "µs", Goal::None);
        }
        if name == "SQLite" {
            let revived = side.ask("revive")?;
            let words = "SQLite, the most lines: kill -9 to an event acknowledged";
            Figure::new(words, revived.seconds, "s", Goal::AtMost(2.0));
            let held = revived.sum.trim().strip_prefix("resident_mb=");
            let held = held.and_then(|held| held.parse().ok()).unwrap_or(f64::NAN);
            Figure::new("the same: resident", held, "MB", Goal::AtMost(300.0));
        }
    }
    Ok(())
}
