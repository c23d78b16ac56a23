//! The router against the document: both have the same paths with the same methods.

use super::World;
use crate::api::document;
use axum::{body::Body, http::Request};
use serde_json::Value;
use std::collections::BTreeSet;

const METHODS: [&str; 9] =
    ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"];

/// The paths that the router itself names, which it does in words for debugging only.
fn paths(world: &World) -> BTreeSet<String> {
    let words = format!("{:?}", world.router);
    let words = words.split("fallback_router").next().unwrap_or_default();
    let quoted = words.split('"').skip(1).step_by(2);
    quoted.filter(|text| text.starts_with('/')).map(str::to_owned).collect()
}

#[tokio::test]
async fn router_and_document_are_equal() {
    let world = World::new().await;
    let document: Value = serde_json::from_str(document::TEXT).expect("JSON");
    let listed = document["paths"].as_object().expect("paths");
    let paths = paths(&world);
    assert!(paths.len() > 30, "the router no longer names its paths: {paths:?}");
    assert_eq!(paths, listed.keys().cloned().collect(), "router and document");
    for path in &paths {
        let sent = path.replace(['{', '}'], "");
        for method in METHODS {
            let request = Request::builder().method(method).uri(&sent).body(Body::empty());
            let answer = world.send(request.expect("a request")).await;
            let of = if method == "HEAD" { "get".to_owned() } else { method.to_ascii_lowercase() };
            let there = answer.status != 405;
            assert_eq!(there, !listed[path][&of].is_null(), "{method} {path}: {answer:?}");
        }
    }
    for nowhere in ["/api", "/api/", "/api/v1", "/api/v1/", "/api/v1/lines/", "/api/v2/lines"] {
        let request = Request::builder().uri(nowhere).body(Body::empty()).expect("a request");
        assert_eq!(world.send(request).await.code(), (404, "not_found"), "{nowhere}");
    }
}
