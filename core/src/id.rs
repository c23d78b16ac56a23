//! Typed names of things, so that a line's id never stands where an account's should, and the
//! derived names: a recharge is its line and a number, an idempotency key is a recharge and a
//! number. Nothing here is random; the server makes the few random ones.

use crate::text;
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        ///
        /// *Shape*: 1-80 ASCII letters, digits, `-`, `_` or `.`.
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The id, or nothing when the text is not shaped like one.
            pub fn new(text: impl Into<String>) -> Option<$name> {
                let text = text.into();
                well_formed(&text).then_some($name(text))
            }

            /// The text of the id.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                text::read(deserializer, |text| $name::new(text), "not an id")
            }
        }
    )*};
}

ids! {
    /// A customer's account.
    AccountId;
    /// A line: one eSIM with its balance.
    LineId;
    /// A bound payment method.
    PaymentMethodId;
    /// One whole run from decision to credit.
    RechargeId;
    /// A bucket of data on a line.
    BucketId;
    /// A person or a device that a line's data is shared with.
    MemberId;
    /// What a gateway or carrier must see again to recognise a repeated request.
    IdempotencyKey;
}

fn well_formed(text: &str) -> bool {
    (1..=80).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

impl RechargeId {
    /// The `number`th recharge of a line, counted from 1.
    pub fn derive(line: &LineId, number: u32) -> RechargeId {
        RechargeId(format!("{line}-r{number}"))
    }
}

impl BucketId {
    /// The bucket that a recharge's top-up fills.
    pub fn of_recharge(recharge: &RechargeId) -> BucketId {
        BucketId(format!("{recharge}-b"))
    }

    /// The bucket a line starts with.
    pub fn first_of(line: &LineId) -> BucketId {
        BucketId(format!("{line}-b0"))
    }
}

impl IdempotencyKey {
    /// The key of one numbered payment attempt; a resend repeats it.
    pub fn of_attempt(recharge: &RechargeId, attempt: u32) -> IdempotencyKey {
        IdempotencyKey(format!("{recharge}-a{attempt}"))
    }

    /// The key of a recharge's one top-up.
    pub fn of_top_up(recharge: &RechargeId) -> IdempotencyKey {
        IdempotencyKey(format!("{recharge}-t"))
    }

    /// The key of a refund after the recharge ended, counted from 1 for each payment.
    pub fn of_later_refund(recharge: &RechargeId, attempt: u32, number: u32) -> IdempotencyKey {
        IdempotencyKey(format!("{recharge}-a{attempt}-f{number}"))
    }

    /// The key of the full refund of an attempt's capture.
    pub fn of_refund(recharge: &RechargeId, attempt: u32) -> IdempotencyKey {
        IdempotencyKey(format!("{recharge}-f{attempt}"))
    }
}
