//! Configuration: the only place that reads the environment. Read once at start, then passed by
//! reference. It never guesses: a value that cannot be meant is an error that names the variable.

mod address;
mod carrier;
mod database;
mod log;
mod stripe;

use crate::signing::Signer;
pub use carrier::Carrier;
pub use database::DatabaseUrl;
pub use log::LogFormat;
use std::{fmt, net::SocketAddr, path::PathBuf};
pub use stripe::Stripe;

/// Everything the environment can set.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the app and the API listen (`LAIKA_LISTEN`; port 0 is any free one).
    pub listen: Listen,
    /// Where the sandbox provider and carrier listen (`LAIKA_SANDBOX_LISTEN`).
    pub sandbox_listen: Listen,
    /// Where the sandbox provider and carrier keep what they know (`LAIKA_SANDBOX_DATA`).
    pub sandbox_data: PathBuf,
    /// Where monitoring reads (`LAIKA_METRICS_LISTEN`); nowhere without it.
    pub metrics_listen: Option<Listen>,
    /// Where customers reach the app when a proxy stands in front (`LAIKA_ORIGIN`).
    pub origin: Option<String>,
    /// This server's name among those of its database (`LAIKA_NODE`); without one its machine's
    /// name and port.
    pub node: Option<String>,
    /// Which database (`DATABASE_URL`).
    pub database: DatabaseUrl,
    /// Signs usage feeds (`LAIKA_USAGE_SECRET`; two, separated by a comma, during a rotation).
    pub usage_secrets: Vec<Secret>,
    /// Signs consent receipts (`LAIKA_SIGNING_KEY`); without one the database's own does.
    pub signing_key: Option<Signer>,
    /// The payment gateway, where it is not the sandbox (`STRIPE_SECRET_KEY`).
    pub stripe: Option<Stripe>,
    /// The carrier, where it is not the sandbox's (`LAIKA_CARRIER_URL`).
    pub carrier: Option<Carrier>,
    /// Who runs this, for the audit log (`SUDO_USER`, `USER` or `LOGNAME`): said, not proved.
    pub operator: String,
}

/// A host name and a port; the name is kept because cookies belong to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// The name people and programs reach it by.
    pub host: String,
    /// 0 is any free one.
    pub port: u16,
}

impl Listen {
    /// The loopback or wildcard address to bind: `localhost` is 127.0.0.1.
    pub fn bind_to(&self) -> String {
        let host = if self.host == "localhost" { "127.0.0.1" } else { &self.host };
        if host.contains(':') {
            format!("[{host}]:{}", self.port)
        } else {
            format!("{host}:{}", self.port)
        }
    }

    /// The address people open, once the port is known.
    pub fn origin(&self, bound: SocketAddr) -> String {
        let host = match self.host.as_str() {
            "0.0.0.0" | "::" => "localhost",
            host => host,
        };
        if host.contains(':') {
            format!("http://[{host}]:{}", bound.port())
        } else {
            format!("http://{host}:{}", bound.port())
        }
    }
}

/// A secret that never prints itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret text.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The text, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// Why the environment cannot be used, in one sentence for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError(pub String);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What `laika serve` takes on its command line in place of a variable. No secret is among them, as
/// everybody on a machine sees its command lines.
pub const FLAGS: [(&str, &str); 10] = [
    ("listen", "LAIKA_LISTEN"),
    ("sandbox-listen", "LAIKA_SANDBOX_LISTEN"),
    ("sandbox-data", "LAIKA_SANDBOX_DATA"),
    ("metrics-listen", "LAIKA_METRICS_LISTEN"),
    ("origin", "LAIKA_ORIGIN"),
    ("node", "LAIKA_NODE"),
    ("database-url", "DATABASE_URL"),
    ("carrier-url", "LAIKA_CARRIER_URL"),
    ("stripe-api-base", "STRIPE_API_BASE"),
    ("stripe-wallets", "STRIPE_WALLETS"),
];

impl Config {
    /// Reads the process's environment.
    pub fn from_env() -> Result<Config, ConfigError> {
        Config::from_flags(&[])
    }

    /// The same, but for variables that the command line sets; of one that it sets twice, the last.
    pub fn from_flags(set: &[(&'static str, String)]) -> Result<Config, ConfigError> {
        #[cfg(feature = "faults")]
        for fate in crate::fault::Fate::ALL {
            let name = fate.variable();
            let Ok(point) = std::env::var(name) else { continue };
            crate::fault::arm(fate, &point)
                .map_err(|words| ConfigError(format!("{name}: {words}")))?;
        }
        Config::from_vars(&|name| {
            let flag = set.iter().rev().find(|(variable, _)| *variable == name);
            flag.map(|(_, value)| value.clone()).or_else(|| std::env::var(name).ok())
        })
    }

    /// Whether payments or deliveries are the sandbox's: otherwise there is none, nor its tools.
    pub fn uses_sandbox(&self) -> bool {
        self.stripe.is_none() || self.carrier.is_none()
    }

    /// Reads the given variables; an empty one counts as absent.
    pub fn from_vars(var: &dyn Fn(&str) -> Option<String>) -> Result<Config, ConfigError> {
        let text = |name: &str| var(name).filter(|value| !value.is_empty());
        let or = |name: &str, default: &str| text(name).unwrap_or_else(|| default.to_string());
        Ok(Config {
            listen: listen("LAIKA_LISTEN", &or("LAIKA_LISTEN", "localhost:8080"))?,
            sandbox_listen: listen(
                "LAIKA_SANDBOX_LISTEN",
                &or("LAIKA_SANDBOX_LISTEN", "127.0.0.1:8081"),
            )?,
            sandbox_data: or("LAIKA_SANDBOX_DATA", "laika-sandbox.jsonl").into(),
            metrics_listen: text("LAIKA_METRICS_LISTEN")
                .map(|address| listen("LAIKA_METRICS_LISTEN", &address))
                .transpose()?,
            origin: text("LAIKA_ORIGIN").map(origin).transpose()?,
            node: text("LAIKA_NODE"),
            database: DatabaseUrl::parse(&or("DATABASE_URL", "sqlite:laika.db"))?,
            usage_secrets: secrets("LAIKA_USAGE_SECRET", secret(&text, "LAIKA_USAGE_SECRET")?)?,
            signing_key: signing_key("LAIKA_SIGNING_KEY", secret(&text, "LAIKA_SIGNING_KEY")?)?,
            stripe: Stripe::from_vars(&text)?,
            carrier: Carrier::from_vars(&text)?,
            operator: ["SUDO_USER", "USER", "LOGNAME"]
                .into_iter()
                .find_map(text)
                .unwrap_or_else(|| "unknown".to_string()),
        })
    }
}

/// What the machine calls itself, where it says so.
pub fn machine_name() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let name = name.or_else(|| std::env::var("HOSTNAME").ok())?.trim().to_owned();
    (!name.is_empty()).then_some(name)
}

fn listen(name: &str, text: &str) -> Result<Listen, ConfigError> {
    let parsed = text.rsplit_once(':').and_then(|(host, port)| {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        (!host.is_empty()).then_some(())?;
        Some(Listen { host: host.to_string(), port: port.parse().ok()? })
    });
    parsed.ok_or_else(|| {
        ConfigError(format!("{name}: \"{text}\" is not HOST:PORT, for example localhost:8080"))
    })
}

/// What a browser calls an origin: scheme, host and perhaps a port, and nothing after them.
fn origin(text: String) -> Result<String, ConfigError> {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let plain = |c: char| c.is_ascii_alphanumeric() || "-.:[]".contains(c);
    match host {
        Some(host) if !host.is_empty() && host.chars().all(plain) => Ok(text),
        _ => Err(ConfigError(format!(
            "LAIKA_ORIGIN: \"{text}\" is not an origin, for example https://app.example.org"
        ))),
    }
}

/// Secrets separated by commas. An empty one is refused: anybody can sign with it.
fn secrets(name: &str, all: Option<String>) -> Result<Vec<Secret>, ConfigError> {
    let Some(all) = all else { return Ok(Vec::new()) };
    let each: Vec<&str> = all.split(',').map(str::trim).collect();
    if each.contains(&"") {
        return Err(ConfigError(format!("{name}: there is an empty secret beside a comma")));
    }
    Ok(each.into_iter().map(Secret::new).collect())
}

/// A key whose digits are all there. What was given is not repeated: it may be one but for a slip.
fn signing_key(name: &str, digits: Option<String>) -> Result<Option<Signer>, ConfigError> {
    let Some(digits) = digits else { return Ok(None) };
    let key = Signer::from_hex(&digits);
    key.map(Some)
        .ok_or_else(|| ConfigError(format!("{name}: not 64 hex digits, which are 32 bytes")))
}

/// A secret from `NAME`, or from the file that `NAME_FILE` names.
fn secret(
    text: &dyn Fn(&str) -> Option<String>,
    name: &str,
) -> Result<Option<String>, ConfigError> {
    let file_name = format!("{name}_FILE");
    match (text(name), text(&file_name)) {
        (Some(_), Some(_)) => {
            Err(ConfigError(format!("{name} and {file_name} are both set; keep one of them")))
        }
        (Some(value), None) => Ok(Some(value)),
        (None, Some(path)) => match std::fs::read_to_string(&path) {
            Ok(value) if !value.trim().is_empty() => Ok(Some(value.trim().to_string())),
            Ok(_) => Err(ConfigError(format!("{file_name}: {path} is empty"))),
            Err(error) => Err(ConfigError(format!("{file_name}: {path}: {error}"))),
        },
        (None, None) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(vars: &[(&str, &str)]) -> Result<Config, ConfigError> {
        Config::from_vars(&|name| {
            vars.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_string())
        })
    }

    #[test]
    fn an_empty_environment_is_enough() {
        let config = read(&[]).expect("defaults");
        assert_eq!(config.listen.bind_to(), "127.0.0.1:8080");
        assert_eq!(config.database, DatabaseUrl::Sqlite("sqlite:laika.db".into()));
        assert!(config.usage_secrets.is_empty());
    }

    #[test]
    fn an_unknown_scheme_is_named() {
        let error = read(&[("DATABASE_URL", "mysql://x")]).expect_err("refused");
        assert!(error.0.contains("\"mysql\""), "{error}");
    }

    #[test]
    fn an_origin_has_nothing_after_its_host() {
        for good in ["https://app.example.org", "http://localhost:8080", "https://[::1]:8443"] {
            let config = read(&[("LAIKA_ORIGIN", good)]).expect("read");
            assert_eq!(config.origin.as_deref(), Some(good));
        }
        for bad in
            ["app.example.org", "https://", "https://a/", "https://a/b", "ftp://a", "https://a b"]
        {
            let error = read(&[("LAIKA_ORIGIN", bad)]).expect_err("refused").0;
            assert!(error.contains("LAIKA_ORIGIN"), "{bad}: {error}");
        }
    }

    #[test]
    fn secrets_are_not_printed_and_not_doubled() {
        let config = read(&[("LAIKA_USAGE_SECRET", "first, second")]).expect("read");
        assert_eq!(config.usage_secrets.len(), 2);
        assert!(!format!("{config:?}").contains("first"));
        let both = [("LAIKA_USAGE_SECRET", "one"), ("LAIKA_USAGE_SECRET_FILE", "/x")];
        assert!(read(&both).is_err());
        for empty in ["one,", ",one", "one,,two", " ", " , "] {
            assert!(read(&[("LAIKA_USAGE_SECRET", empty)]).is_err(), "{empty:?}");
        }
    }

    #[test]
    fn a_secret_comes_from_a_file_without_the_end_of_its_line() {
        let file = std::env::temp_dir().join(format!("laika-secret-{}", std::process::id()));
        let path = file.to_str().expect("a path in letters");
        let from_file = |text: &str| {
            std::fs::write(&file, text).expect("written");
            read(&[("LAIKA_USAGE_SECRET_FILE", path)])
        };
        let config = from_file("kept elsewhere\n").expect("read");
        assert_eq!(config.usage_secrets, [Secret::new("kept elsewhere")]);
        assert!(from_file(" \n").expect_err("refused").0.contains("is empty"));
        std::fs::remove_file(&file).expect("removed");
        let gone = read(&[("LAIKA_USAGE_SECRET_FILE", path)]).expect_err("refused").0;
        assert!(gone.starts_with("LAIKA_USAGE_SECRET_FILE: "), "{gone}");
    }

    #[test]
    fn a_flag_takes_the_place_of_its_variable_and_secrets_have_none() {
        let set = |value: &str| ("LAIKA_LISTEN", value.to_owned());
        let config = Config::from_flags(&[set("localhost:1"), set("localhost:2")]);
        assert_eq!(config.expect("read").listen.bind_to(), "127.0.0.1:2");
        for (flag, variable) in FLAGS {
            let name = variable.trim_start_matches("LAIKA_").to_lowercase().replace('_', "-");
            assert_eq!(flag, name);
            assert!(!["SECRET", "KEY"].iter().any(|it| variable.contains(it)), "{variable}");
        }
    }

    #[test]
    fn a_signing_key_is_64_hex_digits_and_is_not_printed() {
        let digits = "0123456789abcdef".repeat(4);
        let config = read(&[("LAIKA_SIGNING_KEY", &digits)]).expect("read");
        assert_eq!(config.signing_key.as_ref().map(Signer::expose_hex), Some(digits.clone()));
        assert!(!format!("{config:?}").contains(&digits[..8]), "{config:?}");
        for bad in ["zz", &digits[1..], &format!("{digits}0"), &digits.replace('f', "x")] {
            let error = read(&[("LAIKA_SIGNING_KEY", bad)]).expect_err("refused").0;
            assert!(error.contains("LAIKA_SIGNING_KEY") && !error.contains(bad), "{error}");
        }
    }
}
