//! The source of the types that travel, and of the handlers, read as text: what a type is called,
//! which members it has, what serde was told about them, and what the comment beside each says.

use std::collections::BTreeMap;
use std::path::Path;

use syn::{Attribute, Expr, Fields, Item, Lit, Meta, UseTree};

/// Everything that was read.
pub(super) struct Source {
    types: BTreeMap<String, Vec<Found>>,
    /// What each module calls a name that it uses: module, name, the whole path.
    uses: BTreeMap<(String, String), Vec<String>>,
    /// The comment of every function, by its path.
    pub(super) functions: BTreeMap<String, String>,
}

/// A type.
#[derive(Clone)]
pub(super) struct Found {
    pub(super) module: String,
    pub(super) name: String,
    pub(super) docs: String,
    pub(super) serde: Told,
    pub(super) shape: Shape,
}

#[derive(Clone)]
pub(super) enum Shape {
    Fields(Fields),
    Variants(Vec<syn::Variant>),
    Alias(syn::Type),
}

/// What serde was told of a type, a field or a variant.
#[derive(Clone, Default)]
pub(super) struct Told(BTreeMap<String, Option<String>>);

impl Told {
    pub(super) fn of(attributes: &[Attribute]) -> Told {
        let mut told = BTreeMap::new();
        for attribute in attributes.iter().filter(|it| it.path().is_ident("serde")) {
            let read = attribute.parse_nested_meta(|meta| {
                let name = meta.path.require_ident()?.to_string();
                let value = match meta.value() {
                    Ok(value) => Some(value.parse::<syn::LitStr>()?.value()),
                    Err(_) => None,
                };
                told.insert(name, value);
                Ok(())
            });
            read.expect("serde's own words");
        }
        Told(told)
    }

    pub(super) fn has(&self, word: &str) -> bool {
        self.0.contains_key(word)
    }

    pub(super) fn text(&self, word: &str) -> Option<&str> {
        self.0.get(word)?.as_deref()
    }
}

impl Source {
    /// Reads every file of a folder of the checkout, with the crate's name.
    pub(super) fn read(folders: &[(&str, &str)]) -> Source {
        let mut source =
            Source { types: BTreeMap::new(), uses: BTreeMap::new(), functions: BTreeMap::new() };
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for (name, folder) in folders {
            for (path, text) in files(&root.join(folder)) {
                let within = path.trim_end_matches(".rs").trim_end_matches("lib");
                let module = [name, within].join("/").trim_end_matches('/').replace('/', "::");
                let file = syn::parse_file(&text).unwrap_or_else(|why| panic!("{path}: {why}"));
                file.items.into_iter().for_each(|item| source.keep(&module, item));
            }
        }
        source
    }

    fn keep(&mut self, module: &str, item: Item) {
        let (attributes, name, shape) = match item {
            Item::Struct(it) => (it.attrs, it.ident, Shape::Fields(it.fields)),
            Item::Enum(it) => {
                (it.attrs, it.ident, Shape::Variants(it.variants.into_iter().collect()))
            }
            Item::Type(it) => (it.attrs, it.ident, Shape::Alias(*it.ty)),
            Item::Fn(it) => {
                self.functions.insert(format!("{module}::{}", it.sig.ident), docs(&it.attrs));
                return;
            }
            Item::Use(it) => return self.keep_use(module, &mut vec![], it.tree),
            _ => return,
        };
        let found = Found {
            module: module.to_owned(),
            name: name.to_string(),
            docs: docs(&attributes),
            serde: Told::of(&attributes),
            shape,
        };
        self.types.entry(found.name.clone()).or_default().push(found);
    }

    fn keep_use(&mut self, module: &str, path: &mut Vec<String>, tree: UseTree) {
        match tree {
            UseTree::Path(it) => {
                path.push(it.ident.to_string());
                self.keep_use(module, path, *it.tree);
                path.pop();
            }
            UseTree::Name(it) => {
                self.uses.insert((module.to_owned(), it.ident.to_string()), path.clone());
            }
            UseTree::Group(it) => {
                it.items.into_iter().for_each(|tree| self.keep_use(module, path, tree));
            }
            UseTree::Rename(_) | UseTree::Glob(_) => {}
        }
    }

    /// The type that a path means where it stands.
    pub(super) fn find(&self, path: &syn::Path, module: &str) -> Option<&Found> {
        let segments: Vec<String> = path.segments.iter().map(|it| it.ident.to_string()).collect();
        let (name, before) = segments.split_last()?;
        let known = self.types.get(name)?;
        let exact = |module: &str| known.iter().find(|found| found.module == module);
        if let Some(found) = exact(&before.join("::")).or_else(|| exact(module)) {
            return Some(found);
        }
        if let [only] = known.as_slice() {
            return Some(only);
        }
        let used = self.uses.get(&(module.to_owned(), name.clone()));
        let last = used.and_then(|path| path.last());
        let in_it =
            |found: &&Found| last.is_some_and(|it| found.module.split("::").any(|m| m == it));
        known.iter().find(in_it)
    }
}

/// The comment before something, as one text.
pub(super) fn docs(attributes: &[Attribute]) -> String {
    let line = |attribute: &Attribute| match &attribute.meta {
        Meta::NameValue(it) if it.path.is_ident("doc") => match &it.value {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(text) => Some(text.value()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    };
    let lines: Vec<String> = attributes.iter().filter_map(line).collect();
    let text = lines.join(" ").split_whitespace().collect::<Vec<_>>().join(" ");
    // Links between the sources lead nowhere from the document.
    text.replace("[`", "`").replace("`]", "`").split("](crate").next().unwrap_or("").to_owned()
}

/// Every source below a folder, by its path from there.
pub(super) fn files(folder: &Path) -> Vec<(String, String)> {
    let mut all = vec![];
    let mut waiting = vec![folder.to_owned()];
    while let Some(next) = waiting.pop() {
        for entry in std::fs::read_dir(&next).expect("a folder of the checkout") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let name = path.strip_prefix(folder).expect("below").display().to_string();
                all.push((name, std::fs::read_to_string(&path).expect("a source")));
            }
        }
    }
    all.sort();
    all
}
