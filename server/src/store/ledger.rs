//! The books, append-only: what core posts becomes entries, and what usage moves stands with the
//! usage events. The sums of both follow in the same transaction, in `ledger_balances` and in the
//! line's own row; a book's balance is the two together. Nothing of the entries and the events is
//! ever updated or deleted.

mod audit;

use super::{
    Conn, Tx,
    lines::{self, Line},
    set,
};
use crate::{
    error::{Error, Result},
    sql,
};
use laika_core::{
    balance::Balance,
    ledger::{Book, Posting},
    money::Currency,
    time::Instant,
};
use serde::Serialize;
use sqlx::{Row, any::AnyRow};
use std::collections::BTreeMap;

pub use audit::{balances_of, entries_of, sums_of, unbalanced_of, without_line};

/// Books postings under `tx_key`, which is unique in the account: the same is never booked twice.
pub async fn post(tx: &mut Tx, line: &Line, tx_key: &str, postings: &[Posting]) -> Result<()> {
    let (mut entries, mut sums) = (Vec::new(), BTreeMap::new());
    let (account, id) = (line.account_id.as_str(), line.id.as_str());
    let at = line.newest_at.micros();
    for posting in postings {
        let unit = posting.quantity.unit();
        for (book, amount) in posting.entries() {
            let (seq, book) = (entries.len(), book.name());
            entries.push((account, id, tx_key, seq, book, unit.clone(), amount, at));
            let sum: &mut i64 = sums.entry((book, unit.clone())).or_default();
            let full = || Error::internal("a book has more than it can hold");
            *sum = sum.checked_add(amount).ok_or_else(full)?;
        }
    }
    let sums = sums.into_iter().map(|((book, unit), sum)| (account, id, book, unit, sum));
    sql!(
        "INSERT INTO ledger_entries
             (account_id, line_id, tx_key, seq, book, unit, amount, posted_at)
         SELECT r.value->>0, r.value->>1, r.value->>2, CAST(r.value->>3 AS BIGINT), r.value->>4,
                r.value->>5, CAST(r.value->>6 AS BIGINT), CAST(r.value->>7 AS BIGINT)
         FROM jsonb_each($1) AS r",
        set::of(&entries)?
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
        set::of(&sums.collect::<Vec<_>>())?
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// What a transaction of usage moves in the books of a line: data that was used, and credit that
/// was. Below zero where a late event gives something back.
///
/// It stands with the events themselves, whole with the last one that the transaction placed, and
/// its sum in the line's own row: most of what is ever booked is usage, and so it costs no rows and
/// no keys of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// From `line_data` to `used`.
    pub bytes: i64,
    /// From `line_credit` to `sales`, in minor units of the line's currency.
    pub minor: i64,
}

impl Moved {
    /// What the books must follow when usage changes a balance. Neither is ever below zero, so that
    /// no difference overflows.
    pub fn between(before: &Balance, after: &Balance) -> Moved {
        Moved {
            bytes: before.bytes_on_books().to_i64() - after.bytes_on_books().to_i64(),
            minor: after.credit_used_minor() - before.credit_used_minor(),
        }
    }

    /// Its entries, which sum to zero: book, unit, signed amount.
    fn entries(self, currency: Currency) -> impl Iterator<Item = (Book, String, i64)> {
        let Moved { bytes, minor } = self;
        let data = (Book::LineData, Book::Used, "byte".to_owned(), bytes);
        let credit = (Book::LineCredit, Book::Sales, currency.code().to_owned(), minor);
        let moved = [data, credit].into_iter().filter(|(.., amount)| *amount != 0);
        moved.flat_map(|(from, to, unit, amount)| {
            [(from, unit.clone(), amount.saturating_neg()), (to, unit, amount)]
        })
    }
}

/// One book's balance.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
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

/// Every book's balance as it is kept, for the audit.
pub async fn balances(conn: &mut Conn) -> Result<Vec<BookBalance>> {
    let lines = lines::all(conn).await?;
    let of_lines = balances_of(conn, &lines.iter().collect::<Vec<_>>()).await?;
    Ok(sorted(of_lines))
}

/// Every book's balance as its entries and the usage add up to, for the audit.
pub async fn sums(conn: &mut Conn) -> Result<Vec<BookBalance>> {
    let lines = lines::all(conn).await?;
    let of_lines = sums_of(conn, &lines.iter().collect::<Vec<_>>()).await?;
    Ok(sorted(of_lines))
}

fn sorted(of_lines: Vec<Vec<BookBalance>>) -> Vec<BookBalance> {
    let mut all: Vec<BookBalance> = of_lines.into_iter().flatten().collect();
    all.sort();
    all
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
