//! The database moves to another node while usage flows and recharges run: its primary dies, or is
//! demoted and answers on as a standby. What was acknowledged is there afterwards, what was not is
//! refused in a way that says when to ask again, and the books agree.

use std::sync::Arc;
use std::time::Duration;

use laika_tests::support::laika::Place;
use laika_tests::support::postgres::Cluster;
use laika_tests::support::{usage, wait};

use super::books;
use super::feeder::{Feed, Feeder};
use super::town::Town;

/// A server on two nodes of a database, its feeders, and what was sent beside them.
struct Run {
    cluster: Cluster,
    town: Town,
    feed: Arc<Feed>,
    feeders: Vec<Feeder>,
    spent: u32,
}

impl Run {
    fn start(name: &str) -> Self {
        let cluster = Cluster::new();
        let place = Place::new(name).with("DATABASE_URL", &cluster.url());
        let town = Town::found_in(place, 4, true);
        let feed = Arc::new(Feed::default());
        let iccids: Vec<String> = town.customers.iter().map(|it| it.line.iccid.clone()).collect();
        let feeder = |seed: u64| {
            Feeder::start(&feed, &format!("carrier/{seed}"), &town.origin, iccids.clone(), seed)
        };
        let feeders = (1..=3).map(feeder).collect();
        Self { cluster, town, feed, feeders, spent: 0 }
    }

    /// So many more batches are acknowledged; whatever supervises the server starts it again
    /// where a commit failed meanwhile.
    fn flows(&mut self, batches: u64) {
        let goal = self.feed.acknowledged() + batches;
        wait::until("usage is acknowledged", Duration::from_secs(90), || {
            (self.town.keep_up() && self.feed.acknowledged() >= goal).then_some(())
        });
    }

    /// Every line runs dry, so that as many recharges open.
    fn use_up_lines(&mut self) {
        // Why: a line whose recharge has not ended yet has nothing to use up.
        self.town.settle();
        self.town.let_cool_down_pass();
        let lines = self.town.lines();
        for customer in &self.town.customers {
            self.spent += 1;
            let iccid = &customer.line.iccid;
            let left = lines[iccid]["data_bytes"].as_u64().unwrap_or_default();
            let name = self.spent.to_string();
            let event = usage::event("carrier/spent", &name, iccid, &usage::stamp(), left);
            self.feed.send(&self.town.origin, &[event]);
        }
    }

    /// The database moves while recharges are open and usage flows, and all goes on.
    fn through(&mut self, moves: impl Fn(&mut Cluster)) {
        self.flows(30);
        self.use_up_lines();
        moves(&mut self.cluster);
        self.flows(60);
    }

    fn end(mut self) {
        self.use_up_lines();
        for feeder in self.feeders.drain(..) {
            feeder.finish();
        }
        self.town.settle();
        let held = self.town.log().matches("another clock is too far").count();
        assert_eq!(held, 0, "no clock is wrong here");
        let books = books::compare(&self.town, &self.feed);
        assert!(books.wrong.is_empty(), "{}", books::first(&books.wrong));
        assert!(books.done >= 6, "too few recharges to mean anything: {}", books.done);
        for (status, code, says_when) in self.feed.refused() {
            assert!(status == 503 && says_when, "usage was refused with {status} {code}");
        }
        let waits = self.town.log().contains("the job waits for its lease to end");
        assert!(!waits, "a job was not let go when the database was there again");
        // Why the database too: what the server answered may have been the old node's.
        let counted = self.cluster.ask("SELECT count(*) FROM inbox WHERE source LIKE 'carrier/%'");
        let counted: u64 = counted.parse().expect("a number");
        assert!(counted >= 4 * 90, "{counted} events in the node that takes writes");
    }
}

#[test]
fn a_primary_that_dies_takes_nothing_acknowledged_with_it() {
    let mut run = Run::start("lost");
    run.through(Cluster::lose_primary);
    run.end();
}

#[test]
fn a_primary_that_becomes_a_standby_is_left() {
    let mut run = Run::start("demoted");
    run.through(Cluster::switch_over);
    // And back again: the first of the list is then the one that takes writes.
    run.through(Cluster::switch_over);
    run.end();
}
