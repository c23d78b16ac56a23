//! What a clock that was far ahead has written keeps nobody from a turn, a lease or a job.

use super::{HOUSE, new_line, now, on_each};
use crate::store::{jobs, leases, turns};
use laika_core::time::Span;

/// How far the wrong clock is ahead.
const AHEAD: Span = Span::days(400);
/// As far as clocks may be apart.
const APART: Span = Span::minutes(2);

#[tokio::test]
async fn a_turn_that_ends_later_than_one_can_is_nobodys() {
    on_each(async |store| {
        let (lasts, ahead) = (Span::minutes(1), now().plus(APART));
        let mut tx = store.write().await?;
        assert!(turns::take(&mut tx, "sweep", "wrong", now().plus(AHEAD), lasts).await?);
        assert!(turns::take(&mut tx, "sweep", "right", now(), lasts).await?, "it is void");
        assert!(turns::take(&mut tx, "list", "ahead", ahead, lasts).await?);
        assert!(!turns::take(&mut tx, "list", "right", now(), lasts).await?, "as clocks may be");
        tx.rollback().await
    })
    .await;
}

#[tokio::test]
async fn a_lease_and_its_end_in_the_future_are_void() {
    on_each(async |store| {
        let (lasts, wrong) = (Span::minutes(10), now().plus(AHEAD));
        let since = (now().minus(Span::hours(1)), now());
        let mut tx = store.write().await?;
        let held = leases::take(&mut tx, "work", (wrong, wrong), wrong, lasts).await?;
        let lease = leases::take(&mut tx, "work", since, now(), lasts).await?.expect("it is void");
        assert!(!leases::keep(&mut tx, &held.expect("taken"), wrong).await?, "it is lost");
        assert!(leases::end(&mut tx, &lease, Some(wrong)).await?);
        assert_eq!(leases::done_at(&mut tx, "work", now()).await?, None, "never, by now");
        let lease = leases::take(&mut tx, "work", since, now(), lasts).await?.expect("to be done");
        let ahead = now().plus(APART);
        assert!(leases::end(&mut tx, &lease, Some(ahead)).await?);
        assert_eq!(leases::done_at(&mut tx, "work", now()).await?, Some(ahead));
        assert_eq!(leases::take(&mut tx, "work", since, now(), lasts).await?, None, "it is done");
        tx.rollback().await
    })
    .await;
}

#[tokio::test]
async fn a_job_held_for_longer_than_one_can_be_is_claimed() {
    on_each(async |store| {
        let line = new_line(&store).await?;
        let mut tx = store.write().await?;
        jobs::look_at(&mut tx, HOUSE, line.id.as_str(), now()).await?;
        let wrong = now().plus(AHEAD);
        let held = jobs::claim_any(&mut tx, store.dialect, "wrong", (wrong, wrong), 100).await?;
        assert_eq!(jobs::next_due(&mut tx, now()).await?, Some(now()));
        let claimed = jobs::claim_any(&mut tx, store.dialect, "right", (now(), now()), 100).await?;
        assert_eq!((held.len(), claimed.len()), (1, 1));
        assert!(!jobs::finish(&mut tx, &held[0]).await?, "the claim is lost");
        let ahead = now().plus(APART);
        assert!(
            jobs::claim_any(&mut tx, store.dialect, "ahead", (ahead, ahead), 100).await?.len() == 1
        );
        assert!(
            jobs::claim_any(&mut tx, store.dialect, "right", (now(), now()), 100).await?.is_empty()
        );
        tx.rollback().await
    })
    .await;
}
