//! Finds our SQL: the migrations, and every string of the server's sources that is a statement.
//! Tests of the server and its simulator are left out, and what is SQLite's alone.

use std::path::{Path, PathBuf};

/// Words that a statement begins with.
const VERBS: [&str; 13] = [
    "SELECT ",
    "INSERT ",
    "UPDATE ",
    "DELETE ",
    "CREATE ",
    "ALTER ",
    "DROP ",
    "WITH ",
    "LOCK ",
    "LISTEN ",
    "NOTIFY ",
    "BEGIN ", // And what one ends with that is put together.
    "FOR UPDATE",
];
/// What only SQLite is told.
const OF_SQLITE: [&str; 3] = ["BEGIN DEFERRED", "BEGIN IMMEDIATE", "SELECT sqlite_version()"];

/// A statement, and where it stands: file and function.
pub(super) struct Statement {
    pub(super) subject: String,
    pub(super) text: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the checkout").to_owned()
}

/// A file of the checkout.
pub(super) fn file(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap_or_else(|why| panic!("{name}: {why}"))
}

/// Every migration, by name, in the order of the names.
pub(super) fn migrations() -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = files(&root().join("server/migrations"))
        .into_iter()
        .map(|path| (name(&path), std::fs::read_to_string(&path).expect("a file")))
        .collect();
    all.sort();
    all
}

/// Every statement of the server.
pub(super) fn statements() -> Vec<Statement> {
    let folder = root().join("server/src");
    let mut all = vec![];
    for path in files(&folder) {
        let inside = path.strip_prefix(&folder).expect("inside").display().to_string();
        let of_tests = inside.contains("tests") || inside.starts_with("simulator");
        if !inside.ends_with(".rs") || of_tests {
            continue;
        }
        let source = std::fs::read_to_string(&path).expect("a file");
        let source = source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        all.extend(strings(source).into_iter().filter_map(|(function, text)| {
            let text = text.trim();
            let ours = VERBS.iter().any(|verb| text.starts_with(verb));
            (ours && !OF_SQLITE.contains(&text)).then(|| Statement {
                subject: format!("{inside}: {function}"),
                text: text.to_owned(),
            })
        }));
    }
    all
}

fn name(path: &Path) -> String {
    path.file_name().expect("a name").to_string_lossy().into_owned()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = vec![];
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            all.extend(files(&path));
        } else {
            all.push(path);
        }
    }
    all.sort();
    all
}

/// Every string literal of a source, with the function that it stands in.
fn strings(source: &str) -> Vec<(String, String)> {
    let (mut all, mut function, mut rest) = (vec![], String::new(), source);
    while let Some(at) = rest.find(['"', '\'', '/', 'f']) {
        let (before, from) = rest.split_at(at);
        let word = before.chars().next_back().is_none_or(|c| !c.is_alphanumeric() && c != '_');
        if from.starts_with("//") {
            rest = from.split_once('\n').map_or("", |(_, rest)| rest);
        } else if let Some(name) = from.strip_prefix("fn ").filter(|_| word) {
            let end = name.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(name.len());
            function = name[..end].to_owned();
            rest = &name[end..];
        } else if from.starts_with("'\"'") || from.starts_with("'\\'") {
            rest = &from[from.len().min(4)..];
        } else if let Some(inside) = from.strip_prefix('"') {
            let end = end_of(inside);
            all.push((function.clone(), unescaped(&inside[..end])));
            rest = &inside[(end + 1).min(inside.len())..];
        } else {
            rest = &from[1..];
        }
    }
    all
}

/// Where a literal ends, whose opening quote is behind us.
fn end_of(inside: &str) -> usize {
    let mut escaped = false;
    let end = inside.char_indices().find(|(_, c)| {
        let ends = *c == '"' && !escaped;
        escaped = *c == '\\' && !escaped;
        ends
    });
    end.map_or(inside.len(), |(at, _)| at)
}

/// A literal as the program has it: lines that go on are joined.
fn unescaped(text: &str) -> String {
    let mut lines = text.split("\\\n");
    let first = lines.next().unwrap_or_default().to_owned();
    let joined = lines.fold(first, |all, line| all + line.trim_start());
    joined.replace("\\\"", "\"")
}
