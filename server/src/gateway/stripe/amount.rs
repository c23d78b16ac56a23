//! Amounts as Stripe writes them: mostly our minor units, but not in every currency. What cannot be
//! written exactly is refused, never rounded.
//!
//! *Source*: Stripe's documentation, "Supported currencies", read 2026-11.

use laika_core::money::{Currency, Money};

/// Currencies without decimals at Stripe.
const NO_DECIMALS: &str = "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF";
/// Two decimals at Stripe, of which both are 0.
const EMPTY_DECIMALS: &str = "ISK";
/// Three decimals, the last of which is 0.
const THREE_DECIMALS: &str = "BHD JOD KWD OMR TND";
/// Not taken. UGX: Stripe lists it both without decimals and with two, and a factor of 100 is no
/// guess to make; the others it does not have.
const NOT_TAKEN: &str = "CUP IQD IRR KPW LYD SDG SSP SYP UGX UYW VED";

/// How many decimals Stripe's amounts have, and what they must be a multiple of.
fn shape(currency: Currency) -> Option<(u32, i64)> {
    let is = |list: &str| list.split(' ').any(|code| code == currency.code());
    if is(NOT_TAKEN) {
        None
    } else if is(NO_DECIMALS) {
        Some((0, 1))
    } else if is(EMPTY_DECIMALS) {
        Some((2, 100))
    } else if is(THREE_DECIMALS) {
        Some((3, 10))
    } else {
        Some((2, 1))
    }
}

/// The amount as Stripe is told it; nothing where it cannot be written.
pub(super) fn to_stripe(money: Money) -> Option<i64> {
    let (decimals, multiple) = shape(money.currency)?;
    let amount = rescale(money.amount_minor, money.currency.exponent(), decimals)?;
    (amount > 0 && amount % multiple == 0).then_some(amount)
}

/// What Stripe says, in our minor units; nothing where it makes no sense.
pub(super) fn from_stripe(amount: i64, currency: &str) -> Option<Money> {
    let currency = Currency::from_code(&currency.to_ascii_uppercase())?;
    let (decimals, _) = shape(currency)?;
    let minor = rescale(amount, decimals, currency.exponent())?;
    (minor >= 0).then_some(Money::new(minor, currency))
}

fn rescale(amount: i64, from: u32, to: u32) -> Option<i64> {
    let factor = 10_i64.checked_pow(from.abs_diff(to))?;
    if to >= from {
        return amount.checked_mul(factor);
    }
    (amount % factor == 0).then_some(amount / factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(minor: i64, code: &str) -> Money {
        Money::new(minor, Currency::from_code(code).expect(code))
    }

    #[test]
    fn each_currency_is_written_as_stripe_reads_it() {
        for (minor, code, stripe) in [
            (900, "EUR", 900),
            (500, "JPY", 500),
            (500, "KRW", 500),
            (50_000, "MGA", 500),
            (500, "ISK", 50_000),
            (5_120, "KWD", 5_120),
        ] {
            assert_eq!(to_stripe(money(minor, code)), Some(stripe), "{code}");
            let back = from_stripe(stripe, &code.to_ascii_lowercase());
            assert_eq!(back, Some(money(minor, code)), "{code}");
        }
    }

    #[test]
    fn what_a_rule_may_cost_can_be_written() {
        for code in "EUR JPY KRW MGA ISK BHD JOD KWD OMR TND USD CLP VND XPF".split(' ') {
            let currency = Currency::from_code(code).expect(code);
            for times in [1, 7, 123] {
                let money = Money::new(times * currency.charged_in(), currency);
                assert!(to_stripe(money).is_some(), "{code} {times}");
            }
        }
    }

    #[test]
    fn what_cannot_be_written_exactly_is_refused() {
        for (minor, code) in [
            (5_124, "KWD"),
            (50_050, "MGA"),
            (900, "UGX"),
            (900, "UYW"),
            (0, "EUR"),
            (-1, "EUR"),
            (i64::MAX, "ISK"),
        ] {
            assert_eq!(to_stripe(money(minor, code)), None, "{minor} {code}");
        }
        for (amount, code) in [(50_050, "isk"), (-1, "eur"), (1, "ugx"), (1, "xxx"), (1, "")] {
            assert_eq!(from_stripe(amount, code), None, "{amount} {code}");
        }
    }
}
