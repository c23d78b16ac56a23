//! Payment methods: tokens and what a person recognises a card by. No number is ever here.

mod audit;
mod renewal;

use super::{Conn, Tx, agreements, lines::Line, set};
use crate::{
    error::{Error, Result},
    sql,
};
use laika_core::{
    decide::MethodFacts,
    id::PaymentMethodId,
    rail::Rail,
    retry::{DECLINES_COUNT_FOR, Ladder},
    say,
    time::Instant,
};
use sqlx::{Row, any::AnyRow};
use std::collections::{BTreeSet, HashMap, HashSet};

pub use audit::{barred_of, declined_often, instruments_of, removed_of};
pub use renewal::{ending, month_of, renew};

/// A payment method as it is stored.
#[derive(Clone, Debug)]
pub struct Method {
    /// Ours.
    pub id: PaymentMethodId,
    /// The gateway's token.
    pub token: String,
    /// What it can do.
    pub rail: Rail,
    /// Such as `Visa`.
    pub brand: String,
    /// `credit`, `debit` or `prepaid`.
    pub funding: String,
    /// The last four digits.
    pub last4: String,
    /// 1 to 12.
    pub exp_month: u32,
    /// Four digits.
    pub exp_year: i32,
    /// The gateway's keyed hash of the number.
    pub fingerprint: String,
    /// Fingerprint and expiry, or the agreement: what declines and bars belong to.
    pub instrument: String,
    /// When it was removed.
    pub removed_at: Option<Instant>,
}

/// The name of what declines and bars belong to.
pub fn instrument(fingerprint: &str, exp_year: i32, exp_month: u32) -> String {
    format!("{fingerprint}-{exp_year:04}-{exp_month:02}")
}

impl Method {
    /// From when on it is expired: the month after the one on the card, anywhere on earth; never
    /// for what has no date.
    pub fn expires_at(&self) -> Option<Instant> {
        if self.exp_month == 0 {
            return None;
        }
        let (year, month) = match self.exp_month {
            12 => (self.exp_year + 1, 1),
            month => (self.exp_year, month + 1),
        };
        Instant::parse(&format!("{year:04}-{month:02}-01T12:00:00Z"))
    }
}

fn method(row: &AnyRow) -> Result<Method> {
    let number = |at: usize| -> Result<i64> { Ok(row.try_get(at)?) };
    let wrong = || Error::internal("the database holds a date that no card has");
    let rail: String = row.try_get(2)?;
    let removed_at = number(10)?;
    Ok(Method {
        id: super::id(row.try_get(0)?, PaymentMethodId::new)?,
        token: row.try_get(1)?,
        rail: serde_json::from_value(rail.into()).map_err(|e| Error::internal(e.to_string()))?,
        brand: row.try_get(3)?,
        funding: row.try_get(4)?,
        last4: row.try_get(5)?,
        exp_month: u32::try_from(number(6)?).map_err(|_| wrong())?,
        exp_year: i32::try_from(number(7)?).map_err(|_| wrong())?,
        fingerprint: row.try_get(8)?,
        instrument: row.try_get(9)?,
        removed_at: (removed_at != 0).then(|| Instant::from_micros(removed_at)),
    })
}

/// Who an account is at the gateway.
pub async fn customer(conn: &mut Conn, account_id: &str) -> Result<Option<String>> {
    let row = sql!("SELECT customer FROM gateway_customers WHERE account_id = $1", account_id)
        .fetch_optional(conn)
        .await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

/// Whether anybody is known at a gateway.
pub async fn has_customers(conn: &mut Conn) -> Result<bool> {
    let row = sql!("SELECT 1 FROM gateway_customers LIMIT 1").fetch_optional(conn).await?;
    Ok(row.is_some())
}

/// Keeps who an account is at the gateway; the first one stays.
pub async fn set_customer(tx: &mut Tx, account_id: &str, customer: &str) -> Result<()> {
    sql!(
        "INSERT INTO gateway_customers (account_id, customer) VALUES ($1, $2)
         ON CONFLICT (account_id) DO NOTHING",
        account_id,
        customer
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Keeps another customer in place of one that is gone at the gateway, unless it was replaced.
pub async fn replace_customer(
    tx: &mut Tx,
    account_id: &str,
    gone: &str,
    customer: &str,
) -> Result<()> {
    sql!(
        "UPDATE gateway_customers SET customer = $1 WHERE account_id = $2 AND customer = $3",
        customer,
        account_id,
        gone
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Keeps a visit to the hosted page.
pub async fn insert_setup(tx: &mut Tx, account_id: &str, id: &str, now: Instant) -> Result<()> {
    sql!(
        "INSERT INTO payment_method_setups (account_id, id, created_at) VALUES ($1, $2, $3)",
        account_id,
        id,
        now.micros()
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A visit of this account: nothing when there is none, otherwise the method it ended in.
pub async fn setup(
    conn: &mut Conn,
    account_id: &str,
    id: &str,
) -> Result<Option<Option<PaymentMethodId>>> {
    let row = sql!(
        "SELECT payment_method_id FROM payment_method_setups WHERE account_id = $1 AND id = $2",
        account_id,
        id
    )
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let method: Option<String> = row.try_get(0)?;
    Ok(Some(method.map(|id| super::id(id, PaymentMethodId::new)).transpose()?))
}

/// Keeps the method that a visit ended in.
pub async fn complete_setup(
    tx: &mut Tx,
    account_id: &str,
    id: &str,
    method: &PaymentMethodId,
) -> Result<()> {
    sql!(
        "UPDATE payment_method_setups SET payment_method_id = $1
         WHERE account_id = $2 AND id = $3",
        method.as_str(),
        account_id,
        id
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Adds a method, last in the order.
pub async fn insert(tx: &mut Tx, account_id: &str, new: &Method, now: Instant) -> Result<()> {
    let rail = serde_json::to_value(new.rail).map_err(|e| Error::internal(e.to_string()))?;
    sql!(
        "INSERT INTO payment_methods
             (account_id, id, token, rail, brand, funding, last4, exp_month, exp_year,
              fingerprint, instrument, place, added_at, removed_at)
         SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, COUNT(*), $12, 0
         FROM payment_methods WHERE account_id = $1",
        account_id,
        new.id.as_str(),
        &new.token,
        rail.as_str().unwrap_or_default(),
        &new.brand,
        &new.funding,
        &new.last4,
        i64::from(new.exp_month),
        i64::from(new.exp_year),
        &new.fingerprint,
        &new.instrument,
        now.micros()
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The methods of an account that are not removed, in order of preference.
pub async fn of_account(conn: &mut Conn, account_id: &str) -> Result<Vec<Method>> {
    let rows = sql!(
        "SELECT id, token, rail, brand, funding, last4, exp_month, exp_year, fingerprint,
                instrument, removed_at
         FROM payment_methods WHERE account_id = $1 AND removed_at = 0 ORDER BY place, id",
        account_id
    )
    .fetch_all(conn)
    .await?;
    rows.iter().map(method).collect()
}

/// A method of this account, removed ones included.
pub async fn get(conn: &mut Conn, account_id: &str, id: &str) -> Result<Option<Method>> {
    let row = sql!(
        "SELECT id, token, rail, brand, funding, last4, exp_month, exp_year, fingerprint,
                instrument, removed_at
         FROM payment_methods WHERE account_id = $1 AND id = $2",
        account_id,
        id
    )
    .fetch_optional(conn)
    .await?;
    row.as_ref().map(method).transpose()
}

/// Removes a method; whether it was there.
pub async fn remove(tx: &mut Tx, account_id: &str, id: &str, now: Instant) -> Result<bool> {
    let done = sql!(
        "UPDATE payment_methods SET removed_at = $1
         WHERE account_id = $2 AND id = $3 AND removed_at = 0",
        now.micros(),
        account_id,
        id
    )
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Keeps the token that a method is charged with from now on.
pub async fn set_token(tx: &mut Tx, account_id: &str, id: &str, token: &str) -> Result<()> {
    sql!(
        "UPDATE payment_methods SET token = $1 WHERE account_id = $2 AND id = $3",
        token,
        account_id,
        id
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Gives a method its place in the order of preference.
pub async fn set_place(tx: &mut Tx, account_id: &str, id: &str, place: i64) -> Result<()> {
    sql!(
        "UPDATE payment_methods SET place = $1 WHERE account_id = $2 AND id = $3",
        place,
        account_id,
        id
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Ends an instrument for a line's rule, or a token that the gateway has nothing under.
pub async fn bar(
    tx: &mut Tx,
    account_id: &str,
    line_id: &str,
    instrument: &str,
    now: Instant,
) -> Result<()> {
    sql!(
        "INSERT INTO barred_instruments (account_id, line_id, instrument, barred_at)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (account_id, line_id, instrument) DO NOTHING",
        account_id,
        line_id,
        instrument,
        now.micros()
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Counts a declined attempt against its card, once. Whoever remembers the card's declines, in any
/// account, hears of it.
pub async fn declined(
    tx: &mut Tx,
    account_id: &str,
    idempotency_key: &str,
    fingerprint: &str,
    now: Instant,
) -> Result<()> {
    sql!(
        "INSERT INTO declines (account_id, idempotency_key, fingerprint, declined_at)
         VALUES ($1, $2, $3, $4) ON CONFLICT (account_id, idempotency_key) DO NOTHING",
        account_id,
        idempotency_key,
        fingerprint,
        now.micros()
    )
    .execute(&mut **tx)
    .await?;
    super::settings::count_decline(tx).await
}

/// When a card was declined, as long ago as it counts.
pub async fn declined_at(conn: &mut Conn, fingerprint: &str, now: Instant) -> Result<Vec<Instant>> {
    let rows = sql!(
        "SELECT declined_at FROM declines WHERE fingerprint = $1 AND declined_at > $2
         ORDER BY declined_at",
        fingerprint,
        now.minus(DECLINES_COUNT_FOR).micros()
    )
    .fetch_all(conn)
    .await?;
    rows.iter().map(|row| Ok(Instant::from_micros(row.try_get(0)?))).collect()
}

/// Keeps how far an instrument has come down the ladder on a line.
pub async fn set_ladder(
    tx: &mut Tx,
    account_id: &str,
    line_id: &str,
    instrument: &str,
    ladder: Ladder,
) -> Result<()> {
    sql!(
        "INSERT INTO ladders (account_id, line_id, instrument, failures, since)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (account_id, line_id, instrument)
         DO UPDATE SET failures = excluded.failures, since = excluded.since",
        account_id,
        line_id,
        instrument,
        i64::from(ladder.failures),
        ladder.since.map(Instant::micros)
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// What `decide` is told of an account's methods, for one of its lines.
pub async fn facts(conn: &mut Conn, line: &Line, now: Instant) -> Result<Vec<MethodFacts>> {
    Ok(facts_all(conn, &[(line, now)]).await?.pop().unwrap_or_default())
}

/// What `decide` is told of the methods for each of some lines, as of an instant.
pub async fn facts_all(
    conn: &mut Conn,
    lines: &[(&Line, Instant)],
) -> Result<Vec<Vec<MethodFacts>>> {
    let keys = set::of_lines(lines.iter().map(|(line, _)| *line))?;
    let rows = sql!(
        "SELECT m.id, m.token, m.rail, m.brand, m.funding, m.last4, m.exp_month, m.exp_year,
                m.fingerprint, m.instrument, m.removed_at, r.key
         FROM jsonb_each($1) AS r CROSS JOIN payment_methods AS m
         WHERE m.account_id = r.value->>0 AND m.removed_at = 0 ORDER BY r.key, m.place, m.id",
        &keys
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut facts: Vec<Vec<MethodFacts>> = lines.iter().map(|_| Vec::new()).collect();
    if rows.is_empty() {
        return Ok(facts);
    }
    let barred = barred(&mut *conn, &keys).await?;
    let ladders = ladders(&mut *conn, &keys).await?;
    let mut methods = Vec::with_capacity(rows.len());
    for row in &rows {
        methods.push((method(row)?, row.try_get::<i64, _>(11)?));
    }
    let declines = declines(&mut *conn, &methods).await?;
    let agreed = methods.iter().any(|(method, _)| method.rail != Rail::Card);
    let agreements = match agreed {
        true => agreements::of_lines(&mut *conn, &keys).await?,
        false => HashMap::new(),
    };
    for (method, of) in methods {
        let at = usize::try_from(of).unwrap_or(usize::MAX);
        let Some((facts, (_, now))) = facts.get_mut(at).zip(lines.get(at)) else { continue };
        let since = now.minus(DECLINES_COUNT_FOR);
        let declined = declines.get(&method.fingerprint).into_iter().flatten();
        let [instrument, token] = [&method.instrument, &method.token].map(|it| (of, it.clone()));
        facts.push(MethodFacts {
            barred: barred.contains(&instrument) || barred.contains(&token),
            ladder: ladders.get(&instrument).copied().unwrap_or_default(),
            declined_at: declined.filter(|at| **at > since).copied().collect(),
            name: say::method_name(&method.brand, &method.last4),
            rail: method.rail,
            expires_at: method.expires_at(),
            agreement: agreements.get(&method.id).copied(),
            id: method.id,
        });
    }
    Ok(facts)
}

/// The instruments and tokens that are ended for the rules of a set of lines, with the row of the
/// set.
async fn barred(conn: &mut Conn, keys: &str) -> Result<HashSet<(i64, String)>> {
    let rows = sql!(
        "SELECT r.key, b.instrument FROM jsonb_each($1) AS r CROSS JOIN barred_instruments AS b
         WHERE b.account_id = r.value->>0 AND b.line_id = r.value->>1",
        keys
    )
    .fetch_all(conn)
    .await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// How far instruments have come down the ladders of a set of lines, with the row of the set.
async fn ladders(conn: &mut Conn, keys: &str) -> Result<HashMap<(i64, String), Ladder>> {
    let rows = sql!(
        "SELECT r.key, l.instrument, l.failures, l.since
         FROM jsonb_each($1) AS r CROSS JOIN ladders AS l
         WHERE l.account_id = r.value->>0 AND l.line_id = r.value->>1",
        keys
    )
    .fetch_all(conn)
    .await?;
    let ladder = |row: &AnyRow| -> Result<Ladder> {
        Ok(Ladder {
            failures: u32::try_from(row.try_get::<i64, _>(2)?).unwrap_or(u32::MAX),
            since: row.try_get::<Option<i64>, _>(3)?.map(Instant::from_micros),
        })
    };
    rows.iter().map(|row| Ok(((row.try_get(0)?, row.try_get(1)?), ladder(row)?))).collect()
}

/// When the cards of some methods were declined, ever, by fingerprint, the oldest first.
async fn declines(
    conn: &mut Conn,
    methods: &[(Method, i64)],
) -> Result<HashMap<String, Vec<Instant>>> {
    let cards: BTreeSet<[&str; 1]> = methods.iter().map(|it| [it.0.fingerprint.as_str()]).collect();
    let cards: Vec<_> = cards.into_iter().collect();
    let rows = sql!(
        "SELECT d.fingerprint, d.declined_at FROM jsonb_each($1) AS r CROSS JOIN declines AS d
         WHERE d.fingerprint = r.value->>0 ORDER BY d.declined_at",
        set::of(&cards)?
    )
    .fetch_all(conn)
    .await?;
    let mut declines: HashMap<String, Vec<Instant>> = HashMap::new();
    for row in &rows {
        let at = Instant::from_micros(row.try_get(1)?);
        declines.entry(row.try_get(0)?).or_default().push(at);
    }
    Ok(declines)
}
