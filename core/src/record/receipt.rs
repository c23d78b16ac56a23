//! The consent receipt: what a customer gets when a rule is turned on. It holds what was agreed, in
//! which words, how much that lets anybody take, and how we knew who agreed; whoever has one can
//! check it, in the browser too. It signs nothing: the server signs its canonical bytes.

use super::{sha256_hex, text_sha256_hex};
use crate::ENGINE_VERSION;
use crate::api::Language;
use crate::bytes::Bytes;
use crate::catalogue::Terms;
use crate::decide::{Account, Agreement, MethodFacts};
use crate::forecast::{Bound, bound};
use crate::id::{AccountId, LineId, PaymentMethodId};
use crate::money::{Currency, Money};
use crate::rail::Rail;
use crate::rule::Rule;
use crate::say::Speech;
use crate::time::Instant;
use crate::zone::Zone;
use serde::{Deserialize, Serialize};

/// The version of the receipt's format: which fields it has, in which order, and what they mean.
pub const RECEIPT_VERSION: u32 = 1;

/// What was agreed to when a rule was turned on, and everything that shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsentReceipt {
    /// [`RECEIPT_VERSION`]. It stands first, so that a signed receipt can be taken for nothing
    /// else.
    pub receipt_version: u32,
    /// The version of the rules that made the text and the bound.
    pub engine_version: String,
    /// With whom it was agreed.
    pub brand: String,
    /// Who agreed.
    pub account_id: AccountId,
    /// For which line,
    pub line_id: LineId,
    /// on which eSIM.
    pub iccid: String,
    /// The currency of everything the rule can take.
    pub currency: Currency,
    /// The zone in which days and months are counted, with the tz database's version.
    pub zone: Zone,
    /// How long before a charge by date it is announced, in hours; longer where a method wants it.
    pub notice_lead_hours: u32,
    /// The language of the text.
    pub language: Language,
    /// The rule as it was turned on. Every charge cites this version, or a later one that changed
    /// no terms: a pause, its end, or a skip.
    pub rule: Rule,
    /// The rule's payment methods, in order.
    pub payment_methods: Vec<AgreedMethod>,
    /// The most that the rule can take.
    pub bound: Bound,
    /// What the customer read and agreed to.
    pub text: String,
    /// The SHA-256 of the text's UTF-8 bytes, lower-case hex: the request to turn on carried it.
    pub text_sha256: String,
    /// When it was agreed.
    pub given_at: Instant,
    /// How we knew who agreed.
    pub authenticated: Authenticated,
}

/// A payment method that may be charged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgreedMethod {
    /// Its id.
    pub id: PaymentMethodId,
    /// What its kind can do.
    pub rail: Rail,
    /// What the text calls it.
    pub name: String,
    /// So many days at least lie between two debits of its agreement; 0 without one.
    pub cycle_days: u32,
}

/// The latest proof of who it is, before the rule was turned on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Authenticated {
    /// By what.
    pub by: Proof,
    /// When, by the server's own clock: the sandbox's forward offset is not in it.
    pub at: Instant,
}

/// What somebody proved with who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// The account's password, at sign-in or entered again.
    Password,
}

/// What a receipt is made from.
#[derive(Clone, Copy, Debug)]
pub struct Agreed<'a> {
    /// With whom it was agreed.
    pub brand: &'a str,
    /// Who agreed.
    pub account_id: &'a AccountId,
    /// On which eSIM.
    pub iccid: &'a str,
    /// The rule as it is turned on.
    pub rule: &'a Rule,
    /// The line and its owner at that moment.
    pub account: &'a Account,
    /// The language of what was read.
    pub language: Language,
    /// When it was agreed.
    pub given_at: Instant,
    /// How we know who agreed.
    pub authenticated: Authenticated,
}

/// What does not agree with the rest of a receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// It has another format than this program knows.
    ReceiptVersion,
    /// Another version of the rules made it: only that one can say its text and bound again.
    EngineVersion,
    /// The rule is not as turning on leaves it at that instant.
    Rule,
    /// A payment method is not one of the rule's, or not in its place.
    PaymentMethods,
    /// The bound is not the one of this rule.
    Bound,
    /// The text is not what is said for this rule in this language and zone.
    Text,
    /// The text's hash is not of the text.
    TextSha256,
    /// The receipt's hash is not of the receipt.
    Sha256,
}

impl Fault {
    /// Whether it only means that another version of Laika has to look.
    pub fn is_of_another_version(self) -> bool {
        match self {
            Fault::ReceiptVersion | Fault::EngineVersion => true,
            Fault::Rule
            | Fault::PaymentMethods
            | Fault::Bound
            | Fault::Text
            | Fault::TextSha256
            | Fault::Sha256 => false,
        }
    }
}

impl ConsentReceipt {
    /// The receipt of what was agreed. It has no fault when the rule is as turning on leaves it.
    pub fn make(agreed: &Agreed<'_>) -> ConsentReceipt {
        let Agreed { rule, account, .. } = agreed;
        let (text, bound) = said(rule, account, agreed.language, agreed.given_at);
        let known = |id: &PaymentMethodId| account.payment_methods.iter().find(|m| m.id == *id);
        let methods = rule.payment_methods.iter().filter_map(known);
        ConsentReceipt {
            receipt_version: RECEIPT_VERSION,
            engine_version: ENGINE_VERSION.to_owned(),
            brand: agreed.brand.to_owned(),
            account_id: agreed.account_id.clone(),
            line_id: account.line_id.clone(),
            iccid: agreed.iccid.to_owned(),
            currency: account.terms.currency(),
            zone: account.zone.clone(),
            notice_lead_hours: account.notice_lead_hours,
            language: agreed.language,
            rule: (*rule).clone(),
            payment_methods: methods.map(AgreedMethod::of).collect(),
            bound,
            text_sha256: text_sha256_hex(&text),
            text,
            given_at: agreed.given_at,
            authenticated: agreed.authenticated,
        }
    }

    /// Everything in which the receipt disagrees with itself; nothing when it holds.
    pub fn check(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut expect = |holds: bool, fault| {
            if !holds {
                faults.push(fault);
            }
        };
        expect(self.receipt_version == RECEIPT_VERSION, Fault::ReceiptVersion);
        expect(self.engine_version == ENGINE_VERSION, Fault::EngineVersion);
        let rule = &self.rule;
        let just_on = rule.on && rule.paused_until_on.is_none() && rule.skip_at.is_none();
        expect(just_on && rule.armed_at == self.given_at, Fault::Rule);
        expect(self.methods_are_the_rules(), Fault::PaymentMethods);
        if self.engine_version == ENGINE_VERSION {
            let (text, bound) = said(rule, &self.account(), self.language, self.given_at);
            expect(self.bound == bound, Fault::Bound);
            expect(self.text == text, Fault::Text);
        }
        expect(self.text_sha256 == text_sha256_hex(&self.text), Fault::TextSha256);
        faults
    }

    /// Whether the methods are those of the rule in its order; one that was gone is left out.
    fn methods_are_the_rules(&self) -> bool {
        let mut of_rule = self.rule.payment_methods.iter();
        self.payment_methods.iter().all(|method| of_rule.any(|id| *id == method.id))
    }

    /// The account as far as text and bound look at it: the prices are the agreed ones.
    fn account(&self) -> Account {
        let nothing = Money::zero(self.currency);
        Account {
            line_id: self.line_id.clone(),
            zone: self.zone.clone(),
            kept_periods: None,
            stopped_by_operator: false,
            line_closed: false,
            available_bytes: Bytes::ZERO,
            credit_minor: 0,
            latest_expiry_at: None,
            terms: Terms { step: self.rule.step, credit_min: nothing, credit_max: nothing },
            payment_methods: self.payment_methods.iter().map(|m| m.facts(nothing)).collect(),
            notice_lead_hours: self.notice_lead_hours,
        }
    }
}

impl AgreedMethod {
    fn of(facts: &MethodFacts) -> AgreedMethod {
        let cycle_days = facts.agreement.map_or(0, |agreement| agreement.cycle_days);
        AgreedMethod {
            id: facts.id.clone(),
            rail: facts.rail,
            name: facts.name.clone(),
            cycle_days,
        }
    }

    fn facts(&self, nothing: Money) -> MethodFacts {
        let agreement = Agreement {
            cycle_days: self.cycle_days,
            most_per_debit: nothing,
            total_left: None,
            debits_left: None,
            debited_at: None,
        };
        MethodFacts {
            rail: self.rail,
            name: self.name.clone(),
            agreement: (self.cycle_days > 0).then_some(agreement),
            ..MethodFacts::card(self.id.clone())
        }
    }
}

/// The text that turning this rule on agrees to, and the most that the rule can take.
fn said(rule: &Rule, account: &Account, language: Language, now: Instant) -> (String, Bound) {
    let bound = bound(rule, account);
    let speech = Speech { language, zone: &account.zone, now };
    (speech.consent(rule, &account.payment_methods, &bound), bound)
}

/// A receipt as the customer has it: a file that stands for itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedReceipt {
    /// What was agreed.
    pub receipt: ConsentReceipt,
    /// The SHA-256 of the receipt's canonical bytes, lower-case hex.
    pub sha256: String,
    /// Which key signed: the first 16 hex digits of the SHA-256 of the public key's 32 bytes.
    pub key_id: String,
    /// The Ed25519 signature of the receipt's canonical bytes, lower-case hex. *Source*: RFC 8032.
    pub signature: String,
}

impl SignedReceipt {
    /// Everything that does not agree, but for the signature, which only a key can tell.
    pub fn check(&self) -> Vec<Fault> {
        let mut faults = self.receipt.check();
        if self.sha256 != sha256_hex(&self.receipt) {
            faults.push(Fault::Sha256);
        }
        faults
    }
}
