//! The command line: exit codes, help, and answers where a script expects them.

use laika_tests::support::laika::Place;
use laika_tests::support::postgres::Database;

use super::world::{LINES, place, with_lines};

#[test]
fn help_names_every_command_and_succeeds() {
    let (place, _) = place("help", false);
    let help = place.run(&["--help"]).expect(0).stdout;
    let commands = ["serve", "sandbox", "ingest", "line add", "lines", "audit", "verify-receipt"];
    let more = [
        "schedule",
        "validate",
        "decide",
        "preview",
        "kill-switch",
        "recharges",
        "recharge",
        "jobs",
        "reconcile",
        "cases",
        "case ID close",
    ];
    for command in commands.iter().chain(&more) {
        assert!(help.contains(command), "{command} is not in\n{help}");
    }
    assert!(help.contains("DATABASE_URL") && help.contains("LAIKA_LISTEN"), "{help}");
}

#[test]
fn what_is_no_command_is_a_usage_error() {
    let (place, _) = place("usage", false);
    let calls: [&[&str]; 19] = [
        &["no-such-command"],
        &["serve", "--no-such-flag"],
        &["line", "add"],
        &["line", "add", "--iccid", "1", "--data-bytes", "many"],
        &["ingest"],
        &["backup"],
        &["restore", "one", "two"],
        &["recharge"],
        &["recharges", "--open", "--unknown"],
        &["jobs", "retry"],
        &["jobs", "retry", "a", "--due"],
        &["kill-switch", "perhaps"],
        &["reconcile", "--from", "never"],
        &["reconcile", "--from", "2026-11-02", "--until", "2026-11-01"],
        &["case"],
        &["case", "case_1", "close"],
        &["case", "case_1", "--why", "because"],
        &["kill-switch", "--line", "line_1"],
        &["kill-switch", "on", "--why", "two\nlines"],
    ];
    for call in calls {
        let ran = place.run(call).expect(2);
        assert!(!ran.stderr.is_empty() && ran.stdout.is_empty(), "{call:?}: {}", ran.stdout);
    }
}

#[test]
fn an_unknown_database_is_named_with_what_would_do() {
    let (place, _) = place("scheme", false);
    let place = place.with("DATABASE_URL", "mysql://localhost/laika");
    let ran = place.run(&["lines", "--json"]);
    assert!(matches!(ran.code, Some(1 | 2)), "{ran:?}");
    for word in ["mysql", "sqlite", "postgres"] {
        assert!(ran.stderr.contains(word), "{word} is not in {}", ran.stderr);
    }
}

/// Every command about what is in the database, but for the one that may be the first.
const ABOUT_WHAT_IS_THERE: [&[&str]; 13] = [
    &["kill-switch", "on", "--why", "amounts look wrong"],
    &["kill-switch"],
    &["audit", "--json"],
    &["lines", "--json"],
    &["recharges"],
    &["recharge", "line_1-r1"],
    &["jobs"],
    &["jobs", "retry", "line_1/evaluate"],
    &["reconcile"],
    &["cases"],
    &["case", "case_1"],
    &["ingest", "-"],
    &["verify-receipt", "receipt"],
];

#[test]
fn where_there_is_no_database_nothing_is_answered_and_none_is_made() {
    let (mut place, _) = place("nowhere", false);
    place.folder.write("receipt", "{}");
    place.unset("DATABASE_URL");
    for command in ABOUT_WHAT_IS_THERE {
        let ran = place.run(command).expect(1);
        assert_eq!(ran.stdout, "", "{command:?}");
        let file = place.folder.file("laika.db").display().to_string();
        for word in [&*file, "DATABASE_URL"] {
            assert!(ran.stderr.contains(word), "{command:?}: {word} is not in {}", ran.stderr);
        }
    }
    let left: Vec<_> = std::fs::read_dir(place.folder.path()).expect("the folder").collect();
    assert_eq!(left.len(), 1, "they left something behind: {left:?}");
    std::fs::write(place.folder.file("laika.db"), "").expect("a file");
    let ran = place.run(ABOUT_WHAT_IS_THERE[0]).expect(1);
    assert!(ran.stderr.contains("no database of Laika's"), "{}", ran.stderr);
}

#[test]
fn an_empty_database_of_postgres_is_not_taken_for_the_one_that_charges() {
    let database = Database::new();
    let url = database.url().replacen("postgres@", "postgres:secret@", 1);
    let place = Place::new("nothing-in-it").with("DATABASE_URL", &url);
    for command in [&["kill-switch", "on"][..], &["restore"]] {
        let ran = place.run(command).expect(1);
        assert!(ran.stderr.contains("no database of Laika's"), "{}", ran.stderr);
        assert!(!ran.stderr.contains("secret"), "{}", ran.stderr);
    }
    assert_eq!(database.ask("SELECT COUNT(*) FROM pg_tables WHERE schemaname = 'public'"), "0");
}

#[test]
fn what_changes_a_database_says_which() {
    let (place, _) = with_lines("which", false);
    let file = place.folder.file("laika.db").display().to_string();
    for command in [&["kill-switch", "on"][..], &["kill-switch", "off", "--json"]] {
        let ran = place.run(command).expect(0);
        assert!(ran.stderr.contains(&file), "{}", ran.stderr);
        assert!(!ran.stdout.contains(&file), "answers stay as they are: {}", ran.stdout);
    }
}

#[test]
fn a_sandbox_whose_pages_could_send_nobody_back_is_refused() {
    for (name, value) in
        [("LAIKA_ORIGIN", "https://app.example.org"), ("LAIKA_LISTEN", "192.0.2.7:8080")]
    {
        let place = Place::new("elsewhere").with(name, value);
        let elsewhere = place.run(&["serve"]).expect(1);
        for word in [name, "STRIPE_SECRET_KEY", "localhost"] {
            assert!(elsewhere.stderr.contains(word), "{word} is not in {}", elsewhere.stderr);
        }
        assert!(!place.folder.file("laika.db").exists(), "it is said before anything is made");
    }
}

#[test]
fn a_line_is_added_once() {
    let (place, _) = with_lines("twice", false);
    let args = ["line", "add", "--iccid", LINES[0].iccid, "--data-bytes", "1"];
    let again = place.run(&[&args[..], &["--credit-minor", "0", "--currency", "EUR"]].concat());
    assert_eq!(again.code, Some(1), "{again:?}");
    assert!(again.stderr.contains(LINES[0].iccid), "{}", again.stderr);
}

#[test]
fn a_graceful_stop_is_soon_and_clean() {
    let (place, _) = place("stop", false);
    let server = place.start(&["serve"]);
    assert_eq!(server.stop(), Some(0));
}
