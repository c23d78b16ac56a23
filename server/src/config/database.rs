//! Which database (`DATABASE_URL`), and how it is named to a person: never with its password.

use super::ConfigError;
use std::path::Path;

/// A database address whose scheme is one of the two we speak.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// `sqlite:path`, or `sqlite::memory:` in tests.
    Sqlite(String),
    /// `postgres://…` or `postgresql://…`.
    Postgres(String),
}

impl DatabaseUrl {
    /// Reads an address. *Errors*: a sentence naming the schemes that exist.
    pub fn parse(url: &str) -> Result<DatabaseUrl, ConfigError> {
        match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("sqlite") => Ok(DatabaseUrl::Sqlite(url.to_string())),
            Some("postgres" | "postgresql") => Ok(DatabaseUrl::Postgres(url.to_string())),
            Some(scheme) => Err(ConfigError(format!(
                "DATABASE_URL: the scheme \"{scheme}\" is not known; use sqlite:FILE, \
                 postgres://… or postgresql://…"
            ))),
            None => Err(ConfigError(
                "DATABASE_URL: no scheme; use sqlite:FILE, postgres://… or postgresql://…".into(),
            )),
        }
    }

    /// What an operator knows it by: a file from the root on, or user, hosts and name. What comes
    /// after `?` is left out with the password: it may hold one as well.
    pub fn shown(&self) -> String {
        match self {
            DatabaseUrl::Sqlite(url) => {
                let plain = url.split('?').next().unwrap_or_default();
                let path = plain.trim_start_matches("sqlite:").trim_start_matches("//");
                let whole = std::path::absolute(Path::new(path));
                whole.map_or_else(|_| path.to_owned(), |whole| whole.display().to_string())
            }
            DatabaseUrl::Postgres(url) => {
                let plain = url.split(['?', '#']).next().unwrap_or_default();
                // Why the last one: a password may have an @ in it, a host may not.
                let Some((before, place)) = plain.rsplit_once('@') else { return plain.to_owned() };
                let user = before.split_once("://").map_or("", |(_, user)| user);
                format!("postgres://{}@{place}", user.split(':').next().unwrap_or_default())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::DatabaseUrl;

    fn shown(url: &str) -> String {
        DatabaseUrl::parse(url).expect(url).shown()
    }

    #[test]
    fn a_file_is_named_from_the_root_on() {
        let here = std::env::current_dir().expect("a folder");
        assert_eq!(shown("sqlite:laika.db?mode=rw"), here.join("laika.db").display().to_string());
        for same in ["sqlite:/var/lib/laika/laika.db", "sqlite:///var/lib/laika/laika.db"] {
            assert_eq!(shown(same), "/var/lib/laika/laika.db");
        }
    }

    #[test]
    fn a_server_is_named_without_a_password() {
        assert_eq!(shown("postgres://db1/laika"), "postgres://db1/laika");
        for (url, wanted) in [
            ("postgres://laika:secret@a:5432,b/laika?sslmode=require", "laika@a:5432,b/laika"),
            ("postgresql://laika:se@cret@a/laika", "laika@a/laika"),
            ("postgres://laika@a/laika?password=secret", "laika@a/laika"),
            ("postgres://:secret@a/laika", "@a/laika"),
        ] {
            let said = shown(url);
            assert_eq!(said, format!("postgres://{wanted}"));
            assert!(!said.contains("cret"), "{said}");
        }
    }
}
