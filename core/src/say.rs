//! All words that both the browser and the server say, and how amounts, dates and times are
//! written everywhere. Sentences come from the types: a match names every variant, and each has its
//! words in every language, or it does not compile (`say/words.rs`). Voice: what happened, whether
//! money moved, what comes next. In Chinese the subject is dropped, marks are full-width, and a
//! space stands between characters and figures.

mod decisions;
mod differences;
mod fields;
mod findings;
mod format;
mod recharges;
mod rule;
mod waits;
mod words;

use crate::api::Language;
use crate::decide::MethodFacts;
use crate::id::PaymentMethodId;
use crate::rule::Threshold;
use crate::time::Instant;
use crate::zone::Zone;
use words::{Gap, Words, say, words};

pub use fields::field_error;
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

impl Speech<'_> {
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
fn left(amount: Threshold) -> Gap<'static> {
    match amount {
        Threshold::Data { bytes } => bytes.into(),
        Threshold::Credit(credit) => credit.into(),
    }
}

/// What is listed, in a row: some words between two, others before the last.
fn list(language: Language, items: &[String], between: Words, last: Words) -> String {
    let mut text = String::new();
    for (at, item) in items.iter().enumerate() {
        let ends = at.saturating_add(1) == items.len();
        match at {
            0 => {}
            _ if ends => text.push_str(last.of(language)),
            _ => text.push_str(between.of(language)),
        }
        text.push_str(item);
    }
    text
}

/// `a`, `a and b`, `a, b and c`.
fn and(language: Language, items: &[String]) -> String {
    list(language, items, words!(", ", "、"), words!(" and ", "、"))
}

/// The message with a one-time code.
pub fn one_time_code(language: Language, brand: &str, code: &str) -> String {
    say!(
        language,
        "{1} is your {0} code. It is valid for 5 minutes. Tell it to nobody.",
        "{1}（{0} 验证码），5 分钟内有效，请勿告诉任何人。",
        brand,
        code
    )
}

/// The message to someone who has an account already and whose contact was registered again.
pub fn already_registered(language: Language, brand: &str) -> String {
    say!(
        language,
        "Somebody registered at {0} with this contact, which has an account already. If it was \
         you, sign in instead. Otherwise nothing needs to be done.",
        "有人用这一联系方式注册 {0}，但它已有账户。如是本人，请直接登录；否则无需处理。",
        brand
    )
}

#[cfg(test)]
mod tests;
