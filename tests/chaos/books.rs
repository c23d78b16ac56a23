//! All sides compared: what was acknowledged, what the lines have, what the provider charged, what
//! the carrier gave, what the ledger says.
//!
//! It returns what is wrong instead of failing, because one test must find something wrong.

use std::collections::BTreeMap;
use std::time::Duration;

use laika_core::api::RechargeView;
use laika_core::money::Money;
use laika_core::recharge::Status;
use laika_tests::support::http::Request;
use laika_tests::support::provider::API_KEY;
use laika_tests::support::wait;
use serde_json::{Value, json};

use super::feeder::Feed;
use super::town::{DATA_AT_FIRST, Ground, Town};

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
    let_go_back(town);
    let charges = charges_by_recharge(town);
    let given = given_by_recharge(town);
    let lines = town.lines();
    for customer in &town.customers {
        let mut credited = 0;
        for view in customer.recharges().expect("the server is there") {
            let id = view.recharge.id.as_str();
            let top_ups = given.get(id).map(Vec::as_slice).unwrap_or_default();
            credited += top_ups.iter().sum::<u64>();
            let charges = charges.get(id).cloned().unwrap_or_default();
            let told = Told { charges, entries: entries(town, id), view };
            books.done += usize::from(told.is_done());
            books.wrong.extend(told.wrong_counts(top_ups.len()));
            books.wrong.extend(told.wrong_amounts());
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
    let known = charges.values().flatten().filter(|charge| keeps(charge)).count();
    if known != books.done {
        books.wrong.push(format!("{known} charges for {} finished recharges", books.done));
    }
    books.wrong.extend(town.audit().iter().map(|violation| format!("audit: {violation}")));
    books
}

/// Lets time pass while money is on its way back after a recharge's end: the provider has given it
/// back before our books can say so. What never arrives is told by what does not agree then.
fn let_go_back(town: &Town) {
    let goes_back = |job: &Value| {
        job["work"]["kind"] == "give_back" || job["work"]["effect"]["kind"] == "refund"
    };
    wait::within(Duration::from_secs(30), || {
        let jobs = town.run(&["jobs", "--json"]).json_lines();
        if !jobs.iter().any(goes_back) {
            return Some(());
        }
        // Why not while one is held: as with `Town::settle`.
        if jobs.iter().all(|job| job["held_until"].is_null()) {
            town.let_cool_down_pass();
        }
        None
    });
}

/// Money in minor units, by currency; what is nothing is left out.
type Purse = BTreeMap<String, i64>;

fn purse(amounts: impl IntoIterator<Item = (String, i64)>) -> Purse {
    let mut purse = Purse::new();
    for (currency, minor) in amounts {
        *purse.entry(currency).or_default() += minor;
    }
    purse.retain(|_, minor| *minor != 0);
    purse
}

fn minor(of: &Value, name: &str) -> i64 {
    of[name].as_i64().unwrap_or_else(|| panic!("{name} of {of}"))
}

fn text(of: &Value, name: &str) -> String {
    of[name].as_str().unwrap_or_else(|| panic!("{name} of {of}")).to_owned()
}

/// Whether a charge took money that has not all gone back.
fn keeps(charge: &Value) -> bool {
    minor(charge, "captured_minor") > minor(charge, "refunded_minor")
}

/// What is told of one recharge's money, each by somebody else.
#[derive(Clone, Debug)]
struct Told {
    /// The API, to the customer.
    view: RechargeView,
    /// The provider's own list.
    charges: Vec<Value>,
    /// Our ledger, by `laika recharge`.
    entries: Vec<Value>,
}

impl Told {
    fn is_done(&self) -> bool {
        self.view.recharge.status == Status::Done
    }

    /// How often it was charged and credited; a charge made twice is one too many even when the
    /// second is given back.
    fn wrong_counts(&self, credited: usize) -> Vec<String> {
        let (id, status) = (&self.view.recharge.id, self.view.recharge.status);
        let mut wrong = Vec::new();
        let charged = self.charges.iter().filter(|charge| keeps(charge)).count();
        let expected = usize::from(self.is_done());
        if (charged, credited) != (expected, expected) {
            let counts = format!("charged {charged}x, credited {credited}x");
            wrong.push(format!("{id} is {status:?} but {counts}"));
        }
        let taken = self.charges.iter().filter(|it| minor(it, "captured_minor") > 0).count();
        if taken > 1 {
            wrong.push(format!("{id} was taken {taken}x, whatever went back"));
        }
        wrong
    }

    /// How much: each charge took what was agreed, and what is kept of it, is shown and is booked
    /// is that too where it is done, and nothing where it is not.
    fn wrong_amounts(&self) -> Vec<String> {
        let of = |money: Money| (money.currency.code().to_owned(), money.amount_minor);
        let recharge = &self.view.recharge;
        let (id, status, agreed) = (&recharge.id, recharge.status, of(recharge.order.amount));
        let mut wrong = Vec::new();
        for charge in &self.charges {
            let took = (text(charge, "currency"), minor(charge, "captured_minor"));
            if took.1 > 0 && took != agreed {
                wrong.push(format!("{id}: a charge took {took:?} where {agreed:?} was agreed"));
            }
        }
        let kept = purse(self.charges.iter().map(|charge| {
            let left = minor(charge, "captured_minor") - minor(charge, "refunded_minor");
            (text(charge, "currency"), left)
        }));
        let shown = purse(self.view.check.charged.map(of));
        // What a customer gives leaves that book.
        let given = self.entries.iter().filter(|entry| entry["book"] == "customer");
        let booked = purse(given.map(|entry| (text(entry, "unit"), -minor(entry, "amount"))));
        let expected = purse(self.is_done().then_some(agreed));
        if [&kept, &shown, &booked].iter().any(|it| **it != expected) {
            let told = format!("{kept:?} is kept, {shown:?} shown and {booked:?} booked");
            wrong.push(format!("{id} is {status:?}: {told} where {expected:?} is right"));
        }
        wrong
    }
}

/// The provider's own list, by our recharge.
///
/// What somebody else charged at the same provider is not ours to explain; a charge of ours that
/// did not name its recharge would be missing here.
fn charges_by_recharge(town: &Town) -> BTreeMap<String, Vec<Value>> {
    let mut all: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for charge in town.charges() {
        if let Some(id) = charge["metadata"]["recharge_id"].as_str() {
            all.entry(id.to_owned()).or_default().push(charge);
        }
    }
    all
}

/// What our ledger has of a recharge, and of what went back of it later.
fn entries(town: &Town, id: &str) -> Vec<Value> {
    let whole = town.run(&["recharge", id, "--json"]).json_lines().remove(0);
    whole["entries"].as_array().expect("a list of entries").clone()
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

/// One recharge that is done, as everybody tells it.
fn one_that_is_done() -> Told {
    let town = Town::found("amounts", 1, Ground::default());
    let [customer] = town.customers.as_slice() else { panic!("one customer") };
    customer.use_data(9_500_000_000);
    let view = customer.recharges_done(1).remove(0);
    let id = view.recharge.id.as_str();
    let charges = charges_by_recharge(&town).remove(id).expect("it was charged");
    let entries = entries(&town, id);
    Told { view, charges, entries }
}

/// What is wrong, and how it is made so.
type Wrong = (&'static str, fn(&mut Told));

/// Each figure that can be wrong.
const WRONG: [Wrong; 8] = [
    ("more was taken", |told| told.charges[0]["captured_minor"] = json!(1501)),
    ("less was taken", |told| told.charges[0]["captured_minor"] = json!(1499)),
    ("another currency was taken", |told| told.charges[0]["currency"] = json!("USD")),
    ("some of it went back", |told| told.charges[0]["refunded_minor"] = json!(1)),
    ("another amount is shown", |told| {
        let charged = told.view.check.charged.as_mut().expect("what was charged");
        charged.amount_minor += 1;
    }),
    ("nothing is shown", |told| told.view.check.charged = None),
    ("half of it is booked", |told| {
        for entry in told.entries.iter_mut().filter(|entry| entry["unit"] == "EUR") {
            entry["amount"] = json!(minor(entry, "amount") / 2);
        }
    }),
    ("another currency is booked", |told| {
        for entry in told.entries.iter_mut().filter(|entry| entry["unit"] == "EUR") {
            entry["unit"] = json!("USD");
        }
    }),
];

#[test]
fn a_wrong_amount_is_told_whoever_has_it() {
    let told = one_that_is_done();
    assert_eq!(minor(&told.charges[0], "captured_minor"), 1500, "{told:?}");
    assert_eq!((told.wrong_counts(1), told.wrong_amounts()), (vec![], vec![]));
    for (what, make_wrong) in WRONG {
        let mut told = told.clone();
        make_wrong(&mut told);
        assert_ne!(told.wrong_amounts(), Vec::<String>::new(), "{what}, and nothing says so");
    }
    // Charged, and nothing came of it: the amounts are whole, and do not belong there.
    let mut failed = told;
    failed.view.recharge.status = Status::Failed;
    assert_ne!(failed.wrong_amounts(), Vec::<String>::new());
}
