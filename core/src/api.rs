//! The JSON that the app and the server exchange. One struct per message, shared by both sides;
//! domain values travel as they are. Nothing here decides.

use crate::field::FieldError;
use crate::id::AccountId;
use crate::time::Instant;
use serde::{Deserialize, Serialize};

/// A language that Laika speaks completely.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Language {
    /// English.
    #[default]
    #[serde(rename = "en")]
    En,
    /// Simplified Chinese.
    #[serde(rename = "zh-CN")]
    ZhCn,
}

impl Language {
    /// The BCP 47 tag.
    pub fn tag(self) -> &'static str {
        match self {
            Language::En => "en",
            Language::ZhCn => "zh-CN",
        }
    }

    /// The language that serves best for a BCP 47 tag; any Chinese is simplified Chinese.
    pub fn from_tag(tag: &str) -> Language {
        let zh = tag.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("zh"));
        if zh { Language::ZhCn } else { Language::En }
    }
}

/// What the app starts with. `GET /session`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionView {
    /// Who is signed in; nobody before sign-in.
    pub account: Option<AccountView>,
    /// Present only while the sandbox adapters run.
    pub sandbox: Option<SandboxView>,
    /// The brand's name.
    pub brand: String,
    /// The server's time.
    pub now: Instant,
    /// The version of the rules that the server runs.
    pub engine_version: String,
}

/// The signed-in customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountView {
    /// The account.
    pub id: AccountId,
    /// E.164.
    pub phone: String,
    /// Confirmed e-mail address.
    pub email: String,
    /// The language of screens and messages.
    pub language: Language,
    /// IANA name of the zone in which days and months are counted.
    pub time_zone: String,
    /// Counts up with each change of anything that the account's pages show.
    pub version: i64,
    /// Until when a fresh password entry lets a rule be turned on or a method be added.
    pub stepped_up_until: Option<Instant>,
}

/// What the sandbox bar needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SandboxView {
    /// Origin of the sandbox payment provider, never the app's own.
    pub provider_origin: String,
    /// By how many seconds "let time pass" has moved the clock forward.
    pub clock_ahead_s: i64,
}

/// `POST /registrations`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "each is what was typed into the field of that name")]
pub struct Registration {
    pub phone: String,
    pub email: String,
    pub password: String,
    pub language: Language,
    pub time_zone: String,
}

/// Answer to a registration: the same whether or not the contacts have an account already.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistrationView {
    /// Names the pending registration.
    pub registration_id: String,
    /// Where the codes went, masked.
    pub phone_masked: String,
    /// Where the codes went, masked.
    pub email_masked: String,
}

/// `POST /registrations/{id}/confirm`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "each is what was typed into the field of that name")]
pub struct Confirmation {
    pub phone_code: String,
    pub email_code: String,
}

/// `POST /sessions`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// Phone or e-mail, as typed.
    pub contact: String,
    /// The password, as typed.
    pub password: String,
}

/// `POST /sessions/current/step-up`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepUp {
    /// The password, as typed.
    pub password: String,
}

/// `PATCH /account`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountChange {
    /// A new language for screens and messages.
    pub language: Option<Language>,
    /// A new IANA zone.
    pub time_zone: Option<String>,
}

/// An error as it travels. *Source*: RFC 9457, with a stable `code` and the errors by field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// A path that documents the problem: `/problems/<code>`.
    #[serde(rename = "type")]
    pub kind: String,
    /// A short title in English, the same for each code.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// The stable code that programs go by.
    pub code: String,
    /// What happened this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What is wrong with which field, in form order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// Names the request in the server's log.
    pub request_id: String,
}
