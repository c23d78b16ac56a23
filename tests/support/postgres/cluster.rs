//! Two PostgreSQL servers, of which one follows the other, and commits wait until both have them on
//! their disks; and what an orchestrator does with them when the first dies or is to rest.

use super::Server;
use std::fs::File;
use std::io::Write as _;

const DATABASE: &str = "laika";

/// The servers. The first of the list is the primary at first.
#[derive(Debug)]
pub struct Cluster {
    nodes: [Server; 2],
    /// Which takes writes.
    primary: usize,
}

impl Cluster {
    /// A primary with an empty database, and its standby, which has followed so far.
    pub fn new() -> Self {
        let nodes = [Server::empty("pga"), Server::empty("pgb")];
        let [primary, standby] = &nodes;
        primary.init();
        primary.begin();
        primary.ask("postgres", &format!("CREATE DATABASE {DATABASE}"));
        let copy = ["-h", primary.socket(), "-U", "postgres", "-X", "stream", "-c", "fast"];
        standby.run("pg_basebackup", &[&copy[..], &["-R", "-D", &standby.data()]].concat());
        standby.begin();
        let cluster = Self { nodes, primary: 0 };
        cluster.wait_for_both(0);
        cluster
    }

    /// What `DATABASE_URL` takes: both.
    pub fn url(&self) -> String {
        let hosts = self.nodes.each_ref().map(Server::host).join(",");
        format!("postgres://postgres@{hosts}/{DATABASE}")
    }

    /// The primary crashes and stays away; the standby takes over, alone.
    pub fn lose_primary(&mut self) {
        let (lost, left) = self.sides();
        lost.run("pg_ctl", &["-D", &lost.data(), "-m", "immediate", "stop"]);
        left.set("synchronous_standby_names", "");
        left.run("pg_ctl", &["-D", &left.data(), "-w", "promote"]);
        self.primary = 1 - self.primary;
    }

    /// The primary answers on and refuses whoever connects, as one does whose rules of access an
    /// orchestrator changed; the standby takes over, alone.
    pub fn bar_primary(&mut self) {
        let (barred, left) = self.sides();
        let rules = format!("{}/pg_hba.conf", barred.data());
        std::fs::write(rules, "local all all reject\n").expect("the server's own file");
        barred.run("pg_ctl", &["-D", &barred.data(), "-m", "immediate", "-w", "restart"]);
        left.set("synchronous_standby_names", "");
        left.run("pg_ctl", &["-D", &left.data(), "-w", "promote"]);
        self.primary = 1 - self.primary;
    }

    /// The primary is fenced, stopped, and comes back as the other's standby: it answers, and
    /// takes no writes any more.
    pub fn switch_over(&mut self) {
        let (demoted, promoted) = self.sides();
        demoted.set("default_transaction_read_only", "on");
        demoted.run("pg_ctl", &["-D", &demoted.data(), "-m", "fast", "-w", "stop"]);
        promoted.set("synchronous_standby_names", "");
        promoted.run("pg_ctl", &["-D", &promoted.data(), "-w", "promote"]);
        demoted.write("postgresql.auto.conf", "default_transaction_read_only = 'off'\n");
        let from = format!("host={} user=postgres", promoted.socket());
        demoted.write("postgresql.auto.conf", &format!("primary_conninfo = '{from}'\n"));
        demoted.write("standby.signal", "");
        demoted.begin();
        self.primary = 1 - self.primary;
        self.wait_for_both(self.primary);
    }

    /// The primary, and the other.
    fn sides(&self) -> (&Server, &Server) {
        (&self.nodes[self.primary], &self.nodes[1 - self.primary])
    }

    /// From now on a commit waits until the standby has it too.
    fn wait_for_both(&self, primary: usize) {
        self.nodes[primary].set("synchronous_standby_names", "*");
    }

    /// What the primary answers.
    pub fn ask(&self, sql: &str) -> String {
        self.nodes[self.primary].ask(DATABASE, sql)
    }
}

impl Default for Cluster {
    fn default() -> Self {
        Self::new()
    }
}

impl Server {
    /// Changes a setting while it runs, standby or not.
    fn set(&self, name: &str, value: &str) {
        self.write("postgresql.auto.conf", &format!("{name} = '{value}'\n"));
        self.run("pg_ctl", &["-D", &self.data(), "reload"]);
    }

    /// Adds to a file among its data; one that is not there is made, and is the server's own.
    fn write(&self, name: &str, text: &str) {
        let path = format!("{}/{name}", self.data());
        let file = File::options().create(true).append(true).open(&path);
        file.and_then(|mut file| file.write_all(text.as_bytes())).expect("a file of the server's");
        super::own(&path);
    }
}
