//! What `cargo xtask bench ingest` measures: usage through the engine and over HTTP, and beside it
//! what the same disk and database do with the same bytes. It is asked by lines of words on its
//! standard input and answers each with nanoseconds and what there is to say, on one line.
//!
//! Every answer is checked before it counts: the lines' balances against a plain sum.

mod crossing;
mod limits;
mod load;
mod postgres;
mod provider;
mod scale;
mod world;

use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::time::Duration;

/// What a question came to: the time that counts, and words beside it.
type Answer = Result<(Duration, String), Box<dyn std::error::Error>>;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args_os().skip(1).map(PathBuf::from);
    let (folder, laika) = (args.next().ok_or("no folder")?, args.next().ok_or("no program")?);
    let runtime = tokio::runtime::Runtime::new()?;
    let mut elsewhere = postgres::Elsewhere::default();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split_whitespace().collect();
        let number = |at: usize| -> Result<usize, Box<dyn std::error::Error>> {
            Ok(words.get(at).ok_or("a number is missing")?.parse()?)
        };
        let (took, said) = match words.first().copied() {
            Some("make") => runtime.block_on(world::make(&folder, number(1)?))?,
            Some("pg_make") => runtime.block_on(elsewhere.make(number(1)?))?,
            Some("pg_record") => {
                runtime.block_on(elsewhere.record(&folder, number(1)?, number(2)?))?
            }
            Some("pg_engine") => runtime.block_on(elsewhere.engine(number(1)?, number(2)?))?,
            Some("pg_replay") => elsewhere.replay(&folder, number(1)?)?,
            Some("pg_scale") => runtime.block_on(elsewhere.scale(number(1)?, number(2)?))?,
            Some("scale") => {
                world::copy(&folder, "scale")?;
                runtime.block_on(scale::count(&folder, number(1)?, number(2)?))?
            }
            Some("revive") => runtime.block_on(scale::revive(&folder, &laika))?,
            Some("engine") => runtime.block_on(world::engine(&folder, number(1)?, number(2)?))?,
            Some("fsync") => limits::fsync(&folder, number(1)?)?,
            Some("raw") => runtime.block_on(limits::raw(&folder, number(1)?, number(2)?))?,
            Some("keyed") => runtime.block_on(limits::keyed(&folder, number(1)?, number(2)?))?,
            Some("http") => {
                let asked = load::Asked {
                    connections: number(1)?,
                    rows: number(2)?,
                    seconds: number(3)?,
                    requests_a_second: number(4)?,
                    crossings: number(5)?,
                    gateway: Duration::from_millis(number(6)? as u64),
                };
                runtime.block_on(load::http(&folder, &laika, &asked))?
            }
            _ => return Err(format!("not understood: {line}").into()),
        };
        let mut stdout = std::io::stdout().lock();
        writeln!(stdout, "{} {said}", took.as_nanos())?;
        stdout.flush()?;
    }
    Ok(())
}
