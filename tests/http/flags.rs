//! What `laika serve` takes on its command line in place of its environment.

use laika_tests::support::http::Request;
use laika_tests::support::laika::Place;

#[test]
fn flags_take_the_place_of_variables() {
    let place = Place::new("flags").with("LAIKA_METRICS_LISTEN", "nowhere at all");
    let args = ["serve", "--database-url", "sqlite:other.db", "--metrics-listen=127.0.0.1:0"];
    let server = place.start(&args);
    let answer = Request::new("GET", &server.url("/readyz")).send().expect("an answer");
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(place.folder.file("other.db").is_file(), "the database of the flag");
    assert!(!place.folder.file("laika.db").exists(), "that of the environment");
    assert!(place.log().contains("metrics at http://127.0.0.1:"), "{}", place.log());
}

#[test]
fn a_flag_that_there_is_not_or_means_nothing_is_refused() {
    let place = Place::new("flagsbad");
    for secret in ["--usage-secret", "--stripe-secret-key", "--signing-key"] {
        let said = place.run(&["serve", secret, "x"]).expect(2).stderr;
        assert!(said.contains(secret), "{said}");
    }
    let said = place.run(&["serve", "--listen", "here"]).expect(1).stderr;
    assert!(said.contains("LAIKA_LISTEN: \"here\" is not HOST:PORT"), "{said}");
    place.run(&["serve", "--listen"]).expect(2);
    let help = place.run(&["serve", "--listen", "here", "--help"]).expect(0).stdout;
    for (flag, _) in flags() {
        assert!(help.contains(&format!("--{flag} ")), "{flag} is not in {help}");
    }
}

/// The flags and their variables, as the source has them.
fn flags() -> Vec<(&'static str, &'static str)> {
    let source = include_str!("../../server/src/config.rs");
    let (_, table) = source.split_once("pub const FLAGS").expect("the table");
    let (table, _) = table.split_once("];").expect("its end");
    let row = |row: &'static str| {
        let mut words = row.split('"');
        Some((words.nth(1)?, words.nth(1)?))
    };
    let flags: Vec<_> = table.lines().filter_map(row).collect();
    assert_eq!(flags.len(), 10, "{flags:?}");
    flags
}
