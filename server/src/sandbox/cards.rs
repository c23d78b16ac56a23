//! Test cards: what a person types at the hosted page becomes a [`Card`] without its number.
//!
//! Place in the flow: hosted page -> `read` -> [`Card`] -> the provider's machine and journal.
//! It never keeps, returns or prints the full number or the CVC: only what survives an entry.
//! The numbers and what they do are those Stripe publishes for its test mode
//! (<https://docs.stripe.com/testing>, read 2026-11); any other number is refused as a live card.

use super::seal::Seal;
use serde::{Deserialize, Serialize};

/// Why a bank said no. The names are the provider's; what is hard or soft is decided by the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decline {
    /// No reason given.
    GenericDecline,
    /// Not enough money on the card.
    InsufficientFunds,
    /// The card is past its date.
    ExpiredCard,
    /// The security code is wrong.
    IncorrectCvc,
    /// Something failed between the banks.
    ProcessingError,
    /// Reported lost.
    LostCard,
    /// Reported stolen.
    StolenCard,
    /// A number that is not one of the published test numbers.
    TestModeLiveCard,
    /// The customer did not confirm at the bank's page.
    AuthenticationFailed,
}

/// What a test card does once it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Behaviour {
    /// Every charge succeeds.
    Works,
    /// Refused when it is entered.
    DeclinedAtEntry(Decline),
    /// Attaches; every charge is declined.
    DeclinedLater(Decline),
    /// Authenticates at entry; charges without the customer then succeed.
    AuthenticatesAtEntry,
    /// Authenticates at entry and again at every charge.
    AuthenticatesAlways,
    /// Authenticates at entry; charges are declined.
    AuthenticatesThenDeclined(Decline),
}

/// What survives a card entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// `visa`, `mastercard`, …
    pub brand: String,
    /// `credit`, `debit` or `prepaid`.
    pub funding: String,
    /// The last four digits.
    pub last4: String,
    /// 1 to 12.
    pub exp_month: u32,
    /// Four digits.
    pub exp_year: i32,
    /// A keyed hash of the number: equal for the same number, useless to find it.
    pub fingerprint: String,
    /// What it does.
    pub behaviour: Behaviour,
}

/// One published number, as the hosted page lists it.
#[derive(Clone, Copy, Debug)]
pub struct TestCard {
    /// The name used by the one-tap fill links.
    pub name: &'static str,
    /// The published number.
    pub number: &'static str,
    brand: &'static str,
    funding: &'static str,
    behaviour: Behaviour,
}

use Behaviour::{
    AuthenticatesAlways, AuthenticatesAtEntry, AuthenticatesThenDeclined, DeclinedAtEntry,
    DeclinedLater, Works,
};

const fn card(
    name: &'static str,
    number: &'static str,
    brand: &'static str,
    funding: &'static str,
    behaviour: Behaviour,
) -> TestCard {
    TestCard { name, number, brand, funding, behaviour }
}

/// The published test cards, the most useful first.
pub const TEST_CARDS: &[TestCard] = &[
    card("works", "4242424242424242", "visa", "credit", Works),
    card("debit", "4000056655665556", "visa", "debit", Works),
    card("mastercard", "5555555555554444", "mastercard", "credit", Works),
    card("unionpay", "6200000000000005", "unionpay", "credit", Works),
    card("sca_once", "4000002500003155", "visa", "credit", AuthenticatesAtEntry),
    card("sca_always", "4000002760003184", "visa", "credit", AuthenticatesAlways),
    card(
        "sca_no_funds",
        "4000008260003178",
        "visa",
        "credit",
        AuthenticatesThenDeclined(Decline::InsufficientFunds),
    ),
    card(
        "later_declined",
        "4000000000000341",
        "visa",
        "credit",
        DeclinedLater(Decline::GenericDecline),
    ),
    card(
        "declined",
        "4000000000000002",
        "visa",
        "credit",
        DeclinedAtEntry(Decline::GenericDecline),
    ),
    card(
        "no_funds",
        "4000000000009995",
        "visa",
        "credit",
        DeclinedAtEntry(Decline::InsufficientFunds),
    ),
    card("expired", "4000000000000069", "visa", "credit", DeclinedAtEntry(Decline::ExpiredCard)),
    card("wrong_cvc", "4000000000000127", "visa", "credit", DeclinedAtEntry(Decline::IncorrectCvc)),
    card(
        "processing",
        "4000000000000119",
        "visa",
        "credit",
        DeclinedAtEntry(Decline::ProcessingError),
    ),
    card("lost", "4000000000009987", "visa", "credit", DeclinedAtEntry(Decline::LostCard)),
    card("stolen", "4000000000009979", "visa", "credit", DeclinedAtEntry(Decline::StolenCard)),
    card("mastercard_2", "2223003122003222", "mastercard", "credit", Works),
    card("mastercard_debit", "5200828282828210", "mastercard", "debit", Works),
    card("mastercard_prepaid", "5105105105105100", "mastercard", "prepaid", Works),
    card("amex", "378282246310005", "amex", "credit", Works),
    card("amex_2", "371449635398431", "amex", "credit", Works),
    card("discover", "6011111111111117", "discover", "credit", Works),
    card("discover_debit", "6011981111111113", "discover", "debit", Works),
    card("diners", "3056930009020004", "diners", "credit", Works),
    card("jcb", "3566002020360505", "jcb", "credit", Works),
    card("unionpay_debit", "6200000000000047", "unionpay", "debit", Works),
];

/// How many of [`TEST_CARDS`] the hosted page offers as one-tap fills.
pub const OFFERED: usize = 15;

/// What was typed, as typed.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct Entry {
    /// Digits with any spacing.
    pub number: String,
    /// `MM / YY` or `MM / YYYY`.
    pub expiry: String,
    /// Three digits, four for American Express.
    pub cvc: String,
}

/// One field's problem; all fields are reported at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldError {
    /// Nothing typed as the number.
    NumberMissing,
    /// Not 12 to 19 digits, or the check digit does not match.
    NumberWrong,
    /// Not a month and a year.
    ExpiryWrong,
    /// A date in the past.
    ExpiryPast,
    /// Not three digits (four for American Express).
    CvcWrong,
}

impl FieldError {
    /// The input it belongs to.
    pub fn field(self) -> &'static str {
        match self {
            Self::NumberMissing | Self::NumberWrong => "number",
            Self::ExpiryWrong | Self::ExpiryPast => "expiry",
            Self::CvcWrong => "cvc",
        }
    }
}

/// Reads an entry in the month `today` = (year, month); every field's problem at once.
pub fn read(entry: &Entry, today: (i32, u32), seal: &Seal) -> Result<Card, Vec<FieldError>> {
    let mut errors = Vec::new();
    let number = digits(&entry.number);
    match number.as_deref() {
        Some("") => errors.push(FieldError::NumberMissing),
        Some(number) if (12..=19).contains(&number.len()) && luhn(number) => {}
        _ => errors.push(FieldError::NumberWrong),
    }
    let expiry = expiry(&entry.expiry);
    match expiry {
        None => errors.push(FieldError::ExpiryWrong),
        Some(expiry) if expiry < today => errors.push(FieldError::ExpiryPast),
        // Banks issue for a few years; fifty is a typing error, as at Stripe.
        Some((year, _)) if year > today.0 + 50 => errors.push(FieldError::ExpiryWrong),
        Some(_) => {}
    }
    let number = number.unwrap_or_default();
    let cvc_length = if number.starts_with("34") || number.starts_with("37") { 4 } else { 3 };
    let cvc = digits(&entry.cvc).unwrap_or_default();
    if cvc.len() != cvc_length {
        errors.push(FieldError::CvcWrong);
    }
    let (Some((exp_year, exp_month)), true) = (expiry, errors.is_empty()) else {
        return Err(errors);
    };
    let known = TEST_CARDS.iter().find(|card| card.number == number);
    Ok(Card {
        brand: known.map_or("unknown", |card| card.brand).to_owned(),
        funding: known.map_or("unknown", |card| card.funding).to_owned(),
        last4: number[number.len() - 4..].to_owned(),
        exp_month,
        exp_year,
        fingerprint: seal.hash("card", &number),
        behaviour: known.map_or(DeclinedAtEntry(Decline::TestModeLiveCard), |card| card.behaviour),
    })
}

/// The digits of `text`, full-width ones included; `None` if there is anything but digits,
/// spaces and hyphens.
fn digits(text: &str) -> Option<String> {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '0'..='9' => out.push(c),
            '０'..='９' => out.extend(char::from_digit(u32::from(c) - u32::from('０'), 10)),
            ' ' | '\u{a0}' | '\u{3000}' | '-' => {}
            _ => return None,
        }
    }
    Some(out)
}

/// The check digit of ISO/IEC 7812: every second digit from the right doubled, digits summed.
fn luhn(number: &str) -> bool {
    let sum: u32 = number
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, byte)| {
            let digit = u32::from(byte - b'0');
            let doubled = digit * 2;
            match (place % 2 == 1, doubled > 9) {
                (false, _) => digit,
                (true, false) => doubled,
                (true, true) => doubled - 9,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// (year, month) of `MM/YY`, `MM / YYYY`, `MMYY`.
fn expiry(text: &str) -> Option<(i32, u32)> {
    let text = text.replace(['/', '／'], " ");
    let digits = digits(&text)?;
    let (month, year) = match digits.len() {
        4 | 6 => digits.split_at(2),
        _ => return None,
    };
    let month: u32 = month.parse().ok()?;
    let year: i32 = year.parse().ok()?;
    let year = if year < 100 { 2000 + year } else { year };
    (1..=12).contains(&month).then_some((year, month))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TODAY: (i32, u32) = (2026, 11);

    fn entry(number: &str, expiry: &str, cvc: &str) -> Entry {
        Entry { number: number.to_owned(), expiry: expiry.to_owned(), cvc: cvc.to_owned() }
    }

    fn read_it(number: &str, expiry: &str, cvc: &str) -> Result<Card, Vec<FieldError>> {
        read(&entry(number, expiry, cvc), TODAY, &crate::sandbox::seal::test_seal())
    }

    #[test]
    fn every_published_number_passes_its_own_check_digit() {
        for card in TEST_CARDS {
            let cvc = if card.brand == "amex" { "1234" } else { "123" };
            let read = read_it(card.number, "12/34", cvc).expect(card.name);
            assert_eq!(read.behaviour, card.behaviour, "{}", card.name);
            assert_eq!(read.last4, card.number[card.number.len() - 4..], "{}", card.name);
        }
    }

    #[test]
    fn nothing_of_an_entry_but_the_last_four_survives() {
        let card = read_it("4242 4242 4242 4242", "12/34", "987").expect("a test card");
        let kept = format!("{card:?}{}", serde_json::to_string(&card).expect("json"));
        assert!(!kept.contains("42424242"), "{kept}");
        assert!(!kept.contains("987\""), "{kept}");
        assert_eq!((card.last4.as_str(), card.exp_year, card.exp_month), ("4242", 2034, 12));
    }

    #[test]
    fn one_number_has_one_fingerprint_whatever_its_spacing_and_date() {
        let a = read_it("4242424242424242", "12/34", "123").expect("a card");
        let b = read_it("４２４２-4242 4242 4242", "01 / 2030", "999").expect("a card");
        let c = read_it("5555555555554444", "12/34", "123").expect("a card");
        assert_eq!(a.fingerprint, b.fingerprint);
        assert_ne!(a.fingerprint, c.fingerprint);
    }

    #[test]
    fn all_field_errors_come_at_once() {
        use FieldError::*;
        let cases: &[(&str, &str, &str, &[FieldError])] = &[
            ("", "", "", &[NumberMissing, ExpiryWrong, CvcWrong]),
            ("4242424242424241", "12/34", "123", &[NumberWrong]),
            ("4242x24242424242", "12/34", "123", &[NumberWrong]),
            ("4242", "12/34", "123", &[NumberWrong]),
            ("4242424242424242", "10/26", "123", &[ExpiryPast]),
            ("4242424242424242", "13/34", "12", &[ExpiryWrong, CvcWrong]),
            ("4242424242424242", "12/99", "1234", &[ExpiryWrong, CvcWrong]),
            ("378282246310005", "12/34", "123", &[CvcWrong]),
        ];
        for (number, expiry, cvc, expected) in cases {
            let errors = read_it(number, expiry, cvc).expect_err(number);
            assert_eq!(errors, *expected, "{number} {expiry} {cvc}");
        }
        assert!(read_it("4242424242424242", "11/26", "123").is_ok(), "this month is still valid");
    }

    #[test]
    fn a_number_that_is_not_published_is_refused_as_a_live_card() {
        let card = read_it("4111111111111111", "12/34", "123").expect("a valid number");
        assert_eq!(card.behaviour, DeclinedAtEntry(Decline::TestModeLiveCard));
    }
}
