//! What is asked out of turn, or cannot be read: each refusal by its name, and nothing changed.

use std::io::Write as _;
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use laika_tests::support::contract::{self, Operation, operations};
use laika_tests::support::http::{self, Answer, Request};
use laika_tests::support::usage::{self, SECRET, now};
use serde_json::{Value, json};

use super::bad_input::on_both;
use super::{Town, is_refused, operation};

#[test]
fn a_card_that_is_not_saved_at_the_provider_is_not_added() {
    on_both("setups", |town| {
        for what in ["at once", "once more"] {
            is_refused(&town.ana.come_back(&town.setup), (409, "setup_open"), what);
        }
        // The way back to the app that the provider's page has.
        let page = format!("{}/pay/setup/{}", town.ana.provider(), town.setup);
        let left = Request::new("POST", &page).form(&[("back", "1")]).send();
        left.expect("the provider").expect(303);
        for what in ["after going back", "once more"] {
            is_refused(&town.ana.come_back(&town.setup), (409, "setup_cancelled"), what);
        }
        is_refused(&town.bob.come_back(&town.setup), (404, "not_found"), "another's visit");
    });
}

#[test]
fn a_list_that_is_not_the_one_on_screen_is_not_put_in_order() {
    on_both("order", |town| {
        let own = town.card.id.as_str();
        let of_bob = town.bob.get("/payment-methods").expect(200).json()[0]["id"].clone();
        for ids in [
            json!([]),
            json!([own, own]),
            json!([of_bob]),
            json!([own, of_bob]),
            json!([own, "pm_0000000000000000"]),
        ] {
            let answer = town.ana.post("/payment-methods/order", &json!({ "ids": ids }));
            is_refused(&answer, (409, "list_changed"), &ids.to_string());
        }
    });
}

#[test]
fn a_rule_without_a_date_has_nothing_to_skip() {
    on_both("skip", |town| {
        for what in ["at once", "once more"] {
            let answer = town.ana.post(&town.ana.of_line("rule/skip"), &Value::Null);
            is_refused(&answer, (409, "nothing_to_skip"), what);
        }
        let answer = town.bob.post(&town.bob.of_line("rule/skip"), &Value::Null);
        is_refused(&answer, (404, "not_found"), "there is no rule");
    });
}

#[test]
fn usage_of_another_media_type_is_not_counted() {
    on_both("kinds-of-usage", |town| {
        let iccid = &town.bob.line.iccid;
        let event = usage::event("carrier/eu-1", "other", iccid, &usage::stamp(), 1_000);
        for kind in
            ["text/plain", "application/cloudevents", "application/cloudevents+xml", "json", ""]
        {
            let body = event.to_string().into_bytes();
            let answer = usage::signed(&town.server.origin, kind, body, SECRET, now()).send();
            is_refused(&answer.expect("an answer"), (415, "not_cloudevents"), kind);
        }
    });
}

/// A request whose head is good and whose body is given up half-way.
fn cut_short(town: &Town, operation: &Operation, body: &str) -> Answer {
    let (path, listen) = (town.path(operation), town.server.listen());
    let head = format!(
        "{} {path} HTTP/1.1\r\nHost: {listen}\r\nConnection: close\r\nCookie: {}\r\n\
         Sec-Fetch-Site: same-origin\r\nIdempotency-Key: cut\r\n\
         Content-Type: application/json\r\n",
        operation.method,
        town.ana.cookie(),
    );
    let mut stream = TcpStream::connect(listen).expect("the server");
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a socket");
    stream.write_all(format!("{head}{body}").as_bytes()).expect("sent");
    stream.shutdown(Shutdown::Write).expect("nothing more to say");
    let answer = http::read(&mut stream).expect("an answer");
    contract::check(operation.method, &path, &answer).expect("as documented");
    answer
}

#[test]
fn a_body_that_does_not_come_whole_is_not_read() {
    on_both("cut", |town| {
        // Where payments are by the sandbox, Stripe's address is not there.
        let reads = |it: &Operation| !it.said["requestBody"].is_null();
        let all: Vec<Operation> = operations().into_iter().filter(reads).collect();
        assert!(all.len() > 14, "{all:?}");
        for operation in all.iter().filter(|it| it.id() != "webhooks.stripe") {
            for body in [
                "Content-Length: 100\r\n\r\n{\"a\":",
                "Transfer-Encoding: chunked\r\n\r\n5\r\n{\"a\":\r\nzz\r\n",
                "Transfer-Encoding: chunked\r\n\r\n5\r\n{\"a\":\r\n",
            ] {
                let answer = cut_short(town, operation, body);
                let what = format!("{} {body:?}", operation.id());
                is_refused(&answer, (400, "unreadable_body"), &what);
            }
        }
    });
}

#[test]
fn nothing_is_bought_for_a_line_that_is_closed() {
    let town = Town::new("closed", true);
    let database = town.database.as_ref().expect("PostgreSQL");
    // Why in the table: no command closes a line yet.
    let close = |closed: u8| {
        let id = town.ana.line.id.as_str();
        database.ask(&format!("UPDATE lines SET closed = {closed} WHERE id = '{id}'"));
    };
    let buy = operation("recharges.buy");
    let body = town.body(&buy).expect("a body");
    let bought = || {
        let request = town.request(&buy, &town.path(&buy)).json(&body);
        request.send().expect("an answer")
    };
    close(1);
    let before = town.at_rest();
    is_refused(&bought(), (409, "line_closed"), "by hand");
    assert_eq!(before, town.kept());
    close(0);
    bought().expect(201);
    town.ana.recharges_done(2);
    town.is_well();
}

#[test]
fn what_fails_on_our_side_is_internal_and_says_nothing_of_itself() {
    let town = Town::new("internal", true);
    let database = town.database.as_ref().expect("PostgreSQL");
    let before = town.at_rest();
    let ask = || town.ana.get("/signing-keys");
    database.ask("ALTER TABLE signing_keys RENAME TO out_of_the_way");
    let problem = is_refused(&ask(), (500, "internal"), "a table is gone");
    let said = format!("{problem:?}");
    for word in ["signing_keys", "relation", "SELECT", "database"] {
        assert!(!said.contains(word), "{said}");
    }
    database.ask("ALTER TABLE out_of_the_way RENAME TO signing_keys");
    ask().expect(200);
    assert_eq!(before, town.kept());
}
