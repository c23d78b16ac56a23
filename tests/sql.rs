//! Every SQL text of ours, held against what Citus, YugabyteDB and CockroachDB also take, so that a
//! database that grew out of one PostgreSQL can move to many nodes. None of the three runs here:
//! the rules are read from their documentation, each with its source.
//!
//! Reading order: `read` finds the texts, `schema` knows the tables from the migrations, `rules`
//! are the rules, `exceptions` what breaks one, with why it may. `docs/scale.md` has the same
//! table.

mod exceptions;
mod read;
mod rules;
mod schema;

use exceptions::EXCEPTIONS;
use rules::{Finding, RULES};
use schema::Schema;
use std::collections::BTreeSet;

/// Everything that breaks a rule, exceptions or not.
fn findings() -> Vec<Finding> {
    let migrations = read::migrations();
    let schema = Schema::of(migrations.iter().map(|(_, text)| text.as_str()));
    assert!(schema.tables.len() > 25, "only {} tables were found", schema.tables.len());
    let statements = read::statements();
    assert!(statements.len() > 150, "only {} statements were found", statements.len());
    let mut found = rules::of_schema(&schema);
    for (name, text) in &migrations {
        found.extend(rules::of_migration(name, text));
    }
    for statement in &statements {
        found.extend(rules::of_statement(&schema, statement));
    }
    found
}

#[test]
fn our_sql_is_what_sharded_databases_take_too() {
    let excepted = |it: &Finding| EXCEPTIONS.iter().any(|known| it.is(known.rule, known.subject));
    let broken: Vec<String> =
        findings().iter().filter(|it| !excepted(it)).map(|it| format!("{it}")).collect();
    let words = "mend these, or except them with a reason in tests/sql/exceptions.rs";
    assert!(broken.is_empty(), "{words}:\n  {}", broken.join("\n  "));
}

#[test]
fn every_exception_is_one_and_has_a_reason() {
    let found = findings();
    for known in EXCEPTIONS {
        let used = found.iter().any(|it| it.is(known.rule, known.subject));
        assert!(used, "{} breaks {} no more: take the exception out", known.subject, known.rule);
        assert!(RULES.iter().any(|rule| rule.name == known.rule), "{} is no rule", known.rule);
        assert!(known.reason.len() > 20, "{}: a reason", known.subject);
    }
    let each: BTreeSet<_> = EXCEPTIONS.iter().map(|it| (it.rule, it.subject)).collect();
    assert_eq!(each.len(), EXCEPTIONS.len(), "an exception is there twice");
}

#[test]
fn the_page_has_every_rule_and_every_exception() {
    let page = read::file("docs/scale.md");
    let written = exceptions::table();
    let begins = "<!-- rules -->\n";
    let (_, rest) = page.split_once(begins).expect("the page has a place for the rules");
    let (kept, _) = rest.split_once("<!-- end of rules -->").expect("which ends");
    if kept != written {
        let path = std::env::temp_dir().join("laika-scale-rules.md");
        std::fs::write(&path, &written).expect("a file");
        panic!("docs/scale.md has other rules; what it should have is in {}", path.display());
    }
}

/// Breaks each rule on purpose, so that a rule that finds nothing shows.
#[test]
fn each_rule_finds_what_breaks_it() {
    let schema = Schema::of(
        ["CREATE TABLE accounts (id TEXT PRIMARY KEY, name TEXT UNIQUE);
          CREATE TABLE lines (account_id TEXT NOT NULL, id TEXT NOT NULL, at TIMESTAMP,
              PRIMARY KEY (account_id, id));
          CREATE TABLE stray (line_id TEXT PRIMARY KEY REFERENCES lines (id));
          CREATE UNIQUE INDEX lines_by_at ON lines (at);"]
        .into_iter(),
    );
    let mut found = rules::of_schema(&schema);
    found.extend(rules::of_migration("0099", "CREATE TRIGGER t BEFORE INSERT ON lines"));
    for text in [
        "SELECT id FROM lines WHERE id = $1",
        "SELECT id FROM lines WHERE account_id = $1 FOR UPDATE",
        "SELECT pg_advisory_lock(1)",
        "NOTIFY lines",
        "SELECT nextval('lines') FROM lines WHERE account_id = $1",
        "INSERT INTO lines (account_id, id) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING",
        "INSERT INTO lines (account_id, id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        "UPDATE lines SET account_id = $1 WHERE account_id = $2",
        "WITH x AS (SELECT 1) SELECT id FROM lines WHERE account_id = $1",
        "SELECT id FROM lines AS l WHERE account_id = $1 AND at = \
         (SELECT MAX(at) FROM lines AS m WHERE m.account_id = l.account_id)",
    ] {
        let statement = read::Statement { subject: "planted".into(), text: text.into() };
        let more = rules::of_statement(&schema, &statement);
        assert!(!more.is_empty(), "nothing is wrong with {text}");
        found.extend(more);
    }
    let broken: BTreeSet<&str> = found.iter().map(|it| it.rule).collect();
    let all: BTreeSet<&str> = RULES.iter().map(|it| it.name).collect();
    assert_eq!(broken, all);
    let good = "UPDATE lines SET at = $1 FROM jsonb_each($2) AS r
                WHERE lines.account_id = r.value->>0 AND lines.id = r.value->>1";
    let statement = read::Statement { subject: "good".into(), text: good.into() };
    assert_eq!(rules::of_statement(&schema, &statement), []);
}
