//! The lists, as Stripe gives them: of a time, the newest first, a page at a time. localstripe's
//! know neither times nor customers, and its records are as old as they are; here time can pass.

use std::io;
use std::time::Duration;

use serde_json::{Value, json};

use super::front::{field, shaped};
use super::{Shared, Stripe, disputes};

/// The addresses of all that are asked for.
pub(super) const ALL: [&str; 3] = ["/v1/payment_intents", "/v1/refunds", "/v1/disputes"];
/// Stripe gives no more at a time, and so many where nothing is said.
const MOST: usize = 100;
const UNSAID: usize = 10;

/// The list at an address; nothing while lists of everybody's fail.
pub(super) fn of(shared: &Shared, path: &str, query: &[u8]) -> io::Result<Option<Value>> {
    let about_one = ["customer", "payment_intent"].iter().any(|it| !field(query, it).is_empty());
    if shared.state().lists_fail && !about_one {
        return Ok(None);
    }
    Ok(Some(match path {
        "/v1/disputes" => disputes::list(shared, query)?,
        "/v1/refunds" => page(refunds(shared)?, query),
        _ => {
            let customer = field(query, "customer");
            let mut all = payments(shared)?;
            all.retain(|payment| customer.is_empty() || payment["customer"] == customer);
            page(all, query)
        }
    }))
}

/// Every payment, the newest first.
pub(super) fn payments(shared: &Shared) -> io::Result<Vec<Value>> {
    let all = everything(shared, "/v1/payment_intents")?;
    Ok(all.into_iter().rev().map(|record| shaped(shared, record)).collect())
}

/// Every refund; localstripe gives the newest first.
fn refunds(shared: &Shared) -> io::Result<Vec<Value>> {
    let all = everything(shared, "/v1/refunds")?;
    Ok(all.into_iter().map(|record| aged(shared, record)).collect())
}

fn everything(shared: &Shared, path: &str) -> io::Result<Vec<Value>> {
    let listed = shared.ask("GET", &format!("{path}?limit=1000"), b"")?.json();
    Ok(listed["data"].as_array().cloned().unwrap_or_default())
}

/// What is asked for of these rows.
pub(super) fn page(rows: Vec<Value>, query: &[u8]) -> Value {
    let number = |name: &str| field(query, name).parse::<i64>().ok();
    let made = |row: &Value| row["created"].as_i64().unwrap_or_default();
    let from = number("created%5Bgte%5D").unwrap_or(i64::MIN);
    let until = number("created%5Blt%5D").unwrap_or(i64::MAX);
    let most = number("limit").and_then(|most| usize::try_from(most).ok());
    let after = field(query, "starting_after");
    let mut rows = rows.into_iter().filter(|row| (from..until).contains(&made(row)));
    if !after.is_empty() {
        // What follows it is what is left then.
        rows.find(|row| row["id"] == after);
    }
    let data: Vec<Value> = rows.by_ref().take(most.unwrap_or(UNSAID).min(MOST)).collect();
    json!({ "data": data, "has_more": rows.next().is_some() })
}

/// A record, as old as it is here.
pub(super) fn aged(shared: &Shared, mut record: Value) -> Value {
    let state = shared.state();
    let older = record["id"].as_str().and_then(|id| state.older.get(id));
    make_older(&mut record, older.copied().unwrap_or(0));
    record
}

fn make_older(record: &mut Value, seconds: i64) {
    if let Some(created) = record["created"].as_i64() {
        record["created"] = json!(created.saturating_sub(seconds));
    }
}

impl Stripe {
    /// Everything that is there so far is older by so much. The server's clock can be moved
    /// forward, Stripe's cannot: this is how the same time passes at both.
    pub fn let_pass(&self, time: Duration) {
        let seconds = i64::try_from(time.as_secs()).expect("less than an age");
        let payments = payments(&self.shared).expect("localstripe");
        let refunds = refunds(&self.shared).expect("localstripe");
        let charges = payments.iter().map(|payment| &payment["latest_charge"]);
        let all = payments.iter().chain(&refunds).chain(charges);
        let mut state = self.shared.state();
        for id in all.filter_map(|record| record["id"].as_str()) {
            *state.older.entry(id.to_owned()).or_default() += seconds;
        }
        for dispute in &mut state.disputes {
            make_older(dispute, seconds);
            let moved = dispute["balance_transactions"].as_array_mut();
            moved.into_iter().flatten().for_each(|moved| make_older(moved, seconds));
        }
    }

    /// From now on the lists of everybody's payments, refunds and disputes fail, or do so no more.
    pub fn lists_fail(&self, fail: bool) {
        self.shared.state().lists_fail = fail;
    }
}
