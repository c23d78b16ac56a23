//! The language of the screen at hand: labels from [`words`](crate::words), sentences and figures
//! from core, in the account's zone. The whole page is built anew when the language changes.

use crate::api::Failure;
use crate::session::session;
use crate::words::{Words, words};
use laika_core::api::{Language, Problem};
use laika_core::bytes::Bytes;
use laika_core::field::{Field, FieldError};
use laika_core::money::Money;
use laika_core::say::{self, Speech};
use laika_core::time::Instant;

/// Labels, and the way to core's words, in one language.
#[derive(Clone, Copy)]
pub(crate) struct Text {
    /// The language.
    pub(crate) language: Language,
    /// Its labels.
    pub(crate) words: &'static Words,
}

impl Text {
    /// Core's words, in the account's zone, at the server's time.
    pub(crate) fn speech<R>(self, say: impl FnOnce(Speech<'_>) -> R) -> R {
        let now = session().now();
        session().with_zone(|zone| say(Speech { language: self.language, zone, now }))
    }

    /// An amount of data as a balance: never more than is there.
    pub(crate) fn bytes(self, bytes: Bytes) -> String {
        say::bytes(bytes)
    }

    /// An amount of data exactly, as a rule says it.
    pub(crate) fn bytes_exact(self, bytes: Bytes) -> String {
        say::bytes_exact(bytes)
    }

    /// An amount of money, with its currency.
    pub(crate) fn money(self, money: Money) -> String {
        say::money(money)
    }

    /// The local date of an instant, without its year.
    pub(crate) fn day(self, at: Instant) -> String {
        session().with_zone(|zone| say::day(zone.date(at), self.language))
    }

    /// A time today, otherwise with its date.
    pub(crate) fn when(self, at: Instant) -> String {
        self.speech(|speech| speech.when(at))
    }

    /// An amount of data as its figure and its unit: `3.42`, `GB`.
    pub(crate) fn figure(self, bytes: Bytes) -> (String, String) {
        let said = say::bytes(bytes);
        match said.split_once(' ') {
            Some((figure, unit)) => (figure.to_owned(), unit.to_owned()),
            None => (said, String::new()),
        }
    }

    /// What a field is called.
    pub(crate) fn field(self, field: Field) -> &'static str {
        (self.words.field)(field)
    }

    /// What is wrong with a field: for beside it.
    pub(crate) fn field_error(self, error: &FieldError) -> String {
        say::field_error(self.language, error.field, &error.code)
    }

    /// The same with the name of the field: for the summary.
    pub(crate) fn named_error(self, error: &FieldError) -> String {
        let (name, said) = (self.field(error.field), self.field_error(error));
        match self.language {
            Language::En => format!("{name}: {said}"),
            Language::ZhCn => format!("{name}：{said}"),
        }
    }

    /// What did not work, whether anything changed, what to do, and a reference to quote.
    pub(crate) fn failure(self, failure: &Failure) -> String {
        let words = &self.words.failure;
        match failure {
            Failure::NoAnswer => words.no_answer.to_owned(),
            Failure::Unreadable => words.unreadable.to_owned(),
            Failure::Problem(problem) => self.problem(problem),
        }
    }

    /// The same for a request that moves money: no answer is not the same as no charge.
    pub(crate) fn money_failure(self, failure: &Failure) -> String {
        match failure {
            Failure::NoAnswer => self.words.failure.no_answer_money.to_owned(),
            Failure::Unreadable | Failure::Problem(_) => self.failure(failure),
        }
    }

    fn problem(self, problem: &Problem) -> String {
        let words = &self.words.failure;
        let said = match problem.code.as_str() {
            "wrong_credentials" => return words.wrong_sign_in.to_owned(),
            "wrong_password" => return words.wrong_password.to_owned(),
            "step_up_required" => return words.step_up.to_owned(),
            "too_many_tries" => return words.too_many.to_owned(),
            "codes_ended" => return words.expired.to_owned(),
            "unauthenticated" => words.not_signed_in,
            "not_found" => words.gone,
            "stopped_by_operator" => words.stopped,
            "recharge_open" | "in_progress" => words.in_use,
            "clock_apart" => words.clock,
            "terms_changed" => words.price,
            "no_usable_method" => words.no_method,
            _ => words.other,
        };
        format!("{said} {}", (words.reference)(&problem.request_id))
    }
}

/// The text in the language of this moment: the page is built anew when it changes.
pub(crate) fn text() -> Text {
    let language = session().language_now();
    Text { language, words: words(language) }
}
