//! Stripe's webhooks: which payment something happened to. Nothing else of them is believed.

use serde::Deserialize;
use serde_json::Value;

/// An event, as far as it matters.
#[derive(Debug, Deserialize)]
pub(crate) struct Event {
    /// Its name: the same one each time it is sent.
    pub(crate) id: String,
    /// Such as `payment_intent.succeeded`.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// Whether it is about real money.
    pub(crate) livemode: bool,
    data: Data,
}

#[derive(Debug, Deserialize)]
struct Data {
    object: Value,
}

impl Event {
    /// The payment it is about, if it is about one.
    pub(crate) fn payment(&self) -> Option<&str> {
        let subject = self.kind.split('.').next()?;
        let name = match subject {
            "payment_intent" => &self.data.object["id"],
            "charge" | "refund" => &self.data.object["payment_intent"],
            _ => return None,
        };
        let shaped = |name: &&str| name.starts_with("pi_") && is_name(name);
        name.as_str().filter(shaped)
    }

    /// The card that it says has changed, if it does.
    pub(crate) fn changed_method(&self) -> Option<&str> {
        let changes = ["payment_method.updated", "payment_method.automatically_updated"];
        let name = changes.contains(&self.kind.as_str()).then(|| &self.data.object["id"])?;
        name.as_str().filter(|name| is_name(name))
    }

    /// Whether it is about a dispute: one began, changed, moved money or ended.
    pub(crate) fn is_dispute(&self) -> bool {
        self.kind.starts_with("charge.dispute.")
    }
}

/// Whether it can be one of Stripe's names: it goes into an address.
pub(crate) fn is_name(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    (1..=255).contains(&text.len()) && text.bytes().all(known)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn about(kind: &str, object: Value) -> Option<String> {
        let event = json!({ "id": "evt_1", "type": kind, "livemode": false,
                            "data": { "object": object } });
        let event: Event = serde_json::from_value(event).expect("an event");
        event.payment().map(str::to_owned)
    }

    #[test]
    fn an_event_names_the_card_that_was_renewed() {
        let changed = |kind: &str, id: &str| {
            let event = json!({ "id": "evt_1", "type": kind, "livemode": false,
                                "data": { "object": { "id": id } } });
            let event: Event = serde_json::from_value(event).expect("an event");
            event.changed_method().map(str::to_owned)
        };
        for kind in ["payment_method.updated", "payment_method.automatically_updated"] {
            assert_eq!(changed(kind, "pm_1").as_deref(), Some("pm_1"));
            assert_eq!(changed(kind, "pm_1/detach"), None);
        }
        assert_eq!(changed("payment_method.attached", "pm_1"), None);
        assert_eq!(changed("payment_intent.succeeded", "pi_1"), None);
    }

    #[test]
    fn an_event_names_the_payment_it_is_about() {
        let named = Some("pi_1".to_owned());
        assert_eq!(about("payment_intent.succeeded", json!({ "id": "pi_1" })), named);
        let charge = json!({ "id": "ch_1", "payment_intent": "pi_1" });
        assert_eq!(about("charge.refunded", charge.clone()), named);
        assert_eq!(about("charge.dispute.created", charge), named);
        assert_eq!(about("customer.created", json!({ "id": "pi_1" })), None);
        assert_eq!(about("charge.succeeded", json!({ "payment_intent": null })), None);
        let card = json!({ "id": "pm_1", "customer": "cus_1" });
        assert_eq!(about("payment_method.automatically_updated", card), None);
        for path in ["pi_../customers", "pi_1?x=", "cus_1", ""] {
            assert_eq!(about("payment_intent.succeeded", json!({ "id": path })), None, "{path}");
        }
    }
}
