//! A customer who uses the API as the app does: registers, adds a card, writes a rule, looks.
//!
//! Every request says that it comes from our own page, as a browser would. The JSON is the one that
//! the app exchanges, from the same types.

use std::io;
use std::time::Duration;

use laika_core::api::{
    Confirmation, LineView, NewMethod, NextCharge, OutboxMessage, PaymentMethodView, RechargeNow,
    RechargeView, Registration, RegistrationView, RuleView, SandboxTime, SandboxUsage, SaveRule,
    ScriptedCharge, SessionView, SetupView, TurnOn,
};
use laika_core::bytes::Bytes;
use laika_core::draft::{RuleDraft, validate};
use laika_core::forecast::{PreviewInputs, preview, preview_sha256};
use laika_core::rail::Wallet;
use laika_core::recharge::Status;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::http::{Answer, Request};
use super::wait;

/// The password of every customer of the tests.
pub const PASSWORD: &str = "a long walk in the snow";

/// A signed-in customer with one line.
#[derive(Clone, Debug)]
pub struct Customer {
    origin: String,
    cookie: String,
    /// Their line, as it was when they registered.
    pub line: LineView,
}

/// What an answer must say.
#[track_caller]
pub fn read<T: DeserializeOwned>(answer: &Answer) -> T {
    serde_json::from_slice(&answer.body).unwrap_or_else(|why| panic!("{why}: {}", answer.text()))
}

/// Signed in, or not yet.
struct Visitor<'a> {
    origin: &'a str,
    cookie: &'a str,
}

impl Visitor<'_> {
    fn request(&self, method: &str, path: &str) -> Request {
        let request = Request::new(method, &format!("{}/api/v1{path}", self.origin))
            .header("Sec-Fetch-Site", "same-origin");
        if self.cookie.is_empty() { request } else { request.header("Cookie", self.cookie) }
    }

    fn post(&self, path: &str, body: &impl Serialize) -> Answer {
        let body = serde_json::to_value(body).expect("JSON");
        self.request("POST", path).json(&body).send().expect("an answer")
    }

    fn get(&self, path: &str) -> Answer {
        self.request("GET", path).send().expect("an answer")
    }

    /// The six digits of the newest message to a contact.
    fn code_sent_to(&self, contact: &str) -> String {
        let messages: Vec<OutboxMessage> = read(&self.get("/sandbox/outbox").expect(200));
        let message = messages.iter().find(|message| message.to == contact);
        let text = &message.expect("a message to this contact").body;
        let digits = |part: &&str| part.len() == 6 && part.bytes().all(|b| b.is_ascii_digit());
        let code = text.split(|c: char| !c.is_ascii_alphanumeric()).find(digits);
        code.expect("six digits").to_owned()
    }
}

impl Customer {
    /// Registers the `number`th customer with the codes of the outbox, and looks at their line.
    pub fn register(origin: &str, number: u32) -> Self {
        let visitor = Visitor { origin, cookie: "" };
        let registration = Registration {
            phone: format!("+3461234{number:04}"),
            email: format!("customer-{number}@example.org"),
            password: PASSWORD.to_owned(),
            language: laika_core::api::Language::En,
            time_zone: "Europe/Madrid".to_owned(),
        };
        let pending = visitor.post("/registrations", &registration).expect(202);
        let pending: RegistrationView = read(&pending);
        let codes = Confirmation {
            phone_code: visitor.code_sent_to(&registration.phone),
            email_code: visitor.code_sent_to(&registration.email),
        };
        let path = format!("/registrations/{}/confirm", pending.registration_id);
        let answer = visitor.post(&path, &codes).expect(201);
        let cookie = answer.header("set-cookie").and_then(|all| all.split(';').next());
        let cookie = cookie.expect("a session").to_owned();
        let own = Visitor { origin, cookie: &cookie }.get("/lines").expect(200);
        let line = read::<Vec<LineView>>(&own).into_iter().next().expect("a line of their own");
        Self { origin: origin.to_owned(), cookie, line }
    }

    /// The same customer at another server of the same database.
    pub fn at(&self, origin: &str) -> Self {
        Self { origin: origin.to_owned(), ..self.clone() }
    }

    /// What their browser sends with each request.
    pub fn cookie(&self) -> &str {
        &self.cookie
    }

    fn visitor(&self) -> Visitor<'_> {
        Visitor { origin: &self.origin, cookie: &self.cookie }
    }

    /// A request of this customer, from our own page.
    pub fn request(&self, method: &str, path: &str) -> Request {
        self.visitor().request(method, path)
    }

    /// `GET`, from a server that is there.
    pub fn get(&self, path: &str) -> Answer {
        self.visitor().get(path)
    }

    /// `POST`, to a server that is there.
    pub fn post(&self, path: &str, body: &impl Serialize) -> Answer {
        self.visitor().post(path, body)
    }

    /// The address of something of their line.
    pub fn of_line(&self, what: &str) -> String {
        format!("/lines/{}/{what}", self.line.id.as_str())
    }

    /// Types a card at the provider's own page; gives the setup's id and what the page answered.
    pub fn type_card(&self, number: &str) -> (String, Answer) {
        let setup: SetupView = read(&self.post("/payment-methods/setups", &()).expect(201));
        let entry = [("number", number), ("expiry", "12 / 34"), ("cvc", "123")];
        let page = Request::new("POST", &setup.url).form(&entry).send();
        (setup.setup_id, page.expect("the provider"))
    }

    /// Comes back from the provider's page, with a card or without one.
    pub fn come_back(&self, setup_id: &str) -> Answer {
        self.post(&format!("/payment-methods/setups/{setup_id}/complete"), &())
    }

    /// Adds a card that its bank has no questions about.
    pub fn add_card(&self, number: &str) -> PaymentMethodView {
        let (setup, page) = self.type_card(number);
        page.expect(303);
        read(&self.come_back(&setup).expect(200))
    }

    /// Adds a wallet that is paid with by a link each time.
    pub fn add_wallet(&self, wallet: Wallet) -> PaymentMethodView {
        read(&self.post("/payment-methods", &NewMethod { wallet }).expect(201))
    }

    /// Buys one step by hand, under a key of its own; gives the link to its payment.
    pub fn buy_by_link(&self, method: &PaymentMethodView, key: &str) -> String {
        let step = self.line.terms.step.expect("a price");
        let bought =
            RechargeNow { steps: 1, amount: step.price, payment_method_id: method.id.clone() };
        let body = serde_json::to_value(&bought).expect("JSON");
        let request = self.request("POST", &self.of_line("recharges"));
        let request = request.header("Idempotency-Key", key).json(&body);
        let opened: RechargeView = read(&request.send().expect("an answer").expect(201));
        wait::until("a link", Duration::from_secs(30), || {
            let all = self.recharges().expect("the server is there");
            let mine = all.into_iter().find(|view| view.recharge.id == opened.recharge.id)?;
            mine.recharge.link().map(|(url, _)| url.to_owned())
        })
    }

    /// What the sandbox would have sent to anybody, the newest first.
    pub fn outbox(&self) -> Vec<OutboxMessage> {
        read(&self.get("/sandbox/outbox").expect(200))
    }

    /// Where the payment provider is.
    pub fn provider(&self) -> String {
        let session: SessionView = read(&self.get("/session").expect(200));
        session.sandbox.expect("the sandbox").provider_origin
    }

    /// What a preview is computed from, as of now.
    pub fn preview_inputs(&self) -> PreviewInputs {
        read(&self.get(&self.of_line("preview-inputs")).expect(200))
    }

    /// What the app sends to save a rule: the suggestion, changed by `write` and previewed here by
    /// the same code.
    pub fn rule_to_save(inputs: &PreviewInputs, write: impl FnOnce(&mut RuleDraft)) -> SaveRule {
        let mut draft = RuleDraft::suggested(&inputs.account, inputs.as_of);
        write(&mut draft);
        let rule = validate(&draft, &inputs.account, inputs.as_of).expect("a valid draft");
        SaveRule {
            draft,
            state_version: inputs.state_version,
            as_of: inputs.as_of,
            engine_version: inputs.engine_version.clone(),
            preview_sha256: preview_sha256(&preview(&rule, inputs)),
        }
    }

    /// Sends it, under a key of its own.
    pub fn save(&self, rule: &SaveRule, key: &str) -> Answer {
        let body = serde_json::to_value(rule).expect("JSON");
        let request = self.request("PUT", &self.of_line("rule")).header("Idempotency-Key", key);
        request.json(&body).send().expect("an answer")
    }

    /// Saves a rule and turns it on, with the consent that was shown.
    pub fn turn_on_rule(&self, write: impl Fn(&mut RuleDraft)) -> RuleView {
        let saved = self.save_newest(|inputs| Self::rule_to_save(inputs, &write));
        self.turn_on(read(&saved.expect(200)))
    }

    /// Saves what `make` makes of the newest inputs; made again whenever the line moved meanwhile,
    /// as the app does without losing what was typed.
    pub fn save_newest(&self, mut make: impl FnMut(&PreviewInputs) -> SaveRule) -> Answer {
        wait::until("the line holds still", Duration::from_secs(30), || {
            let rule = make(&self.preview_inputs());
            let answer = self.save(&rule, &format!("save-{}", rule.state_version));
            (answer.json()["code"] != "preview_stale").then_some(answer)
        })
    }

    /// Turns a saved rule on, with the consent that was shown.
    pub fn turn_on(&self, saved: RuleView) -> RuleView {
        let agreed = TurnOn {
            rule_version: saved.rule.expect("a rule").version,
            consent_sha256: saved.consent.expect("a text to agree to").sha256,
        };
        read(&self.post(&self.of_line("rule/on"), &agreed).expect(200))
    }

    /// Uses so much data, as the sandbox bar does.
    pub fn use_data(&self, bytes: u64) {
        let bytes = Bytes::new(bytes).expect("an amount of data");
        let used = SandboxUsage { line_id: self.line.id.clone(), bytes };
        let answer = self.post("/sandbox/usage", &used);
        assert!(answer.status < 300, "{}", answer.text());
    }

    /// Waits until so many of their recharges are done, and gives all of them.
    pub fn recharges_done(&self, number: usize) -> Vec<RechargeView> {
        wait::until(&format!("{number} recharges are done"), Duration::from_secs(30), || {
            let all = self.recharges().expect("the server is there");
            let done = all.iter().filter(|view| view.recharge.status == Status::Done).count();
            (done == number).then_some(all)
        })
    }

    /// How the next charge of this customer ends.
    pub fn next_charge(&self, outcome: NextCharge) {
        let answer = self.post("/sandbox/next-charge", &ScriptedCharge { outcome });
        assert!(answer.status < 300, "{}", answer.text());
    }

    /// Lets time pass, for everybody.
    pub fn let_pass(&self, time: Duration) {
        let seconds = u32::try_from(time.as_secs()).expect("less than a century");
        let answer = self.post("/sandbox/time", &SandboxTime { seconds });
        assert!(answer.status < 300, "{}", answer.text());
    }

    /// Their recharges, newest first, as History shows them; an error while the server is away.
    pub fn recharges(&self) -> io::Result<Vec<RechargeView>> {
        let answer = self.request("GET", &self.of_line("recharges")).send()?;
        Ok(read(&answer.expect(200)))
    }
}
