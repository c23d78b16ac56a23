//! The browser's half: Trunk builds it into `dist/`, then it is compressed and weighed.
//!
//! The server embeds `dist/` and sends `x.br` for `x`. Nothing is built twice: a fingerprint of
//! every input stands in the target folder, and the same inputs leave `dist/` alone.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use crate::command::Cmd;
use crate::tools::{self, Place};
use crate::{Failure, Result, because};

/// Whatever a first visit loads, in brotli's bytes (1 KB is 1,000).
const FIRST_LOAD_MOST_BYTES: u64 = 250_000;

/// Icons for a home screen: nobody loads them on a visit, so they are shown and not counted.
const ON_INSTALL: &str = "(on install)";

/// What the app is made of. A folder means everything in it.
const INPUTS: [&str; 9] = [
    "app",
    "core/src",
    "core/Cargo.toml",
    "style",
    "public",
    "Trunk.toml",
    "Cargo.toml",
    "Cargo.lock",
    "rust-toolchain.toml",
];

/// Builds `dist/`, unless it already is what these inputs give.
pub(crate) fn build(place: &Place, folders: &[PathBuf]) -> Result {
    let stamp = place.target.join("xtask-app");
    let fingerprint = fingerprint(place, folders)?;
    let dist = place.root.join("dist");
    if fs::read_to_string(&stamp).is_ok_and(|known| known == fingerprint)
        && dist.join("index.html").is_file()
    {
        return Ok(());
    }
    let root = &place.root;
    // Why: Trunk told to stay offline uses the tools we found, and downloads none of its own.
    Cmd::new(root, "cargo fetch --locked --quiet").run()?;
    Cmd::new(root, "trunk build --release --offline --skip-version-check")
        // Why: its minifier does not read wasm-bindgen's modules and says so at every build.
        .env("RUST_LOG", "info,trunk::processing::minify=error")
        .path(folders)
        .run()?;
    compress(&dist)?;
    fs::create_dir_all(&place.target)
        .and_then(|()| fs::write(&stamp, fingerprint))
        .map_err(because(format!("writing {}", stamp.display())))
}

/// `cargo xtask app`, and a step of `test`.
pub(crate) fn build_and_weigh(place: &Place) -> Result<String> {
    build(place, &tools::for_app(place)?)?;
    weigh(&place.root.join("dist"))
}

/// Every part's size as it is sent; too much together is a failure.
fn weigh(dist: &Path) -> Result<String> {
    let mut parts: BTreeMap<&str, u64> = BTreeMap::new();
    for file in files(dist)? {
        if ends(&file, "br") {
            continue;
        }
        let sent = with_br(&file);
        let sent = if sent.is_file() { sent } else { file.clone() };
        let size = fs::metadata(&sent).map_err(because(sent.display().to_string()))?.len();
        *parts.entry(part(&file)).or_default() += size;
    }
    let total: u64 = parts.iter().filter(|(part, _)| **part != ON_INSTALL).map(|(_, it)| it).sum();
    for (part, size) in &parts {
        println!("{part:<12} {:>7.1} KB", *size as f64 / 1000.0);
    }
    let said = format!(
        "first load {:.1} KB of {} KB, brotli",
        total as f64 / 1000.0,
        FIRST_LOAD_MOST_BYTES / 1000
    );
    if total > FIRST_LOAD_MOST_BYTES { Err(Failure::new(said)) } else { Ok(said) }
}

fn part(file: &Path) -> &'static str {
    match file.extension().and_then(|it| it.to_str()) {
        Some("html") => "page",
        Some("wasm") => "module",
        Some("js") => "scripts",
        Some("css") => "style",
        Some("svg") => "pictures",
        Some("png") => ON_INSTALL,
        _ => "other",
    }
}

/// `x.br` beside every `x` that gets smaller, at brotli's best.
fn compress(dist: &Path) -> Result {
    for file in files(dist)? {
        if ["br", "png", "ico", "webp"].iter().any(|known| ends(&file, known)) {
            continue;
        }
        let plain = fs::read(&file).map_err(because(format!("reading {}", file.display())))?;
        let small = smallest(&plain).map_err(because(format!("compressing {}", file.display())))?;
        if small.len() < plain.len() {
            let to = with_br(&file);
            fs::write(&to, small).map_err(because(format!("writing {}", to.display())))?;
        }
    }
    Ok(())
}

/// Brotli at its best. How it cuts its input into blocks is luck, a hundredth on the module:
/// several cuts are tried, and one is kept.
fn smallest(plain: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut smallest = vec![];
    for lgblock in [0, 16, 17, 20] {
        let how = brotli::enc::BrotliEncoderParams { quality: 11, lgblock, ..Default::default() };
        let mut small = vec![];
        brotli::BrotliCompress(&mut &*plain, &mut small, &how)?;
        if smallest.is_empty() || small.len() < smallest.len() {
            smallest = small;
        }
    }
    Ok(smallest)
}

fn with_br(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".br");
    PathBuf::from(name)
}

fn ends(file: &Path, extension: &str) -> bool {
    file.extension().is_some_and(|it| it == extension)
}

/// Names and contents of everything the app is made of, and the tools that make it.
fn fingerprint(place: &Place, folders: &[PathBuf]) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    folders.hash(&mut hasher);
    for input in INPUTS {
        for file in files(&place.root.join(input))? {
            file.strip_prefix(&place.root).unwrap_or(&file).hash(&mut hasher);
            let text = fs::read(&file).map_err(because(format!("reading {}", file.display())))?;
            text.hash(&mut hasher);
        }
    }
    Ok(format!("{:016x}", hasher.finish()))
}

/// All files of a folder, sorted; a file is itself; what is not there is nothing.
fn files(path: &Path) -> Result<Vec<PathBuf>> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    if !path.is_dir() {
        return Ok(vec![]);
    }
    let mut found = vec![];
    for entry in fs::read_dir(path).map_err(because(path.display().to_string()))? {
        let entry = entry.map_err(because(path.display().to_string()))?;
        found.extend(files(&entry.path())?);
    }
    found.sort();
    Ok(found)
}
