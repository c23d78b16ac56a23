//! The payment gateway as the flow sees it: an enum of those we speak, exhaustive, without mocks.
//!
//! Place in the flow: `flow/perform` calls it, never inside a database transaction, and turns what
//! it says into facts. An answer that cannot be trusted is [`NoAnswer`]: unknown, never "no".

mod sandbox;
pub(crate) mod stripe;

use crate::outbound::NoAnswer;
use laika_core::{
    api::Language,
    id::{AccountId, IdempotencyKey, RechargeId},
    money::{Currency, Money},
    rail::{Rail, Wallet},
    reconcile::{self, Statement},
    returns::DisputeStatus,
    time::Instant,
};
use std::fmt;

pub use sandbox::SandboxGateway;
pub use stripe::StripeGateway;

/// No payment is made later, whatever our clock says: in 2100.
const FAR: Instant = Instant::from_seconds(4_102_444_800);

/// What a refusal is called where the gateway has no such customer, or no such method of theirs.
pub const NOT_FOUND: &str = "not_found";

/// What refuses a charge before any bank is asked: the method or the customer is gone, the amount
/// or the currency is not taken, the wallet is not there, or the request is wrong.
const BEFORE_A_BANK: [&str; 13] = [
    NOT_FOUND,
    "amount_not_possible",
    "amount_refused",
    "amount_too_large",
    "amount_too_small",
    "currency_not_supported",
    "currency_refused",
    "invalid_charge_amount",
    "invalid_charge_amount_no_decimal_compatible",
    "payment_method_currency_mismatch",
    "request_refused",
    "return_url_refused",
    "wallet_not_available",
];

/// Whether a decline may be the bank's: the others say nothing of a card and count against none.
pub fn may_be_a_banks(code: &str) -> bool {
    !BEFORE_A_BANK.contains(&code)
}

/// The gateways there are.
#[derive(Clone, Debug)]
pub enum Gateway {
    /// Our own test provider: no real money.
    Sandbox(SandboxGateway),
    /// Stripe: real money with a live key, none with a test key.
    Stripe(StripeGateway),
}

/// Why a gateway did not do what was asked.
#[derive(Debug)]
pub enum Failure {
    /// It may or may not have acted.
    Unknown(NoAnswer),
    /// It definitely did not, and says why.
    Refused {
        /// Its code.
        code: String,
    },
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Unknown(no) => write!(f, "no usable answer: {}", no.why),
            Failure::Refused { code } => write!(f, "refused: {code}"),
        }
    }
}

impl From<NoAnswer> for Failure {
    fn from(no_answer: NoAnswer) -> Failure {
        Failure::Unknown(no_answer)
    }
}

/// A charge to be asked for.
#[derive(Clone, Debug)]
pub struct Charge {
    /// The attempt's key: the same one charges once.
    pub key: IdempotencyKey,
    /// Who the customer is at the gateway.
    pub customer: String,
    /// The method's token at the gateway; a wallet's code where there is no agreement with it.
    pub token: String,
    /// How much.
    pub amount: Money,
    /// Whose recharge it is for.
    pub account_id: AccountId,
    /// Which recharge it is for.
    pub recharge_id: RechargeId,
    /// Which attempt of it.
    pub attempt: u32,
    /// Where the customer goes after an authentication.
    pub return_url: String,
}

/// What is known of an attempt whose payment is looked for.
#[derive(Clone, Debug)]
pub struct Search<'a> {
    /// The attempt's key.
    pub key: &'a IdempotencyKey,
    /// Which recharge it is for.
    pub recharge_id: &'a RechargeId,
    /// Which attempt of it.
    pub attempt: u32,
    /// Who the customer is at the gateway.
    pub customer: &'a str,
    /// It was not sent before.
    pub since: Instant,
}

/// A payment as the gateway has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// The gateway's name for it.
    pub id: String,
    /// The key it was asked with, where the gateway still knows.
    pub key: Option<String>,
    /// Our account, as we told the gateway.
    pub account_id: Option<String>,
    /// Our recharge, as we told the gateway.
    pub recharge_id: Option<String>,
    /// Our attempt's number, as we told the gateway.
    pub attempt: Option<u32>,
    /// Where it stands.
    pub state: PaymentState,
    /// How much was given back, in minor units.
    pub refunded_minor: i64,
}

/// Where a payment stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PaymentState {
    /// Money was taken.
    Captured {
        /// How much.
        amount: Money,
    },
    /// The bank said no.
    Declined {
        /// The gateway's code.
        code: String,
        /// Never to be tried again with this instrument.
        hard: bool,
    },
    /// The bank wants the customer.
    ActionRequired {
        /// Where.
        url: String,
    },
    /// The bank wants the customer, and there is no page for it yet: [`Gateway::ask`] makes one.
    Unasked,
    /// Neither paid nor refused yet, or something that is not understood.
    Undecided,
    /// It can no longer capture.
    Cancelled,
}

/// A charge that a customer disputes at the bank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dispute {
    /// The gateway's name for it.
    pub id: String,
    /// Of which payment.
    pub payment: Option<String>,
    /// How much.
    pub amount: Money,
    /// Where it stands.
    pub status: DisputeStatus,
}

/// A visit to the gateway's hosted page.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The gateway's name for it.
    pub id: String,
    /// The page, on the gateway's own origin.
    pub url: String,
}

/// How a visit to the hosted page stands.
#[derive(Clone, Debug)]
pub enum SetupState {
    /// The customer is still there.
    Open,
    /// The customer left.
    Cancelled,
    /// A card or a wallet is attached.
    Attached(Attached),
}

/// A card as the gateway describes it, or a wallet: no number.
#[derive(Clone, Debug)]
pub struct Attached {
    /// What charges name.
    pub token: String,
    /// What it can do by itself.
    pub rail: Rail,
    /// Such as `Visa`.
    pub brand: String,
    /// `credit`, `debit` or `prepaid`.
    pub funding: String,
    /// The last four digits.
    pub last4: String,
    /// 1 to 12.
    pub exp_month: u32,
    /// Four digits.
    pub exp_year: i32,
    /// Equal for the same number.
    pub fingerprint: String,
    /// What was agreed, where it is a wallet; it has then no digits and no date.
    pub agreed: Option<Agreed>,
}

/// A method as the gateway keeps it by now.
#[derive(Clone, Debug)]
pub struct KeptMethod {
    /// Our account whose it is, as we told the gateway.
    pub account_id: Option<String>,
    /// What it is.
    pub attached: Attached,
}

/// The limits of debits while the customer is away, as a wallet is asked for them and grants them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// So many days at least from one debit to the next.
    pub cycle_days: u32,
    /// The most in one debit.
    pub most_per_debit: Money,
    /// The most in all, in the same currency.
    pub total_minor: i64,
    /// The most debits.
    pub debits_most: u32,
}

/// The attempt's key of a payment: as the gateway has it, otherwise derived from what we told it.
fn key_of(
    key: Option<&String>,
    recharge_id: Option<&String>,
    attempt: Option<&String>,
) -> Option<IdempotencyKey> {
    let told = key.and_then(|key| IdempotencyKey::new(key.as_str()));
    told.or_else(|| {
        let recharge = RechargeId::new(recharge_id?.as_str())?;
        Some(IdempotencyKey::of_attempt(&recharge, attempt?.parse().ok()?))
    })
}

impl Gateway {
    /// Has it tell its time, which every answer does: asks for payments that cannot be there yet.
    pub async fn tell_time(&self) {
        if let Err(failure) = self.list(FAR.micros()).await {
            tracing::warn!(?failure, "the gateway does not tell its time");
        }
    }

    /// Makes the account known to the gateway, after a customer that is gone where there was one;
    /// its name there.
    pub async fn create_customer(
        &self,
        account_id: &str,
        gone: Option<&str>,
    ) -> Result<String, Failure> {
        match self {
            Gateway::Sandbox(sandbox) => sandbox.create_customer(account_id).await,
            Gateway::Stripe(stripe) => stripe.create_customer(account_id, gone).await,
        }
    }

    /// Whose account it is at the gateway, where several people have some.
    pub async fn account(&self) -> Result<Option<String>, Failure> {
        match self {
            Gateway::Sandbox(_) => Ok(None),
            Gateway::Stripe(stripe) => stripe.account().await.map(Some),
        }
    }

    /// Begins a visit to the hosted page; a wallet there is asked for no more than `agreement`.
    pub async fn create_setup(
        &self,
        customer: &str,
        back: &str,
        language: Language,
        agreement: Option<Agreed>,
    ) -> Result<Setup, Failure> {
        match self {
            Gateway::Sandbox(sandbox) => {
                sandbox.create_setup(customer, back, language, agreement).await
            }
            // Why: its wallets are on session only.
            Gateway::Stripe(stripe) => stripe.create_setup(customer, back, language).await,
        }
    }

    /// The wallets with which a customer pays this currency by a link each time: no agreement, and
    /// nothing that is charged by itself.
    pub fn wallets(&self, currency: Currency) -> Vec<Wallet> {
        match self {
            Gateway::Sandbox(_) => Wallet::ALL.to_vec(),
            Gateway::Stripe(stripe) => stripe.wallets(currency),
        }
    }

    /// How a visit stands.
    pub async fn setup(&self, id: &str) -> Result<SetupState, Failure> {
        match self {
            Gateway::Sandbox(sandbox) => sandbox.setup(id).await,
            Gateway::Stripe(stripe) => stripe.setup(id).await,
        }
    }

    /// A method as it stands; nothing where the gateway keeps it for nobody.
    pub async fn kept(&self, token: &str) -> Result<Option<KeptMethod>, Failure> {
        match self {
            Gateway::Sandbox(sandbox) => sandbox.kept(token).await,
            Gateway::Stripe(stripe) => stripe.kept(token).await,
        }
    }

    /// Forgets a card.
    pub async fn detach(&self, token: &str) -> Result<(), Failure> {
        match self {
            Gateway::Sandbox(sandbox) => sandbox.detach(token).await,
            Gateway::Stripe(stripe) => stripe.detach(token).await,
        }
    }

    /// Charges, once per key.
    pub async fn charge(&self, charge: &Charge) -> Result<Payment, Failure> {
        match self {
            Gateway::Sandbox(sandbox) => sandbox.charge(charge).await,
            Gateway::Stripe(stripe) => stripe.charge(charge).await,
        }
    }

    /// The payments of a recharge's attempt: by its key, and by listing what names the recharge.
    pub async fn find(&self, search: &Search<'_>) -> Result<Vec<Payment>, Failure> {
        match self {
            Gateway::Sandbox(sandbox) => sandbox.find(search).await,
            Gateway::Stripe(stripe) => stripe.find(search).await,
        }
    }

    /// Makes a page for a payment whose bank wants the customer; the payment afterwards.
    pub async fn ask(&self, payment: &str, back: &str) -> Result<Payment, Failure> {
        match self {
            // Why: its payments have their page from the start.
            Gateway::Sandbox(sandbox) => sandbox.payment(payment).await,
            Gateway::Stripe(stripe) => stripe.ask(payment, back).await,
        }
    }

    /// Every dispute about a payment.
    pub async fn disputes_about(&self, payment: &str) -> Result<Vec<Dispute>, Failure> {
        match self {
            Gateway::Sandbox(_) => {
                let mut all = self.disputes(0).await?;
                all.retain(|dispute| dispute.payment.as_deref() == Some(payment));
                Ok(all)
            }
            Gateway::Stripe(stripe) => stripe.disputes_about(payment).await,
        }
    }

    /// Every dispute that began since an instant, in microseconds.
    pub async fn disputes(&self, since: i64) -> Result<Vec<Dispute>, Failure> {
        match self {
            Gateway::Sandbox(sandbox) => sandbox.disputes(since).await,
            Gateway::Stripe(stripe) => stripe.disputes(since).await,
        }
    }

    /// Every payment of ours made from an instant on, up to another and without it, each with all
    /// that went back of it until now; every page.
    ///
    /// *Shape*: it may end before `until`, where the gateway cannot tell everything yet. As clocks
    /// differ it may have payments of recharges that were opened a little before `from`.
    pub async fn statement(
        &self,
        from: Instant,
        until: Instant,
    ) -> Result<Statement<reconcile::Payment>, Failure> {
        match self {
            Gateway::Sandbox(sandbox) => sandbox.statement(from, until).await,
            Gateway::Stripe(stripe) => stripe.statement(from, until).await,
        }
    }

    /// A payment by the gateway's name for it.
    pub async fn payment(&self, id: &str) -> Result<Payment, Failure> {
        match self {
            Gateway::Sandbox(sandbox) => sandbox.payment(id).await,
            Gateway::Stripe(stripe) => stripe.payment(id).await,
        }
    }

    /// Every payment since an instant, in microseconds.
    pub async fn list(&self, since: i64) -> Result<Vec<Payment>, Failure> {
        match self {
            Gateway::Sandbox(sandbox) => sandbox.list(since).await,
            Gateway::Stripe(stripe) => stripe.list(since).await,
        }
    }

    /// Makes sure that a payment can no longer capture; *refused* when it is decided already.
    pub async fn cancel(&self, payment: &str) -> Result<Payment, Failure> {
        match self {
            Gateway::Sandbox(sandbox) => sandbox.cancel(payment).await,
            Gateway::Stripe(stripe) => stripe.cancel(payment).await,
        }
    }

    /// Gives money back, once per key; the gateway's name for the refund.
    pub async fn refund(
        &self,
        key: &IdempotencyKey,
        payment: &str,
        amount: Money,
    ) -> Result<String, Failure> {
        match self {
            Gateway::Sandbox(sandbox) => sandbox.refund(key, payment, amount).await,
            Gateway::Stripe(stripe) => stripe.refund(key, payment, amount).await,
        }
    }

    /// Tells the gateway where to send webhooks.
    pub async fn announce(&self, url: &str) -> Result<(), Failure> {
        match self {
            Gateway::Sandbox(sandbox) => sandbox.announce(url).await,
            // Why: its webhooks are set up by the operator, in its dashboard.
            Gateway::Stripe(_) => Ok(()),
        }
    }
}
