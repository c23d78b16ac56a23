//! A disk without room, and one that cannot say that anything reached it, under SQLite's file and
//! under PostgreSQL's. Laika acknowledges nothing that it does not hold: it answers 5xx, or stops.
//! With room again it goes on, by itself or after a start, and the books agree.

use std::time::Duration;

use laika_tests::support::laika::Place;
use laika_tests::support::machine::Machine;
use laika_tests::support::postgres::Database;
use laika_tests::support::wait;
use serde_json::{Value, json};

use super::run::Run;
use super::town::{Ground, Town};

const SEED: u64 = 0xd15c;
const CUSTOMERS: u32 = 3;
const SOON: Duration = Duration::from_secs(60);

/// How a server took its disk's trouble, and how it went on.
#[derive(Debug, Default)]
struct Ends {
    /// It went on by itself.
    went_on: u32,
    /// It had stopped, and was started again.
    started: u32,
}

/// A town on a machine that can go wrong.
struct Disk {
    run: Run,
    machine: Machine,
    ends: Ends,
}

impl Disk {
    /// The server's own disk is the one, or its PostgreSQL's.
    fn start(name: &str, on_postgres: bool) -> Self {
        let machine = Machine::new(name);
        let database = on_postgres.then(|| Database::on(&machine));
        let mut run = Run::start_on(database, name, CUSTOMERS, Ground::default(), SEED);
        if !on_postgres {
            for (name, value) in machine.env(&run.town.file()) {
                run.town.place.set(name, &value);
            }
            run.town.kill();
            run.town.start();
        }
        Self { run, machine, ends: Ends::default() }
    }

    /// Something goes wrong while usage flows and lines run dry, until it was met and the feed
    /// stands still; then it is right again, and the feed goes on.
    fn meets(&mut self, wrong: impl Fn(&Machine, bool)) {
        let (failed, refused) = (self.machine.failed(), self.run.feed.unheard());
        wrong(&self.machine, true);
        self.run.use_up_a_line();
        wait::until("the disk fails somebody", SOON, || {
            let met = self.machine.failed() > failed && self.run.feed.unheard() > refused + 4;
            met.then_some(())
        });
        wrong(&self.machine, false);
        if let Some(database) = &self.run.town.database {
            database.start_again();
        }
        let known = self.run.feed.acknowledged();
        let goes_on = || (self.run.feed.acknowledged() > known + 2).then_some(());
        let mut ended = false;
        wait::until("it goes on or has stopped", SOON, || {
            ended = !self.run.town.is_alive();
            if ended { Some(()) } else { goes_on() }
        });
        if ended {
            self.run.town.kill();
            // Why not at once: PostgreSQL may answer, and end only then of what failed.
            wait::until("it starts", SOON, || {
                if let Some(database) = &self.run.town.database {
                    database.start_again();
                }
                self.run.town.keep_up().then_some(())
            });
            self.run.town.let_cool_down_pass();
            self.ends.started += 1;
        } else {
            self.ends.went_on += 1;
        }
        self.run.use_up_lines_until("it charges again", |run| {
            (run.feed.acknowledged() > known + 8).then_some(())
        });
    }

    fn end_well(self) -> Ends {
        let failed = self.machine.failed();
        let books = self.run.end_well();
        println!("{:?}, {failed} calls failed, {} recharges", self.ends, books.done);
        self.ends
    }
}

#[test]
fn a_full_disk_acknowledges_nothing_that_is_not_kept() {
    let mut disk = Disk::start("full", false);
    for _ in 0..4 {
        disk.meets(Machine::disk_is_full);
    }
    disk.end_well();
}

#[test]
fn a_sync_that_fails_stops_the_server_and_a_start_recovers() {
    let mut disk = Disk::start("sync", false);
    for _ in 0..3 {
        disk.meets(Machine::syncs_fail);
    }
    let ends = disk.end_well();
    assert_eq!(ends.went_on, 0, "nobody may go on from a commit that failed");
}

#[test]
fn a_commit_that_fails_stops_the_server_also_when_nobody_waits_for_it_any_more() {
    let ground = Ground { crash_points: true, ..Ground::default() };
    let (mut town, machine) = (Town::found("left", 1, ground), Machine::new("left"));
    for (name, value) in machine.env(&town.file()) {
        town.place.set(name, &value);
    }
    town.kill();
    town.place.set("LAIKA_STOP_AT", "rule_switched.before");
    town.restart();
    town.place.unset("LAIKA_STOP_AT");
    let customer = town.customers[0].clone();
    let off = customer.request("POST", &customer.of_line("rule/off"));
    let off = off.json(&json!({})).patience(Duration::from_secs(90));
    let asked = std::thread::spawn(move || off.send());
    // Why so: it has the one lock for writing, so that the next sync is that of its commit.
    wait::until("it is about to commit", SOON, || {
        town.log().contains("stands still at rule_switched.before\n").then_some(())
    });
    machine.syncs_wait(true);
    town.server().resume();
    wait::until("its commit waits for the disk", SOON, || (machine.waiting() > 0).then_some(()));
    let answer = asked.join().expect("sent").expect("an answer").expect(408);
    assert_eq!(answer.json()["code"], "too_slow", "nobody waits for the commit from here on");
    assert_eq!(town.ended(), None, "it has not failed yet");

    machine.syncs_fail(true);
    machine.syncs_wait(false);
    wait::until("the server ends", SOON, || town.ended());
    machine.syncs_fail(false);
    assert!(town.log().contains("a commit failed; stopping"), "{}", town.log());
    town.restart();
    assert_eq!(town.audit(), [] as [Value; 0]);
    customer.post(&customer.of_line("rule/off"), &()).expect(200);
}

#[test]
fn nor_does_a_full_disk_under_postgres() {
    let mut disk = Disk::start("fullpg", true);
    for _ in 0..2 {
        disk.meets(Machine::disk_is_full);
    }
    disk.end_well();
}

#[test]
fn nor_a_sync_that_fails_under_postgres() {
    let mut disk = Disk::start("syncpg", true);
    for _ in 0..2 {
        disk.meets(Machine::syncs_fail);
    }
    disk.end_well();
}

#[test]
fn a_postgres_that_does_not_wait_for_its_disk_is_refused() {
    let machine = Machine::new("unsafe");
    let database = Database::on(&machine);
    let place = Place::new("unsafe").with("DATABASE_URL", &database.url());
    for setting in ["fsync", "full_page_writes"] {
        for (value, starts) in [("off", false), ("on", true)] {
            database.ask(&format!("ALTER SYSTEM SET {setting} = {value}"));
            database.ask("SELECT pg_reload_conf()");
            wait::until("the setting holds", SOON, || {
                (database.ask(&format!("SHOW {setting}")) == value).then_some(())
            });
            let started = place.try_start(&["serve"]);
            assert_eq!(started.is_ok(), starts, "{setting} {value}: {started:?}");
            let said = started.err().unwrap_or_default();
            let why = format!("not safe for money: SHOW {setting} answers off");
            assert!(starts || said.contains(&why), "{said}");
        }
    }
}
