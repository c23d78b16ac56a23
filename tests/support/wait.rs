//! Waiting for something to become true, with an end: never a pause that hopes to be long enough.

use std::time::{Duration, Instant};

/// Looks until there is something to see. Panics after `most`, naming what did not come.
#[track_caller]
pub fn until<T>(what: &str, most: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + most;
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(Instant::now() < end, "it did not come within {most:?}: {what}");
        std::thread::park_timeout(Duration::from_millis(10));
    }
}
