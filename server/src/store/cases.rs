//! Cases: each difference that the three-way reconciliation found, once, with what it was found in
//! and how it stands. A difference that is found again is the same case: its id is derived from
//! what makes it one. What follows from it is decided elsewhere.

use super::{Conn, Tx};
use crate::{error::Result, sql};
use laika_core::time::Instant;
use serde::Serialize;
use sqlx::{Row, any::AnyRow};

/// Where a case stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// A person has to look.
    Open,
    /// Money is on its way back for it.
    Refunding,
    /// Nothing is left to do: the money is back, or none moves.
    Settled,
    /// A person has looked.
    Closed,
}

impl Status {
    /// Its name in the database and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Status::Open => "open",
            Status::Refunding => "refunding",
            Status::Settled => "settled",
            Status::Closed => "closed",
        }
    }

    fn from_name(name: &str) -> Status {
        match name {
            "refunding" => Status::Refunding,
            "settled" => Status::Settled,
            "closed" => Status::Closed,
            // Why: what is not understood is for a person.
            _ => Status::Open,
        }
    }

    /// Whether something is left to do.
    pub fn is_over(self) -> bool {
        match self {
            Status::Open | Status::Refunding => false,
            Status::Settled | Status::Closed => true,
        }
    }
}

/// A difference and how it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Case {
    /// Derived from what makes it one.
    pub id: String,
    /// Whose; the house's where no account of ours explains it.
    pub account_id: String,
    /// Which line, where one is known.
    pub line_id: Option<String>,
    /// Which recharge, where one is known.
    pub recharge_id: Option<String>,
    /// Which payment at the gateway, where it is about one.
    pub payment: Option<String>,
    /// Core's code of the difference.
    pub kind: String,
    /// Core's code of what follows.
    pub remedy: String,
    /// How it stands.
    pub status: Status,
    /// When it was found.
    pub found_at: Instant,
    /// When it was last found.
    pub seen_at: Instant,
    /// When its status last changed.
    pub changed_at: Instant,
    /// What was compared when it was found: canonical JSON.
    #[serde(skip)]
    pub evidence: String,
}

fn case(row: &AnyRow) -> Result<Case> {
    let instant = |at: usize| -> Result<Instant> { Ok(Instant::from_micros(row.try_get(at)?)) };
    Ok(Case {
        account_id: row.try_get(0)?,
        id: row.try_get(1)?,
        line_id: row.try_get(2)?,
        recharge_id: row.try_get(3)?,
        payment: row.try_get(4)?,
        kind: row.try_get(5)?,
        remedy: row.try_get(6)?,
        status: Status::from_name(row.try_get::<String, _>(7)?.as_str()),
        found_at: instant(8)?,
        seen_at: instant(9)?,
        changed_at: instant(10)?,
        evidence: row.try_get(11)?,
    })
}

/// Opens a case where there is none of its id; whether it is new. One that is there is only marked
/// as found again.
pub async fn open(tx: &mut Tx, new: &Case) -> Result<bool> {
    let done = sql!(
        "INSERT INTO cases
             (account_id, id, line_id, recharge_id, payment, kind, remedy, status, found_at,
              seen_at, changed_at, evidence)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         ON CONFLICT (account_id, id) DO NOTHING",
        &new.account_id,
        &new.id,
        &new.line_id,
        &new.recharge_id,
        &new.payment,
        &new.kind,
        &new.remedy,
        new.status.name(),
        new.found_at.micros(),
        new.seen_at.micros(),
        new.changed_at.micros(),
        &new.evidence
    )
    .execute(&mut **tx)
    .await?;
    if done.rows_affected() == 1 {
        return Ok(true);
    }
    sql!(
        "UPDATE cases SET seen_at = $1 WHERE account_id = $2 AND id = $3",
        new.seen_at.micros(),
        &new.account_id,
        &new.id
    )
    .execute(&mut **tx)
    .await?;
    Ok(false)
}

/// Gives a case another status; whether it had the one before.
pub async fn turn(
    tx: &mut Tx,
    account_id: &str,
    id: &str,
    [from, to]: [Status; 2],
    now: Instant,
) -> Result<bool> {
    let done = sql!(
        "UPDATE cases SET status = $1, changed_at = $2
         WHERE account_id = $3 AND id = $4 AND status = $5",
        to.name(),
        now.micros(),
        account_id,
        id,
        from.name()
    )
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The money of a payment is back, or does not come back: the case that waited for it is over, or
/// for a person.
pub async fn refund_ended(
    tx: &mut Tx,
    account_id: &str,
    payment: &str,
    to: Status,
    now: Instant,
) -> Result<()> {
    sql!(
        "UPDATE cases SET status = $1, changed_at = $2
         WHERE account_id = $3 AND payment = $4 AND status = 'refunding'",
        to.name(),
        now.micros(),
        account_id,
        payment
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A case of an account.
pub async fn of_account(conn: &mut Conn, account_id: &str, id: &str) -> Result<Option<Case>> {
    let row = sql!(
        "SELECT account_id, id, line_id, recharge_id, payment, kind, remedy, status, found_at,
                seen_at, changed_at, evidence
         FROM cases WHERE account_id = $1 AND id = $2",
        account_id,
        id
    )
    .fetch_optional(conn)
    .await?;
    row.as_ref().map(case).transpose()
}

/// A case, whosever it is.
pub async fn get(conn: &mut Conn, id: &str) -> Result<Option<Case>> {
    let row = sql!(
        "SELECT account_id, id, line_id, recharge_id, payment, kind, remedy, status, found_at,
                seen_at, changed_at, evidence
         FROM cases WHERE id = $1",
        id
    )
    .fetch_optional(conn)
    .await?;
    row.as_ref().map(case).transpose()
}

/// Which cases an operator asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Every one.
    All,
    /// Those of which something is left to do.
    Unsettled,
}

/// The next cases after one (account and id), up to `most`, in that order.
pub async fn page(
    conn: &mut Conn,
    which: Which,
    after: &(String, String),
    most: i64,
) -> Result<Vec<Case>> {
    let rows = sql!(
        "SELECT account_id, id, line_id, recharge_id, payment, kind, remedy, status, found_at,
                seen_at, changed_at, evidence
         FROM cases
         WHERE (account_id, id) > ($1, $2) AND ($3 = 1 OR status IN ('open', 'refunding'))
         ORDER BY account_id, id LIMIT $4",
        &after.0,
        &after.1,
        i64::from(which == Which::All),
        most
    )
    .fetch_all(conn)
    .await?;
    rows.iter().map(case).collect()
}

/// How many cases wait for a person, and for how many money is on its way back.
pub async fn counts(conn: &mut Conn) -> Result<(i64, i64)> {
    let row = sql!(
        "SELECT CAST(COALESCE(SUM(CASE WHEN status = 'open' THEN 1 ELSE 0 END), 0) AS BIGINT),
                COUNT(*)
         FROM cases WHERE status IN ('open', 'refunding')"
    )
    .fetch_one(conn)
    .await?;
    let (open, all): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
    Ok((open, all.saturating_sub(open)))
}
