//! The log on standard error: lines for people, or a JSON object a line for programs. What happens
//! in a request or in a job of the worker's stands in a span that names it: the request's id with
//! method and route, or line and recharge. Never logged: addresses as they were asked for, queries,
//! bodies, and words that may repeat what was typed.

use crate::config::LogFormat;
use tracing_subscriber::EnvFilter;

/// Begins it. A second call, in tests, keeps the first subscriber.
pub(super) fn begin(format: LogFormat) {
    let log = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(EnvFilter::new("info,sqlx=warn"))
        .with_target(false);
    let _ = match format {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => {
            // Why: what a thread says as it ends is for people, and stands over several lines.
            std::panic::set_hook(Box::new(|panic| tracing::error!(%panic, "a thread panicked")));
            log.json().flatten_event(true).with_span_list(false).try_init()
        }
    };
}

/// Why a command failed, to whoever reads the log.
pub(super) fn failed(format: LogFormat, words: &str) {
    match format {
        LogFormat::Text => eprintln!("laika: {words}"),
        LogFormat::Json => tracing::error!("{words}"),
    }
}
