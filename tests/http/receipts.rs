//! Consent receipts from outside: downloaded as the app's link does, checked on the command line.

use laika_core::api::receipts::{ReceiptView, SigningKeyView};
use laika_tests::support::customer::{Customer, read};
use laika_tests::support::http::Request;
use laika_tests::support::laika::{Place, Process};

use super::world::{place, with_lines};

/// A customer who turned a rule on, and the receipt as it was downloaded.
fn agreed(server: &Process, number: u32) -> (Customer, String) {
    let customer = Customer::register(&server.origin, number);
    customer.add_card("4242424242424242");
    customer.turn_on_rule(|_| ());
    let list = customer.get(&customer.of_line("rule/receipts")).expect(200);
    let newest = read::<Vec<ReceiptView>>(&list).remove(0);
    let path = customer.of_line(&format!("rule/receipts/{}", newest.version));
    let text = customer.get(&path).expect(200).text();
    (customer, text)
}

/// The newest of the public keys.
fn key(server: &Process) -> SigningKeyView {
    let keys = Request::new("GET", &server.url("/api/v1/signing-keys")).send();
    read::<Vec<SigningKeyView>>(&keys.expect("an answer").expect(200)).remove(0)
}

/// The exit code of `laika verify-receipt`, with what it says on standard output.
fn verified(place: &Place, receipt: &str, more: &[&str]) -> (Option<i32>, String) {
    let ran = place.run_with(&[&["verify-receipt", "-"], more].concat(), receipt);
    (ran.code, ran.stdout)
}

#[test]
fn a_receipt_is_good_by_its_key_and_by_the_database_that_made_it() {
    let (here, _) = place("receipt", false);
    let server = here.start(&["serve"]);
    let (_, receipt) = agreed(&server, 1);
    let key = key(&server);
    let file = here.folder.file("receipt.json");
    std::fs::write(&file, &receipt).expect("a file");
    let file = file.to_str().expect("a plain name");
    let said = here.run(&["verify-receipt", file]).expect(0).stdout;
    assert!(said.ends_with("\"signature\":\"good\",\"faults\":[]}\n"), "{said}");

    let (elsewhere, _) = with_lines("receipt-elsewhere", false);
    assert_eq!(verified(&elsewhere, &receipt, &["--key", &key.public_key]), (Some(0), said));
    let (code, said) = verified(&elsewhere, &receipt, &[]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("\"unknown_key\""), "{said}");
    let richer =
        receipt.replacen("\"per_day\":{\"amount_minor\":", "\"per_day\":{\"amount_minor\":9", 1);
    let (code, said) = verified(&here, &richer, &[]);
    assert_eq!(code, Some(1));
    assert!(said.contains("\"bad\",\"faults\":[\"bound\",\"sha256\"]"), "{said}");
    let other = receipt.replacen("Laika", "Leika", 1);
    let (code, said) = verified(&here, &other, &[]);
    assert_eq!(code, Some(1));
    assert!(said.contains("\"bad\",\"faults\":[\"sha256\"]"), "{said}");
    for nothing in ["{}", "[1]", "receipt", "{\"receipt\":"] {
        assert_eq!(verified(&here, nothing, &[]).0, Some(3), "{nothing}");
    }
    assert_eq!(verified(&here, "", &[]).0, Some(1), "nothing to check");
    assert_eq!(verified(&here, &receipt, &["--key", "00"]).0, Some(2));
}

#[test]
fn keys_outlive_restarts_and_changes_and_are_never_logged() {
    let (mut place, _) = place("signing-keys", false);
    let server = place.start(&["serve"]);
    let made = key(&server);
    let (_, first) = agreed(&server, 1);
    assert_eq!(server.stop(), Some(0));

    let server = place.start(&["serve"]);
    assert_eq!(key(&server), made, "the same after a restart");
    assert_eq!(server.stop(), Some(0));

    let secret = "5eed".repeat(16);
    place.set("LAIKA_SIGNING_KEY", &secret);
    let server = place.start(&["serve"]);
    let (_, second) = agreed(&server, 2);
    assert_eq!(verified(&place, &format!("{first}\n{second}"), &[]).0, Some(0));
    assert!(first.contains(&made.key_id) && !second.contains(&made.key_id));
    assert_eq!(verified(&place, &second, &["--key", &made.public_key]).0, Some(1));
    assert_eq!(server.stop(), Some(0));
    let log = std::fs::read_to_string(place.folder.path().join("log")).expect("a log");
    assert!(log.len() > 100 && !log.contains(&secret), "{log}");

    place.set("LAIKA_SIGNING_KEY", "5eed");
    let ran = place.run(&["serve"]).expect(1);
    assert!(ran.stderr.contains("LAIKA_SIGNING_KEY") && !ran.stderr.contains("5eed"), "{ran:?}");
}
