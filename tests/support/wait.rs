//! Waiting for something to become true, with an end: never a pause that hopes to be long enough.

use std::time::{Duration, Instant};

/// Looks until there is something to see. Panics after `most`, naming what did not come.
#[track_caller]
pub fn until<T>(what: &str, most: Duration, look: impl FnMut() -> Option<T>) -> T {
    let seen = within(most, look);
    seen.unwrap_or_else(|| panic!("it did not come within {most:?}: {what}"))
}

/// Looks until there is something to see, or for so long.
pub fn within<T>(most: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + most;
    loop {
        let seen = look();
        if seen.is_some() || Instant::now() >= end {
            return seen;
        }
        std::thread::park_timeout(Duration::from_millis(10));
    }
}
