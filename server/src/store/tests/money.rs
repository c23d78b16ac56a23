//! The suite's part about money: jobs and their claims, recharges and the books.

use super::{HOUSE, at_once, new_line, now, on_each};
use crate::{
    error::{Error, Result},
    secret, sql,
    store::{
        Store,
        jobs::{self, Claimed, Which, Work},
        ledger,
        lines::{self, Line},
        payment_methods, recharges, turns,
    },
};
use laika_core::{
    decide::Order,
    id::{PaymentMethodId, RechargeId},
    ledger::{Book, Posting},
    money::Money,
    recharge::{Effect, Fact, Recharge, apply},
    retry::limited_until,
    rule::Adds,
    time::{Instant, Span},
};
use std::sync::Arc;

/// The server that claims, unless a test says another.
const NODE: &str = "one:8080";

/// Claims what is due a minute from now, of this line only.
async fn claim(store: &Store, line: &Line) -> Result<Vec<Claimed>> {
    let at = now().plus(Span::minutes(1));
    let mut tx = store.write().await?;
    let mut claimed = jobs::claim_any(&mut tx, store.dialect, NODE, (at, at), 100).await?;
    tx.commit().await;
    claimed.retain(|job| job.line_id == line.id);
    Ok(claimed)
}

async fn finish(store: &Store, job: &Claimed) -> Result<bool> {
    let mut tx = store.write().await?;
    let finished = jobs::finish(&mut tx, job).await?;
    tx.commit().await;
    Ok(finished)
}

async fn enqueue(store: &Store, line: &Line, at: Instant) -> Result<()> {
    let mut tx = store.write().await?;
    let (account, id) = (line.account_id.as_str(), line.id.as_str());
    jobs::enqueue(&mut tx, account, id, &Work::Evaluate, at).await?;
    tx.commit().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_due_job_is_claimed_by_one_of_many_workers() {
    on_each(async |store| {
        let line = new_line(&store).await?;
        enqueue(&store, &line, now()).await?;
        let claims = at_once(8, || {
            let (store, line) = (Arc::clone(&store), line.clone());
            async move { claim(&store, &line).await }
        });
        let claimed: Vec<Claimed> = claims.await.into_iter().flatten().collect();
        assert_eq!(claimed.len(), 1);
        assert_eq!(claimed[0].attempts, 1);
        assert!(finish(&store, &claimed[0]).await?);
        assert!(claim(&store, &line).await?.is_empty());
        Ok(())
    })
    .await;
}

/// A job that one worker claimed and lost, and another has: both claims.
async fn take_over(store: &Store, line: &Line) -> Result<(Claimed, Claimed)> {
    enqueue(store, line, now()).await?;
    let paused = claim(store, line).await?.remove(0);
    let mut tx = store.write().await?;
    jobs::release(&mut tx, NODE).await?;
    tx.commit().await;
    Ok((paused, claim(store, line).await?.remove(0)))
}

#[tokio::test]
async fn a_worker_that_was_paused_past_its_claim_finishes_nothing() {
    on_each(async |store| {
        let line = new_line(&store).await?;
        let (paused, taken_over) = take_over(&store, &line).await?;
        assert!(!finish(&store, &paused).await?, "its claim is lost");
        assert!(finish(&store, &taken_over).await?);
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_claim_that_was_lost_is_none_of_the_same_work_that_comes_again() {
    on_each(async |store| {
        let line = new_line(&store).await?;
        let (paused, taken_over) = take_over(&store, &line).await?;
        assert!(finish(&store, &taken_over).await?);
        enqueue(&store, &line, now()).await?;
        let again = claim(&store, &line).await?.remove(0);
        assert!(!finish(&store, &paused).await?, "it is another job");
        let mut tx = store.write().await?;
        jobs::retry(&mut tx, &paused, now(), Some("no")).await?;
        tx.commit().await;
        assert!(claim(&store, &line).await?.is_empty(), "nor is it let go");
        assert!(finish(&store, &again).await?);
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_start_lets_go_of_its_own_jobs_and_of_no_other_servers() {
    on_each(async |store| {
        let (line, at) = (new_line(&store).await?, now().plus(Span::minutes(1)));
        enqueue(&store, &line, now()).await?;
        let ours = claim(&store, &line).await?.remove(0);
        let mut tx = store.write().await?;
        jobs::release(&mut tx, "another:8080").await?;
        tx.commit().await;
        assert!(claim(&store, &line).await?.is_empty(), "it is still held");
        assert!(finish(&store, &ours).await?, "by whoever claimed it");

        enqueue(&store, &line, now()).await?;
        let lost = claim(&store, &line).await?.remove(0);
        let mut tx = store.write().await?;
        let after = at.plus(Span::minutes(2));
        let over =
            jobs::claim_any(&mut tx, store.dialect, "another:8080", (after, after), 100).await?;
        assert!(over.iter().any(|job| job.line_id == line.id), "its lease has ended");
        jobs::release(&mut tx, NODE).await?;
        tx.commit().await;
        assert!(!finish(&store, &lost).await?, "the other server has it");
        let over = over.iter().find(|job| job.line_id == line.id).expect("claimed");
        assert!(finish(&store, over).await?, "whoever starts");
        Ok(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_turn_is_one_servers_until_it_ends() {
    on_each(async |store| {
        let take = async |node: &str, at: Instant| {
            let mut tx = store.write().await?;
            let ours = turns::take(&mut tx, "sweep", node, at, Span::minutes(1)).await?;
            tx.commit().await;
            Ok::<_, Error>(ours)
        };
        assert!(take("one", now()).await?);
        assert!(!take("two", now().plus(Span::seconds(59))).await?, "it is another's");
        assert!(take("one", now().plus(Span::seconds(59))).await?, "it goes on");
        assert!(!take("two", now().plus(Span::seconds(60))).await?, "as long again");
        assert!(take("two", now().plus(Span::seconds(119))).await?, "it has ended");
        assert!(!take("one", now().plus(Span::seconds(120))).await?);

        let later = now().plus(Span::hours(1));
        let taken = at_once(8, || {
            let store = Arc::clone(&store);
            async move {
                let (mut tx, node) = (store.write().await?, crate::secret::id("node"));
                let ours = turns::take(&mut tx, "sweep", &node, later, Span::minutes(1)).await?;
                tx.commit().await;
                Ok(ours)
            }
        });
        assert_eq!(taken.await.into_iter().filter(|ours| *ours).count(), 1);
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn asking_again_moves_a_job_forward_and_never_back() {
    on_each(async |store| {
        let line = new_line(&store).await?;
        enqueue(&store, &line, now().plus(Span::hours(2))).await?;
        assert!(claim(&store, &line).await?.is_empty(), "not due yet");
        enqueue(&store, &line, now()).await?;
        enqueue(&store, &line, now().plus(Span::hours(3))).await?;
        let claimed = claim(&store, &line).await?;
        assert_eq!(claimed.len(), 1, "one job, and it is due");
        // Asked for again while it is held: whoever holds it leaves it to the next claim.
        enqueue(&store, &line, now()).await?;
        assert!(!finish(&store, &claimed[0]).await?);
        let again = claim(&store, &line).await?.remove(0);
        assert!(finish(&store, &again).await?);
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_job_that_cannot_be_read_holds_up_no_other_and_is_told() {
    on_each(async |store| {
        let (line, other) = (new_line(&store).await?, new_line(&store).await?);
        enqueue(&store, &line, now().minus(Span::hours(1))).await?;
        enqueue(&store, &other, now()).await?;
        let spoil = async |work: &str| {
            let mut tx = store.write().await?;
            let id = line.id.as_str();
            sql!("UPDATE jobs SET work = $1 WHERE line_id = $2", work, id)
                .execute(&mut *tx)
                .await?;
            tx.commit().await;
            Ok::<_, Error>(())
        };
        spoil("{\"kind\":\"of a later version\"}").await?;
        let claimed = claim(&store, &other).await?;
        assert_eq!(claimed.len(), 1, "the other one waits for nothing");
        assert!(claim(&store, &line).await?.is_empty());
        let mut conn = store.read().await?;
        let (mut unreadable, mut after) = (vec![], Some(Default::default()));
        while let Some(key) = after {
            let (found, next) = jobs::unreadable(&mut conn, &key, 1).await?;
            unreadable.extend(found);
            after = next;
        }
        let at = now().plus(Span::minutes(2));
        assert!(jobs::next_due(&mut conn, at).await?.is_none_or(|due| due >= now()), "set aside");
        drop(conn);
        let of_line = unreadable.iter().filter(|(key, _)| key.starts_with(line.id.as_str()));
        assert_eq!(of_line.count(), 1, "{unreadable:?}");

        spoil("{\"kind\":\"evaluate\"}").await?;
        let mut tx = store.write().await?;
        let later = at.plus(Span::hours(2));
        let read = jobs::claim_any(&mut tx, store.dialect, NODE, (later, later), 100).await?;
        assert!(read.iter().any(|job| job.line_id == line.id), "whoever can read it does it");
        tx.commit().await;
        Ok(())
    })
    .await;
}

fn order(line: &Line) -> Order {
    Order {
        amount: Money::new(300, line.currency),
        adds: Adds::Credit(Money::new(300, line.currency)),
        payment_methods: vec![PaymentMethodId::new("pm").expect("an id")],
        triggers: Vec::new(),
    }
}

/// Opens a recharge; the database's word when it refuses.
async fn open(store: &Store, line: &Line, version: Option<u32>) -> Result<Recharge> {
    let mut tx = store.write().await?;
    let number = lines::next_recharge(&mut tx, line).await?;
    let opened =
        Recharge::open(line.id.clone(), number, version, order(line), &[], &[], now()).recharge;
    recharges::insert(&mut tx, line, number, &opened, None, None).await?;
    tx.commit().await;
    Ok(opened)
}

#[tokio::test]
async fn one_automatic_recharge_is_open_per_line_whatever_the_code_believes() {
    on_each(async |store| {
        let line = new_line(&store).await?;
        let first = open(&store, &line, Some(1)).await?;
        assert!(open(&store, &line, Some(1)).await.is_err(), "a second one");
        open(&store, &line, None).await?;
        let ended = apply(first, &Fact::Stopped, now()).recharge;
        let mut tx = store.write().await?;
        recharges::update(&mut tx, line.account_id.as_str(), &ended).await?;
        tx.commit().await;
        open(&store, &line, Some(1)).await?;
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_transaction_of_the_books_is_posted_once_and_balances() {
    on_each(async |store| {
        let line = new_line(&store).await?;
        let money = Money::new(900, line.currency);
        let postings = [
            Posting::money(Book::Customer, Book::Prepaid, money),
            Posting::money(Book::Prepaid, Book::LineCredit, money),
        ];
        let key = format!("{}/1", line.id);
        for (attempt, good) in [(1, true), (2, false)] {
            let mut tx = store.write().await?;
            let posted = ledger::post(&mut tx, &line, &key, &postings).await;
            assert_eq!(posted.is_ok(), good, "attempt {attempt}");
            if good { tx.commit().await } else { tx.rollback().await? }
        }
        let mut snapshot = store.read().await?;
        assert!(ledger::unbalanced(&mut snapshot).await?.is_empty());
        let own = |all: Vec<ledger::BookBalance>| -> Vec<(String, i64)> {
            let own = all.into_iter().filter(|balance| balance.line_id == line.id.as_str());
            own.map(|balance| (balance.book, balance.amount)).collect()
        };
        let kept = own(ledger::balances(&mut snapshot).await?);
        assert_eq!(kept, own(ledger::sums(&mut snapshot).await?));
        assert!(kept.contains(&("line_credit".to_owned(), 900)));
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_card_is_worn_after_ten_declines_a_day_or_fifteen_a_month() {
    on_each(async |store| {
        let card = crate::secret::id("card");
        let account = crate::store::accounts::HOUSE;
        let mut worn = Vec::new();
        for attempt in 0..25_i64 {
            // Ten on the first day, then one every second day.
            let days = if attempt < 10 { 0 } else { (attempt - 9) * 2 };
            let at = now().plus(Span::days(days));
            let key = format!("{card}-{attempt}");
            let mut tx = store.write().await?;
            payment_methods::declined(&mut tx, account, &key, &card, at).await?;
            payment_methods::declined(&mut tx, account, &key, &card, at).await?;
            let declined_at = payment_methods::declined_at(&mut tx, &card, at).await?;
            if limited_until(&declined_at, at).is_some() {
                worn.push(attempt + 1);
            }
            tx.commit().await;
        }
        assert_eq!(worn[..3], [10, 15, 16], "the tenth of a day, then the fifteenth of a month");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn money_is_claimed_before_looks_and_a_delivery_waits_for_no_gateway() {
    on_each(async |store| {
        let mut tx = store.write().await?;
        for _ in 0..20 {
            let id = secret::id("line");
            jobs::look_at(&mut tx, HOUSE, &id, now().minus(Span::hours(1))).await?;
        }
        let work = |number, effect| Work::Recharge {
            recharge_id: RechargeId::new(format!("line_1-r{number}")).expect("an id"),
            effect,
        };
        let (charge, top_up) = (work(1, Effect::Charge { attempt: 1 }), work(2, Effect::TopUp));
        let look_up = work(3, Effect::LookUpTopUp);
        for (work, at) in [(&charge, 3), (&top_up, 2), (&look_up, 1)] {
            let due_at = now().minus(Span::minutes(at));
            jobs::enqueue(&mut tx, HOUSE, "line_1", work, due_at).await?;
        }
        let mut claim = async |which, most| {
            let times = (now(), now());
            let claimed = jobs::claim(&mut tx, store.dialect, NODE, times, (which, most)).await?;
            Ok::<_, Error>(claimed.into_iter().map(|job| job.work).collect::<Vec<_>>())
        };
        assert_eq!(claim(Which::Deliveries, 1).await?, [top_up]);
        assert_eq!(claim(Which::Money, 1).await?, [charge]);
        assert_eq!(claim(Which::Money, 9).await?, [look_up]);
        assert_eq!(claim(Which::Money, 9).await?, []);
        assert_eq!(claim(Which::Looks, 7).await?, vec![Work::Evaluate; 7]);
        assert_eq!(claim(Which::Looks, 99).await?.len(), 13);
        tx.rollback().await
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_that_claim_at_once_wait_for_nobody_and_share() {
    on_each(async |store| {
        if store.dialect.one_writer() {
            return Ok(());
        }
        let mut tx = store.write().await?;
        for _ in 0..4 {
            jobs::look_at(&mut tx, HOUSE, &secret::id("line"), now()).await?;
        }
        tx.commit().await;
        let (mut one, mut two) = (store.write().await?, store.write().await?);
        let (dialect, at) = (store.dialect, (now(), now()));
        let first = jobs::claim(&mut one, dialect, "one", at, (Which::Looks, 3)).await?;
        let second = jobs::claim(&mut two, dialect, "two", at, (Which::Looks, 3)).await?;
        assert_eq!((first.len(), second.len()), (3, 1));
        one.commit().await;
        two.commit().await;
        Ok(())
    })
    .await;
}
