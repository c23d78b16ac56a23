//! `cargo xtask serve`: everything set up and built, then `laika serve` in our place.
//!
//! It needs what builds the app and nothing that only tests need.

use crate::command::Cmd;
use crate::tools::Place;
use crate::{Failure, Result, app, because, tools};

/// Builds both halves and becomes the server; `--release` optimises it, what follows `--` is its.
pub(crate) fn serve(place: &Place, args: &[String]) -> Result {
    let (own, rest) = match args.iter().position(|arg| arg == "--") {
        Some(at) => (&args[..at], &args[at + 1..]),
        None => (args, &[][..]),
    };
    let release = match own {
        [] => false,
        [flag] if flag == "--release" => true,
        _ => {
            return Err(Failure::new("serve takes --release, and the server's arguments after --"));
        }
    };
    app::build(place, &tools::for_app(place)?)?;
    let profile = if release { "release" } else { "dev" };
    Cmd::new(&place.root, &format!("cargo build --package laika-server --profile {profile}"))
        .run()?;
    let binary = place.target.join(if release { "release" } else { "debug" }).join("laika");
    let mut laika = Cmd::at(&place.root, &binary).arg("serve");
    for arg in rest {
        laika = laika.arg(arg);
    }
    become_it(&laika)
}

/// Takes our place, so that Ctrl-C and a supervisor's signals reach the server itself.
#[cfg(unix)]
fn become_it(cmd: &Cmd) -> Result {
    use std::os::unix::process::CommandExt as _;
    let error = cmd.command()?.exec();
    Err(because(cmd.to_string())(error))
}

#[cfg(not(unix))]
fn become_it(cmd: &Cmd) -> Result {
    cmd.run()
}
