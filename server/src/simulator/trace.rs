//! What happened, step by step, and one hash of all of it: two runs of a seed must agree on it.

use crate::secret::hex;
use sha2::{Digest, Sha256};

#[derive(Default)]
pub(super) struct Trace {
    hash: Sha256,
    pub(super) lines: Vec<String>,
}

impl Trace {
    /// What happened, in words and with every figure that could differ.
    pub(super) fn add(&mut self, line: impl Into<String>) {
        let line = line.into();
        self.hash.update(line.as_bytes());
        self.hash.update(b"\n");
        self.lines.push(line);
    }

    /// The hash of everything so far.
    pub(super) fn hash(&self) -> String {
        hex(&self.hash.clone().finalize())
    }
}
