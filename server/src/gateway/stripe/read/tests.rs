//! Records as Stripe documents them, and what each means here. Nothing is sent.

use super::*;
use serde_json::json;

fn answered(status: u16, body: &Value) -> Answered {
    Answered { status, told_at: None, retry_after: None, body: body.to_string().into() }
}

fn intent(changes: &Value) -> PaymentIntent {
    let mut record = json!({
        "id": "pi_1",
        "status": "succeeded",
        "currency": "eur",
        "amount_received": 900,
        "metadata": {
            "account_id": "acc_1", "recharge_id": "rch_1", "attempt": "2", "key": "rch_1-a2",
        },
        "next_action": null,
        "last_payment_error": null,
        "latest_charge": { "amount_refunded": 0 },
    });
    for (name, value) in changes.as_object().expect("changes") {
        record[name] = value.clone();
    }
    serde_json::from_value(record).expect("a payment")
}

fn state(changes: &Value) -> String {
    match intent(changes).payment() {
        Ok(payment) => match payment.state {
            PaymentState::Captured { amount } => format!("captured {}", amount.amount_minor),
            PaymentState::Declined { code, hard } => format!("declined {code} {hard}"),
            PaymentState::ActionRequired { url } => format!("at {url}"),
            other => format!("{other:?}"),
        },
        Err(Failure::Unknown(_)) => "unknown".to_owned(),
        Err(Failure::Refused { code }) => format!("refused {code}"),
    }
}

#[test]
fn a_payment_carries_what_we_told_stripe() {
    let payment = intent(&json!({ "latest_charge": { "amount_refunded": 300 } })).payment();
    let payment = payment.expect("understood");
    assert_eq!((payment.key.as_deref(), payment.attempt), (Some("rch_1-a2"), Some(2)));
    assert_eq!(payment.recharge_id.as_deref(), Some("rch_1"));
    assert_eq!(payment.refunded_minor, 300);
}

#[test]
fn each_status_means_one_thing_and_the_rest_is_undecided() {
    let failed = |error: Value| {
        json!({ "status": "requires_payment_method", "amount_received": 0,
                "last_payment_error": error })
    };
    let acting = |action: Value| json!({ "status": "requires_action", "next_action": action });
    let redirect = json!({ "type": "redirect_to_url", "redirect_to_url": { "url": "https://b" } });
    let alipay = json!({ "type": "alipay_handle_redirect", "alipay_handle_redirect": { "url": "https://a" } });
    let wechat = json!({ "type": "wechat_pay_display_qr_code",
        "wechat_pay_display_qr_code": { "hosted_instructions_url": "https://w" } });
    let auth = json!({ "code": "authentication_required" });
    let asked = json!({ "code": "authentication_required", "decline_code": "generic_decline" });
    let not_handled =
        json!({ "code": "card_declined", "decline_code": "authentication_not_handled" });
    let empty = json!({ "code": "card_declined", "decline_code": "insufficient_funds" });
    let told = json!({ "code": "card_declined", "decline_code": "do_not_honor",
                       "advice_code": "do_not_try_again" });
    for (changes, expected) in [
        (json!({}), "captured 900"),
        (json!({ "currency": "jpy", "amount_received": 900 }), "captured 900"),
        (json!({ "currency": "mga", "amount_received": 900 }), "captured 90000"),
        (json!({ "status": "canceled" }), "Cancelled"),
        (acting(redirect), "at https://b"),
        (acting(alipay), "at https://a"),
        (acting(wechat), "at https://w"),
        (acting(json!({ "type": "use_stripe_sdk" })), "Undecided"),
        (acting(json!({ "type": "redirect_to_url" })), "Undecided"),
        (failed(auth), "Unasked"),
        (failed(asked), "Unasked"),
        (failed(not_handled), "Unasked"),
        (
            failed(json!({ "code": "card_declined", "decline_code": "authentication_required" })),
            "Unasked",
        ),
        (failed(empty), "declined insufficient_funds false"),
        (failed(json!({ "code": "expired_card" })), "declined expired_card true"),
        (failed(told), "declined do_not_honor true"),
        (failed(json!({})), "Undecided"),
        (failed(Value::Null), "Undecided"),
        (json!({ "status": "processing" }), "Undecided"),
        (json!({ "status": "requires_capture" }), "Undecided"),
        (json!({ "status": "a_status_of_next_year" }), "Undecided"),
        (json!({ "amount_received": null }), "unknown"),
        (json!({ "currency": "xxx" }), "unknown"),
        (json!({ "currency": "ugx" }), "unknown"),
    ] {
        assert_eq!(state(&changes), expected, "{changes}");
    }
}

#[test]
fn only_a_refusal_that_names_itself_is_a_no() {
    let told = |status: u16, error: &Value| {
        let problem = problem(&answered(status, &json!({ "error": error })));
        let by_wallet = problem.of_charge("alipay");
        [problem.of_charge("card"), by_wallet, problem.failure()].map(|failure| match failure {
            Failure::Refused { code } if error["code"] == *code => "its code".to_owned(),
            Failure::Refused { code } => code,
            Failure::Unknown(no) if no.never_sent => "turned away".to_owned(),
            Failure::Unknown(_) => "unknown".to_owned(),
        })
    };
    let invalid = |code: Value, param: Value| json!({ "type": "invalid_request_error", "code": code, "param": param });
    let missing = |param: &str| invalid(json!("resource_missing"), json!(param));
    let coded = |code: &str| invalid(json!(code), Value::Null);
    let about = |param: &str| invalid(Value::Null, json!(param));
    let idempotency = json!({ "type": "idempotency_error", "code": null });
    let with_payment = json!({ "type": "invalid_request_error", "code": null,
        "payment_intent": { "id": "pi_1", "status": "canceled", "currency": "eur" } });
    for (status, error, card, wallet, other) in [
        (404, missing("payment_method"), "not_found", "not_found", "not_found"),
        (400, missing("payment_method"), "not_found", "not_found", "not_found"),
        (404, missing("intent"), "unknown", "unknown", "not_found"),
        (400, coded("amount_too_small"), "its code", "its code", "its code"),
        (400, coded("parameter_unknown"), "its code", "its code", "its code"),
        (400, coded("payment_method_unexpected_state"), "its code", "its code", "its code"),
        (400, coded("lock_timeout"), "unknown", "unknown", "its code"),
        (400, coded("payment_intent_unexpected_state"), "unknown", "unknown", "its code"),
        (400, invalid(Value::Null, Value::Null), "no_code", "no_code", "unknown"),
        (400, with_payment, "unknown", "unknown", "unknown"),
        (400, about("payment_method_types[0]"), "no_code", "wallet_not_available", "unknown"),
        (400, about("payment_method_data[type]"), "no_code", "wallet_not_available", "unknown"),
        (500, about("payment_method_types"), "unknown", "unknown", "unknown"),
        (400, idempotency, "unknown", "unknown", "unknown"),
        (
            402,
            json!({ "type": "card_error", "code": "card_declined" }),
            "unknown",
            "unknown",
            "unknown",
        ),
        (409, coded("resource_missing"), "unknown", "unknown", "unknown"),
        (429, coded("rate_limit"), "turned away", "turned away", "turned away"),
        (401, json!({}), "turned away", "turned away", "turned away"),
        (500, json!({ "type": "api_error" }), "unknown", "unknown", "unknown"),
        (302, json!({}), "unknown", "unknown", "unknown"),
    ] {
        assert_eq!(told(status, &error), [card, wallet, other], "{status} {error}");
    }
    let page =
        problem(&Answered { status: 404, told_at: None, retry_after: None, body: "<html>".into() });
    assert!(matches!(page.failure(), Failure::Unknown(_)), "somebody else's page");
}

#[test]
fn what_cannot_be_read_is_not_repeated() {
    let body = json!({ "id": "pi_1", "has_more": "4242424242424242" });
    let error = json::<Page<Named>>(&answered(200, &body)).expect_err("unreadable");
    assert!(!error.why.contains("4242"), "{}", error.why);
    assert!(!error.never_sent);
}

#[test]
fn a_visit_ends_with_a_card_or_without_one() {
    let card = json!({ "brand": "visa", "funding": "credit", "last4": "4242", "exp_month": 12,
                       "exp_year": 2034, "fingerprint": "f", "country": "DE" });
    let method =
        |kind: &str| json!({ "id": "pm_1", "type": kind, "card": card, "customer": "cus_1" });
    let mut detached = method("card");
    detached["customer"] = Value::Null;
    let read = |status: &str, intent: Value| {
        let record = json!({ "id": "cs_1", "url": null, "status": status, "setup_intent": intent });
        let session: CheckoutSession = serde_json::from_value(record).expect("a session");
        match session.state() {
            Ok(SetupState::Attached(attached)) => format!("{} {}", attached.token, attached.last4),
            Ok(other) => format!("{other:?}"),
            Err(_) => "unknown".to_owned(),
        }
    };
    let intent =
        |status: &str, method: Value| json!({ "status": status, "payment_method": method });
    for (session, setup, expected) in [
        ("open", Value::Null, "Open"),
        ("expired", Value::Null, "Cancelled"),
        ("complete", intent("succeeded", method("card")), "pm_1 4242"),
        ("complete", intent("succeeded", detached), "Cancelled"),
        ("complete", intent("processing", Value::Null), "Open"),
        ("complete", intent("canceled", Value::Null), "Cancelled"),
        ("complete", intent("succeeded", Value::Null), "unknown"),
        ("complete", intent("succeeded", method("alipay")), "unknown"),
        ("complete", intent("succeeded", method("something_new")), "unknown"),
        ("complete", Value::Null, "unknown"),
        ("something_new", Value::Null, "unknown"),
    ] {
        assert_eq!(read(session, setup.clone()), expected, "{session} {setup}");
    }
    assert_eq!(kept_ways().collect::<Vec<_>>(), ["card"]);
}

#[test]
fn a_prevented_dispute_is_lost_where_it_took_the_money() {
    let read = |moved: Value, case: Option<&str>| {
        let record = json!({ "id": "dp_1", "payment_intent": "pi_1", "amount": 900,
                             "currency": "eur", "status": "prevented",
                             "balance_transactions": moved,
                             "payment_method_details": { "card": { "case_type": case } } });
        let record: DisputeRecord = serde_json::from_value(record).expect("a dispute");
        record.dispute().ok().map(|dispute| dispute.status)
    };
    let (taken, returned) =
        (json!({ "amount": -900, "created": 1 }), json!({ "amount": 900, "created": 2 }));
    assert_eq!(read(json!([]), None), Some(DisputeStatus::Won), "nothing moved");
    assert_eq!(read(json!([taken]), None), Some(DisputeStatus::Lost), "it took the money");
    assert_eq!(read(json!([taken, returned]), None), Some(DisputeStatus::Won), "and gave it back");
    assert_eq!(read(json!([]), Some("block")), Some(DisputeStatus::Won));
    assert_eq!(read(json!([]), Some("resolution")), Some(DisputeStatus::Lost));
}

#[test]
fn a_dispute_is_open_until_stripe_says_otherwise() {
    let read = |status: &str, currency: &str| {
        let record = json!({ "id": "dp_1", "payment_intent": "pi_1", "amount": 900,
                             "currency": currency, "status": status });
        let record: DisputeRecord = serde_json::from_value(record).expect("a dispute");
        record.dispute().ok().map(|dispute| dispute.status)
    };
    for (status, expected) in [
        ("needs_response", DisputeStatus::Open),
        ("warning_needs_response", DisputeStatus::Inquiry),
        ("warning_under_review", DisputeStatus::Inquiry),
        ("something_new", DisputeStatus::Open),
        ("won", DisputeStatus::Won),
        ("warning_closed", DisputeStatus::Won),
        ("lost", DisputeStatus::Lost),
    ] {
        assert_eq!(read(status, "eur"), Some(expected), "{status}");
    }
    assert_eq!(read("lost", "xxx"), None);
}
