//! Builds what is measured: the native side, and the same as a WASM module, once for speed and once
//! with the settings of the app's module, which is what a customer runs.

use std::path::PathBuf;

use crate::Result;
use crate::command::Cmd;
use crate::tools::{BenchTools, Place};

/// What the builds make.
pub(super) struct Built {
    pub(super) native: PathBuf,
    /// A folder with a module built for speed.
    pub(super) quick: PathBuf,
    /// A folder with a module built as the app's is.
    pub(super) small: PathBuf,
}

pub(super) fn build(place: &Place, tools: &BenchTools) -> Result<Built> {
    println!("== building the native side; the peer takes five minutes the first time");
    cargo(place, "--release").run()?;
    println!("== building the module, for speed");
    let quick = module(place, tools, "release")?;
    println!("== building the module, as the app's");
    let small = module(place, tools, "wasm-release")?;
    let whole = small.join("laika_bench_bg.wasm").display().to_string();
    Cmd::new(&place.root, "wasm-opt -Oz")
        .path(&tools.folders)
        .arg(&whole)
        .arg("-o")
        .arg(&whole)
        .run()?;
    Ok(Built { native: place.target.join("release/laika-bench"), quick, small })
}

/// Cargo on `tests/bench`, into the same target folder as everything.
pub(super) fn cargo(place: &Place, flags: &str) -> Cmd {
    let words = "cargo build --locked --manifest-path tests/bench/Cargo.toml --target-dir";
    let cmd = Cmd::new(&place.root, words).arg(place.target.display().to_string());
    flags.split_whitespace().fold(cmd, |cmd, flag| cmd.arg(flag))
}

/// A module that Node and a page can load, without the peer, which is native only.
fn module(place: &Place, tools: &BenchTools, profile: &str) -> Result<PathBuf> {
    let target = "--lib --no-default-features --target wasm32-unknown-unknown --profile";
    cargo(place, &format!("{target} {profile}")).run()?;
    let built = place.target.join(format!("wasm32-unknown-unknown/{profile}/laika_bench.wasm"));
    let folder = place.target.join("xtask-bench").join(profile);
    Cmd::new(&place.root, "wasm-bindgen --target web --no-typescript --out-dir")
        .path(&tools.folders)
        .arg(folder.display().to_string())
        .arg(built.display().to_string())
        .run()?;
    Ok(folder)
}
