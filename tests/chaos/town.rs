//! The customers, the sandbox that lives on, and the server that is killed and started again.

use std::collections::BTreeMap;
use std::time::Duration;

use laika_tests::support::customer::Customer;
use laika_tests::support::laika::{Place, Process};
use laika_tests::support::postgres::Database;
use laika_tests::support::proxy::Proxy;
use laika_tests::support::wait;
use serde_json::Value;

/// What a line of a new customer starts with.
pub(super) const DATA_AT_FIRST: u64 = 10_000_000_000;
/// The shortest pause between two automatic recharges of one line.
const COOL_DOWN: Duration = Duration::from_secs(30 * 60);

/// What a town stands on.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ground {
    pub(super) on_postgres: bool,
    /// The provider does not get to see idempotency keys.
    pub(super) keys_taken_away: bool,
}

/// Everybody there is.
pub(super) struct Town {
    place: Place,
    pub(super) customers: Vec<Customer>,
    /// Where usage goes; the same in every life of the server.
    pub(super) origin: String,
    server: Option<Process>,
    sandbox: Process,
    /// The network between the two.
    pub(super) proxy: Proxy,
    pub(super) database: Option<Database>,
}

impl Town {
    /// The sandbox and a server, and so many customers with a card and a rule that is on.
    pub(super) fn found(name: &str, customers: u32, ground: Ground) -> Self {
        let mut place = Place::new(name);
        let database = ground.on_postgres.then(Database::new);
        if let Some(database) = &database {
            place.set("DATABASE_URL", &database.url());
        }
        let town = Self::found_in(place, customers, !ground.keys_taken_away);
        Self { database, ..town }
    }

    /// The same where a place says.
    pub(super) fn found_in(mut place: Place, customers: u32, keys_pass: bool) -> Self {
        let sandbox = place.start(&["sandbox"]);
        let proxy = Proxy::start(sandbox.listen(), keys_pass).expect("a port");
        place.set("LAIKA_SANDBOX_LISTEN", &proxy.listen);
        let server = place.start(&["serve"]);
        // Why: later lives listen where the first did, as customers and webhooks expect.
        place.set("LAIKA_LISTEN", server.listen());
        let origin = server.origin.clone();
        let customers = (0..customers).map(|number| customer(&origin, number)).collect();
        let server = Some(server);
        Self { place, customers, origin, server, sandbox, proxy, database: None }
    }

    /// `kill -9`, unless it is dead already.
    pub(super) fn kill(&mut self) {
        if let Some(server) = self.server.take() {
            server.kill();
        }
        self.proxy.give_up();
    }

    /// Starts the server again where it has ended by itself, as whoever supervises it would; whether
    /// it runs now.
    pub(super) fn keep_up(&mut self) -> bool {
        if self.server.as_mut().is_none_or(|server| server.ended().is_some()) {
            self.server = self.place.try_start(&["serve"]).ok();
        }
        self.server.is_some()
    }

    /// Another server on the same database, with a network of its own to the sandbox.
    pub(super) fn another(&self) -> (Process, Proxy) {
        let proxy = Proxy::start(self.sandbox.listen(), true).expect("a port");
        let own = [("LAIKA_LISTEN", "localhost:0"), ("LAIKA_SANDBOX_LISTEN", &*proxy.listen)];
        (self.place.start_with(&["serve"], &own), proxy)
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
        self.server = Some(self.place.start(&["serve"]));
        self.let_cool_down_pass();
    }

    /// So much later that every line may recharge again and every look-up is due.
    pub(super) fn let_cool_down_pass(&self) {
        self.customers[0].let_pass(COOL_DOWN + Duration::from_secs(60));
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

    /// Lets time pass until no recharge is open any more.
    pub(super) fn settle(&self) {
        wait::until("every recharge ends", Duration::from_secs(120), || {
            self.let_cool_down_pass();
            let open = |line: &Value| line["recharges"]["open"] != 0;
            (!self.lines().values().any(open)).then_some(())
        });
    }
}

fn customer(origin: &str, number: u32) -> Customer {
    let customer = Customer::register(origin, number);
    customer.add_card("4242424242424242");
    customer.turn_on_rule(|draft| {
        draft.low_balance = true;
        draft.threshold = "1".to_owned();
        draft.amount = "5".to_owned();
        draft.cap_per_month = "100000".to_owned();
    });
    customer
}
