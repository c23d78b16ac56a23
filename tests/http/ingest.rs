//! `laika ingest`: every event counts once, in whatever order and however often it comes.

use laika_tests::support::laika::Place;
use laika_tests::support::random::Random;
use laika_tests::support::usage::event;
use serde_json::{Value, json};

use super::world::{LINES, feed, line, lines, place, usage_of_ninety_days, used, with_lines};

const SEED: u64 = 20_261_122;

/// Feeds each text in turn to a new place, and says what `laika lines --json` then says.
fn balances_after(on_postgres: bool, feeds: &[String]) -> String {
    let (place, _database) = with_lines("ingest", on_postgres);
    for text in feeds {
        place.run_with(&["ingest", "-"], text).expect(0);
    }
    lines(&place)
}

fn same_balances_however_fed(on_postgres: bool) {
    let events = usage_of_ninety_days(SEED);
    let once = balances_after(on_postgres, &[feed(&events)]);

    let twice = balances_after(on_postgres, &[feed(&events), feed(&events)]);
    assert_eq!(once, twice, "fed twice");

    let mut shuffled = events.clone();
    Random::new(SEED).shuffle(&mut shuffled);
    assert_eq!(once, balances_after(on_postgres, &[feed(&shuffled)]), "shuffled");

    let half = feed(&events[..events.len() / 2]);
    let resumed = balances_after(on_postgres, &[half, feed(&events)]);
    assert_eq!(once, resumed, "cut in half and resumed");

    let backwards: Vec<String> = events.chunks(97).rev().map(feed).collect();
    assert_eq!(once, balances_after(on_postgres, &backwards), "the latest piece first");
}

#[test]
fn twice_shuffled_or_resumed_gives_the_same_balances_on_sqlite() {
    same_balances_however_fed(false);
}

#[test]
fn twice_shuffled_or_resumed_gives_the_same_balances_on_postgres() {
    same_balances_however_fed(true);
}

#[test]
fn both_databases_give_the_same_balances() {
    let text = [feed(&usage_of_ninety_days(SEED))];
    assert_eq!(balances_after(false, &text), balances_after(true, &text));
}

#[test]
fn one_line_outlasts_its_data_and_one_runs_dry() {
    let (place, _) = with_lines("dry", false);
    let events = usage_of_ninety_days(SEED);
    place.run_with(&["ingest", "-"], &feed(&events)).expect(0);

    let [lasting, dry, ..] = &LINES;
    let shown = line(&place, lasting.iccid);
    assert_eq!(shown["data_bytes"], json!(lasting.data_bytes - used(&events, lasting.iccid)));
    assert_eq!(shown["overrun_bytes"], json!(0));

    let shown = line(&place, dry.iccid);
    assert_eq!(shown["data_bytes"], json!(0));
    assert_eq!(shown["overrun_bytes"], json!(used(&events, dry.iccid) - dry.data_bytes));
    assert_eq!(shown["currency"], json!("EUR"));
    assert_eq!(shown["recharges"], json!({ "open": 0, "done": 0 }));
}

/// One good event and the ways a row can be bad; `None` where the row is good.
fn rows() -> Vec<(String, Option<&'static str>)> {
    let iccid = LINES[0].iccid;
    let good = |id: &str| event("carrier/eu-1", id, iccid, "2026-02-03T04:05:06Z", 1_000);
    let with = |id: &str, field: &str, value: Value| {
        let mut event = good(id);
        event[field] = value;
        event.to_string()
    };
    vec![
        (good("good-1").to_string(), None),
        ("{\"specversion\":".to_owned(), Some("not JSON")),
        (with("bad-1", "subject", json!("8988247007000009999")), Some("no such line")),
        (with("bad-2", "data", json!({ "bytes": -1 })), Some("negative")),
        (with("bad-3", "data", json!({ "bytes": 1.5 })), Some("not whole")),
        (with("bad-4", "time", json!("2999-01-01T00:00:00Z")), Some("in the future")),
        (with("bad-5", "time", json!("yesterday")), Some("not a time")),
        (with("bad-6", "specversion", json!("0.3")), Some("another version")),
        (good("good-2").to_string(), None),
        (with("good-2", "data", json!({ "bytes": 2_000 })), Some("same id, other content")),
    ]
}

fn ingest(place: &Place, text: &str, code: i32) -> Value {
    let ran = place.run_with(&["ingest", "-"], text).expect(code);
    serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("not JSON: {}", ran.stdout))
}

#[test]
fn bad_rows_are_named_by_number_and_change_nothing() {
    let (place, _) = with_lines("rows", false);
    let rows = rows();
    let text: String = rows.iter().map(|(row, _)| format!("{row}\n")).collect();
    let answer = ingest(&place, &text, 3);

    assert_eq!((&answer["accepted"], &answer["duplicate"]), (&json!(2), &json!(0)));
    let rejected = answer["rejected"].as_array().expect("a list");
    let named: Vec<u64> = rejected.iter().filter_map(|row| row["row"].as_u64()).collect();
    let bad = rows.iter().enumerate().filter(|(_, (_, why))| why.is_some());
    let expected: Vec<u64> = bad.map(|(index, _)| index as u64 + 1).collect();
    assert_eq!(named, expected, "{answer}");
    assert!(rejected.iter().all(|row| row["code"].is_string() && row["detail"].is_string()));

    let left = LINES[0].data_bytes - 2_000;
    assert_eq!(line(&place, LINES[0].iccid)["data_bytes"], json!(left));

    let again = ingest(&place, &text, 3);
    assert_eq!((&again["accepted"], &again["duplicate"]), (&json!(0), &json!(2)));
    assert_eq!(line(&place, LINES[0].iccid)["data_bytes"], json!(left));
}

#[test]
fn a_file_and_standard_input_are_the_same_feed() {
    let (place, _) = with_lines("file", false);
    let events = usage_of_ninety_days(7);
    let path = place.folder.write("usage.jsonl", &feed(&events));
    let ran = place.run(&["ingest", path.to_str().expect("a plain path")]).expect(0);
    let answer: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(answer, json!({ "accepted": events.len(), "duplicate": 0, "rejected": [] }));
    let answer = ingest(&place, &feed(&events), 0);
    assert_eq!(answer, json!({ "accepted": 0, "duplicate": events.len(), "rejected": [] }));
}

#[test]
fn a_feed_that_is_not_there_is_a_failure() {
    let (place, _) = place("nofile", false);
    let ran = place.run(&["ingest", "no-such-file"]).expect(1);
    assert!(ran.stderr.contains("no-such-file"), "{}", ran.stderr);
    assert_eq!(ran.stdout, "");
}

#[test]
fn the_books_balance_after_a_feed() {
    let (place, _) = with_lines("audit", false);
    place.run_with(&["ingest", "-"], &feed(&usage_of_ninety_days(SEED))).expect(0);
    let audit = place.run(&["audit", "--json"]).expect(0).stdout;
    let audit: Value = serde_json::from_str(&audit).expect("JSON");
    assert_eq!(audit["violations"], json!([]));
    assert!(audit["checked"].as_u64().is_some_and(|checked| checked > 0), "{audit}");
}
