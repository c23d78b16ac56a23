//! Late events: whatever day a replay begins at, the balance is what all events make in their
//! order. The audit draws every line again from its grants and compares.

use super::{super::draw::APART, balances, event, now, on_each, rows};
use crate::{
    Shared,
    flow::{handle_usage, usage_event::Event},
    secret, sql,
    store::{accounts::HOUSE, balances::add_bucket, balances::add_credit, ledger, lines},
};
use laika_core::{
    balance::{Bucket, CreditGrant},
    bytes::Bytes,
    id::BucketId,
    ledger::{Book, Posting},
    money::Money,
    time::Span,
};
use laika_tests::support::random::Random;
use sqlx::Row;

const ICCID: &str = "8901";
const DAY: i64 = 24 * 60;

/// Grants data that ends some days from now, or long ago, and some credit, as a recharge does.
async fn grant(app: &Shared, bytes: u64, days: i64) {
    let mut tx = app.store.write().await.expect("a transaction");
    let id = {
        let line = lines::by_iccid(&mut tx, ICCID).await.expect("read").expect("a line");
        line.id.to_string()
    };
    let line = lines::lock(&mut tx, HOUSE, &id, now()).await.expect("locked").expect("a line");
    let bytes = Bytes::new(bytes).expect("an amount");
    let bucket = Bucket {
        id: BucketId::new(secret::id("bucket")).expect("an id"),
        bytes_total: bytes,
        bytes_left: bytes,
        expires_at: Some(now().plus(Span::days(days))),
        granted_at: now(),
        grant_version: line.version,
        recharge: None,
    };
    add_bucket(&mut tx, &line, &bucket).await.expect("granted");
    let credit = CreditGrant { amount_minor: 1, grant_version: line.version };
    add_credit(&mut tx, &line, bucket.id.as_str(), credit).await.expect("granted");
    let postings = [
        Posting::bytes(Book::Carrier, Book::LineData, bytes),
        Posting::money(Book::Sales, Book::LineCredit, Money::new(1, line.currency)),
    ];
    let key = format!("{}/v{}", line.id, line.version);
    ledger::post(&mut tx, &line, &key, &postings).await.expect("booked");
    tx.commit().await;
}

async fn checkpoints(app: &Shared) -> i64 {
    let mut conn = app.store.read().await.expect("a snapshot");
    let row = sql!("SELECT COUNT(*) FROM checkpoints").fetch_one(&mut *conn).await;
    row.expect("a row").try_get(0).expect("a number")
}

/// Makes the event named "old" another one: a replay that does not read it cannot see that.
async fn set_old(app: &Shared, bytes: i64) {
    let mut tx = app.store.write().await.expect("a transaction");
    let done = sql!("UPDATE usage_events SET bytes = $1 WHERE event_id = 'test old'", bytes)
        .execute(&mut *tx)
        .await;
    assert_eq!(done.expect("changed").rows_affected(), 1);
    tx.commit().await;
}

/// Two months of use in the order it was made, then each piece a little or very late.
fn two_months(random: &mut Random) -> Vec<Vec<Event>> {
    let mut events = Vec::new();
    for number in 0..600_i64 {
        let late = i64::try_from(random.below(10)).expect("small");
        let ago = 60 * DAY - number * DAY / 10;
        // One in ten comes up to twenty days late, one an hour late, the others in order.
        let place = match late {
            0 => number + i64::try_from(random.below(200)).expect("small"),
            1 => number + 3,
            _ => number,
        };
        events.push((place, event(&format!("{number}"), ICCID, ago, 1 + random.below(400))));
    }
    events.sort_by_key(|(place, _)| *place);
    events.chunks(7).map(|it| it.iter().map(|(_, event)| event.clone()).collect()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_event_ends_in_the_same_balance_whatever_was_granted_since() {
    on_each(async |app| {
        let mut tx = app.store.write().await.expect("a transaction");
        // A byte of credit use costs so much that the few cents granted are soon gone.
        sql!("UPDATE lines SET per_gb_minor = 1000000 WHERE iccid = '8901'")
            .execute(&mut *tx)
            .await
            .expect("a price");
        tx.commit().await;
        let mut random = Random::new(20_261_122);
        for (number, piece) in two_months(&mut random).into_iter().enumerate() {
            if number % 9 == 0 {
                let days = 60 - i64::try_from(random.below(120)).expect("small");
                grant(&app, 1 + random.below(9_000), days).await;
            }
            handle_usage::handle(&app, rows(piece)).await.expect("counted");
            if number % 5 == 0 {
                balances(&app).await;
            }
        }
        balances(&app).await;
        let kept = checkpoints(&app).await;
        assert!((30..=41).contains(&kept), "one a day, the last forty: {kept}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_begins_at_the_last_checkpoint_before_it() {
    on_each(async |app| {
        let old = event("old", ICCID, 40 * DAY, 1_000);
        let day = |ago: i64| event(&format!("{ago}"), ICCID, ago * DAY, 10);
        handle_usage::handle(&app, rows(vec![old])).await.expect("counted");
        handle_usage::handle(&app, rows((1..30).rev().map(day).collect())).await.expect("counted");
        set_old(&app, 999_999).await;
        let late = event("late", ICCID, 10 * DAY + 5, 10);
        handle_usage::handle(&app, rows(vec![late])).await.expect("counted");
        set_old(&app, 1_000).await;
        assert_eq!(balances(&app).await[ICCID], (3_000 - 1_000 - 290 - 10, 0));
        let later = event("later", ICCID, 50 * DAY, 10);
        handle_usage::handle(&app, rows(vec![later])).await.expect("counted");
        assert_eq!(balances(&app).await[ICCID], (3_000 - 1_000 - 290 - 20, 0), "from the grants");
    })
    .await;
}

/// One busy day of a line, in its order: an event a second.
fn busy_day(events: usize) -> Vec<Event> {
    let one = |number: usize| Event {
        time: now().minus(Span::hours(3)).plus(Span::seconds(number as i64)),
        ..event(&format!("{number:05}"), ICCID, 0, 1)
    };
    (0..events).map(one).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_event_of_a_busy_day_is_no_replay_of_the_day() {
    on_each(async |app| {
        let old = event("old", ICCID, 4 * 60, 100);
        handle_usage::handle(&app, rows(vec![old])).await.expect("counted");
        handle_usage::handle(&app, rows(busy_day(5 * APART))).await.expect("counted");
        let late = |id: &str, after_s: usize| {
            let time = now().minus(Span::hours(3)).plus(Span::seconds(after_s as i64));
            Event { time, ..event(id, ICCID, 0, 10) }
        };
        // The first one may read the day; it leaves what the next ones begin at.
        let first = late("a", 10);
        handle_usage::handle(&app, rows(vec![first])).await.expect("counted");
        let used = 100 + 5 * APART as u64 + 10;
        assert_eq!(balances(&app).await[ICCID], (3_000 - used, 0));
        set_old(&app, 999_999).await;
        for (number, after_s) in [5 * APART - 2, 4 * APART, 3 * APART].into_iter().enumerate() {
            let next = late(&format!("b{number}"), after_s);
            handle_usage::handle(&app, rows(vec![next])).await.expect("counted");
        }
        set_old(&app, 100).await;
        assert_eq!(balances(&app).await[ICCID], (3_000 - used - 30, 0), "old was not read");
        let kept = checkpoints(&app).await;
        assert!((4..=8).contains(&kept), "one for each {APART} events, made anew: {kept}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_that_a_late_event_makes_wrong_is_forgotten() {
    on_each(async |app| {
        handle_usage::handle(&app, rows(busy_day(3 * APART))).await.expect("counted");
        let mut random = Random::new(31);
        for number in 0..40 {
            // Each is placed before some checkpoints and after others; what follows begins at one.
            let after_s = i64::try_from(random.below(3 * APART as u64)).expect("small");
            let time = now().minus(Span::hours(3)).plus(Span::seconds(after_s));
            let late = Event { time, ..event(&format!("late{number}"), ICCID, 0, 50) };
            handle_usage::handle(&app, rows(vec![late])).await.expect("counted");
        }
        let used = 3 * APART as u64 + 40 * 50;
        assert_eq!(balances(&app).await[ICCID], (3_000 - used, 0));
    })
    .await;
}
