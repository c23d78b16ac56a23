//! A line by itself: the books sum up and hold one unit each, and the balance is what its events
//! make of its grants and what the books say.

use super::{Report, loaded::Loaded};
use crate::{
    error::Result,
    store::{Conn, balances, inbox, ledger::BookBalance},
};
use laika_core::{balance::Balance, ledger::Book};

/// Checks it; gives the kept balance.
pub(super) async fn check(
    conn: &mut Conn,
    loaded: &Loaded<'_>,
    report: &mut Report,
) -> Result<Balance> {
    books(loaded, report);
    let line = loaded.line;
    let kept = balances::load(conn, line).await?;
    let events = inbox::events(conn, line).await?;
    let id = line.id.as_str();
    let names: Vec<&str> = events.iter().map(|event| event.place.id.as_str()).collect();
    for name in inbox::unnamed(conn, &names).await? {
        let detail = format!("a usage event that was never accepted: {name}");
        report.expect(false, "event_unknown", id, detail);
    }
    let mut made = kept.clone();
    made.replay(&events);
    let detail = "the kept balance is not what the line's events make of its grants".to_string();
    report.expect(kept == made, "balance_differs", id, detail);
    let book = |book: Book, unit: &str| amount(&loaded.sums, book.name(), unit);
    let (has, booked) = (kept.bytes_on_books().to_i64(), book(Book::LineData, "byte"));
    let detail = format!("buckets {has}, books {booked}");
    report.expect(has == booked, "data_differs", id, detail);
    let (has, booked) = (kept.credit_left_minor(), book(Book::LineCredit, line.currency.code()));
    let detail = format!("credit {has}, books {booked}");
    report.expect(has == booked, "credit_differs", id, detail);
    Ok(kept)
}

fn amount(books: &[BookBalance], book: &str, unit: &str) -> i64 {
    let found = books.iter().find(|it| it.book == book && it.unit == unit);
    found.map_or(0, |it| it.amount)
}

/// Every transaction sums to zero, each kept sum is that of its entries, and no book holds what it
/// is not for.
fn books(loaded: &Loaded<'_>, report: &mut Report) {
    let id = loaded.line.id.as_str();
    for key in &loaded.unbalanced {
        report.expect(false, "unbalanced", key, "the entries do not sum to zero".into());
    }
    for kept in &loaded.kept {
        report.checked += 1;
        let sum = amount(&loaded.sums, &kept.book, &kept.unit);
        let detail = format!("{} {}: kept {}, entries {sum}", kept.book, kept.unit, kept.amount);
        report.expect(sum == kept.amount, "book_differs", id, detail);
    }
    for sum in &loaded.sums {
        let kept = loaded.kept.iter().any(|it| it.book == sum.book && it.unit == sum.unit);
        let detail = format!("{} {}: entries {}, nothing kept", sum.book, sum.unit, sum.amount);
        report.expect(kept || sum.amount == 0, "book_differs", id, detail);
        let of_data = matches!(sum.book.as_str(), "carrier" | "line_data" | "used");
        let of_credit = sum.book == Book::LineCredit.name();
        let right = match sum.unit.as_str() {
            "byte" => of_data,
            unit => !of_data && (!of_credit || unit == loaded.line.currency.code()),
        };
        report.expect(right, "wrong_unit", id, format!("{} in {}", sum.unit, sum.book));
    }
}
