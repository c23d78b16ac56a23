//! The sandbox provider as a gateway: over HTTP, as a real one would be reached.

mod statement;

use super::{
    Agreed, Attached, Charge, Failure, KeptMethod, Payment, PaymentState, Search, Setup, SetupState,
};
#[cfg(test)]
use crate::simulator::defects::{Defect, planted};
use crate::{
    clock::{Clock, Theirs},
    outbound::{Answered, NoAnswer, Outbound},
    sandbox::{
        API_KEY, NOW_HEADER, Refusal,
        cards::Decline,
        provider::records::{self, Instrument, NextCharge, PaymentStatus, SetupStatus},
    },
};
use laika_core::{
    api::Language,
    id::IdempotencyKey,
    money::{Currency, Money},
    rail::Rail,
    time::Instant,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::sync::Arc;

/// Where the sandbox is, and the server's time for it.
#[derive(Clone, Debug)]
pub struct SandboxGateway {
    client: Outbound,
    origin: String,
    now: Instant,
    theirs: Arc<Theirs>,
}

impl SandboxGateway {
    /// The sandbox at an origin. It follows the rules' time; what its machine says of its own time
    /// is kept in `theirs`.
    pub fn new(
        client: Outbound,
        origin: String,
        clock: &Clock,
        theirs: Arc<Theirs>,
    ) -> SandboxGateway {
        SandboxGateway { client, origin, now: clock.now(), theirs }
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        method: &str,
        path: &str,
        key: Option<&str>,
        body: Value,
    ) -> Result<T, Failure> {
        let url = format!("{}/provider/v1{path}", self.origin);
        let answered = send(&self.client, self.now, method, &url, key, &body).await?;
        if let Some(told_at) = answered.told_at {
            self.theirs.told(told_at);
        }
        match answered.status {
            200..=299 => Ok(answered.json()?),
            _ => Err(refusal(&answered)),
        }
    }

    pub(super) async fn create_customer(&self, account_id: &str) -> Result<String, Failure> {
        let body = json!({ "metadata": { "account_id": account_id } });
        let customer: records::Customer = self.ask("POST", "/customers", None, body).await?;
        Ok(customer.id)
    }

    pub(super) async fn create_setup(
        &self,
        customer: &str,
        back: &str,
        language: Language,
        agreement: Option<Agreed>,
    ) -> Result<Setup, Failure> {
        let terms = agreement.map(|agreed| records::Terms {
            currency: agreed.most_per_debit.currency.code().to_owned(),
            most_per_debit_minor: agreed.most_per_debit.amount_minor,
            total_minor: agreed.total_minor,
            debits_most: agreed.debits_most,
        });
        let body = json!({ "customer": customer, "return_url": back, "terms": terms });
        let setup: records::Setup = self.ask("POST", "/setups", None, body).await?;
        let url = format!("{}{}?lang={}", self.origin, setup.path, language.tag());
        Ok(Setup { url, id: setup.id })
    }

    pub(super) async fn setup(&self, id: &str) -> Result<SetupState, Failure> {
        let path = format!("/setups/{id}");
        let setup: records::Setup = self.ask("GET", &path, None, Value::Null).await?;
        let token = match (setup.status, setup.payment_method) {
            (SetupStatus::Open | SetupStatus::RequiresAction, _) => return Ok(SetupState::Open),
            (SetupStatus::Cancelled, _) => return Ok(SetupState::Cancelled),
            (SetupStatus::Succeeded, Some(token)) => token,
            (SetupStatus::Succeeded, None) => {
                let why = "a setup succeeded without a payment method".to_owned();
                return Err(NoAnswer::unknown(why).into());
            }
        };
        Ok(SetupState::Attached(attached(self.method(&token).await?)?))
    }

    async fn method(&self, token: &str) -> Result<records::PaymentMethod, Failure> {
        self.ask("GET", &format!("/payment-methods/{token}"), None, Value::Null).await
    }

    /// It renews no cards, and is asked for them like any other.
    pub(super) async fn kept(&self, token: &str) -> Result<Option<KeptMethod>, Failure> {
        let method = self.method(token).await?;
        if !method.attached {
            return Ok(None);
        }
        Ok(Some(KeptMethod { account_id: None, attached: attached(method)? }))
    }

    pub(super) async fn detach(&self, token: &str) -> Result<(), Failure> {
        let path = format!("/payment-methods/{token}");
        let _: Value = self.ask("DELETE", &path, None, Value::Null).await?;
        Ok(())
    }

    pub(super) async fn charge(&self, charge: &Charge) -> Result<Payment, Failure> {
        let body = json!({
            "customer": charge.customer,
            "payment_method": charge.token,
            "amount_minor": asked_minor(charge),
            "currency": charge.amount.currency,
            "return_url": charge.return_url,
            "metadata": {
                "account_id": charge.account_id,
                "recharge_id": charge.recharge_id,
                "attempt": charge.attempt.to_string(),
            },
        });
        let payment = self.ask("POST", "/payments", Some(charge.key.as_str()), body).await?;
        self.read(payment)
    }

    pub(super) async fn find(&self, search: &Search<'_>) -> Result<Vec<Payment>, Failure> {
        let mut found = self.payments(&format!("key={}", search.key)).await?;
        for listed in self.payments(&format!("recharge_id={}", search.recharge_id)).await? {
            let same = listed.attempt == Some(search.attempt);
            if same && !found.iter().any(|payment| payment.id == listed.id) {
                found.push(listed);
            }
        }
        Ok(found)
    }

    pub(super) async fn list(&self, since: i64) -> Result<Vec<Payment>, Failure> {
        self.payments(&format!("since={since}")).await
    }

    async fn payments(&self, query: &str) -> Result<Vec<Payment>, Failure> {
        let path = format!("/payments?{query}");
        self.listed(&path).await?.into_iter().map(|payment| self.read(payment)).collect()
    }

    async fn listed(&self, path: &str) -> Result<Vec<records::Payment>, Failure> {
        #[derive(serde::Deserialize)]
        struct List {
            payments: Vec<records::Payment>,
        }
        let list: List = self.ask("GET", path, None, Value::Null).await?;
        Ok(list.payments)
    }

    pub(super) async fn payment(&self, id: &str) -> Result<Payment, Failure> {
        let payment = self.ask("GET", &format!("/payments/{id}"), None, Value::Null).await?;
        self.read(payment)
    }

    pub(super) async fn cancel(&self, payment: &str) -> Result<Payment, Failure> {
        let path = format!("/payments/{payment}/cancel");
        let payment = self.ask("POST", &path, None, Value::Null).await?;
        self.read(payment)
    }

    pub(super) async fn refund(
        &self,
        key: &IdempotencyKey,
        payment: &str,
        amount: Money,
    ) -> Result<String, Failure> {
        let path = format!("/payments/{payment}/refunds");
        let body = json!({ "amount_minor": amount.amount_minor });
        let payment: records::Payment = self.ask("POST", &path, Some(key.as_str()), body).await?;
        // Why the last: a repeated key is answered with the payment as it was the first time.
        payment.refunds.last().map(|refund| refund.id.clone()).ok_or_else(|| {
            let why = format!("payment {}: refunded without a refund", payment.id);
            NoAnswer::unknown(why).into()
        })
    }

    pub(super) async fn announce(&self, url: &str) -> Result<(), Failure> {
        let _: Value = self.ask("PUT", "/webhook", None, json!({ "url": url })).await?;
        Ok(())
    }

    /// Scripts the customer's next charge.
    pub async fn script(&self, customer: &str, next: NextCharge) -> Result<(), Failure> {
        let path = format!("/customers/{customer}/next-charge");
        let _: Value = self.ask("PUT", &path, None, json!({ "next": next })).await?;
        Ok(())
    }

    /// The provider's record in our terms. One that makes no sense is no answer.
    fn read(&self, payment: records::Payment) -> Result<Payment, Failure> {
        let nonsense = |why: &str| {
            let why = format!("payment {}: {why}", payment.id);
            Failure::Unknown(NoAnswer::unknown(why))
        };
        let state = match payment.status {
            PaymentStatus::Succeeded => {
                let currency = Currency::from_code(&payment.charge.currency)
                    .ok_or_else(|| nonsense("an unknown currency"))?;
                PaymentState::Captured { amount: Money::new(payment.captured_minor, currency) }
            }
            PaymentStatus::Declined => {
                let decline = payment.decline.ok_or_else(|| nonsense("declined without a code"))?;
                PaymentState::Declined { code: code(decline), hard: hard(decline) }
            }
            PaymentStatus::RequiresAction => {
                let path =
                    payment.action_path.as_ref().ok_or_else(|| nonsense("no page to act on"))?;
                PaymentState::ActionRequired { url: format!("{}{path}", self.origin) }
            }
            PaymentStatus::Cancelled => PaymentState::Cancelled,
        };
        let metadata = |name: &str| payment.charge.metadata.get(name).cloned();
        Ok(Payment {
            refunded_minor: payment.refunded_minor(),
            account_id: metadata("account_id"),
            recharge_id: metadata("recharge_id"),
            attempt: metadata("attempt").and_then(|attempt| attempt.parse().ok()),
            id: payment.id,
            key: payment.idempotency_key,
            state,
        })
    }
}

/// How much to ask for.
fn asked_minor(charge: &Charge) -> i64 {
    #[cfg(test)]
    if planted(Defect::TimesAHundred) && charge.amount.currency.exponent() == 0 {
        return charge.amount.amount_minor.saturating_mul(100);
    }
    charge.amount.amount_minor
}

/// One request to the sandbox, with the key, the server's time, and JSON both ways.
async fn send(
    client: &Outbound,
    now: Instant,
    method: &str,
    url: &str,
    key: Option<&str>,
    body: &Value,
) -> Result<Answered, NoAnswer> {
    let bearer = format!("Bearer {API_KEY}");
    let now = now.micros().to_string();
    let mut headers = vec![
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
        (NOW_HEADER, now.as_str()),
    ];
    headers.extend(key.map(|key| ("idempotency-key", key)));
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    client.send(method, url, &headers, body).await
}

/// What a status outside 2xx means: only a refusal that names itself is a definite no.
fn refusal(answered: &Answered) -> Failure {
    let definite = matches!(answered.status, 402 | 404 | 409 | 410 | 422);
    match answered.json::<Refusal>() {
        // Why: a key that was used for another request says nothing about this one's money.
        Ok(refusal) if definite && refusal.code != "idempotency_mismatch" => {
            Failure::Refused { code: refusal.code }
        }
        _ => Failure::Unknown(NoAnswer::unknown(format!("status {}", answered.status))),
    }
}

/// A card or a wallet in our terms.
fn attached(method: records::PaymentMethod) -> Result<Attached, Failure> {
    Ok(match method.instrument {
        Instrument::Card(card) => Attached {
            token: method.id,
            rail: Rail::Card,
            brand: brand(&card.brand),
            funding: card.funding,
            last4: card.last4,
            exp_month: card.exp_month,
            exp_year: card.exp_year,
            fingerprint: card.fingerprint,
            agreed: None,
        },
        Instrument::Wallet(wallet) => {
            let terms = wallet.terms;
            let currency = Currency::from_code(&terms.currency).ok_or_else(|| {
                NoAnswer::unknown(format!("agreement {}: an unknown currency", method.id))
            })?;
            Attached {
                token: method.id,
                rail: wallet.kind.agreed_rail(),
                brand: wallet.kind.name().to_owned(),
                funding: "wallet".to_owned(),
                last4: String::new(),
                exp_month: 0,
                exp_year: 0,
                fingerprint: wallet.fingerprint,
                agreed: Some(Agreed {
                    cycle_days: wallet.cycle_days,
                    most_per_debit: Money::new(terms.most_per_debit_minor, currency),
                    total_minor: terms.total_minor,
                    debits_most: terms.debits_most,
                }),
            }
        }
    })
}

/// *Source*: Stripe's decline codes, read 2026-11: these never succeed with the same card.
fn hard(decline: Decline) -> bool {
    match decline {
        Decline::LostCard | Decline::StolenCard | Decline::ExpiredCard => true,
        Decline::IncorrectCvc | Decline::TestModeLiveCard => true,
        Decline::GenericDecline | Decline::InsufficientFunds => false,
        Decline::ProcessingError | Decline::AuthenticationFailed => false,
    }
}

/// The brand as its owner writes it.
fn brand(name: &str) -> String {
    match name {
        "visa" => "Visa",
        "mastercard" => "Mastercard",
        "amex" => "American Express",
        "unionpay" => "UnionPay",
        "discover" => "Discover",
        "diners" => "Diners Club",
        "jcb" => "JCB",
        other => other,
    }
    .to_owned()
}

fn code(decline: Decline) -> String {
    match serde_json::to_value(decline) {
        Ok(Value::String(code)) => code,
        _ => "declined".to_owned(),
    }
}
