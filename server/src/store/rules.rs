//! Rules: the present one of each line with what deciding remembers, and every earlier version.

use super::{Conn, Tx, lines::Line, set};
use crate::{
    error::{Error, Result},
    sql,
};
use laika_core::{
    api::{RuleChange, RuleChangeKind},
    decide::Suspension,
    draft::RuleDraft,
    rule::Rule,
    time::Instant,
};
use serde::{Serialize, de::DeserializeOwned};
use sqlx::{Row, any::AnyRow};

/// A rule and what deciding remembers of it.
#[derive(Clone, Debug)]
pub struct Stored {
    /// The rule.
    pub rule: Rule,
    /// As it was typed.
    pub draft: RuleDraft,
    /// Why it waits for the customer.
    pub suspended: Option<Suspension>,
    /// Scheduled instants up to here are charged, skipped or gone.
    pub consumed_through: Option<Instant>,
    /// The expiry that was already acted on.
    pub consumed_expiry_at: Option<Instant>,
    /// The customer was told that little is left, and it has not risen since.
    pub alerted: bool,
}

/// A value of core as the database keeps it.
pub fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| Error::internal(error.to_string()))
}

/// A value of core as the database kept it.
pub fn from_json<T: DeserializeOwned>(text: &str) -> Result<T> {
    laika_core::json::read(text).map_err(|error| Error::internal(format!("database: {error}")))
}

/// The line's rule, if it has one.
pub async fn get(conn: &mut Conn, line: &Line) -> Result<Option<Stored>> {
    Ok(get_all(conn, &[line]).await?.pop().flatten())
}

/// The rules of some lines, in their order.
pub async fn get_all(conn: &mut Conn, lines: &[&Line]) -> Result<Vec<Option<Stored>>> {
    let rows = sql!(
        "SELECT r.key, x.rule, x.draft, x.suspended, x.consumed_through, x.consumed_expiry_at,
                x.alerted
         FROM jsonb_each($1) AS r CROSS JOIN rules AS x
         WHERE x.account_id = r.value->>0 AND x.line_id = r.value->>1",
        set::of_lines(lines.iter().copied())?
    )
    .fetch_all(conn)
    .await?;
    let found = set::grouped(lines.len(), &rows, stored)?;
    Ok(found.into_iter().map(|mut rules| rules.pop()).collect())
}

/// Reads a rule from behind the set's key.
fn stored(row: &AnyRow) -> Result<Stored> {
    let suspended: Option<String> = row.try_get(3)?;
    let instant = |column: usize| -> Result<Option<Instant>> {
        Ok(row.try_get::<Option<i64>, _>(column)?.map(Instant::from_micros))
    };
    Ok(Stored {
        rule: from_json(&row.try_get::<String, _>(1)?)?,
        draft: from_json(&row.try_get::<String, _>(2)?)?,
        suspended: suspended.map(|json| from_json(&json)).transpose()?,
        consumed_through: instant(4)?,
        consumed_expiry_at: instant(5)?,
        alerted: row.try_get::<i64, _>(6)? != 0,
    })
}

/// Keeps the rule as it is now; the line must be locked in the same transaction.
pub async fn put(tx: &mut Tx, line: &Line, stored: &Stored) -> Result<()> {
    sql!(
        "INSERT INTO rules
             (account_id, line_id, version, rule, draft, suspended, consumed_through,
              consumed_expiry_at, alerted)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (account_id, line_id) DO UPDATE SET
             version = excluded.version, rule = excluded.rule, draft = excluded.draft,
             suspended = excluded.suspended, consumed_through = excluded.consumed_through,
             consumed_expiry_at = excluded.consumed_expiry_at, alerted = excluded.alerted",
        line.account_id.as_str(),
        line.id.as_str(),
        i64::from(stored.rule.version),
        json(&stored.rule)?,
        json(&stored.draft)?,
        stored.suspended.as_ref().map(json).transpose()?,
        stored.consumed_through.map(Instant::micros),
        stored.consumed_expiry_at.map(Instant::micros),
        i64::from(stored.alerted)
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Makes the rule wait for the customer, or ends that; the line must be locked. The version that
/// waits is the one that was suspended first.
pub async fn suspend(tx: &mut Tx, line: &Line, why: Option<Suspension>) -> Result<()> {
    sql!(
        "UPDATE rules SET suspended = $1,
             suspended_version = CASE WHEN suspended IS NULL THEN version
                                      ELSE COALESCE(suspended_version, version) END
         WHERE account_id = $2 AND line_id = $3",
        why.as_ref().map(json).transpose()?,
        line.account_id.as_str(),
        line.id.as_str()
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A new version, for the change log and for every charge that will cite it.
#[derive(Clone, Copy, Debug)]
pub struct NewVersion<'a> {
    /// The rule.
    pub rule: &'a Rule,
    /// What was done.
    pub what: RuleChangeKind,
    /// The text agreed to, when it was turned on.
    pub consent: Option<&'a str>,
    /// The request's idempotency key and hash, when it was saved.
    pub request: Option<(&'a str, &'a str)>,
}

/// Keeps a version for good.
pub async fn add_version(tx: &mut Tx, line: &Line, new: NewVersion<'_>) -> Result<()> {
    sql!(
        "INSERT INTO rule_versions
             (account_id, line_id, version, what, changed_at, rule, consent, request_key,
              request_sha256)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        line.account_id.as_str(),
        line.id.as_str(),
        i64::from(new.rule.version),
        json(&new.what)?,
        line.newest_at.micros(),
        json(new.rule)?,
        new.consent,
        new.request.map(|(key, _)| key),
        new.request.map(|(_, sha256)| sha256)
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The hash of the request that saved under this key, if one did.
pub async fn request(conn: &mut Conn, line: &Line, key: &str) -> Result<Option<String>> {
    let row = sql!(
        "SELECT request_sha256 FROM rule_versions
         WHERE account_id = $1 AND line_id = $2 AND request_key = $3",
        line.account_id.as_str(),
        line.id.as_str(),
        key
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?.flatten())
}

/// One version of a line's rule.
pub async fn version(conn: &mut Conn, line: &Line, version: u32) -> Result<Option<Rule>> {
    let row = sql!(
        "SELECT rule FROM rule_versions
         WHERE account_id = $1 AND line_id = $2 AND version = $3",
        line.account_id.as_str(),
        line.id.as_str(),
        i64::from(version)
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| from_json(&row.try_get::<String, _>(0)?)).transpose()
}

/// The versions of a line's rule from the one that was suspended on; of one that is not, it alone.
pub async fn since_suspended(conn: &mut Conn, line: &Line) -> Result<Vec<Rule>> {
    let rows = sql!(
        "SELECT v.rule FROM rules AS r JOIN rule_versions AS v
             ON v.account_id = r.account_id AND v.line_id = r.line_id
         WHERE r.account_id = $1 AND r.line_id = $2
             AND v.version >= CASE WHEN r.suspended IS NULL THEN r.version
                                   ELSE COALESCE(r.suspended_version, r.version) END",
        line.account_id.as_str(),
        line.id.as_str()
    )
    .fetch_all(conn)
    .await?;
    rows.iter().map(|row| from_json(&row.try_get::<String, _>(0)?)).collect()
}

/// Every version of each line's rule with when it was made, the oldest first.
pub async fn versions_of(conn: &mut Conn, lines: &[&Line]) -> Result<Vec<Vec<(Rule, Instant)>>> {
    let rows = sql!(
        "SELECT r.key, x.rule, x.changed_at FROM jsonb_each($1) AS r CROSS JOIN rule_versions AS x
         WHERE x.account_id = r.value->>0 AND x.line_id = r.value->>1 ORDER BY x.version",
        set::of_lines(lines.iter().copied())?
    )
    .fetch_all(conn)
    .await?;
    set::grouped(lines.len(), &rows, |row| {
        let rule = from_json(&row.try_get::<String, _>(1)?)?;
        Ok((rule, Instant::from_micros(row.try_get(2)?)))
    })
}

/// The changes of a line's rule, the newest first.
pub async fn changes(conn: &mut Conn, line: &Line) -> Result<Vec<RuleChange>> {
    let rows = sql!(
        "SELECT version, changed_at, what FROM rule_versions
         WHERE account_id = $1 AND line_id = $2 ORDER BY version DESC LIMIT 50",
        line.account_id.as_str(),
        line.id.as_str()
    )
    .fetch_all(conn)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(RuleChange {
                version: u32::try_from(row.try_get::<i64, _>(0)?).unwrap_or(0),
                at: Instant::from_micros(row.try_get(1)?),
                what: from_json(&row.try_get::<String, _>(2)?)?,
            })
        })
        .collect()
}
