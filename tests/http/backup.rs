//! `laika backup` and `laika restore`, beside a server that is used meanwhile.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use laika_core::api::{NextCharge, RechargeView};
use laika_core::recharge::{Outcome, Status};
use laika_tests::support::customer::Customer;
use laika_tests::support::laika::Place;
use laika_tests::support::usage::{batch, event, stamp};
use laika_tests::support::wait;
use serde_json::{Value, json};

use super::world::{LINES, line, lines, place, with_lines};

const CARD: &str = "4242424242424242";
/// Bytes of one event, and events of one request.
const BYTES: u64 = 1_000;
const EVENTS: u64 = 20;

fn path(place: &Place, name: &str) -> String {
    place.folder.file(name).display().to_string()
}

/// Who may do what with a file.
fn mode(file: &Path) -> u32 {
    std::fs::metadata(file).expect("it is there").permissions().mode()
}

/// Another place whose database is to be the copy.
fn elsewhere(name: &str) -> Place {
    place(name, false).0
}

/// The first line's use.
fn used(place: &Place) -> u64 {
    let left = line(place, LINES[0].iccid)["data_bytes"].as_u64().expect("a figure");
    LINES[0].data_bytes - left
}

#[test]
fn a_copy_made_while_usage_flows_is_whole_and_has_all_that_was_acknowledged() {
    let (place, _) = with_lines("backup", false);
    let server = place.start(&["serve"]);
    let customer = Customer::register(&server.origin, 1);
    customer.add_card(CARD);
    customer.turn_on_rule(|_| ());
    customer.use_data(9_500_000_000);
    customer.recharges_done(1);
    let (ends, acknowledged) = (AtomicBool::new(false), AtomicU64::new(0));
    let copies: Vec<(String, u64, u64)> = std::thread::scope(|scope| {
        scope.spawn(|| {
            for request in 0_u64.. {
                if ends.load(Ordering::SeqCst) {
                    break;
                }
                let one = |n| {
                    let id = format!("{request}-{n}");
                    event("carrier/eu-1", &id, LINES[0].iccid, &stamp(), BYTES)
                };
                let events: Vec<Value> = (0..EVENTS).map(one).collect();
                batch(&server.origin, &events).send().expect("the server").expect(200);
                acknowledged.fetch_add(EVENTS * BYTES, Ordering::SeqCst);
            }
        });
        let copy = |number| {
            let before = acknowledged.load(Ordering::SeqCst);
            let file = path(&place, &format!("copy-{number}"));
            let said = place.run(&["backup", &file]).expect(0).json_lines();
            let size = std::fs::metadata(&file).expect("the copy").len();
            assert_eq!((&said[0]["bytes"], said[0]["file"].as_str()), (&json!(size), Some(&*file)));
            (file, before, acknowledged.load(Ordering::SeqCst) + EVENTS * BYTES)
        };
        let copies = (0..4).map(copy).collect();
        ends.store(true, Ordering::SeqCst);
        copies
    });
    for (number, (file, before, after)) in copies.iter().enumerate() {
        let bytes = std::fs::read(file).expect("the copy");
        let known = |number: &str| bytes.windows(number.len()).any(|it| it == number.as_bytes());
        assert!(known("4242") && !known(CARD), "a card's number is in {file}");
        let restored = elsewhere(&format!("restored-{number}"));
        let said = restored.run(&["restore", file]).expect(0).json_lines();
        assert_eq!((&said[0]["replaced"], &said[0]["lines"]), (&json!(null), &json!(5)));
        let used = used(&restored);
        assert!((*before..=*after).contains(&used), "{before} <= {used} <= {after}");
        restored.run(&["audit", "--json"]).expect(0);
        let recharges = restored.run(&["recharges", "--json"]).expect(0).json_lines();
        assert_eq!((recharges.len(), &recharges[0]["status"]), (1, &json!("done")));
    }
    assert!(copies[3].1 > copies[0].1, "usage went on between the copies");
}

#[test]
fn restoring_brings_back_what_was_and_keeps_what_is() {
    let (place, _) = with_lines("restore", false);
    let server = place.start(&["serve"]);
    let file = path(&place, "copy");
    place.run(&["backup", &file]).expect(0);
    let (then, at) = (lines(&place), stamp());
    let event = event("carrier/eu-1", "later", LINES[0].iccid, &at, BYTES);
    batch(&server.origin, &[event]).send().expect("the server").expect(200);
    let now = lines(&place);
    assert_ne!(then, now);
    let refused = place.run(&["restore", &file]).expect(1).stderr;
    assert!(refused.contains("stop laika serve first"), "{refused}");
    assert_eq!(lines(&place), now, "the server has its database");
    assert_eq!(server.stop(), Some(0));

    let said = place.run(&["restore", &file]).expect(0).json_lines();
    assert_eq!(lines(&place), then);
    let shown = place.run(&["kill-switch", "--json"]).expect(0).json_lines();
    assert_eq!(shown[0]["on"], json!(true), "what was charged since is not in it");
    let before = format!("sqlite:{}", said[0]["replaced"].as_str().expect("a file"));
    assert_eq!(lines(&place.with("DATABASE_URL", &before)), now);
}

/// The unit's server is a user of its own, and root restores.
#[test]
fn what_is_restored_is_its_owners_who_has_the_database_or_the_folder() {
    let (place, _) = with_lines("owner", false);
    let (file, database) = (path(&place, "copy"), place.folder.file("laika.db"));
    place.run(&["backup", &file]).expect(0);
    // Only root can give a file to somebody else; any other user's stays its own.
    let owner = |path: &Path| std::fs::metadata(path).expect("it is there").uid();
    let other = if owner(&database) == 0 { 65_534 } else { owner(&database) };
    chown(&database, Some(other), None).expect("given away");
    let said = place.run(&["restore", &file]).expect(0).json_lines();
    assert_eq!(owner(&database), other, "whose the database was");
    assert_eq!(mode(&database) & 0o777, 0o600, "and nobody else can read it");
    let replaced = Path::new(said[0]["replaced"].as_str().expect("a file"));
    assert_eq!(owner(replaced), other, "what was there stays whose it was");
    std::fs::remove_file(&database).expect("removed");
    chown(place.folder.path(), Some(other), None).expect("given away");
    place.run(&["restore", &file]).expect(0);
    assert_eq!(owner(&database), other, "whose the folder is");
}

#[test]
fn what_is_no_whole_copy_is_refused_and_the_database_stays() {
    let (place, _) = with_lines("refused", false);
    let file = path(&place, "copy");
    place.run(&["backup", &file]).expect(0);
    let again = place.run(&["backup", &file]).expect(1).stderr;
    assert!(again.contains("is there already"), "{again}");
    assert_eq!(mode(Path::new(&file)) & 0o777, 0o600, "only its owner can read it");
    let whole = std::fs::read(&file).expect("the copy");
    let now = lines(&place);
    let mut torn = whole.clone();
    torn[8_192..].chunks_mut(4_096).for_each(|page| page[..64].fill(0xA5));
    let broken: [(&str, &[u8]); 4] = [
        ("torn", &torn),
        ("short", &whole[..whole.len() / 2]),
        ("empty", b""),
        ("other", b"not a database at all, but long enough to be looked at as one"),
    ];
    for (name, bytes) in broken {
        let file = place.folder.file(name);
        std::fs::write(&file, bytes).expect("a file");
        let refused = place.run(&["restore", &file.display().to_string()]).expect(1).stderr;
        assert!(refused.contains("not a whole database"), "{name}: {refused}");
    }
    place.run(&["restore", &path(&place, "nothing")]).expect(1);
    assert_eq!(lines(&place), now);
    assert!(!place.folder.file("laika.db.restoring").exists());
    let nowhere = elsewhere("nowhere");
    nowhere.run(&["backup", &path(&nowhere, "copy")]).expect(1);
    assert!(!nowhere.folder.file("copy").exists() && !nowhere.folder.file("laika.db").exists());
}

#[test]
fn what_happened_after_the_copy_is_found_again_and_no_name_is_given_twice() {
    let (place, _) = with_lines("restore-lost", false);
    let server = place.start(&["serve"]);
    let customer = Customer::register(&server.origin, 1);
    customer.add_card(CARD);
    customer.turn_on_rule(|_| ());
    customer.next_charge(NextCharge::SoftDecline);
    customer.use_data(9_500_000_000);
    wait::until("it is declined", Duration::from_secs(30), || {
        let all = customer.recharges().expect("the server is there");
        all.iter().any(|view| view.recharge.status == Status::Declined).then_some(())
    });
    let file = path(&place, "copy");
    place.run(&["backup", &file]).expect(0);
    // The next try takes the money, and a second recharge follows; the copy has neither.
    customer.let_pass(Duration::from_secs(3_600));
    let lost_payment = payments(&customer.recharges_done(1)[0]);
    customer.use_data(9_500_000_000);
    let second = customer.recharges_done(2)[0].recharge.id.clone();
    let given = line(&place, &customer.line.iccid)["data_bytes"].clone();
    assert_eq!(server.stop(), Some(0));

    place.run(&["restore", &file]).expect(0);
    let server = place.start(&["serve"]);
    let customer = customer.at(&server.origin);
    customer.let_pass(Duration::from_secs(3_600));
    let all = customer.recharges_done(1);
    assert_eq!((all.len(), payments(&all[0])), (1, lost_payment), "what it took is taken in");
    place.run(&["kill-switch", "off"]).expect(0);
    customer.let_pass(Duration::from_secs(3_600));
    customer.use_data(9_500_000_000);
    let all = customer.recharges_done(2);
    assert!(all.iter().all(|view| view.recharge.id != second), "{second} is the lost one's");
    let has = line(&place, &customer.line.iccid)["data_bytes"].clone();
    assert_eq!(has, given, "the carrier gave it, as before");
    place.run(&["audit", "--json"]).expect(0);
}

/// The payments that took money for a recharge.
fn payments(view: &RechargeView) -> Vec<String> {
    let outcomes = view.recharge.attempts.iter().filter_map(|attempt| attempt.outcome.as_ref());
    let taken = outcomes.filter_map(|outcome| match outcome {
        Outcome::Captured { payment, .. } => Some(payment.clone()),
        _ => None,
    });
    taken.collect()
}

#[test]
fn postgresql_is_copied_by_its_own_tools() {
    let (place, _database) = with_lines("backup-pg", true);
    for command in ["backup", "restore"] {
        let file = path(&place, "copy");
        let said = place.run(&[command, &file]).expect(1).stdout;
        assert!(said.contains("pg_dump") && said.contains("pg_restore"), "{said}");
        assert!(!place.folder.file("copy").exists());
    }
    let shown = place.run(&["restore"]).expect(0).json_lines();
    assert_eq!((&shown[0]["replaced"], &shown[0]["lines"]), (&json!(null), &json!(LINES.len())));
    let shown = place.run(&["kill-switch", "--json"]).expect(0).json_lines();
    assert_eq!(shown[0]["on"], json!(true), "what was charged since is not in it");
}
