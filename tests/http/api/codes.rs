//! Every code of `docs/problems.md` is named by some test: what is promised there is answered.

use std::path::{Path, PathBuf};

const PROBLEMS: &str = include_str!("../../../docs/problems.md");

/// Tests of other APIs, whose codes may be the same words, and what only compares ours with papers.
const OTHERS: [&str; 6] = [
    "tests/support/",
    "tests/carrier/contract.rs",
    "server/src/api/document/",
    "server/src/carrier/",
    "server/src/gateway/",
    "server/src/sandbox/",
];

/// The text of each test of the API, and where it is.
fn tests() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ is in the checkout");
    let mut all = vec![];
    for folder in ["tests/http", "tests/carrier", "tests/chaos", "server/src"] {
        read(root, &root.join(folder), &mut all);
    }
    all
}

fn read(root: &Path, folder: &Path, all: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).expect("a folder of the checkout") {
        let path: PathBuf = entry.expect("an entry").path();
        let name = path.strip_prefix(root).expect("in the checkout").display().to_string();
        if OTHERS.iter().any(|other| name.starts_with(other)) {
            continue;
        }
        if path.is_dir() {
            read(root, &path, all);
        } else if name.ends_with(".rs") {
            let text = std::fs::read_to_string(&path).expect("a source");
            all.extend(of_tests(&name, &text).map(|text| (name, text.to_owned())));
        }
    }
}

/// What of a source is tests.
fn of_tests<'a>(name: &str, text: &'a str) -> Option<&'a str> {
    let is_test = |part: &str| part.trim_end_matches(".rs") == "tests";
    if name.starts_with("tests/") || name.split('/').any(is_test) {
        return Some(text);
    }
    text.split_once("#[cfg(test)]\nmod tests {").map(|(_, tests)| tests)
}

/// Whether a text has a code as a text of its own, perhaps within another.
fn names(text: &str, code: &str) -> bool {
    text.match_indices(code).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + code.len()..]);
        before.ends_with('"') && after.starts_with(['"', '\\'])
    })
}

#[test]
fn every_code_is_named_by_a_test() {
    let tests = tests();
    assert!(tests.len() > 60, "only {} tests were found", tests.len());
    let codes = PROBLEMS.split("\n## `").skip(1).filter_map(|section| section.split('`').next());
    let codes: Vec<&str> = codes.collect();
    assert!(codes.len() > 40, "only {codes:?}");
    let unnamed = |code: &&str| !tests.iter().any(|(_, text)| names(text, code));
    let unnamed: Vec<&str> = codes.into_iter().filter(unnamed).collect();
    assert!(unnamed.is_empty(), "no test is answered with {unnamed:?}: write one");
}
