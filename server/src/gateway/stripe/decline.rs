//! Why a bank said no, and whether it will ever say yes to the same instrument: a table.
//!
//! *Source*: Stripe's documentation, "Decline codes" and "Card errors", read 2026-11. A code that is
//! not in the table is a soft decline: the limits on tries end it.

use crate::gateway::NOT_FOUND;

/// Never to be tried again with the same instrument.
const HARD: [&str; 22] = [
    // The card is gone, or was never what it says.
    "expired_card",
    "lost_card",
    "stolen_card",
    "pickup_card",
    "incorrect_number",
    "invalid_number",
    "invalid_account",
    "invalid_expiry_month",
    "invalid_expiry_year",
    "incorrect_cvc",
    "invalid_cvc",
    "new_account_information_available",
    "testmode_decline",
    // It cannot pay for this, or in this way.
    "card_not_supported",
    "service_not_allowed",
    "transaction_not_allowed",
    // Somebody said to stop.
    "do_not_try_again",
    "revocation_of_all_authorizations",
    "revocation_of_authorization",
    "stop_payment_order",
    "fraudulent",
    "merchant_blacklist",
];

/// Whether a decline is for good. `advice` is the card network's, where it gave one.
pub(super) fn is_hard(code: &str, advice: Option<&str>) -> bool {
    HARD.contains(&code) || advice == Some("do_not_try_again")
}

/// What refuses a charge before any bank is asked: as definite as a decline.
const REFUSED: [&str; 6] = [
    "amount_too_large",
    "amount_too_small",
    "invalid_charge_amount",
    "invalid_charge_amount_no_decimal_compatible",
    "currency_not_supported",
    "payment_method_currency_mismatch",
];

/// Whether an error's code says what of the charge itself is not taken.
pub(super) fn is_refusal(code: &str) -> bool {
    REFUSED.contains(&code)
}

/// A wallet that the account does not have.
pub(super) const NO_WALLET: &str = "wallet_not_available";
/// Refused, and not for the method's sake: the request was wrong, which is ours.
pub(super) const OURS: &str = "request_refused";

/// Whether a refusal of ours says whose fault it was.
pub(super) fn is_named(code: &str) -> bool {
    is_refusal(code) || [NOT_FOUND, NO_WALLET].contains(&code)
}

/// Whether an error's code is about another request or a payment that is there already: it says
/// nothing of what was made.
pub(super) fn is_about_another(code: &str) -> bool {
    ["idempotency_key_in_use", "lock_timeout", "rate_limit"].contains(&code)
        || code.starts_with("payment_intent_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stolen_card_is_for_good_and_an_empty_one_is_not() {
        for hard in HARD {
            assert!(is_hard(hard, None), "{hard}");
        }
        for soft in ["insufficient_funds", "generic_decline", "do_not_honor", "processing_error"] {
            assert!(!is_hard(soft, None), "{soft}");
            assert!(!is_hard(soft, Some("try_again_later")), "{soft}");
            assert!(is_hard(soft, Some("do_not_try_again")), "{soft}");
        }
        assert!(!is_hard("a_code_of_next_year", None));
    }
}
