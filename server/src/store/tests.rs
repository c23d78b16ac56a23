//! The store's own suite: races and repetitions, on SQLite always, and on a PostgreSQL of its own
//! where `LAIKA_POSTGRES` names the programs, as `cargo xtask test` does.

mod audit_log;
mod books;
mod log;
mod money;
mod moves;
mod receipts;
mod waits;
mod wrong_clock;

use super::{
    Store,
    accounts::{self, Account, HOUSE},
    dialect::Dialect,
    inbox::{self, Claim, Name, Names},
    lines::{self, Line},
    messages::{self, Channel, Message},
    payment_methods,
    registrations::{self, Pending},
    sessions, set, sweep,
    throttle::{self, Budget},
};
use crate::{
    clock::Clock,
    config::DatabaseUrl,
    error::{Error, Result},
    secret, sql,
};
use laika_core::{
    api::Language,
    id::{AccountId, LineId},
    money::Currency,
    time::{Instant, Span},
};
use laika_tests::support::postgres::Database;
use sqlx::Row;
use std::{future::Future, sync::Arc, time::Duration};
use tokio::{task::JoinSet, time::timeout};

/// A new SQLite file that goes away with the value.
pub(crate) struct Folder(pub(crate) std::path::PathBuf);

impl Folder {
    pub(crate) fn new() -> Folder {
        Folder::within(&std::env::temp_dir())
    }

    /// A new one within another.
    pub(crate) fn within(base: &std::path::Path) -> Folder {
        let folder = base.join(secret::id("laika-store"));
        std::fs::create_dir(&folder).expect("a folder");
        Folder(folder)
    }

    pub(crate) fn url(&self) -> DatabaseUrl {
        let url = format!("sqlite:{}/laika.db", self.0.display());
        DatabaseUrl::parse(&url).expect("an address")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Runs a test on each database.
async fn on_each<F: Future<Output = Result<()>>>(test: impl Fn(Arc<Store>) -> F) {
    let folder = Folder::new();
    let postgres = std::env::var_os("LAIKA_POSTGRES").map(|_| Database::new());
    let postgres = postgres.as_ref();
    let url = postgres.map(|it| DatabaseUrl::parse(&it.url()).expect("an address"));
    for url in [Some(folder.url()), url].into_iter().flatten() {
        let store = Arc::new(Store::open(&url).await.expect("opens"));
        test(Arc::clone(&store)).await.expect("the store answers");
        store.close().await;
    }
}

/// Runs the same thing many times at once and gives every answer.
async fn at_once<T, F>(times: usize, one: impl Fn() -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = Result<T>> + Send + 'static,
{
    let mut all = JoinSet::new();
    (0..times).for_each(|_| drop(all.spawn(one())));
    all.join_all().await.into_iter().map(|answer| answer.expect("an answer")).collect()
}

fn now() -> Instant {
    Instant::parse("2026-11-22T10:00:00Z").expect("an instant")
}

async fn new_line(store: &Store) -> Result<Line> {
    let digits = u64::from_be_bytes(secret::random());
    let line = Line {
        account_id: AccountId::new(HOUSE).expect("an id"),
        id: LineId::new(secret::id("line")).expect("an id"),
        iccid: format!("89{digits:020}"),
        version: 0,
        newest_at: now(),
        currency: Currency::from_code("EUR").expect("a currency"),
        pay_as_you_go: None,
        stopped: false,
        closed: false,
        recharge_count: 0,
        label: None,
    };
    let mut tx = store.write().await?;
    assert!(lines::insert(&mut tx, &line).await?);
    tx.commit().await;
    Ok(line)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_is_locked_by_one_transaction_at_a_time() {
    on_each(async |store| {
        let line = new_line(&store).await?;
        let id = line.id.to_string();
        let versions = at_once(24, || {
            let (store, id) = (Arc::clone(&store), id.clone());
            async move {
                let mut tx = store.write().await?;
                let line = lines::lock(&mut tx, HOUSE, &id, now()).await?.expect("a line");
                let number = lines::next_recharge(&mut tx, &line).await?;
                tx.commit().await;
                Ok((line.version, number))
            }
        });
        let mut versions = versions.await;
        versions.sort_unstable();
        let expected: Vec<(i64, u32)> = (1..=24).map(|n| (i64::from(n), n)).collect();
        assert_eq!(versions, expected);
        Ok(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_committed_never_was() {
    on_each(async |store| {
        let line = new_line(&store).await?;
        let mut tx = store.write().await?;
        lines::lock(&mut tx, HOUSE, line.id.as_str(), now()).await?;
        drop(tx);
        let found = lines::get(&mut *store.read().await?, HOUSE, line.id.as_str()).await?;
        assert_eq!(found.expect("a line").version, 0);
        Ok(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn time_never_goes_below_what_a_line_has_recorded() {
    on_each(async |store| {
        let line = new_line(&store).await?;
        let mut tx = store.write().await?;
        let earlier = Instant::from_seconds(0);
        let locked = lines::lock(&mut tx, HOUSE, line.id.as_str(), earlier).await?;
        assert_eq!(locked.expect("a line").newest_at, now());
        tx.rollback().await
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_of_any_script_is_kept_and_moves_no_version() {
    on_each(async |store| {
        let line = new_line(&store).await?;
        let label = Some("خط السفر 👨‍👩‍👧‍👦 线路".to_string());
        let mut tx = store.write().await?;
        lines::rename(&mut tx, &Line { label: label.clone(), ..line.clone() }).await?;
        tx.commit().await;
        let (id, mut tx) = (line.id.as_str(), store.write().await?);
        let found = lines::get(&mut tx, HOUSE, id).await?.expect("a line");
        assert_eq!((&found.label, found.version), (&label, 0));
        let locked = lines::lock(&mut tx, HOUSE, id, now()).await?.expect("a line");
        assert_eq!((locked.label, locked.version), (label, 1));
        tx.rollback().await
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_claimed_once_and_its_name_keeps_its_content() {
    on_each(async |store| {
        let id = secret::id("event");
        let claim = async |content: &'static str| {
            let (store, id) = (Arc::clone(&store), id.clone());
            at_once(8, move || {
                let (store, id) = (Arc::clone(&store), id.clone());
                async move {
                    loop {
                        let mut tx = store.write().await?;
                        let names = Names::of(vec![Name("test", &id, content)])?;
                        match inbox::claim_all(&mut tx, names, Claim::Asked).await {
                            Err(error) if error.is_transient() => tx.rollback().await?,
                            taken => {
                                tx.commit().await;
                                return Ok(taken?.into_values().next());
                            }
                        }
                    }
                }
            })
            .await
        };
        let first = claim("a").await;
        assert_eq!(first.iter().filter(|taken| taken.is_none()).count(), 1, "new once");
        let known = |taken: &Option<String>| taken.as_deref() == Some("a");
        assert_eq!(first.iter().filter(|taken| known(taken)).count(), 7);
        assert!(claim("b").await.iter().all(known), "it stays what it was first");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_database_on_a_machine_of_its_own_tells_its_time() {
    on_each(async |store| {
        let wall = Clock::system().wall();
        let told = store.dialect.clock(&mut *store.read().await?).await?;
        assert_eq!(told.is_some(), store.dialect == Dialect::Postgres);
        assert!(told.is_none_or(|told| told.since(wall).0.abs() < Span::minutes(1).0));
        Ok(())
    })
    .await;
}

/// A registration whose codes end now.
fn pending() -> Pending {
    Pending {
        id: secret::id("reg"),
        phone: "+34612345678".into(),
        email: "ana@example.org".into(),
        password_hash: String::new(),
        language: Language::En,
        time_zone: "UTC".into(),
        phone_code_sha256: String::new(),
        email_code_sha256: String::new(),
        codes_end_at: now(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_are_tried_five_times_whoever_races() {
    on_each(async |store| {
        let pending = pending();
        let mut tx = store.write().await?;
        registrations::insert(&mut tx, &pending, now()).await?;
        tx.commit().await;
        let tries = at_once(12, || {
            let (store, id) = (Arc::clone(&store), pending.id.clone());
            async move {
                let mut tx = store.write().await?;
                let had_one = registrations::take_try(&mut tx, &id).await?;
                tx.commit().await;
                Ok(had_one)
            }
        });
        assert_eq!(tries.await.into_iter().filter(|had_one| *had_one).count(), 5);
        Ok(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_holds_in_a_race_and_opens_again() {
    on_each(async |store| {
        let budget = Budget { name: "test", most: 3, slot_s: 60 };
        let subject = secret::id("subject");
        let spend = |wall: Instant| {
            let (store, subject) = (Arc::clone(&store), subject.clone());
            async move { Ok(throttle::spend(&store, budget, &subject, wall).await.is_ok()) }
        };
        let spent = at_once(9, || spend(now())).await;
        assert_eq!(spent.into_iter().filter(|ok| *ok).count(), 3);
        assert!(spend(Instant::from_seconds(now().seconds() + 60)).await?);
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn what_is_over_is_swept_away_and_nothing_else() {
    on_each(async |store| {
        let count = async || {
            let mut conn = store.read().await?;
            let mut rows = Vec::new();
            for table in [
                sql!("SELECT COUNT(*) FROM throttles"),
                sql!("SELECT COUNT(*) FROM sessions"),
                sql!("SELECT COUNT(*) FROM registrations"),
                sql!("SELECT COUNT(*) FROM messages"),
                sql!("SELECT COUNT(*) FROM payment_method_setups"),
            ] {
                rows.push(table.fetch_one(&mut *conn).await?.try_get::<i64, _>(0)?);
            }
            Ok::<_, Error>(rows)
        };
        let budget = Budget { name: "sweep", most: 1, slot_s: 60 };
        let mut tx = store.write().await?;
        let ends_at = now().plus(Span::minutes(1)).micros();
        let others: Vec<(String, i64)> = (0..2_499).map(|n| (n.to_string(), ends_at)).collect();
        sql!(
            "INSERT INTO throttles (subject, slot, count, ends_at)
             SELECT r.value->>0, 1, 1, CAST(r.value->>1 AS BIGINT) FROM jsonb_each($1) AS r",
            set::of(&others)?
        )
        .execute(&mut *tx)
        .await?;
        sessions::open(&mut tx, "token", HOUSE, now()).await?;
        let (open, confirmed) = (pending(), pending());
        for pending in [&open, &confirmed] {
            registrations::insert(&mut tx, pending, now()).await?;
        }
        assert!(registrations::confirm(&mut tx, &confirmed.id, now()).await?);
        for owner in [None, Some(HOUSE.to_owned())] {
            messages::enqueue(&mut tx, &message(owner)).await?;
        }
        payment_methods::insert_setup(&mut tx, HOUSE, "setup", now()).await?;
        tx.commit().await;
        throttle::spend(&store, budget, "7", now()).await?;
        let all = count().await?;
        assert_eq!(sweep::sweep(&store, now()).await?, 0, "nothing is over");
        assert!(throttle::spend(&store, budget, "7", now()).await.is_err());

        let minute_later = now().plus(Span::minutes(1));
        assert_eq!(sweep::sweep(&store, minute_later).await?, 2_500);
        assert_eq!(count().await?, [all[0] - 2_500, all[1], all[2], all[3], all[4]]);
        let sweep = async |days| sweep::sweep(&store, now().plus(Span::days(days))).await;
        assert_eq!(sweep(1).await?, 3, "both registrations and the code of nobody");
        assert_eq!(sweep(7).await?, 1, "the visit");
        assert_eq!(sweep(14).await?, 1, "the session");
        assert_eq!(count().await?, [all[0] - 2_500, all[1] - 1, 0, 1, 0]);
        Ok(())
    })
    .await;
}

fn message(account_id: Option<String>) -> Message {
    Message {
        key: secret::id("notice"),
        account_id,
        channel: Channel::Sms,
        recipient: "+34612345678".into(),
        language: Language::ZhCn,
        title: String::new(),
        body: "剩余 1 GB。".into(),
        created_at: now(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_is_enqueued_once() {
    on_each(async |store| {
        let message = message(None);
        let mut tx = store.write().await?;
        assert!(messages::enqueue(&mut tx, &message).await?);
        assert!(!messages::enqueue(&mut tx, &message).await?);
        tx.commit().await;
        let unsent = messages::unsent(&mut *store.read().await?).await?;
        let kept: Vec<_> = unsent.iter().filter(|kept| kept.key == message.key).collect();
        assert_eq!(kept.len(), 1);
        assert_eq!(kept[0].body, message.body);
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn of_accounts_with_one_contact_made_at_once_there_is_one() {
    on_each(async |store| {
        let made = at_once(8, || {
            let store = Arc::clone(&store);
            async move {
                let account = Account {
                    id: AccountId::new(secret::id("acc")).expect("an id"),
                    version: 0,
                    phone: "+34612345678".into(),
                    email: format!("{}@example.org", secret::id("ana")),
                    password_hash: None,
                    language: Language::En,
                    time_zone: "UTC".into(),
                    kept_periods: None,
                };
                let mut tx = store.write().await?;
                let new = accounts::insert(&mut tx, &account, now()).await?;
                tx.commit().await;
                Ok(new)
            }
        });
        assert_eq!(made.await.into_iter().filter(|new| *new).count(), 1);
        Ok(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_up_to_date_opens_while_somebody_writes() {
    let folder = Folder::new();
    let server = Store::open(&folder.url()).await.expect("opens");
    let writing = server.write().await.expect("a transaction");
    // SQLite itself waits for 30 s before it gives up.
    let opened = timeout(Duration::from_secs(10), Store::open(&folder.url())).await;
    let reader = opened.expect("a reader waits for no writer").expect("opens");
    let mut conn = reader.read().await.expect("a snapshot");
    assert!(lines::all(&mut conn).await.expect("read").is_empty());
    drop(conn);
    writing.rollback().await.expect("let go");
    reader.close().await;
    server.close().await;
}
