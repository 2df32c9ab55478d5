//! Which requests are answered at all: those to this machine by one of its own names (a foreign page that has its name
//! point here gets nothing), and, where they change something or stay open, those that come from the console's own pages.

use axum::Router;
use axum::extract::Request;
use axum::http::header::{self, HeaderValue};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::{Next, from_fn, map_response};
use axum::response::Response;
use std::net::IpAddr;

/// As on every page, and the console's own script, which asks the console only.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Puts the guard around a set of pages.
pub(super) fn guarded(router: Router) -> Router {
    router.layer(from_fn(check))
}

/// Lets the console's own style, script and pictures through.
pub(super) fn with_policy(router: Router) -> Router {
    router.layer(map_response(async |mut response: Response| {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
        response
    }))
}

async fn check(request: Request, next: Next) -> Response {
    let headers = request.headers();
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    if !is_ours(host) {
        let text = "このアドレスでは表示できません。127.0.0.1 を指定してください。\n";
        return crate::web::look::plain(StatusCode::MISDIRECTED_REQUEST, text);
    }
    let asks_more = *request.method() != Method::GET && *request.method() != Method::HEAD;
    if (asks_more || request.uri().path() == "/events") && !is_same_origin(headers, host) {
        return crate::web::look::plain(StatusCode::FORBIDDEN, "別のサイトからの操作は受け付けません。\n");
    }
    next.run(request).await
}

/// A name of this machine: a loopback address or localhost.
fn is_ours(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name.parse::<IpAddr>().map_or(name == "localhost", |address| address.is_loopback())
}

/// A browser says where a request comes from in at least one of these; a program that says neither is no foreign page.
fn is_same_origin(headers: &HeaderMap, host: &str) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let site = text("sec-fetch-site").is_none_or(|site| matches!(site, "same-origin" | "none"));
    let origin = text("origin")
        .is_none_or(|origin| origin.split_once("://").is_some_and(|(_, from)| from.eq_ignore_ascii_case(host)));
    site && origin
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine() {
        for ours in ["127.0.0.1:8081", "localhost:1", "[::1]:8081", "127.0.0.1"] {
            assert!(is_ours(ours), "{ours}");
        }
        for foreign in ["", "evil.example:8081", "10.0.0.1:8081", "127.0.0.1.evil.example", "localhost.evil.example"] {
            assert!(!is_ours(foreign), "{foreign}");
        }
    }

    #[test]
    fn foreign_pages_are_told_apart() {
        let headers = |pairs: &[(&'static str, &'static str)]| -> HeaderMap {
            pairs.iter().map(|(k, v)| (header::HeaderName::from_static(k), HeaderValue::from_static(v))).collect()
        };
        assert!(is_same_origin(&headers(&[]), "localhost:1"));
        assert!(is_same_origin(
            &headers(&[("origin", "http://localhost:1"), ("sec-fetch-site", "same-origin")]),
            "localhost:1"
        ));
        for (name, value) in [
            ("origin", "http://localhost:2"),
            ("origin", "null"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
        ] {
            assert!(!is_same_origin(&headers(&[(name, value)]), "localhost:1"), "{name} {value}");
        }
    }
}
