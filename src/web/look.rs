//! How pages look: templates built into the program, one style sheet, and the headers of every answer.
//!
//! Everything a template prints is escaped (minijinja, names ending in .html); nothing is loaded from elsewhere, and no
//! script runs, which the Content-Security-Policy holds even if an escape were missing.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::map_response;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;
use std::sync::LazyLock;

/// Longest request body, in octets: a code and nothing else.
pub const BODY_OCTETS_MAX: usize = 4096;

const HEADERS: [(HeaderName, &str); 7] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (header::CACHE_CONTROL, "no-store"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("x-robots-tag"), "noindex, nofollow"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

const TEMPLATES: &[(&str, &str)] = &[
    ("login.html", include_str!("../../templates/web/login.html")),
    ("account.html", include_str!("../../templates/web/account.html")),
    ("layout.html", include_str!("../../templates/web/layout.html")),
    ("enter.html", include_str!("../../templates/web/enter.html")),
    ("pickup.html", include_str!("../../templates/web/pickup.html")),
    ("demo_frame.html", include_str!("../../templates/web/demo_frame.html")),
    ("demo.html", include_str!("../../templates/web/demo.html")),
    ("demo_tenants.html", include_str!("../../templates/web/demo_tenants.html")),
    ("demo_mailboxes.html", include_str!("../../templates/web/demo_mailboxes.html")),
    ("demo_mailbox.html", include_str!("../../templates/web/demo_mailbox.html")),
    ("demo_mail.html", include_str!("../../templates/web/demo_mail.html")),
    ("demo_queue.html", include_str!("../../templates/web/demo_queue.html")),
    ("demo_parts.html", include_str!("../../templates/web/demo_parts.html")),
];
const STYLE: &str = include_str!("../../templates/web/style.css");
/// Colours, sizes and radii every style sheet of this house is made from.
const TOKENS: &str = include_str!("../../templates/web/tokens.css");

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    for (name, text) in TEMPLATES {
        if let Err(fault) = environment.add_template(name, text) {
            tracing::error!(error = %fault, "a page's template is faulty");
        }
    }
    environment
});

/// A page from a template. A fault in a template is ours: the visitor gets a plain 500.
pub fn page(status: StatusCode, template: &str, values: impl Serialize) -> Response {
    let rendered = ENVIRONMENT.get_template(template).and_then(|template| template.render(values));
    match rendered {
        Ok(text) => (status, Html(text)).into_response(),
        Err(fault) => {
            tracing::error!(error = %fault, template, "a page could not be written");
            plain(StatusCode::INTERNAL_SERVER_ERROR, "ただいま表示できません。\n")
        }
    }
}

/// A plain text.
pub fn plain(status: StatusCode, text: impl Into<String>) -> Response {
    (status, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text.into()).into_response()
}

/// What every set of pages has: style sheet, limits, headers.
pub fn dress(router: Router) -> Router {
    let sheet = |text: &'static str| get(async move || ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], text));
    router
        .route("/tokens.css", sheet(TOKENS))
        .route("/style.css", sheet(STYLE))
        .fallback(|| async { plain(StatusCode::NOT_FOUND, "ページがありません。\n") })
        .layer(DefaultBodyLimit::max(BODY_OCTETS_MAX))
        .layer(map_response(with_headers))
}

async fn with_headers(mut response: Response) -> Response {
    set_headers(response.headers_mut());
    response
}

fn set_headers(headers: &mut HeaderMap) {
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_parses() {
        for (name, _) in TEMPLATES {
            assert!(ENVIRONMENT.get_template(name).is_ok(), "{name}");
        }
    }
}
