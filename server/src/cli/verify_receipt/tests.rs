//! Claims about `laika verify-receipt`: the example in the documentation, and every way in which a
//! receipt does not hold.

use super::*;
use crate::{cli::rules::tests::block, signing::Signer};
use laika_core::{
    api::{Language, query::DecideQuery},
    id::AccountId,
    record::{Agreed, Authenticated, ConsentReceipt, Proof},
    time::Span,
};

const COMMAND: &str = "laika verify-receipt";

/// The key of the example: no secret.
fn signer() -> Signer {
    Signer::from_hex(&"01".repeat(32)).expect("a key")
}

/// The receipt of the rule in the example of `laika decide`.
fn example() -> ConsentReceipt {
    let asked = block("laika decide", "in").lines().next().expect("a line");
    let asked: DecideQuery = serde_json::from_str(asked).expect("a question");
    let mut account = asked.account;
    account.payment_methods[0].name = "Visa •••• 4242".into();
    ConsentReceipt::make(&Agreed {
        brand: crate::BRAND,
        account_id: &AccountId::new("acc_1").expect("an id"),
        iccid: "8988247007000000105",
        rule: &asked.rule,
        account: &account,
        language: Language::En,
        given_at: asked.now,
        authenticated: Authenticated { by: Proof::Password, at: asked.now.minus(Span::seconds(9)) },
    })
}

/// How the command ends for this file, and what it says, a line each.
fn run(text: &str, keys: &[PublicKey]) -> (Outcome, Vec<String>) {
    let mut lines = Vec::new();
    let outcome = each_receipt(text, keys, |answer| {
        lines.push(serde_json::to_string(&answer).expect("JSON"));
        Ok(())
    });
    (outcome.expect("nothing fails"), lines)
}

fn json(signed: &SignedReceipt) -> String {
    serde_json::to_string(signed).expect("JSON")
}

#[test]
fn the_example_in_the_documentation_is_true() {
    let (public, receipt) = (signer().public(), json(&signer().sign(example())));
    let (outcome, said) = run(&receipt, std::slice::from_ref(&public));
    assert_eq!(outcome, Outcome::Done);
    let (wanted_in, wanted_out) = (format!("{receipt}\n"), format!("{}\n", said.join("\n")));
    let there = (block(COMMAND, "in"), block(COMMAND, "out"));
    let same = there == (wanted_in.as_str(), wanted_out.as_str());
    assert!(same, "docs/cli.md should have\n{wanted_in}and\n{wanted_out}");
    assert!(include_str!("../../../../docs/cli.md").contains(&public.hex()), "{}", public.hex());
}

#[test]
fn a_receipt_of_anyone_else_or_of_anything_else_does_not_hold() {
    let (keys, good) = ([signer().public()], signer().sign(example()));
    let ends = |signed: &SignedReceipt, said: &str| {
        let (outcome, lines) = run(&json(signed), &keys);
        assert!(lines[0].contains(said), "{said} is not in {}", lines[0]);
        outcome
    };
    assert_eq!(ends(&good, "\"signature\":\"good\",\"faults\":[]"), Outcome::Done);
    let other = Signer::make().sign(example());
    assert_eq!(ends(&other, "unknown_key"), Outcome::Found);
    let named = SignedReceipt { key_id: good.key_id.clone(), ..other };
    assert_eq!(ends(&named, "\"bad\",\"faults\":[]"), Outcome::Found);
    for signature in ["", "00", "zz", &"0".repeat(128), &good.signature[1..]] {
        let unsigned = SignedReceipt { signature: signature.into(), ..good.clone() };
        assert_eq!(ends(&unsigned, "\"bad\""), Outcome::Found);
    }
    let mut higher = good.clone();
    higher.receipt.bound.per_day.amount_minor += 1;
    assert_eq!(ends(&higher, "\"bad\",\"faults\":[\"bound\",\"sha256\"]"), Outcome::Found);
    let signed = signer().sign(higher.receipt);
    assert_eq!(ends(&signed, "\"good\",\"faults\":[\"bound\"]"), Outcome::Found, "even by us");
}

#[test]
fn what_this_version_cannot_tell_is_told_apart() {
    let keys = [signer().public()];
    let mut older = example();
    older.engine_version = "0".into();
    let older = signer().sign(older);
    let (outcome, lines) = run(&json(&older), &keys);
    assert_eq!(outcome, Outcome::SomeRejected);
    assert!(lines[0].ends_with("\"good\",\"faults\":[\"engine_version\"]}"), "{}", lines[0]);

    let good = signer().sign(example());
    let noted = json(&good).replacen("\"kind\":\"target\"", "\"kind\":\"target\",\"note\":\"\"", 1);
    let pretty = serde_json::to_string_pretty(&good).expect("JSON");
    let (outcome, lines) = run(&format!("{noted}\n{pretty}\n"), &keys);
    assert_eq!((outcome, lines.len()), (Outcome::SomeRejected, 2));
    assert!(lines[0].starts_with("{\"row\":1,\"code\":\"bad_json\""), "{}", lines[0]);
    assert!(lines[1].starts_with("{\"row\":2,\"line_id\""), "{}", lines[1]);

    let (outcome, lines) = run(&format!("{pretty}{{"), &keys);
    assert_eq!((outcome, lines.len()), (Outcome::SomeRejected, 2), "cut off after the first");
    let wrong = SignedReceipt { signature: String::new(), ..good };
    let (outcome, _) = run(&format!("{}\n{}", json(&wrong), json(&older)), &keys);
    assert_eq!(outcome, Outcome::Found, "one that is wrong weighs more");
}
