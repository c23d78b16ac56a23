//! Stripe's webhooks that are signed well and are bad all the same, and those that are not taken
//! the first time: the bad change nothing, the others are heard when they come again.

use laika_core::recharge::Status;
use laika_tests::support::http::Request;
use laika_tests::support::laika::Place;
use laika_tests::support::postgres::Database;
use laika_tests::support::stripe::{Event, Stripe, Trouble};
use laika_tests::support::{usage, wait};
use serde_json::{Value, json};

use super::{ASKED_ABOUT, CARD, SOON, World, place};

const PAID: &str = "payment_intent.succeeded";
/// A signature is believed for five minutes; this is ten.
const TOO_OLD: u64 = 600;
/// As large as one may be (docs/api.md).
const MOST: usize = 512 * 1024;

/// The webhook that says that it was paid.
fn told_of(world: &World) -> Event {
    wait::until("Stripe's event", SOON, || {
        world.stripe.events().into_iter().find(|event| event.kind() == PAID)
    })
}

/// What is known of recharges and lines.
fn known(world: &World) -> [String; 2] {
    ["recharges", "lines"].map(|what| world.place.run(&[what, "--json"]).expect(0).stdout)
}

/// What Stripe never sends, by what is wrong with it.
fn unreadable(good: &Value) -> Vec<(&'static str, Vec<u8>)> {
    let text = good.to_string();
    let id = good["id"].as_str().expect("a name");
    let with = |name: &str, value: Value| {
        let mut event = good.clone();
        event[name] = value;
        event.to_string().into_bytes()
    };
    let without = |name: &str| {
        let mut event = good.clone();
        event.as_object_mut().expect("an object").remove(name);
        event.to_string().into_bytes()
    };
    // In place of the name of the event, quotes and all.
    let named = |name: &[u8]| {
        let (before, after) = text.split_once(&format!("\"{id}\"")).expect("its name");
        [before.as_bytes(), name, after.as_bytes()].concat()
    };
    let members = |event: &Value| {
        let each = ["id", "type", "livemode"].map(|name| &event[name]);
        json!([each[0], each[1], each[2], [event["data"]["object"]]]).to_string().into_bytes()
    };
    let mut half = text.clone().into_bytes();
    half.truncate(text.len() / 2);
    vec![
        ("nothing", vec![]),
        ("spaces", b" \r\n".to_vec()),
        ("no JSON", b"payment_intent.succeeded".to_vec()),
        ("a form", b"id=evt_1&type=payment_intent.succeeded".to_vec()),
        ("half of it", half),
        ("two of it", format!("{text}{text}").into_bytes()),
        ("null", b"null".to_vec()),
        ("a number", b"7".to_vec()),
        ("a text", b"\"evt_1\"".to_vec()),
        ("a list", b"[]".to_vec()),
        ("a list of it", format!("[{text}]").into_bytes()),
        ("lists without end", vec![b'['; 10_000]),
        ("an empty object", b"{}".to_vec()),
        ("no name", without("id")),
        ("no kind", without("type")),
        ("no mode", without("livemode")),
        ("no data", without("data")),
        ("a name that is a number", with("id", json!(7))),
        ("a kind that is null", with("type", Value::Null)),
        ("a mode that is a text", with("livemode", json!("false"))),
        ("data that is a list", with("data", json!([]))),
        ("data without an object", with("data", json!({}))),
        ("a doubled name", text.replacen('{', "{\"id\":\"evt_2\",", 1).into_bytes()),
        ("a NUL", named(b"\"evt\0\"")),
        ("a control character", named(b"\"evt\x1b[2J\"")),
        ("a line break", named(b"\"evt\n\"")),
        ("a name with an escaped NUL", with("id", json!("evt_\0"))),
        ("an empty name", with("id", json!(""))),
        ("a name that is too long", with("id", json!("e".repeat(256)))),
        ("a list of its members", members(good)),
        ("what is not UTF-8", named(b"\"evt\xff\"")),
        ("half of a pair", named(b"\"evt\\ud800\"")),
    ]
}

/// What could be Stripe's and is nothing that we act on.
fn ignored(good: &Value) -> Vec<(&'static str, Value)> {
    let about = |id: &str| {
        let mut event = good.clone();
        event["data"]["object"]["id"] = json!(id);
        event
    };
    let with = |name: &str, value: Value| {
        let mut event = good.clone();
        event[name] = value;
        event
    };
    let payment = good["data"]["object"]["id"].as_str().expect("a payment").to_owned();
    vec![
        ("real money", with("livemode", json!(true))),
        ("another kind", with("type", json!("balance.available"))),
        ("a kind with a NUL", with("type", json!("payment\0_intent.succeeded"))),
        ("an object without a name", with("data", json!({ "object": {} }))),
        ("no object", with("data", json!({ "object": null }))),
        ("a payment with a NUL", about(&format!("{payment}\0"))),
        ("a payment with a line break", about(&format!("{payment}\r\nHost: x"))),
        ("a path", about("pi_1/../../v1/customers")),
        ("no payment of Stripe's", {
            let mut event = about("pi_ofNobody");
            event["id"] = json!("evt_ofNobody");
            event
        }),
    ]
}

fn bad_ones_change_nothing(place: impl FnOnce(&Stripe) -> Place) {
    let stripe = Stripe::start();
    let place = place(&stripe);
    let world = World::begin(stripe, place);
    world.run_dry(CARD);
    world.is_charged_once();
    let (event, url) = (told_of(&world), world.webhook());
    let good = event.json();
    let body = good.to_string().into_bytes();
    let before = known(&world);
    let now = usage::now;
    let answers = |what: &str, event: Event, status: u16, code: &str| {
        let answer = event.send(&url);
        let said = answer.json()["code"].as_str().unwrap_or_default().to_owned();
        assert_eq!((answer.status, said.as_str()), (status, code), "{what}");
    };
    answers("signed long ago", Event::signed(body.clone(), now() - TOO_OLD), 401, "bad_signature");
    answers("signed too early", Event::signed(body.clone(), now() + TOO_OLD), 401, "bad_signature");
    for (what, body) in unreadable(&good) {
        answers(what, Event::signed(body, now()), 400, "bad_json");
    }
    let mut large = body.clone();
    large.resize(MOST, b' ');
    let larger = [&large[..], b" "].concat();
    answers("too large", Event::signed(larger, now()), 413, "too_large");
    for (what, event) in ignored(&good) {
        answers(what, Event::signed(event.to_string().into_bytes(), now()), 204, "");
    }
    assert_eq!(known(&world), before);
    // None of them was taken for the event itself.
    world.stripe.fail_look_ups(1);
    answers("the event, as large as it may be", Event::signed(large, now()), 503, "gateway_silent");
    answers("the event", Event::signed(body, now()), 204, "");
    assert_eq!(known(&world), before);
    world.is_charged_once();
    assert_eq!(world.stripe.charges(), 1);
}

#[test]
fn webhooks_that_are_stale_or_unreadable_or_not_ours_change_nothing() {
    bad_ones_change_nothing(|stripe| place("badhooks", stripe));
}

#[test]
fn nor_do_they_on_postgres() {
    let database = Database::new();
    bad_ones_change_nothing(|stripe| {
        place("badhookspg", stripe).with("DATABASE_URL", &database.url())
    });
}

#[test]
fn a_webhook_that_could_not_be_acted_on_is_heard_when_it_comes_again() {
    let world = World::new("hookagain");
    world.stripe.lists_fail(true);
    world.stripe.fail_look_ups(3);
    world.stripe.trouble(&[Trouble::LostAfter]);
    world.stripe.send_webhooks_to(&world.webhook());
    world.run_dry(CARD);
    world.is_charged_once();
    let answers = wait::until("it is taken", SOON, || {
        Some(world.stripe.answers(PAID)).filter(|answers| answers.last() == Some(&Some(204)))
    });
    assert_eq!(answers, [Some(503), Some(503), Some(503), Some(204)]);
    assert_eq!(world.stripe.charges(), 1, "a webhook told, and nothing was sent again");
}

#[test]
fn a_webhook_for_a_server_that_is_down_is_heard_when_it_is_back() {
    let mut world = World::new("hookdown");
    world.stripe.send_webhooks_to(&world.webhook());
    world.run_dry(ASKED_ABOUT);
    world.waits_for(Status::NeedsCustomer);
    world.stripe.lists_fail(true);
    world.place.set("LAIKA_LISTEN", world.server.listen());
    world.server.kill();
    let payment = world.stripe.payments().remove(0);
    let bank = payment["next_action"]["redirect_to_url"]["url"].as_str().expect("the bank's page");
    Request::new("POST", bank).form(&[("approved", "1")]).send().expect("the bank").expect(200);
    wait::until("nobody answers", SOON, || world.stripe.answers(PAID).first().copied());
    assert_eq!(world.stripe.answers(PAID).first(), Some(&None));
    world.server = world.place.start(&["serve"]);
    world.is_charged_once();
    wait::until("it is taken", SOON, || {
        (world.stripe.answers(PAID).last() == Some(&Some(204))).then_some(())
    });
    assert_eq!(world.stripe.charges(), 1);
}
