//! Password hashes: argon2id, off the async threads and never more than a few at once, so that a
//! flood of sign-ins cannot take the memory or the processors of the money path.

use crate::{
    error::{Error, Result},
    secret,
};
use argon2::{
    Algorithm, Argon2, Params, PasswordHash, PasswordHasher, PasswordVerifier, Version,
    password_hash::SaltString,
};
use std::sync::{Arc, LazyLock};
use tokio::sync::Semaphore;
use unicode_normalization::UnicodeNormalization;

/// 19 MiB, two passes, one lane. *Source*: OWASP password storage, argon2id minimum.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;

/// How many hashes are computed at once.
const AT_ONCE: usize = 2;

/// Compared with when there is no such account, so that the answer takes as long.
static NOBODY: LazyLock<String> = LazyLock::new(|| compute(&secret::token()).unwrap_or_default());

/// Computes and compares password hashes.
#[derive(Clone, Debug)]
pub struct Passwords(Arc<Semaphore>);

impl Default for Passwords {
    fn default() -> Passwords {
        Passwords(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

impl Passwords {
    /// The hash to store.
    pub async fn hash(&self, password: String) -> Result<String> {
        self.off_thread(move || compute(&prepared(&password))).await?
    }

    /// Whether the password is the one of this hash; without a hash never, and no sooner.
    pub async fn agrees(&self, password: String, hash: Option<String>) -> Result<bool> {
        self.off_thread(move || {
            // Why: made for everybody the first time, so that no first stranger is slower.
            LazyLock::force(&NOBODY);
            let known = hash.is_some();
            let hash = hash.unwrap_or_else(|| NOBODY.clone());
            let same = PasswordHash::new(&hash).is_ok_and(|hash| {
                argon().verify_password(prepared(&password).as_bytes(), &hash).is_ok()
            });
            known && same
        })
        .await
    }

    async fn off_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let turn = Arc::clone(&self.0).acquire_owned().await;
        let turn = turn.map_err(|_| Error::internal("the password queue is closed"))?;
        let work = tokio::task::spawn_blocking(move || {
            let answer = work();
            drop(turn);
            answer
        });
        work.await.map_err(|error| Error::internal(format!("password hash: {error}")))
    }
}

/// The same password from every keyboard: `é` may come as one character or as two, and a space as
/// one of many. *Source*: RFC 8265, OpaqueString.
fn prepared(password: &str) -> String {
    let space = |c: char| if c.is_whitespace() && !c.is_control() { ' ' } else { c };
    password.chars().map(space).nfc().collect()
}

fn argon() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).unwrap_or_default();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn compute(password: &str) -> Result<String> {
    let salt = SaltString::encode_b64(&secret::random::<16>());
    let salt = salt.map_err(|error| Error::internal(format!("salt: {error}")))?;
    let hash = argon().hash_password(password.as_bytes(), &salt);
    Ok(hash.map_err(|error| Error::internal(format!("password hash: {error}")))?.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_same_password_agrees() {
        let passwords = Passwords::default();
        let hash = passwords.hash("correct horse".into()).await.expect("a hash");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        let agrees = async |typed: &str, hash: Option<&String>| {
            passwords.agrees(typed.into(), hash.cloned()).await.expect("compared")
        };
        assert!(agrees("correct horse", Some(&hash)).await);
        assert!(!agrees("wrong horse", Some(&hash)).await);
        assert!(!agrees("correct horse", None).await);
    }

    #[tokio::test]
    async fn one_password_is_the_same_from_every_keyboard() {
        let passwords = Passwords::default();
        let hash = passwords.hash("clé\u{a0}d’été 각".into()).await.expect("a hash");
        let typed = "cle\u{301} d’e\u{301}te\u{301}\u{3000}\u{1100}\u{1161}\u{11a8}";
        assert!(passwords.agrees(typed.into(), Some(hash.clone())).await.expect("compared"));
        let other = "cle d’ete 각".to_owned();
        assert!(!passwords.agrees(other, Some(hash)).await.expect("compared"));
    }
}
