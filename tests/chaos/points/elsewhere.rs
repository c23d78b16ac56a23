//! The points that are not a server's by the sandbox: a database with nothing in it, copies of a
//! file, Stripe's webhooks.

use std::path::Path;
use std::time::Duration;

use laika_tests::support::customer::Customer;
use laika_tests::support::laika::{Place, Process};
use laika_tests::support::postgres::Database;
use laika_tests::support::stripe::{KEY, Stripe, WEBHOOK_SECRET};
use laika_tests::support::wait;
use serde_json::Value;

use super::super::town::{holds_something, turn_on_rule};
use super::{Home, SOON, at_home};

pub(super) const CRASH_AT: &str = "LAIKA_CRASH_AT";

/// Runs a command that dies at a point.
#[track_caller]
pub(super) fn dies(place: &mut Place, point: &str, args: &[&str]) {
    place.set(CRASH_AT, point);
    let ran = place.run(args);
    place.unset(CRASH_AT);
    let name = point.split(':').next().unwrap_or_default();
    let said = format!("faults: the process dies at {name}\n");
    assert!(ran.code.is_none() && ran.stderr.contains(&said), "told to die at {point}: {ran:?}");
}

/// Dies at each migration, before and after, on the same database; then it is as good as any.
fn every_migration(place: &mut Place) {
    let files =
        std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../server/migrations"));
    let migrations = files.expect("migrations").count();
    let points = at_home(Home::NewDatabase);
    let (of_each, once): (Vec<_>, Vec<_>) =
        points.iter().partition(|point| point.starts_with("migration."));
    // Why this command: it may be the first on a database, and others refuse one that is empty.
    let add = ["line", "add", "--iccid", "8988247007000000105", "--data-bytes", "5000000000"];
    let add = [&add[..], &["--credit-minor", "0", "--currency", "EUR"]].concat();
    once.iter().for_each(|point| dies(place, point, &add));
    for number in 1..=migrations {
        for point in &of_each {
            // Why not the last one's end: then there is nothing left to run.
            if number < migrations || point.ends_with(".before") {
                dies(place, &format!("{point}:{number}"), &add);
            }
        }
    }
    let last = of_each.iter().find(|point| point.ends_with(".after")).expect("there is one");
    dies(place, &format!("{last}:{migrations}"), &add);
    place.run(&add).expect(0);
    place.run(&["audit", "--json"]).expect(0);
}

#[test]
fn a_new_database_survives_a_death_at_every_migration() {
    let mut place = Place::new("newdb");
    place.has_crash_points();
    every_migration(&mut place);
}

#[test]
fn nor_does_one_on_postgres_mind() {
    let database = Database::new();
    let mut place = Place::new("newpg").with("DATABASE_URL", &database.url());
    place.has_crash_points();
    every_migration(&mut place);
}

#[test]
fn a_copy_is_whole_or_not_there_and_a_restore_leaves_one_database_or_the_other() {
    let mut place = Place::new("copies");
    place.has_crash_points();
    let mut points = at_home(Home::Copies);
    let add = |place: &Place, iccid: &str| {
        let args = ["line", "add", "--iccid", iccid, "--data-bytes", "5000000000"];
        place.run(&[&args[..], &["--credit-minor", "0", "--currency", "EUR"]].concat()).expect(0);
    };
    let lines = |place: &Place| place.run(&["lines", "--json"]).expect(0).json_lines().len();
    let mut reach = |place: &mut Place, point: &str, args: &[&str]| {
        dies(place, point, args);
        points.retain(|known| known != point);
    };
    add(&place, "8988247007000000105");
    reach(&mut place, "backup.copied", &["backup", "half"]);
    assert!(!holds_something(&place.folder.file("half")), "what is not whole has not its name");
    place.run(&["restore", "half"]).expect(1);
    reach(&mut place, "backup.named", &["backup", "whole"]);
    add(&place, "8988247007000000106");
    for point in ["restored.before", "restored.after", "restore.set_aside"] {
        reach(&mut place, point, &["restore", "whole"]);
        assert_eq!(lines(&place), 2, "{point}: the database from before is in place");
        std::fs::remove_file(place.folder.file("laika.db.restoring")).expect("what it left");
    }
    reach(&mut place, "restore.in_place", &["restore", "whole"]);
    assert_eq!(lines(&place), 1, "the copy is in place");
    place.run(&["audit", "--json"]).expect(0);
    assert_eq!(points, Vec::<String>::new(), "never reached");
}

fn a_webhook_comes_again(place: Place) {
    let stripe = Stripe::start();
    let mut place = place
        .with("STRIPE_SECRET_KEY", KEY)
        .with("STRIPE_WEBHOOK_SECRET", WEBHOOK_SECRET)
        .with("STRIPE_API_BASE", &stripe.origin);
    place.has_crash_points();
    let mut server = place.start(&["serve"]);
    place.set("LAIKA_LISTEN", server.listen());
    let customer = Customer::register(&server.origin, 1);
    customer.add_card("4242424242424242");
    turn_on_rule(&customer);
    customer.use_data(9_500_000_000);
    customer.recharges_done(1);
    let webhook = server.url("/api/v1/webhooks/stripe");
    let event = wait::until("Stripe says that it was paid", SOON, || {
        stripe.events().into_iter().find(|event| event.kind() == "payment_intent.succeeded")
    });
    for point in at_home(Home::Stripe) {
        server.kill();
        place.set(CRASH_AT, &point);
        server = place.launch(&["serve"]);
        place.unset(CRASH_AT);
        // Stripe sends it until it is taken; the server dies of taking it.
        wait::until(&format!("the server dies at {point}"), SOON, || {
            let _ = event.try_to_send(&webhook);
            wait::within(Duration::from_millis(200), || server.ended())
        });
    }
    server = place.start(&["serve"]);
    assert_eq!(event.send(&webhook).status, 204);
    has_one_recharge(&customer, &place, &stripe, server);
}

#[test]
fn a_webhook_that_was_acted_on_and_not_kept_comes_again_and_credits_once() {
    a_webhook_comes_again(Place::new("hookdies"));
}

#[test]
fn and_once_on_postgres() {
    let database = Database::new();
    a_webhook_comes_again(Place::new("hookdiespg").with("DATABASE_URL", &database.url()));
}

fn has_one_recharge(customer: &Customer, place: &Place, stripe: &Stripe, server: Process) {
    let done = customer.recharges_done(1);
    assert_eq!((done.len(), stripe.charges()), (1, 1));
    assert_eq!(stripe.taken(), done[0].recharge.order.amount.amount_minor);
    server.kill();
    let audit = place.run(&["audit", "--json"]).expect(0).json_lines();
    assert_eq!(audit[0]["violations"].as_array().map(Vec::len), Some(0), "{audit:?}");
    let lines: Vec<Value> = place.run(&["lines", "--json"]).expect(0).json_lines();
    assert_eq!(lines[0]["recharges"]["done"], 1, "{lines:?}");
}
