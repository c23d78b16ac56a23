//! The way to the server: one exchange, problem documents as values, and one event stream per
//! browser. It repeats nothing by itself: a repeat is the caller's, with the same key.

pub(crate) mod stream;

use crate::json;
use gloo_net::http::{Method, RequestBuilder};
use laika_core::api::Problem;
use leptos::task::spawn_local;
use serde::{Serialize, de::DeserializeOwned};
use std::sync::Arc;

/// Where the API is, on our own origin.
pub(crate) const ROOT: &str = "/api/v1";

/// Why an exchange brought nothing.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Failure {
    /// No answer came. Whether the request arrived is not known.
    NoAnswer,
    /// The server said no, and why.
    Problem(Arc<Problem>),
    /// An answer that this version of the app cannot read: most likely the server is newer.
    Unreadable,
}

impl Failure {
    /// The stable code of a problem.
    pub(crate) fn code(&self) -> Option<&str> {
        match self {
            Failure::Problem(problem) => Some(&problem.code),
            Failure::NoAnswer | Failure::Unreadable => None,
        }
    }

    /// The version of the rules that the server computes with, where it says that it is another.
    pub(crate) fn engine_version(&self) -> Option<&str> {
        match self {
            Failure::Problem(problem) => problem.engine_version.as_deref(),
            Failure::NoAnswer | Failure::Unreadable => None,
        }
    }
}

/// What to ask of the server.
pub(crate) struct Request {
    method: Method,
    path: String,
    json: Option<String>,
    key: Option<String>,
}

impl Request {
    /// Of this method, at this path under the API's root.
    pub(crate) fn new(method: Method, path: impl Into<String>) -> Request {
        Request { method, path: path.into(), json: None, key: None }
    }

    /// Reads something.
    pub(crate) fn get(path: impl Into<String>) -> Request {
        Request::new(Method::GET, path)
    }

    /// Does something.
    pub(crate) fn post(path: impl Into<String>) -> Request {
        Request::new(Method::POST, path)
    }

    /// With a JSON body.
    pub(crate) fn json(self, value: &impl Serialize) -> Request {
        // A struct of ours always serialises; an empty body would be refused by the server.
        let json = laika_core::json::write(value).ok();
        Request { json: json.and_then(|json| String::from_utf8(json).ok()), ..self }
    }

    /// With the name of the intention, which makes a second delivery do nothing new.
    pub(crate) fn once(self, key: String) -> Request {
        Request { key: Some(key), ..self }
    }
}

/// What became of an exchange: the text of the answer, or why there is none.
pub(crate) type Answer = Result<String, Failure>;

/// Reads an answer as one of core's types.
pub(crate) fn read<T: DeserializeOwned + 'static>(text: &str) -> Result<T, Failure> {
    json::read(text).map_err(|_| Failure::Unreadable)
}

/// Asks in the background and hands the answer on. One copy for all questions.
pub(crate) fn ask(request: Request, then: Box<dyn FnOnce(Answer)>) {
    spawn_local(async move { then(exchange(request).await) });
}

async fn exchange(wanted: Request) -> Answer {
    let address = format!("{ROOT}{}", wanted.path);
    let mut request = RequestBuilder::new(&address).method(wanted.method);
    if let Some(key) = &wanted.key {
        request = request.header("Idempotency-Key", key);
    }
    let request = match wanted.json {
        Some(json) => request.header("Content-Type", "application/json").body(json),
        None => request.build(),
    };
    let response = request.map_err(|_| Failure::NoAnswer)?.send().await;
    let response = response.map_err(|_| Failure::NoAnswer)?;
    let text = response.text().await.map_err(|_| Failure::NoAnswer)?;
    if response.ok() {
        return Ok(text);
    }
    Err(json::read(&text).map_or(Failure::Unreadable, |p| Failure::Problem(Arc::new(p))))
}
