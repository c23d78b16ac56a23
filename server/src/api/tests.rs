//! The endpoints from outside the router: who may do what, what a request must look like, and how
//! registering and signing in answer. Money is tested in `flow/tests` and from outside the process.

use crate::{
    App, Shared, clock::Clock, config::Config, secret::hmac_hex, store::messages,
    store::tests::Folder,
};
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, StatusCode, header},
};
use laika_core::time::{Instant, Span};
use serde_json::{Value, json};
use tower_service::Service;

mod gateway;
mod receipts;
mod routes;
mod streams;

const PASSWORD: &str = "correct horse";

/// A server without a socket, on a clock that stands.
struct World {
    app: Shared,
    router: Router,
    _folder: Folder,
}

/// An answer, read.
#[derive(Debug)]
struct Answer {
    status: u16,
    cookie: Option<String>,
    body: Value,
}

impl Answer {
    fn code(&self) -> (u16, &str) {
        (self.status, self.body["code"].as_str().unwrap_or(""))
    }
}

impl World {
    async fn new() -> World {
        let world = World::without_gateway().await;
        world.app.sandbox.set("http://127.0.0.1:1".into()).expect("set once");
        world
    }

    async fn without_gateway() -> World {
        let folder = Folder::new();
        let secret = |name: &str| (name == "LAIKA_USAGE_SECRET").then(|| "old,new".to_string());
        let config = Config::from_vars(&secret).expect("defaults");
        let config = Config { database: folder.url(), ..config };
        let now = Instant::parse("2026-11-22T10:00:00Z").expect("an instant");
        let app = App::open(config, Clock::at(now)).await.expect("opens");
        World { router: super::router(app.clone()), app, _folder: folder }
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().call(request).await.expect("an answer");
        let status = response.status().as_u16();
        let cookie = response.headers().get(header::SET_COOKIE);
        let cookie = cookie.and_then(|value| value.to_str().ok()).map(str::to_string);
        let bytes = to_bytes(response.into_body(), 1 << 20).await.expect("a body");
        Answer { status, cookie, body: serde_json::from_slice(&bytes).unwrap_or_default() }
    }

    async fn ask(&self, method: &str, path: &str, cookie: &str, body: Option<Value>) -> Answer {
        let request = Request::builder().method(method).uri(format!("/api/v1{path}"));
        let request = request.header("cookie", cookie).header("idempotency-key", "k");
        let request = request.header("content-type", "application/json");
        let body = body.map_or(Body::empty(), |body| Body::from(body.to_string()));
        self.send(request.body(body).expect("a request")).await
    }

    async fn post(&self, path: &str, cookie: &str, body: Value) -> Answer {
        self.ask("POST", path, cookie, Some(body)).await
    }

    /// The newest message to a contact.
    async fn message(&self, contact: &str) -> String {
        let all = messages::newest(&mut self.app.store.read().await.expect("a snapshot")).await;
        let all = all.expect("read");
        let to_them = all.into_iter().find(|message| message.recipient == contact);
        to_them.map(|message| message.body).unwrap_or_default()
    }

    async fn code(&self, contact: &str) -> String {
        let message = self.message(contact).await;
        let is_code = |word: &&str| word.len() == 6 && word.bytes().all(|b| b.is_ascii_digit());
        message.split(' ').find(is_code).expect("a code").to_string()
    }

    async fn begin(&self, phone: &str, email: &str) -> Answer {
        let body = json!({"phone": phone, "email": email, "password": PASSWORD, "language": "en",
            "time_zone": "Europe/Madrid"});
        self.post("/registrations", "", body).await
    }

    /// Registers somebody; their cookie.
    async fn register(&self, phone: &str, email: &str) -> String {
        let begun = self.begin(phone, email).await;
        assert_eq!(begun.status, 202, "{begun:?}");
        let codes = json!({"phone_code": self.code(phone).await,
            "email_code": self.code(email).await});
        let id = begun.body["registration_id"].as_str().expect("an id");
        let answer = self.post(&format!("/registrations/{id}/confirm"), "", codes).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        cookie(&answer)
    }

    async fn line(&self, cookie: &str) -> String {
        let lines = self.ask("GET", "/lines", cookie, None).await;
        lines.body[0]["id"].as_str().expect("a line").to_string()
    }
}

fn cookie(answer: &Answer) -> String {
    let set = answer.cookie.as_deref().expect("a cookie");
    for attribute in ["Path=/", "Secure", "HttpOnly", "SameSite=Lax"] {
        assert!(set.contains(attribute), "{set}");
    }
    set.split(';').next().expect("a pair").to_string()
}

/// Every route of one line or one thing of an account, with a body that can be read.
fn owned(line: &str) -> Vec<(&'static str, String, Option<Value>)> {
    let save = json!({"draft": laika_core::draft::RuleDraft::default(), "state_version": 0,
        "as_of": "2026-11-22T10:00:00Z", "engine_version": laika_core::ENGINE_VERSION,
        "preview_sha256": ""});
    let buy = json!({"steps": 1, "amount": {"amount_minor": 300, "currency": "EUR"},
        "payment_method_id": "pm_1"});
    let of_line = |what: &str| format!("/lines/{line}/{what}");
    vec![
        ("PATCH", format!("/lines/{line}"), Some(json!({"label": "mine"}))),
        ("GET", of_line("preview-inputs"), None),
        ("GET", of_line("rule"), None),
        ("PUT", of_line("rule"), Some(save)),
        ("POST", of_line("rule/on"), Some(json!({"rule_version": 1, "consent_sha256": ""}))),
        ("POST", of_line("rule/off"), None),
        ("POST", of_line("rule/pause"), Some(json!({"until_on": "2027-01-01"}))),
        ("POST", of_line("rule/resume"), None),
        ("POST", of_line("rule/skip"), None),
        ("GET", of_line("rule/receipts"), None),
        ("GET", of_line("rule/receipts/2"), None),
        ("GET", of_line("looks"), None),
        ("GET", of_line("recharges"), None),
        ("POST", of_line("recharges"), Some(buy)),
        ("GET", format!("/recharges/{line}-r1/record"), None),
        ("DELETE", "/payment-methods/pm_1".into(), None),
        ("POST", "/sandbox/usage".into(), Some(json!({"line_id": line, "bytes": 1}))),
    ]
}

#[tokio::test]
async fn nothing_of_an_account_is_seen_or_changed_by_another() {
    let world = World::new().await;
    let ana = world.register("+34612345678", "ana@example.org").await;
    let bob = world.register("+34612345679", "bob@example.org").await;
    let line = world.line(&ana).await;
    for (method, path, body) in owned(&line) {
        let nobody = world.ask(method, &path, "", body.clone()).await;
        assert_eq!(nobody.code(), (401, "unauthenticated"), "{method} {path}");
        let other = world.ask(method, &path, &bob, body).await;
        assert_eq!(other.code(), (404, "not_found"), "{method} {path}");
    }
    for path in ["/lines", "/payment-methods", "/events"] {
        assert_eq!(world.ask("GET", path, "", None).await.status, 401, "{path}");
    }
}

#[tokio::test]
async fn codes_confirm_once_and_five_tries_are_all() {
    let world = World::new().await;
    let begun = world.begin("+34612345678", "ana@example.org").await;
    let path =
        format!("/registrations/{}/confirm", begun.body["registration_id"].as_str().unwrap());
    let good = json!({"phone_code": world.code("+34612345678").await,
        "email_code": world.code("ana@example.org").await});
    let mut bad = good.clone();
    bad["phone_code"] = json!("x");
    for _ in 0..4 {
        let answer = world.post(&path, "", bad.clone()).await;
        assert_eq!(answer.code(), (422, "fields"));
        assert_eq!(answer.body["errors"][0]["field"], "phone_code");
    }
    assert_eq!(world.post(&path, "", good.clone()).await.status, 201, "the fifth try");
    assert_eq!(world.post(&path, "", good).await.status, 404, "used up");

    let begun = world.begin("+34612345670", "eve@example.org").await;
    let path =
        format!("/registrations/{}/confirm", begun.body["registration_id"].as_str().unwrap());
    let good = json!({"phone_code": world.code("+34612345670").await,
        "email_code": world.code("eve@example.org").await});
    for _ in 0..5 {
        world.post(&path, "", bad.clone()).await;
    }
    assert_eq!(world.post(&path, "", good).await.code(), (409, "codes_ended"));
}

#[tokio::test]
async fn codes_end_after_five_minutes() {
    let world = World::new().await;
    let begun = world.begin("+34612345678", "ana@example.org").await;
    let path =
        format!("/registrations/{}/confirm", begun.body["registration_id"].as_str().unwrap());
    let good = json!({"phone_code": world.code("+34612345678").await,
        "email_code": world.code("ana@example.org").await});
    world.app.clock.set(world.app.clock.wall().plus(Span::minutes(5)));
    assert_eq!(world.post(&path, "", good).await.code(), (409, "codes_ended"));
}

#[tokio::test]
async fn a_taken_contact_gets_the_same_answer_and_its_owner_a_message() {
    let world = World::new().await;
    world.register("+34612345678", "ana@example.org").await;
    world.app.clock.set(world.app.clock.wall().plus(Span::seconds(1)));
    let again = world.begin("+34612345678", "other@example.org").await;
    assert_eq!((again.status, again.body["phone_masked"].as_str()), (202, Some("+34 ••• ••• 678")));
    let told = world.message("+34612345678").await;
    assert_eq!(told, laika_core::say::already_registered(Default::default(), crate::BRAND));
    assert!(world.code("other@example.org").await.len() == 6, "the other contact gets its code");
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_contact_are_one_answer() {
    let world = World::new().await;
    world.register("+34612345678", "ana@example.org").await;
    let sign_in = async |contact: &str, password: &str| {
        let body = json!({"contact": contact, "password": password});
        let mut answer = world.post("/sessions", "", body).await;
        answer.body["request_id"] = json!(null);
        answer
    };
    let (wrong, unknown) = (sign_in("ana@example.org", "x").await, sign_in("no@where", "x").await);
    assert_eq!((wrong.code(), wrong.body.to_string()), (unknown.code(), unknown.body.to_string()));
    assert_eq!(wrong.code(), (401, "wrong_credentials"));
    assert_eq!(sign_in("0034 612 345 678", PASSWORD).await.status, 201);
    for _ in 0..9 {
        sign_in("ana@example.org", "x").await;
    }
    assert_eq!(sign_in("ana@example.org", PASSWORD).await.code(), (429, "too_many_tries"));
}

#[tokio::test]
async fn a_session_ends_by_sign_out_by_idling_and_its_token_changes_at_step_up() {
    let world = World::new().await;
    let first = world.register("+34612345678", "ana@example.org").await;
    let body = json!({"password": PASSWORD});
    let stepped = world.post("/sessions/current/step-up", &first, body).await;
    assert_eq!(stepped.status, 204);
    let second = cookie(&stepped);
    assert_eq!(world.ask("GET", "/lines", &first, None).await.status, 401, "the old token is dead");
    assert_eq!(world.ask("GET", "/lines", &second, None).await.status, 200);
    let wrong = world.post("/sessions/current/step-up", &second, json!({"password": "x"})).await;
    assert_eq!(wrong.code(), (403, "wrong_password"));
    let out = world.ask("DELETE", "/sessions/current", &second, None).await;
    assert_eq!(out.status, 204);
    assert_eq!(world.ask("GET", "/lines", &second, None).await.status, 401);
    let third = world.post(
        "/sessions",
        "",
        json!({"contact": "ana@example.org",
        "password": PASSWORD}),
    );
    let third = cookie(&third.await);
    world.app.clock.set(world.app.clock.wall().plus(Span::days(15)));
    assert_eq!(world.ask("GET", "/lines", &third, None).await.status, 401, "idle for 14 days");
}

#[tokio::test]
async fn a_new_account_ends_the_session_that_the_browser_had() {
    let world = World::new().await;
    let first = world.register("+34612345678", "ana@example.org").await;
    let (phone, email) = ("+34612345679", "bo@example.org");
    let begun = world.begin(phone, email).await;
    let id = begun.body["registration_id"].as_str().expect("an id").to_string();
    let codes = json!({"phone_code": world.code(phone).await,
        "email_code": world.code(email).await});
    let made = world.post(&format!("/registrations/{id}/confirm"), &first, codes).await;
    assert_eq!(made.status, 201);
    assert_eq!(world.ask("GET", "/lines", &first, None).await.status, 401);
    assert_eq!(world.ask("GET", "/lines", &cookie(&made), None).await.status, 200);
}

#[tokio::test]
async fn of_two_step_ups_at_once_no_cookie_given_is_dead() {
    let world = World::new().await;
    let first = world.register("+34612345678", "ana@example.org").await;
    let step_up = || world.post("/sessions/current/step-up", &first, json!({"password": PASSWORD}));
    let (one, two) = tokio::join!(step_up(), step_up());
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 401]);
    for answer in [one, two].iter().filter(|answer| answer.status == 204) {
        assert_eq!(world.ask("GET", "/lines", &cookie(answer), None).await.status, 200);
    }
}

#[tokio::test]
async fn turning_on_needs_a_fresh_password() {
    let world = World::new().await;
    let ana = world.register("+34612345678", "ana@example.org").await;
    let path = format!("/lines/{}/rule/on", world.line(&ana).await);
    world.app.clock.set(world.app.clock.wall().plus(Span::minutes(5)));
    let agreed = json!({"rule_version": 1, "consent_sha256": ""});
    assert_eq!(world.post(&path, &ana, agreed).await.code(), (403, "step_up_required"));
}

#[tokio::test]
async fn another_site_changes_nothing() {
    let world = World::new().await;
    for (name, value, refused) in [
        ("sec-fetch-site", "cross-site", true),
        ("sec-fetch-site", "same-site", true),
        ("sec-fetch-site", "same-origin", false),
        ("origin", "http://evil.example", true),
        ("origin", "null", true),
        ("origin", "http://laika.example", false),
    ] {
        let request = Request::builder().method("POST").uri("/api/v1/sessions");
        let request = request.header("host", "laika.example").header(name, value);
        let answer = world.send(request.body(Body::empty()).expect("a request")).await;
        assert_eq!(answer.code().1 == "cross_origin", refused, "{name}: {value}");
    }
}

#[tokio::test]
async fn broken_requests_are_told_so() {
    let world = World::new().await;
    let ana = world.register("+34612345678", "ana@example.org").await;
    for (body, code) in [
        ("{", "bad_json"),
        ("{\"contact\":\"a\",\"password\":\"b\",\"admin\":true}", "bad_json"),
        ("[]", "bad_json"),
        ("\u{0}", "bad_json"),
    ] {
        let request = Request::builder().method("POST").uri("/api/v1/sessions");
        let request = request.header("content-type", "application/json");
        let answer = world.send(request.body(Body::from(body)).expect("a request")).await;
        assert_eq!(answer.code(), (400, code), "{body}");
    }
    let large = json!({"contact": "a".repeat(70_000), "password": ""});
    assert_eq!(world.post("/sessions", "", large).await.status, 413);
    assert_eq!(world.ask("GET", "/lines/%00/rule", &ana, None).await.status, 404);
    assert_eq!(world.ask("GET", "/nothing", &ana, None).await.code(), (404, "not_found"));
    assert_eq!(world.ask("PATCH", "/sessions", &ana, None).await.code(), (405, "other_method"));
}

#[tokio::test]
async fn a_line_is_called_what_its_owner_types() {
    let world = World::new().await;
    let ana = world.register("+34612345678", "ana@example.org").await;
    let line = world.line(&ana).await;
    let path = format!("/lines/{line}");
    let shown = async || world.ask("GET", "/lines", &ana, None).await.body[0].clone();
    let before = shown().await;
    let default = before["label"].as_str().expect("a label").to_string();
    assert!(default.starts_with("eSIM "), "{default}");
    let rename =
        async |label: &str| world.ask("PATCH", &path, &ana, Some(json!({"label": label}))).await;
    for (typed, code, params) in [
        ("  ", "required", json!(null)),
        ("\u{200b}", "required", json!(null)),
        ("a\u{202e}b", "unusable_character", json!({"character": "U+202E"})),
        ("a\nb", "unusable_character", json!({"character": "U+000A"})),
        ("a\u{0}b", "unusable_character", json!({"character": "U+0000"})),
        (&"a".repeat(41), "too_long", json!({"max": 40})),
    ] {
        let refused = rename(typed).await;
        assert_eq!(refused.code(), (422, "fields"), "{typed:?}");
        let error = &refused.body["errors"][0];
        assert_eq!((&error["field"], &error["code"]), (&json!("label"), &json!(code)), "{typed:?}");
        assert_eq!(error["params"], params, "{typed:?}");
    }
    assert_eq!(shown().await["label"], default.as_str(), "a refusal changes nothing");

    let session = async || world.ask("GET", "/session", &ana, None).await.body;
    let version = session().await["account"]["version"].as_i64().expect("a version");
    for (typed, label) in [
        ("  Trip \u{3000} phone ", "Trip phone"),
        ("我的旅行线路", "我的旅行线路"),
        ("خط السفر 👨‍👩‍👧‍👦", "خط السفر 👨‍👩‍👧‍👦"),
        ("=1+1", "=1+1"),
    ] {
        let renamed = rename(typed).await;
        assert_eq!((renamed.status, &renamed.body["label"]), (200, &json!(label)));
        assert_eq!(shown().await["label"], label);
    }
    assert!(session().await["account"]["version"].as_i64() > Some(version), "browsers are told");
    assert_eq!(shown().await["version"], before["version"], "a preview is not stale by a name");
    let more = json!({"label": "a", "closed": true});
    assert_eq!(world.ask("PATCH", &path, &ana, Some(more)).await.code(), (400, "bad_json"));
}

#[tokio::test]
async fn everything_wrong_with_a_registration_is_said_at_once_in_form_order() {
    let world = World::new().await;
    let body = json!({"phone": "+44 (0) 1234", "email": "ana@", "password": "1234567",
        "language": "en", "time_zone": "Europe/Nowhere"});
    let answer = world.post("/registrations", "", body).await;
    assert_eq!(answer.code(), (422, "fields"));
    let wanted = json!([
        {"field": "phone", "code": "phone_length",
            "params": {"calling_code": 44, "digits": 5, "min": 7, "max": 10}},
        {"field": "email", "code": "not_an_email"},
        {"field": "password", "code": "too_short", "params": {"min": 8}},
        {"field": "time_zone", "code": "unknown_choice"},
    ]);
    assert_eq!(answer.body["errors"], wanted);
}

#[tokio::test]
async fn a_phone_signs_in_however_it_is_written() {
    let world = World::new().await;
    world.register("+447911123456", "ana@example.org").await;
    for contact in ["+44 (0)7911 123456", "0044 7911 123456", "+44 07911/123456"] {
        let body = json!({"contact": contact, "password": PASSWORD});
        assert_eq!(world.post("/sessions", "", body).await.status, 201, "{contact}");
    }
}

#[tokio::test]
async fn usage_counts_only_when_signed_lately_by_either_secret() {
    let world = World::new().await;
    let now = world.app.clock.wall().seconds();
    let send = async |time: i64, secret: &str, body: &'static str| {
        let v1 = hmac_hex(secret, format!("{time}.[]").as_bytes());
        let request = Request::builder().method("POST").uri("/api/v1/usage");
        let request = request.header("content-type", "application/cloudevents-batch+json");
        let request = request.header("laika-signature", format!("t={time},v1={v1}"));
        world.send(request.body(Body::from(body)).expect("a request")).await.status
    };
    assert_eq!(send(now, "old", "[]").await, StatusCode::OK);
    assert_eq!(send(now - 300, "new", "[]").await, StatusCode::OK);
    assert_eq!(send(now - 301, "new", "[]").await, StatusCode::UNAUTHORIZED);
    assert_eq!(send(now + 301, "new", "[]").await, StatusCode::UNAUTHORIZED);
    assert_eq!(send(now, "other", "[]").await, StatusCode::UNAUTHORIZED);
    assert_eq!(send(now, "old", "[ ]").await, StatusCode::UNAUTHORIZED, "another body");
}
