//! `kill -9` at random moments: no acknowledged event lost, no recharge charged twice.
//!
//! Each life of the server ends in one of four ways: while everything flows, while a recharge is
//! open, while a charge is taken and not answered, or while nobody knows what became of one. The
//! provider and the carrier live on.

use std::sync::Arc;
use std::time::Duration;

use laika_core::api::NextCharge;
use laika_core::recharge::Status;
use laika_tests::support::random::Random;
use laika_tests::support::{usage, wait};

use super::books::{self, Books};
use super::feeder::{Feed, Feeder};
use super::town::{Ground, Town};

const SEED: u64 = 0x1a1ca;
const CUSTOMERS: u32 = 6;
/// How many kills of each kind there were.
#[derive(Debug, Default)]
struct Kills {
    all: u32,
    /// A recharge was open, by the database, when the server was dead.
    open: u32,
    /// One of them was unknown.
    unknown: u32,
}

/// One run: the town, its feeders, and what has happened so far.
struct Run {
    town: Town,
    feed: Arc<Feed>,
    feeders: Vec<Feeder>,
    random: Random,
    kills: Kills,
    spent: u32,
}

impl Run {
    fn start(name: &str, ground: Ground) -> Self {
        let town = Town::found(name, CUSTOMERS, ground);
        let feed = Arc::new(Feed::default());
        let iccids: Vec<String> = town.customers.iter().map(|it| it.line.iccid.clone()).collect();
        let feeder = |number: u64| {
            let name = format!("carrier/{number}");
            Feeder::start(&feed, &name, &town.origin, iccids.clone(), SEED + number)
        };
        let feeders = (0..2).map(feeder).collect();
        let random = Random::new(SEED);
        Self { town, feed, feeders, random, kills: Kills::default(), spent: 0 }
    }

    /// One life of the server, ended by `kill -9`.
    fn life(&mut self, number: u32) {
        let unknown = match number % 5 {
            0 | 3 => self.until_some_batches(),
            1 => self.until_a_recharge_is_open(),
            4 => self.until_an_answer_is_on_its_way(),
            _ => self.until_a_charge_is_unknown(),
        };
        self.next_life(unknown);
    }

    fn next_life(&mut self, unknown: bool) {
        self.town.kill();
        self.kills.all += 1;
        let open = self.town.lines().values().any(|line| line["recharges"]["open"] != 0);
        self.kills.open += u32::from(open);
        self.kills.unknown += u32::from(open && unknown);
        self.town.start();
    }

    /// A random number of acknowledgements, wherever the recharges are by then.
    fn until_some_batches(&mut self) -> bool {
        let goal = self.feed.acknowledged() + self.random.below(40);
        wait::until("usage is acknowledged", Duration::from_secs(60), || {
            (self.feed.acknowledged() >= goal).then_some(())
        });
        false
    }

    /// A line runs low, and its recharge is somewhere between the decision and the credit.
    fn until_a_recharge_is_open(&mut self) -> bool {
        if self.random.below(2) == 0 {
            self.script(NextCharge::DeliveryAnswerLost);
        }
        self.use_up_lines_until("a recharge opens", |run| run.any(is_open).then_some(()));
        for _ in 0..self.random.below(200_000) {
            std::hint::spin_loop();
        }
        false
    }

    /// The provider has taken a charge, and the server has not heard of it.
    fn until_an_answer_is_on_its_way(&mut self) -> bool {
        let kept = self.town.proxy.kept();
        self.town.proxy.keep_next_answer();
        self.use_up_lines_until("a charge is taken", |run| {
            (run.town.proxy.kept() > kept).then_some(())
        });
        false
    }

    /// An answer of the provider is lost, and the server knows that it does not know. Where the
    /// charge was taken, the provider's webhook may clear it up before anybody sees it.
    fn until_a_charge_is_unknown(&mut self) -> bool {
        let taken = self.random.below(3) == 0;
        self.script(match taken {
            true => NextCharge::AnswerLostAfterCharge,
            false => NextCharge::AnswerLostBeforeCharge,
        });
        self.use_up_lines_until("a charge is unknown", |run| {
            let seen = run.any(|status| status == Status::Unknown);
            (seen || taken && run.any(is_open)).then_some(seen)
        })
    }

    /// Uses up one line after the other until there is something to see.
    ///
    /// Why not one line only: the one picked may have run dry by itself, and be charged, credited
    /// and cooling down again before anybody looks.
    fn use_up_lines_until<T>(&mut self, what: &str, look: impl Fn(&Self) -> Option<T>) -> T {
        for _ in 0..30 {
            self.use_up_a_line();
            if let Some(seen) = wait::within(Duration::from_secs(1), || look(self)) {
                return seen;
            }
        }
        panic!("thirty lines were used up and it did not come: {what}; {:?}", self.town.lines());
    }

    /// Whether any recharge of anybody stands so.
    fn any(&self, so: impl Fn(Status) -> bool) -> bool {
        self.town.customers.iter().any(|customer| {
            let all = customer.recharges().expect("the server is there");
            all.iter().any(|view| so(view.recharge.status))
        })
    }

    /// How the next charge of each customer ends: whoever comes first.
    fn script(&self, outcome: NextCharge) {
        for customer in &self.town.customers {
            customer.next_charge(outcome);
        }
    }

    /// Uses so much of a random line that its rule must fire, if nothing of it is open.
    fn use_up_a_line(&mut self) {
        self.town.let_cool_down_pass();
        let iccid = &self.random.pick(&self.town.customers).line.iccid;
        self.spent += 1;
        let left = self.town.lines()[iccid]["data_bytes"].as_u64().unwrap_or_default();
        let at = usage::stamp();
        let event = usage::event("carrier/spent", &self.spent.to_string(), iccid, &at, left);
        self.feed.send(&self.town.origin, &[event]);
    }

    /// The feed ends, every recharge ends, and the books are compared.
    fn end(mut self) -> (Kills, Books, u64) {
        for feeder in self.feeders.drain(..) {
            feeder.finish();
        }
        self.town.settle();
        (self.kills, books::compare(&self.town, &self.feed), self.feed.acknowledged())
    }
}

fn is_open(status: Status) -> bool {
    !matches!(status, Status::Done | Status::Failed | Status::Cancelled | Status::Refunded)
}

/// Kills until there were enough of each kind, then compares the books.
fn kill_until(name: &str, ground: Ground, enough: impl Fn(&Kills) -> bool) -> Books {
    let mut run = Run::start(name, ground);
    for number in 0..200 {
        if enough(&run.kills) {
            break;
        }
        run.life(number);
    }
    let (kills, books, batches) = run.end();
    println!("{kills:?}, {} recharges done, {batches} batches, seed {SEED:#x}", books.done);
    assert!(books.wrong.is_empty(), "seed {SEED:#x}: {}", books::first(&books.wrong));
    assert!(enough(&kills), "too few kills of a kind: {kills:?}");
    books
}

#[test]
fn no_kill_loses_usage_or_charges_twice() {
    let books = kill_until("kill", Ground::default(), |kills| {
        kills.all >= 105 && kills.open >= 30 && kills.unknown >= 10
    });
    assert!(books.done >= 40, "too few recharges to mean anything: {}", books.done);
}

#[test]
fn nor_on_postgres() {
    let ground = Ground { on_postgres: true, ..Ground::default() };
    let books = kill_until("killpg", ground, |kills| kills.all >= 25 && kills.open >= 8);
    assert!(books.done >= 10, "too few recharges to mean anything: {}", books.done);
}

#[test]
fn without_the_idempotency_key_the_kill_test_fails() {
    let mut run = Run::start("nokeys", Ground { keys_taken_away: true, ..Ground::default() });
    for _ in 0..8 {
        let unknown = run.until_an_answer_is_on_its_way();
        run.next_life(unknown);
    }
    let (_, books, _) = run.end();
    let doubled = books.wrong.iter().any(|wrong| wrong.contains("was taken 2x"));
    assert!(doubled, "nobody was charged twice: {:?}", books.wrong);
}
