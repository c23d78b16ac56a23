//! The document of the API, `docs/openapi.json`, as a ruler: every answer that any test gets is
//! held against it, and the tests of bad input and of who may do what are made from it.

mod sample;
mod schema;

use std::sync::LazyLock;

use serde_json::Value;

use super::http::Answer;

pub use sample::{at, places, sample, wrong};
pub use schema::faults;

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../docs/openapi.json")).expect("the document is JSON")
});

/// The document.
pub fn document() -> &'static Value {
    &DOCUMENT
}

/// An operation of the document.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// The method, in capitals.
    pub method: &'static str,
    /// The path, `{names}` in it.
    pub path: &'static str,
    /// What the document says of it.
    pub said: &'static Value,
}

const METHODS: [(&str, &str); 5] =
    [("get", "GET"), ("post", "POST"), ("put", "PUT"), ("patch", "PATCH"), ("delete", "DELETE")];

static OPERATIONS: LazyLock<Vec<Operation>> = LazyLock::new(read);

/// All of them.
pub fn operations() -> Vec<Operation> {
    OPERATIONS.clone()
}

fn read() -> Vec<Operation> {
    let paths = DOCUMENT["paths"].as_object().expect("paths");
    let of = |(path, methods): (&'static String, &'static Value)| {
        METHODS.iter().filter_map(move |(name, method)| {
            methods.get(name).map(|said| Operation { method, path: path.as_str(), said })
        })
    };
    let all: Vec<Operation> = paths.iter().flat_map(of).collect();
    assert!(all.len() > 30, "the document lists only {}", all.len());
    all
}

impl Operation {
    /// Its name.
    pub fn id(&self) -> &'static str {
        self.said["operationId"].as_str().expect("an operationId")
    }

    /// Whether it only reads.
    pub fn is_safe(&self) -> bool {
        self.method == "GET"
    }

    /// The schema of its JSON body, if it takes one.
    pub fn body(&self) -> Option<&'static Value> {
        self.said.pointer("/requestBody/content/application~1json/schema")
    }

    /// Whether a session, or the signature in a header of that name, is asked for.
    pub fn wants(&self, scheme: &str) -> bool {
        let ways = self.said["security"].as_array().expect("security");
        ways.iter().any(|way| way.get(scheme).is_some())
    }

    /// Whether its path is that of a request: `{names}` stand for any one part.
    fn is_at(&self, path: &str) -> bool {
        let (own, asked) = (self.path.split('/'), path.split('/'));
        let fits = |(own, asked): (&str, &str)| own.starts_with('{') || own == asked;
        own.clone().count() == asked.clone().count() && own.zip(asked).all(fits)
    }

    /// The operation that answers a request; a path without names goes first.
    pub fn that_answers(method: &str, path: &str) -> Option<Operation> {
        let path = path.split('?').next().unwrap_or_default();
        let method = if method == "HEAD" { "GET" } else { method };
        let fits = |it: &&Operation| it.method == method && it.is_at(path);
        let all = OPERATIONS.iter().filter(fits);
        all.min_by_key(|operation| operation.path.matches('{').count()).copied()
    }
}

/// Holds an answer against the document: its status, its media type, its shape, and, if it is a
/// problem, its code. *Errors*: in words, what is not as documented.
pub fn check(method: &str, path: &str, answer: &Answer) -> Result<(), String> {
    let Some(operation) = Operation::that_answers(method, path) else {
        return if path.starts_with("/api/") { anywhere(answer) } else { Ok(()) };
    };
    let said = &operation.said["responses"][answer.status.to_string()];
    let told = |what: String| {
        Err(format!("{} answers {}: {what}: {}", operation.id(), answer.status, answer.text()))
    };
    if said.is_null() {
        return told("a status that is not documented".to_owned());
    }
    let kind = answer.header("content-type").unwrap_or("").split(';').next().unwrap_or("");
    let Some(contents) = said["content"].as_object() else {
        let empty = answer.body.is_empty();
        return if empty { Ok(()) } else { told("a body that is not documented".to_owned()) };
    };
    let Some(content) = contents.get(kind) else {
        return told(format!("the media type {kind:?} is not documented"));
    };
    if method == "HEAD" || !kind.ends_with("json") {
        return Ok(());
    }
    let Ok(body) = serde_json::from_slice::<Value>(&answer.body) else {
        return told("it is not JSON".to_owned());
    };
    match faults(&DOCUMENT, &content["schema"], &body) {
        faults if faults.is_empty() => Ok(()),
        faults => told(faults.join("; ")),
    }
}

/// What an address of no operation, or another method, may answer.
fn anywhere(answer: &Answer) -> Result<(), String> {
    let code = answer.json()["code"].clone();
    match (answer.status, code.as_str()) {
        (404, Some("not_found")) | (405, Some("other_method")) => Ok(()),
        (403, Some("cross_origin")) | (415, Some("encoded")) => Ok(()),
        _ if answer.body.is_empty() && matches!(answer.status, 404 | 405) => Ok(()),
        other => Err(format!("{other:?} at an address that is not documented: {}", answer.text())),
    }
}
