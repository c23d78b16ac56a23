//! Claims about the auditor: whatever is changed in the database past our own code, it names it; in
//! production too, once, and until it is mended.

use super::world::World;
use crate::{
    flow::{
        add_line::{self, NewLine},
        audit::{audit, watch::Watch},
    },
    store::{
        accounts::HOUSE,
        recharges,
        returns::{self, Stored},
        violations,
    },
};
use laika_core::{
    bytes::Bytes,
    money::{Currency, Money},
    recharge::{Recharge, Status},
    returns::{Refund, RefundReason, RefundStatus, Returns},
    time::Span,
};

/// One recharge that is done, and one later.
async fn done(name: &str) -> World {
    let world = World::new(name, &["works"]).await;
    world.run_low().await;
    world.drain().await;
    assert_eq!(world.status().await, Status::Done);
    assert_eq!(world.violations().await, Vec::<&str>::new(), "it is whole before");
    world
}

/// What the audit says after a change, which is undone.
async fn after(world: &World, change: &str) -> Vec<&'static str> {
    let mut tx = world.app.store.write().await.expect("a transaction");
    let text = sqlx::AssertSqlSafe(change.to_owned());
    sqlx::raw_sql(text).execute(&mut *tx).await.expect(change);
    let found = audit(&mut tx).await.expect(change);
    tx.rollback().await.expect("undone");
    found.violations.iter().map(|it| it.code).collect()
}

/// What the audit says of another last recharge, which is undone.
async fn of_other(world: &World, change: impl FnOnce(&mut Recharge)) -> Vec<&'static str> {
    let mut tx = world.app.store.write().await.expect("a transaction");
    let mut recharge = world.last().await.recharge;
    change(&mut recharge);
    recharges::update(&mut tx, world.account(), &recharge).await.expect("kept");
    let found = audit(&mut tx).await.expect("read");
    tx.rollback().await.expect("undone");
    found.violations.iter().map(|it| it.code).collect()
}

const PLANTED: [(&str, &str); 22] = [
    ("unbalanced", "UPDATE ledger_entries SET amount = amount + 1 WHERE book = 'customer'"),
    ("entries_differ", "UPDATE ledger_entries SET amount = amount * 2 WHERE unit = 'EUR'"),
    ("entries_differ", "DELETE FROM ledger_entries WHERE tx_key LIKE '%-r1/2'"),
    ("book_differs", "UPDATE ledger_balances SET amount = amount + 1 WHERE book = 'sales'"),
    ("book_differs", "DELETE FROM ledger_balances WHERE book = 'sales'"),
    ("wrong_unit", "UPDATE ledger_entries SET unit = 'EUR' WHERE unit = 'byte'"),
    ("no_line", "UPDATE ledger_entries SET line_id = 'elsewhere'"),
    ("balance_differs", "UPDATE buckets SET bytes_left = bytes_left - 1"),
    ("data_differs", "UPDATE buckets SET bytes_total = 7, bytes_left = 7"),
    ("done_uncredited", "UPDATE buckets SET recharge_id = NULL"),
    (
        "event_unknown",
        "INSERT INTO usage_events SELECT account_id, id, 1, 'never accepted', 0, NULL, 1, 1, 0, 0
         FROM lines",
    ),
    ("events_differ", "INSERT INTO inbox VALUES ('carrier', 'lost', '00')"),
    ("unjustified", "UPDATE recharges SET record = NULL"),
    ("unjustified", "UPDATE recharges SET record = REPLACE(record, '\"steps\":5', '\"steps\":4')"),
    (
        "not_reproduced",
        "UPDATE recharges SET record =
         REPLACE(record, '\"available_bytes\":0', '\"available_bytes\":9000000000')",
    ),
    ("no_consent", "DELETE FROM rule_versions"),
    ("over_cap", "UPDATE rule_versions SET rule = REPLACE(rule, ':100000,', ':1499,')"),
    (
        "after_off",
        "INSERT INTO rule_versions (account_id, line_id, version, what, changed_at, rule)
         SELECT v.account_id, v.line_id, 9, v.what, r.opened_at - 1,
                REPLACE(v.rule, '\"on\":true', '\"on\":false')
         FROM rule_versions AS v, recharges AS r",
    ),
    ("after_off", "UPDATE payment_methods SET removed_at = 1"),
    (
        "barred_charged",
        "INSERT INTO barred_instruments SELECT p.account_id, l.id, p.instrument, 1
         FROM payment_methods AS p, lines AS l",
    ),
    ("unreadable_job", "UPDATE jobs SET work = '{}'"),
    (
        "audit_log_broken",
        "INSERT INTO audit_log VALUES (1, 1, 'nobody', 'kill_switch_off', '', '', '', '')",
    ),
];

#[tokio::test]
async fn whatever_is_changed_is_named() {
    let world = done("audit_planted").await;
    for (code, change) in PLANTED {
        let found = after(&world, change).await;
        assert!(found.contains(&code), "{code} is not in {found:?} after {change}");
    }
    let tries: Vec<String> =
        (1..=11).map(|n| format!("('acc_test', 'key-{n}', 'one-card', {n})")).collect();
    let declines = format!("INSERT INTO declines VALUES {}", tries.join(", "));
    assert_eq!(after(&world, &declines).await, ["declined_too_often"]);
    let ten = declines.replace(", ('acc_test', 'key-11', 'one-card', 11)", "");
    assert_eq!(after(&world, &ten).await, Vec::<&str>::new(), "ten are allowed");
    assert_eq!(world.violations().await, Vec::<&str>::new(), "all of it was undone");
}

#[tokio::test]
async fn a_recharge_that_is_not_what_its_facts_make_is_named() {
    let world = done("audit_facts").await;
    let codes = of_other(&world, |recharge| recharge.status = Status::Failed).await;
    assert!(codes.contains(&"not_its_facts") && codes.contains(&"kept_after_end"), "{codes:?}");
    let codes = of_other(&world, |recharge| drop(recharge.facts.pop())).await;
    assert!(codes.contains(&"not_its_facts") && codes.contains(&"entries_differ"), "{codes:?}");
    let codes = of_other(&world, |recharge| recharge.facts.swap(0, 1)).await;
    assert_eq!(codes[..1], ["not_its_facts"]);
    let codes = of_other(&world, |recharge| {
        let twice = recharge.attempts[0].clone();
        recharge.attempts.push(twice);
    });
    assert!(codes.await.contains(&"two_captures"));
    let codes = of_other(&world, |recharge| {
        let currency = Currency::from_code("USD").expect("USD");
        recharge.order.amount = Money::new(1500, currency);
    });
    assert!(codes.await.contains(&"wrong_unit"));
}

#[tokio::test]
async fn one_that_is_opened_too_soon_is_named() {
    let world = done("audit_soon").await;
    world.change("UPDATE buckets SET expires_at = granted_at + 1".to_owned()).await;
    world.pass(Span::minutes(31));
    world.look().await;
    world.drain().await;
    assert_eq!((world.recharges().await, world.status().await), (2, Status::Done));
    assert_eq!(world.violations().await, Vec::<&str>::new());
    let sooner = Span::minutes(-5);
    let codes = of_other(&world, |recharge| recharge.opened_at = recharge.opened_at.plus(sooner));
    assert!(codes.await.contains(&"too_soon"));
}

#[tokio::test]
async fn what_nobody_acts_on_and_a_second_one_that_is_open_are_named() {
    let world = World::new("audit_open", &["works"]).await;
    world.run_low().await;
    assert_eq!(after(&world, "DELETE FROM jobs").await, ["nobody_acts"]);
    let second = "DROP INDEX recharges_one_open;
                  INSERT INTO recharges SELECT account_id, id || '-again', line_id, 2, automatic,
                      status, standing, opened_at, reserved_at, NULL, NULL, body, record, NULL, NULL
                  FROM recharges";
    assert!(after(&world, second).await.contains(&"two_open"));
}

#[tokio::test]
async fn what_goes_back_wrongly_is_named() {
    let world = done("audit_returns").await;
    let recharge = world.last().await.recharge;
    let run = Returns::of(&recharge, 1).expect("it took money");
    let refund = |status| Refund {
        number: 1,
        idempotency_key: None,
        amount: Money::new(1501, run.captured.currency),
        why: RefundReason::Operator,
        status,
        refund: None,
        since: recharge.opened_at,
    };
    let with = |refunds: Vec<Refund>| Returns { refunds, ..run.clone() };
    let other = Returns { payment: "pay_other".to_owned(), ..run.clone() };
    for (returns, code) in [
        (with(vec![refund(RefundStatus::Done)]), "returned_too_much"),
        (with(vec![refund(RefundStatus::Asked)]), "nobody_acts"),
        (other, "returns_differ"),
    ] {
        let mut tx = world.app.store.write().await.expect("a transaction");
        let lines = crate::store::lines::all(&mut tx).await.expect("read");
        let kept = Stored { returns, steps: 1, changed_at: recharge.opened_at };
        returns::put(&mut tx, &lines[0], &kept).await.expect("kept");
        let found = audit(&mut tx).await.expect("read");
        tx.rollback().await.expect("undone");
        let found: Vec<_> = found.violations.iter().map(|it| it.code).collect();
        assert_eq!(found, [code]);
    }
}

async fn present(world: &World) -> i64 {
    let mut snapshot = world.app.store.read().await.expect("a snapshot");
    violations::count(&mut snapshot).await.expect("read")
}

#[tokio::test]
async fn a_violation_is_told_once_and_until_it_is_mended() {
    let world = done("watch_once").await;
    let mut watch = Watch::default();
    assert_eq!(watch.look(&world.app, None).await.expect("looked"), []);
    world.change("UPDATE ledger_balances SET amount = amount + 1".to_owned()).await;
    let found = watch.look(&world.app, None).await.expect("looked");
    assert!(found.iter().all(|it| it.code == "book_differs"), "{found:?}");
    assert_eq!((found.is_empty(), present(&world).await), (false, 1), "it is the line's");
    assert_eq!(watch.look(&world.app, None).await.expect("looked"), [], "told once");
    let mut restarted = Watch::default();
    assert_eq!(restarted.look(&world.app, None).await.expect("looked"), [], "also after a restart");
    assert_eq!(present(&world).await, 1);
    world.change("UPDATE ledger_balances SET amount = amount - 1".to_owned()).await;
    assert_eq!(watch.look(&world.app, None).await.expect("looked"), []);
    assert_eq!(present(&world).await, 0);
}

#[tokio::test]
async fn every_line_is_looked_at_in_a_pass_that_a_restart_goes_on_with() {
    let world = done("watch_pass").await;
    let now = world.app.clock.now();
    let mut tx = world.app.store.write().await.expect("a transaction");
    for number in 0..120 {
        let new = NewLine {
            iccid: format!("89880000000000{number:05}"),
            bytes: Bytes::GB,
            credit_minor: 0,
            currency: Currency::from_code("EUR").expect("EUR"),
        };
        add_line::add(&mut tx, HOUSE, &new, now).await.expect("added").expect("a line");
    }
    tx.commit().await;
    // Nothing moves any more: only the pass finds anything.
    world.pass(Span::hours(25));
    let whole = async || {
        let mut snapshot = world.app.store.read().await.expect("a snapshot");
        violations::pass(&mut snapshot).await.expect("read").whole_at
    };
    world.change("UPDATE ledger_balances SET amount = amount + 1".to_owned()).await;
    let mut lines = 0;
    for step in 0..3 {
        assert_eq!(whole().await, None, "after {step} steps");
        lines += Watch::default().look(&world.app, None).await.expect("looked").len();
    }
    assert!(whole().await.is_some(), "three steps of at least fifty");
    assert_eq!((lines, present(&world).await), (121, 121), "each of them once");
    assert_eq!(Watch::default().look(&world.app, None).await.expect("looked"), [], "a rest");
    world.pass(Span::hours(2));
    world.change("UPDATE ledger_balances SET amount = amount - 1".to_owned()).await;
    for _ in 0..3 {
        Watch::default().look(&world.app, None).await.expect("looked");
    }
    assert_eq!(present(&world).await, 0);
}

#[tokio::test]
async fn one_process_at_a_time_makes_a_step() {
    let world = done("watch_turns").await;
    world.change("UPDATE ledger_balances SET amount = amount + 1".to_owned()).await;
    let found = Watch::default().step(&world.app).await.expect("looked");
    let again = Watch::default().step(&world.app).await.expect("looked");
    assert_eq!((found.is_empty(), again.len()), (false, 0));
    let mut snapshot = world.app.store.read().await.expect("a snapshot");
    let pass = violations::pass(&mut snapshot).await.expect("read");
    assert!(pass.whole_at.is_some(), "the one step was a whole pass");
}
