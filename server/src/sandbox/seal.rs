//! The sandbox's one secret: it makes ids that cannot be guessed and fingerprints that say nothing.
//!
//! Place in the flow: drawn once when the journal is created, its first line from then on, so that
//! replaying the journal gives the same ids. It never signs for anybody else: webhooks have their
//! own secret.

use crate::secret::hmac_hex;

/// A keyed hash with 256 bits of seed.
#[derive(Clone)]
pub struct Seal {
    seed: String,
}

impl Seal {
    /// The seal of a seed: 64 hexadecimal digits.
    pub fn from_seed(seed: &str) -> Option<Self> {
        let shaped = seed.len() == 64 && seed.bytes().all(|byte| byte.is_ascii_hexdigit());
        shaped.then(|| Self { seed: seed.to_owned() })
    }

    /// 128 bits of HMAC-SHA-256 over `subject:text`, in hex.
    pub fn hash(&self, subject: &str, text: &str) -> String {
        let mut hash = hmac_hex(&self.seed, format!("{subject}:{text}").as_bytes());
        hash.truncate(32);
        hash
    }
}

#[cfg(test)]
pub(super) fn test_seal() -> Seal {
    Seal { seed: "7".repeat(64) }
}
