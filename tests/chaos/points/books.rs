//! The points of what keeps the books: a difference that `laika reconcile` finds, a dispute after a
//! recharge's end, the auditor's step. Each dies before and after its commit, and is done once.

use std::time::Duration;

use laika_core::api::ReturnedAs;
use laika_tests::support::customer::Customer;
use laika_tests::support::http::Request;
use laika_tests::support::laika::{Place, Process};
use laika_tests::support::postgres::Database;
use laika_tests::support::wait;
use serde_json::{Value, json};

use super::super::town::turn_on_rule;
use super::elsewhere::{CRASH_AT, dies};
use super::{Home, SOON, at_home};

/// The sandbox's bearer key. Public on purpose: it guards no money.
const API_KEY: &str = "sandbox-key-no-real-money";
/// What is younger is compared the next time.
const OLD: Duration = Duration::from_secs(25 * 60 * 60);
/// Longer than a dead process's lease on the audit.
const LEASE_ENDS: Duration = Duration::from_secs(10 * 60);

fn provider(sandbox: &Process, method: &str, path: &str, key: &str, body: &Value) -> Value {
    let request = Request::new(method, &sandbox.url(&format!("/provider/v1{path}")));
    let request = request.header("Authorization", &format!("Bearer {API_KEY}"));
    let request = request.header("Idempotency-Key", key).json(body);
    request.send().expect("the provider").expect(200).json()
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
        let all = provider(&sandbox, "GET", &path, "none", &json!({}));
        let payment = all["payments"][0].clone();
        Self { place, sandbox, server: Some(server), customer, payment }
    }

    fn stop(&mut self) {
        if let Some(server) = self.server.take() {
            server.kill();
        }
    }

    /// The next life ends at a point.
    fn server_dies_at(&mut self, point: &str) {
        self.place.set(CRASH_AT, point);
        let mut server = self.place.launch(&["serve"]);
        self.place.unset(CRASH_AT);
        wait::until(&format!("the server dies at {point}"), SOON, || server.ended());
        let log = self.place.log();
        let said = format!("faults: the process dies at {point}\n");
        assert!(log.contains(&said), "told to die at {point}: {log}");
    }

    fn next_life(&mut self) {
        self.server = Some(self.place.start(&["serve"]));
    }

    /// The auditor's step, which a server makes as it starts.
    fn audit(&mut self, points: &[String]) {
        for point in points {
            self.customer.let_pass(LEASE_ENDS);
            self.stop();
            self.server_dies_at(point);
            self.next_life();
        }
    }

    /// A dispute that the next life hears of: by its webhook, or by the provider's list.
    fn returned(&mut self, points: &[String]) {
        self.stop();
        let path = format!("/payments/{}/disputes", self.payment["id"].as_str().expect("an id"));
        provider(&self.sandbox, "POST", &path, "disputed", &json!({}));
        points.iter().for_each(|point| self.server_dies_at(point));
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
        provider(&self.sandbox, "POST", "/payments", "of-nobody", &body);
        self.customer.let_pass(OLD);
        self.stop();
        points.iter().for_each(|point| dies(&mut self.place, point, &["reconcile"]));
        self.place.run(&["reconcile"]).expect(1);
        let cases = self.place.run(&["cases", "--json"]).expect(0).json_lines();
        let kinds: Vec<_> = cases.iter().map(|case| case["kind"].as_str()).collect();
        assert_eq!(kinds, [Some("unknown")], "once: {cases:?}");
    }
}

fn dies_over_the_books(place: Place) {
    let points = at_home(Home::Books);
    let of = |name: &str| -> Vec<String> {
        let (mut before, after): (Vec<_>, Vec<_>) = points
            .iter()
            .filter(|point| point.split('.').next() == Some(name))
            .cloned()
            .partition(|point| point.ends_with(".before"));
        before.extend(after);
        assert_eq!(before.len(), 2, "{name}");
        before
    };
    let mut charged = Charged::new(place);
    charged.audit(&of("audit"));
    charged.returned(&of("returned"));
    charged.case(&of("case"));
    assert_eq!(points.len(), 6, "a point of the books has no way here: {points:?}");
    charged.place.run(&["audit", "--json"]).expect(0);
}

#[test]
fn what_keeps_the_books_dies_and_is_done_once() {
    dies_over_the_books(Place::new("books"));
}

#[test]
fn nor_twice_on_postgres() {
    let database = Database::new();
    dies_over_the_books(Place::new("bookspg").with("DATABASE_URL", &database.url()));
}
