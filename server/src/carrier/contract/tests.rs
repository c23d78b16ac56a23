//! The examples in `docs/carrier.md`, against the sandbox's carrier over a real socket.

use crate::{
    api::signature,
    outbound::Outbound,
    sandbox::{self, API_KEY, NOW_HEADER},
    secret::hmac_hex,
};
use axum::http::HeaderMap;
use laika_core::time::Instant;
use serde_json::Value;
use std::time::Duration;

const DOCS: &str = include_str!("../../../../docs/carrier.md");
/// When all of the examples happen.
const NOW: &str = "2026-11-22T10:00:00Z";

/// The text of every fenced block of a kind, in order.
fn blocks(kind: &str) -> Vec<&'static str> {
    let fence = format!("```{kind}\n");
    let after = DOCS.split(&fence).skip(1);
    after.map(|text| text.split_once("```").map_or("", |(text, _)| text)).collect()
}

/// A sandbox whose names are always the same, in a folder of its own.
async fn sandbox() -> (String, std::path::PathBuf) {
    let name = format!("laika-contract-{}.jsonl", std::process::id());
    let file = std::env::temp_dir().join(name);
    let head = format!("{{\"laika_sandbox\":1,\"seed\":\"{}\"}}\n", "7".repeat(64));
    std::fs::write(&file, head).expect("a journal");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let origin = format!("http://{}/carrier/v1", listener.local_addr().expect("bound"));
    let sandbox = sandbox::open(&file).expect("a journal");
    tokio::spawn(sandbox::serve(sandbox, listener, std::future::pending()));
    (origin, file)
}

#[tokio::test]
async fn the_examples_in_the_documentation_are_true() {
    let (base, file) = sandbox().await;
    let client = Outbound::new(Duration::from_secs(10));
    let now = Instant::parse(NOW).expect("an instant").micros().to_string();
    let (requests, answers) = (blocks("http request"), blocks("http answer"));
    assert_eq!((requests.len(), answers.len()), (6, 6));
    let mut told = Vec::new();
    for request in requests {
        let (head, body) = request.split_once("\n\n").unwrap_or((request.trim_end(), ""));
        let mut lines = head.lines();
        let mut first = lines.next().unwrap_or_default().split(' ');
        let (method, path) = (first.next().unwrap_or_default(), first.next().unwrap_or_default());
        let head: Vec<(&str, String)> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name, value.replace("SECRET", API_KEY)))
            .collect();
        let mut headers: Vec<_> = head.iter().map(|(name, text)| (*name, text.as_str())).collect();
        headers.push((NOW_HEADER, &now));
        let sent = body.trim_end().as_bytes().to_vec();
        let answered = client.send(method, &format!("{base}{path}"), &headers, sent).await;
        let answered = answered.expect("an answer");
        let kind = if answered.status < 300 { "json" } else { "problem+json" };
        let body = String::from_utf8(answered.body.to_vec()).expect("text");
        let status = axum::http::StatusCode::from_u16(answered.status).expect("a status");
        told.push(format!("HTTP/1.1 {status}\nContent-Type: application/{kind}\n\n{body}\n"));
    }
    let _ = std::fs::remove_file(file);
    for (should, told) in answers.iter().zip(&told) {
        assert_eq!(should, told, "docs/carrier.md should have\n{}", told.as_str());
    }
}

#[test]
fn the_signature_in_the_documentation_is_that_of_its_body() {
    let secret = "a-secret-of-the-examples";
    assert!(DOCS.contains(secret));
    let body = blocks("json usage").concat();
    let body = body.trim_end();
    let events: Vec<Value> = serde_json::from_str(body).expect("a batch");
    crate::flow::usage_event::read(events[0].to_string().as_bytes()).expect("an event");
    let line = blocks("text signature").concat();
    let (name, value) = line.trim_end().split_once(": ").expect("a header");
    let at = Instant::parse(NOW).expect("an instant");
    let signed = format!("{}.{body}", at.seconds());
    let right = format!("t={},v1={}", at.seconds(), hmac_hex(secret, signed.as_bytes()));
    assert_eq!(value, right, "docs/carrier.md should have {right}");
    let mut headers = HeaderMap::new();
    headers.insert(
        name.to_ascii_lowercase().parse::<axum::http::HeaderName>().expect("a name"),
        value.parse().expect("a value"),
    );
    let checked = signature::check(signature::LAIKA, &headers, body.as_bytes(), [secret], at);
    assert!(checked.is_ok());
}
