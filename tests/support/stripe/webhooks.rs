//! Webhooks as Stripe sends them: each until it is taken, signed anew each time, in the end no
//! more. Stripe gives up after three days, this after a minute.

use std::io;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Shared, Stripe, WEBHOOK_SECRET};
use crate::support::http::{Answer, Request};
use crate::support::usage;

/// How often one is sent at most, and how long after the first time it is sent again; each time
/// after that it takes twice as long, up to a limit.
const TIMES: usize = 40;
const FIRST_AGAIN: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(2);

/// A webhook as it was signed.
#[derive(Clone, Debug)]
pub struct Event {
    signature: String,
    body: Vec<u8>,
}

impl Event {
    /// One as it came from localstripe.
    pub(super) fn new(signature: String, body: Vec<u8>) -> Self {
        Self { signature, body }
    }

    /// A body of any kind, signed at a Unix second.
    pub fn signed(body: Vec<u8>, at: u64) -> Self {
        Self { signature: usage::signature(&body, WEBHOOK_SECRET, at), body }
    }

    /// Sends it, as Stripe does.
    pub fn send(&self, url: &str) -> Answer {
        self.send_signed(url, &self.signature)
    }

    /// Sends it with another signature.
    pub fn send_signed(&self, url: &str, signature: &str) -> Answer {
        self.post(url, signature).expect("the server answers")
    }

    /// Sends it to a server that may be dead by now.
    pub fn try_to_send(&self, url: &str) -> io::Result<Answer> {
        self.post(url, &self.signature)
    }

    fn post(&self, url: &str, signature: &str) -> io::Result<Answer> {
        let request = Request::new("POST", url).header("Stripe-Signature", signature);
        request.body("application/json; charset=utf-8", self.body.clone()).send()
    }

    /// Such as `payment_intent.succeeded`.
    pub fn kind(&self) -> String {
        self.json()["type"].as_str().unwrap_or_default().to_owned()
    }

    /// What it says.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// Sends a webhook to where webhooks go, until it is taken. Nobody hears of one that is made while
/// they go nowhere.
pub(super) fn send(shared: &Shared, event: Event) {
    let (mut event, mut again) = (event, FIRST_AGAIN);
    for _ in 0..TIMES {
        let Some(url) = shared.state().webhooks_to.clone() else { return };
        let answer = event.try_to_send(&url).ok().map(|answer| answer.status);
        shared.state().answers.push((event.kind(), answer));
        if answer.is_some_and(|status| (200..300).contains(&status)) {
            return;
        }
        thread::park_timeout(again);
        again = (again * 2).min(LONGEST);
        event = Event::signed(event.body, usage::now());
    }
}

impl Stripe {
    /// Webhooks go there from now on; until then they are lost.
    pub fn send_webhooks_to(&self, url: &str) {
        self.shared.state().webhooks_to = Some(url.to_owned());
    }

    /// The webhooks so far, whether they arrived or not.
    pub fn events(&self) -> Vec<Event> {
        self.shared.state().events.clone()
    }

    /// How the webhooks of a kind were answered, each time one was sent; nothing where there was
    /// nobody to answer.
    pub fn answers(&self, kind: &str) -> Vec<Option<u16>> {
        let state = self.shared.state();
        let of_kind = state.answers.iter().filter(|(known, _)| known == kind);
        of_kind.map(|(_, answer)| *answer).collect()
    }

    /// Tells of something that localstripe does not tell of.
    pub(super) fn tell(&self, kind: &str, object: &Value) {
        let mut state = self.shared.state();
        let event = json!({
            "id": format!("evt_front{}", state.events.len() + 1),
            "object": "event",
            "created": usage::now(),
            "data": { "object": object },
            "livemode": false,
            "type": kind,
        });
        let event = Event::signed(event.to_string().into_bytes(), usage::now());
        state.events.push(event.clone());
        drop(state);
        let shared = self.shared.clone();
        thread::spawn(move || send(&shared, event));
    }
}
