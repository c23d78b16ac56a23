//! Lines: adding, finding, and the lock that every money transaction begins with.

use super::{Conn, Tx, dialect::Dialect, set};
use crate::{
    error::{Error, Result},
    sql,
};
use laika_core::{
    catalogue::{PayAsYouGo, Terms},
    id::{AccountId, LineId},
    money::Currency,
    time::Instant,
};
use sqlx::{Row, any::AnyRow};
use std::collections::HashMap;

/// A line as it is stored, without what it has.
#[derive(Clone, Debug)]
pub struct Line {
    /// Whose it is.
    pub account_id: AccountId,
    /// Its name.
    pub id: LineId,
    /// The number of its eSIM.
    pub iccid: String,
    /// Counts its money transactions.
    pub version: i64,
    /// The newest instant recorded for it.
    pub newest_at: Instant,
    /// The currency of its credit and of everything it buys.
    pub currency: Currency,
    /// Present when credit may pay once no bucket serves.
    pub pay_as_you_go: Option<PayAsYouGo>,
    /// The operator's kill switch for this line.
    pub stopped: bool,
    /// It no longer exists at the carrier.
    pub closed: bool,
    /// How many recharges it ever had: the next one's number is one more.
    pub recharge_count: i64,
    /// What the customer calls it; nothing until it has been named.
    pub label: Option<String>,
}

impl Line {
    /// What the line can buy at present.
    pub fn terms(&self) -> Terms {
        Terms::sandbox(self.currency)
    }
}

/// Reads the columns in the order of every SELECT and RETURNING below.
pub(super) fn line(row: &AnyRow) -> Result<Line> {
    let currency: String = row.try_get(5)?;
    Ok(Line {
        account_id: super::id(row.try_get(0)?, AccountId::new)?,
        id: super::id(row.try_get(1)?, LineId::new)?,
        iccid: row.try_get(2)?,
        version: row.try_get(3)?,
        newest_at: Instant::from_micros(row.try_get(4)?),
        currency: Currency::from_code(&currency)
            .ok_or_else(|| Error::internal(format!("the database holds currency {currency}")))?,
        pay_as_you_go: row
            .try_get::<Option<i64>, _>(6)?
            .map(|per_gb_minor| PayAsYouGo { per_gb_minor }),
        stopped: row.try_get::<i64, _>(7)? != 0,
        closed: row.try_get::<i64, _>(8)? != 0,
        recharge_count: row.try_get(9)?,
        label: row.try_get(10)?,
    })
}

/// Begins a money transaction on a line: counts its version up, which locks it on PostgreSQL, and
/// sets the time never to go below what is recorded. The returned line's `newest_at` is *now*.
pub async fn lock(tx: &mut Tx, account: &str, id: &str, now: Instant) -> Result<Option<Line>> {
    let row = sql!(
        "UPDATE lines SET version = version + 1,
                newest_at = CASE WHEN newest_at > $3 THEN newest_at ELSE $3 END
         WHERE account_id = $1 AND id = $2
         RETURNING account_id, id, iccid, version, newest_at, currency, per_gb_minor, stopped,
                   closed, recharge_count, label",
        account,
        id,
        now.micros()
    )
    .fetch_optional(&mut **tx)
    .await?;
    row.as_ref().map(line).transpose()
}

/// Begins a money transaction on many lines, named by account and id, as [`lock`] does on one; in
/// the order given, which must be the same everywhere: sorted.
pub async fn lock_all(
    tx: &mut Tx,
    dialect: Dialect,
    keys: &[(&str, &str)],
    now: Instant,
) -> Result<Vec<Line>> {
    let keys = set::of(keys)?;
    if let Some(in_order) = dialect.lock_lines() {
        sqlx::query::<sqlx::Any>(in_order).bind(&keys).fetch_all(&mut **tx).await?;
    }
    let rows = sql!(
        "UPDATE lines SET version = version + 1,
                newest_at = CASE WHEN newest_at > $2 THEN newest_at ELSE $2 END
         FROM jsonb_each($1) AS r
         WHERE lines.account_id = r.value->>0 AND lines.id = r.value->>1
         RETURNING account_id, id, iccid, version, newest_at, currency, per_gb_minor, stopped,
                   closed, recharge_count, label",
        &keys,
        now.micros()
    )
    .fetch_all(&mut **tx)
    .await?;
    rows.iter().map(line).collect()
}

/// Begins a money transaction on every line of an account; by id, and not by age as they are shown,
/// so that it waits for another on some of them and never deadlocks with it.
pub async fn lock_all_of(
    tx: &mut Tx,
    dialect: Dialect,
    account: &str,
    now: Instant,
) -> Result<Vec<Line>> {
    let known = of_account(tx, account).await?;
    let mut ids: Vec<&str> = known.iter().map(|line| line.id.as_str()).collect();
    ids.sort_unstable();
    let keys: Vec<_> = ids.into_iter().map(|id| (account, id)).collect();
    let mut locked = lock_all(tx, dialect, &keys, now).await?;
    let age = |line: &Line| known.iter().position(|known| known.id == line.id);
    locked.sort_by_key(age);
    Ok(locked)
}

/// Account and id of the lines of some eSIMs, by ICCID; what is no line's is left out.
pub async fn keys_by_iccid(
    conn: &mut Conn,
    iccids: &[&str],
) -> Result<HashMap<String, (String, String)>> {
    let iccids: Vec<[&str; 1]> = iccids.iter().map(|iccid| [*iccid]).collect();
    let rows = sql!(
        "SELECT l.iccid, l.account_id, l.id
         FROM jsonb_each($1) AS r CROSS JOIN lines AS l WHERE l.iccid = r.value->>0",
        set::of(&iccids)?
    )
    .fetch_all(conn)
    .await?;
    let key = |row: &AnyRow| Ok((row.try_get(0)?, (row.try_get(1)?, row.try_get(2)?)));
    rows.iter().map(key).collect()
}

/// A line of this account.
pub async fn get(conn: &mut Conn, account: &str, id: &str) -> Result<Option<Line>> {
    let row = sql!(
        "SELECT account_id, id, iccid, version, newest_at, currency, per_gb_minor, stopped, closed,
                recharge_count, label
         FROM lines WHERE account_id = $1 AND id = $2",
        account,
        id
    )
    .fetch_optional(conn)
    .await?;
    row.as_ref().map(line).transpose()
}

/// The line of this eSIM, whoever's it is.
pub async fn by_iccid(conn: &mut Conn, iccid: &str) -> Result<Option<Line>> {
    let row = sql!(
        "SELECT account_id, id, iccid, version, newest_at, currency, per_gb_minor, stopped, closed,
                recharge_count, label
         FROM lines WHERE iccid = $1",
        iccid
    )
    .fetch_optional(conn)
    .await?;
    row.as_ref().map(line).transpose()
}

/// The lines of an account, oldest first.
pub async fn of_account(conn: &mut Conn, account: &str) -> Result<Vec<Line>> {
    let rows = sql!(
        "SELECT account_id, id, iccid, version, newest_at, currency, per_gb_minor, stopped, closed,
                recharge_count, label
         FROM lines WHERE account_id = $1 ORDER BY created_at, id",
        account
    )
    .fetch_all(conn)
    .await?;
    rows.iter().map(line).collect()
}

/// Every line there is, by the number of its eSIM.
pub async fn all(conn: &mut Conn) -> Result<Vec<Line>> {
    let rows = sql!(
        "SELECT account_id, id, iccid, version, newest_at, currency, per_gb_minor, stopped, closed,
                recharge_count, label
         FROM lines ORDER BY iccid"
    )
    .fetch_all(conn)
    .await?;
    rows.iter().map(line).collect()
}

/// The line of this id or ICCID, whoever's it is: operators have the one or the other.
pub async fn find(conn: &mut Conn, id_or_iccid: &str) -> Result<Option<Line>> {
    let row = sql!(
        "SELECT account_id, id, iccid, version, newest_at, currency, per_gb_minor, stopped, closed,
                recharge_count, label
         FROM lines WHERE id = $1 OR iccid = $1",
        id_or_iccid
    )
    .fetch_optional(conn)
    .await?;
    row.as_ref().map(line).transpose()
}

/// The lines that the operator has stopped, by account and id.
pub async fn stopped(conn: &mut Conn) -> Result<Vec<Line>> {
    let rows = sql!(
        "SELECT account_id, id, iccid, version, newest_at, currency, per_gb_minor, stopped, closed,
                recharge_count, label
         FROM lines WHERE stopped = 1 ORDER BY account_id, id"
    )
    .fetch_all(conn)
    .await?;
    rows.iter().map(line).collect()
}

/// The next lines after one, up to `most`, by account and id.
pub async fn after(conn: &mut Conn, (account, id): (&str, &str), most: i64) -> Result<Vec<Line>> {
    let rows = sql!(
        "SELECT account_id, id, iccid, version, newest_at, currency, per_gb_minor, stopped, closed,
                recharge_count, label
         FROM lines WHERE (account_id, id) > ($1, $2) ORDER BY account_id, id LIMIT $3",
        account,
        id,
        most
    )
    .fetch_all(conn)
    .await?;
    rows.iter().map(line).collect()
}

/// Lines by account and id, in the order of the set; those that are not there are left out.
pub async fn of_keys(conn: &mut Conn, keys: &[(String, String)]) -> Result<Vec<Line>> {
    let rows = sql!(
        "SELECT l.account_id, l.id, l.iccid, l.version, l.newest_at, l.currency, l.per_gb_minor,
                l.stopped, l.closed, l.recharge_count, l.label
         FROM jsonb_each($1) AS r CROSS JOIN lines AS l
         WHERE l.account_id = r.value->>0 AND l.id = r.value->>1 ORDER BY r.key",
        set::of(keys)?
    )
    .fetch_all(conn)
    .await?;
    rows.iter().map(line).collect()
}

/// How many lines there are.
pub async fn count(conn: &mut Conn) -> Result<i64> {
    Ok(sql!("SELECT COUNT(*) FROM lines").fetch_one(conn).await?.try_get(0)?)
}

/// Account and id of the next lines after one, up to `most`, in the order in which they are locked.
pub async fn keys_after(
    conn: &mut Conn,
    (account, id): (&str, &str),
    most: i64,
) -> Result<Vec<(String, String)>> {
    let rows = sql!(
        "SELECT account_id, id FROM lines WHERE (account_id, id) > ($1, $2)
         ORDER BY account_id, id LIMIT $3",
        account,
        id,
        most
    )
    .fetch_all(conn)
    .await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// Stops charging on a locked line, or lets it go on.
pub async fn stop(tx: &mut Tx, line: &Line, stopped: bool) -> Result<()> {
    sql!(
        "UPDATE lines SET stopped = $3 WHERE account_id = $1 AND id = $2",
        line.account_id.as_str(),
        line.id.as_str(),
        i64::from(stopped)
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The newest instant recorded for any line; the time never goes below it.
pub async fn newest_at(conn: &mut Conn) -> Result<Option<Instant>> {
    let row = sql!("SELECT MAX(newest_at) FROM lines").fetch_one(conn).await?;
    Ok(row.try_get::<Option<i64>, _>(0)?.map(Instant::from_micros))
}

/// Adds a line; whether its eSIM was free.
pub async fn insert(tx: &mut Tx, new: &Line) -> Result<bool> {
    let done = sql!(
        "INSERT INTO lines
             (account_id, id, iccid, version, newest_at, currency, per_gb_minor, stopped, closed,
              recharge_count, label, credit_bytes, overrun_bytes, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0, 0, $5)
         ON CONFLICT (iccid) DO NOTHING",
        new.account_id.as_str(),
        new.id.as_str(),
        &new.iccid,
        new.version,
        new.newest_at.micros(),
        new.currency.code(),
        new.pay_as_you_go.map(|price| price.per_gb_minor),
        i64::from(new.stopped),
        i64::from(new.closed),
        new.recharge_count,
        new.label.as_deref()
    )
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Keeps the line's name. No money transaction: the line's version stays, and so does every preview
/// that was made of it.
pub async fn rename(tx: &mut Tx, line: &Line) -> Result<()> {
    sql!(
        "UPDATE lines SET label = $3 WHERE account_id = $1 AND id = $2",
        line.account_id.as_str(),
        line.id.as_str(),
        line.label.as_deref()
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Goes on by so many numbers of recharges, on every line.
pub async fn skip_recharges(tx: &mut Tx, numbers: i64) -> Result<()> {
    sql!("UPDATE lines SET recharge_count = recharge_count + $1", numbers)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Takes the number of the line's next recharge.
pub async fn next_recharge(tx: &mut Tx, line: &Line) -> Result<u32> {
    let row = sql!(
        "UPDATE lines SET recharge_count = recharge_count + 1 WHERE account_id = $1 AND id = $2
         RETURNING recharge_count",
        line.account_id.as_str(),
        line.id.as_str()
    )
    .fetch_one(&mut **tx)
    .await?;
    let number: i64 = row.try_get(0)?;
    u32::try_from(number).map_err(|_| Error::internal("a line has too many recharges"))
}
