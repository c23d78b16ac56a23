//! Each request counted and timed under the pattern of its route, whatever answers it, and what the
//! log calls it.

use crate::{Shared, clock::Stopwatch};
use axum::{
    extract::{MatchedPath, Request, State},
    http::Method,
    middleware::Next,
    response::Response,
};
use tracing::Span;

/// Stands around everything else.
pub async fn observe(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let (began, method) = (Stopwatch::start(), method(request.method()));
    let route = pattern(&request);
    let response = next.run(request).await;
    app.metrics.answered(method, &route, response.status().as_u16(), began.seconds());
    response
}

/// What stands in the log beside everything that happens in a request. Not the address that was
/// asked for, nor what follows a `?` in it: they may name somebody.
pub fn span(request: &Request, request_id: &str) -> Span {
    let (method, route) = (method(request.method()), pattern(request));
    tracing::info_span!("request", request_id, method, route)
}

/// The router's own text for the route, `/api/v1/lines/{id}`; what it has none for is one route.
fn pattern(request: &Request) -> String {
    let matched = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    matched.filter(|path| !path.contains("__private")).unwrap_or("other").to_owned()
}

/// Anybody can send any word as a method.
fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
