//! What is wrong with something typed: the field, a code and what its sentence needs. The same
//! value on screen and in a problem document; [`say`](crate) turns it into words.

use crate::bytes::Bytes;
use crate::money::Money;
use crate::number::NumberError;
use crate::rail::Rail;
use crate::tagged::read_tagged;
use chrono::NaiveDate;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// A place to type. Declared in form order, which is the order in which errors are reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "each is the name of the field on its form")]
pub enum Field {
    Phone,
    Email,
    Contact,
    Password,
    PhoneCode,
    EmailCode,
    Language,
    TimeZone,
    Trigger,
    Threshold,
    Every,
    Weekdays,
    Day,
    At,
    Start,
    ExpiringDays,
    Amount,
    CapPerMonth,
    MaxPerRecharge,
    MaxPerDay,
    CoolDown,
    StartsOn,
    EndsOn,
    PaymentMethods,
    AlertThreshold,
    PausedUntil,
    Steps,
    Label,
}

/// Why what stands in a field cannot be used. In JSON: `"code"` and, where it has some, `"params"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "code", content = "params", rename_all = "snake_case")]
pub enum FieldCode {
    /// Nothing was typed, or nothing chosen.
    Required,
    /// Not a number.
    NotANumber,
    /// Could be read two ways, such as `1,000`.
    AmbiguousNumber,
    /// More decimals than the unit has.
    TooPrecise,
    /// Above every possible amount.
    TooLarge,
    /// Must be more than nothing.
    NotPositive,
    /// Outside these bounds, both inclusive.
    OutOfRange {
        /// The least allowed.
        min: i64,
        /// The most allowed.
        max: i64,
    },
    /// Not a date.
    NotADate,
    /// Not a time of day.
    NotATime,
    /// Before this date.
    TooEarly {
        /// The first date allowed.
        first: NaiveDate,
    },
    /// Not `+`, a country's calling code and a number of possible length.
    NotAPhone,
    /// No country has this calling code.
    UnknownCallingCode,
    /// No number of this calling code has so many digits after it. Fewer than `min` are too few,
    /// more than `max` too many; between the two the code's plan has a gap.
    PhoneLength {
        /// The calling code, without its `+`.
        calling_code: u16,
        /// How many digits came after it.
        digits: u32,
        /// The fewest there can be.
        min: u32,
        /// The most there can be.
        max: u32,
    },
    /// Not an e-mail address by the HTML standard's rule.
    NotAnEmail,
    /// Shorter than this many characters.
    TooShort {
        /// The least number of characters.
        min: u32,
    },
    /// Longer than this many characters.
    TooLong {
        /// The greatest number of characters.
        max: u32,
    },
    /// It holds a character that cannot be seen, or that changes what stands beside it: a control
    /// character, an override of the direction, an accent without its letter.
    UnusableCharacter {
        /// Its code point, such as `U+202E`: shown by itself it could do its harm.
        character: CodePoint,
    },
    /// The password is the e-mail address or the phone number.
    SameAsContact,
    /// Known from published breaches.
    Breached,
    /// Not six digits.
    NotACode,
    /// Not the code that was sent, or no longer valid.
    WrongCode,
    /// Not one of the choices.
    UnknownChoice,
    /// The threshold is in a unit that the amount does not add to.
    UnitNotAdded,
    /// The threshold is at or above the target.
    ThresholdNotBelowTarget {
        /// The target.
        target: Bytes,
    },
    /// From empty, one recharge does not end above the threshold: it would fire for ever.
    StaysBelowThreshold,
    /// Data is sold in whole steps of this size.
    NotWholeSteps {
        /// One step.
        step: Bytes,
    },
    /// Less than one recharge costs.
    BelowOneRecharge {
        /// What one recharge costs.
        cost: Money,
    },
    /// Less than one step costs.
    BelowOneStep {
        /// What one step costs.
        cost: Money,
    },
    /// No date of the schedule lies between start and end.
    NeverDue,
    /// Bought data is not valid for longer than this many days.
    ValidityTooShort {
        /// Days for which a bought step is valid.
        validity_days: u32,
    },
    /// End before start.
    EndsBeforeStart,
    /// This kind of payment method needs the customer each time.
    NotAutomatic {
        /// Its rail.
        rail: Rail,
    },
    /// It does not debit on the last days of a month.
    NotOnThatDay {
        /// Its rail.
        rail: Rail,
        /// The last day on which it does.
        last_day: u32,
    },
    /// It does not debit so often.
    NotSoOften {
        /// Its rail.
        rail: Rail,
        /// So many days at least lie between two debits.
        days: u32,
    },
    /// One recharge costs more than the agreement with the wallet allows.
    AboveAgreement {
        /// Its rail.
        rail: Rail,
        /// The most that one debit may be.
        most: Money,
    },
    /// The agreement with the wallet has no debit left.
    AgreementUsedUp {
        /// Its rail.
        rail: Rail,
    },
}

read_tagged! {
    FieldCode from Params {
        min: i64,
        max: i64,
        first: NaiveDate = "crate::text::maybe_date",
        calling_code: u16,
        digits: u32,
        character: String,
        target: Bytes,
        step: Bytes,
        cost: Money,
        validity_days: u32,
        rail: Rail,
        last_day: u32,
        days: u32,
        most: Money,
    }
    "required" => Required,
    "not_a_number" => NotANumber,
    "ambiguous_number" => AmbiguousNumber,
    "too_precise" => TooPrecise,
    "too_large" => TooLarge,
    "not_positive" => NotPositive,
    "out_of_range" => OutOfRange { min, max },
    "not_a_date" => NotADate,
    "not_a_time" => NotATime,
    "too_early" => TooEarly { first },
    "not_a_phone" => NotAPhone,
    "unknown_calling_code" => UnknownCallingCode,
    "phone_length" => PhoneLength { calling_code, digits, min, max },
    "not_an_email" => NotAnEmail,
    "too_short" => TooShort { min },
    "too_long" => TooLong { max },
    "unusable_character" => UnusableCharacter { character },
    "same_as_contact" => SameAsContact,
    "breached" => Breached,
    "not_a_code" => NotACode,
    "wrong_code" => WrongCode,
    "unknown_choice" => UnknownChoice,
    "unit_not_added" => UnitNotAdded,
    "threshold_not_below_target" => ThresholdNotBelowTarget { target },
    "stays_below_threshold" => StaysBelowThreshold,
    "not_whole_steps" => NotWholeSteps { step },
    "below_one_recharge" => BelowOneRecharge { cost },
    "below_one_step" => BelowOneStep { cost },
    "never_due" => NeverDue,
    "validity_too_short" => ValidityTooShort { validity_days },
    "ends_before_start" => EndsBeforeStart,
    "not_automatic" => NotAutomatic { rail },
    "not_on_that_day" => NotOnThatDay { rail, last_day },
    "not_so_often" => NotSoOften { rail, days },
    "above_agreement" => AboveAgreement { rail, most },
    "agreement_used_up" => AgreementUsedUp { rail },
}

/// One error of one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// Where it was typed.
    pub field: Field,
    /// What is wrong.
    #[serde(flatten)]
    pub code: FieldCode,
}

impl<'de> Deserialize<'de> for FieldError {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Whole {
            field: Field,
            code: String,
            #[serde(default)]
            params: Params,
        }
        let Whole { field, code, params } = Whole::deserialize(deserializer)?;
        Ok(FieldError { field, code: FieldCode::read_as(&code, params)? })
    }
}

impl FieldError {
    /// An error of a field.
    pub fn new(field: Field, code: FieldCode) -> FieldError {
        FieldError { field, code }
    }
}

impl FieldCode {
    /// This character cannot be used.
    pub fn unusable(character: char) -> FieldCode {
        FieldCode::UnusableCharacter { character: CodePoint(character) }
    }
}

/// A character that is written as its code point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodePoint(pub char);

impl fmt::Display for CodePoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "U+{:04X}", u32::from(self.0))
    }
}

impl Serialize for CodePoint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl TryFrom<String> for CodePoint {
    type Error = ();

    /// Reads what [`Display`](fmt::Display) writes and nothing else.
    fn try_from(text: String) -> Result<CodePoint, ()> {
        let number = text.strip_prefix("U+").and_then(|hex| u32::from_str_radix(hex, 16).ok());
        let read = number.and_then(char::from_u32).map(CodePoint);
        read.filter(|read| read.to_string() == text).ok_or(())
    }
}

impl From<NumberError> for FieldCode {
    fn from(error: NumberError) -> FieldCode {
        match error {
            NumberError::Empty => FieldCode::Required,
            NumberError::NotANumber => FieldCode::NotANumber,
            NumberError::Ambiguous => FieldCode::AmbiguousNumber,
            NumberError::TooPrecise => FieldCode::TooPrecise,
            NumberError::TooLarge => FieldCode::TooLarge,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{CodePoint, FieldCode};

    #[test]
    fn a_code_point_is_read_only_as_it_is_written() {
        for character in ['\0', '\u{202e}', '\u{10ffff}'] {
            let text = CodePoint(character).to_string();
            assert_eq!(CodePoint::try_from(text), Ok(CodePoint(character)));
        }
        let wrong = ["", "U+", "202E", "U+202e", "u+202E", "U+0202E", "U++202E", "U+9", "U+D800"];
        for text in wrong.into_iter().chain(["U+110000", " U+202E", "U+202E "]) {
            assert_eq!(CodePoint::try_from(text.to_owned()), Err(()), "{text}");
        }
    }

    #[test]
    fn a_code_point_is_one_text_in_json() {
        let written = serde_json::to_string(&FieldCode::unusable('\u{202e}'));
        let wanted = r#"{"code":"unusable_character","params":{"character":"U+202E"}}"#;
        assert_eq!(written.ok().as_deref(), Some(wanted));
    }
}
