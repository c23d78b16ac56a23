//! The document of the API, OpenAPI 3.1: `docs/openapi.json`, as it is. It is written from the list
//! of operations and from the source of the types they exchange; `document/tests.rs` writes it, and
//! fails as long as it is not what it would write.

use axum::{
    http::header,
    response::{IntoResponse, Response},
};

/// The document.
pub const TEXT: &str = include_str!("../../../docs/openapi.json");

/// `GET /openapi.json`: this document.
pub async fn show() -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-cache")];
    (headers, TEXT).into_response()
}

#[cfg(test)]
mod tests;
