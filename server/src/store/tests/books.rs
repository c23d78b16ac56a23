//! The suite's part about cases, leases, what goes back and what the auditor keeps.

use super::{new_line, now, on_each};
use crate::store::{
    accounts::HOUSE,
    cases::{self, Case, Status, Which},
    leases, lines, recharges,
    returns::{self, Stored},
    violations,
};
use laika_core::{
    decide::Order,
    id::PaymentMethodId,
    money::Money,
    recharge::Recharge,
    returns::{Dispute, DisputeStatus, Returns},
    rule::Adds,
    time::Span,
};

fn case(id: &str) -> Case {
    Case {
        id: id.to_owned(),
        account_id: HOUSE.to_owned(),
        line_id: None,
        recharge_id: None,
        payment: Some("pay_1".to_owned()),
        kind: "unknown".to_owned(),
        remedy: "case".to_owned(),
        status: Status::Open,
        found_at: now(),
        seen_at: now(),
        changed_at: now(),
        evidence: "{}".to_owned(),
    }
}

#[tokio::test]
async fn a_case_is_opened_once_and_turned_from_where_it_stands() {
    on_each(async |store| {
        let later = now().plus(Span::hours(24));
        let mut tx = store.write().await?;
        assert!(cases::open(&mut tx, &case("case_1")).await?);
        assert!(!cases::open(&mut tx, &Case { seen_at: later, ..case("case_1") }).await?);
        let kept = cases::get(&mut tx, "case_1").await?.expect("there is one");
        assert_eq!(kept, Case { seen_at: later, ..case("case_1") }, "found again, nothing else");
        assert_eq!(cases::counts(&mut tx).await?, (1, 0));
        let refunding = [Status::Open, Status::Refunding];
        assert!(cases::turn(&mut tx, HOUSE, "case_1", refunding, later).await?);
        assert!(!cases::turn(&mut tx, HOUSE, "case_1", refunding, later).await?);
        assert_eq!(cases::counts(&mut tx).await?, (0, 1));
        cases::refund_ended(&mut tx, HOUSE, "pay_2", Status::Settled, later).await?;
        assert_eq!(cases::counts(&mut tx).await?, (0, 1), "another payment's");
        cases::refund_ended(&mut tx, HOUSE, "pay_1", Status::Settled, later).await?;
        assert_eq!(cases::counts(&mut tx).await?, (0, 0));
        let start = (String::new(), String::new());
        assert_eq!(cases::page(&mut tx, Which::Unsettled, &start, 9).await?, []);
        assert_eq!(cases::page(&mut tx, Which::All, &start, 9).await?.len(), 1);
        let after = (HOUSE.to_owned(), "case_1".to_owned());
        assert_eq!(cases::page(&mut tx, Which::All, &after, 9).await?, []);
        tx.commit().await;
        Ok(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_is_taken_by_one_and_lost_with_its_time() {
    on_each(async |store| {
        let lasts = Span::minutes(10);
        let taken = super::at_once(8, || {
            let store = std::sync::Arc::clone(&store);
            async move {
                let mut tx = store.write().await?;
                let lease = leases::take(&mut tx, "work", (now(), now()), now(), lasts).await?;
                tx.commit().await;
                Ok(lease)
            }
        });
        let mut taken = taken.await.into_iter().flatten();
        let (first, none) = (taken.next().expect("somebody has it"), taken.next());
        assert_eq!(none, None, "and nobody else");
        let (soon, late) = (now().plus(Span::minutes(9)), now().plus(Span::minutes(20)));
        let mut tx = store.write().await?;
        assert!(leases::keep(&mut tx, &first, soon).await?);
        let early = now().plus(Span::minutes(15));
        let at = |at| (at, at);
        let kept = leases::take(&mut tx, "work", at(early), early, lasts).await?;
        assert_eq!(kept, None, "it is kept");
        let other = leases::take(&mut tx, "work", at(late), late, lasts).await?;
        let other = other.expect("it is over");
        assert!(!leases::keep(&mut tx, &first, late).await?, "whoever was paused has lost it");
        assert!(!leases::end(&mut tx, &first, Some(late)).await?);
        assert_eq!(leases::done_at(&mut tx, "work", late).await?, None);
        assert!(leases::end(&mut tx, &other, Some(late)).await?);
        assert_eq!(leases::done_at(&mut tx, "work", late).await?, Some(late));
        let done = leases::take(&mut tx, "work", at(late), late, lasts).await?;
        assert_eq!(done, None, "it is done");
        let next = late.plus(Span(1));
        assert!(leases::take(&mut tx, "work", at(next), late, lasts).await?.is_some());
        tx.commit().await;
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn what_was_found_stays_until_it_is_gone_and_comes_back() {
    on_each(async |store| {
        let line = new_line(&store).await?;
        let key = (line.account_id.to_string(), line.id.to_string());
        let name = (key.0.clone(), key.1.clone(), "code".to_owned(), "subject".to_owned());
        let mut tx = store.write().await?;
        for _ in 0..2 {
            violations::keep(&mut tx, &name, "so", now()).await?;
            let present = violations::present(&mut tx, std::slice::from_ref(&key)).await?;
            let present: Vec<_> = present.into_iter().collect();
            assert_eq!(present, std::slice::from_ref(&name));
            assert_eq!(violations::count(&mut tx).await?, 1);
            violations::gone(&mut tx, &name, now()).await?;
            assert_eq!(violations::count(&mut tx).await?, 0);
        }
        let pass = violations::Pass { after: key.clone(), whole_at: Some(now()) };
        assert_eq!(violations::pass(&mut tx).await?, violations::Pass::default());
        violations::keep_pass(&mut tx, &pass).await?;
        assert_eq!(violations::pass(&mut tx).await?, pass);
        assert!(violations::moving(&mut tx, now()).await?.is_empty());
        let found = lines::of_keys(&mut tx, &[key]).await?;
        assert_eq!((found.len(), lines::count(&mut tx).await?), (1, 1));
        tx.commit().await;
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn what_goes_back_and_what_the_checks_read_is_read_as_it_was_kept() {
    on_each(async |store| {
        let line = new_line(&store).await?;
        let eur = |minor| Money::new(minor, line.currency);
        let order = Order {
            amount: eur(900),
            adds: Adds::Credit(eur(900)),
            payment_methods: vec![PaymentMethodId::new("pm_1").expect("an id")],
            triggers: vec![],
        };
        let recharge = Recharge::open(line.id.clone(), 1, None, order, &[], &[], now()).recharge;
        let dispute = |status| Dispute {
            dispute: "dp_1".to_owned(),
            amount: eur(900),
            status,
            instead: false,
            since: now(),
        };
        let mut kept = Stored {
            returns: Returns {
                recharge_id: recharge.id.clone(),
                attempt: 1,
                payment: "pay_1".to_owned(),
                captured: eur(900),
                returned_before_minor: 0,
                refunds: vec![],
                disputes: vec![dispute(DisputeStatus::Open)],
            },
            steps: 1,
            changed_at: now(),
        };
        let mut tx = store.write().await?;
        recharges::insert(&mut tx, &line, 1, &recharge, None, None).await?;
        returns::put(&mut tx, &line, &kept).await?;
        assert_eq!(returns::disputes_open(&mut tx, &[&line]).await?, [1]);
        assert_eq!(returns::count_disputes_open(&mut tx).await?, 1);
        assert_eq!(returns::disputed(&mut tx).await?, [kept.returns.clone()]);
        kept.returns.disputes = vec![dispute(DisputeStatus::Lost)];
        kept.steps = 2;
        returns::put(&mut tx, &line, &kept).await?;
        assert_eq!(returns::disputes_open(&mut tx, &[&line]).await?, [0]);
        assert_eq!(returns::disputed(&mut tx).await?, []);
        let all = returns::of_lines(&mut tx, &[&line]).await?.remove(0);
        let read = all.iter().map(|it| (&it.returns, it.steps)).collect::<Vec<_>>();
        assert_eq!(read, [(&kept.returns, 2)]);
        let (account, id) = (line.account_id.as_str(), recharge.id.as_str());
        assert!(returns::get(&mut tx, account, id, 1).await?.is_some());
        assert!(returns::get(&mut tx, account, id, 2).await?.is_none());
        let whose = returns::of_payment(&mut tx, "pay_1").await?.expect("it went back");
        assert_eq!(whose, (line.account_id.clone(), kept.returns));
        let ids = [id.to_owned(), format!("{}-r2", line.id), "nothing".to_owned()];
        assert_eq!(recharges::existing(&mut tx, &ids).await?, [id]);
        let (before, after) = (now().minus(Span(1)), now().plus(Span(1)));
        let opened = recharges::opened_between(&mut tx, &[&line], now(), after).await?;
        assert_eq!(opened[0].iter().map(|(it, _)| &it.id).collect::<Vec<_>>(), [&recharge.id]);
        assert!(recharges::opened_between(&mut tx, &[&line], before, now()).await?[0].is_empty());
        let moving = violations::moving(&mut tx, after).await?;
        assert_eq!(moving.len(), usize::from(!recharge.status.is_end()));
        tx.commit().await;
        Ok(())
    })
    .await;
}
