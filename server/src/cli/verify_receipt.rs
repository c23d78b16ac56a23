//! `laika verify-receipt FILE`: whether consent receipts hold. Core says whether each agrees with
//! itself, a public key whether it is the one that was signed. It changes nothing, and with `--key`
//! it opens no database.

use super::{Failure, Outcome, block_on, help, open, print_json, rules::RowError};
use crate::{
    signing::{PublicKey, SignatureState, verify},
    store::receipts,
};
use laika_core::{
    id::LineId,
    record::{Fault, SignedReceipt, read, sha256_hex},
    time::Instant,
};
use serde::Serialize;
use serde_json::value::RawValue;
use std::{ffi::OsStr, io::Read};

/// What one receipt comes to.
#[derive(Debug, Serialize)]
struct Verdict {
    row: usize,
    line_id: LineId,
    version: u32,
    given_at: Instant,
    sha256: String,
    key_id: String,
    signature: SignatureState,
    faults: Vec<Fault>,
}

impl Verdict {
    fn outcome(&self) -> Outcome {
        let other_version = self.faults.iter().all(|fault| fault.is_of_another_version());
        match (self.signature, other_version) {
            (SignatureState::Good, true) if self.faults.is_empty() => Outcome::Done,
            (SignatureState::Good, true) => Outcome::SomeRejected,
            _ => Outcome::Found,
        }
    }
}

pub(super) fn verify_receipt(mut parser: lexopt::Parser) -> Result<Outcome, Failure> {
    use lexopt::prelude::*;
    let (mut path, mut keys) = (None, Vec::new());
    while let Some(word) = parser.next()? {
        match word {
            Short('h') | Long("help") => return help::print(Some("verify-receipt")),
            Long("key") => keys.push(key(&parser.value()?.string()?)?),
            Value(word) if path.is_none() => path = Some(word),
            other => return Err(other.unexpected().into()),
        }
    }
    let path =
        path.ok_or_else(|| Failure::Usage("verify which receipt? FILE, or - for input".into()))?;
    let text = text(&path)?;
    if text.trim().is_empty() {
        return Err(Failure::failed(format!("{}: there is no receipt in it", path.display())));
    }
    let keys = if keys.is_empty() { of_database()? } else { keys };
    each_receipt(&text, &keys, |answer| print_json(&answer))
}

fn key(digits: &str) -> Result<PublicKey, Failure> {
    let words = || Failure::Usage(format!("--key: \"{digits}\" is not a public key in hex"));
    PublicKey::from_hex(digits).ok_or_else(words)
}

fn text(path: &OsStr) -> Result<String, Failure> {
    if path == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text)?;
        return Ok(text);
    }
    std::fs::read_to_string(path)
        .map_err(|error| Failure::failed(format!("{}: {error}", path.display())))
}

/// Every key that ever signed here.
fn of_database() -> Result<Vec<PublicKey>, Failure> {
    block_on(async {
        let app = open().await?;
        let keys = receipts::keys(&mut *app.store.read().await?).await?;
        app.store.close().await;
        Ok(keys.iter().filter_map(|key| PublicKey::from_hex(&key.public_key)).collect())
    })
}

/// One answer for each receipt, however they are spaced; after a text that is no JSON, none.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Answer {
    Verdict(Verdict),
    Unread(RowError),
}

fn each_receipt(
    text: &str,
    keys: &[PublicKey],
    mut say: impl FnMut(Answer) -> Result<(), Failure>,
) -> Result<Outcome, Failure> {
    let mut worst = Outcome::Done;
    let all = serde_json::Deserializer::from_str(text).into_iter::<Box<RawValue>>();
    for (row, raw) in (1..).zip(all) {
        let more = raw.is_ok();
        let (answer, outcome) = match raw.and_then(|raw| read::<SignedReceipt>(raw.get())) {
            Ok(signed) => {
                let verdict = verdict(row, &signed, keys);
                let outcome = verdict.outcome();
                (Answer::Verdict(verdict), outcome)
            }
            Err(error) => {
                let (code, detail) = ("bad_json", error.to_string());
                (Answer::Unread(RowError { row, code, detail }), Outcome::SomeRejected)
            }
        };
        say(answer)?;
        worst = match (worst, outcome) {
            (Outcome::Found, _) | (_, Outcome::Found) => Outcome::Found,
            (Outcome::Done, other) => other,
            (Outcome::SomeRejected, _) => Outcome::SomeRejected,
        };
        if !more {
            break;
        }
    }
    Ok(worst)
}

fn verdict(row: usize, signed: &SignedReceipt, keys: &[PublicKey]) -> Verdict {
    let receipt = &signed.receipt;
    Verdict {
        row,
        line_id: receipt.line_id.clone(),
        version: receipt.rule.version,
        given_at: receipt.given_at,
        sha256: sha256_hex(receipt),
        key_id: signed.key_id.clone(),
        signature: verify(signed, keys),
        faults: signed.check(),
    }
}

#[cfg(test)]
mod tests;
