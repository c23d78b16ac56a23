//! What every refusal looks like, for the browser as for any other program.

use crate::field::FieldError;
use serde::{Deserialize, Serialize};

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
    /// The version of the rules that the server computes with, where a preview was of another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine_version: Option<String>,
    /// Names the request in the server's log.
    pub request_id: String,
}
