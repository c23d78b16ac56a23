//! PostgreSQL on another machine: by TLS, with the server's certificate checked where asked for.

use laika_tests::support::laika::{Place, Ran};
use laika_tests::support::postgres::{Database, TlsDatabase};

/// Adds a line to the database of an address, the least that any command writes.
fn add(url: &str) -> Ran {
    let place = Place::new("tls").with("DATABASE_URL", url);
    place.run(&["line", "add", "--iccid", "8988247007000000006", "--data-bytes", "1"])
}

/// What the server knows of tables of ours.
fn tables(server: &TlsDatabase) -> String {
    server.database.ask("SELECT COUNT(*) FROM pg_tables WHERE schemaname = 'public'")
}

#[test]
fn it_is_reached_by_tls_and_believed_by_its_certificate() {
    let server = TlsDatabase::new();
    let [root, other] = server.roots().map(|file| file.display().to_string());
    let verified = |root: &str| format!("?sslmode=verify-full&sslrootcert={root}");
    for (host, parameters, why) in [
        ("localhost", verified(&other), "UnknownIssuer"),
        ("localhost", "?sslmode=verify-full".to_owned(), "UnknownIssuer"),
        ("127.0.0.1", verified(&root), "not valid for name"),
        ("localhost", "?sslmode=disable".to_owned(), "no encryption"),
    ] {
        let refused = add(&server.url(host, &parameters)).expect(1).stderr;
        assert!(refused.contains(why), "{parameters}: {why} is not in {refused}");
        assert_eq!(tables(&server), "0", "{parameters}");
    }
    add(&server.url("localhost", &verified(&root))).expect(0);
    assert_ne!(tables(&server), "0");
    for parameters in ["?sslmode=require", ""] {
        let again = add(&server.url("127.0.0.1", parameters)).expect(1).stderr;
        assert!(again.contains("already"), "{parameters}: it came in: {again}");
    }
}

#[test]
fn one_without_tls_is_refused_where_it_is_asked_for() {
    let database = Database::new();
    let refused = add(&format!("{}?sslmode=require", database.url())).expect(1).stderr;
    assert!(refused.contains("does not support TLS"), "{refused}");
}
