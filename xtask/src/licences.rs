//! Every dependency's licence against a list, from `cargo metadata` alone.
//!
//! An expression passes if we can meet it: one side of every OR, both sides of every AND.
//! `deny.toml` has the same list, for where cargo-deny is installed.

use std::iter::Peekable;

use serde_json::Value;

use crate::command::Cmd;
use crate::tools::Place;
use crate::{Failure, Result, because};

/// What may be linked into an MIT OR Apache-2.0 program without changing that.
const ALLOWED: [&str; 13] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// A step of `test`: names every package whose licence is not on the list.
pub(crate) fn check(place: &Place) -> Result<String> {
    let cmd = Cmd::new(&place.root, "cargo metadata --format-version 1 --locked");
    let text = cmd.read().ok_or_else(|| Failure {
        message: "cargo metadata failed".to_owned(),
        repeat: Some(cmd.to_string()),
    })?;
    let metadata: Value = serde_json::from_str(&text).map_err(because("reading cargo metadata"))?;
    let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let refused: Vec<String> = packages
        .iter()
        .filter(|package| !package["license"].as_str().is_some_and(allowed))
        .map(|package| {
            format!("{} {} ({})", package["name"], package["version"], package["license"])
        })
        .collect();
    if refused.is_empty() {
        return Ok(format!("{} packages", packages.len()));
    }
    Err(Failure::new(format!("licences not on the list: {}", refused.join(", "))))
}

/// Whether the list meets an SPDX expression (`/` is how old packages wrote OR).
fn allowed(expression: &str) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut words = words.into_iter().peekable();
    any(&mut words) && words.next().is_none()
}

/// `all OR all OR …`. Both sides are always read: a `||` would leave words behind.
fn any<'a>(words: &mut Peekable<impl Iterator<Item = &'a str>>) -> bool {
    let mut met = all(words);
    while words.next_if_eq(&"OR").is_some() {
        met |= all(words);
    }
    met
}

/// `one AND one AND …`.
fn all<'a>(words: &mut Peekable<impl Iterator<Item = &'a str>>) -> bool {
    let mut met = one(words);
    while words.next_if_eq(&"AND").is_some() {
        met &= one(words);
    }
    met
}

/// A licence, with its exception if it has one, or a whole expression in brackets.
fn one<'a>(words: &mut Peekable<impl Iterator<Item = &'a str>>) -> bool {
    match words.next() {
        Some("(") => any(words) && words.next() == Some(")"),
        Some(name) if words.next_if_eq(&"WITH").is_some() => {
            let exception = words.next().unwrap_or_default();
            ALLOWED.contains(&format!("{name} WITH {exception}").as_str())
        }
        Some(name) => ALLOWED.contains(&name),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::allowed;

    #[test]
    fn reads_expressions_as_spdx_means_them() {
        assert!(allowed("MIT OR GPL-3.0"));
        assert!(allowed("MIT/Apache-2.0"));
        assert!(allowed("(GPL-3.0 OR MIT) AND Unicode-3.0"));
        assert!(allowed("Apache-2.0 WITH LLVM-exception OR GPL-2.0"));
        assert!(!allowed("MIT AND GPL-3.0"));
        assert!(!allowed("Apache-2.0 WITH Made-up-exception"));
        assert!(!allowed(""));
        assert!(!allowed("(MIT"));
    }
}
