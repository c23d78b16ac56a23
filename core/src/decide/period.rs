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
}

impl Periods {
    /// The zone's own local day and month at an instant.
    fn of(zone: &Zone, now: Instant) -> Periods {
        let today = zone.date(now);
        let begins = |date| zone.start_of_day(date);
        Periods {
            day: Period { from: begins(today), until: zone.next_day(now) },
            month: Period { from: begins(first_of_month(today)), until: zone.next_month(now) },
        }
    }

    /// Those that count now: a period kept over a change of zone, while it lasts, or the zone's.
    pub(super) fn now(account: &Account, now: Instant) -> Periods {
        let own = Periods::of(&account.zone, now);
        let kept = |kept: Option<Period>, own| kept.filter(|p| p.holds(now)).unwrap_or(own);
        Periods {
            day: kept(account.kept_periods.map(|kept| kept.day), own.day),
            month: kept(account.kept_periods.map(|kept| kept.month), own.month),
        }
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
