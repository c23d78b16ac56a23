//! What others do not do for us: a payment provider that is gone or hangs, one that takes no
//! wallets, a database that refuses everybody. Each refusal by its name, nothing changed, and the
//! same asked again succeeds.

use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::Duration;

use laika_core::api::{NewMethod, NextCharge, RechargeView, ScriptedCharge};
use laika_core::rail::Wallet;
use laika_tests::support::contract::operations;
use laika_tests::support::customer::{Customer, read};
use laika_tests::support::http::{Answer, Request};
use laika_tests::support::laika::{Place, Process};
use laika_tests::support::postgres::Database;
use laika_tests::support::stripe::KEY;
use laika_tests::support::{hooks, usage, wait};
use serde_json::{Value, json};

use super::super::world::place;
use super::{Town, is_refused, operation};

const SOON: Duration = Duration::from_secs(30);

/// A town whose payment provider is a process of its own.
fn beside_its_provider(name: &str) -> (Town, Process) {
    let (mut place, database) = place(name, false);
    let provider = place.start(&["sandbox"]);
    place.set("LAIKA_SANDBOX_LISTEN", provider.listen());
    (Town::at(place, database), provider)
}

/// What the provider has to be asked for, and what is sent for it. `new` is not known there yet.
fn asks_the_provider<'a>(town: &'a Town, new: &'a Customer) -> Vec<(&'a Customer, String, Value)> {
    let script = |outcome| serde_json::to_value(ScriptedCharge { outcome }).expect("JSON");
    let wallet = serde_json::to_value(NewMethod { wallet: Wallet::Alipay }).expect("JSON");
    let setups = "/payment-methods/setups".to_owned();
    vec![
        (&town.ana, setups.clone(), Value::Null),
        (&town.ana, format!("{setups}/{}/complete", town.setup), Value::Null),
        (new, setups, Value::Null),
        (new, "/payment-methods".to_owned(), wallet),
        (&town.ana, "/sandbox/next-charge".to_owned(), script(NextCharge::Succeeds)),
        (&town.ana, "/sandbox/next-charge".to_owned(), script(NextCharge::NotDelivered)),
    ]
}

/// A webhook about a payment of somebody's.
fn webhook(town: &Town) -> Answer {
    let event = json!({ "id": "evt_1", "kind": "payment.succeeded", "about": "pay_1",
        "created_at": 0 });
    hooks::send_on(&town.server.origin, &event).expect("an answer")
}

#[test]
fn without_the_payment_provider_nothing_is_done_by_half_and_later_it_is_done() {
    let (town, provider) = beside_its_provider("gone");
    let new = Customer::register(&town.server.origin, 3);
    let before = town.at_rest();
    provider.kill();
    for (customer, path, body) in asks_the_provider(&town, &new) {
        let answer = customer.post(&path, &body);
        is_refused(&answer, (503, "gateway_unavailable"), &format!("{path} {body}"));
    }
    is_refused(&webhook(&town), (503, "gateway_silent"), "a webhook");
    assert_eq!(before, town.kept());
    assert_eq!(new.get("/payment-methods").expect(200).json(), json!([]));

    let _provider = town.place.start(&["sandbox"]);
    wait::until("the provider answers again", SOON, || {
        (town.ana.post("/payment-methods/setups", &Value::Null).status == 201).then_some(())
    });
    for (customer, path, body) in asks_the_provider(&town, &new) {
        let answer = customer.post(&path, &body);
        match path.ends_with("/complete") {
            true => drop(is_refused(&answer, (409, "setup_open"), &path)),
            false => assert!(answer.status < 300, "{path} {body}: {}", answer.text()),
        }
    }
    webhook(&town).expect(204);
    town.place.run(&["audit", "--json"]).expect(0);
}

#[test]
fn a_payment_provider_that_hangs_is_given_up_and_nothing_is_changed() {
    let (town, provider) = beside_its_provider("hangs");
    let new = Customer::register(&town.server.origin, 3);
    let before = town.at_rest();
    let asked = asks_the_provider(&town, &new);
    provider.pause();
    // Why all at once: each waits as long as anybody waits for the provider.
    thread::scope(|scope| {
        for (customer, path, body) in &asked {
            scope.spawn(move || {
                let answer = customer.post(path, body);
                is_refused(&answer, (503, "gateway_unavailable"), &format!("{path} {body}"));
            });
        }
        scope.spawn(|| is_refused(&webhook(&town), (503, "gateway_silent"), "a webhook"));
    });
    provider.resume();
    assert_eq!(before, town.kept());
    assert_eq!(new.get("/payment-methods").expect(200).json(), json!([]));
    town.place.run(&["audit", "--json"]).expect(0);
}

#[test]
fn a_wallet_that_the_provider_does_not_take_is_not_added() {
    for (taken, offered) in [("", vec![]), ("alipay", vec![Wallet::Alipay])] {
        let place = Place::new("wallets").with("STRIPE_SECRET_KEY", KEY);
        // Why nobody: what it takes is our own setting, and no test ever reaches Stripe itself.
        let place = place.with("STRIPE_API_BASE", "http://127.0.0.1:9");
        let place = place.with("STRIPE_WALLETS", taken);
        let server = place.start(&["serve"]);
        let customer = Customer::register(&server.origin, 1);
        let wallets: Vec<Wallet> = read(&customer.get("/payment-methods/wallets").expect(200));
        assert_eq!(wallets, offered);
        for wallet in Wallet::ALL.into_iter().filter(|wallet| !offered.contains(wallet)) {
            let answer = customer.post("/payment-methods", &NewMethod { wallet });
            is_refused(&answer, (409, "wallet_not_offered"), wallet.name());
        }
        assert_eq!(customer.get("/payment-methods").expect(200).json(), json!([]));
    }
}

/// Lets everybody into a database again that refused them.
fn let_in(database: &Database) {
    let psql = PathBuf::from(std::env::var_os("LAIKA_POSTGRES").expect("its programs"));
    let url = database.url();
    let name = url.rsplit('/').next().expect("a name");
    let sql = format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true");
    let mut command = Command::new(psql.join("psql"));
    command.arg("-h").arg(database.folder()).args(["-U", "postgres", "-qc", &sql, "postgres"]);
    assert!(command.status().is_ok_and(|it| it.success()), "{sql}");
}

/// A request of Ana's to each operation that has to know who asks, and to some for anybody.
fn asks_the_database(town: &Town) -> Vec<(&'static str, Request)> {
    let anybody = ["sessions.current", "sessions.create", "receipts.keys", "sandbox.outbox"];
    let all = operations().into_iter();
    let all = all.filter(|it| it.wants("session") || anybody.contains(&it.id()));
    let with_body = |it: laika_tests::support::contract::Operation| {
        let request = town.request(&it, &town.path(&it));
        (it.id(), town.body(&it).map_or(request.clone(), |body| request.json(&body)))
    };
    all.map(with_body).collect()
}

#[test]
fn while_the_database_is_away_nothing_is_done_and_the_same_key_does_it_later() {
    let town = Town::new("away", true);
    let database = town.database.as_ref().expect("PostgreSQL");
    let asked = asks_the_database(&town);
    assert!(asked.len() > 25, "only {}", asked.len());
    let event = usage::event("carrier/eu-1", "1", &town.bob.line.iccid, &usage::stamp(), 1_000);
    let usage = usage::batch(&town.server.origin, &[event]);
    let buy = operation("recharges.buy");
    let body = town.body(&buy).expect("a body");
    let buy = town.request(&buy, &town.path(&buy)).json(&body);
    let before = town.at_rest();

    database.refuse();
    for (what, request) in asked.iter().chain([&("usage.receive", usage.clone())]) {
        let answer = request.send().expect("an answer");
        is_refused(&answer, (503, "database_away"), what);
        assert_eq!(answer.header("retry-after"), Some("2"), "{what}");
    }
    let_in(database);
    wait::until("the database is there again", SOON, || {
        (town.ana.get("/lines").status == 200).then_some(())
    });
    assert_eq!(before, town.kept());

    let counted = usage.send().expect("an answer").expect(200).json();
    assert_eq!(counted["accepted"], json!(1), "it was not counted before: {counted}");
    let [first, second]: [RechargeView; 2] =
        [(); 2].map(|()| read(&buy.send().expect("an answer").expect(201)));
    assert_eq!(first.recharge.id, second.recharge.id);
    assert_eq!(town.ana.recharges_done(2).len(), 2, "it was not bought before");
    town.place.run(&["audit", "--json"]).expect(0);
}
