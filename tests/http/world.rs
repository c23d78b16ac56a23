//! A place with lines in it and usage for them: what the ingest tests start from.

use laika_tests::support::laika::Place;
use laika_tests::support::postgres::Database;
use laika_tests::support::random::Random;
use laika_tests::support::usage;
use serde_json::Value;

/// A line of the tests: its card number and what it starts with.
pub(super) struct Line {
    pub(super) iccid: &'static str,
    pub(super) data_bytes: u64,
    pub(super) credit_minor: u64,
}

/// The first outlasts its data, the second runs dry, the third has no data at all.
pub(super) const LINES: [Line; 4] = [
    Line { iccid: "8988247007000000006", data_bytes: 500_000_000_000, credit_minor: 0 },
    Line { iccid: "8988247007000000014", data_bytes: 1_000_000_000, credit_minor: 0 },
    Line { iccid: "8988247007000000022", data_bytes: 0, credit_minor: 500 },
    Line { iccid: "8988247007000000030", data_bytes: 7_654_321_098, credit_minor: 12 },
];

/// A place on one of the two databases. The PostgreSQL one lives as long as its second half.
pub(super) fn place(name: &str, on_postgres: bool) -> (Place, Option<Database>) {
    let place = Place::new(name);
    if !on_postgres {
        return (place, None);
    }
    let database = Database::new();
    (place.with("DATABASE_URL", &database.url()), Some(database))
}

/// The same with [`LINES`] in it.
pub(super) fn with_lines(name: &str, on_postgres: bool) -> (Place, Option<Database>) {
    let (place, database) = place(name, on_postgres);
    for line in &LINES {
        let data = line.data_bytes.to_string();
        let credit = line.credit_minor.to_string();
        let args = ["line", "add", "--iccid", line.iccid, "--data-bytes", &data];
        let more = ["--credit-minor", &credit, "--currency", "EUR"];
        place.run(&[&args[..], &more[..]].concat()).expect(0);
    }
    (place, database)
}

/// Ninety days of hourly usage, in order of time; the same for a seed.
pub(super) fn usage_of_ninety_days(seed: u64) -> Vec<Value> {
    let mut random = Random::new(seed);
    let mut events = vec![];
    for hour in (0..90 * 24).step_by(3) {
        let line = random.pick(&LINES).iccid;
        let (month, day) = (1 + hour / 24 / 28, 1 + hour / 24 % 28);
        let (minute, second) = (random.below(60), random.below(60));
        let at = format!("2026-{month:02}-{day:02}T{:02}:{minute:02}:{second:02}Z", hour % 24);
        let bytes = random.below(30_000_000);
        let id = format!("{line}-{hour}");
        events.push(usage::event("carrier/eu-1", &id, line, &at, bytes));
    }
    events
}

/// JSON lines, as a feed has them.
pub(super) fn feed(events: &[Value]) -> String {
    events.iter().map(|event| format!("{event}\n")).collect()
}

/// What a line used in all.
pub(super) fn used(events: &[Value], iccid: &str) -> u64 {
    let own = events.iter().filter(|event| event["subject"] == iccid);
    own.filter_map(|event| event["data"]["bytes"].as_u64()).sum()
}

/// `laika lines --json`, to the byte.
pub(super) fn lines(place: &Place) -> String {
    place.run(&["lines", "--json"]).expect(0).stdout
}

/// One line of it.
pub(super) fn line(place: &Place, iccid: &str) -> Value {
    let all = place.run(&["lines", "--json"]).expect(0).json_lines();
    all.into_iter().find(|line| line["iccid"] == iccid).expect("a line of that number")
}
