//! The store: connections, transactions, migrations. It holds no `if` about the domain; the
//! statements stand in `store/*`, one file per subject, as one SQL text for both databases.
//!
//! SQLite has one writer and several readers; PostgreSQL has one pool for both, at whichever of its
//! hosts takes writes. Reads see one snapshot. No adapter is ever called while a transaction is
//! open.

pub mod accounts;
pub mod agreements;
pub mod audit_log;
pub mod backup;
pub mod balances;
pub mod cases;
pub mod checkpoints;
pub mod dialect;
pub mod figures;
pub mod gateway_events;
pub mod group;
mod hosts;
pub mod inbox;
pub mod jobs;
pub mod leases;
pub mod ledger;
pub mod lines;
pub mod log;
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
pub mod turns;
pub mod violations;

use crate::{
    config::DatabaseUrl,
    error::{Error, Result},
    fault::{self, Kept},
};
use dialect::Dialect;
use hosts::Hosts;
use sqlx::{Any, AnyConnection, AnyPool, Transaction, any::AnyPoolOptions};
use std::{
    ops::{Deref, DerefMut},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::time::{Instant, sleep, timeout};

/// How long a connection is waited for before the hosts are asked which of them takes writes.
const SEEK_AFTER: Duration = Duration::from_millis(500);
/// Between two tries to connect, where the answer came at once.
const BETWEEN: Duration = Duration::from_millis(100);

/// A connection inside some transaction: what every statement function takes.
pub type Conn = AnyConnection;

/// The open database.
#[derive(Clone, Debug)]
pub struct Store {
    /// Which of the two it is.
    pub dialect: Dialect,
    hosts: Arc<Hosts>,
    /// Counts the connections made.
    made: Arc<AtomicU64>,
    readers: AnyPool,
    writer: AnyPool,
}

impl Store {
    /// Opens the database, checks that it is safe to keep money in, and brings it up to date; where
    /// there is none yet, it is made.
    pub async fn open(url: &DatabaseUrl) -> Result<Store> {
        let store = Store::connect(url).await?;
        migrate::run(&store).await?;
        Ok(store)
    }

    /// The same for one that is there. *Errors*: a file that is not, or a database that no Laika
    /// was ever started on: nothing is made, as an empty one would answer as if all were well.
    pub async fn open_known(url: &DatabaseUrl) -> Result<Store> {
        let words = "DATABASE_URL should name the one that laika serve uses";
        if backup::file_of(url).is_ok_and(|file| !file.exists()) {
            return Err(Error::internal(format!("there is no database {}; {words}", url.shown())));
        }
        let store = Store::connect(url).await?;
        if !migrate::began(&mut *store.read().await?).await? {
            let it = url.shown();
            return Err(Error::internal(format!("{it} is no database of Laika's; {words}")));
        }
        migrate::run(&store).await?;
        Ok(store)
    }

    /// Connects to it, and checks that it is safe to keep money in.
    async fn connect(url: &DatabaseUrl) -> Result<Store> {
        sqlx::any::install_default_drivers();
        let dialect = Dialect::of(url);
        let hosts = Hosts::of(url)?;
        let address = hosts.choose().await;
        let most = dialect.writers();
        let made = Arc::default();
        let writer = pool(dialect, most, dialect.writer_setup(), &made);
        let writer = writer.connect_with(address.clone()).await?;
        let readers = match dialect.readers() {
            Some(count) => pool(dialect, count, &[], &made).connect_with(address).await?,
            None => writer.clone(),
        };
        let store = Store { dialect, hosts, made, readers, writer };
        store.dialect.check(&mut *store.writer.acquire().await?).await?;
        Ok(store)
    }

    /// A read-only snapshot.
    pub async fn read(&self) -> Result<Snapshot> {
        Ok(Snapshot(self.begin(&self.readers, self.dialect.begin_read()).await?))
    }

    /// A write transaction; what is not committed is wholly undone.
    pub async fn write(&self) -> Result<Tx> {
        fault::alive()?;
        Ok(Tx(self.begin(&self.writer, self.dialect.begin_write()).await?))
    }

    /// Begins a transaction, on another host where the database has moved to one. *Errors*: no
    /// connection within the patience; nothing was done then.
    async fn begin(
        &self,
        pool: &AnyPool,
        begin: &'static str,
    ) -> Result<Transaction<'static, Any>> {
        let until = Instant::now() + self.dialect.patience();
        loop {
            let mut begun = pin!(pool.begin_with(begin));
            let begun = loop {
                match timeout(SEEK_AFTER, begun.as_mut()).await {
                    Ok(begun) => break begun.map_err(|error| self.away(error)),
                    Err(_) => self.hosts.seek(pool),
                }
            };
            // Why: a pool that is closed was closed by us; it never opens again.
            let again = !pool.is_closed() && Instant::now() + BETWEEN < until;
            match begun {
                // Why: of several hosts, one that refuses us for whatever reason is not the one.
                Err(error) if again && (error.is_transitory() || self.hosts.are_several()) => {
                    self.hosts.seek(pool);
                    sleep(BETWEEN).await;
                }
                begun => return begun,
            }
        }
    }

    /// What it means that no transaction begins: nothing was done, and the database is away, for
    /// whatever reason it gives. SQLite's file is never away.
    fn away(&self, error: sqlx::Error) -> Error {
        match self.dialect.one_writer() {
            true => Error::Store(error),
            false => Error::Away(error),
        }
    }

    /// Another number whenever the database may be another than it was: what is remembered of it
    /// counts no more, even where the versions in it are the same. After a failover that lost the
    /// last commits, or a return to an earlier time, the same version may stand for other contents.
    ///
    /// It changes with each connection that is made, as none outlives such a change; a pool makes
    /// them while it grows and then no more. SQLite's file is the same all along.
    pub fn epoch(&self) -> u64 {
        match self.dialect.one_writer() {
            true => 0,
            false => self.made.load(SeqCst),
        }
    }

    /// Whether it was closed: by us, and for good.
    pub fn is_closed(&self) -> bool {
        self.writer.is_closed()
    }

    /// Closes every connection, after the last transaction has ended.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// A pool of connections that take writes, and are set up as the dialect wants it.
fn pool(
    dialect: Dialect,
    most: u32,
    more: &'static [&'static str],
    made: &Arc<AtomicU64>,
) -> AnyPoolOptions {
    let made = Arc::clone(made);
    let pool = AnyPoolOptions::new().max_connections(most);
    // Why: a SQLite connection is a file handle; closing idle ones only loses its cache.
    let pool = pool.idle_timeout(None).max_lifetime(None);
    // Why: whether it takes writes also says that it lives.
    let pool = pool.acquire_timeout(dialect.patience()).test_before_acquire(false);
    let pool = pool.before_acquire(move |conn, _| Box::pin(hosts::takes_writes(dialect, conn)));
    pool.after_connect(move |conn, _| {
        made.fetch_add(1, SeqCst);
        Box::pin(async move {
            for statement in dialect.connection_setup().iter().chain(more) {
                sqlx::raw_sql(*statement).execute(&mut *conn).await?;
            }
            match hosts::takes_writes(dialect, conn).await? {
                true => Ok(()),
                false => Err(sqlx::Error::Configuration("this host takes no writes".into())),
            }
        })
    })
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
        let commit = async move {
            if let Err(error) = self.0.commit().await {
                tracing::error!(%error, "a commit failed; stopping, the next start recovers");
                std::process::abort();
            }
        };
        // Why a task: who waits may go away, as a request does whose customer leaves; what becomes
        // of a commit that is under way has to be heard all the same. It ends early with its
        // runtime alone, which ends the process.
        let _ = tokio::spawn(commit).await;
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
