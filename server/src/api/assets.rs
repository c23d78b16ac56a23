//! The app itself: the files built by Trunk, embedded in the binary with their brotli forms. Every
//! path that is no file and no API is the app's page; the app's own router takes it from there.

use super::extract::header_text;
use crate::{error::Error, secret};
use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

/// A file of the app.
#[derive(Debug)]
struct File {
    path: &'static str,
    plain: &'static [u8],
    brotli: Option<&'static [u8]>,
}

include!(concat!(env!("OUT_DIR"), "/files.rs"));

const NO_APP: &str = "<!doctype html><title>Laika</title><p>This binary was built without the app. \
     <code>cargo xtask serve</code> builds both and serves them; the API is under \
     <code>/api/v1</code>.";

static POLICY: LazyLock<String> = LazyLock::new(|| policy(page().unwrap_or("")));

/// Everything that is not the API's.
pub async fn serve(request: Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let words = "This address does not take this method.";
        let status = StatusCode::METHOD_NOT_ALLOWED;
        let allow = [(header::ALLOW, "GET,HEAD")];
        return (allow, Error::problem(status, "other_method", words)).into_response();
    }
    let path = request.uri().path();
    let (headers, asked) = (request.headers(), find(path));
    let looks_like_a_file = path.rsplit('/').next().is_some_and(|name| name.contains('.'));
    match asked.or_else(|| find("/index.html").filter(|_| !looks_like_a_file)) {
        Some(file) => answer(file, headers),
        None if looks_like_a_file => Error::not_found().into_response(),
        None => Html(NO_APP).into_response(),
    }
}

fn find(path: &str) -> Option<&'static File> {
    FILES.iter().find(|file| file.path == path)
}

fn page() -> Option<&'static str> {
    find("/index.html").and_then(|file| std::str::from_utf8(file.plain).ok())
}

fn answer(file: &File, headers: &HeaderMap) -> Response {
    let takes = header_text(headers, "accept-encoding").unwrap_or("");
    let takes_brotli =
        takes.split(',').any(|name| name.split(';').next().unwrap_or("").trim() == "br");
    let (body, encoding) = match file.brotli {
        Some(brotli) if takes_brotli => (brotli, Some("br")),
        _ => (file.plain, None),
    };
    let tag = format!("\"{}\"", &secret::sha256_hex(body)[..32]);
    let mut response = if header_text(headers, "if-none-match") == Some(tag.as_str()) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        Body::from(body).into_response()
    };
    let cache =
        if is_hashed(file.path) { "public, max-age=31536000, immutable" } else { "no-cache" };
    let mut set = |name, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(name, value);
        }
    };
    set(header::CONTENT_TYPE, media_type(file.path));
    set(header::CACHE_CONTROL, cache);
    set(header::ETAG, &tag);
    set(header::VARY, "accept-encoding");
    encoding.into_iter().for_each(|encoding| set(header::CONTENT_ENCODING, encoding));
    if file.path.ends_with(".html") {
        set(header::CONTENT_SECURITY_POLICY, &POLICY);
    }
    response
}

/// Whether Trunk put the content's hash into the name: then the name never means other content.
fn is_hashed(path: &str) -> bool {
    let is_hash = |part: &str| part.len() == 16 && part.bytes().all(|b| b.is_ascii_hexdigit());
    path.split(['-', '_', '.', '/']).any(is_hash)
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or("") {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "wasm" => "application/wasm",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// The page's policy: nothing but our own files, and the page's own inline parts by their hashes.
fn policy(page: &str) -> String {
    let scripts = hashes(page, "script");
    let styles = hashes(page, "style");
    format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'{scripts}; \
         style-src 'self'{styles}; img-src 'self' data:; connect-src 'self'; manifest-src 'self'; \
         worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
}

/// The hashes of every inline element of this name, as the policy names them.
fn hashes(page: &str, element: &str) -> String {
    let (open, close) = (format!("<{element}"), format!("</{element}>"));
    let mut found = String::new();
    let mut rest = page;
    while let Some((_, after)) = rest.split_once(&open) {
        let Some((attributes, after)) = after.split_once('>') else { break };
        let Some((inside, after)) = after.split_once(&close) else { break };
        rest = after;
        if !attributes.contains("src=") && !inside.is_empty() {
            found.push_str(&format!(" 'sha256-{}'", base64(&Sha256::digest(inside))));
        }
    }
    found
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0_u32, |group, byte| group << 8 | u32::from(*byte));
        let group = group << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = usize::try_from(group >> (18 - 6 * place) & 63).unwrap_or(0);
            let padding = place > chunk.len();
            text.push(if padding { '=' } else { char::from(DIGITS[digit]) });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_the_standard_one() {
        // Source: RFC 4648, section 10.
        for (plain, text) in
            [("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(plain.as_bytes()), text);
        }
    }

    #[test]
    fn inline_parts_are_named_by_hash_and_nothing_else_is_allowed() {
        let page =
            "<style>a{}</style><script type=\"module\">b()</script><script src=\"/c.js\"></script>";
        let policy = policy(page);
        assert_eq!(policy.matches("'sha256-").count(), 2, "{policy}");
        assert!(!policy.contains("unsafe-inline"));
    }

    #[test]
    fn only_hashed_names_are_kept_for_ever() {
        assert!(is_hashed("/laika-app-1a2b3c4d5e6f7a8b_bg.wasm"));
        assert!(!is_hashed("/index.html") && !is_hashed("/icon-180.png"));
    }
}
