//! `cargo xtask fuzz [MINUTES]`: searches, by coverage, for input that the rules do not stand. Each
//! target of `core/tests/fuzz.rs` gets the same share of the time and starts from what was kept of
//! it; the smallest set of inputs that reaches as much is kept again, for every run of the tests.
//!
//! It needs a C++ compiler for libFuzzer, and the stable toolchain.

use std::fs;
use std::path::Path;

use crate::command::Cmd;
use crate::tools::Place;
use crate::{Failure, Result, because};

/// What `-Z sanitizer` would switch on without a sanitizer: counters for each branch, and the
/// operands of each comparison.
const COVERAGE: &str = "-Cpasses=sancov-module -Ccodegen-units=1 --cfg fuzzing \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";

/// The longest input, in bytes: some fifty changes of a value.
const LONGEST: &str = "-max_len=256";

/// Searches for so many minutes in all, half an hour unless told.
pub(crate) fn fuzz(place: &Place, args: &[String]) -> Result {
    let minutes = match args.first().map(|word| word.parse::<u64>()) {
        None => 30,
        Some(Ok(minutes)) => minutes,
        Some(Err(_)) => return Err(Failure::new("cargo xtask fuzz for how many minutes?")),
    };
    let search = build(place)?;
    let kept = place.root.join("core/tests/fuzz");
    let mut names: Vec<String> = files(&kept)?
        .iter()
        .filter_map(|(name, _)| name.strip_suffix(".corpus").map(str::to_owned))
        .collect();
    names.sort();
    let seconds = minutes * 60 / names.len().max(1) as u64;
    for name in names {
        println!("\n== {name}: {seconds} s");
        let file = kept.join(format!("{name}.corpus"));
        let (all, few) = (folder(place, &name, "all")?, folder(place, &name, "few")?);
        unpack(&file, &all)?;
        let ask = |options: &str| {
            let cmd = Cmd::at(&place.root, &search).env("LAIKA_FUZZ_TARGET", &*name);
            options.split_whitespace().fold(cmd, |cmd, option| cmd.arg(option)).arg(LONGEST)
        };
        let found = format!("-artifact_prefix={}/", folder(place, &name, "found")?);
        ask(&format!("-max_total_time={seconds} -timeout=20 -verbosity=0 -print_final_stats=1"))
            .arg(found)
            .arg(&*all)
            .run()?;
        ask("-merge=1 -verbosity=0").arg(&*few).arg(&*all).run()?;
        let kept = pack(&few, &file)?;
        println!("== {name}: {kept} inputs kept");
    }
    Ok(())
}

/// Builds it with coverage, for this machine by name, so that build scripts are built without.
fn build(place: &Place) -> Result<std::path::PathBuf> {
    let about = Cmd::new(&place.root, "rustc -vV").read().unwrap_or_default();
    let host = about.lines().find_map(|line| line.strip_prefix("host: "));
    let host = host.ok_or_else(|| Failure::new("`rustc -vV` does not name this machine"))?;
    let target = place.target.join("xtask-fuzz");
    let words = "cargo build --locked --release --manifest-path tests/fuzz/Cargo.toml --target";
    Cmd::new(&place.root, words)
        .arg(host)
        .arg("--target-dir")
        .arg(target.display().to_string())
        .env("RUSTFLAGS", COVERAGE)
        .run()?;
    Ok(target.join(host).join("release/laika-fuzz"))
}

/// An empty folder for a target's inputs.
fn folder(place: &Place, name: &str, what: &str) -> Result<String> {
    let folder = place.target.join("xtask-fuzz").join(name).join(what);
    if what != "found" && folder.exists() {
        fs::remove_dir_all(&folder).map_err(because(folder.display().to_string()))?;
    }
    fs::create_dir_all(&folder).map_err(because(folder.display().to_string()))?;
    Ok(folder.display().to_string())
}

/// The files of a folder: name and content.
fn files(folder: &Path) -> Result<Vec<(String, Vec<u8>)>> {
    let doing = || folder.display().to_string();
    let mut files = vec![];
    for entry in fs::read_dir(folder).map_err(because(doing()))? {
        let entry = entry.map_err(because(doing()))?;
        let content = fs::read(entry.path()).map_err(because(doing()))?;
        files.push((entry.file_name().to_string_lossy().into_owned(), content));
    }
    Ok(files)
}

/// One file for each line of a corpus.
fn unpack(corpus: &Path, folder: &str) -> Result {
    let text = fs::read_to_string(corpus).map_err(because(corpus.display().to_string()))?;
    for (number, line) in text.lines().enumerate() {
        let bytes = bytes(line).ok_or_else(|| Failure::new(format!("{line} is no input")))?;
        let file = Path::new(folder).join(number.to_string());
        fs::write(&file, bytes).map_err(because(file.display().to_string()))?;
    }
    Ok(())
}

/// One line for each file of a folder, the shortest first. How many there are.
fn pack(folder: &str, corpus: &Path) -> Result<usize> {
    let mut lines: Vec<String> = files(Path::new(folder))?
        .into_iter()
        .map(|(_, content)| content.iter().map(|byte| format!("{byte:02x}")).collect())
        .collect();
    lines.sort_by(|one, other| (one.len(), one).cmp(&(other.len(), other)));
    lines.dedup();
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    fs::write(corpus, text).map_err(because(corpus.display().to_string()))?;
    Ok(lines.len())
}

/// What a line of hexadecimal stands for.
fn bytes(line: &str) -> Option<Vec<u8>> {
    let pairs = line.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_corpus_is_unpacked_and_packed_as_it_was() {
        let root = std::env::temp_dir().join(format!("laika-corpus-{}", std::process::id()));
        let folder = root.join("inputs");
        fs::create_dir_all(&folder).expect("a folder");
        let (corpus, again) = (root.join("one"), root.join("two"));
        fs::write(&corpus, "00\n7f\n0aff\n").expect("a file");
        let folder = folder.display().to_string();
        unpack(&corpus, &folder).expect("inputs");
        assert_eq!(pack(&folder, &again).expect("a corpus"), 3);
        let (one, two) = (fs::read(&corpus).expect("one"), fs::read(&again).expect("two"));
        fs::remove_dir_all(&root).expect("gone");
        assert_eq!(one, two);
        assert_eq!(bytes("0g"), None);
    }
}
