//! Signing consent receipts and telling a signature: Ed25519 over the canonical bytes that core
//! gives. It keeps nothing, and the secret key never prints itself.

use crate::secret::{hex, random, sha256_hex, unhex};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use laika_core::record::{self, ConsentReceipt, SignedReceipt};
use serde::Serialize;
use std::fmt;

/// A secret key that never prints itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Signer(SigningKey);

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer {}", self.public().id)
    }
}

/// A public key and the name by which receipts cite it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    /// The first 16 hex digits of the SHA-256 of the key's 32 bytes.
    pub id: String,
    key: VerifyingKey,
}

/// What a signature comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SignatureState {
    /// A known key made it over exactly this receipt.
    Good,
    /// It is not of this receipt, or not by the key that it names.
    Bad,
    /// No known key has the name that it gives.
    UnknownKey,
}

impl Signer {
    /// A new key, from the operating system's random source.
    pub fn make() -> Signer {
        Signer(SigningKey::from_bytes(&random()))
    }

    /// From the 64 hex digits of the secret key's 32 bytes.
    pub fn from_hex(text: &str) -> Option<Signer> {
        let bytes: [u8; 32] = unhex(text)?.try_into().ok()?;
        Some(Signer(SigningKey::from_bytes(&bytes)))
    }

    /// The 64 hex digits, for the one place that keeps them.
    pub fn expose_hex(&self) -> String {
        hex(self.0.as_bytes())
    }

    /// What everybody may know of it.
    pub fn public(&self) -> PublicKey {
        PublicKey::of(self.0.verifying_key())
    }

    /// The receipt as the customer gets it.
    pub fn sign(&self, receipt: ConsentReceipt) -> SignedReceipt {
        let signature = self.0.sign(&record::canonical(&receipt));
        SignedReceipt {
            sha256: record::sha256_hex(&receipt),
            key_id: self.public().id,
            signature: hex(&signature.to_bytes()),
            receipt,
        }
    }
}

impl PublicKey {
    fn of(key: VerifyingKey) -> PublicKey {
        let id = sha256_hex(key.as_bytes()).chars().take(16).collect();
        PublicKey { id, key }
    }

    /// From the 64 hex digits of its 32 bytes; nothing when they are no key.
    pub fn from_hex(text: &str) -> Option<PublicKey> {
        let bytes: [u8; 32] = unhex(text)?.try_into().ok()?;
        VerifyingKey::from_bytes(&bytes).ok().map(PublicKey::of)
    }

    /// The 64 hex digits of its 32 bytes.
    pub fn hex(&self) -> String {
        hex(self.key.as_bytes())
    }
}

/// What the receipt's signature comes to, by these keys.
pub fn verify(signed: &SignedReceipt, keys: &[PublicKey]) -> SignatureState {
    let Some(public) = keys.iter().find(|public| public.id == signed.key_id) else {
        return SignatureState::UnknownKey;
    };
    let bytes: Option<[u8; 64]> = unhex(&signed.signature).and_then(|all| all.try_into().ok());
    // Why strict: of the many signatures that looser checks let pass for one text, one only.
    let good = bytes.is_some_and(|bytes| {
        let (message, signature) = (record::canonical(&signed.receipt), Signature::from(bytes));
        public.key.verify_strict(&message, &signature).is_ok()
    });
    if good { SignatureState::Good } else { SignatureState::Bad }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_of_the_standard() {
        // Source: RFC 8032, section 7.1, test 1.
        let secret = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
        let public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
        let signer = Signer::from_hex(secret).expect("a key");
        assert_eq!(signer.public().hex(), public);
        assert_eq!(signer.expose_hex(), secret);
        assert_eq!(PublicKey::from_hex(public).map(|key| key.id), Some(signer.public().id));
        let signature = hex(&signer.0.sign(b"").to_bytes());
        assert!(signature.starts_with("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065"));
    }

    #[test]
    fn a_key_never_prints_its_secret() {
        let signer = Signer::make();
        assert_eq!(format!("{signer:?}"), format!("Signer {}", signer.public().id));
    }

    #[test]
    fn what_is_no_key_is_none() {
        for text in ["", "00", "zz", &"0".repeat(63), &"0".repeat(66), &"x".repeat(64)] {
            assert!(Signer::from_hex(text).is_none(), "{text}");
            assert!(PublicKey::from_hex(text).is_none(), "{text}");
        }
    }
}
