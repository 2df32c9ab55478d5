//! Sessions of the console: who is looking at a page, and whether a form really came from one of ours.
//!
//! | check | held by |
//! |---|---|
//! | a session | cookie with a token of 158 bits; only its SHA-256 is stored; HttpOnly, SameSite=Strict, Secure with TLS |
//! | not too old | `idle_minutes` of the rules without a click, [`SESSION_HOURS`] at most; killable. What a page's script asks for by itself is no click |
//! | same certificate | with client certificates, a session is good with the one it began with; shown with another or none, it ends and the journal says so |
//! | same origin | `Origin` of every request that has one is the `Host`; so no other page opens our streams either |
//! | our form | every POST carries the session's CSRF token, as field `csrf` or header `x-csrf-token` |
//!
//! A router behind [`Reception::guard`] finds a [`Visitor`] in the request's extensions. What a role may do is asked of
//! [`Visitor::may`] for showing buttons; the engine asks again in every step, so a hidden button is never the only lock.
//!
//! [`SESSION_HOURS`]: crate::engine::people::SESSION_HOURS

use super::Source;
use super::door::Peer;
use super::language;
use super::login::Throttle;
use super::look::{page, plain};
use crate::crypto;
use crate::domain::time::MINUTE;
use crate::domain::{Digest, Secret};
use crate::engine::people::Who;
use crate::engine::views::words::Lang;
use crate::workflow::rights::{Act, Right, Role, right};
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Form, FromRequest, Request, State};
use axum::http::request::Parts;
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
/// Fields a person writes into; never a password, and nothing a page put there.
const TYPED: [&str; 4] = ["reason", "body", "subject", "address"];
/// To a script with a token of an earlier session.
const STALE: (&str, &str) =
    ("画面の有効期限が切れました。再読み込みしてください。\n", "This page is out of date; load it again.\n");
/// To a page that is none of ours.
pub(super) const FOREIGN: (&str, &str) = (
    "このページからの操作ではないため、受け付けられません。\n",
    "This does not come from a page of annai and is not taken.\n",
);

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
    /// Language of what they read.
    pub lang: Lang,
    pub(super) token: Secret<String>,
}

impl Visitor {
    /// For [`crate::engine::Engine::act`].
    pub fn who(&self) -> Who {
        Who::Account(self.name.clone())
    }

    /// Whether the session goes on. No click.
    pub(super) async fn is_still_here(&self, source: &Source) -> bool {
        let (survey, token) = (source.survey.clone(), self.token.clone());
        let found = tokio::task::spawn_blocking(move || survey.session(&token)).await;
        let (now, factor) = (source.clock.now(), i64::from(source.clock.factor().max(1)));
        matches!(found, Ok(Ok(Some((session, _)))) if !session.is_over(now, factor))
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
        let account = super::account::router(self.clone());
        let acts = super::session_acts::router(self.clone());
        let guarded = console.merge(account).merge(acts).layer(from_fn_with_state(self.clone(), admit));
        guarded.merge(super::login::router(self))
    }

    /// Name of the session's cookie. With TLS the prefix makes browsers refuse one that is not Secure or has a Domain.
    pub(super) fn cookie(&self) -> &'static str {
        if self.secure { "__Host-annai" } else { "annai" }
    }

    /// The session of a request, if it has a good one. `peer`: who is at the other end of the connection.
    pub(super) async fn visitor(&self, headers: &HeaderMap, peer: Option<&Peer>) -> Option<Visitor> {
        let token = Secret::new(cookie(headers, self.cookie())?);
        let survey = self.source.survey.clone();
        let asked = token.clone();
        let found = tokio::task::spawn_blocking(move || survey.session(&asked)).await;
        let (session, account) = found.ok()?.ok()??;
        if session.fingerprint != peer.and_then(fingerprint) {
            let from = peer.map_or_else(String::new, |peer| peer.address.ip().to_string());
            let _ended = self.source.handle.call(move |engine| engine.session_misused(&token, &from)).await;
            return None;
        }
        let (now, factor) = (self.source.clock.now(), i64::from(self.source.clock.factor().max(1)));
        if session.is_over(now, factor) {
            let _ended = self.source.handle.call(move |engine| engine.log_out(&token)).await;
            return None;
        }
        if is_click(headers) && now.since(session.seen) >= TOUCH_SECONDS.saturating_mul(factor) {
            let token = token.clone();
            let _touched = self.source.handle.call(move |engine| engine.touch_session(&token)).await;
        }
        let person = if account.person.is_empty() { account.name.clone() } else { account.person };
        let csrf = csrf_of(&token);
        let lang = language::asked(headers);
        Some(Visitor { name: account.name, person, role: account.role, session: session.no, csrf, lang, token })
    }
}

/// SHA-256 of the client certificate of a connection; `None`: none was asked for.
pub(super) fn fingerprint(peer: &Peer) -> Option<Digest> {
    peer.certificates.first().map(|shown| crypto::sha256(shown))
}

/// Whether a person asks, and not a script of an open page (W3C Fetch Metadata §2.1): a page that keeps itself current, and
/// says that it is open, must not keep a session alive whose person has left.
fn is_click(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-dest").is_none_or(|of| of != "empty")
}

/// Lets a request through with its visitor, or sends it to the login page.
async fn admit(State(reception): State<Reception>, mut request: Request, next: Next) -> Response {
    let lang = language::asked(request.headers());
    if !same_origin(request.headers()) {
        return plain(StatusCode::FORBIDDEN, lang.pick(FOREIGN.0, FOREIGN.1));
    }
    let peer = request.extensions().get::<ConnectInfo<Peer>>().map(|ConnectInfo(peer)| peer.clone());
    let Some(visitor) = reception.visitor(request.headers(), peer.as_ref()).await else {
        return to_login(request).await;
    };
    if !is_safe(request.method()) {
        match with_token(request, &visitor.csrf, lang).await {
            Ok(checked) => request = checked,
            Err(refused) => return refused,
        }
    }
    request.extensions_mut().insert(visitor);
    next.run(request).await
}

/// Pages lead to the login and back; of a form nothing is done, and what was typed is shown once more.
async fn to_login(request: Request) -> Response {
    let accept = request.headers().get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    let wants_page = accept.is_some_and(|accept| accept.contains("text/html"));
    let lang = language::asked(request.headers());
    if !wants_page {
        return plain(StatusCode::UNAUTHORIZED, lang.pick("ログインが必要です。\n", "Please log in.\n"));
    }
    if is_safe(request.method()) {
        let back = request.uri().path_and_query().map_or("/", |path| path.as_str());
        return Redirect::to(&login_for(back)).into_response();
    }
    match fields_of(request).await {
        Ok((_, _, fields)) => not_done(StatusCode::UNAUTHORIZED, lang, &fields),
        Err(refused) => refused,
    }
}

/// The login page that leads on to a page of ours.
fn login_for(back: &str) -> String {
    format!("/login?next={}", back.bytes().map(encoded).collect::<String>())
}

/// Says that a form was not taken, with what a person has typed into it, for copying.
fn not_done(status: StatusCode, lang: Lang, fields: &Typed) -> Response {
    let back = fields.iter().find(|(name, _)| name == "back").map_or("/", |(_, back)| back.as_str());
    let typed: Vec<_> = fields.iter().filter(|(name, _)| TYPED.contains(&name.as_str())).collect();
    let typed: Vec<_> = typed.into_iter().map(|(_, value)| value).filter(|value| !value.trim().is_empty()).collect();
    let gone = status == StatusCode::UNAUTHORIZED;
    let to = if gone { login_for(back) } else { super::login::place(Some(back)) };
    page(status, "not_done.html", minijinja::context! { lang => lang.code(), gone, to, typed })
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
async fn with_token(request: Request, expected: &str, lang: Lang) -> Result<Request, Response> {
    if let Some(given) = request.headers().get(CSRF_HEADER) {
        let same = crypto::same(given.as_bytes(), expected.as_bytes());
        return if same { Ok(request) } else { Err(plain(StatusCode::FORBIDDEN, lang.pick(STALE.0, STALE.1))) };
    }
    let (head, bytes, fields) = fields_of(request).await?;
    let same =
        |(name, value): &(String, String)| name == CSRF_FIELD && crypto::same(value.as_bytes(), expected.as_bytes());
    if fields.iter().any(same) {
        Ok(Request::from_parts(head, Body::from(bytes)))
    } else {
        Err(not_done(StatusCode::FORBIDDEN, lang, &fields))
    }
}

/// The fields of a form, in their order.
type Typed = Vec<(String, String)>;

/// A request taken apart, with its fields; none where it is no form.
async fn fields_of(request: Request) -> Result<(Parts, Bytes, Typed), Response> {
    let lang = language::asked(request.headers());
    let (head, body) = request.into_parts();
    let Ok(bytes) = to_bytes(body, FORM_OCTETS_MAX).await else {
        let said = lang.pick("送信された内容が長すぎます。\n", "What was sent is too long.\n");
        return Err(plain(StatusCode::PAYLOAD_TOO_LARGE, said));
    };
    // Without what the layers outside allow a form of anybody: this one is within the limit of ours.
    let mut form = Request::new(Body::from(Bytes::clone(&bytes)));
    (*form.method_mut(), *form.headers_mut()) = (head.method.clone(), head.headers.clone());
    let fields = Form::<Typed>::from_request(form, &()).await.map_or_else(|_| Vec::new(), |Form(fields)| fields);
    Ok((head, bytes, fields))
}

/// Derived from the session's token, so that nothing more has to be kept.
pub(super) fn csrf_of(token: &Secret<String>) -> String {
    crypto::sha256(format!("annai/1/csrf/{}", token.reveal()).as_bytes()).to_string()
}

/// A cookie's value.
pub(super) fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
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
