//! Money: integer minor units with an ISO 4217 code. Everything that is charged, capped or shown
//! passes through here. There is no float, no silent wrap, and two currencies never add.

use crate::number::{NumberError, parse_scaled};
use crate::text;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// An ISO 4217 currency, three capital letters out of the table below.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

/// Active ISO 4217 codes, each followed by its exponent, in alphabetical order. *Source*: ISO 4217
/// list one, 2026-01-01; funds codes, metals and test codes are left out because nobody can be
/// charged in them.
const CODES: &str = "\
     AED2AFN2ALL2AMD2ANG2AOA2ARS2AUD2AWG2AZN2BAM2BBD2BDT2BHD3BIF0BMD2BND2BOB2BRL2BSD2BTN2BWP2\
     BYN2BZD2CAD2CDF2CHF2CLP0CNY2COP2CRC2CUP2CVE2CZK2DJF0DKK2DOP2DZD2EGP2ERN2ETB2EUR2FJD2FKP2\
     GBP2GEL2GHS2GIP2GMD2GNF0GTQ2GYD2HKD2HNL2HTG2HUF2IDR2ILS2INR2IQD3IRR2ISK0JMD2JOD3JPY0KES2\
     KGS2KHR2KMF0KPW2KRW0KWD3KYD2KZT2LAK2LBP2LKR2LRD2LSL2LYD3MAD2MDL2MGA2MKD2MMK2MNT2MOP2MRU2\
     MUR2MVR2MWK2MXN2MYR2MZN2NAD2NGN2NIO2NOK2NPR2NZD2OMR3PAB2PEN2PGK2PHP2PKR2PLN2PYG0QAR2RON2\
     RSD2RUB2RWF0SAR2SBD2SCR2SDG2SEK2SGD2SHP2SLE2SOS2SRD2SSP2STN2SVC2SYP2SZL2THB2TJS2TMT2TND3\
     TOP2TRY2TTD2TWD2TZS2UAH2UGX0USD2UYU2UYW4UZS2VED2VES2VND0VUV0WST2XAF0XCD2XCG2XOF0XPF0YER2\
     ZAR2ZMW2ZWG2";

impl Currency {
    /// The currency with this code, or nothing when ISO 4217 has none (case matters).
    pub fn from_code(code: &str) -> Option<Currency> {
        let bytes: [u8; 3] = code.as_bytes().try_into().ok()?;
        exponent_of(bytes).map(|_| Currency(bytes))
    }

    /// The three letters.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("???")
    }

    /// How many decimal digits the minor unit stands below the major one: JPY 0, EUR 2, KWD 3.
    pub fn exponent(&self) -> u32 {
        exponent_of(self.0).unwrap_or(2)
    }

    /// What is charged is a whole multiple of so many minor units: no card takes a third decimal,
    /// and none the hundredths of an ariary. *Source*: Stripe's documentation, "Supported
    /// currencies", read 2026-11.
    pub fn charged_in(&self) -> i64 {
        let digits = match &self.0 {
            b"MGA" => 2,
            _ => self.exponent().saturating_sub(2),
        };
        10_i64.saturating_pow(digits)
    }
}

/// What the table says of a code.
fn exponent_of(code: [u8; 3]) -> Option<u32> {
    let (listed, _) = CODES.as_bytes().as_chunks::<4>();
    // Why as numbers: they are compared at once, and in the same order as letters.
    let number = |[a, b, c]: [u8; 3]| u32::from_be_bytes([0, a, b, c]);
    let by_code = |[a, b, c, _]: &[u8; 4]| number([*a, *b, *c]);
    let place = listed.binary_search_by_key(&number(code), by_code).ok()?;
    listed.get(place).and_then(|[.., exponent]| char::from(*exponent).to_digit(10))
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text::read(deserializer, Currency::from_code, "not an ISO 4217 currency")
    }
}

/// An amount of money, in minor units of its currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Money {
    /// Cents, fils, or whole yen: minor units, never a fraction.
    pub amount_minor: i64,
    /// What the minor units are of.
    pub currency: Currency,
}

impl Money {
    /// So many minor units of a currency.
    pub const fn new(amount_minor: i64, currency: Currency) -> Money {
        Money { amount_minor, currency }
    }

    /// No money, in this currency.
    pub const fn zero(currency: Currency) -> Money {
        Money { amount_minor: 0, currency }
    }

    /// What a person typed into an amount field. *Errors*: see [`NumberError`].
    pub fn parse(text: &str, currency: Currency) -> Result<Money, NumberError> {
        Ok(Money::new(parse_scaled(text, currency.exponent())?, currency))
    }

    /// The sum, or nothing when the currencies differ or it does not fit.
    pub fn checked_add(self, other: Money) -> Option<Money> {
        self.same(other)?;
        Some(Money::new(self.amount_minor.checked_add(other.amount_minor)?, self.currency))
    }

    /// The difference, or nothing when the currencies differ or it does not fit.
    pub fn checked_sub(self, other: Money) -> Option<Money> {
        self.same(other)?;
        Some(Money::new(self.amount_minor.checked_sub(other.amount_minor)?, self.currency))
    }

    /// So many times this amount, or nothing when it does not fit.
    pub fn checked_mul(self, times: i64) -> Option<Money> {
        Some(Money::new(self.amount_minor.checked_mul(times)?, self.currency))
    }

    fn same(self, other: Money) -> Option<()> {
        (self.currency == other.currency).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn currency(code: &str) -> Currency {
        Currency::from_code(code).unwrap_or(Currency(*b"EUR"))
    }

    #[test]
    fn exponents_come_from_the_table() {
        for (code, exponent) in [("JPY", 0), ("EUR", 2), ("KWD", 3), ("UYW", 4)] {
            assert_eq!(currency(code).exponent(), exponent, "{code}");
        }
        for unknown in ["eur", "XXX", "EURO", "", "€"] {
            assert_eq!(Currency::from_code(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn nobody_is_charged_a_third_decimal() {
        for (code, units) in [("JPY", 1), ("EUR", 1), ("KWD", 10), ("UYW", 100), ("MGA", 100)] {
            assert_eq!(currency(code).charged_in(), units, "{code}");
        }
    }

    #[test]
    fn yen_have_no_cents() {
        assert_eq!(Money::parse("500", currency("JPY")).map(|m| m.amount_minor), Ok(500));
        assert_eq!(Money::parse("5.00", currency("JPY")).map(|m| m.amount_minor), Ok(5));
        assert_eq!(Money::parse("5.5", currency("JPY")), Err(NumberError::TooPrecise));
    }

    #[test]
    fn currencies_never_mix_and_nothing_wraps() {
        let eur = Money::new(1, currency("EUR"));
        assert_eq!(eur.checked_add(Money::new(1, currency("USD"))), None);
        assert_eq!(eur.checked_add(Money::new(i64::MAX, currency("EUR"))), None);
        assert_eq!(eur.checked_mul(i64::MAX).map(|m| m.amount_minor), Some(i64::MAX));
    }
}
