//! The points of what keeps the books: a difference that `laika reconcile` finds, a dispute after a
//! recharge's end, the auditor's step. Each dies before and after its commit, and is done once.

use std::time::Duration;

use laika_core::api::ReturnedAs;
use laika_tests::support::customer::Customer;
use laika_tests::support::laika::{Place, Process};
use laika_tests::support::postgres::Database;
use laika_tests::support::provider;
use laika_tests::support::wait;
use serde_json::{Value, json};

use super::super::town::turn_on_rule;
use super::elsewhere::{CRASH_AT, dies};
use super::{Home, SOON, at_home};

/// What is younger is compared the next time.
const OLD: Duration = Duration::from_secs(25 * 60 * 60);

fn ask(sandbox: &Process, method: &str, path: &str, key: &str, body: &Value) -> Value {
    let request = provider::request(&sandbox.origin, method, path);
    let request = request.header("Idempotency-Key", key).json(body);
    request.send().expect("the provider").expect(200).json()
}

/// A server that dies at a point.
fn serve_dies(place: &mut Place, point: &str) {
    place.set(CRASH_AT, point);
    let mut server = place.launch(&["serve"]);
    place.unset(CRASH_AT);
    wait::until(&format!("the server dies at {point}"), SOON, || server.ended());
    let log = place.log();
    let said = format!("faults: the process dies at {point}\n");
    assert!(log.contains(&said), "told to die at {point}: {log}");
}

/// A server whose customer was charged once, and the provider's payment.
struct Charged {
    place: Place,
    sandbox: Process,
    server: Option<Process>,
    customer: Customer,
    payment: Value,
}

impl Charged {
    fn new(mut place: Place) -> Self {
        place.has_crash_points();
        let sandbox = place.start(&["sandbox"]);
        place.set("LAIKA_SANDBOX_LISTEN", sandbox.listen());
        let server = place.start(&["serve"]);
        place.set("LAIKA_LISTEN", server.listen());
        let customer = Customer::register(&server.origin, 1);
        customer.add_card("4242424242424242");
        turn_on_rule(&customer);
        customer.use_data(9_500_000_000);
        let recharge = customer.recharges_done(1)[0].recharge.id.to_string();
        let path = format!("/payments?recharge_id={recharge}");
        let all = ask(&sandbox, "GET", &path, "none", &json!({}));
        let payment = all["payments"][0].clone();
        Self { place, sandbox, server: Some(server), customer, payment }
    }

    fn stop(&mut self) {
        if let Some(server) = self.server.take() {
            server.kill();
        }
    }

    fn next_life(&mut self) {
        self.server = Some(self.place.start(&["serve"]));
    }

    /// A dispute that the next life hears of: by its webhook, or by the provider's list.
    fn returned(&mut self, points: &[String]) {
        self.stop();
        let path = format!("/payments/{}/disputes", self.payment["id"].as_str().expect("an id"));
        ask(&self.sandbox, "POST", &path, "disputed", &json!({}));
        points.iter().for_each(|point| serve_dies(&mut self.place, point));
        self.next_life();
        let view = wait::until("the dispute is seen", SOON, || {
            let view = self.customer.recharges().expect("the server is there").pop()?;
            view.returned.last().is_some_and(|it| it.what == ReturnedAs::Disputed).then_some(view)
        });
        assert_eq!(view.returned.len(), 1, "once: {:?}", view.returned);
    }

    /// A payment that nothing on record explains.
    fn case(&mut self, points: &[String]) {
        let mut body = json!({ "metadata": self.payment["metadata"].clone() });
        for field in ["customer", "payment_method", "amount_minor", "currency", "return_url"] {
            body[field] = self.payment[field].clone();
        }
        body["metadata"]["recharge_id"] = json!("line_lost-r9");
        ask(&self.sandbox, "POST", "/payments", "of-nobody", &body);
        self.customer.let_pass(OLD);
        self.stop();
        points.iter().for_each(|point| dies(&mut self.place, point, &["reconcile"]));
        self.place.run(&["reconcile"]).expect(1);
        let cases = self.place.run(&["cases", "--json"]).expect(0).json_lines();
        let kinds: Vec<_> = cases.iter().map(|case| case["kind"].as_str()).collect();
        assert_eq!(kinds, [Some("unknown")], "once: {cases:?}");
    }
}

/// The two points of a transaction.
fn of(name: &str) -> Vec<String> {
    let own = |point: &String| point.split('.').next() == Some(name);
    let mut points: Vec<String> = at_home(Home::Books).into_iter().filter(own).collect();
    points.sort_by_key(|point| point.ends_with(".after"));
    assert_eq!(points.len(), 2, "{name}: {points:?}");
    points
}

/// The auditor's step, which the first server on a database makes as it starts: who died in one
/// keeps it for five minutes.
fn auditor_dies(mut place: Place, point: &str) {
    place.has_crash_points();
    serve_dies(&mut place, point);
    drop(place.start(&["serve"]));
    place.run(&["audit", "--json"]).expect(0);
}

fn dies_over_the_books(place: Place) {
    assert_eq!(at_home(Home::Books).len(), 6, "a point of the books has no way here");
    let mut charged = Charged::new(place);
    charged.returned(&of("returned"));
    charged.case(&of("case"));
    charged.place.run(&["audit", "--json"]).expect(0);
}

#[test]
fn what_keeps_the_books_dies_and_is_done_once() {
    of("audit").iter().for_each(|point| auditor_dies(Place::new("audits"), point));
    dies_over_the_books(Place::new("books"));
}

#[test]
fn nor_twice_on_postgres() {
    let databases = [Database::new(), Database::new(), Database::new()];
    let [first, second, third] = &databases;
    let place = |name: &str, on: &Database| Place::new(name).with("DATABASE_URL", &on.url());
    let audit = of("audit");
    auditor_dies(place("auditpg", first), &audit[0]);
    auditor_dies(place("auditpg", second), &audit[1]);
    dies_over_the_books(place("bookspg", third));
}
