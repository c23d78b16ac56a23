//! Two servers on one PostgreSQL: one stands still while it holds a job, or inside a transaction,
//! and the other goes on; both count, recharge and tell side by side.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use laika_core::recharge::{Seen, Status};
use laika_tests::support::customer::Customer;
use laika_tests::support::laika::Process;
#[cfg(target_os = "linux")]
use laika_tests::support::machine::Machine;
use laika_tests::support::{usage, wait};
use serde_json::{Value, json};

use super::books;
use super::feeder::{Feed, Feeder};
use super::town::{Ground, Town};

/// Longer than a lease, and than what comes after it.
const LEASE_AND_MORE: Duration = Duration::from_secs(100);

fn two(name: &str, customers: u32) -> Town {
    Town::found(name, customers, Ground { on_postgres: true, ..Ground::default() })
}

/// Uses up a customer's line, so that its rule must fire.
fn use_up(town: &Town, feed: &Feed, origin: &str, customer: &Customer, name: &str) {
    let iccid = &customer.line.iccid;
    let left = town.lines()[iccid]["data_bytes"].as_u64().unwrap_or_default();
    let event = usage::event("carrier/spent", name, iccid, &usage::stamp(), left);
    feed.send(origin, &[event]);
}

#[test]
fn a_server_that_stood_still_past_its_lease_writes_nothing_more() {
    let town = two("paused", 1);
    let feed = Feed::default();
    let (other, others_proxy) = town.another();
    let [customer] = town.customers.as_slice() else { panic!("one customer") };
    let database = town.database.as_ref().expect("PostgreSQL");

    // Whichever of the two claims the charge: its answer stays on the way, and it stands still.
    town.proxy.keep_next_answer();
    others_proxy.keep_next_answer();
    use_up(&town, &feed, &town.origin, customer, "1");
    let ours = wait::until("a charge is taken", Duration::from_secs(30), || {
        let kept = [&town.proxy, &others_proxy].map(|proxy| proxy.kept() > 0);
        kept.contains(&true).then_some(kept[0])
    });
    let (paused, network, living) = match ours {
        true => (town.server(), &town.proxy, &other),
        false => (&other, &others_proxy, town.server()),
    };
    let idle = if ours { &others_proxy } else { &town.proxy };
    idle.give_up();
    paused.pause();
    let charges = "FROM jobs WHERE work LIKE '%\"charge\"%'";
    let version = format!("SELECT version {charges} AND leased_until > 0");

    // A third server starts. It was not the one that holds the job, and leaves it alone.
    let before = database.ask(&version);
    assert!(before.parse::<u64>().is_ok(), "the charge is under way, and held: {before}");
    let (third, _) = town.another();
    ready(&third);
    assert_eq!(database.ask(&version), before, "its start let go of another server's job");
    third.kill();

    // The lease ends, and the other one does the job again, under the same key.
    let seen = wait::until("the other server takes over", LEASE_AND_MORE, || {
        let seen = seen_at(living, customer);
        let done = seen.iter().filter(|(status, _)| *status == Status::Done).count();
        let left = database.ask(&format!("SELECT count(*) {charges}"));
        (done == 1 && left == "0").then_some(seen)
    });

    // Now the answer arrives at the one that stood still.
    network.let_arrive();
    paused.resume();
    wait::until("it learns that it lost its claim", Duration::from_secs(30), || {
        town.log().contains("the claim is lost").then_some(())
    });
    ready(paused);
    assert_eq!(seen_at(paused, customer), seen, "what it wrote is more than nothing");

    town.settle();
    let books = books::compare(&town, &feed);
    assert!(books.wrong.is_empty(), "{}", books::first(&books.wrong));
    assert_eq!(books.done, 1);
}

/// One of two stands still inside a transaction, with every lock that it took there: the other
/// counts the same line's usage meanwhile, and has done so many of its recharges. Then the first
/// goes on: its commit finds no connection, so it ends and is started again.
fn stands_still_at(point: &str, name: &str, done_meanwhile: usize) {
    let ground = Ground { on_postgres: true, crash_points: true, ..Ground::default() };
    let mut town = Town::found(name, 1, ground);
    let feed = Arc::new(Feed::default());
    let customer = town.customers[0].clone();
    let iccid = &customer.line.iccid;
    let left = town.lines()[iccid]["data_bytes"].as_u64().expect("bytes");
    let event = |name, bytes| usage::event("still", name, iccid, &usage::stamp(), bytes);
    let (mut still, _network) = town.another_that_stops_at(point);
    town.kill();
    let (sends, origin, all) = (feed.clone(), still.origin.clone(), [event("all", left)]);
    let sent = std::thread::spawn(move || sends.send(&origin, &all));
    wait::until("it stands still", Duration::from_secs(60), || {
        town.log().contains(&format!("stands still at {point}\n")).then_some(())
    });
    let database = town.database.as_ref().expect("PostgreSQL");
    let open = "SELECT count(*) FROM pg_stat_activity
                WHERE datname = current_database() AND state = 'idle in transaction'";
    assert_ne!(database.ask(open), "0", "{point} is not inside a transaction");

    town.restart();
    let one = [event("one", 1)];
    wait::until("the other counts", LEASE_AND_MORE, || {
        (usage::batch(&town.origin, &one).send().ok()?.status == 200).then(|| feed.count(&one))
    });
    let seen = wait::until("the other goes on", LEASE_AND_MORE, || {
        let seen = seen_at(town.server(), &customer);
        let done = seen.iter().filter(|(status, _)| *status == Status::Done).count();
        (seen.len() == done && done == done_meanwhile).then_some(seen)
    });

    still.resume();
    wait::until("the first one ends", Duration::from_secs(30), || still.ended());
    assert!(town.log().contains("a commit failed; stopping"), "{}", town.log());
    let again = town.another_at(still.listen());
    wait::until("its usage is acknowledged in the end", Duration::from_secs(60), || {
        sent.is_finished().then_some(())
    });
    let after = seen_at(&again, &customer);
    assert!(after.starts_with(&seen), "it wrote to what the other has done: {after:?}");
    town.settle();
    let books = books::compare(&town, &feed);
    assert!(books.wrong.is_empty(), "{}", books::first(&books.wrong));
    assert_eq!(books.done, 1);
}

#[test]
fn a_server_that_stands_still_while_it_counts_holds_nobody_up() {
    stands_still_at("usage.before", "stillusage", 0);
}

#[test]
fn nor_one_that_is_about_to_charge_and_it_does_not_charge_then() {
    stands_still_at("submission.before", "stillsubmission", 1);
}

#[test]
fn nor_one_that_has_charged_and_not_written_so() {
    stands_still_at("fact.before", "stillfact", 1);
}

/// The customer's recharges as one of the servers shows them: how they stand, and what was heard.
fn seen_at(server: &Process, customer: &Customer) -> Vec<(Status, Vec<Seen>)> {
    let recharges = customer.at(&server.origin).recharges().expect("the server is there");
    recharges.into_iter().map(|view| (view.recharge.status, view.recharge.facts)).collect()
}

/// Waits until a server says that it can do its work: its worker has looked for jobs by then.
fn ready(server: &Process) {
    wait::until("the server is ready", Duration::from_secs(30), || {
        let request = laika_tests::support::http::Request::new("GET", &server.url("/readyz"));
        (request.send().ok()?.status == 200).then_some(())
    });
}

#[test]
fn two_servers_share_one_database() {
    let town = two("pair", 4);
    let (mut other, _proxy) = town.another();
    let feed = Arc::new(Feed::default());
    let iccids: Vec<String> = town.customers.iter().map(|it| it.line.iccid.clone()).collect();
    let feeder =
        |name: &str, origin: &str, seed| Feeder::start(&feed, name, origin, iccids.clone(), seed);
    let feeders = [feeder("one", &town.origin, 1), feeder("two", &other.origin, 2)];
    for (number, customer) in town.customers.iter().cycle().take(12).enumerate() {
        town.let_cool_down_pass();
        let origin = [&town.origin, &other.origin][number % 2].clone();
        use_up(&town, &feed, &origin, customer, &number.to_string());
        if number == 6 {
            // One of the two dies while the other works on, and comes back in its place.
            let place = other.listen().to_owned();
            other.kill();
            other = town.another_at(&place);
        }
    }
    sees_what_the_other_commits(&town, &other, &feed);
    counts_each_event_once(&town, &other, &feed);
    for feeder in feeders {
        feeder.finish();
    }
    town.settle();
    let books = books::compare(&town, &feed);
    assert!(books.wrong.is_empty(), "{}", books::first(&books.wrong));
    assert!(books.done >= 6, "too few recharges to mean anything: {}", books.done);

    let database = town.database.as_ref().expect("PostgreSQL");
    let sent = wait::until("every message is sent", Duration::from_secs(60), || {
        let unsent = database.ask("SELECT count(*) FROM messages WHERE sent_at IS NULL");
        (unsent == "0").then(|| database.ask("SELECT count(*) FROM messages"))
    });
    let printed = town.log().matches("outbox · ").count();
    assert_eq!(printed.to_string(), sent, "messages that were sent more than once, or never");
}

/// Each within two minutes of the database's clock and the gateway's, and further from each other.
#[cfg(target_os = "linux")]
#[test]
fn two_servers_whose_clocks_differ_count_and_charge_once() {
    let mut town = two("skew", 4);
    let (slow, fast) = (Machine::new("skewslow"), Machine::new("skewfast"));
    let stands_on = |machine: &Machine, town: &mut Town, ahead| {
        machine.clock_is_ahead(ahead);
        for (name, value) in machine.env(&town.file()) {
            town.place.set(name, &value);
        }
    };
    stands_on(&slow, &mut town, -100);
    town.kill();
    town.restart();
    stands_on(&fast, &mut town, 100);
    let (other, _proxy) = town.another();
    let feed = Arc::new(Feed::default());
    let iccids: Vec<String> = town.customers.iter().map(|it| it.line.iccid.clone()).collect();
    let feeder =
        |name: &str, origin: &str, seed| Feeder::start(&feed, name, origin, iccids.clone(), seed);
    let feeders = [feeder("slow", &town.origin, 3), feeder("fast", &other.origin, 4)];
    for (number, customer) in town.customers.iter().cycle().take(8).enumerate() {
        town.let_cool_down_pass();
        let origin = [&town.origin, &other.origin][number % 2].clone();
        use_up(&town, &feed, &origin, customer, &number.to_string());
    }
    for feeder in feeders {
        feeder.finish();
    }
    town.settle();
    let books = books::compare(&town, &feed);
    assert!(books.wrong.is_empty(), "{}", books::first(&books.wrong));
    assert!(books.done >= 4, "too few recharges to mean anything: {}", books.done);
}

/// A browser at one server hears of what the other commits.
fn sees_what_the_other_commits(town: &Town, other: &Process, feed: &Feed) {
    let customer = &town.customers[0];
    let mut stream = TcpStream::connect(other.listen()).expect("the server");
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a patience");
    let (host, cookie) = (other.listen(), customer.cookie());
    let request = format!(
        "GET /api/v1/events HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n\
         Sec-Fetch-Site: same-origin\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).expect("sent");
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let mut id = || {
        let id = lines.find_map(|line| line.strip_prefix("id:")?.trim().parse::<i64>().ok());
        id.expect("an event of the stream")
    };
    let known = id();
    let event = usage::event("seen", "1", &customer.line.iccid, &usage::stamp(), 1);
    feed.send(&town.origin, &[event]);
    wait::until("the other server's stream says so", Duration::from_secs(10), || {
        (id() > known).then_some(())
    });
}

/// The same batch sent to both at the same time counts once, whoever counts it.
fn counts_each_event_once(town: &Town, other: &Process, feed: &Feed) {
    for number in 0..20 {
        let event = |place: u32| {
            let iccid = &town.customers[place as usize % town.customers.len()].line.iccid;
            usage::event("both", &format!("{number}-{place}"), iccid, &usage::stamp(), 1000)
        };
        let batch: Vec<Value> = (0..8).map(event).collect();
        let send = |origin: &str| usage::batch(origin, &batch).send().expect("an answer");
        let answers = std::thread::scope(|scope| {
            let one = scope.spawn(|| send(&town.origin));
            let two = scope.spawn(|| send(&other.origin));
            [one, two].map(|it| it.join().expect("sent").expect(200).json())
        });
        let sum = |name: &str| answers.iter().filter_map(|it| it[name].as_u64()).sum::<u64>();
        assert_eq!((sum("accepted"), sum("duplicate")), (8, 8), "{answers:?}");
        assert!(answers.iter().all(|it| it["rejected"] == json!([])), "{answers:?}");
        feed.count(&batch);
    }
}
