//! New events drawn from what their lines have: on from where a balance stands, or, when one is
//! late, again from the latest checkpoint before it. Whatever the way, the balance is what core
//! makes of all the line's events in the order of placement.
//!
//! A replay leaves checkpoints behind it, so that what the next late event costs does not grow with
//! what the line has used: two feeds that take turns make every second event a late one.

use super::group::Batch;
use crate::{
    error::Result,
    store::{
        Tx,
        checkpoints::{self, Checkpoint},
        inbox,
        lines::Line,
    },
};
use laika_core::{
    balance::{Balance, UsageEvent},
    time::{Instant, Span},
};

/// Events between two checkpoints, at most, where their times differ: a replay reads few more.
pub(super) const APART: usize = 256;

/// The new events of a group as far as they are drawn without asking the database.
pub(super) struct Forward<'a> {
    after: Vec<Balance>,
    /// Lines, by their place, whose first event is late: as they were.
    late: Vec<usize>,
    new: Vec<Checkpoint<'a>>,
}

/// Draws the new events of the lines where all come after what is placed.
pub(super) fn forward<'a>(batches: &'a [Batch<'_>], before: &[Balance]) -> Forward<'a> {
    let mut after = before.to_vec();
    let (mut late, mut new) = (Vec::new(), Vec::new());
    for (at, (batch, balance)) in batches.iter().zip(&mut after).enumerate() {
        let Some(first) = batch.events.first() else { continue };
        if balance.continues_with(&first.place) {
            new.extend(place(&batch.line, balance, &batch.events));
        } else {
            late.push(at);
        }
    }
    Forward { after, late, new }
}

/// Draws the rest of the new events, which are not kept yet. Gives what each line has then.
pub(super) async fn draw<'a>(
    tx: &mut Tx,
    batches: &'a [Batch<'_>],
    forward: Forward<'a>,
) -> Result<Vec<Balance>> {
    let Forward { mut after, late, mut new } = forward;
    if !late.is_empty() {
        let each = batches.iter().zip(&mut after).enumerate();
        let late = each.filter(|(at, _)| late.binary_search(at).is_ok());
        new.extend(again(tx, late.map(|(_, of_line)| of_line).collect()).await?);
    }
    if !new.is_empty() {
        checkpoints::keep_all(tx, &new).await?;
    }
    Ok(after)
}

/// Draws again from the latest checkpoint that each line's first late event leaves good.
async fn again<'a>(
    tx: &mut Tx,
    late: Vec<(&'a Batch<'_>, &mut Balance)>,
) -> Result<Vec<Checkpoint<'a>>> {
    let first = late.iter().filter_map(|(batch, _)| Some((&batch.line, batch.events.first()?)));
    let first: Vec<_> = first.map(|(line, first)| (line, first.place.time)).collect();
    let latest = checkpoints::latest(tx, &first).await?;
    checkpoints::forget_after(tx, &first).await?;
    let mut from = Vec::with_capacity(late.len());
    for ((batch, balance), checkpoint) in late.iter().zip(latest) {
        let good = checkpoint.filter(|(_, kept)| kept.pay_as_you_go == balance.pay_as_you_go);
        from.push((&batch.line, good));
    }
    let since = from.iter().map(|(line, good)| {
        (*line, good.as_ref().map_or(Instant::MIN, |(before_at, _)| *before_at))
    });
    let kept = inbox::events_since(tx, &since.collect::<Vec<_>>()).await?;
    let mut new = Vec::new();
    for (((batch, balance), (_, good)), mut events) in late.into_iter().zip(from).zip(kept) {
        balance.replay([]);
        if let Some((_, kept)) = good {
            stand_at(balance, &kept);
        }
        events.extend_from_slice(&batch.events);
        events.sort_by(|a, b| a.place.cmp(&b.place));
        new.extend(place(&batch.line, balance, &events));
    }
    Ok(new)
}

/// Puts an undrawn balance where a checkpoint stood.
///
/// Why this is the same as drawing the events before the checkpoint again: each of them was
/// received before the checkpoint was made (one that came later made a replay, which forgot the
/// checkpoint), and what was granted since serves no event that was received before its grant. So
/// it is whole.
fn stand_at(balance: &mut Balance, kept: &Balance) {
    for bucket in &mut balance.buckets {
        if let Some(kept) = kept.buckets.iter().find(|kept| kept.id == bucket.id) {
            bucket.bytes_left = kept.bytes_left;
        }
    }
    balance.credit_bytes = kept.credit_bytes;
    balance.overrun_bytes = kept.overrun_bytes;
    balance.placed_through = kept.placed_through.clone();
}

/// Places events in their order, and gives the balance as it stood between some of them: at each
/// midnight (UTC), and before an event that so many came before.
fn place<'a>(line: &'a Line, balance: &mut Balance, events: &[UsageEvent]) -> Vec<Checkpoint<'a>> {
    let (mut passed, mut since) = (Vec::new(), 0);
    for event in events {
        let at = event.place.time;
        let day = midnight(at);
        let earlier = balance.placed_through.as_ref().map(|last| last.time);
        let before_at = match earlier {
            Some(earlier) if earlier < day => Some(day),
            Some(earlier) if earlier < at && since >= APART => Some(at),
            Some(_) | None => None,
        };
        if let Some(before_at) = before_at {
            passed.push((line, before_at, balance.clone()));
            since = 0;
        }
        balance.place(event);
        since += 1;
    }
    passed
}

/// The midnight that begins an instant's day in UTC.
fn midnight(at: Instant) -> Instant {
    at.minus(Span(at.micros().rem_euclid(Span::days(1).0)))
}
