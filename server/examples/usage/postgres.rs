//! The engine on PostgreSQL, and pgbench with the same SQL: what the engine sends is taken from the
//! server's own log, text for text, and sent again by as many clients as the engine has writers,
//! each statement prepared once. What is left between the two is ours.

use super::{Answer, scale, world};
use laika_server::flow::ingest::WRITERS;
use laika_tests::support::postgres::Database;
use std::{
    collections::BTreeMap,
    error::Error,
    fmt::Write,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

/// As many as the engine writes groups at once.
const CLIENTS: usize = WRITERS;
/// Before each entry of the log.
const MARK: &str = "@@";

/// A PostgreSQL of the bench's own.
#[derive(Default)]
pub(crate) struct Elsewhere(Option<Database>);

impl Elsewhere {
    fn server(&self) -> Result<&Database, Box<dyn Error>> {
        Ok(self.0.as_ref().ok_or("no PostgreSQL: pg_make first")?)
    }

    /// Its address, without a database.
    fn address(&self) -> Result<PathBuf, Box<dyn Error>> {
        let url = self.server()?.url();
        let (address, _) = url.rsplit_once('/').ok_or("an address")?;
        Ok(PathBuf::from(address))
    }

    /// A database like the one that `make` made.
    fn copy(&self, name: &str) -> Result<(), Box<dyn Error>> {
        let server = self.server()?;
        server.ask(&format!("DROP DATABASE IF EXISTS {name}"));
        server.ask(&format!("CREATE DATABASE {name} TEMPLATE made"));
        server.ask("CHECKPOINT");
        Ok(())
    }

    /// Starts the server and makes the database that every round starts from.
    pub(crate) async fn make(&mut self, lines: usize) -> Answer {
        let server = self.0.insert(Database::new());
        server.ask("CREATE DATABASE made");
        world::make(&self.address()?, lines).await
    }

    /// Counts events while the server logs what it is told, and writes that down for pgbench.
    pub(crate) async fn record(&self, folder: &Path, count: usize, lines: usize) -> Answer {
        self.copy("recorded")?;
        let (server, started) = (self.server()?, Instant::now());
        server.ask(&format!("ALTER SYSTEM SET log_line_prefix = '{MARK}%p '"));
        server.ask("SELECT pg_reload_conf()");
        server.ask("ALTER DATABASE recorded SET log_statement = 'all'");
        world::run(&self.address()?, "recorded", count, lines).await?;
        let log = std::fs::read_to_string(server.folder().join("log"))?;
        let transactions = transactions(&log);
        std::fs::write(folder.join("replay.sql"), script(&transactions))?;
        let statements: usize = transactions.iter().map(Vec::len).sum();
        let said = format!("{statements} statements in {} transactions", transactions.len());
        Ok((started.elapsed(), said))
    }

    /// Counts events over so many lines, in a database of so many.
    pub(crate) async fn scale(&self, count: usize, lines: usize) -> Answer {
        self.copy("scale")?;
        scale::count(&self.address()?, count, lines).await
    }

    /// Counts events through the engine.
    pub(crate) async fn engine(&self, count: usize, lines: usize) -> Answer {
        self.copy("engine")?;
        world::run(&self.address()?, "engine", count, lines).await
    }

    /// Has pgbench send what was recorded, and looks whether as many events are there then.
    pub(crate) fn replay(&self, folder: &Path, count: usize) -> Answer {
        self.copy("replay")?;
        let server = self.server()?;
        let program = std::env::var_os("LAIKA_POSTGRES").ok_or("LAIKA_POSTGRES")?;
        let clients = CLIENTS.to_string();
        let output = Command::new(Path::new(&program).join("pgbench"))
            .args(["-n", "-t", "1", "-j", "2", "-c", &clients, "-U", "postgres", "-h"])
            .arg(server.folder())
            .arg("-f")
            .arg(folder.join("replay.sql"))
            .arg("replay")
            .output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() || said.contains("ERROR") {
            return Err(format!("pgbench: {}", said.chars().take(600).collect::<String>()).into());
        }
        let ask = ["-U", "postgres", "-Atc", "SELECT count(*) FROM inbox", "-h"];
        let psql = Command::new(Path::new(&program).join("psql"))
            .args(ask)
            .arg(server.folder())
            .arg("replay")
            .output()?;
        let kept = String::from_utf8_lossy(&psql.stdout).trim().to_owned();
        if kept != count.to_string() {
            return Err(format!("pgbench kept {kept} of {count} events").into());
        }
        let took = took(&String::from_utf8_lossy(&output.stdout)).ok_or("pgbench says no time")?;
        Ok((took, format!("{count} events")))
    }
}

/// What pgbench took by its own word: without reading its script, and without connecting. Each of
/// its clients sends one of its transactions, which is the client's whole share.
fn took(said: &str) -> Option<Duration> {
    let rate = said.lines().find_map(|line| line.strip_prefix("tps = "))?;
    let rate: f64 = rate.split(' ').next()?.parse().ok()?;
    (rate > 0.0).then(|| Duration::from_secs_f64(CLIENTS as f64 / rate))
}

/// A statement with its bound values, as SQL has them; none where it takes none.
type Told = (String, String);

/// Every transaction that was committed, in the order of their beginnings.
fn transactions(log: &str) -> Vec<Vec<Told>> {
    let mut open: BTreeMap<&str, (usize, Vec<Told>)> = BTreeMap::new();
    let (mut done, mut begun) = (vec![], 0);
    for entry in log.split(MARK) {
        let Some((process, rest)) = entry.split_once(' ') else { continue };
        if let Some(text) = rest.strip_prefix("LOG:  statement: ") {
            let text = text.trim();
            if text.starts_with("BEGIN") {
                begun += 1;
                open.insert(process, (begun, vec![]));
            }
            if let Some((_, told)) = open.get_mut(process) {
                told.push((text.to_owned(), String::new()));
            }
            if text == "COMMIT" {
                done.extend(open.remove(process));
            }
        } else if let Some(text) = rest.strip_prefix("LOG:  execute ") {
            let text = text.split_once(": ").map_or("", |(_, text)| text.trim());
            if let Some((_, told)) = open.get_mut(process) {
                told.push((text.replace("\n\t", "\n"), String::new()));
            }
        } else if let Some(values) = rest.strip_prefix("DETAIL:  ").and_then(parameters)
            && let Some((_, told)) = open.get_mut(process)
            && let Some((_, last)) = told.last_mut()
        {
            *last = values.trim_end().replace("\n\t", "\n");
        }
    }
    done.sort_by_key(|(begun, _)| *begun);
    done.into_iter().map(|(_, told)| told).collect()
}

/// Newer servers begin with a capital.
fn parameters(detail: &str) -> Option<&str> {
    detail.strip_prefix("parameters: ").or_else(|| detail.strip_prefix("Parameters: "))
}

/// What each client of pgbench sends: every statement prepared, then its share of the transactions.
fn script(transactions: &[Vec<Told>]) -> String {
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    for (text, values) in transactions.iter().flatten() {
        let next = names.len();
        if !values.is_empty() {
            names.entry(text).or_insert(next);
        }
    }
    let mut script = String::new();
    for (text, name) in &names {
        let _ = writeln!(script, "PREPARE s{name} AS {text};");
    }
    for client in 0..CLIENTS {
        let word = if client == 0 { "if" } else { "elif" };
        let _ = writeln!(script, "\\{word} :client_id = {client}");
        for (text, values) in transactions.iter().skip(client).step_by(CLIENTS).flatten() {
            let _ = match names.get(text.as_str()) {
                Some(name) => writeln!(script, "EXECUTE s{name}({});", without_names(values)),
                None => writeln!(script, "{text};"),
            };
        }
    }
    script + "\\endif\n"
}

/// `$1 = 'a', $2 = NULL` as `'a', NULL`.
fn without_names(values: &str) -> String {
    let (mut plain, mut quoted, mut rest) = (String::new(), false, values);
    while let Some(c) = rest.chars().next() {
        if !quoted
            && c == '$'
            && let Some((_, after)) = rest.split_once(" = ")
        {
            rest = after;
            continue;
        }
        quoted ^= c == '\'';
        plain.push(c);
        rest = &rest[c.len_utf8()..];
    }
    plain
}
