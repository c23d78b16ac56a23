//! Claims about the nightly check: each kind of difference is planted in a world that was whole,
//! found, settled as core says, and given back once, whatever dies in between.

use super::world::World;
use crate::{
    App,
    carrier::contract::Give,
    clock::Clock,
    fault,
    flow::check_books::{self, Evidence, Outcome, Report, Window, check_books, nightly},
    gateway::Gateway,
    sandbox::{
        Request, carrier,
        provider::{self, records::NextCharge},
    },
    store::{
        cases::{self, Case, Status as CaseStatus, Which},
        leases, ledger, returns,
        rules::from_json,
    },
};
use laika_core::{
    id::{IdempotencyKey, RechargeId},
    recharge::Status,
    reconcile::Kind,
    returns::RefundStatus,
    time::Span,
};

/// The cap that allowed the recharge is less than it took.
const LOWER: &str = "UPDATE recharges SET record =
                     REPLACE(record, '\"amount_minor\":100000', '\"amount_minor\":1499')";

/// The books that hold something: of a book that holds nothing there may be a row or none.
pub(super) fn held(books: Vec<ledger::BookBalance>) -> Vec<ledger::BookBalance> {
    books.into_iter().filter(|book| book.amount != 0).collect()
}

/// A recharge that is done, a day ago. What is planted afterwards the audit finds as well.
async fn done(name: &str) -> World {
    let mut world = World::new(name, &["works"]).await;
    world.run_low().await;
    world.drain().await;
    assert_eq!((world.status().await, world.captured()), (Status::Done, vec![1500]));
    world.audited = false;
    world.pass(Span::hours(25));
    world
}

async fn checked(world: &World) -> Report {
    let window = Window::nightly(world.app.clock.now());
    match check_books(&world.app, window, None).await.expect("read") {
        Outcome::Done(report) => report,
        other => panic!("{other:?}"),
    }
}

/// The cases of a check, each as kind, remedy and status.
fn short(cases: &[Case]) -> Vec<(&str, &str, CaseStatus)> {
    cases.iter().map(|it| (it.kind.as_str(), it.remedy.as_str(), it.status)).collect()
}

async fn kept(world: &World) -> Vec<Case> {
    let mut snapshot = world.app.store.read().await.expect("a snapshot");
    let start = (String::new(), String::new());
    cases::page(&mut snapshot, Which::All, &start, 100).await.expect("read")
}

fn given_back(world: &World) -> Vec<i64> {
    world.payments().iter().map(provider::records::Payment::refunded_minor).collect()
}

/// One difference is found, its money goes back once, and nothing is found any more.
async fn goes_back_once(world: &World, kind: &str, back: &[i64]) {
    let report = checked(world).await;
    assert_eq!(short(&report.cases), [(kind, "refund", CaseStatus::Refunding)]);
    for _ in 0..2 {
        assert_eq!(checked(world).await.new, 0, "{kind}: found again, it is the same case");
        world.drain().await;
    }
    assert_eq!(given_back(world), back, "{kind}");
    assert_eq!(short(&kept(world).await), [(kind, "refund", CaseStatus::Settled)]);
    for _ in 0..3 {
        world.pass(Span::hours(25));
        world.drain().await;
        let report = checked(world).await;
        assert_eq!(short(&report.cases), [], "{kind}: it is settled");
    }
    assert_eq!(given_back(world), back, "{kind}: once");
    let told = world.told().await;
    assert!(told.iter().any(|body| body.contains("given back")), "{told:?}");
    world.books_balance().await;
}

#[tokio::test]
async fn what_is_whole_has_no_difference() {
    let world = done("whole").await;
    let report = checked(&world).await;
    let counts = (report.checked.recharges, report.checked.payments, report.checked.top_ups);
    assert_eq!((counts, short(&report.cases)), ((1, 1, 1), vec![]));
    let sums = report.checked.sums[0];
    assert_eq!((sums.expected_minor, sums.charged_minor), (1500, 1500));
    assert_eq!(world.violations().await, Vec::<&str>::new());
}

#[tokio::test]
async fn what_is_young_is_left_for_later() {
    let world = World::new("young", &["works"]).await;
    world.run_low().await;
    world.drain().await;
    world.pass(Span::hours(23));
    let report = checked(&world).await;
    assert_eq!((report.checked.recharges, report.checked.open), (0, 1));
}

#[tokio::test]
async fn a_second_charge_goes_back_once() {
    let world = done("books_twice").await;
    let recharge = world.last().await.recharge;
    let key = IdempotencyKey::of_attempt(&recharge.id, 1);
    // The gateway has forgotten the key by now, and charges again.
    world.charge_as(key.as_str(), &recharge.id, 1).await;
    world.pass(Span::hours(25));
    goes_back_once(&world, "duplicate", &[0, 1500]).await;
    assert_eq!(world.violations().await, Vec::<&str>::new());
}

#[tokio::test]
async fn a_charge_that_nothing_came_for_goes_back_once() {
    let world = World::new("books_missing", &["works"]).await;
    world.run_low().await;
    assert_eq!(world.turn_off().await, 0);
    assert_eq!(world.status().await, Status::Cancelled);
    let recharge = world.last().await.recharge;
    let key = IdempotencyKey::of_attempt(&recharge.id, 1);
    world.charge_as(key.as_str(), &recharge.id, 1).await;
    world.pass(Span::hours(25));
    // Sent after the rule was off, and nothing came: the first is the reason that is given.
    goes_back_once(&world, "after_off", &[1500]).await;
    assert_eq!(world.violations().await, Vec::<&str>::new());
}

#[tokio::test]
async fn a_charge_after_off_goes_back_whole_and_once() {
    let world = done("books_off").await;
    let line = world.line_id();
    world
        .change(format!(
            "INSERT INTO rule_versions (account_id, line_id, version, what, changed_at, rule)
             SELECT account_id, line_id, 0, '\"turned_off\"', opened_at - 1,
                    (SELECT REPLACE(rule, '\"on\":true', '\"on\":false') FROM rule_versions)
             FROM recharges WHERE line_id = '{line}';
             UPDATE rule_versions SET version = 3, changed_at = changed_at + 600000000
             WHERE version = 1;
             UPDATE rule_versions SET version = 1 WHERE version = 0;"
        ))
        .await;
    goes_back_once(&world, "after_off", &[1500]).await;
}

#[tokio::test]
async fn a_charge_above_the_cap_goes_back_whole_and_once() {
    let world = done("books_cap").await;
    world.change(LOWER.to_owned()).await;
    goes_back_once(&world, "over_cap", &[1500]).await;
}

#[tokio::test]
async fn what_was_taken_too_much_goes_back_once() {
    let world = done("books_more").await;
    let less = "UPDATE recharges SET body = REPLACE(body,
                '\"order\":{\"amount\":{\"amount_minor\":1500',
                '\"order\":{\"amount\":{\"amount_minor\":1400')";
    world.change(less.to_owned()).await;
    goes_back_once(&world, "amount", &[100]).await;
    let mut snapshot = world.app.store.read().await.expect("a snapshot");
    let recharge = world.last().await.recharge.id;
    let run = returns::get(&mut snapshot, world.account(), recharge.as_str(), 1).await;
    let run = run.expect("read").expect("a run").returns;
    assert_eq!(run.refunds.iter().map(|it| it.status).collect::<Vec<_>>(), [RefundStatus::Done]);
    assert_eq!(run.kept_minor(), 1400);
}

#[tokio::test]
async fn another_currency_is_for_a_person() {
    let world = done("books_currency").await;
    let other = "UPDATE recharges SET body = REPLACE(body,
                 '\"order\":{\"amount\":{\"amount_minor\":1500,\"currency\":\"EUR\"}',
                 '\"order\":{\"amount\":{\"amount_minor\":1500,\"currency\":\"USD\"}')";
    world.change(other.to_owned()).await;
    let report = checked(&world).await;
    assert_eq!(short(&report.cases), [("currency", "case", CaseStatus::Open)]);
    world.drain().await;
    assert_eq!(given_back(&world), [0], "no money moves before a person has looked");
}

#[tokio::test]
async fn money_given_back_at_the_gateway_is_never_charged_later_and_is_in_the_books() {
    let world = done("books_outside").await;
    let Gateway::Sandbox(gateway) = world.app.gateway().expect("a gateway") else { unreachable!() };
    let payment = world.payments()[0].id.clone();
    let key = IdempotencyKey::new("by-somebody").expect("a key");
    let amount = world.last().await.recharge.order.amount;
    let refunded = Gateway::Sandbox(gateway).refund(&key, &payment, amount).await;
    refunded.expect("given back");
    world.pass(Span::hours(25));
    let report = checked(&world).await;
    let found = [("missing_charge", "never_charged", CaseStatus::Settled)];
    assert_eq!(short(&report.cases), found);
    let mut snapshot = world.app.store.read().await.expect("a snapshot");
    let sums = ledger::balances(&mut snapshot).await.expect("read");
    drop(snapshot);
    let book = |name: &str| sums.iter().find(|it| it.book == name && it.unit == "EUR");
    assert_eq!(book("customer").map(|it| it.amount), Some(0), "the books have it too");
    world.pass(Span::hours(25));
    checked(&world).await;
    world.drain().await;
    assert_eq!((given_back(&world), kept(&world).await.len()), (vec![1500], 1), "and once");
    assert_eq!(world.captured(), [1500], "nothing is charged for it later");
    world.books_balance().await;
}

#[tokio::test]
async fn what_no_recharge_explains_is_the_houses_case() {
    let world = done("books_stray").await;
    let lost = RechargeId::new("line_lost-r9").expect("an id");
    let key = IdempotencyKey::of_attempt(&lost, 1);
    let payment = world.charge_as(key.as_str(), &lost, 1).await;
    let give = Give {
        iccid: "8988247007000000299".to_owned(),
        data_bytes: 7,
        validity_days: Some(30),
        credit_minor: 0,
        currency: "EUR".to_owned(),
        metadata: Default::default(),
    };
    let key = IdempotencyKey::of_top_up(&lost).to_string();
    let top_up = carrier::Request::TopUp { key, give };
    world.ask(Request::Carrier(top_up)).await.expect("given");
    world.pass(Span::hours(25));
    let report = checked(&world).await;
    let charge = ("unknown", "case", CaseStatus::Open);
    let credit = ("missing_charge", "never_charged", CaseStatus::Settled);
    let mut found = short(&report.cases);
    found.sort_by_key(|(kind, ..)| *kind);
    assert_eq!(found, [credit, charge]);
    let case = report.cases.iter().find(|case| case.kind == "unknown").expect("the charge's");
    assert_eq!((case.account_id.as_str(), case.payment.as_deref()), ("house", Some(&*payment)));
    let evidence: Evidence = from_json(&case.evidence).expect("readable");
    assert_eq!(evidence.difference.kind, Kind::Unknown);
    assert_eq!(evidence.payments.iter().map(|row| &row.id).collect::<Vec<_>>(), [&payment]);
    assert_eq!(given_back(&world), [0, 0], "no money moves before a person has looked");
}

/// Where it may die between finding a difference and having the money back.
const POINTS: [&str; 5] =
    ["case.before", "case.after", "refund.answered", "returned.before", "returned.after"];

#[tokio::test]
async fn a_process_that_dies_anywhere_gives_back_once() {
    for point in POINTS {
        let world = done(&format!("books_{}", point.replace('.', "_"))).await;
        world.change(LOWER.to_owned()).await;
        fault::begin(move |name| name == point);
        let window = Window::nightly(world.app.clock.now());
        let found = check_books(&world.app, window, None).await;
        let worked = world.work().await;
        assert_eq!(fault::died_at().as_deref(), Some(point));
        assert!(found.is_err() || worked.is_err(), "{point}");
        fault::end();
        world.restart().await;
        checked(&world).await;
        world.work().await.expect("performed");
        assert_eq!(given_back(&world), [1500], "{point}: once");
        let settled = [("over_cap", "refund", CaseStatus::Settled)];
        assert_eq!(short(&kept(&world).await), settled, "{point}");
        world.books_balance().await;
    }
}

#[tokio::test]
async fn two_checks_at_once_ask_for_one_refund() {
    let world = done("books_both").await;
    world.change(LOWER.to_owned()).await;
    let (one, other) = tokio::join!(checked(&world), checked(&world));
    assert_eq!(one.new + other.new, 1);
    world.drain().await;
    assert_eq!(given_back(&world), [1500]);
}

#[tokio::test]
async fn a_refund_that_the_gateway_refuses_is_for_a_person() {
    let world = done("books_refused").await;
    world.change(LOWER.to_owned()).await;
    checked(&world).await;
    let gateway = world.app.gateway().expect("a gateway");
    let key = IdempotencyKey::new("by-somebody").expect("a key");
    let (payment, amount) = (&world.payments()[0].id, world.last().await.recharge.order.amount);
    gateway.refund(&key, payment, amount).await.expect("given back by somebody else");
    world.drain().await;
    assert_eq!(short(&kept(&world).await), [("over_cap", "refund", CaseStatus::Open)]);
    assert_eq!(given_back(&world), [1500], "never more than was captured");
    world.books_balance().await;
}

#[tokio::test]
async fn a_statement_that_cannot_be_read_concludes_nothing() {
    let world = done("books_unread").await;
    world.change(LOWER.to_owned()).await;
    let elsewhere = App::open(world.app.config.clone(), Clock::system()).await;
    let elsewhere = elsewhere.expect("a store");
    elsewhere.clock.set_offset(world.app.clock.offset());
    elsewhere.sandbox.set("http://127.0.0.1:9".to_owned()).expect("once");
    let outcome = nightly(&elsewhere).await.expect("tried");
    assert!(matches!(outcome, Some(Outcome::Unread { whose: "gateway", .. })), "{outcome:?}");
    assert_eq!(kept(&world).await, [], "and nothing is due");
    let outcome = nightly(&world.app).await.expect("read");
    assert!(matches!(outcome, Some(Outcome::Done(_))), "it is still to be done: {outcome:?}");
    assert_eq!(kept(&world).await.len(), 1);
}

#[tokio::test]
async fn the_night_is_checked_once_and_by_one() {
    let world = done("books_night").await;
    let (now, wall) = (world.app.clock.now(), world.app.clock.wall());
    let mut tx = world.app.store.write().await.expect("a transaction");
    let taken =
        leases::take(&mut tx, check_books::LEASE, (now, now), wall, Span::minutes(10)).await;
    let lease = taken.expect("written").expect("nobody has it");
    tx.commit().await;
    assert!(nightly(&world.app).await.expect("looked").is_none(), "another process does it");
    let mut tx = world.app.store.write().await.expect("a transaction");
    assert!(leases::end(&mut tx, &lease, None).await.expect("written"));
    tx.commit().await;
    let outcome = nightly(&world.app).await.expect("read");
    assert!(matches!(outcome, Some(Outcome::Done(_))), "{outcome:?}");
    assert!(nightly(&world.app).await.expect("looked").is_none(), "once a night");
    let window = Window::nightly(world.app.clock.now());
    let lost = check_books(&world.app, window, Some(&lease)).await.expect("looked");
    assert!(matches!(lost, Outcome::Lost), "{lost:?}");
    world.pass(Span::hours(24));
    assert!(nightly(&world.app).await.expect("read").is_some(), "and the next one");
}

#[tokio::test]
async fn a_recharge_that_is_refunded_by_itself_is_no_difference() {
    let world = World::new("books_wrong", &["works"]).await;
    world.run_low_as(NextCharge::WrongAmount).await;
    world.drain().await;
    world.pass(Span::hours(25));
    let report = checked(&world).await;
    assert_eq!(short(&report.cases), []);
    assert_eq!(given_back(&world), [1501]);
}
