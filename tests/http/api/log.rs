//! The log: in JSON a program reads every line of it, each refusal and each recharge is found in it
//! by its id, and it gives nobody away.

use std::time::Duration;

use laika_tests::support::customer::PASSWORD;
use laika_tests::support::http::{Answer, Request};
use laika_tests::support::laika::Place;
use laika_tests::support::wait;
use serde_json::{Value, json};

use super::super::world::place;
use super::{Town, is_refused};

/// How the sandbox's outbox begins, which is printed beside the log.
const OUTBOX: &str = "outbox · ";
/// Typed where it should not be, and never to be found again.
const SLIP: &str = "hunter2-typed-into-the-wrong-field";

/// The log's lines without the outbox's, each of them read.
fn lines(log: &str) -> Vec<Value> {
    let own = log.lines().filter(|line| !line.starts_with(OUTBOX));
    own.map(|line| serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line}")))
        .inspect(|line: &Value| {
            for name in ["timestamp", "level", "message"] {
                assert!(line[name].is_string(), "no {name} in {line}");
            }
        })
        .collect()
}

/// Refusals of every kind, with what nobody should find in a log: what was asked, what the log
/// calls it, and the answer.
fn refusals(town: &Town) -> Vec<(&'static str, [&'static str; 4], Answer)> {
    let sign_in = json!({ "contact": "customer-1@example.org", "password": SLIP });
    let own = |path: &str| town.ana.get(path);
    let by_number = format!("/lines/{}/rule", town.ana.line.iccid);
    let cookie = town.ana.cookie().to_owned();
    let elsewhere = |path: &str| {
        let request = Request::new("GET", &town.server.url(path)).header("Cookie", &cookie);
        request.send().expect("an answer")
    };
    let rule = "/api/v1/lines/{id}/rule";
    vec![
        (
            "a wrong password",
            ["401", "wrong_credentials", "POST", "/api/v1/sessions"],
            town.ana.post("/sessions", &sign_in),
        ),
        (
            "a text in the place of a number",
            ["400", "bad_json", "POST", "/api/v1/sandbox/time"],
            town.ana.post("/sandbox/time", &json!({ "seconds": SLIP })),
        ),
        ("a line by its number", ["404", "not_found", "GET", rule], own(&by_number)),
        (
            "a query",
            ["404", "not_found", "GET", rule],
            own(&format!("/lines/x/rule?email=customer-1@example.org&password={SLIP}")),
        ),
        (
            "no address of ours",
            ["404", "not_found", "GET", "other"],
            elsewhere(&format!("/api/v1/{SLIP}/+34612340001")),
        ),
        (
            "nothing to skip",
            ["409", "nothing_to_skip", "POST", "/api/v1/lines/{id}/rule/skip"],
            town.ana.post(&town.ana.of_line("rule/skip"), &Value::Null),
        ),
    ]
}

/// Nothing of this kind stands in any line.
fn gives_nobody_away(town: &Town, log: &str) {
    let (_, token) = town.ana.cookie().split_once('=').expect("a cookie");
    let mut secrets = vec![PASSWORD, SLIP, token, "4242424242424242", "4000000000000002"];
    secrets.extend(["customer-1@", "customer-2@", "new@example.org", "email=", "Laika-Signature"]);
    secrets.extend(["612340001", "612340002", "612349999", "a walk in the snow"]);
    secrets.extend([town.ana.line.iccid.as_str(), &town.bob.line.iccid]);
    for secret in secrets {
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret} is in the log");
    }
}

#[test]
fn in_json_every_refusal_and_recharge_is_found_by_its_id_and_nobody_is_given_away() {
    let (place, database) = place("log-json", true);
    let town = Town::at(place.with("LAIKA_LOG_FORMAT", "json"), database);
    let refused = refusals(&town);
    let database = town.database.as_ref().expect("PostgreSQL");
    database.ask("ALTER TABLE signing_keys RENAME TO out_of_the_way");
    let failed = town.ana.get("/signing-keys");
    database.ask("ALTER TABLE out_of_the_way RENAME TO signing_keys");
    let failed = is_refused(&failed, (500, "internal"), "a table is gone");

    // Why waited for: who is answered may look before the line is written.
    let log = wait::until("the last refusal is logged", Duration::from_secs(10), || {
        Some(town.place.log()).filter(|log| log.contains(&failed.request_id))
    });
    let lines = lines(&log);
    for (what, [status, code, method, route], answer) in &refused {
        let problem = is_refused(answer, (status.parse().expect("a status"), code), what);
        let of_it = |line: &&Value| line["span"]["request_id"] == json!(problem.request_id);
        let own: Vec<&Value> = lines.iter().filter(of_it).collect();
        assert_eq!(own.len(), 1, "{what} is logged once: {own:?}");
        let (line, span) = (own[0], &own[0]["span"]);
        assert_eq!((&line["level"], &line["message"]), (&json!("INFO"), &json!("refused")));
        assert_eq!((&line["code"], line["status"].to_string()), (&json!(code), (*status).into()));
        assert_eq!((&span["method"], &span["route"]), (&json!(method), &json!(route)), "{what}");
    }
    let of_it = |line: &&Value| line["span"]["request_id"] == json!(failed.request_id);
    let own = lines.iter().find(of_it).expect("what failed is logged");
    assert_eq!((&own["level"], &own["message"]), (&json!("ERROR"), &json!("request failed")));
    assert!(own["error"].to_string().contains("signing_keys"), "with its cause: {own}");

    let of_it = |line: &&Value| line["span"]["recharge"] == json!(town.recharge);
    let steps: Vec<&Value> = lines.iter().filter(of_it).collect();
    for work in ["Charge { attempt: 1 }", "TopUp"] {
        let is_it = |line: &&&Value| line["span"]["work"] == json!(work);
        let step = steps.iter().find(is_it).unwrap_or_else(|| panic!("no {work} in {steps:?}"));
        assert_eq!(step["span"]["line"], json!(town.ana.line.id), "{step}");
    }
    gives_nobody_away(&town, &log);
}

#[test]
fn in_text_a_refusal_stands_in_one_line_with_its_request() {
    let town = Town::new("log-text", false);
    let refused = refusals(&town);
    let id = |answer: &Answer| answer.json()["request_id"].as_str().unwrap_or_default().to_owned();
    let last = id(&refused.last().expect("one").2);
    let log = wait::until("the last refusal is logged", Duration::from_secs(10), || {
        Some(town.place.log()).filter(|log| log.contains(&last))
    });
    for (what, [_, code, method, route], answer) in &refused {
        let own: Vec<&str> = log.lines().filter(|line| line.contains(&id(answer))).collect();
        assert_eq!(own.len(), 1, "{what}: {own:?}");
        for word in [code, method, route, &"INFO"] {
            assert!(own[0].contains(word), "{what}: {word} is not in {}", own[0]);
        }
    }
    assert!(log.contains(&format!("recharge={}", town.recharge)), "{log}");
    gives_nobody_away(&town, &log);
    town.is_well();
}

#[test]
fn a_form_of_the_log_that_there_is_not_is_an_error_at_start() {
    let place = Place::new("log-form").with("LAIKA_LOG_FORMAT", "xml");
    let refused = place.run(&["serve"]).expect(1).stderr;
    assert!(refused.contains("LAIKA_LOG_FORMAT") && refused.contains("\"xml\""), "{refused}");
    assert!(!place.folder.file("laika.db").exists(), "it is said before anything is made");
}

#[test]
fn why_a_start_failed_is_json_too() {
    let place = Place::new("log-start").with("LAIKA_LOG_FORMAT", "json");
    let refused = place.with("LAIKA_ORIGIN", "nowhere").run(&["serve"]).expect(1).stderr;
    let lines = lines(&refused);
    let last = lines.last().expect("a line");
    let words = last["message"].as_str().expect("words");
    assert!(words.contains("LAIKA_ORIGIN") && last["level"] == json!("ERROR"), "{last}");
}
