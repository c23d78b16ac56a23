//! All sides compared: what was acknowledged, what the lines have, what the provider charged, what
//! the carrier gave, what the ledger says.
//!
//! It returns what is wrong instead of failing, because one test must find something wrong.

use std::collections::BTreeMap;

use laika_core::recharge::Status;
use laika_tests::support::http::Request;
use laika_tests::support::provider::API_KEY;
use serde_json::Value;

use super::feeder::Feed;
use super::town::{DATA_AT_FIRST, Town};

/// What the books added up to.
#[derive(Debug, Default)]
pub(super) struct Books {
    /// Recharges that ended charged and credited.
    pub(super) done: usize,
    /// Everything that does not agree.
    pub(super) wrong: Vec<String>,
}

/// Looks at everything, once nothing is open any more.
pub(super) fn compare(town: &Town, feed: &Feed) -> Books {
    let mut books = Books::default();
    // What somebody else charged at the same provider is not ours to explain; a charge of ours that
    // did not name its recharge would be missing there.
    let ours = |charge: &Value| charge["metadata"]["recharge_id"].is_string();
    let charges: Vec<Value> = town.charges().into_iter().filter(ours).collect();
    let charged = charged_by_recharge(&charges);
    let taken = taken_by_recharge(&charges);
    let given = given_by_recharge(town);
    let lines = town.lines();
    for customer in &town.customers {
        let mut credited = 0;
        for view in customer.recharges().expect("the server is there") {
            let (id, status) = (view.recharge.id.as_str(), view.recharge.status);
            let charges = charged.get(id).map_or(0, Vec::len);
            let top_ups = given.get(id).map(Vec::as_slice).unwrap_or_default();
            let expected = usize::from(status == Status::Done);
            books.done += expected;
            if (charges, top_ups.len()) != (expected, expected) {
                let counts = format!("charged {charges}x, credited {}x", top_ups.len());
                books.wrong.push(format!("{id} is {status:?} but {counts}"));
            }
            let taken = taken.get(id).copied().unwrap_or_default();
            if taken > 1 {
                books.wrong.push(format!("{id} was taken {taken}x, whatever went back"));
            }
            credited += top_ups.iter().sum::<u64>();
        }
        let line = &lines[&customer.line.iccid];
        let (left, overrun) = (&line["data_bytes"], &line["overrun_bytes"]);
        let counted = DATA_AT_FIRST + credited + overrun.as_u64().unwrap_or_default();
        let counted = counted.checked_sub(left.as_u64().unwrap_or_default());
        let used = feed.used(&customer.line.iccid);
        if counted != Some(used) {
            let said = format!("acknowledged {used} but counted {counted:?}");
            books.wrong.push(format!("{}: {said}", customer.line.iccid));
        }
    }
    let known: usize = charged.values().map(Vec::len).sum();
    if known != books.done {
        books.wrong.push(format!("{known} charges for {} finished recharges", books.done));
    }
    books.wrong.extend(town.audit().iter().map(|violation| format!("audit: {violation}")));
    books
}

/// What was taken and kept, by our recharge.
fn charged_by_recharge(charges: &[Value]) -> BTreeMap<String, Vec<u64>> {
    let mut kept: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for charge in charges {
        let money = |name: &str| charge[name].as_u64().unwrap_or_default();
        if money("captured_minor") > money("refunded_minor") {
            let id = charge["metadata"]["recharge_id"].as_str().unwrap_or_default();
            kept.entry(id.to_owned()).or_default().push(money("captured_minor"));
        }
    }
    kept
}

/// How often money was taken, by our recharge, what went back again included: a charge made twice
/// is one too many even when the second is given back.
fn taken_by_recharge(charges: &[Value]) -> BTreeMap<String, usize> {
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    for charge in charges.iter().filter(|charge| charge["captured_minor"].as_u64() > Some(0)) {
        let id = charge["metadata"]["recharge_id"].as_str().unwrap_or_default();
        *taken.entry(id.to_owned()).or_default() += 1;
    }
    taken
}

/// The carrier's own statement: the bytes it gave, by our recharge.
fn given_by_recharge(town: &Town) -> BTreeMap<String, Vec<u64>> {
    let mut given: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    let url = town.sandbox_url("/carrier/v1/statement?from=1970-01-01T00:00:00Z");
    // Why so late: let enough time pass, and what was given last is still in it.
    let mut next = format!("{url}&until=9999-01-01T00:00:00Z");
    loop {
        let request = Request::new("GET", &next);
        let request = request.header("Authorization", &format!("Bearer {API_KEY}"));
        let page = request.send().expect("the carrier").expect(200).json();
        for top_up in page["top_ups"].as_array().expect("a list of top-ups") {
            let id = top_up["metadata"]["recharge_id"].as_str().unwrap_or_default();
            let bytes = top_up["data_bytes"].as_u64().unwrap_or_default();
            given.entry(id.to_owned()).or_default().push(bytes);
        }
        let (Some(after), Some(until)) = (page["next"].as_str(), page["until"].as_str()) else {
            return given;
        };
        next = format!("{url}&until={until}&after={after}");
    }
}

/// For a message: the first few of what is wrong.
pub(super) fn first(wrong: &[String]) -> String {
    let all = wrong.len();
    let shown: Vec<&str> = wrong.iter().take(12).map(String::as_str).collect();
    format!("{all} things are wrong:\n  {}", shown.join("\n  "))
}
