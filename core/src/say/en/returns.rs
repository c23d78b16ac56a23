//! What went back after a recharge's end, in English.

use super::super::format::money;
use crate::api::{Returned, ReturnedAs};

pub(in crate::say) fn returned(line: &Returned) -> String {
    let amount = money(line.amount);
    match line.what {
        ReturnedAs::Refunding => format!("{amount} is on its way back to you"),
        ReturnedAs::Refunded => format!("{amount} given back"),
        ReturnedAs::RefundFailed => {
            format!("{amount} could not be given back yet. A person looks at it")
        }
        ReturnedAs::Disputed => format!("{amount} disputed at the bank; automatic recharges wait"),
        ReturnedAs::DisputeWon => format!("The dispute about {amount} ended; the charge stays"),
        ReturnedAs::DisputeLost => format!("The dispute about {amount} ended; you have it back"),
    }
}

pub(in crate::say) fn dispute_news(open: bool) -> &'static str {
    if open {
        "A charge is disputed at your bank. Nothing is recharged automatically until that is decided."
    } else {
        "The dispute about a charge has ended. It no longer holds up automatic recharges."
    }
}
