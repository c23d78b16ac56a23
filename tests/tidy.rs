//! House rules as ordinary tests: what a file must open with, how long it may be, what must not be
//! in it, and what the rules' crate must not depend on.

use std::path::{Path, PathBuf};
use std::process::Command;

const LINES_MOST: usize = 500;
const COLUMNS_MOST: usize = 100;

/// The checkout.
fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("tests/ is in the checkout").to_owned()
}

/// Every file that git keeps, or would, by its path from the root, with its text.
fn files() -> Vec<(String, String)> {
    let args = ["ls-files", "--cached", "--others", "--exclude-standard"];
    let output = Command::new("git").args(args).current_dir(root()).output().expect("git runs");
    let list = String::from_utf8(output.stdout).expect("plain names");
    let read =
        |name: &str| Some((name.to_owned(), std::fs::read_to_string(root().join(name)).ok()?));
    let files: Vec<_> = list.lines().filter_map(read).collect();
    assert!(files.len() > 20, "git named only {} files", files.len());
    files
}

fn sources() -> Vec<(String, String)> {
    files().into_iter().filter(|(name, _)| name.ends_with(".rs")).collect()
}

fn none(found: &[String], rule: &str) {
    assert!(found.is_empty(), "{rule}:\n  {}", found.join("\n  "));
}

#[test]
fn every_source_file_says_what_it_is() {
    let silent: Vec<String> = sources()
        .into_iter()
        .filter(|(_, text)| !text.starts_with("//! "))
        .map(|(name, _)| name)
        .collect();
    none(&silent, "these files do not open with //!");
}

#[test]
fn no_source_file_is_long_or_wide() {
    let mut found = vec![];
    for (name, text) in sources() {
        let lines = text.lines().count();
        if lines > LINES_MOST {
            found.push(format!("{name}: {lines} lines"));
        }
        for (number, line) in text.lines().enumerate() {
            let columns = line.chars().count();
            // A sentence for people is one string, an address one word: neither is broken.
            if columns > COLUMNS_MOST && !line.contains('"') && !line.contains("https://") {
                found.push(format!("{name}:{}: {columns} columns", number + 1));
            }
        }
    }
    none(&found, "split these by subject");
}

#[test]
fn no_function_is_long() {
    let mut found = vec![];
    for (name, text) in sources() {
        let mut start = None;
        for (number, line) in text.lines().enumerate() {
            let depth = line.len() - line.trim_start().len();
            let opens = line.trim_start().starts_with("fn ") || line.contains(" fn ");
            if opens && !line.trim_start().starts_with("//") && !line.trim_end().ends_with(';') {
                start = Some((number, depth));
            }
            if let Some((from, at)) = start
                && depth == at
                && line.trim() == "}"
            {
                if number - from >= 70 {
                    found.push(format!("{name}:{}: {} lines", from + 1, number - from + 1));
                }
                start = None;
            }
        }
    }
    none(&found, "functions of more than 70 lines");
}

#[test]
fn every_commit_of_money_and_usage_is_a_crash_point() {
    let ours = ["flow/", "worker.rs", "messenger.rs", "api/webhooks.rs", "store/"];
    let mut found = vec![];
    for (name, text) in sources() {
        let Some(path) = name.strip_prefix("server/src/") else { continue };
        // Why these: a try at a password is no money, and a point ends in the one plain commit.
        let other = ["store/throttle.rs", "store.rs"].contains(&path) || path.contains("tests");
        if !ours.iter().any(|it| path.starts_with(it)) || other {
            continue;
        }
        let plain = |line: &&str| line.contains(".commit().await");
        found.extend(text.lines().filter(plain).map(|line| format!("{name}: {}", line.trim())));
    }
    none(&found, "use commit_as, and a name in server/src/fault.rs");
}

#[test]
fn modules_are_named_after_their_subject() {
    let found: Vec<String> =
        sources().into_iter().map(|(name, _)| name).filter(|n| n.ends_with("/mod.rs")).collect();
    none(&found, "x.rs and x/, never mod.rs");
}

#[test]
fn nothing_is_put_off() {
    // Joined here so that this file does not name what it forbids.
    let words = [["TO", "DO"], ["FIX", "ME"]].map(|halves| halves.concat());
    let ignored = ["#[", "ignore"].concat();
    let mut found = vec![];
    for (name, text) in sources() {
        for (number, line) in text.lines().enumerate() {
            if words.iter().any(|word| line.contains(word)) || line.contains(&ignored) {
                found.push(format!("{name}:{}", number + 1));
            }
        }
    }
    none(&found, "done, or left out and said so; never put off");
}

#[test]
fn no_file_knows_the_machine_it_was_written_on() {
    let homes = ["home", "Users", "root", "work"].map(|name| format!("/{name}/"));
    let mut found = vec![];
    for (name, text) in files() {
        for (number, line) in text.lines().enumerate() {
            let absolute = |home: &String| {
                line.match_indices(home.as_str()).any(|(at, _)| {
                    let before = line[..at].chars().next_back();
                    before.is_none_or(|c| " \"'`=(:".contains(c))
                })
            };
            if homes.iter().any(absolute) {
                found.push(format!("{name}:{}", number + 1));
            }
        }
        if name.ends_with("package-lock.json") && text.contains("\"resolved\"") {
            found.push(format!("{name}: names a registry"));
        }
    }
    none(&found, "paths of one machine");
}

#[test]
fn the_rules_reach_nothing_outside_themselves() {
    let tree = ["tree", "--locked", "-p", "laika-core", "-e", "normal", "--prefix", "none"];
    let output = Command::new(env!("CARGO"))
        .args(tree)
        .args(["--target", "wasm32-unknown-unknown", "--format", "{p}"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    let tree = String::from_utf8(output.stdout).expect("plain names");
    assert!(tree.contains("chrono"), "cargo tree said: {tree}");
    let outside = [
        "tokio",
        "mio",
        "socket2",
        "hyper",
        "reqwest",
        "ureq",
        "sqlx",
        "rusqlite",
        "rand",
        "getrandom",
        "js-sys",
        "web-sys",
        "wasm-bindgen",
        "gloo",
        "libc",
        "iana-time-zone",
        "log",
        "tracing",
        "futures",
        "async",
    ];
    let found: Vec<String> = tree
        .lines()
        .filter_map(|line| line.split(' ').next())
        .filter(|name| outside.iter().any(|it| name == it || name.starts_with(&format!("{it}-"))))
        .map(str::to_owned)
        .collect();
    none(&found, "core depends on crates that do I/O, read clocks or draw randomness");
}

#[test]
fn the_rules_name_no_clock_and_no_float() {
    let words =
        ["std::time", "std::net", "std::fs", "std::env", "std::thread", "::now()", "f64", "f32"];
    let mut found = vec![];
    for (name, text) in sources().into_iter().filter(|(name, _)| name.starts_with("core/src/")) {
        // Why: serde asks each format for floats too, and these name them to refuse them.
        let refuses = |line: &str| {
            name.starts_with("core/src/json/") && ["f64", "f32"].iter().any(|it| line.contains(it))
        };
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !refuses(line)) {
            let code = line.split("//").next().unwrap_or_default();
            let word = words.iter().find(|word| code.contains(**word));
            let word = word.copied().or(code.contains("async ").then_some("async"));
            found.extend(word.map(|word| format!("{name}:{}: {word}", number + 1)));
        }
    }
    none(&found, "core is pure");
}
