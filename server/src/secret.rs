//! Random and hashed things: tokens, codes, ids, SHA-256 and HMAC. It keeps nothing; what it makes
//! is stored hashed by whoever asked.

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use std::io::{self, Read};

/// Random bytes from the operating system; without them nothing here may go on.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    #[cfg(test)]
    if seeded::fill(&mut bytes) {
        return bytes;
    }
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

/// A random token of 256 bits, in hex.
pub fn token() -> String {
    hex(&random::<32>())
}

/// A random id: a prefix that says what it names, and 96 bits.
pub fn id(prefix: &str) -> String {
    format!("{prefix}_{}", hex(&random::<12>()))
}

/// A random one-time code of six digits, each equally likely.
pub fn six_digits() -> String {
    // INVARIANT: numbers past the largest multiple of a million are drawn again, so no code is
    // likelier than another.
    loop {
        let number = u32::from_be_bytes(random());
        if number < 4_294_000_000 {
            return format!("{:06}", number % 1_000_000);
        }
    }
}

/// SHA-256 in hex.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// How many bytes there are to read, and their SHA-256 in hex.
pub fn sha256_hex_of(mut from: impl Read) -> io::Result<(u64, String)> {
    let mut hash = Sha256::new();
    let bytes = io::copy(&mut from, &mut hash)?;
    Ok((bytes, hex(&hash.finalize())))
}

/// HMAC-SHA-256 in hex.
pub fn hmac_hex(key: &str, message: &[u8]) -> String {
    hex(&mac(key, message).finalize().into_bytes())
}

/// Whether `hex` is the HMAC of the message, compared in constant time.
pub fn hmac_agrees(key: &str, message: &[u8], hex: &str) -> bool {
    unhex(hex).is_some_and(|given| mac(key, message).verify_slice(&given).is_ok())
}

fn mac(key: &str, message: &[u8]) -> Hmac<Sha256> {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(message);
    mac
}

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    let digits = b"0123456789abcdef";
    let text = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    text.map(|digit| char::from(digits[usize::from(digit)])).collect()
}

/// The bytes that hex digits stand for; nothing when there is anything else among them.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|digit| digit.to_digit(16).and_then(|value| u8::try_from(value).ok()))
        .collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

#[cfg(test)]
pub(crate) mod seeded {
    //! A simulated process draws what is random from its seed: its whole run is on one thread.

    use laika_tests::support::random::Random;
    use std::cell::RefCell;

    thread_local! {
        static SOURCE: RefCell<Option<Random>> = const { RefCell::new(None) };
    }

    /// From now on this thread draws from a seed; from the operating system again without one.
    pub(crate) fn by(seed: Option<u64>) {
        SOURCE.with(|source| *source.borrow_mut() = seed.map(Random::new));
    }

    /// Fills the bytes, where this thread draws from a seed.
    pub(super) fn fill(bytes: &mut [u8]) -> bool {
        SOURCE.with(|source| {
            let mut source = source.borrow_mut();
            let Some(random) = source.as_mut() else { return false };
            for part in bytes.chunks_mut(8) {
                let bits = random.bits().to_le_bytes();
                part.iter_mut().zip(bits).for_each(|(byte, bits)| *byte = bits);
            }
            true
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_agrees_only_with_its_message() {
        let signature = hmac_hex("key", b"1.body");
        assert!(hmac_agrees("key", b"1.body", &signature));
        assert!(!hmac_agrees("key", b"2.body", &signature));
        assert!(!hmac_agrees("other", b"1.body", &signature));
        for broken in ["", "zz", "abc", "é"] {
            assert!(!hmac_agrees("key", b"1.body", broken));
        }
    }

    #[test]
    fn codes_have_six_digits() {
        for _ in 0..100 {
            let code = six_digits();
            assert!(code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit()), "{code}");
        }
    }
}
