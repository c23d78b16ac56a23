//! The rules, each with where it is from, and what looks for it.

use super::read::Statement;
use super::schema::{Schema, Table, without_comments};
use std::fmt;

/// What our SQL keeps to.
pub(super) struct Rule {
    pub(super) name: &'static str,
    pub(super) words: &'static str,
    pub(super) source: &'static str,
}

const CITUS_KEYS: &str = "https://docs.citusdata.com/en/v11.1/faq/faq.html";
const CITUS_TABLES: &str = "https://docs.citusdata.com/en/stable/develop/reference_ddl.html";
const CITUS_QUERIES: &str =
    "https://docs.citusdata.com/en/stable/develop/reference_workarounds.html";
const CITUS_WRITES: &str = "https://docs.citusdata.com/en/stable/develop/reference_dml.html";
const YUGABYTE: &str =
    "https://docs.yugabyte.com/latest/explore/ysql-language-features/postgresql-compatibility/";
const YUGABYTE_LOCKS: &str =
    "https://dev.to/yugabyte/advisorycustomapplication-lock-with-yugabytedb-jao";
const COCKROACH: &str = "https://www.cockroachlabs.com/docs/v26.3/postgresql-compatibility";
const COCKROACH_LIMITS: &str = "https://cockroachlabs.com/docs/v23.2/known-limitations";

pub(super) const LEADS: &str = "leads with the account";
pub(super) const UNIQUE: &str = "unique within the account";
const REFERS: &str = "refers within the account";
const TYPES: &str = "plain types";
const TABLES: &str = "plain tables";
pub(super) const NAMES: &str = "names its account";
const STAYS: &str = "the account stays";
pub(super) const CONFLICTS: &str = "conflicts name a key";
pub(super) const ROW_LOCKS: &str = "no row locks";
pub(super) const ADVISORY: &str = "no advisory locks";
const NOTICES: &str = "no notifications";
pub(super) const FUNCTIONS: &str = "known functions";
pub(super) const QUERIES: &str = "plain queries";

/// All of them.
pub(super) const RULES: &[Rule] = &[
    Rule {
        name: LEADS,
        words: "A table's first column is `account_id`, and its primary key has it: rows lie where \
                their account does.",
        source: CITUS_KEYS,
    },
    Rule {
        name: UNIQUE,
        words: "Whatever must be unique has the account in it: one node alone can tell.",
        source: CITUS_KEYS,
    },
    Rule {
        name: REFERS,
        words: "A foreign key has the account in it: both rows lie on one node.",
        source: CITUS_TABLES,
    },
    Rule { name: TYPES, words: "Columns are BIGINT or TEXT.", source: COCKROACH },
    Rule {
        name: TABLES,
        words: "No triggers, sequences, views, inheritance, exclusion or deferrable constraints, \
                no LOCK TABLE.",
        source: YUGABYTE,
    },
    Rule {
        name: NAMES,
        words: "A statement names the account of every row that it reads or writes: one node, or \
                for a set as many as its accounts, are asked.",
        source: CITUS_QUERIES,
    },
    Rule { name: STAYS, words: "No row changes its account.", source: CITUS_WRITES },
    Rule {
        name: CONFLICTS,
        words: "ON CONFLICT names the columns of a key, and never an expression.",
        source: COCKROACH_LIMITS,
    },
    Rule {
        name: ROW_LOCKS,
        words: "No SELECT … FOR UPDATE: it works on one node only. Locks are taken by UPDATE.",
        source: CITUS_QUERIES,
    },
    Rule { name: ADVISORY, words: "No advisory locks.", source: YUGABYTE_LOCKS },
    Rule { name: NOTICES, words: "No LISTEN and no NOTIFY: streams poll.", source: YUGABYTE },
    Rule {
        name: FUNCTIONS,
        words: "No functions but CAST, COALESCE, COUNT, MIN, MAX, SUM and `jsonb_each`; none that \
                is volatile.",
        source: CITUS_QUERIES,
    },
    Rule {
        name: QUERIES,
        words: "No WITH, window functions, grouping sets, samples, lateral joins or correlated \
                subqueries.",
        source: CITUS_QUERIES,
    },
];

/// Something that breaks a rule.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) rule: &'static str,
    pub(super) subject: String,
    what: String,
}

impl Finding {
    pub(super) fn is(&self, rule: &str, subject: &str) -> bool {
        self.rule == rule && self.subject == subject
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\" is broken by \"{}\": {}", self.rule, self.subject, self.what)
    }
}

fn finding(rule: &'static str, subject: impl Into<String>, what: &str) -> Finding {
    Finding { rule, subject: subject.into(), what: what.to_owned() }
}

/// The column that says where a table's rows lie.
fn place(name: &str, table: &Table) -> Option<&'static str> {
    match name {
        "accounts" => Some("id"),
        _ => table.is_sharded().then_some("account_id"),
    }
}

/// What is wrong with the tables.
pub(super) fn of_schema(schema: &Schema) -> Vec<Finding> {
    let mut found = vec![];
    for (name, table) in &schema.tables {
        let bad = table.columns.iter().filter(|(_, kind)| kind != "BIGINT" && kind != "TEXT");
        found.extend(bad.map(|(column, kind)| finding(TYPES, format!("{name}.{column}"), kind)));
        let has = |columns: &[String], column: &str| columns.iter().any(|it| it == column);
        let key = table.unique.first().map(Vec::as_slice).unwrap_or_default();
        let Some(place) = place(name, table).filter(|place| has(key, place)) else {
            found.push(finding(LEADS, name, &key.join(", ")));
            continue;
        };
        for columns in table.unique.iter().filter(|columns| !has(columns, place)) {
            found.push(finding(UNIQUE, format!("{name} ({})", columns.join(", ")), "unique"));
        }
        for (own, to, _) in table.references.iter().filter(|(own, ..)| !has(own, place)) {
            found.push(finding(REFERS, format!("{name} ({})", own.join(", ")), to));
        }
    }
    for (name, table) in &schema.tables {
        for (own, to, theirs) in &table.references {
            let place = schema.tables.get(to).and_then(|it| place(to, it));
            let subject = format!("{name} ({})", own.join(", "));
            if place.is_some_and(|place| !theirs.iter().any(|it| it == place)) {
                found.push(finding(REFERS, subject, to));
            }
        }
    }
    found
}

/// What is wrong with a migration's text.
pub(super) fn of_migration(name: &str, text: &str) -> Vec<Finding> {
    let words = [
        "TRIGGER",
        "SEQUENCE",
        "SERIAL",
        "IDENTITY",
        "VIEW",
        "INHERITS",
        "EXCLUDE",
        "DEFERRABLE",
        "LOCK",
        "TEMPORARY",
        "UNLOGGED",
        "TABLESPACE",
        "PARTITION",
    ];
    let plain = without_comments(text).to_uppercase();
    let each = plain.split(|c: char| !c.is_alphanumeric() && c != '_');
    let bad = each.filter(|word| words.contains(word));
    bad.map(|word| finding(TABLES, name, word)).collect()
}

/// What is wrong with a statement.
pub(super) fn of_statement(schema: &Schema, statement: &Statement) -> Vec<Finding> {
    let text = plain(&statement.text);
    let mut found = vec![];
    let mut add = |rule, what: &str| found.push(finding(rule, &*statement.subject, what));
    for lock in [" FOR UPDATE", " FOR NO KEY UPDATE", " FOR SHARE", " FOR KEY SHARE"] {
        if format!(" {text}").contains(lock) {
            add(ROW_LOCKS, &text);
        }
    }
    if text.contains("advisory") {
        add(ADVISORY, &text);
    }
    if ["LISTEN ", "NOTIFY "].iter().any(|it| text.starts_with(it)) || text.contains("pg_notify") {
        add(NOTICES, &text);
    }
    for function in functions(&text) {
        if !["CAST", "COALESCE", "COUNT", "MIN", "MAX", "SUM", "jsonb_each"].contains(&function) {
            add(FUNCTIONS, function);
        }
    }
    let (_, set) = text.split_once(" SET ").unwrap_or_default();
    let set = set.split(" WHERE ").next().unwrap_or_default();
    if text.starts_with("UPDATE ")
        && (set.starts_with("account_id =") || set.contains(", account_id ="))
    {
        add(STAYS, &text);
    }
    if let Some((insert, conflict)) = text.split_once("ON CONFLICT")
        && !names_a_key(schema, insert, conflict)
    {
        add(CONFLICTS, conflict);
    }
    let parts = parts(&text);
    let unusual = ["WITH ", " OVER (", " OVER(", "GROUPING SETS", "TABLESAMPLE", " LATERAL "];
    let ordinality = text.replace("WITH ORDINALITY", "");
    if unusual.iter().any(|it| ordinality.contains(it)) || correlates(&parts) {
        add(QUERIES, &text);
    }
    for part in &parts {
        for name in tables(part) {
            let place = schema.tables.get(name).and_then(|table| place(name, table));
            if place.is_some_and(|place| !names_account(part, place)) {
                add(NAMES, part);
            }
        }
    }
    found
}

/// One space between words, and none behind a parenthesis that opens.
fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace("( ", "(")
}

/// A statement and each of its subqueries, without those inside it.
fn parts(text: &str) -> Vec<String> {
    let Some(at) = text.find("(SELECT ") else { return vec![text.to_owned()] };
    let (before, from) = text.split_at(at);
    let mut depth = 0;
    let end = from.char_indices().find(|(_, c)| {
        depth += match c {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        depth == 0
    });
    let end = end.map_or(from.len(), |(at, _)| at);
    let mut all = parts(&format!("{before}(…{}", &from[end..]));
    all.extend(parts(&from[1..end]));
    all
}

/// Every table that a part reads or writes.
fn tables(part: &str) -> Vec<&str> {
    let words: Vec<&str> = part.split(' ').collect();
    let named = words.windows(2).filter(|two| ["FROM", "JOIN", "UPDATE", "INTO"].contains(&two[0]));
    named.map(|two| two[1].trim_end_matches([')', ','])).collect()
}

/// Whether a part says whose rows it is about.
fn names_account(part: &str, place: &str) -> bool {
    let own = |at: usize| part[..at].chars().next_back().is_none_or(|c| " .(".contains(c));
    let equal = [format!("{place} = "), format!("{place} IN (…")];
    if equal.iter().any(|it| part.match_indices(it.as_str()).any(|(at, _)| own(at))) {
        return true;
    }
    let inserts = part.strip_prefix("INSERT INTO ").and_then(|it| it.split_once('('));
    let inserts = inserts.is_some_and(|(_, columns)| {
        let columns = columns.split(')').next().unwrap_or_default();
        columns.split(", ").any(|column| column == place)
    });
    let row = part.contains(&format!("({place}, ")) && part.contains(") IN (…");
    inserts || row
}

/// Whether a conflict's columns are a key of the table, with the account where there is one.
fn names_a_key(schema: &Schema, insert: &str, conflict: &str) -> bool {
    let columns = conflict.trim_start().strip_prefix('(').and_then(|it| it.split_once(')'));
    let Some((columns, _)) = columns else { return false };
    let mut columns: Vec<&str> = columns.split(", ").collect();
    columns.sort_unstable();
    let name = insert.split(' ').nth(2).unwrap_or_default();
    let Some(table) = schema.tables.get(name) else { return true };
    let place = place(name, table);
    table.unique.iter().any(|key| {
        let mut key: Vec<&str> = key.iter().map(String::as_str).collect();
        key.sort_unstable();
        key == columns && place.is_none_or(|place| key.contains(&place))
    })
}

/// Whether a subquery speaks of a row outside itself.
fn correlates(parts: &[String]) -> bool {
    let aliases = |part: &str| -> Vec<String> {
        let names = part.split(" AS ").skip(1);
        let name = |it: &str| it.split([' ', ',', ')']).next().unwrap_or_default().to_owned();
        names.map(name).chain(tables(part).into_iter().map(str::to_owned)).collect()
    };
    parts.iter().enumerate().any(|(at, part)| {
        let own = aliases(part);
        let others = parts.iter().take(at).flat_map(|part| aliases(part));
        others.filter(|alias| !own.contains(alias)).any(|alias| {
            let named = format!("{alias}.");
            part.match_indices(&named).any(|(at, _)| {
                part[..at].chars().next_back().is_none_or(|c| !c.is_alphanumeric() && c != '_')
            })
        })
    })
}

/// Every name with a parenthesis right behind it.
fn functions(text: &str) -> Vec<&str> {
    let name = |(at, _): (usize, _)| {
        let before = &text[..at];
        let from = before.rfind(|c: char| !c.is_alphanumeric() && c != '_').map_or(0, |at| at + 1);
        &before[from..]
    };
    text.match_indices('(').map(name).filter(|name| !name.is_empty()).collect()
}
