//! Signed feeds: forged, stale and replayed signatures, broken bodies under a good one, and batches
//! with some bad rows.

use laika_tests::support::contract::{Operation, operations};
use laika_tests::support::http::{Answer, Request};
use laika_tests::support::usage::{self, SECRET, event, now};
use serde_json::{Value, json};

use super::{Town, code};

const WEBHOOKS: &str = "sandbox-webhook-secret-no-real-money";

/// The operations of machines, each with its secret and a body that it takes.
fn machines() -> Vec<(Operation, &'static str, Vec<u8>)> {
    let all = operations().into_iter().filter(|it| it.wants("Laika-Signature"));
    let with = |it: Operation| {
        let (secret, body) = match it.id() {
            "usage.receive" => (SECRET, json!([])),
            _ => (
                WEBHOOKS,
                json!({"id": "evt_1", "kind": "ping", "about": "nothing",
                "created_at": 0}),
            ),
        };
        (it, secret, body.to_string().into_bytes())
    };
    let all: Vec<_> = all.map(with).collect();
    assert!(all.len() >= 2);
    all
}

fn send(town: &Town, path: &str, kind: &str, body: &[u8], signature: &str) -> Answer {
    let request = Request::new("POST", &town.server.url(path)).body(kind, body.to_vec());
    let request = request.header("Laika-Signature", signature);
    let answer = request.send().expect("an answer");
    assert!(answer.status < 500, "{}", answer.text());
    answer
}

#[test]
fn forged_and_stale_signatures_are_refused_and_a_replay_changes_nothing() {
    for on_postgres in [false, true] {
        let town = Town::new(&format!("signed-{on_postgres}"), on_postgres);
        let before = town.at_rest();
        for (operation, secret, body) in machines() {
            let good = usage::signature(&body, secret, now());
            let (time, mac) = good.split_once(',').expect("two parts");
            let mac = mac.trim_start_matches("v1=");
            let stale = |at: u64| usage::signature(&body, secret, at);
            for (what, signature) in [
                ("nothing", String::new()),
                ("only the time", time.to_owned()),
                ("only the mac", format!("v1={mac}")),
                ("an empty mac", format!("{time},v1=")),
                ("half of it", format!("{time},v1={}", &mac[..32])),
                ("more than it", format!("{time},v1={mac}00")),
                ("another scheme", format!("{time},v0={mac}")),
                ("a bit off", format!("{time},v1={}", flipped(mac))),
                ("no hex", format!("{time},v1={}", "z".repeat(64))),
                ("text", "ключ".to_owned()),
                ("a time that is none", format!("t=now,v1={mac}")),
                ("a negative time", format!("t=-1,v1={mac}")),
                ("a time beyond numbers", format!("t={}0,v1={mac}", u64::MAX)),
                ("a time of its own first", format!("t={},{good}", now() - 1)),
                ("six minutes old", stale(now() - 360)),
                ("six minutes ahead", stale(now() + 360)),
                ("another secret", usage::signature(&body, "guessed", now())),
                ("an empty secret", usage::signature(&body, "", now())),
                ("another body", usage::signature(b"{}", secret, now())),
            ] {
                let answer = send(&town, operation.path, "application/json", &body, &signature);
                let wanted = (401, "bad_signature".to_owned());
                assert_eq!(code(&answer), wanted, "{}: {what}", operation.id());
            }
            for broken in [&b""[..], b"{", b"[{", b"null", b"\xff", b"7", b"[[[[[["] {
                let signature = usage::signature(broken, secret, now());
                let answer = send(&town, operation.path, "application/json", broken, &signature);
                let kind = answer.status;
                let taken = kind == 200 && answer.json()["rejected"][0]["row"] == 1;
                assert!(taken || kind == 400, "{} {broken:?}: {}", operation.id(), answer.text());
            }
            let twice = [(); 2]
                .map(|()| send(&town, operation.path, "application/json", &body, &good).status);
            assert_eq!(twice[0], twice[1], "{}", operation.id());
        }
        assert_eq!(before, town.kept());
        town.is_well();
    }
}

fn flipped(mac: &str) -> String {
    let other = if mac.starts_with('0') { "1" } else { "0" };
    format!("{other}{}", &mac[1..])
}

#[test]
fn of_a_batch_with_bad_rows_the_good_ones_count_once_and_the_bad_ones_are_named() {
    for on_postgres in [false, true] {
        let town = Town::new(&format!("batch-{on_postgres}"), on_postgres);
        let iccid = town.bob.line.iccid.clone();
        let good = |id: &str| event("carrier/eu-1", id, &iccid, &usage::stamp(), 1_000);
        let with = |place: &str, value: Value| {
            let mut event = good("bad");
            *event.pointer_mut(place).expect("a member") = value;
            event
        };
        let bad = [
            json!(null),
            json!([]),
            json!({}),
            with("/specversion", json!("2.0")),
            with("/type", json!("laika.usage.v2")),
            with("/source", json!("")),
            with("/source", json!("a\u{0}b")),
            with("/source", json!("a\r\nb")),
            with("/id", json!("i".repeat(201))),
            with("/id", json!("中文")),
            with("/id", json!(7)),
            with("/subject", json!("8988247007000009999")),
            with("/subject", json!("\u{0}")),
            with("/subject", json!("=1+1")),
            with("/time", json!("2026-02-30T00:00:00Z")),
            with("/time", json!("2999-01-01T00:00:00Z")),
            with("/time", json!("0000-00-00T00:00:00Z")),
            with("/data/bytes", json!(-1)),
            with("/data/bytes", json!(1.5)),
            with("/data/bytes", json!(u64::MAX)),
            with("/data/bytes", json!("1000")),
            with("/data/bytes", json!(null)),
            with("/data/country", json!("España")),
            with("/data", json!(7)),
        ];
        let mut rows = vec![];
        for (number, row) in bad.iter().enumerate() {
            rows.extend([good(&format!("good-{number}")), row.clone()]);
        }
        for (accepted, duplicate) in [(bad.len(), 0), (0, bad.len())] {
            let answer = usage::batch(&town.server.origin, &rows).send().expect("an answer");
            let said = answer.expect(200).json();
            assert_eq!(
                (&said["accepted"], &said["duplicate"]),
                (&json!(accepted), &json!(duplicate))
            );
            let named = said["rejected"].as_array().expect("a list");
            let named: Vec<u64> = named.iter().filter_map(|row| row["row"].as_u64()).collect();
            let even: Vec<u64> = (1..=bad.len() as u64).map(|number| 2 * number).collect();
            assert_eq!(named, even, "{said}");
        }
        town.is_well();
    }
}
