//! A whole set of rows as one bound text: a JSON array of arrays that a statement reads with
//! `jsonb_each($1) AS r`, cell by cell as `r.value->>0`, `r.value->>1`, …; `r.key` counts the rows
//! from 0. So a statement has one text whatever the size of the set, and goes to the database once.
//!
//! SQLite has `jsonb_each`, which reads the text once (with `json_each` each row's text is read
//! again for its cells: half as quick); `dialect` gives PostgreSQL one that takes a text. Numbers
//! are cast (`CAST(r.value->>2 AS BIGINT)`), because PostgreSQL's cells are texts.

use super::lines::Line;
use crate::error::{Error, Result};
use laika_core::time::Instant;
use serde::Serialize;
use sqlx::{Row, any::AnyRow};

/// The text of a set; each row is a tuple.
pub fn of<T: Serialize>(rows: &[T]) -> Result<String> {
    serde_json::to_string(rows).map_err(|error| Error::internal(error.to_string()))
}

/// The set of some lines' keys: account and id.
pub fn of_lines<'a>(lines: impl IntoIterator<Item = &'a Line>) -> Result<String> {
    let keys: Vec<_> =
        lines.into_iter().map(|it| (it.account_id.as_str(), it.id.as_str())).collect();
    of(&keys)
}

/// The set of some lines' keys, each with an instant in microseconds.
pub fn of_lines_at(lines: &[(&Line, Instant)]) -> Result<String> {
    let key = |(line, at): &(&Line, Instant)| {
        (line.account_id.to_string(), line.id.to_string(), at.micros())
    };
    of(&lines.iter().map(key).collect::<Vec<_>>())
}

/// Which row of the set a row of the answer belongs to: its first column.
pub fn key(row: &AnyRow) -> Result<usize> {
    let key: i64 = row.try_get(0)?;
    usize::try_from(key).map_err(|_| Error::internal("a set has no such row"))
}

/// One list for each row of a set, from an answer whose first column says whose.
pub fn grouped<T>(
    count: usize,
    rows: &[AnyRow],
    read: impl Fn(&AnyRow) -> Result<T>,
) -> Result<Vec<Vec<T>>> {
    let mut groups: Vec<Vec<T>> = (0..count).map(|_| Vec::new()).collect();
    for row in rows {
        let group = groups.get_mut(key(row)?);
        group.ok_or_else(|| Error::internal("a set has no such row"))?.push(read(row)?);
    }
    Ok(groups)
}
