//! An agreement with a wallet holds at the wallet, whoever asks for more.

use super::*;

/// EUR 20.00 in one debit, EUR 50.00 and five debits in all.
fn terms() -> Terms {
    Terms {
        currency: "EUR".to_owned(),
        most_per_debit_minor: 2_000,
        total_minor: 5_000,
        debits_most: 5,
    }
}

fn wallet(world: &mut World, kind: Wallet, terms: Terms) -> String {
    let setup = world.setup().id;
    world.ask(Request::OfferAgreement { setup: setup.clone(), terms }).expect("offered");
    let fingerprint = "buyer".to_owned();
    let agreed = world.ask(Request::Agree { setup, wallet: kind, fingerprint });
    let Ok(Answer::Setup(setup)) = agreed else { panic!("{agreed:?}") };
    setup.payment_method.expect("attached")
}

/// `paid`, or the limit that it would break.
fn debit(world: &mut World, method: &str, amount_minor: i64, now: i64) -> String {
    let charge = world.charge(method, amount_minor);
    match world.pay(None, charge, now).answer {
        Ok(Answer::Payment(payment)) if payment.captured_minor == amount_minor => "paid".to_owned(),
        Err(Refusal { status: 402, code, .. }) => code,
        other => panic!("{other:?}"),
    }
}

#[test]
fn no_debit_breaks_any_limit_of_the_agreement() {
    let mut world = World::new();
    let method = wallet(&mut world, Wallet::Alipay, terms());
    let week = 7 * DAY;
    for (amount_minor, days, expected) in [
        (2_001, 0, "agreement_per_debit"),
        (2_000, 0, "paid"),
        (1, 6, "agreement_cycle"),
        (2_000, 7, "paid"),
        (1_001, 14, "agreement_total"),
        (400, 14, "paid"),
        (300, 21, "paid"),
        (200, 28, "paid"),
        (100, 35, "agreement_count"),
    ] {
        let at = NOW + days * DAY;
        let told = debit(&mut world, &method, amount_minor, at);
        assert_eq!(told, expected, "{amount_minor} after {days} days");
    }
    let other = wallet(&mut world, Wallet::Alipay, Terms { debits_most: 1, ..terms() });
    assert_eq!(debit(&mut world, &other, 100, NOW), "paid", "another agreement counts for itself");
    assert_eq!(debit(&mut world, &other, 100, NOW + week), "agreement_count");
    let mut charge = world.charge(&other, 100);
    charge.currency = "CNY".to_owned();
    let refused = world.pay(None, charge, NOW).answer.expect_err("another currency");
    assert_eq!(refused.code, "agreement_currency");
}

#[test]
fn a_week_is_a_week_to_the_microsecond_and_the_same_key_debits_once() {
    let mut world = World::new();
    let method = wallet(&mut world, Wallet::Alipay, terms());
    let charge = world.charge(&method, 900);
    let first = world.pay(Some("k"), charge.clone(), NOW);
    assert_eq!(world.pay(Some("k"), charge, NOW), first, "the answer that was kept");
    assert_eq!(debit(&mut world, &method, 900, NOW + 7 * DAY - 1), "agreement_cycle");
    assert_eq!(debit(&mut world, &method, 900, NOW + 7 * DAY), "paid");
    assert_eq!(world.provider.payments().len(), 2);
}

#[test]
fn wechat_pay_debits_by_its_own_hours() {
    let mut world = World::new();
    let method = wallet(&mut world, Wallet::WechatPay, terms());
    let hour = DAY / 24;
    // Noon of UTC is eight in the evening in Beijing.
    assert_eq!(debit(&mut world, &method, 900, NOW + 2 * hour), "agreement_hours");
    assert_eq!(debit(&mut world, &method, 900, NOW + 2 * hour - 1), "paid");
    assert_eq!(debit(&mut world, &method, 900, NOW + 2 * DAY), "agreement_cycle");
}

#[test]
fn nobody_agrees_to_what_was_not_offered_or_twice() {
    let mut world = World::new();
    let agree = |setup: &str| Request::Agree {
        setup: setup.to_owned(),
        wallet: Wallet::Alipay,
        fingerprint: "buyer".to_owned(),
    };
    let setup = world.setup().id;
    assert_eq!(world.ask(agree(&setup)).expect_err("not offered").code, "setup_closed");
    for terms in [
        Terms { most_per_debit_minor: 0, ..terms() },
        Terms { total_minor: 1_999, ..terms() },
        Terms { debits_most: 0, ..terms() },
    ] {
        let offered = world.ask(Request::OfferAgreement { setup: setup.clone(), terms });
        assert_eq!(offered.expect_err("nothing would be debited").code, "terms_refused");
    }
    world.ask(Request::OfferAgreement { setup: setup.clone(), terms: terms() }).expect("offered");
    world.ask(agree(&setup)).expect("agreed");
    assert_eq!(world.ask(agree(&setup)).expect_err("once").code, "setup_closed");
}

#[test]
fn without_an_agreement_nothing_is_taken_before_the_customer_says_so() {
    let mut world = World::new();
    for script in [None, Some(NextCharge::Succeeded), Some(NextCharge::WrongAmount)] {
        if let Some(next) = script {
            let customer = world.customer.clone();
            world.ask(Request::Script { customer, next }).expect("scripted");
        }
        let charge = world.charge(Wallet::Alipay.code(), 900);
        let made = world.pay(None, charge, NOW).answer;
        let Ok(Answer::Payment(payment)) = made else { panic!("{made:?}") };
        assert_eq!((payment.status, payment.captured_minor), (PaymentStatus::RequiresAction, 0));
        let about = payment.id;
        let paid = world.ask(Request::Authenticate { about, approved: true });
        let Ok(Answer::Payment(paid)) = paid else { panic!("{paid:?}") };
        assert_eq!((paid.status, paid.captured_minor), (PaymentStatus::Succeeded, 900));
    }
    let mut charge = world.charge(Wallet::WechatPay.code(), 900);
    charge.customer = "cus_nobody".to_owned();
    assert_eq!(world.pay(None, charge, NOW).answer.expect_err("nobody").code, "not_found");
}
