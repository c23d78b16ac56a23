//! Every named crash point: a server dies at each, on both databases, while usage flows, and in the
//! end the books agree. A point that is not reached fails.
//!
//! `ways` knows how each is reached; here are the deaths and what is looked at after them.

mod books;
mod elsewhere;
mod ways;

use std::collections::BTreeSet;
use std::time::Duration;

use laika_tests::support::customer::Customer;
use laika_tests::support::laika::{self, Place};
#[cfg(target_os = "linux")]
use laika_tests::support::machine::Machine;
use laika_tests::support::wait;

use super::run::Run;
use super::town::Ground;
use ways::Way;

const SEED: u64 = 0xdead;
const CUSTOMERS: u32 = 4;
/// How long a server may take to come by a point.
const SOON: Duration = Duration::from_secs(60);

/// Where a point is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Home {
    /// In a server that charges by the sandbox, or in a command beside it.
    Server,
    /// In a server that charges by Stripe.
    Stripe,
    /// On a database with nothing in it.
    NewDatabase,
    /// In a command about copies of a SQLite file.
    Copies,
    /// In what keeps the books: the nightly check, the auditor, what is heard after an end.
    Books,
}

fn home(point: &str) -> Home {
    match point.split('.').next().unwrap_or_default() {
        "webhook" if point != "webhook.acted_on" => Home::Stripe,
        "prepared" | "migration" => Home::NewDatabase,
        "backup" | "restore" | "restored" => Home::Copies,
        "returned" | "case" | "audit" => Home::Books,
        _ => Home::Server,
    }
}

/// Every point that the program has, as it says itself.
fn all() -> Vec<String> {
    let mut place = Place::new("points");
    place.has_crash_points();
    let said = place.with("LAIKA_CRASH_AT", "nowhere").run(&["lines", "--json"]).expect(1).stderr;
    let (_, names) = said.trim().split_once("there are ").expect("the names of all");
    names.split(' ').map(str::to_owned).collect()
}

fn at_home(where_: Home) -> Vec<String> {
    let points: Vec<String> = all().into_iter().filter(|point| home(point) == where_).collect();
    assert!(!points.is_empty(), "no point is at home in {where_:?}");
    points
}

/// A run whose server dies at one point after the other.
struct Mortal {
    run: Run,
    /// What goes wrong under the server, where a point is reached only so.
    #[cfg(target_os = "linux")]
    machine: Machine,
    /// Somebody who came for the next point.
    guest: Option<Customer>,
    reached: BTreeSet<String>,
}

impl Mortal {
    fn start(name: &str, ground: Ground) -> Self {
        let ground = Ground { crash_points: true, ..ground };
        let run = Run::start(name, CUSTOMERS, ground, SEED);
        Self {
            run,
            #[cfg(target_os = "linux")]
            machine: Machine::new("mortal"),
            guest: None,
            reached: BTreeSet::new(),
        }
    }

    /// The server dies at a point, or a command does beside it.
    fn die_at(&mut self, point: &str) {
        let way = Way::to(point);
        if let Some(args) = way.command(self) {
            self.live();
            let args: Vec<&str> = args.iter().map(String::as_str).collect();
            self.run.town.run_to_die_at(point, &args);
            // Done again it is done, and then undone.
            self.run.town.run(&args);
            let off = args.iter().map(|word| if *word == "on" { "off" } else { *word });
            self.run.town.run(&off.collect::<Vec<_>>());
        } else {
            way.prepare(self);
            self.run.town.kill();
            self.run.town.start_to_die_at(point);
            let mut round = 0;
            let status = wait::within(SOON, || {
                way.go(self, round);
                round += 1;
                wait::within(Duration::from_millis(500), || self.run.town.ended())
            });
            let status = status.unwrap_or_else(|| {
                let lines = self.run.town.lines();
                panic!("{round} rounds, and the server does not die at {point}: {lines:#?}")
            });
            self.run.town.bury(status, point);
            way.clear(self);
        }
        self.reached.insert(point.to_owned());
    }

    /// A server that dies at nothing, unless there is one.
    fn live(&mut self) {
        if !self.run.town.is_alive() {
            self.run.town.start();
        }
    }

    /// The last life, and the books after it.
    fn end(mut self, points: &[String]) {
        self.live();
        let books = self.run.end_well();
        println!("{} points reached: {:?}", self.reached.len(), self.reached);
        let missed: Vec<_> = points.iter().filter(|point| !self.reached.contains(*point)).collect();
        assert!(missed.is_empty(), "never reached: {missed:?}");
        assert!(books.done > points.len() / 4, "too few recharges: {}", books.done);
    }
}

fn dies_everywhere(name: &str, ground: Ground) {
    let points = at_home(Home::Server);
    let mut mortal = Mortal::start(name, ground);
    for point in &points {
        mortal.die_at(point);
    }
    mortal.end(&points);
}

#[test]
fn a_server_dies_at_every_point_and_nothing_is_lost_or_charged_twice() {
    dies_everywhere("points", Ground::default());
}

#[test]
fn nor_on_postgres() {
    dies_everywhere("pointspg", Ground { on_postgres: true, ..Ground::default() });
}

#[test]
fn what_is_shipped_has_no_crash_points() {
    let holds = |program: &std::path::Path, text: &str| {
        let bytes = std::fs::read(program).expect("the program under test");
        bytes.windows(text.len()).any(|part| part == text.as_bytes())
    };
    for text in ["LAIKA_CRASH_AT", "LAIKA_STOP_AT", "faults: the process dies at "] {
        assert!(!holds(&laika::program(), text), "{text}: points are in what is shipped");
        assert!(holds(&laika::program_with_crash_points(), text), "{text}: where are they then?");
    }
}
