//! Stripe's records in our terms. What makes no sense is no answer; it is never a "no".
//!
//! Only the fields named here are read, and nothing of a card but what a person knows it by.

mod statement;

use super::{amount, decline};
use crate::{
    gateway::{
        Attached, Dispute, Failure, KeptMethod, NOT_FOUND, Payment, PaymentState, SetupState,
    },
    outbound::{Answered, NoAnswer},
};
use laika_core::{
    money::Money,
    rail::{Rail, Wallet},
    returns::DisputeStatus,
    time::Span,
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use std::collections::BTreeMap;

/// Ways of paying at Stripe, with what each can do by itself.
///
/// *Source*: Stripe's documentation of each, read 2026-11: cards are kept for off-session payments;
/// Alipay and WeChat Pay are single-use, the customer confirms each payment.
const WAYS: [(&str, Rail); 3] = [
    ("card", Rail::Card),
    (Wallet::Alipay.code(), Rail::OnSession),
    (Wallet::WechatPay.code(), Rail::OnSession),
];

/// The ways that can be kept and charged while the customer is away.
pub(super) fn kept_ways() -> impl Iterator<Item = &'static str> {
    WAYS.iter().filter(|(_, rail)| rail.facts().off_session).map(|(kind, _)| *kind)
}

/// A list, one page of it.
#[derive(Debug, Deserialize)]
pub(super) struct Page<T> {
    pub(super) data: Vec<T>,
    pub(super) has_more: bool,
}

/// Anything of which only the name matters.
#[derive(Debug, Deserialize)]
pub(super) struct Named {
    pub(super) id: String,
}

/// A visit to the hosted page.
#[derive(Debug, Deserialize)]
pub(super) struct CheckoutSession {
    pub(super) id: String,
    pub(super) url: Option<String>,
    status: Option<String>,
    setup_intent: Option<SetupIntent>,
}

#[derive(Debug, Deserialize)]
struct SetupIntent {
    status: String,
    payment_method: Option<PaymentMethod>,
}

/// A kept way of paying.
#[derive(Debug, Deserialize)]
pub(super) struct PaymentMethod {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    card: Option<Card>,
    customer: Option<Belonging>,
}

#[derive(Debug, Deserialize)]
struct Card {
    brand: String,
    funding: String,
    last4: String,
    exp_month: u32,
    exp_year: i32,
    fingerprint: String,
}

/// A payment.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct PaymentIntent {
    pub(super) id: String,
    status: String,
    currency: String,
    #[serde(default)]
    created: i64,
    amount_received: Option<i64>,
    #[serde(default)]
    pub(super) metadata: BTreeMap<String, String>,
    next_action: Option<Value>,
    last_payment_error: Option<PaymentError>,
    latest_charge: Option<Value>,
}

#[derive(Clone, Debug, Deserialize)]
struct PaymentError {
    code: Option<String>,
    decline_code: Option<String>,
    advice_code: Option<String>,
    payment_method: Option<MethodOfError>,
}

#[derive(Clone, Debug, Deserialize)]
struct MethodOfError {
    id: String,
}

/// A refund.
#[derive(Debug, Deserialize)]
pub(super) struct Refund {
    pub(super) id: String,
    #[serde(default)]
    amount: i64,
    #[serde(default)]
    created: i64,
    pub(super) payment_intent: Option<String>,
    pub(super) status: Option<String>,
    pub(super) failure_reason: Option<String>,
}

/// A dispute.
#[derive(Debug, Deserialize)]
pub(super) struct DisputeRecord {
    pub(super) id: String,
    payment_intent: Option<Belonging>,
    #[serde(default)]
    amount: Option<i64>,
    #[serde(default)]
    currency: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    created: i64,
    #[serde(default)]
    balance_transactions: Vec<BalanceTransaction>,
    payment_method_details: Option<DisputedMethod>,
}

/// Another record that one belongs to: whole where that was asked for.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Belonging {
    Named(String),
    Whole {
        id: String,
        #[serde(default)]
        metadata: BTreeMap<String, String>,
    },
}

/// What of the method a dispute is about.
#[derive(Debug, Deserialize)]
struct DisputedMethod {
    card: Option<DisputedCard>,
}

#[derive(Debug, Deserialize)]
struct DisputedCard {
    case_type: Option<String>,
}

/// Money that a dispute moved.
#[derive(Debug, Deserialize)]
struct BalanceTransaction {
    #[serde(default)]
    amount: i64,
    created: i64,
}

/// What Stripe says instead of doing it.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Problem {
    #[serde(skip)]
    pub(super) status: u16,
    #[serde(skip)]
    retry_after: Option<Span>,
    #[serde(default, rename = "type")]
    kind: String,
    code: Option<String>,
    param: Option<String>,
    pub(super) payment_intent: Option<PaymentIntent>,
}

#[derive(Deserialize)]
struct Error {
    error: Problem,
}

/// Reads a body. *Errors*: where it could not be read, and nothing of what stands there.
pub(super) fn json<T: DeserializeOwned>(answered: &Answered) -> Result<T, NoAnswer> {
    serde_json::from_slice(&answered.body).map_err(|error| {
        let column = error.column();
        NoAnswer::unknown(format!("status {}, unreadable at column {column}", answered.status))
    })
}

/// What a status outside 2xx says.
pub(super) fn problem(answered: &Answered) -> Problem {
    let told = json(answered).map(|Error { error }| error).unwrap_or_default();
    Problem { status: answered.status, retry_after: answered.retry_after, ..told }
}

impl Problem {
    /// What it means for anything but a charge: only a refusal that names itself is a definite no.
    pub(super) fn failure(&self) -> Failure {
        let invalid = self.kind == "invalid_request_error";
        match (self.status, self.code.as_deref()) {
            (404, _) if invalid => Failure::Refused { code: "not_found".to_owned() },
            (400, Some("resource_missing")) if invalid => {
                Failure::Refused { code: "not_found".to_owned() }
            }
            (400, Some(code)) if invalid => Failure::Refused { code: code.to_owned() },
            _ => self.unknown(),
        }
    }

    /// What it means for a request that makes a payment. A 400 that names no payment made none, now
    /// or when it was first given: under the same key the same answer comes again.
    ///
    /// *Shape*: it does not say whose fault it was, unless [`decline::is_named`].
    pub(super) fn of_charge(&self, way: &str) -> Failure {
        let code = self.code.as_deref();
        let param = self.param.as_deref().unwrap_or_default();
        let refused = |code: &str| Failure::Refused { code: code.to_owned() };
        // Why: a way of paying that the account does not have is refused before anything is made,
        // and mostly without a code.
        let ways = ["payment_method_types", "payment_method_data", "payment_method_options"];
        let about_wallet = way != "card" && ways.iter().any(|way| param.starts_with(way));
        let made = self.payment_intent.is_some() || code.is_some_and(decline::is_about_another);
        if self.kind != "invalid_request_error" || made {
            return self.unknown();
        }
        match (self.status, code) {
            (400 | 404, Some("resource_missing"))
                if matches!(param, "payment_method" | "customer") =>
            {
                refused(NOT_FOUND)
            }
            (400, _) if about_wallet => refused(decline::NO_WALLET),
            (400, code) => refused(code.unwrap_or("no_code")),
            _ => self.unknown(),
        }
    }

    /// What it means for a request about a payment that is there already: nothing. Whatever is
    /// wrong with the request, the payment stands as it stood, and only looking tells how.
    pub(super) fn of_payment(&self) -> Failure {
        self.unknown()
    }

    fn unknown(&self) -> Failure {
        let code = self.code.as_deref().unwrap_or("no code");
        Failure::Unknown(NoAnswer {
            why: format!("status {}, {}, {code}", self.status, self.kind),
            // Why: these turn a request away at the door, before anything is looked at or done.
            never_sent: matches!(self.status, 401 | 403 | 429),
            retry_after: self.retry_after,
        })
    }
}

impl PaymentIntent {
    /// The payment in our terms.
    pub(super) fn payment(self) -> Result<Payment, Failure> {
        let state = self.state()?;
        let refunded = self.latest_charge.as_ref().and_then(|c| c["amount_refunded"].as_i64());
        let refunded = refunded.unwrap_or(0);
        let refunded = amount::from_stripe(refunded, &self.currency)
            .ok_or_else(|| self.nonsense("an amount that was refunded"))?;
        let metadata = |name: &str| self.metadata.get(name).cloned();
        Ok(Payment {
            key: metadata("key"),
            account_id: metadata("account_id"),
            recharge_id: metadata("recharge_id"),
            attempt: metadata("attempt").and_then(|attempt| attempt.parse().ok()),
            state,
            refunded_minor: refunded.amount_minor,
            id: self.id,
        })
    }

    fn state(&self) -> Result<PaymentState, Failure> {
        Ok(match (self.status.as_str(), &self.last_payment_error) {
            ("succeeded", _) => {
                let received = self.amount_received;
                let amount = received.and_then(|it| amount::from_stripe(it, &self.currency));
                let amount = amount.ok_or_else(|| self.nonsense("an amount that was received"))?;
                PaymentState::Captured { amount }
            }
            ("canceled", _) => PaymentState::Cancelled,
            ("requires_action", _) => match self.page() {
                Some(url) => PaymentState::ActionRequired { url },
                None => PaymentState::Undecided,
            },
            ("requires_payment_method", Some(error)) => match error.name() {
                _ if error.wants_the_customer() => PaymentState::Unasked,
                Some(code) => {
                    let hard = decline::is_hard(code, error.advice_code.as_deref());
                    PaymentState::Declined { code: code.to_owned(), hard }
                }
                None => PaymentState::Undecided,
            },
            _ => PaymentState::Undecided,
        })
    }

    /// Where the customer can act.
    fn page(&self) -> Option<String> {
        let action = self.next_action.as_ref()?;
        let url = match action["type"].as_str()? {
            "redirect_to_url" => &action["redirect_to_url"]["url"],
            "alipay_handle_redirect" => &action["alipay_handle_redirect"]["url"],
            "wechat_pay_display_qr_code" => {
                &action["wechat_pay_display_qr_code"]["hosted_instructions_url"]
            }
            _ => return None,
        };
        url.as_str().filter(|url| url.starts_with("http")).map(str::to_owned)
    }

    /// What was to be charged when the bank asked for the customer.
    pub(super) fn method_of_error(&self) -> Option<&str> {
        let method = self.last_payment_error.as_ref()?.payment_method.as_ref()?;
        Some(&method.id)
    }

    pub(super) fn nonsense(&self, what: &str) -> Failure {
        let why = format!("payment {}: {what} that makes no sense", self.id);
        Failure::Unknown(NoAnswer::unknown(why))
    }
}

impl PaymentError {
    /// Whether the bank wants the customer.
    ///
    /// *Source*: Stripe's documentation, "Error codes" and "Decline codes", read 2026-11: the code
    /// is `authentication_required`, the bank's own reason that or `authentication_not_handled`.
    fn wants_the_customer(&self) -> bool {
        let wants = |code: &str| code == "authentication_required";
        let reason = self.decline_code.as_deref();
        self.code.as_deref().is_some_and(wants)
            || reason.is_some_and(|code| wants(code) || code == "authentication_not_handled")
    }

    /// The bank's reason where there is one, otherwise Stripe's.
    fn name(&self) -> Option<&str> {
        self.decline_code.as_deref().or(self.code.as_deref())
    }
}

impl CheckoutSession {
    /// How the visit stands.
    pub(super) fn state(self) -> Result<SetupState, Failure> {
        let nonsense = |why: &str| {
            let why = format!("setup {}: {why}", self.id);
            Failure::Unknown(NoAnswer::unknown(why))
        };
        let intent = match (self.status.as_deref(), self.setup_intent) {
            (Some("open"), _) => return Ok(SetupState::Open),
            (Some("expired"), _) => return Ok(SetupState::Cancelled),
            (Some("complete"), Some(intent)) => intent,
            _ => return Err(nonsense("neither open nor complete nor expired")),
        };
        let method = match (intent.status.as_str(), intent.payment_method) {
            // Why: detached since, it can never be charged.
            ("succeeded", Some(method)) if method.customer.is_none() => {
                return Ok(SetupState::Cancelled);
            }
            ("succeeded", Some(method)) => method,
            ("processing" | "requires_action", _) => return Ok(SetupState::Open),
            ("canceled", _) => return Ok(SetupState::Cancelled),
            _ => return Err(nonsense("complete, and no payment method")),
        };
        let attached = method.attached();
        attached.map(SetupState::Attached).ok_or_else(|| nonsense("a way that was not offered"))
    }
}

impl PaymentMethod {
    /// Whose it is, while it is anybody's.
    pub(super) fn customer(&self) -> Option<&str> {
        self.customer.as_ref().map(Belonging::id)
    }

    /// As it is kept, if it is.
    pub(super) fn kept(self) -> Result<Option<KeptMethod>, Failure> {
        let Some(customer) = &self.customer else { return Ok(None) };
        let account_id = customer.metadata("account_id").cloned();
        let why = format!("payment method {}: none that is kept", self.id);
        let attached = self.attached().ok_or(Failure::Unknown(NoAnswer::unknown(why)))?;
        Ok(Some(KeptMethod { account_id, attached }))
    }

    /// In our terms, where it is a way that we know.
    fn attached(self) -> Option<Attached> {
        let rail = WAYS.iter().find(|(kind, _)| *kind == self.kind).map(|(_, rail)| *rail)?;
        let card = self.card.filter(|_| rail == Rail::Card)?;
        Some(Attached {
            token: self.id,
            rail,
            brand: card.brand,
            funding: card.funding,
            last4: card.last4,
            exp_month: card.exp_month,
            exp_year: card.exp_year,
            fingerprint: card.fingerprint,
            agreed: None,
        })
    }
}

impl Belonging {
    fn id(&self) -> &str {
        match self {
            Belonging::Named(id) | Belonging::Whole { id, .. } => id,
        }
    }

    fn metadata(&self, name: &str) -> Option<&String> {
        match self {
            Belonging::Named(_) => None,
            Belonging::Whole { metadata, .. } => metadata.get(name),
        }
    }
}

impl DisputeRecord {
    /// The status, in place of `prevented` what that came to: such a dispute was either blocked,
    /// which moves nothing, or resolved by giving the customer the money.
    ///
    /// *Source*: Stripe's changelog of 2025-08-27, case types `block` and `resolution`; the
    /// dispute's balance transactions; read 2026-11.
    fn came_to(&self) -> &str {
        if self.status != "prevented" {
            return &self.status;
        }
        let card = self.payment_method_details.as_ref().and_then(|of| of.card.as_ref());
        let moved = self.balance_transactions.iter().map(|moved| moved.amount);
        match card.and_then(|card| card.case_type.as_deref()) {
            Some("resolution") => "lost",
            Some("block") => "warning_closed",
            _ if moved.fold(0, i64::saturating_add) < 0 => "lost",
            _ => "warning_closed",
        }
    }

    /// The payment it is about.
    pub(super) fn payment(&self) -> Option<&str> {
        self.payment_intent.as_ref().map(Belonging::id)
    }

    /// Whether it is known to be about no charge of ours: others may use the same account.
    pub(super) fn is_anothers(&self) -> bool {
        match &self.payment_intent {
            Some(Belonging::Named(_)) => false,
            Some(whole) => whole.metadata("recharge_id").is_none(),
            // Why: all our charges are payments.
            None => true,
        }
    }

    fn amount(&self) -> Option<Money> {
        amount::from_stripe(self.amount?, &self.currency)
    }

    /// The dispute in our terms. A status that is not known is open: the rule waits.
    pub(super) fn dispute(self) -> Result<Dispute, Failure> {
        let amount = self.amount().ok_or_else(|| {
            let why = format!("dispute {}: an amount that makes no sense", self.id);
            Failure::Unknown(NoAnswer::unknown(why))
        })?;
        let status = match self.came_to() {
            "won" | "warning_closed" => DisputeStatus::Won,
            "lost" => DisputeStatus::Lost,
            "warning_needs_response" | "warning_under_review" => DisputeStatus::Inquiry,
            _ => DisputeStatus::Open,
        };
        let payment = self.payment().map(str::to_owned);
        Ok(Dispute { id: self.id, payment, amount, status })
    }
}

#[cfg(test)]
mod tests;
