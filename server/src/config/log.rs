//! How the log is written. It is read before everything else: what is wrong with that is logged.

use super::ConfigError;

/// The forms of the log (`LAIKA_LOG_FORMAT`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// A JSON object a line, for programs.
    Json,
}

impl LogFormat {
    /// Reads the process's environment.
    pub fn from_env() -> Result<LogFormat, ConfigError> {
        LogFormat::read(&std::env::var("LAIKA_LOG_FORMAT").unwrap_or_default())
    }

    /// Reads its name; an empty one counts as absent.
    fn read(name: &str) -> Result<LogFormat, ConfigError> {
        match name {
            "" | "text" => Ok(LogFormat::Text),
            "json" => Ok(LogFormat::Json),
            other => {
                Err(ConfigError(format!("LAIKA_LOG_FORMAT: \"{other}\" is neither text nor json")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::LogFormat;

    #[test]
    fn a_form_that_there_is_not_is_named() {
        for (name, format) in
            [("", LogFormat::Text), ("text", LogFormat::Text), ("json", LogFormat::Json)]
        {
            assert_eq!(LogFormat::read(name), Ok(format), "{name}");
        }
        for bad in ["JSON", "xml", " ", "json,text"] {
            let error = LogFormat::read(bad).expect_err("refused").0;
            assert!(error.starts_with("LAIKA_LOG_FORMAT: ") && error.contains(bad), "{error}");
        }
    }
}
