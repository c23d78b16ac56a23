//! Wallets: bound at the provider's page by an agreement, whose limits both sides keep; or paid
//! with by a link each time.

use super::world::{ICCID, World};
use crate::{
    flow::{
        add_payment_method::add_wallet, compare_list::compare_list,
        handle_usage::handle as handle_usage, recharge_now::recharge_now, remove_payment_method,
        usage_event::Event,
    },
    sandbox::{
        Request,
        provider::{Request as ToProvider, records::NextCharge},
    },
};
use laika_core::{
    api::RechargeNow,
    bytes::Bytes,
    decide::Unusable,
    id::PaymentMethodId,
    money::{Currency, Money},
    rail::{Rail, Wallet},
    recharge::Status,
    time::{Instant, Span},
};

#[tokio::test]
async fn alipay_is_bound_by_an_agreement_and_debits_within_it() {
    let world = World::new("alipay", &["alipay"]).await;
    let eur = |minor| Money::new(minor, Currency::from_code("EUR").expect("EUR"));
    let facts = world.methods().await.remove(0);
    let agreement = facts.agreement.expect("an agreement");
    assert_eq!((facts.rail, facts.name.as_str()), (Rail::AlipayCycle, "Alipay"));
    assert_eq!((facts.expires_at, agreement.cycle_days), (None, 7));
    assert_eq!((agreement.debits_left, agreement.debited_at), (Some(52), None));
    assert_eq!(agreement.total_left, Some(eur(52 * agreement.most_per_debit.amount_minor)));

    world.run_low().await;
    world.drain().await;
    assert_eq!((world.status().await, world.captured()), (Status::Done, vec![1500]));
    let used = world.methods().await.remove(0);
    let after = used.agreement.expect("an agreement");
    assert_eq!(after.debits_left, Some(51));
    let left = agreement.total_left.expect("a total").amount_minor - 1500;
    assert_eq!(after.total_left, Some(eur(left)));
    let debited_at = after.debited_at.expect("debited");
    let now = world.app.clock.now();
    assert_eq!(used.opens_at(now), debited_at.plus(Span::days(7)), "not again this week");
    assert_eq!(used.unusable(now), None);
    world.drain().await;
    assert_eq!(world.methods().await.remove(0).agreement, Some(after), "counted once");
    world.books_balance().await;
}

#[tokio::test]
async fn an_answer_that_is_lost_counts_its_debit_once() {
    let world = World::new("alipay_lost", &["alipay"]).await;
    world.run_low_as(NextCharge::AnswerLostAfter).await;
    assert_eq!(world.status().await, Status::Unknown);
    world.pass(Span::minutes(2));
    world.drain().await;
    assert_eq!((world.status().await, world.captured()), (Status::Done, vec![1500]));
    let agreement = world.methods().await.remove(0).agreement.expect("an agreement");
    assert_eq!(agreement.debits_left, Some(51));
}

#[tokio::test]
async fn wechat_pay_is_bound_and_waits_for_its_notice_before_it_debits() {
    let world = World::new("wechat", &["wechat"]).await;
    let facts = world.methods().await.remove(0);
    assert_eq!((facts.rail, facts.name.as_str()), (Rail::WechatDeduction, "WeChat Pay"));
    assert_eq!(facts.agreement.expect("an agreement").cycle_days, 3);
    for number in 1..=2_usize {
        world.look().await;
        world.drain().await;
        assert_eq!(world.recharges().await, number - 1, "it is announced first");
        assert_eq!(announcements(&world).await, number, "each debit has a notice of its own");
        // From the third day on, at an hour at which it debits.
        for _ in 0..96 {
            world.pass(Span::hours(1));
            world.look().await;
            world.drain().await;
        }
        assert_eq!(world.captured(), vec![1500; number]);
        assert_eq!(world.status().await, Status::Done);
        assert_eq!(announcements(&world).await, number, "told once");
        use_up(&world, number).await;
    }
}

#[tokio::test]
async fn a_try_that_comes_days_late_needs_a_notice_of_its_own() {
    let world = World::new("wechat_late", &["wechat"]).await;
    world.script(NextCharge::InsufficientFunds).await;
    world.look().await;
    while world.recharges().await == 0 {
        world.pass(Span::hours(1));
        world.look().await;
    }
    world.drain().await;
    assert_eq!((world.status().await, world.payments().len()), (Status::Declined, 1));
    assert_eq!(announcements(&world).await, 1);
    // The next try is due in an hour, and nobody is there for a week. The notice is no longer good.
    world.pass(Span::days(7));
    world.drain().await;
    assert_eq!((world.status().await, world.payments().len()), (Status::Cancelled, 1));
    world.look().await;
    assert_eq!(announcements(&world).await, 2, "it is announced anew");
    assert_eq!(world.captured(), Vec::<i64>::new());
}

/// From its announcement on until WeChat Pay debits it, at an hour in Beijing; then it is opened.
async fn open_at(world: &World, hour: i64) {
    world.look().await;
    let beijing = |at: Instant| (at.seconds() / 3600 + 8) % 24;
    for _ in 0..100 {
        world.pass(Span::hours(1));
        let at_hour = beijing(world.app.clock.now()) == hour;
        if at_hour {
            world.look().await;
        }
        if world.recharges().await == 1 {
            return;
        }
    }
    panic!("it is not opened");
}

#[tokio::test]
async fn a_try_that_the_night_holds_is_made_in_the_morning() {
    for (name, declined) in [("wechat_rung", true), ("wechat_first", false)] {
        let world = World::new(name, &["wechat"]).await;
        open_at(&world, 21).await;
        if declined {
            world.script(NextCharge::InsufficientFunds).await;
            world.drain().await;
            assert_eq!((world.status().await, world.payments().len()), (Status::Declined, 1));
        } else {
            // Nobody is there to send it before the rail closes.
            world.pass(Span::hours(1));
            world.drain().await;
            assert_eq!((world.status().await, world.payments().len()), (Status::Opened, 0));
        }
        for _ in 0..10 {
            world.pass(Span::hours(1));
            world.drain().await;
        }
        assert_eq!((world.status().await, world.captured()), (Status::Done, vec![1500]), "{name}");
        assert_eq!(announcements(&world).await, 1);
    }
}

/// How often the customer was told of a charge to come, by SMS and by e-mail as one.
async fn announcements(world: &World) -> usize {
    world.told().await.iter().filter(|it| it.starts_with("At most")).count() / 2
}

/// Uses all that the line has.
async fn use_up(world: &World, number: usize) {
    let event = Event {
        source: "test".to_owned(),
        id: number.to_string(),
        iccid: ICCID.to_owned(),
        time: world.app.clock.now(),
        bytes: Bytes::GB.checked_mul(9).expect("an amount"),
        country: None,
    };
    handle_usage(&world.app, vec![(1, Ok(event))]).await.expect("counted");
}

#[tokio::test]
async fn the_same_wallet_bound_again_is_another_agreement() {
    let world = World::new("twice", &[]).await;
    let first = world.agree("alipay").await;
    let second = world.agree("alipay").await;
    assert_ne!(first, second);
    let facts = world.methods().await;
    assert_eq!(facts.len(), 2);
    assert!(facts.iter().all(|it| it.unusable(world.app.clock.now()) != Some(Unusable::Expired)));
}

/// Buys by hand, and waits with a link.
async fn buy(world: &World, method: &PaymentMethodId, key: &str) {
    let eur = |minor| Money::new(minor, Currency::from_code("EUR").expect("EUR"));
    let asked = RechargeNow { steps: 1, amount: eur(300), payment_method_id: method.clone() };
    let (account, line) = (world.account(), world.line_id());
    recharge_now(&world.app, account, line, key, &asked).await.expect("bought");
    world.drain().await;
    assert_eq!(world.status().await, Status::NeedsCustomer);
}

#[tokio::test]
async fn what_was_bought_by_hand_and_not_sent_within_the_hour_is_not_charged() {
    let world = World::new("by_hand_late", &["works"]).await;
    world.turn_off().await;
    let eur = |minor| Money::new(minor, Currency::from_code("EUR").expect("EUR"));
    let method = world.methods().await.remove(0).id;
    for (key, minutes, captured) in [("soon", 59, vec![300]), ("late", 61, vec![300])] {
        let payment_method_id = method.clone();
        let asked = RechargeNow { steps: 1, amount: eur(300), payment_method_id };
        let (account, line) = (world.account(), world.line_id());
        recharge_now(&world.app, account, line, key, &asked).await.expect("bought");
        world.pass(Span::minutes(minutes));
        world.drain().await;
        assert_eq!(world.captured(), captured, "{key}");
    }
    assert_eq!(world.status().await, Status::Cancelled);
    assert_eq!(world.violations().await, Vec::<&str>::new());
}

/// The customer's word at the wallet, heard from the provider's list.
async fn answer(world: &World, approved: bool) {
    let about = world.payments().last().expect("a payment").id.clone();
    let word = Request::Provider(ToProvider::Authenticate { about, approved });
    world.ask(word).await.expect("it waits");
    compare_list(&world.app).await.expect("compared");
    world.drain().await;
}

#[tokio::test]
async fn a_customers_own_no_at_a_wallet_counts_against_nobody() {
    let world = World::new("by_link", &[]).await;
    let method = add_wallet(&world.app, world.account(), Wallet::Alipay).await.expect("added");
    // As often as a card may be declined in a day, and once more.
    for number in 0..11 {
        buy(&world, &method, &format!("no-{number}")).await;
        answer(&world, false).await;
        assert_eq!((world.status().await, world.captured()), (Status::Failed, vec![]));
    }
    assert!(world.methods().await.remove(0).declined_at.is_empty());
    buy(&world, &method, "yes").await;
    answer(&world, true).await;
    assert_eq!((world.status().await, world.captured()), (Status::Done, vec![300]));
    assert_eq!(world.violations().await, Vec::<&str>::new());
    world.books_balance().await;
}

#[tokio::test]
async fn removing_a_wallet_that_waits_cancels_its_payment_and_forgets_nothing_at_the_gateway() {
    let world = World::new("by_link_gone", &[]).await;
    let method = add_wallet(&world.app, world.account(), Wallet::WechatPay).await.expect("added");
    buy(&world, &method, "waits").await;
    let account = world.account();
    let named = remove_payment_method::remove(&world.app, account, method.as_str()).await;
    assert_eq!(named.expect("removed").len(), 1, "its payment was sent before");
    assert_eq!(works(&world, "detach").await, 0);
    assert!(works(&world, "cancel_payment").await > 0, "else nothing would be found here");
    world.drain().await;
    assert_eq!((world.status().await, world.captured()), (Status::Cancelled, vec![]));
    assert_eq!(world.violations().await, Vec::<&str>::new());
}

/// How many jobs are of a kind.
async fn works(world: &World, kind: &str) -> i64 {
    use sqlx::Row;
    let mut snapshot = world.app.store.read().await.expect("a snapshot");
    let row = crate::sql!("SELECT COUNT(*) FROM jobs WHERE work LIKE $1", format!("%{kind}%"))
        .fetch_one(&mut *snapshot)
        .await
        .expect("counted");
    row.get(0)
}
