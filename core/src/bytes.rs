//! Amounts of mobile data. 1 GB is 1,000,000,000 bytes, here, on every screen and in every rule.

use crate::number::{NumberError, parse_scaled};
use serde::{Deserialize, Deserializer, Serialize, de::Error};

/// A non-negative number of bytes, at most [`Bytes::MAX`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Bytes(u64);

/// The unit a person typed an amount of data in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum DataUnit {
    /// 1,000,000 bytes.
    MB,
    /// 1,000,000,000 bytes.
    #[default]
    GB,
}

impl DataUnit {
    /// Decimal digits between the unit and a byte.
    fn scale(self) -> u32 {
        match self {
            DataUnit::MB => 6,
            DataUnit::GB => 9,
        }
    }
}

impl Bytes {
    /// No data.
    pub const ZERO: Bytes = Bytes(0);
    /// One gigabyte, decimal.
    pub const GB: Bytes = Bytes(1_000_000_000);
    /// One megabyte, decimal.
    pub const MB: Bytes = Bytes(1_000_000);
    /// An exabyte: more than any line, less than any overflow in a database's BIGINT.
    pub const MAX: Bytes = Bytes(1_000_000_000_000_000_000);

    /// So many bytes, or nothing above [`Bytes::MAX`].
    pub const fn new(bytes: u64) -> Option<Bytes> {
        if bytes <= Bytes::MAX.0 { Some(Bytes(bytes)) } else { None }
    }

    /// From a signed column or message; nothing when negative or above [`Bytes::MAX`].
    pub fn from_i64(bytes: i64) -> Option<Bytes> {
        u64::try_from(bytes).ok().and_then(Bytes::new)
    }

    /// The plain number.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The plain number for a BIGINT column; it always fits.
    pub fn to_i64(self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }

    /// What a person typed into a data field. *Errors*: see [`NumberError`].
    pub fn parse(text: &str, unit: DataUnit) -> Result<Bytes, NumberError> {
        Bytes::from_i64(parse_scaled(text, unit.scale())?).ok_or(NumberError::TooLarge)
    }

    /// The sum; it stops at [`Bytes::MAX`].
    pub fn plus(self, other: Bytes) -> Bytes {
        Bytes(self.0.saturating_add(other.0).min(Bytes::MAX.0))
    }

    /// The difference; nothing goes below zero.
    pub fn minus(self, other: Bytes) -> Bytes {
        Bytes(self.0.saturating_sub(other.0))
    }

    /// So many times this amount, or nothing above [`Bytes::MAX`].
    pub fn checked_mul(self, times: u64) -> Option<Bytes> {
        self.0.checked_mul(times).and_then(Bytes::new)
    }

    /// How many whole `step`s cover this amount, rounded up; nothing for a step of zero.
    pub fn steps_up(self, step: Bytes) -> Option<u64> {
        (step.0 > 0).then(|| self.0.div_ceil(step.0))
    }

    /// Whether this is nothing.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl std::iter::Sum for Bytes {
    fn sum<I: Iterator<Item = Bytes>>(iter: I) -> Bytes {
        iter.fold(Bytes::ZERO, Bytes::plus)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Bytes::new(u64::deserialize(deserializer)?)
            .ok_or_else(|| D::Error::custom("more bytes than any line holds"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gigabyte_is_decimal() {
        assert_eq!(Bytes::parse("1", DataUnit::GB), Ok(Bytes::GB));
        assert_eq!(Bytes::parse("0,5", DataUnit::GB).map(Bytes::get), Ok(500_000_000));
        assert_eq!(Bytes::parse("750", DataUnit::MB).map(Bytes::get), Ok(750_000_000));
        assert_eq!(Bytes::parse("9999999999", DataUnit::GB), Err(NumberError::TooLarge));
    }

    #[test]
    fn a_gap_is_covered_by_whole_steps() {
        assert_eq!(Bytes(1).steps_up(Bytes::GB), Some(1));
        assert_eq!(Bytes::GB.steps_up(Bytes::GB), Some(1));
        assert_eq!(Bytes(1_000_000_001).steps_up(Bytes::GB), Some(2));
        assert_eq!(Bytes::ZERO.steps_up(Bytes::GB), Some(0));
        assert_eq!(Bytes::GB.steps_up(Bytes::ZERO), None);
    }
}
