//! Disputes, which localstripe does not know: a customer's bank takes a payment's money, Stripe
//! lists it and tells of it, and in the end somebody decides whose it is.

use std::io;

use serde_json::{Value, json};

use super::front::{field, shaped};
use super::{Shared, Stripe, lists};
use crate::support::usage;

impl Stripe {
    /// A payment's money is taken back by the customer's bank, until somebody decides. Gives the
    /// dispute's name.
    pub fn dispute(&self, payment: &str) -> String {
        let stored = payment_of(&self.shared, payment).expect("localstripe");
        let amount = stored["amount_received"].as_i64().expect("a payment that took money");
        let mut state = self.shared.state();
        let id = format!("du_front{}", state.disputes.len() + 1);
        let dispute = json!({
            "id": id,
            "object": "dispute",
            "amount": amount,
            "balance_transactions": [moved(-amount)],
            "charge": stored["latest_charge"]["id"],
            "created": usage::now(),
            "currency": stored["currency"],
            "is_charge_refundable": false,
            "livemode": false,
            "metadata": {},
            "payment_intent": payment,
            "payment_method_details": { "type": "card", "card": { "case_type": "chargeback" } },
            "reason": "fraudulent",
            "status": "needs_response",
        });
        state.disputes.push(dispute.clone());
        drop(state);
        for what in ["created", "funds_withdrawn"] {
            self.tell(&format!("charge.dispute.{what}"), &dispute);
        }
        id
    }

    /// The bank decides: who wins keeps the money.
    pub fn decide(&self, dispute: &str, won: bool) {
        let mut state = self.shared.state();
        let known = state.disputes.iter_mut().find(|it| it["id"] == dispute);
        let known = known.expect("a dispute that began");
        known["status"] = json!(if won { "won" } else { "lost" });
        if won {
            let back = moved(known["amount"].as_i64().unwrap_or_default());
            known["balance_transactions"].as_array_mut().expect("a list").push(back);
        }
        let dispute = known.clone();
        drop(state);
        self.tell("charge.dispute.closed", &dispute);
        if won {
            self.tell("charge.dispute.funds_reinstated", &dispute);
        }
    }
}

/// What a dispute moves to us, now.
fn moved(amount: i64) -> Value {
    json!({ "amount": amount, "created": usage::now(), "type": "adjustment" })
}

fn payment_of(shared: &Shared, payment: &str) -> io::Result<Value> {
    let stored = shared.ask("GET", &format!("/v1/payment_intents/{payment}"), b"")?;
    Ok(shaped(shared, stored.expect(200).json()))
}

/// The disputes, or those of a payment, the newest first; with their payments whole where that is
/// asked for.
pub(super) fn list(shared: &Shared, query: &[u8]) -> io::Result<Value> {
    let about = field(query, "payment_intent");
    let mut all = shared.state().disputes.clone();
    all.retain(|dispute| about.is_empty() || dispute["payment_intent"] == about);
    all.reverse();
    if field(query, "expand%5B%5D") == "data.payment_intent" {
        for dispute in &mut all {
            let payment = dispute["payment_intent"].as_str().unwrap_or_default();
            dispute["payment_intent"] = payment_of(shared, payment)?;
        }
    }
    Ok(lists::page(all, query))
}

/// What disputes moved to us so far: less than nothing while a bank has more than it gave back.
pub(super) fn moved_minor(disputes: &[Value]) -> i64 {
    let moved = disputes.iter().filter_map(|dispute| dispute["balance_transactions"].as_array());
    moved.flatten().filter_map(|moved| moved["amount"].as_i64()).sum()
}
