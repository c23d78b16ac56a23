//! A PostgreSQL server of the tests' own: on a Unix socket, in a temporary folder, gone afterwards.
//!
//! All tests of one run share one; each has its own database in it. The programs are in
//! `LAIKA_POSTGRES`, which `cargo xtask test` sets. `initdb` refuses root, so a root run becomes
//! the `postgres` user that Debian's package made.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::folder::Folder;

static SHARED: Mutex<Weak<Server>> = Mutex::new(Weak::new());
static NEXT: AtomicU32 = AtomicU32::new(0);

/// A database of a test's own, and the server that lives at least as long.
#[derive(Debug)]
pub struct Database {
    server: Arc<Server>,
    name: String,
}

#[derive(Debug)]
struct Server {
    bin: PathBuf,
    folder: Folder,
}

impl Database {
    /// A new and empty database.
    pub fn new() -> Self {
        let server = shared();
        let name = format!("laika_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let psql = ["-h", server.socket(), "-U", "postgres", "-qc"];
        let create = format!("CREATE DATABASE {name}");
        server.run("psql", &[&psql[..], &[&create, "postgres"]].concat());
        Self { server, name }
    }

    /// What `DATABASE_URL` takes.
    pub fn url(&self) -> String {
        let socket = self.server.socket().replace('/', "%2F");
        format!("postgres://postgres@{socket}/{}", self.name)
    }
}

impl Default for Database {
    fn default() -> Self {
        Self::new()
    }
}

/// The one that other tests use right now, or a new one.
fn shared() -> Arc<Server> {
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(server) = shared.upgrade() {
        return server;
    }
    let server = Arc::new(Server::start());
    *shared = Arc::downgrade(&server);
    server
}

impl Server {
    fn start() -> Self {
        let bin = std::env::var_os("LAIKA_POSTGRES").map(PathBuf::from);
        let bin = bin.expect("LAIKA_POSTGRES names PostgreSQL's programs; `cargo xtask test` does");
        let server = Self { bin, folder: Folder::new("pg") };
        let own = Command::new("chown").args(["postgres", server.socket()]).status();
        assert!(!is_root() || own.is_ok_and(|it| it.success()), "a folder for postgres");
        let data = server.data();
        let data = data.to_str().expect("a plain path");
        server.run("initdb", &["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "-N"]);
        // As durable as in production: Laika refuses a server that is not.
        let options = format!("-k {} -c listen_addresses=", server.socket());
        let log = server.folder.file("log");
        let log = log.to_str().expect("a plain path");
        server.run("pg_ctl", &["-D", data, "-w", "-l", log, "-o", &options, "start"]);
        server
    }

    fn data(&self) -> PathBuf {
        self.folder.file("data")
    }

    /// The folder with the socket in it.
    fn socket(&self) -> &str {
        self.folder.path().to_str().expect("a plain path")
    }

    fn command(&self, program: &str, args: &[&str]) -> Command {
        let path: &Path = &self.bin.join(program);
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]);
            command.arg(path);
            command
        } else {
            Command::new(path)
        };
        command.args(args).current_dir(self.folder.path());
        // Why: the server would keep our pipes open, and whoever reads them would wait for it.
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    fn run(&self, program: &str, args: &[&str]) {
        let status = self.command(program, args).status();
        assert!(status.is_ok_and(|status| status.success()), "{program} {}", args.join(" "));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let data = self.data();
        let data = data.to_str().unwrap_or_default();
        // It may have been stopped from outside; then there is nothing to stop.
        let _ = self.command("pg_ctl", &["-D", data, "-m", "immediate", "stop"]).status();
    }
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().expect("id runs");
    output.stdout.trim_ascii() == b"0"
}
