//! Laika's own processes: `serve` and `sandbox` until they are killed, the command line at once.
//!
//! The program is `LAIKA_BIN`, which `cargo xtask test` sets, or `LAIKA_FAULTS_BIN`, the same with
//! crash points. Nothing of our own environment but PATH and HOME reaches it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};

use serde_json::Value;

use super::folder::Folder;

/// The program under test.
pub fn program() -> PathBuf {
    let path = std::env::var_os("LAIKA_BIN").map(PathBuf::from);
    path.expect("LAIKA_BIN names the program under test; `cargo xtask test` sets it")
}

/// The program with crash points.
pub fn program_with_crash_points() -> PathBuf {
    let path = std::env::var_os("LAIKA_FAULTS_BIN").map(PathBuf::from);
    path.expect("LAIKA_FAULTS_BIN names the program with crash points; `cargo xtask test` sets it")
}

/// What every process of one test is started with: its program, its folder and its environment.
#[derive(Debug)]
pub struct Place {
    /// Where its files are.
    pub folder: Folder,
    program: PathBuf,
    env: Vec<(String, String)>,
}

impl Place {
    /// A folder with nothing in it yet, SQLite in it, and any free ports.
    pub fn new(name: &str) -> Self {
        let folder = Folder::new(name);
        let database = format!("sqlite:{}", folder.file("laika.db").display());
        let place = Self { folder, program: program(), env: vec![] };
        place
            .with("DATABASE_URL", &database)
            .with("LAIKA_LISTEN", "localhost:0")
            .with("LAIKA_SANDBOX_LISTEN", "127.0.0.1:0")
            .with("LAIKA_USAGE_SECRET", super::usage::SECRET)
    }

    /// With a variable, or with another value for it.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.set(name, value);
        self
    }

    /// Sets a variable for what is started from now on.
    pub fn set(&mut self, name: &str, value: &str) {
        self.env.retain(|(known, _)| known != name);
        self.env.push((name.to_owned(), value.to_owned()));
    }

    /// Takes a variable away from what is started from now on.
    pub fn unset(&mut self, name: &str) {
        self.env.retain(|(known, _)| known != name);
    }

    /// What is started from now on has crash points.
    pub fn has_crash_points(&mut self) {
        self.program = program_with_crash_points();
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(args).current_dir(self.folder.path()).env_clear();
        for name in ["PATH", "HOME"] {
            command.envs(std::env::var_os(name).map(|value| (name, value)));
        }
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs a command to its end, with `input` on its standard input.
    pub fn run_with(&self, args: &[&str], input: &str) -> Ran {
        let mut command = self.command(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program under test starts");
        let mut stdin = child.stdin.take().expect("a pipe to write to");
        let input = input.to_owned();
        let writing = std::thread::spawn(move || {
            // A program may end without having read everything; its answer says why.
            let _ = stdin.write_all(input.as_bytes());
        });
        let output = child.wait_with_output().expect("the program under test ends");
        writing.join().expect("the input was written");
        Ran::of(args, output)
    }

    /// Runs a command to its end.
    pub fn run(&self, args: &[&str]) -> Ran {
        self.run_with(args, "")
    }

    /// Starts `laika serve` or `laika sandbox` and waits until it listens.
    pub fn start(&self, args: &[&str]) -> Process {
        self.try_start(args).unwrap_or_else(|why| panic!("{why}"))
    }

    /// The same, as a supervisor does who starts it again whatever became of it. *Errors*: it ended
    /// before it listened; what it said.
    pub fn try_start(&self, args: &[&str]) -> Result<Process, String> {
        Process::start(self.command(args), self.folder.path())
    }

    /// The same for one that may end before it listens: whatever became of it.
    pub fn launch(&self, args: &[&str]) -> Process {
        Process::launch(self.command(args), self.folder.path()).0
    }

    /// The same with other values for some variables.
    pub fn start_with(&self, args: &[&str], other: &[(&str, &str)]) -> Process {
        let mut command = self.command(args);
        command.envs(other.iter().copied());
        Process::start(command, self.folder.path()).unwrap_or_else(|why| panic!("{why}"))
    }

    /// What its processes have said so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.file("log")).unwrap_or_default()
    }
}

/// What a command did.
#[derive(Debug)]
pub struct Ran {
    /// How it was called.
    pub args: String,
    /// Its exit code.
    pub code: Option<i32>,
    /// What it wrote.
    pub stdout: String,
    /// What it said.
    pub stderr: String,
}

impl Ran {
    fn of(args: &[&str], output: Output) -> Self {
        Self {
            args: args.join(" "),
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Its standard output, a JSON value a line.
    pub fn json_lines(&self) -> Vec<Value> {
        let read = |line: &str| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
        self.stdout.lines().map(read).collect()
    }

    /// Itself, if it ended with that code.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "laika {}: {}{}", self.args, self.stdout, self.stderr);
        self
    }
}

/// A running process, killed at the latest when the test ends.
#[derive(Debug)]
pub struct Process {
    child: Child,
    /// `http://host:port`, as it said itself; nothing where it ended before.
    pub origin: String,
}

impl Process {
    /// Starts it and waits for the first line that it says, or for its end.
    fn launch(mut command: Command, folder: &Path) -> (Self, String) {
        let log = std::fs::File::options().create(true).append(true).open(folder.join("log"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log.expect("a log file"));
        let mut child = command.spawn().expect("the program under test starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("a pipe to read"));
        let mut first = String::new();
        stdout.read_line(&mut first).expect("its first line");
        // Why: a full pipe would stop the process at its next line.
        std::thread::spawn(move || {
            let _ = std::io::copy(&mut stdout, &mut std::io::sink());
        });
        let origin = first.trim().strip_prefix("listening ").unwrap_or_default().to_owned();
        (Self { child, origin }, first)
    }

    fn start(command: Command, folder: &Path) -> Result<Self, String> {
        let (mut process, first) = Self::launch(command, folder);
        if process.origin.is_empty() {
            let status = process.child.wait();
            let log = std::fs::read_to_string(folder.join("log")).unwrap_or_default();
            return Err(format!("it did not listen but said {first:?}: {status:?}\n{log}"));
        }
        Ok(process)
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// `HOST:PORT`, to start it there again.
    pub fn listen(&self) -> &str {
        self.origin.trim_start_matches("http://")
    }

    /// How it ended, if it did so by itself.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a process of ours")
    }

    /// SIGSTOP: it stands still wherever it is, and does not know.
    pub fn pause(&self) {
        self.signal("-STOP");
    }

    /// SIGCONT: it goes on as if no time had passed.
    pub fn resume(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([signal, &pid]).status().expect("kill runs");
        assert!(sent.success(), "kill {signal} {pid}");
    }

    /// `kill -9`: no warning, nothing flushed.
    pub fn kill(mut self) {
        self.end();
    }

    /// SIGTERM, and how it then ended.
    pub fn stop(mut self) -> Option<i32> {
        self.signal("-TERM");
        self.child.wait().expect("it ends").code()
    }

    fn end(&mut self) {
        // It may have ended by itself; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}
