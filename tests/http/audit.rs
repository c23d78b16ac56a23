//! A database that another hand made wrong: `laika audit` names it, a server's auditor logs it, and
//! the figure that the operator's alert asks for says so until it is mended.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use laika_tests::support::customer::Customer;
use laika_tests::support::laika::{Place, Process};
use laika_tests::support::postgres::Database;
use laika_tests::support::wait;

use super::metrics::{address, scrape};
use super::world::{place, with_lines};

const OPERATE: &str = include_str!("../../docs/operate.md");
const SOON: Duration = Duration::from_secs(30);
const FIGURE: &str = "laika_audit_violations";

/// What is found, the code, what makes it so, and what mends it.
const PLANTED: [(&str, &str, &str); 3] = [
    (
        "entries_differ",
        "UPDATE ledger_entries SET amount = amount + 1 WHERE book = 'customer'",
        "UPDATE ledger_entries SET amount = amount - 1 WHERE book = 'customer'",
    ),
    (
        "book_differs",
        "UPDATE ledger_balances SET amount = amount + 100 WHERE book = 'sales'",
        "UPDATE ledger_balances SET amount = amount - 100 WHERE book = 'sales'",
    ),
    (
        "balance_differs",
        "UPDATE buckets SET bytes_left = bytes_left - 1",
        "UPDATE buckets SET bytes_left = bytes_left + 1",
    ),
];

/// `laika audit --json`, with the exit code that it must have: each code with what it is about.
fn audit(place: &Place, code: i32) -> BTreeSet<(String, String)> {
    let said = &place.run(&["audit", "--json"]).expect(code).json_lines()[0];
    assert!(said["checked"].as_u64() > Some(0), "{said}");
    let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
    let found = said["violations"].as_array().expect("a list");
    found.iter().map(|it| (text(&it["code"]), text(&it["subject"]))).collect()
}

/// Whether the operator's alert for it fires, as its own line on the page says.
fn fires(samples: &BTreeMap<String, f64>) -> bool {
    let (_, rule) = OPERATE.split_once("- alert: LaikaAudit ").expect("the alert");
    let (_, rule) = rule.split_once("expr: max(").expect("its rule");
    let (rule, _) = rule.split_once('\n').expect("its end");
    let (figure, most) = rule.split_once(") > ").expect("a figure and what is too much of it");
    assert_eq!(figure, FIGURE);
    samples[figure] > most.parse().expect("a number")
}

/// How often the log says, as an error, that this must never be.
fn told(place: &Place, (code, subject): &(String, String)) -> usize {
    let log = place.log();
    let words = ["ERROR", "this must never be", &format!("\"{code}\""), &format!("\"{subject}\"")];
    log.lines().filter(|line| words.iter().all(|word| line.contains(word))).count()
}

/// A server whose auditor has looked at everything once.
fn watched(place: &Place) -> (Process, String) {
    let server = place.start(&["serve"]);
    let url = address(place);
    wait::until("the auditor has looked", SOON, || {
        (scrape(&url)["laika_audit_age_seconds"] >= 0.0).then_some(())
    });
    (server, url)
}

/// A server, its customer who was charged once, and their database.
struct Charged {
    place: Place,
    database: Database,
    server: Option<Process>,
    url: String,
}

impl Charged {
    fn new() -> (Self, Customer) {
        let (place, database) = place("planted", true);
        let mut place = place.with("LAIKA_METRICS_LISTEN", "127.0.0.1:0");
        let (server, url) = watched(&place);
        // Why: every life is asked at the same address.
        let at = url.trim_start_matches("http://").trim_end_matches("/metrics").to_owned();
        place.set("LAIKA_METRICS_LISTEN", &at);
        place.set("LAIKA_LISTEN", server.listen());
        let customer = Customer::register(&server.origin, 1);
        customer.add_card("4242424242424242");
        customer.turn_on_rule(|_| ());
        customer.use_data(9_500_000_000);
        customer.recharges_done(1);
        let database = database.expect("PostgreSQL");
        (Self { place, database, server: Some(server), url }, customer)
    }

    fn do_sql(&self, statements: &[&str]) {
        for statement in statements {
            self.database.ask(statement);
        }
    }

    /// A server begins, of which the auditor's next step is due: a minute is over since the last.
    fn next_look(&mut self) {
        if let Some(server) = self.server.take() {
            assert_eq!(server.stop(), Some(0));
        }
        self.do_sql(&["UPDATE leases SET leased_until = 0, done_at = 0"]);
        self.server = Some(self.place.start(&["serve"]));
    }

    /// Waits until the figure is so much, and says whether the alert fires then.
    fn fires_at(&self, violations: usize) -> bool {
        let samples = wait::until("the auditor's figure", SOON, || {
            let samples = scrape(&self.url);
            let count = samples[FIGURE].to_string();
            (count == violations.to_string()).then_some(samples)
        });
        fires(&samples)
    }
}

#[test]
fn what_another_hand_did_to_the_books_is_named_logged_and_woken_for_until_it_is_mended() {
    let (mut charged, customer) = Charged::new();
    assert!(!charged.fires_at(0), "nothing is wrong yet");
    assert!(audit(&charged.place, 0).is_empty());
    for (code, wrong, mended) in PLANTED {
        charged.do_sql(&[wrong]);
        let found = audit(&charged.place, 1);
        let named = found
            .iter()
            .any(|(known, about)| known == code && about.starts_with(customer.line.id.as_str()));
        assert!(named, "{code} is not in {found:?} after {wrong}");
        charged.do_sql(&[mended]);
        assert!(audit(&charged.place, 0).is_empty(), "after {mended}");
    }

    charged.do_sql(&PLANTED.map(|(_, wrong, _)| wrong));
    let found = audit(&charged.place, 1);
    for violation in &found {
        assert_eq!(told(&charged.place, violation), 0, "no server has looked: {violation:?}");
    }
    charged.next_look();
    assert!(charged.fires_at(found.len()), "nobody is woken for {found:?}");
    for violation in &found {
        let once = || (told(&charged.place, violation) == 1).then_some(());
        wait::until(&format!("an error that says {violation:?}"), SOON, once);
    }
    charged.do_sql(&PLANTED.map(|(_, _, mended)| mended));
    assert!(audit(&charged.place, 0).is_empty(), "all of it is mended");
    charged.next_look();
    assert!(!charged.fires_at(0), "it is mended");
    let once = found.iter().all(|violation| told(&charged.place, violation) == 1);
    assert!(once, "{found:?} is told once: {}", charged.place.log());
}

/// What an operator wrote, and the same as somebody would rather have it, of one length.
const WROTE: [&[u8]; 2] = [b"amounts look wrong", b"amounts look right"];

/// Writes other bytes over some in the database's file, which no process has open.
fn overwrite(place: &Place, [old, new]: [&[u8]; 2]) {
    let path = place.folder.file("laika.db");
    let mut file = std::fs::read(&path).expect("the database");
    let places = file.windows(old.len()).enumerate().filter(|(_, part)| *part == old);
    let places: Vec<usize> = places.map(|(place, _)| place).collect();
    assert!(!places.is_empty(), "it is not in the file");
    for place in places {
        file[place..place + new.len()].copy_from_slice(new);
    }
    std::fs::write(&path, file).expect("the database");
}

/// Why not the books: in a file of SQLite's a figure has no length of its own, a text has.
#[test]
fn what_another_hand_wrote_into_the_file_is_named_logged_and_woken_for() {
    let (place, _) = with_lines("rewritten", false);
    let place = place.with("LAIKA_METRICS_LISTEN", "127.0.0.1:0");
    place.run(&["kill-switch", "on", "--why", "amounts look wrong"]).expect(0);
    assert!(audit(&place, 0).is_empty());
    overwrite(&place, WROTE);
    let broken = ("audit_log_broken".to_owned(), "audit_log".to_owned());
    assert_eq!(audit(&place, 1), BTreeSet::from([broken.clone()]));
    let (server, url) = watched(&place);
    let samples = scrape(&url);
    assert_eq!((samples[FIGURE], fires(&samples)), (1.0, true));
    wait::until("the log says so", SOON, || (told(&place, &broken) == 1).then_some(()));
    assert_eq!(server.stop(), Some(0));
    let [wrote, rewritten] = WROTE;
    overwrite(&place, [rewritten, wrote]);
    assert!(audit(&place, 0).is_empty(), "it is as it was");
}
