//! The books, append-only. Postings come from core; here they become entries under the version of
//! the line that the transaction made. Nothing is ever updated or deleted.

mod audit;

use super::{Conn, Tx, lines::Line, set};
use crate::{
    error::{Error, Result},
    sql,
};
use laika_core::{bytes::Bytes, ledger::Book, ledger::Posting, money::Money, time::Instant};
use serde::Serialize;
use sqlx::{Row, any::AnyRow};
use std::collections::BTreeMap;

pub use audit::{balances_of, entries_of, sums_of, unbalanced_of, without_line};

/// Books postings under `tx_key`, which is unique in the account: the same is never booked twice.
pub async fn post(tx: &mut Tx, line: &Line, tx_key: &str, postings: &[Posting]) -> Result<()> {
    post_all(tx, Texts::of(&[(line, tx_key.to_string(), postings.to_vec())])?).await
}

/// Postings of many lines as two sets: the entries, and what they add to each book's balance.
#[derive(Debug)]
pub struct Texts {
    entries: String,
    sums: String,
    empty: bool,
}

impl Texts {
    /// Each line's postings go under a key of their own.
    pub fn of(all: &[(&Line, String, Vec<Posting>)]) -> Result<Texts> {
        let (mut entries, mut sums) = (Vec::new(), BTreeMap::new());
        for (line, tx_key, postings) in all {
            let (account, id) = (line.account_id.as_str(), line.id.as_str());
            let (mut seq, at) = (0_i64, line.newest_at.micros());
            for posting in postings {
                let unit = posting.quantity.unit();
                for (book, amount) in posting.entries() {
                    let book = book.name();
                    entries.push((account, id, tx_key, seq, book, unit.clone(), amount, at));
                    let sum: &mut i64 = sums.entry((account, id, book, unit.clone())).or_default();
                    let more = sum.checked_add(amount);
                    let full = || Error::internal("a book has more than it can hold");
                    *sum = more.ok_or_else(full)?;
                    seq += 1;
                }
            }
        }
        let sums: Vec<_> = sums
            .into_iter()
            .map(|((account, line, book, unit), sum)| (account, line, book, unit, sum))
            .collect();
        let empty = entries.is_empty();
        Ok(Texts { entries: set::of(&entries)?, sums: set::of(&sums)?, empty })
    }
}

/// Books the postings of many lines.
pub async fn post_all(tx: &mut Tx, texts: Texts) -> Result<()> {
    if texts.empty {
        return Ok(());
    }
    sql!(
        "INSERT INTO ledger_entries
             (account_id, line_id, tx_key, seq, book, unit, amount, posted_at)
         SELECT r.value->>0, r.value->>1, r.value->>2, CAST(r.value->>3 AS BIGINT), r.value->>4,
                r.value->>5, CAST(r.value->>6 AS BIGINT), CAST(r.value->>7 AS BIGINT)
         FROM jsonb_each($1) AS r",
        texts.entries
    )
    .execute(&mut **tx)
    .await?;
    sql!(
        "INSERT INTO ledger_balances (account_id, line_id, book, unit, amount)
         SELECT r.value->>0, r.value->>1, r.value->>2, r.value->>3,
                CAST(r.value->>4 AS BIGINT)
         FROM jsonb_each($1) AS r WHERE TRUE
         ON CONFLICT (account_id, line_id, book, unit)
         DO UPDATE SET amount = ledger_balances.amount + excluded.amount",
        texts.sums
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A movement of data that may be backwards: a late event can give data back to a book.
pub fn bytes_moved(from: Book, to: Book, before: Bytes, after: Bytes) -> Option<Posting> {
    match before.cmp(&after) {
        std::cmp::Ordering::Less => Some(Posting::bytes(from, to, after.minus(before))),
        std::cmp::Ordering::Equal => None,
        std::cmp::Ordering::Greater => Some(Posting::bytes(to, from, before.minus(after))),
    }
}

/// A movement of money that may be backwards, as [`bytes_moved`].
pub fn money_moved(from: Book, to: Book, before: Money, after: Money) -> Result<Option<Posting>> {
    let moved = after.checked_sub(before);
    let moved = moved.ok_or_else(|| Error::internal("money of two currencies on one line"))?;
    Ok(match moved.amount_minor {
        0 => None,
        forward if forward > 0 => Some(Posting::money(from, to, moved)),
        back => Some(Posting::money(to, from, Money::new(back.saturating_neg(), moved.currency))),
    })
}

/// One book's balance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BookBalance {
    /// Whose.
    pub account_id: String,
    /// Of which line.
    pub line_id: String,
    /// Which book.
    pub book: String,
    /// The currency's code, or `byte`.
    pub unit: String,
    /// The sum of its entries.
    pub amount: i64,
}

fn book_balance(row: &AnyRow) -> Result<BookBalance> {
    Ok(BookBalance {
        account_id: row.try_get(0)?,
        line_id: row.try_get(1)?,
        book: row.try_get(2)?,
        unit: row.try_get(3)?,
        amount: row.try_get(4)?,
    })
}

/// Every book's balance as it is kept, for the audit.
pub async fn balances(conn: &mut Conn) -> Result<Vec<BookBalance>> {
    let rows = sql!(
        "SELECT account_id, line_id, book, unit, amount FROM ledger_balances
         ORDER BY account_id, line_id, book, unit"
    )
    .fetch_all(conn)
    .await?;
    rows.iter().map(book_balance).collect()
}

/// Every book's balance as its entries add up to, for the audit.
pub async fn sums(conn: &mut Conn) -> Result<Vec<BookBalance>> {
    let rows = sql!(
        "SELECT account_id, line_id, book, unit, CAST(SUM(amount) AS BIGINT) FROM ledger_entries
         GROUP BY account_id, line_id, book, unit ORDER BY account_id, line_id, book, unit"
    )
    .fetch_all(conn)
    .await?;
    rows.iter().map(book_balance).collect()
}

/// The transactions whose entries do not sum to zero in some unit: there is never one.
pub async fn unbalanced(conn: &mut Conn) -> Result<Vec<String>> {
    let rows = sql!(
        "SELECT account_id, tx_key, unit FROM ledger_entries
         GROUP BY account_id, tx_key, unit HAVING SUM(amount) <> 0"
    )
    .fetch_all(conn)
    .await?;
    let name = |row: &AnyRow| -> Result<String> {
        let account: String = row.try_get(0)?;
        let (key, unit): (String, String) = (row.try_get(1)?, row.try_get(2)?);
        Ok(format!("{account} {key} {unit}"))
    };
    rows.iter().map(name).collect()
}

/// One entry of the books.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// Which transaction.
    pub tx_key: String,
    /// When.
    pub posted_at: Instant,
    /// Which book.
    pub book: String,
    /// The currency's code, or `byte`.
    pub unit: String,
    /// How much; below zero where it goes out.
    pub amount: i64,
}

/// The entries of some of an account's transactions, in the order of the keys.
pub async fn entries(conn: &mut Conn, account: &str, keys: &[String]) -> Result<Vec<Entry>> {
    let keys: Vec<[&str; 1]> = keys.iter().map(|key| [key.as_str()]).collect();
    let rows = sql!(
        "SELECT e.tx_key, e.posted_at, e.book, e.unit, e.amount
         FROM jsonb_each($1) AS r CROSS JOIN ledger_entries AS e
         WHERE e.account_id = $2 AND e.tx_key = r.value->>0 ORDER BY r.key, e.seq",
        set::of(&keys)?,
        account
    )
    .fetch_all(conn)
    .await?;
    let entry = |row: &AnyRow| {
        Ok(Entry {
            tx_key: row.try_get(0)?,
            posted_at: Instant::from_micros(row.try_get(1)?),
            book: row.try_get(2)?,
            unit: row.try_get(3)?,
            amount: row.try_get(4)?,
        })
    };
    rows.iter().map(entry).collect()
}
