//! Values by their schema: one that fits, the places in it, and what fits at none of them.

use serde_json::{Value, json};

use super::document;

/// The schema that a `$ref` means.
fn resolved(schema: &'static Value) -> &'static Value {
    match schema["$ref"].as_str() {
        Some(place) => resolved(document().pointer(&place[1..]).expect("a schema")),
        None => schema,
    }
}

/// A value that fits: every member of it, the first of several shapes.
pub fn sample(schema: &'static Value) -> Value {
    let schema = resolved(schema);
    for several in ["oneOf", "anyOf", "allOf"] {
        if let Some(first) = schema[several].as_array() {
            return sample(&first[0]);
        }
    }
    if let Some(only) = schema.get("const") {
        return only.clone();
    }
    if let Some(first) = schema["enum"].as_array() {
        return first[0].clone();
    }
    match kind(schema) {
        "object" => {
            let members = schema["properties"].as_object().into_iter().flatten();
            members.map(|(name, schema)| (name.clone(), sample(schema))).collect()
        }
        "array" => json!([sample(&schema["items"])]),
        "integer" => json!(schema["minimum"].as_i64().unwrap_or(0).max(0) + 1),
        "boolean" => json!(true),
        _ => match schema["format"].as_str().or(schema["pattern"].as_str()) {
            Some("date-time") => json!("2026-11-22T10:00:00Z"),
            Some("date") => json!("2027-03-01"),
            Some("^[A-Z]{3}$") => json!("EUR"),
            Some("^[A-Z]{2}$") => json!("ES"),
            Some("^([01][0-9]|2[0-3]):[0-5][0-9]$") => json!("09:30"),
            _ => json!("x"),
        },
    }
}

/// The type, without null.
fn kind(schema: &'static Value) -> &'static str {
    let kind = schema["type"].as_array().map_or(&schema["type"], |kinds| &kinds[0]);
    kind.as_str().unwrap_or("string")
}

/// Every place in a value that fits a schema, with the schema of what stands there.
pub fn places(schema: &'static Value, value: &Value) -> Vec<(String, &'static Value)> {
    let mut found = vec![];
    walk(schema, value, String::new(), &mut found);
    found
}

fn walk(
    schema: &'static Value,
    value: &Value,
    at: String,
    found: &mut Vec<(String, &'static Value)>,
) {
    let schema = resolved(schema);
    for several in ["oneOf", "anyOf"] {
        if let Some(all) = schema[several].as_array() {
            let fits = |one: &&'static Value| super::faults(document(), one, value).is_empty();
            let one = all.iter().find(fits).unwrap_or(&all[0]);
            return walk(one, value, at, found);
        }
    }
    found.push((at.clone(), schema));
    for (name, member) in value.as_object().into_iter().flatten() {
        if let Some(schema) = schema["properties"].get(name) {
            walk(schema, member, format!("{at}/{name}"), found);
        }
    }
    for (number, item) in value.as_array().into_iter().flatten().enumerate() {
        walk(&schema["items"], item, format!("{at}/{number}"), found);
    }
}

/// The value with another one at a place.
pub fn at(value: &Value, place: &str, other: &Value) -> Value {
    let mut changed = value.clone();
    *changed.pointer_mut(place).expect("a place of it") = other.clone();
    changed
}

/// JSON texts that do not fit a schema, whatever else is true.
pub fn wrong(schema: &'static Value) -> Vec<String> {
    let mut all: Vec<String> = vec!["1e400".into(), "NaN".into(), "-".into()];
    let kind = kind(schema);
    for (of, text) in [
        ("object", "{}"),
        ("array", "[]"),
        ("string", "\"x\""),
        ("boolean", "true"),
        ("integer", "7"),
    ] {
        // Why: of an object some need no member, and a list of an object's members is read as one.
        if of != kind && !(kind == "object" && of == "array") {
            all.push(text.into());
        }
    }
    let more: &[&str] = match kind {
        "integer" => &[
            "1.5",
            "1e3",
            "\"7\"",
            "9223372036854775808",
            "-9223372036854775809",
            "18446744073709551616",
            "340282366920938463463374607431768211456",
        ],
        "string" if schema.get("enum").is_some() || schema.get("const").is_some() => {
            &["\"\"", "\"nonsense\"", "\"x\\u0000\"", "\"Ⅸ\""]
        }
        _ => match schema["format"].as_str().or(schema["pattern"].as_str()) {
            Some("date") => &[
                "\"2026-02-30\"",
                "\"2025-02-29\"",
                "\"2026-13-01\"",
                "\"2026-1-1\"",
                "\"0000-00-00\"",
                "\"+12026-01-01\"",
                "\"２０２６-01-01\"",
                "\"2026-01-01 \"",
            ],
            Some("date-time") => &[
                "\"2026-02-30T00:00:00Z\"",
                "\"2026-01-01T24:00:01Z\"",
                "\"2026-01-01T00:00:00\"",
                "\"2026-01-01\"",
                "\"2026-01-01T00:60:00Z\"",
                "\"\"",
            ],
            Some("^[A-Z]{3}$") => {
                &["\"eur\"", "\"EURO\"", "\"ZZZ\"", "\"€\"", "\"EU\\u0000\"", "\"\""]
            }
            Some("^[A-Za-z0-9._-]{1,80}$") => {
                &["\"\"", "\"a b\"", "\"a/b\"", "\"ä\"", "\"a\\u0000\"", "\"a\\r\\nSet-Cookie: x\""]
            }
            Some(_) => &["\"24:00\"", "\"9:30\"", "\"09:60\"", "\"-1:00\""],
            None => &[],
        },
    };
    all.extend(more.iter().map(|text| (*text).to_owned()));
    for (limit, step) in [("minimum", -1_i128), ("maximum", 1)] {
        let value = &schema[limit];
        let value = value.as_i64().map(i128::from).or_else(|| value.as_u64().map(i128::from));
        all.extend(value.map(|value| (value + step).to_string()));
    }
    all
}
