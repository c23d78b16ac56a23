//! When an instrument that failed may be tried again, and how often it may be declined at all. The
//! ladder belongs to a line and an instrument: edits and new recharges go on where it stands.
//! `decide` and [`recharge`](crate::recharge) both go by it; nothing here knows a gateway.

use crate::order::in_order;
use crate::time::{Instant, Span};
use serde::{Deserialize, Serialize};

/// How far an instrument has come down the ladder on a line. A payment that goes through ends it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ladder {
    /// Tries in a row that failed without being a hard decline.
    pub failures: u32,
    /// From where the rungs count: the first failure, or as if it had been when a try came late.
    pub since: Option<Instant>,
}

/// When to try: at once, and so long after the first failure. *Source*: rules.md, "A recharge".
const RUNGS: [Span; 4] = [Span(0), Span::hours(1), Span::hours(2), Span::hours(4)];
/// A try that fails later than this after its rung moves the rungs that follow.
const ON_TIME: Span = Span::minutes(15);

/// The most declined attempts of one fingerprint, over all lines and amounts: in 24 h,
const DECLINES_A_DAY: usize = 10;
/// and in 30 times 24 h.
const DECLINES_A_MONTH: usize = 15;
/// For so long a decline counts.
pub const DECLINES_COUNT_FOR: Span = Span::days(30);

impl Ladder {
    /// The next try, from `now` on; nothing when all rungs are used up.
    pub fn next_try_at(&self, now: Instant) -> Option<Instant> {
        let rung = RUNGS.get(usize::try_from(self.failures).ok()?)?;
        Some(self.since.map_or(now, |since| since.plus(*rung)).max(now))
    }

    /// Whether the customer has to act before it is tried again.
    pub fn is_used_up(&self) -> bool {
        usize::try_from(self.failures).is_ok_and(|failures| failures >= RUNGS.len())
    }

    /// One rung further down.
    pub fn fail(&mut self, now: Instant) {
        let rung = usize::try_from(self.failures).ok().and_then(|rung| RUNGS.get(rung));
        let rung = rung.copied().unwrap_or(Span(0));
        let on_time = |since: &Instant| now <= since.plus(rung).plus(ON_TIME);
        self.since = self.since.filter(on_time).or(Some(now.minus(rung)));
        self.failures = self.failures.saturating_add(1);
    }
}

/// Until when so many declines forbid another try; nothing when there is room for one.
/// `declined_at` are those of the fingerprint, in any order.
pub fn limited_until(declined_at: &[Instant], now: Instant) -> Option<Instant> {
    let limits = [(DECLINES_A_DAY, Span::hours(24)), (DECLINES_A_MONTH, DECLINES_COUNT_FOR)];
    // Why: almost every card was declined less often than any limit.
    if declined_at.len() < DECLINES_A_DAY {
        return None;
    }
    let oldest_first = in_order(declined_at.iter().copied(), |at| *at);
    let frees = |(most, span): (usize, Span)| {
        let last_in = oldest_first.iter().nth_back(most.saturating_sub(1));
        last_in.map(|at| at.plus(span)).filter(|until| now < *until)
    };
    limits.into_iter().filter_map(frees).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hour(n: i64) -> Instant {
        Instant::from_seconds(1_800_000_000).plus(Span::hours(n))
    }

    #[test]
    fn the_rungs_are_at_once_and_after_1_2_and_4_hours() {
        let mut ladder = Ladder::default();
        let mut tried = Vec::new();
        while let Some(at) = ladder.next_try_at(hour(0)) {
            tried.push(at);
            ladder.fail(at);
        }
        assert_eq!(tried, [hour(0), hour(1), hour(2), hour(4)]);
        assert!(ladder.is_used_up());
    }

    #[test]
    fn an_answer_that_takes_a_minute_moves_no_rung() {
        let mut ladder = Ladder::default();
        ladder.fail(hour(0));
        ladder.fail(hour(1).plus(Span::minutes(1)));
        assert_eq!(ladder.next_try_at(hour(1)), Some(hour(2)));
    }

    #[test]
    fn a_rung_that_passed_long_ago_is_tried_at_once_and_the_next_waits() {
        let mut ladder = Ladder { failures: 1, since: Some(hour(0)) };
        assert_eq!(ladder.next_try_at(hour(1000)), Some(hour(1000)));
        ladder.fail(hour(1000));
        assert_eq!(ladder.next_try_at(hour(1000)), Some(hour(1001)));
    }

    #[test]
    fn ten_a_day_and_fifteen_in_thirty_days() {
        let declines = |n: i64, apart: i64| (0..n).map(|i| hour(i * apart)).collect::<Vec<_>>();
        assert_eq!(limited_until(&declines(9, 1), hour(9)), None);
        assert_eq!(limited_until(&declines(10, 1), hour(10)), Some(hour(24)));
        assert_eq!(limited_until(&declines(10, 1), hour(24)), None, "the first is 24 h old");
        assert_eq!(limited_until(&declines(14, 40), hour(561)), None);
        assert_eq!(limited_until(&declines(15, 40), hour(561)), Some(hour(720)));
        let mut shuffled = declines(10, 1);
        shuffled.reverse();
        assert_eq!(limited_until(&shuffled, hour(10)), Some(hour(24)), "in any order");
    }
}
