//! What stands before every handler: cross-origin protection, a time limit, paths that can be read,
//! and the headers of every answer.

use super::extract::header_text;
use crate::error::Error;
use axum::{
    extract::Request,
    http::{HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::time::Duration;

/// Refuses a change that another site's page asks for.
///
/// *Source*: a browser sends `Sec-Fetch-Site` with every request, older ones `Origin` with every
/// change; programs send neither and carry no cookie by accident.
pub async fn same_origin(request: Request, next: Next) -> Response {
    let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let headers = request.headers();
    let text = |name: &str| header_text(headers, name);
    let same = match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => {
            let host = origin.split_once("://").map_or("", |(_, host)| host);
            text("host").is_some_and(|own| own.eq_ignore_ascii_case(host))
        }
        (None, None) => true,
    };
    if safe || same {
        return next.run(request).await;
    }
    Error::forbidden("cross_origin", "This request came from another site's page.").into_response()
}

/// Nothing takes longer, a slow client's body included; live streams have begun by then.
pub const LONGEST: Duration = Duration::from_secs(60);

/// Ends a request that takes too long. What it had not committed is undone.
pub async fn in_time(longest: Duration, request: Request, next: Next) -> Response {
    tokio::time::timeout(longest, next.run(request)).await.unwrap_or_else(|_| {
        let words = "The request took too long; what is not answered may be asked again.";
        Error::problem(StatusCode::REQUEST_TIMEOUT, "too_slow", words).into_response()
    })
}

/// Refuses a change whose body is compressed: nothing is unpacked here, so a small request never
/// becomes a large one.
pub async fn plain_body(request: Request, next: Next) -> Response {
    let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let plain = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"identity");
    if safe || request.headers().get_all(header::CONTENT_ENCODING).iter().all(plain) {
        return next.run(request).await;
    }
    let words = "Send the body as it is, without Content-Encoding.";
    Error::problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, "encoded", words).into_response()
}

/// A path with NUL or broken UTF-8 in it names nothing. PostgreSQL would refuse to look for it.
pub async fn readable_path(request: Request, next: Next) -> Response {
    if readable(request.uri().path()) {
        next.run(request).await
    } else {
        Error::not_found().into_response()
    }
}

fn readable(path: &str) -> bool {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        let digit = |byte: Option<u8>| byte.and_then(|b| char::from(b).to_digit(16));
        let byte = match byte {
            b'%' => {
                let pair = digit(rest.next()).zip(digit(rest.next()));
                pair.and_then(|(high, low)| u8::try_from(high << 4 | low).ok())
            }
            plain => Some(plain),
        };
        match byte {
            None | Some(0) => return false,
            Some(byte) => bytes.push(byte),
        }
    }
    std::str::from_utf8(&bytes).is_ok()
}

/// Headers of every answer that a handler did not set itself.
pub async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    for (name, value) in [
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=()"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::readable;

    #[test]
    fn paths_with_nul_or_broken_text_name_nothing() {
        for good in ["/", "/api/v1/lines/line_1/rule", "/%E4%B8%AD", "/a%20b"] {
            assert!(readable(good), "{good}");
        }
        for bad in ["/%00", "/a%00b", "/%", "/%4", "/%zz", "/%FF"] {
            assert!(!readable(bad), "{bad}");
        }
    }
}
