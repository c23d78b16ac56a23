//! How a tool gets onto a machine: rustup, cargo, npm, pip, or the system's package manager.
//!
//! Everything of ours goes into the cache folder; only the system's own packages go anywhere else.
//! Progress is the installer's own. Never downloads anything itself.

use super::{Place, Tool, find};
use crate::command::Cmd;
use crate::{Failure, Result, because};

/// rustup's parts. Where its automatic installation is off, it says nothing and builds fail.
pub(super) fn rust_parts(place: &Place, _: &Tool) -> Result {
    place.cmd("rustup target add wasm32-unknown-unknown").run()?;
    place.cmd("rustup component add clippy rustfmt").run()
}

/// From source into the cache folder, compiled for a short build, not for a fast tool.
pub(super) fn cargo_tool(place: &Place, tool: &Tool, package: &str, flags: &[&str]) -> Result {
    let folder = place.cached(package, tool.version).display().to_string();
    let words = format!("cargo install {package}@{} {}", tool.version, flags.join(" "));
    place
        .cmd(&words)
        .arg("--root")
        .arg(folder)
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
        .run()
}

/// Debian's packages, or Homebrew's; where there is neither (or no right to use it), `other`.
pub(super) fn system_or(
    place: &Place,
    debian: &[&str],
    homebrew: Option<&str>,
    other: impl FnOnce() -> Result,
) -> Result {
    if find::on_path("apt-get").next().is_some() && (is_root(place) || has("sudo")) {
        return apt(place, debian);
    }
    match homebrew {
        Some(name) if has("brew") => place.cmd("brew install").arg(name).run(),
        _ => other(),
    }
}

/// `apt-get update` first: a fresh image has no lists, an old one has stale ones.
fn apt(place: &Place, packages: &[&str]) -> Result {
    let sudo = if is_root(place) { "" } else { "sudo " };
    place.cmd(&format!("{sudo}apt-get update -q")).run()?;
    let words = format!("{sudo}env DEBIAN_FRONTEND=noninteractive apt-get install -q -y");
    packages.iter().fold(place.cmd(&words), |cmd, package| cmd.arg(*package)).run()
}

/// One npm package, at one version, in the cache folder.
pub(super) fn npm_package(place: &Place, name: &str, version: &str) -> Result {
    let folder = place.cached(name, version);
    std::fs::create_dir_all(&folder).map_err(because(format!("making {}", folder.display())))?;
    place
        .cmd(&format!("npm install --no-save --no-audit --no-fund {name}@{version} --prefix"))
        .arg(folder.display().to_string())
        .run()
}

/// A Python package with what it needs, in a virtual environment in the cache folder.
pub(super) fn python_package(place: &Place, tool: &Tool) -> Result {
    // Why both: Debian packages the second apart from the first.
    if place.cmd("python3 -c").arg("import venv, ensurepip").read().is_none() {
        let none = || Err(Failure::new("there is no python3 with venv"));
        system_or(place, &["python3", "python3-venv"], Some("python"), none)?;
    }
    let folder = place.cached(tool.name, tool.version).display().to_string();
    place.cmd("python3 -m venv --clear").arg(folder.as_str()).run()?;
    let package = format!("{}=={}", tool.name, tool.version);
    let words = "-m pip install --quiet --disable-pip-version-check";
    let python = std::path::Path::new(&folder).join("bin/python");
    let pip = words.split(' ').fold(Cmd::at(&place.root, &python), |cmd, word| cmd.arg(word));
    pip.arg(package).run()
}

/// npm from the system, where there is none; it brings a Node of some age along.
pub(super) fn npm(place: &Place) -> Result {
    if has("npm") {
        return Ok(());
    }
    system_or(place, &["nodejs", "npm"], Some("node"), || Err(Failure::new("there is no npm")))
}

/// Node from npm where the system's own is too old.
pub(super) fn node(place: &Place, _: &Tool) -> Result {
    npm(place)?;
    if find::on_path("node").any(|program| find::number_in_version(place, &program) >= 20) {
        return Ok(());
    }
    npm_package(place, "node", "22")
}

/// Debian's package; elsewhere the build that Playwright publishes, with the libraries it needs.
pub(super) fn chromium(place: &Place, _: &Tool) -> Result {
    if is_debian() {
        return system_or(place, &["chromium", "chromium-driver"], None, || {
            Err(Failure::new("apt-get needs root or sudo"))
        });
    }
    place
        .cmd("npx --yes playwright@1.65 install --with-deps chromium")
        .env("PLAYWRIGHT_BROWSERS_PATH", find::browsers(place).display().to_string())
        .run()
}

/// The driver of the same major version as the browser.
pub(super) fn chromedriver(place: &Place, tool: &Tool) -> Result {
    if is_debian() {
        return chromium(place, tool);
    }
    let browser = find::chromium(place, tool).ok_or_else(|| Failure::new("there is no browser"))?;
    let major = find::number_in_version(place, &browser);
    place
        .cmd(&format!("npx --yes @puppeteer/browsers install chromedriver@{major} --path"))
        .arg(find::browsers(place).display().to_string())
        .run()
}

fn is_debian() -> bool {
    let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    release.lines().any(|line| line == "ID=debian")
}

fn is_root(place: &Place) -> bool {
    place.cmd("id -u").read().as_deref() == Some("0")
}

fn has(program: &str) -> bool {
    find::on_path(program).next().is_some()
}
