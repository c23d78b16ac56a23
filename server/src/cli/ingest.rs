//! `laika ingest FILE|-`: counts usage from JSON lines, piece by piece, and prints what became of
//! the rows. The next pieces are read while the last are counted. It may run beside a serving
//! process; both only write what neither has.

use super::{Failure, Outcome, block_on, help, open, print_json};
use crate::flow::{
    handle_usage::{self, PIECE, Receipt, Row},
    usage_event,
};
use std::{
    collections::VecDeque,
    fs::File,
    io::{BufRead, BufReader, Read},
    time::Instant as Stopwatch,
};

/// Pieces that are under way at once: two groups, one that is counted and one that gathers.
const AHEAD: usize = 32;

pub(super) fn ingest(mut parser: lexopt::Parser) -> Result<Outcome, Failure> {
    use lexopt::prelude::*;
    let mut path = None;
    while let Some(word) = parser.next()? {
        match word {
            Short('h') | Long("help") => return help::print(Some("ingest")),
            Value(word) if path.is_none() => path = Some(word),
            other => return Err(other.unexpected().into()),
        }
    }
    let path = path.ok_or_else(|| Failure::Usage("ingest what? FILE, or - for input".into()))?;
    let input: Box<dyn Read> = if path == "-" {
        Box::new(std::io::stdin())
    } else {
        let named = |error| Failure::failed(format!("{}: {error}", path.display()));
        Box::new(File::open(&path).map_err(named)?)
    };
    let receipt = block_on(count(BufReader::new(input)))?;
    print_json(&receipt)?;
    Ok(if receipt.rejected.is_empty() { Outcome::Done } else { Outcome::SomeRejected })
}

async fn count(mut input: impl BufRead) -> Result<Receipt, Failure> {
    let app = open().await?;
    let (started, mut receipt, mut seen) = (Stopwatch::now(), Receipt::default(), 0);
    let mut under_way = VecDeque::new();
    loop {
        let rows = next_rows(&mut input, &mut seen)?;
        let more = !rows.is_empty();
        if more {
            let app = app.clone();
            under_way
                .push_back(tokio::spawn(async move { handle_usage::handle(&app, rows).await }));
        }
        if under_way.len() >= AHEAD || !more {
            let Some(oldest) = under_way.pop_front() else { break };
            receipt.add(oldest.await.map_err(Failure::failed)??);
        }
    }
    app.store.close().await;
    let (rows, took) = (receipt.accepted + receipt.duplicate, started.elapsed());
    let rate = rows as u128 * 1000 / took.as_millis().max(1);
    eprintln!("{rows} rows in {} ms, {rate} a second", took.as_millis());
    Ok(receipt)
}

/// The next piece of lines; empty lines are counted and passed over.
fn next_rows(input: &mut impl BufRead, seen: &mut usize) -> Result<Vec<Row>, Failure> {
    let mut rows = Vec::with_capacity(PIECE);
    let mut line = Vec::new();
    while rows.len() < PIECE {
        line.clear();
        if input.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        *seen += 1;
        if !line.trim_ascii().is_empty() {
            rows.push((*seen, usage_event::read(&line)));
        }
    }
    Ok(rows)
}
