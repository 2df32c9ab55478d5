//! How pages look: templates built into the program, style sheets, and the headers of every answer.
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
use std::collections::BTreeMap;
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

macro_rules! templates {
    ($($name:literal)+) => { [$(($name, include_str!(concat!("../../templates/web/", $name))),)+] };
}

const TEMPLATES: &[(&str, &str)] = &templates! {
    "layout.html" "login.html" "account.html" "not_done.html"
    "officer/frame.html" "officer/steps.html" "officer/enter.html" "officer/password.html" "officer/terms.html"
    "officer/ready.html" "officer/state.html" "officer/help.html" "officer/print.html" "officer/admin.html"
    "officer/gate.html" "officer/credentials.html"
    "demo_frame.html" "demo.html" "demo_tenants.html" "demo_mailboxes.html" "demo_mailbox.html" "demo_mail.html"
    "demo_queue.html" "demo_parts.html"
};
const STYLE: &str = include_str!("../../templates/web/style.css");
/// Colours, sizes and radii every style sheet of this house is made from.
const TOKENS: &str = include_str!("../../templates/web/tokens.css");
/// What officers see, with the tokens written in: Internet Explorer mode knows no custom properties.
static OFFICER: LazyLock<String> = LazyLock::new(|| expand(include_str!("../../templates/web/officer.css")));

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    super::console::speak(&mut environment);
    add(&mut environment, TEMPLATES);
    environment
});

/// Takes in templates built into the program, strictly: a name that says nothing is a fault.
pub(super) fn add(environment: &mut Environment<'static>, templates: &[(&'static str, &'static str)]) {
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    for (name, text) in templates {
        if let Err(fault) = environment.add_template(name, text) {
            tracing::error!(error = %fault, "a page's template is faulty");
        }
    }
}

/// A page from a template.
pub fn page(status: StatusCode, template: &str, values: impl Serialize) -> Response {
    written(&ENVIRONMENT, status, template, values)
}

/// A page from one of these templates. A fault in a template is ours: the visitor gets a plain 500.
pub(super) fn written(
    environment: &Environment<'_>,
    status: StatusCode,
    template: &str,
    values: impl Serialize,
) -> Response {
    match environment.get_template(template).and_then(|template| template.render(values)) {
        Ok(text) => (status, Html(text)).into_response(),
        Err(fault) => {
            tracing::error!(error = %fault, template, "a page could not be written");
            unshown()
        }
    }
}

/// Says that this page cannot be shown now.
pub(super) fn unshown() -> Response {
    plain(StatusCode::INTERNAL_SERVER_ERROR, "ただいま表示できません。\n")
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
        .route("/officer.css", sheet(&OFFICER))
        .fallback(|| async { plain(StatusCode::NOT_FOUND, "ページがありません。\n") })
        .layer(DefaultBodyLimit::max(BODY_OCTETS_MAX))
        .layer(map_response(with_headers))
}

async fn with_headers(mut response: Response) -> Response {
    set_headers(response.headers_mut());
    response
}

/// Browsers that came by TLS once come by TLS for a year (RFC 6797).
pub async fn with_hsts(mut response: Response) -> Response {
    let year = HeaderValue::from_static("max-age=31536000");
    response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, year);
    response
}

/// What a page says itself about being kept (a revocation list may be) stands.
fn set_headers(headers: &mut HeaderMap) {
    for (name, value) in HEADERS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
}

/// A style sheet with every `var(--name)` replaced by its token, which may name another token itself.
fn expand(sheet: &str) -> String {
    let tokens: BTreeMap<&str, &str> = TOKENS
        .lines()
        .filter_map(|line| line.trim().strip_suffix(';')?.split_once(": "))
        .filter(|(name, _)| name.starts_with("--"))
        .collect();
    let mut parts = sheet.split("var(");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once(')').unwrap_or((part, ""));
        let value = tokens.get(name).copied().unwrap_or("inherit");
        let inner = value.strip_prefix("var(").and_then(|value| value.strip_suffix(')'));
        plain.push_str(inner.and_then(|name| tokens.get(name)).copied().unwrap_or(value));
        plain.push_str(rest);
    }
    plain
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

    /// Colours stand in one place: tokens where there is one, and the head of the console's sheet for what has none.
    #[test]
    fn the_consoles_colours_stand_at_its_head() {
        let sheet = include_str!("../../templates/web/console/console.css");
        let (head, rest) = sheet.split_once("\n}\n").unwrap();
        assert!(!rest.contains("#0") && !rest.contains("rgb(") && !rest.contains("rgba("), "a colour outside the head");
        let hex = |at: &str| at.len() >= 3 && at.chars().take(3).all(|c| c.is_ascii_hexdigit());
        assert_eq!(rest.split('#').skip(1).find(|at| hex(at)), None);
        let own: Vec<&str> =
            head.lines().filter_map(|line| line.trim().split_once(':').map(|(name, _)| name)).collect();
        for name in sheet.split("var(").skip(1).filter_map(|part| part.split(')').next()) {
            assert!(own.contains(&name) || TOKENS.contains(&format!("  {name}:")), "{name}");
        }
    }

    #[test]
    fn the_officers_sheet_needs_no_custom_properties() {
        assert!(!OFFICER.contains("var(") && !OFFICER.contains("inherit;\n  color: inherit"), "{}", *OFFICER);
        assert!(OFFICER.contains("background: #0017c1") && OFFICER.contains("border-left-color: #197a4b"));
        assert_eq!(expand("a { b: var(--no-such); }"), "a { b: inherit; }");
        let used = include_str!("../../templates/web/officer.css");
        for name in used.split("var(").skip(1).filter_map(|part| part.split(')').next()) {
            assert!(TOKENS.contains(&format!("{name}:")), "{name}");
        }
    }
}
