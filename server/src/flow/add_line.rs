//! A new line: its first bucket and its first credit, booked in the transaction that makes it.

use crate::{
    error::{Error, Result},
    secret,
    store::{Tx, accounts, balances, ledger, lines, lines::Line},
};
use laika_core::{
    balance::{Bucket, CreditGrant},
    bytes::Bytes,
    id::{AccountId, BucketId, LineId},
    ledger::{Book, Posting},
    money::{Currency, Money},
    time::Instant,
};

/// What the line starts with.
#[derive(Clone, Debug)]
pub struct NewLine {
    /// The number of its eSIM.
    pub iccid: String,
    /// Data that never expires.
    pub bytes: Bytes,
    /// Credit, in minor units.
    pub credit_minor: i64,
    /// The line's one currency.
    pub currency: Currency,
}

/// Adds the line to the account; nothing when its eSIM has a line already.
pub async fn add(tx: &mut Tx, account: &str, new: &NewLine, now: Instant) -> Result<Option<Line>> {
    let made = || Error::internal("a made id is not an id");
    let line = Line {
        account_id: AccountId::new(account).ok_or_else(made)?,
        id: LineId::new(secret::id("line")).ok_or_else(made)?,
        iccid: new.iccid.clone(),
        version: 0,
        newest_at: now,
        currency: new.currency,
        pay_as_you_go: None,
        stopped: false,
        closed: false,
        recharge_count: 0,
        label: None,
    };
    if !lines::insert(tx, &line).await? {
        return Ok(None);
    }
    let mut postings = Vec::new();
    if !new.bytes.is_zero() {
        let bucket = Bucket {
            id: BucketId::first_of(&line.id),
            bytes_total: new.bytes,
            bytes_left: new.bytes,
            expires_at: None,
            granted_at: now,
            grant_version: line.version,
            recharge: None,
        };
        balances::add_bucket(tx, &line, &bucket).await?;
        postings.push(Posting::bytes(Book::Carrier, Book::LineData, new.bytes));
    }
    if new.credit_minor > 0 {
        let grant = CreditGrant { amount_minor: new.credit_minor, grant_version: line.version };
        balances::add_credit(tx, &line, "first", grant).await?;
        let credit = Money::new(new.credit_minor, new.currency);
        postings.push(Posting::money(Book::Sales, Book::LineCredit, credit));
    }
    ledger::post(tx, &line, &format!("{}/v0", line.id), &postings).await?;
    accounts::bump(tx, account).await?;
    Ok(Some(line))
}
