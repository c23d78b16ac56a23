//! The tables as the migrations leave them: columns, keys, unique indexes, references.

use std::collections::BTreeMap;

/// Every table, by name.
#[derive(Debug, Default)]
pub(super) struct Schema {
    pub(super) tables: BTreeMap<String, Table>,
}

/// One table.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// Name and type, in their order.
    pub(super) columns: Vec<(String, String)>,
    /// The primary key first, then whatever else must be unique.
    pub(super) unique: Vec<Vec<String>>,
    /// What refers to another table: our columns, the table, and its columns.
    pub(super) references: Vec<(Vec<String>, String, Vec<String>)>,
}

impl Table {
    /// Whether its rows belong to accounts, and may lie where the account does.
    pub(super) fn is_sharded(&self) -> bool {
        self.columns.first().is_some_and(|(name, _)| name == "account_id")
    }
}

impl Schema {
    /// Runs migrations, as far as tables and their keys are concerned.
    pub(super) fn of<'a>(texts: impl Iterator<Item = &'a str>) -> Schema {
        let mut schema = Schema::default();
        for text in texts {
            let plain = without_comments(text);
            for statement in plain.split(';') {
                schema.run(statement.trim());
            }
        }
        schema
    }

    fn run(&mut self, statement: &str) {
        let words: Vec<&str> = statement.split_whitespace().collect();
        match words.as_slice() {
            ["CREATE", "TABLE", name, ..] => {
                let table = table(inside(statement));
                self.tables.insert((*name).to_owned(), table);
            }
            ["CREATE", "UNIQUE", "INDEX", _, "ON", name, ..] => {
                if let Some(table) = self.tables.get_mut(*name) {
                    table.unique.push(names(inside(statement)));
                }
            }
            ["ALTER", "TABLE", name, "ADD", "COLUMN", column, kind, rest @ ..] => {
                if let Some(table) = self.tables.get_mut(*name) {
                    table.columns.push(((*column).to_owned(), (*kind).to_owned()));
                    if rest.contains(&"UNIQUE") {
                        table.unique.push(vec![(*column).to_owned()]);
                    }
                }
            }
            ["DROP", "TABLE", name] => drop(self.tables.remove(*name)),
            _ => {}
        }
    }
}

/// SQL without what follows `--` on a line.
pub(super) fn without_comments(text: &str) -> String {
    text.lines()
        .map(|line| line.split("--").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n")
}

/// What stands between the first parenthesis and the one that closes it.
fn inside(text: &str) -> &str {
    let Some(from) = text.find('(') else { return "" };
    let rest = &text[from + 1..];
    let mut depth = 1;
    let end = rest.char_indices().find(|(_, c)| {
        depth += match c {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        depth == 0
    });
    &rest[..end.map_or(rest.len(), |(at, _)| at)]
}

/// Names between commas.
fn names(list: &str) -> Vec<String> {
    list.split(',').map(|name| name.trim().to_owned()).collect()
}

/// A list's items, at commas that no parenthesis encloses.
fn items(list: &str) -> Vec<&str> {
    let (mut depth, mut from, mut all) = (0, 0, vec![]);
    for (at, c) in list.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                all.push(list[from..at].trim());
                from = at + 1;
            }
            _ => {}
        }
    }
    all.push(list[from..].trim());
    all
}

fn table(list: &str) -> Table {
    let mut table = Table::default();
    for item in items(list) {
        let words: Vec<&str> = item.split_whitespace().collect();
        match words.as_slice() {
            ["PRIMARY", "KEY", ..] => table.unique.insert(0, names(inside(item))),
            ["UNIQUE", ..] => table.unique.push(names(inside(item))),
            ["FOREIGN", "KEY", ..] => refer(&mut table, names(inside(item)), item),
            [name, kind, rest @ ..] => {
                let own = vec![(*name).to_owned()];
                table.columns.push(((*name).to_owned(), (*kind).to_owned()));
                if rest.windows(2).any(|two| two == ["PRIMARY", "KEY"]) {
                    table.unique.insert(0, own.clone());
                }
                if rest.contains(&"UNIQUE") {
                    table.unique.push(own.clone());
                }
                if rest.contains(&"REFERENCES") {
                    refer(&mut table, own, item);
                }
            }
            _ => {}
        }
    }
    table
}

fn refer(table: &mut Table, own: Vec<String>, item: &str) {
    let Some((_, to)) = item.split_once("REFERENCES ") else { return };
    let name = to.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
    table.references.push((own, name.to_owned(), names(inside(to))));
}
