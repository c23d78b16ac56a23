//! The binary `laika` with crash points in it, for tests of a process that dies; see `fault`.

use std::process::ExitCode;

fn main() -> ExitCode {
    laika_server::cli::main(std::env::args_os())
}
