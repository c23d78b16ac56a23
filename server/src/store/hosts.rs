//! Where the database is. PostgreSQL may have several hosts, of which one takes writes at a time:
//! `postgres://user@a:5432,b:5432/laika`, as libpq writes it. Only that one is used, for reading
//! too: a standby is behind, and a node that was demoted must not be written to by anybody.
//!
//! A connection is asked whether it takes writes when it is made and each time before it is used;
//! one that does not is dropped. When none can be had, the hosts are asked in turn which of them
//! takes writes, and the pool connects there from then on. It repeats nothing: a transaction that a
//! failover broke is undone, and whoever wanted it asks again.

use super::{Conn, dialect::Dialect};
use crate::{
    config::DatabaseUrl,
    error::{Error, Result},
};
use sqlx::{AnyConnection, AnyPool, Connection, Row, any::AnyConnectOptions};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::time::timeout;

/// How long one host may take to say whether it takes writes.
const PATIENCE: Duration = Duration::from_secs(2);

/// Every host there is.
#[derive(Debug)]
pub(super) struct Hosts {
    dialect: Dialect,
    all: Vec<AnyConnectOptions>,
    /// Somebody asks the hosts already.
    asking: AtomicBool,
}

impl Hosts {
    /// *Errors*: an address that cannot be read; it is not repeated, as it may hold a password.
    pub(super) fn of(url: &DatabaseUrl) -> Result<Arc<Hosts>> {
        let dialect = Dialect::of(url);
        let read = |address: String| {
            address.parse().map_err(|_| Error::internal("DATABASE_URL: this address is not read"))
        };
        let all: Result<Vec<_>> = each(&dialect.address(url)).into_iter().map(read).collect();
        Ok(Arc::new(Hosts { dialect, all: all?, asking: AtomicBool::new(false) }))
    }

    /// The one that takes writes, or the first, where none says so: connecting to that one then
    /// says what is wrong.
    pub(super) async fn choose(&self) -> AnyConnectOptions {
        let writes = self.ask().await.or_else(|| self.all.first());
        writes.cloned().unwrap_or_else(|| unreachable!("an address has a host"))
    }

    /// Whether there is another where one takes no writes.
    pub(super) fn are_several(&self) -> bool {
        self.all.len() > 1
    }

    /// Has the pool connect to the host that takes writes from now on, as soon as there is one.
    /// Asks beside whatever waits for a connection, once at a time.
    pub(super) fn seek(self: &Arc<Hosts>, pool: &AnyPool) {
        if !self.are_several() || self.asking.swap(true, SeqCst) {
            return;
        }
        let (hosts, pool) = (Arc::clone(self), pool.clone());
        tokio::spawn(async move {
            if let Some(writes) = hosts.ask().await
                && pool.connect_options().database_url != writes.database_url
            {
                let host = writes.database_url.host_str().unwrap_or_default();
                tracing::warn!(host, "another host takes the writes now");
                pool.set_connect_options(writes.clone());
            }
            hosts.asking.store(false, SeqCst);
        });
    }

    /// Asks each host; gives the first that takes writes.
    async fn ask(&self) -> Option<&AnyConnectOptions> {
        if !self.are_several() {
            return self.all.first();
        }
        for host in &self.all {
            let asked = async {
                let mut conn = AnyConnection::connect_with(host).await?;
                let writes = takes_writes(self.dialect, &mut conn).await;
                // Why: whether it hears of the end changes nothing.
                let _ = conn.close().await;
                writes
            };
            if let Ok(Ok(true)) = timeout(PATIENCE, asked).await {
                return Some(host);
            }
        }
        None
    }
}

/// Whether a connection's node takes writes: it is no standby, and nobody has made it read-only.
/// SQLite's file always does.
pub(super) async fn takes_writes(dialect: Dialect, conn: &mut Conn) -> Result<bool, sqlx::Error> {
    let Some(question) = dialect.is_read_only() else { return Ok(true) };
    let row = sqlx::raw_sql(question).fetch_one(conn).await?;
    Ok(row.try_get::<String, _>(0)? == "off")
}

/// An address of several hosts as one of each; the user, the database and the rest are the same.
fn each(address: &str) -> Vec<String> {
    let whole = || vec![address.to_owned()];
    let Some((scheme, rest)) = address.split_once("://") else { return whole() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    let (user, hosts) = match authority.rsplit_once('@') {
        Some((user, hosts)) => (format!("{user}@"), hosts),
        None => (String::new(), authority),
    };
    if !hosts.contains(',') {
        return whole();
    }
    hosts.split(',').map(|host| format!("{scheme}://{user}{host}{rest}")).collect()
}

#[cfg(test)]
mod tests {
    use super::{Hosts, each};
    use crate::config::DatabaseUrl;

    #[test]
    fn an_address_of_several_hosts_is_one_of_each() {
        let one = "postgres://laika:p%2Cw@a:5432/laika?sslmode=require";
        assert_eq!(each(one), [one]);
        let two = "postgres://laika:p%2Cw@a:5432,[::1]:5433/laika?sslmode=require";
        assert_eq!(
            each(two),
            [one, "postgres://laika:p%2Cw@[::1]:5433/laika?sslmode=require"].map(str::to_owned)
        );
        assert_eq!(
            each("postgres://%2Frun%2Fa,%2Frun%2Fb"),
            ["postgres://%2Frun%2Fa", "postgres://%2Frun%2Fb"]
        );
        assert_eq!(each("sqlite:a,b.db"), ["sqlite:a,b.db"]);
    }

    #[test]
    fn an_address_that_cannot_be_read_is_not_repeated() {
        let url = DatabaseUrl::Postgres("postgres://laika:secret@a:x,b/laika".into());
        let error = Hosts::of(&url).expect_err("no port").to_string();
        assert!(error.contains("DATABASE_URL") && !error.contains("secret"), "{error}");
    }
}
