//! Addresses of other machines to which a secret is sent: by TLS, or to this machine.

use super::ConfigError;

/// An address to which a secret may be sent, without a slash at the end.
pub(super) fn safe(name: &str, url: &str) -> Result<String, ConfigError> {
    let url = url.trim_end_matches('/');
    let plain = |c: char| c.is_ascii_graphic() && !"?#@".contains(c);
    let is_safe = match url.split_once("://") {
        Some(("https", rest)) => !host(rest).is_empty() && rest.chars().all(plain),
        Some(("http", rest)) => is_here(host(rest)) && rest.chars().all(plain),
        _ => false,
    };
    let words = format!("{name}: not https://HOST (http:// only for this machine)");
    if is_safe { Ok(url.to_owned()) } else { Err(ConfigError(words)) }
}

/// Whether an address that is safe is on this machine.
pub(super) fn is_on_this_machine(url: &str) -> bool {
    url.split_once("://").is_some_and(|(_, rest)| is_here(host(rest)))
}

fn is_here(host: &str) -> bool {
    ["localhost", "127.0.0.1", "[::1]"].contains(&host)
}

/// The host in what follows the scheme.
fn host(rest: &str) -> &str {
    let authority = rest.split('/').next().unwrap_or_default();
    let port = authority.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok());
    port.map_or(authority, |(host, _)| host)
}
