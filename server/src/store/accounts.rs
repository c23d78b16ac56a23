//! Accounts and the registrations that become accounts.

use super::{Conn, Tx, dialect::Dialect, set};
use crate::{error::Result, sql};
use laika_core::{api::Language, decide::Periods, id::AccountId, time::Instant};
use sqlx::{Row, any::AnyRow};
use std::collections::{BTreeSet, HashMap};

/// The operator's own account: the owner of lines that no customer has.
pub const HOUSE: &str = "house";

/// An account as it is stored.
#[derive(Clone, Debug)]
pub struct Account {
    /// Its name.
    pub id: AccountId,
    /// Counts the changes that a signed-in browser should fetch.
    pub version: i64,
    /// E.164; empty for the house account.
    pub phone: String,
    /// The address; empty for the house account.
    pub email: String,
    /// Nobody can sign in without one.
    pub password_hash: Option<String>,
    /// The language of its messages.
    pub language: Language,
    /// The zone in which its days and months are counted.
    pub time_zone: String,
    /// What was running when that zone was changed.
    pub kept_periods: Option<Periods>,
}

/// Reads the columns in the order of the SELECTs below.
fn account(row: &AnyRow) -> Result<Account> {
    let kept: Option<String> = row.try_get(7)?;
    Ok(Account {
        id: super::id(row.try_get(0)?, AccountId::new)?,
        version: row.try_get(1)?,
        phone: row.try_get::<Option<String>, _>(2)?.unwrap_or_default(),
        email: row.try_get::<Option<String>, _>(3)?.unwrap_or_default(),
        password_hash: row.try_get(4)?,
        language: Language::from_tag(row.try_get::<String, _>(5)?.as_str()),
        time_zone: row.try_get(6)?,
        kept_periods: kept.as_deref().map(super::rules::from_json).transpose()?,
    })
}

/// An account by its id.
pub async fn get(conn: &mut Conn, id: &str) -> Result<Option<Account>> {
    let row = sql!(
        "SELECT id, version, phone, email, password_hash, language, time_zone,
                kept_periods
         FROM accounts WHERE id = $1",
        id
    )
    .fetch_optional(conn)
    .await?;
    row.as_ref().map(account).transpose()
}

/// Accounts by their ids.
pub async fn get_all(conn: &mut Conn, ids: &BTreeSet<&str>) -> Result<HashMap<String, Account>> {
    let ids: Vec<[&str; 1]> = ids.iter().map(|id| [*id]).collect();
    let rows = sql!(
        "SELECT a.id, a.version, a.phone, a.email, a.password_hash, a.language, a.time_zone,
                a.kept_periods
         FROM jsonb_each($1) AS r CROSS JOIN accounts AS a WHERE a.id = r.value->>0",
        set::of(&ids)?
    )
    .fetch_all(conn)
    .await?;
    let read = |row: &AnyRow| account(row).map(|account| (account.id.to_string(), account));
    rows.iter().map(read).collect()
}

/// The account that has this phone or e-mail, in normal form.
pub async fn by_contact(conn: &mut Conn, contact: &str) -> Result<Option<Account>> {
    let row = sql!(
        "SELECT id, version, phone, email, password_hash, language, time_zone,
                kept_periods
         FROM accounts WHERE phone = $1 OR email = $1",
        contact
    )
    .fetch_optional(conn)
    .await?;
    row.as_ref().map(account).transpose()
}

/// Adds an account; whether its contacts were free.
pub async fn insert(tx: &mut Tx, account: &Account, now: Instant) -> Result<bool> {
    let done = sql!(
        "INSERT INTO accounts
             (id, version, phone, email, password_hash, language, time_zone, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT DO NOTHING",
        account.id.as_str(),
        account.version,
        &account.phone,
        &account.email,
        account.password_hash.as_deref(),
        account.language.tag(),
        &account.time_zone,
        now.micros()
    )
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Stores language, zone and what is kept over a change of zone, of a locked account.
pub async fn change(tx: &mut Tx, account: &Account) -> Result<()> {
    let kept = account.kept_periods.as_ref().map(super::rules::json).transpose()?;
    sql!(
        "UPDATE accounts SET language = $1, time_zone = $2, kept_periods = $3,
                             version = version + 1
         WHERE id = $4",
        account.language.tag(),
        &account.time_zone,
        kept.as_deref(),
        account.id.as_str()
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// An account that nobody else changes until the transaction ends: what is read before may be
/// another's to change, and would be written back over it. After the lines, where those are locked.
pub async fn lock(tx: &mut Tx, id: &str) -> Result<Option<Account>> {
    bump(tx, id).await?;
    get(tx, id).await
}

/// Counts a change that the account's browsers should fetch; part of every money transaction.
pub async fn bump(tx: &mut Tx, id: &str) -> Result<()> {
    sql!("UPDATE accounts SET version = version + 1 WHERE id = $1", id).execute(&mut **tx).await?;
    Ok(())
}

/// Counts a change of many accounts, in the order of their ids.
pub async fn bump_all(tx: &mut Tx, dialect: Dialect, ids: &BTreeSet<&str>) -> Result<()> {
    if let Some(in_order) = dialect.lock_accounts() {
        let ids: Vec<[&str; 1]> = ids.iter().map(|id| [*id]).collect();
        sqlx::query::<sqlx::Any>(in_order).bind(set::of(&ids)?).fetch_all(&mut **tx).await?;
    }
    count_up_all(tx, ids).await
}

/// The same of accounts that are locked.
pub async fn count_up_all(tx: &mut Tx, ids: &BTreeSet<&str>) -> Result<()> {
    let ids: Vec<[&str; 1]> = ids.iter().map(|id| [*id]).collect();
    sql!(
        "UPDATE accounts SET version = version + 1
         FROM jsonb_each($1) AS r WHERE accounts.id = r.value->>0",
        set::of(&ids)?
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// An account's version, for a live stream that begins.
pub async fn version(conn: &mut Conn, id: &str) -> Result<Option<i64>> {
    let row = sql!("SELECT version FROM accounts WHERE id = $1", id).fetch_optional(conn).await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

/// The versions of some accounts, for those that go on.
pub async fn versions(conn: &mut Conn, ids: &[String]) -> Result<Vec<(String, i64)>> {
    let ids: Vec<[&str; 1]> = ids.iter().map(|id| [id.as_str()]).collect();
    let rows = sql!(
        "SELECT a.id, a.version
         FROM jsonb_each($1) AS r CROSS JOIN accounts AS a WHERE a.id = r.value->>0",
        set::of(&ids)?
    )
    .fetch_all(conn)
    .await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}
