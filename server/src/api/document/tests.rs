//! The document is what it would be written as now; the router serves what it lists, and nothing
//! else; and every problem that the sources can answer is documented, and the other way round.

mod codes;
mod schema;
mod source;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::api::{
    self,
    operation::{Caller, Content, Operation},
    problems::{self, Documented},
};
use schema::Schemas;
use source::Source;

const REWRITE: &str = "docs/openapi.json is not what it would be written as now. Write it again:\n\
     LAIKA_REWRITE=1 cargo test -p laika-server document";

/// Problems that any address may answer, whether or not there is an operation.
const ANYWHERE: [&str; 3] = ["not_found", "other_method", "bad_request"];

#[test]
fn the_document_is_what_the_list_and_the_types_say() {
    let mut made = serde_json::to_string_pretty(&document()).expect("JSON");
    made.push('\n');
    if std::env::var_os("LAIKA_REWRITE").is_some() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        std::fs::write(root.join("docs/openapi.json"), &made).expect("the checkout can be written");
        return;
    }
    for (number, (is, should)) in super::TEXT.lines().zip(made.lines()).enumerate() {
        assert_eq!(is, should, "line {}: {REWRITE}", number + 1);
    }
    assert!(super::TEXT == made, "{REWRITE}");
}

fn document() -> Value {
    let source = Source::read(&[("laika_core", "core/src"), ("laika_server", "server/src")]);
    let mut schemas = Schemas::new(&source);
    let operations = api::operations();
    for operation in &operations {
        if let Content::Json(name) = operation.reads {
            schemas.named(name, true);
        }
    }
    let problem = schemas.named("laika_core::api::problem::Problem", false);
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for operation in &operations {
        let method = operation.method.as_str().to_ascii_lowercase();
        let described = described(operation, &mut schemas, &source, &problem);
        let before = paths.entry(operation.path).or_default().insert(method, described);
        assert!(before.is_none(), "{} {} is there twice", operation.method, operation.path);
    }
    schemas.all.insert("UsageEvent".to_owned(), usage_event());
    let cookie = json!({"type": "apiKey", "in": "cookie", "name": api::extract::COOKIE,
        "description": "A session: `POST /api/v1/sessions` sets it."});
    let signed = |header: &str| {
        json!({"type": "apiKey", "in": "header", "name": header, "description":
            "`t=<Unix seconds>,v1=<hex HMAC-SHA-256 of \"t.body\">`, at most 5 minutes old."})
    };
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Laika",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The API of the app, of usage feeds and of webhooks; docs/api.md says \
                how it is used, docs/problems.md what each problem means.",
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": schemas.all,
            "securitySchemes": {
                "session": cookie,
                "Laika-Signature": signed("Laika-Signature"),
                "Stripe-Signature": signed("Stripe-Signature"),
            },
        },
        "x-problems": problems::ALL.iter().map(|problem| (problem.code, json!({
            "status": problem.status, "en": joined(problem.en), "zh-CN": problem.zh_cn,
        }))).collect::<BTreeMap<_, _>>(),
    })
}

fn joined(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// One operation as the document has it.
fn described(
    operation: &Operation,
    schemas: &mut Schemas<'_>,
    source: &Source,
    problem: &Value,
) -> Value {
    let (words, id) = words(operation, source);
    let mut parameters: Vec<Value> = operation
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| {
            json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}})
        })
        .collect();
    if operation.takes_key {
        parameters.push(json!({"name": "Idempotency-Key", "in": "header", "required": true,
            "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,80}$"}}));
    }
    let mut responses = Map::new();
    let done = match content(&operation.answers, schemas, false) {
        Some(content) => json!({"description": "Done.", "content": content}),
        None => json!({"description": "Done."}),
    };
    responses.insert(operation.status.to_string(), done);
    responses.extend(refusals(operation, problem));
    let tag = id.split('.').next().unwrap_or_default().to_owned();
    let mut whole = json!({"operationId": id, "tags": [tag], "summary": words,
    "responses": responses, "security": match operation.caller {
        Caller::Anybody => json!([]),
        Caller::SignedIn => json!([{"session": []}]),
        Caller::Machine(header) => json!([{header: []}]),
    }});
    if !parameters.is_empty() {
        whole["parameters"] = json!(parameters);
    }
    if let Some(content) = content(&operation.reads, schemas, true) {
        whole["requestBody"] = json!({"required": true, "content": content});
    }
    whole
}

/// What the handler's own comment says, without the method and path that it opens with, which must
/// be the operation's; and the handler's short name.
fn words(operation: &Operation, source: &Source) -> (String, String) {
    let docs = source.functions.get(operation.handler);
    let docs = docs.unwrap_or_else(|| panic!("{} is not in the sources", operation.handler));
    let id = operation.handler.trim_start_matches("laika_server::api::").replace("::", ".");
    let path = operation.path.trim_start_matches("/api/v1");
    let opening = format!("`{} {path}`", operation.method);
    let words = match docs.strip_prefix(&opening) {
        Some(rest) => rest.trim_start_matches([':', '.', ',', ' ']).to_owned(),
        None => {
            assert!(!docs.starts_with('`'), "{id} says that it is {docs}, and is {opening}");
            docs.clone()
        }
    };
    assert!(!words.is_empty(), "{id}: what does it do? Say it in the handler's comment.");
    (words, id)
}

/// The problems by their status.
fn refusals(operation: &Operation, problem: &Value) -> BTreeMap<String, Value> {
    let mut by_status: BTreeMap<u16, BTreeSet<&str>> = BTreeMap::new();
    for code in &operation.problems {
        by_status.entry(documented(code).status).or_default().insert(code);
    }
    let each = |(status, codes): (u16, BTreeSet<&str>)| {
        let named: Vec<String> = codes.iter().map(|code| format!("`{code}`")).collect();
        let schema = json!({"allOf": [problem,
            {"type": "object", "properties": {"code": {"type": "string", "enum": codes}}}]});
        let content = json!({"application/problem+json": {"schema": schema}});
        (status.to_string(), json!({"description": named.join(", "), "content": content}))
    };
    by_status.into_iter().map(each).collect()
}

fn documented(code: &str) -> Documented {
    let known = problems::ALL.iter().find(|problem| problem.code == code);
    *known.unwrap_or_else(|| panic!("docs/problems.md has no section for {code}"))
}

fn content(content: &Content, schemas: &mut Schemas<'_>, sent: bool) -> Option<Value> {
    let event = json!({"$ref": "#/components/schemas/UsageEvent"});
    Some(match content {
        Content::Nothing => return None,
        Content::Json(name) => json!({"application/json": {"schema": schemas.named(name, sent)}}),
        Content::Other(kinds, shape) => {
            let schema = |kind: &str| match *shape {
                "text" => json!({"type": "string"}),
                "document" | "event" => json!({"type": "object"}),
                "usage" if kind.contains("batch") => json!({"type": "array", "items": event}),
                "usage" if kind.contains("cloudevents") => event.clone(),
                "usage" => json!({"oneOf": [event, {"type": "array", "items": event}]}),
                other => panic!("no shape is called {other}"),
            };
            let each = |kind: &&str| ((*kind).to_owned(), json!({"schema": schema(kind)}));
            Value::Object(kinds.iter().map(each).collect())
        }
    })
}

/// A usage event, which `flow/usage_event.rs` reads by hand.
fn usage_event() -> Value {
    json!({
        "type": "object",
        "description": "A CloudEvents 1.0 event: so many bytes were used on an eSIM.",
        "properties": {
            "specversion": {"type": "string", "const": "1.0"},
            "type": {"type": "string", "const": crate::flow::usage_event::TYPE},
            "source": {"type": "string", "minLength": 1, "maxLength": 200},
            "id": {"type": "string", "minLength": 1, "maxLength": 200},
            "subject": {"type": "string", "description": "The number of the eSIM."},
            "time": {"type": "string", "format": "date-time"},
            "datacontenttype": {"type": "string"},
            "data": {
                "type": "object",
                "properties": {
                    "bytes": {"type": "integer", "minimum": 0},
                    "country": {"type": ["string", "null"], "pattern": "^[A-Z]{2}$"},
                },
                "required": ["bytes"],
            },
        },
        "required": ["specversion", "type", "source", "id", "subject", "time", "data"],
    })
}

/// The text of each source of the server that is not a test.
fn sources() -> Vec<(String, String)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let is_test = |name: &str| name.split('/').any(|part| part.trim_end_matches(".rs") == "tests");
    source::files(&folder).into_iter().filter(|(name, _)| !is_test(name)).collect()
}

#[test]
fn every_code_in_the_sources_is_documented_and_every_documented_one_is_there() {
    let mut named = BTreeSet::new();
    for (file, text) in sources() {
        let codes = codes::Codes::of(&text);
        // The sandbox is a payment provider of its own, with an API of its own.
        if file.starts_with("sandbox") {
            continue;
        }
        let (makes, mut found) = (file == "error.rs", codes.named);
        assert!(makes || codes.elsewhere.is_empty(), "{file}: write the code where it is answered");
        found.extend(codes.fields.into_iter().filter(|_| makes));
        named.extend(found.into_iter().map(|code| (code, file.clone())));
    }
    for (code, file) in &named {
        let known = problems::ALL.iter().any(|problem| problem.code == code);
        assert!(known, "{file} answers {code}: docs/problems.md has no section for it");
    }
    let listed: BTreeSet<&str> = operations_problems();
    for problem in problems::ALL.iter() {
        let code = problem.code;
        assert!(named.iter().any(|(named, _)| named == code), "nothing answers {code} any more");
        assert!(
            listed.contains(code) || ANYWHERE.contains(&code),
            "no operation says that it may answer {code}: api.rs"
        );
    }
}

fn operations_problems() -> BTreeSet<&'static str> {
    api::operations().into_iter().flat_map(|operation| operation.problems).collect()
}

#[test]
fn every_problem_says_what_happened_whether_money_moved_and_what_to_do_in_both_languages() {
    let text = include_str!("../../../../docs/problems.md");
    assert_eq!(text.matches("\n## ").count(), problems::ALL.len(), "a section of another shape");
    let codes: Vec<&str> = problems::ALL.iter().map(|problem| problem.code).collect();
    assert!(codes.is_sorted(), "{codes:?}");
    for problem in problems::ALL.iter() {
        let Documented { code, status, en, zh_cn } = *problem;
        assert!((400..600).contains(&status), "{code}");
        assert!(en.contains("money"), "{code}: does money move?");
        assert!(zh_cn.contains("款"), "{code}: 是否扣款？");
        assert!(en.matches(". ").count() + en.matches(".\n").count() >= 2, "{code}: what to do?");
        assert!(zh_cn.matches('。').count() >= 3, "{code}: what to do, in Chinese?");
    }
}
