//! The front before localstripe: one request on each connection, answered or, in bad weather, not.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;

use laika_core::{time::Instant, zone::Zone};
use serde_json::{Value, json};

use super::records::{card_error, error, payment};
use super::{Event, Shared, Trouble, lists, webhooks};
use crate::support::http::Answer;
use crate::support::{proxy, usage};

/// An answer to be written, or none.
struct Told {
    status: u16,
    location: Option<String>,
    body: Value,
    /// Only so many bytes of the body are sent; nothing at all when 0.
    cut: Option<usize>,
    /// Nothing is sent as long as the other side is there.
    held: bool,
}

impl Told {
    fn of(status: u16, body: Value) -> Told {
        Told { status, location: None, body, cut: None, held: false }
    }

    fn to(url: String) -> Told {
        Told { location: Some(url), ..Told::of(303, Value::Null) }
    }
}

/// Reads a request and answers it.
pub(super) fn answer(mut near: TcpStream, shared: &Shared) -> io::Result<()> {
    let (head, body) = proxy::request(&mut near)?;
    let header = |name: &str| {
        let lines = head.iter().filter_map(|line| line.split_once(':'));
        let mut found = lines.filter(|(known, _)| known.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.trim().to_owned())
    };
    let mut asked = head.first().map(String::as_str).unwrap_or_default().split(' ');
    let (method, target) = (asked.next().unwrap_or_default(), asked.next().unwrap_or_default());
    if target == "/hook" {
        return relay(near, shared, header("stripe-signature").unwrap_or_default(), body);
    }
    let told = match header("idempotency-key").filter(|_| method == "POST") {
        Some(key) => keyed(shared, target, &key, body)?,
        None => plain(shared, method, target, &body)?,
    };
    if told.held {
        // It ends when the other side is gone.
        return near.read(&mut [0]).map(|_| ());
    }
    write(near, &told)
}

fn write(mut near: TcpStream, told: &Told) -> io::Result<()> {
    let body = told.body.to_string();
    let location = told.location.as_ref().map(|url| format!("Location: {url}\r\n"));
    let head = format!(
        "HTTP/1.1 {} Told\r\nDate: {}\r\n{}Content-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        told.status,
        date(),
        location.unwrap_or_default(),
        body.len()
    );
    match told.cut {
        Some(0) => Ok(()),
        Some(most) => near.write_all(&[head.as_bytes(), &body.as_bytes()[..most]].concat()),
        None => near.write_all(&[head.as_bytes(), body.as_bytes()].concat()),
    }
}

/// This second, as HTTP says it.
fn date() -> String {
    let now = i64::try_from(usage::now()).expect("a year we know");
    let date = Zone::utc().date(Instant::from_seconds(now)).format("%a, %d %b %Y");
    let second = now % (24 * 60 * 60);
    format!("{date} {:02}:{:02}:{:02} GMT", second / 3_600, second / 60 % 60, second % 60)
}

/// A webhook of localstripe's, which sends it once: kept, and sent on until it is taken.
fn relay(near: TcpStream, shared: &Shared, signature: String, body: Vec<u8>) -> io::Result<()> {
    let event = Event::new(signature, body);
    shared.state().events.push(event.clone());
    write(near, &Told::of(200, Value::Null))?;
    webhooks::send(shared, event);
    Ok(())
}

/// A request that acts once per key, in whatever weather.
fn keyed(shared: &Shared, target: &str, key: &str, body: Vec<u8>) -> io::Result<Told> {
    let is_charge = target == "/v1/payment_intents";
    // Why held to the end: the same key twice at once must not act twice.
    let mut state = shared.state();
    state.charges += u32::from(is_charge);
    let trouble = if is_charge { state.troubles.pop() } else { None };
    match trouble {
        Some(Trouble::TooMany) => {
            return Ok(Told::of(429, error("invalid_request_error", "rate_limit")));
        }
        Some(Trouble::InUse) => {
            return Ok(Told::of(409, error("idempotency_error", "idempotency_key_in_use")));
        }
        Some(Trouble::LostBefore) => return Ok(Told { cut: Some(0), ..Told::of(200, json!({})) }),
        Some(Trouble::ErrorAfter | Trouble::LostAfter | Trouble::HalfAnAnswer) => {}
        Some(Trouble::Held) | None => {}
    }
    let mut told = match state.answered.get(key) {
        Some((first, status, answer)) if *first == body => Told::of(*status, answer.clone()),
        Some(_) => return Ok(Told::of(400, error("idempotency_error", "another_body"))),
        None => {
            let told = act(shared, &mut state.unasked, target, key, &body)?;
            let kept = (body, told.status, told.body.clone());
            state.answered.insert(key.to_owned(), kept);
            told
        }
    };
    match trouble {
        Some(Trouble::ErrorAfter) => return Ok(Told::of(500, error("api_error", "internal"))),
        Some(Trouble::LostAfter) => told.cut = Some(0),
        Some(Trouble::HalfAnAnswer) => told.cut = Some(told.body.to_string().len() / 2),
        Some(Trouble::Held) => told.held = true,
        Some(Trouble::TooMany | Trouble::InUse | Trouble::LostBefore) | None => {}
    }
    Ok(told)
}

/// The same at localstripe, and its answer in Stripe's shape.
fn act(
    shared: &Shared,
    unasked: &mut Vec<String>,
    target: &str,
    key: &str,
    body: &[u8],
) -> io::Result<Told> {
    if let Some(id) = between(target, "/v1/payment_intents/", "/confirm") {
        // The customer is asked: from now on there is a page of the bank's.
        unasked.retain(|known| known != id);
        let stored = shared.ask("GET", &format!("/v1/payment_intents/{id}"), b"")?.json();
        return Ok(Told::of(200, payment(stored, bank(shared, unasked, id))));
    }
    let by_link = by_wallet(shared, target, body)?;
    let asked = shared.ask("POST", target, by_link.as_deref().unwrap_or(body))?;
    if target != "/v1/payment_intents" {
        return Ok(Told::of(asked.status, asked.json()));
    }
    let made = match asked.status {
        200 => asked.json(),
        402 => {
            let all = shared.ask("GET", "/v1/payment_intents?limit=1000", b"")?.json();
            let mine = |it: &&Value| it["metadata"]["key"] == key;
            let made = all["data"].as_array().and_then(|all| all.iter().find(mine));
            made.cloned().unwrap_or_default()
        }
        status => return Ok(Told::of(status, asked.json())),
    };
    let id = made["id"].as_str().unwrap_or_default().to_owned();
    if made["status"] == "requires_action" && by_link.is_none() {
        unasked.push(id.clone());
    }
    let made = payment(made, bank(shared, unasked, &id));
    let taken = made["status"] == "succeeded" || by_link.is_some();
    Ok(if taken { Told::of(200, made) } else { Told::of(402, card_error(&made)) })
}

/// A payment by a wallet, as localstripe can make it: with a card that its bank asks about each
/// time. Only the wallet's name in the metadata tells `records` of it. What Stripe would refuse
/// gets no answer.
fn by_wallet(shared: &Shared, target: &str, body: &[u8]) -> io::Result<Option<Vec<u8>>> {
    let wallet = field(body, "payment_method_data%5Btype%5D");
    let known = ["alipay", "wechat_pay"].contains(&wallet.as_str());
    if target != "/v1/payment_intents" || !known {
        return Ok(None);
    }
    let text = String::from_utf8_lossy(body);
    let has = |name: &str| text.split('&').any(|pair| pair.starts_with(&format!("{name}=")));
    let client = field(body, "payment_method_options%5Bwechat_pay%5D%5Bclient%5D");
    let asked_well = field(body, "payment_method_types%5B%5D") == wallet
        && field(body, "return_url").starts_with("http")
        && (wallet != "wechat_pay" || client == "web")
        && !has("off_session")
        && !has("payment_method");
    if !asked_well {
        return Err(io::Error::other(format!("Stripe would refuse this: {text}")));
    }
    let card = b"type=card&card[number]=4000002760003184&card[exp_month]=12&card[exp_year]=2034\
                 &card[cvc]=123";
    let card = shared.ask("POST", "/v1/payment_methods", card)?.expect(200).json();
    let card = card["id"].as_str().unwrap_or_default().to_owned();
    let kept = text.split('&').filter(|pair| {
        ["amount=", "currency=", "customer=", "confirm=", "metadata"]
            .iter()
            .any(|name| pair.starts_with(name))
    });
    let mut form = kept.collect::<Vec<_>>().join("&");
    form.push_str(&format!("&payment_method={card}&metadata[wallet]={wallet}"));
    Ok(Some(form.into_bytes()))
}

fn bank(shared: &Shared, unasked: &[String], id: &str) -> Option<String> {
    let asked = !unasked.iter().any(|known| known == id);
    asked.then(|| format!("{}/bank/{id}", shared.origin))
}

/// A request without a key: look-ups, cancellations, and what people do on pages.
fn plain(shared: &Shared, method: &str, target: &str, body: &[u8]) -> io::Result<Told> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    if path == "/v1/checkout/sessions" {
        return begin_visit(shared, body);
    }
    if let Some(visit) = path.strip_prefix("/v1/checkout/sessions/") {
        return visited(shared, visit);
    }
    if let Some(visit) = path.strip_prefix("/pay/") {
        return type_card(shared, visit, body);
    }
    if let Some(id) = path.strip_prefix("/bank/") {
        return at_the_bank(shared, id, body);
    }
    if method == "GET" && lists::ALL.contains(&path) {
        let failed = || Told::of(500, error("api_error", "internal"));
        let list = lists::of(shared, path, query.as_bytes())?;
        return Ok(list.map_or_else(failed, |list| Told::of(200, list)));
    }
    if path == "/v1/account" {
        // Each front is somebody else's.
        let id = shared.origin.rsplit(':').next().unwrap_or_default();
        return Ok(Told::of(200, json!({ "id": format!("acct_{id}"), "object": "account" })));
    }
    let look_up = method == "GET" && path.starts_with("/v1/payment_intents/");
    if look_up {
        let mut state = shared.state();
        if state.look_ups_fail > 0 {
            state.look_ups_fail -= 1;
            return Ok(Told::of(500, error("api_error", "internal")));
        }
    }
    let asked = shared.ask(method, target, body)?;
    Ok(Told::of(asked.status, shaped(shared, asked.json())))
}

/// A record of localstripe's, as Stripe has it.
pub(super) fn shaped(shared: &Shared, record: Value) -> Value {
    if record["object"] != "payment_intent" {
        return record;
    }
    let mut record = lists::aged(shared, record);
    record["latest_charge"] = lists::aged(shared, record["latest_charge"].take());
    let id = record["id"].as_str().unwrap_or_default().to_owned();
    let bank = bank(shared, &shared.state().unasked, &id);
    payment(record, bank)
}

fn begin_visit(shared: &Shared, body: &[u8]) -> io::Result<Told> {
    let form = format!("customer={}&usage=off_session", field(body, "customer"));
    let setup = shared.ask("POST", "/v1/setup_intents", form.as_bytes())?.expect(200).json();
    let setup = setup["id"].as_str().unwrap_or_default().to_owned();
    let id = setup.replace("seti_", "cs_test_");
    let back = field(body, "success_url").replace("{CHECKOUT_SESSION_ID}", &id);
    let url = format!("{}/pay/{id}", shared.origin);
    let visit = json!({ "id": id, "url": url, "status": "open", "setup_intent": null });
    shared.state().visits.insert(id, (setup, back));
    Ok(Told::of(200, visit))
}

fn setup_of(shared: &Shared, visit: &str) -> (String, String) {
    shared.state().visits.get(visit).cloned().unwrap_or_default()
}

fn visited(shared: &Shared, visit: &str) -> io::Result<Told> {
    let (setup, _) = setup_of(shared, visit);
    let path = format!("/v1/setup_intents/{setup}?expand[]=payment_method");
    let setup = shared.ask("GET", &path, b"")?.json();
    let done = setup["status"] == "succeeded";
    let status = if done { "complete" } else { "open" };
    let setup = if done { setup } else { Value::Null };
    let record = json!({ "id": visit, "url": null, "status": status, "setup_intent": setup });
    Ok(Told::of(200, record))
}

/// The hosted page: the number goes to localstripe and nowhere else.
fn type_card(shared: &Shared, visit: &str, body: &[u8]) -> io::Result<Told> {
    let (setup, back) = setup_of(shared, visit);
    let number = field(body, "number");
    let data = format!(
        "payment_method_data[type]=card&payment_method_data[card][number]={number}\
         &payment_method_data[card][exp_month]=12&payment_method_data[card][exp_year]=2034\
         &payment_method_data[card][cvc]=123"
    );
    let path = format!("/v1/setup_intents/{setup}/confirm");
    let mut confirmed: Answer = shared.ask("POST", &path, data.as_bytes())?;
    if confirmed.json()["status"] == "requires_action" {
        // The customer says yes at the bank.
        confirmed = shared.ask("POST", &path, b"")?;
    }
    if confirmed.status != 200 {
        return Ok(Told::of(422, confirmed.json()));
    }
    // Why: Stripe attaches it to the customer of the visit, localstripe does not.
    let confirmed = confirmed.json();
    let [method, customer] =
        ["payment_method", "customer"].map(|name| confirmed[name].as_str().unwrap_or_default());
    let path = format!("/v1/payment_methods/{method}/attach");
    shared.ask("POST", &path, format!("customer={customer}").as_bytes())?.expect(200);
    Ok(Told::to(back))
}

/// The bank's page: yes or no.
fn at_the_bank(shared: &Shared, id: &str, body: &[u8]) -> io::Result<Told> {
    let stored = shared.ask("GET", &format!("/v1/payment_intents/{id}"), b"")?.json();
    let secret = stored["client_secret"].as_str().unwrap_or_default();
    let success = field(body, "approved") == "1";
    let form = format!("client_secret={secret}&success={success}");
    let path = format!("/v1/payment_intents/{id}/_authenticate");
    let asked: Answer = shared.ask("POST", &path, form.as_bytes())?;
    Ok(Told::of(asked.status, Value::Null))
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    text.strip_prefix(before)?.strip_suffix(after)
}

/// A field of a form, decoded; its name as it is encoded there.
pub(super) fn field(form: &[u8], name: &str) -> String {
    let text = String::from_utf8_lossy(form);
    let mut pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    let value = pairs.find(|(known, _)| *known == name).map(|(_, value)| value).unwrap_or_default();
    let mut parts = value.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at(2.min(part.len()));
        bytes.extend(u8::from_str_radix(digits, 16).ok());
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
