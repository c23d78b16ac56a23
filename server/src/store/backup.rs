//! Copies of a SQLite database: making one beside a running server, checking one, and putting one
//! in the place of the database. PostgreSQL has its own tools for that.
//!
//! Nothing is ever overwritten or deleted but what this made itself: a copy goes to a new file, and
//! the database that a copy replaces is kept under another name.

use super::{Conn, Store, migrate};
use crate::{
    config::DatabaseUrl,
    error::{Error, Result},
    fault::{self, Point},
    sql,
};
use sqlx::{AnyConnection, Connection, Row, sqlite::SqliteConnectOptions};
use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{MetadataExt as _, chown},
    path::{Path, PathBuf},
};

/// SQLite's codes for "somebody else has it": busy, and locked.
const IN_USE: [&str; 2] = ["5", "6"];
/// SQLite's codes for "this cannot be read at all": corrupt, and not a database.
const UNREADABLE: [&str; 2] = ["11", "26"];

/// Why there is no copy, or why it was not put in place, in words for the operator.
fn refused(words: impl std::fmt::Display) -> Error {
    Error::internal(words.to_string())
}

fn on(path: &Path, error: &io::Error) -> Error {
    refused(format!("{}: {error}", path.display()))
}

/// The file of a SQLite address, as the driver reads it. *Errors*: when it is no file's.
pub fn file_of(url: &DatabaseUrl) -> Result<PathBuf> {
    let DatabaseUrl::Sqlite(url) = url else { return Err(refused("not a SQLite database")) };
    let path = url.trim_start_matches("sqlite:").trim_start_matches("//");
    let path = path.split('?').next().unwrap_or_default();
    if path.is_empty() || path.starts_with(':') || url.contains("mode=memory") {
        return Err(refused("a database in memory has no file"));
    }
    let read: SqliteConnectOptions = url.parse()?;
    Ok(read.get_filename().to_path_buf())
}

/// The same path with more at its end.
fn with(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

/// Makes an empty file that only its owner reads: a copy holds all that the database holds.
fn claim(path: &Path) -> Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let new = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    new.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => refused(format!("{} is there already", path.display())),
        _ => on(path, &error),
    })
}

/// The folder that a file is in.
fn folder_of(path: &Path) -> &Path {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

/// Has the disk keep a file, and then its name.
fn keep(path: &Path) -> Result<()> {
    for path in [path, folder_of(path)] {
        File::open(path).and_then(|file| file.sync_all()).map_err(|error| on(path, &error))?;
    }
    Ok(())
}

/// Copies the database as it is at one instant to a new file, checked and durable. Whoever uses the
/// database goes on meanwhile. *Errors*: the file is there already; the copy is not whole.
pub async fn copy(url: &DatabaseUrl, to: &Path) -> Result<()> {
    let from = file_of(url)?;
    if !from.exists() {
        return Err(refused(format!("there is no database {}", from.display())));
    }
    claim(to)?;
    let partial = with(to, ".partial");
    let made = match claim(&partial) {
        Ok(_) => copy_to(&from, &partial, to).await,
        Err(error) => Err(error),
    };
    if made.is_err() {
        // What it leaves behind would look like a copy.
        let _ = (fs::remove_file(&partial), fs::remove_file(to));
    }
    made
}

async fn copy_to(from: &Path, partial: &Path, to: &Path) -> Result<()> {
    let path = partial.to_str().ok_or_else(|| refused("the file's name is not text"))?;
    let mut conn = connect(from, "ro").await?;
    sql!("VACUUM INTO $1", path).execute(&mut conn).await?;
    conn.close().await?;
    whole(partial).await?;
    keep(partial)?;
    fault::at(Point::BackupCopied)?;
    fs::rename(partial, to).map_err(|error| on(to, &error))?;
    fault::at(Point::BackupNamed)?;
    keep(to)
}

/// A connection that neither makes the file nor brings it up to date.
async fn connect(path: &Path, mode: &str) -> Result<AnyConnection> {
    sqlx::any::install_default_drivers();
    let mut conn =
        AnyConnection::connect(&format!("sqlite:{}?mode={mode}", path.display())).await?;
    sqlx::raw_sql("PRAGMA busy_timeout = 2000").execute(&mut conn).await?;
    Ok(conn)
}

/// Whether a file is a whole database of ours, of this version of Laika or an older one; the newest
/// migration in it.
pub async fn whole(path: &Path) -> Result<String> {
    let mut conn = connect(path, "ro").await.map_err(|error| not_whole(path, &error))?;
    let found = look(&mut conn).await;
    conn.close().await?;
    found.map_err(|error| not_whole(path, &error))
}

fn not_whole(path: &Path, error: &Error) -> Error {
    refused(format!("{} is not a whole database of this Laika: {error}", path.display()))
}

async fn look(conn: &mut Conn) -> Result<String> {
    let found = sql!("PRAGMA integrity_check").fetch_one(&mut *conn).await?;
    let found: String = found.try_get(0)?;
    if found != "ok" {
        return Err(refused(found));
    }
    if sql!("PRAGMA foreign_key_check").fetch_optional(&mut *conn).await?.is_some() {
        return Err(refused("a row points to one that is not there"));
    }
    match migrate::standing(conn).await? {
        migrate::Standing::Current => Ok(migrate::newest().to_string()),
        migrate::Standing::Behind { newest } => Ok(newest),
        migrate::Standing::Other { why } => Err(refused(why)),
    }
}

/// A copy on its way into the database's place: beside it, up to date, and nobody's yet.
#[derive(Debug)]
pub struct Candidate {
    /// It, opened.
    pub store: Store,
    path: PathBuf,
    place: PathBuf,
}

/// Takes a copy of a copy, checks it, and opens it as a database of this version.
pub async fn candidate(url: &DatabaseUrl, from: &Path) -> Result<Candidate> {
    let place = file_of(url)?;
    whole(from).await?;
    let path = with(&place, ".restoring");
    drop(claim(&path)?);
    let store = async {
        // Why: a write-ahead log beside the file would be part of it; a copy made by us has none.
        if with(from, "-wal").metadata().is_ok_and(|log| log.len() > 0) {
            return Err(refused(format!("{} is in use: it has a log", from.display())));
        }
        fs::copy(from, &path).map_err(|error| on(from, &error))?;
        let url = DatabaseUrl::Sqlite(format!("sqlite:{}", path.display()));
        Store::open(&url).await
    };
    match store.await {
        Ok(store) => Ok(Candidate { store, path, place }),
        Err(error) => {
            remove(&path);
            Err(error)
        }
    }
}

impl Candidate {
    /// Puts it in the database's place; gives the name under which the one before is kept.
    ///
    /// *Errors*: somebody uses the database at the moment; or the server, as another user than this
    /// one, could not open it there.
    pub async fn take_its_place(self, stamp: &str) -> Result<Option<PathBuf>> {
        self.store.close().await;
        let (path, place) = (self.path, self.place);
        let done = async {
            hand_over(&path, &place)?;
            keep(&path)?;
            let before = set_aside(&place, stamp).await?;
            fault::at(Point::RestoreSetAside)?;
            fs::rename(&path, &place).map_err(|error| on(&place, &error))?;
            fault::at(Point::RestoreInPlace)?;
            keep(&place)?;
            Ok(before)
        };
        let done = done.await;
        if done.is_err() {
            remove(&path);
        }
        done
    }

    /// Removes it again.
    pub async fn discard(self) {
        self.store.close().await;
        remove(&self.path);
    }
}

/// Gives a new file to whoever has what it replaces, or where there is nothing its folder: a server
/// of a user of its own opens it as that user, while root restores. *Errors*: this user may not.
fn hand_over(path: &Path, place: &Path) -> Result<()> {
    let of = |path: &Path| fs::metadata(path).map_err(|error| on(path, &error));
    let own = of(path)?;
    let wanted = if place.exists() { of(place)? } else { of(folder_of(place))? };
    // Why not the group: only its owner can read it.
    if own.uid() == wanted.uid() {
        return Ok(());
    }
    chown(path, Some(wanted.uid()), Some(wanted.gid())).map_err(|error| {
        let (path, uid) = (path.display(), wanted.uid());
        refused(format!("{path} cannot be given to user {uid}, whose the database is: {error}"))
    })
}

/// Removes a database that this made, with what SQLite keeps beside it.
fn remove(path: &Path) {
    for end in ["", "-wal", "-shm"] {
        // What is not there need not go.
        let _ = fs::remove_file(with(path, end));
    }
}

/// Gives the database in place a second name, and what SQLite keeps beside it that name alone, once
/// it is sure that nobody uses it. Its first name is the copy's next: at no instant is there none,
/// so that whoever dies here leaves one database or the other, and no start makes an empty one.
async fn set_aside(place: &Path, stamp: &str) -> Result<Option<PathBuf>> {
    if !place.exists() {
        return Ok(None);
    }
    nobody_uses(place).await?;
    let aside = free(place, stamp);
    for end in ["-wal", "-shm"] {
        let (from, to) = (with(place, end), with(&aside, end));
        if from.exists() {
            fs::rename(&from, &to).map_err(|error| on(&from, &error))?;
        }
    }
    // Why the second: not every file system knows two names for a file.
    let kept = fs::hard_link(place, &aside).or_else(|_| fs::rename(place, &aside));
    kept.map_err(|error| on(place, &error))?;
    Ok(Some(aside))
}

/// A name that nobody has: a restore that died within this second may have left one behind.
fn free(place: &Path, stamp: &str) -> PathBuf {
    let named = |number: u32| match number {
        1 => with(place, &format!(".replaced-{stamp}")),
        more => with(place, &format!(".replaced-{stamp}-{more}")),
    };
    let taken = |name: &Path| ["", "-wal", "-shm"].iter().any(|end| with(name, end).exists());
    let mut number = 1;
    while taken(&named(number)) {
        number += 1;
    }
    named(number)
}

/// Whether nobody else has the database open: then, and only then, it can be had exclusively. One
/// that cannot be read at all is nobody's.
async fn nobody_uses(place: &Path) -> Result<()> {
    let mut conn = connect(place, "rw").await?;
    let mut had = Ok(());
    for statement in ["PRAGMA locking_mode = EXCLUSIVE", "BEGIN IMMEDIATE", "ROLLBACK"] {
        if had.is_ok() {
            had = sqlx::raw_sql(statement).execute(&mut conn).await.map(drop);
        }
    }
    let _ = conn.close().await;
    let code = |error: &sqlx::Error| {
        let code = error.as_database_error().and_then(|error| error.code());
        code.map(|code| code.to_string()).unwrap_or_default()
    };
    match had {
        Ok(()) => Ok(()),
        Err(error) if UNREADABLE.contains(&code(&error).as_str()) => Ok(()),
        Err(error) if IN_USE.contains(&code(&error).as_str()) => {
            let words = "somebody uses this database; stop laika serve first";
            Err(refused(format!("{}: {words}", place.display())))
        }
        Err(error) => Err(error.into()),
    }
}
