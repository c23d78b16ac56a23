//! What each problem means, at the address that its `type` names. The words are `docs/problems.md`:
//! one section for a code, with its status, what happened, whether money moved and what to do, in
//! each language.

use super::extract::header_text;
use crate::error::{Error, Result};
use axum::{
    extract::Path,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use laika_core::api::Language;
use std::sync::LazyLock;

/// A problem that the server may answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Documented {
    /// The stable code.
    pub code: &'static str,
    /// Its HTTP status.
    pub status: u16,
    /// What it means.
    pub en: &'static str,
    /// The same in Chinese.
    pub zh_cn: &'static str,
}

/// All of them, by code.
pub static ALL: LazyLock<Vec<Documented>> =
    LazyLock::new(|| read(include_str!("../../../docs/problems.md")));

/// The sections of the document. One that is not shaped like the others is left out, and then the
/// document is not complete, which a test sees.
fn read(text: &'static str) -> Vec<Documented> {
    let section = |section: &'static str| {
        let mut parts = section.trim().split("\n\n");
        let code = parts.next()?.strip_suffix('`')?;
        let status = parts.next()?.parse().ok()?;
        let (en, zh_cn) = (parts.next()?, parts.next()?);
        parts.next().is_none().then_some(Documented { code, status, en, zh_cn })
    };
    text.split("\n## `").skip(1).filter_map(section).collect()
}

/// `GET /problems/{code}`: in the language that the caller would rather read.
pub async fn show(Path(code): Path<String>, headers: HeaderMap) -> Result<Response> {
    let problem = ALL.iter().find(|problem| problem.code == code).ok_or_else(Error::not_found)?;
    let language = header_text(&headers, "accept-language").unwrap_or("");
    let language = Language::from_tag(language.trim());
    let words = match language {
        Language::En => problem.en,
        Language::ZhCn => problem.zh_cn,
    };
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::CONTENT_LANGUAGE, language.tag()),
        (header::VARY, "accept-language"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    let text = format!("{} ({})\n\n{words}\n", problem.code, problem.status);
    Ok((headers, text).into_response())
}
