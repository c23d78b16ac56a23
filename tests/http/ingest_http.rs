//! `POST /api/v1/usage`: the same feed over HTTP, signed, or not at all.

use laika_tests::support::http::Request;
use laika_tests::support::usage::{self, SECRET, batch, event, now, signed, single};
use serde_json::{Value, json};

use super::world::{LINES, feed, line, lines, usage_of_ninety_days, with_lines};

const BATCH: &str = "application/cloudevents-batch+json";

fn one(id: &str) -> Value {
    event("carrier/eu-1", id, LINES[0].iccid, "2026-02-03T04:05:06Z", 1_000)
}

#[test]
fn http_and_file_feeds_end_in_the_same_balances() {
    let events = usage_of_ninety_days(99);
    let (by_file, _) = with_lines("by-file", false);
    by_file.run_with(&["ingest", "-"], &feed(&events)).expect(0);

    let (by_http, _) = with_lines("by-http", false);
    let server = by_http.start(&["serve"]);
    for piece in events.chunks(100) {
        let answer = batch(&server.origin, piece).send().expect("an answer").expect(200).json();
        let all = json!({ "accepted": piece.len(), "duplicate": 0, "rejected": [] });
        assert_eq!(answer, all);
    }
    let again = batch(&server.origin, &events[..50]).send().expect("an answer").expect(200);
    assert_eq!(again.json(), json!({ "accepted": 0, "duplicate": 50, "rejected": [] }));
    assert_eq!(server.stop(), Some(0), "a graceful stop");
    assert_eq!(lines(&by_file), lines(&by_http));
}

#[test]
fn a_single_event_counts_once() {
    let (place, _) = with_lines("single", false);
    let server = place.start(&["serve"]);
    for (accepted, duplicate) in [(1, 0), (0, 1)] {
        let answer = single(&server.origin, &one("single-1")).send().expect("an answer");
        let said = json!({ "accepted": accepted, "duplicate": duplicate, "rejected": [] });
        assert_eq!(answer.expect(200).json(), said);
    }
    assert_eq!(line(&place, LINES[0].iccid)["data_bytes"], json!(LINES[0].data_bytes - 1_000));
}

#[test]
fn bad_rows_of_a_batch_are_named_and_the_good_ones_count() {
    let (place, _) = with_lines("batch", false);
    let server = place.start(&["serve"]);
    let mut unknown = one("batch-2");
    unknown["subject"] = json!("8988247007000009999");
    let rows = [one("batch-1"), unknown, one("batch-3"), json!(7)];
    let answer = batch(&server.origin, &rows).send().expect("an answer").expect(200).json();
    assert_eq!(answer["accepted"], json!(2));
    let named: Vec<&Value> =
        answer["rejected"].as_array().expect("a list").iter().map(|row| &row["row"]).collect();
    assert_eq!(named, [&json!(2), &json!(4)]);
    assert_eq!(line(&place, LINES[0].iccid)["data_bytes"], json!(LINES[0].data_bytes - 2_000));
}

#[test]
fn what_is_not_signed_by_us_and_now_is_refused() {
    let (place, _) = with_lines("forged", false);
    let server = place.start(&["serve"]);
    let body = || json!([one("forged-1")]).to_string().into_bytes();
    let url = format!("{}/api/v1/usage", server.origin);
    let changed = json!([one("forged-2")]).to_string().into_bytes();
    let refused = [
        ("no signature", Request::new("POST", &url).body(BATCH, body())),
        ("another secret", signed(&server.origin, BATCH, body(), "guessed", now())),
        ("six minutes old", signed(&server.origin, BATCH, body(), SECRET, now() - 360)),
        ("from the future", signed(&server.origin, BATCH, body(), SECRET, now() + 360)),
        ("another body", signed(&server.origin, BATCH, body(), SECRET, now()).body(BATCH, changed)),
    ];
    for (what, request) in refused {
        let answer = request.send().expect("an answer");
        assert_eq!(answer.status, 401, "{what}: {}", answer.text());
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{what}");
        let problem = answer.json();
        assert!(problem["code"].is_string() && problem["request_id"].is_string(), "{problem}");
    }
    let not_json = signed(&server.origin, BATCH, b"[{".to_vec(), SECRET, now());
    let status = not_json.send().expect("an answer").status;
    assert!((400..500).contains(&status), "{status}");
    assert_eq!(line(&place, LINES[0].iccid)["data_bytes"], json!(LINES[0].data_bytes));
}

#[test]
fn without_a_secret_no_feed_is_taken() {
    let (place, _) = with_lines("no-secret", false);
    let place = place.with("LAIKA_USAGE_SECRET", "");
    let server = place.start(&["serve"]);
    let unsigned = signed(&server.origin, BATCH, b"[]".to_vec(), "", usage::now());
    let status = unsigned.send().expect("an answer").status;
    assert!((400..=503).contains(&status) && status != 500, "{status}");
}

#[test]
fn what_was_acknowledged_outlives_a_kill_among_many_requests() {
    const FEEDERS: usize = 16;
    const ACKNOWLEDGED_LEAST: usize = 60;
    let (place, _) = with_lines("killed", false);
    let server = place.start(&["serve"]);
    let (origin, (tell, told)) = (server.origin.clone(), std::sync::mpsc::channel());
    let feeders: Vec<_> = (0..FEEDERS)
        .map(|feeder| {
            let (origin, tell) = (origin.clone(), tell.clone());
            std::thread::spawn(move || {
                for number in 0.. {
                    let event = one(&format!("killed-{feeder}-{number}"));
                    match single(&origin, &event).send() {
                        Ok(answer) if answer.status == 200 => tell.send(event).expect("heard"),
                        // The server is gone.
                        _ => return,
                    }
                }
            })
        })
        .collect();
    drop(tell);
    let mut acknowledged: Vec<Value> = told.iter().take(ACKNOWLEDGED_LEAST).collect();
    server.kill();
    acknowledged.extend(told.iter());
    feeders.into_iter().for_each(|feeder| feeder.join().expect("a feeder ends"));

    let server = place.start(&["serve"]);
    for piece in acknowledged.chunks(100) {
        let answer = batch(&server.origin, piece).send().expect("an answer").expect(200).json();
        let known = json!({ "accepted": 0, "duplicate": piece.len(), "rejected": [] });
        assert_eq!(answer, known, "acknowledged, and then not there");
    }
    place.run(&["audit", "--json"]).expect(0);
}
