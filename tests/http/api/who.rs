//! Who may do what: every operation with every kind of caller. What is another's looks exactly like
//! what is not there; another site's page changes nothing; no private answer is kept by anybody.

use laika_tests::support::contract::{Operation, operations};
use laika_tests::support::http::{Answer, Request};
use laika_tests::support::usage::{self, SECRET};
use serde_json::Value;

use super::{Town, alike, code};

/// The secret of the sandbox's webhooks, which is no secret.
const WEBHOOKS: &str = "sandbox-webhook-secret-no-real-money";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Caller {
    Nobody,
    Owner,
    Other,
    Carrier,
    Gateway,
}

const CALLERS: [Caller; 5] =
    [Caller::Nobody, Caller::Owner, Caller::Other, Caller::Carrier, Caller::Gateway];

/// What an operation is asked with: the body that it can read, by that caller.
fn ask(town: &Town, operation: &Operation, caller: Caller, path: &str) -> Answer {
    let url = town.server.url(path);
    let body = town.body(operation).map_or(b"[]".to_vec(), |body| body.to_string().into_bytes());
    let kind = "application/json";
    let own = path.strip_prefix("/api/v1").unwrap_or(path);
    let request = match caller {
        Caller::Nobody => Request::new(operation.method, &url).body(kind, body),
        Caller::Owner => town.ana.request(operation.method, own).body(kind, body),
        Caller::Other => town.bob.request(operation.method, own).body(kind, body),
        Caller::Carrier | Caller::Gateway => {
            let secret = if caller == Caller::Carrier { SECRET } else { WEBHOOKS };
            let signature = usage::signature(&body, secret, usage::now());
            let request = Request::new(operation.method, &url).body(kind, body);
            request.header("Laika-Signature", &signature)
        }
    };
    request.header("Idempotency-Key", "who").send().expect("an answer")
}

/// The API's operations but for the live stream, which does not end, those that end the session of
/// who asks, which come last in the list, and adding a card, which waits for the provider.
fn matrix() -> Vec<Operation> {
    let mut all: Vec<Operation> =
        operations().into_iter().filter(|it| it.path.starts_with("/api/v1/")).collect();
    let ends = |it: &Operation| matches!(it.id(), "sessions.delete" | "payment_methods.remove");
    all.sort_by_key(ends);
    all
}

/// Whether a caller may have what an operation does, at the address of what is Ana's.
fn may(town: &Town, operation: &Operation, caller: Caller) -> bool {
    if operation.wants("session") {
        let path = town.path(operation);
        let hers = path.contains(&owned(town, &path));
        return caller == Caller::Owner || (caller == Caller::Other && !hers);
    }
    match operation.id() {
        "usage.receive" => caller == Caller::Carrier,
        "webhooks.sandbox" => caller == Caller::Gateway,
        // No Stripe is configured here: then there is no such address.
        "webhooks.stripe" => false,
        _ => true,
    }
}

#[test]
fn who_may_not_is_turned_away_and_changes_nothing() {
    let town = Town::new("who-not", true);
    let before = town.at_rest();
    let mut turned_away = 0;
    for operation in matrix() {
        let (id, path) = (operation.id(), town.path(&operation));
        for caller in CALLERS.into_iter().filter(|caller| !may(&town, &operation, *caller)) {
            let answer = ask(&town, &operation, caller, &path);
            let what = format!("{id} by {caller:?}: {}", answer.text());
            let wanted = match (operation.wants("session"), caller) {
                (true, Caller::Other) => (404, "not_found"),
                (true, _) => (401, "unauthenticated"),
                (false, _) if id == "webhooks.stripe" => (404, "not_found"),
                (false, _) => (401, "bad_signature"),
            };
            assert_eq!(code(&answer), (wanted.0, wanted.1.to_owned()), "{what}");
            is_guarded(&answer, &what);
            tells_nothing_of_ana(&town, &answer, &path, &what);
            turned_away += 1;
        }
    }
    assert!(turned_away > 80, "only {turned_away}");
    assert_eq!(before, town.kept());
    town.is_well();
}

#[test]
fn who_may_is_served_and_hears_nothing_of_others() {
    let town = Town::new("who", true);
    for operation in matrix() {
        let (id, path) = (operation.id(), town.path(&operation));
        for caller in CALLERS.into_iter().filter(|caller| may(&town, &operation, *caller)) {
            if id == "events.stream" {
                continue;
            }
            let answer = ask(&town, &operation, caller, &path);
            let what = format!("{id} by {caller:?}: {}", answer.text());
            let (_, known) = code(&answer);
            let missing = known == "not_found" && caller == Caller::Owner;
            let turned_away = matches!(known.as_str(), "unauthenticated" | "bad_signature");
            assert!(!missing && !turned_away && answer.status < 500, "{what}");
            is_guarded(&answer, &what);
            if caller != Caller::Owner && id != "sandbox.outbox" {
                tells_nothing_of_ana(&town, &answer, &path, &what);
            }
        }
    }
    town.is_well();
}

/// The id of Ana's that a path names, or something that no path has in it.
fn owned(town: &Town, path: &str) -> String {
    let ids = [town.ana.line.id.as_str(), &town.recharge, town.card.id.as_str(), &town.setup];
    let named = ids.into_iter().find(|id| path.contains(id));
    named.unwrap_or("nothing of anybody's").to_owned()
}

/// Nothing of hers stands in another's answer.
fn tells_nothing_of_ana(town: &Town, answer: &Answer, path: &str, what: &str) {
    let text = answer.text();
    let account = town.ana.get("/session").json()["account"]["id"].to_string();
    let ids = [
        account.trim_matches('"').to_owned(),
        town.ana.line.id.to_string(),
        town.ana.line.iccid.clone(),
        town.card.id.to_string(),
        "customer-1@example.org".to_owned(),
        "+34612340001".to_owned(),
    ];
    for id in ids.iter().filter(|id| id.len() > 4) {
        assert!(!text.contains(id.as_str()) || path.contains(id.as_str()), "{id} in {what}");
    }
}

/// The headers of every answer; what is somebody's own is kept by nobody.
fn is_guarded(answer: &Answer, what: &str) {
    for (name, wanted) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("strict-transport-security", "max-age=31536000"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        assert_eq!(answer.header(name), Some(wanted), "{name}: {what}");
    }
    let policy = answer.header("content-security-policy").unwrap_or_default();
    assert!(policy.starts_with("default-src 'none'"), "{policy}: {what}");
    // The document is everybody's.
    let kept = if what.starts_with("document.show") { "no-cache" } else { "no-store" };
    assert_eq!(answer.header("cache-control"), Some(kept), "{what}");
    assert!(answer.headers.iter().all(|(name, _)| name != "server" && name != "x-powered-by"));
    assert_eq!(answer.header("access-control-allow-origin"), None, "{what}");
}

#[test]
fn what_is_anothers_looks_exactly_like_what_is_not_there() {
    let town = Town::new("foreign", true);
    let before = town.at_rest();
    let mut compared = 0;
    for operation in matrix().into_iter().filter(|it| it.wants("session")) {
        let foreign = town.path(&operation);
        if !foreign.contains(&owned(&town, &foreign)) {
            continue;
        }
        let own = owned(&town, &foreign);
        // As long as hers, so that nothing but being there could tell them apart.
        let missing = foreign.replace(&own, &"z".repeat(own.len()));
        let answers = [foreign, missing].map(|path| ask(&town, &operation, Caller::Other, &path));
        let [foreign, missing] = answers.each_ref().map(alike);
        assert_eq!(foreign, missing, "{}", operation.id());
        assert_eq!(foreign.0, 404, "{}", operation.id());
        compared += 1;
    }
    assert!(compared > 14, "only {compared} operations name something of somebody's");
    for (id, place) in [
        ("recharges.buy", "/payment_method_id"),
        ("sandbox.use_data", "/line_id"),
        ("payment_methods.order", "/ids/0"),
    ] {
        let operation = operations().into_iter().find(|it| it.id() == id).expect("it");
        let good = town.body(&operation).expect("a body");
        let hers = good.pointer(place).and_then(Value::as_str).expect("an id").to_owned();
        // Bob's own line with her card, or her line, or her card in his list.
        let path = operation.path.replace("{id}", town.bob.line.id.as_str());
        let answers = [hers.clone(), "z".repeat(hers.len())].map(|named| {
            let body = laika_tests::support::contract::at(&good, place, &named.into());
            let own = path.trim_start_matches("/api/v1");
            let request = town.bob.request(operation.method, own).header("Idempotency-Key", "who");
            alike(&request.json(&body).send().expect("an answer"))
        });
        assert_eq!(answers[0], answers[1], "{id}");
        assert!((400..500).contains(&answers[0].0), "{id}: {answers:?}");
    }
    assert_eq!(before, town.kept());
    town.is_well();
}

#[test]
fn another_sites_page_changes_nothing_at_any_address() {
    let town = Town::new("sites", true);
    let before = town.at_rest();
    for operation in operations().into_iter().filter(|it| !it.is_safe()) {
        let path = town.path(&operation);
        let body = town.body(&operation).unwrap_or(Value::Null);
        for (name, value) in [
            ("Sec-Fetch-Site", "cross-site"),
            ("Sec-Fetch-Site", "same-site"),
            ("Origin", "https://evil.example"),
            ("Origin", "null"),
            ("Origin", "http://localhost.evil.example"),
        ] {
            let cookie = town.ana.cookie();
            let request = Request::new(operation.method, &town.server.url(&path));
            let request = request.header("Cookie", cookie).header(name, value);
            let answer = request.header("Idempotency-Key", "who").json(&body).send();
            let answer = answer.expect("an answer");
            let wanted = (403, "cross_origin".to_owned());
            assert_eq!(code(&answer), wanted, "{} {name}: {value}", operation.id());
        }
    }
    assert_eq!(before, town.kept());
    town.is_well();
}
