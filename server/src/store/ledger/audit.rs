//! What the auditor reads of the books: of many lines at once.

use super::{BookBalance, Entry, Moved};
use crate::{
    error::{Error, Result},
    sql,
    store::{Conn, lines::Line, set},
};
use laika_core::time::Instant;
use sqlx::{Row, any::AnyRow};

/// Reads a book's balance from behind the set's key.
fn book_balance(row: &AnyRow) -> Result<BookBalance> {
    Ok(BookBalance {
        account_id: row.try_get(1)?,
        line_id: row.try_get(2)?,
        book: row.try_get(3)?,
        unit: row.try_get(4)?,
        amount: row.try_get(5)?,
    })
}

/// Each line's books as they are kept: the sums of entries, and of usage.
pub async fn balances_of(conn: &mut Conn, lines: &[&Line]) -> Result<Vec<Vec<BookBalance>>> {
    let keys = set::of_lines(lines.iter().copied())?;
    let of_entries = sql!(
        "SELECT r.key, b.account_id, b.line_id, b.book, b.unit, b.amount
         FROM jsonb_each($1) AS r CROSS JOIN ledger_balances AS b
         WHERE b.account_id = r.value->>0 AND b.line_id = r.value->>1",
        &keys
    )
    .fetch_all(&mut *conn)
    .await?;
    let of_usage = sql!(
        "SELECT r.key, l.moved_bytes, l.moved_minor
         FROM jsonb_each($1) AS r CROSS JOIN lines AS l
         WHERE l.account_id = r.value->>0 AND l.id = r.value->>1",
        keys
    )
    .fetch_all(conn)
    .await?;
    together(lines, &of_entries, &of_usage)
}

/// Each line's books as their entries and its usage add up to.
pub async fn sums_of(conn: &mut Conn, lines: &[&Line]) -> Result<Vec<Vec<BookBalance>>> {
    let keys = set::of_lines(lines.iter().copied())?;
    let of_entries = sql!(
        "SELECT r.key, e.account_id, e.line_id, e.book, e.unit, CAST(SUM(e.amount) AS BIGINT)
         FROM jsonb_each($1) AS r CROSS JOIN ledger_entries AS e
         WHERE e.account_id = r.value->>0 AND e.line_id = r.value->>1
         GROUP BY r.key, e.account_id, e.line_id, e.book, e.unit",
        &keys
    )
    .fetch_all(&mut *conn)
    .await?;
    let of_usage = sql!(
        "SELECT r.key, CAST(SUM(e.moved_bytes) AS BIGINT), CAST(SUM(e.moved_minor) AS BIGINT)
         FROM jsonb_each($1) AS r CROSS JOIN usage_events AS e
         WHERE e.account_id = r.value->>0 AND e.line_id = r.value->>1
         GROUP BY r.key",
        keys
    )
    .fetch_all(conn)
    .await?;
    together(lines, &of_entries, &of_usage)
}

/// Each line's books, from the sums of its entries and of what its usage moved.
fn together(
    lines: &[&Line],
    of_entries: &[AnyRow],
    of_usage: &[AnyRow],
) -> Result<Vec<Vec<BookBalance>>> {
    let mut books = set::grouped(lines.len(), of_entries, book_balance)?;
    let moved = |row: &AnyRow| Ok(Moved { bytes: row.try_get(1)?, minor: row.try_get(2)? });
    let moved = set::grouped(lines.len(), of_usage, moved)?;
    for ((line, moved), books) in lines.iter().zip(moved).zip(&mut books) {
        for (book, unit, amount) in moved.into_iter().flat_map(|it| it.entries(line.currency)) {
            add(line, books, book.name(), unit, amount)?;
        }
    }
    Ok(books)
}

/// Adds an amount to a book of a line, which may be among these.
fn add(
    line: &Line,
    sums: &mut Vec<BookBalance>,
    book: &str,
    unit: String,
    amount: i64,
) -> Result<()> {
    if let Some(known) = sums.iter_mut().find(|it| it.book == book && it.unit == unit) {
        let sum = known.amount.checked_add(amount);
        known.amount = sum.ok_or_else(|| Error::internal("a book has more than it can hold"))?;
        return Ok(());
    }
    let (account_id, line_id) = (line.account_id.to_string(), line.id.to_string());
    sums.push(BookBalance { account_id, line_id, book: book.to_owned(), unit, amount });
    Ok(())
}

/// Each line's transactions whose entries do not sum to zero in some unit, by name and unit.
pub async fn unbalanced_of(conn: &mut Conn, lines: &[&Line]) -> Result<Vec<Vec<String>>> {
    let rows = sql!(
        "SELECT r.key, e.tx_key, e.unit
         FROM jsonb_each($1) AS r CROSS JOIN ledger_entries AS e
         WHERE e.account_id = r.value->>0 AND e.line_id = r.value->>1
         GROUP BY r.key, e.tx_key, e.unit HAVING SUM(e.amount) <> 0 ORDER BY e.tx_key",
        set::of_lines(lines.iter().copied())?
    )
    .fetch_all(conn)
    .await?;
    set::grouped(lines.len(), &rows, |row| {
        let (key, unit): (String, String) = (row.try_get(1)?, row.try_get(2)?);
        Ok(format!("{key} {unit}"))
    })
}

/// Each line's entries that recharges made, in the order of their transactions.
pub async fn entries_of(conn: &mut Conn, lines: &[&Line]) -> Result<Vec<Vec<Entry>>> {
    let rows = sql!(
        "SELECT r.key, e.tx_key, e.posted_at, e.book, e.unit, e.amount
         FROM jsonb_each($1) AS r CROSS JOIN ledger_entries AS e
         WHERE e.account_id = r.value->>0 AND e.line_id = r.value->>1
           AND e.tx_key LIKE (r.value->>1) || '-r%'
         ORDER BY e.tx_key, e.seq",
        set::of_lines(lines.iter().copied())?
    )
    .fetch_all(conn)
    .await?;
    set::grouped(lines.len(), &rows, |row| {
        Ok(Entry {
            tx_key: row.try_get(1)?,
            posted_at: Instant::from_micros(row.try_get(2)?),
            book: row.try_get(3)?,
            unit: row.try_get(4)?,
            amount: row.try_get(5)?,
        })
    })
}

/// The names of transactions whose line there is not: there is never one.
pub async fn without_line(conn: &mut Conn) -> Result<Vec<String>> {
    let rows = sql!(
        "SELECT DISTINCT account_id, tx_key FROM ledger_entries WHERE NOT EXISTS (
             SELECT 1 FROM lines
             WHERE lines.account_id = ledger_entries.account_id
               AND lines.id = ledger_entries.line_id)"
    )
    .fetch_all(conn)
    .await?;
    rows.iter().map(|row| Ok(row.try_get(1)?)).collect()
}
