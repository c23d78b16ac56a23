//! The customers, the sandbox that lives on, and the server that is killed and started again.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

use laika_core::recharge::Status;
use laika_tests::support::customer::Customer;
use laika_tests::support::hooks::Hooks;
use laika_tests::support::http::Request;
use laika_tests::support::laika::{Place, Process, Ran};
use laika_tests::support::postgres::Database;
use laika_tests::support::proxy::Proxy;
use laika_tests::support::wait;
use serde_json::{Value, json};

/// What a line of a new customer starts with.
pub(super) const DATA_AT_FIRST: u64 = 10_000_000_000;
/// The shortest pause between two automatic recharges of one line.
const COOL_DOWN: Duration = Duration::from_secs(30 * 60);
/// The names of what a process dies at, and where.
const CRASH_AT: &str = "LAIKA_CRASH_AT";
const SIGABRT: i32 = 6;

/// What a town stands on.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ground {
    pub(super) on_postgres: bool,
    /// The provider does not get to see idempotency keys.
    pub(super) keys_taken_away: bool,
    /// The program with crash points.
    pub(super) crash_points: bool,
    /// The provider's webhooks are taken by somebody else.
    pub(super) webhooks_lost: bool,
}

/// Everybody there is.
pub(super) struct Town {
    pub(super) place: Place,
    pub(super) customers: Vec<Customer>,
    /// Where usage goes; the same in every life of the server.
    pub(super) origin: String,
    server: Option<Process>,
    sandbox: Process,
    /// The network between the two.
    pub(super) proxy: Proxy,
    /// Where webhooks go when they do not go to the server.
    pub(super) hooks: Option<Hooks>,
    pub(super) database: Option<Database>,
}

impl Town {
    /// The sandbox and a server, and so many customers with a card and a rule that is on.
    pub(super) fn found(name: &str, customers: u32, ground: Ground) -> Self {
        let database = ground.on_postgres.then(Database::new);
        Self::found_beside(database, name, customers, ground)
    }

    /// The same on a PostgreSQL that is there, or on a SQLite file.
    pub(super) fn found_beside(
        database: Option<Database>,
        name: &str,
        customers: u32,
        ground: Ground,
    ) -> Self {
        let mut place = Place::new(name);
        if ground.crash_points {
            place.has_crash_points();
        }
        if let Some(database) = &database {
            place.set("DATABASE_URL", &database.url());
        }
        Self::found_at(database, place, customers, ground)
    }

    /// The same where a place says.
    pub(super) fn found_in(place: Place, customers: u32, keys_pass: bool) -> Self {
        let ground = Ground { keys_taken_away: !keys_pass, ..Ground::default() };
        Self::found_at(None, place, customers, ground)
    }

    fn found_at(
        database: Option<Database>,
        mut place: Place,
        customers: u32,
        ground: Ground,
    ) -> Self {
        let hooks = ground.webhooks_lost.then(|| Hooks::start().expect("a port"));
        if let Some(hooks) = &hooks {
            place.set("LAIKA_ORIGIN", &hooks.origin);
        }
        let sandbox = place.start(&["sandbox"]);
        let proxy = Proxy::start(sandbox.listen(), !ground.keys_taken_away).expect("a port");
        place.set("LAIKA_SANDBOX_LISTEN", &proxy.listen);
        let server = place.start(&["serve"]);
        // Why: later lives listen where the first did, as customers and webhooks expect.
        place.set("LAIKA_LISTEN", server.listen());
        let origin = server.origin.clone();
        let server = Some(server);
        let mut town =
            Self { place, customers: vec![], origin, server, sandbox, proxy, hooks, database };
        for _ in 0..customers {
            let customer = town.welcome();
            customer.add_card("4242424242424242");
            turn_on_rule(&customer);
        }
        town
    }

    /// One customer more, with neither card nor rule.
    pub(super) fn welcome(&mut self) -> Customer {
        let number = u32::try_from(self.customers.len()).expect("a small town");
        let customer = Customer::register(&self.origin, number);
        self.customers.push(customer.clone());
        customer
    }

    /// `kill -9`, unless it is dead already.
    pub(super) fn kill(&mut self) {
        if let Some(server) = self.server.take() {
            server.kill();
        }
        self.proxy.give_up();
    }

    /// Starts the server again where it has ended by itself, as whoever supervises it would;
    /// whether it runs now.
    pub(super) fn keep_up(&mut self) -> bool {
        if self.server.as_mut().is_none_or(|server| server.ended().is_some()) {
            self.server = self.place.try_start(&["serve"]).ok();
        }
        self.server.is_some()
    }

    /// Another server on the same database, with a network of its own to the sandbox.
    pub(super) fn another(&self) -> (Process, Proxy) {
        self.another_with(&[])
    }

    /// The same that stands still where it first comes by a point.
    pub(super) fn another_that_stops_at(&self, point: &str) -> (Process, Proxy) {
        self.another_with(&[("LAIKA_STOP_AT", point)])
    }

    fn another_with(&self, more: &[(&str, &str)]) -> (Process, Proxy) {
        let proxy = Proxy::start(self.sandbox.listen(), true).expect("a port");
        let own = [("LAIKA_LISTEN", "localhost:0"), ("LAIKA_SANDBOX_LISTEN", &*proxy.listen)];
        (self.place.start_with(&["serve"], &[&own, more].concat()), proxy)
    }

    /// The same at an address, with nothing between it and the sandbox.
    pub(super) fn another_at(&self, listen: &str) -> Process {
        let sandbox = self.sandbox.listen();
        let own = [("LAIKA_LISTEN", listen), ("LAIKA_SANDBOX_LISTEN", sandbox)];
        self.place.start_with(&["serve"], &own)
    }

    /// The server that runs.
    pub(super) fn server(&self) -> &Process {
        self.server.as_ref().expect("a server runs")
    }

    /// What every process has said so far.
    pub(super) fn log(&self) -> String {
        self.place.log()
    }

    /// The next life, and time enough for whatever was waiting.
    pub(super) fn start(&mut self) {
        self.restart();
        self.let_cool_down_pass();
    }

    /// The next life, in which no time passes by itself.
    pub(super) fn restart(&mut self) {
        self.server = Some(self.place.start(&["serve"]));
    }

    /// A life that ends at a crash point, perhaps before it listens.
    pub(super) fn start_to_die_at(&mut self, point: &str) {
        self.place.set(CRASH_AT, point);
        self.server = Some(self.place.launch(&["serve"]));
        self.place.unset(CRASH_AT);
    }

    /// Whether a server was started that was not seen to end.
    pub(super) fn is_alive(&mut self) -> bool {
        self.server.is_some() && self.ended().is_none()
    }

    /// How the server ended, if it did so by itself.
    pub(super) fn ended(&mut self) -> Option<ExitStatus> {
        self.server.as_mut().and_then(Process::ended)
    }

    /// Checks that the server died at a crash point, and buries it.
    pub(super) fn bury(&mut self, status: ExitStatus, point: &str) {
        let log = std::fs::read_to_string(self.place.folder.file("log")).unwrap_or_default();
        let said =
            log.lines().rev().find_map(|line| line.strip_prefix("faults: the process dies at "));
        let as_told = status.signal() == Some(SIGABRT) && said == Some(point);
        assert!(as_told, "told to die at {point}: {status}, the last of them at {said:?}");
        self.kill();
    }

    /// A command that dies at a crash point.
    pub(super) fn run_to_die_at(&mut self, point: &str, args: &[&str]) {
        self.place.set(CRASH_AT, point);
        let ran = self.place.run(args);
        self.place.unset(CRASH_AT);
        let said = ran.stderr.contains(&format!("faults: the process dies at {point}\n"));
        assert!(ran.code.is_none() && said, "told to die at {point}: {ran:?}");
    }

    /// A command that ends as it should.
    pub(super) fn run(&self, args: &[&str]) -> Ran {
        self.place.run(args).expect(0)
    }

    /// So much later that every line may recharge again and every look-up is due.
    pub(super) fn let_cool_down_pass(&self) {
        self.customers[0].let_pass(COOL_DOWN + Duration::from_secs(60));
    }

    /// The same, of a server that may be dead by now.
    pub(super) fn try_to_let_pass(&self, time: Duration) {
        let path = "/sandbox/time";
        let seconds = time.as_secs();
        // What becomes of it is seen elsewhere.
        drop(self.customers[0].request("POST", path).json(&json!({ "seconds": seconds })).send());
    }

    /// `laika lines --json`, read from the database itself, by card number.
    pub(super) fn lines(&self) -> BTreeMap<String, Value> {
        let all = self.place.run(&["lines", "--json"]).expect(0).json_lines();
        let iccid = |line: &Value| line["iccid"].as_str().unwrap_or_default().to_owned();
        all.into_iter().map(|line| (iccid(&line), line)).collect()
    }

    /// `laika audit --json`: what the auditor finds wrong.
    pub(super) fn audit(&self) -> Vec<Value> {
        let ran = self.place.run(&["audit", "--json"]);
        let said: Value = serde_json::from_str(&ran.stdout).unwrap_or_default();
        assert!(said["checked"].as_u64().is_some_and(|checked| checked > 0), "{ran:?}");
        said["violations"].as_array().expect("a list of violations").clone()
    }

    /// The sandbox's own address, past any proxy.
    pub(super) fn sandbox_url(&self, path: &str) -> String {
        self.sandbox.url(path)
    }

    /// The provider's own list.
    pub(super) fn charges(&self) -> Vec<Value> {
        let request = Request::new("GET", &self.sandbox_url("/charges"));
        let all = request.send().expect("the provider").expect(200).json();
        all["charges"].as_array().expect("a list of charges").clone()
    }

    /// The database's file, where it is one.
    pub(super) fn file(&self) -> std::path::PathBuf {
        self.place.folder.file("laika.db")
    }

    /// Lets time pass until no recharge is open any more.
    ///
    /// Why not while a job is held: leases end by the machine's time, and what passes meanwhile by
    /// ours may be a month, after which the data that is counted has expired.
    pub(super) fn settle(&self) {
        wait::until("every recharge ends", Duration::from_secs(120), || {
            if !self.is_job_held() {
                self.let_cool_down_pass();
            }
            let open = |line: &Value| line["recharges"]["open"] != 0;
            (!self.lines().values().any(open)).then_some(())
        });
    }

    /// Whether some worker has a job, or had one when it died.
    fn is_job_held(&self) -> bool {
        let jobs = self.run(&["jobs", "--json"]).json_lines();
        jobs.iter().any(|job| !job["held_until"].is_null())
    }
}

/// Their line recharges when little is left, as often as it likes.
pub(super) fn turn_on_rule(customer: &Customer) {
    customer.turn_on_rule(|draft| {
        draft.low_balance = true;
        draft.threshold = "1".to_owned();
        draft.amount = "5".to_owned();
        draft.cap_per_month = "100000".to_owned();
    });
}

/// Whether more is to be heard of it.
pub(super) fn is_open(status: Status) -> bool {
    !matches!(status, Status::Done | Status::Failed | Status::Cancelled | Status::Refunded)
}

/// Whether a file is there and holds something.
pub(super) fn holds_something(path: &Path) -> bool {
    path.metadata().is_ok_and(|about| about.len() > 0)
}
