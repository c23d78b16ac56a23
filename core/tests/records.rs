//! Proof afterwards: what was stored reads back as it was, is refused with anything else in it, and
//! gives itself away when any one thing in it is changed. For decision records and for receipts.

use crate::cases::{money, now, world, zone};
use crate::parity::{Dice, world_of};
use laika_core::api::Language;
use laika_core::bytes::Bytes;
use laika_core::decide::{Account, MethodFacts, decide};
use laika_core::id::{AccountId, PaymentMethodId};
use laika_core::rail::Rail;
use laika_core::record::{
    Agreed, Authenticated, ConsentReceipt, DecisionRecord, Fault, Proof, SignedReceipt, canonical,
    read, sha256_hex,
};
use laika_core::rule::{Amount, Rule, Threshold};
use laika_core::schedule::{Schedule, TimeOfDay, Unit, Weekday};
use laika_core::time::{Instant, Span};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn receipt_of(rule: &Rule, account: &Account, language: Language) -> ConsentReceipt {
    ConsentReceipt::make(&Agreed {
        brand: "Laika",
        account_id: &AccountId::new("acc_1").expect("an id"),
        iccid: "8988247007000000105",
        rule,
        account,
        language,
        given_at: now(),
        authenticated: Authenticated { by: Proof::Password, at: now().minus(Span::minutes(2)) },
    })
}

/// A receipt as it is handed out, of a rule with everything in it or, from 1 on, of some rule.
pub(crate) fn signed(language: Language, number: u64) -> SignedReceipt {
    let (rule, account) = match number {
        0 => rich(),
        _ => {
            let made = record_of(&mut Dice(number));
            (turned_on(&made.rule, &made.account), made.account)
        }
    };
    let receipt = receipt_of(&rule, &account, language);
    SignedReceipt {
        sha256: sha256_hex(&receipt),
        key_id: "0".repeat(16),
        signature: "0".repeat(128),
        receipt,
    }
}

/// As turning on leaves a rule: at the present price, from now on.
fn turned_on(rule: &Rule, account: &Account) -> Rule {
    let step = rule.step.and(account.terms.step);
    Rule { on: true, armed_at: now(), paused_until_on: None, skip_at: None, step, ..rule.clone() }
}

/// A zone of which only this year's changes are known: each is changed in turn, which takes time.
fn this_year(account: &mut Account) {
    let year = Span::days(366);
    account.zone.transitions.retain(|change| {
        let away = Instant::from_seconds(change.0).since(now());
        Span(-year.0) < away && away < year
    });
}

/// A decision of some world.
fn record_of(dice: &mut Dice) -> DecisionRecord {
    let (mut made, _) = world_of(dice);
    this_year(&mut made.account);
    let DecisionRecord { rule, account, history, cause, now, .. } = &made;
    DecisionRecord::make(rule, account, history, cause, *now)
}

/// A rule that has everything a rule can have, and two methods.
fn rich() -> (Rule, Account) {
    let (mut rule, mut account, _) = world();
    this_year(&mut account);
    let methods = [("Visa •••• 4242", Rail::Card), ("WeChat Pay", Rail::WechatDeduction)];
    account.payment_methods = methods
        .map(|(name, rail)| {
            let id = PaymentMethodId::new(format!("pm_{}", name.len())).expect("an id");
            MethodFacts { name: name.to_owned(), rail, ..MethodFacts::card(id) }
        })
        .to_vec();
    rule.payment_methods = account.payment_methods.iter().map(|m| m.id.clone()).collect();
    rule.amount = Amount::Target { bytes: Bytes::GB.checked_mul(5).expect("few bytes") };
    rule.triggers.low_balance = Some(Threshold::Data { bytes: Bytes::GB });
    rule.triggers.scheduled = Some(Schedule {
        every: 2,
        unit: Unit::Week { weekdays: vec![Weekday::Monday, Weekday::Friday] },
        at: TimeOfDay::parse("09:30").expect("a time"),
        start: zone("Europe/Madrid").date(now()),
    });
    rule.triggers.expiring_days = Some(3);
    rule.limits.cap_per_month = Some(money("31.00"));
    rule.limits.max_per_recharge = Some(money("9.00"));
    rule.limits.max_per_day = Some(3);
    rule.limits.starts_on = Some(zone("Europe/Madrid").date(now()));
    rule.limits.ends_on = chrono::NaiveDate::from_ymd_opt(2027, 11, 22);
    rule.alert = Some(Threshold::Data { bytes: Bytes::MB });
    (turned_on(&rule, &account), account)
}

/// Every place in a value, as JSON pointers, the whole first.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, value)| places(value, &format!("{at}/{name}"), found));
        }
        Value::Array(items) => {
            let all = items.iter().enumerate();
            all.for_each(|(number, value)| places(value, &format!("{at}/{number}"), found));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn all_places(value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    places(value, "", &mut found);
    found
}

/// What could stand in a place instead; most of it is refused in most places.
fn others(value: &Value) -> Vec<Value> {
    let mut others = vec![
        json!(null),
        json!(7),
        json!("2027-01-01"),
        json!({"kind": "data", "bytes": 5}),
        json!({"amount_minor": 5, "currency": "EUR"}),
    ];
    match value {
        Value::Bool(was) => others.push(json!(!was)),
        Value::Number(was) => others.extend(was.as_i64().map(|was| json!(was + 1))),
        Value::String(was) => {
            let instant = Instant::parse(was).map(|at| at.plus(Span::seconds(1)));
            others.extend(instant.map(|at| json!(at)));
            others.push(json!(format!("{was}x")));
            for word in ["USD", "zh-CN", "en", "on_session", "sunday", "10:00", "spent", "timer"] {
                others.push(json!(word));
            }
        }
        Value::Array(items) => {
            others.push(json!(items.iter().skip(1).collect::<Vec<_>>()));
            others.push(json!(items.iter().rev().collect::<Vec<_>>()));
            let twice = items.iter().chain(items.first());
            others.push(json!(twice.collect::<Vec<_>>()));
        }
        Value::Null => others.push(json!("2027-01-01T00:00:00Z")),
        Value::Object(_) => {}
    }
    others.retain(|other| other != value);
    others
}

/// Each value that differs from this one in one place and can still be read, with that place.
fn changed<T: Serialize + DeserializeOwned>(value: &T) -> Vec<(String, T)> {
    let whole = serde_json::to_value(value).expect("JSON");
    let mut all = Vec::new();
    for place in all_places(&whole) {
        for other in others(whole.pointer(&place).expect("a place in it")) {
            let mut changed = whole.clone();
            *changed.pointer_mut(&place).expect("a place in it") = other;
            all.extend(read(&changed.to_string()).ok().map(|read| (place.clone(), read)));
        }
    }
    all
}

/// Reads back to the same bytes; refused with one field more or less, wherever that is.
fn reads_as_it_was<T: Serialize + DeserializeOwned + PartialEq>(value: &T) {
    let bytes = canonical(value);
    let text = std::str::from_utf8(&bytes).expect("UTF-8");
    let back: T = read(text).expect("itself");
    assert!(back == *value && canonical(&back) == bytes, "{text}");
    let whole: Value = serde_json::from_str(text).expect("JSON");
    let spaced = serde_json::to_string_pretty(&whole).expect("JSON");
    assert!(read::<T>(&spaced).is_ok_and(|back| canonical(&back) == bytes), "{spaced}");
    for place in all_places(&whole) {
        let Some(Value::Object(fields)) = whole.pointer(&place) else { continue };
        let mut more = whole.clone();
        more.pointer_mut(&place).expect("a place")["note"] = json!("unread");
        assert!(read::<T>(&more.to_string()).is_err(), "a field more in {place:?}: {more}");
        for name in fields.keys() {
            let mut less = whole.clone();
            let there = less.pointer_mut(&place).and_then(Value::as_object_mut);
            there.expect("an object").remove(name);
            assert!(read::<T>(&less.to_string()).is_err(), "{place}/{name} left out: {less}");
        }
    }
    let twice = text.replacen('{', "{\"rule\":null,", 1);
    assert!(read::<T>(&twice).is_err(), "a field twice");
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn a_record_reads_as_it_was_and_not_with_a_field_more_or_less() {
    let mut dice = Dice(31);
    for _ in 0..12 {
        let record = record_of(&mut dice);
        reads_as_it_was(&record);
        let rule = turned_on(&record.rule, &record.account);
        let receipt = receipt_of(&rule, &record.account, Language::En);
        reads_as_it_was(&SignedReceipt {
            sha256: sha256_hex(&receipt),
            key_id: "0".repeat(16),
            signature: "0".repeat(128),
            receipt,
        });
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn no_changed_record_passes_for_the_one_that_was_stored() {
    let mut dice = Dice(32);
    let (mut inputs, mut noticed, mut decisions) = (0, 0, 0);
    for _ in 0..12 {
        let stored = record_of(&mut dice);
        let sha256 = sha256_hex(&stored);
        for (place, other) in changed(&stored) {
            assert_ne!(sha256_hex(&other), sha256, "{place}");
            let again = other.rerun();
            if place.starts_with("/engine_version") {
                assert_eq!(again, None, "another version's record is not decided by this one");
            } else if place.starts_with("/decision") || place.is_empty() {
                assert_ne!(again, Some(other.decision), "{place} of {:?}", stored.decision);
                decisions += 1;
            } else {
                let DecisionRecord { rule, account, history, cause, now, .. } = &other;
                let decided = decide(rule, account, history, cause, *now);
                noticed += u32::from(decided != stored.decision);
                inputs += 1;
                assert_eq!(again == Some(other.decision), decided == stored.decision, "{place}");
            }
        }
    }
    assert!(inputs > 1000 && noticed > 200 && decisions > 20, "{inputs} {noticed} {decisions}");
}

/// What a receipt can say of itself only by its hash and signature: everything else also shows in
/// the text or in the bound.
const NAMED_ONLY: [&str; 12] = [
    "/account_id",
    "/authenticated/at",
    "/brand",
    "/iccid",
    "/line_id",
    "/notice_lead_hours",
    "/payment_methods/*/cycle_days",
    "/payment_methods/*/rail",
    "/rule/version",
    "/zone/first_offset_s",
    "/zone/transitions",
    "/zone/tz_version",
];

/// A place without its numbers.
fn kind(place: &str) -> String {
    let parts = place.split('/').map(|part| if part.parse::<u32>().is_ok() { "*" } else { part });
    let kind = parts.collect::<Vec<_>>().join("/");
    kind.strip_suffix("/*/*").or(kind.strip_suffix("/*")).unwrap_or(&kind).to_owned()
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn any_change_of_a_receipt_shows() {
    let (rule, account) = rich();
    for language in [Language::En, Language::ZhCn] {
        let receipt = receipt_of(&rule, &account, language);
        assert_eq!(receipt.check(), []);
        let sha256 = sha256_hex(&receipt);
        let (mut seen, mut unseen) = (BTreeSet::new(), BTreeSet::new());
        for (place, other) in changed(&receipt) {
            assert_ne!(sha256_hex(&other), sha256, "{place}");
            let side = if other.check().is_empty() { &mut unseen } else { &mut seen };
            side.insert(kind(&place));
            let signed = SignedReceipt {
                receipt: other,
                sha256: sha256.clone(),
                key_id: String::new(),
                signature: String::new(),
            };
            assert!(signed.check().contains(&Fault::Sha256), "{place}");
        }
        assert_eq!(unseen.iter().collect::<Vec<_>>(), NAMED_ONLY.iter().collect::<Vec<_>>());
        assert!(seen.len() > 45, "only {seen:?}");
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn each_fault_is_named() {
    let (rule, account) = rich();
    let good = receipt_of(&rule, &account, Language::En);
    let faults = |change: &dyn Fn(&mut ConsentReceipt)| {
        let mut receipt = good.clone();
        change(&mut receipt);
        receipt.check()
    };
    assert_eq!(faults(&|r| r.receipt_version = 2), [Fault::ReceiptVersion]);
    assert_eq!(faults(&|r| r.engine_version = "0".into()), [Fault::EngineVersion]);
    assert_eq!(faults(&|r| r.rule.on = false), [Fault::Rule]);
    assert_eq!(faults(&|r| r.rule.armed_at = Instant::MIN), [Fault::Rule]);
    assert_eq!(faults(&|r| r.bound.per_day = money("0.01")), [Fault::Bound]);
    assert_eq!(faults(&|r| r.text_sha256 = "0".repeat(64)), [Fault::TextSha256]);
    assert_eq!(faults(&|r| r.text.push(' ')), [Fault::Text, Fault::TextSha256]);
    assert_eq!(faults(&|r| r.language = Language::ZhCn), [Fault::Text]);
    let stranger = |r: &mut ConsentReceipt| {
        r.payment_methods[1].id = PaymentMethodId::new("pm_other").expect("an id");
    };
    assert_eq!(faults(&stranger), [Fault::PaymentMethods, Fault::Text]);
    assert_eq!(faults(&|r| r.payment_methods[0].name = "Visa".into()), [Fault::Text]);
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn a_receipt_that_the_server_made_holds_here() {
    let docs = include_str!("../../docs/cli.md");
    let example = docs.lines().find(|line| line.starts_with("{\"receipt\":")).expect("an example");
    let signed: SignedReceipt = read(example).expect("a receipt");
    assert_eq!(signed.check(), [], "the server's own test says what belongs there now");
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn what_was_agreed_in_any_world_holds() {
    let mut dice = Dice(33);
    for _ in 0..200 {
        let (record, inputs) = world_of(&mut dice);
        let mut account = inputs.account;
        account.terms.step.as_mut().expect("a step").price = money("2.50");
        let rule = turned_on(&record.rule, &account);
        for language in [Language::En, Language::ZhCn] {
            let receipt = receipt_of(&rule, &account, language);
            assert_eq!(receipt.check(), [], "{}", receipt.text);
        }
    }
}
