//! What the server says about accounts, in both languages: one-time codes and "you have an account
//! already". Everything about money is said by `laika_core::say`.

use laika_core::api::Language;

/// A title and a text.
pub type Words = (String, String);

/// A one-time code for registering.
pub fn registration_code(language: Language, brand: &str, code: &str) -> Words {
    match language {
        Language::En => (
            format!("{brand}: your code"),
            format!(
                "{code} is your code for {brand}. It is valid for 5 minutes. Nobody from {brand} \
                 ever asks for it."
            ),
        ),
        Language::ZhCn => (
            format!("{brand}：验证码"),
            format!("{code} 是 {brand} 的验证码，5 分钟内有效。{brand} 的工作人员不会索取验证码。"),
        ),
    }
}

/// Somebody tried to register with a contact that has an account.
pub fn registered_already(language: Language, brand: &str) -> Words {
    match language {
        Language::En => (
            format!("{brand}: you have an account"),
            format!(
                "Somebody tried to register with this contact, which has an account at {brand} \
                 already. If it was you, sign in instead. If not, nothing needs to be done."
            ),
        ),
        Language::ZhCn => (
            format!("{brand}：已有账户"),
            format!(
                "有人用此联系方式注册 {brand}，但它已有账户。如果是本人操作，请直接登录；\
                 如果不是，无需处理。"
            ),
        ),
    }
}
