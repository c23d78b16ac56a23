//! The sandbox carrier as a pure state machine: it gives data or credit to a line, once per key.
//!
//! Place in the flow: a paid recharge asks for a top-up; lost answers are found again by key.
//! A refused top-up uses up no key: the same key may be tried again. It answers by the contract
//! that every carrier keeps, `docs/carrier.md`. It never charges anybody.

use super::provider::records::Transport;
use super::{Ids, Refusal, Reply, refused};
use crate::carrier::contract::{Balance, Give, Given, Page, TopUp};
use laika_core::time::Instant;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How many rows a page of the statement has at most.
const PAGE: usize = 100;

/// What the next top-up of a line does: one shot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NextTopUp {
    /// Delivered.
    Delivered,
    /// Definitely not delivered.
    Refused,
    /// Delivered, but the connection closes without an answer.
    AnswerLostAfter,
    /// Not delivered, and the connection closes without an answer.
    AnswerLostBefore,
}

/// Everything that changes something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
#[allow(missing_docs, reason = "each field names the thing it holds")]
pub enum Request {
    /// Give data or credit.
    TopUp { key: String, give: Give },
    /// What the line's next top-up does.
    Script { iccid: String, next: NextTopUp },
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// The top-up under this key.
    TopUp(TopUp),
    /// Nothing to say.
    Done {},
}

/// Everything the carrier knows.
#[derive(Default)]
pub struct Carrier {
    /// In the order they were delivered.
    top_ups: Vec<TopUp>,
    /// Where each key's stands among them.
    places: BTreeMap<String, usize>,
    scripts: BTreeMap<String, NextTopUp>,
}

impl Carrier {
    /// Takes one request. Deterministic, as the provider's.
    pub fn handle(&mut self, request: Request, now: i64, ids: &mut Ids) -> Reply<Answer> {
        match request {
            Request::TopUp { key, give } => self.top_up(key, give, now, ids),
            Request::Script { iccid, next } => {
                self.scripts.insert(iccid, next);
                Reply { answer: Ok(Answer::Done {}), transport: Transport::Normal }
            }
        }
    }

    fn top_up(&mut self, key: String, give: Give, now: i64, ids: &mut Ids) -> Reply<Answer> {
        if let Some(known) = self.find(&key) {
            let answer = if known.give == give {
                Ok(Answer::TopUp(known.clone()))
            } else {
                refused(409, "idempotency_mismatch", "this key was used for another top-up")
            };
            return Reply { answer, transport: Transport::Normal };
        }
        if let Err(refusal) = check(&key, &give) {
            return Reply { answer: Err(refusal), transport: Transport::Normal };
        }
        let transport = match self.scripts.remove(&give.iccid) {
            None | Some(NextTopUp::Delivered) => Transport::Normal,
            Some(NextTopUp::AnswerLostAfter) => Transport::Lost,
            Some(NextTopUp::AnswerLostBefore) => {
                let answer = refused(503, "lost", "the request was lost");
                return Reply { answer, transport: Transport::Lost };
            }
            Some(NextTopUp::Refused) => {
                let answer = refused(422, "top_up_refused", "the carrier did not deliver");
                return Reply { answer, transport: Transport::Normal };
            }
        };
        let delivered_at = Instant::from_micros(now);
        self.places.insert(key.clone(), self.top_ups.len());
        let top_up = TopUp { id: ids.next("top"), key: Some(key), give, delivered_at };
        self.top_ups.push(top_up.clone());
        Reply { answer: Ok(Answer::TopUp(top_up)), transport }
    }

    /// The top-up delivered under a key.
    pub fn find(&self, key: &str) -> Option<&TopUp> {
        self.top_ups.get(*self.places.get(key)?)
    }

    /// Deliveries from `from` (inclusive) to `until` (exclusive), in order: the page that follows
    /// the top-up named `after`, or the first.
    pub fn statement(&self, from: Instant, until: Instant, after: Option<&str>) -> Page {
        let inside = |top_up: &&TopUp| (from..until).contains(&top_up.delivered_at);
        let mut rows = self.top_ups.iter().filter(inside);
        if let Some(after) = after {
            // Why: a name that is not there is the end of a statement, and no other page.
            rows.find(|top_up| top_up.id == after);
        }
        let top_ups: Vec<TopUp> = rows.by_ref().take(PAGE).cloned().collect();
        let last = top_ups.last().map(|top_up| top_up.id.clone());
        let next = last.filter(|_| rows.next().is_some());
        Page { from, until, top_ups, next }
    }

    /// All that was given to a line.
    pub fn balance(&self, iccid: &str) -> Given {
        let mut given = Given::default();
        for top_up in self.top_ups.iter().filter(|top_up| top_up.give.iccid == iccid) {
            let give = &top_up.give;
            given.data_bytes = given.data_bytes.saturating_add(give.data_bytes);
            if give.credit_minor > 0 {
                let credit = given.credit_minor.entry(give.currency.clone()).or_default();
                *credit = credit.saturating_add(give.credit_minor);
            }
        }
        given
    }

    /// The same, as the contract says it.
    pub fn told_balance(&self, iccid: &str, as_of: Instant) -> Balance {
        Balance { iccid: iccid.to_owned(), given: self.balance(iccid), as_of }
    }
}

fn check(key: &str, give: &Give) -> Result<(), Refusal> {
    let iccid_shaped =
        (18..=22).contains(&give.iccid.len()) && give.iccid.bytes().all(|b| b.is_ascii_digit());
    if !iccid_shaped {
        return refused(422, "iccid_refused", "an ICCID is 18 to 22 digits");
    }
    if key.is_empty() {
        return refused(422, "key_missing", "a top-up needs an Idempotency-Key");
    }
    if give.data_bytes < 0
        || give.credit_minor < 0
        || (give.data_bytes == 0 && give.credit_minor == 0)
    {
        return refused(422, "nothing_to_give", "neither data nor credit to give");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::seal::test_seal;

    const ICCID: &str = "8988247007000000105";

    fn give(data_bytes: i64) -> Give {
        Give {
            iccid: ICCID.to_owned(),
            data_bytes,
            validity_days: Some(30),
            credit_minor: 0,
            currency: "EUR".to_owned(),
            metadata: Default::default(),
        }
    }

    fn top_up(carrier: &mut Carrier, ids: &mut Ids, key: &str, bytes: i64) -> Reply<Answer> {
        carrier.handle(Request::TopUp { key: key.to_owned(), give: give(bytes) }, 5, ids)
    }

    fn script(carrier: &mut Carrier, ids: &mut Ids, next: NextTopUp) {
        carrier.handle(Request::Script { iccid: ICCID.to_owned(), next }, 1, ids);
    }

    fn new() -> (Carrier, Ids) {
        (Carrier::default(), Ids::new(test_seal()))
    }

    #[test]
    fn same_key_delivers_once() {
        let (mut carrier, mut ids) = new();
        let first = top_up(&mut carrier, &mut ids, "k", 7);
        let second = top_up(&mut carrier, &mut ids, "k", 7);
        assert_eq!(first, second);
        assert_eq!(carrier.balance(ICCID).data_bytes, 7);
        let other = top_up(&mut carrier, &mut ids, "k", 8);
        assert_eq!(other.answer.expect_err("another amount").code, "idempotency_mismatch");
    }

    #[test]
    fn a_refusal_uses_up_no_key() {
        let (mut carrier, mut ids) = new();
        script(&mut carrier, &mut ids, NextTopUp::Refused);
        assert!(top_up(&mut carrier, &mut ids, "k", 7).answer.is_err());
        assert_eq!(carrier.find("k"), None);
        assert!(top_up(&mut carrier, &mut ids, "k", 7).answer.is_ok());
    }

    #[test]
    fn a_lost_answer_is_found_by_key_only_if_it_was_delivered() {
        let (mut carrier, mut ids) = new();
        script(&mut carrier, &mut ids, NextTopUp::AnswerLostAfter);
        assert_eq!(top_up(&mut carrier, &mut ids, "after", 7).transport, Transport::Lost);
        script(&mut carrier, &mut ids, NextTopUp::AnswerLostBefore);
        assert_eq!(top_up(&mut carrier, &mut ids, "before", 7).transport, Transport::Lost);
        assert!(carrier.find("after").is_some());
        assert!(carrier.find("before").is_none());
        assert_eq!(all(&carrier, 0).len(), 1);
        assert_eq!(all(&carrier, 6).len(), 0);
    }

    /// Every page of the statement up to an instant after everything.
    fn all(carrier: &Carrier, from: i64) -> Vec<String> {
        let (from, until) = (Instant::from_micros(from), Instant::from_micros(1_000));
        let mut page = carrier.statement(from, until, None);
        let mut keys = Vec::new();
        loop {
            assert!(page.top_ups.len() <= PAGE);
            keys.extend(page.top_ups.iter().filter_map(|top_up| top_up.key.clone()));
            let Some(next) = page.next else { return keys };
            page = carrier.statement(from, until, Some(&next));
        }
    }

    #[test]
    fn a_statement_has_every_delivery_once_on_however_many_pages() {
        for many in [0, 1, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE, 2 * PAGE + 1] {
            let (mut carrier, mut ids) = new();
            let keys: Vec<String> = (0..many).map(|number| format!("k{number}")).collect();
            for key in &keys {
                top_up(&mut carrier, &mut ids, key, 7).answer.expect("delivered");
            }
            assert_eq!(all(&carrier, 0), keys);
        }
        let (until, nobody) = (Instant::from_micros(1_000), Some("top_nobody"));
        let (mut carrier, mut ids) = new();
        top_up(&mut carrier, &mut ids, "k", 7).answer.expect("delivered");
        assert!(carrier.statement(Instant::from_micros(0), until, nobody).top_ups.is_empty());
    }

    #[test]
    fn nothing_malformed_is_delivered() {
        let (mut carrier, mut ids) = new();
        for (key, bytes) in [("", 7), ("k", 0), ("k", -1)] {
            assert!(top_up(&mut carrier, &mut ids, key, bytes).answer.is_err(), "{key} {bytes}");
        }
        assert_eq!(carrier.balance(ICCID), Given::default());
    }
}
