//! The store: connections, transactions, migrations. It holds no `if` about the domain; the
//! statements stand in `store/*`, one file per subject, as one SQL text for both databases.
//!
//! SQLite has one writer and several readers; PostgreSQL has one pool for both. Reads see one
//! snapshot. No adapter is ever called while a transaction is open.

pub mod accounts;
pub mod audit_log;
pub mod backup;
pub mod balances;
pub mod cases;
pub mod checkpoints;
pub mod dialect;
pub mod figures;
pub mod gateway_events;
pub mod inbox;
pub mod jobs;
pub mod leases;
pub mod ledger;
pub mod lines;
pub mod looks;
pub mod messages;
pub mod migrate;
pub mod payment_methods;
pub mod pending;
pub mod receipts;
pub mod recharges;
pub mod registrations;
pub mod returns;
pub mod rules;
pub mod sessions;
pub mod set;
pub mod settings;
pub mod sql;
pub mod sweep;
pub mod throttle;
pub mod violations;

use crate::{
    config::DatabaseUrl,
    error::{Error, Result},
    fault::{self, Kept},
};
use dialect::Dialect;
use sqlx::{Any, AnyConnection, AnyPool, any::AnyPoolOptions};
use std::{
    ops::{Deref, DerefMut},
    time::Duration,
};

/// A connection inside some transaction: what every statement function takes.
pub type Conn = AnyConnection;

/// The open database.
#[derive(Clone, Debug)]
pub struct Store {
    /// Which of the two it is.
    pub dialect: Dialect,
    readers: AnyPool,
    writer: AnyPool,
}

impl Store {
    /// Opens the database, checks that it is safe to keep money in, and brings it up to date.
    pub async fn open(url: &DatabaseUrl) -> Result<Store> {
        sqlx::any::install_default_drivers();
        let dialect = Dialect::of(url);
        let address = dialect.address(url);
        let pool = |most: u32| {
            let pool = AnyPoolOptions::new().max_connections(most);
            // Why: a SQLite connection is a file handle; closing idle ones only loses its cache.
            let pool = pool.idle_timeout(None).max_lifetime(None);
            let pool = pool.acquire_timeout(Duration::from_secs(30));
            let setup = dialect.connection_setup();
            pool.after_connect(move |conn, _| {
                Box::pin(async move {
                    for statement in setup {
                        sqlx::raw_sql(*statement).execute(&mut *conn).await?;
                    }
                    Ok(())
                })
            })
        };
        let writer = pool(dialect.writers()).connect(&address).await?;
        let readers = match dialect.readers() {
            Some(count) => pool(count).connect(&address).await?,
            None => writer.clone(),
        };
        let store = Store { dialect, readers, writer };
        store.dialect.check(&mut *store.writer.acquire().await?).await?;
        migrate::run(&store).await?;
        Ok(store)
    }

    /// A read-only snapshot.
    pub async fn read(&self) -> Result<Snapshot> {
        Ok(Snapshot(self.readers.begin_with(self.dialect.begin_read()).await?))
    }

    /// A write transaction; what is not committed is wholly undone.
    pub async fn write(&self) -> Result<Tx> {
        fault::alive()?;
        Ok(Tx(self.writer.begin_with(self.dialect.begin_write()).await?))
    }

    /// Closes every connection, after the last transaction has ended.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// A read-only transaction: several statements that see the same state.
pub struct Snapshot(sqlx::Transaction<'static, Any>);

/// A write transaction.
#[must_use = "a transaction that is not committed is undone"]
pub struct Tx(sqlx::Transaction<'static, Any>);

impl Tx {
    /// Makes everything in it durable.
    ///
    /// A commit that fails may or may not be on disk. Nobody may go on from there: the process
    /// ends at once, and the next start reads what is true.
    pub async fn commit(self) {
        if fault::alive().is_err() {
            return;
        }
        if let Err(error) = self.0.commit().await {
            tracing::error!(%error, "a commit failed; stopping, the next start recovers");
            std::process::abort();
        }
    }

    /// Makes everything in it durable, at a point that has a name: what follows from money, usage
    /// and what a customer agreed to is kept by this one. *Errors*: only in a test.
    pub async fn commit_as(self, kept: Kept) -> Result<()> {
        fault::before(kept)?;
        self.commit().await;
        fault::after(kept)
    }

    /// Undoes everything in it, now rather than when the connection is next used.
    pub async fn rollback(self) -> Result<()> {
        Ok(self.0.rollback().await?)
    }
}

macro_rules! is_a_connection {
    ($name:ident) => {
        impl Deref for $name {
            type Target = Conn;
            fn deref(&self) -> &Conn {
                &self.0
            }
        }
        impl DerefMut for $name {
            fn deref_mut(&mut self) -> &mut Conn {
                &mut self.0
            }
        }
    };
}
is_a_connection!(Snapshot);
is_a_connection!(Tx);

/// Reads a typed id; one that is not shaped like it was not written by us.
pub fn id<T>(text: String, new: impl FnOnce(String) -> Option<T>) -> Result<T> {
    let words = format!("the database holds \"{text}\" where an id should be");
    new(text).ok_or_else(|| Error::internal(words))
}

#[cfg(test)]
pub(crate) mod tests;
