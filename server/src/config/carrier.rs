//! How the carrier is configured: where it is, and the secret between it and us. Without an address
//! the sandbox's carrier delivers. It never repeats the secret, and sends it over no line in the
//! clear.

use super::{ConfigError, Secret, address, secret};

/// What the environment says about the carrier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carrier {
    /// Where its side of `docs/carrier.md` is (`LAIKA_CARRIER_URL`), without a slash at the end.
    pub url: String,
    /// Proves to it who asks (`LAIKA_CARRIER_SECRET`).
    pub secret: Secret,
}

impl Carrier {
    /// Reads the variables; nothing without an address.
    pub(super) fn from_vars(
        text: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Option<Carrier>, ConfigError> {
        let (url, secret) = (text("LAIKA_CARRIER_URL"), secret(text, "LAIKA_CARRIER_SECRET")?);
        match (url, secret) {
            (None, None) => Ok(None),
            (Some(url), Some(secret)) => {
                if secret.is_empty() || !secret.bytes().all(|byte| byte.is_ascii_graphic()) {
                    let words = "LAIKA_CARRIER_SECRET: it goes into a header, so it must be visible \
                                 ASCII characters without spaces";
                    return Err(ConfigError(words.to_owned()));
                }
                let url = address::safe("LAIKA_CARRIER_URL", &url)?;
                Ok(Some(Carrier { url, secret: Secret::new(secret) }))
            }
            (Some(_), None) => {
                Err(ConfigError("LAIKA_CARRIER_URL: LAIKA_CARRIER_SECRET is missing".to_owned()))
            }
            (None, Some(_)) => {
                let words = "LAIKA_CARRIER_SECRET means nothing without LAIKA_CARRIER_URL";
                Err(ConfigError(words.to_owned()))
            }
        }
    }

    /// Whether it is on this machine: somebody tries things out, or a tunnel ends here.
    pub fn is_on_this_machine(&self) -> bool {
        address::is_on_this_machine(&self.url)
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, ConfigError};

    fn read(vars: &[(&str, &str)]) -> Result<Config, ConfigError> {
        Config::from_vars(&|name| {
            vars.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_string())
        })
    }

    #[test]
    fn an_address_and_a_secret_come_together_or_not_at_all() {
        assert_eq!(read(&[]).map(|config| config.carrier), Ok(None));
        for alone in [("LAIKA_CARRIER_URL", "https://c"), ("LAIKA_CARRIER_SECRET", "hidden")] {
            let error = read(&[alone]).expect_err("refused").0;
            assert!(error.contains(alone.0) && !error.contains("hidden"), "{error}");
        }
        let both = [("LAIKA_CARRIER_URL", "https://c/v1/"), ("LAIKA_CARRIER_SECRET", "hidden")];
        let config = read(&both).expect("read");
        let carrier = config.carrier.as_ref().expect("a carrier");
        assert_eq!((carrier.url.as_str(), carrier.is_on_this_machine()), ("https://c/v1", false));
        assert!(!format!("{config:?}").contains("hidden"), "{config:?}");
    }

    #[test]
    fn the_secret_leaves_this_machine_by_tls_alone_and_fits_into_a_header() {
        let url = |url: &str| {
            let vars = [("LAIKA_CARRIER_URL", url), ("LAIKA_CARRIER_SECRET", "hidden")];
            read(&vars).ok().and_then(|config| config.carrier)
        };
        for here in ["http://127.0.0.1:8081/carrier/v1", "http://localhost", "http://[::1]:1/x"] {
            assert!(url(here).expect(here).is_on_this_machine(), "{here}");
        }
        assert!(url("https://localhost:8443").expect("kept").is_on_this_machine());
        for bad in [
            "http://carrier.example.org",
            "http://127.0.0.1.example.org",
            "http://localhost@example.org",
            "https://user:word@example.org",
            "https://example.org/v1?key=x",
            "https://example.org/v1#x",
            "https://exa mple.org",
            "https://",
            "carrier.example.org",
        ] {
            assert_eq!(url(bad), None, "{bad}");
        }
        for bad in ["two words", "two\nlines", "schlüssel"] {
            let vars = [("LAIKA_CARRIER_URL", "https://c"), ("LAIKA_CARRIER_SECRET", bad)];
            let error = read(&vars).expect_err("refused").0;
            assert!(error.contains("LAIKA_CARRIER_SECRET") && !error.contains(bad), "{error}");
        }
    }
}
