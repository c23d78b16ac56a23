//! Consent receipts over HTTP: the list of a line's receipts, and the keys that signed them. The
//! receipt itself is [`SignedReceipt`](crate::record::SignedReceipt), byte for byte as it was
//! signed.

use crate::time::Instant;
use serde::{Deserialize, Serialize};

/// A receipt in the list. `GET /lines/{id}/rule/receipts`, the newest first; the receipt itself is
/// at `GET /lines/{id}/rule/receipts/{version}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptView {
    /// The version of the rule that was turned on.
    pub version: u32,
    /// When it was agreed to.
    pub given_at: Instant,
    /// The SHA-256 of the receipt's canonical bytes, lower-case hex.
    pub sha256: String,
    /// Which key signed it.
    pub key_id: String,
}

/// A public key. `GET /signing-keys`, the newest first, every one that ever signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SigningKeyView {
    /// The first 16 hex digits of the SHA-256 of the key's 32 bytes.
    pub key_id: String,
    /// The 32 bytes of the Ed25519 public key, lower-case hex. *Source*: RFC 8032.
    pub public_key: String,
    /// Since when it signs here.
    pub since: Instant,
}
