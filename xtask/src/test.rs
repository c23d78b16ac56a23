//! The steps of `check` and `test`, in the order that fails soonest.
//!
//! Only names commands; `steps` runs and counts them. App and server are never built in one cargo
//! call, because the features of shared dependencies would be joined.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use crate::command::Cmd;
use crate::steps::Steps;
use crate::tools::{self, Place, TestTools};
use crate::{Result, app, because, licences};

const NATIVE: &str = "-p laika-core -p laika-server -p laika-tests -p xtask";
const WASM: &str = "--target wasm32-unknown-unknown";

/// `cargo xtask check`: a minute's worth, before a commit.
pub(crate) fn check(place: &Place) -> ExitCode {
    let mut steps = Steps::default();
    let outcome = tools::for_check(place).and_then(|()| quick(place, &mut steps, None));
    steps.end(outcome)
}

/// `cargo xtask test`: everything that must hold.
pub(crate) fn test(place: &Place) -> ExitCode {
    let mut steps = Steps::default();
    let outcome = everything(place, &mut steps);
    steps.end(outcome)
}

fn everything(place: &Place, steps: &mut Steps) -> Result {
    let mut wanted = None;
    steps.own("tools", || {
        wanted = Some((tools::for_app(place)?, tools::for_tests(place)?));
        Ok(String::new())
    })?;
    let Some((folders, found)) = wanted else { return Ok(()) };
    quick(place, steps, Some(&found.postgres))?;

    let runner = "wasm-bindgen-test-runner";
    let core = Cmd::new(&place.root, &format!("cargo test -p laika-core {WASM} --test *"))
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", runner)
        // Why: its own limits are for fast machines with nothing else to do.
        .env("WASM_BINDGEN_TEST_TIMEOUT", "300")
        .env("WASM_BINDGEN_TEST_DRIVER_TIMEOUT", "60")
        .path(&folders);
    let node = found.node.parent().map(Path::to_owned);
    steps.tests("core in Node", &core.clone().path(node.as_slice()))?;
    let webdriver = webdriver(place, &found)?;
    steps.tests(
        "core in Chromium",
        &core
            .env("WASM_BINDGEN_USE_BROWSER", "1")
            .env("WASM_BINDGEN_TEST_WEBDRIVER_JSON", webdriver)
            .env("CHROMEDRIVER", found.chromedriver.display().to_string()),
    )?;

    steps.own("app", || app::build_and_weigh(place))?;
    steps.run("server", &Cmd::new(&place.root, "cargo build -p laika-server"))?;
    // Why a program of its own: what is tested everywhere else is what is shipped.
    let faults = "cargo build -p laika-server --features faults --bin laika-faults";
    steps.run("server with crash points", &Cmd::new(&place.root, faults))?;
    steps.own("browser's packages", || packages(place, &found.node))?;
    steps.tests("from outside", &outside(place, &found))?;

    let bench = |words: &str| {
        Cmd::new(&place.root, &format!("cargo {words} --manifest-path tests/bench/Cargo.toml"))
    };
    let fuzz = |words: &str| {
        Cmd::new(&place.root, &format!("cargo {words} --manifest-path tests/fuzz/Cargo.toml"))
    };
    steps.run("bench, format", &bench("fmt --check"))?;
    // Why without its peer: that is long to build, and `cargo xtask bench core` does.
    let lean = bench("test --locked --no-default-features --features parts");
    let lean = lean.arg("--target-dir").arg(place.target.display().to_string());
    steps.tests("bench, without its peer", &lean)?;
    // Why without the search: it needs a C++ compiler, and `cargo xtask fuzz` builds it.
    let lean = fuzz("check --locked --lib --no-default-features").arg("--target-dir");
    steps.run("fuzz", &lean.arg(place.target.display().to_string()))?;

    steps.own("licences", || licences::check(place))?;
    // Why: both are long builds from source; where somebody has them, they run.
    for (name, cmd) in [("deny", "cargo deny --all-features check"), ("typos", "typos")] {
        let cmd = Cmd::new(&place.root, cmd);
        let program = if name == "deny" { "cargo-deny" } else { name };
        if Cmd::new(&place.root, program).arg("--version").read().is_some() {
            steps.run(name, &cmd)?;
        }
    }
    Ok(())
}

/// What `check` and `test` share. It needs no more than the compiler; where there is a PostgreSQL,
/// the store's suite runs on it too.
fn quick(place: &Place, steps: &mut Steps, postgres: Option<&Path>) -> Result {
    let cargo = |words: &str| Cmd::new(&place.root, &format!("cargo {words}"));
    let strict = |words: &str| cargo(words).env("RUSTDOCFLAGS", "-D warnings");
    let browser = format!("-p laika-app -p laika-core {WASM}");
    steps.run("format", &cargo("fmt --all --check"))?;
    steps.run("lints", &cargo(&format!("clippy {NATIVE} --all-targets -- -D warnings")))?;
    steps.run("lints, browser", &cargo(&format!("clippy {browser} -- -D warnings")))?;
    steps.run("docs", &strict(&format!("doc --no-deps --document-private-items {NATIVE}")))?;
    let app_docs = format!("doc --no-deps --document-private-items -p laika-app {WASM}");
    steps.run("docs, browser", &strict(&app_docs))?;
    steps.tests("xtask", &cargo("test -q -p xtask"))?;
    let mut own = cargo("test -p laika-core -p laika-server");
    if let Some(postgres) = postgres {
        own = own.env("LAIKA_POSTGRES", postgres.display().to_string());
    }
    steps.tests("core and server", &own)
}

/// The tests that use Laika as the world does, with what they need to start it.
fn outside(place: &Place, found: &TestTools) -> Cmd {
    let built = |name: &str| place.target.join("debug").join(name).display().to_string();
    Cmd::new(&place.root, "cargo test -p laika-tests")
        .env("LAIKA_BIN", built("laika"))
        .env("LAIKA_FAULTS_BIN", built("laika-faults"))
        .env("LAIKA_NODE", found.node.display().to_string())
        .env("LAIKA_CHROMIUM", found.chromium.display().to_string())
        .env("LAIKA_POSTGRES", found.postgres.display().to_string())
        .env("LAIKA_LOCALSTRIPE", found.localstripe.display().to_string())
}

/// `npm ci` where the lock file is newer than what is installed.
pub(crate) fn packages(place: &Place, node: &Path) -> Result<String> {
    let folder = place.root.join("tests/browser");
    let changed = |name: &str| fs::metadata(folder.join(name)).and_then(|it| it.modified()).ok();
    let installed = changed("node_modules/.package-lock.json");
    if installed.is_some() && installed >= changed("package-lock.json") {
        return Ok("as locked".to_owned());
    }
    let node = node.parent().map(Path::to_owned);
    let words = "npm ci --ignore-scripts --no-audit --no-fund";
    Cmd::new(&folder, words).path(node.as_slice()).run()?;
    Ok("installed".to_owned())
}

/// How the WASM test runner is to start the browser found.
fn webdriver(place: &Place, found: &TestTools) -> Result<String> {
    let file = place.target.join("webdriver.json");
    let args = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ];
    let options = serde_json::json!({
        "goog:chromeOptions": { "binary": found.chromium.display().to_string(), "args": args }
    });
    fs::write(&file, options.to_string())
        .map_err(because(format!("writing {}", file.display())))?;
    Ok(file.display().to_string())
}
