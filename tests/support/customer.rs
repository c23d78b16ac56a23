//! A customer who uses the API as the app does: registers, adds a card, writes a rule, looks.
//!
//! Every request says that it comes from our own page, as a browser would.

use std::io;
use std::time::Duration;

use laika_core::draft::{RuleDraft, validate};
use laika_core::forecast::{PreviewInputs, preview, preview_sha256};
use serde_json::{Value, json};

use super::http::{Answer, Request};
use super::wait;

/// The password of every customer of the tests.
pub const PASSWORD: &str = "a long walk in the snow";

/// A signed-in customer with one line.
#[derive(Clone, Debug)]
pub struct Customer {
    /// The server's origin; it may change when the server is started again.
    pub origin: String,
    /// Their e-mail address.
    pub email: String,
    cookie: String,
    /// Their line.
    pub line_id: String,
    /// Its card number.
    pub iccid: String,
}

impl Customer {
    /// Registers the `number`th customer with the codes of the outbox, and looks at their line.
    pub fn register(origin: &str, number: u32) -> Self {
        let phone = format!("+346000{number:05}");
        let email = format!("customer-{number}@example.org");
        let registration = json!({
            "phone": phone, "email": email, "password": PASSWORD,
            "language": "en", "time_zone": "Europe/Madrid",
        });
        let mut customer = Self {
            origin: origin.to_owned(),
            email: email.clone(),
            cookie: String::new(),
            line_id: String::new(),
            iccid: String::new(),
        };
        let pending = customer.post("/registrations", &registration).expect(202).json();
        let id = pending["registration_id"].as_str().expect("a registration").to_owned();
        let codes = json!({
            "phone_code": customer.code_sent_to(&phone),
            "email_code": customer.code_sent_to(&email),
        });
        let path = format!("/registrations/{id}/confirm");
        let answer = customer.post(&path, &codes).expect(201);
        let cookie = answer.header("set-cookie").expect("a session");
        customer.cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        let lines = customer.get("/lines").expect(200).json();
        customer.line_id = lines[0]["id"].as_str().expect("a line of their own").to_owned();
        customer.iccid = lines[0]["iccid"].as_str().expect("its card number").to_owned();
        customer
    }

    /// The six digits of the newest message to a contact.
    fn code_sent_to(&self, contact: &str) -> String {
        let messages = self.get("/sandbox/outbox").expect(200).json();
        let all = messages.as_array().expect("a list of messages");
        let own = all.iter().filter(|message| message["recipient"] == contact);
        let text = own.map(ToString::to_string).next().expect("a message to this contact");
        let digits = |part: &&str| part.len() == 6 && part.bytes().all(|b| b.is_ascii_digit());
        let code = text.split(|c: char| !c.is_ascii_alphanumeric()).find(digits);
        code.expect("six digits").to_owned()
    }

    /// A request of this customer, from our own page.
    pub fn request(&self, method: &str, path: &str) -> Request {
        let request = Request::new(method, &format!("{}/api/v1{path}", self.origin))
            .header("Sec-Fetch-Site", "same-origin");
        if self.cookie.is_empty() { request } else { request.header("Cookie", &self.cookie) }
    }

    /// `GET`, from a server that is there.
    pub fn get(&self, path: &str) -> Answer {
        self.request("GET", path).send().expect("an answer")
    }

    /// `POST`, to a server that is there.
    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.request("POST", path).json(body).send().expect("an answer")
    }

    /// Types a card at the provider's own page and comes back with it.
    pub fn add_card(&self, number: &str) -> Value {
        let setup = self.post("/payment-methods/setups", &json!({})).expect(201).json();
        let (id, url) = (setup["setup_id"].as_str(), setup["url"].as_str());
        let (id, url) = (id.expect("a setup"), url.expect("the provider's page"));
        let entry = [("number", number), ("expiry", "12 / 34"), ("cvc", "123")];
        Request::new("POST", url).form(&entry).send().expect("the provider").expect(303);
        let path = format!("/payment-methods/setups/{id}/complete");
        self.post(&path, &json!({})).expect(200).json()
    }

    /// Writes a rule as the app does: from the suggestion, previewed here by the same code, saved
    /// with the preview's hash, and turned on with the consent that was shown.
    pub fn turn_on_rule(&self, write: impl FnOnce(&mut RuleDraft)) -> Value {
        let saved = self.save_rule(write).expect(200).json();
        let consent = json!({
            "rule_version": saved["rule"]["version"],
            "consent_sha256": saved["consent_sha256"],
        });
        self.post(&format!("/lines/{}/rule/on", self.line_id), &consent).expect(200).json()
    }

    /// Saves a rule without turning it on.
    pub fn save_rule(&self, write: impl FnOnce(&mut RuleDraft)) -> Answer {
        let path = format!("/lines/{}/preview-inputs", self.line_id);
        let inputs: PreviewInputs =
            serde_json::from_slice(&self.get(&path).expect(200).body).expect("preview inputs");
        let mut draft = RuleDraft::suggested(&inputs.account, inputs.as_of);
        write(&mut draft);
        let rule = validate(&draft, &inputs.account, inputs.as_of).expect("a valid draft");
        let body = json!({
            "draft": draft,
            "state_version": inputs.state_version,
            "engine_version": inputs.engine_version,
            "preview_sha256": preview_sha256(&preview(&rule, &inputs)),
        });
        let request = self.request("PUT", &format!("/lines/{}/rule", self.line_id));
        let key = format!("save-{}", inputs.state_version);
        request.header("Idempotency-Key", &key).json(&body).send().expect("an answer")
    }

    /// What the next charge of this customer does.
    pub fn next_charge(&self, outcome: &str) -> io::Result<Answer> {
        self.request("POST", "/sandbox/next-charge").json(&json!({ "outcome": outcome })).send()
    }

    /// Lets time pass, for everybody.
    pub fn let_pass(&self, time: Duration) -> Answer {
        self.post("/sandbox/time", &json!({ "seconds": time.as_secs() }))
    }

    /// Their recharges, newest first, as History shows them.
    pub fn recharges(&self) -> io::Result<Vec<Value>> {
        let answer = self.request("GET", &format!("/lines/{}/recharges", self.line_id)).send()?;
        Ok(answer.json().as_array().cloned().unwrap_or_default())
    }

    /// Waits until one of their recharges has that status, and gives it.
    pub fn recharge_in(&self, status: &str, most: Duration) -> Value {
        wait::until(&format!("a recharge that is {status}"), most, || {
            let all = self.recharges().ok()?;
            all.into_iter().find(|recharge| recharge["status"] == status)
        })
    }
}
