//! Many lines: a database of a thousand customers copied within itself until it has as many as are
//! asked for, usage dealt over all of them, and a server on it that is killed and started again.

use super::{Answer, load, world};
use laika_core::time::{Instant, Span};
use laika_server::{
    Shared,
    flow::{
        handle_usage::{self, PIECE},
        usage_event,
    },
    sql,
    store::set,
};
use sqlx::Row;
use std::{
    error::Error,
    ops::Range,
    path::Path,
    time::{Duration, Instant as Stopwatch},
};
use tokio::{io::BufReader, net::TcpStream};

/// Customers that `make` made.
const MADE: usize = 1000;
/// Copies that are made in one transaction.
const AT_ONCE: usize = 20;

/// A sandbox of the server's own, wherever there is room.
const ANY: &str = "127.0.0.1:0";

/// What a customer is made of, copied under more names (`$1`).
const COPIES: [&str; 6] = [
    "INSERT INTO accounts (id, version, phone, email, language, time_zone, created_at)
     SELECT (r.value->>0) || a.id, 0, a.phone || (r.value->>0),
            (r.value->>0) || a.email, a.language, a.time_zone, a.created_at
     FROM accounts AS a CROSS JOIN jsonb_each($1) AS r
     WHERE a.id >= 'acc_000000' AND a.id < 'acc_000001'",
    "INSERT INTO lines
         (account_id, id, iccid, version, newest_at, currency, per_gb_minor, stopped,
          closed, recharge_count, label, credit_bytes, overrun_bytes, created_at)
     SELECT (r.value->>0) || l.account_id, (r.value->>0) || l.id,
            l.iccid || (r.value->>0), l.version, l.newest_at, l.currency,
            l.per_gb_minor, 0, 0, 0, NULL, 0, 0, l.created_at
     FROM lines AS l CROSS JOIN jsonb_each($1) AS r
     WHERE l.account_id >= 'acc_000000' AND l.account_id < 'acc_000001'",
    "INSERT INTO buckets
         (account_id, line_id, id, bytes_total, bytes_left, expires_at, granted_at,
          grant_version, recharge_id)
     SELECT (r.value->>0) || b.account_id, (r.value->>0) || b.line_id, b.id,
            b.bytes_total, b.bytes_left, b.expires_at, b.granted_at, b.grant_version,
            NULL
     FROM buckets AS b CROSS JOIN jsonb_each($1) AS r
     WHERE b.account_id >= 'acc_000000' AND b.account_id < 'acc_000001'",
    "INSERT INTO payment_methods
         (account_id, id, token, rail, brand, funding, last4, exp_month, exp_year,
          fingerprint, instrument, place, added_at, removed_at)
     SELECT (r.value->>0) || m.account_id, m.id, m.token, m.rail, m.brand, m.funding,
            m.last4, m.exp_month, m.exp_year, m.fingerprint || (r.value->>0),
            m.instrument || (r.value->>0), m.place, m.added_at, 0
     FROM payment_methods AS m CROSS JOIN jsonb_each($1) AS r
     WHERE m.account_id >= 'acc_000000' AND m.account_id < 'acc_000001'",
    "INSERT INTO rules
         (account_id, line_id, version, rule, draft, suspended, consumed_through,
          consumed_expiry_at, alerted)
     SELECT (r.value->>0) || x.account_id, (r.value->>0) || x.line_id, x.version,
            x.rule, x.draft, NULL, NULL, NULL, 0
     FROM rules AS x CROSS JOIN jsonb_each($1) AS r
     WHERE x.account_id >= 'acc_000000' AND x.account_id < 'acc_000001'",
    "INSERT INTO ledger_balances (account_id, line_id, book, unit, amount)
     SELECT (r.value->>0) || b.account_id, (r.value->>0) || b.line_id, b.book, b.unit,
            b.amount
     FROM ledger_balances AS b CROSS JOIN jsonb_each($1) AS r
     WHERE b.account_id >= 'acc_000000' AND b.account_id < 'acc_000001'",
];

/// The number of a line's eSIM: of a thousand there are so many copies.
fn iccid(line: usize) -> String {
    match line / MADE {
        0 => world::iccid(line),
        copy => format!("{}{}", world::iccid(line % MADE), name(copy)),
    }
}

fn name(copy: usize) -> String {
    format!("{copy:04}")
}

/// Copies the customers until there are so many lines: accounts, cards, rules, balances and books.
async fn grow(app: &Shared, lines: usize) -> Result<(), Box<dyn Error>> {
    let copies: Vec<[String; 1]> = (1..lines.div_ceil(MADE)).map(|copy| [name(copy)]).collect();
    for some in copies.chunks(AT_ONCE) {
        let names = set::of(some)?;
        let mut tx = app.store.write().await?;
        for text in COPIES {
            sqlx::query::<sqlx::Any>(text).bind(&names).execute(&mut *tx).await?;
        }
        tx.commit().await;
    }
    let mut tx = app.store.write().await?;
    sql!("ANALYZE").execute(&mut *tx).await?;
    tx.commit().await;
    Ok(())
}

/// Grows the database `scale`, then counts events in it: first of a thousand of its lines, which
/// lie apart, and after a warm-up; that is the time given. Then as many of all its lines, each for
/// the first time where there are more lines than events: said beside it, in microseconds an event.
pub(crate) async fn count(folder: &Path, count: usize, lines: usize) -> Answer {
    let app = world::open(folder, "scale").await?;
    grow(&app, lines).await?;
    let apart = lines / MADE;
    feed(&app, 0..count / 10, |number| world::dealt(number, MADE) * apart).await?;
    let few = feed(&app, count..2 * count, |number| world::dealt(number, MADE) * apart).await?;
    let all = feed(&app, 2 * count..3 * count, |number| world::dealt(number, lines)).await?;
    let mut conn = app.store.read().await?;
    let question = sql!("SELECT COUNT(*), CAST(SUM(bytes) AS BIGINT) FROM usage_events");
    let row = question.fetch_one(&mut *conn).await?;
    let (events, bytes): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
    let there: i64 = sql!("SELECT COUNT(*) FROM lines").fetch_one(&mut *conn).await?.try_get(0)?;
    drop(conn);
    app.store.close().await;
    let wanted = i64::try_from(count / 10 + 2 * count)?;
    if events != wanted || bytes != 1000 * wanted {
        return Err(format!("{events} kept, {bytes} bytes").into());
    }
    let all = all.as_secs_f64() / count as f64 * 1e6;
    Ok((few, format!("all_us={all} lines={there}")))
}

/// Counts events of these numbers, a piece after the other.
async fn feed(
    app: &Shared,
    numbers: Range<usize>,
    line: impl Fn(usize) -> usize,
) -> Result<Duration, Box<dyn Error>> {
    let begins = Instant::from_seconds(1_790_000_000);
    let one = |number: usize| {
        let after = Span(i64::try_from(number).unwrap_or(0) * 1000);
        world::event(&format!("e{number:012}"), &iccid(line(number)), begins.plus(after), 1000)
    };
    let (count, texts) = (numbers.len(), numbers.map(one).collect::<Vec<_>>());
    let (started, mut accepted) = (Stopwatch::now(), 0);
    for piece in texts.chunks(PIECE) {
        let read = piece.iter().map(|text| usage_event::read(text.as_bytes()));
        accepted += handle_usage::handle(app, (1..).zip(read).collect()).await?.accepted;
    }
    let took = started.elapsed();
    if accepted == count { Ok(took) } else { Err(format!("{accepted} accepted").into()) }
}

/// Starts a server on the database `scale`, has it count, kills it, and gives the time from its
/// start again to the first event that it acknowledges; and what it holds in memory.
pub(crate) async fn revive(folder: &Path, laika: &Path) -> Answer {
    let (server, address) = load::serve(folder, laika, "scale", ANY)?;
    for number in 0..100 {
        acknowledged(&address, &format!("before{number}"), number).await?;
    }
    let resident_mb = load::resident(&server);
    // Dropping it is `kill -9`.
    drop(server);
    let started = Stopwatch::now();
    let (server, address) = load::serve(folder, laika, "scale", ANY)?;
    acknowledged(&address, "after", 1).await?;
    let took = started.elapsed();
    let again_mb = load::resident(&server);
    Ok((took, format!("resident_mb={} ", resident_mb.max(again_mb))))
}

async fn acknowledged(address: &str, id: &str, line: usize) -> Result<(), Box<dyn Error>> {
    let begins = Instant::from_seconds(1_790_000_000);
    let event = world::event(id, &iccid(line), begins, 1000);
    let mut stream = BufReader::new(TcpStream::connect(address).await?);
    let request = load::request(address, &format!("[{event}]"));
    let load::Answered { status, body, .. } = load::send(&mut stream, &request).await?;
    match body["accepted"].as_u64().unwrap_or(0) + body["duplicate"].as_u64().unwrap_or(0) {
        1 => Ok(()),
        _ => Err(format!("{status}: {body}").into()),
    }
}
