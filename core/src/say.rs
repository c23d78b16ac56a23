//! All words that both the browser and the server say, and how amounts, dates and times are
//! written everywhere. Sentences come from the types: `say/en.rs` and `say/zh_cn.rs` match every
//! variant, so a language that lacks one does not compile.

mod en;
mod format;
mod zh_cn;

use crate::api::{Language, Returned};
use crate::decide::{Check, Decision, Finding, MethodFacts, Reason, Suspension, Unusable};
use crate::field::{Field, FieldCode};
use crate::forecast::{Advice, Bound, Wait};
use crate::id::PaymentMethodId;
use crate::money::Money;
use crate::recharge::{Fact, News, Status};
use crate::reconcile::Difference;
use crate::rule::{Adds, Rule, Threshold};
use crate::time::Instant;
use crate::zone::Zone;

pub use format::{
    amount, bytes, bytes_exact, date, date_time, day, decimal, method_name, money, time,
};

/// The language and the zone in which something is said, and when: today's times need no date.
#[derive(Clone, Copy, Debug)]
pub struct Speech<'a> {
    /// The language.
    pub language: Language,
    /// The zone of dates and times.
    pub zone: &'a Zone,
    /// Now.
    pub now: Instant,
}

/// Calls the function of that name in the speech's language.
macro_rules! in_language {
    ($language:expr, $name:ident ( $($argument:expr),* )) => {
        match $language {
            Language::En => en::$name($($argument),*),
            Language::ZhCn => zh_cn::$name($($argument),*),
        }
    };
}

impl Speech<'_> {
    /// The whole rule in plain sentences. Changing any field of a rule changes them. `methods` are
    /// the account's; the rule's are named in order.
    pub fn rule(&self, rule: &Rule, methods: &[MethodFacts]) -> String {
        in_language!(self.language, rule(self, rule, methods))
    }

    /// What is decided: what will be charged, or why nothing is, and the next look.
    pub fn decision(&self, decision: &Decision) -> String {
        in_language!(self.language, decision(self, decision))
    }

    /// Why nothing is charged.
    pub fn reason(&self, reason: &Reason) -> String {
        in_language!(self.language, reason(self, reason))
    }

    /// Why a rule waits for the customer, and what ends it.
    pub fn suspension(&self, why: Suspension) -> &'static str {
        in_language!(self.language, suspension(why))
    }

    /// Why a payment method cannot be charged by itself, and what helps.
    pub fn unusable(&self, why: Unusable) -> String {
        in_language!(self.language, unusable(self, why))
    }

    /// One thing that was looked at for a decision. `methods` are those of the record.
    pub fn finding(&self, finding: &Finding, methods: &[MethodFacts]) -> String {
        let usable = if let Check::Methods { usable } = &finding.check {
            names(usable, methods)
        } else {
            Vec::new()
        };
        in_language!(self.language, finding(self, finding, &usable))
    }

    /// What a payment method makes a rule wait for.
    pub fn wait(&self, wait: &Wait) -> String {
        in_language!(self.language, wait(self, wait))
    }

    /// What past use suggests.
    pub fn advice(&self, advice: &Advice) -> String {
        in_language!(self.language, advice(advice))
    }

    /// Where a recharge stands, in a word or two.
    pub fn status(&self, status: Status) -> &'static str {
        in_language!(self.language, status(status))
    }

    /// What was seen, as a line of a timeline.
    pub fn fact(&self, fact: &Fact) -> String {
        in_language!(self.language, fact(self, fact))
    }

    /// What the customer hears about a recharge.
    pub fn news(&self, news: &News, amount: Money, adds: Adds) -> String {
        in_language!(self.language, news(self, news, amount, adds))
    }

    /// What a recharge adds.
    pub fn adds(&self, adds: Adds) -> String {
        match adds {
            Adds::Data { bytes, .. } => bytes_exact(bytes),
            Adds::Credit(credit) => in_language!(self.language, credit(credit)),
        }
    }

    /// What a reconciliation found, and what follows.
    pub fn difference(&self, difference: &Difference) -> String {
        in_language!(self.language, difference(self, difference))
    }

    /// What went back after a recharge's end, as a line of a timeline.
    pub fn returned(&self, line: &Returned) -> String {
        in_language!(self.language, returned(line))
    }

    /// What the customer hears when a dispute begins or the last one has ended.
    pub fn dispute_news(&self, open: bool) -> &'static str {
        in_language!(self.language, dispute_news(open))
    }

    /// The worst case, in a sentence.
    pub fn bound(&self, bound: &Bound) -> String {
        in_language!(self.language, bound(bound))
    }

    /// The text that turning a rule on agrees to: canonical, hashed and kept.
    pub fn consent(&self, rule: &Rule, methods: &[MethodFacts], bound: &Bound) -> String {
        in_language!(self.language, consent(self, rule, methods, bound))
    }

    /// The low-balance alert: what is left, and whether a recharge comes.
    pub fn alert(&self, left: &str, decision: &Decision) -> String {
        in_language!(self.language, alert(self, left, decision))
    }

    /// The announcement of a scheduled charge.
    pub fn announcement(&self, charge_at: Instant, at_most: Money) -> String {
        in_language!(self.language, announcement(self, charge_at, at_most))
    }

    /// An instant: the time alone today, otherwise the date too.
    pub fn when(&self, at: Instant) -> String {
        if self.zone.date(at) == self.zone.date(self.now) {
            time(at, self.zone)
        } else {
            date_time(at, self.zone, self.language, self.now)
        }
    }
}

/// What people recognise these methods by; those that are gone are not named.
fn names(ids: &[PaymentMethodId], methods: &[MethodFacts]) -> Vec<String> {
    let named = |id: &PaymentMethodId| methods.iter().find(|m| m.id == *id && !m.name.is_empty());
    ids.iter().filter_map(named).map(|m| m.name.clone()).collect()
}

/// Data or credit, exactly.
fn left(amount: Threshold) -> String {
    match amount {
        Threshold::Data { bytes } => bytes_exact(bytes),
        Threshold::Credit(credit) => money(credit),
    }
}

/// What is wrong with a field, as its error message.
pub fn field_error(language: Language, field: Field, code: &FieldCode) -> String {
    in_language!(language, field_error(field, code))
}

/// The message with a one-time code.
pub fn one_time_code(language: Language, brand: &str, code: &str) -> String {
    in_language!(language, one_time_code(brand, code))
}

/// The message to someone who has an account already and whose contact was registered again.
pub fn already_registered(language: Language, brand: &str) -> String {
    in_language!(language, already_registered(brand))
}

#[cfg(test)]
mod tests;
