//! English: what is wrong with a field, as its error message.

use super::super::format::{bytes_exact, date, money};
use super::rail_name;
use crate::api::Language;
use crate::field::{Field, FieldCode};
use crate::money::Money;
use crate::rail::Rail;

const STAYS_BELOW: &str = "From empty, one recharge would not end above the threshold: it would \
     recharge again and again. Choose more.";
const NOT_A_PHONE: &str = "Enter the number with its country code, such as +34 612 345 678.";
const UNIT_NOT_ADDED: &str =
    "The recharge adds something else: give data for data, credit for credit.";
const WRONG_CODE: &str =
    "Not the code we sent, or no longer valid. Check it, or ask for a new one.";

#[allow(clippy::wildcard_enum_match_arm, reason = "most fields share one sentence")]
pub(in crate::say) fn field_error(field: Field, code: &FieldCode) -> String {
    match code {
        FieldCode::Required => match field {
            Field::Trigger => "Choose when to recharge.".to_owned(),
            Field::CapPerMonth => "Enter a monthly cap: recharging when low needs one.".to_owned(),
            Field::Weekdays => "Choose at least one day.".to_owned(),
            _ => "Fill this in.".to_owned(),
        },
        FieldCode::NotANumber => "Enter a number, such as 5 or 2.5.".to_owned(),
        FieldCode::AmbiguousNumber => "Could mean a thousand or one: write 1000 or 1.".to_owned(),
        FieldCode::TooPrecise => "Too many decimals.".to_owned(),
        FieldCode::TooLarge => "That is too large.".to_owned(),
        FieldCode::NotPositive => "Enter more than 0.".to_owned(),
        FieldCode::OutOfRange { min, max } => format!("Enter {min} to {max}."),
        FieldCode::NotADate => "Enter a date.".to_owned(),
        FieldCode::NotATime => "Enter a time, such as 09:00.".to_owned(),
        FieldCode::TooEarly { first } => {
            format!("Choose {} or later.", date(*first, Language::En))
        }
        FieldCode::NotAPhone => NOT_A_PHONE.to_owned(),
        FieldCode::UnknownCallingCode => "No country has this code.".to_owned(),
        FieldCode::PhoneLength { calling_code, digits, min, max } => {
            phone_length(*calling_code, *digits, *min, *max)
        }
        FieldCode::NotAnEmail => "Enter an e-mail address, such as ana@example.org.".to_owned(),
        FieldCode::TooShort { min } => format!("Use at least {min} characters."),
        FieldCode::TooLong { max } => format!("Use at most {max} characters."),
        FieldCode::UnusableCharacter { character } => unusable(character),
        FieldCode::SameAsContact => "Choose something other than your phone or e-mail.".to_owned(),
        FieldCode::Breached => "This password is known from data leaks. Choose another.".to_owned(),
        FieldCode::NotACode => "The code has six digits.".to_owned(),
        FieldCode::WrongCode => WRONG_CODE.to_owned(),
        FieldCode::UnknownChoice => "Choose one of the list.".to_owned(),
        FieldCode::UnitNotAdded => UNIT_NOT_ADDED.to_owned(),
        FieldCode::ThresholdNotBelowTarget { target } => {
            format!("Choose less than the {} to keep.", bytes_exact(*target))
        }
        FieldCode::StaysBelowThreshold => STAYS_BELOW.to_owned(),
        FieldCode::NotWholeSteps { step } => {
            format!("Data comes in steps of {}.", bytes_exact(*step))
        }
        FieldCode::BelowOneRecharge { cost } => {
            format!("One recharge costs up to {}: enter at least that.", money(*cost))
        }
        FieldCode::BelowOneStep { cost } => {
            format!("One step costs {}: enter at least that.", money(*cost))
        }
        FieldCode::NeverDue => "No date lies between start and end.".to_owned(),
        FieldCode::ValidityTooShort { validity_days } => {
            format!("Bought data is valid for {validity_days} days: choose fewer.")
        }
        FieldCode::EndsBeforeStart => "The end is before the start.".to_owned(),
        FieldCode::NotAutomatic { rail } => {
            format!("{} needs you each time: it cannot be charged by itself.", rail_name(*rail))
        }
        FieldCode::NotOnThatDay { rail, last_day } => {
            let name = rail_name(*rail);
            format!("{name} is not charged after day {last_day} of a month: choose an earlier day.")
        }
        FieldCode::NotSoOften { rail, days } => {
            let name = rail_name(*rail);
            format!("{name} is charged every {days} days at most: choose a longer period.")
        }
        FieldCode::AboveAgreement { rail, most } => above_agreement(*rail, *most),
        FieldCode::AgreementUsedUp { rail } => {
            format!("Your agreement with {} is used up: renew it.", rail_name(*rail))
        }
    }
}

fn phone_length(calling_code: u16, digits: u32, min: u32, max: u32) -> String {
    let wrong = match () {
        () if digits < min => "Too short",
        () if digits > max => "Too long",
        () => "No number has this length",
    };
    let right = if min == max { min.to_string() } else { format!("{min} to {max}") };
    format!("{wrong}: {right} digits come after +{calling_code}, here {digits}.")
}

fn unusable(character: &str) -> String {
    format!("Take out {character}: it cannot be seen, or changes what is beside it.")
}

fn above_agreement(rail: Rail, most: Money) -> String {
    let (name, most) = (rail_name(rail), money(most));
    format!("Your agreement with {name} allows {most} at once: recharge less, or renew it.")
}
