//! What is known outside of Laika's own books: which usage was sent and acknowledged, which stops
//! were acknowledged and whom their answers named. The checks hold the books against it.

use crate::{flow::usage_event::Event, store::lines::Line};
use chrono::NaiveDate;
use laika_core::{rule::Limits, time::Instant, zone::Zone};
use std::collections::{BTreeMap, BTreeSet};

/// A usage event that was sent.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) line: usize,
    pub(super) event: Event,
    /// Whether it was acknowledged; before that it may be counted or not, and is sent again.
    pub(super) acknowledged: bool,
}

/// An acknowledged stop: from then on nothing is submitted but what its answer named.
#[derive(Clone, Debug, Default)]
pub(super) struct Stop {
    /// When it ends by itself.
    pub(super) until: Option<Instant>,
    /// The recharges whose payment was sent before.
    pub(super) named: BTreeSet<String>,
}

/// What is known of a line.
#[derive(Clone, Debug, Default)]
pub(super) struct OfLine {
    /// Its rule is off.
    pub(super) off: Option<Stop>,
    /// Its rule is paused.
    pub(super) paused: Option<Stop>,
    /// Until the start of this date where the customer lives.
    pub(super) paused_until_on: Option<NaiveDate>,
    /// The operator has stopped it.
    pub(super) stopped: Option<Stop>,
}

#[derive(Default)]
pub(super) struct Truth {
    pub(super) events: Vec<Sent>,
    pub(super) lines: Vec<OfLine>,
    /// The operator has stopped everything.
    pub(super) stopped: Option<Stop>,
    /// Removed methods, by the gateway's token.
    pub(super) removed: BTreeMap<String, Stop>,
    /// How many of the provider's payments were looked at.
    pub(super) payments_seen: usize,
    /// Payments that the operator gave back on the provider's own pages.
    pub(super) given_back: BTreeSet<String>,
    /// Recharges that ended, and how.
    pub(super) ended: BTreeMap<String, String>,
    /// How many entries the books had, how many events with what they moved, and their hash.
    pub(super) books: ((i64, i64), String),
    /// The limits of each version of each line's rule.
    pub(super) limits: BTreeMap<(usize, u32), Limits>,
    /// When the customer last moved to another zone.
    pub(super) moved_at: Option<Instant>,
    /// The test cards that the customer has entered.
    pub(super) entered: Vec<&'static str>,
    /// Since when nothing goes wrong any more.
    pub(super) quiet_since: Option<Instant>,
}

impl Truth {
    pub(super) fn begin(&mut self, lines: &[Line]) {
        self.lines = lines
            .iter()
            .map(|_| OfLine { off: Some(Stop::default()), ..OfLine::default() })
            .collect();
    }

    /// Why a payment for a recharge, with a method, must not have begun at an instant.
    pub(super) fn forbids(
        &self,
        line: usize,
        automatic: bool,
        recharge: &str,
        token: &str,
        now: Instant,
    ) -> Option<&'static str> {
        let holds = |stop: &Option<Stop>| {
            stop.as_ref().is_some_and(|stop| {
                stop.until.is_none_or(|until| now < until) && !stop.named.contains(recharge)
            })
        };
        let of_line = &self.lines[line];
        if automatic && holds(&of_line.off) {
            return Some("off");
        }
        if automatic && holds(&of_line.paused) {
            return Some("a pause");
        }
        if holds(&of_line.stopped) || holds(&self.stopped) {
            return Some("the kill switch");
        }
        let removed = self.removed.get(token);
        removed.filter(|stop| !stop.named.contains(recharge)).map(|_| "removal of the method")
    }

    /// The customer moves: a pause is until a date, which begins earlier or later there. The
    /// shorter of the two is held: what was recorded before the move may be sent after it.
    pub(super) fn moves(&mut self, zone: &Zone) {
        for line in &mut self.lines {
            let starts = line.paused_until_on.map(|date| zone.start_of_day(date));
            if let Some(stop) = &mut line.paused {
                stop.until = stop.until.min(starts);
            }
        }
    }

    /// How much is surely used on a line, and how much perhaps besides.
    pub(super) fn used(&self, line: usize) -> (u64, u64) {
        let of_line = self.events.iter().filter(|sent| sent.line == line);
        let sum = |acknowledged| {
            let of = of_line.clone().filter(move |sent| sent.acknowledged == acknowledged);
            of.map(|sent| sent.event.bytes.get()).sum()
        };
        (sum(true), sum(false))
    }
}
