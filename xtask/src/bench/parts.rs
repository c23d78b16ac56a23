//! What the rules cost in the app's module, by part. The module is built once more as Trunk builds
//! it, with everything kept that tells what belongs to whom; `tests/bench/parts` takes it apart.

use super::figure::{Figure, Goal};
use super::module;
use crate::command::Cmd;
use crate::tools::{BenchTools, Place};
use crate::{Failure, Result};

/// Names with generic arguments, so that each function tells whose types it was made for; and the
/// linker's relocations, which tell who uses which data.
const KEPT: &str = r#"target.wasm32-unknown-unknown.rustflags=["-Csymbol-mangling-version=v0", "-Clink-arg=--emit-relocs"]"#;

/// Builds it, prints the table, and judges the sum.
pub(super) fn weigh(place: &Place, tools: &BenchTools) -> Result<Vec<Figure>> {
    let folder = place.target.join("xtask-bench/app");
    let path = |name: &str| folder.join(name).display().to_string();
    let build = "cargo build --locked -p laika-app --profile wasm-release";
    Cmd::new(&place.root, &format!("{build} --target wasm32-unknown-unknown --target-dir"))
        .arg(folder.display().to_string())
        .arg("--config")
        .arg(KEPT)
        .arg("--config")
        .arg("profile.wasm-release.debug=1")
        .run()?;
    let linked = path("wasm32-unknown-unknown/wasm-release/laika-app.wasm");
    let features = "--release --no-default-features --features parts --bin laika-parts";
    module::cargo(place, features).run()?;
    let parts = |word: &str| {
        Cmd::at(&place.root, &place.target.join("release/laika-parts")).arg(word).arg(&linked)
    };
    parts("strip").arg(path("laika-app.wasm")).run()?;
    let bind = "wasm-bindgen --target web --no-typescript --keep-debug --no-demangle --out-dir";
    let bind = Cmd::new(&place.root, bind).path(&tools.folders);
    bind.arg(path("bound")).arg(path("laika-app.wasm")).run()?;
    let shipped = path("shipped.wasm");
    let smaller = Cmd::new(&place.root, "wasm-opt -Oz -g").path(&tools.folders);
    smaller.arg(path("bound/laika-app_bg.wasm")).arg("-o").arg(&shipped).run()?;

    let mut lines = vec![];
    parts("weigh").arg(shipped).run_reading(|line| lines.push(line.to_owned()))?;
    let figure = |line: &str, goal| {
        let said = lines.iter().find(|it| it.starts_with(line));
        let bytes = said.and_then(|it| it.split_whitespace().last()?.parse::<f64>().ok());
        let bytes = bytes.ok_or_else(|| Failure::new(format!("the parts did not say: {line}")))?;
        Ok(Figure::new(format!("{line}, in the app's module, brotli"), bytes / 1e3, "KB", goal))
    };
    Ok(vec![
        figure("core itself", Goal::AtMost(60.0))?,
        figure("core and what it brings", Goal::None)?,
        figure("the whole module", Goal::None)?,
    ])
}
