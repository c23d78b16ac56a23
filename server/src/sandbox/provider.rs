//! The sandbox payment provider as a pure state machine: `(request, now) -> (reply, webhooks)`.
//!
//! Place in the flow: the HTTP face and the in-process one both call [`Provider::handle`]; the
//! journal holds the requests, and replaying them gives the same state to the byte. It never reads
//! a clock, draws randomness, sees a full card number, or moves real money.

mod bank;
pub mod records;
mod returns;
#[cfg(test)]
mod tests;
mod wallet;

use super::cards::{Behaviour, Card, Decline};
use super::{DAY, Ids, Refusal, Reply, on_this_machine, refused};
pub use bank::month_of;
use bank::{Verdict, capture, verdict};
use laika_core::rail::Wallet;
use records::*;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// How long a key is remembered, as at Stripe. After that the same key charges again.
pub const KEY_KEPT: i64 = DAY;
/// How long a hosted card entry stays open.
pub const SETUP_OPEN: i64 = DAY;

/// Everything that changes something. It is what the journal holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
#[allow(missing_docs, reason = "each field names the thing it holds")]
pub enum Request {
    /// A new customer.
    CreateCustomer { metadata: Metadata },
    /// A visit to the hosted card entry.
    CreateSetup { customer: String, return_url: String },
    /// The card typed at the hosted page, already without its number.
    EnterCard { setup: String, card: Card },
    /// A setup may also end in an agreement with a wallet, with these limits.
    OfferAgreement { setup: String, terms: Terms },
    /// The customer agrees to them at the wallet's page.
    Agree { setup: String, wallet: Wallet, fingerprint: String },
    /// The customer leaves the hosted page.
    CancelSetup { setup: String },
    /// The customer's word at the bank's page about a setup or a payment.
    Authenticate { about: String, approved: bool },
    /// A payment method is removed.
    Detach { payment_method: String },
    /// A charge.
    Pay { key: Option<String>, charge: Charge },
    /// Give a payment up before money moves.
    CancelPayment { payment: String },
    /// Give money back.
    Refund { key: Option<String>, payment: String, amount_minor: i64 },
    /// The customer disputes what is left of a payment, at the bank.
    Dispute { payment: String },
    /// The bank decides a dispute, for the merchant or for the customer.
    DecideDispute { dispute: String, won: bool },
    /// What the customer's next charge does.
    Script { customer: String, next: NextCharge },
    /// Where webhooks go.
    SetWebhook { url: String },
    /// A webhook was received.
    Acknowledge { event: String },
}

/// What is answered: always the record itself, as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
#[allow(clippy::large_enum_variant, reason = "one answer exists at a time")]
pub enum Answer {
    /// A customer.
    Customer(Customer),
    /// A setup.
    Setup(Setup),
    /// A payment method.
    PaymentMethod(PaymentMethod),
    /// A payment.
    Payment(Payment),
    /// Nothing to say.
    Done {},
}

/// A key, what it was used for, and what was answered.
#[derive(Clone, Debug)]
struct Kept {
    request: Request,
    answer: Result<Answer, Refusal>,
}

/// Everything the provider knows.
#[derive(Default)]
pub struct Provider {
    customers: BTreeMap<String, Customer>,
    setups: BTreeMap<String, Setup>,
    methods: BTreeMap<String, PaymentMethod>,
    /// In the order they were made.
    payments: Vec<Payment>,
    /// Where each stands among them.
    places: BTreeMap<String, usize>,
    keys: BTreeMap<String, Kept>,
    /// Keys with the time of their first use, oldest first.
    key_ages: VecDeque<(i64, String)>,
    scripts: BTreeMap<String, NextCharge>,
    webhook_url: Option<String>,
    /// Not yet acknowledged, oldest first.
    pending: Vec<Webhook>,
}

impl Provider {
    /// Takes one request. Deterministic: the same requests at the same times give the same state.
    pub fn handle(&mut self, request: Request, now: i64, ids: &mut Ids) -> Reply<Answer> {
        if let Request::Pay { key: Some(key), .. } | Request::Refund { key: Some(key), .. } =
            &request
        {
            let key = key.clone();
            return self.keyed(key, request, now, ids);
        }
        let (answer, transport) = self.act(request, now, ids);
        Reply { answer, transport }
    }

    /// Answers a known key from what is kept, before anything that may have changed is looked at.
    fn keyed(&mut self, key: String, request: Request, now: i64, ids: &mut Ids) -> Reply<Answer> {
        while let Some((at, _)) = self.key_ages.front()
            && now - at >= KEY_KEPT
        {
            let forgotten = self.key_ages.pop_front();
            forgotten.map(|(_, key)| self.keys.remove(&key));
        }
        if let Some(kept) = self.keys.get(&key) {
            let answer = if kept.request == request {
                kept.answer.clone()
            } else {
                refused(409, "idempotency_mismatch", "this key was used for another request")
            };
            return Reply { answer, transport: Transport::Normal };
        }
        let (answer, transport) = self.act(request.clone(), now, ids);
        // Why: nothing happened, so the key is still free, as if the request had never arrived.
        let never_arrived = transport == Transport::Lost && answer.is_err();
        if !never_arrived {
            self.key_ages.push_back((now, key.clone()));
            self.keys.insert(key, Kept { request, answer: answer.clone() });
        }
        Reply { answer, transport }
    }

    fn act(
        &mut self,
        request: Request,
        now: i64,
        ids: &mut Ids,
    ) -> (Result<Answer, Refusal>, Transport) {
        let answer = match request {
            Request::Pay { key, charge } => return self.pay(key, charge, now, ids),
            Request::CreateCustomer { metadata } => {
                let customer = Customer { id: ids.next("cus"), metadata };
                self.customers.insert(customer.id.clone(), customer.clone());
                Ok(Answer::Customer(customer))
            }
            Request::CreateSetup { customer, return_url } => {
                self.create_setup(customer, return_url, now, ids)
            }
            Request::EnterCard { setup, card } => self.enter_card(&setup, card, now, ids),
            Request::OfferAgreement { setup, terms } => self.offer(&setup, terms),
            Request::Agree { setup, wallet, fingerprint } => {
                self.agree(&setup, wallet, fingerprint, now, ids)
            }
            Request::CancelSetup { setup } => self.cancel_setup(&setup),
            Request::Authenticate { about, approved } => {
                if self.setups.contains_key(&about) {
                    self.authenticate_setup(&about, approved, now, ids)
                } else {
                    self.authenticate_payment(&about, approved, now, ids)
                }
            }
            Request::Detach { payment_method } => self.detach(&payment_method),
            Request::CancelPayment { payment } => self.cancel_payment(&payment, now, ids),
            Request::Refund { payment, amount_minor, .. } => {
                self.refund(&payment, amount_minor, now, ids)
            }
            Request::Dispute { payment } => self.dispute(&payment, now, ids),
            Request::DecideDispute { dispute, won } => self.decide(&dispute, won, now, ids),
            Request::Script { customer, next } => {
                self.scripts.insert(customer, next);
                Ok(Answer::Done {})
            }
            Request::SetWebhook { url } if !on_this_machine(&url) => {
                refused(422, "url_refused", "webhooks go to this machine only")
            }
            Request::SetWebhook { url } => {
                self.webhook_url = Some(url);
                Ok(Answer::Done {})
            }
            Request::Acknowledge { event } => {
                self.pending.retain(|webhook| webhook.id != event);
                Ok(Answer::Done {})
            }
        };
        (answer, Transport::Normal)
    }

    fn create_setup(
        &mut self,
        customer: String,
        return_url: String,
        now: i64,
        ids: &mut Ids,
    ) -> Result<Answer, Refusal> {
        if !self.customers.contains_key(&customer) {
            return not_found("customer");
        }
        if !on_this_machine(&return_url) {
            return refused(422, "return_url_refused", "return_url is not on this machine");
        }
        let id = ids.next("set");
        let setup = Setup {
            path: format!("/pay/setup/{id}"),
            id,
            customer,
            return_url,
            status: SetupStatus::Open,
            terms: None,
            payment_method: None,
            created_at: now,
            pending: None,
        };
        self.setups.insert(setup.id.clone(), setup.clone());
        Ok(Answer::Setup(setup))
    }

    fn enter_card(
        &mut self,
        setup: &str,
        card: Card,
        now: i64,
        ids: &mut Ids,
    ) -> Result<Answer, Refusal> {
        let Some(setup) = self.setups.get_mut(setup) else { return not_found("setup") };
        if setup.status != SetupStatus::Open || now - setup.created_at >= SETUP_OPEN {
            return refused(409, "setup_closed", "this card entry is no longer open");
        }
        match card.behaviour {
            Behaviour::DeclinedAtEntry(decline) => Err(declined(decline)),
            Behaviour::Works | Behaviour::DeclinedLater(_) => {
                let id = setup.id.clone();
                self.attach(&id, Instrument::Card(card), now, ids)
            }
            Behaviour::AuthenticatesAtEntry
            | Behaviour::AuthenticatesAlways
            | Behaviour::AuthenticatesThenDeclined(_) => {
                setup.status = SetupStatus::RequiresAction;
                setup.pending = Some(card);
                Ok(Answer::Setup(setup.clone()))
            }
        }
    }

    fn attach(
        &mut self,
        setup: &str,
        instrument: Instrument,
        now: i64,
        ids: &mut Ids,
    ) -> Result<Answer, Refusal> {
        let Some(setup) = self.setups.get_mut(setup) else { return not_found("setup") };
        let method = PaymentMethod {
            id: ids.next("pm"),
            customer: setup.customer.clone(),
            instrument,
            attached: true,
        };
        setup.status = SetupStatus::Succeeded;
        setup.payment_method = Some(method.id.clone());
        setup.pending = None;
        let setup = setup.clone();
        self.methods.insert(method.id.clone(), method);
        self.tell("setup.succeeded", &setup.id, now, ids);
        Ok(Answer::Setup(setup))
    }

    fn cancel_setup(&mut self, setup: &str) -> Result<Answer, Refusal> {
        let Some(setup) = self.setups.get_mut(setup) else { return not_found("setup") };
        if setup.status != SetupStatus::Succeeded {
            setup.status = SetupStatus::Cancelled;
            setup.pending = None;
        }
        Ok(Answer::Setup(setup.clone()))
    }

    fn authenticate_setup(
        &mut self,
        id: &str,
        approved: bool,
        now: i64,
        ids: &mut Ids,
    ) -> Result<Answer, Refusal> {
        let Some(setup) = self.setups.get_mut(id) else { return not_found("setup") };
        let Some(card) = setup.pending.take() else {
            return refused(409, "setup_closed", "nothing to confirm here");
        };
        if approved {
            return self.attach(id, Instrument::Card(card), now, ids);
        }
        // The customer may try another card on the same page.
        setup.status = SetupStatus::Open;
        Err(declined(Decline::AuthenticationFailed))
    }

    fn detach(&mut self, id: &str) -> Result<Answer, Refusal> {
        let Some(method) = self.methods.get_mut(id) else { return not_found("payment method") };
        method.attached = false;
        Ok(Answer::PaymentMethod(method.clone()))
    }

    fn pay(
        &mut self,
        key: Option<String>,
        charge: Charge,
        now: i64,
        ids: &mut Ids,
    ) -> (Result<Answer, Refusal>, Transport) {
        let instrument = match self.chargeable(&charge, now) {
            Ok(instrument) => instrument,
            Err(refusal) => return (Err(refusal), Transport::Normal),
        };
        let script = self.scripts.remove(&charge.customer);
        if script == Some(NextCharge::AnswerLostBefore) {
            return (refused(503, "lost", "the request was lost"), Transport::Lost);
        }
        let (verdict, transport) = verdict(instrument.as_ref(), script, now);
        let id = ids.next("pay");
        let mut payment = Payment {
            id: id.clone(),
            charge,
            idempotency_key: key,
            status: PaymentStatus::Declined,
            decline: None,
            action_path: None,
            captured_minor: 0,
            refunds: Vec::new(),
            disputes: Vec::new(),
            created_at: now,
            captured_at: None,
        };
        let kind = match verdict {
            Verdict::Capture { extra_minor } => {
                capture(&mut payment, extra_minor, now);
                self.debited(&payment, now);
                "payment.succeeded"
            }
            Verdict::Decline(decline) => {
                payment.decline = Some(decline);
                "payment.declined"
            }
            Verdict::AskCustomer => {
                payment.status = PaymentStatus::RequiresAction;
                payment.action_path = Some(format!("/pay/authenticate/{id}"));
                "payment.requires_action"
            }
        };
        self.places.insert(id.clone(), self.payments.len());
        self.payments.push(payment.clone());
        // Why: where the network loses the answer it loses the webhook as well, so that the caller
        // is left not knowing, as it can be in earnest.
        if transport != Transport::Lost {
            self.tell(kind, &id, now, ids);
        }
        (Ok(Answer::Payment(payment)), transport)
    }

    /// The card or the agreement of a charge that may be asked for at all; nothing where it is a
    /// wallet without one, which the customer confirms each time.
    fn chargeable(&self, charge: &Charge, now: i64) -> Result<Option<Instrument>, Refusal> {
        if charge.amount_minor <= 0 {
            return refused(422, "amount_refused", "amount_minor must be more than zero");
        }
        if charge.currency.len() != 3 || !charge.currency.bytes().all(|b| b.is_ascii_uppercase()) {
            return refused(422, "currency_refused", "currency must be an ISO 4217 code");
        }
        if !on_this_machine(&charge.return_url) {
            return refused(422, "return_url_refused", "return_url is not on this machine");
        }
        if Wallet::of_code(&charge.payment_method).is_some() {
            let known = self.customers.contains_key(&charge.customer);
            return if known { Ok(None) } else { not_found("customer") };
        }
        match self.methods.get(&charge.payment_method) {
            Some(method) if method.customer == charge.customer && method.attached => {
                if let Instrument::Wallet(wallet) = &method.instrument {
                    wallet.allows(charge, now)?;
                }
                Ok(Some(method.instrument.clone()))
            }
            _ => not_found("payment method"),
        }
    }

    fn authenticate_payment(
        &mut self,
        id: &str,
        approved: bool,
        now: i64,
        ids: &mut Ids,
    ) -> Result<Answer, Refusal> {
        let payment = self.waiting(id)?;
        payment.action_path = None;
        let kind = if approved {
            capture(payment, 0, now);
            "payment.succeeded"
        } else {
            payment.status = PaymentStatus::Declined;
            payment.decline = Some(Decline::AuthenticationFailed);
            "payment.declined"
        };
        let payment = payment.clone();
        self.debited(&payment, now);
        self.tell(kind, id, now, ids);
        Ok(Answer::Payment(payment))
    }

    fn cancel_payment(&mut self, id: &str, now: i64, ids: &mut Ids) -> Result<Answer, Refusal> {
        if let Some(payment) = self.payment(id)
            && payment.status == PaymentStatus::Cancelled
        {
            return Ok(Answer::Payment(payment.clone()));
        }
        let payment = self.waiting(id)?;
        payment.status = PaymentStatus::Cancelled;
        payment.action_path = None;
        let payment = payment.clone();
        self.tell("payment.cancelled", id, now, ids);
        Ok(Answer::Payment(payment))
    }

    /// A payment that still waits for its customer.
    fn waiting(&mut self, id: &str) -> Result<&mut Payment, Refusal> {
        match self.payment_mut(id) {
            None => not_found("payment"),
            Some(payment) if payment.status == PaymentStatus::RequiresAction => Ok(payment),
            Some(_) => refused(409, "payment_closed", "this payment is already decided"),
        }
    }

    fn tell(&mut self, kind: &str, about: &str, now: i64, ids: &mut Ids) {
        self.pending.push(Webhook {
            id: ids.next("evt"),
            kind: kind.to_owned(),
            about: about.to_owned(),
            created_at: now,
        });
    }

    /// A setup, for the hosted page and for the caller.
    pub fn setup(&self, id: &str) -> Option<&Setup> {
        self.setups.get(id)
    }

    /// A payment method by its token.
    pub fn payment_method(&self, id: &str) -> Option<&PaymentMethod> {
        self.methods.get(id)
    }

    /// A payment by its id.
    pub fn payment(&self, id: &str) -> Option<&Payment> {
        self.payments.get(*self.places.get(id)?)
    }

    fn payment_mut(&mut self, id: &str) -> Option<&mut Payment> {
        self.payments.get_mut(*self.places.get(id)?)
    }

    /// Payments in the order they were made.
    pub fn payments(&self) -> &[Payment] {
        &self.payments
    }

    /// Where webhooks go and which wait, oldest first.
    pub fn outstanding(&self) -> (Option<&str>, &[Webhook]) {
        (self.webhook_url.as_deref(), &self.pending)
    }
}

fn not_found<T>(what: &str) -> Result<T, Refusal> {
    refused(404, "not_found", &format!("no such {what}"))
}

fn declined(decline: Decline) -> Refusal {
    Refusal {
        status: 402,
        code: "card_declined".to_owned(),
        detail: "the bank refused this card".to_owned(),
        decline: Some(decline),
    }
}
