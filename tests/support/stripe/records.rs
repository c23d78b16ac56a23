//! localstripe's records in the shape of Stripe's: what it leaves out or says in an older way.

use serde_json::{Value, json};

/// A payment, as Stripe says it. `bank` is where the bank's page is; nothing while there is none.
pub(super) fn payment(mut payment: Value, bank: Option<String>) -> Value {
    let taken = payment["status"] == "succeeded";
    payment["amount_received"] = if taken { payment["amount"].clone() } else { json!(0) };
    let method = payment["payment_method"].clone();
    let wallet = payment["metadata"]["wallet"].as_str().map(str::to_owned);
    if let Some(wallet) = &wallet {
        payment["payment_method_types"] = json!([wallet]);
    }
    match (payment["status"].as_str(), bank) {
        (Some("requires_action"), Some(url)) if wallet.as_deref() == Some("alipay") => {
            payment["next_action"] = json!({
                "type": "alipay_handle_redirect", "alipay_handle_redirect": { "url": url } });
        }
        (Some("requires_action"), Some(url)) if wallet.is_some() => {
            payment["next_action"] = json!({
                "type": "wechat_pay_display_qr_code",
                "wechat_pay_display_qr_code": { "hosted_instructions_url": url } });
        }
        (Some("requires_action"), Some(url)) => {
            payment["next_action"] =
                json!({ "type": "redirect_to_url", "redirect_to_url": { "url": url } });
        }
        (Some("requires_action"), None) => {
            payment["status"] = json!("requires_payment_method");
            payment["next_action"] = Value::Null;
            payment["payment_method"] = Value::Null;
            let code = "authentication_required";
            payment["last_payment_error"] =
                json!({ "code": code, "decline_code": code, "payment_method": { "id": method } });
        }
        _ if payment["last_payment_error"]["code"] == "card_declined" => {
            payment["last_payment_error"]["decline_code"] = json!("generic_decline");
        }
        _ => {}
    }
    payment
}

/// The refusal of a charge whose payment was made and is not paid.
pub(super) fn card_error(payment: &Value) -> Value {
    let error = &payment["last_payment_error"];
    json!({ "error": {
        "type": "card_error",
        "code": error["code"],
        "decline_code": error["decline_code"],
        "payment_intent": payment,
    } })
}

/// An error about no payment.
pub(super) fn error(kind: &str, code: &str) -> Value {
    json!({ "error": { "type": kind, "code": code } })
}
