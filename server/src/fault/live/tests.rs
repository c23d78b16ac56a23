//! A simulated process dies where it is told to, and does nothing afterwards, whatever handles the
//! error; the next one goes on from what was durable.

use super::{Fate, arm, begin, died_at, end, names};
use crate::{
    App, Shared,
    clock::Clock,
    config::Config,
    flow::{
        add_line::{self, NewLine},
        handle_usage::{Receipt, handle},
        usage_event::Event,
    },
    store::{accounts::HOUSE, balances, lines, tests::Folder},
};
use laika_core::{bytes::Bytes, money::Currency, time::Instant};
use std::collections::BTreeSet;

const ICCID: &str = "8901";
const AT_FIRST: u64 = 1_000;

fn now() -> Instant {
    Instant::parse("2026-11-22T10:00:00Z").expect("an instant")
}

fn bytes(number: u64) -> Bytes {
    Bytes::new(number).expect("an amount")
}

/// A process on a database that is there, or new.
async fn start(folder: &Folder) -> Shared {
    let config = Config::from_vars(&|_| None).expect("defaults");
    let config = Config { database: folder.url(), ..config };
    App::open(config, Clock::at(now())).await.expect("opens")
}

async fn left(app: &Shared) -> u64 {
    let mut snapshot = app.store.read().await.expect("a snapshot");
    let line = lines::by_iccid(&mut snapshot, ICCID).await.expect("read").expect("a line");
    let balance = balances::load(&mut snapshot, &line).await.expect("read");
    balance.buckets.iter().map(|bucket| bucket.bytes_left.get()).sum()
}

async fn use_data(app: &Shared, rows: usize) -> crate::error::Result<Receipt> {
    let event = |row: usize| Event {
        source: "test".into(),
        id: format!("event {row}"),
        iccid: ICCID.into(),
        time: now(),
        bytes: bytes(10),
        country: None,
    };
    handle(app, (1..=rows).map(|row| (row, Ok(event(row)))).collect()).await
}

#[tokio::test]
async fn what_was_not_committed_is_not_there_and_what_was_counts_once() {
    for (point, after_death) in [("usage.before", AT_FIRST), ("usage.after", AT_FIRST - 20)] {
        let folder = Folder::new();
        let app = start(&folder).await;
        let new = NewLine {
            iccid: ICCID.into(),
            bytes: bytes(AT_FIRST),
            credit_minor: 0,
            currency: Currency::from_code("EUR").expect("a currency"),
        };
        let mut tx = app.store.write().await.expect("a transaction");
        add_line::add(&mut tx, HOUSE, &new, now()).await.expect("a line");
        tx.commit().await;

        begin(move |name| name == point);
        use_data(&app, 2).await.expect_err("nobody is told");
        assert_eq!(died_at().as_deref(), Some(point));
        use_data(&app, 3).await.expect_err("it is dead");
        assert!(app.store.write().await.is_err(), "the dead write nothing");
        assert_eq!(left(&app).await, after_death, "{point}");
        app.store.close().await;

        end();
        let app = start(&folder).await;
        let again = use_data(&app, 3).await.expect("counted");
        assert_eq!(again.accepted + again.duplicate, 3, "{again:?}");
        assert_eq!(left(&app).await, AT_FIRST - 30, "{point}");
        app.store.close().await;
    }
}

#[tokio::test]
async fn the_dead_commit_nothing_that_was_begun() {
    let folder = Folder::new();
    let app = start(&folder).await;
    let mut tx = app.store.write().await.expect("a transaction");
    crate::store::settings::add_sandbox_offset(&mut tx, 7).await.expect("written");
    begin(|_| true);
    super::at(crate::fault::Point::ChargeAnswered).expect_err("it dies");
    tx.commit().await;
    end();
    let mut snapshot = app.store.read().await.expect("a snapshot");
    let offset = crate::store::settings::sandbox_offset(&mut snapshot).await.expect("read");
    assert_eq!(offset, 0);
}

#[test]
fn every_point_has_a_name_of_its_own_and_others_are_refused() {
    let all = names();
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
    for bad in ["", "nowhere", "usage", "usage.before:0", "usage.before:x"] {
        arm(Fate::Dies, bad).expect_err(bad);
    }
    assert!(
        arm(Fate::Dies, "nowhere").expect_err("refused").contains(" usage.before usage.after ")
    );
}
