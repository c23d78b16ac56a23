//! What a machine needs besides cargo, git and a C compiler: one table, and how each gets there.
//!
//! Found where the version fits (on PATH, or in the user's cache folder keyed by version),
//! otherwise installed there or by the system's package manager, saying what and why. What cannot
//! be done is answered with the one command that would do it. `serve` asks only for [`for_app`].

mod find;
mod install;

use std::path::{Path, PathBuf};

use crate::command::Cmd;
use crate::{Failure, Result};

/// One thing a machine needs.
struct Tool {
    name: &'static str,
    version: &'static str,
    why: &'static str,
    find: fn(&Place, &Tool) -> Option<PathBuf>,
    install: fn(&Place, &Tool) -> Result,
    /// What a person can do where we cannot.
    otherwise: &'static str,
}

const TARGET: Tool = Tool {
    name: "wasm32-unknown-unknown",
    version: "",
    why: "compiles the app for the browser",
    find: find::wasm_target,
    install: install::rust_parts,
    otherwise: "rustup target add wasm32-unknown-unknown && rustup component add clippy rustfmt",
};

const TRUNK: Tool = Tool {
    name: "trunk",
    version: "0.21.14",
    why: "builds the app (about 3 minutes, once per user)",
    find: |place, tool| find::cargo_tool(place, tool, "trunk"),
    install: |place, tool| install::cargo_tool(place, tool, "trunk", &["--locked"]),
    otherwise: "cargo install --locked trunk@0.21.14",
};

// Why not `--locked`: the lock file in that package names a version the registry does not have.
const WASM_BINDGEN: Tool = Tool {
    name: "wasm-bindgen",
    version: "0.2.130",
    why: "joins WASM and JavaScript, runs tests in the browser (about 2 minutes, once per user)",
    find: |place, tool| find::cargo_tool(place, tool, "wasm-bindgen-cli"),
    install: |place, tool| install::cargo_tool(place, tool, "wasm-bindgen-cli", &[]),
    otherwise: "cargo install wasm-bindgen-cli@0.2.130",
};

// Why not older: 108, which Debian 12 packages, exports the wrong table; the app does not start.
// And 123 cannot take exports away.
const WASM_OPT: Tool = Tool {
    name: "wasm-opt",
    version: "132 or newer",
    why: "makes the app's module smaller",
    find: find::wasm_opt,
    install: |place, _| {
        install::npm(place)?;
        install::npm_package(place, "binaryen", "132.0.0")
    },
    otherwise: "npm install --global binaryen@132",
};

const NODE: Tool = Tool {
    name: "node",
    version: "20 or newer",
    why: "runs the WASM tests and drives the browser",
    find: find::node,
    install: install::node,
    otherwise: "install Node.js 22 from your system's packages",
};

const CHROMIUM: Tool = Tool {
    name: "chromium",
    version: "",
    why: "the tests use the app in a real browser",
    find: find::chromium,
    install: install::chromium,
    otherwise: "apt-get install chromium chromium-driver",
};

const DRIVER: Tool = Tool {
    name: "chromedriver",
    version: "",
    why: "runs the WASM tests in that browser",
    find: find::chromedriver,
    install: install::chromedriver,
    otherwise: "apt-get install chromium-driver",
};

const FONT: Tool = Tool {
    name: "a Chinese font",
    version: "",
    why: "screenshots in Chinese would be empty boxes",
    find: find::chinese_font,
    install: |place, _| {
        let none = || Err(Failure::new("no package manager we know"));
        install::system_or(place, &["fonts-noto-cjk"], Some("font-noto-sans-cjk"), none)
    },
    otherwise: "apt-get install fonts-noto-cjk",
};

const POSTGRES: Tool = Tool {
    name: "postgresql",
    version: "15 or newer",
    why: "the same tests run on both databases, on a server of their own",
    find: find::postgres,
    install: |place, _| {
        let none = || Err(Failure::new("no package manager we know"));
        install::system_or(place, &["postgresql"], Some("postgresql@17"), none)
    },
    otherwise: "apt-get install postgresql",
};

// A process of its own, under its own licence (GPL-3.0): nothing of it is linked or distributed.
const LOCALSTRIPE: Tool = Tool {
    name: "localstripe",
    version: "1.15.10",
    why: "stands for Stripe in the tests",
    find: find::localstripe,
    install: install::python_package,
    otherwise: "python3 -m venv FOLDER && FOLDER/bin/pip install localstripe==1.15.10",
};

/// Where things are: this checkout, cargo's target folder, the user's cache.
pub(crate) struct Place {
    pub(crate) root: PathBuf,
    pub(crate) target: PathBuf,
    cache: PathBuf,
}

impl Place {
    /// The checkout cargo ran us from, not the one we were compiled in: folders get moved.
    pub(crate) fn find() -> Self {
        let manifest = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let root = manifest
            .and_then(|xtask| xtask.parent().map(Path::to_owned))
            .or_else(|| std::env::current_dir().ok())
            .unwrap_or_default();
        let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
        let target = target.map_or_else(|| root.join("target"), |folder| root.join(folder));
        let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
        let cache = match std::env::var_os("XDG_CACHE_HOME") {
            Some(folder) if Path::new(&folder).is_absolute() => PathBuf::from(folder),
            _ if cfg!(target_os = "macos") => home.join("Library/Caches"),
            _ => home.join(".cache"),
        };
        Self { root, target, cache: cache.join("laika/tools") }
    }

    /// The cache folder of one version of one tool.
    fn cached(&self, name: &str, version: &str) -> PathBuf {
        self.cache.join(format!("{name}-{version}"))
    }

    fn cmd(&self, words: &str) -> Cmd {
        Cmd::new(&self.root, words)
    }
}

/// What only the tests need.
pub(crate) struct TestTools {
    pub(crate) node: PathBuf,
    pub(crate) chromium: PathBuf,
    pub(crate) chromedriver: PathBuf,
    /// The folder with `initdb`, `pg_ctl` and `postgres`.
    pub(crate) postgres: PathBuf,
    pub(crate) localstripe: PathBuf,
}

/// What builds the app: the folders to put on PATH.
pub(crate) fn for_app(place: &Place) -> Result<Vec<PathBuf>> {
    TARGET.ensure(place)?;
    let mut folders = vec![];
    for tool in [TRUNK, WASM_BINDGEN, WASM_OPT] {
        let found = tool.ensure(place)?;
        folders.extend(found.parent().map(Path::to_owned));
    }
    Ok(folders)
}

/// What the tests need besides.
pub(crate) fn for_tests(place: &Place) -> Result<TestTools> {
    let node = NODE.ensure(place)?;
    let chromium = CHROMIUM.ensure(place)?;
    let chromedriver = DRIVER.ensure(place)?;
    FONT.ensure(place)?;
    let postgres = POSTGRES.ensure(place)?;
    let localstripe = LOCALSTRIPE.ensure(place)?;
    Ok(TestTools { node, chromium, chromedriver, postgres, localstripe })
}

/// PostgreSQL alone: the folder with its programs.
pub(crate) fn for_postgres(place: &Place) -> Result<PathBuf> {
    POSTGRES.ensure(place)
}

/// What the benches need.
pub(crate) struct BenchTools {
    /// Folders with what makes a module.
    pub(crate) folders: Vec<PathBuf>,
    pub(crate) node: PathBuf,
    pub(crate) chromium: PathBuf,
}

/// What builds and runs the benches.
pub(crate) fn for_bench(place: &Place) -> Result<BenchTools> {
    let folders = for_app(place)?;
    let node = NODE.ensure(place)?;
    let chromium = CHROMIUM.ensure(place)?;
    Ok(BenchTools { folders, node, chromium })
}

/// Only the compiler's parts: what `check` needs.
pub(crate) fn for_check(place: &Place) -> Result {
    TARGET.ensure(place).map(|_| ())
}

impl Tool {
    /// Where it is, installing it first where it is not.
    fn ensure(&self, place: &Place) -> Result<PathBuf> {
        if let Some(path) = (self.find)(place, self) {
            return Ok(path);
        }
        let full = format!("{} {}", self.name, self.version).trim().to_owned();
        println!("{full} is missing: it {}. Installing it.", self.why);
        let tried = (self.install)(place, self);
        if let Some(path) = (self.find)(place, self) {
            println!("{full} is at {}", path.display());
            return Ok(path);
        }
        let reason = match tried {
            Ok(()) => "it is still not found afterwards".to_owned(),
            Err(failure) => failure.message,
        };
        Err(Failure {
            message: format!("{full} could not be installed: {reason}"),
            repeat: Some(self.otherwise.to_owned()),
        })
    }
}
