//! Sessions of the console: who is looking at a page, and whether a form really came from one of ours.
//!
//! | check | held by |
//! |---|---|
//! | a session | cookie with a token of 158 bits; only its SHA-256 is stored; HttpOnly, SameSite=Strict, Secure with TLS |
//! | not too old | `idle_minutes` of the rules without a click, [`SESSION_HOURS`] at most; killable |
//! | same origin | `Origin` of every request that has one is the `Host`; so no other page opens our streams either |
//! | our form | every POST carries the session's CSRF token, as field `csrf` or header `x-csrf-token` |
//!
//! A router behind [`Reception::guard`] finds a [`Visitor`] in the request's extensions. What a role may do is asked of
//! [`Visitor::may`] for showing buttons; the engine asks again in every step, so a hidden button is never the only lock.
//!
//! [`SESSION_HOURS`]: crate::engine::people::SESSION_HOURS

use super::Source;
use super::login::Throttle;
use super::look::plain;
use crate::crypto;
use crate::domain::Secret;
use crate::domain::time::MINUTE;
use crate::engine::people::Who;
use crate::workflow::rights::{Act, Right, Role, right};
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Form, FromRequest, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use std::sync::{Arc, Mutex};

/// Longest form of the console, in octets: an edited mail fits in.
pub const FORM_OCTETS_MAX: usize = 512 * 1024;
/// A session is written down as alive at most so often, in seconds.
const TOUCH_SECONDS: i64 = MINUTE;
/// Name of the form field and the header.
pub const CSRF_FIELD: &str = "csrf";
pub const CSRF_HEADER: &str = "x-csrf-token";

/// Who is looking at a page.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// Account name.
    pub name: String,
    /// 佐藤 花子; the account name where none was given.
    pub person: String,
    pub role: Role,
    /// Number of the session.
    pub session: u64,
    /// For the hidden field of every form.
    pub csrf: String,
    pub(super) token: Secret<String>,
}

impl Visitor {
    /// For [`crate::engine::Engine::act`].
    pub fn who(&self) -> Who {
        Who::Account(self.name.clone())
    }

    /// What the table of rights says: for showing or leaving out a button.
    pub fn may(&self, act: Act) -> Right {
        right(self.role, act)
    }
}

/// A sample person of the demo, whom anybody may be from the login page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// The account.
    pub name: String,
    pub password: String,
    /// `佐藤 花子`.
    pub person: String,
    /// What the account is for, in Japanese and English.
    pub does: (&'static str, &'static str),
}

/// What stands before the console.
#[derive(Debug, Clone)]
pub struct Reception {
    pub(super) source: Source,
    /// Cookies are for TLS only.
    pub(super) secure: bool,
    pub(super) throttle: Arc<Mutex<Throttle>>,
    /// Shown on the login page.
    pub(super) samples: Arc<[Sample]>,
}

impl Reception {
    /// `secure`: the console is reached by TLS.
    pub fn new(source: Source, secure: bool) -> Self {
        Self { source, secure, throttle: Arc::default(), samples: Arc::new([]) }
    }

    /// With sample people anybody may log in as; for the demo only.
    pub fn with_samples(mut self, samples: impl IntoIterator<Item = Sample>) -> Self {
        self.samples = samples.into_iter().collect();
        self
    }

    /// Puts `console` behind a login and adds `/login`, `/logout` and `/account`.
    pub fn guard(self, console: Router) -> Router {
        let account = super::login::account(self.clone());
        let acts = super::session_acts::router(self.clone());
        let guarded = console.merge(account).merge(acts).layer(from_fn_with_state(self.clone(), admit));
        guarded.merge(super::login::router(self))
    }

    /// Name of the session's cookie. With TLS the prefix makes browsers refuse one that is not Secure or has a Domain.
    pub(super) fn cookie(&self) -> &'static str {
        if self.secure { "__Host-annai" } else { "annai" }
    }

    /// The session of a request, if it has a good one.
    pub(super) async fn visitor(&self, headers: &HeaderMap) -> Option<Visitor> {
        let token = Secret::new(cookie(headers, self.cookie())?);
        let survey = self.source.survey.clone();
        let asked = token.clone();
        let found = tokio::task::spawn_blocking(move || survey.session(&asked)).await;
        let (session, account) = found.ok()?.ok()??;
        let (now, factor) = (self.source.clock.now(), i64::from(self.source.clock.factor().max(1)));
        if session.is_over(now, factor) {
            let _ended = self.source.handle.call(move |engine| engine.log_out(&token)).await;
            return None;
        }
        if now.since(session.seen) >= TOUCH_SECONDS.saturating_mul(factor) {
            let token = token.clone();
            let _touched = self.source.handle.call(move |engine| engine.touch_session(&token)).await;
        }
        let person = if account.person.is_empty() { account.name.clone() } else { account.person };
        let csrf = csrf_of(&token);
        Some(Visitor { name: account.name, person, role: account.role, session: session.no, csrf, token })
    }
}

/// Lets a request through with its visitor, or sends it to the login page.
async fn admit(State(reception): State<Reception>, mut request: Request, next: Next) -> Response {
    if !same_origin(request.headers()) {
        return plain(StatusCode::FORBIDDEN, "このページからの操作ではないため、受け付けられません。\n");
    }
    let Some(visitor) = reception.visitor(request.headers()).await else { return to_login(&request) };
    if !is_safe(request.method()) {
        match with_token(request, &visitor.csrf).await {
            Ok(checked) => request = checked,
            Err(refused) => return refused,
        }
    }
    request.extensions_mut().insert(visitor);
    next.run(request).await
}

fn to_login(request: &Request) -> Response {
    let wants_page = request.headers().get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    if *request.method() == Method::GET && wants_page.is_some_and(|accept| accept.contains("text/html")) {
        let back = request.uri().path_and_query().map_or("/", |path| path.as_str());
        let query: String = back.bytes().map(encoded).collect();
        return Redirect::to(&format!("/login?next={query}")).into_response();
    }
    plain(StatusCode::UNAUTHORIZED, "ログインが必要です。\n")
}

/// One byte of a query value (RFC 3986 §2).
fn encoded(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'.' | b'_') {
        char::from(byte).to_string()
    } else {
        format!("%{byte:02X}")
    }
}

/// Requests that change nothing (RFC 9110 §9.2.1).
fn is_safe(method: &Method) -> bool {
    [Method::GET, Method::HEAD, Method::OPTIONS].contains(method)
}

/// Whether the page that asks is one of ours. Browsers send `Origin` with every POST and every stream.
pub(super) fn same_origin(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let Some(origin) = text(header::ORIGIN) else { return true };
    let host = text(header::HOST).unwrap_or_default();
    origin.split_once("://").is_some_and(|(_, of)| of.eq_ignore_ascii_case(host))
}

/// The request again, if it carries the token.
async fn with_token(request: Request, expected: &str) -> Result<Request, Response> {
    let refused =
        || plain(StatusCode::FORBIDDEN, "画面の有効期限が切れました。前の画面に戻り、再読み込みしてください。\n");
    if let Some(given) = request.headers().get(CSRF_HEADER) {
        return if crypto::same(given.as_bytes(), expected.as_bytes()) { Ok(request) } else { Err(refused()) };
    }
    let (head, body) = request.into_parts();
    let Ok(bytes) = to_bytes(body, FORM_OCTETS_MAX).await else {
        return Err(plain(StatusCode::PAYLOAD_TOO_LARGE, "送信された内容が長すぎます。\n"));
    };
    // Without what the layers outside allow a form of anybody: this one is within the limit of ours.
    let mut form = Request::new(Body::from(Bytes::clone(&bytes)));
    (*form.method_mut(), *form.headers_mut()) = (head.method.clone(), head.headers.clone());
    let fields = Form::<Vec<(String, String)>>::from_request(form, &()).await;
    let same =
        |(name, value): &(String, String)| name == CSRF_FIELD && crypto::same(value.as_bytes(), expected.as_bytes());
    if fields.is_ok_and(|Form(fields)| fields.iter().any(same)) {
        Ok(Request::from_parts(head, Body::from(bytes)))
    } else {
        Err(refused())
    }
}

/// Derived from the session's token, so that nothing more has to be kept.
pub(super) fn csrf_of(token: &Secret<String>) -> String {
    crypto::sha256(format!("annai/1/csrf/{}", token.reveal()).as_bytes()).to_string()
}

/// A cookie's value.
fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = all.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, value)| *key == name && !value.is_empty()).map(|(_, value)| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(header::HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    #[test]
    fn only_our_own_pages_ask() {
        let check = |origin: &str, expected| {
            let found = same_origin(&headers(&[(header::HOST, "console.example:8081"), (header::ORIGIN, origin)]));
            assert_eq!(found, expected, "{origin}");
        };
        check("https://console.example:8081", true);
        check("http://CONSOLE.example:8081", true);
        check("https://evil.example", false);
        check("https://console.example:8081.evil.example", false);
        check("null", false);
        assert!(same_origin(&headers(&[(header::HOST, "x")])));
    }

    #[test]
    fn cookies_are_found_by_their_whole_name() {
        let given = headers(&[(header::COOKIE, "xannai=1; annai=abc; annai2=3")]);
        assert_eq!(cookie(&given, "annai").as_deref(), Some("abc"));
        assert_eq!(cookie(&given, "nnai"), None);
    }
}
