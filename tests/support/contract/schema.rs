//! JSON Schema, as much of it as the document uses. A word that is not known here is an error, so
//! nothing in the document is passed over.

use serde_json::Value;

/// What of a value is not as its schema says, by place. An object of ours has no other members than
/// the documented ones, although a client must bear more; a problem may have some of its own.
pub fn faults(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut found = vec![];
    let mut checker = Checker { document, open: false, found: &mut found };
    checker.check(schema, value, "");
    found
}

struct Checker<'a> {
    document: &'a Value,
    /// Whether members that are not documented are borne.
    open: bool,
    found: &'a mut Vec<String>,
}

impl Checker<'_> {
    fn fault(&mut self, at: &str, what: impl AsRef<str>) {
        self.found.push(format!("{at}: {}", what.as_ref()));
    }

    /// How many faults a value has by a schema, and which.
    fn tried(&self, schema: &Value, value: &Value, at: &str) -> Vec<String> {
        let mut found = vec![];
        let mut checker = Checker { document: self.document, open: self.open, found: &mut found };
        checker.check(schema, value, at);
        found
    }

    fn check(&mut self, schema: &Value, value: &Value, at: &str) {
        for (word, said) in schema.as_object().expect("a schema is an object") {
            match word.as_str() {
                "description" | "example" | "additionalProperties" => {}
                "$ref" => {
                    let place = said.as_str().and_then(|text| text.strip_prefix('#'));
                    let schema = place.and_then(|place| self.document.pointer(place));
                    self.check(schema.unwrap_or_else(|| panic!("{said} leads nowhere")), value, at);
                }
                "type" => self.kind(said, value, at),
                "const" if said != value => self.fault(at, format!("{value} is not {said}")),
                "enum" if !list(said).contains(value) => {
                    self.fault(at, format!("{value} is none of {said}"));
                }
                "const" | "enum" => {}
                "properties" => self.members(schema, value, at),
                "required" => {
                    for name in list(said).iter().filter_map(Value::as_str) {
                        if value.is_object() && value.get(name).is_none() {
                            self.fault(at, format!("{name} is not there"));
                        }
                    }
                }
                "prefixItems" => {
                    let items = value.as_array().into_iter().flatten();
                    for (number, (schema, item)) in list(said).iter().zip(items).enumerate() {
                        self.check(schema, item, &format!("{at}/{number}"));
                    }
                }
                "items" => {
                    for (number, item) in value.as_array().into_iter().flatten().enumerate() {
                        self.check(said, item, &format!("{at}/{number}"));
                    }
                }
                "allOf" => {
                    let before = std::mem::replace(&mut self.open, true);
                    list(said).iter().for_each(|schema| self.check(schema, value, at));
                    self.open = before;
                }
                "oneOf" | "anyOf" => self.one_of(word == "oneOf", list(said), value, at),
                "minimum" | "maximum" | "minLength" | "maxLength" | "minItems" | "maxItems" => {
                    if !within(word, said, value) {
                        self.fault(at, format!("{value}: {word} {said}"));
                    }
                }
                "pattern" | "format" => {
                    let form = said.as_str().expect("a text");
                    if value.as_str().is_some_and(|text| !is_formed(form, text)) {
                        self.fault(at, format!("{value} is not a {form}"));
                    }
                }
                other => panic!("{at}: the checker does not know {other}"),
            }
        }
    }

    fn kind(&mut self, said: &Value, value: &Value, at: &str) {
        let is = |name: &Value| match name.as_str() {
            Some("object") => value.is_object(),
            Some("array") => value.is_array(),
            Some("string") => value.is_string(),
            Some("boolean") => value.is_boolean(),
            Some("null") => value.is_null(),
            Some("integer") => value.is_i64() || value.is_u64(),
            _ => panic!("{at}: the checker does not know the type {name}"),
        };
        let good = said.as_array().map_or_else(|| is(said), |all| all.iter().any(is));
        if !good {
            self.fault(at, format!("{value} is no {said}"));
        }
    }

    fn members(&mut self, schema: &Value, value: &Value, at: &str) {
        let known = schema["properties"].as_object().expect("properties");
        for (name, member) in value.as_object().into_iter().flatten() {
            match known.get(name) {
                Some(schema) => self.check(schema, member, &format!("{at}/{name}")),
                None if self.open => {}
                None => self.fault(at, format!("{name} is not documented")),
            }
        }
    }

    fn one_of(&mut self, only_one: bool, schemas: &[Value], value: &Value, at: &str) {
        let tried: Vec<_> = schemas.iter().map(|it| self.tried(it, value, at)).collect();
        let good = tried.iter().filter(|faults| faults.is_empty()).count();
        if good == 0 {
            let nearest = tried.into_iter().min_by_key(Vec::len).unwrap_or_default();
            self.found.extend(nearest);
        } else if only_one && good > 1 {
            self.fault(at, format!("{value} is several at once"));
        }
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn within(word: &str, said: &Value, value: &Value) -> bool {
    let number =
        |value: &Value| value.as_i64().map(i128::from).or_else(|| value.as_u64().map(i128::from));
    let limit = number(said).expect("a limit");
    let length = value.as_str().map(|text| text.chars().count() as i128);
    let items = value.as_array().map(|items| items.len() as i128);
    match word {
        "minimum" => number(value).is_none_or(|it| it >= limit),
        "maximum" => number(value).is_none_or(|it| it <= limit),
        "minItems" => items.is_none_or(|it| it >= limit),
        "maxItems" => items.is_none_or(|it| it <= limit),
        "minLength" => length.is_none_or(|it| it >= limit),
        _ => length.is_none_or(|it| it <= limit),
    }
}

/// Whether a text is formed so. The patterns of the document are few, and each stands here.
fn is_formed(form: &str, text: &str) -> bool {
    let id = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    match form {
        "date-time" => laika_core::time::Instant::parse(text).is_some(),
        "date" => laika_core::time::parse_date(text).is_some(),
        "int64" => true,
        "^[A-Za-z0-9._-]{1,80}$" => (1..=80).contains(&text.len()) && text.bytes().all(id),
        "^[A-Z]{3}$" => text.len() == 3 && text.bytes().all(|b| b.is_ascii_uppercase()),
        "^[A-Z]{2}$" => text.len() == 2 && text.bytes().all(|b| b.is_ascii_uppercase()),
        "^([01][0-9]|2[0-3]):[0-5][0-9]$" => {
            let two = |text: &str, end: u32| {
                text.len() == 2
                    && text.bytes().all(|b| b.is_ascii_digit())
                    && text.parse::<u32>().is_ok_and(|number| number < end)
            };
            text.split_once(':').is_some_and(|(hour, minute)| two(hour, 24) && two(minute, 60))
        }
        other => panic!("the checker does not know the form {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::faults;
    use serde_json::json;

    #[test]
    fn the_ruler_sees_what_is_wrong() {
        let document = json!({"s": {"t": {"type": "object", "required": ["a"], "properties": {
            "a": {"type": ["integer", "null"], "minimum": 0, "maximum": 9},
            "b": {"oneOf": [
                {"type": "object", "required": ["k"],
                    "properties": {"k": {"const": "x"}, "n": {"type": "string"}}},
                {"type": "object", "required": ["k"], "properties": {"k": {"const": "y"}}},
            ]},
            "c": {"type": "array", "items": {"type": "string", "format": "date"}},
        }}}});
        let is = |value| faults(&document, &json!({"$ref": "#/s/t"}), &value).len();
        assert_eq!(is(json!({"a": 9, "b": {"k": "x", "n": "m"}, "c": ["2026-02-28"]})), 0);
        assert_eq!(is(json!({"a": null, "b": {"k": "y"}})), 0);
        for wrong in [
            json!({}),
            json!([]),
            json!({"a": 10}),
            json!({"a": -1}),
            json!({"a": "1"}),
            json!({"a": 1.5}),
            json!({"a": 1, "d": 1}),
            json!({"a": 1, "b": {"k": "z"}}),
            json!({"a": 1, "b": {"k": "y", "n": "m"}}),
            json!({"a": 1, "c": ["2026-02-29"]}),
            json!({"a": 1, "c": {}}),
        ] {
            assert!(is(wrong.clone()) > 0, "{wrong}");
        }
    }
}
