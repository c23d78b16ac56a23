//! JSON Schemas made from the source of the types. A type that is written by hand, and so cannot be
//! read off its members, stands in `leaf`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use syn::{Fields, GenericArgument, PathArguments, Type};

use super::source::{Found, Shape, Source, Told, docs};

/// The schemas of all types that were asked for, and of those in them.
pub(super) struct Schemas<'a> {
    source: &'a Source,
    pub(super) all: BTreeMap<String, Value>,
    /// The modules that the names came from: no two types may share a name.
    from: BTreeMap<String, String>,
    /// What a request may hold: there, what may be absent need not be sent.
    sent: BTreeSet<String>,
    sending: bool,
}

/// Schemas of the types whose JSON is written by hand.
fn leaf(name: &str) -> Option<Value> {
    let text = |pattern: &str| json!({"type": "string", "pattern": pattern});
    Some(match name {
        "Instant" => json!({"type": "string", "format": "date-time"}),
        "NaiveDate" => json!({"type": "string", "format": "date"}),
        "TimeOfDay" => text("^([01][0-9]|2[0-3]):[0-5][0-9]$"),
        "Currency" => text("^[A-Z]{3}$"),
        "Bytes" => {
            json!({"type": "integer", "minimum": 0, "maximum": laika_core::bytes::Bytes::MAX.get()})
        }
        "AccountId" | "LineId" | "PaymentMethodId" | "RechargeId" | "BucketId"
        | "IdempotencyKey" => text("^[A-Za-z0-9._-]{1,80}$"),
        "String" | "str" | "CodePoint" => json!({"type": "string"}),
        "bool" => json!({"type": "boolean"}),
        "u8" => json!({"type": "integer", "minimum": 0, "maximum": u8::MAX}),
        "u16" => json!({"type": "integer", "minimum": 0, "maximum": u16::MAX}),
        "u32" => json!({"type": "integer", "minimum": 0, "maximum": u32::MAX}),
        "u64" | "usize" => json!({"type": "integer", "minimum": 0}),
        "i32" => json!({"type": "integer", "minimum": i32::MIN, "maximum": i32::MAX}),
        "i64" | "Span" => json!({"type": "integer", "format": "int64"}),
        _ => return None,
    })
}

impl<'a> Schemas<'a> {
    pub(super) fn new(source: &'a Source) -> Self {
        let (all, from) = (BTreeMap::new(), BTreeMap::new());
        Schemas { source, all, from, sent: BTreeSet::new(), sending: false }
    }

    /// The schema of a type by the name that Rust gives it. Those that are sent come first.
    pub(super) fn named(&mut self, name: &str, sending: bool) -> Value {
        self.sending = sending;
        let parsed = syn::parse_str(name).unwrap_or_else(|why| panic!("{name}: {why}"));
        self.of(&parsed, "")
    }

    fn of(&mut self, kind: &Type, module: &str) -> Value {
        let path = match kind {
            Type::Path(it) => &it.path,
            Type::Reference(it) => return self.of(&it.elem, module),
            Type::Array(it) => return json!({"type": "array", "items": self.of(&it.elem, module)}),
            _ => panic!("{module}: no schema for this kind of type"),
        };
        let last = path.segments.last().expect("a name");
        let name = last.ident.to_string();
        let inner: Vec<&Type> = match &last.arguments {
            PathArguments::AngleBracketed(it) => it.args.iter().filter_map(as_type).collect(),
            _ => vec![],
        };
        match (name.as_str(), inner.as_slice()) {
            ("Option", [inner]) => nullable(self.of(inner, module)),
            ("Vec", [inner]) => json!({"type": "array", "items": self.of(inner, module)}),
            ("Box", [inner]) => self.of(inner, module),
            _ => leaf(&name).unwrap_or_else(|| {
                let found = self.source.find(path, module);
                let found = found.unwrap_or_else(|| panic!("{module}: which {name} is meant?"));
                self.refer(&found.clone())
            }),
        }
    }

    /// A reference to a type's schema, which is made the first time.
    fn refer(&mut self, found: &Found) -> Value {
        if let Shape::Alias(kind) = &found.shape {
            return self.of(kind, &found.module);
        }
        let before = self.from.insert(found.name.clone(), found.module.clone());
        assert!(
            before.is_none_or(|module| module == found.module),
            "two types of the API are called {}",
            found.name
        );
        if self.sending {
            self.sent.insert(found.name.clone());
        }
        if !self.all.contains_key(&found.name) {
            self.all.insert(found.name.clone(), Value::Null);
            let mut schema = self.written_out(found);
            describe(&mut schema, &found.docs);
            self.all.insert(found.name.clone(), schema);
        }
        json!({"$ref": format!("#/components/schemas/{}", found.name)})
    }

    /// The schema itself.
    fn written_out(&mut self, found: &Found) -> Value {
        match &found.shape {
            Shape::Fields(fields) => self.fields(fields, found, &found.serde),
            Shape::Variants(variants) => self.variants(variants, found),
            Shape::Alias(kind) => self.of(kind, &found.module),
        }
    }

    /// The members of a struct, or of a variant of an enum.
    fn fields(&mut self, fields: &Fields, found: &Found, told: &Told) -> Value {
        if let Fields::Unnamed(it) = fields {
            let each: Vec<Value> =
                it.unnamed.iter().map(|field| self.of(&field.ty, &found.module)).collect();
            return match each.as_slice() {
                [only] => only.clone(),
                _ => json!({"type": "array", "prefixItems": each, "minItems": each.len(),
                    "maxItems": each.len()}),
            };
        }
        let (mut members, mut required, mut flat) = (Map::new(), vec![], vec![]);
        for field in fields {
            let own = Told::of(&field.attrs);
            if own.has("flatten") {
                flat.push(self.inlined(&field.ty, &found.module));
                continue;
            }
            let name = field.ident.as_ref().expect("a named field").to_string();
            let name = own.text("rename").unwrap_or(&name).to_owned();
            let mut schema = self.of(&field.ty, &found.module);
            let optional = self.sent.contains(&found.name) && is_option(&field.ty);
            let absent =
                told.has("default") || own.has("default") || own.has("skip_serializing_if");
            if !optional && !absent {
                required.push(Value::from(name.clone()));
            }
            describe(&mut schema, &docs(&field.attrs));
            members.insert(name, schema);
        }
        let mut object = json!({"type": "object", "properties": members, "required": required});
        if told.has("deny_unknown_fields") {
            object["additionalProperties"] = json!(false);
        }
        flat.into_iter().fold(object, |object, more| joined(&object, &more))
    }

    /// A type's schema in the place where it is used.
    fn inlined(&mut self, kind: &Type, module: &str) -> Value {
        let Type::Path(it) = kind else { panic!("{module}: flatten of something else") };
        let found = self.source.find(&it.path, module).expect("a type of ours").clone();
        self.written_out(&found)
    }

    fn variants(&mut self, variants: &[syn::Variant], found: &Found) -> Value {
        let told = &found.serde;
        let word = |variant: &syn::Variant| {
            let own = Told::of(&variant.attrs);
            let name = variant.ident.to_string();
            let snake = told.text("rename_all") == Some("snake_case");
            own.text("rename").map_or(if snake { snake_case(&name) } else { name }, str::to_owned)
        };
        let Some(tag) = told.text("tag") else {
            let plain = variants.iter().all(|it| matches!(it.fields, Fields::Unit));
            if plain {
                let words: Vec<String> = variants.iter().map(word).collect();
                return json!({"type": "string", "enum": words});
            }
            panic!("{}: an enum that is tagged from outside", found.name);
        };
        let mut each = vec![];
        for variant in variants {
            let named = object(tag, json!({"type": "string", "const": word(variant)}), true);
            let inside = match (&variant.fields, told.text("content")) {
                (Fields::Unit, _) => json!({"type": "object"}),
                (fields, Some(content)) => {
                    let inner = self.fields(fields, found, &Told::default());
                    object(content, inner, true)
                }
                (Fields::Unnamed(it), None) => self.inlined(&it.unnamed[0].ty, &found.module),
                (fields @ Fields::Named(_), None) => self.fields(fields, found, &Told::default()),
            };
            let mut schema = joined(&named, &inside);
            describe(&mut schema, &docs(&variant.attrs));
            each.push(schema);
        }
        json!({"oneOf": each})
    }
}

fn as_type(argument: &GenericArgument) -> Option<&Type> {
    match argument {
        GenericArgument::Type(kind) => Some(kind),
        _ => None,
    }
}

fn is_option(kind: &Type) -> bool {
    matches!(kind, Type::Path(it) if it.path.segments.last().is_some_and(|it| it.ident == "Option"))
}

fn snake_case(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}

fn object(name: &str, schema: Value, required: bool) -> Value {
    let required = if required { vec![name] } else { vec![] };
    json!({"type": "object", "properties": {name: schema}, "required": required})
}

/// Two objects in one; where either is one of several, the whole is.
fn joined(one: &Value, other: &Value) -> Value {
    for (choice, rest) in [(one, other), (other, one)] {
        if let Some(each) = choice["oneOf"].as_array() {
            let each: Vec<Value> = each
                .iter()
                .map(|choice| {
                    let mut schema = joined(rest, choice);
                    describe(&mut schema, choice["description"].as_str().unwrap_or(""));
                    schema
                })
                .collect();
            return json!({"oneOf": each});
        }
    }
    let mut schema = one.clone();
    for (name, member) in other["properties"].as_object().into_iter().flatten() {
        schema["properties"][name] = member.clone();
    }
    let mut required = one["required"].as_array().cloned().unwrap_or_default();
    required.extend(other["required"].as_array().cloned().unwrap_or_default());
    schema["required"] = json!(required);
    schema
}

fn nullable(mut schema: Value) -> Value {
    match schema.get("type").cloned() {
        Some(kind @ Value::String(_)) if schema.get("enum").is_none() => {
            schema["type"] = json!([kind, "null"]);
            schema
        }
        _ => json!({"anyOf": [schema, {"type": "null"}]}),
    }
}

fn describe(schema: &mut Value, words: &str) {
    if !words.is_empty() {
        schema["description"] = json!(words);
    }
}
