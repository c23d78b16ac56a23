//! The clock: the only place of the server that reads the time. `now` is the time the rules live
//! in: it never goes back and in the sandbox it can be moved forward. `wall` is the machine's
//! time, for sessions, one-time codes and signatures, which no sandbox button may age.

use laika_core::time::{Instant, Span};
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};
use std::time::{SystemTime, UNIX_EPOCH};

/// A node whose clock is further than this from the database's or the gateway's submits nothing.
///
/// *Source*: rules.md, invariant 16.
const APART_MOST: Span = Span::minutes(2);

/// Where time comes from.
#[derive(Debug)]
pub enum Source {
    /// The machine.
    System,
    /// A test: it moves when told.
    Virtual(AtomicI64),
}

/// The time as the rules see it.
#[derive(Debug)]
pub struct Clock {
    source: Source,
    /// Microseconds that the sandbox has let pass; kept in the database, see `store::settings`.
    offset: AtomicI64,
    /// The newest instant given out or recorded; `now` never goes below it.
    newest: AtomicI64,
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Clock {
        Clock { source: Source::System, offset: 0.into(), newest: i64::MIN.into() }
    }

    /// A clock that stands still until moved.
    pub fn at(now: Instant) -> Clock {
        let source = Source::Virtual(now.micros().into());
        Clock { source, offset: 0.into(), newest: i64::MIN.into() }
    }

    /// The machine's time, without the sandbox's offset.
    pub fn wall(&self) -> Instant {
        match &self.source {
            Source::System => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                Instant::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
            }
            Source::Virtual(micros) => Instant::from_micros(micros.load(SeqCst)),
        }
    }

    /// The time the rules live in: never below any instant it has given out or been told of.
    pub fn now(&self) -> Instant {
        let read = self.wall().plus(Span(self.offset.load(SeqCst))).micros();
        Instant::from_micros(self.newest.fetch_max(read, SeqCst).max(read))
    }

    /// Learns of an instant already recorded, for example at start.
    pub fn not_before(&self, recorded: Instant) {
        self.newest.fetch_max(recorded.micros(), SeqCst);
    }

    /// Whether another machine's clock, which is ahead of ours by so much, or behind it, shows that
    /// ours cannot be trusted with money. A test's time is nobody else's.
    pub fn is_too_far(&self, ahead: Span) -> bool {
        match self.source {
            Source::System => ahead.0.saturating_abs() > APART_MOST.0,
            Source::Virtual(_) => false,
        }
    }

    /// Sets how far the sandbox has moved time forward; it never moves back.
    pub fn set_offset(&self, micros: i64) {
        self.offset.fetch_max(micros, SeqCst);
    }

    /// How far the sandbox has moved time forward, in microseconds.
    pub fn offset(&self) -> i64 {
        self.offset.load(SeqCst)
    }

    /// Moves a virtual clock to any time, also back; does nothing to the machine's.
    pub fn set(&self, now: Instant) {
        if let Source::Virtual(micros) = &self.source {
            micros.store(now.micros(), SeqCst);
        }
    }
}

/// How long something takes, whatever is done to the machine's clock meanwhile.
#[derive(Debug)]
pub struct Stopwatch(std::time::Instant);

impl Stopwatch {
    /// Begins now.
    pub fn start() -> Stopwatch {
        Stopwatch(std::time::Instant::now())
    }

    /// The seconds since.
    pub fn seconds(&self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}

/// How far ahead of ours the clock of another machine was when it last told its time.
#[derive(Debug, Default)]
pub struct Theirs(AtomicI64);

impl Theirs {
    /// It told its time in the answer to what we asked at `ours`, by the machine's clock.
    pub fn told(&self, theirs: Instant, ours: Instant) {
        self.0.store(theirs.since(ours).0, SeqCst);
    }

    /// As it last was; nothing before it told any time.
    pub fn ahead(&self) -> Span {
        Span(self.0.load(SeqCst))
    }
}

/// Reads the time in an HTTP header, such as `Sun, 22 Nov 2026 10:00:00 GMT`.
pub fn of_header(text: &str) -> Option<Instant> {
    let at = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    Some(Instant::from_seconds(at.as_second()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn now_never_goes_back() {
        let clock = Clock::at(Instant::from_seconds(1_000));
        assert_eq!(clock.now().seconds(), 1_000);
        clock.set(Instant::from_seconds(900));
        assert_eq!(clock.now().seconds(), 1_000);
        clock.not_before(Instant::from_seconds(2_000));
        assert_eq!(clock.now().seconds(), 2_000);
    }

    #[test]
    fn two_minutes_apart_are_too_far_in_either_direction() {
        let (clock, theirs, ours) = (Clock::system(), Theirs::default(), Clock::system().wall());
        assert!(!clock.is_too_far(theirs.ahead()), "nothing is known");
        for (seconds, too_far) in [(120, false), (121, true), (-120, false), (-121, true)] {
            theirs.told(ours.plus(Span::seconds(seconds)), ours);
            assert_eq!(clock.is_too_far(theirs.ahead()), too_far, "{seconds}");
        }
        let told = of_header("Sun, 22 Nov 2026 10:00:00 GMT");
        assert_eq!(told, Instant::parse("2026-11-22T10:00:00Z"));
        assert_eq!(of_header("yesterday"), None);
    }

    #[test]
    fn the_offset_moves_the_rules_and_not_the_wall() {
        let clock = Clock::at(Instant::from_seconds(1_000));
        clock.set_offset(60_000_000);
        assert_eq!((clock.now().seconds(), clock.wall().seconds()), (1_060, 1_000));
        clock.set_offset(1_000_000);
        assert_eq!(clock.now().seconds(), 1_060);
    }
}
