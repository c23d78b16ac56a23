//! How Stripe is configured: its key, the secrets of its webhooks, and where it is. Without a key
//! the sandbox is the gateway. It never repeats a secret, and sends none over a line in the clear.

use super::{ConfigError, Secret, address, secret, secrets};
use laika_core::rail::Wallet;

/// Where Stripe is, unless something that speaks like it stands in for it.
const BASE_URL: &str = "https://api.stripe.com";

/// What the environment says about Stripe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stripe {
    /// Signs every request (`STRIPE_SECRET_KEY`): `sk_test_…`, or a restricted `rk_test_…`.
    pub key: Secret,
    /// Sign its webhooks (`STRIPE_WEBHOOK_SECRET`; two, separated by a comma, during a rotation).
    pub webhook_secrets: Vec<Secret>,
    /// Where it is (`STRIPE_API_BASE`), without a slash at the end.
    pub base_url: String,
    /// What the account has switched on to be paid with by a link (`STRIPE_WALLETS`).
    pub wallets: Vec<Wallet>,
}

impl Stripe {
    /// Reads the variables; nothing without a key.
    pub(super) fn from_vars(
        text: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Option<Stripe>, ConfigError> {
        let key = secret(text, "STRIPE_SECRET_KEY")?;
        let name = "STRIPE_WEBHOOK_SECRET";
        let webhook_secrets = secrets(name, secret(text, name)?)?;
        let Some(key) = key else {
            let alone = !webhook_secrets.is_empty() || text("STRIPE_API_BASE").is_some();
            let words = "STRIPE_WEBHOOK_SECRET and STRIPE_API_BASE mean nothing without \
                         STRIPE_SECRET_KEY";
            return if alone { Err(ConfigError(words.to_owned())) } else { Ok(None) };
        };
        let modes = ["sk_test_", "rk_test_", "sk_live_", "rk_live_"];
        if !modes.iter().any(|mode| key.len() > mode.len() && key.starts_with(mode)) {
            let words = "STRIPE_SECRET_KEY: not a secret key, which begins with sk_test_, rk_test_, \
                         sk_live_ or rk_live_";
            return Err(ConfigError(words.to_owned()));
        }
        let base_url = text("STRIPE_API_BASE").unwrap_or_else(|| BASE_URL.to_owned());
        let base_url = address::safe("STRIPE_API_BASE", &base_url)?;
        let wallets = wallets(&text("STRIPE_WALLETS").unwrap_or_default())?;
        Ok(Some(Stripe { key: Secret::new(key), webhook_secrets, base_url, wallets }))
    }

    /// Whether real money moves.
    pub fn is_live(&self) -> bool {
        let key = self.key.expose();
        key.starts_with("sk_live_") || key.starts_with("rk_live_")
    }
}

/// Names of wallets, separated by commas.
fn wallets(text: &str) -> Result<Vec<Wallet>, ConfigError> {
    let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
    let wallet = |name: &str| {
        let known = Wallet::ALL.map(Wallet::code).join(" and ");
        let words = format!("STRIPE_WALLETS: {name} is none of {known}");
        Wallet::of_code(name).ok_or(ConfigError(words))
    };
    names.map(wallet).collect()
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, ConfigError};
    use laika_core::rail::Wallet;

    fn read(vars: &[(&str, &str)]) -> Result<Config, ConfigError> {
        Config::from_vars(&|name| {
            vars.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_string())
        })
    }

    #[test]
    fn without_a_key_there_is_no_stripe() {
        assert_eq!(read(&[]).map(|config| config.stripe), Ok(None));
        for alone in [("STRIPE_WEBHOOK_SECRET", "whsec_x"), ("STRIPE_API_BASE", "https://x")] {
            assert!(read(&[alone]).is_err(), "{alone:?}");
        }
    }

    #[test]
    fn a_key_says_its_mode_and_is_not_printed() {
        for (key, live) in
            [("sk_test_abc1", false), ("rk_test_abc1", false), ("sk_live_abc1", true)]
        {
            let vars = [("STRIPE_SECRET_KEY", key), ("STRIPE_WEBHOOK_SECRET", "whsec_1,whsec_2")];
            let config = read(&vars).expect("read");
            let stripe = config.stripe.as_ref().expect("Stripe");
            assert_eq!((stripe.is_live(), stripe.webhook_secrets.len()), (live, 2));
            let printed = format!("{config:?}");
            assert!(!printed.contains("abc1") && !printed.contains("whsec"), "{printed}");
        }
        for bad in ["pk_test_abc1", "sk_test_", "abc1"] {
            let error = read(&[("STRIPE_SECRET_KEY", bad)]).expect_err("refused").0;
            assert!(error.contains("STRIPE_SECRET_KEY") && !error.contains("abc1"), "{error}");
        }
    }

    #[test]
    fn wallets_are_those_that_are_named_and_none_by_default() {
        let named = |names: &str| {
            let vars = [("STRIPE_SECRET_KEY", "sk_test_x"), ("STRIPE_WALLETS", names)];
            read(&vars).map(|config| config.stripe.map(|it| it.wallets).unwrap_or_default())
        };
        assert_eq!(named(""), Ok(vec![]));
        assert_eq!(named("alipay"), Ok(vec![Wallet::Alipay]));
        assert_eq!(named("wechat_pay, alipay,"), Ok(vec![Wallet::WechatPay, Wallet::Alipay]));
        assert!(named("alipay,paypal").is_err_and(|error| error.0.contains("paypal")));
    }

    #[test]
    fn the_key_leaves_this_machine_by_tls_alone() {
        let base = |url: &str| {
            let vars = [("STRIPE_SECRET_KEY", "sk_test_x"), ("STRIPE_API_BASE", url)];
            read(&vars).ok().and_then(|config| config.stripe).map(|stripe| stripe.base_url)
        };
        for (url, kept) in [
            ("https://stripe.example/", Some("https://stripe.example")),
            ("http://127.0.0.1:8420", Some("http://127.0.0.1:8420")),
            ("http://localhost:8420/", Some("http://localhost:8420")),
            ("http://api.stripe.com", None),
            ("http://127.0.0.1.example.org", None),
            ("http://localhost@example.org", None),
            ("https://", None),
            ("api.stripe.com", None),
        ] {
            assert_eq!(base(url).as_deref(), kept, "{url}");
        }
    }
}
