//! Alipay and WeChat Pay at Stripe: the customer confirms each payment by a link. Which currencies
//! each takes, and what it is asked with.

use super::Form;
use crate::gateway::{Charge, Failure};
use laika_core::{money::Currency, rail::Wallet};

/// *Source*: Stripe's documentation of each, "Supported currencies", read 2026-11. Which of them an
/// account may use depends on its country; Stripe refuses the others, and nothing is taken.
const fn currencies(wallet: Wallet) -> &'static [&'static str] {
    match wallet {
        Wallet::Alipay => {
            &["AUD", "CAD", "CNY", "EUR", "GBP", "HKD", "JPY", "MYR", "NZD", "SGD", "USD"]
        }
        Wallet::WechatPay => &[
            "AUD", "CAD", "CHF", "CNY", "DKK", "EUR", "GBP", "HKD", "JPY", "NOK", "SEK", "SGD",
            "USD",
        ],
    }
}

/// Whether a wallet takes a currency.
pub(super) fn takes(wallet: Wallet, currency: Currency) -> bool {
    currencies(wallet).contains(&currency.code())
}

/// A payment by a wallet: made and confirmed at once, it comes back with the wallet's page.
///
/// *Errors*: a currency that it does not take; nothing is sent.
pub(super) fn by_link(form: Form, wallet: Wallet, charge: &Charge) -> Result<Form, Failure> {
    if !takes(wallet, charge.amount.currency) {
        return Err(Failure::Refused { code: "currency_not_supported".to_owned() });
    }
    let form = form
        .with("payment_method_types[]", wallet.code())
        .with("payment_method_data[type]", wallet.code())
        .with("return_url", &charge.return_url);
    Ok(match wallet {
        Wallet::Alipay => form,
        // Why: it has to know whether a QR code is to be shown.
        Wallet::WechatPay => form.with("payment_method_options[wechat_pay][client]", "web"),
    })
}
