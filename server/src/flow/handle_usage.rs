//! Usage arrives: what its own text and the clock refuse is set aside, the rest joins the rows of
//! other requests in `ingest`, which counts them together. Good rows count once, whatever the
//! number and order of deliveries; bad rows are reported by number and change nothing.

use super::{
    ingest::Arrival,
    usage_event::{Event, Refusal, RowError},
};
use crate::{
    Shared,
    error::{Error, Result},
};
use laika_core::time::Span;
use serde::Serialize;

/// Rows that enter the queue together: a long request leaves room for others between its pieces.
pub const PIECE: usize = 500;
/// A carrier's clock may be ahead by this much.
const AHEAD: Span = Span::minutes(5);

/// What became of the rows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Receipt {
    /// Counted now.
    pub accepted: usize,
    /// Counted before; not again.
    pub duplicate: usize,
    /// Not counted, by row.
    pub rejected: Vec<RowError>,
}

impl Receipt {
    /// Adds what became of more rows.
    pub fn add(&mut self, more: Receipt) {
        self.accepted += more.accepted;
        self.duplicate += more.duplicate;
        self.rejected.extend(more.rejected);
    }

    /// Adds a row that does not count.
    pub fn reject(&mut self, row: usize, (code, detail): Refusal) {
        self.rejected.push(RowError { row, code, detail });
    }
}

/// A row with its number, read or refused.
pub type Row = (usize, Result<Event, Refusal>);

/// Counts rows. When this returns, what it says is durable, also if nobody waits for it any more.
///
/// *Errors*: 503 `busy` when too much waits already; nothing of the rows is counted then.
pub async fn handle(app: &Shared, rows: Vec<Row>) -> Result<Receipt> {
    let latest = app.clock.now().plus(AHEAD);
    let mut receipt = Receipt::default();
    let mut arrivals = Vec::with_capacity(rows.len());
    for (row, event) in rows {
        match event {
            Ok(event) if event.time > latest => {
                let detail = "time is more than 5 min in the future".to_string();
                receipt.reject(row, ("in_the_future", detail));
            }
            Ok(event) => arrivals.push(Arrival::new(row, event)),
            Err(refusal) => receipt.reject(row, refusal),
        }
    }
    app.usage.admit(arrivals.len()).inspect_err(|_| app.metrics.usage_refused())?;
    let mut arrivals = arrivals.into_iter();
    loop {
        let piece: Vec<Arrival> = arrivals.by_ref().take(PIECE).collect();
        if piece.is_empty() {
            break;
        }
        let answer = app.usage.push(app, piece).await;
        let lost = |_| Error::internal("a group of usage was lost; what it counted is kept");
        receipt.add(answer.map_err(lost)??);
    }
    receipt.rejected.sort_by_key(|error| error.row);
    app.metrics.usage(&receipt);
    Ok(receipt)
}
