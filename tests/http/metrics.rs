//! Readiness and metrics: what monitoring reads says what happened, and names nobody.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use laika_core::api::NextCharge;
use laika_tests::support::customer::Customer;
use laika_tests::support::http::Request;
use laika_tests::support::laika::Place;
use laika_tests::support::usage::{batch, event, stamp};
use laika_tests::support::wait;
use serde_json::json;

use super::world::place;

/// Where the server said that its metrics are.
pub(super) fn address(place: &Place) -> String {
    wait::until("it says where its metrics are", Duration::from_secs(10), || {
        let log = std::fs::read_to_string(place.folder.file("log")).ok()?;
        let after = log.split_once("metrics at ")?.1;
        Some(after.split_whitespace().next()?.to_owned())
    })
}

/// Each sample of a scrape: its name with its labels, and its value.
pub(super) fn scrape(url: &str) -> BTreeMap<String, f64> {
    let answer = Request::new("GET", url).send().expect("the metrics").expect(200);
    let kind = answer.header("content-type").expect("a type").to_owned();
    assert!(kind.starts_with("application/openmetrics-text"), "{kind}");
    let text = answer.text();
    assert!(text.ends_with("# EOF\n"), "{text}");
    let sample = |line: &str| {
        let (name, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line}"));
        (name.to_owned(), value.parse().unwrap_or_else(|_| panic!("{line}")))
    };
    text.lines().filter(|line| !line.starts_with('#')).map(sample).collect()
}

/// The values of all labels of a scrape, but of histogram buckets.
fn labels(samples: &BTreeMap<String, f64>) -> BTreeSet<String> {
    let of = |name: &String| -> Vec<String> {
        let (_, rest) = name.split_once('{').unwrap_or_default();
        let all = rest.trim_end_matches('}').split("\",");
        let values = all.filter_map(|label| label.split_once("=\""));
        let values = values.filter(|(name, _)| *name != "le");
        values.map(|(_, value)| value.trim_end_matches('"').to_owned()).collect()
    };
    samples.keys().flat_map(of).collect()
}

fn says_what_happened(on_postgres: bool) {
    let (place, _database) = place("metrics", on_postgres);
    let place = place.with("LAIKA_METRICS_LISTEN", "127.0.0.1:0");
    let server = place.start(&["serve"]);
    let url = address(&place);
    assert_eq!(scrape(&url)["laika_recharges_open{status=\"unknown\"}"], 0.0);
    let customer = Customer::register(&server.origin, 1);
    customer.add_card("4242424242424242");
    customer.turn_on_rule(|_| ());
    customer.next_charge(NextCharge::SoftDecline);
    customer.use_data(9_500_000_000);
    wait::until("a decline is heard", Duration::from_secs(30), || {
        scrape(&url).contains_key("laika_attempts_total{outcome=\"declined_soft\"}").then_some(())
    });
    // Why lost before: what was taken, the gateway's list would tell at once.
    customer.next_charge(NextCharge::AnswerLostBeforeCharge);
    customer.let_pass(Duration::from_secs(3_600));
    let unknown = "laika_recharges_open{status=\"unknown\"}";
    wait::until("it is unknown", Duration::from_secs(30), || {
        (scrape(&url)[unknown] == 1.0).then_some(())
    });
    place.run(&["kill-switch", "on"]).expect(0);
    customer.let_pass(Duration::from_secs(30));
    let during = scrape(&url);
    // Since it was sent: it was opened an hour before.
    let age = during["laika_unknown_oldest_seconds"];
    assert!((30.0..600.0).contains(&age), "{during:?}");
    assert_eq!(during["laika_charging_stopped"], 1.0);
    place.run(&["kill-switch", "off"]).expect(0);
    customer.let_pass(Duration::from_secs(70));
    customer.recharges_done(1);

    let row = |id| event("carrier/eu-1", id, &customer.line.iccid, &stamp(), 1_000);
    let rows = [row("a"), row("a"), event("carrier/eu-1", "b", "1", &stamp(), 1_000)];
    batch(&server.origin, &rows).send().expect("the server").expect(200);
    let forged = Request::new("POST", &server.url("/api/v1/webhooks/sandbox"));
    forged.json(&json!({})).send().expect("the server").expect(401);
    Request::new("BREW", &server.url("/made-up/8988247007000000105")).send().expect("an answer");

    let all = scrape(&url);
    let submitted = all["laika_attempts_total{outcome=\"submitted\"}"];
    assert_eq!(submitted, 3.0, "what was lost is sent again: {all:?}");
    for (name, value) in [
        ("laika_attempts_total{outcome=\"captured\"}", 1.0),
        ("laika_attempts_total{outcome=\"unanswered\"}", 1.0),
        ("laika_recharges_open{status=\"unknown\"}", 0.0),
        ("laika_recharges_last_day{status=\"done\"}", 1.0),
        ("laika_unknown_oldest_seconds", 0.0),
        ("laika_usage_rows_total{result=\"duplicate\"}", 1.0),
        ("laika_usage_rows_total{result=\"rejected\"}", 1.0),
        ("laika_webhooks_total{result=\"refused\"}", 1.0),
        ("laika_jobs{state=\"late\"}", 0.0),
        ("laika_database_up", 1.0),
        ("laika_usage_rows_waiting", 0.0),
        ("laika_cases{status=\"open\"}", 0.0),
        ("laika_disputes_open", 0.0),
        ("laika_audit_violations", 0.0),
    ] {
        assert_eq!(all.get(name), Some(&value), "{name} in {all:?}");
    }
    for name in ["laika_audit_age_seconds", "laika_books_age_seconds"] {
        assert!(all.get(name).is_some_and(|age| *age >= 0.0), "{name}: it was looked at once");
    }
    let route = "route=\"/api/v1/lines/{id}/recharges\"";
    assert!(all.keys().any(|name| name.contains(route) && name.contains("status=\"200\"")));
    assert!(all[&format!("laika_http_request_seconds_count{{{route}}}")] > 0.0);
    names_nobody(&all, &customer);
}

/// Labels are words, numbers of HTTP and patterns of routes, and there are few of them.
fn names_nobody(samples: &BTreeMap<String, f64>, customer: &Customer) {
    let labels = labels(samples);
    assert!(labels.contains("other"), "what no route matches has one name: {labels:?}");
    assert!(labels.len() < 120, "{labels:?}");
    let all = labels.iter().cloned().collect::<Vec<_>>().join(" ");
    let own = [customer.line.id.as_str(), &customer.line.iccid, "example.org", "346", "BREW"];
    for known in own.iter().chain(&["made-up", "8988", "line_", "pm_", "acc_", "__private"]) {
        assert!(!all.contains(known), "{known} is in {all}");
    }
}

#[test]
fn metrics_say_what_happened_and_name_nobody_on_sqlite() {
    says_what_happened(false);
}

#[test]
fn metrics_say_what_happened_and_name_nobody_on_postgres() {
    says_what_happened(true);
}

#[test]
fn metrics_are_not_on_the_address_of_the_app_and_nowhere_unless_asked_for() {
    let (place, _) = place("no-metrics", false);
    let server = place.start(&["serve"]);
    let answer = Request::new("GET", &server.url("/metrics")).send().expect("an answer");
    assert!(!answer.text().contains("laika_"), "{}", answer.text());
    let log = std::fs::read_to_string(place.folder.file("log")).expect("a log");
    assert!(!log.contains("metrics at"), "{log}");
}

#[test]
fn a_server_is_ready_once_its_worker_looks() {
    let (place, _) = place("ready", false);
    let server = place.start(&["serve"]);
    let ask = |path| Request::new("GET", &server.url(path)).send().expect("an answer");
    assert_eq!(ask("/livez").status, 200);
    wait::until("it is ready", Duration::from_secs(10), || {
        let answer = ask("/readyz");
        let problem = answer.status == 503 && answer.json()["code"] == json!("not_ready");
        assert!(problem || answer.status == 200, "{}", answer.text());
        (answer.status == 200).then_some(())
    });
}
