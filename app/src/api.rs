//! The way to the server: one exchange, problem documents as values, and one event stream per
//! browser. It repeats nothing by itself: a repeat is the caller's, with the same key.

pub(crate) mod stream;

use gloo_net::http::{Method, RequestBuilder};
use laika_core::api::Problem;
use serde::{Serialize, de::DeserializeOwned};

const ROOT: &str = "/api/v1";

/// Why an exchange brought nothing.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Failure {
    /// No answer came. Whether the request arrived is not known.
    NoAnswer,
    /// The server said no, and why.
    Problem(Box<Problem>),
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
}

/// What to send beside the address.
#[derive(Default)]
pub(crate) struct Body {
    json: Option<String>,
    key: Option<String>,
}

impl Body {
    /// A JSON body.
    pub(crate) fn json(value: &impl Serialize) -> Body {
        // A struct of ours always serialises; an empty body would be refused by the server.
        Body { json: serde_json::to_string(value).ok(), key: None }
    }

    /// With the name of the intention, which makes a second delivery do nothing new.
    pub(crate) fn once(self, key: String) -> Body {
        Body { key: Some(key), ..self }
    }
}

/// Reads something.
pub(crate) async fn get<T: DeserializeOwned>(path: &str) -> Result<T, Failure> {
    read(exchange(Method::GET, path, Body::default()).await)
}

/// Sends something and reads the answer.
pub(crate) async fn send<T: DeserializeOwned>(
    method: Method,
    path: &str,
    body: Body,
) -> Result<T, Failure> {
    read(exchange(method, path, body).await)
}

/// Sends something whose answer has no body.
pub(crate) async fn tell(method: Method, path: &str, body: Body) -> Result<(), Failure> {
    exchange(method, path, body).await.map(|_| ())
}

fn read<T: DeserializeOwned>(answer: Result<String, Failure>) -> Result<T, Failure> {
    serde_json::from_str(&answer?).map_err(|_| Failure::Unreadable)
}

async fn exchange(method: Method, path: &str, body: Body) -> Result<String, Failure> {
    let mut request = RequestBuilder::new(&format!("{ROOT}{path}")).method(method);
    if let Some(key) = &body.key {
        request = request.header("Idempotency-Key", key);
    }
    let request = match body.json {
        Some(json) => request.header("Content-Type", "application/json").body(json),
        None => request.build(),
    };
    let response = request.map_err(|_| Failure::NoAnswer)?.send().await;
    let response = response.map_err(|_| Failure::NoAnswer)?;
    let text = response.text().await.map_err(|_| Failure::NoAnswer)?;
    if response.ok() {
        return Ok(text);
    }
    Err(serde_json::from_str(&text).map_or(Failure::Unreadable, |p| Failure::Problem(Box::new(p))))
}
