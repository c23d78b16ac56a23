//! The carrier's usage: new, sent again, late, out of order, from the future, under a name that is
//! taken. Every answer is held against what was sent; what is not acknowledged is sent again.

use super::{truth::Sent, world::World};
use crate::flow::{
    handle_usage::{self, Row},
    usage_event::Event,
};
use laika_core::{
    bytes::Bytes,
    time::{Instant, Span},
};

/// What a row must come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    /// It was never sent.
    Accepted,
    /// It was acknowledged before.
    Duplicate,
    /// It was sent before and not acknowledged.
    Either,
    /// It does not count.
    Rejected(&'static str),
}

/// Some rows, and what was said to them.
pub(super) async fn send(world: &mut World) -> Result<String, String> {
    let many = 1 + world.random.below(3);
    let rows: Vec<(Event, usize, Due)> = (0..many).map(|row| row_of(world, row)).collect();
    deliver(world, rows).await
}

/// Everything that was never acknowledged, until it is.
pub(super) async fn send_again(world: &mut World) -> Result<String, String> {
    let unheard = world.truth.events.iter().filter(|sent| !sent.acknowledged);
    let rows: Vec<_> = unheard.map(|sent| (sent.event.clone(), sent.line, Due::Either)).collect();
    if rows.is_empty() {
        return Ok("nothing to send again".to_owned());
    }
    deliver(world, rows).await
}

/// Uses all that a line may have, now.
pub(super) async fn drain(world: &mut World, line: usize) -> Result<String, String> {
    let bytes = Bytes::GB.checked_mul(40).expect("an amount");
    let event = new(world, line, world.now(), bytes, 9);
    deliver(world, vec![(event, line, Due::Accepted)]).await
}

async fn deliver(world: &mut World, mut rows: Vec<(Event, usize, Due)>) -> Result<String, String> {
    // Why: by a clock that jumped back, what was now is ahead; it comes again later.
    let ahead = world.now().plus(Span::minutes(5));
    for (event, _, due) in &mut rows {
        if event.time > ahead && matches!(due, Due::Either | Due::Duplicate) {
            *due = Due::Rejected("in_the_future");
        }
    }
    let (app, sent) = (world.app.clone(), rows.clone());
    for (event, line, due) in &rows {
        if *due == Due::Accepted {
            let sent = Sent { line: *line, event: event.clone(), acknowledged: false };
            world.truth.events.push(sent);
        }
    }
    let arriving: Vec<Row> = (1..).zip(rows.into_iter().map(|(event, _, _)| Ok(event))).collect();
    let receipt = match handle_usage::handle(&app, arriving).await {
        Ok(receipt) => receipt,
        Err(error) if crate::fault::died_at().is_some() => return Ok(format!("usage: {error}")),
        Err(error) => return Err(format!("8. usage is not counted: {error}")),
    };
    let count = |wanted: Due| sent.iter().filter(|(_, _, due)| *due == wanted).count();
    let (new, known, either) = (count(Due::Accepted), count(Due::Duplicate), count(Due::Either));
    let told: Vec<_> = receipt.rejected.iter().map(|error| (error.row, error.code)).collect();
    let rejected = (1..).zip(&sent).filter_map(|(row, (_, _, due))| match due {
        Due::Rejected(code) => Some((row, *code)),
        Due::Accepted | Due::Duplicate | Due::Either => None,
    });
    let rejected: Vec<_> = rejected.collect();
    let accepted = new..=new + either;
    if !accepted.contains(&receipt.accepted)
        || receipt.accepted + receipt.duplicate != new + known + either
        || told != rejected
    {
        return Err(format!("7. usage is told {receipt:?} for {sent:?}"));
    }
    for (event, _, due) in &sent {
        let named = |it: &&mut Sent| it.event.id == event.id && it.event.source == event.source;
        if matches!(due, Due::Accepted | Due::Either)
            && let Some(sent) = world.truth.events.iter_mut().find(named)
        {
            sent.acknowledged = true;
        }
    }
    let (accepted, duplicate) = (receipt.accepted, receipt.duplicate);
    Ok(format!("usage: {accepted} accepted, {duplicate} duplicate, {told:?}"))
}

/// A row of some kind or other; never two of one name in a request.
fn row_of(world: &mut World, row: u64) -> (Event, usize, Due) {
    let known = world.truth.events.len() as u64;
    let line = usize::try_from(world.random.below(9) / 4).expect("small");
    let (now, kind) = (world.now(), world.random.below(20));
    let back = i64::try_from(world.random.below(3_600)).expect("small");
    let bytes = some_bytes(world);
    if kind < 4 && row == 0 && known > 0 {
        let place = usize::try_from(world.random.below(known)).expect("small");
        let sent = world.truth.events[place].clone();
        return match (kind, sent.acknowledged) {
            (3, true) => {
                let bytes = sent.event.bytes.plus(Bytes::MB);
                (Event { bytes, ..sent.event }, sent.line, Due::Rejected("id_reused"))
            }
            (_, true) => (sent.event, sent.line, Due::Duplicate),
            (_, false) => (sent.event, sent.line, Due::Either),
        };
    }
    let time = match kind {
        5 => now.plus(Span::minutes(6)),
        6 => now.plus(Span::minutes(4)),
        7 => now.minus(Span::days(back % 30)),
        8 | 9 => now.minus(Span::hours(back % 30)),
        10 | 11 => now.minus(Span::seconds(back)),
        _ => now,
    };
    let event = new(world, line, time, bytes, row);
    match kind {
        4 => {
            let iccid = "8988000000000000000".to_owned();
            (Event { iccid, ..event }, line, Due::Rejected("unknown_line"))
        }
        5 => (event, line, Due::Rejected("in_the_future")),
        _ => (event, line, Due::Accepted),
    }
}

fn new(world: &World, line: usize, time: Instant, bytes: Bytes, row: u64) -> Event {
    let (known, step) = (world.truth.events.len(), world.trace.lines.len());
    Event {
        source: "sim/carrier".to_owned(),
        id: format!("{known}-{step}-{row}"),
        iccid: world.lines[line].iccid.clone(),
        time,
        bytes,
        country: None,
    }
}

fn some_bytes(world: &mut World) -> Bytes {
    let megabytes = match world.random.below(8) {
        0 => 0,
        1 => 1_000,
        2 => 1_700,
        _ => world.random.below(500),
    };
    Bytes::MB.checked_mul(megabytes).expect("an amount")
}
