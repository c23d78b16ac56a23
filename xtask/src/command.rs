//! One way to run another program: shown as a person would type it, run with the tools on its PATH.
//!
//! Every step ends here. It never decides what to run.

use std::fmt::{self, Write as _};
use std::io::{BufRead, BufReader, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::{Failure, Result, because};

/// A program, its arguments and what differs from our own environment.
#[derive(Clone)]
pub(crate) struct Cmd {
    program: String,
    args: Vec<String>,
    env: Vec<(String, String)>,
    /// Folders put before the PATH we were started with.
    path: Vec<PathBuf>,
    dir: PathBuf,
}

impl Cmd {
    /// `words` split at blanks: the program and its first arguments, run in `dir`.
    pub(crate) fn new(dir: &Path, words: &str) -> Self {
        let mut words = words.split_whitespace().map(str::to_owned);
        let program = words.next().unwrap_or_default();
        Self { args: words.collect(), ..Self::at(dir, Path::new(&program)) }
    }

    /// A program by its path, blanks and all, run in `dir`.
    pub(crate) fn at(dir: &Path, program: &Path) -> Self {
        let program = program.display().to_string();
        Self { program, args: vec![], env: vec![], path: vec![], dir: dir.to_owned() }
    }

    /// One more argument, blanks and all.
    pub(crate) fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// One more variable.
    pub(crate) fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.env.push((name.to_owned(), value.into()));
        self
    }

    /// Folders to look for programs in first.
    pub(crate) fn path(mut self, folders: &[PathBuf]) -> Self {
        self.path.extend_from_slice(folders);
        self
    }

    /// Runs it with our own input and output.
    pub(crate) fn run(&self) -> Result {
        let status = self.command()?.status().map_err(because(self.to_string()))?;
        if status.success() { Ok(()) } else { Err(self.failed(&status.to_string())) }
    }

    /// Runs it, shows its standard output as it comes, and hands every line to `each`.
    pub(crate) fn run_reading(&self, mut each: impl FnMut(&str)) -> Result {
        let mut command = self.command()?;
        if std::io::stdout().is_terminal() {
            command.env("CARGO_TERM_COLOR", "always");
        }
        let mut child =
            command.stdout(Stdio::piped()).spawn().map_err(because(self.to_string()))?;
        let stdout = child.stdout.take().ok_or_else(|| Failure::new("no output to read"))?;
        for line in BufReader::new(stdout).split(b'\n') {
            let line = line.map_err(because("reading its output"))?;
            let line = String::from_utf8_lossy(&line);
            println!("{line}");
            each(&line);
        }
        let status = child.wait().map_err(because(self.to_string()))?;
        if status.success() { Ok(()) } else { Err(self.failed(&status.to_string())) }
    }

    /// What it writes to standard output, where it starts and succeeds at all.
    pub(crate) fn read(&self) -> Option<String> {
        let output = self.command().ok()?.stderr(Stdio::null()).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Ready for `std`: with PATH, and without what `cargo run` told *us* about our own crate.
    pub(crate) fn command(&self) -> Result<Command> {
        let mut command = Command::new(&self.program);
        command.args(&self.args).current_dir(&self.dir);
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
                command.env_remove(&name);
            }
        }
        let own = std::env::var_os("PATH").unwrap_or_default();
        let folders = self.path.iter().cloned().chain(std::env::split_paths(&own));
        let path = std::env::join_paths(folders).map_err(because("PATH"))?;
        command.env("PATH", path).envs(self.env.iter().map(|(name, value)| (name, value)));
        Ok(command)
    }

    fn failed(&self, status: &str) -> Failure {
        let message = format!("`{}` ended with {status}", self.program);
        Failure { message, repeat: Some(self.to_string()) }
    }
}

impl fmt::Display for Cmd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        if std::env::current_dir().is_ok_and(|here| here != self.dir) {
            write!(text, "cd {} && ", quoted(&self.dir.display().to_string()))?;
        }
        if !self.path.is_empty() {
            let folders: Vec<String> = self.path.iter().map(|p| p.display().to_string()).collect();
            write!(text, "PATH={}:\"$PATH\" ", quoted(&folders.join(":")))?;
        }
        for (name, value) in &self.env {
            write!(text, "{name}={} ", quoted(value))?;
        }
        text.push_str(&quoted(&self.program));
        for arg in &self.args {
            write!(text, " {}", quoted(arg))?;
        }
        f.write_str(&text)
    }
}

/// For a shell: plain words as they are, everything else in single quotes.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_a_command_as_a_shell_takes_it() {
        let here = std::env::current_dir().expect("a folder to stand in");
        let cmd = Cmd::new(&here, "cargo clippy").arg("two words").env("FLAGS", "-D warnings");
        assert_eq!(cmd.to_string(), "FLAGS='-D warnings' cargo clippy 'two words'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
