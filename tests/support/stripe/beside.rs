//! What is done at Stripe beside the server: by a person in the dashboard, or by another system
//! that uses the same account.

use serde_json::{Value, json};

use super::Stripe;

impl Stripe {
    /// Somebody gives a part of a payment back in Stripe's dashboard.
    pub fn refund_in_dashboard(&self, payment: &Value, amount_minor: i64) {
        let id = payment["id"].as_str().expect("a payment's name");
        let form = format!("payment_intent={id}&amount={amount_minor}");
        self.shared.ask("POST", "/v1/refunds", form.as_bytes()).expect("localstripe").expect(200);
        let mut charge = payment["latest_charge"].clone();
        charge["payment_intent"] = json!(id);
        charge["amount_refunded"] = json!(amount_minor);
        self.tell("charge.refunded", &charge);
    }

    /// The same card pays the same once more, past all of the server's own code. Gives the
    /// payment's name.
    pub fn pay_beside(&self, like: &Value, metadata: &[(&str, &str)]) -> String {
        let mut form = "confirm=true&off_session=true".to_owned();
        for name in ["customer", "payment_method", "currency"] {
            form.push_str(&format!("&{name}={}", like[name].as_str().expect("of a payment")));
        }
        form.push_str(&format!("&amount={}", like["amount"]));
        for (name, value) in metadata {
            form.push_str(&format!("&metadata[{name}]={value}"));
        }
        let paid = self.shared.ask("POST", "/v1/payment_intents", form.as_bytes());
        let paid = paid.expect("localstripe").expect(200).json();
        assert_eq!(paid["status"], "succeeded", "{paid}");
        paid["id"].as_str().expect("a name").to_owned()
    }
}
