//! Where a tool already is. Looks only; never installs, never changes anything.

use std::path::{Path, PathBuf};

use super::{Place, Tool};
use crate::command::Cmd;

/// The browser's target and the two components, in the toolchain that compiles this checkout.
pub(super) fn wasm_target(place: &Place, _: &Tool) -> Option<PathBuf> {
    let sysroot = PathBuf::from(place.cmd("rustc --print sysroot").read()?);
    let target = sysroot.join("lib/rustlib/wasm32-unknown-unknown/lib");
    let parts = ["bin/cargo-clippy", "bin/rustfmt"].map(|part| sysroot.join(part));
    (target.is_dir() && parts.iter().all(|part| exists(part))).then_some(target)
}

/// On PATH or in the cache, if it says exactly our version.
pub(super) fn cargo_tool(place: &Place, tool: &Tool, package: &str) -> Option<PathBuf> {
    let cached = place.cached(package, tool.version).join("bin").join(tool.name);
    std::iter::once(cached).chain(on_path(tool.name)).find(|program| {
        let said = Cmd::at(&place.root, program).arg("--version").read().unwrap_or_default();
        said.split_whitespace().nth(1) == Some(tool.version)
    })
}

/// Any `wasm-opt` that knows what today's compiler writes; from npm it needs a node on PATH.
pub(super) fn wasm_opt(place: &Place, _: &Tool) -> Option<PathBuf> {
    let cached = place.cached("binaryen", "132.0.0").join("node_modules/.bin/wasm-opt");
    on_path("wasm-opt").chain([cached]).find(|program| number_in_version(place, program) >= 132)
}

/// Node 20 or newer: a test runner's age limit, not ours.
pub(super) fn node(place: &Place, _: &Tool) -> Option<PathBuf> {
    let cached = place.cached("node", "22").join("node_modules/node/bin/node");
    on_path("node").chain([cached]).find(|program| number_in_version(place, program) >= 20)
}

/// Chromium or a browser made of it.
pub(super) fn chromium(place: &Place, _: &Tool) -> Option<PathBuf> {
    let named = ["chromium", "google-chrome", "google-chrome-stable"];
    let apps = ["Google Chrome", "Chromium"]
        .map(|app| PathBuf::from(format!("/Applications/{app}.app/Contents/MacOS/{app}")));
    let own = browsers(place);
    let downloaded = ["chrome", "Google Chrome for Testing", "Chromium"];
    let downloaded = downloaded.iter().filter_map(|name| below(&own, name, 6));
    named.iter().flat_map(|name| on_path(name)).chain(apps).chain(downloaded).find(|program| {
        // Why: Ubuntu has a `chromium` that only says to install something else.
        exists(program) && Cmd::at(&place.root, program).arg("--version").read().is_some()
    })
}

/// Ours alone: what is on PATH may be of any version, and does not say which.
pub(super) fn localstripe(place: &Place, tool: &Tool) -> Option<PathBuf> {
    let program = place.cached(tool.name, tool.version).join("bin").join(tool.name);
    let runs = || Cmd::at(&place.root, &program).arg("--help").read().is_some();
    (exists(&program) && runs()).then_some(program)
}

/// The driver of the browser found.
pub(super) fn chromedriver(place: &Place, _: &Tool) -> Option<PathBuf> {
    on_path("chromedriver").next().or_else(|| below(&browsers(place), "chromedriver", 6))
}

/// Any font with Chinese in it, by name.
pub(super) fn chinese_font(place: &Place, _: &Tool) -> Option<PathBuf> {
    if cfg!(target_os = "macos") {
        return Some(PathBuf::from("/System/Library/Fonts"));
    }
    let listed = place.cmd("fc-list :lang=zh-cn file").read()?;
    let first = listed.lines().next()?.trim_end_matches([':', ' ']);
    Some(PathBuf::from(first))
}

/// The folder of PostgreSQL's own programs. What PATH has may be a wrapper, so it comes last.
pub(super) fn postgres(place: &Place, _: &Tool) -> Option<PathBuf> {
    let homes = ["/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/local/opt"];
    let mut folders: Vec<PathBuf> = homes
        .iter()
        .flat_map(|home| entries(Path::new(home)))
        .map(|folder| folder.join("bin"))
        .filter(|bin| exists(&bin.join("initdb")))
        .collect();
    folders.sort_by_key(|bin| number_in_version(place, &bin.join("postgres")));
    let on_path = on_path("initdb").next().and_then(|it| it.canonicalize().ok());
    let on_path = on_path.and_then(|it| it.parent().map(Path::to_owned));
    folders
        .into_iter()
        .rev()
        .chain(on_path)
        .find(|bin| number_in_version(place, &bin.join("postgres")) >= 15)
}

/// Where browsers are downloaded to, on systems that do not package one.
pub(super) fn browsers(place: &Place) -> PathBuf {
    place.cached("browsers", "1")
}

/// A program's places on PATH, in order.
pub(super) fn on_path(name: &str) -> impl Iterator<Item = PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let name = name.to_owned();
    folders.into_iter().map(move |folder| folder.join(&name)).filter(|program| exists(program))
}

/// The first whole number in what `--version` says; 0 where it says nothing.
pub(super) fn number_in_version(place: &Place, program: &Path) -> u32 {
    if !exists(program) {
        return 0;
    }
    let said = Cmd::at(&place.root, program).arg("--version").read().unwrap_or_default();
    let digits: String =
        said.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or(0)
}

fn exists(path: &Path) -> bool {
    path.is_file()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(list) = std::fs::read_dir(folder) else { return vec![] };
    list.flatten().map(|entry| entry.path()).collect()
}

/// The first file of that name at most `depth` folders down.
fn below(folder: &Path, name: &str, depth: usize) -> Option<PathBuf> {
    let (folders, files): (Vec<_>, Vec<_>) = entries(folder).into_iter().partition(|p| p.is_dir());
    let here = files.into_iter().find(|file| file.file_name().is_some_and(|it| it == name));
    let deeper = || folders.iter().find_map(|folder| below(folder, name, depth.checked_sub(1)?));
    here.or_else(deeper)
}
