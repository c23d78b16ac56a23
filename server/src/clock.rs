//! The clock: the only place of the server that reads the time. `now` is the time the rules live
//! in: it does not go back with a clock that is set right, and in the sandbox it can be moved
//! forward. `wall` is the machine's time, for sessions, one-time codes and signatures, which no
//! sandbox button may age.

use laika_core::time::{Instant, Span};
use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicI64, Ordering::SeqCst},
};
use std::time::{SystemTime, UNIX_EPOCH};

/// A node whose clock is further than this from the database's, the gateway's or what it recorded
/// itself submits nothing.
///
/// *Source*: rules.md, invariant 16.
pub const APART_MOST: Span = Span::minutes(2);

/// Where time comes from.
#[derive(Debug)]
pub enum Source {
    /// The machine.
    System,
    /// A test: it moves when told.
    Virtual(AtomicI64),
    /// The machine, set wrong by so many microseconds.
    #[cfg(test)]
    Wrong(AtomicI64),
}

/// The time as the rules see it.
#[derive(Debug)]
pub struct Clock {
    source: Source,
    /// Microseconds that the sandbox has let pass; kept in the database, see `store::settings`.
    offset: AtomicI64,
    /// The newest instant given out or recorded, which `now` stands still at.
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

    /// The machine's clock, which can be set wrong.
    #[cfg(test)]
    pub fn that_may_be_wrong() -> Clock {
        Clock { source: Source::Wrong(0.into()), ..Clock::system() }
    }

    /// The machine's time, without the sandbox's offset.
    pub fn wall(&self) -> Instant {
        match &self.source {
            Source::System => machine(),
            Source::Virtual(micros) => Instant::from_micros(micros.load(SeqCst)),
            #[cfg(test)]
            Source::Wrong(by) => machine().plus(Span(by.load(SeqCst))),
        }
    }

    /// The time the rules live in. It stands still where the machine's goes back, but not for over
    /// two minutes: then a clock had been far ahead, and what it wrote to a line holds there alone,
    /// whose time never goes back. Otherwise it would be written to every line.
    pub fn now(&self) -> Instant {
        let read = self.wall().plus(Span(self.offset.load(SeqCst))).micros();
        let newest = self.newest.fetch_max(read, SeqCst).max(read);
        if self.is_ahead(Instant::from_micros(newest)) {
            self.newest.store(read, SeqCst);
            return Instant::from_micros(read);
        }
        Instant::from_micros(newest)
    }

    /// Whether what was recorded is further ahead of the machine's time than clocks may be apart:
    /// it was recorded by a clock that was wrong. A test's time goes back as it likes.
    pub fn is_ahead(&self, recorded: Instant) -> bool {
        let wall = recorded.minus(Span(self.offset.load(SeqCst)));
        !self.is_virtual() && self.ahead(wall).0 > APART_MOST.0
    }

    /// Learns of an instant already recorded, for example at start.
    pub fn not_before(&self, recorded: Instant) {
        self.newest.fetch_max(recorded.micros(), SeqCst);
    }

    /// Whether the time is a test's own, and nobody else's.
    pub fn is_virtual(&self) -> bool {
        matches!(self.source, Source::Virtual(_))
    }

    /// How far ahead of the machine's time another is, or behind it where that is negative.
    pub fn ahead(&self, other: Instant) -> Span {
        other.since(self.wall())
    }

    /// Whether another time shows that the machine's cannot be trusted with money: the two are too
    /// far apart, or the other is not known. A test's time is nobody else's.
    pub fn is_apart(&self, other: Option<Instant>) -> bool {
        let too_far = |other| self.ahead(other).0.saturating_abs() > APART_MOST.0;
        !self.is_virtual() && other.is_none_or(too_far)
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

    /// Sets the machine's clock wrong by so much.
    #[cfg(test)]
    pub fn set_wrong(&self, span: Span) {
        if let Source::Wrong(by) = &self.source {
            by.store(span.0, SeqCst);
        }
    }
}

fn machine() -> Instant {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Instant::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
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

/// The time of another machine, from when it last told it on.
///
/// Why not how far ahead of ours it was then: ours may have been set to another time since.
#[derive(Debug, Default)]
pub struct Theirs(Mutex<Option<(Instant, std::time::Instant)>>);

impl Theirs {
    /// It has just told its time.
    pub fn told(&self, theirs: Instant) {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *told = Some((theirs, std::time::Instant::now()));
    }

    /// As in a process that has just begun.
    #[cfg(test)]
    pub fn forget(&self) {
        *self.0.lock().expect("no panic") = None;
    }

    /// Its time now, also when our clock was set to another since; nothing before it told any.
    pub fn now(&self) -> Option<Instant> {
        let (told, since) = (*self.0.lock().unwrap_or_else(PoisonError::into_inner))?;
        let passed = i64::try_from(since.elapsed().as_micros()).unwrap_or(i64::MAX);
        Some(told.plus(Span(passed)))
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
    fn what_a_wrong_clock_recorded_does_not_hold_the_others_up() {
        let clock = Clock::that_may_be_wrong();
        let start = clock.now();
        for (seconds, stands) in [(100, true), (3_600, false)] {
            clock.set_wrong(Span::seconds(seconds));
            let wrong = clock.now();
            clock.set_wrong(Span(0));
            assert_eq!(clock.now() == wrong, stands, "{seconds}");
            assert!(clock.now() >= start);
        }
        let (now, hour) = (clock.now(), Span::hours(1));
        clock.not_before(now.plus(hour));
        assert!(clock.now() < now.plus(hour), "as a process that begins would");
        assert!(clock.is_ahead(now.plus(hour)) && !clock.is_ahead(now.minus(hour)));
    }

    #[test]
    fn two_minutes_apart_are_too_far_in_either_direction() {
        let (clock, theirs) = (Clock::system(), Theirs::default());
        assert!(clock.is_apart(theirs.now()), "nothing is known");
        for (seconds, apart) in [(100, false), (140, true), (-100, false), (-140, true)] {
            theirs.told(clock.wall().plus(Span::seconds(seconds)));
            assert_eq!(clock.is_apart(theirs.now()), apart, "{seconds}");
        }
        assert!(!Clock::at(Instant::MIN).is_apart(theirs.now()), "a test's time");
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
