//! Agreements with wallets: what was agreed, and how far it is used. The wallet keeps its own count
//! and refuses beyond it; this one is what `decide` is told, so that nothing is even asked.

use super::{Conn, Tx};
use crate::{
    error::{Error, Result},
    gateway::Agreed,
    sql,
};
use laika_core::{
    decide::Agreement,
    id::PaymentMethodId,
    money::{Currency, Money},
    time::Instant,
};
use sqlx::{Row, any::AnyRow};
use std::collections::HashMap;

/// Keeps what was agreed, nothing debited yet.
pub async fn insert(
    tx: &mut Tx,
    account_id: &str,
    method: &PaymentMethodId,
    agreed: &Agreed,
) -> Result<()> {
    sql!(
        "INSERT INTO agreements
             (account_id, payment_method_id, currency, cycle_days, most_per_debit_minor,
              total_minor, debits_most, debited_minor, debits, debited_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0, 0)",
        account_id,
        method.as_str(),
        agreed.most_per_debit.currency.code(),
        i64::from(agreed.cycle_days),
        agreed.most_per_debit.amount_minor,
        agreed.total_minor,
        i64::from(agreed.debits_most)
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Counts a debit, where the method is under an agreement.
pub async fn debited(
    tx: &mut Tx,
    account_id: &str,
    method: &PaymentMethodId,
    amount: Money,
    now: Instant,
) -> Result<()> {
    sql!(
        "UPDATE agreements
         SET debited_minor = debited_minor + $1, debits = debits + 1, debited_at = $2
         WHERE account_id = $3 AND payment_method_id = $4",
        amount.amount_minor,
        now.micros(),
        account_id,
        method.as_str()
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The agreements of the accounts of a set of lines, by method.
pub(super) async fn of_lines(
    conn: &mut Conn,
    keys: &str,
) -> Result<HashMap<PaymentMethodId, Agreement>> {
    let rows = sql!(
        "SELECT a.payment_method_id, a.currency, a.cycle_days, a.most_per_debit_minor,
                a.total_minor, a.debits_most, a.debited_minor, a.debits, a.debited_at
         FROM jsonb_each($1) AS r CROSS JOIN agreements AS a WHERE a.account_id = r.value->>0",
        keys
    )
    .fetch_all(conn)
    .await?;
    rows.iter().map(agreement).collect()
}

fn agreement(row: &AnyRow) -> Result<(PaymentMethodId, Agreement)> {
    let number = |at: usize| -> Result<i64> { Ok(row.try_get(at)?) };
    let wrong = || Error::internal("the database holds an agreement that cannot be");
    let code: String = row.try_get(1)?;
    let currency = Currency::from_code(&code).ok_or_else(wrong)?;
    let left_minor = number(4)?.saturating_sub(number(6)?).max(0);
    let debits_left = number(5)?.saturating_sub(number(7)?).max(0);
    let debited_at = number(8)?;
    let agreement = Agreement {
        cycle_days: u32::try_from(number(2)?).map_err(|_| wrong())?,
        most_per_debit: Money::new(number(3)?, currency),
        total_left: Some(Money::new(left_minor, currency)),
        debits_left: Some(u32::try_from(debits_left).map_err(|_| wrong())?),
        debited_at: (debited_at != 0).then(|| Instant::from_micros(debited_at)),
    };
    Ok((super::id(row.try_get(0)?, PaymentMethodId::new)?, agreement))
}
