//! One run: the town, those who feed it, and how it ends.

use std::sync::Arc;
use std::time::Duration;

use laika_core::api::NextCharge;
use laika_core::recharge::Status;
use laika_tests::support::postgres::Database;
use laika_tests::support::random::Random;
use laika_tests::support::wait;

use super::books::{self, Books};
use super::feeder::{Feed, Feeder, Spender};
use super::town::{DATA_AT_FIRST, Ground, Town};

/// The town, its feeders, and what has happened so far.
pub(super) struct Run {
    pub(super) town: Town,
    pub(super) feed: Arc<Feed>,
    feeders: Vec<Feeder>,
    pub(super) spender: Spender,
    pub(super) random: Random,
    seed: u64,
    /// Those who live here from the beginning, with a card and a rule that is on.
    regulars: usize,
}

impl Run {
    /// So many customers, whose lines use data from now on.
    pub(super) fn start(name: &str, customers: u32, ground: Ground, seed: u64) -> Self {
        let database = ground.on_postgres.then(Database::new);
        Self::start_on(database, name, customers, ground, seed)
    }

    /// The same on a PostgreSQL that is there, or on a SQLite file.
    pub(super) fn start_on(
        database: Option<Database>,
        name: &str,
        customers: u32,
        ground: Ground,
        seed: u64,
    ) -> Self {
        let town = Town::found_beside(database, name, customers, ground);
        let feed = Arc::new(Feed::default());
        let iccids: Vec<String> = town.customers.iter().map(|it| it.line.iccid.clone()).collect();
        let feeder = |number: u64| {
            let name = format!("carrier/{number}");
            Feeder::start(&feed, &name, &town.origin, iccids.clone(), seed.wrapping_add(number))
        };
        let feeders = (0..2).map(feeder).collect();
        let spender = Spender::start(&feed, &town.origin);
        let (random, regulars) = (Random::new(seed), iccids.len());
        Self { town, feed, feeders, spender, random, seed, regulars }
    }

    /// Uses up one line after the other until there is something to see.
    ///
    /// Why not one line only: the one picked may have run dry by itself, and be charged, credited
    /// and cooling down again before anybody looks.
    pub(super) fn use_up_lines_until<T>(
        &mut self,
        what: &str,
        look: impl Fn(&Self) -> Option<T>,
    ) -> T {
        for _ in 0..30 {
            self.town.let_cool_down_pass();
            self.use_up_a_line();
            if let Some(seen) = wait::within(Duration::from_secs(1), || look(self)) {
                return seen;
            }
        }
        let (seed, lines) = (self.seed, self.town.lines());
        panic!("seed {seed:#x}: thirty lines were used up and it did not come: {what}; {lines:?}");
    }

    /// Uses so much of a random line that its rule must fire, if nothing of it is open.
    pub(super) fn use_up_a_line(&mut self) {
        let number = self.random.below(self.regulars as u64);
        let customer = &self.town.customers[usize::try_from(number).expect("an index")];
        self.spender.spend(&customer.line.iccid, DATA_AT_FIRST);
    }

    /// Whether any recharge of anybody stands so.
    pub(super) fn any(&self, so: impl Fn(Status) -> bool) -> bool {
        self.town.customers.iter().any(|customer| {
            let all = customer.recharges().expect("the server is there");
            all.iter().any(|view| so(view.recharge.status))
        })
    }

    /// How the next charge of each customer ends: whoever comes first.
    pub(super) fn script(&self, outcome: NextCharge) {
        for customer in &self.town.customers {
            customer.next_charge(outcome);
        }
    }

    /// The feed ends, every recharge ends, and the books are compared.
    pub(super) fn end(mut self) -> (Books, u64) {
        for feeder in self.feeders.drain(..) {
            feeder.finish();
        }
        self.spender.finish();
        self.town.settle();
        (books::compare(&self.town, &self.feed), self.feed.acknowledged())
    }

    /// The same, and everything agrees.
    pub(super) fn end_well(self) -> Books {
        let seed = self.seed;
        let (books, batches) = self.end();
        println!("{} recharges done, {batches} batches, seed {seed:#x}", books.done);
        assert!(books.wrong.is_empty(), "seed {seed:#x}: {}", books::first(&books.wrong));
        books
    }
}
