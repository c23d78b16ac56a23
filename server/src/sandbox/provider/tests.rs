//! Claims about the sandbox provider, each read as a sentence.

mod wallet;

use super::*;
use crate::sandbox::cards::{Entry, TEST_CARDS, read};
use crate::sandbox::seal::{Seal, test_seal};

const NOW: i64 = 1_795_348_800_000_000; // 2026-11-22
const BACK: &str = "http://localhost:8080/payment";

struct World {
    provider: Provider,
    ids: Ids,
    seal: Seal,
    customer: String,
}

impl World {
    fn new() -> Self {
        let seal = test_seal();
        let mut world = Self {
            provider: Provider::default(),
            ids: Ids::new(seal.clone()),
            seal,
            customer: String::new(),
        };
        let made = world.ask(Request::CreateCustomer { metadata: Metadata::new() });
        let Ok(Answer::Customer(customer)) = made else { panic!("{made:?}") };
        world.customer = customer.id;
        world
    }

    fn ask(&mut self, request: Request) -> Result<Answer, Refusal> {
        self.provider.handle(request, NOW, &mut self.ids).answer
    }

    fn setup(&mut self) -> Setup {
        let customer = self.customer.clone();
        let made = self.ask(Request::CreateSetup { customer, return_url: BACK.to_owned() });
        let Ok(Answer::Setup(setup)) = made else { panic!("{made:?}") };
        setup
    }

    fn enter(&mut self, setup: &str, name: &str) -> Result<Answer, Refusal> {
        let number = TEST_CARDS.iter().find(|card| card.name == name).expect(name).number;
        let entry = Entry { number: number.into(), expiry: "12/34".into(), cvc: "123".into() };
        let card = read(&entry, (2026, 11), &self.seal).expect(name);
        self.ask(Request::EnterCard { setup: setup.to_owned(), card })
    }

    /// Enters a card, confirms at the bank where asked, and gives the token.
    fn method(&mut self, name: &str) -> String {
        let setup = self.setup();
        let mut entered = self.enter(&setup.id, name);
        if let Ok(Answer::Setup(Setup { status: SetupStatus::RequiresAction, .. })) = &entered {
            entered = self.ask(Request::Authenticate { about: setup.id, approved: true });
        }
        let Ok(Answer::Setup(setup)) = entered else { panic!("{name}: {entered:?}") };
        setup.payment_method.expect("attached")
    }

    fn charge(&self, method: &str, amount_minor: i64) -> Charge {
        Charge {
            customer: self.customer.clone(),
            payment_method: method.to_owned(),
            amount_minor,
            currency: "EUR".to_owned(),
            return_url: BACK.to_owned(),
            metadata: Metadata::new(),
        }
    }

    fn pay(&mut self, key: Option<&str>, charge: Charge, now: i64) -> Reply<Answer> {
        let request = Request::Pay { key: key.map(str::to_owned), charge };
        self.provider.handle(request, now, &mut self.ids)
    }

    fn charged(&mut self, key: &str, method: &str) -> Payment {
        let charge = self.charge(method, 900);
        let reply = self.pay(Some(key), charge, NOW);
        let Ok(Answer::Payment(payment)) = reply.answer else { panic!("{reply:?}") };
        payment
    }

    fn script(&mut self, next: NextCharge) {
        let customer = self.customer.clone();
        self.ask(Request::Script { customer, next }).expect("scripted");
    }
}

#[test]
fn same_key_charges_once() {
    let mut world = World::new();
    let method = world.method("works");
    let first = world.charged("k", &method);
    let again = world.charged("k", &method);
    assert_eq!(first, again);
    assert_eq!(world.provider.payments().len(), 1);
}

#[test]
fn without_a_key_every_request_charges() {
    let mut world = World::new();
    let method = world.method("works");
    for _ in 0..2 {
        let charge = world.charge(&method, 900);
        assert!(world.pay(None, charge, NOW).answer.is_ok());
    }
    assert_eq!(world.provider.payments().len(), 2);
}

#[test]
fn same_key_with_other_parameters_is_refused_and_charges_nothing() {
    let mut world = World::new();
    let method = world.method("works");
    world.charged("k", &method);
    let charge = world.charge(&method, 901);
    let refusal = world.pay(Some("k"), charge, NOW).answer.expect_err("another amount");
    assert_eq!(refusal.code, "idempotency_mismatch");
    assert_eq!(world.provider.payments().len(), 1);
}

#[test]
fn a_key_is_forgotten_after_a_day_and_then_charges_again() {
    let mut world = World::new();
    let method = world.method("works");
    world.charged("k", &method);
    for (later, payments) in [(KEY_KEPT - 1, 1), (KEY_KEPT, 2)] {
        let charge = world.charge(&method, 900);
        assert!(world.pay(Some("k"), charge, NOW + later).answer.is_ok());
        assert_eq!(world.provider.payments().len(), payments, "{later}");
    }
}

#[test]
fn test_cards_do_at_a_charge_what_they_are_published_for() {
    use PaymentStatus::{Declined, RequiresAction, Succeeded};
    let cases = [
        ("works", Succeeded, None),
        ("debit", Succeeded, None),
        ("mastercard", Succeeded, None),
        ("sca_once", Succeeded, None),
        ("sca_always", RequiresAction, None),
        ("sca_no_funds", Declined, Some(Decline::InsufficientFunds)),
        ("later_declined", Declined, Some(Decline::GenericDecline)),
    ];
    for (name, status, decline) in cases {
        let mut world = World::new();
        let method = world.method(name);
        let payment = world.charged("k", &method);
        assert_eq!((payment.status, payment.decline), (status, decline), "{name}");
        let taken = if status == Succeeded { 900 } else { 0 };
        assert_eq!(payment.captured_minor, taken, "{name}");
    }
}

#[test]
fn a_card_declined_at_entry_attaches_nothing_and_another_may_be_tried() {
    let cases = [
        ("declined", Decline::GenericDecline),
        ("no_funds", Decline::InsufficientFunds),
        ("expired", Decline::ExpiredCard),
        ("wrong_cvc", Decline::IncorrectCvc),
        ("processing", Decline::ProcessingError),
        ("lost", Decline::LostCard),
        ("stolen", Decline::StolenCard),
    ];
    for (name, decline) in cases {
        let mut world = World::new();
        let setup = world.setup();
        let refusal = world.enter(&setup.id, name).expect_err(name);
        assert_eq!((refusal.status, refusal.decline), (402, Some(decline)), "{name}");
        assert!(world.enter(&setup.id, "works").is_ok(), "{name}, then a good card");
    }
}

#[test]
fn only_who_asks_the_bank_attaches_an_authenticating_card() {
    let mut world = World::new();
    let setup = world.setup();
    world.enter(&setup.id, "sca_once").expect("asks the bank");
    let kept = world.provider.setup(&setup.id).expect("kept");
    assert_eq!((kept.status, &kept.payment_method), (SetupStatus::RequiresAction, &None));
    let no = Request::Authenticate { about: setup.id.clone(), approved: false };
    assert_eq!(world.ask(no).expect_err("refused").decline, Some(Decline::AuthenticationFailed));
    let kept = world.provider.setup(&setup.id).expect("kept");
    assert_eq!((kept.status, &kept.payment_method), (SetupStatus::Open, &None));
}

#[test]
fn a_payment_waiting_for_its_customer_is_taken_or_cancelled_but_never_both() {
    let mut world = World::new();
    let method = world.method("sca_always");
    let taken = world.charged("a", &method).id;
    let given_up = world.charged("b", &method).id;
    world.ask(Request::Authenticate { about: taken.clone(), approved: true }).expect("taken");
    world.ask(Request::CancelPayment { payment: given_up.clone() }).expect("cancelled");
    let late = world.ask(Request::CancelPayment { payment: taken });
    assert_eq!(late.expect_err("money moved").code, "payment_closed");
    let late = world.ask(Request::Authenticate { about: given_up.clone(), approved: true });
    assert_eq!(late.expect_err("given up").code, "payment_closed");
    assert_eq!(world.provider.payment(&given_up).expect("kept").captured_minor, 0);
    assert!(world.ask(Request::CancelPayment { payment: given_up }).is_ok(), "again: the same");
}

#[test]
fn scripts_hold_for_one_charge_and_say_how_the_answer_travels() {
    use NextCharge as Next;
    let cases = [
        (Next::AnswerLostAfter, Transport::Lost, 1),
        (Next::AnswerLostBefore, Transport::Lost, 0),
        (Next::Slow, Transport::Slow, 1),
        (Next::ErrorAfter, Transport::ServerError, 1),
        (Next::Succeeded, Transport::Normal, 1),
    ];
    for (next, transport, taken) in cases {
        let mut world = World::new();
        let method = world.method("works");
        world.script(next);
        let charge = world.charge(&method, 900);
        let reply = world.pay(Some("k"), charge.clone(), NOW);
        assert_eq!(reply.transport, transport, "{next:?}");
        assert_eq!(world.provider.payments().len(), taken, "{next:?}");
        // The same key again: charged once, whether or not the first was lost before charging.
        let reply = world.pay(Some("k"), charge, NOW);
        assert_eq!(reply.transport, Transport::Normal, "{next:?}");
        assert!(reply.answer.is_ok(), "{next:?}");
        assert_eq!(world.provider.payments().len(), 1, "{next:?}");
    }
}

#[test]
fn scripted_declines_and_a_wrong_amount() {
    use NextCharge as Next;
    let cases = [
        (Next::GenericDecline, Some(Decline::GenericDecline)),
        (Next::InsufficientFunds, Some(Decline::InsufficientFunds)),
        (Next::LostCard, Some(Decline::LostCard)),
        (Next::StolenCard, Some(Decline::StolenCard)),
        (Next::ExpiredCard, Some(Decline::ExpiredCard)),
    ];
    let mut world = World::new();
    let method = world.method("works");
    for (at, (next, decline)) in cases.into_iter().enumerate() {
        world.script(next);
        assert_eq!(world.charged(&at.to_string(), &method).decline, decline);
    }
    world.script(Next::WrongAmount);
    assert_eq!(world.charged("wrong", &method).captured_minor, 901);
    assert_eq!(world.charged("right", &method).captured_minor, 900);
}

#[test]
fn refunds_never_exceed_the_capture_and_the_same_key_refunds_once() {
    let mut world = World::new();
    let method = world.method("works");
    let payment = world.charged("k", &method).id;
    let refund = |key: &str, amount_minor| Request::Refund {
        key: Some(key.to_owned()),
        payment: payment.clone(),
        amount_minor,
    };
    world.ask(refund("r1", 500)).expect("a part");
    world.ask(refund("r1", 500)).expect("the same part");
    assert_eq!(world.ask(refund("r2", 401)).expect_err("too much").code, "amount_refused");
    world.ask(refund("r3", 400)).expect("the rest");
    assert_eq!(world.provider.payment(&payment).expect("kept").refunded_minor(), 900);
}

#[test]
fn a_detached_or_foreign_method_is_never_charged() {
    let mut world = World::new();
    let method = world.method("works");
    let mut foreign = world.charge(&method, 900);
    foreign.customer = "cus_of_somebody_else".to_owned();
    assert_eq!(world.pay(Some("f"), foreign, NOW).answer.expect_err("foreign").status, 404);
    world.ask(Request::Detach { payment_method: method.clone() }).expect("removed");
    let charge = world.charge(&method, 900);
    assert_eq!(world.pay(Some("k"), charge, NOW).answer.expect_err("removed").status, 404);
    assert!(world.provider.payments().is_empty());
}

#[test]
fn a_card_past_its_date_is_declined() {
    let mut world = World::new();
    let method = world.method("works");
    let charge = world.charge(&method, 900);
    let in_2035 = NOW + 9 * 365 * DAY;
    let Ok(Answer::Payment(payment)) = world.pay(Some("k"), charge, in_2035).answer else {
        panic!("answered")
    };
    assert_eq!(payment.decline, Some(Decline::ExpiredCard));
}

#[test]
fn nobody_is_sent_away_from_this_machine() {
    let good = [
        "http://localhost",
        "http://localhost:8080",
        "http://localhost:8080/payment?a=b",
        "http://127.0.0.1:8080/",
    ];
    let bad = [
        "https://localhost/",
        "http://localhost.example.org/",
        "http://localhost:80@example.org/",
        "http://localhost:8080.example.org/",
        "http://127.0.0.10:8080/",
        "http://192.168.0.1/",
        "http://localhost:8080/\r\nx: y",
        "javascript:alert(1)",
        "",
    ];
    for url in good {
        assert!(on_this_machine(url), "{url}");
    }
    for url in bad {
        assert!(!on_this_machine(url), "{url}");
    }
}

#[test]
fn a_lost_answer_is_not_told_by_webhook_either() {
    let mut world = World::new();
    let method = world.method("works");
    let before = world.provider.outstanding().1.len();
    world.script(NextCharge::AnswerLostAfter);
    let charge = world.charge(&method, 900);
    assert!(world.pay(Some("k"), charge, NOW).answer.is_ok());
    assert_eq!(world.provider.outstanding().1.len(), before);
}

#[test]
fn a_webhook_waits_until_it_is_acknowledged() {
    let mut world = World::new();
    let method = world.method("works");
    world.charged("k", &method);
    let kinds = |world: &World| -> Vec<String> {
        world.provider.outstanding().1.iter().map(|webhook| webhook.kind.clone()).collect()
    };
    assert_eq!(kinds(&world), ["setup.succeeded", "payment.succeeded"]);
    let event = world.provider.outstanding().1[0].id.clone();
    world.ask(Request::Acknowledge { event }).expect("acknowledged");
    assert_eq!(kinds(&world), ["payment.succeeded"]);
}

impl Provider {
    /// When a key that is still remembered was first used.
    pub(crate) fn first_use(&self, key: &str) -> Option<i64> {
        self.key_ages.iter().find(|(_, known)| known == key).map(|(at, _)| *at)
    }
}
