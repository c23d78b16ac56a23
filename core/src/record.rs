//! Proof afterwards: the record of a decision with everything it was made from, so that anyone can
//! make it again, the receipt of a consent (`record/receipt.rs`), and the hashes by which two sides
//! know that they mean the same bytes. What they are to a reader: `docs/records.md`.

mod receipt;

use crate::ENGINE_VERSION;
use crate::decide::{Account, Cause, Decision, Finding, History, decide, explain};
use crate::json;
use crate::rule::Rule;
use crate::time::Instant;
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use receipt::{
    Agreed, AgreedMethod, Authenticated, ConsentReceipt, Fault, Proof, RECEIPT_VERSION,
    SignedReceipt,
};

/// A decision and all its inputs, zone data included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecisionRecord {
    /// The version of the rules that decided.
    pub engine_version: String,
    /// The rule, with its version.
    pub rule: Rule,
    /// The account at that moment.
    pub account: Account,
    /// What had happened before.
    pub history: History,
    /// Why it was asked.
    pub cause: Cause,
    /// When.
    pub now: Instant,
    /// The answer.
    pub decision: Decision,
}

impl DecisionRecord {
    /// Decides, and keeps what it decided from.
    pub fn make(
        rule: &Rule,
        account: &Account,
        history: &History,
        cause: &Cause,
        now: Instant,
    ) -> DecisionRecord {
        DecisionRecord {
            engine_version: ENGINE_VERSION.to_owned(),
            rule: rule.clone(),
            account: account.clone(),
            history: history.clone(),
            cause: cause.clone(),
            now,
            decision: decide(rule, account, history, cause, now),
        }
    }

    /// What was looked at, in order, with its figures, up to what stopped it.
    pub fn explain(&self) -> Vec<Finding> {
        let (rule, account, history) = (&self.rule, &self.account, &self.history);
        explain(rule, account, history, &self.cause, self.now, &self.decision)
    }

    /// Decides again from the stored inputs. Nothing when another version of the rules made it.
    pub fn rerun(&self) -> Option<Decision> {
        (self.engine_version == ENGINE_VERSION)
            .then(|| decide(&self.rule, &self.account, &self.history, &self.cause, self.now))
    }
}

/// The canonical bytes of a value: JSON with fields in the order of declaration, no spaces.
pub fn canonical(value: &impl Serialize) -> Vec<u8> {
    // Why: our own types have no failing serializer; should one ever fail, an empty text matches no
    // other side's hash, and the save is refused.
    json::write(value).unwrap_or_default()
}

/// Reads a record however it is spaced and ordered. *Errors*: when it is none, or when there is
/// anything in it that would not be written again, so that nobody can put words beside a signature.
pub fn read<T: Serialize + DeserializeOwned>(text: &str) -> Result<T, serde_json::Error> {
    let record: T = serde_json::from_str(text)?;
    let everything: serde_json::Value = serde_json::from_str(text)?;
    if serde_json::to_value(&record)? == everything {
        Ok(record)
    } else {
        Err(serde_json::Error::custom("there is more in it, or less, than would be written"))
    }
}

/// The SHA-256 of a value's canonical bytes, in lower-case hex.
pub fn sha256_hex(value: &impl Serialize) -> String {
    hex(&Sha256::digest(canonical(value)))
}

/// The SHA-256 of a text's UTF-8 bytes, in lower-case hex.
pub fn text_sha256_hex(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn hashes_are_the_standard_ones() {
        // Source: FIPS 180-2, appendix B.1.
        assert_eq!(
            super::text_sha256_hex("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
