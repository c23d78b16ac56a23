//! Clocks that are wrong: a server whose clock is over two minutes from the gateway's or from the
//! database's submits nothing, and goes on when it is right; a clock that jumps to and fro makes
//! nothing count twice.

use std::time::Duration;

use laika_tests::support::machine::Machine;
use laika_tests::support::postgres::Database;
use laika_tests::support::wait;

use super::run::Run;
use super::town::{Ground, is_open};

const SEED: u64 = 0xc10c;
const CUSTOMERS: u32 = 2;
const SOON: Duration = Duration::from_secs(60);
/// Over two minutes, and under the five for which signatures are believed.
const APART_S: i64 = 150;

/// Whose clock is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    Server,
    Database,
}

/// A run whose server, or PostgreSQL, is on a machine.
fn start(name: &str, whose: Whose) -> (Run, Machine) {
    let machine = Machine::new(name);
    let database = (whose == Whose::Database).then(|| Database::on(&machine));
    let mut run = Run::start_on(database, name, CUSTOMERS, Ground::default(), SEED);
    if whose == Whose::Server {
        for (name, value) in machine.env(&run.town.file()) {
            run.town.place.set(name, &value);
        }
        run.town.kill();
        run.town.start();
    }
    (run, machine)
}

/// How often the server has said that a clock is too far.
fn said(run: &Run) -> usize {
    let log = std::fs::read_to_string(run.town.place.folder.file("log")).unwrap_or_default();
    log.matches("another clock is too far from ours").count()
}

fn submits_nothing_while_apart(name: &str, whose: Whose) {
    let (mut run, machine) = start(name, whose);
    for ahead in [APART_S, -APART_S] {
        run.town.settle();
        machine.clock_is_ahead(ahead);
        run.town.let_cool_down_pass();
        let (before, taken) = (said(&run), run.town.charges().len());
        run.use_up_lines_until("a charge is held back", |run| (said(run) > before).then_some(()));
        let held = run.town.charges().len();
        run.use_up_a_line();
        run.town.let_cool_down_pass();
        wait::until("it is held back again", SOON, || (said(&run) > before + 1).then_some(()));
        assert!(run.any(is_open), "a recharge waits");
        assert_eq!(run.town.charges().len(), held, "{ahead} s: charged by a wrong clock");
        machine.clock_is_ahead(0);
        wait::until("it charges again", SOON, || {
            run.town.let_cool_down_pass();
            (run.town.charges().len() > taken.max(held)).then_some(())
        });
    }
    run.end_well();
}

#[test]
fn a_server_apart_from_the_gateway_submits_nothing() {
    submits_nothing_while_apart("apart", Whose::Server);
}

#[test]
fn nor_does_one_apart_from_its_database() {
    submits_nothing_while_apart("apartpg", Whose::Database);
}

#[test]
fn a_clock_that_jumps_to_and_fro_makes_nothing_count_twice() {
    let (mut run, machine) = start("jumps", Whose::Server);
    for _ in 0..6 {
        let seconds = i64::try_from(run.random.below(200)).expect("a few minutes") - 100;
        machine.clock_is_ahead(seconds);
        let known = run.feed.acknowledged();
        run.use_up_lines_until("usage is acknowledged", |run| {
            (run.feed.acknowledged() > known + 3).then_some(())
        });
        if run.random.below(2) == 0 {
            run.town.kill();
            run.town.start();
        }
    }
    machine.clock_is_ahead(0);
    run.end_well();
}
