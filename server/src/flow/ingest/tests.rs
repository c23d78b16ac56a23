//! Group commit, on both databases: reports stay apart, rows count once, nobody's rows fail because
//! of a neighbour's, and a full queue says so. Groups are made by holding what writers need while
//! requests queue, so that nothing here depends on timing.

mod late;
mod moved;

use super::{GROUP_MOST, WAITING_MOST};
use crate::{
    App, Shared,
    clock::Clock,
    config::{Config, DatabaseUrl},
    error::{Error, Result},
    flow::{
        add_line::{self, NewLine},
        audit,
        handle_usage::{self, Receipt, Row},
        usage_event::Event,
    },
    sql,
    store::{Tx, accounts::HOUSE, balances, dialect::Dialect, lines, tests::Folder},
};
use axum::http::StatusCode;
use laika_core::{
    bytes::Bytes,
    money::Currency,
    time::{Instant, Span},
};
use laika_tests::support::{postgres::Database, random::Random};
use sqlx::Row as _;
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};
use tokio::task::JoinHandle;
use tower_service::Service;

/// Two lines that run dry, and one that does not.
const LINES: [(&str, u64); 3] = [("8901", 3_000), ("8902", 40_000), ("8903", 1_000_000_000)];

/// Requests that a writer may take alone, before the others queue behind it.
const ALONE: u64 = 4;

fn now() -> Instant {
    Instant::parse("2026-11-22T10:00:00Z").expect("an instant")
}

/// An app with [`LINES`] on a database.
async fn app_at(database: DatabaseUrl) -> Shared {
    let config = Config::from_vars(&|_| None).expect("defaults");
    let config = Config { database, usage_secrets: vec![], ..config };
    let app = App::open(config, Clock::at(now())).await.expect("opens");
    let mut tx = app.store.write().await.expect("a transaction");
    for (iccid, bytes) in LINES {
        let (bytes, credit_minor) = (Bytes::new(bytes).expect("an amount"), 0);
        let currency = Currency::from_code("EUR").expect("a currency");
        let new = NewLine { iccid: iccid.into(), bytes, credit_minor, currency };
        add_line::add(&mut tx, HOUSE, &new, now()).await.expect("a line");
    }
    tx.commit().await;
    app
}

/// Such an app on each database.
async fn on_each<F: Future<Output = ()>>(test: impl Fn(Shared) -> F) {
    let folder = Folder::new();
    let postgres = std::env::var_os("LAIKA_POSTGRES").map(|_| Database::new());
    let postgres = postgres.as_ref();
    let url = postgres.map(|it| DatabaseUrl::parse(&it.url()).expect("an address"));
    for database in [Some(folder.url()), url].into_iter().flatten() {
        let app = app_at(database).await;
        test(app.clone()).await;
        app.store.close().await;
    }
}

fn event(id: &str, iccid: &str, minutes_ago: i64, bytes: u64) -> Event {
    Event {
        source: "test".into(),
        id: id.into(),
        iccid: iccid.into(),
        time: now().minus(Span::minutes(minutes_ago)),
        bytes: Bytes::new(bytes).expect("an amount"),
        country: None,
    }
}

fn rows(events: Vec<Event>) -> Vec<Row> {
    (1..).zip(events.into_iter().map(Ok)).collect()
}

/// Holds the lines, so that every writer waits: what is asked meanwhile queues.
async fn hold(app: &Shared) -> Tx {
    let mut tx = app.store.write().await.expect("a transaction");
    if app.store.dialect == Dialect::Postgres {
        sql!("SELECT 1 FROM lines FOR UPDATE").fetch_all(&mut *tx).await.expect("the lines");
    }
    tx
}

/// Asks for each in a task of its own, in this order.
fn ask(app: &Shared, requests: Vec<Vec<Row>>) -> Vec<JoinHandle<Result<Receipt>>> {
    let one = |rows| {
        let app = app.clone();
        tokio::spawn(async move { handle_usage::handle(&app, rows).await })
    };
    requests.into_iter().map(one).collect()
}

/// Waits until so many rows wait to be counted.
async fn queued(app: &Shared, rows: usize) {
    while app.usage.lock().rows < rows {
        tokio::task::yield_now().await;
    }
}

async fn receipts(asked: Vec<JoinHandle<Result<Receipt>>>) -> Vec<Receipt> {
    let mut receipts = Vec::new();
    for one in asked {
        receipts.push(one.await.expect("no panic").expect("counted"));
    }
    receipts
}

/// What each line has left and has used beyond, and that the books agree.
async fn balances(app: &Shared) -> BTreeMap<String, (u64, u64)> {
    let mut conn = app.store.read().await.expect("a snapshot");
    let report = audit::audit(&mut conn).await.expect("audited");
    assert!(report.violations.is_empty(), "{:?}", report.violations);
    let mut all = BTreeMap::new();
    for line in lines::all(&mut conn).await.expect("lines") {
        let balance = balances::load(&mut conn, &line).await.expect("a balance");
        let left = balance.bytes_on_books().get();
        all.insert(line.iccid, (left, balance.overrun_bytes.get()));
    }
    all
}

/// What the lines must have after using so much each.
fn expected(used: &BTreeMap<String, u64>) -> BTreeMap<String, (u64, u64)> {
    let after = |(iccid, has): &(&str, u64)| {
        let used = used.get(*iccid).copied().unwrap_or(0);
        (iccid.to_string(), (has.saturating_sub(used), used.saturating_sub(*has)))
    };
    LINES.iter().map(after).collect()
}

/// Requests of random rows, good, late, bad, repeated here or elsewhere, or reused with other
/// content: what the queue sees on a bad day. Rows that count are those of `used`. What writers may
/// take alone is repeated nowhere: which of two writers claims a name first is left open.
fn bad_day(seed: u64) -> (Vec<Vec<Event>>, BTreeMap<String, u64>) {
    let mut random = Random::new(seed);
    let mut used: BTreeMap<String, u64> = BTreeMap::new();
    let mut seen: Vec<Event> = Vec::new();
    let mut requests = Vec::new();
    for request in 0..40 {
        let mut rows = Vec::new();
        for row in 0..1 + random.below(30) {
            let (iccid, _) = *random.pick(&LINES);
            let ago = i64::try_from(random.below(100_000)).expect("small");
            let new = event(&format!("{request}-{row}"), iccid, ago, random.below(300));
            match random.below(10) {
                0 => rows.push(Event { iccid: "8999".into(), ..new }),
                1 => rows.push(Event { iccid: "89\0".into(), ..new }),
                2 if !seen.is_empty() => rows.push(random.pick(&seen).clone()),
                3 if !seen.is_empty() => {
                    let Event { id, .. } = random.pick(&seen).clone();
                    rows.push(Event { id, bytes: Bytes::GB, ..new });
                }
                _ => {
                    *used.entry(iccid.to_string()).or_default() += new.bytes.get();
                    if request >= ALONE {
                        seen.push(new.clone());
                    }
                    rows.push(new);
                }
            }
        }
        requests.push(rows);
    }
    (requests, used)
}

/// Accepted, duplicate, and the codes of rejected rows.
type Told = (usize, usize, Vec<(usize, &'static str)>);

/// What each request must be told when they are counted in this order.
fn reports(requests: &[Vec<Event>]) -> Vec<Told> {
    let mut known: BTreeMap<String, String> = BTreeMap::new();
    let mut reports = Vec::new();
    for rows in requests {
        let (mut accepted, mut duplicate, mut rejected) = (0, 0, Vec::new());
        for (row, event) in (1..).zip(rows) {
            let is_line = LINES.iter().any(|(iccid, _)| *iccid == event.iccid);
            match known.get(&event.id) {
                _ if !is_line => rejected.push((row, "unknown_line")),
                Some(content) if *content != event.content() => rejected.push((row, "id_reused")),
                Some(_) => duplicate += 1,
                None => {
                    known.insert(event.id.clone(), event.content());
                    accepted += 1;
                }
            }
        }
        reports.push((accepted, duplicate, rejected));
    }
    reports
}

fn report(receipt: &Receipt) -> Told {
    let rejected = receipt.rejected.iter().map(|error| (error.row, error.code)).collect();
    (receipt.accepted, receipt.duplicate, rejected)
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_counted_together_are_told_apart_and_every_row_counts_once() {
    on_each(async |app| {
        let (requests, used) = bad_day(20_261_122);
        let held = hold(&app).await;
        // One at a time into the queue, so that their order is known.
        let (mut asked, mut waiting) = (Vec::new(), 0);
        for events in &requests {
            asked.extend(ask(&app, vec![rows(events.clone())]));
            waiting += events.len();
            queued(&app, waiting).await;
        }
        assert!(waiting < GROUP_MOST, "one group, but for what the first writers took alone");
        held.rollback().await.expect("let go");
        let told = receipts(asked).await;
        assert_eq!(balances(&app).await, expected(&used));
        let told: Vec<_> = told.iter().map(report).collect();
        assert_eq!(told, reports(&requests));
        let again = receipts(ask(&app, requests.iter().cloned().map(rows).collect())).await;
        assert!(again.iter().all(|receipt| receipt.accepted == 0), "{again:?}");
        assert_eq!(balances(&app).await, expected(&used), "sent again");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_group_is_taken_before_the_one_before_it_has_locked_its_lines() {
    on_each(async |app| {
        let held = hold(&app).await;
        let mut asked = ask(&app, vec![rows(vec![event("first", "8903", 1, 1)])]);
        queued(&app, 1).await;
        // On PostgreSQL the first writer takes it, and waits for the line; on SQLite for the file.
        while app.usage.lock().queued > 0 {
            tokio::task::yield_now().await;
        }
        assert!(app.usage.turn.try_lock().is_err(), "nobody else may take a group");
        asked.extend(ask(&app, vec![rows(vec![event("second", "8903", 1, 1)])]));
        queued(&app, 2).await;
        assert_eq!(app.usage.lock().queued, 1, "the second waits");
        held.rollback().await.expect("let go");
        receipts(asked).await;
        let mut conn = app.store.read().await.expect("a snapshot");
        let order = sql!("SELECT event_id FROM usage_events ORDER BY received_version")
            .fetch_all(&mut *conn)
            .await
            .expect("events");
        let order: Vec<String> = order.iter().map(|row| row.get(0)).collect();
        assert_eq!(order, ["test first", "test second"].map(str::to_owned));
        drop(app.usage.turn.lock().await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_writers_on_the_same_lines_count_every_row_once() {
    on_each(async |app| {
        let (requests, _) = bad_day(7);
        let mut twice = requests.clone();
        twice.extend(requests.into_iter().rev());
        let told = receipts(ask(&app, twice.into_iter().map(rows).collect())).await;
        let accepted: usize = told.iter().map(|receipt| receipt.accepted).sum();
        let mut conn = app.store.read().await.expect("a snapshot");
        let row = sql!("SELECT COUNT(*) FROM usage_events").fetch_one(&mut *conn).await;
        let kept: i64 = sqlx::Row::try_get(&row.expect("a row"), 0).expect("a number");
        drop(conn);
        assert_eq!(i64::try_from(accepted).expect("small"), kept);
        let reused = |receipt: &Receipt| receipt.rejected.iter().any(|it| it.code == "id_reused");
        assert!(told.iter().any(reused), "which of two contents came first is left open");
        balances(&app).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_usage_moved_stands_with_its_last_event_and_is_audited() {
    on_each(async |app| {
        // The first is late: what is on the books then is told by the group that it came in.
        for group in [vec![("b", 2, 700), ("c", 1, 2_000)], vec![("a", 3, 1_000), ("d", 1, 5)]] {
            let events = group.into_iter().map(|(id, ago, bytes)| event(id, "8901", ago, bytes));
            handle_usage::handle(&app, rows(events.collect())).await.expect("counted");
        }
        balances(&app).await;
        let mut tx = app.store.write().await.expect("a transaction");
        let moved = sql!("SELECT event_id, moved_bytes FROM usage_events ORDER BY event_id");
        let moved = moved.fetch_all(&mut *tx).await.expect("rows");
        let cells = |row| (sqlx::Row::get::<String, _>(row, 0), sqlx::Row::get::<i64, _>(row, 1));
        let moved: Vec<_> = moved.iter().map(cells).collect();
        let expected = [("test a", 0), ("test b", 0), ("test c", 2_700), ("test d", 300)];
        assert_eq!(moved, expected.map(|(id, bytes)| (id.to_owned(), bytes)));
        tx.rollback().await.expect("read");
        for change in [
            "UPDATE usage_events SET moved_bytes = moved_bytes + 1",
            "UPDATE usage_events SET moved_minor = moved_minor + 1",
            "UPDATE lines SET moved_bytes = moved_bytes - 1",
        ] {
            let mut tx = app.store.write().await.expect("a transaction");
            sqlx::raw_sql(change).execute(&mut *tx).await.expect(change);
            let found = audit::audit(&mut tx).await.expect("audited").violations;
            assert!(found.iter().any(|it| it.code == "book_differs"), "{change}: {found:?}");
            tx.rollback().await.expect("undone");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_went_away_is_counted_all_the_same() {
    on_each(async |app| {
        let held = hold(&app).await;
        let gone = ask(&app, vec![rows(vec![event("gone", "8901", 1, 100)])]);
        queued(&app, 1).await;
        gone.iter().for_each(JoinHandle::abort);
        let asked = ask(&app, vec![rows(vec![event("here", "8901", 2, 10)])]);
        held.rollback().await.expect("let go");
        receipts(asked).await;
        let again = ask(&app, vec![rows(vec![event("gone", "8901", 1, 100)])]);
        assert_eq!(receipts(again).await[0].duplicate, 1);
        assert_eq!(balances(&app).await["8901"], (2_890, 0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_cannot_be_counted_fails_no_neighbour() {
    on_each(async |app| {
        let mut tx = app.store.write().await.expect("a transaction");
        sql!(
            "INSERT INTO rules (account_id, line_id, version, rule, draft, alerted)
             SELECT account_id, id, 1, '{', '{', 0 FROM lines WHERE iccid = '8902'"
        )
        .execute(&mut *tx)
        .await
        .expect("a rule that nobody can read");
        tx.commit().await;
        let held = hold(&app).await;
        let good = |id: &str| rows(vec![event(id, "8901", 1, 100)]);
        let bad = rows(vec![event("b", "8902", 1, 1), event("c", "8903", 1, 1)]);
        let asked = ask(&app, vec![good("a"), bad, good("d")]);
        queued(&app, 4).await;
        held.rollback().await.expect("let go");
        let mut told = Vec::new();
        for one in asked {
            told.push(one.await.expect("no panic").map(|receipt| receipt.accepted).ok());
        }
        assert_eq!(told, [Some(1), None, Some(1)]);
        let mut tx = app.store.write().await.expect("a transaction");
        sql!("DELETE FROM rules").execute(&mut *tx).await.expect("gone");
        tx.commit().await;
        assert_eq!(balances(&app).await["8901"], (2_800, 0));
        assert_eq!(balances(&app).await["8903"], (1_000_000_000, 0), "a request is all or nothing");
        let again = rows(vec![event("b", "8902", 1, 1), event("c", "8903", 1, 1)]);
        assert_eq!(receipts(ask(&app, vec![again])).await[0].accepted, 2, "no name was kept");
    })
    .await;
}

/// Sends so much to a server that is busy; how much of it was taken before the answer.
async fn passed_over(app: &Shared, bytes: usize) -> usize {
    let taken = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&taken);
    let pieces = (0..bytes >> 10).map(move |_| {
        count.fetch_add(1 << 10, SeqCst);
        Ok::<_, std::convert::Infallible>(axum::body::Bytes::from_static(&[b' '; 1 << 10]))
    });
    let body = axum::body::Body::from_stream(futures_util::stream::iter(pieces));
    let request = axum::http::Request::post("/api/v1/usage").body(body).expect("a request");
    let router = &mut crate::api::router(app.clone());
    let answer = Service::call(router, request).await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers()["retry-after"], "1");
    taken.load(SeqCst)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_says_when_to_come_again_and_counts_what_it_took() {
    on_each(async |app| {
        let held = hold(&app).await;
        let many = |from: usize| {
            let one = |at| event(&format!("{from}-{at}"), "8903", 1, 1);
            (0..256).map(one).collect::<Vec<_>>()
        };
        let requests = (0..WAITING_MOST / 256).map(|from| rows(many(from))).collect();
        let asked = ask(&app, requests);
        queued(&app, WAITING_MOST).await;
        let refused = handle_usage::handle(&app, rows(vec![event("x", "8903", 1, 1)])).await;
        let Err(Error::Problem(problem)) = refused else { panic!("taken: {refused:?}") };
        assert_eq!((problem.status, problem.code), (StatusCode::SERVICE_UNAVAILABLE, "busy"));
        assert_eq!(problem.more["retry_after_s"], 1);
        for (bytes, most) in [(0, 0), (300 << 10, 300 << 10), (8 << 20, 2 << 20)] {
            assert!(passed_over(&app, bytes).await <= most, "of {bytes}");
        }
        held.rollback().await.expect("let go");
        let accepted: usize = receipts(asked).await.iter().map(|receipt| receipt.accepted).sum();
        assert_eq!(accepted, WAITING_MOST);
        while app.usage.lock().rows > 0 {
            tokio::task::yield_now().await;
        }
        let taken = handle_usage::handle(&app, rows(vec![event("x", "8903", 1, 1)])).await;
        assert_eq!(taken.expect("room again").accepted, 1);
        let used = BTreeMap::from([("8903".to_string(), WAITING_MOST as u64 + 1)]);
        assert_eq!(balances(&app).await, expected(&used), "groups that follow closely");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_larger_than_the_queue_is_counted_in_pieces() {
    on_each(async |app| {
        let one = |at| event(&format!("{at}"), "8903", 1, 1);
        let told = handle_usage::handle(&app, rows((0..WAITING_MOST + 77).map(one).collect()));
        assert_eq!(told.await.expect("counted").accepted, WAITING_MOST + 77);
        let used = BTreeMap::from([("8903".to_string(), WAITING_MOST as u64 + 77)]);
        assert_eq!(balances(&app).await, expected(&used));
    })
    .await;
}
