//! A disk without room, and one that cannot say that anything reached it, under SQLite's file and
//! under PostgreSQL's. Laika acknowledges nothing that it does not hold: it answers 5xx, or stops.
//! With room again it goes on, by itself or after a start, and the books agree.

use std::time::Duration;

use laika_tests::support::machine::Machine;
use laika_tests::support::postgres::Database;
use laika_tests::support::wait;

use super::run::Run;
use super::town::Ground;

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
