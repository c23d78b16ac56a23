//! The JSON that the app and the server exchange. One struct per message, shared by both sides;
//! domain values travel as they are. Nothing here decides.

mod problem;
pub mod query;
pub mod receipts;
mod returned;

use crate::balance::Balance;
use crate::bytes::Bytes;
use crate::catalogue::Terms;
use crate::decide::{Decision, Unusable};
use crate::draft::RuleDraft;
use crate::forecast::{RecentUse, Upcoming};
use crate::id::{AccountId, LineId, PaymentMethodId, RechargeId};
use crate::money::{Currency, Money};
use crate::rail::{Rail, Wallet};
use crate::recharge::Recharge;
use crate::record::DecisionRecord;
use crate::rule::{Adds, Rule};
use crate::time::Instant;
use crate::zone::Zone;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

pub use problem::Problem;
pub use returned::{Returned, ReturnedAs};

/// A language that Laika speaks completely.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Language {
    /// English.
    #[default]
    #[serde(rename = "en")]
    En,
    /// Simplified Chinese.
    #[serde(rename = "zh-CN")]
    ZhCn,
}

impl Language {
    /// The BCP 47 tag.
    pub fn tag(self) -> &'static str {
        match self {
            Language::En => "en",
            Language::ZhCn => "zh-CN",
        }
    }

    /// The language that serves best for a BCP 47 tag; any Chinese is simplified Chinese.
    pub fn from_tag(tag: &str) -> Language {
        let zh = tag.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("zh"));
        if zh { Language::ZhCn } else { Language::En }
    }
}

/// What the app starts with. `GET /session`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionView {
    /// Who is signed in; nobody before sign-in.
    pub account: Option<AccountView>,
    /// Present only while the sandbox adapters run.
    pub sandbox: Option<SandboxView>,
    /// The brand's name.
    pub brand: String,
    /// The server's time.
    pub now: Instant,
    /// The version of the rules that the server runs.
    pub engine_version: String,
}

/// The signed-in customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountView {
    /// The account.
    pub id: AccountId,
    /// E.164.
    pub phone: String,
    /// Confirmed e-mail address.
    pub email: String,
    /// The language of screens and messages.
    pub language: Language,
    /// IANA name of the zone in which days and months are counted.
    pub time_zone: String,
    /// The same zone as data: every date and time on screen is written with it.
    pub zone: Zone,
    /// Counts up with each change of anything that the account's pages show.
    pub version: i64,
    /// Until when a fresh password entry lets a rule be turned on or a method be added.
    pub stepped_up_until: Option<Instant>,
}

/// What the sandbox bar needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SandboxView {
    /// Origin of the sandbox payment provider, never the app's own.
    pub provider_origin: String,
    /// By how many seconds "let time pass" has moved the clock forward.
    pub clock_ahead_s: i64,
}

/// `POST /registrations`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "each is what was typed into the field of that name")]
pub struct Registration {
    pub phone: String,
    pub email: String,
    pub password: String,
    pub language: Language,
    pub time_zone: String,
}

/// Answer to a registration: the same whether or not the contacts have an account already.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistrationView {
    /// Names the pending registration.
    pub registration_id: String,
    /// Where the codes went, masked.
    pub phone_masked: String,
    /// Where the codes went, masked.
    pub email_masked: String,
}

/// `POST /registrations/{id}/confirm`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "each is what was typed into the field of that name")]
pub struct Confirmation {
    pub phone_code: String,
    pub email_code: String,
}

/// `POST /sessions`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// Phone or e-mail, as typed.
    pub contact: String,
    /// The password, as typed.
    pub password: String,
}

/// `POST /sessions/current/step-up`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepUp {
    /// The password, as typed.
    pub password: String,
}

/// `PATCH /account`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountChange {
    /// A new language for screens and messages.
    pub language: Option<Language>,
    /// A new IANA zone.
    pub time_zone: Option<String>,
}

/// A line as its owner sees it. `GET /lines`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineView {
    /// The line.
    pub id: LineId,
    /// The number of its eSIM.
    pub iccid: String,
    /// What the customer calls it.
    pub label: String,
    /// The currency of its credit, prices and rule.
    pub currency: Currency,
    /// Counts up with each change of the line.
    pub version: i64,
    /// When these figures were read.
    pub as_of: Instant,
    /// What it has.
    pub balance: Balance,
    /// What it can buy.
    pub terms: Terms,
    /// How the rule stands; no rule yet, when absent.
    pub rule: Option<RuleStatus>,
    /// What it used since the local midnight, hour by hour, up to 25 of them.
    pub today: Vec<Bytes>,
    /// What it used lately.
    pub recent_use: RecentUse,
}

/// `PATCH /lines/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineChange {
    /// What the customer calls it, as typed.
    pub label: String,
}

/// How a rule stands: the answer of `decide`, as things are and as if it were due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleStatus {
    /// The version.
    pub version: u32,
    /// Whether it is on.
    pub on: bool,
    /// What is decided now.
    pub now: Decision,
    /// What would be decided if it were due: a dead card or a full cap shows before it hurts.
    pub as_if_due: Decision,
    /// The next recharges.
    pub upcoming: Vec<Upcoming>,
}

/// The rule page. `GET /lines/{id}/rule`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleView {
    /// What stands in the editor; a suggestion while there is no rule.
    pub draft: RuleDraft,
    /// The saved rule.
    pub rule: Option<Rule>,
    /// How it stands.
    pub status: Option<RuleStatus>,
    /// What turning it on means, in the account's language: to be shown and hashed.
    pub consent: Option<Consent>,
    /// Earlier versions, the newest first.
    pub changes: Vec<RuleChange>,
}

/// The text that the customer agrees to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// The text.
    pub text: String,
    /// Its SHA-256, lower-case hex, which turning on repeats.
    pub sha256: String,
}

/// A change of a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleChange {
    /// The version it made.
    pub version: u32,
    /// When.
    pub at: Instant,
    /// What was done.
    pub what: RuleChangeKind,
}

/// What was done to a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleChangeKind {
    /// Saved from the editor.
    Saved,
    /// Turned on.
    TurnedOn,
    /// Turned off.
    TurnedOff,
    /// Paused until a date.
    Paused,
    /// The pause was ended.
    Resumed,
    /// The next scheduled recharge is skipped.
    Skipped,
}

/// `PUT /lines/{id}/rule`, with an `Idempotency-Key`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SaveRule {
    /// As typed.
    pub draft: RuleDraft,
    /// Of the preview inputs.
    pub state_version: i64,
    /// Of the preview inputs: the preview is computed as of their time.
    pub as_of: Instant,
    /// The version of the rules that the browser runs.
    pub engine_version: String,
    /// Of the preview that was on screen.
    pub preview_sha256: String,
}

/// `POST /lines/{id}/rule/on`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TurnOn {
    /// The version that the customer read.
    pub rule_version: u32,
    /// Of the consent text that was on screen.
    pub consent_sha256: String,
}

/// `POST /lines/{id}/rule/pause`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pause {
    /// The local date at whose beginning the pause ends.
    #[serde(deserialize_with = "crate::text::date")]
    pub until_on: NaiveDate,
}

/// The answer to off and pause: what had been submitted before it was acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stopped {
    /// The rule afterwards.
    pub rule: RuleView,
    /// Recharges whose payment was already sent: looked up and cancelled where possible.
    pub already_submitted: Vec<RechargeId>,
}

/// A bound payment method. No number: that stays at the payment provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentMethodView {
    /// The method.
    pub id: PaymentMethodId,
    /// What it can do.
    pub rail: Rail,
    /// Such as `Visa`.
    pub brand: String,
    /// `credit`, `debit` or `prepaid`, as the provider has it.
    pub funding: String,
    /// The last four digits.
    pub last4: String,
    /// The month on the card.
    pub expires_month: u32,
    /// The year on the card.
    pub expires_year: i32,
    /// Why it cannot be charged by itself, if it cannot: the worst over the account's lines.
    pub unusable: Option<Unusable>,
    /// The lines whose rule, switched on, would lose its only method with this one.
    pub last_for: Vec<LineId>,
}

/// `POST /payment-methods/setups`: where the customer goes to enter the card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetupView {
    /// Names the setup; the provider sends the customer back with it.
    pub setup_id: String,
    /// The provider's own page, on its own origin.
    pub url: String,
}

/// `POST /payment-methods`: a wallet that is paid with by a link each time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewMethod {
    /// One of those that `GET /payment-methods/wallets` gives.
    pub wallet: Wallet,
}

/// `POST /payment-methods/order`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MethodOrder {
    /// All of them, the preferred first.
    pub ids: Vec<PaymentMethodId>,
}

/// The answer to the removal of a method. `DELETE /payment-methods/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removed {
    /// Recharges whose payment was already sent: looked up and cancelled where possible.
    pub already_submitted: Vec<RechargeId>,
}

/// A recharge in the history. `GET /lines/{id}/recharges`, the newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RechargeView {
    /// The whole run: order, attempts, and what was seen when.
    pub recharge: Recharge,
    /// Expected, charged and credited, side by side.
    pub check: Check,
    /// The data before and after, when it was credited.
    pub balance_before: Option<Bytes>,
    /// The data right after the credit.
    pub balance_after: Option<Bytes>,
    /// What went back beside it, oldest first.
    #[serde(default)]
    pub returned: Vec<Returned>,
}

/// Expected, charged and credited: equal, or there is a difference to explain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What was decided.
    pub expected: Money,
    /// What the gateway says it took and kept.
    pub charged: Option<Money>,
    /// What the ledger says the line got.
    pub credited: Option<Adds>,
}

/// `POST /lines/{id}/recharges`, with an `Idempotency-Key`: a purchase by hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RechargeNow {
    /// How many steps of data: 1 to 100, otherwise `bad_steps`.
    pub steps: u32,
    /// The price that was on screen: refused when it is not the present one.
    pub amount: Money,
    /// The method to charge.
    pub payment_method_id: PaymentMethodId,
}

/// A look that did not charge: the latest record of each reason. `GET /lines/{id}/looks`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LookView {
    /// What was decided, from what.
    pub record: DecisionRecord,
}

/// `POST /sandbox/usage`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SandboxUsage {
    /// The line.
    pub line_id: LineId,
    /// How much it uses, now.
    pub bytes: Bytes,
}

/// `POST /sandbox/time`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SandboxTime {
    /// By how much the clock moves forward.
    pub seconds: u32,
}

/// `POST /sandbox/next-charge`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScriptedCharge {
    /// How the account's next charge ends.
    pub outcome: NextCharge,
}

/// How a charge ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "each is what happens")]
pub enum NextCharge {
    Succeeds,
    SoftDecline,
    HardDecline,
    NeedsCustomer,
    AnswerLostAfterCharge,
    AnswerLostBeforeCharge,
    NotDelivered,
    DeliveryAnswerLost,
}

impl NextCharge {
    /// All of them, in the order of the sandbox bar.
    pub const ALL: [NextCharge; 8] = [
        NextCharge::Succeeds,
        NextCharge::SoftDecline,
        NextCharge::HardDecline,
        NextCharge::NeedsCustomer,
        NextCharge::AnswerLostAfterCharge,
        NextCharge::AnswerLostBeforeCharge,
        NextCharge::NotDelivered,
        NextCharge::DeliveryAnswerLost,
    ];
}

/// A message that the sandbox kept instead of sending. `GET /sandbox/outbox`, the newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxMessage {
    /// When.
    pub at: Instant,
    /// `sms` or `email`.
    pub channel: String,
    /// To whom.
    pub to: String,
    /// The subject; an SMS has none.
    pub subject: String,
    /// The text.
    pub body: String,
}
