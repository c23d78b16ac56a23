//! `kill -9` at random moments: no acknowledged event lost, no recharge charged twice.
//!
//! Each life of the server ends in one of four ways: while everything flows, while a recharge is
//! open, while a charge is taken and not answered, or while nobody knows what became of one. The
//! provider and the carrier live on. `LAIKA_KILLS` asks for more kills than CI has time for.

use std::time::Duration;

use laika_core::api::NextCharge;
use laika_core::recharge::Status;
use laika_tests::support::wait;

use super::books::{self, Books};
use super::run::Run;
use super::town::{Ground, is_open};

const SEED: u64 = 0x1a1ca;
const CUSTOMERS: u32 = 6;
/// Kills on both databases together, of which PostgreSQL gets a third.
const KILLS: u32 = 60;

/// How many kills of each kind there were.
#[derive(Debug, Default)]
struct Kills {
    all: u32,
    /// A recharge was open, by the database, when the server was dead.
    open: u32,
    /// One of them was unknown.
    unknown: u32,
}

/// A run that is killed again and again.
struct Killed {
    run: Run,
    kills: Kills,
}

impl Killed {
    fn start(name: &str, ground: Ground) -> Self {
        let run = Run::start(name, CUSTOMERS, ground, SEED);
        Self { run, kills: Kills::default() }
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
        self.run.town.kill();
        self.kills.all += 1;
        let open = self.run.town.lines().values().any(|line| line["recharges"]["open"] != 0);
        self.kills.open += u32::from(open);
        self.kills.unknown += u32::from(open && unknown);
        self.run.town.start();
    }

    /// A random number of acknowledgements, wherever the recharges are by then.
    fn until_some_batches(&mut self) -> bool {
        let goal = self.run.feed.acknowledged() + self.run.random.below(40);
        wait::until("usage is acknowledged", Duration::from_secs(60), || {
            (self.run.feed.acknowledged() >= goal).then_some(())
        });
        false
    }

    /// A line runs low, and its recharge is somewhere between the decision and the credit.
    fn until_a_recharge_is_open(&mut self) -> bool {
        if self.run.random.below(2) == 0 {
            self.run.script(NextCharge::DeliveryAnswerLost);
        }
        self.run.use_up_lines_until("a recharge opens", |run| run.any(is_open).then_some(()));
        for _ in 0..self.run.random.below(200_000) {
            std::hint::spin_loop();
        }
        false
    }

    /// The provider has taken a charge, and the server has not heard of it.
    fn until_an_answer_is_on_its_way(&mut self) -> bool {
        let kept = self.run.town.proxy.kept();
        self.run.town.proxy.keep_next_answer();
        self.run.use_up_lines_until("a charge is taken", |run| {
            (run.town.proxy.kept() > kept).then_some(())
        });
        false
    }

    /// An answer of the provider is lost, and the server knows that it does not know. Where the
    /// charge was taken, the provider's webhook may clear it up before anybody sees it.
    fn until_a_charge_is_unknown(&mut self) -> bool {
        let taken = self.run.random.below(3) == 0;
        self.run.script(match taken {
            true => NextCharge::AnswerLostAfterCharge,
            false => NextCharge::AnswerLostBeforeCharge,
        });
        self.run.use_up_lines_until("a charge is unknown", |run| {
            let seen = run.any(|status| status == Status::Unknown);
            (seen || taken && run.any(is_open)).then_some(seen)
        })
    }
}

/// As many kills as asked for; of each kind a part of them.
fn kills() -> u32 {
    let asked = std::env::var("LAIKA_KILLS").ok();
    asked.map_or(KILLS, |number| number.parse().expect("LAIKA_KILLS is a number"))
}

/// Kills so often, and until there were enough of each kind; then compares the books.
fn kill(name: &str, ground: Ground, times: u32) {
    let mut killed = Killed::start(name, ground);
    let enough = |kills: &Kills| {
        kills.all >= times && kills.open * 4 >= times && kills.unknown * 12 >= times
    };
    for number in 0..times * 2 {
        if enough(&killed.kills) {
            break;
        }
        killed.life(number);
    }
    let (kills, proxied) = (killed.kills, killed.run.town.proxy.kept());
    let books = killed.run.end_well();
    println!("{name}: {kills:?}, {proxied} answers kept back, {} recharges", books.done);
    assert!(enough(&kills), "seed {SEED:#x}: too few kills of a kind: {kills:?}");
    assert!(books.done >= times as usize / 3, "too few recharges: {}", books.done);
}

#[test]
fn no_kill_loses_usage_or_charges_twice() {
    kill("kill", Ground::default(), kills() - kills() / 3);
}

#[test]
fn nor_on_postgres() {
    kill("killpg", Ground { on_postgres: true, ..Ground::default() }, kills() / 3);
}

#[test]
fn without_the_idempotency_key_the_kill_test_fails() {
    let mut killed = Killed::start("nokeys", Ground { keys_taken_away: true, ..Ground::default() });
    for _ in 0..8 {
        let unknown = killed.until_an_answer_is_on_its_way();
        killed.next_life(unknown);
    }
    let (Books { wrong, .. }, _) = killed.run.end();
    let doubled = wrong.iter().any(|wrong| wrong.contains(" was taken "));
    assert!(doubled, "nobody was charged twice: {}", books::first(&wrong));
}
