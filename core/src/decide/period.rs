//! The day and the month in which limits count. They are the zone's, but for one thing: after a
//! change of zone the running day and month go on until the later of both zones' next starts, so
//! that no change makes a cap count twice.

use super::Account;
use crate::time::Instant;
use crate::zone::{Zone, first_of_month};
use serde::{Deserialize, Serialize};

/// A stretch of time: from an instant on, up to another and without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Period {
    /// Its first instant.
    pub from: Instant,
    /// The first instant after it.
    pub until: Instant,
}

/// The day and the month that limits count in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Periods {
    /// For the count per day.
    pub day: Period,
    /// For the money per calendar month.
    pub month: Period,
}

impl Period {
    /// Whether an instant lies in it.
    pub fn holds(&self, at: Instant) -> bool {
        self.from <= at && at < self.until
    }

    /// The day that counts now: one kept over a change of zone, while it lasts, or the zone's.
    pub(super) fn day(account: &Account, now: Instant) -> Period {
        let kept = account.kept_periods.map(|kept| kept.day).filter(|day| day.holds(now));
        kept.unwrap_or_else(|| Period::day_of(&account.zone, now))
    }

    /// The month that counts now, likewise.
    pub(crate) fn month(account: &Account, now: Instant) -> Period {
        let kept = account.kept_periods.map(|kept| kept.month).filter(|month| month.holds(now));
        kept.unwrap_or_else(|| Period::month_of(&account.zone, now))
    }

    /// The zone's own day.
    fn day_of(zone: &Zone, now: Instant) -> Period {
        Period { from: zone.start_of_day(zone.date(now)), until: zone.next_day(now) }
    }

    /// The zone's own month.
    fn month_of(zone: &Zone, now: Instant) -> Period {
        let first = first_of_month(zone.date(now));
        Period { from: zone.start_of_day(first), until: zone.next_month(now) }
    }
}

impl Periods {
    /// The zone's own local day and month at an instant.
    fn of(zone: &Zone, now: Instant) -> Periods {
        Periods { day: Period::day_of(zone, now), month: Period::month_of(zone, now) }
    }

    /// What has to be kept when an account changes to another zone.
    pub fn kept(zone: &Zone, kept: Option<Periods>, new_zone: &Zone, now: Instant) -> Periods {
        let (old, new) = (Periods::of(zone, now), Periods::of(new_zone, now));
        let last = |before: Option<Period>, old: Period, new: Period| {
            let running = before.filter(|p| p.holds(now)).unwrap_or(old);
            Period { from: running.from, until: running.until.max(new.until) }
        };
        Periods {
            day: last(kept.map(|k| k.day), old.day, new.day),
            month: last(kept.map(|k| k.month), old.month, new.month),
        }
    }
}
