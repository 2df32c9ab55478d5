//! Logging in, and the throttle: after [`FREE_TRIES`] wrong passwords an account or an address
//! has to wait, twice as long each time.
//!
//! Whoever types a wrong name learns nothing from the answer or its time. At most [`VERIFIED_AT_ONCE`] passwords are
//! verified at once, so that a storm of logins does not starve the machine. With `web.console_client_ca` the door asks
//! for a client certificate before any of this: the second factor. The first one an account logs in with becomes its own.

use super::door::Peer;
use super::language;
use super::look::{page, plain};
use super::session::{FOREIGN, Reception, Sample, fingerprint, same_origin};
use crate::crypto::password;
use crate::domain::time::MINUTE;
use crate::domain::{Digest, Secret, Timestamp};
use crate::engine::EngineError;
use crate::engine::views::words::{self, Lang};
use axum::Router;
use axum::extract::{ConnectInfo, Extension, Form, Query, State};
use axum::http::header::{HeaderValue, SET_COOKIE, USER_AGENT};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use serde::Deserialize;
use std::collections::HashMap;
use tokio::sync::Semaphore;

/// Wrong passwords before there is a wait.
pub const FREE_TRIES: u32 = 5;
/// The first wait, in seconds; doubled with every further wrong password.
pub const FIRST_WAIT_SECONDS: i64 = 30;
/// The longest wait, in seconds.
pub const LONGEST_WAIT_SECONDS: i64 = 15 * MINUTE;
/// Passwords verified at once; each takes 19 MiB and a processor for a moment.
pub const VERIFIED_AT_ONCE: usize = 2;
/// Names and addresses remembered; beyond that the oldest is forgotten.
const REMEMBERED_MAX: usize = 10_000;

pub(super) static VERIFYING: Semaphore = Semaphore::const_new(VERIFIED_AT_ONCE);

/// Who typed how many wrong passwords.
#[derive(Debug, Default)]
pub struct Throttle(HashMap<String, Tries>);

#[derive(Debug, Clone, Copy)]
struct Tries {
    wrong: u32,
    last: Timestamp,
}

impl Throttle {
    /// Seconds to wait before the next try of `key`; 0: none. `factor`: how much faster the clock runs than people do.
    pub fn wait(&self, key: &str, now: Timestamp, factor: i64) -> i64 {
        let Some(tries) = self.0.get(key) else { return 0 };
        let Some(over) = tries.wrong.checked_sub(FREE_TRIES) else { return 0 };
        let wait = FIRST_WAIT_SECONDS.saturating_mul(1 << over.min(20)).min(LONGEST_WAIT_SECONDS);
        wait.saturating_mul(factor).saturating_sub(now.since(tries.last)).max(0) / factor.max(1)
    }

    pub fn wrong(&mut self, key: &str, now: Timestamp) {
        if self.0.len() >= REMEMBERED_MAX
            && let Some(oldest) = self.0.iter().min_by_key(|(_, tries)| tries.last).map(|(key, _)| key.clone())
        {
            self.0.remove(&oldest);
        }
        let tries = self.0.entry(key.to_owned()).or_insert(Tries { wrong: 0, last: now });
        *tries = Tries { wrong: tries.wrong.saturating_add(1), last: now };
    }

    pub fn right(&mut self, key: &str) {
        self.0.remove(key);
    }
}

#[derive(Debug, Deserialize)]
struct Entry {
    next: Option<String>,
    /// Chosen on the page.
    lang: Option<String>,
}

#[derive(Deserialize)]
struct Credentials {
    name: String,
    password: String,
    next: Option<String>,
}

/// What anybody may reach.
pub(super) fn router(reception: Reception) -> Router {
    Router::new().route("/login", get(asked).post(typed)).with_state(reception)
}

async fn asked(
    State(reception): State<Reception>,
    peer: Option<Extension<ConnectInfo<Peer>>>,
    headers: HeaderMap,
    Query(Entry { next, lang }): Query<Entry>,
) -> Response {
    let peer = peer.map(|Extension(ConnectInfo(peer))| peer);
    if reception.visitor(&headers, peer.as_ref()).await.is_some() {
        return Redirect::to(&place(next.as_deref())).into_response();
    }
    let chosen = lang.as_deref().and_then(language::of_code);
    let lang = chosen.unwrap_or_else(|| language::asked(&headers));
    let page = form(&reception, lang, StatusCode::OK, None, next.as_deref()).await;
    if chosen.is_some() { super::console::kept(language::COOKIE, lang.code(), page) } else { page }
}

async fn form(
    reception: &Reception,
    lang: Lang,
    status: StatusCode,
    fault: Option<String>,
    next: Option<&str>,
) -> Response {
    let survey = reception.source.survey.clone();
    let nobody = !matches!(tokio::task::spawn_blocking(move || survey.has_accounts()).await, Ok(Ok(true)));
    let sample = |Sample { name, password, person, does }: &Sample| {
        minijinja::context! { name, password, person, does => does.0, does_en => does.1 }
    };
    let samples: Vec<_> = reception.samples.iter().map(sample).collect();
    page(status, "login.html", minijinja::context! { lang => lang.code(), fault, next => place(next), nobody, samples })
}

/// A path of ours to go on to; anything else is the first page.
pub(super) fn place(next: Option<&str>) -> String {
    let ours = |next: &&str| next.starts_with('/') && !next.starts_with("//") && !next.contains(['\\', '\r', '\n']);
    next.filter(ours).unwrap_or("/").to_owned()
}

async fn typed(
    State(reception): State<Reception>,
    peer: Option<Extension<ConnectInfo<Peer>>>,
    headers: HeaderMap,
    Form(Credentials { name, password, next }): Form<Credentials>,
) -> Response {
    let lang = language::asked(&headers);
    if !same_origin(&headers) {
        return plain(StatusCode::FORBIDDEN, lang.pick(FOREIGN.0, FOREIGN.1));
    }
    let peer = peer.map(|Extension(ConnectInfo(peer))| peer);
    let from = peer.as_ref().map_or_else(String::new, |peer| peer.address.ip().to_string());
    let agent = headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default().to_owned();
    let certificate = peer.as_ref().and_then(fingerprint);
    match log_in(&reception, lang, &name, Secret::new(password), from, agent, certificate).await {
        Ok(token) => with_cookie(&reception, &token, Redirect::to(&place(next.as_deref())).into_response()),
        Err((status, fault)) => form(&reception, lang, status, Some(fault), next.as_deref()).await,
    }
}

async fn log_in(
    reception: &Reception,
    lang: Lang,
    name: &str,
    password: Secret<String>,
    from: String,
    agent: String,
    certificate: Option<Digest>,
) -> Result<Secret<String>, (StatusCode, String)> {
    let keys = [format!("account/{name}"), format!("address/{from}")];
    let (now, factor) = (reception.source.clock.now(), i64::from(reception.source.clock.factor().max(1)));
    let wait = keys.iter().map(|key| reception.throttle().wait(key, now, factor)).max().unwrap_or_default();
    if wait > 0 {
        let fault = words::said!(
            lang,
            "続けて失敗したため、{}秒後にもう一度お試しください。",
            "Too many wrong passwords; try again in {} seconds.",
            wait
        );
        return Err((StatusCode::TOO_MANY_REQUESTS, fault));
    }
    let busy = || {
        let said = lang.pick(
            "ただいま確認できません。しばらくしてからお試しください。",
            "This cannot be checked just now; try again later.",
        );
        (StatusCode::SERVICE_UNAVAILABLE, said.to_owned())
    };
    let _place = VERIFYING.acquire().await.map_err(|_| busy())?;
    let (survey, typed) = (reception.source.survey.clone(), name.to_owned());
    let proof = tokio::task::spawn_blocking(move || survey.prove(&typed, &password)).await;
    let proof = proof.map_err(|_| busy())?.map_err(|_| busy())?;
    let name = name.to_owned();
    let Some(mut proof) = proof else {
        for key in &keys {
            reception.throttle().wrong(key, now);
        }
        let _noted = reception.source.handle.call(move |engine| engine.log_in_failed(&name, &from)).await;
        let said = lang.pick("アカウント名またはパスワードが違います。", "The account or its password is wrong.");
        return Err((StatusCode::UNAUTHORIZED, said.to_owned()));
    };
    for key in &keys {
        reception.throttle().right(key);
    }
    proof.certificate = certificate;
    let begun = reception.source.handle.call(move |engine| {
        let begun = engine.log_in(&name, &proof, &from, &agent);
        if begun.is_err() {
            engine.log_in_failed(&name, &from)?;
        }
        Ok(begun)
    });
    let begun = begun.await.map_err(|_| busy())?.map_err(|_| busy())?;
    let said = |fault: EngineError| super::console::said(lang, &fault.to_string()).into_owned();
    begun.map_err(|fault| (StatusCode::UNAUTHORIZED, said(fault)))
}

/// The hash of a password somebody sets; `None`: it is too short or too long. Waits for its turn, as logins do.
pub(super) async fn hash_of(typed: Secret<String>) -> Option<String> {
    let _place = VERIFYING.acquire().await.ok()?;
    tokio::task::spawn_blocking(move || password::hash(&typed)).await.ok()?.ok()
}

impl Reception {
    fn throttle(&self) -> std::sync::MutexGuard<'_, Throttle> {
        self.throttle.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

fn with_cookie(reception: &Reception, token: &Secret<String>, mut response: Response) -> Response {
    let secure = if reception.secure { "; Secure" } else { "" };
    let cookie = format!("{}={}; Path=/; HttpOnly; SameSite=Strict{secure}", reception.cookie(), token.reveal());
    if let Ok(mut value) = HeaderValue::try_from(cookie) {
        value.set_sensitive(true);
        response.headers_mut().append(SET_COOKIE, value);
    }
    response
}

/// A refusal of the engine as an answer: 403 where the role does not allow it, else 409 with the sentence.
pub fn refused(fault: &EngineError) -> Response {
    if let EngineError::Forbidden { act, .. } = fault {
        let why = format!("この操作（{}）は、あなたの役割ではできません。\n", act.japanese());
        return plain(StatusCode::FORBIDDEN, why);
    }
    let theirs = matches!(
        fault,
        EngineError::Refused(_)
            | EngineError::Input(_)
            | EngineError::NoTenant(_)
            | EngineError::NoMail(_)
            | EngineError::NoRow(_)
            | EngineError::NoMatter(_)
    );
    let status = if theirs { StatusCode::CONFLICT } else { StatusCode::INTERNAL_SERVER_ERROR };
    plain(status, format!("{fault}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_end() {
        let start = Timestamp::from_unix(1_588_291_200);
        let mut throttle = Throttle::default();
        for _ in 0..FREE_TRIES - 1 {
            throttle.wrong("a", start);
        }
        assert_eq!(throttle.wait("a", start, 1), 0);
        throttle.wrong("a", start);
        assert_eq!(throttle.wait("a", start, 1), 30);
        assert_eq!(throttle.wait("a", start.plus(29), 1), 1);
        assert_eq!(throttle.wait("a", start.plus(30), 1), 0);
        throttle.wrong("a", start);
        assert_eq!(throttle.wait("a", start, 1), 60);
        assert_eq!(throttle.wait("a", start, 100), 60, "people's seconds, not the clock's");
        for _ in 0..40 {
            throttle.wrong("a", start);
        }
        assert_eq!(throttle.wait("a", start, 1), LONGEST_WAIT_SECONDS);
        assert_eq!(throttle.wait("b", start, 1), 0);
        throttle.right("a");
        assert_eq!(throttle.wait("a", start, 1), 0);
    }

    #[test]
    fn nobody_is_sent_elsewhere() {
        for (given, expected) in [
            (Some("/queue?state=held"), "/queue?state=held"),
            (Some("//evil.example"), "/"),
            (Some("https://evil.example"), "/"),
            (Some("/\\evil.example"), "/"),
            (None, "/"),
        ] {
            assert_eq!(place(given), expected);
        }
    }
}
