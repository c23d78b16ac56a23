//! The language of the screen at hand: labels from [`words`](crate::words), sentences and figures
//! from core. The whole page is built anew when the language changes, so nothing here is a signal.

use crate::api::Failure;
use crate::words::{Words, words};
use chrono::NaiveDate;
use laika_core::api::Language;
use laika_core::bytes::Bytes;
use laika_core::money::Money;
use laika_core::field::{Field, FieldError};
use leptos::prelude::*;

/// Labels, and the way to core's words, in one language.
#[derive(Clone, Copy)]
pub(crate) struct Text {
    /// The language.
    pub(crate) language: Language,
    /// Its labels.
    pub(crate) words: &'static Words,
}

impl Text {
    /// The text in a language.
    pub(crate) fn of(language: Language) -> Text {
        Text { language, words: words(language) }
    }

    /// What a field is called.
    pub(crate) fn field(self, field: Field) -> &'static str {
        (self.words.field)(field)
    }

    /// A field's error with the name of the field, for beside it and for the summary.
    pub(crate) fn field_error(self, error: &FieldError) -> String {
        (self.words.field_error)(self.field(error.field), &error.code, self)
    }

    /// An amount of data.
    pub(crate) fn bytes(self, bytes: Bytes) -> String {
        format!("{} GB", bytes.get() / 1_000_000_000)
    }
    /// An amount of money.
    pub(crate) fn money(self, money: Money) -> String {
        format!("{} {}", money.currency, money.amount_minor)
    }
    /// A date.
    pub(crate) fn date(self, date: NaiveDate) -> String {
        date.to_string()
    }

    /// An amount of data as its figure and its unit: `3.42`, `GB`.
    pub(crate) fn figure(self, bytes: Bytes) -> (String, String) {
        let said = self.bytes(bytes);
        match said.split_once(' ') {
            Some((figure, unit)) => (figure.to_owned(), unit.to_owned()),
            None => (said, String::new()),
        }
    }

    /// What did not work, whether anything changed, what to do, and a reference to quote.
    pub(crate) fn failure(self, failure: &Failure) -> String {
        let words = &self.words.failure;
        let problem = match failure {
            Failure::NoAnswer => return words.no_answer.to_owned(),
            Failure::Unreadable => return words.unreadable.to_owned(),
            Failure::Problem(problem) => problem,
        };
        let said = match problem.code.as_str() {
            "wrong_contact_or_password" => words.wrong_sign_in,
            "wrong_password" => words.wrong_password,
            "not_signed_in" => words.not_signed_in,
            "step_up_required" => words.step_up,
            "too_many_requests" => words.too_many,
            "not_found" => words.gone,
            _ => words.other,
        };
        let reference = (words.reference)(&problem.request_id);
        format!("{said} ({reference})")
    }
}

/// The text of the page being built.
pub(crate) fn text() -> Text {
    expect_context::<Text>()
}
