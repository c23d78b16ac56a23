//! The API as its document has it. Everything here is made from the list of operations: what each
//! takes is sent to each, so an operation that is new is tested from its first day.

mod away;
mod bad_input;
mod codes;
mod gone;
mod log;
mod out_of_turn;
mod served;
mod signed;
mod who;

use std::time::Duration;

use laika_core::api::{PaymentMethodView, Problem, RechargeNow, TurnOn};
use laika_tests::support::contract::{Operation, document, operations, sample};
use laika_tests::support::customer::{Customer, read};
use laika_tests::support::http::{Answer, Request};
use laika_tests::support::laika::{Place, Process};
use laika_tests::support::postgres::Database;
use laika_tests::support::wait;
use serde_json::{Value, json};

use super::world::place;

/// A server with two customers. Ana has one of everything that an address can name.
struct Town {
    place: Place,
    database: Option<Database>,
    server: Process,
    ana: Customer,
    bob: Customer,
    card: PaymentMethodView,
    recharge: String,
    receipt: String,
    setup: String,
    registration: String,
}

impl Town {
    fn new(name: &str, on_postgres: bool) -> Town {
        let (place, database) = place(name, on_postgres);
        Town::at(place, database)
    }

    /// The same in a place of one's own.
    fn at(place: Place, database: Option<Database>) -> Town {
        let server = place.start(&["serve"]);
        let ana = Customer::register(&server.origin, 1);
        let bob = Customer::register(&server.origin, 2);
        let card = ana.add_card("4242424242424242");
        bob.add_card("4242424242424242");
        ana.turn_on_rule(|_| ());
        ana.use_data(9_500_000_000);
        let recharge = ana.recharges_done(1)[0].recharge.id.to_string();
        let receipts = ana.get(&ana.of_line("rule/receipts")).expect(200).json();
        let (setup, _) = ana.type_card("4000000000000002");
        let new = json!({"phone": "+34612349999", "email": "new@example.org", "language": "en",
            "password": "a walk in the snow", "time_zone": "Europe/Madrid"});
        let registration = ana.post("/registrations", &new).expect(202).json();
        Town {
            receipt: receipts[0]["version"].to_string(),
            registration: registration["registration_id"].as_str().expect("an id").to_owned(),
            place,
            database,
            server,
            ana,
            bob,
            card,
            recharge,
            setup,
        }
    }

    /// The address of an operation on what is Ana's.
    fn path(&self, operation: &Operation) -> String {
        self.path_with(operation, None)
    }

    /// The same with `other` in the place of each of her ids.
    fn path_with(&self, operation: &Operation, other: Option<&str>) -> String {
        let mut path = String::new();
        let mut before = "";
        for part in operation.path.split('/').skip(1) {
            path.push('/');
            let own = match (before, part) {
                ("lines", "{id}") => Some(self.ana.line.id.as_str()),
                ("recharges", "{id}") => Some(self.recharge.as_str()),
                ("payment-methods", "{id}") => Some(self.card.id.as_str()),
                ("setups", "{id}") => Some(self.setup.as_str()),
                ("registrations", "{id}") => Some(self.registration.as_str()),
                ("receipts", "{version}") => Some(self.receipt.as_str()),
                ("problems", "{code}") => Some("not_found"),
                (_, plain) if !plain.starts_with('{') => None,
                _ => panic!("{}: say here what {part} is of Ana's", operation.path),
            };
            path.push_str(own.map_or(part, |own| other.unwrap_or(own)));
            before = part;
        }
        path
    }

    /// A body that an operation can read and, where that takes more than its schema, understand.
    fn body(&self, operation: &Operation) -> Option<Value> {
        let schema = operation.body()?;
        let inputs = || self.ana.preview_inputs();
        let written = |value: Result<Value, serde_json::Error>| value.expect("JSON");
        Some(match operation.id() {
            "lines.change" => json!({"label": "Trip"}),
            "rules.save" => {
                written(serde_json::to_value(Customer::rule_to_save(&inputs(), |_| ())))
            }
            "rules.on" => {
                let shown = self.ana.get(&self.ana.of_line("rule")).expect(200).json();
                let text = &shown["consent"]["sha256"];
                written(serde_json::to_value(TurnOn {
                    rule_version: inputs().next_version - 1,
                    consent_sha256: text.as_str().unwrap_or_default().to_owned(),
                }))
            }
            "recharges.buy" => written(serde_json::to_value(RechargeNow {
                steps: 1,
                amount: self.ana.line.terms.step.expect("a step to buy").price,
                payment_method_id: self.card.id.clone(),
            })),
            "payment_methods.order" => json!({"ids": [self.card.id]}),
            "sandbox.use_data" => json!({"line_id": self.ana.line.id, "bytes": 1}),
            _ => sample(schema),
        })
    }

    /// A request of Ana's, from our own page, as the operation wants it but for the body.
    fn request(&self, operation: &Operation, path: &str) -> Request {
        let path = path.strip_prefix("/api/v1").map(str::to_owned);
        let request = match path {
            Some(path) => self.ana.request(operation.method, &path),
            None => Request::new(operation.method, &self.server.url(operation.path)),
        };
        let key = operation.said["parameters"].to_string().contains("Idempotency-Key");
        if key { request.header("Idempotency-Key", "a-key-of-the-tests") } else { request }
    }

    /// Everything that is kept, but for what a refused request may leave: a try that was counted,
    /// in `throttles` or, of codes, in `registrations`; when one of `sessions` was last seen; and
    /// whose turn it is to do what one server does for all.
    fn kept(&self) -> Vec<String> {
        match &self.database {
            Some(database) => {
                database.dump(&["throttles", "registrations", "sessions", "turns", "leases"])
            }
            None => self.shown(),
        }
    }

    /// The same once the server has done all that there was to do.
    fn at_rest(&self) -> Vec<String> {
        let mut last = Vec::new();
        let mut before = self.kept();
        let rest = wait::within(Duration::from_secs(30), || {
            last = std::mem::replace(&mut before, self.kept());
            (last == before).then(|| before.clone())
        });
        rest.unwrap_or_else(|| {
            let changed = last.iter().zip(&before).find(|(last, before)| last != before);
            panic!("the server does not rest: {changed:#?}")
        })
    }

    /// What the two customers and the operator see, without the time that stands on it.
    fn shown(&self) -> Vec<String> {
        let mut all = vec![];
        for customer in [&self.ana, &self.bob] {
            for what in ["rule/receipts", "recharges", "looks"] {
                all.push(customer.get(&customer.of_line(what)).text());
            }
            let mut rule = customer.get(&customer.of_line("rule")).json();
            // Foreseen from now on, so a moment later a moment later.
            rule["status"]["upcoming"] = Value::Null;
            all.push(rule.to_string());
            for what in ["/payment-methods", "/sandbox/outbox"] {
                all.push(customer.get(what).text());
            }
            let account = customer.get("/session").json()["account"].clone();
            let mut lines = customer.get("/lines").json();
            lines[0]["as_of"] = Value::Null;
            lines[0]["rule"]["upcoming"] = Value::Null;
            all.extend([account["version"].to_string(), lines.to_string()]);
        }
        all.push(self.place.run(&["lines", "--json"]).expect(0).stdout);
        all
    }

    /// Nothing failed on our side and nothing panicked, whatever was sent.
    fn is_well(&self) {
        let log = std::fs::read_to_string(self.place.folder.path().join("log")).expect("a log");
        for word in ["panicked", "request failed", "ERROR"] {
            assert!(!log.contains(word), "{log}");
        }
        self.place.run(&["audit", "--json"]).expect(0);
    }
}

/// The operation of that name.
fn operation(id: &str) -> Operation {
    let found = operations().into_iter().find(|it| it.id() == id);
    found.unwrap_or_else(|| panic!("no operation is called {id}"))
}

/// A refusal of that status and code, as the document has them, that blames no field and has a
/// number in the log.
#[track_caller]
fn is_refused(answer: &Answer, (status, code): (u16, &str), what: &str) -> Problem {
    assert_eq!(answer.status, status, "{what}: {}", answer.text());
    let problem: Problem = read(answer);
    assert_eq!((problem.code.as_str(), problem.status), (code, status), "{what}");
    assert_eq!(document()["x-problems"][code]["status"], json!(status), "{what}");
    assert_eq!(problem.kind, format!("/problems/{code}"), "{what}");
    assert!(problem.detail.as_ref().is_some_and(|it| it.len() > 5), "{what}: {problem:?}");
    assert!(problem.errors.is_empty(), "{what}: {problem:?}");
    assert!(problem.request_id.starts_with("req"), "{what}: {problem:?}");
    problem
}

/// A refusal's status and code.
fn code(answer: &Answer) -> (u16, String) {
    (answer.status, answer.json()["code"].as_str().unwrap_or_default().to_owned())
}

/// An answer without what differs from one to the next of the same: its number, and the date.
fn alike(answer: &Answer) -> (u16, Vec<(String, String)>, Value) {
    let mut body = answer.json();
    if let Some(id) = body.get_mut("request_id") {
        assert!(id.as_str().is_some_and(|id| id.starts_with("req")), "{id}");
        *id = Value::Null;
    }
    let headers = answer.headers.iter().filter(|(name, _)| name != "date").cloned().collect();
    (answer.status, headers, body)
}
