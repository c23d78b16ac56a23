//! A PostgreSQL server of the tests' own: on a Unix socket, in a temporary folder, gone afterwards.
//!
//! All tests of one run share one; each has its own database in it. The programs are in
//! `LAIKA_POSTGRES`, which `cargo xtask test` sets. `initdb` refuses root, so a root run becomes
//! the `postgres` user that Debian's package made. A [`Cluster`] is two of them, of which one
//! follows the other, a [`TlsDatabase`] is reached by TLS only.

mod cluster;
mod tls;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use super::folder::Folder;
use super::wait;
pub use cluster::Cluster;
pub use tls::TlsDatabase;

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
    /// What differs from our own environment.
    env: Vec<(&'static str, String)>,
    /// What it is started with besides.
    more: String,
}

impl Database {
    /// A new and empty database.
    pub fn new() -> Self {
        Self::of(shared())
    }

    /// One on a machine of its own, which can go wrong.
    #[cfg(target_os = "linux")]
    pub fn on(machine: &super::machine::Machine) -> Self {
        let mut server = Server::empty("pg");
        server.init();
        server.env = machine.env(Path::new(&server.data()));
        server.begin();
        Self::of(Arc::new(server))
    }

    /// Waits until the server answers, and starts it wherever it has ended. It may still run when
    /// this begins and end in its own recovery, from a write that had failed before.
    pub fn start_again(&self) {
        let data = self.server.data();
        let psql = ["-h", self.server.socket(), "-U", "postgres", "-qc", "SELECT 1", &self.name];
        let ends_well = |program, args: &[&str]| {
            self.server.command(program, args).status().is_ok_and(|it| it.success())
        };
        wait::until("PostgreSQL has recovered", Duration::from_secs(60), || {
            if ends_well("psql", &psql) {
                return Some(());
            }
            if !ends_well("pg_ctl", &["-D", &data, "status"]) {
                self.server.try_begin();
            }
            None
        });
    }

    fn of(server: Arc<Server>) -> Self {
        let name = format!("laika_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        server.ask("postgres", &format!("CREATE DATABASE {name}"));
        Self { server, name }
    }

    /// What the database itself answers: a row a line, cells divided by `|`.
    pub fn ask(&self, sql: &str) -> String {
        self.server.ask(&self.name, sql)
    }

    /// Ends every connection to it: whoever had one has to make a new one.
    pub fn end_connections(&self) {
        let name = &self.name;
        let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname";
        self.server.ask("postgres", &format!("{end} = '{name}'"));
    }

    /// Refuses whoever connects from now on, and ends every connection.
    pub fn refuse(&self) {
        self.server
            .ask("postgres", &format!("ALTER DATABASE {} ALLOW_CONNECTIONS false", self.name));
        self.end_connections();
    }

    /// The folder with the server's socket and its log.
    pub fn folder(&self) -> &Path {
        self.server.folder.path()
    }

    /// What `DATABASE_URL` takes.
    pub fn url(&self) -> String {
        format!("postgres://postgres@{}/{}", self.server.host(), self.name)
    }

    /// Every row of every table but some, in a fixed order.
    pub fn dump(&self, but: &[&str]) -> Vec<String> {
        let but: Vec<String> = but.iter().map(|table| format!("--exclude-table={table}")).collect();
        let mut args = vec!["-h", self.server.socket(), "-U", "postgres"];
        args.extend(["--data-only", "--inserts", &self.name]);
        args.extend(but.iter().map(String::as_str));
        let output = self.server.command("pg_dump", &args).stdout(Stdio::piped()).output();
        let output = output.expect("pg_dump runs");
        assert!(output.status.success(), "pg_dump");
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        // A text with line breaks in it stands over several lines; after a table's last row comes
        // what the next is, or a word that is another each time.
        let row = |text: &str| text.split("\n\n\n--\n").next().unwrap_or_default().to_owned();
        let rows = text.split("\nINSERT INTO ").skip(1).map(row);
        let mut rows: Vec<String> = rows.collect();
        assert!(rows.len() > 10, "there is nothing in it");
        rows.sort();
        rows
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
        let server = Self::empty("pg");
        server.init();
        server.begin();
        server
    }

    /// A folder for a server, and nothing in it yet.
    fn empty(name: &str) -> Self {
        let bin = std::env::var_os("LAIKA_POSTGRES").map(PathBuf::from);
        let bin = bin.expect("LAIKA_POSTGRES names PostgreSQL's programs; `cargo xtask test` does");
        let server = Self { bin, folder: Folder::new(name), env: vec![], more: String::new() };
        own(server.socket());
        server
    }

    /// Makes its data.
    fn init(&self) {
        let data = self.data();
        self.run("initdb", &["-D", &data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "-N"]);
    }

    /// Runs it: as durable as in production, as Laika refuses a server that is not.
    fn begin(&self) {
        assert!(self.try_begin(), "PostgreSQL starts; see {}", self.folder.file("log").display());
    }

    /// Starts it, and says whether it runs then.
    fn try_begin(&self) -> bool {
        let options = format!("-k {} -c listen_addresses= {}", self.socket(), self.more);
        let (data, log) = (self.data(), self.folder.file("log"));
        let log = log.to_str().expect("a plain path");
        let start = ["-D", &data, "-w", "-l", log, "-o", &options, "start"];
        self.command("pg_ctl", &start).status().is_ok_and(|it| it.success())
    }

    /// What it answers.
    fn ask(&self, database: &str, sql: &str) -> String {
        let args = ["-h", self.socket(), "-U", "postgres", "-qAtc", sql, database];
        let output = self.command("psql", &args).stdout(Stdio::piped()).output();
        let output = output.expect("psql runs");
        assert!(output.status.success(), "psql {sql}");
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    fn data(&self) -> String {
        self.folder.file("data").to_str().expect("a plain path").to_owned()
    }

    /// Its socket, as an address has it.
    fn host(&self) -> String {
        self.socket().replace('/', "%2F")
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
        command.args(args).current_dir(self.folder.path()).envs(self.env.iter().cloned());
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
        // It may have been stopped from outside; then there is nothing to stop.
        let stop = ["-D", &*self.data(), "-m", "immediate", "stop"];
        let _ = self.command("pg_ctl", &stop).status();
    }
}

/// Gives a file or a folder to the user that the servers run as.
fn own(path: &str) {
    if is_root() {
        let owned = Command::new("chown").args(["postgres", path]).status();
        assert!(owned.is_ok_and(|it| it.success()), "{path} for postgres");
    }
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().expect("id runs");
    output.stdout.trim_ascii() == b"0"
}
