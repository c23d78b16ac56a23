//! The versions since `0009_receipts`: each with rows of its own in the tables and columns that it
//! made, and the one just before this one, which is what nearly everybody comes from.

use super::{
    ACCOUNT, FILES, LINE, RAN, ROWS, earlier, is_whole_and_goes_on, keeps_every_row, on_each,
    tables,
};
use crate::{
    flow::check_books::{self, Evidence},
    store::{
        Store, agreements, audit_log, cases, checkpoints, gateway_events, leases, lines, pending,
        returns, rules::from_json, set, turns, violations,
    },
};
use laika_core::{
    decide::Agreement,
    returns::DisputeStatus,
    time::{Instant, Span},
};
use laika_tests::support::postgres::Database;

/// Rows of each version, by the file after which a server wrote them.
const SINCE: &str = include_str!("../since.sql");
const HEADING: &str = "\n-- after ";
/// Whose line is stopped and who has a wallet.
const OTHER: (&str, &str) = ("acc_fee4e85be2b6dabca675b6be", "line_afb975fe24442d0518ce99ea");

/// The rows written after a file, with their heading taken away; nothing where there are none.
pub(super) fn rows_after(name: &str) -> &'static str {
    let parts = SINCE.split(HEADING).skip(1).filter_map(|part| part.split_once('\n'));
    parts.filter(|(after, _)| *after == name).map(|(_, rows)| rows).next().unwrap_or_default()
}

/// The version before this one.
fn before() -> usize {
    FILES.len() - 1
}

#[test]
fn every_table_made_since_has_rows_here() {
    let known = |name: &str| FILES.iter().skip(RAN).any(|(file, _)| *file == name);
    for part in SINCE.split(HEADING).skip(1) {
        let (name, _) = part.split_once('\n').expect("rows");
        assert!(known(name), "no file is called {name}");
    }
    let later = FILES.iter().skip(RAN).flat_map(|(_, text)| text.lines());
    let made = later.filter_map(|line| line.strip_prefix("CREATE TABLE "));
    let made: Vec<&str> = made.filter_map(|rest| rest.split(' ').next()).collect();
    assert!(made.len() > 8 && ROWS.len() > 1_000, "{made:?}");
    let filled = tables(FILES.len());
    let empty: Vec<_> = made.iter().filter(|table| !filled.contains(*table)).collect();
    assert!(empty.is_empty(), "nothing is in {empty:?} when the next version comes");
}

#[tokio::test]
async fn every_row_of_each_version_since_is_kept_to_the_newest() {
    // Why: while it is there, every database below is of the same server.
    let _server = std::env::var_os("LAIKA_POSTGRES").map(|_| Database::new());
    for ran in RAN + 1..=before() {
        on_each(async |url| keeps_every_row(&url, ran).await).await;
    }
}

#[tokio::test]
async fn what_the_version_before_this_one_left_is_whole_and_goes_on() {
    on_each(async |url| is_whole_and_goes_on(url, before()).await).await;
}

fn at(text: &str) -> Instant {
    Instant::parse(text).expect("an instant")
}

/// Who read it before reads it now.
#[tokio::test]
async fn what_the_versions_since_wrote_means_the_same_in_this_one() {
    on_each(async |url| {
        earlier(&url, before()).await?;
        let store = Store::open(&url).await?;
        let mut conn = store.read().await?;
        let now = at("2026-11-23T01:30:00Z");
        let line = lines::get(&mut conn, ACCOUNT, LINE).await?.expect("the line");

        let newest = checkpoints::latest(&mut conn, &[(&line, now)]).await?;
        let begins = newest.into_iter().flatten().next().expect("where a replay begins");
        assert_eq!((begins.0, begins.1.buckets.len()), (at("2026-11-23T00:00:00Z"), 2));
        let log = audit_log::all(&mut conn).await?;
        assert_eq!((log.len(), audit_log::broken(&mut conn).await?), (2, None));
        let jobs = pending::of_line(&mut conn, OTHER.0, OTHER.1, now).await?;
        let why = jobs.iter().filter_map(|job| job.failure.as_deref()).collect::<Vec<_>>();
        assert_eq!(why, ["the gateway is not there"]);
        assert!(gateway_events::is_known(&mut conn, "evt_1QxLaika").await?);

        let payment = "pay_d1687a176c205c570a42107b";
        let (whose, back) = returns::of_payment(&mut conn, payment).await?.expect("a dispute");
        let stands: Vec<_> = back.disputes.iter().map(|dispute| dispute.status).collect();
        assert_eq!((whose.as_str(), stands), (ACCOUNT, vec![DisputeStatus::Won]));
        assert_eq!(back.kept_minor(), 1_500);
        let case = cases::get(&mut conn, "case_3d1a9c").await?.expect("the case");
        let evidence: Evidence = from_json(&case.evidence)?;
        assert_eq!((case.status, evidence.payments.len()), (cases::Status::Closed, 1));
        let checked = leases::done_at(&mut conn, check_books::LEASE, now).await?;
        assert_eq!(checked, Some(at("2026-11-23T00:30:00Z")));
        assert_eq!(violations::count(&mut conn).await?, 1, "the other one is gone");
        let pass = violations::pass(&mut conn).await?;
        assert_eq!(pass.after, (ACCOUNT.to_owned(), LINE.to_owned()), "it goes on where it was");

        let agreed = agreements::of_lines(&mut conn, &set::of(&[OTHER])?).await?;
        let left = |it: &Agreement| (it.total_left.map(|left| left.amount_minor), it.debits_left);
        assert_eq!(agreed.values().map(left).collect::<Vec<_>>(), [(Some(258_500), Some(51))]);
        drop(conn);
        let mut tx = store.write().await?;
        let lasts = Span::hours(1);
        let turn = turns::take(&mut tx, "compare_list", "node_two", now, lasts).await?;
        assert!(!turn, "it is still the other's");
        tx.rollback().await?;
        store.close().await;
        Ok(())
    })
    .await;
}
