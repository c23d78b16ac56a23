//! Money: integer minor units with an ISO 4217 code. Everything that is charged, capped or shown
//! passes through here. There is no float, no silent wrap, and two currencies never add.

use crate::number::{NumberError, parse_scaled};
use crate::text;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// An ISO 4217 currency, three capital letters out of the table below.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

/// Active ISO 4217 codes by exponent. *Source*: ISO 4217 list one, 2026-01-01; funds codes,
/// metals and test codes are left out because nobody can be charged in them.
const CODES: [(u32, &str); 4] = [
    (0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"),
    (
        2,
        "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD \
         CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP \
         GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD \
         LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB \
         PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC \
         SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW \
         ZWG",
    ),
    (3, "BHD IQD JOD KWD LYD OMR TND"),
    (4, "UYW"),
];

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
}

/// The row of the table that holds a code.
fn exponent_of(code: [u8; 3]) -> Option<u32> {
    // Why: a code and its blank are four bytes; steps are quicker than looking for blanks.
    let holds = |codes: &str| codes.as_bytes().chunks(4).any(|listed| listed.starts_with(&code));
    CODES.iter().find(|(_, codes)| holds(codes)).map(|(exponent, _)| *exponent)
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
