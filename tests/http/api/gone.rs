//! What was removed, ended or replaced, and what is another's: it is not there, whichever way it is
//! named, and naming it changes nothing.

use laika_core::api::{MethodOrder, PaymentMethodView};
use laika_core::field::Field;
use laika_core::id::PaymentMethodId;
use laika_tests::support::contract::{self, operations};
use laika_tests::support::customer::{Customer, PASSWORD, read};
use laika_tests::support::http::{Answer, Request};
use serde_json::{Value, json};

use super::{Town, alike, is_refused, operation};

/// What Ana is answered who names a payment method wherever one can be named.
fn names(town: &Town, id: &PaymentMethodId) -> [Answer; 3] {
    let send = |name: &str, body: &Value| {
        let operation = operation(name);
        let request = town.request(&operation, &town.path(&operation)).json(body);
        request.send().expect("an answer")
    };
    let own = &town.card.id;
    let order = MethodOrder { ids: vec![own.clone(), id.clone()] };
    let buy = town.body(&operation("recharges.buy")).expect("a body");
    let save = town.body(&operation("rules.save")).expect("a body");
    [
        send("payment_methods.order", &serde_json::to_value(order).expect("JSON")),
        send("recharges.buy", &contract::at(&buy, "/payment_method_id", &json!(id))),
        send("rules.save", &contract::at(&save, "/draft/payment_methods", &json!([own, id]))),
    ]
}

/// It cannot be put in order, and no rule can charge it.
fn is_named_in_vain([order, _, save]: &[Answer; 3], what: &str) {
    is_refused(order, (409, "list_changed"), what);
    let refused = save.json();
    assert_eq!((save.status, &refused["code"]), (422, &json!("fields")), "{what}: {refused}");
    assert_eq!(refused["errors"].as_array().map(Vec::len), Some(1), "{what}: {refused}");
    assert_eq!(refused["errors"][0]["field"], json!(Field::PaymentMethods), "{what}: {refused}");
    assert_eq!(refused["errors"][0]["code"], json!("unknown_choice"), "{what}: {refused}");
}

fn remove(customer: &Customer, id: &PaymentMethodId) -> Answer {
    customer.request("DELETE", &format!("/payment-methods/{id}")).send().expect("an answer")
}

fn a_removed_one_is_gone(on_postgres: bool) {
    let town = Town::new(&format!("removed-{on_postgres}"), on_postgres);
    let (setup, page) = town.ana.type_card("5555555555554444");
    page.expect(303);
    let removed: PaymentMethodView = read(&town.ana.come_back(&setup).expect(200));
    remove(&town.ana, &removed.id).expect(200);
    let before = town.at_rest();

    let listed: Vec<PaymentMethodView> = read(&town.ana.get("/payment-methods").expect(200));
    assert!(listed.iter().all(|it| it.id == town.card.id), "{listed:?}");
    let named = names(&town, &removed.id);
    is_named_in_vain(&named, "removed");
    // Why not 404: it was theirs, and may still stand on the screen of another tab.
    is_refused(&named[1], (409, "no_usable_method"), "buying with it");
    is_refused(&town.ana.come_back(&setup), (404, "not_found"), "the visit that added it");
    is_refused(&remove(&town.bob, &removed.id), (404, "not_found"), "by another");
    assert_eq!(before, town.kept());

    let again = remove(&town.ana, &removed.id).expect(200).json();
    assert_eq!(again, json!({ "already_submitted": [] }), "removing is done once");
    let listed = town.ana.get("/payment-methods").expect(200).json();
    assert_eq!(listed.as_array().map(Vec::len), Some(1), "{listed}");
    town.is_well();
}

#[test]
fn a_payment_method_that_was_removed_is_gone_on_sqlite() {
    a_removed_one_is_gone(false);
}

#[test]
fn a_payment_method_that_was_removed_is_gone_on_postgres() {
    a_removed_one_is_gone(true);
}

#[test]
fn the_card_of_another_account_looks_like_none_wherever_it_is_named() {
    let town = Town::new("foreign-card", true);
    let of_bob: Vec<PaymentMethodView> = read(&town.bob.get("/payment-methods").expect(200));
    let of_bob = &of_bob[0].id;
    let nobody = PaymentMethodId::new("z".repeat(of_bob.as_str().len())).expect("an id");
    let before = town.at_rest();
    let [foreign, missing] = [of_bob, &nobody].map(|id| names(&town, id));
    for (foreign, missing) in foreign.iter().zip(&missing) {
        assert_eq!(alike(foreign), alike(missing));
    }
    is_named_in_vain(&foreign, "another's");
    is_refused(&foreign[1], (404, "not_found"), "buying with it");
    for id in [of_bob, &nobody] {
        is_refused(&remove(&town.ana, id), (404, "not_found"), "removing it");
    }
    assert_eq!(before, town.kept());
    town.is_well();
}

/// What each operation that needs a session is asked with, but for the cookie.
fn asked(town: &Town) -> Vec<(&'static str, Request)> {
    let all = operations().into_iter().filter(|it| it.wants("session"));
    let of = |it: contract::Operation| {
        let url = town.server.url(&town.path(&it));
        let request = Request::new(it.method, &url).header("Sec-Fetch-Site", "same-origin");
        let request = request.header("Idempotency-Key", "gone");
        (it.id(), town.body(&it).map_or(request.clone(), |body| request.json(&body)))
    };
    let all: Vec<_> = all.map(of).collect();
    assert!(all.len() > 22, "only {}", all.len());
    all
}

/// A session that has ended opens nothing, and does not come back by being used.
fn opens_nothing(town: &Town, asked: &[(&'static str, Request)], cookie: &str, what: &str) {
    for (operation, request) in asked {
        let request = request.clone().header("Cookie", cookie);
        let answer = request.send().expect("an answer");
        is_refused(&answer, (401, "unauthenticated"), &format!("{what}: {operation}"));
        assert_eq!(answer.header("set-cookie"), None, "{what}: {operation}");
    }
    let request = Request::new("GET", &town.server.url("/api/v1/session"));
    let session = request.header("Cookie", cookie).send().expect("an answer").expect(200).json();
    assert_eq!(session["account"], Value::Null, "{what}");
}

/// The session that an answer gives.
fn session_of(answer: &Answer) -> String {
    let set = answer.header("set-cookie").expect("a session");
    set.split(';').next().expect("a pair").to_owned()
}

#[test]
fn a_session_that_was_replaced_or_ended_opens_nothing_and_the_others_go_on() {
    let town = Town::new("sessions", true);
    let asked = asked(&town);
    let before = town.at_rest();
    let post = |path: &str, cookie: &str, body: &Value| {
        let url = town.server.url(&format!("/api/v1{path}"));
        let request = Request::new("POST", &url).header("Sec-Fetch-Site", "same-origin");
        let request = if cookie.is_empty() { request } else { request.header("Cookie", cookie) };
        request.json(body).send().expect("an answer")
    };
    let sign_in = json!({ "contact": "customer-1@example.org", "password": PASSWORD });
    let on_a_phone = session_of(&post("/sessions", "", &sign_in).expect(201));

    let first = town.ana.cookie();
    let again = json!({ "password": PASSWORD });
    let second = session_of(&post("/sessions/current/step-up", first, &again).expect(204));
    opens_nothing(&town, &asked, first, "replaced by entering the password again");

    // Signing in with a session ends that one.
    let third = session_of(&post("/sessions", &second, &sign_in).expect(201));
    opens_nothing(&town, &asked, &second, "replaced by signing in again");

    let out = Request::new("DELETE", &town.server.url("/api/v1/sessions/current"));
    out.header("Cookie", &third).send().expect("an answer").expect(204);
    opens_nothing(&town, &asked, &third, "signed out");

    let lines = Request::new("GET", &town.server.url("/api/v1/lines"));
    lines.header("Cookie", &on_a_phone).send().expect("an answer").expect(200);
    town.bob.get("/lines").expect(200);
    assert_eq!(before, town.kept());
    town.is_well();
}
