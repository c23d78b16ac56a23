//! Errors, and the only place that makes responses of them: RFC 9457 problems with a stable
//! `code`. Each refusal is logged once, in the request's span; internals are logged and never sent.

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use laika_core::{api, field::FieldError};
use serde_json::Value;
use std::{fmt, sync::Arc};

/// When to ask again while the database is away: a failover takes some seconds.
const AWAY_S: i64 = 2;

/// The one refusal that is not logged: there may be thousands in a second, and each costs as little
/// as it can. `laika_usage_refused_total` counts them.
const NOT_LOGGED: &str = "busy";

/// Codes of the database that say that a connection is gone or is to a node that takes no writes.
const AWAY: [&str; 6] = ["57P01", "57P02", "57P03", "57P05", "25006", "25P03"];

/// What a function of the server answers.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why something was not done.
#[derive(Debug)]
pub enum Error {
    /// The caller's to mend: a stable code and, where fields are wrong, which ones.
    Problem(Problem),
    /// The database said no.
    Store(sqlx::Error),
    /// No transaction could be begun, for whatever reason the database or the network gave.
    Away(sqlx::Error),
    /// Another transaction came in between; the same thing tried again sees what it did.
    Raced,
    /// Something that should be impossible, in words for the log.
    Internal(String),
}

/// A refusal as the caller sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// The HTTP status.
    pub status: StatusCode,
    /// The stable code.
    pub code: &'static str,
    /// One sentence for a person who reads logs.
    pub detail: String,
    /// What is wrong with which field.
    pub errors: Vec<FieldError>,
    /// More members of the problem, for example both versions of a mismatch.
    pub more: serde_json::Map<String, Value>,
}

impl Problem {
    /// 503: the database is away. Nothing of what was asked was done.
    pub fn away() -> Problem {
        Problem {
            status: StatusCode::SERVICE_UNAVAILABLE,
            code: "database_away",
            detail: "The database cannot be reached at the moment; nothing was changed.".into(),
            errors: Vec::new(),
            more: [("retry_after_s".to_string(), AWAY_S.into())].into_iter().collect(),
        }
    }

    /// 503 of the same code: the database gave what was asked up for what others did meanwhile.
    fn contended() -> Problem {
        let detail = "Others held what this needed for too long; nothing was changed.".into();
        Problem { detail, ..Problem::away() }
    }
}

impl Error {
    /// A refusal with a code and a sentence.
    pub fn problem(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Error {
        Error::Problem(Problem {
            status,
            code,
            detail: detail.into(),
            errors: Vec::new(),
            more: Default::default(),
        })
    }

    /// 400: the request cannot be read.
    pub fn bad_request(code: &'static str, detail: impl Into<String>) -> Error {
        Error::problem(StatusCode::BAD_REQUEST, code, detail)
    }

    /// 401: nobody is signed in.
    pub fn unauthenticated() -> Error {
        Error::problem(StatusCode::UNAUTHORIZED, "unauthenticated", "Sign in first.")
    }

    /// 403, with the reason's code.
    pub fn forbidden(code: &'static str, detail: impl Into<String>) -> Error {
        Error::problem(StatusCode::FORBIDDEN, code, detail)
    }

    /// 404: not there, or not yours, which must look the same.
    pub fn not_found() -> Error {
        Error::problem(StatusCode::NOT_FOUND, "not_found", "There is nothing here.")
    }

    /// 413: more than is read at once.
    pub fn too_large() -> Error {
        let words = "The request is too large.";
        Error::problem(StatusCode::PAYLOAD_TOO_LARGE, "too_large", words)
    }

    /// 429: too many tries; the wait is the same whoever asks.
    pub fn too_many(retry_after_s: i64) -> Error {
        let words = "Too many tries; wait before the next one.";
        Error::problem(StatusCode::TOO_MANY_REQUESTS, "too_many_tries", words)
            .with("retry_after_s", retry_after_s)
    }

    /// 409, with the reason's code.
    pub fn conflict(code: &'static str, detail: impl Into<String>) -> Error {
        Error::problem(StatusCode::CONFLICT, code, detail)
    }

    /// 422: every field's error at once.
    pub fn fields(errors: Vec<FieldError>) -> Error {
        Error::Problem(Problem {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            code: "fields",
            detail: "Some fields cannot be accepted.".into(),
            errors,
            more: Default::default(),
        })
    }

    /// Adds a member to the problem; other errors stay as they are.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Error {
        if let Error::Problem(problem) = &mut self {
            problem.more.insert(name.to_string(), value.into());
        }
        self
    }

    /// Whether the database turned a transaction away that may well succeed the next time: a
    /// deadlock, a serialization failure, a lock waited for in vain, or a race that we saw
    /// ourselves.
    ///
    /// *Source*: PostgreSQL's appendix of error codes: 40001, 40P01, 55P03.
    pub fn is_transient(&self) -> bool {
        if matches!(self, Error::Raced) {
            return true;
        }
        let Error::Store(sqlx::Error::Database(error)) = self else { return false };
        error.code().is_some_and(|code| matches!(&*code, "40001" | "40P01" | "55P03"))
    }

    /// Whether the database is away: it cannot be reached, is starting or ending, or has moved to
    /// another host meanwhile. What was asked was not done, and may be asked again.
    pub fn is_away(&self) -> bool {
        matches!(self, Error::Away(_)) || self.is_transitory()
    }

    /// Whether the same host may be there again by itself.
    ///
    /// *Source*: PostgreSQL's appendix of error codes: class 08, connections; 57P01 to 57P03,
    /// ending, crashed, starting; 25006, a write on a standby; 25P03 and 57P05, a connection that
    /// was ended as it stood still, in a transaction or between two.
    pub(crate) fn is_transitory(&self) -> bool {
        use sqlx::Error::{Database, Io, PoolClosed, PoolTimedOut, WorkerCrashed};
        let (Error::Store(error) | Error::Away(error)) = self else { return false };
        match error {
            Io(_) | PoolClosed | PoolTimedOut | WorkerCrashed => true,
            Database(error) => {
                error.code().is_some_and(|code| code.starts_with("08") || AWAY.contains(&&*code))
            }
            _ => false,
        }
    }

    /// The impossible happened.
    pub fn internal(words: impl Into<String>) -> Error {
        Error::Internal(words.into())
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Error {
        Error::Store(error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Problem(problem) => write!(f, "{}: {}", problem.code, problem.detail),
            Error::Store(error) | Error::Away(error) => write!(f, "database: {error}"),
            Error::Raced => write!(f, "another transaction came in between"),
            Error::Internal(words) => write!(f, "internal: {words}"),
        }
    }
}

impl std::error::Error for Error {}

/// The error travels to `render` in the response's extensions; only there is the id known.
impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

/// A refusal by the framework itself, before any handler of ours ran.
fn foreign(response: &Response) -> Option<Arc<Error>> {
    let status = response.status();
    let refused = status.is_client_error() || status.is_server_error();
    refused.then(|| {
        Arc::new(match status {
            StatusCode::PAYLOAD_TOO_LARGE => Error::too_large(),
            status if status.is_server_error() => Error::internal(format!("answered {status}")),
            _ => Error::bad_request("bad_request", "The request cannot be read."),
        })
    })
}

/// Turns an error carried by a response into a problem with the request's id, and logs it.
pub fn render(response: Response, request_id: &str) -> Response {
    let Some(error) =
        response.extensions().get::<Arc<Error>>().cloned().or_else(|| foreign(&response))
    else {
        return response;
    };
    let problem = match &*error {
        Error::Problem(problem) => {
            // Why not its words: they may repeat what was typed.
            if problem.code != NOT_LOGGED {
                let status = problem.status.as_u16();
                tracing::info!(status, code = problem.code, "refused");
            }
            problem.clone()
        }
        error if error.is_away() => {
            tracing::warn!(%error, "the database is away");
            Problem::away()
        }
        error if error.is_transient() => {
            tracing::warn!(%error, "the database gave a request up");
            Problem::contended()
        }
        Error::Store(_) | Error::Away(_) | Error::Raced | Error::Internal(_) => {
            tracing::error!(%error, "request failed");
            Problem {
                status: StatusCode::INTERNAL_SERVER_ERROR,
                code: "internal",
                detail: "Something failed on our side; nothing was changed.".into(),
                errors: Vec::new(),
                more: Default::default(),
            }
        }
    };
    let title = problem.status.canonical_reason().unwrap_or("Error");
    let body = serde_json::to_value(api::Problem {
        kind: format!("/problems/{}", problem.code),
        title: title.to_string(),
        status: problem.status.as_u16(),
        code: problem.code.to_string(),
        detail: Some(problem.detail),
        errors: problem.errors,
        engine_version: None,
        request_id: request_id.to_string(),
    });
    let allow = response.headers().get(header::ALLOW).cloned();
    let wait = problem.more.get("retry_after_s").map(Value::to_string);
    let mut body = body.unwrap_or_default();
    if let Some(members) = body.as_object_mut() {
        members.extend(problem.more);
    }
    let mut rendered = Response::new(Body::from(body.to_string()));
    *rendered.status_mut() = problem.status;
    let media_type = HeaderValue::from_static("application/problem+json");
    rendered.headers_mut().insert(header::CONTENT_TYPE, media_type);
    if let Some(allow) = allow {
        rendered.headers_mut().insert(header::ALLOW, allow);
    }
    if let Some(wait) = wait.and_then(|wait| HeaderValue::from_str(&wait).ok()) {
        rendered.headers_mut().insert(header::RETRY_AFTER, wait);
    }
    rendered
}

#[cfg(test)]
mod tests {
    use super::{Error, render};
    use axum::{
        http::{StatusCode, header},
        response::IntoResponse,
    };

    async fn body(response: axum::response::Response) -> serde_json::Value {
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 16).await.expect("a body");
        serde_json::from_slice(&bytes).expect("JSON")
    }

    #[tokio::test]
    async fn what_the_framework_refuses_is_a_problem_too() {
        for (refused, code) in [
            (StatusCode::BAD_REQUEST, "bad_request"),
            (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
            (StatusCode::BAD_GATEWAY, "internal"),
        ] {
            let told = body(render((refused, "its words").into_response(), "req_1")).await;
            assert_eq!((&told["code"], &told["request_id"]), (&code.into(), &"req_1".into()));
            assert!(!told.to_string().contains("its words"), "{told}");
        }
    }

    #[test]
    fn what_others_got_in_the_way_of_may_be_sent_again() {
        let response = render(Error::Raced.into_response(), "1");
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()[header::RETRY_AFTER], "2");
    }
}
